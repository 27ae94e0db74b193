"""The GeoJSON features of every spatial layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.shapes import Shape
from layers.catalogue import Layer
from layers.geojson import to_collection, to_feature
from layers.properties import land_properties, place_properties, point_properties, town_properties
from layers.relations import Relations

Features = dict[str, list[dict[str, Any]]]


def build_features(
    relations: Relations, shapes: dict[str, Shape], land_layer: Layer, neighbours: list[BaseGeometry]
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
    industries: Mapping[str, dict[str, Any]], relations: Relations, shapes: dict[str, Shape]
) -> dict[str, dict[str, Any]]:
    """Return, for each industry's document, the places designated for it with their designations."""
    collections = {}
    for industry_id, document in industries.items():
        found: dict[str, list[dict[str, Any]]] = {}
        for row in document["designations"]:
            cited = {key: row[key] for key in ("term", "emphasis", "verb", "clause")}
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
) -> Iterator[dict[str, Any]]:
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
