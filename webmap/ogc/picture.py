"""A small map of the features on a page of a collection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from layers.query import Feature
from layers.sketch import Frame, frame_of
from webmap.language import LANGUAGES

GROUND = ("width", "height", "neighbour", "land", "borders")
RADIUS = 5  # of a point's circle, in the sketch's units
Row = dict[str, Any]


def draw_features(features: Iterable[Feature], sketch: Mapping[str, Any]) -> Row | None:
    """Return the ground of the sketch and, on it, path, names and edge of each feature, large ones first.

    None where no feature lies in the sketch's view.
    """
    west, south, east, north = sketch["bounds"]
    frame = frame_of((west, south, east, north))
    rows = []
    for feature in features:
        read = orjson.loads(feature.body)
        if read["geometry"] is None:
            continue
        shape = shapely.from_geojson(orjson.dumps(read["geometry"]))
        if shape.intersects(frame.view):
            path = frame.to_path(shape) if shape.area else _circle(shape, frame)
            row = _row(read, path, sketch["places"])
            rows.append((shape.area, row | {"hatched": bool(shape.area) and row["edge"] == "indicative"}))
    rows.sort(key=lambda row: -row[0])
    return {key: sketch[key] for key in GROUND} | {"features": [row for _, row in rows]} if rows else None


def _row(feature: Row, path: str, known: Mapping[str, Row]) -> Row:
    """Return how one feature is drawn: a place with the edge that it has on every map."""
    properties = feature["properties"]
    names = {language: properties.get(f"name_{language}") for language in LANGUAGES}
    edge = known.get(feature["id"], {}).get("edge", properties.get("geometry_method"))
    return {"id": feature["id"], "name": names, "edge": edge, "d": path}


def _circle(point: BaseGeometry, frame: Frame) -> str:
    x, y = frame.to_xy(point.centroid.x, point.centroid.y)
    arc = f"a{RADIUS} {RADIUS} 0 1 0"
    return f"M{x - RADIUS:g} {y:g}{arc} {2 * RADIUS} 0{arc} {-2 * RADIUS} 0"
