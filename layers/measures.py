"""What is measured of every place for finding and comparing: distances, coast, groups, neighbours.

Distances are geodesic metres from the polygon's edge to a point, 0 where it lies inside. Each comes
with what it is worth: the polygon's and the point's accuracy together. All geometry is lon/lat.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot
from typing import TYPE_CHECKING, Final

from geodata import crs
from geodata.city import list_criteria
from geodata.deferred import shapely
from layers.answers import WHOLE_CITY
from layers.document_types import AreaGroup, CoastMeasure, DistanceTo, MeasuresDocument
from layers.links import Link, link_place, link_point, to_words

if TYPE_CHECKING:  # which reads boundaries, and is large
    from shapely.geometry.base import BaseGeometry

    from geodata.model import Gateway, Platform, Zone
    from geodata.shapes import Shape
    from layers.relations import Place, Relations

CRITERIA: Final = list_criteria()  # by the name of the criterion, the layer that it is to lie in a place of
EDGE_DEG: Final = 1e-4  # about 10 m: edges this close count as one edge
EDGE_M: Final = 10
COAST_M: Final = 100  # a shorter edge with the sea does not count as coast
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
