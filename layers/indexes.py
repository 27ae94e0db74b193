"""Build what look-ups run on: one block of polygons with what applies in each."""

from __future__ import annotations

from typing import Any

import orjson
import shapely

from geodata.shapes import Shape
from layers.documents import Document
from layers.lookup import ENTRY, ORDER
from layers.relations import Relations

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
