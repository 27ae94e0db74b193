"""Check that a polygon lies in what holds it: its parent, the imported place above, and its county.

A zone that we drew is a sketch, and its real border may run kilometres away: a place in it may lie on
land beside it. Coast and county lines are known far better, and are no better known for a place whose
zone is a sketch. So whatever the parent is, a polygon is held against its county too, with the county's
accuracy and its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.exchange import LEAST_KM2
from geodata.incoming.finding import Finding, find
from geodata.incoming.imported import ImportedBoundary
from geodata.incoming.planar import METRES_PER_DEG, from_plane, is_narrow, say_point, to_plane, to_polygons
from geodata.incoming.standing import Standing
from geodata.incoming.titles import NOTHING, Words, phrase, word
from geodata.land import CITY, SEA

_LEAST_PERCENT: Final = 30.0  # of a polygon, in what holds it: less is another place
# Of a polygon, farther from its county than both are accurate. Our coast misses no more of any county's
# published area than 7 %: more than a tenth is no matter of how well the coast is known.
_MOST_PERCENT: Final = 10.0
# Our coast has islands of 0.03 km²: none of this size is missing from it.
_MOST_KM2: Final = 1.0


@dataclass(frozen=True, eq=False)
class _Held:
    """A polygon and one place that is to hold it."""

    record: ImportedBoundary
    parts: tuple[BaseGeometry, ...]  # of the record's polygon
    path: str
    standing: Standing
    place: str

    @property
    def title(self) -> Words:
        """The name of the place."""
        return self.standing.titles.of(self.place)

    @cached_property
    def polygon(self) -> BaseGeometry:
        """The polygon of the place."""
        return self.standing.polygon(self.place)

    @cached_property
    def room_m(self) -> float:
        """The accuracies of the two together."""
        return self.record.accuracy_m + self.standing.accuracy_m(self.place)

    @cached_property
    def near(self) -> BaseGeometry:
        """The place and what is no farther from it than both are accurate; in the plane."""
        return shapely.buffer(to_plane(self.polygon), self.room_m / METRES_PER_DEG)

    @cached_property
    def rest(self) -> BaseGeometry:
        """What of the record's polygon is farther; in the plane."""
        return to_polygons(shapely.difference(to_plane(self.record.polygon()), self.near))

    @cached_property
    def percent(self) -> float:
        """How much of the record's polygon is not."""
        return 100 * (1 - self.rest.area / to_plane(self.record.polygon()).area)

    @cached_property
    def far(self) -> list[BaseGeometry]:
        """The parts of the record's polygon that are farther as a whole; none if tiny."""
        far = [part for part in self.parts if not to_plane(part).intersects(self.near)]
        return far if sum(map(crs.measure_area_km2, far)) >= LEAST_KM2 else []

    def find(self, code: str, **values: object) -> Finding:
        """Return a finding about the record."""
        return find(code, self.path, self.record.of, **values)


def check_parents(record: ImportedBoundary, path: str, standing: Standing) -> Iterator[Finding]:
    """Yield where a polygon reaches out of its county, its parent, or the next imported place above."""
    parts = tuple(shapely.get_parts(record.polygon()))
    parent, holder = standing.members.parent(record.of), standing.holder(record.of)
    county = _Held(record, parts, path, standing, standing.county(record.of))
    above = [
        county if place == county.place else _Held(record, parts, path, standing, place)
        for place in dict.fromkeys([parent, holder])
        if place is not None
    ]
    lost = list(_check_far(county))
    yield from lost
    if lost:
        return
    if county.place != CITY or not standing.members.of(record.of):  # a county brings its coast
        yield from _check_beyond(county)
        yield from _check_detached(county)
        if county not in above:  # a sliver is told of the parent
            yield from (one for one in _check_outside(county) if one.level == "error" or not above)
    for one in above:
        if one is not county:
            yield from _check_far(one)
            if one.place == parent:
                yield from _check_apart(one, county)
        yield from _check_outside(one)


def _check_far(held: _Held) -> Iterator[Finding]:
    """Yield that hardly any of a polygon lies in the place that is to hold it."""
    if held.percent < _LEAST_PERCENT:
        values = {"place": held.title, "percent": f"{held.percent:.0f}"}
        yield held.find(
            "far-from-parent", **values, width=f"{held.room_m:.0f}", first=_say_first(held.record)
        )


def _check_beyond(county: _Held) -> Iterator[Finding]:
    """Yield that more of a polygon lies off the coast or the county's line than those can be off."""
    beyond = 100 - county.percent
    if beyond > _MOST_PERCENT:
        values = {"place": county.title, "percent": f"{beyond:.0f}", "width": f"{county.room_m:.0f}"}
        values |= {"area": f"{crs.measure_area_km2(from_plane(county.rest)):.3f}"}
        values |= {"at": say_point(from_plane(county.rest.representative_point()))}
        yield county.find("beyond-coast", **values, first=_say_first(county.record))


def _say_first(record: ImportedBoundary) -> Words:
    """Return what to do where a polygon is right: a county needs no other."""
    return NOTHING if record.layer == "counties" else phrase("county_first")


def _check_outside(held: _Held) -> Iterator[Finding]:
    """Yield what reaches out of a place, a strip along its border or more; parts far off are told apart."""
    near = held.record.polygon().difference(shapely.union_all(held.far))
    outside = to_polygons(shapely.difference(near, held.polygon))
    area_km2 = crs.measure_area_km2(outside)
    if area_km2 < LEAST_KM2:
        return
    brought = held.place in held.standing.records
    # Ours are known at 90 %, and may be off to either side.
    width_m = held.room_m if brought else 2 * held.room_m
    values = {"parent": held.title, "area": f"{area_km2:.3f}"}
    if is_narrow(outside, width_m) and _lies_along(outside, held.polygon, width_m):
        yield held.find("outside-parent-sliver", **values, rule=word("rule", "cut" if brought else "follows"))
    else:
        method = word("method", held.standing.method(held.place))
        yield held.find("outside-parent", **values, method=method, width=round(width_m))


def _lies_along(strip: BaseGeometry, place: BaseGeometry, width_m: float) -> bool:
    """Tell whether a narrow piece runs along the place's border: one that leads away from it is no strip."""
    near = shapely.buffer(to_plane(place), width_m / METRES_PER_DEG)
    away = to_polygons(shapely.difference(to_plane(strip), near))
    return away.is_empty or crs.measure_area_km2(from_plane(away)) < _MOST_KM2


def _check_detached(county: _Held) -> Iterator[Finding]:
    """Yield the parts far from the county: an island that is not known here, or an error of drawing."""
    standing = county.standing
    own = {county.place, standing.members.county(county.record.of)}
    others = {one: standing.shapes[one].geometry for one in standing.members.counties() if one not in own}
    on_land = {
        other: [part for part in county.far if part.intersects(land)]
        for other, land in sorted((others | dict(standing.beyond)).items())
    }
    held = {other: parts for other, parts in on_land.items() if parts}
    lost = [part for parts in held.values() for part in parts]
    at_sea = [part for part in county.far if not any(part is one for one in lost)]
    if lost:
        yield county.find("part-in-another-county", **_describe(lost, county, standing.titles.join(held)))
    if at_sea:
        large = sum(map(crs.measure_area_km2, at_sea)) > _MOST_KM2
        code, more = ("part-at-sea", {"first": _say_first(county.record)}) if large else ("detached-part", {})
        yield county.find(code, **more, **_describe(at_sea, county, standing.titles.of(SEA)))


def _check_apart(parent: _Held, county: _Held) -> Iterator[Finding]:
    """Yield the parts far from the parent and on their county's land: an exclave, or an error of drawing."""
    parts = [part for part in parent.far if not any(part is one for one in county.far)]
    if parts:
        yield parent.find("detached-part", **_describe(parts, parent, county.title))


def _describe(parts: Sequence[BaseGeometry], held: _Held, where: Words) -> dict[str, object]:
    """Return what is said of parts far from the place, and `where` they lie."""
    area = f"{sum(map(crs.measure_area_km2, parts)) * 1e6:,.0f}"
    values = {"parent": held.title, "width": round(held.room_m), "where": where}
    return values | {"count": len(parts), "area": area, "at": say_point(parts[0].representative_point())}
