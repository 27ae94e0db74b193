"""Draw the circle that stands for a place whose extent is not known."""

from __future__ import annotations

from typing import Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.ground import Position

_MAX_RADIUS_M: Final = 50_000.0
_HALVINGS: Final = 40


def fit_circle(position: Position, area_km2: float | None, room: BaseGeometry) -> BaseGeometry:
    """Return the circle around `position` cut to `room`.

    Its radius is solved so that what is left has `area_km2`; without a known area it is the
    accuracy of the position. A room that is too small is filled.
    """

    def cut(radius_m: float) -> BaseGeometry:
        return shapely.intersection(crs.build_circle(position.lon, position.lat, radius_m), room)

    if area_km2 is None:
        return _only_polygons(cut(position.accuracy_m))
    low_m, high_m = 0.0, _MAX_RADIUS_M
    for _ in range(_HALVINGS):
        middle_m = (low_m + high_m) / 2
        if crs.measure_area_km2(_only_polygons(cut(middle_m))) < area_km2:
            low_m = middle_m
        else:
            high_m = middle_m
    return _only_polygons(cut(high_m))


def _only_polygons(shape: BaseGeometry) -> shapely.MultiPolygon:
    return shapely.MultiPolygon(
        [part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon)]
    )
