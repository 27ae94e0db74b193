"""List what the facts say in the plan's words, each with the clause that must say it.

Pure: turns facts into claims; :mod:`geodata.audit` proves them against the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

from geodata import model
from geodata.document import NOTICE, above
from geodata.read import Facts

Spellings = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """One word of a fact and where the plan must print it.

    Any one of `spellings` proves it. `subject`, where given, must stand before it in the same
    sentence or in the clause's heading, `beside` and `verb` anywhere in that sentence; … in a verb stands
    for words between its parts, and a grade (重点, 积极) printed before it belongs to it. `also` names
    further clauses that may print the words instead: 到2024年 stands once, above a whole list.
    """

    kind: str
    record: str
    clause: str
    spellings: Spellings
    subject: Spellings = ()
    beside: Spellings = ()
    verb: str = ""
    also: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """Return the wording to show to people."""
        return self.spellings[0]


def claims_of(facts: Facts) -> Iterator[Claim]:
    """Yield every term, name and figure of `facts` that the plan must print, in a fixed order.

    Responsible units are not among them: the printed blocks are compared as a whole.
    """
    yield from chain.from_iterable(source(facts) for source in _SOURCES)


def _plans(facts: Facts) -> Iterator[Claim]:
    for plan in facts.plans.values():
        printed = {
            "title": plan.title.zh,
            "city": plan.city.zh,
            "issuer": plan.issuer.zh,
            "number": plan.number,
        }
        year, month, day = plan.date.split("-")
        printed["date"] = f"{year}年{int(month)}月{int(day)}日"
        yield from (Claim("document", plan.id, NOTICE, (words,)) for words in printed.values())


def _zones(facts: Facts) -> Iterator[Claim]:
    for zone in facts.zones.values():
        names = _names(zone)
        yield from _named("zone", zone.id, zone.clauses, names)
        yield from _terms("positioning", zone.id, zone.positioning, subject=names)
        for task in zone.tasks:
            yield Claim("task", zone.id, task.clause, (task.term.zh,), verb=task.verb)


def _areas(facts: Facts) -> Iterator[Claim]:
    for area in facts.areas.values():
        labels = _labels(area.id, facts)
        for clause in dict.fromkeys((area.clause, *area.clauses)):
            yield Claim("area", area.id, clause, labels[:1])
        yield from _terms("relation", area.id, (area.relation,))
        yield from _terms("positioning", area.id, area.positioning, subject=labels)
        yield from _terms("method", area.id, area.methods)
        for anchor in area.anchors:
            words = (anchor.term or area.relation.term).zh
            names = _names(facts.zones[anchor.zone]) if anchor.zone in facts.zones else (anchor.zone,)
            yield Claim("anchor", area.id, area.relation.clause, names, beside=(words,))
        members = (facts.zones[member] for member in area.members if member in facts.zones)
        yield from (Claim("member", area.id, area.clause, _names(zone)) for zone in members)


def _designations(facts: Facts) -> Iterator[Claim]:
    for row in facts.designations:
        subject = _labels(row.zone, facts)
        yield Claim("designation", row.zone, row.clause, (row.term.zh,), subject=subject, verb=row.verb)


def _industries(facts: Facts) -> Iterator[Claim]:
    for row in facts.industries.values():
        for named in row.named:
            yield Claim("industry", row.id, named.clause, (named.term.zh,), verb=named.verb or "")


def _clusters(facts: Facts) -> Iterator[Claim]:
    for cluster in facts.clusters.values():
        for clause in (cluster.clause, *cluster.clauses):
            yield Claim("cluster", cluster.id, clause, (cluster.name.zh,))
        yield from _terms("goal", cluster.id, cluster.goals)
        yield from _terms("focus", cluster.id, cluster.focus)
        if cluster.target:
            yield Claim("target", cluster.id, cluster.target.clause, (cluster.target.wording,))
            yield Claim("measure", cluster.id, cluster.target.clause, (cluster.target.measure.zh,))
            yield _year(cluster.id, cluster.target.clause, cluster.target.year)


def _chains(facts: Facts) -> Iterator[Claim]:
    for row in facts.chains.values():
        subject = _labels(row.zone, facts) if row.zone else ()
        if row.name:
            yield Claim("chain", row.id, row.clause, (row.name.zh,), subject=subject)


def _platforms(facts: Facts) -> Iterator[Claim]:
    for platform in facts.platforms.values():
        names = _names(platform)
        yield from _named("platform", platform.id, platform.clauses, names)
        yield from _terms("field", platform.id, platform.fields)
        yield from _terms("remark", platform.id, platform.remarks)


def _ties(facts: Facts) -> Iterator[Claim]:
    for row in facts.ties:
        yield Claim("tie", row.subject, row.clause, (row.term.zh,))


def _vocabulary(facts: Facts) -> Iterator[Claim]:
    for word in facts.vocabulary:
        yield from (Claim("word", word.zh, clause, (word.zh,)) for clause in word.clauses)


def _gateways(facts: Facts) -> Iterator[Claim]:
    for gateway in facts.gateways.values():
        names = (gateway.name.zh, *gateway.aliases)
        yield from _named("gateway", gateway.id, gateway.clauses, names)


def _indicators(facts: Facts) -> Iterator[Claim]:
    for indicator in facts.indicators.values():
        for figure in filter(None, (indicator.base, indicator.target)):
            yield Claim("indicator", indicator.id, figure.clause, (figure.wording,))
            if figure.year is not None:
                yield _year(indicator.id, figure.clause, figure.year)


def _terms(kind: str, record: str, terms: tuple[model.Term, ...], subject: Spellings = ()) -> Iterator[Claim]:
    yield from (Claim(kind, record, term.clause, (term.term.zh,), subject=subject) for term in terms)


def _named(kind: str, record: str, clauses: tuple[str, ...], names: Spellings) -> Iterator[Claim]:
    """Yield that each clause names the record somehow, and that one of them prints its very name."""
    yield from (Claim(kind, record, clause, names) for clause in clauses)
    if clauses:
        yield Claim("name", record, clauses[0], names[:1], also=clauses[1:])


def _year(record: str, clause: str, year: int) -> Claim:
    return Claim("year", record, clause, (f"{year}年",), also=tuple(above(clause)))


def _names(named: model.Zone | model.Platform) -> Spellings:
    printed = getattr(named, "printed", None)
    full = getattr(named, "full_name", None)
    names = (printed or named.name.zh, named.name.zh, full and full.zh, *named.aliases)
    return tuple(dict.fromkeys(filter(None, names)))


def _labels(place: str, facts: Facts) -> Spellings:
    """Return what the plan may call `place` where it says what the place is for."""
    if place in facts.zones:
        return _names(facts.zones[place])
    area = facts.areas.get(place)
    return (
        (area.printed or area.name.zh, area.relation.term.zh) if area else (place,)
    )  # no such place: never printed


_SOURCES: tuple[Callable[[Facts], Iterator[Claim]], ...] = (
    _plans,
    _zones,
    _areas,
    _designations,
    _industries,
    _clusters,
    _chains,
    _platforms,
    _ties,
    _vocabulary,
    _gateways,
    _indicators,
)
