"""The plan's own wording, where an operator has the text: each clause with its terms marked, each sentence.

Texts are shown with punctuation as wide as Chinese letters, as the plan is set, whatever the file has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypedDict

from geodata.document import Document, normalise
from layers.links import Citation

if TYPE_CHECKING:
    from layers.relations import Place, Relations

_WIDE = {ord(narrow): wide for narrow, wide in zip(",;:!?()", "，；：！？（）", strict=True)}
_BETWEEN_FIGURES = re.compile(r"(?<=[0-9])[,:](?=[0-9])")
_SENTENCE = re.compile(r"[^。；！？]+[。；！？]*[”）〕]*")
_HEADING = re.compile(r"(?:[一二三四五六七八九十]+、|（[一二三四五六七八九十\d]+）|\d+\.)")


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


def find_sentences(wording: PlanWording, clause: str, term: str, place: str | None = None) -> list[str]:
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
