"""An operator's basemap prepared for drawing: by range of zooms, each range cut into cells of its own.

A page loads the cells of what it shows, so that the first view stays small however dense the data are.
A cell holds whole numbers: steps from its south-western corner, each position as its difference to the
one before. Sheets and small maps are drawn from the same ranges.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from geodata.basemap import (
    DIMENSIONS,
    LINE,
    POINT,
    POLYGON,
    Basemap,
    BasemapError,
    GroundFeature,
    load_basemap,
)
from geodata.boundaries import Boundaries, parse_geometry
from geodata.crs import Bounds
from geodata.deferred import np, shapely

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.model import Position
    from geodata.read import Facts

FOLDER = "map/base"
INDEX = f"{FOLDER}/index.json"
AROUND_DEG = 0.3  # what is shown beyond the city
KM_PER_DEG = 111.32  # of latitude
NEAR_DEG = 0.12  # two names that far apart may be of the same town
MARGIN_STEPS = 3  # by which polygons reach over the edge of their cell, so that no seam shows
LEAST_RING = 4
_ENDING = re.compile(r"(?:街道办事处|街道|火车站|高铁站|站|镇|乡|市|区|县)$")
Groups: TypeAlias = "dict[str, BaseGeometry]"  # by kind and rank, such as road1


@dataclass(frozen=True)
class ZoomRange:
    """What maps from one zoom on show, and how finely.

    `ranks` gives the last rank of each kind that is shown; `across` is the number of cells along each
    side of the window, `gap_deg` how near patches of built-up land lie to become one.
    """

    from_zoom: float
    across: int
    step_deg: float
    tolerance_deg: float
    ranks: Mapping[str, int]
    least_km2: float = 0
    least_deg: float = 0  # length of a line
    gap_deg: float = 0


RANGES = (
    ZoomRange(
        0, 1, 5e-4, 8e-4, {"road": 3, "rail": 1, "river": 1, "water": 1, "built": 1}, 0.6, 0.02, 2.5e-3
    ),
    ZoomRange(
        *(10.25, 4, 1e-4, 1.5e-4),
        {"road": 5, "rail": 2, "river": 2, "water": 1, "built": 1, "place": 3, "station": 1},
        *(0.04, 0.004, 5e-4),
    ),
    ZoomRange(12.25, 10, 2e-5, 3e-5, dict.fromkeys(DIMENSIONS, 9)),
)


class RangeIndex(TypedDict):
    """Where the cells of a range lie, and which of them hold anything."""

    zoom: float
    across: int
    step: float
    cells: list[str]


class BasemapIndex(TypedDict):
    """What a page must know of a basemap: the window (west, south, east, north), its date, its ranges."""

    window: list[float]
    date: str | None
    ranges: list[RangeIndex]


@dataclass(frozen=True)
class PreparedRange:
    """What a range shows: lines and polygons by kind and rank, and things that only have a name."""

    of: ZoomRange
    groups: Groups
    names: tuple[GroundFeature, ...]


@dataclass(frozen=True)
class PreparedBasemap:
    """A basemap as all maps draw it, within `window` (west, south, east, north)."""

    window: Bounds
    date: str | None
    ranges: tuple[PreparedRange, ...]


def window_around(bounds: Sequence[float]) -> Bounds:
    """Return what a basemap is wanted of, given the city's bounds (west, south, east, north) in degrees."""
    west, south, east, north = (round(value, 3) for value in bounds)
    return west - AROUND_DEG, south - AROUND_DEG, east + AROUND_DEG, north + AROUND_DEG


def open_basemap(path: Path, facts: Facts, boundaries: Boundaries) -> Basemap:
    """Return what a file shows of the city and its surroundings.

    Raises :class:`~geodata.basemap.BasemapError` for a file that cannot be used or lacks a county.
    """
    parts: dict[str, list[BaseGeometry]] = {}
    for row in boundaries["towns"]["features"]:
        county = facts.zones[facts.towns[row["id"]].county]
        parts.setdefault(county.name.zh, []).append(parse_geometry(row))
    counties = {name: shapely.union_all(towns) for name, towns in parts.items()}
    basemap = load_basemap(path, window_around(shapely.union_all([*counties.values()]).bounds))
    check_cover(basemap, counties)
    return basemap


def check_cover(basemap: Basemap, counties: Mapping[str, BaseGeometry]) -> None:
    """Raise :class:`~geodata.basemap.BasemapError` unless there is a road in every county, given by name."""
    roads = shapely.STRtree([one.geometry for one in basemap.features if one.kind == "road"])
    bare = [name for name, county in counties.items() if not len(roads.query(county, predicate="intersects"))]
    if bare:
        raise BasemapError("basemap-county", basemap.file, places=" ".join(bare))


def prepare_basemap(basemap: Basemap, window: Bounds, facts: Facts, land: BaseGeometry) -> PreparedBasemap:
    """Return a basemap generalised for each range of zooms.

    Names that the plan's data have are left out, and so is built-up land beyond the coast of `land`.
    """
    known = list(_known_names(facts))
    named = [
        one
        for one in basemap.features
        if DIMENSIONS[one.kind] == POINT and one.name.zh and not _is_known(one, known)
    ]
    drawn = [one for one in basemap.features if DIMENSIONS[one.kind] != POINT]
    ashore = _cut_to_land([one for one in drawn if one.kind == "built"], land)
    drawn = [*(one for one in drawn if one.kind != "built"), *ashore]
    km2_per_deg2 = KM_PER_DEG**2 * math.cos(math.radians((window[1] + window[3]) / 2))
    ranges = tuple(_prepare(drawn, named, row, km2_per_deg2) for row in RANGES)
    return PreparedBasemap(window, basemap.date, ranges)


def _cut_to_land(features: list[GroundFeature], land: BaseGeometry) -> Iterator[GroundFeature]:
    shapely.prepare(land)
    for one in features:
        if land.contains_properly(one.geometry):
            yield one
        elif not (cut := shapely.intersection(one.geometry, land)).is_empty:
            yield replace(one, geometry=cut)


def _known_names(facts: Facts) -> Iterator[tuple[str, Position]]:
    yield from ((row.name.zh, row.position) for row in facts.gateways.values())
    yield from ((row.name.zh, row.position) for row in facts.landmarks.values())
    yield from ((town.name.zh, town.seat) for town in facts.towns.values())


def _is_known(one: GroundFeature, known: Iterable[tuple[str, Position]]) -> bool:
    """Tell whether the plan's data name the same thing: by the same word, whatever its ending, near by."""
    whole = (
        one.kind == "place" and one.rank > RANGES[1].ranks["place"]
    )  # a village may be called as its town is
    stem = one.name.zh if whole else _ENDING.sub("", one.name.zh)
    lon, lat = one.at
    return any(
        stem == (name if whole else _ENDING.sub("", name))
        and abs(at.lon - lon) < NEAR_DEG
        and abs(at.lat - lat) < NEAR_DEG
        for name, at in known
    )


def _prepare(
    features: Iterable[GroundFeature], named: Iterable[GroundFeature], row: ZoomRange, km2_per_deg2: float
) -> PreparedRange:
    parts: dict[str, list[BaseGeometry]] = {}
    for one in features:
        if one.rank <= row.ranks.get(one.kind, 0):
            parts.setdefault(f"{one.kind}{one.rank}", []).append(one.geometry)
    groups = {
        key: _generalise(key[:-1], shapely.get_parts(found), row, km2_per_deg2)
        for key, found in sorted(parts.items())
    }
    names = tuple(one for one in named if one.rank <= row.ranks.get(one.kind, 0))
    return PreparedRange(row, {key: one for key, one in groups.items() if not one.is_empty}, names)


def _generalise(kind: str, parts: NDArray[np.object_], row: ZoomRange, km2_per_deg2: float) -> BaseGeometry:
    if DIMENSIONS[kind] == LINE:
        joined = shapely.get_parts(shapely.line_merge(shapely.MultiLineString(parts.tolist())))
        long = joined[shapely.length(joined) >= row.least_deg]
        return shapely.MultiLineString(shapely.simplify(long, row.tolerance_deg).tolist())
    if kind == "built" and row.gap_deg:
        grown = shapely.union_all(shapely.buffer(parts, row.gap_deg, quad_segs=2))
        parts = shapely.get_parts(shapely.buffer(grown, -row.gap_deg, quad_segs=2))
    else:
        parts = shapely.get_parts(shapely.union_all(parts))
    large = parts[shapely.area(parts) * km2_per_deg2 >= row.least_km2]
    simple = shapely.get_parts(shapely.make_valid(shapely.simplify(large, row.tolerance_deg)))
    return shapely.MultiPolygon(simple[shapely.get_dimensions(simple) == POLYGON].tolist())


# Cells: what a page loads.


def build_cells(basemap: PreparedBasemap) -> dict[str, object]:
    """Return the index and every cell that holds anything, by path."""
    files: dict[str, object] = {}
    ranges: list[RangeIndex] = []
    for number, prepared in enumerate(basemap.ranges):
        cells = dict(_cut(prepared, basemap.window))
        files |= {f"{FOLDER}/{number}/{name}.json": cell for name, cell in cells.items()}
        row = prepared.of
        ranges.append(
            {"zoom": row.from_zoom, "across": row.across, "step": row.step_deg, "cells": list(cells)}
        )
    index: BasemapIndex = {"window": list(basemap.window), "date": basemap.date, "ranges": ranges}
    return files | {INDEX: index}


def _cut(prepared: PreparedRange, window: Bounds) -> Iterator[tuple[str, dict[str, list[object]]]]:
    across, step = prepared.of.across, prepared.of.step_deg
    parts = {key: shapely.get_parts(group) for key, group in prepared.groups.items()}
    trees = {key: shapely.STRtree(found) for key, found in parts.items()}
    places = [(one, one.at) for one in prepared.names]
    for column in range(across):
        for row in range(across):
            west, south, east, north = cell_bounds(window, across, column, row)
            cell: dict[str, list[object]] = {}
            for key, tree in trees.items():
                margin = MARGIN_STEPS * step if DIMENSIONS[key[:-1]] == POLYGON else 0
                room = (west - margin, south - margin, east + margin, north + margin)
                near = parts[key][tree.query(shapely.box(*room))]
                shown = shapely.get_parts(shapely.clip_by_rect(near, *room))
                drawn: list[object] = [line for one in shown if (line := _encode(one, (west, south), step))]
                if drawn:
                    cell[key] = drawn
            names: list[object] = [
                [one.kind, one.rank, round((x - west) / step), round((y - south) / step), *one.name]
                for one, (x, y) in places
                if west <= x < east and south <= y < north
            ]
            if names:
                cell["names"] = names
            if cell:
                yield f"{column}-{row}", cell


def cell_bounds(window: Sequence[float], across: int, column: int, row: int) -> Bounds:
    """Return the bounds of a cell; columns count from the west, rows from the south."""
    west, south, east, north = window
    width, height = (east - west) / across, (north - south) / across
    return (
        west + column * width,
        south + row * height,
        west + (column + 1) * width,
        south + (row + 1) * height,
    )


def _encode(geometry: BaseGeometry, corner: tuple[float, float], step: float) -> list[int] | list[list[int]]:
    """Return a line as x, y, dx, dy, …, a polygon as its rings; empty where rounding leaves no extent."""
    if not isinstance(geometry, shapely.Polygon):
        return _encode_line(geometry, corner, step, 1)
    rings = [
        _encode_line(ring, corner, step, LEAST_RING - 1) for ring in (geometry.exterior, *geometry.interiors)
    ]
    return [ring for ring in rings if ring] if rings[0] else []


def _encode_line(line: BaseGeometry, corner: tuple[float, float], step: float, least_moves: int) -> list[int]:
    places = np.rint((shapely.get_coordinates(line) - corner) / step).astype(int)
    moves = np.diff(places, axis=0)
    moves = moves[moves.any(axis=1)]
    return [*places[0].tolist(), *moves.ravel().tolist()] if len(moves) >= least_moves else []


def read_groups(read: Callable[[str], Any], level: int) -> Groups:
    """Return what the cells of a range show, degrees, by kind and rank; empty where there is no basemap.

    `read` returns the parsed content of a path of the release; raises KeyError for none.
    """
    index: BasemapIndex = read(INDEX)
    row = index["ranges"][level]
    lines: dict[str, list[BaseGeometry]] = {}
    for name in row["cells"]:
        column, up = map(int, name.split("-"))
        west, south, *_ = cell_bounds(index["window"], row["across"], column, up)
        for key, drawn in read(f"{FOLDER}/{level}/{name}.json").items():
            if key != "names":
                lines.setdefault(key, []).extend(_decode(key, drawn, (west, south), row["step"]))
    return {key: _join(key[:-1], found) for key, found in lines.items()}


def _join(kind: str, parts: list[BaseGeometry]) -> BaseGeometry:
    if DIMENSIONS[kind] == POLYGON:
        return shapely.union_all(parts)
    return shapely.MultiLineString([shapely.get_coordinates(part) for part in parts])


def _decode(key: str, drawn: list[Any], corner: tuple[float, float], step: float) -> list[BaseGeometry]:
    def places(line: list[int]) -> NDArray[np.float64]:
        steps = np.column_stack([list(accumulate(line[0::2])), list(accumulate(line[1::2]))])
        return steps * step + corner

    if DIMENSIONS[key[:-1]] == LINE:
        return [shapely.LineString(places(line)) for line in drawn]
    polygons = [shapely.Polygon(places(outer), [places(hole) for hole in holes]) for outer, *holes in drawn]
    return [*shapely.make_valid(polygons)]


def groups_by_kind(groups: Mapping[str, BaseGeometry]) -> Groups:
    """Return groups of all ranks of a kind as one, back to front."""
    order = ("built", "water", "river", "rail", "road")
    found = {kind: [group for key, group in groups.items() if key[:-1] == kind] for kind in order}
    parts = {kind: shapely.get_parts(rows).tolist() for kind, rows in found.items() if rows}
    return {
        kind: shapely.MultiLineString(rows) if DIMENSIONS[kind] == LINE else shapely.MultiPolygon(rows)
        for kind, rows in parts.items()
    }
