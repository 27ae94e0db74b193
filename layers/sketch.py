"""Small maps for the pages, readable without JavaScript: one of each place, and one of the whole city.

Of a place an inline SVG; of the city, in one file for all pages, path data: the ground, which pages show
as one picture, the outline of every place and the spot of every platform. Plate carrée scaled by the
cosine of the latitude; classes carry the style, so the page's own stylesheet (and its dark mode) colours
them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise, starmap
from typing import TYPE_CHECKING, TypedDict

from geodata import crs
from geodata.crs import Bounds
from geodata.deferred import np, shapely
from layers.basemap_cells import PreparedBasemap, groups_by_kind
from layers.cartography import STYLE
from layers.measures import EDGE_DEG

if TYPE_CHECKING:  # which reads boundaries, and is large
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geodata.shapes import Shape, Stretch
    from layers.relations import Relations

LOCATOR_SIZE = 480, 360
MIN_SPAN_DEG = 0.55  # of longitude: about 49 km, so that a small park still shows where it is
LOCATOR_MARGIN = 1.7  # the view's span over the place's
TOLERANCE_PX = 1.0
LEAST_PX = 0.6  # across an island that is drawn
METRES_PER_DEGREE = 111_320
WIDTH, HEIGHT = 640, 460
MARGIN = 1.06  # the view's span over the city's
OPENING_SIZE, OPENING_MARGIN = (2400, 2000), 2.0  # of the map's first view: as far as a wide window shows
DOT_PX = 5  # radius of the dot of a place of which only a point is known
SOFT = STYLE.bands["small"].shares
SCALE_STEPS_KM = (2, 5, 10, 20, 50)


class DrawnPlace(TypedDict):
    """The path data of a place, see :func:`_draw`."""

    d: str
    halo: str
    soft: str
    crisp: str
    width: float


class SketchedPlace(DrawnPlace):
    """A place of the sketch, with where its name stands and whose line its edge is."""

    x: float
    y: float
    edge: str


class Sketch(TypedDict):
    """The whole city as SVG path data."""

    width: int
    height: int
    bounds: list[float]  # west, south, east, north
    ground: dict[str, str]  # by what it is, back to front
    places: dict[str, SketchedPlace]
    points: dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Outline:
    """The edge of a place in two: lines that are known, and others with their accuracy, metres."""

    known: BaseGeometry
    guessed: BaseGeometry
    accuracy_m: float


@dataclass(frozen=True)
class SketchGround:
    """What small maps show around and on the land of the city, lon/lat, with any basemap."""

    neighbour: BaseGeometry
    water: BaseGeometry
    backdrop: PreparedBasemap | None = None

    def thin(self) -> dict[str, BaseGeometry]:
        """Return what a small map shows on the land, back to front."""
        groups = groups_by_kind(self.backdrop.ranges[0].groups) if self.backdrop else {}
        if not self.water.is_empty:
            groups["water"] = shapely.union_all([self.water, groups.get("water", shapely.Point())])
        return groups


def trace_outline(place_id: str, relations: Relations, stretches: Iterable[Stretch]) -> Outline | None:
    """Return the edge of a place that is made of towns, None where it is known all round.

    The accuracy is the mean along the guessed lines.
    """
    towns = {town.id for town in relations.towns_of(place_id)}
    edges = [stretch for stretch in stretches if len(towns & set(stretch.between)) == 1]
    guessed = [stretch for stretch in edges if stretch.drawn_by == "reconstructed"]
    if not guessed:
        return None
    lengths = [stretch.line.length for stretch in guessed]
    return Outline(
        known=shapely.union_all([stretch.line for stretch in edges if stretch not in guessed]),
        guessed=shapely.union_all([stretch.line for stretch in guessed]),
        accuracy_m=float(np.average([stretch.accuracy_m for stretch in guessed], weights=lengths)),
    )


@dataclass(frozen=True)
class Scene:
    """What every small map draws from: the ground, back to front, and the outline of each place."""

    relations: Relations
    shapes: Mapping[str, Shape]
    ground: dict[str, BaseGeometry]
    borders: BaseGeometry
    outlines: Mapping[str, Outline | None]


def lay_scene(
    relations: Relations, shapes: Mapping[str, Shape], around: SketchGround, stretches: list[Stretch]
) -> Scene:
    """Return the scene of a city's places and points."""
    land, borders = _land(relations, shapes, around.neighbour)
    ground = {"neighbour": around.neighbour, "land": land} | around.thin()
    outlines = {place: trace_outline(place, relations, stretches) for place in relations.places}
    return Scene(relations, shapes, ground, borders, outlines)


def build_locators(scene: Scene) -> dict[str, bytes]:
    """Return ``locator/<id>.svg`` for every place and point with a geometry."""
    facts = scene.relations.facts
    wanted = [*scene.relations.places, *facts.platforms, *facts.gateways]
    return {
        f"locator/{row_id}.svg": _render(scene, scene.shapes[row_id]).encode()
        for row_id in wanted
        if row_id in scene.shapes
    }


def _land(
    relations: Relations, shapes: Mapping[str, Shape], neighbour: BaseGeometry
) -> tuple[BaseGeometry, BaseGeometry]:
    """Return the city's land, and the borders of its counties on land; the coast is the edge of the land."""
    zones = relations.facts.zones.values()
    counties = [shapes[zone.id].geometry for zone in zones if zone.layer == "counties"]
    # A border of a hundred thousand corners is drawn as well with those that can be seen.
    counties = list(shapely.coverage_simplify(counties, EDGE_DEG / 10))
    land = shapely.union_all(counties)
    coast = shapely.difference(land.boundary, shapely.buffer(neighbour, EDGE_DEG))
    borders = shapely.union_all([county.boundary for county in counties])
    return land, shapely.line_merge(shapely.difference(borders, coast))


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
        self.view = shapely.box(
            self.lon - span / 2, self.lat - half_lat, self.lon + span / 2, self.lat + half_lat
        )

    def to_path(self, geometry: BaseGeometry) -> str:
        """Return the part of a geometry inside the view as SVG path data."""
        seen = shapely.intersection(geometry, self.view)
        lines = _select_seen(
            shapely.get_parts(seen.boundary if seen.area else seen), LEAST_PX / self.px_per_deg
        )
        # Line by line, without regard to others, which takes minutes where corners are dense.
        simple = shapely.simplify(lines, TOLERANCE_PX / self.px_per_deg, preserve_topology=False)
        return "".join(map(self._subpath, simple))

    def to_xy(self, lon: float, lat: float) -> tuple[float, float]:
        """Return SVG units of one position."""
        x = (lon - self.lon) * self.px_per_deg + self.width / 2
        y = self.height / 2 - (lat - self.lat) * self.px_per_deg / self.squash
        return round(x, 1), round(y, 1)

    def to_px(self, metres: float) -> float:
        """Return SVG units of a distance on the ground."""
        return round(metres / (METRES_PER_DEGREE * self.squash) * self.px_per_deg, 1)

    def to_circle(self, lon: float, lat: float, radius_px: float) -> str:
        """Return a circle around a position as SVG path data."""
        x, y = self.to_xy(lon, lat)
        arc = f"a{radius_px:g} {radius_px:g} 0 1 0"
        return f"M{x - radius_px:g} {y:g}{arc} {2 * radius_px:g} 0{arc} {-2 * radius_px:g} 0"

    def _subpath(self, line: BaseGeometry) -> str:
        """Return path data in whole units, every position as steps from the one before: a third as long."""
        at = [(round(x), round(y)) for x, y in starmap(self.to_xy, shapely.get_coordinates(line))]
        steps = [(x - left, y - top) for (left, top), (x, y) in pairwise(at)]
        figures = [str(one) for step in steps for one in step if step != (0, 0)]
        start = f"M{at[0][0]} {at[0][1]}"
        return f"{start}l{' '.join(figures)}".replace(" -", "-") if figures else start


def _select_seen(lines: NDArray[np.object_], least_deg: float) -> NDArray[np.object_]:
    """Return the lines without rings that are too small to be seen; where all are, the largest."""
    lines = lines[~shapely.is_empty(lines)]
    bounds = shapely.bounds(lines)
    across = np.maximum(bounds[:, 2] - bounds[:, 0], bounds[:, 3] - bounds[:, 1])
    seen = lines[(across >= least_deg) | ~shapely.is_closed(lines)]
    return seen if len(seen) else lines[np.argsort(-across)[:1]]


def _render(scene: Scene, shape: Shape) -> str:
    reaches = [crs.build_circle(spot.lon, spot.lat, spot.accuracy_m) for spot in shape.spots]
    west, south, east, north = map(float, shapely.total_bounds([shape.geometry, *reaches]))
    frame = Frame((west, south, east, north))
    below = {name: frame.to_path(geometry) for name, geometry in scene.ground.items()}
    paths = [f'<path class="locator-{name}" d="{path}"/>' for name, path in below.items() if path]
    paths.append(f'<path class="locator-border" d="{frame.to_path(scene.borders)}"/>')
    drawn = _draw(shape, scene.outlines.get(shape.id), frame)
    for share in SOFT if shape.spots else ():  # fainter towards the rim
        halo = _draw_halo(shape, frame, share)
        paths.append(f'<path class="halo" d="{halo}"/>')
    if shape.geometry.area:
        paths.append(f'<path class="locator-place locator-{shape.edge}" d="{drawn["d"]}"/>')
    else:
        paths.append(f'<path class="locator-point" d="{frame.to_circle(shape.label.x, shape.label.y, 7)}"/>')
    if drawn["soft"]:
        widths = [f"{drawn['width'] * share:g}" for share in SOFT]
        band = f'<path id="edge-{shape.id}" class="soft" d="{drawn["soft"]}"/>'  # once, then in every width
        paths.append(f'<g stroke-width="{widths[0]}">{band}</g>')
        paths += [f'<use href="#edge-{shape.id}" stroke-width="{width}"/>' for width in widths[1:]]
        paths.append(f'<path class="crisp" d="{drawn["crisp"]}"/>')
    size = f'viewBox="0 0 {frame.width} {frame.height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="locator" {size} aria-hidden="true">'
    return head + "".join(paths) + draw_scale_bar(frame) + "</svg>"


def _draw(shape: Shape, outline: Outline | None, frame: Frame) -> DrawnPlace:
    """Return the path data of a place, and what says how true it is.

    That is the ``soft`` part of its edge with the ``width`` of its band and the ``crisp`` one, or the
    ``halo`` of a place of which only a point is known, which is drawn as a dot.
    """
    if shape.spots:
        return {
            "d": "".join(frame.to_circle(spot.lon, spot.lat, DOT_PX) for spot in shape.spots),
            "halo": _draw_halo(shape, frame),
            "soft": "",
            "crisp": "",
            "width": 0,
        }
    return {
        "d": frame.to_path(shape.geometry),
        "halo": "",
        "soft": frame.to_path(outline.guessed) if outline else "",
        "crisp": frame.to_path(outline.known) if outline else "",
        "width": frame.to_px(outline.accuracy_m) if outline else 0,
    }


def _draw_halo(shape: Shape, frame: Frame, share: float = 1) -> str:
    circles = (frame.to_circle(at.lon, at.lat, frame.to_px(at.accuracy_m * share)) for at in shape.spots)
    return "".join(circles)


def draw_scale_bar(frame: Frame) -> str:
    """Return a scale bar in the lower right corner of a view, as SVG."""
    px_per_km = frame.px_per_deg / (METRES_PER_DEGREE * frame.squash / 1000)
    fitting = (step for step in SCALE_STEPS_KM if step * px_per_km < frame.width / 3)
    km = max(fitting, default=SCALE_STEPS_KM[0])
    right, y = frame.width - 16, frame.height - 16
    bar = f'<path class="locator-scale" d="M{right - km * px_per_km:.1f} {y - 5}V{y}H{right}V{y - 5}"/>'
    return f'{bar}<text class="locator-scale-text" x="{right}" y="{y - 9}" text-anchor="end">{km} km</text>'


def build_sketch(scene: Scene, frame_of: Callable[[Bounds], Frame]) -> Sketch:
    """Return the view's size, the paths of the ground, and path, label and edge of every place.

    `frame_of` makes the view of what has these bounds.
    """
    places, facts, shapes = scene.relations.places, scene.relations.facts, scene.shapes
    named = [shapes[place].geometry for place in places]
    west, south, east, north = (round(float(value), 7) for value in shapely.total_bounds(named))
    frame = frame_of((west, south, east, north))
    points = [*facts.platforms, *facts.gateways]
    ground = scene.ground | {"border": scene.borders}
    return {
        "width": frame.width,
        "height": frame.height,
        "bounds": [west, south, east, north],
        "ground": {name: frame.to_path(geometry) for name, geometry in ground.items()},
        "places": {place: _place(shapes[place], scene.outlines[place], frame) for place in places},
        "points": {
            one: frame.to_xy(shapes[one].label.x, shapes[one].label.y) for one in points if one in shapes
        },
    }


def frame_sketch(bounds: Bounds) -> Frame:
    """Return the view of the sketch whose places have these bounds."""
    return Frame(bounds, (WIDTH, HEIGHT), MARGIN)


def frame_opening(bounds: Bounds) -> Frame:
    """Return the view of the map's first picture: wider, for a window has another shape than the city."""
    return Frame(bounds, OPENING_SIZE, OPENING_MARGIN)


def _place(shape: Shape, outline: Outline | None, frame: Frame) -> SketchedPlace:
    x, y = frame.to_xy(shape.label.x, shape.label.y)
    if shape.spots:
        x, y = frame.to_xy(shape.spots[0].lon, shape.spots[0].lat)
        y -= 3 * DOT_PX  # the name stands above the dot
    return {"x": x, "y": y, "edge": shape.edge, **_draw(shape, outline, frame)}
