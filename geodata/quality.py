"""Measure how far the boundaries can be trusted; the figures go into ``datapackage.json``.

Three questions are asked. How far off would the known county borders be if they were rebuilt from
the seats alone, as the town borders are? How far apart are two editions of the division data? And
how near do the areas come to the official ones?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.crs import Floats
from geodata.land import CITY, build_borders
from geodata.packages import read_districts
from geodata.partition import build_cells, build_frame
from geodata.read import Facts

if TYPE_CHECKING:
    from geodata.rebuild import Build

Points = NDArray[Any]


def measure(facts: Facts, recipe: Mapping[str, Any], build: Build) -> dict[str, Any]:
    """Return all measured figures of one rebuild, ready for JSON."""
    outlines = {district.code: district.outline for district in build.districts}
    spacing_m = float(recipe["sample_m"])
    own = {code: outlines[code] for code in build.divisions}
    inner = _to_plane(shapely.union_all(build_borders(own)), build.frame)
    others = [other for other in read_districts(tuple(recipe["window"]), "amap") if other.code in own]
    edges = _to_plane(shapely.union_all([other.outline.boundary for other in others]), build.frame)
    return {
        "coast": dict(recipe["coast"]),
        "digitised": _compare(_sample(inner, spacing_m), edges),
        "reconstructed": _measure_method(build, inner, spacing_m),
        "areas": _measure_areas(facts, build),
        "weights_km2": _list_weights(build),
        "seats_outside_own_town": _find_strays(facts, build),
    }


def _to_plane(shape: BaseGeometry, frame: str) -> BaseGeometry:
    return crs.transform_geometry(shape, crs.LONLAT, frame)


def _sample(lines: BaseGeometry, spacing_m: float) -> Points:
    return np.asarray(shapely.points(shapely.get_coordinates(shapely.segmentize(lines, spacing_m))))


def _summarise(values: Floats, digits: int = 0) -> tuple[float, float]:
    median, p90 = np.percentile(values, [50, 90])
    return round(float(median), digits), round(float(p90), digits)


def _compare(points: Points, lines: BaseGeometry) -> dict[str, float]:
    median, p90 = _summarise(shapely.distance(points, lines))
    return {"median_m": median, "p90_m": p90, "points": len(points)}


def _measure_method(build: Build, borders: BaseGeometry, spacing_m: float) -> dict[str, float]:
    """Rebuild the county borders from the unweighted seats and compare both ways with the real ones.

    How far a border is off grows with the distance between the two seats that it lies between, so
    the distances are also given as shares of that.
    """
    seats = [(code, point) for code, division in build.divisions.items() for point in division.seats.points]
    points, owners = np.array([point for _, point in seats]), np.array([code for code, _ in seats])
    land = _to_plane(shapely.coverage_union_all(list(build.towns.values())), build.frame)
    cells = np.array(build_cells(points, np.zeros(len(points)), build_frame(land)))
    rebuilt = {code: shapely.union_all(cells[owners == code]) for code in build.divisions}
    drawn = shapely.intersection(shapely.union_all(_shared_edges(list(rebuilt.values()))), land)
    there, back = _sample(drawn, spacing_m), _sample(borders, spacing_m)
    off = np.concatenate([shapely.distance(there, borders), shapely.distance(back, drawn)])
    gaps = _measure_gaps(shapely.get_coordinates(np.concatenate([there, back])), points, owners)
    counties = {code: _to_plane(shape, build.frame) for code, shape in _build_counties(build).items()}
    right = sum(shapely.intersection(rebuilt[code], counties[code]).area for code in rebuilt)
    (median, p90), (median_share, p90_share) = _summarise(off), _summarise(off / gaps, 3)
    return {
        "median_m": median,
        "p90_m": p90,
        "median_of_seat_distance": median_share,
        "p90_of_seat_distance": p90_share,
        "points": len(off),
        "area_in_right_county": round(right / land.area, 4),
    }


def _measure_gaps(places: Floats, points: Floats, owners: Points) -> Floats:
    """Return the distance, metres, between the nearest seats of the two nearest counties of each place."""
    far = np.linalg.norm(places[:, None, :] - points[None, :, :], axis=2)
    nearest = far.argmin(axis=1)
    rival = np.where(owners[None, :] == owners[nearest][:, None], np.inf, far).argmin(axis=1)
    return np.asarray(np.linalg.norm(points[nearest] - points[rival], axis=1))


def _shared_edges(shapes: Sequence[BaseGeometry]) -> list[BaseGeometry]:
    return [
        shapely.intersection(first.boundary, second.boundary)
        for index, first in enumerate(shapes)
        for second in shapes[index + 1 :]
    ]


def _build_counties(build: Build) -> dict[str, BaseGeometry]:
    return {
        county: shapely.union_all([build.towns[code] for code in division.seats.codes])
        for county, division in build.divisions.items()
    }


def _measure_areas(facts: Facts, build: Build) -> list[dict[str, Any]]:
    """Compare every place that is made of towns with its chosen official area."""
    rows = []
    for area in facts.official_areas:
        members = [
            town for town in facts.towns.values() if area.of in (CITY, town.county, town.zone, town.code)
        ]
        if area.chosen and members:
            km2 = crs.measure_area_km2(shapely.union_all([build.towns[town.code] for town in members]))
            rows.append(
                {
                    "of": area.of,
                    "official_km2": area.area_km2,
                    "area_km2": round(km2, 2),
                    "difference_percent": round((km2 / area.area_km2 - 1) * 100, 2) + 0.0,  # no negative zero
                }
            )
    return rows


def _list_weights(build: Build) -> dict[str, float]:
    """Return the solved weights that are not zero, by town code, km²."""
    return {
        code: round(float(weight) / 1e6, 3)
        for division in build.divisions.values()
        for code, weight in zip(division.seats.codes, division.weights_m2, strict=True)
        if weight
    }


def _find_strays(facts: Facts, build: Build) -> dict[str, int]:
    """Return how far, metres, each seat lies outside its own town, where it does."""
    strays = {}
    for town in sorted(facts.towns.values(), key=lambda town: town.code):
        seat = shapely.Point(town.seat.lon, town.seat.lat)
        distance = crs.measure_distance_m(seat, build.towns[town.code])
        if distance > 0:
            strays[town.code] = round(distance)
    return strays
