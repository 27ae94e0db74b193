"""Display geometry: every polygon layer as TopoJSON, simplified for the overview, full for detail.

Towns and neighbouring land are simplified together as one coverage, and the larger places are
dissolved from the simplified towns, so that edges shared in truth stay shared on the screen. Arcs are
nested as TopoJSON's geometry types nest them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NotRequired, TypeAlias, TypedDict, cast

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from topojson.core.topology import Topology

from geodata.kinds import PLACE_LAYERS
from geodata.shapes import Shape, Stretch, select_lines
from layers.relations import Relations

POLYGON, MULTI_LINE, MULTI_POLYGON = 2, 2, 3  # how deep each type nests its arcs
_FRAME_DEG = 1e-6  # how near to the frame a line counts as part of it
_NEAR_STEPS = 2  # of rounding, within which an arc runs along a line
MIN_RING = 3  # positions of a ring that is none: there and back again


ArcTree: TypeAlias = "int | list[ArcTree]"  # numbers of arcs, nested as the type of the geometry has it


class TopoGeometry(TypedDict):
    """A geometry of a topology: the numbers of its arcs, under our id."""

    type: str
    id: str
    arcs: list[ArcTree]


class TopoCollection(TypedDict):
    """One object of a topology."""

    type: str
    geometries: list[TopoGeometry]


class DoubtfulArcs(TypedDict):
    """The arcs of a county where nobody knows the border of a zone, and how true they are, metres."""

    county: str
    accuracy_m: int
    arcs: list[int]


class DisplayTopology(TypedDict):
    """A TopoJSON topology: arcs are moves in steps of `transform`."""

    type: str
    transform: dict[str, list[float]]
    objects: dict[str, TopoCollection]
    arcs: list[list[list[float]]]
    doubts: NotRequired[list[DoubtfulArcs]]


def nest(arcs: list[ArcTree], wanted: int) -> list[ArcTree]:
    """Return arcs nested `wanted` deep; the topojson library nests some one level less, or more.

    >>> nest([[0, 1]], MULTI_POLYGON)
    [[[0, 1]]]
    """
    if not arcs:  # of lines between places where there is but one
        return []
    depth = _depth(arcs)
    if depth > wanted:
        return [inner for outer in arcs if isinstance(outer, list) for inner in outer]
    return arcs if depth == wanted else [arcs]


def _depth(arcs: ArcTree) -> int:
    return 1 + _depth(arcs[0]) if isinstance(arcs, list) else 0


@dataclass(frozen=True)
class Level:
    """How much of the geometry one range of zooms needs."""

    tolerance_deg: float  # 0 keeps every vertex
    quantum: int  # steps across the map that coordinates are rounded to


OVERVIEW = Level(tolerance_deg=0.002, quantum=20_000)  # about a screen pixel at zoom 10; 17 m
DETAIL = Level(tolerance_deg=0, quantum=1_000_000)  # 0.2 m


def build_display(
    relations: Relations,
    shapes: dict[str, Shape],
    neighbours: list[BaseGeometry],
    waters: Mapping[str, BaseGeometry],
    stretches: Iterable[Stretch],
    level: Level,
) -> DisplayTopology:
    """Return one TopoJSON topology: the polygons of every layer, and the lines of the base map.

    Objects are `land` (neighbouring), `city`, `water` (over it), every polygon layer, and the lines `coast`,
    `border`, `county-lines`, `zone-lines` and `towns`. Geometries carry only their id. ``doubts`` lists the
    arcs where nobody knows the border of a zone, by county and accuracy, metres. What has no known extent has
    no polygon.
    """
    towns = [town for town in relations.facts.towns if town in shapes]
    whole = [*(shapes[town].geometry for town in towns), *neighbours]
    simple = shapely.coverage_simplify(whole, level.tolerance_deg) if level.tolerance_deg else whole
    pieces = dict(zip(towns, simple, strict=False))
    land = shapely.coverage_union_all(simple[len(towns) :])
    city = shapely.coverage_union_all(list(pieces.values()))
    outlines = {
        layer: [
            (place.id, _outline(place.id, shapes[place.id], relations, pieces, level))
            for place in relations.places.values()
            if place.layer == layer and shapes[place.id].area_km2 is not None
        ]
        for layer in PLACE_LAYERS
    }
    zones = [outline for _, outline in outlines.get("zones", [])]
    lines = {
        **_shores(city, land),
        "county-lines": _inner_lines([outline for _, outline in outlines.get("counties", [])], city),
        "zone-lines": _inner_lines(zones, city),
        "towns": _inner_lines(list(pieces.values()), city),
    }
    objects = {"land": [("neighbour", land)], "city": [(next(iter(relations.facts.plans)), city)], **outlines}
    objects |= {name: [(name, line)] for name, line in lines.items()}
    objects["water"] = [
        (name, shapely.simplify(water, level.tolerance_deg / 10)) for name, water in waters.items()
    ]
    topology = _to_topology(objects, level.quantum)
    topology["doubts"] = _mark_doubts(topology, _find_doubtful(relations, stretches, pieces))
    return topology


def _mark_doubts(
    topology: DisplayTopology, doubtful: Mapping[tuple[str, int], BaseGeometry]
) -> list[DoubtfulArcs]:
    """Return the numbers of the arcs that run along doubtful borders, by county and accuracy in metres."""
    if not doubtful:
        return []
    scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    arcs = [np.cumsum(arc, axis=0) * scale + shift for arc in topology["arcs"]]
    middles = [arc[(len(arc) - 1) // 2 : (len(arc) - 1) // 2 + 2].mean(axis=0) for arc in arcs]
    tree = shapely.STRtree(list(doubtful.values()))
    near = float(_NEAR_STEPS * scale.max())
    numbers, found = tree.query_nearest(shapely.points(middles), max_distance=near, all_matches=False)
    along: dict[int, list[int]] = {}
    for number, which in zip(numbers.tolist(), found.tolist(), strict=True):
        along.setdefault(which, []).append(number)
    return [
        {"county": county, "accuracy_m": accuracy_m, "arcs": along[which]}
        for which, (county, accuracy_m) in enumerate(doubtful)
        if which in along
    ]


def _find_doubtful(
    relations: Relations, stretches: Iterable[Stretch], pieces: Mapping[str, BaseGeometry]
) -> dict[tuple[str, int], BaseGeometry]:
    """Return the borders of zones where they are only reconstructed, by county and accuracy in metres."""
    towns = relations.facts.towns
    found: dict[tuple[str, int], list[BaseGeometry]] = {}
    for stretch in stretches:
        if stretch.drawn_by == "reconstructed":
            one, other = (towns[end] for end in stretch.between)
            if one.zone != other.zone:
                line = shapely.intersection(pieces[one.id].boundary, pieces[other.id].boundary)
                found.setdefault((one.county, round(stretch.accuracy_m)), []).append(line)
    return {key: select_lines(shapely.union_all(lines)) for key, lines in sorted(found.items())}


def _shores(city: BaseGeometry, land: BaseGeometry) -> dict[str, BaseGeometry]:
    """Return the city's border, and the coast of all land but for the frame that neighbours are cut at."""
    edges, frame = shapely.union(city.boundary, land.boundary), land.envelope.boundary.buffer(_FRAME_DEG)
    border = select_lines(shapely.intersection(city.boundary, land.boundary))
    coast = shapely.difference(shapely.difference(edges, border), frame)
    return {"coast": select_lines(coast), "border": border}


def _inner_lines(polygons: list[BaseGeometry], city: BaseGeometry) -> BaseGeometry:
    """Return the edges of the polygons that are not the city's own edge."""
    edges = shapely.union_all([polygon.boundary for polygon in polygons])
    return select_lines(shapely.difference(edges, city.boundary))


def _outline(
    place_id: str, shape: Shape, relations: Relations, pieces: Mapping[str, BaseGeometry], level: Level
) -> BaseGeometry:
    """Return the place's display polygon: its towns dissolved, or its own polygon where it has none."""
    members = [pieces[town.id] for town in relations.towns_of(place_id) if town.id in pieces]
    if members:
        return shapely.coverage_union_all(members)
    return shapely.simplify(shape.geometry, level.tolerance_deg / 10)  # a tenth: small places keep their form


def _to_topology(objects: Mapping[str, list[tuple[str, BaseGeometry]]], quantum: int) -> DisplayTopology:
    frames = [
        gpd.GeoDataFrame(geometry=[geometry for _, geometry in rows if not geometry.is_empty])
        for rows in objects.values()
    ]
    made = Topology(frames, object_name=list(objects), topology=True, prequantize=quantum)
    topology = cast("DisplayTopology", made.to_dict())
    for name, rows in objects.items():
        topology["objects"][name] = _name_geometries(topology["objects"][name], rows)
        for geometry in topology["objects"][name]["geometries"]:
            geometry["arcs"] = _drop_collapsed(geometry, [len(arc) for arc in topology["arcs"]])
    return topology


def _name_geometries(collection: TopoCollection, rows: list[tuple[str, BaseGeometry]]) -> TopoCollection:
    """Return a TopoJSON collection whose geometries are arcs with our ids and nothing else.

    The collection has those of the rows that are not empty.
    """
    drawn = iter(collection["geometries"])
    named: list[TopoGeometry] = [
        {
            "type": f"Multi{geometry.geom_type.removeprefix('Multi')}",
            "id": row_id,
            "arcs": nest(
                [] if geometry.is_empty else next(drawn)["arcs"],
                MULTI_POLYGON if geometry.geom_type.endswith("Polygon") else MULTI_LINE,
            ),
        }
        for row_id, geometry in rows
    ]
    return {"type": "GeometryCollection", "geometries": named}


def _drop_collapsed(geometry: TopoGeometry, lengths: list[int]) -> list[ArcTree]:
    """Return the arcs of a geometry without what rounding left no extent: islets smaller than a step.

    `lengths` counts the positions of each arc. A ring has four positions at least, a line two.
    """

    def extent(arcs: ArcTree) -> int:
        numbers = [arc for arc in arcs if isinstance(arc, int)] if isinstance(arcs, list) else [arcs]
        return sum(lengths[arc if arc >= 0 else ~arc] for arc in numbers) - len(numbers) + 1

    if geometry["type"] == "MultiLineString":
        return [line for line in geometry["arcs"] if extent(line) > 1]
    polygons = [polygon for polygon in geometry["arcs"] if isinstance(polygon, list)]
    parts: list[ArcTree] = [
        [outer, *(hole for hole in holes if extent(hole) > MIN_RING)]
        for outer, *holes in polygons
        if extent(outer) > MIN_RING
    ]
    return parts or geometry["arcs"]
