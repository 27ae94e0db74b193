"""How accurate a rebuilt polygon is, metres: from the figures measured at the rebuild.

Accuracy is the distance within which nine of ten points of the real edge are expected. The rules
are those that :mod:`geodata.shapes` lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundary_import.snap import Adjusted, Members
from geodata.ground import Town

Json = Mapping[str, Any]


def find_pairs(towns: list[Town], geometries: Mapping[str, BaseGeometry]) -> list[tuple[Town, Town]]:
    """Return the pairs of towns of one county that touch, in both orders."""
    tree = shapely.STRtree([geometries[town.id] for town in towns])
    first, second = tree.query([geometries[town.id] for town in towns], predicate="touches")
    found = [(towns[one], towns[two]) for one, two in zip(first, second, strict=True)]
    return [(one, two) for one, two in found if one.county == two.county]


def measure_rebuilt(
    pairs: Iterable[tuple[Town, Town]], quality: Json, adjusted: Adjusted, members: Members
) -> float:
    """Return the accuracy of a place from the pairs of a town inside and one outside; 0 for none."""
    share = quality["reconstructed"]["p90_of_seat_distance"]
    squares = []
    for own, other in pairs:
        known_m = _imported(own, other, adjusted, members)
        distance_m = crs.measure_length_m(_seat(own), _seat(other))
        seats = (own.seat.accuracy_m**2 + other.seat.accuracy_m**2) / 4
        squares.append(known_m**2 if known_m else (share * distance_m) ** 2 + seats)
    return float(np.sqrt(np.mean(squares))) if squares else 0.0


def _imported(own: Town, other: Town, adjusted: Adjusted, members: Members) -> float | None:
    """Return the accuracy of an imported boundary that runs between two towns, if one does."""
    for place, record in adjusted.imports.items():
        if len({own.id, other.id} & members.of(place)) == 1:
            return record.accuracy_m
    return None


def _seat(town: Town) -> shapely.Point:
    return shapely.Point(town.seat.lon, town.seat.lat)
