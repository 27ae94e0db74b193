"""Geometries in a filter: read, brought to longitude and latitude, refused where they are unsound."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import orjson

from geodata.crs import Bounds
from geodata.deferred import np, shapely
from layers.axes import CRS84, EDGE_STEPS, Axes, box_to_lonlat, clip_box, split_box, turn_to_lonlat
from layers.cql.tree import FilterError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

EARTH = CRS84.reach
MAX_MEETING = 20_000  # pairs of segments whose bounds meet, each with itself too; a plain line has three each
_CHUNK = 64  # segments that are compared with all others at a time


def read_wkt(text: str) -> BaseGeometry:
    """Return the geometry of well-known text; raises FilterError where it is none."""
    try:
        geometry: BaseGeometry = shapely.from_wkt(text)
    except shapely.GEOSException as error:
        raise FilterError("geometry", text) from error
    return geometry


def to_shape(given: BaseGeometry | dict[str, object] | Sequence[float], axes: Axes) -> BaseGeometry:
    """Return a geometry in lon/lat; raises FilterError where it is empty, unsound or off the map.

    `given` is a geometry, one of GeoJSON, or the four numbers of a bounding box, all in the order of `axes`.
    """
    if isinstance(given, Sequence):
        return _to_box(given, axes)
    try:
        geometry = given if isinstance(given, shapely.Geometry) else shapely.from_geojson(orjson.dumps(given))
        if not _is_finite(geometry) or geometry.is_empty:
            raise FilterError("geometry", geometry.wkt)
        changed = turn_to_lonlat(geometry, axes)
    except (shapely.GEOSException, ValueError, TypeError) as error:
        if isinstance(error, FilterError):
            raise
        shown = given.wkt if isinstance(given, shapely.Geometry) else json.dumps(given, ensure_ascii=False)
        raise FilterError("geometry", shown) from error
    if not _is_on_earth(changed):
        raise FilterError("geometry", geometry.wkt)
    if not changed.is_valid:
        raise FilterError("geometry", shapely.is_valid_reason(changed))
    _refuse_tangled(changed)
    return changed


def _refuse_tangled(geometry: BaseGeometry) -> None:
    """Refuse lines, and members of a collection, that cross one another so often that relating them is slow.

    Polygons and points cannot: what is valid of them meets at points only.
    """
    if geometry.geom_type not in {"LineString", "MultiLineString", "GeometryCollection"}:
        return
    segments = _split_segments(geometry)
    tree, meeting = shapely.STRtree(segments), 0
    for start in range(0, len(segments), _CHUNK):
        meeting += tree.query(segments[start : start + _CHUNK]).shape[1]
        if meeting > MAX_MEETING:
            raise FilterError("tangled", f"{meeting}", [f"≤ {MAX_MEETING}"])


def _split_segments(geometry: BaseGeometry) -> NDArray[np.object_]:
    """Return every segment of the lines and rings of a geometry as a line of its own."""
    parts = np.array([geometry], dtype=object)
    while any(part.geom_type == "GeometryCollection" for part in parts):
        parts = shapely.get_parts(parts)
    parts = shapely.get_parts(parts)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    lines = np.concatenate((parts[~areal], shapely.get_rings(parts[areal])))
    points, line = shapely.get_coordinates(lines, return_index=True)
    ends = np.stack((points[:-1], points[1:]), axis=1)[line[:-1] == line[1:]]
    return np.asarray(shapely.linestrings(ends))


def _to_box(corners: Sequence[float], axes: Axes) -> BaseGeometry:
    """Return a bounding box, its corners in the order of `axes`; two boxes across the antimeridian."""
    first, second, third, fourth = corners
    try:
        parts = [_to_part(part, axes) for part in split_box((first, second, third, fourth), axes)]
    except ValueError as error:
        raise FilterError("geometry", _show_box(corners)) from error
    if not all(map(_is_on_earth, parts)):
        raise FilterError("geometry", _show_box(corners))
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def _to_part(corners: Bounds, axes: Axes) -> BaseGeometry:
    """Return a box that crosses nothing: a polygon, or the line or the point that a flat one is."""
    clipped = clip_box(corners, axes)
    found = box_to_lonlat(corners, axes)
    if clipped is None or found is None:
        raise ValueError(corners)
    first, second, third, fourth = clipped
    if first != third and second != fourth:
        return shapely.box(*found) if isinstance(found, tuple) else found
    if (first, second) == (third, fourth):
        return turn_to_lonlat(shapely.Point(first, second), axes)
    line = shapely.LineString([(first, second), (third, fourth)])
    return turn_to_lonlat(shapely.segmentize(line, line.length / EDGE_STEPS), axes)


def _show_box(corners: Sequence[float]) -> str:
    return f"BBOX({', '.join(f'{number:g}' for number in corners)})"


def _is_on_earth(geometry: BaseGeometry) -> bool:
    west, south, east, north = EARTH
    points = shapely.get_coordinates(geometry)
    lons, lats = points[:, 0], points[:, 1]  # what is not a number lies nowhere
    return bool(((lons >= west) & (lons <= east) & (lats >= south) & (lats <= north)).all())


def _is_finite(geometry: BaseGeometry) -> bool:
    return bool(shapely.get_coordinates(geometry).size) and bool(
        (abs(shapely.get_coordinates(geometry)) < math.inf).all()
    )
