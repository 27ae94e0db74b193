"""Geometries in a filter: read, brought to longitude and latitude, refused where they are unsound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import orjson
import shapely
from pygeofilter import values
from shapely.geometry.base import BaseGeometry

from layers.axes import Axes, to_lonlat
from layers.cql.document import box_document
from layers.cql.fault import FilterError


def read_wkt(text: str) -> values.Geometry:
    """Return well-known text as pygeofilter's geometry; raises FilterError where it is none."""
    try:
        geometry = shapely.from_wkt(text)
    except shapely.GEOSException as error:
        raise FilterError("geometry", text) from error
    return values.Geometry(geometry)


def box(numbers: Sequence[float]) -> values.Geometry:
    """Return a bounding box as pygeofilter's geometry."""
    return values.Geometry(box_document(list(numbers)))


def to_shape(given: Any, axes: Axes) -> BaseGeometry:
    """Return a geometry in lon/lat; raises FilterError where it is empty, unsound or off the map."""
    try:
        geometry = given if isinstance(given, BaseGeometry) else shapely.from_geojson(orjson.dumps(given))
        if not _is_finite(geometry) or geometry.is_empty:
            raise FilterError("geometry", geometry.wkt)
        changed = to_lonlat(geometry, axes)
    except (shapely.GEOSException, ValueError, TypeError) as error:
        if isinstance(error, FilterError):
            raise
        raise FilterError("geometry", str(given)) from error
    if not _is_finite(changed) or not changed.is_valid:
        raise FilterError(
            "geometry", shapely.is_valid_reason(changed) if _is_finite(changed) else geometry.wkt
        )
    return changed


def _is_finite(geometry: BaseGeometry) -> bool:
    return bool(shapely.get_coordinates(geometry).size) and bool(
        (abs(shapely.get_coordinates(geometry)) < math.inf).all()
    )
