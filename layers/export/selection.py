"""What of the layers and tables goes into a file: the map's own filters. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from layers.export.flat import values_of
from layers.export.job import Part, Row


@dataclass(frozen=True)
class Choice:
    """The filters: layers to keep, industries, and a place with all that lies in it. None: no filter."""

    layers: tuple[str, ...] | None = None
    industries: frozenset[str] | None = None
    place: str | None = None


def select(parts: Sequence[Part], choice: Choice) -> list[Part]:
    """Return the parts with the rows that the choice keeps.

    A table is filtered where its rows name an industry or a zone, else it stays whole: it explains the
    layers. A layer whose features have no industries keeps none when industries are asked for.
    """
    kept = [part for part in parts if choice.layers is None or not part.spatial or part.id in choice.layers]
    inside = None if choice.place is None else _inside(choice.place, parts)
    return [Part(part.info, [row for row in part.rows if _fits(row, part, choice, inside)]) for part in kept]


def _fits(row: Row, part: Part, choice: Choice, inside: frozenset[str] | None) -> bool:
    values = values_of(row, part)
    places = [values[name] for name in ("id", "parent_id") if name in values] if part.spatial else []
    places += [values["zone_id"]] if "zone_id" in values else []
    placed = inside is None or not places or bool(inside.intersection(places))
    if choice.industries is None or not placed:
        return placed
    named = _industries(values, part)
    return not part.spatial if named is None else bool(choice.industries.intersection(named))


def _industries(values: Row, part: Part) -> list[str] | None:
    """Return the industries that a row names, None where such rows name none."""
    if part.id == "industries":
        return [values["id"]]
    if "industries" in values:
        return [one["industry_id"] for one in values["industries"]]
    if "industry_ids" in values:
        return list(values["industry_ids"])
    return [values["industry_id"]] if "industry_id" in values else None


def _inside(place: str, parts: Iterable[Part]) -> frozenset[str]:
    """Return the place and everything that lies in it, at any depth."""
    parents = {
        row["id"]: row["properties"].get("parent_id") for part in parts if part.spatial for row in part.rows
    }
    found = {place}
    while more := {row for row, parent in parents.items() if parent in found} - found:
        found |= more
    return frozenset(found)
