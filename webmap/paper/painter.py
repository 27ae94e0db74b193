"""Draw a map into a rectangle: ground, figures, points, names, graticule, scale bar, north arrow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from geodata.crs import Bounds
from geodata.deferred import shapely
from layers.cartography import STYLE, shade
from layers.map_types import ShownFeature, SymbolLook
from webmap.label_placement import (
    GAP,
    Box,
    Room,
    Size,
    Spot,
    around,
    beside,
    box_around,
    measure_text,
    to_edge,
    within,
    wrap_text,
)
from webmap.paper.drawing import (
    BAND,
    BORDER,
    COAST,
    INK,
    LAND,
    MARK_UNIT,
    MM,
    MUTED,
    NEIGHBOUR,
    SEA,
    SYMBOL_UNIT,
    WHITE,
    Attribute,
    Doubt,
    Drawing,
    Figure,
    Ground,
    Paint,
    View,
    add_to,
    darken,
    draw_line,
    style_edge,
    style_fill,
    to_path,
)

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

HOLLOW_OVER_M = 1000  # a point known less well is drawn hollow
RADIUS = 1.9  # millimetres of a point's symbol
OWN_SYMBOL = 0.1  # millimetres a unit of a symbol's outline, of a layer of the operator's own
SYMBOL = (2 * RADIUS - GAP, 2 * RADIUS - GAP)
CLOSE_STEPS = 8  # beside a town that its name may stand at: farther off it would seem another's
TIE = draw_line("tie", INK)
LINE = 1.18  # between the lines of a name, in letters
SMALL = 2.0  # a place lower than that many letters has its name beside it
ON_IT, NEAR = 0.3, 1.5  # share of a name on its place, and millimetres beside it, that need no line
NAME_WIDTH = 18  # of a point's name in one line, in letters
STEPS_MIN = (2, 5, 10, 15, 30, 60)  # minutes between the lines of the graticule
BARS_KM = (1, 2, 5, 10, 20, 50, 100)
CHIP = 1.16  # from one letter on its hue to the next, in letters
Letters = tuple[tuple[str, str], ...]  # each with the hue that it stands on
Line = str | Letters


class PlacedPoint(ShownFeature):
    """A point with where its symbol stands, millimetres, and the letters below its name."""

    x: float
    y: float
    letters: Letters


class Painter:
    """Paints one map, printed `zoom` times as large; call its methods from the back to the front."""

    def __init__(self, drawing: Drawing, view: View, ground: Ground, zoom: int = 1) -> None:
        self.zoom = zoom
        self.drawing = drawing
        self.view = view
        self.ground = ground
        self.room = Room((view.left, view.top, view.left + view.width, view.top + view.height))
        drawing.add("rect", **self._frame(), fill=SEA)
        self.group = drawing.clip(view.left, view.top, (view.width, view.height))
        self._figures: dict[str, BaseGeometry] = {}
        self._painted: list[Doubt] = []  # borders that have their band
        self._leaders: Element | None = None  # under all names; begun with the first of them

    def paint_ground(self) -> None:
        """Paint neighbouring land, the city's land, and what the operator's basemap shows of it."""
        for geometry, colour, line in (
            (self.ground.neighbours, NEIGHBOUR, "neighbour"),
            (self.ground.city, LAND, "coast"),
        ):
            style = draw_line(line, COAST) | {"fill": colour}
            self._path(to_path(self.view.draw(geometry)), **style)

        shown = self.ground.backdrop(self.view.scale)
        for key in filter(shown.__contains__, STYLE.basemap):
            colour, width = STYLE.basemap[key]
            paint: dict[str, Attribute] = {"fill": colour}
            if width:
                paint = {"fill": "none", "stroke": colour, "stroke_width": width, "stroke_linejoin": "round"}
            self._path(to_path(self.view.draw(shown[key])), **paint)

    def paint_borders(self) -> None:
        """Paint the lines between the counties."""
        path = to_path(self.view.draw(self.ground.borders))
        self._path(path, **draw_line("county", BORDER))

    def paint_figures(self, figures: Mapping[str, Figure]) -> None:
        """Paint polygons from the back to the front; hue, texture and edge say what each is and how true.

        What lies under another is cut, so that no class has a second tone; an outline or a figure that is
        laid over the others half transparent cuts nothing.
        """
        over: dict[str, BaseGeometry] = {}
        fills = []
        for place_id in reversed(list(figures)):
            own = self._figures[place_id] = self.view.draw(self.ground.polygons[place_id])
            shapely.prepare(own)
            lying = [one for one, shape in over.items() if shapely.intersects(shape, own)]
            rest = shapely.difference(own, shapely.union_all([over[one] for one in lying]))
            fills.append((place_id, rest, " ".join(lying)))
            seen = figures[place_id].look
            if not seen.outlined and seen.opacity == 1:
                over[place_id] = own
        for place_id, fill, on_it in reversed(fills):
            place = self._place(fill, data_figure=place_id, data_under=on_it)
            style_fill(self.drawing, figures[place_id], place)
        water = draw_line("water", COAST) | {"fill": SEA}
        self._path(to_path(self.view.draw(self.ground.waters)), **water)
        edges = {place_id: self.ground.split_edge(place_id) for place_id in figures}
        for place_id, (_, doubts) in edges.items():
            self._paint_bands(figures[place_id].look.hue, doubts)
        for place_id, (known, doubts) in edges.items():
            guessed = shapely.union_all([doubt.line for doubt in doubts])
            for line, sure in ((guessed, False), (known, True)):
                style_edge(figures[place_id], self._place(self.view.draw(line)), known=sure)

    def _place(self, geometry: BaseGeometry, **own: Attribute) -> Paint:
        """Return what draws a geometry, in millimetres, with the attributes that it is given."""
        path = to_path(geometry)
        return lambda style: self._path(path, **own, **style)

    def _paint_bands(self, hue: str, doubts: Iterable[Doubt]) -> None:
        """Paint a strip along doubtful borders, as wide as they are accurate and softer outwards.

        Of two neighbours that share a border, the first paints it; no strip reaches over a county's edge.
        """
        fresh = [doubt for doubt in doubts if self._mark(doubt)]
        for share in BAND.shares if fresh else ():
            strips = [
                shapely.intersection(
                    shapely.buffer(doubt.line, doubt.accuracy_m * share / 2),
                    self.ground.polygons[doubt.county],
                )
                for doubt in fresh
            ]
            path = to_path(self.view.draw(shapely.union_all(strips)))
            self._path(path, fill=hue, fill_opacity=BAND.opacity)

    def _mark(self, doubt: Doubt) -> bool:
        """Return whether a border is not painted yet, and take it as painted."""
        middle = shapely.Point(shapely.get_coordinates(doubt.line)[0])
        known = any(
            doubt.accuracy_m == other.accuracy_m and other.line.distance(middle) < 1
            for other in self._painted
        )
        self._painted.append(doubt)
        return not known

    def paint_halos(self, features: Iterable[ShownFeature], hues: Mapping[str, str]) -> list[ShownFeature]:
        """Paint a faint halo around each known point of places without a known extent; return the points."""
        points: list[ShownFeature] = []
        for feature in features:
            for number, (lon, lat, accuracy_m) in enumerate(feature.get("spots", [])):
                x, y = self.ground.to_xy(lon, lat)
                at, radius = self.view.to_paper(x, y), accuracy_m * MM / self.view.scale
                for share in BAND.shares:
                    circle = {"cx": at[0], "cy": at[1], "r": radius * share}
                    add_to(
                        self.group,
                        "circle",
                        circle | {"fill": hues[feature["id"]], "fill_opacity": BAND.halo},
                    )
                name = "" if number else feature["name"]  # it is written once
                points.append({**feature, "point": [lon, lat], "name": name})
        return points

    def paint_outline(self, place_id: str) -> None:
        """Paint a thin outline of a place that is only context."""
        path = to_path(self.view.draw(self.ground.polygons[place_id]))
        self._path(path, **draw_line("context", MUTED))

    def paint_window(self, bounds: Bounds) -> None:
        """Paint the outline of what an inset shows; `bounds` are metres."""
        path = to_path(self.view.draw(shapely.box(*bounds)))
        self._path(path, **draw_line("window", INK))

    def shows(self, at: tuple[float, float]) -> bool:
        """Tell whether a point in metres lies on the map."""
        return self._inside(*self.view.to_paper(*at))

    def paint_points(
        self, features: Iterable[ShownFeature], entries: Mapping[str, SymbolLook]
    ) -> list[PlacedPoint]:
        """Paint the symbols of points, hollow where the position is doubtful; return those in view."""
        shown: list[PlacedPoint] = []
        for feature in features:
            lon, lat = feature["point"] or (math.nan, math.nan)
            at = self.view.to_paper(*self.ground.to_xy(lon, lat))
            if not self._inside(*at):
                continue
            spot = self.room.place(Spot(*at), SYMBOL, around(SYMBOL))
            x, y = (spot.x, spot.y) if spot else at
            if (x, y) != at:  # moved aside from another symbol
                self.drawing.add("path", d=f"M{at[0]:.2f} {at[1]:.2f}L{x:.2f} {y:.2f}", **TIE)
            shown.append({**feature, "x": x, "y": y, "letters": ()})
            hollow = bool(feature.get("spots")) or (feature["accuracy_m"] or 0) > HOLLOW_OVER_M
            symbol(self.drawing, entries[feature["id"]], (x, y), hollow=hollow)
        return shown

    def paint_own_points(
        self, at: Iterable[list[float]], hues: Iterable[str], mark: str, opacity: float
    ) -> None:
        """Paint small symbols at positions (lon, lat), each in its colour; thousands may lie close."""
        group = add_to(self.group, "g", {"opacity": opacity})
        for (lon, lat), hue in zip(at, hues, strict=True):
            x, y = self._paper(lon, lat)
            if self._inside(x, y):
                place = f"translate({x:.2f} {y:.2f}) scale({OWN_SYMBOL})"
                edge = shade(hue, STYLE.shades.edge)
                paint: dict[str, Attribute] = {"fill": hue, "stroke": edge, "stroke_width": 1.2}
                add_to(group, "path", {"d": STYLE.symbols[mark], "transform": place, **paint})

    def paint_own_polygons(self, shapes: Iterable[BaseGeometry], hues: Iterable[str], opacity: float) -> None:
        """Paint polygons (lon, lat), each in its colour."""
        group = add_to(self.group, "g", {"opacity": opacity})
        for shape, hue in zip(shapes, hues, strict=True):
            path = to_path(self.view.draw(shapely.transform(shape, self.ground.to_plane)))
            paint: dict[str, Attribute] = {
                "fill": hue,
                "fill_opacity": 0.45,
                "stroke": shade(hue, STYLE.shades.edge),
                "stroke_width": 0.3,
            }
            add_to(group, "path", {"d": path, **paint})

    def name(
        self,
        at: tuple[float, float],
        lines: tuple[str, ...],
        size: float,
        ground: tuple[BaseGeometry, BaseGeometry] | None = None,
        **style: Attribute,
    ) -> bool:
        """Write one or more lines around a point in metres; tell whether there was room.

        `ground`, in metres, is where their middle must lie, and what they may not stand on.
        """
        x, y = self.view.to_paper(*at)
        box = _measure(lines, size)
        drawn = [self.view.draw(one) for one in ground or ()]

        def is_clear(spot: Spot, room: Box) -> bool:
            if not drawn:
                return True
            own, others = drawn
            return bool(shapely.contains_xy(own, spot.x, spot.y)) and not others.intersects(
                shapely.box(*room)
            )

        spot = self.room.place(Spot(x, y), box, around(box), is_clear) if self._inside(x, y) else None
        if spot:
            self._write(spot, lines, size, style)
        return spot is not None

    def keep_clear(self, at: tuple[float, float], mark: str) -> None:
        """Keep names off a mark of the ground, in metres."""
        radius = STYLE.marks[mark].reach_mm or 0
        self.room.block(box_around(Spot(*self.view.to_paper(*at)), (2 * radius, 2 * radius), 0))

    def name_ground(self, at: tuple[float, float], name: str, size: float, mark: str) -> bool:
        """Mark a thing of the ground in metres, and write its name beside it if there is room.

        `mark` is one of the cartography's that paper shows. A seat is marked in any case, also without a
        name; anything else only where its name finds room close by. Tells whether that was written.
        """
        x, y = self.view.to_paper(*at)
        if not self._inside(x, y):
            return False
        drawn = STYLE.marks[mark]
        radius, seat = drawn.reach_mm or 0, drawn.seat
        lines = tuple(name.split("\n"))
        box = _measure(lines, size)
        steps = beside(box, (radius, radius))[: None if seat else CLOSE_STEPS]
        spot = self.room.place(Spot(x, y), box, steps) if name else None
        if spot is None and not seat:
            return False
        ink = INK if seat else MUTED
        place = f"translate({x:.2f} {y:.2f}) scale({MARK_UNIT})"
        self.drawing.add("path", d=drawn.outline, transform=place, fill=WHITE, stroke=ink, stroke_width=1)
        self.keep_clear(at, mark)
        if spot:
            self._write(spot, lines, size, {"fill": ink})
        return spot is not None

    def name_place(
        self, place_id: str, at: tuple[float, float], lines: tuple[Line, ...], size: float
    ) -> bool:
        """Write the name of a polygon: on it, or beside a small one; else further off, with a line to it.

        Never on a figure that the place does not lie in, nor with a line across one or across a name.
        """
        at = self.view.to_paper(*at)
        own = _largest(self.view.draw(self.ground.polygons[place_id]))
        if own.is_empty or not self._inside(*at):
            return False
        place = _Place(own, at, _measure(lines, size), size)
        if place.small:
            self.room.block(own.bounds)
        others = self._others(place_id, place.at)

        def is_clear(spot: Spot, room: Box) -> bool:
            if shapely.intersects(others, shapely.box(*room)).any():
                return False
            line = place.lead(spot)
            if line is None:
                return True
            return not (shapely.intersects(others, line).any() or self.room.crosses(place.outside(line)))

        spot = self.room.place(Spot(*place.at), place.box, place.steps(), is_clear)
        if spot is None and not place.small:  # farther off, but within itself
            steps = within(own, place.at, place.box)
            spot = self.room.place(Spot(*place.at), place.box, steps, is_clear, reach=math.inf)
        if spot is not None:
            self._write(spot, lines, size, {"data_name": place_id})
            if place.lead(spot) is not None:
                self._lead(place.at, _around(spot, place.box).bounds, place_id)
        return spot is not None

    def number_place(self, place_id: str, at: tuple[float, float], number: str, size: float) -> bool:
        """Write the number of a name that stands in the key, on the polygon itself, or else beside it."""
        own = _largest(self.view.draw(self.ground.polygons[place_id]))
        x, y = self.view.to_paper(*at)
        if own.is_empty or not self._inside(x, y):
            return False
        left, top, right, bottom = own.bounds
        box = _measure((number,), size)
        steps = (*around(box), *beside(box, ((right - left) / 2, (bottom - top) / 2)))
        return self._number(place_id, Spot(x, y), number, size, steps)

    def number_point(self, feature: PlacedPoint, number: str, size: float) -> bool:
        """Write the number of a name that stands in the key beside a point's symbol."""
        steps = beside(_measure((number,), size), (RADIUS, RADIUS))
        return self._number(feature["id"], Spot(feature["x"], feature["y"]), number, size, steps)

    def _number(self, place_id: str, at: Spot, number: str, size: float, steps: tuple[Size, ...]) -> bool:
        spot = self.room.place(at, _measure((number,), size), steps)
        if spot is not None:
            self._write(spot, (number,), size, {"data_number": place_id})
        return spot is not None

    def _others(self, place_id: str, at: tuple[float, float]) -> list[BaseGeometry]:
        """Return the figures that a place's name may not stand on: those it does not lie in."""
        others = [one for row_id, one in self._figures.items() if row_id != place_id]
        return [one for one in others if not shapely.contains_xy(one, *at)]

    def name_point(self, feature: PlacedPoint, size: float) -> bool:
        """Write the name of a point beside its symbol, or further off with a line to it."""
        if not feature["name"]:
            return True
        lines: tuple[Line, ...] = tuple(wrap_text(feature["name"], NAME_WIDTH * size, size))
        lines += (feature["letters"],) if feature["letters"] else ()
        box, at = _measure(lines, size), (feature["x"], feature["y"])

        def lead(spot: Spot) -> tuple[float, float] | None:
            """Return where the line that a name there needs begins: at the symbol's edge."""
            written = _around(spot, box)
            away = shapely.distance(shapely.Point(at), written)
            if away <= RADIUS * 2:
                return None
            x, y = to_edge(written.bounds, *at)
            return at[0] + (x - at[0]) * RADIUS / away, at[1] + (y - at[1]) * RADIUS / away

        def is_clear(spot: Spot, room: Box) -> bool:
            start = lead(spot)
            if start is None:
                return True
            x, y = 2 * start[0] - at[0], 2 * start[1] - at[1]  # off the symbol's own box
            return not self.room.crosses(shapely.LineString([(x, y), to_edge(room, *at)]))

        spot = self.room.place(Spot(*at), box, beside(box, (RADIUS, RADIUS)), is_clear)
        if spot is None:
            return False
        self._write(spot, lines, size, {"data_name": feature["id"]})
        if (start := lead(spot)) is not None:
            self._lead(start, _around(spot, box).bounds, feature["id"])
        return True

    def paint_graticule(self, size: float) -> None:
        """Paint thin lines of longitude and latitude, with their degrees along the frame."""
        west, south, east, north = self.view.bounds_m
        corners = [self.ground.to_lonlat(x, y) for x in (west, east) for y in (south, north)]
        lons, lats = [lon for lon, _ in corners], [lat for _, lat in corners]
        span = max(lons) - min(lons)
        apart = 6 * size * span / self.view.width  # degrees that a label of the graticule is wide
        step = next((one for one in STEPS_MIN if one / 60 >= apart), STEPS_MIN[-1]) / 60
        for lon in _ticks(min(lons), max(lons), step):
            ends = [self._paper(lon, lat) for lat in (min(lats), max(lats))]
            self._line(ends)
            x = ends[0][0] + (ends[1][0] - ends[0][0]) * 0.02
            if self._inside(x, self.view.top + 1):
                self._degrees(x, self.view.top + self.view.height + size, _degrees(lon, "E"), size)
        for lat in _ticks(min(lats), max(lats), step):
            ends = [self._paper(min(lons) + part / 8 * span, lat) for part in range(9)]
            self._line(ends)
            y = ends[0][1]
            if self._inside(self.view.left + 1, y - 2 * size):  # a label that is written upwards, whole
                x = self.view.left - size
                self._degrees(x, y, _degrees(lat, "N"), size, transform=f"rotate(-90 {x:.2f} {y:.2f})")

    def paint_frame(self) -> None:
        """Paint the neat line around the map."""
        self.drawing.add("rect", **self._frame(), **draw_line("frame", INK))

    def paint_scale(self, x: float, y: float, size: float) -> None:
        """Paint the scale bar, its left end at (x, y), and keep names off it."""
        km = max(one for one in BARS_KM if one * MM * MM / self.view.scale <= self.view.width / 4)
        length = km * MM * MM / self.view.scale
        self.room.block((x - 2, y - size * 2, x + length + 10, y + size * 2.6))
        for part in range(4):
            fill = INK if part % 2 == 0 else WHITE
            box = {"x": x + part * length / 4, "y": y, "width": length / 4, "height": 1.1}
            self.drawing.add("rect", **box, fill=fill, stroke=INK, stroke_width=0.2)
        figures: list[tuple[float, str]] = [(0.0, "0"), (1.0, f"{km} km")]
        if length > 8 * size:
            figures.insert(1, (0.5, f"{km / 2:g}"))
        for share, text in figures:
            self._halo(Spot(x + share * length, y - size * 0.75), text, size, {})
        scale = f"1:{self.view.scale // self.zoom:,}"
        self._halo(Spot(x, y + 1.1 + size), scale, size, {"text_anchor": "start"})

    def paint_north(self, x: float, y: float) -> None:
        """Paint a north arrow with its foot at (x, y); north is up along the central meridian."""
        self.room.block((x - 4, y - 14, x + 4, y + 2))
        self.drawing.add("path", d=f"M{x} {y}l2.4 0.9L{x} {y - 9}Z", fill=INK)
        self.drawing.add(
            "path", d=f"M{x} {y}l-2.4 0.9L{x} {y - 9}Z", fill=WHITE, stroke=INK, stroke_width=0.2
        )
        self.drawing.words(x, y - 11, "N", 3.4, text_anchor="middle", fill=INK)

    def _write(
        self, spot: Spot, lines: tuple[Line, ...], size: float, style: Mapping[str, Attribute]
    ) -> None:
        if self._leaders is None:
            self._leaders = self.drawing.add("g")
        first = spot.y - size * LINE * (len(lines) - 1) / 2
        for number, line in enumerate(lines):
            y = first + number * size * LINE
            if isinstance(line, str):
                self._halo(Spot(spot.x, y), line, size, style)
                continue
            for place, (letter, hue) in enumerate(line):
                x = spot.x + (place - (len(line) - 1) / 2) * CHIP * size
                chip(self.drawing, letter, hue, (x, y), size)

    def _lead(self, at: tuple[float, float], box: Box, name: str) -> None:
        """Draw a thin line from a place to the box of its name, under all names."""
        if self._leaders is None:
            return
        x, y = to_edge(box, *at)
        self.room.lines.append(shapely.LineString([at, (x, y)]))
        style = draw_line("leader", INK) | {"data_leader": name}
        add_to(self._leaders, "path", {"d": f"M{at[0]:.2f} {at[1]:.2f}L{x:.2f} {y:.2f}"} | style)
        add_to(self._leaders, "circle", {"cx": at[0], "cy": at[1], "r": 0.3, "fill": INK})

    def _halo(self, spot: Spot, text: str, size: float, style: Mapping[str, Attribute]) -> None:
        ring: dict[str, Attribute] = {
            "stroke": WHITE,
            "stroke_width": size * 0.24,
            "stroke_linejoin": "round",
            "paint_order": "stroke",
        }
        own = {"text_anchor": "middle", "fill": INK, **style, **ring}
        self.drawing.words(spot.x, spot.y, text, size, **own)

    def _paper(self, lon: float, lat: float) -> tuple[float, float]:
        return self.view.to_paper(*self.ground.to_xy(lon, lat))

    def _line(self, points: list[tuple[float, float]]) -> None:
        path = "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
        self._path(path, **draw_line("graticule", COAST), stroke_opacity=0.7)

    def _degrees(self, x: float, y: float, text: str, size: float, **style: Attribute) -> None:
        self.drawing.words(x, y, text, size, text_anchor="middle", fill=MUTED, **style)

    def _path(self, path: str, **style: Attribute) -> Element | None:
        return add_to(self.group, "path", {"d": path, **style}) if path else None

    def _inside(self, x: float, y: float) -> bool:
        left, top, right, bottom = self.room.frame
        return left < x < right and top < y < bottom

    def _frame(self) -> dict[str, Attribute]:
        return {"x": self.view.left, "y": self.view.top, "width": self.view.width, "height": self.view.height}


class _Place:
    """A polygon, `own`, to be named about `at` with a name of the size `box`; all in millimetres."""

    def __init__(self, own: BaseGeometry, at: tuple[float, float], box: Size, size: float) -> None:
        self.own, self.box = own, box
        left, top, right, bottom = own.bounds
        self.radius = ((right - left) / 2, (bottom - top) / 2)
        self.small = bottom - top < SMALL * size and right - left < box[0]
        self.at = ((left + right) / 2, (top + bottom) / 2) if self.small else at

    def steps(self) -> tuple[Size, ...]:
        """Return the steps to try: on it, or beside a small one."""
        return beside(self.box, self.radius) if self.small else around(self.box)

    def lead(self, spot: Spot) -> BaseGeometry | None:
        """Return the line that a name at a spot needs."""
        written = _around(spot, self.box)
        on_it = shapely.area(shapely.intersection(self.own, written)) > ON_IT * written.area
        if on_it or (self.small and shapely.distance(self.own, written) < NEAR):
            return None
        return shapely.LineString([self.at, to_edge(written.bounds, *self.at)])

    def outside(self, line: BaseGeometry) -> BaseGeometry:
        """Return what of a line lies outside the room that a small place keeps for itself."""
        return shapely.difference(line, shapely.box(*self.own.bounds).buffer(GAP)) if self.small else line


def symbol(drawing: Drawing, entry: SymbolLook, at: tuple[float, float], *, hollow: bool = False) -> None:
    """Draw a point's symbol with its letter."""
    hue, (x, y) = entry["colour"], at
    wanted = entry["symbol"] or ""
    shape = wanted if wanted in STYLE.symbols else "circle"
    place = f"translate({x:.2f} {y:.2f}) scale({SYMBOL_UNIT})"
    paint: dict[str, Attribute] = {"fill": WHITE if hollow else hue, "stroke": darken(hue)}
    paint["stroke_width"] = 1.6
    drawing.add("path", d=STYLE.symbols[shape], transform=place, **paint)
    if entry["letter"]:
        ink = shade(hue, STYLE.shades.hollow) if hollow else STYLE.ink_on(hue)
        drawing.words(
            x,
            y + STYLE.drops.get(shape, 0) * SYMBOL_UNIT,
            entry["letter"],
            2.1,
            text_anchor="middle",
            fill=ink,
        )


def chip(drawing: Drawing, letter: str, hue: str, at: tuple[float, float], side: float) -> None:
    """Draw a letter on a square of its hue, `side` millimetres wide, with its middle `at`."""
    x, y = at[0] - side / 2, at[1] - side / 2
    edge: dict[str, Attribute] = {"stroke": WHITE, "stroke_width": side * 0.12, "rx": side * 0.2}
    drawing.add("rect", x=x, y=y, width=side, height=side, fill=hue, **edge)
    drawing.words(*at, letter, side * 0.68, text_anchor="middle", fill=STYLE.ink_on(hue))


def _measure(lines: tuple[Line, ...], size: float) -> Size:
    widths = (measure_text(one, size) if isinstance(one, str) else CHIP * size * len(one) for one in lines)
    return max(widths), size * LINE * len(lines)


def _largest(geometry: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(geometry)
    return max(parts, key=shapely.area) if len(parts) else geometry


def _around(spot: Spot, size: Size) -> BaseGeometry:
    return shapely.box(*box_around(spot, size, gap=0))


def _ticks(low: float, high: float, step: float) -> list[float]:
    first = math.ceil(low / step)
    return [round(number * step, 6) for number in range(first, math.floor(high / step) + 1)]


def _degrees(value: float, side: str) -> str:
    """Return degrees and minutes.

    >>> _degrees(122.25, "E")
    '122°15′E'
    """
    minutes = round(value * 60)
    return f"{minutes // 60}°{minutes % 60:02d}′{side}"
