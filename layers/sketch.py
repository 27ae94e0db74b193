"""Small maps for the pages, readable without JavaScript: one of each place, and one of the whole city.

Of a place an inline SVG; of the city, in one file for all pages, path data: the ground, the outline of
every place and the spot of every platform. Plate carrée scaled by the cosine of the latitude; classes
carry the style, so the page's own stylesheet (and its dark mode) colours them.
"""

from __future__ import annotations

import math
from typing import Any

import shapely
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from geodata.crs import Bounds
from geodata.shapes import Shape
from layers.basemap import PreparedBasemap, groups_by_kind
from layers.relations import Relations

LOCATOR_SIZE = 480, 360
MIN_SPAN_DEG = 0.55  # of longitude: about 49 km, so that a small park still shows where it is
LOCATOR_MARGIN = 1.7  # the view's span over the place's
TOLERANCE_PX = 0.6
METRES_PER_DEGREE = 111_320
WIDTH, HEIGHT = 640, 460
MARGIN = 1.06  # the view's span over the city's
SCALE_STEPS_KM = (2, 5, 10, 20, 50)


def build_locators(
    relations: Relations,
    shapes: dict[str, Shape],
    neighbour: BaseGeometry,
    backdrop: PreparedBasemap | None = None,
) -> dict[str, bytes]:
    """Return ``locator/<id>.svg`` for every place and point with a geometry."""
    land, borders = _land(relations, shapes)
    ground = {"neighbour": neighbour, "land": land} | _thin(backdrop)
    wanted = [*relations.places, *relations.facts.platforms, *relations.facts.gateways]
    return {
        f"locator/{row_id}.svg": _render(shapes[row_id], ground, borders).encode()
        for row_id in wanted
        if row_id in shapes
    }


def _thin(backdrop: PreparedBasemap | None) -> dict[str, BaseGeometry]:
    """Return what a small map shows of a basemap, back to front."""
    return groups_by_kind(backdrop.ranges[0].groups) if backdrop else {}


def _land(relations: Relations, shapes: dict[str, Shape]) -> tuple[BaseGeometry, BaseGeometry]:
    """Return the city's land, and the borders of its counties."""
    zones = relations.facts.zones.values()
    counties = [shapes[zone.id].geometry for zone in zones if zone.layer == "counties"]
    return shapely.union_all(counties), shapely.union_all([county.boundary for county in counties])


class Frame:
    """Turns degrees into SVG units for one view around `bounds` (west, south, east, north)."""

    def __init__(
        self,
        bounds: Bounds,
        size: tuple[int, int] = LOCATOR_SIZE,
        margin: float = LOCATOR_MARGIN,
        min_span_deg: float = MIN_SPAN_DEG,
    ) -> None:
        west, south, east, north = bounds
        self.width, self.height = size
        self.lon, self.lat = (west + east) / 2, (south + north) / 2
        self.squash = math.cos(math.radians(self.lat))
        needed = max(east - west, (north - south) / self.squash * self.width / self.height) * margin
        span = max(needed, min_span_deg)
        self.px_per_deg = self.width / span
        half_lat = self.height / self.width * span * self.squash / 2
        self.view = box(self.lon - span / 2, self.lat - half_lat, self.lon + span / 2, self.lat + half_lat)

    def to_path(self, geometry: BaseGeometry) -> str:
        """Return the part of a geometry inside the view as SVG path data."""
        simple = shapely.simplify(shapely.intersection(geometry, self.view), TOLERANCE_PX / self.px_per_deg)
        lines = simple.boundary if simple.area else simple
        return "".join(self._subpath(line) for line in shapely.get_parts(lines) if not line.is_empty)

    def to_xy(self, lon: float, lat: float) -> tuple[float, float]:
        """Return SVG units of one position."""
        x = (lon - self.lon) * self.px_per_deg + self.width / 2
        y = self.height / 2 - (lat - self.lat) * self.px_per_deg / self.squash
        return round(x, 1), round(y, 1)

    def _subpath(self, line: BaseGeometry) -> str:
        points = [self.to_xy(lon, lat) for lon, lat in shapely.get_coordinates(line)]
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in points)


def _render(shape: Shape, ground: dict[str, BaseGeometry], borders: BaseGeometry) -> str:
    frame = Frame(shape.geometry.bounds)
    drawn = {name: frame.to_path(geometry) for name, geometry in ground.items()}
    paths = [f'<path class="locator-{name}" d="{path}"/>' for name, path in drawn.items() if path]
    paths.append(f'<path class="locator-border" d="{frame.to_path(borders)}"/>')
    if shape.geometry.area:
        paths.append(
            f'<path class="locator-place locator-{shape.edge}" d="{frame.to_path(shape.geometry)}"/>'
        )
    else:
        x, y = frame.to_xy(shape.label.x, shape.label.y)
        paths.append(f'<circle class="locator-point" cx="{x:g}" cy="{y:g}" r="7"/>')
    size = f'viewBox="0 0 {frame.width} {frame.height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="locator" {size} aria-hidden="true">'
    return head + "".join(paths) + draw_scale_bar(frame) + "</svg>"


def draw_scale_bar(frame: Frame) -> str:
    """Return a scale bar in the lower right corner of a view, as SVG."""
    px_per_km = frame.px_per_deg / (METRES_PER_DEGREE * frame.squash / 1000)
    fitting = (step for step in SCALE_STEPS_KM if step * px_per_km < frame.width / 3)
    km = max(fitting, default=SCALE_STEPS_KM[0])
    right, y = frame.width - 16, frame.height - 16
    bar = f'<path class="locator-scale" d="M{right - km * px_per_km:.1f} {y - 5}V{y}H{right}V{y - 5}"/>'
    return f'{bar}<text class="locator-scale-text" x="{right}" y="{y - 9}" text-anchor="end">{km} km</text>'


def build_sketch(
    relations: Relations,
    shapes: dict[str, Shape],
    neighbour: BaseGeometry,
    backdrop: PreparedBasemap | None = None,
) -> dict[str, Any]:
    """Return the view's size, the paths of the ground, and path, label and edge of every place."""
    land, borders = _land(relations, shapes)
    named = [shapes[place].geometry for place in relations.places]
    west, south, east, north = (round(value, 7) for value in shapely.union_all(named).bounds)
    frame = frame_of((west, south, east, north))
    points = [*relations.facts.platforms, *relations.facts.gateways]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "bounds": [west, south, east, north],
        "neighbour": frame.to_path(neighbour),
        "land": frame.to_path(land),
        "backdrop": {name: frame.to_path(geometry) for name, geometry in _thin(backdrop).items()},
        "borders": frame.to_path(borders),
        "places": {place: _place(shapes[place], frame) for place in relations.places},
        "points": {
            one: frame.to_xy(shapes[one].label.x, shapes[one].label.y) for one in points if one in shapes
        },
    }


def frame_of(bounds: Bounds) -> Frame:
    """Return the view of the sketch whose places have these bounds."""
    return Frame(bounds, (WIDTH, HEIGHT), MARGIN)


def _place(shape: Shape, frame: Frame) -> dict[str, Any]:
    x, y = frame.to_xy(shape.label.x, shape.label.y)
    return {"d": frame.to_path(shape.geometry), "x": x, "y": y, "edge": shape.edge}
