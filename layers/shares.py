"""How much of a polygon lies in each place, and how far the places' accuracy leaves that open."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import shapely
from shapely import STRtree
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from geodata import crs
from layers.around import Around
from layers.block import Entry, read_block
from layers.lookup import ORDER
from layers.places import METRES_PER_DEGREE

LEAST_PERCENT = 0.005  # what rounds to nothing
MARGIN = 2.5  # how far around the polygon a place's edge is looked at, in its accuracies
QUADRANT = 4  # segments of a rounded corner


class Shares:
    """Answers for polygons, on the block that :mod:`layers.indexes` made; lon/lat, areas geodesic."""

    def __init__(self, block: bytes, around: Around) -> None:
        self._around = around
        self._entries = list(read_block(block))
        self._tree = STRtree([entry.geometry for entry in self._entries])
        self._reach_m = MARGIN * max(entry.head["positional_accuracy_m"] for entry in self._entries)

    def of(self, polygon: BaseGeometry) -> dict[str, Any]:
        """Return the area of a valid lon/lat polygon, km², and its shares by place, per cent.

        A place that the polygon only may reach, its edge being that uncertain, has a share of 0 and a
        range that begins at 0. ``outside`` says what of the polygon is not in the city.
        """
        total = crs.measure_area_km2(polygon)
        found = sorted(self._shares(polygon, total), key=_order)
        return {
            "area_km2": round(total, 6),
            "vertices": int(shapely.count_coordinates(polygon)),
            "bbox": [round(float(one), 7) for one in polygon.bounds],
            "shares": found,
            "outside": self._outside(polygon, total, found),
            "gateways": self._around.gateways(polygon),
        }

    def _shares(self, polygon: BaseGeometry, total: float) -> Iterator[dict[str, Any]]:
        for index in self._tree.query(_widen(polygon, self._reach_m)):
            entry = self._entries[int(index)]
            area = crs.measure_area_km2(shapely.intersection(polygon, entry.geometry))
            share = 100 * area / total
            low, high = _range(entry, polygon, total)
            low, high = min(low, share), max(high, share)
            if high >= LEAST_PERCENT:
                yield entry.head | {
                    "area_km2": round(area, 6),
                    "share_percent": round(share, 2),
                    "share_range_percent": [round(low, 2), round(min(high, 100), 2)],
                }

    def _outside(self, polygon: BaseGeometry, total: float, found: list[dict[str, Any]]) -> dict[str, float]:
        """Return the shares outside the city's towns: a neighbour's land, sea, and where nothing is known."""
        city = sum(row["share_percent"] for row in found if row["layer"] == "towns")
        neighbour = self._percent(polygon, self._around.neighbour, total)
        known = self._percent(polygon, self._around.window, total)
        sea = max(known - city - neighbour, 0)
        return {
            "neighbour": round(neighbour, 2),
            "sea": round(sea, 2),
            "beyond": round(max(100 - known, 0), 2),
        }

    def _percent(self, polygon: BaseGeometry, other: BaseGeometry, total: float) -> float:
        return 100 * crs.measure_area_km2(shapely.intersection(polygon, other)) / total


def _range(entry: Entry, polygon: BaseGeometry, total: float) -> tuple[float, float]:
    """Return the least and the greatest share, if the place's edge moves in or out by its accuracy."""
    accuracy = entry.head["positional_accuracy_m"]
    near = _widen(polygon, MARGIN * accuracy)
    clipped = shapely.intersection(entry.geometry, near)
    if clipped.is_empty:
        return 0, 0
    squash = math.cos(math.radians(polygon.centroid.y))
    plane = shapely.transform(clipped, lambda lonlat: lonlat * (squash, 1))
    step = accuracy / METRES_PER_DEGREE
    shares = []
    for move in (-step, step):
        moved = shapely.buffer(plane, move, quad_segs=QUADRANT)
        place = shapely.transform(moved, lambda xy: xy / (squash, 1))
        shares.append(100 * crs.measure_area_km2(shapely.intersection(polygon, place)) / total)
    return shares[0], shares[1]


def _widen(polygon: BaseGeometry, metres: float) -> BaseGeometry:
    """Return the polygon's bounding box, `metres` wider on every side."""
    west, south, east, north = polygon.bounds
    lat_deg = metres / METRES_PER_DEGREE
    lon_deg = lat_deg / max(math.cos(math.radians(max(abs(south), abs(north)))), 0.01)
    return box(west - lon_deg, south - lat_deg, east + lon_deg, north + lat_deg)


def _order(row: dict[str, Any]) -> tuple[int, float]:
    return ORDER.index(row["layer"]), -row["share_percent"]
