"""A small SVG writer, how figures look on paper, the view of a map and the geometry that it is drawn from.

One unit is a millimetre on paper; figures are rounded so that the same map gives the same bytes.
Geometry is in the projection that the city names for paper, x east and y north, so that a scale bar is
true: along its own meridian in Gauss-Krüger, and a degree off by less than 0.0001. Hues, textures and
symbols are those of the screen; a texture tells hues apart in grey, an edge says how true it is.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, tostring

from geodata import crs
from geodata.boundaries import GeoJsonFeature, parse_geometry
from geodata.city import read_city
from geodata.crs import Bounds
from geodata.deferred import np, shapely
from geodata.kinds import PLACE_LAYERS
from geodata.messages import strip_unprintable
from layers.basemap_cells import INDEX, read_groups
from layers.cartography import STYLE, shade, write_dash
from layers.map_types import MapOwnDrawn
from layers.store import Release
from webmap.map_choice import FigureLook

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

SVG = "http://www.w3.org/2000/svg"
Attribute = str | float
SCALES = (
    *(25_000, 50_000, 75_000, 100_000, 125_000, 150_000, 200_000, 250_000, 300_000, 350_000, 400_000),
    *(450_000, 500_000, 550_000, 600_000, 650_000, 700_000, 750_000, 800_000, 900_000, 1_000_000),
    *(1_100_000, 1_200_000, 1_300_000, 1_400_000, 1_500_000, 1_600_000, 1_750_000, 2_000_000),
    *(2_250_000, 2_500_000, 3_000_000),
)
MM = 1000.0  # in a metre
FRAME = read_city().paper
ALONG_M = 60  # within which a line runs along an edge: both are simplified
BACKDROP_SCALES = (600_000, 150_000)  # from which on a map shows the next finer range of a basemap
# The Chinese face draws quotation marks as wide as its letters; a text without any takes the Korean face's.
QUOTES, HAN, NARROW = re.compile("[‘’“”]"), re.compile(r"[\u4e00-\u9fff]"), "Noto Sans CJK KR"
TOLERANCE_M = 25  # a tenth of a millimetre at 1:250,000
BORDERS_TOLERANCE_M = 1
Paint = Callable[[dict[str, Attribute]], object]
SEA, LAND, NEIGHBOUR, COAST, BORDER, WATER, WHITE = (
    STYLE.day(ink) for ink in ("sea", "land", "neighbour", "coast", "county-line", "sea-label", "halo")
)
INK, MUTED = STYLE.paper["ink"], STYLE.paper["muted"]
LINES = STYLE.edge_lines  # methods by the line that their edges are drawn with
SOFT = LINES["soft"]  # methods whose edges are a soft band with a thin dash in it
BAND = STYLE.bands["paper"]
MARK_UNIT = 0.22  # millimetres a unit of a mark's outline
SYMBOL_UNIT = 0.19  # millimetres a unit of a symbol's outline
TEXTURE_TILE = 3.4  # millimetres of a texture's tile; its drawing has ten units


class Drawing:
    """A drawing of a size in millimetres, printed `zoom` times as large."""

    def __init__(self, width_mm: float, height_mm: float, title: str, family: str, zoom: int = 1) -> None:
        size = {"width": f"{width_mm * zoom:g}mm", "height": f"{height_mm * zoom:g}mm"}
        self.root = Element("svg", {"xmlns": SVG, **size, "viewBox": f"0 0 {width_mm:g} {height_mm:g}"})
        self.root.set("font-family", family)
        SubElement(self.root, "title").text = title
        self._defs = SubElement(self.root, "defs")
        self._patterns: set[str] = set()

    def add(self, name: str, **attributes: Attribute) -> Element:
        """Append an element to the drawing; underscores in attribute names become hyphens."""
        return add_to(self.root, name, attributes)

    def words(self, x: float, y: float, text: str, size: float, **attributes: Attribute) -> Element:
        """Append a text whose middle line is at `y`."""
        node = self.add("text", x=x, y=y + size * 0.36, font_size=size, **attributes)
        node.text = text
        if QUOTES.search(text) and not HAN.search(text):
            node.set("font-family", NARROW)
        return node

    def picture(self, png: bytes, at: tuple[float, float], size: tuple[float, float]) -> None:
        """Append a picture, if there is one, as large as a box allows and at the right of it."""
        if png:
            box = {"x": at[0], "y": at[1], "width": size[0], "height": size[1]}
            data = f"data:image/png;base64,{b64encode(png).decode()}"
            self.add("image", **box, href=data, preserveAspectRatio="xMaxYMid meet")

    def clip(self, x: float, y: float, size: tuple[float, float]) -> Element:
        """Return a group that shows only what lies in a rectangle."""
        name = f"frame{len(self._defs)}"
        frame = SubElement(self._defs, "clipPath", {"id": name})
        add_to(frame, "rect", {"x": x, "y": y, "width": size[0], "height": size[1]})
        return self.add("g", clip_path=f"url(#{name})")

    def pattern(self, name: str, size: float, mark: dict[str, Attribute], turn: float = 0) -> str:
        """Return the paint of a pattern, defined once by its name; `mark` are the attributes of its path."""
        if name not in self._patterns:
            self._patterns.add(name)
            own: dict[str, Attribute] = {"id": name, "width": size, "height": size}
            own |= {"patternUnits": "userSpaceOnUse", "patternTransform": f"rotate({turn:g})"}
            node = SubElement(self._defs, "pattern", {key: _write(value) for key, value in own.items()})
            add_to(node, "path", mark)
        return f"url(#{name})"

    def to_svg(self) -> str:
        """Return the document."""
        return tostring(strip_unprintable(self.root), encoding="unicode")


def add_to(parent: Element, name: str, attributes: Mapping[str, Attribute]) -> Element:
    """Append an element to another one."""
    return SubElement(
        parent, name, {key.replace("_", "-"): _write(value) for key, value in attributes.items()}
    )


def to_path(geometry: BaseGeometry) -> str:
    """Return the rings or lines of a geometry in millimetres as path data, to a hundredth."""
    parts = []
    for part in shapely.get_parts(geometry):
        rings = [part.exterior, *part.interiors] if part.geom_type == "Polygon" else [part]
        for ring in rings:
            points = [f"{x:.2f} {y:.2f}" for x, y in shapely.get_coordinates(ring)]
            if len(points) > 1:
                parts.append(f"M{'L'.join(points)}{'Z' if part.geom_type == 'Polygon' else ''}")
    return "".join(parts)


def _write(value: Attribute) -> str:
    return value if isinstance(value, str) else f"{round(value, 3):g}"


@dataclass(frozen=True)
class View:
    """A rectangle on paper, in millimetres, and what of the ground it shows at 1:`scale`."""

    left: float
    top: float
    width: float
    height: float
    east_m: float  # of the rectangle's middle
    north_m: float
    scale: int

    @property
    def bounds_m(self) -> Bounds:
        """West, south, east and north of what is shown, metres."""
        half_x, half_y = self.width * self.scale / MM / 2, self.height * self.scale / MM / 2
        return (
            self.east_m - half_x,
            self.north_m - half_y,
            self.east_m + half_x,
            self.north_m + half_y,
        )

    def to_paper(self, x: float, y: float) -> tuple[float, float]:
        """Return millimetres on paper of metres on the ground."""
        factor = MM / self.scale
        return (
            self.left + self.width / 2 + (x - self.east_m) * factor,
            self.top + self.height / 2 - (y - self.north_m) * factor,
        )

    def draw(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return what of a geometry is shown, in millimetres on paper."""
        west, south, east, north = self.bounds_m
        margin = (east - west) * 0.02
        room = shapely.box(west - margin, south - margin, east + margin, north + margin)
        shown = shapely.intersection(geometry, room)
        factor = MM / self.scale
        (x0, y0), (x1, _) = self.to_paper(0, 0), self.to_paper(1, 0)
        return shapely.affinity.affine_transform(shown, [x1 - x0, 0, 0, -factor, x0, y0])


def fit(bounds: Bounds, left: float, top: float, size: tuple[float, float], margin: float = 1.04) -> View:
    """Return the view of the roundest scale at which `bounds`, metres, fit into `size`, millimetres."""
    west, south, east, north = bounds
    needed = max((east - west) / size[0], (north - south) / size[1]) * margin * MM
    scale = next((one for one in SCALES if one >= needed), SCALES[-1])
    return View(left, top, size[0], size[1], (west + east) / 2, (south + north) / 2, scale)


@dataclass(frozen=True)
class Doubt:
    """Lines where nobody knows the border, metres, and within how many metres it is; all in one county."""

    line: BaseGeometry
    county: str
    accuracy_m: float


class Ground:
    """Polygons and points of one release, projected."""

    def __init__(self, release: Release) -> None:
        self._release = release
        self._backdrops: dict[int, dict[str, BaseGeometry]] = {}

    def backdrop(self, scale: int) -> dict[str, BaseGeometry]:
        """Return what the operator's basemap shows at 1:`scale`, by kind and rank; empty without one."""
        level = sum(scale <= finest for finest in BACKDROP_SCALES)
        if level not in self._backdrops:
            known = bool(self._release.sha256(INDEX))
            found = read_groups(self._release.read_json, level) if known else {}
            self._backdrops[level] = {
                key: crs.transform_geometry(group, crs.LONLAT, FRAME) for key, group in found.items()
            }
        return self._backdrops[level]

    @cached_property
    def polygons(self) -> dict[str, BaseGeometry]:
        """Every place of the plan that has a known or reconstructed extent, by id."""
        rows = (row for layer in PLACE_LAYERS for row in self._rows(layer))
        return {row["id"]: _project(row) for row in rows if row["properties"]["area_km2"] is not None}

    @cached_property
    def city(self) -> BaseGeometry:
        """The land of the city."""
        return shapely.union_all([self.polygons[row["id"]] for row in self._rows("counties")])

    @cached_property
    def neighbours(self) -> BaseGeometry:
        """The land around the city."""
        around = [row for row in self._rows("land")[1:] if row["properties"]["kind"] == "land"]
        return shapely.union_all([_project(row) for row in around])

    @cached_property
    def waters(self) -> BaseGeometry:
        """What the coast closes to land and is shown as water."""
        rows = [row for row in self._rows("land") if row["properties"]["kind"] == "water"]
        return shapely.union_all([_project(row) for row in rows])

    @cached_property
    def borders(self) -> BaseGeometry:
        """The lines between counties, and towards the neighbours; the coast is none of them."""
        edges = shapely.union_all([self.polygons[row["id"]].boundary for row in self._rows("counties")])
        inland = shapely.buffer(self.city.boundary, BORDERS_TOLERANCE_M)
        return shapely.difference(edges, inland)

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """The borders of zones that are only reconstructed."""
        topology = self._release.read_json("map/detail.topojson")
        scale, shift = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
        found = []
        for row in topology["doubts"]:
            arcs = [np.cumsum(topology["arcs"][index], axis=0) * scale + shift for index in row["arcs"]]
            line = crs.transform_geometry(shapely.MultiLineString(arcs), crs.LONLAT, FRAME)
            found.append(Doubt(line, row["county"], row["accuracy_m"]))
        return tuple(found)

    def split_edge(self, place_id: str) -> tuple[BaseGeometry, tuple[Doubt, ...]]:
        """Return what is known of a place's edge, metres, and the rest."""
        edge = self.polygons[place_id].boundary
        along = shapely.buffer(edge, ALONG_M)
        guessed = []
        for doubt in self.doubts:
            line = shapely.intersection(doubt.line, along)
            if line.length > 2 * ALONG_M:
                guessed.append(Doubt(line, doubt.county, doubt.accuracy_m))
        lines = shapely.union_all([doubt.line for doubt in guessed])
        return shapely.difference(edge, shapely.buffer(lines, ALONG_M)), tuple(guessed)

    def own(self, layer_id: str) -> MapOwnDrawn:
        """Return what the map draws of a layer of the operator's own."""
        drawn: MapOwnDrawn = self._release.read_json(f"map/own/{layer_id}.json")
        return drawn

    def to_xy(self, lon: float, lat: float) -> tuple[float, float]:
        """Return metres east and north of a position."""
        x, y = crs.transform(lon, lat, crs.LONLAT, FRAME)
        return float(x), float(y)

    def to_plane(self, lonlat: np.ndarray) -> np.ndarray:
        """Return metres east and north of positions, a row each."""
        return np.column_stack(crs.transform(lonlat[:, 0], lonlat[:, 1], crs.LONLAT, FRAME))

    def to_lonlat(self, x: float, y: float) -> tuple[float, float]:
        """Return the position, degrees, of metres east and north."""
        lon, lat = crs.transform(x, y, FRAME, crs.LONLAT)
        return float(lon), float(lat)

    def _rows(self, layer: str) -> list[GeoJsonFeature]:
        rows: list[GeoJsonFeature] = self._release.read_json(f"data/{layer}.geojson")["features"]
        return rows


def _project(row: GeoJsonFeature) -> BaseGeometry:
    return shapely.simplify(crs.transform_geometry(parse_geometry(row), crs.LONLAT, FRAME), TOLERANCE_M)


def darken(hue: str) -> str:
    """Return a hue as its edges have it."""
    return shade(hue, STYLE.shades.edge)


def draw_line(kind: str, ink: str) -> dict[str, Attribute]:
    """Return the attributes of one of the cartography's lines on paper, without a fill."""
    line = STYLE.paper_lines[kind]
    attributes: dict[str, Attribute] = {"fill": "none", "stroke": ink, "stroke_width": line.width}
    return attributes | ({"stroke_dasharray": write_dash(line.dash)} if line.dash else {})


@dataclass(frozen=True)
class Figure:
    """What a polygon's paint says: what it is (its look) and how its boundary was made (method)."""

    look: FigureLook
    method: str


def style_fill(drawing: Drawing, figure: Figure, place: Paint) -> None:
    """Paint the inside of a polygon: its hue, lighter where it is only reconstructed, and its texture.

    `place` draws the polygon with the attributes that it is given.
    """
    seen = figure.look
    if seen.outlined:
        return
    plain = seen.texture % len(STYLE.textures) == 0
    if seen.solid:
        place({"fill": shade(seen.hue, 0.8 if seen.light else 0.25), "opacity": seen.opacity})
    else:
        light = "paper-light-plain" if plain else "paper-light"
        fill = light if seen.light else "paper-soft" if figure.method in SOFT else "paper"
        place({"fill": seen.hue, "fill_opacity": STYLE.opacity[fill] * seen.opacity})
    if not plain:
        mark: dict[str, Attribute] = {"d": STYLE.textures[seen.texture % len(STYLE.textures)], "fill": "none"}
        mark |= {"stroke": darken(seen.hue), "stroke_opacity": 0.5, "stroke_width": 0.9}
        mark["transform"] = f"scale({TEXTURE_TILE / 10:g})"
        paint = drawing.pattern(f"texture-{seen.hue[1:]}-{seen.texture}", TEXTURE_TILE, mark)
        place({"fill": paint, "opacity": seen.opacity})


def style_edge(figure: Figure, place: Paint, *, known: bool) -> None:
    """Paint lines of an edge: crisp where they are known, else a thin dash."""
    seen = figure.look
    kind = "guessed" if not known else "asked" if seen.outlined else "known"
    line = draw_line(kind, seen.hue if seen.outlined else darken(seen.hue))
    place(line | {"stroke_linejoin": "round", "opacity": seen.opacity})


def explain_edges(methods: Iterable[str | None], say: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Yield a method that is drawn with each kind of line in use, and what that line says."""
    used = set(methods)
    for line, drawn in LINES.items():
        here = [method for method in drawn if method in used]
        if here:
            meanings = say("common.list_comma").join(say(f"map.edge.{method}") for method in here)
            yield here[0], say(f"map.line.{line}", meaning=meanings)
