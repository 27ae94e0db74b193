"""What documents say of each other: links, terms with their clauses, figures, who answers for what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from geodata.model import Gateway, Platform, Task, Term, Text, Tie
from layers.relations import Place

Words = dict[str, str]  # a text by language


class Link(TypedDict):
    """What leads to a place, an industry, an agency …; `url` is None where it has no page."""

    id: str
    name: Words
    url: str | None


class ClauseLink(TypedDict):
    """What leads to a clause of the plan."""

    id: str
    title: Words
    url: str


class Statement(TypedDict):
    """A term of the plan's own, and the clause that prints it."""

    term: Words
    clause: str


class ResponsibleUnit(TypedDict):
    """A body that the plan makes responsible, and the clause that prints it."""

    agency_id: str
    id: str
    name: Words
    url: str
    clause: str
    leads: bool  # whether it is the first of the block that the clause prints


class StatedFigure(TypedDict):
    """A number that a clause prints, in parts."""

    value: float
    unit: Words
    year: int | None
    comparator: str


class Citation(TypedDict):
    """One fact of a clause: what kind it is, the place it is about, the term, a figure, an address."""

    kind: str
    clause: str
    zone: Link | None
    term: Words | None
    figure: StatedFigure | None
    url: str | None


class Sources(TypedDict):
    """Who answers for what some clauses say."""

    responsible_units: list[ResponsibleUnit]
    clauses: list[ClauseLink]


def to_words(text: Text) -> Words:
    """Return a text in every language."""
    words: Words = text.model_dump()
    return words


def to_words_or_none(text: Text | None) -> Words | None:
    """Return a text in every language, None where there is none."""
    return to_words(text) if text else None


def to_statements(terms: Iterable[Term]) -> list[Statement]:
    """Return the terms that the plan prints, each with its clause."""
    return [{"term": to_words(row.term), "clause": row.clause} for row in terms]


def to_task(row: Task) -> dict[str, object]:
    """Return what the plan wants done with a zone, its verb, and the industries we file it under."""
    note = to_words_or_none(row.note)
    return {**to_statements([row])[0], "verb": row.verb, "industries": list(row.industries), "note": note}


def to_tie(row: Tie, subject: object, other: object) -> dict[str, object]:
    """Return how the plan ties `subject` to `other`, of which there may be no record."""
    said = {"term": to_words(row.term), "clause": row.clause}
    return {"subject": subject, "object": other, "role": row.role, **said}


def to_url(layer: str, row_id: str) -> str:
    """Return the address of a place's page."""
    return f"/places/{row_id}" if layer in {"platforms", "gateways", "points"} else f"/zones/{row_id}"


def link_place(place: Place) -> Link:
    """Return the link of a county, zone, park or area."""
    return {"id": place.id, "name": to_words(place.name), "url": to_url(place.layer, place.id)}


def link_point(row: Platform | Gateway) -> Link:
    """Return the link of a platform or gateway."""
    return {"id": row.id, "name": to_words(row.name), "url": to_url("points", row.id)}
