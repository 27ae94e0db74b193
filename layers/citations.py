"""The tables of the contract; each fact with the clause that is cited for it; the indicators of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from geodata.boundaries import Properties
from geodata.kinds import LANGUAGES
from layers.answers import AreaIndustry, Said
from layers.document_types import (
    CitedTerm,
    IndicatorDocument,
    IndicatorFigure,
    PlaceIndustry,
    TargetEntry,
)
from layers.links import Citation, StatedFigure, link_place, to_reached, to_words, to_words_or_none

if TYPE_CHECKING:
    from geodata.local import LocalAdditions
    from geodata.model import Indicator, IndicatorValue, Target, Text
    from layers.relations import Place, Relations


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


def build_citations(relations: Relations) -> list[Citation]:
    """Return every fact of every clause: its kind, the place it is about, the term, a figure, an address."""
    return list(
        chain(
            _of_places(relations),
            _of_designations(relations),
            _of_industries(relations),
            _of_clusters(relations),
            _of_chains(relations),
            _of_points(relations),
            _of_indicators(relations),
        )
    )


def build_indicators(relations: Relations, local: LocalAdditions) -> list[IndicatorDocument]:
    """Return the indicators with base, target and what was reached, as the page shows them."""
    return [
        {
            "id": row.id,
            "group": row.group,
            "name": to_words(row.name),
            "unit": to_words(row.unit),
            "direction": row.direction,
            "base": _stated(row.base),
            "no_base": to_words_or_none(row.no_base),
            "target": _stated(row.target),
            "no_target": to_words_or_none(row.no_target),
            "note": to_words_or_none(row.note),
            "below_base": bool(target_below_base(row)),
            "outcomes": to_reached(local.outcomes_of(row.id), row.unit),
        }
        for row in relations.facts.indicators.values()
    ]


def to_cited(row: PlaceIndustry | AreaIndustry | Said) -> CitedTerm:
    """Return a term of the plan with what cites it."""
    return {
        "term": row["term"],
        "emphasis": row["emphasis"],
        "verb": row["verb"],
        "clause": row["clause"],
    }


def to_target(target: Target) -> TargetEntry:
    """Return a cluster's target, as the plan has it."""
    return {
        "value": target.value,
        "unit": to_words(target.unit),
        "year": target.year,
        "measure": to_words(target.measure),
        "wording": target.wording,
        "clause": target.clause,
        "comparator": target.comparator,
    }


def _stated(value: IndicatorValue | None) -> IndicatorFigure | None:
    if value is None:
        return None
    return {
        "value": value.value,
        "year": value.year,
        "wording": value.wording,
        "clause": value.clause,
        "comparator": value.comparator,
    }


def _of_places(relations: Relations) -> Iterator[Citation]:
    for place in relations.places.values():
        stated = {term.clause for term in place.positioning}
        stated |= {row.clause for row in relations.designations_of(place.id)}
        for clause in place.clauses:
            if clause not in stated:
                yield _citation("name", clause, place=place)
        for kind in ("positioning", "tasks", "methods"):
            for term in getattr(place, kind, ()):
                yield _citation(kind.removesuffix("s"), term.clause, place=place, term=term.term)
        relation = getattr(place, "relation", None)
        if relation:
            yield _citation("relation", relation.clause, place=place, term=relation.term)


def _of_designations(relations: Relations) -> Iterator[Citation]:
    for row in relations.facts.designations:
        url = f"/industries/{row.industries[0]}"
        yield _citation("designation", row.clause, place=relations.places[row.zone], term=row.term, url=url)


def _of_industries(relations: Relations) -> Iterator[Citation]:
    for row in relations.facts.industries.values():
        for named in row.named:
            yield _citation("industry", named.clause, term=named.term, url=f"/industries/{row.id}")


def _of_clusters(relations: Relations) -> Iterator[Citation]:
    told = {_key(row.target) for row in relations.facts.indicators.values() if row.target}
    for row in relations.facts.clusters.values():
        url = f"/clusters/{row.id}"
        for clause in (row.clause, *row.clauses):
            yield _citation("cluster", clause, term=row.name, url=url)
        if row.target and _key(row.target) not in told:
            figure = _figure(row.target, row.target.unit)
            yield _citation("target", row.target.clause, term=row.name, figure=figure, url=url)
        for kind, terms in (("goal", row.goals), ("focus", row.focus)):
            yield from (_citation(kind, term.clause, term=term.term) for term in terms)


def _of_chains(relations: Relations) -> Iterator[Citation]:
    for row in relations.facts.chains.values():
        if row.name:
            place = relations.places[row.zone] if row.zone else None
            yield _citation("chain", row.clause, place=place, term=row.name)


def _of_points(relations: Relations) -> Iterator[Citation]:
    facts = relations.facts
    for kind, rows in (("platform", facts.platforms), ("gateway", facts.gateways)):
        for row in rows.values():
            for clause in row.clauses:
                yield _citation(kind, clause, term=row.name, url=f"/places/{row.id}")
    for platform in facts.platforms.values():
        for kind in ("fields", "remarks"):
            for one in getattr(platform, kind):
                yield _citation(kind[:-1], one.clause, term=one.term, url=f"/places/{platform.id}")
    for tie in facts.ties:
        about = relations.places.get(tie.subject)
        url = None if about else f"/places/{tie.subject}"
        yield _citation("tie", tie.clause, place=about, term=tie.term, url=url)


def _of_indicators(relations: Relations) -> Iterator[Citation]:
    """Yield base and target of every indicator; a cluster's target is told once, and leads to the cluster."""
    clusters = {_key(row.target): row.id for row in relations.facts.clusters.values() if row.target}
    for row in relations.facts.indicators.values():
        for kind, value in (("base", row.base), ("target", row.target)):
            if value:
                cluster = clusters.get(_key(value)) if kind == "target" else None
                url = f"/clusters/{cluster}" if cluster else "/indicators"
                yield _citation(kind, value.clause, term=row.name, figure=_figure(value, row.unit), url=url)


def _key(value: IndicatorValue | Target) -> tuple[str, float, int | None]:
    """Return what a figure is the same by, whoever records it."""
    return value.clause, value.value, value.year


def _figure(value: IndicatorValue | Target, unit: Text) -> StatedFigure:
    """Return a figure in parts: the pages write number and unit as their language does."""
    return {"value": value.value, "unit": to_words(unit), "year": value.year, "comparator": value.comparator}


def _citation(
    kind: str,
    clause: str,
    *,
    place: Place | None = None,
    term: Text | None = None,
    figure: StatedFigure | None = None,
    url: str | None = None,
) -> Citation:
    return {
        "kind": kind,
        "clause": clause,
        "zone": link_place(place) if place else None,
        "term": to_words_or_none(term),
        "figure": figure,
        "url": url,
    }
