"""Fit imported boundaries into the base geometry; one rule decides what that does to the other places.

**The rule.** An imported polygon in force is never altered. Land inside it belongs to its place; land that
its place had outside it goes to the nearest town of the same county (of the same imported parent, where
there is one) that is not covered by another import. Towns, the units everything is made of, carry the
change: so every land point keeps exactly one town and one county, and the areas made of them follow.

In detail:

- A new polygon is reconciled with those in force before it is recorded (:func:`reconcile`): it is cut to an
  imported parent, loses what it shares with an import beside it, and grows to contain the imports within
  it. The checks let only slivers through, no wider than the accuracies of the two together; two drawings
  of one line may be off by that much, to opposite sides. What would take more from a polygon in force is
  refused.
- Order: counties, zones, towns, then places that are not made of towns; earlier before later. As recorded
  polygons are reconciled, the order alters none of them.
- A place not made of towns (a park, a bonded zone) lies on top; its parent grows to contain it, except
  for land that another import covers.
- The edge of an import replaces the coast and the county line where they are no farther apart than those
  are accurate: the strip between them becomes sea, or land of the neighbour across the line. It never
  goes to a zone or town that only happens to be the nearest.
- Nobody gets a new detached part that is narrower than that; islands that an import leaves out go to
  the nearest town.
- Coordinates are rounded to 1e-7 degrees (1 cm), as everywhere in the product. Where other lines end on
  an imported edge, towns have a vertex more there, within that rounding; the imported polygon has not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.boundaries import Boundaries, GeoJsonFeature, Quality, parse_geometry
from geodata.boundary_import.reallocate import Assignment, reallocate
from geodata.imported import Adjusted, ImportedBoundary, Members, keep_latest
from geodata.kinds import CITY
from geodata.planar import (
    GRID_DEG,
    is_moved,
    is_narrow,
    round_to_grid,
    subtract,
    to_polygons,
    unite,
)
from geodata.read import Facts

_CONNECTION_WIDTH_M: Final = 0.05  # as wide as nothing but rounding is
_LEVELS: Final = ("counties", "zones", "towns")
_ON_TOP: Final = len(_LEVELS)


def add_sources(facts: Facts, records: Iterable[ImportedBoundary]) -> Facts:
    """Return the facts with the sources of all imports in force."""
    found = {record.source_id: record.to_source() for record in keep_latest(records).values()}
    return replace(facts, sources={**facts.sources, **found})


def measure_known_accuracy_m(quality: Quality) -> float:
    """Return the accuracy of digitised edges: the worse of inland borders and coast."""
    return float(max(quality["digitised"]["p90_m"], quality["coast"]["p90_m"]))


def apply_imports(facts: Facts, boundaries: Boundaries, records: Iterable[ImportedBoundary]) -> Adjusted:
    """Return the base geometry with the imports that are in force.

    `boundaries` is what :func:`geodata.read.read_boundaries` gives.
    """
    members = Members(facts)
    adjusted = Adjusted(_read_pieces(boundaries))
    edge_m = measure_known_accuracy_m(boundaries["datapackage"]["quality"])
    for record in sorted(keep_latest(records).values(), key=lambda one: _sort_key(one, members)):
        _apply_record(record, adjusted, members, edge_m)
    return adjusted


def to_boundaries(boundaries: Boundaries, adjusted: Adjusted) -> Boundaries:
    """Return `boundaries` with the adjusted geometry, and the imports under ``adjusted``."""
    if not adjusted.imports:
        return boundaries
    towns = [
        _replace_geometry(feature, adjusted.pieces[feature["id"]])
        for feature in boundaries["towns"]["features"]
    ]
    own = shapely.coverage_union_all([adjusted.pieces[feature["id"]] for feature in towns])
    pieces = {**adjusted.pieces, CITY: own}
    land = [_replace_geometry(feature, pieces[feature["id"]]) for feature in boundaries["land"]["features"]]
    return {
        **boundaries,
        "towns": {**boundaries["towns"], "features": towns},
        "land": {**boundaries["land"], "features": land},
        "adjusted": adjusted,
    }


def _read_pieces(boundaries: Boundaries) -> dict[str, BaseGeometry]:
    features = [*boundaries["towns"]["features"], *boundaries["land"]["features"]]
    return {feature["id"]: parse_geometry(feature) for feature in features if feature["id"] != CITY}


def _replace_geometry(feature: GeoJsonFeature, geometry: BaseGeometry) -> GeoJsonFeature:
    return {**feature, "geometry": json.loads(shapely.to_geojson(geometry))}


def _sort_key(record: ImportedBoundary, members: Members) -> tuple[int, str, str]:
    level = _LEVELS.index(record.layer) if members.of(record.of) else _ON_TOP
    return level, record.when.isoformat(), record.of


def reconcile(
    new: Iterable[ImportedBoundary], placed: Mapping[str, BaseGeometry], members: Members
) -> dict[str, BaseGeometry]:
    """Return by place the polygons of `new`, lon/lat, agreeing with those `placed` and with each other.

    `placed` may hold earlier polygons of the same places, which do not count.
    """
    records = keep_latest(new)
    around = {place: shape for place, shape in placed.items() if place not in records}
    for record in sorted(records.values(), key=lambda one: _sort_key(one, members)):
        around[record.of] = _conform(record, around, members)
    return {place: around[place] for place in records}


def _conform(record: ImportedBoundary, placed: Mapping[str, BaseGeometry], members: Members) -> BaseGeometry:
    place, area = record.of, to_polygons(round_to_grid(record.polygon))
    above = list(members.above(place))
    imported_parent = next((placed[one] for one in above if one in placed), None)
    if not members.of(place):
        return conform(area, imported_parent, (), ())
    within = [one for one in placed if place in members.above(one)]
    beside = [one for one in placed if members.of(one) and one not in {place, *above, *within}]
    return conform(area, imported_parent, [placed[one] for one in beside], [placed[one] for one in within])


def _apply_record(record: ImportedBoundary, adjusted: Adjusted, members: Members, edge_m: float) -> None:
    place, area = record.of, _conform(record, adjusted.placed, members)
    before = dict(adjusted.pieces)
    assignment = _build_assignment(place, area, adjusted, members, edge_m)
    if assignment is not None:
        outcome = reallocate(adjusted.pieces, assignment)
        adjusted.pieces, adjusted.unassigned[place] = outcome.pieces, outcome.unassigned
    adjusted.imports[place], adjusted.placed[place] = record, area
    _record_moves(place, before, adjusted, members)


def _build_assignment(
    place: str, area: BaseGeometry, adjusted: Adjusted, members: Members, edge_m: float
) -> Assignment | None:
    """Return what the import assigns; None where it lies on top and its parent contains it already."""
    fixed = _list_fixed_towns(place, adjusted, members)
    own = members.of(place)
    if own:
        seats = {one: members.facts.towns[one].seat for one in own}
        points = {one: shapely.Point(seat.lon, seat.lat) for one, seat in seats.items()}
        recipients = _list_recipients(place, adjusted, members) - fixed
        if any(one in adjusted.placed for one in members.above(place)):  # its outer border is settled
            return Assignment(area, own, recipients, seats=points)
        beyond = frozenset(adjusted.pieces) - members.of(members.county(place)) - recipients - fixed
        return Assignment(area, own, recipients, edge_m, beyond, points)
    parent = next((one for one in members.above(place) if members.of(one)), None)
    own = members.of(parent) - fixed if parent else frozenset()
    old = unite(adjusted.pieces[one] for one in own)
    taken = unite(adjusted.pieces[one] for one in fixed)
    free = subtract(area, shapely.union(taken, old))
    more = [
        part
        for part in shapely.get_parts(free)  # without what only another import's land would connect
        if not is_narrow(part, _CONNECTION_WIDTH_M)
        and (part.distance(old) < GRID_DEG or not part.intersects(taken))
    ]
    if not own or not more:
        return None
    return Assignment(round_to_grid(shapely.union_all([*more, old])), own, frozenset())


def _list_fixed_towns(place: str, adjusted: Adjusted, members: Members) -> frozenset[str]:
    """Return the towns covered by another import, whose land cannot change for `place`."""
    above = {place, *members.above(place)}
    return frozenset().union(*(members.of(one) for one in adjusted.placed if one not in above))


def _list_recipients(place: str, adjusted: Adjusted, members: Members) -> frozenset[str]:
    """Return the towns, or neighbouring counties, that may get land which `place` gives up."""
    imported_parent = next(
        (one for one in members.above(place) if one in adjusted.placed), members.county(place)
    )
    room = frozenset(adjusted.pieces) if imported_parent == place else members.of(imported_parent)
    return room - members.of(place)


def _record_moves(
    place: str, before: Mapping[str, BaseGeometry], adjusted: Adjusted, members: Members
) -> None:
    """Note every town, zone, county and the city whose outline the import moved, but for its own place."""
    after = adjusted.pieces
    changed = {one for one, shape in before.items() if is_moved(shape, after[one])}
    for one, towns in members.towns.items():
        if (
            one != place
            and towns & changed
            and is_moved(_union_pieces(before, towns), _union_pieces(after, towns))
        ):
            adjusted.moved[one] = (*adjusted.moved.get(one, ()), place)


def _union_pieces(pieces: Mapping[str, BaseGeometry], names: Iterable[str]) -> BaseGeometry:
    return shapely.coverage_union_all([pieces[name] for name in sorted(names)])


_ROUNDING_WIDTH_M: Final = 0.03  # lines rounded to the grid on either side are no farther apart


def conform(
    area: BaseGeometry,
    imported_parent: BaseGeometry | None,
    beside: Sequence[BaseGeometry],
    within: Sequence[BaseGeometry],
) -> BaseGeometry:
    """Return `area` cut to `imported_parent`, without what is `beside` it, and with what lies `within` it.

    It comes back as it is where it differs by rounding only: cutting would put vertices into its edges.
    """
    if imported_parent is not None and _exceeds(area, imported_parent):
        area = to_polygons(round_to_grid(shapely.intersection(area, imported_parent)))
    others = unite(beside)
    if not is_narrow(to_polygons(shapely.intersection(area, others)), _ROUNDING_WIDTH_M):
        area = subtract(area, others)
    if _exceeds(unite(within), area):
        area = to_polygons(round_to_grid(shapely.union_all([area, *within])))
    return area


def _exceeds(shape: BaseGeometry, room: BaseGeometry) -> bool:
    """Tell whether `shape` reaches out of `room` by more than rounding."""
    return not is_narrow(to_polygons(shapely.difference(shape, room)), _ROUNDING_WIDTH_M)
