"""The grid and the plane that the rule of imports works on; all geometry is lon/lat, polygonal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.city import read_city

Pieces = Mapping[str, BaseGeometry]  # polygons by whose they are
GRID_DEG: Final = 1e-7
MIN_AREA_KM2: Final = 1e-4  # 100 m²: less is rounding
METRES_PER_DEG: Final = 111_200.0
_SQUASH: Final = np.array([round(math.cos(math.radians(sum(read_city().region[1::2]) / 2)), 2), 1.0])


def to_polygons(shape: BaseGeometry) -> BaseGeometry:
    """Return the polygonal part of `shape`."""
    parts = [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon)]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def unite(shapes: Iterable[BaseGeometry]) -> BaseGeometry:
    """Return the union of polygons, each of them valid.

    They are united two by two: `union_all` takes all their parts by themselves, and ten thousand of them
    take it a hundred times as long.
    """
    rest = np.array([shapely.Polygon(), *shapes])
    while len(rest) > 1:
        rest = np.append(shapely.union(rest[:-1:2], rest[1::2]), rest[len(rest) // 2 * 2 :])
    whole: BaseGeometry = rest[0]
    return whole


def is_narrow(shape: BaseGeometry, width_m: float) -> bool:
    """Tell whether no circle of diameter `width_m` fits into `shape`."""
    return bool(shapely.buffer(to_plane(shape), -width_m / 2 / METRES_PER_DEG).is_empty)


def measure_width_m(shape: BaseGeometry) -> float:
    """Return the diameter of the largest circle in a polygonal `shape`, within a metre or so."""
    parts = [part for part in shapely.get_parts(to_plane(shape)) if not part.is_empty]
    circles = shapely.maximum_inscribed_circle(parts, tolerance=0.5 / METRES_PER_DEG)
    return float(2 * METRES_PER_DEG * max(shapely.length(circles), default=0.0))


def to_plane(shape: BaseGeometry) -> BaseGeometry:
    """Squash longitudes so that degrees are as long east as north; good to 1 % over a county."""
    squashed: BaseGeometry = shapely.transform(shape, lambda points: points * _SQUASH)
    return squashed


def from_plane(shape: BaseGeometry) -> BaseGeometry:
    """Undo :func:`to_plane`."""
    back: BaseGeometry = shapely.transform(shape, lambda points: points / _SQUASH)
    return back


def find_spot(shape: BaseGeometry) -> tuple[float, float] | None:
    """Return (lon, lat) of a point in the largest part of a lon/lat shape, None where that is empty."""
    part = max(shapely.get_parts(shape), key=lambda one: one.area, default=None)
    if part is None or part.is_empty:
        return None
    point = part.representative_point()
    return point.x, point.y


def format_km2(area_km2: float) -> str:
    """Return an area as messages give it: to 1000 m², less to the nearest 100 m².

    >>> format_km2(0.1449), format_km2(0.00013)
    ('0.145', '0.0001')
    """
    return f"{area_km2:.3f}" if area_km2 >= 10 * MIN_AREA_KM2 else f"{area_km2:.4f}"


def format_point(point: BaseGeometry) -> str:
    """Return a lon/lat point as messages have it.

    >>> format_point(shapely.Point(122.1, 37.5))
    '(122.10000, 37.50000)'
    """
    ((lon, lat),) = shapely.get_coordinates(point)
    return f"({lon:.5f}, {lat:.5f})"


def node_lines(lines: Sequence[BaseGeometry]) -> BaseGeometry:
    """Return `lines` noded on the grid, in pieces as long as they can be.

    They are noded as they are first: what crosses nothing is rounded to the grid in a fraction of the time,
    to the same lines.
    """
    noded = shapely.unary_union([line for line in lines if not line.is_empty])
    on_grid: BaseGeometry = shapely.line_merge(shapely.unary_union(noded, grid_size=GRID_DEG))
    return on_grid


def build_faces(lines: Sequence[BaseGeometry]) -> list[shapely.Polygon]:
    """Node `lines` on the grid and return the faces between them."""
    faces = shapely.get_parts(shapely.polygonize([node_lines(lines)]))
    return [face for face in faces if isinstance(face, shapely.Polygon)]


def round_to_grid(shape: BaseGeometry) -> BaseGeometry:
    """Return valid geometry with its corners on the grid.

    It does not keep the grid as its precision: GEOS nodes every overlay of what has one on it, which takes
    forty times as long where lines run along each other.
    """
    rounded: BaseGeometry = shapely.set_precision(shapely.set_precision(shape, GRID_DEG), 0)
    return rounded


def subtract(shape: BaseGeometry, other: BaseGeometry) -> BaseGeometry:
    """Return the polygons of `shape` outside `other`, on the grid."""
    return to_polygons(round_to_grid(shapely.difference(shape, other)))


_MOVED_DEG2: Final = 1e-10  # 1 m²: less is rounding


def is_moved(old: BaseGeometry, new: BaseGeometry) -> bool:
    """Tell whether two lon/lat polygons differ by more than 1 m²; two points, whether they differ at all."""
    if old is new or shapely.equals_identical(old, new):
        return False
    if not old.area and not new.area:
        return True
    if abs(old.area - new.area) > _MOVED_DEG2:  # they differ by no less, and an overlay is slow
        return True
    return bool(shapely.symmetric_difference(old, new).area > _MOVED_DEG2)
