"""What of a file can be drawn, whatever is wrong with it: to be looked at, never to be published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.incoming.intake import MAX_VERTICES, Intake
from geodata.incoming.locate import LIKELY, near_city, place_shapes, swap

SWAPPED: Final = "swapped"


@dataclass(frozen=True)
class Drawable:
    """Geometries in lon/lat near the city: of any type, valid or not.

    `assumed` says how they had to be read to be there: with their axes `SWAPPED`, or in another
    coordinate system; None where they are as the file, or the user, says.
    """

    shapes: tuple[BaseGeometry, ...] = ()
    assumed: str | None = None


def find_drawable(intake: Intake, city: BaseGeometry, given: str | None) -> Drawable:
    """Return what can be drawn; `given` is the coordinate system that the user names."""
    shapes = [part for one in intake.features for part in _parts(one.geometry)]
    if sum(shapely.get_num_coordinates(shapes)) > MAX_VERTICES:
        return Drawable()
    near, definition = near_city(city), given or intake.crs
    swapped = [swap(shape) for shape in shapes]
    readings: list[tuple[list[BaseGeometry], str | None, str | None]] = [
        (shapes, definition, None),
        (swapped, definition, SWAPPED),
        *((shapes, frame, frame) for frame in LIKELY),
    ]
    for these, frame, assumed in readings:
        try:
            placed = place_shapes(these, frame, near) if frame else []
        except ValueError:  # a system that is not known
            continue
        found = tuple(shape for shape in placed if shape is not None)
        if found:
            return Drawable(found, assumed)
    return Drawable()


def _parts(geometry: BaseGeometry | None) -> list[BaseGeometry]:
    """Return a geometry, or those of a collection, as far as they are there and are numbers."""
    if geometry is None or geometry.is_empty:
        return []
    collection = isinstance(geometry, shapely.GeometryCollection)
    parts = list(shapely.get_parts(geometry)) if collection else [geometry]
    return [part for part in parts if np.isfinite(shapely.get_coordinates(part)).all()]
