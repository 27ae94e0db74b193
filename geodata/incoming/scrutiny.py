"""Check polygons that are to be imported against what is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.adjust import Adjusted, Members
from geodata.incoming.exchange import LEAST_KM2
from geodata.incoming.finding import Finding, find
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.planar import METRES_PER_DEG, is_narrow, to_plane, to_polygons
from geodata.incoming.polygon_checks import NOTABLE_PERCENT, check_area, check_fragments
from geodata.incoming.titles import NOTHING, Titles, Words, phrase, word
from geodata.land import SEA
from geodata.shapes import Shape

_ELSEWHERE_PERCENT: Final = 30.0
_MOST: Final = 0.5  # of a polygon
Pieces = Mapping[str, BaseGeometry]


@dataclass(frozen=True)
class Standing:
    """What the new polygons are compared with: the shapes before, and who made them."""

    shapes: Mapping[str, Shape]
    members: Members
    records: Mapping[str, ImportedBoundary]  # by place, with the new ones
    titles: Titles

    def accuracy_m(self, place: str) -> float:
        """Return how accurate a place's edge is."""
        record = self.records.get(place)
        return record.accuracy_m if record else self.shapes[place].accuracy_m

    def polygon(self, place: str) -> BaseGeometry:
        """Return a place's polygon, the new one where there is one."""
        record = self.records.get(place)
        return record.polygon() if record else self.shapes[place].geometry

    def holder(self, place: str) -> str | None:
        """Return the nearest place above `place` whose polygon is imported."""
        return next((one for one in self.members.above(place) if one in self.records), None)

    def method(self, place: str) -> str:
        """Return how a place's polygon was made."""
        record = self.records.get(place)
        return record.method if record else self.shapes[place].method


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


def check_parents(record: ImportedBoundary, path: str, standing: Standing) -> Iterator[Finding]:
    """Yield where a polygon reaches out of its parent, or of the next imported place above: that cuts it."""
    above = [standing.members.parent(record.of), standing.holder(record.of)]
    for parent in dict.fromkeys(one for one in above if one is not None):
        yield from _check_parent(record, path, standing, parent)


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
    before: Mapping[str, Shape], after: Mapping[str, Shape], imported: Collection[str], titles: Titles
) -> Iterator[Finding]:
    """Yield the places that the rule leaves with an area far from their published one."""
    for name, shape in after.items():
        official_km2 = shape.official_area_km2
        if official_km2 and name not in imported and shape.adjusted_by:
            percent = 100 * (shape.area_km2 / official_km2 - 1)
            was = 100 * (before[name].area_km2 / official_km2 - 1)
            if abs(percent) > NOTABLE_PERCENT and abs(percent) > abs(was):
                values = {"area": f"{shape.area_km2:.2f}", "official": f"{official_km2:g}"}
                by = ", ".join(shape.adjusted_by)
                place = titles.of(name)
                yield find("neighbour-area", by, name, **values, place=place, percent=f"{percent:+.1f}")


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


def _check_detached(
    record: ImportedBoundary, parent: str, width_m: float, standing: Standing
) -> Iterator[Finding]:
    """Yield the parts far from the parent: an island that is not known here, or an error of drawing."""
    room, counties = standing.polygon(parent), set(standing.members.counties())
    near = shapely.buffer(to_plane(room), width_m / METRES_PER_DEG)
    far = [part for part in shapely.get_parts(record.polygon()) if not to_plane(part).intersects(near)]
    on_land = {
        county: [part for part in far if part.intersects(standing.shapes[county].geometry)]
        for county in sorted(counties - {standing.members.county(record.of)})
    }
    held = {county: parts for county, parts in on_land.items() if parts}
    lost = [part for parts in held.values() for part in parts]
    at_sea = [part for part in far if not any(part is one for one in lost)]
    places = [
        ("part-in-another-county", lost, standing.titles.join(held)),
        ("detached-part", at_sea, standing.titles.of(SEA)),
    ]
    for code, parts, where in places:
        if parts:
            area = f"{sum(map(crs.measure_area_km2, parts)) * 1e6:,.0f}"
            at = parts[0].representative_point()
            values = {"count": len(parts), "area": area, "where": where, "width": round(width_m)}
            values |= {"parent": standing.titles.of(parent), "at": f"({at.x:.5f}, {at.y:.5f})"}
            yield find(code, record.file_name, record.of, **values)


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


def _check_parent(record: ImportedBoundary, path: str, standing: Standing, parent: str) -> Iterator[Finding]:
    outside = to_polygons(shapely.difference(record.polygon(), standing.polygon(parent)))
    area_km2 = crs.measure_area_km2(outside)
    if area_km2 < LEAST_KM2:
        return
    brought = parent in standing.records
    width_m = record.accuracy_m + standing.accuracy_m(parent)
    if parent == standing.members.parent(record.of):
        yield from _check_detached(record, parent, width_m, standing)
    width_m = width_m if brought else 2 * width_m  # ours are known at 90 %, and may be off to either side
    values = {"parent": standing.titles.of(parent), "area": f"{area_km2:.3f}"}
    if is_narrow(outside, width_m):
        rule = word("rule", "cut" if brought else "follows")
        yield find("outside-parent-sliver", path, record.of, **values, rule=rule)
    else:
        more = {"method": word("method", standing.method(parent)), "width": round(width_m)}
        yield find("outside-parent", path, record.of, **values, **more)


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
