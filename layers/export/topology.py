"""TopoJSON: edges that places share are written once.

Coordinates are whole steps of the seventh decimal, so nothing is lost against the GeoJSON.
"""

from __future__ import annotations

import math

import orjson
import shapely
from topojson.core.topology import Topology

from geodata.boundaries import GeoJsonFeature, parse_geometry
from layers.display import MULTI_POLYGON, POLYGON, ArcTree, nest
from layers.export.job import Job, Part
from layers.geojson import DECIMALS

_STEPS = 10**DECIMALS
Arcs = list[list[list[float]]]


def write_topojson(job: Job) -> bytes:
    """Return every spatial layer of the job as an object of one topology."""
    parts = [part for part in job.parts if part.spatial]
    arcs: list[list[list[int]]] = []
    objects: dict[str, object] = {}
    origin = _origin(parts)
    for part in parts:
        drawn, own = _draw(part)
        rows = [_to_row(row, drawn.get(row["id"]), len(arcs), origin) for row in part.features]
        objects[part.id] = {"type": "GeometryCollection", "geometries": rows}
        arcs += [_to_steps(arc, origin) for arc in own]
    topology = {
        "type": "Topology",
        "name": job.spec.name,
        "transform": {"scale": [1 / _STEPS, 1 / _STEPS], "translate": [value / _STEPS for value in origin]},
        "objects": objects,
        "arcs": arcs,
    }
    return orjson.dumps(topology)


def _draw(part: Part) -> tuple[dict[str, list[ArcTree]], Arcs]:
    """Return the arcs of each polygon by id, and the arcs themselves in degrees."""
    bare = [
        {"type": "Feature", "id": row["id"], "properties": {}, "geometry": shapely.geometry.mapping(shape)}
        for row in part.features
        if row["geometry"] and (shape := parse_geometry(row)).area
    ]
    if not bare:
        return {}, []
    found = Topology(
        {"type": "FeatureCollection", "features": bare}, object_name=part.id, topology=True, prequantize=False
    ).to_dict()
    geometries = found["objects"][part.id]["geometries"]
    return {row["id"]: row["arcs"] for row in geometries}, found["arcs"]


def _to_row(
    row: GeoJsonFeature, arcs: list[ArcTree] | None, shift: int, origin: tuple[int, int]
) -> dict[str, object]:
    geometry = row["geometry"]
    named: dict[str, object] = {"type": None, "id": row["id"], "properties": row["properties"]}
    if geometry is None:
        return named
    if arcs is None:
        point = parse_geometry(row).centroid
        x, y = round(point.x * _STEPS), round(point.y * _STEPS)
        return named | {"type": "Point", "coordinates": [x - origin[0], y - origin[1]]}
    depth = MULTI_POLYGON if geometry["type"] == "MultiPolygon" else POLYGON
    return named | {"type": geometry["type"], "arcs": _shifted(nest(arcs, depth), shift)}


def _shifted(arcs: ArcTree, shift: int) -> ArcTree:
    """Return the indexes moved behind the arcs that are there; a reversed arc counts down from -1."""
    if isinstance(arcs, list):
        return [_shifted(one, shift) for one in arcs]
    return arcs + shift if arcs >= 0 else arcs - shift


def _origin(parts: list[Part]) -> tuple[int, int]:
    boxes = [row["bbox"] for part in parts for row in part.features if "bbox" in row]
    if not boxes:
        return 0, 0
    west, south = (min(box[axis] for box in boxes) for axis in (0, 1))
    return math.floor(west * _STEPS), math.floor(south * _STEPS)


def _to_steps(arc: list[list[float]], origin: tuple[int, int]) -> list[list[int]]:
    """Return an arc as whole steps from one vertex to the next."""
    steps, before = [], origin
    for x, y in arc:
        here = (round(x * _STEPS), round(y * _STEPS))
        steps.append([here[0] - before[0], here[1] - before[1]])
        before = here
    return steps
