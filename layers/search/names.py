"""Build the list of everything that can be found, with the spellings that each answers to.

Runs in the build: pinyin and the variants of Chinese characters are worked out here, so that
searching needs neither library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from opencc import OpenCC
from pypinyin import Style, lazy_pinyin

from geodata.model import Chain, Clause, Cluster, Designation, Indicator, Industry, Landmark, Term
from layers.links import to_url
from layers.relations import Place, Relations
from layers.search.vocabulary import ALIAS, INITIALS, NAME, PINYIN, TERM, fold, squeeze, to_initials

Entry = dict[str, Any]
Spelling = tuple[str, int]
LANGUAGES = ("zh", "en", "ko")
HAN = ("㐀", "鿿")
WORDS = Path(__file__).with_name("words.yaml")


def build_search_index(relations: Relations) -> dict[str, Any]:
    """Return the entries with their keys, how characters are read and sound, and the empty words."""
    entries = list(_Naming(relations).all())
    empty = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    words = list(chain.from_iterable(empty[language] for language in LANGUAGES))
    keys = _keys((word, NAME) for word in words)
    return {
        "entries": entries,
        "variants": _variants({key for entry in entries for key, *_ in entry["keys"]}),
        "sounds": _sounds(),
        "empty": sorted({squeeze(key) for key, _, grade in keys if grade != INITIALS}),
    }


class _Naming:
    """Names everything in the facts."""

    def __init__(self, relations: Relations) -> None:
        self.relations = relations
        self.facts = relations.facts

    def all(self) -> Iterator[Entry]:
        """Yield one entry per thing that can be found."""
        facts = self.facts
        yield from map(self._place, self.relations.places.values())
        yield from map(self._industry, facts.industries.values())
        yield from map(self._cluster, facts.clusters.values())
        yield from (self._chain(row) for row in facts.chains.values() if row.name)
        for row in facts.platforms.values():
            yield _entry(row, "platforms", f"/places/{row.id}") | {"kind": row.kind}
        for gateway in facts.gateways.values():
            yield _entry(gateway, "gateways", f"/places/{gateway.id}") | {"kind": gateway.kind}
        for town in facts.towns.values():
            at = [town.seat.lon, town.seat.lat]
            yield _entry(town, "towns", _lookup(at)) | {"at": at, "kind": "town"}
        yield from self._landmarks()
        for agency in facts.agencies.values():
            yield _entry(agency, "agencies", f"/agencies/{agency.id}")
        yield from map(self._indicator, facts.indicators.values())
        yield from map(_clause, facts.clauses.values())

    def _place(self, row: Place) -> Entry:
        more = [*_terms(row.positioning), *((one, ALIAS) for one in (row.printed,) if one)]
        return _entry(row, row.layer, to_url(row.layer, row.id), more) | {
            "kind": getattr(row, "kind", row.layer)
        }

    def _industry(self, row: Industry) -> Entry:
        designations: list[Designation] = [one for one in self.facts.designations if row.id in one.industries]
        synonyms = [
            (one, TERM) for language in LANGUAGES for one in self.relations.words_of(row.id, language)
        ]
        codes = [(code, TERM) for code in (*row.gbt4754, *row.isic4) if len(code) > 1]
        more = [*synonyms, *_terms(designations), *_terms(row.named), *codes]
        return _entry(row, "industries", f"/industries/{row.id}", more) | {
            "status": "designated" if designations else "city",
            "zones": list(dict.fromkeys(one.zone for one in designations)),
        }

    def _cluster(self, row: Cluster) -> Entry:
        return _entry(row, "clusters", f"/clusters/{row.id}", _terms((*row.focus, *row.goals)))

    def _chain(self, row: Chain) -> Entry:
        url = f"/industries/{row.industries[0]}" if row.industries else f"/plan/{row.clause}"
        return _entry(row, "chains", url) | {"kind": row.kind}

    def _indicator(self, row: Indicator) -> Entry:
        return _entry(row, "indicators", f"/indicators#{row.group}")

    def _landmarks(self) -> Iterator[Entry]:
        """Yield the landmarks whose name nothing of the plan has."""
        taken = {row.name.zh for rows in (self.facts.platforms, self.facts.zones) for row in rows.values()}
        for row in self.facts.landmarks.values():
            if row.name.zh not in taken:
                taken.add(row.name.zh)
                yield _landmark(row)


def _landmark(row: Landmark) -> Entry:
    at = [row.position.lon, row.position.lat]
    return _entry(row, "landmarks", _lookup(at)) | {"at": at, "kind": row.kind}


def _lookup(at: list[float]) -> str:
    return f"/lookup?lon={at[0]}&lat={at[1]}"


def _clause(row: Clause) -> Entry:
    name = {language: f"{row.id} {getattr(row.title, language)}" for language in LANGUAGES}
    keys = _keys([(row.id, NAME), *((getattr(row.title, language), ALIAS) for language in LANGUAGES)])
    return {"id": row.id, "layer": "clauses", "name": name, "url": f"/plan/{row.id}", "keys": keys}


def _entry(row: Any, layer: str, url: str, more: Iterable[Spelling] = ()) -> Entry:
    full = getattr(row, "full_name", None)
    spellings = [(getattr(row.name, language), NAME) for language in LANGUAGES]
    spellings += [(getattr(full, language), ALIAS) for language in LANGUAGES if full]
    spellings += [(one, ALIAS) for one in getattr(row, "aliases", ())]
    return {
        "id": row.id,
        "layer": layer,
        "name": row.name.model_dump(),
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
    folded = fold(spelling)
    yield folded, grade
    if any(HAN[0] <= character <= HAN[1] for character in spelling):
        taiwan = _to_simplified(_TO_TAIWAN.convert(spelling))
        if taiwan != spelling:
            yield fold(taiwan), grade
        yield fold(" ".join(lazy_pinyin(spelling, errors="ignore", v_to_u=True))), PINYIN
        yield "".join(lazy_pinyin(spelling, style=Style.FIRST_LETTER, errors="ignore")), INITIALS
    else:
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
    """Return the traditional characters that stand for one that the keys have."""
    known = {letter for key in keys for letter in key if HAN[0] <= letter <= HAN[1]}
    every = [chr(code) for code in range(ord(HAN[0]), ord(HAN[1]) + 1)]
    simple = _to_simplified("\n".join(every)).split("\n")  # no phrase reaches over a line's end
    readings = zip(every, simple, strict=True)
    return {letter: reading for letter, reading in readings if letter not in known and reading in known}
