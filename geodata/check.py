"""Check the facts against each other and report everything that is wrong, all at once.

Never raises on data. Dangling references come first, then the rules within one table
(:mod:`geodata.rules`), then the rules between tables below.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from geodata.crs import check_frames
from geodata.messages import Problem, problem
from geodata.model import Site
from geodata.read import Facts
from geodata.references import check_references, place, rows, table_of, unread_tables
from geodata.rules import RULES, check_reason, check_repeated


def check_facts(facts: Facts) -> tuple[Problem, ...]:
    """Return every contradiction and gap in `facts`; an empty tuple means that there is none.

    What could not be read at all is in ``facts.problems`` and not repeated, nor is anything reported
    as missing from a table that was not read whole. Raises :class:`~geodata.city.CityError` for a
    coordinate system of the city's that cannot be used.
    """
    check_frames()
    checks = (check_references, *RULES, *_BETWEEN)
    located = (_with_row(facts, found) for check in checks for found in check(facts))
    return tuple(replace(found, line=facts.line(found)) for found in located)


def _with_row(facts: Facts, found: Problem) -> Problem:
    """Return `found` with the row of its record, where that has no id and only one record fits."""
    table = table_of(found.file)
    if found.row is not None or isinstance(getattr(facts, table), dict):
        return found
    fitting = [
        index
        for index, row in enumerate(rows(facts, table))
        if found.record in (getattr(row, "of", None), getattr(row, "zone", None)) and found.value in str(row)
    ]
    return replace(found, row=fitting[0]) if len(fitting) == 1 else found


def check_designations(facts: Facts) -> Iterator[Problem]:
    """Find designations that stand twice, and places with neither a designation nor a reason why not."""
    seen: set[tuple[str, str, str]] = set()
    for index, row in enumerate(facts.designations):
        key = (row.zone, row.term.zh, row.clause)
        if key in seen:
            yield problem("duplicate-term", place("designations", row.zone, "term", index), row.term.zh)
        seen.add(key)
    designated = {row.zone for row in facts.designations}
    whole = "designations" not in unread_tables(facts)
    for table in ("zones", "areas"):
        for row in getattr(facts, table).values():
            where = place(table, row.id, "no_industries")
            if whole and row.id not in designated and row.no_industries is None:
                yield problem("reason-missing", where, None)
            if row.id in designated and row.no_industries is not None:
                yield problem("reason-needless", where, row.no_industries.zh)


def check_listed_clauses(facts: Facts) -> Iterator[Problem]:
    """Find clauses that say something about a zone and are missing from its list."""
    for zone in facts.zones.values():
        cited = {term.clause for term in (*zone.positioning, *zone.tasks)}
        cited |= {row.clause for row in facts.designations if row.zone == zone.id}
        for clause in sorted(cited - set(zone.clauses)):
            yield problem("clause-not-listed", place("zones", zone.id, "clauses"), clause)


def check_industries(facts: Facts) -> Iterator[Problem]:
    """Find industries without codes or a reason why, and those that the plan names nowhere."""
    designated = {one for row in facts.designations for one in row.industries}
    designated |= {one for row in facts.chains.values() for one in row.industries}
    whole = not {"designations", "chains"} & unread_tables(facts)
    for row in facts.industries.values():
        yield from check_reason(
            place("industries", row.id, "gbt4754"), row.gbt4754 + row.isic4 or None, row.no_codes
        )
        where = place("industries", row.id, "named")
        yield from check_repeated(where, (f"{term.term.zh} {term.clause}" for term in row.named))
        if whole and not row.named and row.id not in designated:
            yield problem("industry-unnamed", where, row.id)


def check_platforms(facts: Facts) -> Iterator[Problem]:
    """Find platforms whose zone, or whose industries, and the basis for them contradict each other."""
    for row in facts.platforms.values():
        if row.industries_basis == "plan" and not (row.fields and row.industries):
            yield problem("basis-contradicts", place("platforms", row.id, "industries_basis"), "plan")
        if (row.zone is None) != (row.zone_basis == "unknown"):
            yield problem("basis-contradicts", place("platforms", row.id, "zone_basis"), row.zone_basis)


def check_towns(facts: Facts) -> Iterator[Problem]:
    """Find towns outside a county, in a zone of another county, or with the code of another town."""
    for town in facts.towns.values():
        county, zone = facts.zones.get(town.county), facts.zones.get(town.zone or "")
        if county and county.layer != "counties":
            yield problem("wrong-layer", place("towns", town.id, "county"), town.county, expected="counties")
        if zone and zone.layer != "zones":
            yield problem("wrong-layer", place("towns", town.id, "zone"), zone.id, expected="zones")
        elif zone and zone.parent and zone.parent != town.county:
            yield problem("wrong-parent", place("towns", town.id, "zone"), zone.id, expected=zone.parent)
    codes = Counter(town.code for town in facts.towns.values())
    for town in facts.towns.values():
        if codes[town.code] > 1:
            yield problem("duplicate-value", place("towns", town.id, "code"), town.code)


def check_sites(facts: Facts) -> Iterator[Problem]:
    """Find places with neither towns nor a known point, and unknown figures without a reason."""
    made_of_towns = {town.zone for town in facts.towns.values()} | {
        town.county for town in facts.towns.values()
    }
    placed = made_of_towns | {site.of for site in facts.sites} | set(facts.landmarks)
    whole = not unread_tables(facts) & {"towns", "sites", "landmarks"}
    for zone in facts.zones.values():
        if whole and zone.id not in placed:
            yield problem("no-site", place("zones", zone.id, "id"), zone.id)
    for area in facts.areas.values():
        if whole and area.core is not None and area.core not in placed:
            yield problem("no-site", place("areas", area.id, "core"), area.core)
    drawn = {*facts.zones, *facts.areas}
    yield from chain.from_iterable(_unexplained(site, row, drawn) for row, site in enumerate(facts.sites))


def check_official_areas(facts: Facts) -> Iterator[Problem]:
    """Find places with two chosen areas, and figures that were not chosen without a reason."""
    chosen: set[str] = set()
    for index, row in enumerate(facts.official_areas):
        if row.chosen and row.of in chosen:
            yield problem("several-chosen", place("official_areas", row.of, "chosen", index), row.of)
        if row.chosen:
            chosen.add(row.of)
        elif row.reason is None:
            where = place("official_areas", row.of, "reason", index)
            yield problem("reason-missing", where, row.area_km2)


def _unexplained(site: Site, row: int, places: set[str]) -> Iterator[Problem]:
    """Yield what is missing without a reason; only `places` are drawn as polygons and need an area."""
    fields = ("position", "area_km2") if site.of in places else ("position",)
    for field in fields:
        if getattr(site, field) is None and site.reason is None:
            yield problem("reason-missing", place("sites", site.of, field, row), None)
    if site.area_km2 is not None and site.area_source is None:
        yield problem("reason-missing", place("sites", site.of, "area_source", row), None)


_BETWEEN: tuple[Callable[[Facts], Iterator[Problem]], ...] = (
    check_designations,
    check_listed_clauses,
    check_industries,
    check_platforms,
    check_towns,
    check_sites,
    check_official_areas,
)
