"""The map of a sheet: one place in its surroundings, or all places of an industry in the city."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import shapely

from webmap.paper import look
from webmap.paper.drawing import Drawing
from webmap.paper.ground import Ground
from webmap.paper.painter import Painter
from webmap.paper.view import fit

Feature = dict[str, Any]
SIZE = (90.0, 74.0)
EDGE = 6.0  # millimetres around the map, for the degrees
HUE = "#0072B2"
LEAST_M = 45_000  # width of the ground that is shown, so that a small park still shows where it is


def draw_locator(
    features: Mapping[str, Feature], chosen: Mapping[str, str], ground: Ground, words: tuple[str, str]
) -> str:
    """Return the map of the `chosen` places as SVG; `words` are the title and the font family.

    `chosen` gives each place's hue. One place is shown with what lies around it, several in the whole city.
    """
    drawing = Drawing(*SIZE, *words)
    polygons = {row_id: ground.polygons[row_id] for row_id in chosen if row_id in ground.polygons}
    one = len(chosen) == 1
    points = [{"id": row_id} | features[row_id] for row_id in chosen if features[row_id].get("point")]
    painter = Painter(
        drawing,
        fit(
            _extent(list(polygons.values()), points, ground, one=one),
            EDGE,
            1.0,
            (SIZE[0] - EDGE - 1, SIZE[1] - EDGE - 1),
        ),
        ground,
    )
    painter.paint_ground()
    painter.paint_graticule(2.5)
    for row_id in sorted(polygons, key=lambda row_id: -features[row_id]["area_km2"]):
        painter.paint_figure(row_id, look.Figure(chosen[row_id], 0, features[row_id]["method"]))
    painter.paint_borders()
    painter.paint_scale(EDGE + 4, SIZE[1] - EDGE - 8, 2.7)
    entry = {"colour": HUE, "symbol": "circle", "letter": None}
    shown = painter.paint_points(points, {row["id"]: entry for row in points})
    for row_id in sorted(polygons, key=lambda row_id: features[row_id]["area_km2"]):
        painter.name(features[row_id]["label"], (features[row_id]["name"],), 3.3)
    for row in shown:
        painter.name_point(row, 3.1)
    for row_id, row in features.items():
        if row["layer"] == "counties" and row_id not in chosen:
            painter.name(row["label"], (row["name"],), 3.1, fill=look.MUTED)
    painter.paint_frame()
    return drawing.to_svg()


def _extent(polygons: list[Any], points: list[Feature], ground: Ground, *, one: bool) -> Any:
    if not one:
        return shapely.union_all([ground.city, *polygons]).bounds
    spots = [shapely.Point(*ground.to_xy(*row["point"])) for row in points]
    west, south, east, north = shapely.union_all([*polygons, *spots]).bounds
    pad_x = max((LEAST_M - (east - west)) / 2, (east - west) * 0.2)
    pad_y = max((LEAST_M * 0.75 - (north - south)) / 2, (north - south) * 0.2)
    return west - pad_x, south - pad_y, east + pad_x, north + pad_y
