"""Check that polygons lie in what contains them, and that polygons in force stay as they are.

A zone that is not imported is a sketch, and its real border may run kilometres away: a place in it may
lie on land beside it. Coast and county lines are known far better, and equally well for a place whose
zone is a sketch. So whatever the parent is, a polygon is also checked against its county, within the
accuracies of the county and of the polygon.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundary_import.issues import NO_TEXT, Issue, PlaceNames, Texts, build_issue, phrase, term
from geodata.imported import ImportedBoundary, Members
from geodata.kinds import CITY, SEA
from geodata.planar import (
    METRES_PER_DEG,
    MIN_AREA_KM2,
    find_spot,
    format_km2,
    format_point,
    from_plane,
    is_narrow,
    measure_width_m,
    to_plane,
    to_polygons,
)
from geodata.shapes import Shape


@dataclass(frozen=True)
class Context:
    """What new polygons are checked against: the shapes of all places, and the imports they come from."""

    shapes: Mapping[str, Shape]
    members: Members
    records: Mapping[str, ImportedBoundary]  # by place, with the new ones
    place_names: PlaceNames
    beyond: Mapping[str, BaseGeometry] = field(default_factory=dict)  # the counties of other cities

    def accuracy_m(self, place: str) -> float:
        """Return the accuracy of a place's edge."""
        record = self.records.get(place)
        return record.accuracy_m if record else self.shapes[place].accuracy_m

    def polygon(self, place: str) -> BaseGeometry:
        """Return a place's polygon, the new one where there is one."""
        record = self.records.get(place)
        return record.polygon if record else self.shapes[place].geometry

    def imported_parent(self, place: str) -> str | None:
        """Return the nearest place above `place` with an imported polygon."""
        return next((one for one in self.members.above(place) if one in self.records), None)

    def county(self, place: str) -> str:
        """Return the county that `place` lies in; the city for a county, or where the facts name none."""
        return self.members.county(place) if self.members.parent(place) else CITY

    def method(self, place: str) -> str:
        """Return how a place's polygon was made."""
        record = self.records.get(place)
        return record.method if record else self.shapes[place].method


_MIN_INSIDE_PERCENT: Final = 30.0  # of a polygon, in what contains it: less is another place
# Of a polygon, farther from its county than both are accurate. Our coast misses no more of any county's
# published area than 7 %: more than a tenth is no matter of how well the coast is known.
_MAX_BEYOND_PERCENT: Final = 10.0
# Our coast has islands of 0.03 km²: none of this size is missing from it.
_MAX_DETACHED_KM2: Final = 1.0


@dataclass(frozen=True, eq=False)
class _Pair:
    """A polygon and one place that is to contain it."""

    record: ImportedBoundary
    parts: tuple[BaseGeometry, ...]  # of the record's polygon
    path: str
    context: Context
    place: str

    @property
    def title(self) -> Texts:
        """The name of the place."""
        return self.context.place_names.of(self.place)

    @cached_property
    def polygon(self) -> BaseGeometry:
        """The polygon of the place."""
        return self.context.polygon(self.place)

    @cached_property
    def tolerance_m(self) -> float:
        """The accuracies of the two together."""
        return self.record.accuracy_m + self.context.accuracy_m(self.place)

    @cached_property
    def near(self) -> BaseGeometry:
        """The place and what is no farther from it than both are accurate; in the plane."""
        return shapely.buffer(to_plane(self.polygon), self.tolerance_m / METRES_PER_DEG)

    @cached_property
    def rest(self) -> BaseGeometry:
        """What of the record's polygon is farther; in the plane."""
        return to_polygons(shapely.difference(to_plane(self.record.polygon), self.near))

    @cached_property
    def percent(self) -> float:
        """How much of the record's polygon is not."""
        return 100 * (1 - self.rest.area / to_plane(self.record.polygon).area)

    @cached_property
    def far(self) -> list[BaseGeometry]:
        """The parts of the record's polygon that are farther as a whole; none if tiny."""
        far = [part for part in self.parts if not to_plane(part).intersects(self.near)]
        return far if sum(map(crs.measure_area_km2, far)) >= MIN_AREA_KM2 else []

    def issue(self, code: str, **values: object) -> Issue:
        """Return an issue about the record."""
        return build_issue(code, self.path, self.record.of, **values)


def check_containment(record: ImportedBoundary, path: str, context: Context) -> Iterator[Issue]:
    """Yield where a polygon reaches out of its county, its parent, or the next imported place above."""
    parts = tuple(shapely.get_parts(record.polygon))
    parent, imported_parent = context.members.parent(record.of), context.imported_parent(record.of)
    county = _Pair(record, parts, path, context, context.county(record.of))
    above = [
        county if place == county.place else _Pair(record, parts, path, context, place)
        for place in dict.fromkeys([parent, imported_parent])
        if place is not None
    ]
    lost = list(_check_far(county))
    yield from lost
    if lost:
        return
    if county.place != CITY or not context.members.of(record.of):  # a county brings its coast
        yield from _check_beyond_county(county)
        yield from _check_detached(county)
        if county not in above:  # a sliver is told of the parent
            yield from (one for one in _check_outside(county) if one.level == "error" or not above)
    for one in above:
        if one is not county:
            yield from _check_far(one)
            if one.place == parent:
                yield from _check_exclaves(one, county)
        yield from _check_outside(one)


def _check_far(pair: _Pair) -> Iterator[Issue]:
    """Yield that hardly any of a polygon lies in the place that is to contain it."""
    if pair.percent < _MIN_INSIDE_PERCENT:
        values = {"place": pair.title, "percent": f"{pair.percent:.0f}"}
        yield pair.issue(
            "far-from-parent",
            **values,
            width=f"{pair.tolerance_m:.0f}",
            first=_advise_county_first(pair.record),
        )


def _check_beyond_county(county: _Pair) -> Iterator[Issue]:
    """Yield that more of a polygon lies off the coast or the county's line than those can be off."""
    beyond = 100 - county.percent
    if beyond > _MAX_BEYOND_PERCENT:
        values = {"place": county.title, "percent": f"{beyond:.0f}", "width": f"{county.tolerance_m:.0f}"}
        values |= {"area": format_km2(crs.measure_area_km2(from_plane(county.rest)))}
        values |= {"at": format_point(from_plane(county.rest.representative_point()))}
        yield county.issue("beyond-coast", **values, first=_advise_county_first(county.record))


def _advise_county_first(record: ImportedBoundary) -> Texts:
    """Return what to do where a polygon is right: a county needs no other."""
    return NO_TEXT if record.layer == "counties" else phrase("county_first")


def _check_outside(pair: _Pair) -> Iterator[Issue]:
    """Yield what reaches out of a place, a strip along its border or more; parts far off are told apart."""
    near = pair.record.polygon
    if pair.far:
        near = shapely.difference(near, shapely.union_all(pair.far))
    outside = to_polygons(shapely.difference(near, pair.polygon))
    area_km2 = crs.measure_area_km2(outside)
    if area_km2 < MIN_AREA_KM2:
        return
    imported = pair.place in pair.context.records
    # Ours are known at 90 %, and may be off to either side.
    width_m = pair.tolerance_m if imported else 2 * pair.tolerance_m
    values: dict[str, object] = {
        "parent": pair.title,
        "area": format_km2(area_km2),
        "spot": find_spot(outside),
    }
    if is_narrow(outside, width_m) and _lies_along(outside, pair.polygon, width_m):
        yield pair.issue(
            "outside-parent-sliver", **values, rule=term("rule", "cut" if imported else "follows")
        )
    else:
        method = term("method", pair.context.method(pair.place))
        yield pair.issue("outside-parent", **values, method=method, width=round(width_m))


def _lies_along(strip: BaseGeometry, place: BaseGeometry, width_m: float) -> bool:
    """Tell whether a narrow piece runs along the place's border: one that leads away from it is no strip."""
    near = shapely.buffer(to_plane(place), width_m / METRES_PER_DEG)
    away = to_polygons(shapely.difference(to_plane(strip), near))
    return away.is_empty or crs.measure_area_km2(from_plane(away)) < _MAX_DETACHED_KM2


def _check_detached(county: _Pair) -> Iterator[Issue]:
    """Yield the parts far from the county: an island that is not known here, or an error of drawing."""
    context = county.context
    own = {county.place, context.members.county(county.record.of)}
    others = {one: context.shapes[one].geometry for one in context.members.counties() if one not in own}
    on_land = {
        other: [part for part in county.far if part.intersects(land)]
        for other, land in sorted((others | dict(context.beyond)).items())
    }
    pair = {other: parts for other, parts in on_land.items() if parts}
    lost = [part for parts in pair.values() for part in parts]
    at_sea = [part for part in county.far if not any(part is one for one in lost)]
    if lost:
        yield county.issue(
            "part-in-another-county", **_describe(lost, county, context.place_names.join(pair))
        )
    if at_sea:
        large = sum(map(crs.measure_area_km2, at_sea)) > _MAX_DETACHED_KM2
        code, more = (
            ("part-at-sea", {"first": _advise_county_first(county.record)})
            if large
            else ("detached-part", {})
        )
        yield county.issue(code, **more, **_describe(at_sea, county, context.place_names.of(SEA)))


def _check_exclaves(parent: _Pair, county: _Pair) -> Iterator[Issue]:
    """Yield the parts far from the parent and on their county's land: an exclave, or an error of drawing."""
    parts = [part for part in parent.far if not any(part is one for one in county.far)]
    if parts:
        yield parent.issue("detached-part", **_describe(parts, parent, county.title))


def _describe(parts: Sequence[BaseGeometry], pair: _Pair, where: Texts) -> dict[str, object]:
    """Return what is said of parts far from the place, and `where` they lie."""
    area = f"{sum(map(crs.measure_area_km2, parts)) * 1e6:,.0f}"
    values = {"parent": pair.title, "width": round(pair.tolerance_m), "where": where}
    return values | {"count": len(parts), "area": area, "at": format_point(parts[0].representative_point())}


NARROW_DIFFERENCES: Final = frozenset(
    {"outside-parent-sliver", "overlap-sliver", "child-sliver"}
)  # the new polygon gives way


def check_contained(context: Context, new: Collection[ImportedBoundary]) -> Iterator[Issue]:
    """Yield the polygons in force that the `new` ones around them do not contain, and would cut."""
    imported = {record.of for record in new}
    for record in new:
        for place, other in context.records.items():
            if place not in imported and context.imported_parent(place) == record.of:
                yield from _check_contained_polygon(record, other, context)


def check_protected(before: Context, after: Context, new: Collection[ImportedBoundary]) -> Iterator[Issue]:
    """Yield the polygons in force, other than `new`, that would not pass their own checks any more.

    A place may lie on top of land that its parent loses to another place.
    """
    imported = {record.of for record in new}
    path = next(record.file_name for record in new)
    protected = [record for place, record in before.records.items() if place not in imported]
    for record in protected:
        old, now = before.shapes[record.of].geometry, after.shapes[record.of].geometry
        if not shapely.equals_identical(old, now):
            lost = to_polygons(shapely.symmetric_difference(old, now))
            yield _describe_cut(path, record, lost, 0.0, before)
        failed = any(one.level == "error" for one in check_containment(record, path, before))
        found = [] if failed else check_containment(record, path, after)
        yield from (one for one in found if one.level == "error")


def _check_contained_polygon(
    record: ImportedBoundary, other: ImportedBoundary, context: Context
) -> Iterator[Issue]:
    """Check that a polygon contains another in force, which it would cut otherwise."""
    outside = to_polygons(shapely.difference(context.shapes[other.of].geometry, record.polygon))
    area_km2 = crs.measure_area_km2(outside)
    if area_km2 < MIN_AREA_KM2:
        return
    allowed_m = record.accuracy_m + other.accuracy_m
    if is_narrow(outside, allowed_m):
        values = {"other": context.place_names.of(other.of), "area": format_km2(area_km2)}
        yield build_issue("child-sliver", record.file_name, record.of, spot=find_spot(outside), **values)
    else:
        yield _describe_cut(record.file_name, other, outside, allowed_m, context)


def _describe_cut(
    path: str, other: ImportedBoundary, lost: BaseGeometry, allowed_m: float, context: Context
) -> Issue:
    values: dict[str, object] = {
        "other": context.place_names.of(other.of),
        "method": term("method", other.method),
    }
    area, width = format_km2(crs.measure_area_km2(lost)), round(measure_width_m(lost))
    values |= {"accuracy": f"{other.accuracy_m:g}", "area": area, "width": width, "allowed": f"{allowed_m:g}"}
    return build_issue("official-cut", path, other.of, spot=find_spot(lost), **values)
