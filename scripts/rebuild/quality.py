"""Measure how far the boundaries can be trusted; the figures go into ``datapackage.json``.

How far off would the known county borders be if nobody knew them, and the whole city were divided among its
towns as each county is? How far apart are two editions of the division data, and two coasts? How near do the
areas come to the official ones? And what follows for each stretch of border between two towns?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundaries import AreaComparison, BlindQuality, BorderDistances, Distances, EdgeAccuracy, Quality
from geodata.crs import Floats
from geodata.kinds import CITY
from geodata.model import OfficialArea, Town
from scripts.rebuild.division import Unit
from scripts.rebuild.towns import Division, divide, smooth, trace_borders

Indices = NDArray[np.intp]
SEA: Final = "sea"

_BLIND_CELL_M: Final = 100.0
_SAMPLE_M: Final = 100.0
_NEAR_COAST_M: Final = 150.0  # a place on a border nearer to the coast than this tells of the coast
_PARTS: Final = 3
_SIMPLE_M: Final = 20.0  # of the vertices left out of a blind border
_SHARES: Final = tuple(round(step * 0.05, 2) for step in range(21))


@dataclass(frozen=True)
class Blind:
    """How far off the county borders were when they were rebuilt as if they were unknown.

    One row for each sampled place on a known border, and on a rebuilt one.
    """

    off_m: Floats  # to the other line
    size_m: Floats  # mean of the square roots of the areas of the boxes of the two towns it lies between
    boxed: NDArray[np.bool_]  # whether the boxes of both tell where they end
    right: float  # share of the land that is in the right county
    borders: tuple[BlindBorder, ...]


@dataclass(frozen=True)
class BlindBorder:
    """A piece of a county border as it was rebuilt, metres on the plane, between towns of a kind and size."""

    line: shapely.LineString
    size_m: float
    boxed: bool


def rebuild_blindly(
    counties: Mapping[str, BaseGeometry], borders: BaseGeometry, units: Sequence[Unit], owners: Sequence[str]
) -> Blind:
    """Divide all `counties` together, as one, and compare the borders that come out with the known ones.

    `counties` (mainland, by code) and `borders` are metres on the plane; `owners`: the counties of `units`.
    """
    land = shapely.union_all(list(counties.values()))
    division = divide(land, units, {}, _BLIND_CELL_M)
    codes = sorted(counties)
    county_of = np.array([codes.index(owner) for owner in owners], np.int16)
    drawn_counties = county_of[division.labels]
    grid = division.claims.grid
    inland = shapely.buffer(land, -_NEAR_COAST_M)
    lines = [smooth(line, grid.step) for line in trace_borders(drawn_counties, grid)]
    drawn = shapely.intersection(shapely.union_all(lines), inland)
    known = shapely.intersection(borders, inland)
    there, back = _sample(drawn), _sample(known)
    pairs = _find_pairs(np.concatenate([there, back]), division, drawn_counties)
    xs, ys = np.meshgrid(grid.xs, grid.ys)
    right = sum(
        int(shapely.contains_xy(counties[code], xs[own], ys[own]).sum())
        for index, code in enumerate(codes)
        for own in [grid.land & (drawn_counties == index)]
    )
    with_box = np.array([unit.boxed for unit in units])
    reach = shapely.buffer(land, _NEAR_COAST_M)
    near = [part for line in lines for part in shapely.get_parts(shapely.intersection(line, reach))]
    kept = [line for line in near if isinstance(line, shapely.LineString)]
    return Blind(
        off_m=np.concatenate(
            [shapely.distance(shapely.points(there), known), shapely.distance(shapely.points(back), drawn)]
        ),
        size_m=division.claims.sizes[pairs].mean(axis=1),
        boxed=np.asarray(with_box[pairs].all(axis=1)),
        right=right / int(grid.land.sum()),
        borders=tuple(_split(kept, division, drawn_counties, with_box)),
    )


def _split(
    lines: Sequence[shapely.LineString],
    division: Division,
    counties: NDArray[np.int16],
    with_box: NDArray[np.bool_],
) -> Iterator[BlindBorder]:
    """Yield the pieces of rebuilt borders that each lie between the same two towns."""
    for line in lines:
        simple = np.asarray(shapely.get_coordinates(shapely.simplify(line, _SIMPLE_M)))
        pairs = np.sort(_find_pairs((simple[1:] + simple[:-1]) / 2, division, counties), axis=1)
        starts = [0, *(np.flatnonzero((pairs[1:] != pairs[:-1]).any(axis=1)) + 1), len(pairs)]
        for start, end in pairwise(starts):
            pair = pairs[start]
            yield BlindBorder(
                shapely.LineString(simple[start : end + 1]),
                float(division.claims.sizes[pair].mean()),
                bool(with_box[pair].all()),
            )


def _sample(lines: BaseGeometry) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.segmentize(lines, _SAMPLE_M)))


def _find_pairs(places: Floats, division: Division, counties: NDArray[np.int16]) -> Indices:
    """Return, for each place, the town that has it and the nearest town of another county; (n, 2)."""
    grid = division.claims.grid
    rows = np.clip(np.rint((places[:, 1] - grid.ys[0]) / grid.step).astype(int), 0, len(grid.ys) - 1)
    columns = np.clip(np.rint((places[:, 0] - grid.xs[0]) / grid.step).astype(int), 0, len(grid.xs) - 1)
    own = division.labels[rows, columns].astype(np.intp)
    other = np.zeros_like(own)
    for county in np.unique(counties):
        inside = counties[rows, columns] == county
        nearest = ndimage.distance_transform_edt(
            counties == county, return_distances=False, return_indices=True
        )
        at = nearest[:, rows[inside], columns[inside]]
        other[inside] = division.labels[at[0], at[1]]
    return np.stack([own, other], axis=1)


def withhold(units: Sequence[Unit]) -> list[list[Unit]]:
    """Return `units` as many times as :data:`_PARTS`, each time without the boxes of another part of them."""
    return [
        [replace(unit, box=None) if index % _PARTS == part else unit for index, unit in enumerate(units)]
        for part in range(_PARTS)
    ]


def summarise_blind(known: Blind, withheld: Sequence[Blind]) -> BlindQuality:
    """Return the figures of the blind check, ready for JSON.

    All of it, and by whether both towns of a border have a box: what holds beside a town without one is
    taken from `withheld`, where boxes that are known were not used. `quantiles` are those of the distance as
    a part of the 90th percentile of its kind: how errors are distributed, on either side of a border alike.
    """
    kinds = {
        "boxed": (known.off_m[known.boxed], known.size_m[known.boxed]),
        "unboxed": (
            np.concatenate([blind.off_m[~blind.boxed] for blind in withheld]),
            np.concatenate([blind.size_m[~blind.boxed] for blind in withheld]),
        ),
    }
    parts, borders = [], dict[str, BorderDistances]()
    for name, (off_m, size_m) in kinds.items():
        share = off_m / size_m
        p90 = float(np.percentile(share, 90))
        borders[name] = {**_describe(off_m), "p90_of_box_size": round(p90, 3)}
        parts.append(share / p90)
    together = np.concatenate(parts)
    right = [blind.right for blind in withheld]
    return {
        **_describe(known.off_m),
        "land_in_right_county": round(known.right, 4),
        "land_in_right_county_a_third_of_boxes_withheld": round(float(np.mean(right)), 4),
        "boxed": borders["boxed"],
        "unboxed": borders["unboxed"],
        "quantiles": {str(share): round(float(np.quantile(together, share)), 3) for share in _SHARES},
    }


def _describe(off_m: Floats) -> Distances:
    median, p90 = np.percentile(off_m, [50, 90])
    return {"median_m": round(float(median)), "p90_m": round(float(p90)), "points": len(off_m)}


def compare_lines(lines: BaseGeometry, others: BaseGeometry) -> Distances:
    """Return how far, metres, places on `lines` lie from `others`, both on the plane."""
    return _describe(np.asarray(shapely.distance(shapely.points(_sample(lines)), others)))


def list_edges(
    towns: Sequence[Town],
    shapes: Mapping[str, BaseGeometry],
    neighbours: Mapping[str, BaseGeometry],
    divisions: Mapping[str, Division],
    measured: Quality,
) -> list[EdgeAccuracy]:
    """Return each stretch of edge of a town with its length and accuracy, metres.

    `shapes` are lon/lat by town code, `neighbours` by id. A stretch lies between two towns, between a town
    and a neighbouring county, or on the coast (``sea``). Between two towns of one county the accuracy is what
    the blind check found for the like: a share of the size of their boxes.
    """
    sizes, boxed = {}, {}
    for division in divisions.values():
        for unit, size in zip(division.units, division.claims.sizes, strict=True):
            sizes[unit.code], boxed[unit.code] = float(size), unit.boxed
    pieces = {town.id: shapes[town.code] for town in towns} | dict(neighbours)
    ids, by_id = list(pieces), {town.id: town for town in towns}
    tree = shapely.STRtree(list(pieces.values()))
    left = {town.id: crs.measure_line_m(pieces[town.id].boundary) for town in towns}
    border_m, coast_m = measured["digitised"]["p90_m"], measured["coast"]["p90_m"]
    blind = measured["reconstructed"]
    rows = []
    for town in towns:
        for index in sorted(tree.query(pieces[town.id], predicate="touches")):
            other = by_id.get(ids[index])
            if other is not None and other.code < town.code:
                continue
            length_m = crs.measure_line_m(
                shapely.intersection(pieces[town.id].boundary, pieces[ids[index]].boundary)
            )
            if length_m < 1:
                continue
            accuracy_m: float = border_m
            if other is not None and other.county == town.county:
                figures = blind["boxed" if boxed[town.code] and boxed[other.code] else "unboxed"]
                share = figures["p90_of_box_size"]
                accuracy_m = max(share * (sizes[town.code] + sizes[other.code]) / 2, border_m)
            rows.append(_row(town.id, ids[index], length_m, accuracy_m))
            left[town.id] -= length_m
            if other is not None:
                left[other.id] -= length_m
    rows.extend(_row(town, SEA, length_m, coast_m) for town, length_m in left.items() if length_m > _SAMPLE_M)
    return sorted(rows, key=lambda row: tuple(row["between"]))


def _row(town: str, other: str, length_m: float, accuracy_m: float) -> EdgeAccuracy:
    return {"between": [town, other], "length_m": round(length_m), "accuracy_m": round(accuracy_m)}


def compare_areas(
    areas: Sequence[OfficialArea], towns: Sequence[Town], shapes: Mapping[str, BaseGeometry]
) -> list[AreaComparison]:
    """Compare every place that is made of towns with its chosen official area."""
    rows: list[AreaComparison] = []
    for area in areas:
        members = [town for town in towns if area.of in (CITY, town.county, town.zone, town.code)]
        if area.chosen and members:
            km2 = crs.measure_area_km2(shapely.union_all([shapes[town.code] for town in members]))
            rows.append(
                {
                    "of": area.of,
                    "official_km2": area.area_km2,
                    "area_km2": round(km2, 2),
                    "difference_percent": round((km2 / area.area_km2 - 1) * 100, 2) + 0.0,  # no negative zero
                    "solved": area.solved,
                }
            )
    return rows


def find_strays(towns: Sequence[Town], shapes: Mapping[str, BaseGeometry]) -> dict[str, int]:
    """Return how far, metres, each seat lies outside its own town, where it does."""
    far = {
        town.code: crs.measure_distance_m(shapely.Point(town.seat.lon, town.seat.lat), shapes[town.code])
        for town in towns
    }
    return {code: round(distance_m) for code, distance_m in sorted(far.items()) if distance_m > 0}
