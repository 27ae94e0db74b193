"""What is measured of every place for finding and comparing, and how places are ranked by it.

Distances are geodesic metres from the polygon's edge to a point, 0 where it lies inside. Each comes
with what it is worth: the polygon's and the point's accuracy together. All geometry is lon/lat.

A score is ``sum(weight * measure) / sum(weight)`` over the criteria with a weight above zero. A measure
is a number from 0 to 1, or None where nothing is known. What is not known is not zero: it leaves the
sum, and its candidate is listed apart, without a rank, because it cannot be compared in full.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import hypot
from typing import TYPE_CHECKING, Final

from geodata import crs
from geodata.city import list_criteria
from geodata.deferred import shapely
from layers.answers import WHOLE_CITY
from layers.document_types import AreaGroup, CoastMeasure, DistanceTo, MeasuresDocument
from layers.links import Link, link_place, link_point, to_words

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from geodata.model import Gateway, Platform, Zone
    from geodata.shapes import Shape
    from layers.relations import Place, Relations

CRITERIA: Final = list_criteria()  # by the name of the criterion, the layer that it is to lie in a place of
EDGE_DEG: Final = 1e-4  # about 10 m: edges this close count as one edge
EDGE_M: Final = 10
COAST_M: Final = 100  # a shorter edge with the sea does not count as coast
MANUFACTURING: Final = range(13, 44)  # divisions of GB/T 4754-2017
KINDS: Final = {"port": "seaport", "airport": "airport", "station": "railway-station"}


def build_measures(
    relations: Relations, shapes: dict[str, Shape], neighbours: list[BaseGeometry]
) -> MeasuresDocument:
    """Return, by place, how far its gateways and universities are, its coast, its groups and neighbours.

    Only zones of all layers are measured: areas are made of them.
    """
    from geodata.model import Area  # which only a build has read

    targets = _targets(relations, shapes)
    coast = _Coast(_find_coast(relations, shapes, neighbours))
    places = [row for row in relations.places.values() if not isinstance(row, Area) and row.id in shapes]
    return {
        "edge_m": EDGE_M,
        "coast_m": COAST_M,
        "places": {
            place.id: {
                "distances": {name: _nearest(shapes[place.id], rows) for name, rows in targets.items()},
                "coast": coast.measure(shapes[place.id]),
                "groups": {name: list(_groups(relations, place, layer)) for name, layer in CRITERIA.items()},
                "beside": _beside(relations, shapes, place, places),
            }
            for place in places
        },
    }


def _targets(relations: Relations, shapes: dict[str, Shape]) -> dict[str, list[tuple[Link, Shape]]]:
    """Return what a distance is measured to, by criterion; only points whose position is known."""
    facts = relations.facts
    found: dict[str, list[Gateway | Platform]] = {
        criterion: [row for row in facts.gateways.values() if row.kind == kind]
        for criterion, kind in KINDS.items()
    }
    found["university"] = [row for row in facts.platforms.values() if row.kind == "university"]
    return {
        criterion: [(link_point(row), shapes[row.id]) for row in rows if row.id in shapes]
        for criterion, rows in found.items()
    }


def _nearest(place: Shape, targets: list[tuple[Link, Shape]]) -> DistanceTo | None:
    """Return the nearest target with its distance in metres and that figure's accuracy."""
    found = [
        (crs.measure_distance_m(target.label, place.geometry), link["id"], link, target)
        for link, target in targets
    ]
    if not found:
        return None
    distance_m, _, link, target = min(found, key=lambda row: row[:2])
    accuracy_m = round(hypot(place.accuracy_m, target.accuracy_m))
    return {"distance_m": round(distance_m), "accuracy_m": accuracy_m, "to": link}


def _find_coast(
    relations: Relations, shapes: dict[str, Shape], neighbours: list[BaseGeometry]
) -> BaseGeometry:
    """Return the city's edge with the sea: its outline without the borders to neighbouring land."""
    counties = [
        shapes[zone.id].geometry for zone in relations.facts.zones.values() if zone.layer == "counties"
    ]
    inland = shapely.buffer(shapely.union_all(neighbours), EDGE_DEG)
    return shapely.difference(shapely.union_all(counties).boundary, inland)


class _Coast:
    """The city's edge with the sea, made ready for many questions."""

    def __init__(self, line: BaseGeometry) -> None:
        self.line = line
        # A line with many corners within the width of its band takes minutes to widen.
        self.band = shapely.buffer(shapely.simplify(line, EDGE_DEG / 50), EDGE_DEG)

    def measure(self, place: Shape) -> CoastMeasure:
        """Return the length of a place's edge with the sea, and whether it lies on the coast.

        ``on`` is None where the polygon is not accurate enough to say. ``sure`` is False where the
        place touches the sea, but with an edge shorter than its accuracy or an indicative outline.
        """
        shared = shapely.intersection(place.geometry.boundary, self.band)
        length_m = round(crs.measure_line_m(shared))
        on: bool | None = length_m >= COAST_M
        gap_m = 0 if on else round(crs.measure_gap_m(place.geometry, self.line))
        if not on and gap_m < place.accuracy_m:
            on = None
        sure = on is False or (bool(on) and place.method != "indicative" and length_m >= place.accuracy_m)
        accuracy_m = round(place.accuracy_m)
        return {"on": on, "sure": sure, "length_m": length_m, "gap_m": gap_m, "accuracy_m": accuracy_m}


def _groups(relations: Relations, place: Place, layer: str) -> Iterator[AreaGroup]:
    """Yield the areas of a layer that list the place, or else the place that it lies in, as a member.

    An area that covers the whole city tells no place from another, and is left out.
    """
    seen: set[str] = set()
    for holder in _with_ancestors(relations, place.id):
        for area in relations.memberships_of(holder):
            if area.layer == layer and area.extent != WHOLE_CITY and area.id not in seen:
                seen.add(area.id)
                yield {
                    **link_place(area),
                    "relation": to_words(area.relation.term),
                    "clause": area.relation.clause,
                    "through": None if holder == place.id else link_place(relations.places[holder]),
                }


def _with_ancestors(relations: Relations, place_id: str) -> Iterator[str]:
    current: str | None = place_id
    while current in relations.facts.zones:
        yield current
        current = relations.facts.zones[current].parent


def _beside(relations: Relations, shapes: dict[str, Shape], place: Place, places: list[Zone]) -> list[str]:
    """Return the places that touch one, without those that it lies in or that lie in it."""
    above = set(_with_ancestors(relations, place.id))
    others = [row for row in places if row.id not in above and row.id not in relations.inside(place.id)]
    own = shapes[place.id].geometry
    return [row.id for row in others if shapely.dwithin(own, shapes[row.id].geometry, EDGE_DEG)]


@dataclass(frozen=True)
class Measure:
    """How far a criterion is met, 0 to 1, and between which values the truth lies."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Ranked:
    """One candidate with its score; the score is exact, so that ties are ties."""

    id: str
    score: Fraction | None  # None where no criterion is known
    low: Fraction
    high: Fraction
    unknown: tuple[str, ...]
    known_weight: int
    rank: int | None = None  # shared by ties; None where a criterion is unknown
    tied: bool = False
    unclear: bool = False  # nearer to the one above than the measures are accurate


Measures = Mapping[str, Mapping[str, Measure | None]]


def rank(candidates: Measures, weights: Mapping[str, int]) -> list[Ranked]:
    """Return the candidates best first, then those of which a criterion is unknown, best first.

    `candidates` maps each id to its measure for every criterion. The order does not depend on the order
    of the input. With no weight above zero nothing is ranked: the list is empty. Raises ValueError
    for a negative weight and KeyError for a candidate without a measure for a criterion that has a weight.
    """
    if min(weights.values(), default=0) < 0:
        raise ValueError("a weight is below zero")
    counted = {criterion: weight for criterion, weight in sorted(weights.items()) if weight}
    if not counted:
        return []
    scored = sorted((_score(one, rows, counted) for one, rows in candidates.items()), key=_order)
    full = [row for row in scored if not row.unknown]
    return [*_number(full), *(row for row in scored if row.unknown)]


def _score(candidate: str, rows: Mapping[str, Measure | None], weights: Mapping[str, int]) -> Ranked:
    found = {one: rows[one] for one in weights}
    known = [(weights[one], measure) for one, measure in found.items() if measure is not None]
    total = sum(weight for weight, _ in known)
    if not total:
        return Ranked(candidate, None, Fraction(0), Fraction(1), tuple(weights), 0)
    return Ranked(
        id=candidate,
        score=sum((weight * Fraction(row.value) for weight, row in known), Fraction(0)) / total,
        low=sum((weight * Fraction(row.low) for weight, row in known), Fraction(0)) / total,
        high=sum((weight * Fraction(row.high) for weight, row in known), Fraction(0)) / total,
        unknown=tuple(one for one, measure in found.items() if measure is None),
        known_weight=total,
    )


def _order(row: Ranked) -> tuple[bool, Fraction, str]:
    return row.score is None, -(row.score or Fraction(0)), row.id


def _number(rows: Sequence[Ranked]) -> list[Ranked]:
    """Give the same rank to the same score, and mark what the accuracy cannot tell apart."""
    numbered: list[Ranked] = []
    for place, row in enumerate(rows):
        above = numbered[-1] if numbered else None
        same = above is not None and above.score == row.score
        tied = same or (place + 1 < len(rows) and rows[place + 1].score == row.score)
        number = above.rank if above is not None and same else place + 1
        unclear = above is not None and not same and row.high > above.low
        numbered.append(replace(row, rank=number, tied=tied, unclear=unclear))
    return numbered


def is_manufacturing(codes: Collection[str]) -> bool:
    """Return whether an industry has GB/T 4754 codes and all of them are of manufacturing.

    >>> is_manufacturing(["358", "277"]), is_manufacturing(["39", "65"]), is_manufacturing([])
    (True, False, False)
    """
    return bool(codes) and all(int(code[:2]) in MANUFACTURING for code in codes)


def select_service_kinds(listed: Mapping[str, Sequence[Collection[str]]]) -> set[str]:
    """Return the kinds of zones that are not made for manufacturing, as far as the plan's lists tell.

    `listed` maps each kind to the codes of every industry that is listed for zones of that kind. A kind
    is told by it only where more than half of these industries have codes, and none is of manufacturing.
    """
    return {
        kind
        for kind, industries in listed.items()
        if 2 * sum(map(bool, industries)) > len(industries)
        and not any(int(code[:2]) in MANUFACTURING for codes in industries for code in codes)
    }
