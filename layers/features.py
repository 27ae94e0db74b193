"""The GeoJSON features of every spatial layer, with the flat properties that are the contract of the data.

Platforms and gateways are points, with the same account of their truth as polygons carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import shapely
from shapely.geometry import Point
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundaries import FeatureCollection, GeoJsonFeature, Properties, to_collection, to_feature
from geodata.kinds import LANGUAGES
from geodata.model import Area, Designation, Gateway, Industry, Platform, Position, Text, Town
from geodata.read import Facts
from geodata.shapes import Shape
from layers.answers import Answers
from layers.catalogue import Layer
from layers.document_types import IndustryDocument
from layers.links import SEPARATOR
from layers.relations import Place, Relations

SURE_M = 1000.0  # a point known worse than this is shown as indicative
Features = dict[str, list[GeoJsonFeature]]


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
    waters: Iterable[tuple[Text, Shape]] = (),
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
