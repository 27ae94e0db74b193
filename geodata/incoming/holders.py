"""Check that a polygon lies in what holds it: its parent, the imported place above, and its county.

A zone that we drew is a sketch, and its real border may run kilometres away: a place in it may lie on
land beside it. Coast and county lines are known far better, and are no better known for a place whose
zone is a sketch. So whatever the parent is, a polygon is held against its county too, with the county's
accuracy and its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.exchange import LEAST_KM2
from geodata.incoming.finding import Finding, find
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.planar import METRES_PER_DEG, from_plane, is_narrow, to_plane, to_polygons
from geodata.incoming.standing import Standing
from geodata.incoming.titles import NOTHING, Words, phrase, word
from geodata.land import CITY, SEA

_LEAST_PERCENT: Final = 30.0  # of a polygon, in what holds it: less is another place
# Of a polygon, farther from its county than both are accurate. Our coast misses no more of any county's
# published area than 7 %: more than a tenth is no matter of how well the coast is known.
_MOST_PERCENT: Final = 10.0
# Our coast has islands of 0.03 km²: none of this size is missing from it.
_MOST_KM2: Final = 1.0


def check_parents(record: ImportedBoundary, path: str, standing: Standing) -> Iterator[Finding]:
    """Yield where a polygon reaches out of its county, its parent, or the next imported place above."""
    parent, county = standing.members.parent(record.of), standing.county(record.of)
    above = [one for one in dict.fromkeys([parent, standing.holder(record.of)]) if one is not None]
    lost = list(_check_far(record, path, standing, county))
    yield from lost
    if lost:
        return
    if county != CITY or not standing.members.of(record.of):  # a county brings its coast
        yield from _check_beyond(record, path, standing, county)
        yield from _check_detached(record, path, standing, county)
        if county not in above:  # a sliver is told of the parent
            found = _check_outside(record, path, standing, county)
            yield from (one for one in found if one.level == "error" or not above)
    for one in above:
        if one != county:
            yield from _check_far(record, path, standing, one)
        if one == parent != county:
            yield from _check_apart(record, path, standing, county)
        yield from _check_outside(record, path, standing, one)


def _room_m(record: ImportedBoundary, standing: Standing, place: str) -> float:
    return record.accuracy_m + standing.accuracy_m(place)


def _measure_within(record: ImportedBoundary, standing: Standing, place: str) -> tuple[float, BaseGeometry]:
    """Return how much of a polygon, percent, is no farther from a place than both are accurate, and the rest.

    The rest lies in the plane.
    """
    polygon = to_plane(record.polygon())
    reach = shapely.buffer(
        to_plane(standing.polygon(place)), _room_m(record, standing, place) / METRES_PER_DEG
    )
    rest = to_polygons(shapely.difference(polygon, reach))
    return 100 * (1 - rest.area / polygon.area), rest


def _check_far(record: ImportedBoundary, path: str, standing: Standing, place: str) -> Iterator[Finding]:
    """Yield that hardly any of a polygon lies in the place that is to hold it."""
    percent, _ = _measure_within(record, standing, place)
    if percent < _LEAST_PERCENT:
        values = {"place": standing.titles.of(place), "percent": f"{percent:.0f}"}
        values |= {"width": f"{_room_m(record, standing, place):.0f}", "first": _say_first(record)}
        yield find("far-from-parent", path, record.of, **values)


def _check_beyond(record: ImportedBoundary, path: str, standing: Standing, county: str) -> Iterator[Finding]:
    """Yield that more of a polygon lies off the coast or the county's line than those can be off."""
    percent, rest = _measure_within(record, standing, county)
    if 100 - percent > _MOST_PERCENT:
        at = shapely.get_coordinates(from_plane(rest.representative_point()))[0]
        values = {"place": standing.titles.of(county), "percent": f"{100 - percent:.0f}"}
        values |= {"area": f"{crs.measure_area_km2(from_plane(rest)):.3f}", "first": _say_first(record)}
        values |= {"width": f"{_room_m(record, standing, county):.0f}", "at": f"({at[0]:.5f}, {at[1]:.5f})"}
        yield find("beyond-coast", path, record.of, **values)


def _say_first(record: ImportedBoundary) -> Words:
    """Return what to do where a polygon is right: a county needs no other."""
    return NOTHING if record.layer == "counties" else phrase("county_first")


def _find_far(record: ImportedBoundary, standing: Standing, place: str) -> list[BaseGeometry]:
    """Return the parts of a polygon that are farther from a place than both are accurate; none if tiny."""
    width = _room_m(record, standing, place) / METRES_PER_DEG
    near = shapely.buffer(to_plane(standing.polygon(place)), width)
    far = [part for part in shapely.get_parts(record.polygon()) if not to_plane(part).intersects(near)]
    return far if sum(map(crs.measure_area_km2, far)) >= LEAST_KM2 else []


def _check_outside(record: ImportedBoundary, path: str, standing: Standing, parent: str) -> Iterator[Finding]:
    """Yield what reaches out of a place, a strip along its border or more; parts far off are told apart."""
    far = shapely.union_all(_find_far(record, standing, parent))
    outside = to_polygons(shapely.difference(record.polygon().difference(far), standing.polygon(parent)))
    area_km2 = crs.measure_area_km2(outside)
    if area_km2 < LEAST_KM2:
        return
    brought = parent in standing.records
    width_m = _room_m(record, standing, parent)
    width_m = width_m if brought else 2 * width_m  # ours are known at 90 %, and may be off to either side
    values = {"parent": standing.titles.of(parent), "area": f"{area_km2:.3f}"}
    if is_narrow(outside, width_m) and _lies_along(outside, standing.polygon(parent), width_m):
        rule = word("rule", "cut" if brought else "follows")
        yield find("outside-parent-sliver", path, record.of, **values, rule=rule)
    else:
        more = {"method": word("method", standing.method(parent)), "width": round(width_m)}
        yield find("outside-parent", path, record.of, **values, **more)


def _lies_along(strip: BaseGeometry, place: BaseGeometry, width_m: float) -> bool:
    """Tell whether a narrow piece runs along the place's border: one that leads away from it is no strip."""
    near = shapely.buffer(to_plane(place), width_m / METRES_PER_DEG)
    away = to_polygons(shapely.difference(to_plane(strip), near))
    return away.is_empty or crs.measure_area_km2(from_plane(away)) < _MOST_KM2


def _check_detached(
    record: ImportedBoundary, path: str, standing: Standing, county: str
) -> Iterator[Finding]:
    """Yield the parts far from the county: an island that is not known here, or an error of drawing."""
    far = _find_far(record, standing, county)
    own = {county, standing.members.county(record.of)}
    others = {one: standing.shapes[one].geometry for one in standing.members.counties() if one not in own}
    on_land = {
        other: [part for part in far if part.intersects(land)]
        for other, land in sorted((others | dict(standing.beyond)).items())
    }
    held = {other: parts for other, parts in on_land.items() if parts}
    lost = [part for parts in held.values() for part in parts]
    at_sea = [part for part in far if not any(part is one for one in lost)]
    values = {"parent": standing.titles.of(county), "width": round(_room_m(record, standing, county))}
    if lost:
        where = standing.titles.join(held)
        yield find("part-in-another-county", path, record.of, **values, where=where, **_describe(lost))
    if at_sea:
        large = sum(map(crs.measure_area_km2, at_sea)) > _MOST_KM2
        code, more = ("part-at-sea", {"first": _say_first(record)}) if large else ("detached-part", {})
        yield find(
            code, path, record.of, **values, **more, where=standing.titles.of(SEA), **_describe(at_sea)
        )


def _check_apart(record: ImportedBoundary, path: str, standing: Standing, county: str) -> Iterator[Finding]:
    """Yield the parts far from the parent and on their county's land: an exclave, or an error of drawing."""
    parent = standing.members.parent(record.of) or county
    told = _find_far(record, standing, county)
    parts = [
        part for part in _find_far(record, standing, parent) if not any(part.equals(one) for one in told)
    ]
    if parts:
        values = {"parent": standing.titles.of(parent), "width": round(_room_m(record, standing, parent))}
        where = standing.titles.of(county)
        yield find("detached-part", path, record.of, **values, where=where, **_describe(parts))


def _describe(parts: Sequence[BaseGeometry]) -> dict[str, object]:
    at = parts[0].representative_point()
    area = f"{sum(map(crs.measure_area_km2, parts)) * 1e6:,.0f}"
    return {"count": len(parts), "area": area, "at": f"({at.x:.5f}, {at.y:.5f})"}
