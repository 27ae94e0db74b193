"""Build what look-ups run on: blocks of geometry with what is said of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapely.geometry.base import BaseGeometry

from geodata.shapes import Shape
from layers.around import GROUND
from layers.block import read_block, write_block
from layers.documents import Document
from layers.lookup import ORDER
from layers.relations import Relations
from layers.shares import move_edges

Entry = dict[str, Any]


def build_lookup_index(
    relations: Relations, shapes: dict[str, Shape], documents: dict[str, Document]
) -> bytes:
    """Return all polygons that a look-up answers with, as one block."""
    heads = [_place_head(document) for document in documents.values() if document["layer"] in ORDER]
    heads += [_town_head(town, shapes[town.id]) for town in relations.facts.towns.values()]
    return write_block((head, shapes[head["id"]].geometry) for head in heads)


def build_shares_index(lookup: bytes) -> bytes:
    """Return the polygons of a look-up index with their edges moved in and out, as one block.

    How far a place's accuracy leaves a polygon's share of it open depends on these, and they are the
    same for every polygon.
    """
    entries = [(entry.head, entry.geometry) for entry in read_block(lookup)]
    return write_block(
        ({"id": head["id"], "edge": edge}, geometry)
        for head, place in entries
        for edge, geometry in move_edges(place, head["positional_accuracy_m"]).items()
    )


def build_around_index(
    shapes: dict[str, Shape], documents: dict[str, Document], ground: Mapping[str, BaseGeometry]
) -> bytes:
    """Return what a look-up names beside the places, as one block.

    These are the ports, airports and stations, and of `ground` the ``neighbour`` land and the
    ``window`` within which all land is known.
    """
    gateways = [document for document in documents.values() if document["layer"] == "gateways"]
    rows: list[tuple[Entry, BaseGeometry]] = [
        (_gateway_head(document), shapes[document["id"]].geometry) for document in gateways
    ]
    rows += [({"id": name, "layer": GROUND}, geometry) for name, geometry in ground.items()]
    return write_block(rows)


def _place_head(document: Document) -> Entry:
    keys = ("industry_id", "term", "emphasis", "clause")
    return {key: document[key] for key in ("id", "layer", "kind", "name", "url", "parent")} | {
        "industries": [{key: row[key] for key in keys} for row in document["industries"]],
        "relation": document["relation"],
        "note": document["note"],
        "geometry_method": document["geometry"]["method"],
        "geometry_schematic": document["geometry"]["schematic"],
        "positional_accuracy_m": document["geometry"]["accuracy_m"],
    }


def _gateway_head(document: Document) -> Entry:
    head = {key: document[key] for key in ("id", "layer", "kind", "name", "url")}
    return head | {"positional_accuracy_m": document["geometry"]["accuracy_m"]}


def _town_head(town: Any, shape: Shape) -> Entry:
    return {
        "id": town.id,
        "layer": "towns",
        "kind": "town",
        "name": town.name.model_dump(),
        "url": None,
        "parent": None,
        "industries": [],
        "relation": None,
        "note": None,
        "geometry_method": shape.method,
        "geometry_schematic": shape.schematic,
        "positional_accuracy_m": round(shape.accuracy_m),
    }
