"""Geometries of a job's rows in the frame that its file is to be in, and that frame's definition.

Order is always (east, north), as these formats have it whatever the authority's own order is.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from geodata import crs
from layers.export.job import WGS84, Part

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
