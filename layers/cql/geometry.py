"""Geometries in a filter: read, brought to longitude and latitude, refused where they are unsound."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.crs import Bounds
from layers.axes import CRS84, EDGE_STEPS, Axes, box_to_lonlat, clip_box, split_box, to_lonlat
from layers.cql.tree import FilterError

EARTH = CRS84.reach


def read_wkt(text: str) -> BaseGeometry:
    """Return the geometry of well-known text; raises FilterError where it is none."""
    try:
        geometry: BaseGeometry = shapely.from_wkt(text)
    except shapely.GEOSException as error:
        raise FilterError("geometry", text) from error
    return geometry


def to_shape(given: BaseGeometry | dict[str, Any] | Sequence[float], axes: Axes) -> BaseGeometry:
    """Return a geometry in lon/lat; raises FilterError where it is empty, unsound or off the map.

    `given` is a geometry, one of GeoJSON, or the four numbers of a bounding box, all in the order of `axes`.
    """
    if isinstance(given, Sequence):
        return _to_box(given, axes)
    try:
        geometry = given if isinstance(given, BaseGeometry) else shapely.from_geojson(orjson.dumps(given))
        if not _is_finite(geometry) or geometry.is_empty:
            raise FilterError("geometry", geometry.wkt)
        changed = to_lonlat(geometry, axes)
    except (shapely.GEOSException, ValueError, TypeError) as error:
        if isinstance(error, FilterError):
            raise
        shown = given.wkt if isinstance(given, BaseGeometry) else json.dumps(given, ensure_ascii=False)
        raise FilterError("geometry", shown) from error
    if not _is_on_earth(changed):
        raise FilterError("geometry", geometry.wkt)
    if not changed.is_valid:
        raise FilterError("geometry", shapely.is_valid_reason(changed))
    return changed


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
        return to_lonlat(shapely.Point(first, second), axes)
    line = shapely.LineString([(first, second), (third, fourth)])
    return to_lonlat(shapely.segmentize(line, line.length / EDGE_STEPS), axes)


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
