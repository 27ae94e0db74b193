"""What the plan's clauses say: the tables of the contract, each fact with its clause, and the wording.

Wording is there where an operator has the plan's text: each clause with its terms marked, each sentence. It
is shown with punctuation as wide as Chinese letters, as the plan is set, whatever the file has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, TypedDict

from geodata.boundaries import Properties
from geodata.document import Document, normalise
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

_WIDE = {ord(narrow): wide for narrow, wide in zip(",;:!?()", "，；：！？（）", strict=True)}
_BETWEEN_FIGURES = re.compile(r"(?<=[0-9])[,:](?=[0-9])")
_SENTENCE = re.compile(r"[^。；！？]+[。；！？]*[”）〕]*")
_HEADING = re.compile(r"(?:[一二三四五六七八九十]+、|（[一二三四五六七八九十\d]+）|\d+\.)")


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


class Segment(TypedDict):
    """A piece of a paragraph: plain, or a term with its page and the places that it is about."""

    text: str
    url: str | None
    places: list[str]


class ClauseWording(TypedDict):
    """The wording of a clause: its own paragraphs in pieces, and the sentences of it and its points."""

    paragraphs: list[list[Segment]]
    sentences: list[str]


class PlanWording(TypedDict):
    """The wording of every clause, and how the plan may call each place."""

    clauses: dict[str, ClauseWording]
    names: dict[str, list[str]]


NO_WORDING: PlanWording = {"clauses": {}, "names": {}}


def build_wording(document: Document, relations: Relations, citations: Iterable[Citation]) -> PlanWording:
    """Return the wording of every clause, with what its facts are about marked in it."""
    terms: dict[str, dict[str, Segment]] = {}
    for clause, segment in _list_terms(relations, citations):
        known = terms.setdefault(clause, {}).setdefault(segment["text"], segment)
        known["places"] = list(dict.fromkeys([*known["places"], *segment["places"]]))
        known["url"] = known["url"] or segment["url"]
    clauses: dict[str, ClauseWording] = {
        clause: {
            "paragraphs": [_mark(to_wide(line), terms.get(clause, {})) for line in words.split("\n")],
            "sentences": list(_split(document.text(clause))),
        }
        for clause, words in document.own.items()
    }
    return {"clauses": clauses, "names": {row.id: _names_of(row) for row in relations.places.values()}}


def _names_of(place: Place) -> list[str]:
    """Return every spelling of a place's name that the plan may use."""
    short = place.short_name.zh if place.short_name else place.name.zh
    spellings = (place.name.zh, place.printed or place.name.zh, short, *getattr(place, "aliases", ()))
    return list(dict.fromkeys(to_wide(normalise(one)) for one in spellings))


def to_wide(text: str) -> str:
    """Return a text with Chinese punctuation, but for what stands between figures.

    >>> to_wide("甲区(国家级),1,000家")
    '甲区（国家级），1,000家'
    """
    wide, end = "", 0
    for found in _BETWEEN_FIGURES.finditer(text):
        wide += text[end : found.start()].translate(_WIDE) + found[0]
        end = found.end()
    return wide + text[end:].translate(_WIDE)


def find_sentences(wording: PlanWording, clause: str, term: str, place: str | None) -> list[str]:
    """Return the sentences of a clause that print a term; all of it where no sentence has it whole.

    Of several, those that name the `place` which it is said of, as a term of one place may stand within
    another's. Empty where there is no text.
    """
    known = wording["clauses"].get(clause)
    if known is None:
        return []
    printed = to_wide(normalise(term))
    found = [one for one in known["sentences"] if printed and printed in one]
    names = wording["names"].get(place or "", [])
    of_place = [one for one in found if any(name in one for name in names)]
    return of_place or found or known["sentences"]


def _list_terms(relations: Relations, citations: Iterable[Citation]) -> Iterator[tuple[str, Segment]]:
    """Yield what is to be marked in each clause: terms, the names of places, the responsible bodies."""
    for row in citations:
        zone = row["zone"]
        places = [zone["id"]] if zone else []
        if zone:
            place = relations.places[zone["id"]]
            for name in {place.name.zh, place.printed or place.name.zh}:
                yield row["clause"], _segment(name, zone["url"], places)
        if row["term"]:
            yield row["clause"], _segment(row["term"]["zh"], row["url"], places)
    for clause in relations.facts.clauses.values():
        for unit in clause.responsible_units:
            name = relations.facts.agencies[unit].name.zh
            yield clause.id, _segment(name, f"/agencies/{unit}", [])


def _segment(text: str, url: str | None, places: list[str]) -> Segment:
    return {"text": to_wide(normalise(text)), "url": url, "places": places}


def _mark(paragraph: str, terms: Mapping[str, Segment]) -> list[Segment]:
    """Return a paragraph in pieces; of terms that overlap the first is marked, of those the longest."""
    if not terms:
        return [{"text": paragraph, "url": None, "places": []}]
    pattern = re.compile("|".join(map(re.escape, sorted(terms, key=len, reverse=True))))
    pieces: list[Segment] = []
    end = 0
    for found in pattern.finditer(paragraph):
        pieces += _plain(paragraph[end : found.start()])
        pieces.append(terms[found[0]])
        end = found.end()
    return pieces + _plain(paragraph[end:])


def _plain(text: str) -> list[Segment]:
    return [{"text": text, "url": None, "places": []}] if text else []


def _split(text: str) -> Iterator[str]:
    """Yield the sentences of a clause; a heading of a few words is none."""
    for line in to_wide(text).split("\n"):
        for found in _SENTENCE.findall(line):
            bare = _HEADING.sub("", found, count=1) if _HEADING.match(found) else found
            if not bare.startswith("（责任单位") and found.endswith(("。", "；", "！", "？", "”", "）")):
                yield bare
