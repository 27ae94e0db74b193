"""Build the list of everything that can be found, with the spellings that each answers to.

Runs in the build: pinyin and the variants of Chinese characters are worked out here, so that
searching needs neither library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TypedDict, cast

import yaml
from opencc import OpenCC
from pypinyin import lazy_pinyin

from geodata.document import romanise
from geodata.kinds import LANGUAGES
from geodata.model import (
    Agency,
    Chain,
    Clause,
    Cluster,
    Designation,
    Gateway,
    Indicator,
    Industry,
    Landmark,
    Platform,
    Term,
    Text,
    Town,
)
from geodata.own_layers import SuppliedLayer
from geodata.read import Facts
from layers.links import (
    to_own_url,
    to_url,
    to_words,
)
from layers.relations import Place, Relations
from layers.search.vocabulary import (
    ALIAS,
    INITIALS,
    NAME,
    OWN,
    PINYIN,
    TERM,
    KindMeaning,
    Meanings,
    SearchEntry,
    SearchIndex,
    SynonymMeaning,
    TermMeaning,
    WordMeaning,
    fold,
    pack_keys,
    squeeze,
    to_initials,
)

Spelling = tuple[str, int]
Findable = Place | Industry | Cluster | Chain | Platform | Gateway | Town | Agency | Indicator | Landmark
_LAST_NUMBER = re.compile(r"(\(\d+\)|\d+)$")  # of a clause: 三(六)4(1) stands in 三(六)4
HAN = ("㐀", "鿿")
# Platforms that are not somewhere, even where the plan ties them to a zone.
NO_PLACES = {
    "geographical-indication",
    "document",
    "alliance",
    "fund",
    "programme",
    "event",
    "title",
    "leading-group",
}
WORDS = Path(__file__).with_name("words.yaml")


class _Page(TypedDict):
    url: str
    words: list[str]


class _WordFile(TypedDict):
    """What ``words.yaml`` says."""

    zh: list[str]
    en: list[str]
    ko: list[str]
    weak: dict[str, list[str]]
    particles: list[str]
    prepositions: list[str]
    spelt: list[str]
    pages: list[_Page]


def build_search_index(relations: Relations, own: Iterable[SuppliedLayer]) -> SearchIndex:
    """Return the entries with their keys, how characters are read and sound, and the empty words.

    The features of the operator's `own` layers come last, and are found by their names alone.
    """
    entries = [*_Naming(relations).all(), *_own_entries(own)]
    given = yaml.load(WORDS.read_bytes(), Loader=yaml.CSafeLoader)
    empty: _WordFile = given
    of_city = relations.facts.search
    plain = (row.words for row in of_city if not (row.kinds or row.places or row.turn or row.ends))
    words = list(chain(*(given[one] for one in LANGUAGES), *plain))
    keys = _keys((word, NAME) for word in words)
    typed = [entry.pop("keys") for entry in entries]
    return {
        "entries": entries,
        "keys": pack_keys(typed),
        "meanings": _build_meanings(relations, empty),
        "rules": {
            "stop": words,
            "weak": [word for language in LANGUAGES for word in empty["weak"][language]],
            "particles": empty["particles"],
            "prepositions": empty["prepositions"],
            "spelt": empty["spelt"],
            "turns": [
                {"words": list(row.words), "of": list(row.turn.of), "to": row.turn.to}
                for row in of_city
                if row.turn
            ],
            "ends": {word: row.ends for row in of_city for word in row.words if row.ends},
        },
        "variants": _variants({key for found in typed for key, *_ in found}),
        "sounds": _sounds(),
        "empty": sorted({squeeze(key) for key, _, grade in keys if grade != INITIALS}),
    }


def _build_meanings(relations: Relations, rules: _WordFile) -> Meanings:
    """Return what words can mean: the plan's terms, words and kinds of places, our synonyms, pages."""
    facts = relations.facts
    sections = _sections(relations)
    subjects = [(row.zh, row.industry) for row in facts.vocabulary if row.industry and row.kind == "subject"]
    terms = [
        *_designated(relations),
        *chain.from_iterable(_becoming(row, subjects) for row in relations.places.values()),
        *(
            _term("city" if _within(one.clause, sections) else "printed", one, [row.id], verb=one.verb)
            for row in facts.industries.values()
            for one in row.named
        ),
        *(
            _term("city", Term(term=row.name, clause=row.clause), list(row.industries))
            for row in facts.chains.values()
            if row.name
        ),
    ]
    kinds: list[KindMeaning] = [
        {
            "places": [
                row.id
                for row in relations.places.values()
                if row.id in one.places or getattr(row, "kind", "") in one.kinds
            ],
            "spellings": list(one.words),
        }
        for one in facts.search
    ]
    return {
        "terms": terms,
        "words": [cast("WordMeaning", row.model_dump(mode="json")) for row in facts.vocabulary],
        "synonyms": [cast("SynonymMeaning", row.model_dump(mode="json")) for row in facts.thesaurus],
        "kinds": [row for row in kinds if row["places"]],
        "pages": [{"url": row["url"], "spellings": row["words"]} for row in rules["pages"]],
        "industries": [
            {"id": row.id, "name": row.name.zh, "gbt4754": list(row.gbt4754), "isic4": list(row.isic4)}
            for row in sorted(facts.industries.values(), key=partial(_rank_of_code, facts))
        ],
    }


def _rank_of_code(facts: Facts, row: Industry) -> int:
    """Return how soon an industry answers for a code that others have too: those of zones, then of areas."""
    places = {one.zone for one in facts.designations if row.id in one.industries}
    return 0 if places & facts.zones.keys() else 1 if places else 2


def _designated(relations: Relations) -> Iterator[TermMeaning]:
    for row in relations.facts.designations:
        kind = "named" if row.zone in relations.facts.zones else "area"
        entry = _term(kind, row, list(row.industries), row.zone, verb=row.verb)
        yield {**entry, "emphasis": row.emphasis}


def _becoming(row: Place, subjects: list[tuple[str, str]]) -> Iterator[TermMeaning]:
    """Yield what the plan wants a place to become, with the industries of its words, and its tasks."""
    for term in row.positioning:
        industries = dict.fromkeys(industry for word, industry in subjects if word in term.term.zh)
        yield _term("positioning", term, list(industries), row.id)
    for task in getattr(row, "tasks", ()):
        yield _term("task", task, [], row.id)


def _term(
    kind: str,
    row: Term | Designation,
    industries: list[str],
    place: str | None = None,
    *,
    verb: str | None = None,
) -> TermMeaning:
    term: TermMeaning = {
        "kind": kind,
        "term": to_words(row.term),
        "clause": row.clause,
        "industries": industries,
        "place": place,
    }
    return {**term, "verb": verb} if verb else term


def _sections(relations: Relations) -> set[str]:
    """Return the sections of the plan that set out industries, of zones or of clusters."""
    clauses = {row.clause for row in relations.facts.designations}
    clauses |= {row.clause for row in relations.facts.clusters.values()}
    return {_LAST_NUMBER.sub("", clause) for clause in clauses}


def _within(clause: str, sections: set[str]) -> bool:
    """Return whether a clause is one of the sections or stands in one."""
    rests = (clause[len(one) :] for one in sections if clause.startswith(one))
    return any(not rest[:1].isdigit() or clause[: -len(rest)].endswith(")") for rest in rests)


class _Naming:
    """Names everything in the facts."""

    def __init__(self, relations: Relations) -> None:
        self.relations = relations
        self.facts = relations.facts

    def all(self) -> Iterator[SearchEntry]:
        """Yield one entry per thing that can be found."""
        facts = self.facts
        yield from map(self._place, self.relations.places.values())
        yield from map(self._industry, facts.industries.values())
        yield from map(self._cluster, facts.clusters.values())
        yield from (self._chain(row, row.name) for row in facts.chains.values() if row.name)
        for row in facts.platforms.values():
            yield {
                **_entry(row, row.name, "platforms", f"/places/{row.id}"),
                "kind": row.kind,
                "placed": row.zone is not None and row.kind not in NO_PLACES,
                "clauses": list(row.clauses),
            }
        for gateway in facts.gateways.values():
            entry = _entry(gateway, gateway.name, "gateways", f"/places/{gateway.id}")
            yield {**entry, "kind": gateway.kind}
        for town in facts.towns.values():
            at = [town.seat.lon, town.seat.lat]
            yield {**_entry(town, town.name, "towns", _lookup(at)), "at": at, "kind": "town"}
        yield from self._landmarks()
        for agency in facts.agencies.values():
            yield _entry(agency, agency.name, "agencies", f"/agencies/{agency.id}")
        yield from map(self._indicator, facts.indicators.values())
        yield from map(_clause, facts.clauses.values())

    def _place(self, row: Place) -> SearchEntry:
        more = [*_terms(row.positioning), *((one, ALIAS) for one in (row.printed,) if one)]
        entry = _entry(row, row.name, row.layer, to_url(row.layer, row.id), more)
        return {**entry, "kind": getattr(row, "kind", row.layer)}

    def _industry(self, row: Industry) -> SearchEntry:
        designations: list[Designation] = [one for one in self.facts.designations if row.id in one.industries]
        synonyms = [
            (one, TERM) for language in LANGUAGES for one in self.relations.words_of(row.id, language)
        ]
        codes = [(code, TERM) for code in (*row.gbt4754, *row.isic4) if len(code) > 1]
        more = [*synonyms, *_terms(designations), *_terms(row.named), *codes]
        return {
            **_entry(row, row.name, "industries", f"/industries/{row.id}", more),
            "status": "designated" if designations else "city",
            "zones": list(dict.fromkeys(one.zone for one in designations)),
        }

    def _cluster(self, row: Cluster) -> SearchEntry:
        return _entry(row, row.name, "clusters", f"/clusters/{row.id}", _terms((*row.focus, *row.goals)))

    def _chain(self, row: Chain, name: Text) -> SearchEntry:
        url = f"/industries/{row.industries[0]}" if row.industries else f"/plan/{row.clause}"
        return {**_entry(row, name, "chains", url), "kind": row.kind}

    def _indicator(self, row: Indicator) -> SearchEntry:
        return _entry(row, row.name, "indicators", f"/indicators#{row.group}")

    def _landmarks(self) -> Iterator[SearchEntry]:
        """Yield the landmarks whose name nothing of the plan has."""
        taken = {row.name.zh for rows in (self.facts.platforms, self.facts.zones) for row in rows.values()}
        for row in self.facts.landmarks.values():
            if row.name.zh not in taken:
                taken.add(row.name.zh)
                yield _landmark(row)


def _own_entries(layers: Iterable[SuppliedLayer]) -> Iterator[SearchEntry]:
    for layer in layers:
        title = layer.declared.title.to_words()
        yield {
            "id": layer.id,
            "layer": OWN,
            "name": {one: title[one] for one in LANGUAGES},
            "url": to_own_url(layer.id),
            "keys": _keys((title[one], NAME) for one in LANGUAGES),
        }
        for row in layer.features:
            yield {
                "id": f"{layer.id}/{row.id}",
                "layer": OWN,
                "name": dict(row.names),
                "url": to_own_url(layer.id, row.id),
                "of": layer.id,
                "keys": _keys((row.names[one], NAME) for one in LANGUAGES),
            }


def _landmark(row: Landmark) -> SearchEntry:
    at = [row.position.lon, row.position.lat]
    return {**_entry(row, row.name, "landmarks", _lookup(at)), "at": at, "kind": row.kind}


def _lookup(at: list[float]) -> str:
    return f"/lookup?lon={at[0]}&lat={at[1]}"


def _clause(row: Clause) -> SearchEntry:
    numbers = {language: row.id if language == "zh" else romanise(row.id) for language in LANGUAGES}
    name = {language: f"{number} {getattr(row.title, language)}" for language, number in numbers.items()}
    keys = _keys(
        [
            *((number, NAME) for number in dict.fromkeys(numbers.values())),
            *((getattr(row.title, language), ALIAS) for language in LANGUAGES),
        ]
    )
    return {"id": row.id, "layer": "clauses", "name": name, "url": f"/plan/{row.id}", "keys": keys}


def _entry(row: Findable, name: Text, layer: str, url: str, more: Iterable[Spelling] = ()) -> SearchEntry:
    others = filter(None, (getattr(row, field, None) for field in ("full_name", "short_name")))
    spellings = [(getattr(name, language), NAME) for language in LANGUAGES]
    spellings += [(getattr(other, language), ALIAS) for other in others for language in LANGUAGES]
    spellings += [(one, ALIAS) for one in getattr(row, "aliases", ())]
    return {
        "id": row.id,
        "layer": layer,
        "name": to_words(name),
        "url": url,
        "keys": _keys([*spellings, *more]),
    }


def _terms(rows: Iterable[Term | Designation]) -> list[Spelling]:
    return [(getattr(row.term, language), TERM) for row in rows for language in LANGUAGES]


def _keys(spellings: Iterable[Spelling]) -> list[tuple[str, str, int]]:
    """Return (key, spelling, grade) triples: spellings folded, and how Chinese and Korean ones are typed."""
    found: dict[tuple[str, bool], tuple[str, str, int]] = {}
    for spelling, grade in spellings:
        for key, own in _readings(spelling, grade):
            if key:
                found.setdefault((key, own == INITIALS), (key, spelling, own))
    return list(found.values())


def _readings(spelling: str, grade: int) -> Iterator[Spelling]:
    if any(HAN[0] <= character <= HAN[1] for character in spelling):
        yield fold(_to_simplified(spelling)), grade
        taiwan = _to_simplified(_TO_TAIWAN.convert(spelling))
        if taiwan != spelling:
            yield fold(taiwan), grade
        syllables = lazy_pinyin(spelling, errors="ignore", v_to_u=True)
        yield fold(" ".join(syllables)), PINYIN
        yield "".join(syllable[0] for syllable in syllables), INITIALS
    else:
        folded = fold(spelling)
        yield folded, grade
        yield to_initials(folded), INITIALS


_TO_TAIWAN, _TO_SIMPLIFIED = OpenCC("s2twp"), OpenCC("t2s")  # the first also in words: 軟體 for 软件


def _to_simplified(text: str) -> str:
    return str(_TO_SIMPLIFIED.convert(text))


def _sounds() -> dict[str, str]:
    """Return the pinyin of every character of GB 2312, for words typed with one that sounds the same."""
    rows, cells = range(0xB0, 0xF8), range(0xA1, 0xFF)
    every = (bytes((row, cell)).decode("gb2312", "ignore") for row in rows for cell in cells)
    return {one: fold(lazy_pinyin(one, v_to_u=True)[0]) for one in every if one}


def _variants(keys: set[str]) -> dict[str, str]:
    """Return the traditional characters that stand for one that the keys have, which are simplified."""
    known = {letter for key in keys for letter in key if HAN[0] <= letter <= HAN[1]}
    every = [chr(code) for code in range(ord(HAN[0]), ord(HAN[1]) + 1)]
    simple = _to_simplified("\n".join(every)).split("\n")  # no phrase reaches over a line's end
    readings = zip(every, simple, strict=True)
    return {letter: reading for letter, reading in readings if letter not in known and reading in known}
