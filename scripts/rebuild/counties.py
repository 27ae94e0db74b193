"""Divide the land among the counties: real coast, known inland borders, nothing left over.

The division data knows the inland borders but only a coarse coast and no islands; the coast data
knows the shore but no borders. So the borders are run on to the real shore where the coarse coast
stops short of it, the mainland is cut along them, and every island goes with the nearest county.
All geometry is lon/lat.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, hypot, radians
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

GRID_DEG: Final = 1e-6
_REACH_DEG: Final = 0.3
_STEP_DEG: Final = 1e-4
_FLAT: Final = 1e-6


@dataclass(frozen=True)
class Land:
    """The land of one county: one or more pieces of the mainland, and its islands."""

    mainland: shapely.MultiPolygon
    islands: tuple[shapely.Polygon, ...]


Outlines = Mapping[str, BaseGeometry]


def build_lands(outlines: Outlines, shores: Sequence[shapely.Polygon]) -> dict[str, Land]:
    """Divide `shores`, of which the first is the mainland, among the counties of `outlines`.

    Every point of the shores ends in exactly one county.
    """
    shores = [shapely.set_precision(shore, GRID_DEG) for shore in shores]
    mainland = shores[0]
    borders = build_borders(outlines)
    lines = [mainland.boundary, *borders, *build_extensions(borders, outlines, mainland)]
    pieces: dict[str, list[shapely.Polygon]] = {code: [] for code in outlines}
    for face in polygonize(lines):
        if mainland.covers(face.representative_point()):
            pieces[_nearest(face.representative_point(), outlines)].append(face)
    islands: dict[str, list[shapely.Polygon]] = {code: [] for code in outlines}
    for shore in shores[1:]:
        islands[_nearest(shore, outlines)].append(shore)
    return {code: Land(shapely.MultiPolygon(pieces[code]), tuple(islands[code])) for code in sorted(outlines)}


def polygonize(lines: Sequence[BaseGeometry]) -> list[shapely.Polygon]:
    """Node `lines` once on the grid and return the faces between them.

    Neighbouring faces have identical vertices along their shared edge.
    """
    noded = shapely.unary_union(list(lines), grid_size=GRID_DEG)
    faces = shapely.get_parts(shapely.polygonize([noded]))
    return [face for face in faces if isinstance(face, shapely.Polygon)]


def build_borders(outlines: Outlines) -> list[shapely.LineString]:
    """Return the lines that two of `outlines` share, merged between their junctions."""
    edges = shapely.unary_union([outline.boundary for outline in outlines.values()])
    outer = shapely.unary_union(list(outlines.values())).boundary
    merged = shapely.line_merge(shapely.difference(edges, outer))
    return [line for line in shapely.get_parts(merged) if isinstance(line, shapely.LineString)]


def build_extensions(
    borders: Sequence[shapely.LineString], outlines: Outlines, mainland: shapely.Polygon
) -> list[shapely.LineString]:
    """Run each border that ends on the coarse coast on to the real shore.

    The extension halves the angle between the two coasts, so both counties are equally near.
    Borders that end in the sea already need none.
    """
    ends = Counter(end for line in borders for end in (line.coords[0], line.coords[-1]))
    union = shapely.unary_union(list(outlines.values()))
    found: list[shapely.LineString] = []
    for end in sorted(end for end, count in ends.items() if count == 1):
        place = shapely.Point(end)
        if mainland.contains(place):
            ray = shapely.intersection(_build_ray(end, union), mainland)
            found.extend(part for part in shapely.get_parts(ray) if part.distance(place) < GRID_DEG)
    return found


def _build_ray(end: tuple[float, ...], union: BaseGeometry) -> shapely.LineString:
    """Return the line from `end` out of `union` that halves the angle of its outline there."""
    squeeze = cos(radians(end[1]))
    vectors = []
    for near in _neighbours(end, union):
        east, north = (near[0] - end[0]) * squeeze, near[1] - end[1]
        vectors.append((east / hypot(east, north), north / hypot(east, north)))
    (east_1, north_1), (east_2, north_2) = vectors
    east, north = east_1 + east_2, north_1 + north_2
    if hypot(east, north) < _FLAT:
        east, north = -north_1, east_1
    east, north = east / hypot(east, north) / squeeze, north / hypot(east, north)
    if union.contains(shapely.Point(end[0] + east * _STEP_DEG, end[1] + north * _STEP_DEG)):
        east, north = -east, -north
    return shapely.LineString([end[:2], (end[0] + east * _REACH_DEG, end[1] + north * _REACH_DEG)])


def _neighbours(end: tuple[float, ...], union: BaseGeometry) -> list[tuple[float, ...]]:
    """Return the points a step before and a step after `end` on the outline of `union`."""
    place = shapely.Point(end)
    ring = min(shapely.get_rings(shapely.get_parts(union)), key=lambda ring: ring.distance(place))
    along = ring.project(place)
    steps = (along - _STEP_DEG, along + _STEP_DEG)
    return [ring.interpolate(step % ring.length).coords[0] for step in steps]


def _nearest(place: BaseGeometry, outlines: Outlines) -> str:
    return min(sorted(outlines), key=lambda code: outlines[code].distance(place))
