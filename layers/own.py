"""Layers of the operator's own: as entries of the catalogue, as features, and as the map draws them.

From the catalogue on they are layers like the others: files, collections and schemas are made of them by the
same code. Each says that it is the operator's own, with source, date and licence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.boundaries import GeoJsonFeature, to_bytes, to_feature
from geodata.kinds import LANGUAGES
from geodata.model import OwnText, Text
from geodata.own_layers import OwnField, OwnLayer, SuppliedLayer
from geodata.shapes import Shape
from layers.cartography import STYLE
from layers.catalogue import FieldInfo, Layer, describe_fields, state_origin
from layers.links import to_own_url
from layers.map_types import MapOwnDrawn, MapOwnLayer
from layers.relations import Relations

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
    return to_bytes(drawn)


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
