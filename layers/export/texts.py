"""GeoJSON, TopoJSON, JSON and CSV, and zip files; geometries in the frame that a file is to be in.

The bytes depend on nothing but their content. Order is always (east, north), as these formats have it
whatever the authority's own order is. Coordinates of TopoJSON are whole steps of the seventh decimal, so
nothing is lost against the GeoJSON.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

import geopandas as gpd
import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry
from topojson.core.topology import Topology

from geodata import crs
from geodata.boundaries import DECIMALS, GeoJsonFeature, parse_geometry, to_collection
from layers.display import MULTI_POLYGON, POLYGON, ArcTree, nest
from layers.export.job import WGS84, Job, Part, Value, columns_of, flatten_rows, to_csv

_METRE_DECIMALS = 4  # a tenth of a millimetre: below that machines may differ in the last bit
_DEGREE_DECIMALS = 9


def geometries_of(part: Part, frame: str) -> list[BaseGeometry | None]:
    """Return the geometry of every row in `frame`, None where the place is not known."""
    return [_place(geometry, frame) for geometry in part.geometries]


def _place(geometry: BaseGeometry | None, frame: str) -> BaseGeometry | None:
    if geometry is None or frame == crs.LONLAT:
        return geometry
    decimals = _METRE_DECIMALS if crs.is_projected(frame) else _DEGREE_DECIMALS
    moved = crs.transform_geometry(geometry, crs.LONLAT, frame)

    def rounded(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.round(points, decimals)

    result: BaseGeometry = shapely.transform(moved, rounded)
    return result


def find_inside(geometry: BaseGeometry) -> tuple[float, float]:
    """Return a position on a place, (east, north): its own, or one inside its largest part."""
    largest = max(shapely.get_parts(geometry), key=lambda part: part.area)
    point = largest if largest.geom_type == "Point" else shapely.point_on_surface(largest)
    return round(point.x, 7), round(point.y, 7)


def to_multi(geometry: BaseGeometry | None) -> BaseGeometry | None:
    """Return a polygon as a multi-polygon: a column has one type."""
    return shapely.MultiPolygon([geometry]) if isinstance(geometry, shapely.Polygon) else geometry


def type_of(part: Part) -> str:
    """Return the type of a layer's geometry column."""
    return "Point" if part.info["geometry"] == "point" else "MultiPolygon"


def bounds_of(geometries: Iterable[BaseGeometry | None]) -> tuple[float, float, float, float] | None:
    """Return (west, south, east, north) of all that have a place, or None."""
    known = [geometry for geometry in geometries if geometry is not None]
    if not known:
        return None
    west, south, east, north = (float(value) for value in shapely.total_bounds(known))
    return west, south, east, north


@cache
def definition(frame: str) -> CRS:
    """Return the definition of a frame; lon/lat is WGS 84 to other programs."""
    return CRS.from_user_input(WGS84 if frame == crs.LONLAT else frame)


def write_geojson(job: Job) -> bytes:
    """Return one collection of all features; in a file of several layers each says which is its own."""
    parts = [part for part in job.parts if part.spatial]
    if len(parts) == 1 and parts[0].id == job.spec.name:
        return orjson.dumps(to_collection(parts[0].features, name=job.spec.name))
    rows: list[GeoJsonFeature] = [
        {**row, "properties": {"layer": part.id, **row["properties"]}}
        for part in parts
        for row in part.features
    ]
    return orjson.dumps(to_collection(rows, name=job.spec.name))


def write_table_json(job: Job) -> bytes:
    """Return a table as an array of objects."""
    return orjson.dumps(job.parts[0].properties)


def write_csv(job: Job) -> bytes:
    """Return one layer or table as CSV with a byte order mark."""
    return to_csv(to_lines(job, job.parts[0]))


def to_lines(job: Job, part: Part) -> Iterator[list[Value]]:
    """Yield a head of column names, then a line for each row; the place last, as the specification has it."""
    names = [column.name for column in columns_of(part)]
    heads, places = _places(job, part)
    yield [*names, *heads]
    for row, place in zip(flatten_rows(part), places, strict=True):
        yield [*(row[name] for name in names), *place]


def _places(job: Job, part: Part) -> tuple[list[str], list[list[Value]]]:
    """Return the columns that say where, and their values; a projected frame is named in them."""
    spec = job.spec
    if not part.spatial or spec.geometry == "none":
        return [], [[] for _ in part.rows]
    geometries = geometries_of(part, spec.frame)
    places: list[list[Value]] = [list(find_inside(one)) if one else [None, None] for one in geometries]
    suffix = f"_{spec.code.replace(':', '').lower()}" if crs.is_projected(spec.code) else ""
    heads = ["east", "north"] if suffix else ["lon", "lat"]
    if spec.geometry == "wkt":
        heads.append("wkt")
        places = [[*place, one.wkt if one else None] for place, one in zip(places, geometries, strict=True)]
    return [f"{head}{suffix}" for head in heads], places


_MODE = 0o100644 << 16  # a plain file, readable by all


def pack(files: Mapping[str, bytes], date: str) -> bytes:
    """Return a zip of `files`, sorted by name, all of them dated `date` (year-month-day)."""
    year, month, day = map(int, date.split("-"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, (year, month, day, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = _MODE
            member.create_system = 3  # as on Unix, wherever it is made
            packed.writestr(member, content)
    return out.getvalue()


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
