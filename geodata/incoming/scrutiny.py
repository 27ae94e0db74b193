"""Check polygons that are to be imported against what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.adjust import Adjusted, Members
from geodata.incoming.exchange import LEAST_KM2
from geodata.incoming.finding import Finding, find
from geodata.incoming.holders import check_parents
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.planar import is_narrow, to_polygons
from geodata.incoming.polygon_checks import NOTABLE_PERCENT, check_area, check_fragments
from geodata.incoming.standing import Standing
from geodata.incoming.titles import NOTHING, Titles, Words, phrase, word
from geodata.shapes import Shape

_ELSEWHERE_PERCENT: Final = 30.0
_MOST: Final = 0.5  # of a polygon
_NOTABLE_SHARE: Final = 0.5  # of a neighbour's land before, kept: less is told
_LEAST_SHARE: Final = 0.1  # less is another place's polygon, or a neighbour that has to come in first
Pieces = Mapping[str, BaseGeometry]


def check_standing(standing: Standing, fresh: Iterable[ImportedBoundary]) -> Iterator[Finding]:
    """Yield what is wrong with the `fresh` polygons beside the others."""
    fresh = list(fresh)
    for record in fresh:
        path = record.file_name
        yield from check_area(record, standing.shapes[record.of])
        yield from _check_place(record, path, standing)
        yield from check_parents(record, path, standing)
        yield from check_fragments(record)
    seen: set[frozenset[str]] = set()
    for record in fresh:
        for other in standing.records.values():
            pair = frozenset([record.of, other.of])
            if len(pair) > 1 and pair not in seen and not _related(record.of, other.of, standing.members):
                seen.add(pair)
                yield from _check_overlap(record, other, standing)


def check_outcome(before: Pieces, adjusted: Adjusted, titles: Titles) -> Iterator[Finding]:
    """Yield what the rule of :mod:`geodata.incoming.adjust` could not do; `before` are the pieces before."""
    for town in titles.facts.towns:
        if adjusted.pieces[town].is_empty:
            shares = {
                place: shapely.intersection(shape, before[town]).area
                for place, shape in adjusted.placed.items()
            }
            taker = max(shares, key=lambda place: shares[place])
            path = adjusted.imports[taker].file_name
            yield find("town-without-land", path, taker, town=titles.of(town), place=titles.of(taker))
    for place, orphan in adjusted.orphans.items():
        area_km2 = crs.measure_area_km2(orphan)
        if area_km2 > LEAST_KM2 and not is_narrow(orphan, 2 * adjusted.imports[place].accuracy_m):
            path = adjusted.imports[place].file_name
            yield find("land-without-owner", path, place, area=f"{area_km2:.3f}")


def check_neighbours(
    before: Mapping[str, Shape], after: Mapping[str, Shape], imported: Collection[str], members: Members
) -> Iterator[Finding]:
    """Yield the places that the rule leaves with hardly any land, or far from their published area."""
    titles = Titles(members.facts)
    for name, shape in after.items():
        if name in imported or not shape.adjusted_by:
            continue
        if members.of(name):
            yield from _check_left(before[name], shape, imported, members)
        official_km2 = shape.official_area_km2
        if official_km2:
            percent = 100 * (shape.area_km2 / official_km2 - 1)
            was = 100 * (before[name].area_km2 / official_km2 - 1)
            if abs(percent) > NOTABLE_PERCENT and abs(percent) > abs(was):
                values = {"area": f"{shape.area_km2:.2f}", "official": f"{official_km2:g}"}
                by = ", ".join(shape.adjusted_by)
                place = titles.of(name)
                yield find("neighbour-area", by, name, **values, place=place, percent=f"{percent:+.1f}")


def _check_left(
    before: Shape, after: Shape, imported: Collection[str], members: Members
) -> Iterator[Finding]:
    """Yield that a place keeps hardly any land; no error within an imported place, which is divided anew."""
    share = after.area_km2 / before.area_km2 if before.area_km2 else 1.0
    if share > _NOTABLE_SHARE:
        return
    within = any(one in imported for one in members.above(after.id))
    code = "neighbour-shrinks" if within or share > _LEAST_SHARE else "neighbour-without-land"
    titles, by = Titles(members.facts), ", ".join(after.adjusted_by)
    values = {
        "place": titles.of(after.id),
        "before": f"{before.area_km2:.2f}",
        "after": f"{after.area_km2:.2f}",
    }
    yield find(code, by, after.id, **values, by=titles.join(after.adjusted_by))


def _related(one: str, other: str, members: Members) -> bool:
    return one in {other, *members.above(other)} or other in members.above(one)


def _check_place(record: ImportedBoundary, path: str, standing: Standing) -> Iterator[Finding]:
    shape = standing.shapes[record.of]
    polygon = record.polygon()
    reach = shapely.buffer(shape.geometry, shape.accuracy_m / 111_000)
    percent = 100 * shapely.intersection(polygon, reach).area / polygon.area
    if percent < _ELSEWHERE_PERCENT:
        values = {"place": standing.titles.of(record.of), "percent": f"{percent:.0f}"}
        yield find("elsewhere", path, record.of, **values, instead=_say_where(record, polygon, standing))


def _say_where(record: ImportedBoundary, polygon: BaseGeometry, standing: Standing) -> Words:
    """Return which place of the same layer holds most of a polygon, where one does."""
    facts = standing.members.facts
    rows = facts.towns if record.layer == "towns" else facts.zones
    names = [one.id for one in rows.values() if getattr(one, "layer", "towns") == record.layer]
    shares = {
        name: shapely.intersection(standing.shapes[name].geometry, polygon).area / polygon.area
        for name in names
        if name in standing.shapes and standing.shapes[name].geometry.intersects(polygon)
    }
    best = max(shares, key=lambda name: shares[name], default=None)
    if best is None or shares[best] < _MOST:
        return NOTHING
    return phrase("lies_in", percent=f"{shares[best]:.0%}", place=standing.titles.of(best))


def _check_overlap(
    record: ImportedBoundary, other: ImportedBoundary, standing: Standing
) -> Iterator[Finding]:
    both = to_polygons(shapely.intersection(record.polygon(), other.polygon()))
    area_km2 = crs.measure_area_km2(both)
    if area_km2 < LEAST_KM2:
        return
    width_m = record.accuracy_m + other.accuracy_m
    method = word("method", other.method)
    values = {"other": standing.titles.of(other.of), "method": method, "area": f"{area_km2:.3f}"}
    if not (standing.members.of(record.of) and standing.members.of(other.of)):
        yield find("on-top", record.file_name, record.of, **values)
    elif is_narrow(both, width_m):
        yield find("overlap-sliver", record.file_name, record.of, **values)
    else:
        yield find("overlap", record.file_name, record.of, **values, width=round(width_m))
