"""Display geometry: every polygon layer as TopoJSON, simplified for the overview, full for detail.

Towns and neighbouring land are simplified together as one coverage, and the larger places are
dissolved from the simplified towns, so that edges shared in truth stay shared on the screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry
from topojson.core.topology import Topology

from geodata.shapes import Shape
from layers.relations import CITY, Relations

POLYGON_LAYERS = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores")


@dataclass(frozen=True)
class Level:
    """How much of the geometry one range of zooms needs."""

    tolerance_deg: float  # 0 keeps every vertex
    quantum: int  # steps across the map that coordinates are rounded to


OVERVIEW = Level(tolerance_deg=0.0012, quantum=20_000)  # about a screen pixel at zoom 11; 10 m
DETAIL = Level(tolerance_deg=0, quantum=1_000_000)  # 0.2 m


def build_display(
    relations: Relations, shapes: dict[str, Shape], neighbours: list[BaseGeometry], level: Level
) -> dict[str, Any]:
    """Return one TopoJSON topology with the objects `land`, `city`, `towns` and every polygon layer.

    Geometries carry only their id.
    """
    towns = [town for town in relations.facts.towns if town in shapes]
    whole = [*(shapes[town].geometry for town in towns), *neighbours]
    simple = shapely.coverage_simplify(whole, level.tolerance_deg) if level.tolerance_deg else whole
    pieces = dict(zip(towns, simple, strict=False))
    objects: dict[str, list[tuple[str, BaseGeometry]]] = {
        "land": [("neighbour", shapely.coverage_union_all(simple[len(towns) :]))],
        "city": [(CITY, shapely.coverage_union_all(list(pieces.values())))],
        "towns": [("mesh", _mesh(pieces.values()))],
    }
    for layer in POLYGON_LAYERS:
        places = [place for place in relations.places.values() if place.layer == layer]
        objects[layer] = [
            (place.id, _outline(place.id, shapes[place.id], relations, pieces)) for place in places
        ]
    return _to_topology(objects, level.quantum)


def _outline(
    place_id: str, shape: Shape, relations: Relations, pieces: Mapping[str, BaseGeometry]
) -> BaseGeometry:
    """Return the place's display polygon: its towns dissolved, or its own polygon where it has none."""
    if shape.method == "indicative":
        return shape.geometry
    members = [pieces[town] for town in _towns_of(place_id, relations) if town in pieces]
    return shapely.coverage_union_all(members) if members else shape.geometry


def _towns_of(place_id: str, relations: Relations) -> list[str]:
    inside = relations.inside(place_id)
    return [
        town.id for town in relations.facts.towns.values() if town.zone in inside or town.county in inside
    ]


def _mesh(polygons: Iterable[BaseGeometry]) -> BaseGeometry:
    """Return the lines between towns, without the coast."""
    edges = shapely.union_all([polygon.boundary for polygon in polygons])
    coast = shapely.union_all(list(polygons)).boundary
    return shapely.line_merge(shapely.difference(edges, coast))


def _to_topology(objects: Mapping[str, list[tuple[str, BaseGeometry]]], quantum: int) -> dict[str, Any]:
    collections = [
        {"type": "FeatureCollection", "features": [_bare(*row) for row in rows]} for rows in objects.values()
    ]
    topology = Topology(collections, object_name=list(objects), topology=True, prequantize=quantum).to_dict()
    for name, rows in objects.items():
        topology["objects"][name] = _name_geometries(topology["objects"][name], rows)
    result: dict[str, Any] = topology
    return result


def _bare(row_id: str, geometry: BaseGeometry) -> dict[str, Any]:
    return {"type": "Feature", "id": row_id, "properties": {}, "geometry": shapely.geometry.mapping(geometry)}


def _name_geometries(collection: dict[str, Any], rows: list[tuple[str, BaseGeometry]]) -> dict[str, Any]:
    """Return a TopoJSON collection whose geometries are arcs with our ids and nothing else."""
    named = [
        {
            "type": f"Multi{geometry.geom_type.removeprefix('Multi')}",
            "id": row_id,
            "arcs": _to_multi(geometry, drawn["arcs"]),
        }
        for (row_id, geometry), drawn in zip(rows, collection["geometries"], strict=True)
    ]
    return {"type": "GeometryCollection", "geometries": named}


def _to_multi(geometry: BaseGeometry, arcs: list[Any]) -> list[Any]:
    """Return arcs nested as a multi-geometry's; the library nests some one level less, or more."""
    wanted = 3 if geometry.geom_type.endswith("Polygon") else 2
    depth = _depth(arcs)
    if depth > wanted:
        return [inner for outer in arcs for inner in outer]
    return arcs if depth == wanted else [arcs]


def _depth(arcs: Any) -> int:
    return 1 + _depth(arcs[0]) if isinstance(arcs, list) else 0
