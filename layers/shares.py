"""How much of a polygon lies in each place, and how far the places' accuracy leaves that open."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from geodata import crs
from layers.around import Around
from layers.block import read_block
from layers.lookup import ORDER
from layers.places import METRES_PER_DEGREE

LEAST_PERCENT = 0.005  # what rounds to nothing
QUADRANT = 4  # segments of a rounded corner
INNER, OUTER = "inner", "outer"


class Shares:
    """Answers for polygons, on the blocks that :mod:`layers.indexes` made; lon/lat, areas geodesic.

    `block` holds the places, `moved` the same with their edges moved in and out by their accuracy, see
    :func:`move_edges`.
    """

    def __init__(self, block: bytes, moved: bytes, around: Around) -> None:
        self._around = around
        self._entries = list(read_block(block))
        edges = {(entry.head["id"], entry.head["edge"]): entry.geometry for entry in read_block(moved)}
        self._inner = [edges[entry.head["id"], INNER] for entry in self._entries]
        self._outer = [edges[entry.head["id"], OUTER] for entry in self._entries]
        self._tree = STRtree(self._outer)

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
        for index in self._tree.query(polygon, predicate="intersects"):
            entry = self._entries[int(index)]
            area = _measure_common_km2(polygon, entry.geometry, total)
            share = 100 * area / total
            low, high = (
                100 * _measure_common_km2(polygon, moved[int(index)], total) / total
                for moved in (self._inner, self._outer)
            )
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
        return 100 * _measure_common_km2(polygon, other, total) / total


def _measure_common_km2(polygon: BaseGeometry, place: BaseGeometry, total: float) -> float:
    """Return how much of a polygon, `total` km² large, lies in a place, which is prepared."""
    if not place.intersects(polygon):
        return 0.0
    return total if place.covers(polygon) else crs.measure_area_km2(shapely.intersection(polygon, place))


def move_edges(place: BaseGeometry, accuracy_m: float) -> dict[str, BaseGeometry]:
    """Return a lon/lat polygon whose edge is moved in and out by `accuracy_m` metres, as its edge may be."""
    squash = math.cos(math.radians(place.centroid.y))
    plane = shapely.transform(place, lambda lonlat: lonlat * (squash, 1))
    step = accuracy_m / METRES_PER_DEGREE
    return {
        edge: shapely.transform(shapely.buffer(plane, move, quad_segs=QUADRANT), lambda xy: xy / (squash, 1))
        for edge, move in ((INNER, -step), (OUTER, step))
    }


def _order(row: dict[str, Any]) -> tuple[int, float]:
    return ORDER.index(row["layer"]), -row["share_percent"]
