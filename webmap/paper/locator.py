"""The map of a sheet: one place in its surroundings, or all places of an industry in the city."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry

from geodata.crs import Bounds
from layers.cartography import STYLE
from layers.map_types import MapFeature, ShownFeature, SymbolLook
from webmap.label_placement import find_middle, wrap_text
from webmap.map_choice import UNITS, FigureLook
from webmap.paper.drawing import MUTED, Drawing, Figure, Ground, fit
from webmap.paper.painter import Painter

SIZE = (90.0, 78.0)
EDGE = 6.0  # millimetres around the map, for the degrees
HUE = STYLE.hues["single"]
LONGEST = 40.0  # millimetres of a name in one line
CLOSE = 900_000  # up to this scale the zones around have their names too
LEAST_M = 45_000  # width of the ground that is shown, so that a small park still shows where it is


@dataclass(frozen=True)
class Chosen:
    """The places that a map shows, each with its hue.

    `whole` shows them in the whole city, else with what lies around them; `light` as what is only near.
    `size` is the map's, millimetres.
    """

    hues: Mapping[str, str]
    whole: bool = False
    light: bool = False
    size: tuple[float, float] = SIZE


def draw_locator(
    features: Mapping[str, MapFeature], shows: Chosen, ground: Ground, words: tuple[str, str]
) -> str:
    """Return the map of the chosen places as SVG; `words` are the title and the font family."""
    chosen, (width, height) = shows.hues, shows.size
    drawing = Drawing(width, height, *words)
    polygons = {row_id: ground.polygons[row_id] for row_id in chosen if row_id in ground.polygons}
    rows: list[ShownFeature] = [{**features[row_id], "id": row_id} for row_id in chosen]
    points = [row for row in rows if row.get("point")]
    unbounded = [row for row in rows if row.get("spots")]
    extent = _extent(list(polygons.values()), [*points, *unbounded], ground, whole=shows.whole)
    painter = Painter(drawing, fit(extent, EDGE, 1.0, (width - EDGE - 1, height - EDGE - 1)), ground)
    painter.paint_ground()
    painter.paint_graticule(2.3)
    around = [row_id for row_id, row in features.items() if _is_around(row) and row_id not in chosen]
    for row_id in around:
        painter.paint_outline(row_id)
    ordered = sorted(polygons, key=lambda row_id: -(features[row_id]["area_km2"] or 0))
    # Among zones an area is only outlined: a city-wide one would make all seem chosen.
    areas = {row_id for row_id in ordered if features[row_id]["layer"] not in UNITS}
    outlined = areas if areas != polygons.keys() else set()
    looks = {one: FigureLook(chosen[one], light=shows.light, outlined=one in outlined) for one in ordered}
    painter.paint_figures({one: Figure(looks[one], features[one]["edge"] or "") for one in ordered})
    painter.paint_borders()
    spots = painter.paint_halos(unbounded, chosen)
    painter.paint_scale(EDGE + 4, height - EDGE - 8, 2.5)
    painter.paint_north(width - 6, 16)
    entries: dict[str, SymbolLook] = {
        row["id"]: {"colour": HUE, "symbol": "circle", "letter": None} for row in points
    }
    entries |= {
        row["id"]: {"colour": chosen[row["id"]], "symbol": "spot", "letter": None} for row in unbounded
    }
    shown = painter.paint_points([*points, *spots], entries)
    for row_id in sorted(polygons.keys() - outlined, key=lambda row_id: features[row_id]["area_km2"] or 0):
        row = features[row_id]
        lines = tuple(wrap_text(row.get("short") or row["name"], LONGEST, 3))
        painter.name_place(row_id, ground.to_xy(row["label"][0], row["label"][1]), lines, 3)
    for point in shown:
        painter.name_point(point, 2.9)
    _name_around(painter, features, [row_id for row_id in around if painter.view.scale <= CLOSE], set(chosen))
    painter.paint_frame()
    return drawing.to_svg()


def _name_around(
    painter: Painter, features: Mapping[str, MapFeature], zones: list[str], chosen: set[str]
) -> None:
    """Write the names of counties and zones that are only context, each in the middle of what is shown.

    None stands on a zone that is another's.
    """
    shown = shapely.box(*painter.view.bounds_m)
    polygons = painter.ground.polygons
    counties = [row_id for row_id, row in features.items() if row["layer"] == "counties"]
    drawn = {row_id for row_id in (*zones, *chosen) if features[row_id]["layer"] == "zones"} & polygons.keys()
    for row_id in (*counties, *zones):
        others = shapely.union_all([polygons[one] for one in drawn - {row_id}])
        own = shapely.difference(shapely.intersection(polygons[row_id], shown), others)
        middle = find_middle(own)
        if middle and row_id not in chosen:
            row = features[row_id]
            size = 2.8 if row["layer"] == "counties" else 2.3
            painter.name(middle, (row.get("short") or row["name"],), size, (own, others), fill=MUTED)


def _is_around(row: MapFeature) -> bool:
    """Return whether a place is drawn as context: a zone whose extent is more than a sketch."""
    return bool(row["layer"] == "zones" and row["method"] != "indicative")


def _extent(
    polygons: list[BaseGeometry], points: list[ShownFeature], ground: Ground, *, whole: bool
) -> Bounds:
    if whole:
        west, south, east, north = shapely.union_all([ground.city, *polygons]).bounds
        return west, south, east, north
    spots: list[BaseGeometry] = [
        shapely.Point(*ground.to_xy(*point)) for row in points if (point := row["point"])
    ]
    reaches = [at for row in points for at in row.get("spots", [])]
    spots += [shapely.buffer(shapely.Point(*ground.to_xy(lon, lat)), far_m) for lon, lat, far_m in reaches]
    west, south, east, north = shapely.union_all([*polygons, *spots]).bounds
    pad_x = max((LEAST_M - (east - west)) / 2, (east - west) * 0.2)
    pad_y = max((LEAST_M * 0.75 - (north - south)) / 2, (north - south) * 0.2)
    return west - pad_x, south - pad_y, east + pad_x, north + pad_y
