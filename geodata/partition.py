"""Divide each county among its towns by an area-constrained power diagram of the town seats.

No open polygon of any town or zone of Weihai exists. A point belongs to the town whose power
``distance² - weight`` is smallest; towns of one zone share one weight, and the weights are solved
so that each zone with a known area gets exactly that area (semi-discrete optimal transport). All
computing is exact vector geometry on an equal-area plane; the result is noded once on a lon/lat
grid, so that neighbours have identical vertices along their shared edge.

Islands are never cut: each goes with the nearest seat of its county, whatever the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.crs import Bounds, Floats
from geodata.land import Land, polygonize

_MARGIN: Final = 4.0
_PROBE_M2: Final = 1e4
_TOLERANCE: Final = 1e-7
_MAX_STEPS: Final = 60
_MIN_STRIDE: Final = 1e-4
_PLANE_GRID_M: Final = 1e-3
_OVERHANG_M: Final = 200.0
_SEGMENT_M: Final = 2000.0  # bends by less than 0.1 m


class PartitionError(ValueError):
    """The wanted areas cannot be met with the given seats."""


@dataclass(frozen=True)
class Seats:
    """The seats of one county on an equal-area plane, metres, and which towns share a weight."""

    codes: tuple[str, ...]
    points: Floats  # (n, 2)
    groups: tuple[tuple[int, ...], ...] = ()  # towns by index; the rest weigh nothing
    targets_m2: tuple[float, ...] = ()  # the wanted area of each group, islands left out


@dataclass(frozen=True)
class Division:
    """How the land of a county is divided: its seats and the weight of each, m²."""

    seats: Seats
    weights_m2: Floats


Divisions = Mapping[str, Division]
Lands = Mapping[str, Land]


def solve_weights(seats: Seats, land: BaseGeometry) -> Floats:
    """Return the weight of each seat, m², that gives every group its wanted area of `land`.

    Damped Newton steps from zero weights, with probed derivatives; deterministic. Raises
    PartitionError if the areas are not met or a town would vanish.
    """
    targets = np.array(seats.targets_m2)
    members = _build_members(seats)
    if not len(targets):
        return np.zeros(len(seats.codes))

    def measure(shared: Floats) -> Floats:
        areas = _measure_cells(seats.points, shared @ members, land)
        return members @ areas - targets if areas.min() > 0 else np.full(len(targets), np.inf)

    shared = np.zeros(len(targets))
    error = measure(shared)
    for _ in range(_MAX_STEPS):
        if np.all(np.abs(error) <= _TOLERANCE * targets):
            return np.asarray(shared @ members)
        shared, error = _step(measure, shared, error)
    raise PartitionError(f"areas not met after {_MAX_STEPS} steps: off by {np.round(error / 1e6, 3)} km²")


def build_cells(points: Floats, weights: Floats, frame: Bounds) -> list[shapely.Polygon]:
    """Return the power cell of each point within `frame` (west, south, east, north), in order.

    A cell may be empty, and need not hold its own point.
    """
    cells = []
    for own, (point, weight) in enumerate(zip(points, weights, strict=True)):
        corners = shapely.get_coordinates(shapely.box(*frame))[:-1]
        for other, (rival, rival_weight) in enumerate(zip(points, weights, strict=True)):
            if other != own and len(corners):
                limit = rival @ rival - point @ point - rival_weight + weight
                corners = _cut(corners, 2.0 * (rival - point), limit)
        cells.append(shapely.Polygon(corners) if len(corners) else shapely.Polygon())
    return cells


def build_towns(lands: Lands, divisions: Divisions, frame: str) -> dict[str, BaseGeometry]:
    """Return the lon/lat geometry of every town by code; `frame` is the plane of the seats.

    `lands` may hold further counties without division: they come out whole, under their own code,
    with the same vertices along the shared border.
    """
    lines: list[BaseGeometry] = [land.mainland.boundary for land in lands.values()]
    for code, division in divisions.items():
        lines.extend(_build_edges(lands[code], division, frame))
    parts: dict[str, list[shapely.Polygon]] = {}
    for face in polygonize(lines):
        county = _find_county(face.representative_point(), lands)
        if county is not None:
            parts.setdefault(_find_owner(county, face, divisions, frame), []).append(face)
    towns = {code: list(shapely.get_parts(shapely.coverage_union_all(part))) for code, part in parts.items()}
    for county, land in lands.items():
        for island in land.islands:
            seats = divisions[county].seats if county in divisions else None
            code = county if seats is None else find_island_owner(island, seats, frame)
            towns.setdefault(code, []).append(island)
    return {code: _collect(towns[code]) for code in sorted(towns)}


def find_island_owner(island: shapely.Polygon, seats: Seats, frame: str) -> str:
    """Return the code of the town whose seat is nearest to the lon/lat `island`."""
    centre = shapely.get_coordinates(crs.transform_geometry(island.centroid, crs.LONLAT, frame))[0]
    return seats.codes[int(np.argmin(((seats.points - centre) ** 2).sum(axis=1)))]


def build_frame(land: BaseGeometry) -> Bounds:
    """Return bounds so wide around `land` that no power cell is cut short within it."""
    west, south, east, north = land.bounds
    margin = _MARGIN * max(east - west, north - south)
    return west - margin, south - margin, east + margin, north + margin


def _build_members(seats: Seats) -> Floats:
    members = np.zeros((len(seats.groups), len(seats.codes)))
    for row, group in enumerate(seats.groups):
        members[row, list(group)] = 1.0
    return members


def _step(measure: Callable[[Floats], Floats], shared: Floats, error: Floats) -> tuple[Floats, Floats]:
    """Take one Newton step, halved until it brings the areas nearer."""
    slopes = [(measure(shared + _PROBE_M2 * unit) - error) / _PROBE_M2 for unit in np.eye(len(shared))]
    step = np.linalg.solve(np.column_stack(slopes), -error)
    stride = 1.0
    while stride > _MIN_STRIDE:
        nearer = measure(shared + stride * step)
        if np.abs(nearer).sum() < np.abs(error).sum():
            return shared + stride * step, nearer
        stride /= 2.0
    raise PartitionError(f"no weight brings the areas nearer: off by {np.round(error / 1e6, 3)} km²")


def _measure_cells(points: Floats, weights: Floats, land: BaseGeometry) -> Floats:
    cells = build_cells(points, weights, build_frame(land))
    return np.asarray(shapely.area(shapely.intersection(cells, land)), dtype=np.float64)


def _cut(corners: Floats, normal: Floats, limit: float) -> Floats:
    """Keep the part of a convex polygon where ``corner · normal <= limit``."""
    over = corners @ normal - limit
    if np.all(over <= 0):
        return corners
    kept: list[Floats] = []
    for index, corner in enumerate(corners):
        before, gap, gap_before = corners[index - 1], over[index], over[index - 1]
        if (gap > 0) != (gap_before > 0):
            kept.append(before + (corner - before) * (gap_before / (gap_before - gap)))
        if gap <= 0:
            kept.append(corner)
    return np.array(kept).reshape(-1, 2)


def _build_edges(land: Land, division: Division, frame: str) -> list[BaseGeometry]:
    """Return the lon/lat edges between the power cells that lie on the mainland.

    A straight line on the plane bends in lon/lat, so the edges get extra vertices first and are
    cut to the land only afterwards: cut earlier, they would miss the border by up to a metre.
    """
    plane = crs.transform_geometry(land.mainland, crs.LONLAT, frame)
    cells = build_cells(division.seats.points, division.weights_m2, build_frame(plane))
    lines = shapely.unary_union(shapely.set_precision([cell.boundary for cell in cells], _PLANE_GRID_M))
    dense = shapely.segmentize(shapely.intersection(lines, plane.buffer(_OVERHANG_M)), _SEGMENT_M)
    edges = shapely.intersection(crs.transform_geometry(dense, frame, crs.LONLAT), land.mainland)
    return [edge for edge in shapely.get_parts(edges) if isinstance(edge, shapely.LineString)]


def _collect(pieces: list[shapely.Polygon]) -> BaseGeometry:
    """Return the pieces as one geometry, largest first."""
    ordered = sorted(pieces, key=lambda piece: (-piece.area, piece.bounds))
    return ordered[0] if len(ordered) == 1 else shapely.MultiPolygon(ordered)


def _find_county(point: shapely.Point, lands: Lands) -> str | None:
    return next((code for code in sorted(lands) if lands[code].mainland.covers(point)), None)


def _find_owner(county: str, face: shapely.Polygon, divisions: Divisions, frame: str) -> str:
    if county not in divisions:
        return county
    seats, weights_m2 = divisions[county].seats, divisions[county].weights_m2
    inner = crs.transform_geometry(face.representative_point(), crs.LONLAT, frame)
    squares_m2 = ((seats.points - shapely.get_coordinates(inner)[0]) ** 2).sum(axis=1)
    return seats.codes[int(np.argmin(squares_m2 - weights_m2))]
