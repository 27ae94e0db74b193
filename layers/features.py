"""The GeoJSON features of every spatial layer, with the flat properties that are the contract of the data.

Platforms and gateways are points, with the same account of their truth as polygons carry. Layers of the
operator's own are layers like the others from the catalogue on: files, collections and schemas are made of
them by the same code. Each says that it is the operator's own, with source, date and licence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

import orjson
import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundaries import (
    FeatureCollection,
    GeoJsonFeature,
    Properties,
    to_collection,
    to_feature,
)
from geodata.kinds import LANGUAGES
from geodata.model import Area, Designation, Gateway, Industry, OwnText, Platform, Position, Text, Town
from geodata.own_layers import OwnField, OwnLayer, SuppliedLayer
from geodata.read import Facts
from geodata.shapes import Shape
from layers.answers import Answers
from layers.cartography import STYLE
from layers.catalogue import FieldInfo, Layer, describe_fields, state_origin
from layers.document_types import IndustryDocument
from layers.links import SEPARATOR, to_own_url
from layers.map_types import MapOwnDrawn, MapOwnLayer
from layers.relations import Place, Relations

SURE_M = 1000.0  # a point known worse than this is shown as indicative
Features = dict[str, list[GeoJsonFeature]]
FIRST = 100  # of their order: after those of the plan
SHORT = 10  # letters of a column's name where a format has no more
MAP_DECIMALS = 5  # about a metre
TOLERANCE_DEG = 0.00005  # of outlines on the map, about 5 m
MOST_CORNERS = 300_000  # of a layer on the map: what a browser draws in about a second
COARSEST_DEG = 8 * TOLERANCE_DEG
TYPES: dict[str, Literal["number", "integer", "boolean"]] = {
    "number": "number",
    "integer": "integer",
    "yes-no": "boolean",
}  # the others are texts
HEAD = ("id", *(f"name_{language}" for language in LANGUAGES), "parent_id")
STATED = ("source", "as_of", "licence")


def build_points(facts: Facts) -> dict[str, Shape]:
    """Return the shape of every platform and gateway whose position is known; they have no area."""
    return {row_id: _to_shape(row_id, position, facts) for row_id, position in _positions(facts)}


def _positions(facts: Facts) -> Iterator[tuple[str, Position]]:
    for gateway in facts.gateways.values():
        yield gateway.id, gateway.position
    for site in facts.sites:
        if site.of in facts.platforms and site.position is not None:
            yield site.of, site.position


def _to_shape(row_id: str, position: Position, facts: Facts) -> Shape:
    point = Point(position.lon, position.lat)
    licences = (facts.sources[source].licence for source in position.sources)
    return Shape(
        id=row_id,
        geometry=point,
        method="digitised" if position.accuracy_m <= SURE_M else "indicative",
        accuracy_m=position.accuracy_m,
        sources=position.sources,
        licence="; ".join(dict.fromkeys(licence for licence in licences if licence)),
        area_km2=None,
        label=point,
    )


def place_properties(place: Place, shape: Shape, relations: Relations) -> Properties:
    """Return the contract's properties of a county, zone, park or area."""
    clauses = relations.clauses_of(place)
    kind = place.layer if isinstance(place, Area) else place.kind
    parent = None if isinstance(place, Area) else place.parent
    return {
        **_identity(place.id, place.name, kind, parent),
        **positioning(place),
        "industries": [_designation(*pair) for pair in relations.pairs(relations.designations_of(place.id))],
        "industries_of_areas": list(_of_areas(place, relations)),
        "clauses": list(clauses),
        "responsible_units": [unit.name.zh for unit, _ in relations.responsible_for(clauses)],
        **shape_properties(shape),
    }


def land_properties(land_id: str, name: Text, shape: Shape, kind: str = "land") -> Properties:
    """Return the contract's properties of a piece of land or water that is no place of the plan."""
    return _unplanned(land_id, name, kind, None) | shape_properties(shape)


def town_properties(town: Town, shape: Shape) -> Properties:
    """Return the contract's properties of a town; the plan says nothing of single towns."""
    return _unplanned(town.id, town.name, "town", town.zone or town.county) | shape_properties(shape)


def _unplanned(row_id: str, name: Text, kind: str, parent: str | None) -> Properties:
    return {
        **_identity(row_id, name, kind, parent),
        **{f"positioning_{language}": None for language in LANGUAGES},
        "industries": [],
        "industries_of_areas": [],
        "clauses": [],
        "responsible_units": [],
    }


def point_properties(row: Platform | Gateway, shape: Shape | None, relations: Relations) -> Properties:
    """Return the properties of a platform or gateway; where its place is not known a note says why."""
    clauses = relations.in_plan_order(row.clauses)
    parent = row.zone if isinstance(row, Platform) else row.parent
    return {
        **_identity(row.id, row.name, row.kind, parent),
        "clauses": list(clauses),
        "responsible_units": [unit.name.zh for unit, _ in relations.responsible_for(clauses)],
        "geometry_method": shape.method if shape else None,
        "positional_accuracy_m": round(shape.accuracy_m) if shape else None,
        "geometry_source": SEPARATOR["en"].join(shape.sources) or None if shape else None,
        "geometry_licence": shape.licence or None if shape else None,
        **_own(row, relations),
    }


def shape_properties(shape: Shape) -> Properties:
    """Return how a polygon was made, how accurate it is, and its areas in km², or why it has none."""
    return {
        "geometry_method": shape.method,
        "positional_accuracy_m": round(shape.accuracy_m),
        "geometry_source": SEPARATOR["en"].join(shape.sources),
        "geometry_licence": shape.licence,
        "area_km2": None if shape.area_km2 is None else round(shape.area_km2, 3),
        "area_note": shape.no_area.zh if shape.no_area else None,
        "official_area_km2": shape.official_area_km2,
        "official_area_source": shape.official_area_source,
    }


def positioning(place: Place) -> dict[str, str | None]:
    """Return the place's positioning in each language, terms joined, or null where the plan has none."""
    return {f"positioning_{language}": _joined(place, language) for language in LANGUAGES}


def _joined(place: Place, language: str) -> str | None:
    terms = [getattr(term.term, language) for term in place.positioning]
    return SEPARATOR[language].join(dict.fromkeys(terms)) or None


def _identity(row_id: str, name: Text, kind: str, parent: str | None) -> Properties:
    names = {f"name_{language}": getattr(name, language) for language in LANGUAGES}
    return {"id": row_id, **names, "kind": kind, "parent_id": parent}


def _designation(row: Designation, industry: Industry) -> dict[str, str]:
    return {
        "industry_id": industry.id,
        **{f"term_{language}": getattr(row.term, language) for language in LANGUAGES},
        "emphasis": row.emphasis,
        "clause": row.clause,
    }


def _of_areas(place: Place, relations: Relations) -> Iterator[dict[str, str]]:
    """Yield what the plan lists for the areas that a zone belongs to, as flat records."""
    for area in Answers(relations).industries_of_areas(place):
        for row in area["industries"]:
            yield {
                "area_id": area["area"]["id"],
                "role": area["role"],
                "industry_id": row["industry_id"],
                **{f"term_{language}": row["term"][language] for language in LANGUAGES},
                "emphasis": row["emphasis"],
                "clause": row["clause"],
            }


def _own(row: Platform | Gateway, relations: Relations) -> Properties:
    if isinstance(row, Gateway):
        return {"opened": row.opened}
    note = relations.why_unplaced(row.id)
    return {
        "status": row.status,
        "zone_basis": row.zone_basis,
        "industry_ids": list(row.industries),
        "geometry_note": note.zh if note else None,
    }


def build_features(
    relations: Relations,
    shapes: dict[str, Shape],
    land_layer: Layer,
    neighbours: list[BaseGeometry],
    waters: Iterable[tuple[Text, Shape]],
) -> Features:
    """Return the features of every spatial layer by layer, in the order of the facts."""
    facts = relations.facts
    rows: Features = {}
    for place in relations.places.values():
        shape = shapes[place.id]
        properties = place_properties(place, shape, relations)
        rows.setdefault(place.layer, []).append(to_feature(place.id, shape.geometry, properties))
    rows["towns"] = [
        to_feature(town.id, shapes[town.id].geometry, town_properties(town, shapes[town.id]))
        for town in facts.towns.values()
    ]
    rows["land"] = list(_land(relations, shapes, land_layer, neighbours))
    rows["land"] += [
        to_feature(water.id, water.geometry, land_properties(water.id, name, water, "water"))
        for name, water in waters
    ]
    for layer, points in (("platforms", facts.platforms), ("gateways", facts.gateways)):
        rows[layer] = [
            to_feature(
                row.id,
                shapes[row.id].geometry if row.id in shapes else None,
                point_properties(row, shapes.get(row.id), relations),
            )
            for row in points.values()
        ]
    return rows


def build_industry_features(
    industries: Mapping[str, IndustryDocument], relations: Relations, shapes: dict[str, Shape]
) -> dict[str, FeatureCollection]:
    """Return, for each industry's document, the places designated for it with their designations."""
    collections = {}
    for industry_id, document in industries.items():
        found: dict[str, list[dict[str, object]]] = {}
        for row in document["designations"]:
            cited: dict[str, object] = {
                "term": row["term"],
                "emphasis": row["emphasis"],
                "verb": row["verb"],
                "clause": row["clause"],
            }
            found.setdefault(row["zone"]["id"], []).append(cited)
        features = [
            to_feature(
                place,
                shapes[place].geometry,
                place_properties(relations.places[place], shapes[place], relations)
                | {"industry_id": industry_id, "designations": rows},
            )
            for place, rows in found.items()
        ]
        collections[industry_id] = to_collection(features, name=industry_id)
    return collections


def _land(
    relations: Relations, shapes: dict[str, Shape], layer: Layer, neighbours: list[BaseGeometry]
) -> Iterator[GeoJsonFeature]:
    """Yield the city's own land, and the neighbouring land that a base map needs."""
    around = shapely.MultiPolygon(shapely.get_parts(shapely.union_all(neighbours)))
    for plan in relations.facts.plans.values():
        city = shapes[plan.id]
        yield to_feature(plan.id, city.geometry, land_properties(plan.id, plan.city, city))
        # Same sources, method and accuracy as the city's land; only the piece differs.
        measured = replace(
            city,
            geometry=around,
            area_km2=crs.measure_area_km2(around),
            official_area_km2=None,
            official_area_source=None,
        )
        for row_id, name in layer.names.items():
            yield to_feature(row_id, around, land_properties(row_id, name, measured))


def to_layers(supplied: Iterable[SuppliedLayer]) -> dict[str, Layer]:
    """Return the entries of the catalogue, in their order."""
    return {one.id: _to_layer(one, FIRST + number) for number, one in enumerate(supplied)}


def _to_layer(supplied: SuppliedLayer, order: int) -> Layer:
    declared = supplied.declared
    head = [one | {"nullable": one["name"] == "parent_id"} for one in describe_fields(HEAD)]
    stated = [one | {"nullable": False} for one in describe_fields(STATED)]
    taken = {name[:SHORT] for name in (*HEAD, *STATED)}
    own = [_to_field(one, declared, taken).model_dump() for one in declared.fields]
    said = to_text(declared.description) if declared.description else None
    mark = state_origin(declared)
    description = {one: f"{mark[one]} {getattr(said, one)}" if said else mark[one] for one in LANGUAGES}
    return Layer.model_validate(
        {
            "id": supplied.id,
            "order": order,
            "geometry": supplied.geometry,
            "title": to_text(declared.title),
            "description": description,
            "fields": [*head, *own, *stated],
            "own": declared,
        }
    )


def _to_field(one: OwnField, declared: OwnLayer, taken: set[str]) -> FieldInfo:
    title, unit = one.title.to_words(), one.unit.to_words() if one.unit else None
    meaning = {key: f"{title[key]} ({unit[key]})" if unit else title[key] for key in LANGUAGES}
    return FieldInfo(
        name=one.name,
        type=TYPES.get(one.kind, "string"),
        format="date" if one.kind == "date" else None,
        description=Text(**meaning),
        nullable=not (one.required or one.name == declared.popup.title.zh),
        values=tuple(value.zh for value in one.values) or None,
        short=_shorten(one.name, taken),
    )


def _shorten(name: str, taken: set[str]) -> str:
    """Return a name of at most ten letters that no other column has, and take it."""
    short, number = name[:SHORT], 1
    while short in taken:
        number += 1
        short = f"{name[: SHORT - len(str(number))]}{number}"
    taken.add(short)
    return short


def to_text(own: OwnText) -> Text:
    """Return an operator's text in every language of the city."""
    return Text(**own.to_words())


class PlaceFinder:
    """Finds the zone, else the county, that a feature lies in, by a point of it."""

    def __init__(self, relations: Relations, shapes: dict[str, Shape]) -> None:
        known = [
            (place.id, shapes[place.id])
            for place in relations.places.values()
            if place.id in relations.facts.zones and shapes[place.id].area_km2 is not None
        ]
        known.sort(key=lambda row: row[1].area_km2 or 0.0)  # the smallest first
        self._ids = [place_id for place_id, _ in known]
        self._tree = shapely.STRtree([shape.geometry for _, shape in known])

    def find(self, geometry: BaseGeometry) -> str | None:
        """Return the id of the smallest place around a geometry's point, None at sea and abroad."""
        found = self._tree.query(geometry.representative_point(), predicate="within")
        return self._ids[min(found)] if len(found) else None


def build_own_features(
    supplied: SuppliedLayer, find_place: Callable[[BaseGeometry], str | None]
) -> Iterator[GeoJsonFeature]:
    """Yield the GeoJSON features of a layer, each with source, date and licence."""
    declared = supplied.declared
    stated = {"source": declared.source, "as_of": declared.as_of.isoformat(), "licence": declared.licence}
    for one in supplied.features:
        names = {f"name_{language}": one.names[language] for language in LANGUAGES}
        head = {"id": one.id, **names, "parent_id": find_place(one.geometry)}
        yield to_feature(one.id, one.geometry, {**head, **one.values, **stated})


def choose_colour(declared: OwnLayer, chosen: OwnField, number: int) -> str:
    """Return the colour of a choice's value: its own, or one of those that all eyes tell apart."""
    if chosen.name != declared.style.by:
        return declared.style.colour or STYLE.own.plain
    return chosen.values[number].colour or STYLE.own.choices[number % len(STYLE.own.choices)]


def describe_own(supplied: SuppliedLayer, language: str) -> MapOwnLayer:
    """Return what the map knows of a layer before it is switched on: its name, look, choices and origin."""
    declared = supplied.declared
    style = declared.style
    return {
        "id": supplied.id,
        "title": declared.title.to_words()[language],
        "geometry": supplied.geometry,
        "colour": style.colour or STYLE.own.plain,
        "symbol": style.symbol,
        "by": style.by,
        "count": len(supplied.features),
        "choices": [
            {
                "name": one.name,
                "title": one.title.to_words()[language],
                "values": [
                    {"label": value.to_words()[language], "colour": choose_colour(declared, one, number)}
                    for number, value in enumerate(one.values)
                ],
            }
            for one in declared.fields
            if one.kind == "choice"
        ],
        "source": declared.source,
        "as_of": declared.as_of.isoformat(),
        "url": to_own_url(supplied.id),
    }


def build_own_points(supplied: SuppliedLayer) -> bytes:
    """Return what the map draws once a layer is switched on: parallel lists, one item a feature.

    ``at`` are positions (lon, lat) of points, ``shapes`` coordinates of MultiPolygons simplified by 5 m, or
    as far as leaves :data:`MOST_CORNERS` of them all;
    ``values`` the places of each choice's values in its list, -1 for none; ``names`` in English and Korean
    only where one differs.
    """
    declared, rows = supplied.declared, supplied.features
    drawn: MapOwnDrawn = {"ids": [one.id for one in rows], "names": {}, "values": {}}
    if supplied.geometry == "point":
        drawn["at"] = [[round(value, MAP_DECIMALS) for value in one.geometry.coords[0]] for one in rows]
    else:
        drawn["shapes"] = [_outline(one) for one in _simplify([one.geometry for one in rows])]
    names = {language: [one.names[language] for one in rows] for language in LANGUAGES}
    drawn["names"] = {
        language: texts for language, texts in names.items() if language == "zh" or texts != names["zh"]
    }
    drawn["values"] = {
        one.name: [_place_of(feature.values[one.name], one) for feature in rows]
        for one in declared.fields
        if one.kind == "choice"
    }
    return orjson.dumps(drawn)


def _simplify(geometries: list[BaseGeometry]) -> list[BaseGeometry]:
    tolerance, simple = TOLERANCE_DEG, shapely.simplify(geometries, TOLERANCE_DEG)
    while shapely.get_num_coordinates(simple).sum() > MOST_CORNERS and tolerance < COARSEST_DEG:
        tolerance *= 2
        simple = shapely.simplify(geometries, tolerance)
    return list(simple)


def _outline(simple: BaseGeometry) -> list[list[list[list[float]]]]:
    return [
        [
            shapely.get_coordinates(ring).round(MAP_DECIMALS).tolist()
            for ring in (part.exterior, *part.interiors)
        ]
        for part in shapely.get_parts(simple)
    ]


def _place_of(value: object, one: OwnField) -> int:
    return next((number for number, known in enumerate(one.values) if known.zh == value), -1)
