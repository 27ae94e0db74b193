"""What the plan says of a zone and an industry: one function that knows every kind of answer.

An industry may be listed for the zone itself; be served by a task or a positioning of it (our reading of
the plan's words); be listed for, or served by the positioning of, an area of which the zone is the centre,
core, support or part, or the whole city; or be printed elsewhere only. Whoever says "no" of a zone and an
industry asks here first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal, TypedDict

from layers.links import Link, Statement, Words, link_place, to_statements, to_words

if TYPE_CHECKING:
    from geodata.model import Area, Designation, Industry, Task, Term, Zone
    from layers.relations import Place, Relations

WHOLE_CITY = "whole-city"
# Strongest first. "elsewhere": the plan names it, but for other places or for none.
Kind = Literal["zone", "task", "positioning", "area", "city", "elsewhere"]
Role = Literal["core", "centre", "support", "part", "city"]
LEAST_LETTERS = 3  # of a word in a positioning: 海洋 or 园区 alone would name half the industries


@dataclass(frozen=True)
class Bond:
    """How a zone belongs to an area: its role, and the place inside the zone that has it, if not itself."""

    area: Area
    role: Role
    term: Term  # the plan's own words for it
    through: Zone | None = None


class CitedIndustry(TypedDict):
    """An industry that the plan lists for a place."""

    industry_id: str
    term: Words
    emphasis: str
    verb: str
    clause: str


class AreaIndustry(CitedIndustry):
    """An industry that the plan lists for an area."""

    name: Words
    cluster: str | None


class AreaBond(TypedDict):
    """How a zone belongs to an area, in the plan's words and with its clause."""

    area: Link
    role: Role
    through: Link | None
    relation: Words
    clause: str


class AreaIndustries(AreaBond):
    """What the plan lists for an area that a zone belongs to; the plan does not call it the zone's own."""

    layer: str
    extent: str
    industries: list[AreaIndustry]


class ThroughArea(TypedDict):
    """The area, of which a zone is part, that something is said of; None where it is said of the zone."""

    area: Link | None
    role: Role | None
    through: Link | None


class Said(ThroughArea):
    """One term of the plan that answers for a zone and an industry."""

    kind: Kind
    term: Words
    verb: str | None
    emphasis: str | None
    clause: str


class IndustryAnswer(TypedDict):
    """What the plan says of a zone and an industry, the strongest kind, and every term of it."""

    kind: Kind
    said: list[Said]


class AreaPositioning(AreaBond):
    """What the plan wants an area to become of which a zone is the centre, core or support."""

    positioning: list[Statement]


class ServingTerm(Statement, ThroughArea):
    """A task or positioning that serves an industry: our classification."""

    zone: Link
    kind: str


@dataclass(frozen=True)
class Answer:
    """What the plan says of one zone and one industry, the strongest kind first."""

    kind: Kind
    designations: tuple[Designation, ...] = ()
    tasks: tuple[Task, ...] = ()
    positioning: tuple[tuple[Bond | None, Term], ...] = ()  # the zone's own, then those of its areas
    areas: tuple[tuple[Bond, tuple[Designation, ...]], ...] = ()  # a whole-city area last


class Answers:
    """Answers of zones; areas are answered by their own designations alone."""

    def __init__(self, relations: Relations) -> None:
        self.relations = relations
        self.facts = relations.facts
        self._words = [
            (word.zh, word.industry)
            for word in self.facts.vocabulary
            if word.industry and len(word.zh) >= LEAST_LETTERS
        ]
        self._named_in = cache(self._find_named)  # for every industry, again and again

    def bonds_of(self, place: Place) -> tuple[Bond, ...]:
        """Return the areas that a zone belongs to: by itself, then by a place inside it, then city-wide."""
        from geodata.model import Area, Term  # which only a build has read

        if isinstance(place, Area):
            return ()
        anchored = sorted(
            self.relations.areas_anchored_on(place.id), key=lambda pair: pair[1].zone != place.id
        )
        found: dict[str, Bond] = {}
        for area, anchor in anchored:
            through = None if anchor.zone == place.id else self.facts.zones[anchor.zone]
            said = area.relation
            term = Term(term=anchor.term, clause=said.clause) if anchor.term else said
            found.setdefault(area.id, Bond(area, anchor.role, term, through))
        for area in self.facts.areas.values():
            if area.extent == WHOLE_CITY:
                found.setdefault(area.id, Bond(area, "city", area.relation))
        return tuple(found.values())

    def industries_of_areas(self, place: Place) -> list[AreaIndustries]:
        """Return what the plan lists for the areas that a zone belongs to, area by area."""
        rows: list[AreaIndustries] = []
        for bond in self.bonds_of(place):
            listed = [
                _area_industry(row, industry)
                for row, industry in self.relations.pairs(self.relations.designations_of(bond.area.id))
            ]
            if listed:
                rows.append(
                    {
                        "area": link_place(bond.area),
                        "layer": bond.area.layer,
                        "role": bond.role,
                        "through": link_place(bond.through) if bond.through else None,
                        "extent": bond.area.extent,
                        "relation": to_words(bond.term.term),
                        "clause": bond.term.clause,
                        "industries": listed,
                    }
                )
        return rows

    def positioning_of_areas(self, place: Place) -> list[AreaPositioning]:
        """Return the positioning of the areas whose core, centre, support or stated part the zone is."""
        return [
            {
                "area": link_place(bond.area),
                "role": bond.role,
                "through": link_place(bond.through) if bond.through else None,
                "relation": to_words(bond.term.term),
                "clause": bond.term.clause,
                "positioning": to_statements(bond.area.positioning),
            }
            for bond in self.bonds_of(place)
            if bond.role != "city" and bond.area.positioning
        ]

    def of(self, place: Place, industry_id: str) -> Answer:
        """Return what the plan says of a zone, or of an area by itself, and an industry."""
        own = tuple(row for row in self.relations.designations_of(place.id) if industry_id in row.industries)
        tasks = tuple(row for row in getattr(place, "tasks", ()) if industry_id in row.industries)
        positioning = tuple(self._positioning(place, industry_id))
        areas = tuple(self._areas(place, industry_id))
        bonds = [bond for bond, _ in (*positioning, *areas)]
        kinds: tuple[tuple[Kind, object], ...] = (
            ("zone", own),
            ("task", tasks),
            ("positioning", None in bonds),
            ("area", any(bond and bond.role != "city" for bond in bonds)),
            ("city", bonds),
        )
        kind: Kind = next((kind for kind, found in kinds if found), "elsewhere")
        return Answer(kind, own, tasks, positioning, areas)

    def by_industry(self, place: Place) -> dict[str, IndustryAnswer]:
        """Return what the plan says of each industry for a zone; one without entry is elsewhere."""
        from geodata.model import Area  # which only a build has read

        if isinstance(place, Area):
            return {}
        found = {one: self.of(place, one) for one in self.facts.industries}
        return {
            one: {"kind": answer.kind, "said": list(_said(answer))}
            for one, answer in found.items()
            if answer.kind != "elsewhere"
        }

    def reached_by(self, place: Place) -> list[str]:
        """Return the industries that are said of a place, but not listed for it."""
        return [one for one in self.facts.industries if self.of(place, one).kind not in {"zone", "elsewhere"}]

    def serving(self, industry_id: str) -> list[ServingTerm]:
        """Return every task and positioning that serves an industry: our classification.

        Of the zones first, their own and those of the areas that they belong to; then of the areas.
        """
        rows: list[ServingTerm] = []
        for place in self.relations.places.values():
            answer = self.of(place, industry_id)
            said: list[tuple[str, Bond | None, Term]] = [("task", None, task) for task in answer.tasks]
            said += [
                ("positioning", bond, term)
                for bond, term in answer.positioning
                if bond is None or bond.role != "city"
            ]
            rows += [
                {
                    "zone": link_place(place),
                    "kind": kind,
                    **_through(bond),
                    "term": to_words(term.term),
                    "clause": term.clause,
                }
                for kind, bond, term in said
            ]
        return rows

    def _positioning(self, place: Place, industry_id: str) -> Iterator[tuple[Bond | None, Term]]:
        for bond in (None, *self.bonds_of(place)):
            for term in (bond.area if bond else place).positioning:
                if industry_id in self._named_in(term.term.zh):
                    yield bond, term

    def _areas(self, place: Place, industry_id: str) -> Iterator[tuple[Bond, tuple[Designation, ...]]]:
        for bond in self.bonds_of(place):
            rows = self.relations.designations_of(bond.area.id)
            named = tuple(row for row in rows if industry_id in row.industries)
            if named:
                yield bond, named

    def _find_named(self, text: str) -> set[str]:
        """Return the industries that words of a text belong to; a word within a longer one does not count."""
        words = [(word, industry) for word, industry in self._words if word in text]
        return {
            industry
            for word, industry in words
            if industry and not any(word != other and word in other for other, _ in words)
        }


def _said(answer: Answer) -> Iterator[Said]:
    """Yield the terms of an answer, the zone's own first."""
    for row in answer.designations:
        yield _to_said("zone", row, verb=row.verb, emphasis=row.emphasis)
    for task in answer.tasks:
        yield _to_said("task", task, verb=task.verb)
    for bond, term in answer.positioning:
        yield _to_said("positioning", term, bond=bond)
    for bond, rows in answer.areas:
        kind: Kind = "city" if bond.role == "city" else "area"
        for row in rows:
            yield _to_said(kind, row, verb=row.verb, emphasis=row.emphasis, bond=bond)


def _to_said(
    kind: Kind,
    row: Designation | Term,
    *,
    verb: str | None = None,
    emphasis: str | None = None,
    bond: Bond | None = None,
) -> Said:
    return {
        "kind": kind,
        "term": to_words(row.term),
        "verb": verb,
        "emphasis": emphasis,
        "clause": row.clause,
        **_through(bond),
    }


def _through(bond: Bond | None) -> ThroughArea:
    return {
        "area": link_place(bond.area) if bond else None,
        "role": bond.role if bond else None,
        "through": link_place(bond.through) if bond and bond.through else None,
    }


def _area_industry(row: Designation, industry: Industry) -> AreaIndustry:
    return {
        "industry_id": industry.id,
        "name": to_words(industry.name),
        "term": to_words(row.term),
        "verb": row.verb,
        "emphasis": row.emphasis,
        "clause": row.clause,
        "cluster": industry.cluster,
    }
