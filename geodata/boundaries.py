"""GeoJSON (RFC 7946) read and written, and the data package that says how true each file of boundaries is.

Positions are WGS 84 (lon, lat) in degrees; distances and lengths are metres. The same data
is written as the same bytes: right-hand rings, seven decimals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NotRequired, TypeAlias, TypedDict

import orjson

from geodata.deferred import shapely

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

Coordinates: TypeAlias = "float | list[Coordinates]"  # nested as the type of the geometry has it
Scalar = str | float | bool | None
Property = Scalar | Sequence[str] | Sequence[Mapping[str, object]]
Properties = dict[str, Property]
SEPARATOR = ";"  # of a list in a flat format
DECIMALS = 7  # about a centimetre; RFC 7946 recommends no more than needed
_GRID = 10.0**-DECIMALS


class GeoJsonGeometry(TypedDict):
    """A GeoJSON geometry with coordinates."""

    type: str
    coordinates: list[Coordinates]


class GeoJsonFeature(TypedDict):
    """A GeoJSON feature with an id; without a bbox where it has no geometry."""

    type: str
    id: str
    bbox: NotRequired[list[float]]
    geometry: GeoJsonGeometry | None
    properties: Properties


class FeatureCollection(TypedDict):
    """A GeoJSON feature collection."""

    type: str
    name: NotRequired[str]
    bbox: NotRequired[list[float]]
    features: list[GeoJsonFeature]


class Distances(TypedDict):
    """How far places on one drawing of a line lie from another, and how many were measured."""

    median_m: int
    p90_m: int
    points: NotRequired[int]


class BorderDistances(Distances):
    """The same of borders between towns; `p90_of_box_size` is in parts of the size of their boxes."""

    p90_of_box_size: float


class BlindQuality(Distances):
    """How well the method draws known borders; `quantiles` of the errors are in parts of the accuracy."""

    land_in_right_county: float
    land_in_right_county_a_third_of_boxes_withheld: float
    boxed: BorderDistances
    unboxed: BorderDistances
    quantiles: dict[str, float]


class AreaComparison(TypedDict):
    """The area of a place as drawn beside the one that is stated."""

    of: str
    official_km2: float
    area_km2: float
    difference_percent: float
    solved: bool


class EdgeAccuracy(TypedDict):
    """A stretch of edge between two towns, or of one with a neighbouring county or the sea."""

    between: list[str]
    length_m: int
    accuracy_m: int


class Quality(TypedDict):
    """How good the method was measured to be."""

    coast: Distances
    digitised: Distances
    reconstructed: BlindQuality
    areas: list[AreaComparison]
    seats_outside_own_town: dict[str, int]
    edges: list[EdgeAccuracy]


class MethodAccount(TypedDict):
    """How the shapes of one method were made, and from which sources; `no_area`: why they have none."""

    sources: list[str]
    description: str
    no_area: NotRequired[dict[str, str]]


class BoundaryResource(TypedDict):
    """One file of the data package."""

    name: str
    path: str
    title: str
    format: str
    mediatype: str
    encoding: str
    bytes: int
    hash: str
    method: str
    sources: list[dict[str, str]]
    licenses: list[dict[str, str]]
    licence: str


class DataPackage(TypedDict):
    """Source, licence, method and hash of each file, and how good the method is (Frictionless)."""

    name: str
    title: str
    description: str
    sources: list[dict[str, str]]
    licenses: list[dict[str, str]]
    licence: str
    methods: dict[str, MethodAccount]
    window: NotRequired[list[float]]
    resources: list[BoundaryResource]
    quality: Quality


class Boundaries(TypedDict):
    """Everything that :func:`geodata.read.read_boundaries` reads, by the stem of its file.

    `adjusted` is the :class:`~geodata.boundary_import.snap.Adjusted` geometry, once imports are put in.
    """

    towns: FeatureCollection
    land: FeatureCollection
    water: NotRequired[FeatureCollection]
    blind: NotRequired[FeatureCollection]
    datapackage: DataPackage
    adjusted: NotRequired[object]


def flatten_value(value: Property) -> Scalar:
    """Return a property as flat formats write it: lists joined by ``;``, designations as industry ids.

    An empty list is no value.

    >>> flatten_value(["三(一)1", "三(二)"])
    '三(一)1;三(二)'
    >>> flatten_value([{"industry_id": "glass", "clause": "三(一)1(2)"}])
    'glass'
    """
    if value is None or isinstance(value, str | float | int):
        return value
    texts = [one if isinstance(one, str) else str(one["industry_id"]) for one in value]
    return SEPARATOR.join(texts) or None


def list_records(value: Property) -> list[Mapping[str, object]]:
    """Return the records that a property lists, none where it holds no records."""
    rows = value if isinstance(value, list) else []
    return [row for row in rows if isinstance(row, dict)]


def parse_geometry(feature: GeoJsonFeature) -> BaseGeometry:
    """Return the geometry of a feature that has one, lon/lat."""
    return shapely.from_geojson(orjson.dumps(feature["geometry"]))


def render_geometry(shape: BaseGeometry, decimals: int) -> GeoJsonGeometry:
    """Return `shape` as GeoJSON: right-hand rule, rings from a fixed start, rounded coordinates."""
    turned = shapely.orient_polygons(shapely.normalize(shape))
    geometry: GeoJsonGeometry = orjson.loads(shapely.to_geojson(turned))
    return {"type": geometry["type"], "coordinates": round_list(geometry["coordinates"], decimals)}


def round_list(coordinates: list[Coordinates], decimals: int) -> list[Coordinates]:
    """Return nested coordinates rounded."""
    return [
        round_list(one, decimals) if isinstance(one, list) else round(one, decimals) for one in coordinates
    ]


def to_geometry(geometry: BaseGeometry | None) -> GeoJsonGeometry | None:
    """Return a GeoJSON geometry with exterior rings counter-clockwise, or None for no geometry."""
    if geometry is None or geometry.is_empty:
        return None
    oriented = shapely.orient_polygons(_rounded(geometry)) if geometry.area else _rounded(geometry)
    mapping: GeoJsonGeometry = orjson.loads(shapely.to_geojson(oriented))
    return {"type": mapping["type"], "coordinates": round_list(mapping["coordinates"], DECIMALS)}


def to_feature(feature_id: str, geometry: BaseGeometry | None, properties: Properties) -> GeoJsonFeature:
    """Return a feature with a stable id and, where it has a geometry, a bbox."""
    if geometry is None:
        return {"type": "Feature", "id": feature_id, "geometry": None, "properties": properties}
    return {
        "type": "Feature",
        "id": feature_id,
        "bbox": to_bbox(geometry),
        "geometry": to_geometry(geometry),
        "properties": properties,
    }


def to_collection(features: Iterable[GeoJsonFeature], name: str) -> FeatureCollection:
    """Return a named feature collection with the bbox of all its features."""
    rows = list(features)
    boxes = [row["bbox"] for row in rows if "bbox" in row]
    if not boxes:
        return {"type": "FeatureCollection", "name": name, "features": rows}
    west, south, east, north = zip(*boxes, strict=True)
    bbox = [min(west), min(south), max(east), max(north)]
    return {"type": "FeatureCollection", "name": name, "bbox": bbox, "features": rows}


def to_bbox(geometry: BaseGeometry) -> list[float]:
    """Return (west, south, east, north) in degrees."""
    return [round(float(value), DECIMALS) for value in geometry.bounds]


def to_bytes(value: object) -> bytes:
    """Return compact UTF-8 JSON, keys in the order given."""
    return orjson.dumps(value)


def _rounded(geometry: BaseGeometry) -> BaseGeometry:
    """Snap to the grid that is written, keeping the geometry valid."""
    return shapely.set_precision(geometry, _GRID)
