"""What applies at a point, how far the nearest edge is, and whether the polygons are good enough to say.

Runs in the web process on prepared geometry: shapely and pyproj only. Positions are WGS 84
(lon, lat) in degrees, distances geodesic metres.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import shapely
from shapely import STRtree
from shapely.geometry import Point, box
from shapely.geometry.base import BaseGeometry

from geodata import crs

ORDER = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores", "towns")
METRES_PER_DEGREE = 110_574  # of latitude, at its shortest
ENTRY = struct.Struct("<II")  # bytes of a record's JSON head, bytes of its WKB


@dataclass(frozen=True)
class _Entry:
    head: dict[str, Any]
    geometry: BaseGeometry


class Lookup:
    """Answers what applies at a point, from the block that :mod:`layers.indexes` made."""

    def __init__(self, block: bytes) -> None:
        self._entries = list(_read(block))
        self._tree = STRtree([entry.geometry for entry in self._entries])
        largest = max(entry.head["positional_accuracy_m"] for entry in self._entries)
        self._reach_m = 1.1 * largest

    def at(self, lon: float, lat: float) -> dict[str, Any]:
        """Return what applies at a point.

        Each entry of ``applies`` is ``inside``, or ``near`` where the point lies outside but closer
        to the edge than the polygon is accurate. ``uncertain`` is true where the distance to the
        edge is less than the polygon's positional accuracy, so that the answer may be wrong.
        """
        point = Point(lon, lat)
        found = sorted(
            (answer for index in self._near(point) if (answer := _answer(self._entries[index], point))),
            key=lambda answer: (ORDER.index(answer["layer"]), answer["status"], answer["distance_to_edge_m"]),
        )
        inside = [answer for answer in found if answer["status"] == "inside"]
        return {
            "lon": lon,
            "lat": lat,
            "covered": any(answer["layer"] == "towns" for answer in inside),
            "uncertain": any(answer["uncertain"] for answer in found),
            "applies": found,
            "nearest": None if inside else self._nearest(point),
        }

    def _near(self, point: Point) -> Iterator[int]:
        yield from (int(index) for index in self._tree.query(reach_box(point.x, point.y, self._reach_m)))

    def _nearest(self, point: Point) -> dict[str, Any]:
        """Return the nearest place with its distance, for a point that lies in none."""
        ranked = [(_edge_distance_m(entry.geometry, point), entry) for entry in self._entries]
        distance, entry = min(ranked, key=lambda pair: pair[0])
        return {key: entry.head[key] for key in ("id", "layer", "name", "url")} | {
            "distance_m": round(distance)
        }


def _answer(entry: _Entry, point: Point) -> dict[str, Any] | None:
    distance = _edge_distance_m(entry.geometry, point)
    inside = bool(entry.geometry.covers(point))
    uncertain = distance < entry.head["positional_accuracy_m"]
    if not inside and not uncertain:
        return None
    status = "inside" if inside else "near"
    return entry.head | {"status": status, "distance_to_edge_m": round(distance), "uncertain": uncertain}


def _edge_distance_m(geometry: BaseGeometry, point: Point) -> float:
    """Return the geodesic distance from `point` to the nearest point of the polygon's edge."""
    return crs.measure_distance_m(point, geometry.boundary)


def reach_box(lon: float, lat: float, reach_m: float) -> BaseGeometry:
    """Return a lon/lat box that holds everything within `reach_m` of a point."""
    lat_deg = reach_m / METRES_PER_DEGREE
    lon_deg = lat_deg / max(math.cos(math.radians(lat)), 0.01)
    return box(lon - lon_deg, lat - lat_deg, lon + lon_deg, lat + lat_deg)


def read_entries(block: bytes) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Yield head and WKB of every polygon of the block that :mod:`layers.indexes` made."""
    at = 0
    while at < len(block):
        head_bytes, wkb_bytes = ENTRY.unpack_from(block, at)
        at += ENTRY.size
        yield (
            orjson.loads(block[at : at + head_bytes]),
            block[at + head_bytes : at + head_bytes + wkb_bytes],
        )
        at += head_bytes + wkb_bytes


def _read(block: bytes) -> Iterator[_Entry]:
    for head, wkb in read_entries(block):
        geometry = shapely.from_wkb(wkb)
        shapely.prepare(geometry)
        yield _Entry(head, geometry)
