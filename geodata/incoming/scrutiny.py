"""Check polygons that are to be imported: by themselves, and against what is there."""

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
from geodata.incoming.flaw import to_reasons
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.intake import Incoming
from geodata.incoming.planar import METRES_PER_DEG, is_narrow, to_plane, to_polygons
from geodata.incoming.titles import NOTHING, Titles, Words, phrase, word
from geodata.land import SEA
from geodata.shapes import Shape

MAX_PLACE_VERTICES: Final = 200_000
_NOTABLE_PERCENT: Final = 10.0
_WRONG_PERCENT: Final = 100.0  # twice the published area, or none of it
_HALF_PERCENT: Final = -50.0
_ELSEWHERE_PERCENT: Final = 30.0
_MOST: Final = 0.5  # of a polygon
_FRAGMENT_M: Final = 20.0  # what is wider may be an island
_SMALL_DEG2: Final = 1e-4  # about 1 km²: a larger part is not looked at
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


def repair(row: Incoming, place: str, *, fix: bool) -> tuple[BaseGeometry, Finding | None]:
    """Return the polygon, repaired if it has to be and may be, and what to say about it.

    The area before is that of the rings as they are drawn, as a GIS measures it: what lies under two
    parts counts twice, and the halves of a bow-tie cancel each other.
    """
    geometry, path = row.geometry or shapely.Polygon(), row.path
    if geometry.is_valid and row.flaw is None:
        return geometry, None
    reason = to_reasons(row.flaw or shapely.is_valid_reason(geometry))
    if not fix:
        return geometry, find("invalid-ring", path, place, reason=reason)
    mended = to_polygons(shapely.make_valid(geometry, method="structure", keep_collapsed=False))
    if mended.is_empty:
        return geometry, find("invalid-ring", path, place, reason=reason)
    before, after = crs.measure_area_km2(geometry), crs.measure_area_km2(mended)
    return mended, find(
        "repaired-ring", path, place, reason=reason, before=f"{before:.4f}", after=f"{after:.4f}"
    )


def check_repeated(rows: Iterable[Incoming], place: str) -> Iterator[Finding]:
    """Yield the first of the features that hold a geometry another one of them holds too."""
    alike: dict[bytes, list[str]] = {}
    for row in rows:
        geometry = shapely.normalize(row.geometry or shapely.Polygon())
        alike.setdefault(geometry.wkb, []).append(row.path)
    for paths in alike.values():
        if len(paths) > 1:
            yield find("repeated-feature", paths[1], place, count=len(paths), first=paths[0])


def check_standing(standing: Standing, fresh: Iterable[ImportedBoundary]) -> Iterator[Finding]:
    """Yield what is wrong with the `fresh` polygons beside the others."""
    fresh = list(fresh)
    for record in fresh:
        path = record.file_name
        yield from _check_area(record, path, standing.shapes[record.of])
        yield from _check_place(record, path, standing)
        yield from check_parents(record, path, standing)
        yield from _check_parts(record, path)
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
            if abs(percent) > _NOTABLE_PERCENT and abs(percent) > abs(was):
                values = {"area": f"{shape.area_km2:.2f}", "official": f"{official_km2:g}"}
                by = ", ".join(shape.adjusted_by)
                place = titles.of(name)
                yield find("neighbour-area", by, name, **values, place=place, percent=f"{percent:+.1f}")


def _related(one: str, other: str, members: Members) -> bool:
    return one in {other, *members.above(other)} or other in members.above(one)


def _check_area(record: ImportedBoundary, path: str, shape: Shape) -> Iterator[Finding]:
    official_km2 = shape.official_area_km2
    if official_km2 is None:
        return
    area_km2 = crs.measure_area_km2(record.polygon())
    percent = 100 * (area_km2 / official_km2 - 1)
    values = {"area": f"{area_km2:.2f}", "official": f"{official_km2:g}", "percent": f"{percent:+.1f}"}
    if percent > _WRONG_PERCENT or percent < _HALF_PERCENT:
        yield find("area-far", path, record.of, **values)
    elif abs(percent) > _NOTABLE_PERCENT:
        yield find("area-differs", path, record.of, **values)


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


def _check_parts(record: ImportedBoundary, path: str) -> Iterator[Finding]:
    """Yield that a polygon has parts or holes that are narrower than it is accurate, and not 20 m wide."""
    width_m = min(2 * record.accuracy_m, _FRAGMENT_M)
    parts = shapely.get_parts(record.polygon())
    small = [part for part in parts if len(parts) > 1 and _is_fragment(part, width_m)]
    holes = [shapely.Polygon(ring) for part in parts for ring in part.interiors]
    gaps = [hole for hole in holes if _is_fragment(hole, width_m)]
    if small or gaps:
        area = sum(crs.measure_area_km2(part) for part in (*small, *gaps)) * 1e6
        at = (small or gaps)[0].representative_point()
        values = {"parts": len(small), "gaps": len(gaps), "width": f"{width_m:g}", "area": f"{area:,.0f}"}
        yield find("fragments", path, record.of, **values, at=f"({at.x:.5f}, {at.y:.5f})")


def _is_fragment(part: BaseGeometry, width_m: float) -> bool:
    return part.area < _SMALL_DEG2 and is_narrow(part, width_m)


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
