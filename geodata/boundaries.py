"""GeoJSON (RFC 7946) read and written, and the data package that says how true each file of boundaries is.

Positions are WGS 84 (lon, lat) in degrees; distances and lengths are metres. The same data is written as the
same bytes: right-hand rings, seven decimals.

GeoJSON that somebody sends is read strictly. Places in it are written as JSONPath (RFC 9535):
``$.features[3].geometry.coordinates[0][2]``. Nothing in a text raises anything but :class:`GeojsonError`.
Positions are taken as (x, y); heights are left out.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NotRequired, TypeAlias, TypedDict

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
MAX_DEPTH: Final = 8  # of collections in collections
RING: Final = 4  # positions at least, the first and the last the same
# How deep the positions of a geometry lie, by its type: a position itself, a list of them, rings, polygons.
DEPTHS: Final = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
RINGED: Final = ("Polygon", "MultiPolygon")
COLLECTIONS: Final = ("FeatureCollection", "Feature", "GeometryCollection")
TYPES: Final = ", ".join((*DEPTHS, *COLLECTIONS))
_SHOWN: Final = 40  # characters of what was given
Kind = Literal["not_json", "deep", "doubled", "no_figure", "member", "vertex", "ring"]
Position = tuple[float, float]
Members = dict[str, object]  # of a JSON object


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


def _rounded(geometry: BaseGeometry) -> BaseGeometry:
    """Snap to the grid that is written, keeping the geometry valid."""
    return shapely.set_precision(geometry, _GRID)


class GeojsonError(ValueError):
    """A text is no GeoJSON; `kind` says why, `place` where, `value` what is there, `allowed` what may be."""

    def __init__(self, kind: Kind, place: str, value: object = "", allowed: str = "GeoJSON") -> None:
        super().__init__(f"{place}: {kind} {value}")
        self.kind = kind
        self.place = _to_text(place)
        self.value = _to_text(str(value)[:_SHOWN])
        self.allowed = allowed

    @property
    def values(self) -> dict[str, str]:
        """What fills the wording of the error."""
        return {"place": self.place, "value": self.value, "allowed": self.allowed}


@dataclass(frozen=True)
class SentGeometry:
    """One geometry of a text that is sound as far as GeoJSON goes; of a collection, one of its members.

    `coordinates` are nested as deep as the `type` has them. `feature` is the number of the feature that it
    is of, 0 for a bare geometry; `properties` are that feature's.
    """

    place: str
    type: str
    coordinates: Any
    feature: int = 0
    properties: Mapping[str, object] = field(default_factory=dict)


class _Doubled(dict[str, object]):
    """An object that has a member twice: its name is kept."""

    name = ""


def read_geojson(text: bytes) -> object:
    """Return the value of a JSON text, in which every number is finite and no member stands twice.

    Raises :class:`GeojsonError`.
    """
    odd: list[object] = []

    def build(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            doubled = _Doubled(found)
            doubled.name = next(name for name in names if names.count(name) > 1)
            odd.append(doubled)
            return doubled
        return found

    def note(constant: str) -> float:
        odd.append(constant)
        return float(constant)

    try:
        value = json.loads(
            text.removeprefix(b"\xef\xbb\xbf").decode(), object_pairs_hook=build, parse_constant=note
        )
    except RecursionError as error:
        raise GeojsonError("deep", "$") from error
    except ValueError as error:  # also of bytes that are no UTF-8, and of figures with thousands of digits
        raise GeojsonError("not_json", "$", error) from error
    if odd:
        _refuse_odd(value)
    return value


def _refuse_odd(value: object) -> None:
    """Raise the error of the first member that stands twice, or of the first number that is none."""
    waiting: list[tuple[str, object]] = [("$", value)]
    while waiting:
        place, one = waiting.pop()
        if isinstance(one, _Doubled):
            raise GeojsonError("doubled", place, one.name)
        if isinstance(one, float) and not math.isfinite(one):
            raise GeojsonError("no_figure", place, one)
        if isinstance(one, dict):
            waiting += [(f"{place}.{name[:_SHOWN]}", below) for name, below in reversed(one.items())]
        elif isinstance(one, list):
            waiting += [(f"{place}[{at}]", below) for at, below in reversed([*enumerate(one)])]


def list_geometries(value: object) -> Iterator[SentGeometry]:
    """Yield every geometry of a GeoJSON object, each checked; features without one are passed over.

    Raises :class:`GeojsonError` for the first thing that is wrong.
    """
    for number, (place, feature) in enumerate(list_features(value)):
        properties = feature.get("properties")
        said = properties if feature["type"] == "Feature" and isinstance(properties, dict) else {}
        if feature["type"] != "Feature":
            yield from _list_parts(feature, place, number, said, MAX_DEPTH)
        elif feature["geometry"] is not None:
            yield from _list_parts(feature["geometry"], f"{place}.geometry", number, said, MAX_DEPTH)


def list_features(value: object, place: str = "$", depth: int = MAX_DEPTH) -> Iterator[tuple[str, Members]]:
    """Yield the features of a GeoJSON object with their places, or the bare geometry that it is.

    A feature has its ``geometry``, or None, and its ``properties``, or None.
    """
    kind, members = _members_of(value, place, TYPES)
    if kind == "FeatureCollection":
        if not depth:
            raise GeojsonError("deep", place)
        for at, one in enumerate(_list(members, "features", place)):
            yield from list_features(one, f"{place}.features[{at}]", depth - 1)
    elif kind == "Feature":
        geometry, properties = members.get("geometry"), members.get("properties")
        if geometry is not None:
            _members_of(geometry, f"{place}.geometry", TYPES)
        if not isinstance(properties, dict | None):
            raise GeojsonError("member", f"{place}.properties", _describe(properties), "{…}, null")
        yield place, members | {"geometry": geometry, "properties": properties}
    else:
        yield place, members


def _list_parts(
    geometry: object, place: str, feature: int, properties: Mapping[str, object], depth: int
) -> Iterator[SentGeometry]:
    """Yield a geometry, or those of a collection."""
    kind, members = _members_of(geometry, place, ", ".join((*DEPTHS, "GeometryCollection")))
    if kind == "GeometryCollection":
        if not depth:
            raise GeojsonError("deep", place)
        for at, one in enumerate(_list(members, "geometries", place)):
            yield from _list_parts(one, f"{place}.geometries[{at}]", feature, properties, depth - 1)
    elif kind in DEPTHS:
        coordinates = _list(members, "coordinates", place)
        ringed = kind in RINGED
        sound = _check(coordinates, f"{place}.coordinates", DEPTHS[kind], ringed=ringed)
        yield SentGeometry(place, kind, sound, feature, properties)
    else:
        raise GeojsonError("member", f"{place}.type", kind, ", ".join((*DEPTHS, "GeometryCollection")))


def _members_of(value: object, place: str, allowed: str) -> tuple[str, Members]:
    """Return the type of a GeoJSON object, and its members."""
    if not isinstance(value, dict):
        raise GeojsonError("member", place, _describe(value), '{"type": …}')
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in (*DEPTHS, *COLLECTIONS):
        raise GeojsonError(
            "member", f"{place}.type", kind if isinstance(kind, str) else _describe(kind), allowed
        )
    return kind, value


def _list(value: Members, name: str, place: str) -> list[object]:
    found = value.get(name)
    if not isinstance(found, list):
        raise GeojsonError("member", f"{place}.{name}", _describe(found), "[…]")
    return found


def _check(value: object, place: str, depth: int, *, ringed: bool) -> Any:
    """Return coordinates with their heights left out; `depth` lists lie around each position."""
    if depth == 0:
        return _to_position(value, place)
    if not isinstance(value, list):
        raise GeojsonError("member", place, _describe(value), "[…]")
    found = [_check(one, f"{place}[{at}]", depth - 1, ringed=ringed) for at, one in enumerate(value)]
    if ringed and depth == 1 and (len(found) < RING or found[0] != found[-1]):
        raise GeojsonError("ring", place, len(found), f"≥ {RING}")
    return found


def _to_position(value: object, place: str) -> Position:
    if isinstance(value, list) and len(value) > 1:
        x, y = value[:2]
        if isinstance(x, int | float) and isinstance(y, int | float) and bool not in {type(x), type(y)}:
            try:
                position = float(x), float(y)
            except OverflowError:  # a whole number of hundreds of digits
                position = math.inf, math.inf
            if math.isfinite(position[0]) and math.isfinite(position[1]):
                return position
    shown = [_describe(one) for one in value[:2]] if isinstance(value, list) else []
    raise GeojsonError("vertex", place, ", ".join(shown) or _describe(value), "[x, y]")


def _to_text(text: str) -> str:
    """Return a text that every encoding of Unicode can hold: JSON may bring halves of a pair."""
    return text.encode("utf-8", "replace").decode()


def _describe(value: object) -> str:
    """Return what stands somewhere, in few characters and never in depth."""
    if isinstance(value, dict):
        return "{…}" if value else "{}"
    if isinstance(value, list):
        return f"[{'…' if value else ''}]"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**20:
        return "10…"
    return json.dumps(value, ensure_ascii=True)[:_SHOWN]
