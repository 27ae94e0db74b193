"""Read the polygon that someone sends, and refuse what is none, saying what is wrong with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from geodata import crs
from geodata.deferred import shapely
from geodata.geojson_input import RING, RINGED, GeojsonError, Position, list_geometries, read_geojson
from webmap.params import LAT_RANGE, LON_RANGE, PROJECTED
from webmap.problems import BadParameterError, UnfitError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

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
    shell, *holes = ([_to_lonlat(x, y, frame) for x, y in ring] for ring in rings)
    polygon = shapely.Polygon(shell, holes)
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


def _refuse_size(polygon: shapely.Polygon | shapely.MultiPolygon | BaseGeometry) -> None:
    area = crs.measure_area_km2(polygon)
    if not MIN_AREA_KM2 <= area <= MAX_AREA_KM2:
        allowed = f"{_in_words(MIN_AREA_KM2)}–{MAX_AREA_KM2:,}"
        raise UnfitError("error.polygon_area", parameter=NAME, value=_in_words(area), allowed=allowed)
