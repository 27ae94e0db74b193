"""What every clause of the plan is cited for: each fact with its clause, and the indicators of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from layers.answers import AreaIndustry, Said
from layers.document_types import (
    CitedTerm,
    IndicatorDocument,
    IndicatorFigure,
    PlaceIndustry,
    TargetEntry,
)
from layers.links import Citation, StatedFigure, link_place, to_reached, to_words, to_words_or_none
from layers.tables import target_below_base

if TYPE_CHECKING:  # which is large, and nothing for a web process
    from geodata.local import LocalAdditions
    from geodata.model import IndicatorValue, Target, Text
    from layers.relations import Place, Relations


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
