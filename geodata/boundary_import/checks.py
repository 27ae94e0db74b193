"""Check imported polygons: their rings, parts and area, and how they fit with the other places."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundary_import.containment import Context, check_containment
from geodata.boundary_import.issues import (
    NO_TEXT,
    Issue,
    PlaceNames,
    Texts,
    build_issue,
    phrase,
    term,
    to_reasons,
)
from geodata.boundary_import.reader import SourceFeature
from geodata.imported import Adjusted, ImportedBoundary, Members
from geodata.planar import (
    GRID_DEG,
    METRES_PER_DEG,
    MIN_AREA_KM2,
    Pieces,
    find_spot,
    format_km2,
    format_point,
    from_plane,
    is_narrow,
    to_plane,
    to_polygons,
    unite,
)
from geodata.shapes import Shape

MAX_PLACE_VERTICES: Final = 200_000
NOTABLE_PERCENT: Final = 10.0  # off the published area
# Less or more than that of the published area is another place: a zone's figure may be of its core alone,
# but a county's is measured, and ours is never 7 % off.
_AREA_RANGE_PERCENT: Final = (-50.0, 100.0)
_COUNTY_AREA_RANGE_PERCENT: Final = (-20.0, 20.0)
_SAME: Final = 1 - 1e-9  # of an area: a part drawn twice is no hole
_FRAGMENT_M: Final = 20.0  # what is wider may be an island
_SMALL_DEG2: Final = 1e-4  # about 1 km²: a larger part is not looked at


def repair_polygon(row: SourceFeature, place: str, *, fix: bool) -> tuple[BaseGeometry, Issue | None]:
    """Return the polygon, repaired if it has to be and may be, and what to say about it.

    The area before is that of the rings as they are drawn, as a GIS measures it: what lies under two
    parts counts twice, and the halves of a bow-tie cancel each other.
    """
    geometry, path = row.geometry or shapely.Polygon(), row.path
    if geometry.is_valid and row.flaw is None:
        return geometry, None
    reason = to_reasons(row.flaw or shapely.is_valid_reason(geometry))
    if not fix:
        return geometry, build_issue("invalid-ring", path, place, reason=reason)
    mended = _make_valid(geometry)
    if mended.is_empty:
        return geometry, build_issue("invalid-ring", path, place, reason=reason)
    before, after = crs.measure_area_km2(geometry), crs.measure_area_km2(mended)
    return mended, build_issue(
        "repaired-ring", path, place, reason=reason, before=f"{before:.4f}", after=f"{after:.4f}"
    )


def _make_valid(geometry: BaseGeometry) -> BaseGeometry:
    """Return a valid polygon: of crossing rings what they enclose; a hole beside its ring cuts nothing."""
    mended = []
    for part in shapely.get_parts(geometry):
        shell = shapely.make_valid(shapely.Polygon(part.exterior), method="structure", keep_collapsed=False)
        holes = [ring for ring in part.interiors if shapely.Polygon(ring).buffer(0).intersects(shell)]
        whole = shapely.Polygon(part.exterior, holes)
        mended.append(shapely.make_valid(whole, method="structure", keep_collapsed=False))
    return to_polygons(_combine_nested(mended))


def _combine_nested(parts: list[BaseGeometry]) -> BaseGeometry:
    """Return the union of parts, in which one that lies wholly within another is a hole of it.

    That is how a hole comes out that was drawn in the same direction as its shell.
    """
    tree = shapely.STRtree(parts)
    inner, outer = tree.query(parts, predicate="covered_by")
    nested = {
        int(one)
        for one, other in zip(inner, outer, strict=True)
        if parts[one].area < parts[other].area * _SAME
    }
    holes = [parts[one] for one in sorted(nested)]
    whole = shapely.union_all([part for one, part in enumerate(parts) if one not in nested])
    return shapely.difference(whole, shapely.union_all(holes)) if holes else whole


def check_repeated_features(rows: Iterable[SourceFeature], place: str) -> Iterator[Issue]:
    """Yield, once for each geometry, that several features share it."""
    alike: dict[bytes, list[str]] = {}
    for row in rows:
        geometry = shapely.normalize(row.geometry or shapely.Polygon())
        alike.setdefault(geometry.wkb, []).append(row.path)
    for paths in alike.values():
        if len(paths) > 1:
            yield build_issue("repeated-feature", paths[1], place, count=len(paths), first=paths[0])


def check_area(record: ImportedBoundary, shape: Shape) -> Iterator[Issue]:
    """Yield that a polygon's area is far from the published one of its place."""
    official_km2 = shape.official_area_km2
    if official_km2 is None:
        return
    area_km2 = crs.measure_area_km2(record.polygon)
    percent = 100 * (area_km2 / official_km2 - 1)
    values = {"area": f"{area_km2:.2f}", "official": f"{official_km2:g}", "percent": f"{percent:+.1f}"}
    least, most = _COUNTY_AREA_RANGE_PERCENT if record.layer == "counties" else _AREA_RANGE_PERCENT
    if not least <= percent <= most:
        yield build_issue("area-far", record.file_name, record.of, **values)
    elif abs(percent) > NOTABLE_PERCENT:
        yield build_issue("area-differs", record.file_name, record.of, **values)


def check_fragments(record: ImportedBoundary) -> Iterator[Issue]:
    """Yield that a polygon has parts or holes that are narrower than it is accurate, and not 20 m wide."""
    width_m = min(2 * record.accuracy_m, _FRAGMENT_M)
    parts = shapely.get_parts(record.polygon)
    small = [part for part in parts if len(parts) > 1 and _is_fragment(part, width_m)]
    holes = [shapely.Polygon(ring) for part in parts for ring in part.interiors]
    gaps = [hole for hole in holes if _is_fragment(hole, width_m)]
    if small or gaps:
        area = sum(crs.measure_area_km2(part) for part in (*small, *gaps)) * 1e6
        at = (small or gaps)[0].representative_point()
        values = {"parts": len(small), "gaps": len(gaps), "width": f"{width_m:g}", "area": f"{area:,.0f}"}
        yield build_issue("fragments", record.file_name, record.of, **values, at=format_point(at))


def _is_fragment(part: BaseGeometry, width_m: float) -> bool:
    return part.area < _SMALL_DEG2 and is_narrow(part, width_m)


_MIN_OVERLAP_PERCENT: Final = 30.0
_MAX_GAP_M: Final = 500.0  # what is wider lies not between two neighbours but beside them
_TOUCHING_DEG: Final = 1e-6  # 10 cm
_MAIN_SHARE: Final = 0.5  # of a polygon
_NOTABLE_SHARE: Final = 0.5  # of its land that a neighbour keeps: less is reported
_MIN_SHARE: Final = 0.1  # less is another place's polygon, or a neighbour that has to come in first


def check_polygons(context: Context, new: Iterable[ImportedBoundary]) -> Iterator[Issue]:
    """Yield what is wrong with the `new` polygons beside the others."""
    new = list(new)
    for record in new:
        path = record.file_name
        yield from check_area(record, context.shapes[record.of])
        yield from _check_location(record, path, context)
        yield from check_containment(record, path, context)
        yield from check_fragments(record)
    seen: set[frozenset[str]] = set()
    for record in new:
        for other in context.records.values():
            pair = frozenset([record.of, other.of])
            if len(pair) > 1 and pair not in seen and not _is_nested(record.of, other.of, context.members):
                seen.add(pair)
                yield from _check_overlap(record, other, context)
                yield from _check_gap(record, other, context)


def check_outcome(before: Pieces, adjusted: Adjusted, place_names: PlaceNames) -> Iterator[Issue]:
    """Yield what the rule of :mod:`geodata.boundary_import.snap` could not do; `before`: the pieces then."""
    for town in place_names.facts.towns:
        if adjusted.pieces[town].is_empty:
            shares = {
                place: shapely.intersection(shape, before[town]).area
                for place, shape in adjusted.placed.items()
            }
            taker = max(shares, key=lambda place: shares[place])
            path = adjusted.imports[taker].file_name
            yield build_issue(
                "town-without-land", path, taker, town=place_names.of(town), place=place_names.of(taker)
            )
    for place, unassigned in adjusted.unassigned.items():
        area_km2 = crs.measure_area_km2(unassigned)
        if area_km2 > MIN_AREA_KM2 and not is_narrow(unassigned, 2 * adjusted.imports[place].accuracy_m):
            path = adjusted.imports[place].file_name
            yield build_issue(
                "land-without-owner", path, place, area=format_km2(area_km2), spot=find_spot(unassigned)
            )


def check_neighbours(
    before: Mapping[str, Shape], after: Mapping[str, Shape], imported: Collection[str], members: Members
) -> Iterator[Issue]:
    """Yield the places left with hardly any land, or far from their published area."""
    place_names = PlaceNames(members.facts)
    for name, shape in after.items():
        if name in imported or not shape.adjusted_by:
            continue
        if members.of(name):
            yield from _check_remaining(before[name], shape, imported, members)
        official_km2 = shape.official_area_km2
        was_km2 = before[name].area_km2
        if official_km2 and shape.area_km2 is not None and was_km2 is not None:
            percent = 100 * (shape.area_km2 / official_km2 - 1)
            was = 100 * (was_km2 / official_km2 - 1)
            if abs(percent) > NOTABLE_PERCENT and abs(percent) > abs(was):
                values = {"area": f"{shape.area_km2:.2f}", "official": f"{official_km2:g}"}
                by = ", ".join(shape.adjusted_by)
                place = place_names.of(name)
                yield build_issue(
                    "neighbour-area", by, name, **values, place=place, percent=f"{percent:+.1f}"
                )


def _check_remaining(
    before: Shape, after: Shape, imported: Collection[str], members: Members
) -> Iterator[Issue]:
    """Yield that hardly any land is left to a place; an error unless it lies within an imported one."""
    share = after.area_km2 / before.area_km2 if before.area_km2 and after.area_km2 is not None else 1.0
    if share > _NOTABLE_SHARE:
        return
    within = any(one in imported for one in members.above(after.id))
    code = "neighbour-shrinks" if within or share > _MIN_SHARE else "neighbour-without-land"
    place_names, by = PlaceNames(members.facts), ", ".join(after.adjusted_by)
    values = {
        "place": place_names.of(after.id),
        "before": f"{before.area_km2:.2f}",
        "after": f"{after.area_km2:.2f}",
    }
    yield build_issue(code, by, after.id, **values, by=place_names.join(after.adjusted_by))


def _is_nested(one: str, other: str, members: Members) -> bool:
    return one in {other, *members.above(other)} or other in members.above(one)


def _check_location(record: ImportedBoundary, path: str, context: Context) -> Iterator[Issue]:
    shape = context.shapes[record.of]
    polygon = record.polygon
    reach = shapely.buffer(shape.geometry, shape.accuracy_m / 111_000)
    percent = 100 * shapely.intersection(polygon, reach).area / polygon.area
    if percent < _MIN_OVERLAP_PERCENT:
        values = {"place": context.place_names.of(record.of), "percent": f"{percent:.0f}"}
        yield build_issue(
            "elsewhere", path, record.of, **values, instead=_suggest_place(record, polygon, context)
        )


def _suggest_place(record: ImportedBoundary, polygon: BaseGeometry, context: Context) -> Texts:
    """Return the place of the same layer that most of a polygon lies in, if any."""
    facts = context.members.facts
    rows = facts.towns if record.layer == "towns" else facts.zones
    names = [one.id for one in rows.values() if getattr(one, "layer", "towns") == record.layer]
    shares = {
        name: shapely.intersection(context.shapes[name].geometry, polygon).area / polygon.area
        for name in names
        if name in context.shapes and context.shapes[name].geometry.intersects(polygon)
    }
    best = max(shares, key=lambda name: shares[name], default=None)
    if best is None or shares[best] < _MAIN_SHARE:
        return NO_TEXT
    return phrase("lies_in", percent=f"{shares[best]:.0%}", place=context.place_names.of(best))


def _check_gap(record: ImportedBoundary, other: ImportedBoundary, context: Context) -> Iterator[Issue]:
    """Yield that two neighbours leave land between them that was of one of the two."""
    members, shapes = context.members, context.shapes
    if not (members.of(record.of) and members.of(other.of)):
        return
    before = [shapes[record.of].geometry, shapes[other.of].geometry]
    if before[0].distance(before[1]) > GRID_DEG:
        return
    others = [
        one.polygon
        for one in context.records.values()
        if members.of(one.of) and not _is_nested(one.of, record.of, members)
    ]
    left = shapely.difference(unite(before), unite([record.polygon, *others]))
    edges = [to_plane(one.polygon) for one in (record, other)]
    reach = [shapely.buffer(edge, _MAX_GAP_M / METRES_PER_DEG) for edge in edges]
    between = from_plane(shapely.intersection_all([to_plane(left), *reach]))
    gaps = [
        part
        for part in shapely.get_parts(to_polygons(between))
        if all(to_plane(part).distance(edge) < _TOUCHING_DEG for edge in edges)
    ]
    area_km2 = sum(map(crs.measure_area_km2, gaps))
    if area_km2 < MIN_AREA_KM2:
        return
    width_m = record.accuracy_m + other.accuracy_m
    values: dict[str, object] = {
        "other": context.place_names.of(other.of),
        "method": term("method", other.method),
    }
    values |= {
        "area": format_km2(area_km2),
        "at": format_point(max(gaps, key=lambda gap: gap.area).representative_point()),
    }
    if all(is_narrow(gap, width_m) for gap in gaps):
        yield build_issue("gap-sliver", record.file_name, record.of, **values)
    else:
        yield build_issue("gap", record.file_name, record.of, **values, width=round(width_m))


def _check_overlap(record: ImportedBoundary, other: ImportedBoundary, context: Context) -> Iterator[Issue]:
    both = to_polygons(shapely.intersection(record.polygon, other.polygon))
    area_km2 = crs.measure_area_km2(both)
    if area_km2 < MIN_AREA_KM2:
        return
    width_m = record.accuracy_m + other.accuracy_m
    method = term("method", other.method)
    values: dict[str, object] = {"other": context.place_names.of(other.of), "method": method}
    values |= {"area": format_km2(area_km2), "spot": find_spot(both)}
    if not (context.members.of(record.of) and context.members.of(other.of)):
        yield build_issue("on-top", record.file_name, record.of, **values)
    elif is_narrow(both, width_m):
        yield build_issue("overlap-sliver", record.file_name, record.of, **values)
    else:
        yield build_issue("overlap", record.file_name, record.of, **values, width=round(width_m))


def check_enclaves(
    before: Mapping[str, BaseGeometry],
    adjusted: Adjusted,
    new: Collection[ImportedBoundary],
    members: Members,
    place_names: PlaceNames,
) -> Iterator[Issue]:
    """Yield the holes, wider than twice the accuracy, in which other places retain land; lon/lat.

    Such a hole is an exclave of theirs, or an error of drawing. Land that the place itself loses in a hole
    is reported with the islands left out; what another imported boundary covers does not depend on how this
    one is drawn.
    """
    for record in new:
        own = members.of(record.of)
        settled = {place for place in adjusted.imports if place != record.of and not members.of(place) >= own}
        excluded = own.union(*(members.of(place) for place in settled))
        holes = [hole for hole in _list_holes(record.polygon) if not is_narrow(hole, 2 * record.accuracy_m)]
        retained = {
            name: _measure_retained(holes, before[name], adjusted.pieces[name])
            for name in before.keys() - excluded
        }
        retained = {name: area_km2 for name, area_km2 in retained.items() if area_km2 >= MIN_AREA_KM2}
        if own and retained:
            owners = place_names.join(sorted(retained, key=lambda name: (-retained[name], name)))
            lands = unite(before[name] for name in retained)
            there = [hole for hole in holes if hole.intersects(lands)]
            values = {"count": len(there), "area": format_km2(sum(retained.values())), "holders": owners}
            values |= {
                "place": place_names.of(record.of),
                "at": format_point(there[0].representative_point()),
            }
            yield build_issue("enclave", record.file_name, record.of, **values)


def _list_holes(polygon: BaseGeometry) -> list[BaseGeometry]:
    """Return the holes of a polygon, without what it has within them."""
    parts = shapely.get_parts(polygon)
    tree, holes = shapely.STRtree(parts), []
    for ring in (ring for part in parts for ring in part.interiors):
        hole = shapely.Polygon(ring)
        islands = parts[tree.query(hole, predicate="contains")]
        holes.append(shapely.difference(hole, shapely.union_all(islands)) if len(islands) else hole)
    return holes


def _measure_retained(holes: Collection[BaseGeometry], old: BaseGeometry, new: BaseGeometry) -> float:
    near = [hole for hole in holes if hole.intersects(old)]
    shared = shapely.intersection(old, new) if near else old
    return sum(crs.measure_area_km2(to_polygons(shapely.intersection(hole, shared))) for hole in near)
