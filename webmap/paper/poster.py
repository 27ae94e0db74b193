"""A theme as a sheet to hang up: title, map, legend, scale bar, north arrow, graticule, sources."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import shapely

from webmap.paper import look
from webmap.paper.drawing import Drawing, Ground, fit
from webmap.paper.labels import find_middle, wrap_text
from webmap.paper.look import explain_edges
from webmap.paper.painter import HOLLOW_OVER_M, Painter, symbol

Say = Callable[..., str]
SIZES = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
MARGIN = 12.0
LONGEST = 40.0  # millimetres of a name in one line on A4
CLOSE = 600_000  # up to this scale there is room for the names of towns, bays and islands
# Heights of letters on A4, in millimetres, by kind of landmark and in the order in which they get room.
SEATS = {"city-seat": 3.6, "county-seat": 2.8}
WATERS = {"sea": 3.4, "bay": 2.2}
LANDS = {"neighbour": 2.8}
SMALL_LANDS = {"island": 2.1, "cape": 2.1}
POINT_LAYERS = ("platforms", "gateways")


@dataclass(frozen=True)
class Wording:
    """The words of a sheet in one language."""

    language: str
    family: str
    say: Say
    title: str  # of the whole product
    source: str
    dated: str
    credit: str  # for the ground


def draw_poster(
    payload: dict[str, Any], theme: dict[str, Any], size: str, ground: Ground, words: Wording
) -> str:
    """Return the sheet of one theme as SVG, landscape."""
    return _Poster(payload, theme, SIZES[size], ground, words).draw()


class _Poster:
    def __init__(
        self,
        payload: dict[str, Any],
        theme: dict[str, Any],
        size: tuple[float, float],
        ground: Ground,
        words: Wording,
    ) -> None:
        self.payload, self.theme, self.ground, self.words = payload, theme, ground, words
        self.width, self.height = size
        self.unit = math.sqrt(self.height / 210)  # type grows less than the sheet, so that more names fit
        self.drawing = Drawing(*size, f"{theme['title']} – {words.title}", words.family)
        self.features = [
            {"id": row_id} | row
            for row_id, row in payload["features"].items()
            if row["layer"] in theme["layers"]
        ]
        clusters = {row["id"]: row for row in payload["clusters"]}
        self.clusters = clusters
        self.side = 62 * self.unit
        self.unnamed = 0

    def draw(self) -> str:
        unit, drawing = self.unit, self.drawing
        drawing.add("rect", x=0, y=0, width=self.width, height=self.height, fill="#ffffff")
        drawing.words(MARGIN, MARGIN + 4 * unit, self.theme["title"], 8 * unit, fill=look.INK)
        drawing.words(MARGIN, MARGIN + 11.5 * unit, self.words.title, 3.4 * unit, fill=look.MUTED)
        painter = self._painter()
        self._paint_map(painter)
        self._legend(painter)
        self._foot()
        return drawing.to_svg()

    def _painter(self) -> Painter:
        top = MARGIN + 16 * self.unit
        left = MARGIN + 5 * self.unit
        size = (
            self.width - left - MARGIN - self.side - 4 * self.unit,
            self.height - top - MARGIN - 17 * self.unit,
        )
        shown = [
            self.ground.polygons[row["id"]] for row in self.features if row["id"] in self.ground.polygons
        ]
        bounds = shapely.union_all([self.ground.city, *shown]).bounds
        west, south, east, north = bounds
        return Painter(self.drawing, fit((west, south, east, north), left, top, size), self.ground)

    def _paint_map(self, painter: Painter) -> None:
        unit, view = self.unit, painter.view
        painter.paint_ground()
        painter.paint_graticule(2.4 * unit)
        polygons = [row for row in self.features if row["id"] in self.ground.polygons]
        layers = self.theme["layers"]
        polygons.sort(key=lambda row: (layers.index(row["layer"]), -row["area_km2"]))
        for row in polygons:
            hue, texture, light = self._look(row, polygons)
            painter.paint_figure(row["id"], look.Figure(hue, texture, row["edge"], light))
        painter.paint_borders()
        if "zones" in self.theme["context"]:
            for row_id, row in self.payload["features"].items():
                if row["layer"] == "zones" and row["method"] != "indicative":
                    painter.paint_outline(row_id)
        painter.paint_scale(view.left + 6 * unit, view.top + view.height - 9 * unit, 2.6 * unit)
        painter.paint_north(view.left + view.width - 9 * unit, view.top + 17 * unit)
        entries = {row["id"]: entry for row in self.features if (entry := self._entry(row))}
        points = [row for row in self.features if row["layer"] in POINT_LAYERS and row["point"]]
        shown = painter.paint_points(points, entries)
        self._names(painter, polygons, shown)
        painter.paint_frame()

    def _names(self, painter: Painter, polygons: list[dict[str, Any]], points: list[dict[str, Any]]) -> None:
        """Write the names, those of small places first: they have the least room to move."""
        unit = self.unit
        for row in sorted(polygons, key=lambda row: row["area_km2"]):
            letters = self._letters(row)
            size = (3.5 if row["layer"] == "counties" else 2.8) * unit
            name = wrap_text(row["name"], LONGEST * unit, size)
            lines = (*name, letters) if letters else tuple(name)
            self.unnamed += not painter.name_place(row["id"], self._middle(row, polygons), lines, size)
        for feature in points:
            self.unnamed += not painter.name_point(feature, 2.3 * unit)
        own = {row["id"] for row in polygons}
        for row_id, row in self.payload["features"].items():
            if row["layer"] == "counties" and row_id not in own:
                middle = self._middle({"id": row_id} | row, polygons)
                painter.name(middle, (row["name"],), 3.4 * unit, fill=look.MUTED)
        self._name_ground(painter, {row["name"] for row in polygons})

    def _name_ground(self, painter: Painter, written: set[str]) -> None:
        """Write the names of the ground where the figures leave room: seats, waters, neighbours, towns.

        A seat whose name is `written` already, as its county's, is only marked.
        """
        unit, close = self.unit, painter.view.scale <= CLOSE
        landmarks: dict[str, list[dict[str, Any]]] = {}
        for row in self.payload["landmarks"]:
            landmarks.setdefault(row["kind"], []).append(row)
        for kind, size in SEATS.items():
            for row in landmarks.get(kind, ()):
                name = "" if row["name"] in written else row["name"]
                painter.name_seat(self.ground.to_xy(*row["at"]), name, size * unit, city=kind == "city-seat")
        kinds = [*WATERS.items(), *(LANDS | (SMALL_LANDS if close else {})).items()]
        for kind, size in kinds:
            fill = look.WATER if kind in WATERS else look.MUTED
            for row in landmarks.get(kind, ()):
                wide = kind == "sea" and self.words.language == "zh"
                name = "\u3000".join(row["name"]) if wide else row["name"]
                painter.name(self.ground.to_xy(*row["at"]), (name,), size * unit, fill=fill)
        for row in self.payload["towns"] if close else ():
            painter.name_seat(self.ground.to_xy(*row["at"]), row["name"], 1.9 * unit, city=None)

    def _middle(self, row: dict[str, Any], polygons: list[dict[str, Any]]) -> tuple[float, float]:
        """Return where a place's name belongs: where no smaller place lies on it, if that leaves room."""
        at = self.ground.to_xy(*row["label"])
        over = [
            self.ground.polygons[one["id"]]
            for one in polygons
            if one["id"] != row["id"] and one["area_km2"] < row["area_km2"]
        ]
        if not any(shapely.contains_xy(one, *at) for one in over):
            return at
        rest = shapely.difference(self.ground.polygons[row["id"]], shapely.union_all(over))
        return find_middle(rest) or at

    def _letters(self, row: dict[str, Any]) -> str:
        if self.theme["colour_by"] == "cluster":
            return " ".join(self.clusters[one]["letter"] for one in row.get("clusters", ()))
        return row.get("letter") or "" if self.theme["colour_by"] == "feature" else ""

    def _entry(self, row: dict[str, Any]) -> look.Entry | None:
        key = row["kind"] if self.theme["colour_by"] == "kind" else row["id"]
        return next(
            (entry for entry in self.theme["legend"] if key == entry["key"] or key in entry["keys"]), None
        )

    def _look(self, row: dict[str, Any], polygons: list[dict[str, Any]]) -> tuple[str, int, bool]:
        """Return hue, texture and whether others lie on it, as the screen has them."""
        several = len(self.theme["layers"]) > 1
        light = row["layer"] == self.theme["layers"][0] if several else self._below_all(row, polygons)
        if self.theme["colour_by"] == "cluster":
            return look.NEUTRAL, 0, light
        entry = self._entry(row)
        if entry is None:
            return row["colour"] or look.NEUTRAL, 0, light
        return entry["colour"], self.theme["legend"].index(entry), light

    def _below_all(self, row: dict[str, Any], polygons: list[dict[str, Any]]) -> bool:
        own = shapely.box(*self.ground.polygons[row["id"]].bounds)
        others = [one for one in polygons if one is not row]
        return bool(others) and all(
            own.covers(shapely.box(*self.ground.polygons[one["id"]].bounds)) for one in others
        )

    def _legend(self, painter: Painter) -> None:
        unit, drawing = self.unit, self.drawing
        x, y = self.width - MARGIN - self.side, painter.view.top + 3 * unit
        drawing.words(x, y, self.words.say("map.legend"), 3.8 * unit, fill=look.INK)
        y += 7 * unit
        used = {id(self._entry(row)) for row in self.features}
        for index, entry in enumerate(self.theme["legend"]):
            if self.theme["colour_by"] == "cluster" or id(entry) in used:
                y = self._legend_line(entry, index, (x, y))
        y += 2 * unit
        edges = [row["edge"] for row in self.features if row["id"] in self.ground.polygons]
        for edge, meaning in explain_edges(edges, self.words.say):
            self._swatch((x, y), look.NEUTRAL, 0, edge)
            y = self._lines(meaning, (x + 10 * unit, y), 2.7)
        if any(
            row.get("accuracy_m") and row["accuracy_m"] > HOLLOW_OVER_M
            for row in self.features
            if row.get("point")
        ):
            y = self._lines(self.words.say("map.edge.hollow"), (x, y), 2.7)
        y = self._lines(self.theme["note"], (x, y + 3 * unit), 2.7, look.MUTED)
        missing = sum(1 for row in self.features if row["layer"] in POINT_LAYERS and not row["point"])
        if missing:
            y = self._lines(
                self.words.say("paper.unplaced", count=missing), (x, y + 1.5 * unit), 2.7, look.MUTED
            )
        if self.unnamed:
            self._lines(
                self.words.say("paper.unnamed", count=self.unnamed), (x, y + 1.5 * unit), 2.7, look.MUTED
            )

    def _legend_line(self, entry: look.Entry, index: int, at: tuple[float, float]) -> float:
        unit, drawing, (x, y) = self.unit, self.drawing, at
        if entry["symbol"]:
            symbol(drawing, entry, (x + 4 * unit, y))
        elif self.theme["colour_by"] == "cluster":
            drawing.add(
                "rect", x=x + 2 * unit, y=y - 2 * unit, width=4 * unit, height=4 * unit, fill=entry["colour"]
            )
            ink = look.ink_on(entry["colour"])
            drawing.words(x + 4 * unit, y, entry["letter"], 2.6 * unit, text_anchor="middle", fill=ink)
        else:
            edge = next(row["edge"] for row in self.features if self._entry(row) is entry)
            self._swatch((x, y), entry["colour"], index, edge)
        letter = f"{entry['letter']}  " if entry["letter"] and not entry["symbol"] else ""
        return self._lines(letter + entry["label"], (x + 10 * unit, y), 3)

    def _swatch(self, at: tuple[float, float], hue: str, texture: int, edge: str) -> None:
        unit, (x, y) = self.unit, at
        box = {"x": x, "y": y - 1.9 * unit, "width": 8 * unit, "height": 3.8 * unit}
        figure = look.Figure(hue, texture, edge)
        look.style_figure(self.drawing, figure, lambda style: self.drawing.add("rect", **(style | box)))

    def _lines(self, text: str, at: tuple[float, float], size: float, colour: str = look.INK) -> float:
        """Write a text in as many lines as the side needs; return where the next entry goes."""
        unit, (x, y) = self.unit, at
        for line in wrap_text(text, self.width - MARGIN - x, size * unit):
            self.drawing.words(x, y, line, size * unit, fill=colour)
            y += size * 1.35 * unit
        return float(y + 1.6 * unit)

    def _foot(self) -> None:
        unit, y = self.unit, self.height - MARGIN - 8.5 * self.unit
        projection = self.words.say("paper.projection")
        for line in (
            self.words.source,
            f"{projection}  {self.words.dated}",
            f"{self.words.say('footer.schematic')}  {self.words.credit}",
        ):
            self.drawing.words(MARGIN, y, line, 2.6 * unit, fill=look.MUTED)
            y += 4 * unit
