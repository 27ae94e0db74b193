"""The tables of the contract: designations, industries, clusters, chains, indicators, clauses, agencies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from geodata.boundaries import Properties
from geodata.kinds import LANGUAGES

if TYPE_CHECKING:
    from geodata.model import Indicator, Text
    from layers.relations import Relations


def build_tables(relations: Relations) -> dict[str, list[Properties]]:
    """Return every table of the contract as rows of plain values, in the order of the facts."""
    return {
        "designations": list(_designations(relations)),
        "industries": list(_industries(relations)),
        "clusters": list(_clusters(relations)),
        "chains": list(_chains(relations)),
        "indicators": [_indicator(row) for row in relations.facts.indicators.values()],
        "clauses": list(_clauses(relations)),
        "agencies": [
            {"id": row.id, **_texts("name", row.name), "level": row.level}
            for row in relations.facts.agencies.values()
        ],
    }


def _designations(relations: Relations) -> Iterator[Properties]:
    facts = relations.facts
    for row, industry in relations.pairs(facts.designations):
        yield {
            "zone_id": row.zone,
            **_texts("zone", relations.places[row.zone].name),
            "industry_id": industry.id,
            **_texts("industry", industry.name),
            **_texts("term", row.term),
            "emphasis": row.emphasis,
            "verb_zh": row.verb,
            "clause": row.clause,
            "cluster_id": industry.cluster,
        }


def _industries(relations: Relations) -> Iterator[Properties]:
    for row in relations.facts.industries.values():
        yield {
            "id": row.id,
            **_texts("name", row.name),
            "cluster_id": row.cluster,
            "gbt4754": list(row.gbt4754),
            "isic4": list(row.isic4),
            **{f"synonyms_{one}": list(relations.words_of(row.id, one)) for one in LANGUAGES},
        }


def _clusters(relations: Relations) -> Iterator[Properties]:
    for row in relations.facts.clusters.values():
        target = row.target
        yield {
            "id": row.id,
            "number": row.number,
            **_texts("name", row.name),
            "letter": row.letter,
            "colour": row.colour,
            "target_value": target.value if target else None,
            **_texts("target_unit", target.unit if target else None),
            "target_year": target.year if target else None,
            "target_comparator": target.comparator if target else None,
            **_texts("target_measure", target.measure if target else None),
            "clause": row.clause,
            **_texts("missing_reason", row.no_target),
        }


def _chains(relations: Relations) -> Iterator[Properties]:
    for row in relations.facts.chains.values():
        yield {
            "id": row.id,
            "kind": row.kind,
            **_texts("name", row.name),
            "industry_id": next(iter(row.industries), None),
            "zone_id": row.zone,
            "clause": row.clause,
            **_texts("missing_reason", row.no_name),
        }


def _indicator(row: Indicator) -> Properties:
    return {
        "id": row.id,
        "group": row.group,
        **_texts("name", row.name),
        **_texts("unit", row.unit),
        "direction": row.direction,
        "base_value": row.base.value if row.base else None,
        "base_year": row.base.year if row.base else None,
        "base_clause": row.base.clause if row.base else None,
        "target_value": row.target.value if row.target else None,
        "target_comparator": row.target.comparator if row.target else None,
        "target_year": row.target.year if row.target else None,
        "target_clause": row.target.clause if row.target else None,
        "target_below_base": target_below_base(row),
        **_texts("missing_reason", row.no_base or row.no_target),
    }


def target_below_base(row: Indicator) -> bool | None:
    """Return whether the plan asks for less than there was, or None where it cannot be compared."""
    if row.base is None or row.target is None:
        return None
    return row.target.value < row.base.value


def _clauses(relations: Relations) -> Iterator[Properties]:
    for row in relations.facts.clauses.values():
        printed_in, units = relations.units_of(row.id)
        yield {
            "id": row.id,
            "parent_id": row.parent,
            **_texts("title", row.title),
            "responsible_units": [unit.name.zh for unit in units],
            "units_from": printed_in,
            **_texts("note", row.note),
        }


def _texts(name: str, text: Text | None) -> dict[str, str | None]:
    return {f"{name}_{language}": getattr(text, language) if text else None for language in LANGUAGES}
