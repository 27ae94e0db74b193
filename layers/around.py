"""What lies around a point or a polygon: the city's land, its neighbours, the sea, ports and stations."""

from __future__ import annotations

from typing import Any

from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from geodata import crs
from layers.block import Entry, read_block

GROUND = "ground"  # the layer of what is no place: neighbouring land, the window of known land
# Where a point can be: in the city; so near its border or coast that it may be; on a neighbour's land;
# at sea; or where no land is recorded at all.
CITY, EDGE, NEIGHBOUR, SEA, BEYOND = "city", "edge", "neighbour", "sea", "beyond"


class Around:
    """Answers for one position at a time; positions are WGS 84 (lon, lat), distances geodesic metres."""

    def __init__(self, block: bytes) -> None:
        rows = list(read_block(block))
        ground = {entry.head["id"]: entry.geometry for entry in rows if entry.head["layer"] == GROUND}
        self.neighbour: BaseGeometry = ground["neighbour"]
        self.window: BaseGeometry = ground["window"]
        self._gateways = [entry for entry in rows if entry.head["layer"] == "gateways"]

    def where(self, point: Point, *, covered: bool, near: bool) -> str:
        """Return where `point` is; `near` says that the city may cover it after all."""
        if covered:
            return CITY
        if near:
            return EDGE
        if self.neighbour.covers(point):
            return NEIGHBOUR
        return SEA if self.window.covers(point) else BEYOND

    def gateways(self, place: BaseGeometry) -> list[dict[str, Any]]:
        """Return the nearest port, airport and station of a point or polygon, each with its distance."""
        nearest: dict[str, tuple[float, Entry]] = {}
        for entry in self._gateways:
            distance = crs.measure_distance_m(Point(entry.geometry.coords[0]), place)
            best = nearest.get(entry.head["kind"])
            if best is None or distance < best[0]:
                nearest[entry.head["kind"]] = (distance, entry)
        return [entry.head | {"distance_m": round(distance)} for distance, entry in nearest.values()]
