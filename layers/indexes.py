"""Build what look-ups and searches run on: one block of polygons, one list of names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import orjson
import shapely
from pypinyin import Style, lazy_pinyin

from geodata.shapes import Shape
from layers.documents import Document, to_url
from layers.lookup import ENTRY, ORDER
from layers.relations import Relations
from layers.search import fold

Entry = dict[str, Any]


def build_lookup_index(
    relations: Relations, shapes: dict[str, Shape], documents: dict[str, Document]
) -> bytes:
    """Return all polygons that a look-up answers with, as one block of JSON heads and WKB."""
    heads = [_place_head(document) for document in documents.values() if document["layer"] in ORDER]
    heads += [_town_head(town, shapes[town.id]) for town in relations.facts.towns.values()]
    parts = []
    for head in heads:
        text = orjson.dumps(head)
        wkb = shapely.to_wkb(shapes[head["id"]].geometry)
        parts += [ENTRY.pack(len(text), len(wkb)), text, wkb]
    return b"".join(parts)


def _place_head(document: Document) -> Entry:
    keys = ("industry_id", "term", "emphasis", "clause")
    return {key: document[key] for key in ("id", "layer", "kind", "name", "url", "parent")} | {
        "industries": [{key: row[key] for key in keys} for row in document["industries"]],
        "geometry_method": document["geometry"]["method"],
        "positional_accuracy_m": document["geometry"]["accuracy_m"],
    }


def _town_head(town: Any, shape: Shape) -> Entry:
    return {
        "id": town.id,
        "layer": "towns",
        "kind": "town",
        "name": town.name.model_dump(),
        "url": None,
        "parent": None,
        "industries": [],
        "geometry_method": shape.method,
        "positional_accuracy_m": round(shape.accuracy_m),
    }


def build_search_index(relations: Relations) -> list[Entry]:
    """Return one entry per thing that can be found, with the keys it answers to."""
    facts = relations.facts
    entries = chain(
        (_entry(row, row.layer, to_url(row.layer, row.id)) for row in relations.places.values()),
        (_entry(row, "clusters", f"/?theme=clusters&cluster={row.id}") for row in facts.clusters.values()),
        (
            _entry(row, "industries", f"/industries/{row.id}", _synonyms(row))
            for row in facts.industries.values()
        ),
        (_entry(row, "platforms", f"/places/{row.id}") for row in facts.platforms.values()),
        (_entry(row, "gateways", f"/places/{row.id}") for row in facts.gateways.values()),
        (_town(row) for row in facts.towns.values()),
        (_clause(row) for row in facts.clauses.values()),
    )
    return list(entries)


def _entry(row: Any, layer: str, url: str, more: Iterable[str] = ()) -> Entry:
    full = getattr(row, "full_name", None)
    spellings = [text for name in (row.name, full) if name for text in (name.zh, name.en, name.ko)]
    spellings += [*getattr(row, "aliases", ()), *more]
    return {"id": row.id, "layer": layer, "name": row.name.model_dump(), "url": url, "keys": _keys(spellings)}


def _synonyms(row: Any) -> list[str]:
    return [*row.synonyms_zh, *row.synonyms_en, *row.synonyms_ko]


def _town(row: Any) -> Entry:
    at = [row.seat.lon, row.seat.lat]
    return _entry(row, "towns", f"/lookup?lon={at[0]}&lat={at[1]}") | {"at": at}


def _clause(row: Any) -> Entry:
    name = {language: f"{row.id} {getattr(row.title, language)}" for language in ("zh", "en", "ko")}
    keys = _keys([row.id, row.title.zh, row.title.en, row.title.ko])
    return {"id": row.id, "layer": "clauses", "name": name, "url": f"/plan/{row.id}", "keys": keys}


def _keys(spellings: Iterable[str]) -> list[list[str]]:
    """Return (key, spelling) pairs: folded spellings, and pinyin with its initials for Chinese ones."""
    pairs: dict[str, str] = {}
    for spelling in spellings:
        pairs.setdefault(fold(spelling), spelling)
        for key in _pinyin(spelling):
            pairs.setdefault(key, spelling)
    return [[key, spelling] for key, spelling in pairs.items() if key]


def _pinyin(spelling: str) -> Iterator[str]:
    if any("一" <= character <= "鿿" for character in spelling):
        yield " ".join(lazy_pinyin(spelling, errors="ignore"))
        yield "".join(lazy_pinyin(spelling, style=Style.FIRST_LETTER, errors="ignore"))
