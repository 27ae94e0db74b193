"""Coordinate reference systems as clients name them: URI, axis order of the authority, unit.

Inside, coordinates are (east, north); here, and only here, they are turned for systems that the EPSG
registry defines with north first, such as EPSG:4326.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from geodata import crs
from geodata.city import read_city
from geodata.crs import Bounds, Floats
from geodata.deferred import np, shapely

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

PAPER = read_city().paper
_NAME = re.compile(r"\[?(?:https?://www\.opengis\.net/def/crs/)?(OGC|EPSG)[/:](?:[\d.]+/)?(CRS84h?|\d+)\]?")
HALF_GLOBE_DEG = 180.0
EDGE_STEPS = 32  # vertices along each edge of a box whose edges are curves in longitude and latitude


@dataclass(frozen=True)
class Axes:
    """One coordinate reference system."""

    uri: str
    frame: str  # as geodata.crs names it

    @property
    def metric(self) -> bool:
        """Tell whether its units are metres, and not degrees."""
        return self.frame in crs.METRIC

    @property
    def curved(self) -> bool:
        """Tell whether its rectangles are no rectangles in longitude and latitude."""
        return self.frame in crs.PROJECTED

    @property
    def north_first(self) -> bool:
        """Tell whether its authority has the axis to the north before the other."""
        return crs.is_north_first(self.frame)

    @cached_property
    def reach(self) -> Bounds:
        """What can be asked in it, in its units as west, south, east, north: beyond, projections fold."""
        if not self.metric:
            return crs.GLOBE
        if not self.curved:
            return _MERCATOR
        easting_m = crs.read_false_easting_m(self.frame)
        return easting_m - _AWAY_M, -_PARALLEL_M, easting_m + _AWAY_M, _PARALLEL_M

    @property
    def decimals(self) -> int:
        """To how many decimals coordinates are given out: a centimetre and a millimetre."""
        return 3 if self.metric else 7

    @property
    def step(self) -> float:
        """What that is in units of the system."""
        return float(10.0**-self.decimals)


_MERCATOR = (-20037508.342789244, -242528680.943714, 20037508.342789244, 242528680.943714)
_AWAY_M = 2_000_000.0  # from the central meridian of a transverse Mercator
_PARALLEL_M = 9_000_000.0
_BASE = "http://www.opengis.net/def/crs/"


def _axes(frame: str) -> Axes:
    code = f"EPSG/0/{frame.removeprefix('EPSG:')}" if frame != crs.LONLAT else "OGC/1.3/CRS84"
    return Axes(_BASE + code, frame)


CRS84 = _axes(crs.LONLAT)
ALL = (
    CRS84,
    *(_axes(frame) for frame in crs.DEGREES if frame != crs.LONLAT),
    *(_axes(frame) for frame in sorted(crs.PROJECTED, key=lambda frame: frame != PAPER)),
    _axes("EPSG:3857"),
)
_BY_NAME = {axes.frame.removeprefix("EPSG:"): axes for axes in ALL}


def find_axes(name: str) -> Axes | None:
    """Return the system that a URI or a CURIE such as ``EPSG:4326`` names, or None.

    >>> find_axes("http://www.opengis.net/def/crs/EPSG/0/4326").north_first
    True
    >>> find_axes("[OGC:CRS84]").frame
    'CRS84'
    """
    match = _NAME.fullmatch(name)
    found = _BY_NAME.get(match[2]) if match else None
    same_authority = found and match and (match[1] == "OGC") == (found is CRS84)
    return found if same_authority else None


def turn_to_lonlat(geometry: BaseGeometry, axes: Axes) -> BaseGeometry:
    """Return a geometry, whose coordinates are in the order of `axes`, as lon/lat without heights."""
    flat: BaseGeometry = shapely.force_2d(geometry)
    if axes is CRS84:
        return flat
    return shapely.transform(flat, lambda points: _lonlat(points, axes))


def from_lonlat(points: Floats, axes: Axes) -> Floats:
    """Return lon/lat positions (n × 2) in the units and the order of `axes`."""
    if axes is CRS84:
        return points
    changed = np.column_stack(crs.transform(points[:, 0], points[:, 1], crs.LONLAT, axes.frame))
    return changed[:, ::-1] if axes.north_first else changed


def box_to_lonlat(corners: Bounds, axes: Axes) -> Bounds | BaseGeometry | None:
    """Return a box, its corners in the order of `axes`, in lon/lat; None if it lies beyond their reach.

    Where the system's rectangles are curved the answer is a polygon, else bounds. The first corner
    must not lie north of the second, nor east of it. In every system but lon/lat the box is wider by
    what answers are rounded to, so that whatever lies on its edge there is in it here.
    """
    within = clip_box(corners, axes)
    if within is None:
        return None
    clipped = _turned(within, axes)
    if axes is CRS84:
        return clipped
    west, south, east, north = clipped
    step = axes.step
    least, most = axes.reach[:2], axes.reach[2:]
    wide = (
        max(west - step, least[0]),
        max(south - step, least[1]),
        min(east + step, most[0]),
        min(north + step, most[1]),
    )
    if not axes.metric:
        return wide
    if axes.curved:
        return _curved_box(wide, axes)
    xs, ys = crs.transform([wide[0], wide[2]], [wide[1], wide[3]], axes.frame, crs.LONLAT)
    return float(xs[0]), float(ys[0]), float(xs[1]), float(ys[1])


def clip_box(corners: Bounds, axes: Axes) -> Bounds | None:
    """Return the part of a box within the reach of `axes`, in the same order, or None for none."""
    first, second, third, fourth = corners
    low_first, low_second, high_first, high_second = _turned(axes.reach, axes)
    least = max(first, low_first), max(second, low_second)
    most = min(third, high_first), min(fourth, high_second)
    return (*least, *most) if least[0] <= most[0] and least[1] <= most[1] else None


def split_box(corners: Bounds, axes: Axes) -> list[Bounds]:
    """Return a box, or the two that one across the antimeridian is made of, in the order of `axes`.

    West beyond east is such a crossing where the box is at most half the globe wide, else a slip.
    Raises ValueError for a box whose minimum lies beyond its maximum.
    """
    west, south, east, north = _turned(corners, axes)
    crosses = not axes.metric and west - east >= HALF_GLOBE_DEG
    if south > north or (west > east and not crosses):
        raise ValueError(corners)
    if west <= east:
        return [corners]
    return [_turned((west, south, 180.0, north), axes), _turned((-180.0, south, east, north), axes)]


def _curved_box(bounds: Bounds, axes: Axes) -> BaseGeometry:
    """Return a polygon that covers the box: its edges bend away from straight lines between vertices."""
    west, south, east, north = bounds
    ring: BaseGeometry = shapely.box(*bounds)
    dense = shapely.segmentize(ring, max(east - west, north - south) / EDGE_STEPS)
    points = shapely.get_coordinates(dense)
    vertices, middles = (
        np.column_stack(crs.transform(row[:, 0], row[:, 1], axes.frame, crs.LONLAT))
        for row in (points, (points[:-1] + points[1:]) / 2)
    )
    bend = float(np.abs(middles - (vertices[:-1] + vertices[1:]) / 2).max())
    return shapely.Polygon(vertices).buffer(2 * bend, join_style="mitre")


def _lonlat(points: Floats, axes: Axes) -> Floats:
    east_first = points[:, ::-1] if axes.north_first else points
    return np.column_stack(crs.transform(east_first[:, 0], east_first[:, 1], axes.frame, crs.LONLAT))


def _turned(corners: Bounds, axes: Axes) -> Bounds:
    first, second, third, fourth = corners
    return (second, first, fourth, third) if axes.north_first else corners
