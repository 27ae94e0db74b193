"""Every place where one record names another, and whether the other exists."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain

from geodata.kinds import SEA
from geodata.messages import Place, Problem, problem
from geodata.model import Record, Term
from geodata.read import Facts

_FILES = {
    "zones": "plan/zones.yaml",
    "areas": "plan/areas.yaml",
    "clauses": "plan/clauses.yaml",
    "agencies": "plan/agencies.yaml",
    "indicators": "plan/indicators.yaml",
    "industries": "plan/industries.yaml",
    "designations": "plan/designations.yaml",
    "clusters": "plan/clusters.yaml",
    "chains": "plan/chains.yaml",
    "platforms": "plan/platforms.yaml",
    "ties": "plan/ties.yaml",
    "vocabulary": "plan/vocabulary.yaml",
    "thesaurus": "plan/thesaurus.yaml",
    "search": "search.yaml",
    "plans": "plan/plan.yaml",
    "sources": "plan/sources.yaml",
    "towns": "places/towns.yaml",
    "boxes": "places/boxes.yaml",
    "gateways": "places/gateways.yaml",
    "landmarks": "places/landmarks.yaml",
    "official_areas": "places/official_areas.yaml",
    "sites": "places/sites.yaml",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """One field that names records of one of `tables`."""

    place: Place
    values: tuple[str | None, ...]
    tables: tuple[str, ...]


def place(table: str, record: str, field: str, row: int | None = None) -> Place:
    """Return where `field` of `record` stands, by the name of its table in the facts.

    A record without an id of its own needs its `row` in that table to be found.
    """
    return Place(_FILES[table], record, field, row=row)


def table_of(file: str) -> str:
    """Return the table that `file` is read into."""
    return next(table for table, name in _FILES.items() if name == file)


def unread_tables(facts: Facts) -> set[str]:
    """Return the tables whose records were not all read: what seems to be missing there may not be."""
    unread = {found.file for found in facts.problems}
    return {table for table, file in _FILES.items() if file in unread}


def rows(facts: Facts, table: str) -> tuple[Record, ...]:
    """Return the records of `table`, whether they are kept by id or in a list."""
    records = getattr(facts, table)
    return tuple(records.values()) if isinstance(records, dict) else records


def tables() -> tuple[str, ...]:
    """Return the names of all tables of the facts."""
    return tuple(_FILES)


def check_references(facts: Facts) -> Iterator[Problem]:
    """Yield a problem for every id or clause that is named and does not exist.

    References into a table that was not read whole are left out: its own problems come first.
    """
    known, unread = _known(facts), unread_tables(facts)
    unread |= {"town codes"} if "towns" in unread else set()
    for reference in references_of(facts):
        if unread.intersection(reference.tables):
            continue
        allowed = set().union(*(known[table] for table in reference.tables))
        for value in reference.values:
            if value is not None and value not in allowed:
                yield _dangling(reference, value)


def references_of(facts: Facts) -> Iterator[Reference]:
    """Yield every reference between records of `facts`, in a fixed order."""
    yield from chain.from_iterable(source(facts) for source in _SOURCES)


def _dangling(reference: Reference, value: str) -> Problem:
    if reference.tables == ("clauses",):
        return problem("unknown-clause", reference.place, value)
    return problem("unknown-id", reference.place, value, tables=", ".join(reference.tables))


def _known(facts: Facts) -> dict[str, set[str]]:
    known = {table: set(records) for table in _FILES if isinstance(records := getattr(facts, table), dict)}
    known["town codes"] = {town.code for town in facts.towns.values()}
    known[SEA] = {SEA}
    return known


def _one(table: str, record: str, field: str, value: str | None, *targets: str) -> Reference:
    return _at(place(table, record, field), value, *targets)


def _at(where: Place, value: str | None, *targets: str) -> Reference:
    return Reference(where, (value,), targets)


def _many(table: str, record: str, field: str, values: Iterable[str], *targets: str) -> Reference:
    return Reference(place(table, record, field), tuple(values), targets)


def _terms(table: str, record: str, field: str, terms: Iterable[Term]) -> Reference:
    return _many(table, record, field, (term.clause for term in terms), "clauses")


def _of_clauses(facts: Facts) -> Iterator[Reference]:
    for row in facts.clauses.values():
        yield _one("clauses", row.id, "parent", row.parent, "clauses")
        yield _many("clauses", row.id, "responsible_units", row.responsible_units, "agencies")
    for agency in facts.agencies.values():
        yield _many("agencies", agency.id, "members", agency.members, "agencies")
        if agency.governs:
            yield _one("agencies", agency.id, "governs.zone", agency.governs.zone, "zones")
            yield _one("agencies", agency.id, "governs.clause", agency.governs.clause, "clauses")


def _of_zones(facts: Facts) -> Iterator[Reference]:
    for row in facts.zones.values():
        yield _one("zones", row.id, "parent", row.parent, "zones")
        yield _many("zones", row.id, "clauses", row.clauses, "clauses")
        yield _terms("zones", row.id, "positioning", row.positioning)
        yield _terms("zones", row.id, "tasks", row.tasks)
        for task in row.tasks:
            yield _many("zones", row.id, "tasks", task.industries, "industries")


def _of_areas(facts: Facts) -> Iterator[Reference]:
    for row in facts.areas.values():
        yield _many("areas", row.id, "clause", (row.clause, row.relation.clause), "clauses")
        yield _many("areas", row.id, "clauses", row.clauses, "clauses")
        yield _many("areas", row.id, "members", row.members, "zones", "plans")
        yield _many("areas", row.id, "anchors", (one.zone for one in row.anchors), "zones")
        yield _one("areas", row.id, "core", row.core, "zones", "platforms", "landmarks")
        yield _terms("areas", row.id, "positioning", row.positioning)
        yield _terms("areas", row.id, "methods", row.methods)


def _of_designations(facts: Facts) -> Iterator[Reference]:
    for index, row in enumerate(facts.designations):
        at = partial(place, "designations", row.zone, row=index)
        yield _at(at("zone"), row.zone, "zones", "areas")
        yield Reference(at("industries"), row.industries, ("industries",))
        yield _at(at("clause"), row.clause, "clauses")


def _of_industries(facts: Facts) -> Iterator[Reference]:
    for row in facts.industries.values():
        yield _one("industries", row.id, "cluster", row.cluster, "clusters")
        yield _terms("industries", row.id, "named", row.named)
    for cluster in facts.clusters.values():
        clauses = (cluster.clause, cluster.target.clause if cluster.target else None)
        yield Reference(place("clusters", cluster.id, "clause"), clauses, ("clauses",))
        yield _many("clusters", cluster.id, "clauses", cluster.clauses, "clauses")
        yield _terms("clusters", cluster.id, "goals", cluster.goals)
        yield _terms("clusters", cluster.id, "focus", cluster.focus)
    for link in facts.chains.values():
        yield _many("chains", link.id, "industries", link.industries, "industries")
        yield _one("chains", link.id, "zone", link.zone, "areas")
        yield _one("chains", link.id, "clause", link.clause, "clauses")


def _of_platforms(facts: Facts) -> Iterator[Reference]:
    for row in facts.platforms.values():
        yield _many("platforms", row.id, "clauses", row.clauses, "clauses")
        yield _one("platforms", row.id, "zone", row.zone, "zones", "areas")
        yield _many("platforms", row.id, "industries", row.industries, "industries")
        yield _terms("platforms", row.id, "fields", row.fields)
        yield _terms("platforms", row.id, "remarks", row.remarks)


def _of_ties(facts: Facts) -> Iterator[Reference]:
    ends = ("zones", "areas", "platforms", "gateways")
    for index, row in enumerate(facts.ties):
        at = partial(place, "ties", row.subject, row=index)
        yield _at(at("subject"), row.subject, *ends)
        yield _at(at("object"), row.object, *ends, "clusters")
        yield _at(at("clause"), row.clause, "clauses")


def _of_words(facts: Facts) -> Iterator[Reference]:
    for index, word in enumerate(facts.vocabulary):
        at = partial(place, "vocabulary", word.zh, row=index)
        yield Reference(at("clauses"), word.clauses, ("clauses",))
        yield _at(at("industry"), word.industry, "industries")
    for index, synonym in enumerate(facts.thesaurus):
        yield _at(place("thesaurus", synonym.zh[0], "industry", row=index), synonym.industry, "industries")
    for index, row in enumerate(facts.search):
        at = partial(place, "search", row.words[0], row=index)
        yield Reference(at("places"), row.places, ("zones", "areas"))
        yield _at(at("ends"), row.ends, "industries")
        if row.turn:
            yield Reference(at("turn.of"), row.turn.of, ("industries",))
            yield _at(at("turn.to"), row.turn.to, "industries")


def _of_indicators(facts: Facts) -> Iterator[Reference]:
    for row in facts.indicators.values():
        yield _one("indicators", row.id, "base", row.base.clause if row.base else None, "clauses")
        yield _one("indicators", row.id, "target", row.target.clause if row.target else None, "clauses")


def _of_places(facts: Facts) -> Iterator[Reference]:
    for town in facts.towns.values():
        yield _one("towns", town.id, "county", town.county, "zones")
        yield _one("towns", town.id, "zone", town.zone, "zones")
        yield _many("towns", town.id, "seat.sources", town.seat.sources, "sources")
        yield _many("towns", town.id, "sources", town.sources, "sources")
    for index, box in enumerate(facts.boxes):
        yield _at(place("boxes", box.town, "town", index), box.town, "towns")
    for gateway in facts.gateways.values():
        yield _one("gateways", gateway.id, "parent", gateway.parent, "zones")
        yield _many("gateways", gateway.id, "clauses", gateway.clauses, "clauses")
        yield _many("gateways", gateway.id, "position.sources", gateway.position.sources, "sources")
    for landmark in facts.landmarks.values():
        yield _many("landmarks", landmark.id, "position.sources", landmark.position.sources, "sources")
        yield _one("landmarks", landmark.id, "expected", landmark.expected, "zones")


def _of_measures(facts: Facts) -> Iterator[Reference]:
    for index, row in enumerate(facts.official_areas):
        at = partial(place, "official_areas", row.of, row=index)
        yield _at(at("of"), row.of, "zones", "areas", "platforms", "plans", "town codes")
        yield _at(at("source"), row.source, "sources")
    for index, site in enumerate(facts.sites):
        at = partial(place, "sites", site.of, row=index)
        yield _at(at("of"), site.of, "zones", "areas", "platforms", "landmarks")
        yield _at(at("area_source"), site.area_source, "sources")
        if site.position is not None:
            yield Reference(at("position.sources"), site.position.sources, ("sources",))
        yield Reference(at("within"), site.within, ("town codes", "zones", SEA))


_SOURCES: tuple[Callable[[Facts], Iterator[Reference]], ...] = (
    _of_clauses,
    _of_zones,
    _of_areas,
    _of_designations,
    _of_industries,
    _of_platforms,
    _of_ties,
    _of_words,
    _of_indicators,
    _of_places,
    _of_measures,
)
