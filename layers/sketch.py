"""The whole city as SVG path data, for the small maps that pages draw inline without any script.

One file for all pages: the ground, the outline of every place and the spot of every platform, in the
units of one view. Plate carrée scaled by the cosine of the city's latitude, as :mod:`layers.locator`.
"""

from __future__ import annotations

from typing import Any

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.crs import Bounds
from geodata.shapes import Shape
from layers.locator import Frame
from layers.relations import Relations

WIDTH, HEIGHT = 640, 460
MARGIN = 1.06  # the view's span over the city's


def build_sketch(relations: Relations, shapes: dict[str, Shape], neighbour: BaseGeometry) -> dict[str, Any]:
    """Return the view's size, the paths of the ground, and path, label and edge of every place."""
    counties = [
        shapes[zone.id].geometry for zone in relations.facts.zones.values() if zone.layer == "counties"
    ]
    named = [shapes[place].geometry for place in relations.places]
    west, south, east, north = (round(value, 7) for value in shapely.union_all(named).bounds)
    frame = frame_of((west, south, east, north))
    points = [*relations.facts.platforms, *relations.facts.gateways]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "bounds": [west, south, east, north],
        "neighbour": frame.to_path(neighbour),
        "land": frame.to_path(shapely.union_all(counties)),
        "borders": frame.to_path(shapely.union_all([county.boundary for county in counties])),
        "places": {place: _place(shapes[place], frame) for place in relations.places},
        "points": {
            one: frame.to_xy(shapes[one].label.x, shapes[one].label.y) for one in points if one in shapes
        },
    }


def frame_of(bounds: Bounds) -> Frame:
    """Return the view of the sketch whose places have these bounds."""
    return Frame(bounds, (WIDTH, HEIGHT), MARGIN)


def _place(shape: Shape, frame: Frame) -> dict[str, Any]:
    x, y = _at(shape, frame)
    return {"d": frame.to_path(shape.geometry), "x": x, "y": y, "edge": shape.edge}


def _at(shape: Shape, frame: Frame) -> tuple[float, float]:
    return frame.to_xy(shape.label.x, shape.label.y)
