"""TopoJSON: edges that places share are written once.

Coordinates are whole steps of the seventh decimal, so nothing is lost against the GeoJSON.
"""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from topojson.core.topology import Topology

from geodata.boundaries import GeoJsonFeature, parse_geometry
from layers.display import MULTI_POLYGON, POLYGON, ArcTree, nest
from layers.export.job import Job, Part
from layers.geojson import DECIMALS

_STEPS = 10**DECIMALS


def write_topojson(job: Job) -> bytes:
    """Return every spatial layer of the job as an object of one topology."""
    parts = [part for part in job.parts if part.spatial]
    arcs: list[list[list[int]]] = []
    objects: dict[str, object] = {}
    origin = _origin(parts)
    for part in parts:
        drawn, own = _draw(part, origin)
        rows = [_to_row(row, drawn.get(row["id"]), len(arcs), origin) for row in part.features]
        objects[part.id] = {"type": "GeometryCollection", "geometries": rows}
        arcs += [np.diff(arc, axis=0, prepend=0).tolist() for arc in own]
    topology = {
        "type": "Topology",
        "name": job.spec.name,
        "transform": {"scale": [1 / _STEPS, 1 / _STEPS], "translate": [value / _STEPS for value in origin]},
        "objects": objects,
        "arcs": arcs,
    }
    return orjson.dumps(topology)


def _draw(part: Part, origin: tuple[int, int]) -> tuple[dict[str, list[ArcTree]], list[NDArray[np.int64]]]:
    """Return the arcs of each polygon by id, and the arcs themselves in steps from `origin`.

    Edges are shared from corner to corner: to look for corners of one along the lines of another takes
    many minutes where a border has a hundred thousand.
    """
    shapes = {
        row["id"]: shapely.transform(shape, lambda points: np.round(points * _STEPS) - origin)
        for row, shape in zip(part.features, part.geometries, strict=True)
        if shape is not None and shape.area
    }
    if not shapes:
        return {}, []
    found = Topology(
        gpd.GeoSeries(shapes),
        object_name=part.id,
        topology=True,
        prequantize=False,
        shared_coords=True,
    ).to_dict()
    arcs = [np.rint(arc).astype(np.int64) for arc in found["arcs"]]
    rows = found["objects"][part.id]["geometries"]
    return {name: row["arcs"] for name, row in zip(shapes, rows, strict=True)}, arcs


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
