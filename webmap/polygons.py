"""Read the polygon that someone sends, and refuse what is none, saying what is wrong with it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import orjson
import shapely
from shapely import STRtree
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from geodata import crs
from webmap.params import LAT_RANGE, LON_RANGE, PROJECTED
from webmap.problems import BadParameterError, UnfitError

MAX_VERTICES = 2_000
MAX_AREA_KM2 = 10_000
MIN_AREA_KM2 = 1e-6  # a square metre
MAX_EDGE_KM = 3_000  # of all rings: some large coasts; what a longer one crosses takes seconds
MAX_MEETING = 10_000  # pairs of polygons whose bounds meet, each with itself too
MAX_DEPTH = 8  # of features in collections
RING = 4  # positions at least, the first and the last the same
TYPES = "Polygon, MultiPolygon, Feature, FeatureCollection"
NAME = "polygon"
EPSG = re.compile(r"EPSG:+(\d{4,6})")
Ring = list[tuple[float, float]]


def parse_polygon(text: bytes, frame: str) -> BaseGeometry:
    """Return the polygon of a GeoJSON text as lon/lat, whatever its winding.

    Coordinates are (east, north) of `frame`. Several polygons become one. Raises
    :class:`~webmap.problems.BadParameterError` where the text is not JSON, and
    :class:`~webmap.problems.UnfitError` where it is no polygon, or one that is too large, crosses
    itself or does not lie on the earth.
    """
    try:
        value = orjson.loads(text.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise BadParameterError(
            "error.not_json", parameter=NAME, value=str(error)[:80], allowed="GeoJSON"
        ) from error
    _refuse_other_frame(value, frame)
    shells = list(_polygons(value, MAX_DEPTH))
    if not shells:
        raise UnfitError("error.no_polygon", parameter=NAME, value=_type_of(value), allowed=TYPES)
    rings = [[_ring(ring) for ring in _list(shell)] for shell in shells]
    _refuse_many(sum(len(ring) for shell in rings for ring in shell))
    polygons = [_to_polygon(shell, frame) for shell in rings]
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


def to_outline(polygon: BaseGeometry) -> list[list[list[list[float]]]]:
    """Return a polygon as [polygon][ring][(lat, lon)], as the map's module draws it."""
    return [
        [
            [[round(lat, 6), round(lon, 6)] for lon, lat in ring.coords]
            for ring in (part.exterior, *part.interiors)
        ]
        for part in shapely.get_parts(polygon)
    ]


def _polygons(value: object, depth: int) -> Iterator[object]:
    """Yield the coordinates of every polygon in a GeoJSON object; anything else in it is refused."""
    members = value if isinstance(value, dict) else {}
    kind, features, coordinates = (members.get(name) for name in ("type", "features", "coordinates"))
    if kind == "FeatureCollection" and isinstance(features, list) and depth:
        for feature in features:
            yield from _polygons(feature, depth - 1)
    elif kind == "Feature" and depth:
        yield from _polygons(members.get("geometry"), depth - 1)
    elif kind == "Polygon" and isinstance(coordinates, list):
        yield coordinates
    elif kind == "MultiPolygon" and isinstance(coordinates, list):
        yield from coordinates
    else:
        raise UnfitError("error.no_polygon", parameter=NAME, value=_type_of(value), allowed=TYPES)


def _type_of(value: object) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    return str(kind)[:40] if kind else type(value).__name__


def _list(shell: object) -> list[object]:
    if not isinstance(shell, list):
        raise UnfitError("error.ring", parameter=NAME, value=str(shell)[:40], allowed=f"≥ {RING}")
    return shell


def _ring(ring: object) -> Ring:
    """Return a closed ring of positions; heights are left out."""
    found = [_position(one) for one in ring] if isinstance(ring, list) else []
    if len(found) < RING or found[0] != found[-1]:
        raise UnfitError("error.ring", parameter=NAME, value=str(len(found)), allowed=f"≥ {RING}")
    return found


def _position(position: object) -> tuple[float, float]:
    figures = position[:2] if isinstance(position, list) else []
    sound = all(isinstance(one, int | float) and not isinstance(one, bool) for one in figures)
    if len(figures) < 2 or not sound or not all(math.isfinite(one) for one in figures):  # noqa: PLR2004
        value = f"[{len(position)}]" if isinstance(position, list) else str(position)[:40]
        value = ", ".join(str(one)[:12] for one in figures if not isinstance(one, list | dict)) or value
        raise UnfitError("error.vertex", parameter=NAME, value=value, allowed="[x, y]")
    return float(figures[0]), float(figures[1])


def _refuse_many(vertices: int) -> None:
    if vertices > MAX_VERTICES:
        raise UnfitError("error.vertices", parameter=NAME, value=f"{vertices}", allowed=f"{MAX_VERTICES}")


def _refuse_costly(polygons: list[Polygon]) -> None:
    """Refuse what would cross so many borders, or itself so often, that others wait for it."""
    edge = sum(map(crs.measure_edge_km, polygons))
    if edge > MAX_EDGE_KM:
        raise UnfitError(
            "error.polygon_edge", parameter=NAME, value=_in_words(edge), allowed=f"≤ {MAX_EDGE_KM:,}"
        )
    meeting = STRtree(polygons).query(polygons).shape[1]
    if meeting > MAX_MEETING:
        raise UnfitError(
            "error.polygons_meeting", parameter=NAME, value=f"{meeting}", allowed=f"≤ {MAX_MEETING:,}"
        )


def _to_polygon(rings: list[Ring], frame: str) -> Polygon:
    if not rings:
        raise UnfitError("error.ring", parameter=NAME, value="0", allowed=f"≥ {RING}")
    shell, *holes = ([_to_lonlat(x, y, frame) for x, y in ring] for ring in rings)
    polygon = Polygon(shell, holes)
    if not polygon.is_valid:
        raise UnfitError(
            "error.crossing", parameter=NAME, value=shapely.is_valid_reason(polygon)[:80], allowed="simple"
        )
    return polygon


def _to_lonlat(x: float, y: float, frame: str) -> tuple[float, float]:
    position = crs.position_to_lonlat(x, y, frame)
    if position is None:
        swapped = frame not in PROJECTED and abs(x) <= LAT_RANGE[1] < abs(y) <= LON_RANGE[1]
        key = "error.vertex_swapped" if swapped else "error.vertex_outside"
        raise UnfitError(key, parameter=NAME, value=f"[{x:g}, {y:g}]", allowed=frame)
    return position


def _in_words(area: float) -> str:
    """Return an area in plain figures, never as a power of ten."""
    return f"{area:,.0f}" if area >= 1 else f"{area:.10f}".rstrip("0").rstrip(".")


def _refuse_size(polygon: Polygon | MultiPolygon | BaseGeometry) -> None:
    area = crs.measure_area_km2(polygon)
    if not MIN_AREA_KM2 <= area <= MAX_AREA_KM2:
        allowed = f"{_in_words(MIN_AREA_KM2)}–{MAX_AREA_KM2:,}"
        raise UnfitError("error.polygon_area", parameter=NAME, value=_in_words(area), allowed=allowed)
