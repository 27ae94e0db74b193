"""Prove every term, name and figure of the facts in the text of its clause.

What the facts say in the plan's words are claims, each with the clause that must say it. Pure: facts and text
in, report out, as data and as lines for people. Only width of punctuation and white space are normalised.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from difflib import SequenceMatcher
from functools import cached_property
from itertools import chain, product

from geodata import model
from geodata.check import known_words, prints_word, uncovered, words_by_clause
from geodata.document import NOTICE, Document, above, item_of, normalise, parse_document
from geodata.messages import Language, list_words, to_message, word
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
    for one in facts.vocabulary:
        yield from (Claim("word", one.zh, clause, (one.zh,)) for clause in one.clauses)


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


OMITTED = "…"  # in a verb: words between its parts
_NEAR = 6  # characters shown on each side of the nearest text
_REPEATED = {"name", "year", "word"}  # said of a fact that counts already, or no fact of its own
_SHORTEST_MATCH = 2  # one common character is no likeness


def audit_facts(facts: Facts, plan_text: str) -> AuditReport:
    """Compare `facts` with `plan_text`; never raises on either."""
    proof = _Proof(facts, parse_document(plan_text))
    known = facts.clauses
    return AuditReport(
        total=len(proof.claims) + proof.units_checked,
        misses=(*proof.misses, *proof.unit_misses, *proof.printed_synonyms(), *proof.lost_ranks()),
        clauses=tuple(proof.use_of(clause) for clause in known),
        uncited=tuple(clause for clause in known if not proof.contributes(clause)),
        uncovered=tuple(clause for clause in known if proof.lacks_facts(clause)),
        missing=tuple(clause for clause in proof.texts if clause not in known),
        unknown=tuple(clause for clause in known if clause not in proof.texts),
        unlisted=dict(proof.unlisted()) if facts.vocabulary else {},
    )


class _Proof:
    """Facts and text side by side, with what has been compared so far."""

    def __init__(self, facts: Facts, document: Document) -> None:
        self.facts = facts
        self.document = document
        self.texts = {clause: document.text(clause).replace("\n", "") for clause in document.own}
        self.claims = [_normalised(claim) for claim in claims_of(facts)]

    @cached_property
    def misses(self) -> tuple[Miss, ...]:
        """What the clauses do not print."""
        codes = ((claim, self._prove(claim)) for claim in self.claims)
        return tuple(self._miss(claim, code) for claim, code in codes if code)

    @cached_property
    def unit_misses(self) -> tuple[Miss, ...]:
        """Where the responsible units differ from the printed blocks, either way."""
        blocks = (miss for clause in self._clauses_with_units for miss in self._compare_units(clause))
        return (*blocks, *self._government_misses())

    @cached_property
    def units_checked(self) -> int:
        """How many names of responsible units stand in the data or in the text."""
        names = (len({*self._listed(clause), *self._printed(clause)}) for clause in self._clauses_with_units)
        return sum(names) + sum(bool(row.governs) for row in self.facts.agencies.values())

    @cached_property
    def used(self) -> dict[str, Counter[str]]:
        """Number of proven words by clause and kind."""
        used: dict[str, Counter[str]] = {}
        missed = {(miss.kind, miss.record, miss.clause, miss.expected) for miss in self.misses}
        for claim in self.claims:
            key = (claim.kind, claim.record, claim.clause, claim.label)
            if claim.kind not in _REPEATED and key not in missed:
                used.setdefault(claim.clause, Counter())[claim.kind] += 1
        for clause in self._clauses_with_units:
            units = len({*self._listed(clause)} & {*self._printed(clause)})
            used.setdefault(clause, Counter())["unit"] += units
        return used

    def contributes(self, clause: str) -> Counter[str]:
        """Return what `clause` itself brings, by kind."""
        return +self.used.get(clause, Counter())

    def use_of(self, clause: str) -> ClauseUse:
        """Return the line of `clause` in the report."""
        title = self.facts.clauses[clause].title
        contributes = dict(sorted(self.contributes(clause).items()))
        return ClauseUse(clause, title.zh, title.en, contributes, self._units_of(clause))

    def lacks_facts(self, clause: str) -> bool:
        """Return whether `clause` must bring a fact, and neither it nor a clause below it does."""
        needed = any(
            row.needs_facts for name in (clause, *above(clause)) if (row := self.facts.clauses.get(name))
        )
        below = (name for name in self.facts.clauses if clause in (name, *above(name)))
        return needed and not any(self.contributes(name) for name in below)

    def printed_synonyms(self) -> Iterator[Miss]:
        """Yield each of our synonyms that a clause prints: it is the plan's word, and no synonym.

        What only stands across two of the plan's words, or within one, is not printed.
        """
        common, own = known_words(self.facts), words_by_clause(self.facts)
        for row in self.facts.thesaurus:
            for synonym in map(normalise, row.zh):
                clauses = tuple(
                    name
                    for name, text in self.document.own.items()
                    if synonym in text and prints_word(text, synonym, common | own.get(name, set()))
                )
                if clauses:
                    yield Miss(
                        "synonym-printed", "synonym", row.zh[0], clauses[0], synonym, elsewhere=clauses
                    )

    def lost_ranks(self) -> Iterator[Miss]:
        """Yield each platform or title that the plan calls the first or only one, and the facts do not."""
        ranks, every = "|".join(list_words("ranks")), self.facts.platforms.values()
        for row in every:
            name = re.escape(normalise(row.name.zh).strip("“”"))
            for clause in row.clauses:
                printed = re.search(rf"({ranks})“?{name}", self.texts.get(clause, ""))
                longer = (one for one in every if printed and row.name.zh in one.name.zh)
                said = (text for one in longer for text in (one.name.zh, *(r.term.zh for r in one.remarks)))
                if printed and not any(printed[1] in text for text in said):
                    yield Miss("rank-omitted", "platform", row.id, clause, row.name.zh, beside=printed[1])

    def unlisted(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield each clause with the words it prints that neither the facts nor the vocabulary have."""
        common, own = known_words(self.facts), words_by_clause(self.facts)
        for clause, text in self.document.own.items():
            words = tuple(dict.fromkeys(uncovered(text, common | own.get(clause, set()))))
            if words:
                yield clause, words

    def _units_of(self, clause: str) -> str | None:
        item = item_of(clause)
        return item if item and not self._listed(clause) and self.contributes(item)["unit"] else None

    def _prove(self, claim: Claim) -> str | None:
        """Return the code of what is wrong with `claim`, None if the plan says it."""
        if claim.clause not in self.texts:
            return "no-clause"
        if not any(
            _contains(self.texts.get(name, ""), claim.spellings) for name in (claim.clause, *claim.also)
        ):
            return "not-in-clause"
        sentences = self._sentences(claim)
        if claim.subject and not any(self._names_subject(claim, sentence) for sentence in sentences):
            return "no-subject"
        if claim.beside and not any(_contains(sentence, claim.beside) for sentence in sentences):
            return "not-beside"
        return _verb_fault(claim, sentences) if claim.verb else None

    def _sentences(self, claim: Claim) -> list[str]:
        return [text for text in self.document.sentences(claim.clause) if _contains(text, claim.spellings)]

    def _names_subject(self, claim: Claim, sentence: str) -> bool:
        heading = self.document.sentences(claim.clause)[0]
        return _contains(heading, claim.subject) or _names_before(claim, sentence)

    def _miss(self, claim: Claim, code: str) -> Miss:
        elsewhere = tuple(
            name for name, text in self.texts.items() if claim.label in text and name != claim.clause
        )
        return Miss(
            code=code,
            kind=claim.kind,
            record=claim.record,
            clause=claim.clause,
            expected=claim.label,
            beside=claim.verb or " ".join(claim.beside),
            nearest=_nearest(claim.label, self.texts.get(claim.clause, ""))
            if code == "not-in-clause"
            else "",
            elsewhere=elsewhere if code in {"no-clause", "not-in-clause"} else (),
        )

    @property
    def _clauses_with_units(self) -> list[str]:
        listed = (row.id for row in self.facts.clauses.values() if row.responsible_units)
        return list(dict.fromkeys((*listed, *self.document.units)))

    def _listed(self, clause: str) -> tuple[str, ...]:
        row = self.facts.clauses.get(clause)
        units = row.responsible_units if row else ()
        agencies = self.facts.agencies
        return tuple(normalise(agencies[unit].name.zh) if unit in agencies else unit for unit in units)

    def _printed(self, clause: str) -> tuple[str, ...]:
        return self.document.units.get(clause, ())

    def _compare_units(self, clause: str) -> Iterator[Miss]:
        listed, printed = self._listed(clause), self._printed(clause)
        for name in listed:
            if name not in printed:
                yield Miss(
                    "unit-not-printed",
                    "unit",
                    clause,
                    clause,
                    name,
                    nearest=_nearest(name, "、".join(printed)),
                )
        for name in printed:
            if name not in listed:
                yield Miss("unit-not-listed", "unit", clause, clause, name)
        if listed != printed and sorted(listed) == sorted(printed):
            yield Miss("unit-order", "unit", clause, clause, "、".join(printed))

    def _addresses(self, clause: str, name: str) -> bool:
        """Return whether `clause` is the notice and `name` one of the bodies that it is sent to."""
        lines = self.document.own.get(clause, "").splitlines() if clause == NOTICE else []
        return any(name in re.split("[,、:]", line) for line in lines if line.endswith(":"))

    def _government_misses(self) -> Iterator[Miss]:
        """Yield who is said to govern a place in a clause that does not print it, or not by that name."""
        for row in self.facts.agencies.values():
            if row.governs is None:
                continue
            name, clause = normalise(row.name.zh), row.governs.clause
            zone = self.facts.zones.get(row.governs.zone)
            spellings = (zone.name.zh, zone.short_name.zh if zone.short_name else "") if zone else ()
            if not (name in self._printed(clause) or self._addresses(clause, name)):
                yield Miss("unit-not-printed", "government", row.id, clause, name)
            elif not any(name.startswith(normalise(one)) for one in spellings if one):
                yield Miss("no-subject", "government", row.id, clause, name)


def _normalised(claim: Claim) -> Claim:
    spellings, subject, beside = (
        tuple(map(normalise, words)) for words in (claim.spellings, claim.subject, claim.beside)
    )
    return replace(claim, spellings=spellings, subject=subject, beside=beside, verb=normalise(claim.verb))


def _verb_fault(claim: Claim, sentences: list[str]) -> str | None:
    """Return the code of what is wrong with a claim's verb: not printed, or without its grade."""
    parts = claim.verb.split(OMITTED)
    pattern = ".*".join(map(re.escape, parts))
    said = [text for text in sentences if re.search(pattern, text)]
    if not said:
        return "not-beside"
    heads = (text.partition(spelling)[0] for text in said for spelling in claim.spellings if spelling in text)
    befores = [before for before, verb, _ in (head.rpartition(parts[0]) for head in heads) if verb]
    return (
        "verb-cut" if befores and all(before.endswith(list_words("grades")) for before in befores) else None
    )


def _names_before(claim: Claim, sentence: str) -> bool:
    """Return whether the subject stands before the words, is explained by them, or is made of them."""
    for words, subject in product(claim.spellings, claim.subject):
        explained = re.search(rf"{re.escape(words)}[^,、——]*——{re.escape(subject)}", sentence) is not None
        made_of = words in subject and subject in sentence
        if explained or made_of or subject in sentence.rpartition(words)[0]:
            return True
    return False


def _contains(text: str, spellings: Spellings) -> bool:
    return any(spelling in text for spelling in spellings)


def _nearest(expected: str, text: str) -> str:
    """Return the passage of `text` around the longest run it shares with `expected`."""
    match = SequenceMatcher(None, expected, text, autojunk=False).find_longest_match()
    if match.size < min(_SHORTEST_MATCH, len(expected)):
        return ""
    start = match.b - match.a
    return text[max(0, start - _NEAR) : start + len(expected) + _NEAR]


@dataclass(frozen=True, slots=True)
class Miss:
    """Something that the facts say and the clause does not, or the other way round."""

    code: str
    kind: str
    record: str
    clause: str
    expected: str
    beside: str = ""
    nearest: str = ""
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClauseUse:
    """What one clause contributes: number of proven words by kind."""

    clause: str
    title_zh: str
    title_en: str
    contributes: dict[str, int]
    units_of: str | None  # the item whose responsible units serve this point too


@dataclass(frozen=True)
class AuditReport:
    """The outcome of an audit; ``ok`` says whether everything is proven and nothing is left out."""

    total: int
    misses: tuple[Miss, ...]
    clauses: tuple[ClauseUse, ...]
    uncited: tuple[str, ...]  # clauses that no fact cites; they may, but need not, bring one
    uncovered: tuple[str, ...]  # clauses that must bring a fact, themselves or below, and bring none
    missing: tuple[str, ...]  # clauses of the text that the data lack
    unknown: tuple[str, ...]  # clauses of the data that the text lacks
    unlisted: dict[str, tuple[str, ...]]  # by clause, words of it that neither facts nor vocabulary have

    @property
    def ok(self) -> bool:
        """Return whether the audit passes."""
        return not (self.misses or self.uncovered or self.missing or self.unknown or self.unlisted)

    @property
    def proven(self) -> int:
        """Return how many of the words checked the plan prints."""
        return self.total - len(self.misses)

    def to_dict(self) -> dict[str, object]:
        """Return the report as plain data for ``--json``."""
        return {"ok": self.ok, "proven": self.proven, **asdict(self)}

    def lines(self, language: Language = "zh") -> list[str]:
        """Return the report for people, one line each."""
        share = f"{self.proven / self.total:.1%}" if self.total else "—"
        summary = to_message("audit-proven", language, total=self.total, proven=self.proven, share=share)
        return [
            to_message("audit-clauses", language),
            *(_clause_line(use, language) for use in self.clauses),
            *self._lists(language),
            *(line for miss in self.misses for line in _miss_lines(miss, language)),
            summary,
        ]

    def _lists(self, language: Language) -> Iterator[str]:
        for name in ("uncited", "uncovered", "missing", "unknown"):
            clauses = getattr(self, name)
            if clauses:
                yield to_message(f"audit-{name}", language, count=len(clauses), clauses=" ".join(clauses))
        for clause, words in self.unlisted.items():
            yield to_message("audit-unlisted", language, clause=clause, words=" ".join(words))


def _clause_line(use: ClauseUse, language: Language) -> str:
    parts = [f"{word('audit-kinds', language, kind)} {count}" for kind, count in use.contributes.items()]
    if use.units_of:
        parts.append(to_message("audit-inherits", language, item=use.units_of))
    contributes = ", ".join(parts) or to_message("audit-nothing", language)
    title = use.title_zh if language == "zh" else use.title_en
    return to_message("audit-clause", language, clause=use.clause, title=title, contributes=contributes)


def _miss_lines(miss: Miss, language: Language) -> Iterator[str]:
    reason = to_message(miss.code, language, beside=miss.beside)
    kind = word("audit-kinds", language, miss.kind)
    yield to_message(
        "audit-miss",
        language,
        kind=kind,
        record=miss.record,
        clause=miss.clause,
        expected=miss.expected,
        reason=reason,
    )
    if miss.nearest:
        yield to_message("audit-nearest", language, nearest=miss.nearest)
    if miss.elsewhere:
        yield to_message("audit-elsewhere", language, clauses=" ".join(miss.elsewhere))
