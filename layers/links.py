"""What documents say of each other: links, terms with their clauses, figures, who answers for what."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict

from geodata.kinds import LANGUAGES

if TYPE_CHECKING:  # a web process has no use for what reads additions, which is large
    from geodata.local import Contact, LocalOutcome
    from geodata.model import Gateway, Platform, Term, Text
    from layers.relations import Place

Words = dict[str, str]  # a text by language
SEPARATOR = dict.fromkeys(LANGUAGES, "; ") | {"zh": "；"}  # of names that a text lists


class Link(TypedDict):
    """What leads to a place, an industry, an agency, a source …; `url` is None where it has no address."""

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


class ContactCard(TypedDict):
    """How a body or place is reached, as the operator states it: never the plan's."""

    office: Words | None
    phone: str | None
    email: str | None
    website: str | None
    address: Words | None
    source: str
    source_url: str | None
    as_of: str


class Reached(TypedDict):
    """What an indicator or cluster reached, as the operator states it: never the plan's."""

    value: float
    unit: Words
    year: int
    measure: Words | None
    source: str
    source_url: str | None
    as_of: str
    note: Words | None


class ResponsibleUnit(TypedDict):
    """A body that the plan makes responsible, and the clause that prints it."""

    agency_id: str
    id: str
    name: Words
    url: str
    clause: str
    leads: bool  # whether it is the first of the block that the clause prints
    contact: ContactCard | None


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


def to_contact(row: Contact | None) -> ContactCard | None:
    """Return how a body is reached, None where that is not known."""
    if row is None:
        return None
    return {
        "office": row.office.to_words() if row.office else None,
        "phone": row.phone,
        "email": row.email,
        "website": row.website,
        "address": row.address.to_words() if row.address else None,
        "source": row.source,
        "source_url": row.source_url,
        "as_of": row.as_of.isoformat(),
    }


def to_reached(rows: Iterable[LocalOutcome], unit: Text | None) -> list[Reached]:
    """Return what was reached, in the plan's `unit` where it has one, else as it is stated."""
    return [
        {
            "value": row.value,
            "unit": to_words(unit) if unit else dict.fromkeys(("zh", "en", "ko"), row.unit),
            "year": row.year,
            "measure": row.measure.to_words() if row.measure else None,
            "source": row.source,
            "source_url": row.source_url,
            "as_of": row.as_of.isoformat(),
            "note": row.note.to_words() if row.note else None,
        }
        for row in rows
    ]


def to_statements(terms: Iterable[Term]) -> list[Statement]:
    """Return the terms that the plan prints, each with its clause."""
    return [{"term": to_words(row.term), "clause": row.clause} for row in terms]


def to_url(layer: str, row_id: str) -> str:
    """Return the address of a place's page."""
    return f"/places/{row_id}" if layer in {"platforms", "gateways", "points"} else f"/zones/{row_id}"


def to_own_url(layer: str, row_id: str = "") -> str:
    """Return the address of the list of a layer of the operator's own, or of one of its features."""
    return f"/own/{layer}/{row_id}"


def link_place(place: Place) -> Link:
    """Return the link of a county, zone, park or area."""
    return {"id": place.id, "name": to_words(place.name), "url": to_url(place.layer, place.id)}


def link_point(row: Platform | Gateway) -> Link:
    """Return the link of a platform or gateway."""
    return {"id": row.id, "name": to_words(row.name), "url": to_url("points", row.id)}
