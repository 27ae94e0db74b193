"""What the map page loads first, and the blocks of geometry that look-ups run on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypedDict

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.imported import IMPORTED_METHODS
from geodata.kinds import EMPHASES, SEA
from geodata.model import Area, Cluster, Gateway, Platform, Text, Town
from geodata.shapes import Shape, Stretch, find_label
from layers.answers import Answers
from layers.catalogue import LabelStyle, Layer, LegendEntry, Theme
from layers.document_types import (
    BlockHead,
    PlaceDocument,
)
from layers.links import SEPARATOR, to_url, to_words
from layers.lookup import EDGES, GROUND, ORDER, move_edges, read_block, write_block
from layers.map_types import LegendLine, MapDocument, MapFeature, MapLayer, MapTheme
from layers.relations import Place, Relations

LAST = 30  # priority of names that the catalogue says nothing of


def build_payload(
    relations: Relations,
    shapes: dict[str, Shape],
    layers: Mapping[str, Layer],
    themes: tuple[Theme, ...],
    language: str,
) -> MapDocument:
    """Return the map's first load for one language; positions are (lon, lat) rounded to 1e-5 degrees."""
    facts = relations.facts
    builder = _Features(relations, shapes, language)
    imported = any(shape.method in IMPORTED_METHODS for shape in shapes.values())
    return {
        "lang": language,
        "layers": {row.id: _layer(row) for row in layers.values() if row.source},
        "features": builder.build(),
        "towns": [
            {**_names(town.name, language), "at": _label(shapes[town.id])}
            for town in facts.towns.values()
            if town.id in shapes
        ],
        "landmarks": [
            {
                "kind": row.kind,
                **_names(row.name, language),
                "at": [row.position.lon, row.position.lat],
                "core_of": next((area.layer for area in facts.areas.values() if area.core == row.id), None),
            }
            for row in facts.landmarks.values()
            if row.kind != "campus"
        ],
        "industries": {
            row.id: {"name": _pick(row.name, language), "cluster": row.cluster}
            for row in facts.industries.values()
        },
        "clusters": [
            {"id": row.id, "name": _pick(row.name, language), "letter": row.letter, "colour": row.colour}
            for row in facts.clusters.values()
        ],
        "themes": [_theme(theme, relations, language, imported=imported) for theme in themes],
    }


class _Names(TypedDict):
    name: str
    zh: str


class _Features:
    """Collect the map's features, polygons first, then points."""

    def __init__(self, relations: Relations, shapes: dict[str, Shape], language: str) -> None:
        self.relations = relations
        self.answers = Answers(relations)
        self.shapes = shapes
        self.language = language

    def build(self) -> dict[str, MapFeature]:
        facts = self.relations.facts
        places = {place.id: self._place(place) for place in self.relations.places.values()}
        platforms = {row.id: self._point(row, "platforms", row.zone) for row in facts.platforms.values()}
        gateways = {row.id: self._point(row, "gateways", row.parent) for row in facts.gateways.values()}
        return places | platforms | gateways

    def _place(self, place: Place) -> MapFeature:
        shape = self.shapes[place.id]
        designations = self.relations.designations_of(place.id)
        own = (place.letter, place.colour) if isinstance(place, Area) else (None, None)
        leads = _leading_cluster(self.relations, place.id)
        return {
            "layer": place.layer,
            "kind": place.layer if isinstance(place, Area) else place.kind,
            "name": _pick(place.name, self.language),
            "zh": place.name.zh,
            "short": _pick(place.short_name, self.language) if place.short_name else None,
            "label": self._label_of(place.id),
            "parent": getattr(place, "parent", None),
            "method": shape.method,
            "edge": shape.edge,
            "accuracy_m": round(shape.accuracy_m),
            "area_km2": None if shape.area_km2 is None else round(shape.area_km2, 1),
            "spots": [
                [round(spot.lon, 5), round(spot.lat, 5), round(spot.accuracy_m)] for spot in shape.spots
            ],
            "industries": list(dict.fromkeys(one for row in designations for one in row.industries)),
            "reached": self.answers.reached_by(place),
            "clusters": sorted(self.relations.clusters_of(place.id), key=lambda one: one != leads),
            "leads": leads,
            "fact": self._fact(place),
            "letter": own[0],
            "colour": own[1],
            "point": None,
            "url": to_url(place.layer, place.id),
        }

    def _fact(self, place: Place) -> str | None:
        """Return the one thing to know of a place: what for, else of what, else which industries."""
        terms = [row.term for row in place.positioning[:1]]
        if not terms and isinstance(place, Area):
            terms = [place.relation.term]
        terms = terms or [row.term for row in self.relations.designations_of(place.id)][:3]
        return SEPARATOR[self.language].join(_pick(term, self.language) for term in terms) or None

    def _label_of(self, place_id: str) -> list[float]:
        """Return where the name of a place belongs: where no zone lies on it."""
        shape = self.shapes[place_id]
        over = [
            self.shapes[one.id].geometry
            for one in self.relations.children_of(place_id)
            if self.relations.towns_of(one.id)
        ]
        rest = shapely.difference(shape.geometry, shapely.union_all(over)) if over else shapely.Polygon()
        at = shape.label if rest.is_empty else find_label(max(shapely.get_parts(rest), key=shapely.area))
        return [round(at.x, 5), round(at.y, 5)]

    def _point(self, row: Platform | Gateway, layer: str, parent: str | None) -> MapFeature:
        shape = self.shapes.get(row.id)
        return {
            "layer": layer,
            "kind": row.kind,
            "name": _pick(row.name, self.language),
            "zh": row.name.zh,
            "parent": parent,
            "method": shape.method if shape else None,
            "edge": shape.edge if shape else None,
            "accuracy_m": round(shape.accuracy_m) if shape else None,
            "industries": list(getattr(row, "industries", ())),
            "fact": _pick(self.relations.places[parent].name, self.language) if parent else None,
            "point": _label(shape) if shape else None,
            "url": to_url(layer, row.id),
        }


def _leading_cluster(relations: Relations, place_id: str) -> str | None:
    """Return the cluster that most of the place's designated industries are filed under, if one has most.

    Of clusters with as many, the one counts that the plan's stronger verbs lead to.
    """
    pairs = list(relations.pairs(relations.designations_of(place_id)))
    ranks: dict[str, tuple[int, int]] = {}
    for cluster in relations.clusters_of(place_id):
        verbs = [EMPHASES.index(row.emphasis) for row, industry in pairs if industry.cluster == cluster]
        ranks[cluster] = (len(verbs), -sum(verbs))
    best = [cluster for cluster, rank in ranks.items() if rank == max(ranks.values())]
    return best[0] if len(best) == 1 else None


def _theme(theme: Theme, relations: Relations, language: str, *, imported: bool) -> MapTheme:
    note = theme.note_imported if imported and theme.note_imported else theme.note
    legend = [_entry(entry, language) for entry in theme.legend] or _own_legend(theme, relations, language)
    return {
        "id": theme.id,
        "title": _pick(theme.title, language),
        "layers": list(theme.layers),
        "context": list(theme.context),
        "colour_by": theme.colour_by,
        "legend": legend,
        "note": _pick(note, language),
    }


def _layer(layer: Layer) -> MapLayer:
    """Return how the names of a layer's places are set; the widest goes last where nothing is said."""
    label = layer.label or LabelStyle(priority=LAST)
    return {"source": layer.source, "priority": label.priority, "width": label.width}


def _entry(entry: LegendEntry, language: str) -> LegendLine:
    return {
        "key": entry.key,
        "keys": list(entry.keys),
        "label": _pick(entry.label, language),
        "colour": entry.colour,
        "letter": entry.letter,
        "symbol": entry.symbol,
    }


def _own_legend(theme: Theme, relations: Relations, language: str) -> list[LegendLine]:
    """Return a legend made of the features themselves, or of the clusters."""
    facts = relations.facts
    rows: list[Cluster | Area] = [*facts.clusters.values()]
    if theme.colour_by == "feature":
        rows = [area for area in facts.areas.values() if area.layer in theme.layers]
    return [
        {
            "key": row.id,
            "keys": [row.id],
            "label": _pick(row.name, language),
            "colour": row.colour,
            "letter": row.letter,
            "symbol": None,
        }
        for row in rows
    ]


def _names(text: Text, language: str) -> _Names:
    return {"name": _pick(text, language), "zh": text.zh}


def _pick(text: Text, language: str) -> str:
    return str(getattr(text, language))


def _label(shape: Shape) -> list[float]:
    return [round(shape.label.x, 5), round(shape.label.y, 5)]


def build_lookup_index(
    relations: Relations, shapes: dict[str, Shape], documents: dict[str, PlaceDocument]
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


@dataclass(frozen=True)
class Edges:
    """All edges of towns, and how their errors are distributed: shares of them by parts of the accuracy."""

    stretches: list[Stretch]
    quantiles: Mapping[str, float]


def build_around_index(
    relations: Relations,
    shapes: dict[str, Shape],
    documents: dict[str, PlaceDocument],
    ground: Mapping[str, BaseGeometry],
    edges: Edges,
) -> bytes:
    """Return what a look-up names beside the places, as one block.

    These are the ports, airports and stations, of `ground` the ``neighbour`` land and the ``window`` within
    which all land is known, and the `edges` of the places that are made of towns.
    """
    gateways = [document for document in documents.values() if document["layer"] == "gateways"]
    rows: list[tuple[BlockHead, BaseGeometry]] = [
        (_head(document), shapes[document["id"]].geometry) for document in gateways
    ]
    rows += [({"id": name, "layer": GROUND}, geometry) for name, geometry in ground.items()]
    rows += _edge_rows(relations, edges)
    return write_block(rows)


def _edge_rows(relations: Relations, edges: Edges) -> Iterator[tuple[BlockHead, BaseGeometry]]:
    """Yield each stretch of edge with the places that it bounds, the first with the table of errors."""
    bounded = {place: {town.id for town in relations.towns_of(place)} for place in relations.places}
    bounded |= {town: {town} for town in relations.facts.towns}
    table = sorted((float(share), part) for share, part in edges.quantiles.items())
    for number, stretch in enumerate(edges.stretches):
        head: BlockHead = {
            "layer": EDGES,
            "of": [place for place, towns in bounded.items() if len(towns & set(stretch.between)) == 1],
            "accuracy_m": stretch.accuracy_m,
            "coast": SEA in stretch.between,
        }
        if number == 0:
            head["errors"] = table
        yield head, stretch.line


def _head(document: PlaceDocument) -> BlockHead:
    return {
        "id": document["id"],
        "layer": document["layer"],
        "kind": document["kind"],
        "name": document["name"],
        "url": document["url"],
        "positional_accuracy_m": document["geometry"]["accuracy_m"] or 0,
    }


def _place_head(document: PlaceDocument) -> BlockHead:
    return {
        **_head(document),
        "parent": document["parent"],
        "industries": [
            {
                "industry_id": row["industry_id"],
                "term": row["term"],
                "emphasis": row["emphasis"],
                "verb": row["verb"],
                "clause": row["clause"],
            }
            for row in document["industries"]
        ],
        "relation": document["relation"],
        "extent": document["extent"],
        "anchors": document["anchors"],
        "note": document["note"],
        "spots": document["geometry"]["spots"],
        "geometry_method": document["geometry"]["method"],
        "geometry_schematic": document["geometry"]["schematic"],
    }


def _town_head(town: Town, shape: Shape) -> BlockHead:
    return {
        "id": town.id,
        "layer": "towns",
        "kind": "town",
        "name": to_words(town.name),
        "url": None,
        "parent": None,
        "industries": [],
        "relation": None,
        "extent": None,
        "anchors": [],
        "note": None,
        "spots": [],
        "geometry_method": shape.method,
        "geometry_schematic": shape.schematic,
        "positional_accuracy_m": round(shape.accuracy_m),
    }
