"""Query parameters, each declared once: the declaration parses, refuses and documents.

Every refusal names the parameter, the value, what is allowed, and what may have been meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, NamedTuple, ParamSpec, TypeVar
from urllib.parse import urlencode

from flask import request

from geodata import crs
from geodata.boundaries import RING, RINGED, GeojsonError, Position, list_geometries, read_geojson
from geodata.crs import MAX_LENGTH, CoordinateError, parse_coordinates
from geodata.deferred import shapely
from layers.axes import ALL, CRS84, Axes
from layers.cql.tree import FilterError
from webmap.problems import BadParameterError, UnfitError, find_near

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

PROJECTED = crs.METRIC  # lon and lat then hold metres east and north
SHARE = re.compile(r"0(\.[0-9]{1,2})?|1(\.0{1,2})?")
WHOLE = re.compile(r"[0-9]{1,15}")
MAX_WHOLE = 10**15 - 1
Arguments = Mapping[str, str]
Schema = dict[str, object]
Rows = list[dict[str, str]]
METRES = "米 / metres"
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
Given = ParamSpec("Given")
Answer = TypeVar("Answer")
LON_RANGE, LAT_RANGE = crs.GLOBE[::2], crs.GLOBE[1::2]
_EXAMPLES = """a = 'x' AND b > 1, a LIKE 'x%', {"op": ">", "args": [{"property": "b"}, 1]}"""


@dataclass(frozen=True)
class Parameter:
    """One query parameter.

    Attributes
    ----------
    meaning
        The translation key of what it means to those who read the API definition.
    strict
        Whether an empty value is refused; else it counts as missing, as forms send empty fields.
    """

    name: str
    meaning: str = field(default="", kw_only=True)
    strict: bool = field(default=False, kw_only=True)

    def given(self, arguments: Arguments) -> str | None:
        """Return the value as it was sent, or None where there is none."""
        text = arguments.get(self.name)
        return text if self.strict else text or None

    @property
    def schema(self) -> Schema:
        """What the API definition says of the value."""
        return {"type": "string"}

    def to_openapi(self, say: Callable[[str], str], schema: Schema | None = None) -> Schema:
        """Return the entry of the API definition, in the style that clients push filters down with.

        `say` gives the text of a translation key; `schema` is set where it depends on the collection.
        """
        return {
            "name": self.name,
            "in": "query",
            "required": False,
            "style": "form",
            "explode": False,
            "schema": self.schema if schema is None else schema,
            "description": say(self.meaning),
        }


@dataclass(frozen=True)
class OpenParameter(Parameter):
    """One whose text has a grammar of its own, parsed by whom it concerns; the schema says what it can."""

    shape: Schema = field(default_factory=dict)

    @property
    def schema(self) -> Schema:
        """What the API definition says of the value."""
        return self.shape


@dataclass(frozen=True)
class ChoiceParameter(Parameter):
    """One of some values; which, may depend on the content."""

    allowed: tuple[str, ...] = ()
    default: str | None = None

    def parse(self, arguments: Arguments, allowed: Collection[str] | None = None) -> str | None:
        """Return the value, or the default where it is missing; raises BadParameterError."""
        given, known = self.given(arguments), self.allowed if allowed is None else allowed
        if given is not None and given not in known:
            raise wrong_choice(self.name, given, known)
        return self.default if given is None else given

    def require(self, arguments: Arguments, allowed: Collection[str] | None = None) -> str:
        """Return the value; raises BadParameterError also where it is missing."""
        found = self.parse(arguments, allowed)
        if found is None:
            raise wrong_choice(self.name, "", self.allowed if allowed is None else allowed)
        return found

    @property
    def schema(self) -> Schema:
        """What the API definition says of the value."""
        default = {} if self.default is None else {"default": self.default}
        listed = {"enum": list(self.allowed)} if self.allowed else {}
        return {"type": "string", **listed, **default}


@dataclass(frozen=True)
class SystemParameter(Parameter):
    """A coordinate reference system by its URI as collections list it; CRS84 where it is missing."""

    def parse(self, arguments: Arguments) -> Axes:
        """Return the system with its axis order; raises BadParameterError."""
        given = self.given(arguments)
        found = CRS84 if given is None else next((axes for axes in ALL if axes.uri == given), None)
        if found is None:
            raise wrong_choice(self.name, given or "", [axes.uri for axes in ALL])
        return found

    @property
    def schema(self) -> Schema:
        """What the API definition says of the value."""
        uris = [axes.uri for axes in ALL]
        return {"type": "string", "format": "uri", "enum": uris, "default": uris[0]}


@dataclass(frozen=True)
class WholeParameter(Parameter):
    """A whole number.

    Attributes
    ----------
    high
        The greatest; None for none but what fits into 15 digits.
    capped
        Whether a greater number counts as `high`, as OGC API asks of ``limit``.
    """

    low: int
    high: int | None
    default: int
    capped: bool = False

    def parse(self, arguments: Arguments) -> int:
        """Return the number, or the default where it is missing; raises BadParameterError."""
        text = self.given(arguments)
        if text is None or not (self.strict or text.strip()):
            return self.default
        value = int(text) if WHOLE.fullmatch(text if self.strict else text.strip()) else -1
        if self.capped and self.high is not None:
            value = min(value, self.high)
        if value < self.low or (self.high is not None and value > self.high):
            raise refusal("error.whole", self.name, text.strip(), self.span)
        return value

    @property
    def span(self) -> str:
        """What is allowed, in figures."""
        return f"≥ {self.low}" if self.high is None else f"{self.low}-{self.high}"

    @property
    def schema(self) -> Schema:
        """What the API definition says of the value."""
        most = MAX_WHOLE if self.high is None else self.high
        return {"type": "integer", "minimum": self.low, "maximum": most, "default": self.default}


@dataclass(frozen=True)
class ShareParameter(Parameter):
    """A share of 0 to 1 with at most two decimals."""

    default: float

    def parse(self, arguments: Arguments) -> float:
        """Return the share, or the default where it is missing; raises BadParameterError."""
        text = (self.given(arguments) or "").strip()
        if not text:
            return self.default
        if not SHARE.fullmatch(text):
            raise refusal("error.share", self.name, text, "0-1")
        return float(text)

    @property
    def schema(self) -> Schema:
        """What the API definition says of the value."""
        return {"type": "number", "minimum": 0, "maximum": 1, "default": self.default}


@dataclass(frozen=True)
class TextParameter(Parameter):
    """Words of any kind, `longest` characters at most."""

    longest: int

    def parse(self, arguments: Arguments) -> str:
        """Return the text, empty where it is missing; raises BadParameterError."""
        text = self.given(arguments) or ""
        if len(text) > self.longest:
            raise refusal("error.length", self.name, f"{len(text)}", f"0-{self.longest}")
        return text

    @property
    def schema(self) -> Schema:
        """What the API definition says of the value."""
        return {"type": "string", "maxLength": self.longest}


@dataclass(frozen=True)
class ListParameter(Parameter):
    """Ids, separated by commas or the parameter repeated; from `least` to `most` of them."""

    least: int
    most: int

    def split(self, values: Iterable[str]) -> list[str]:
        """Return the ids in all the values of the parameter, in their order."""
        parts = (part.strip() for value in values for part in value.split(","))
        return [part for part in parts if part]

    def check_count(self, ids: Sequence[str], *, least: int, near: Rows | None = None) -> None:
        """Raise BadParameterError for fewer than `least` or too many; `near` is what may be meant then."""
        allowed = f"{self.least}-{self.most}"
        if len(ids) > self.most:
            raise BadParameterError(
                "error.too_many", parameter=self.name, value=str(len(ids)), allowed=allowed, near=near
            )
        if len(ids) < least:
            raise refusal("error.too_few", self.name, ",".join(ids), allowed)


Q = TextParameter("q", 200, meaning="matrix.q")
AT = TextParameter("at", MAX_LENGTH, meaning="placing.at")
LON = OpenParameter("lon", {"type": "number"}, meaning="ogc.site.lon")
LAT = OpenParameter("lat", {"type": "number"}, meaning="ogc.site.lat")
FRAME = ChoiceParameter("crs", tuple(crs.FRAMES), default=crs.LONLAT, meaning="placing.crs")


def wrong_choice(name: str, given: str, allowed: Collection[str]) -> BadParameterError:
    """Return the error of a value that is none of those allowed, with those that come near."""
    return refusal("error.choice", name, given, ", ".join(allowed), find_near(given, allowed))


def unknown_parameter(name: str, value: str, known: Collection[str]) -> BadParameterError:
    """Return the error of a parameter that would be passed over in silence, with those that come near."""
    return refusal("error.unknown_parameter", name, value, ", ".join(known), find_near(name, known))


class Operation(NamedTuple):
    """What the API definition says of a view: the translation key of its title, and what it takes."""

    title: str
    parameters: tuple[Parameter, ...]


def describes(
    title: str, *parameters: Parameter
) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Have the API definition tell of a view under the title of that key."""

    def mark(view: Callable[Given, Answer]) -> Callable[Given, Answer]:
        vars(view)["operation"] = Operation(title, parameters)
        return view

    return mark


def takes(
    *parameters: Parameter, title: str = ""
) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """Make a document's view refuse every parameter but these and ``lang``; with a `title`, describe it too.

    Pages pass over what they do not know: whoever passes a link on may have added something.
    """
    known = (*(one.name for one in parameters), "lang")

    def wrap(view: Callable[Given, Answer]) -> Callable[Given, Answer]:
        @wraps(view)
        def checked(*given: Given.args, **values: Given.kwargs) -> Answer:
            refuse_unknown(known)
            return view(*given, **values)

        return describes(title, *parameters)(checked) if title else checked

    return wrap


def refuse_unknown(known: Collection[str], arguments: Mapping[str, str] | None = None) -> None:
    """Raise BadParameterError for a parameter, of the request's, that would be passed over in silence."""
    for given, value in (request.args if arguments is None else arguments).items():
        if given not in known:
            raise unknown_parameter(given, value, known)


def parse_position() -> tuple[float, float]:
    """Return ``lon`` and ``lat`` of the request as WGS 84 degrees, from the frame that ``crs`` names.

    In a projected frame ``lon`` and ``lat`` hold metres east and north. Raises
    :class:`~webmap.problems.BadParameterError` for a missing, malformed or impossible value, and
    says so where longitude and latitude look swapped. ``at`` may hold both as people write them.
    """
    frame = parse_frame()
    text = request.args.get("at", "")
    if text.strip():
        return _to_lonlat(*_parse_text(text, frame), frame)
    projected = frame in PROJECTED
    lon = _number("lon", METRES if projected else _span(LON_RANGE))
    lat = _number("lat", METRES if projected else _span(LAT_RANGE))
    if not projected:
        _refuse_swapped(lon, lat)
        _refuse_outside("lon", lon, LON_RANGE)
        _refuse_outside("lat", lat, LAT_RANGE)
    return _to_lonlat(lon, lat, frame)


def parse_frame() -> str:
    """Return the frame that ``crs`` names; CRS84 without."""
    given = request.values.get(FRAME.name, crs.LONLAT)
    frame = given.upper().replace("GCJ02", "GCJ-02").replace("BD09", "BD-09")
    if frame not in FRAME.allowed:
        raise wrong_choice(FRAME.name, given, FRAME.allowed)
    return frame


def _parse_text(text: str, frame: str) -> tuple[float, float]:
    """Return the position that `text` writes; asks, with both answers at hand, where the order is unclear."""
    try:
        return parse_coordinates(text, frame)
    except CoordinateError as error:
        near = [_reading(x, y, frame) for x, y in error.options]
        if error.kind == "metres":
            near = list(_metric_readings(text))
        raise BadParameterError(
            f"error.at_{error.kind}", parameter="at", value=text.strip(), allowed=frame, near=near
        ) from error


def _metric_readings(text: str) -> Iterator[dict[str, str]]:
    """Yield what `text` means in each projected frame that can hold it."""
    for frame in PROJECTED:
        with suppress(CoordinateError, BadParameterError):
            x, y = parse_coordinates(text, frame)
            lon, lat = _to_lonlat(x, y, frame)
            label = f"{frame}: lon={lon:.4f}, lat={lat:.4f}"
            yield _reading(x, y, frame) | {"id": label, "label": label}


def _reading(x: float, y: float, frame: str) -> dict[str, str]:
    query = {"lon": f"{x:.12g}", "lat": f"{y:.12g}"} | ({"crs": frame} if frame != crs.LONLAT else {})
    label = f"x={x:.12g}, y={y:.12g}" if frame in PROJECTED else f"lon={x:.12g}, lat={y:.12g}"
    return {"id": label, "label": label, "href": f"/lookup?{urlencode(query)}"}


def _number(name: str, allowed: str) -> float:
    text = request.args.get(name)
    if text is None or not text.strip():
        raise BadParameterError("error.missing", parameter=name, value=text, allowed=allowed)
    value = float(text) if NUMBER.fullmatch(text.strip()) else math.nan
    if not math.isfinite(value):
        raise BadParameterError("error.number", parameter=name, value=text, allowed=allowed)
    return value


def _span(limits: tuple[float, float]) -> str:
    return f"[{limits[0]:g}, {limits[1]:g}]"


def _refuse_swapped(lon: float, lat: float) -> None:
    if abs(lat) > LAT_RANGE[1] and abs(lon) <= LAT_RANGE[1] and abs(lat) <= LON_RANGE[1]:
        hint = f"lon={lat:g}&lat={lon:g}"
        allowed = _span(LAT_RANGE)
        raise BadParameterError(
            "error.swapped", parameter="lat", value=f"{lat:g}", allowed=allowed, hint=hint
        )


def _refuse_outside(name: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low <= value <= high:
        raise BadParameterError("error.range", parameter=name, value=f"{value:g}", allowed=_span(limits))


def _to_lonlat(x: float, y: float, frame: str) -> tuple[float, float]:
    """Return degrees; refuses a position that the frame does not reach, whatever the library makes of it."""
    position = crs.position_to_lonlat(x, y, frame)
    if position is None:
        raise BadParameterError("error.projected", parameter="lon", value=f"{x:g}", allowed=frame)
    return position


def parse_query() -> str:
    """Return ``q``; raises BadParameterError where it is too long."""
    return Q.parse(request.args)


def to_refusal(error: FilterError) -> BadParameterError:
    """Return what is wrong with a filter as the error of the parameter."""
    allowed = ", ".join(error.allowed) or (_EXAMPLES if error.code == "syntax" else "")
    return refusal(f"ogc.filter.{error.code}", "filter", error.value, allowed, error.near)


def refusal(
    key: str, parameter: str, value: str, allowed: str, near: Collection[str] = ()
) -> BadParameterError:
    """Return the error of one parameter; `near` are values that may have been meant."""
    rows = [{"id": one, "label": one} for one in near]
    return BadParameterError(key, parameter=parameter, value=value, allowed=allowed, near=rows)


MAX_VERTICES = 2_000
MAX_AREA_KM2 = 10_000
MIN_AREA_KM2 = 1e-6  # a square metre
MAX_EDGE_KM = 3_000  # of all rings: some large coasts; what a longer one crosses takes seconds
MAX_MEETING = 10_000  # pairs of polygons whose bounds meet, each with itself too
TYPES = "Polygon, MultiPolygon, Feature, FeatureCollection"
NAME = "polygon"
EPSG = re.compile(r"EPSG:+(\d{4,6})")
Ring = list[Position]


def parse_polygon(text: bytes, frame: str) -> BaseGeometry:
    """Return the polygon of a GeoJSON text as lon/lat, whatever its winding.

    Coordinates are (east, north) of `frame`. Several polygons become one. Raises
    :class:`~webmap.problems.BadParameterError` where the text is no GeoJSON, and
    :class:`~webmap.problems.UnfitError` where it is no polygon, or one that is too large, crosses
    itself or does not lie on the earth.
    """
    try:
        value = read_geojson(text)
        _refuse_other_frame(value, frame)
        sent = list(list_geometries(value))
    except GeojsonError as error:
        raise BadParameterError(f"error.{error.kind}", parameter=NAME, **error.values) from error
    other = next((one.type for one in sent if one.type not in RINGED), None)
    if other or not sent:
        raise UnfitError("error.no_polygon", parameter=NAME, value=other or _name_type(value), allowed=TYPES)
    shells = [
        (f"{one.place}.coordinates", shell)
        for one in sent
        for shell in (one.coordinates or [[]] if one.type == RINGED[1] else [one.coordinates])
    ]
    _refuse_many(sum(len(ring) for _, shell in shells for ring in shell))
    polygons = [_to_polygon(shell, place, frame) for place, shell in shells]
    _refuse_costly(polygons)
    whole = polygons[0] if len(polygons) == 1 else shapely.union_all(polygons)
    _refuse_size(whole)
    return whole


def _refuse_other_frame(value: object, frame: str) -> None:
    """Refuse a text that names another frame than was chosen, in the member that older GeoJSON has."""
    text = value
    for key in ("crs", "properties", "name"):
        text = text.get(key) if isinstance(text, dict) else None
    named = EPSG.search(text) if isinstance(text, str) else None
    code = f"EPSG:{named[1]}" if named else frame
    if code != frame and not {code, frame} <= {*crs.DEGREES}:
        raise UnfitError("error.crs_member", parameter="crs", value=code, allowed=frame)


def _name_type(value: object) -> str:
    return str(value.get("type")) if isinstance(value, dict) else type(value).__name__


def to_outline(polygon: BaseGeometry) -> list[list[list[list[float]]]]:
    """Return a polygon as [polygon][ring][(lat, lon)], as the map's module draws it."""
    return [
        [
            [[round(lat, 6), round(lon, 6)] for lon, lat in ring.coords]
            for ring in (part.exterior, *part.interiors)
        ]
        for part in shapely.get_parts(polygon)
    ]


def _refuse_many(vertices: int) -> None:
    if vertices > MAX_VERTICES:
        raise UnfitError("error.vertices", parameter=NAME, value=f"{vertices}", allowed=f"{MAX_VERTICES}")


def _refuse_costly(polygons: list[shapely.Polygon]) -> None:
    """Refuse what would cross so many borders, or itself so often, that others wait for it."""
    edge = sum(map(crs.measure_edge_km, polygons))
    if edge > MAX_EDGE_KM:
        raise UnfitError(
            "error.polygon_edge", parameter=NAME, value=_in_words(edge), allowed=f"≤ {MAX_EDGE_KM:,}"
        )
    meeting = shapely.STRtree(polygons).query(polygons).shape[1]
    if meeting > MAX_MEETING:
        raise UnfitError(
            "error.polygons_meeting", parameter=NAME, value=f"{meeting}", allowed=f"≤ {MAX_MEETING:,}"
        )


def _to_polygon(rings: list[Ring], place: str, frame: str) -> shapely.Polygon:
    if not rings:
        raise UnfitError("error.ring", parameter=NAME, place=place, value="0", allowed=f"≥ {RING}")
    shell, *holes = ([_turn_to_lonlat(x, y, frame) for x, y in ring] for ring in rings)
    polygon = shapely.Polygon(shell, holes)
    if not polygon.is_valid:
        raise UnfitError(
            "error.crossing", parameter=NAME, value=shapely.is_valid_reason(polygon)[:80], allowed="simple"
        )
    return polygon


def _turn_to_lonlat(x: float, y: float, frame: str) -> tuple[float, float]:
    position = crs.position_to_lonlat(x, y, frame)
    if position is None:
        swapped = frame not in PROJECTED and abs(x) <= LAT_RANGE[1] < abs(y) <= LON_RANGE[1]
        key = "error.vertex_swapped" if swapped else "error.vertex_outside"
        raise UnfitError(key, parameter=NAME, value=f"[{x:g}, {y:g}]", allowed=frame)
    return position


def _in_words(area: float) -> str:
    """Return an area in plain figures, never as a power of ten."""
    return f"{area:,.0f}" if area >= 1 else f"{area:.10f}".rstrip("0").rstrip(".")


def _refuse_size(polygon: shapely.Polygon | shapely.MultiPolygon | BaseGeometry) -> None:
    area = crs.measure_area_km2(polygon)
    if not MIN_AREA_KM2 <= area <= MAX_AREA_KM2:
        allowed = f"{_in_words(MIN_AREA_KM2)}–{MAX_AREA_KM2:,}"
        raise UnfitError("error.polygon_area", parameter=NAME, value=_in_words(area), allowed=allowed)
