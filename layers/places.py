"""Where a look-up finds the polygons that it answers with: in the release's own block, or in a store.

Positions are WGS 84 (lon, lat) in degrees, distances geodesic metres.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Protocol

import shapely
from shapely import STRtree
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from geodata import crs
from layers.block import Entry, read_block
from layers.query import FeatureStore

METRES_PER_DEGREE = 110_574  # of latitude, at its shortest
MARGIN = 1.1  # over the least accurate place, for what the plane makes of distances
RINGS_M = (10_000.0, 100_000.0, 1_000_000.0)  # around a point that lies in no place, until one is found
EVERYWHERE_M = 4e7


class Places(Protocol):
    """The polygons of a release, by where they are."""

    def near(self, point: Point) -> Iterable[Entry]:
        """Return what lies so close to `point` that its accuracy matters, in a fixed order."""

    def nearest(self, point: Point) -> tuple[float, Entry]:
        """Return the place whose edge is nearest, and its distance."""


class BlockPlaces:
    """The places of a block that :mod:`layers.indexes` made, in memory."""

    def __init__(self, block: bytes) -> None:
        self._entries = list(read_block(block))
        self._tree = STRtree([entry.geometry for entry in self._entries])
        self._reach_m = MARGIN * max(entry.head["positional_accuracy_m"] for entry in self._entries)

    def near(self, point: Point) -> Iterator[Entry]:
        """Yield what lies so close to `point` that its accuracy matters."""
        for index in sorted(self._tree.query(reach_box(point.x, point.y, self._reach_m))):
            yield self._entries[index]

    def nearest(self, point: Point) -> tuple[float, Entry]:
        """Return the place whose edge is nearest, and its distance."""
        return _nearest(self._entries, point)


class StoredPlaces:
    """The places that a store holds; whatever the store raises passes through."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store

    @cached_property
    def _reach_m(self) -> float:
        return MARGIN * self._store.reach_m()

    def near(self, point: Point) -> list[Entry]:
        """Return what lies so close to `point` that its accuracy matters."""
        return self._within(point, self._reach_m)

    def nearest(self, point: Point) -> tuple[float, Entry]:
        """Return the place whose edge is nearest, and its distance, looking ever further around."""
        for ring_m in RINGS_M:
            found = self._within(point, ring_m)
            if found:
                distance, entry = _nearest(found, point)
                if distance <= ring_m:
                    return distance, entry
        return _nearest(self._within(point, EVERYWHERE_M), point)

    def _within(self, point: Point, reach_m: float) -> list[Entry]:
        near = self._store.near(point.x, point.y, reach_m)
        return [Entry(head, shapely.from_wkb(wkb)) for head, wkb in near]


def _nearest(entries: Iterable[Entry], point: Point) -> tuple[float, Entry]:
    ranked = ((measure_edge_m(entry.geometry, point), entry) for entry in entries)
    return min(ranked, key=lambda pair: pair[0])


def measure_edge_m(geometry: BaseGeometry, point: Point) -> float:
    """Return the geodesic distance from `point` to the nearest point of the polygon's edge."""
    return crs.measure_distance_m(point, geometry.boundary)


def reach_box(lon: float, lat: float, reach_m: float) -> BaseGeometry:
    """Return a lon/lat box that holds everything within `reach_m` of a point."""
    lat_deg = reach_m / METRES_PER_DEGREE
    lon_deg = lat_deg / max(math.cos(math.radians(lat)), 0.01)
    return box(lon - lon_deg, lat - lat_deg, lon + lon_deg, lat + lat_deg)
