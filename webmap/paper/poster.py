"""A theme as a sheet to hang up: title, map, legend, scale bar, north arrow, graticule, sources."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import shapely

from geodata.crs import Bounds
from webmap.map_choice import NEUTRAL, POINT_LAYERS, FigureLook, ShownMap
from webmap.paper import look
from webmap.paper.drawing import Drawing, Ground, fit
from webmap.paper.labels import find_middle, wrap_text
from webmap.paper.look import explain_edges
from webmap.paper.painter import HOLLOW_OVER_M, Painter, symbol

Say = Callable[..., str]
SIZES = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
MARGIN = 12.0
LONGEST = 40.0  # millimetres of a name in one line on A4


@dataclass(frozen=True)
class Wording:
    """The words of a sheet in one language."""

    language: str
    family: str
    say: Say
    title: str  # of the whole product
    source: str
    dated: str


def draw_poster(shown: ShownMap, size: str, ground: Ground, words: Wording) -> str:
    """Return the sheet of one theme, or of a view of it, as SVG, landscape."""
    return _Poster(shown, SIZES[size], ground, words).draw()


class _Poster:
    def __init__(
        self,
        shown: ShownMap,
        size: tuple[float, float],
        ground: Ground,
        words: Wording,
    ) -> None:
        self.shown, self.payload, self.theme = shown, shown.payload, shown.theme
        self.ground, self.words = ground, words
        self.width, self.height = size
        self.unit = math.sqrt(self.height / 210)  # type grows less than the sheet, so that more names fit
        self.drawing = Drawing(*size, f"{self.theme['title']} – {words.title}", words.family)
        self.features = shown.rows()
        self.clusters = {row["id"]: row for row in self.payload["clusters"]}
        self.side = 62 * self.unit
        self.unnamed = 0

    def draw(self) -> str:
        unit, drawing = self.unit, self.drawing
        drawing.add("rect", x=0, y=0, width=self.width, height=self.height, fill="#ffffff")
        drawing.words(MARGIN, MARGIN + 4 * unit, self.theme["title"], 8 * unit, fill=look.INK)
        under = " · ".join(filter(None, (self.words.title, self.shown.explain(self.words.say))))
        drawing.words(MARGIN, MARGIN + 11.5 * unit, under, 3.4 * unit, fill=look.MUTED)
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
        return Painter(self.drawing, fit(self._bounds_m(), left, top, size), self.ground)

    def _bounds_m(self) -> Bounds:
        """Return what the map must show: the view that was chosen, else the city and all that is drawn."""
        if self.shown.choice.bounds:
            west, south, east, north = self.shown.choice.bounds
            corners = shapely.MultiPoint(
                [self.ground.to_xy(x, y) for x in (west, east) for y in (south, north)]
            )
            low, bottom, high, top = corners.bounds
        else:
            drawn = [
                self.ground.polygons[row["id"]] for row in self.features if row["id"] in self.ground.polygons
            ]
            low, bottom, high, top = shapely.union_all([self.ground.city, *drawn]).bounds
        return low, bottom, high, top

    def _paint_map(self, painter: Painter) -> None:
        unit, view = self.unit, painter.view
        painter.paint_ground()
        painter.paint_graticule(2.4 * unit)
        polygons = [row for row in self.features if row["id"] in self.ground.polygons]
        layers = list(dict.fromkeys(row["layer"] for row in polygons))
        polygons.sort(key=lambda row: (layers.index(row["layer"]), -row["area_km2"]))
        for row in polygons:
            painter.paint_figure(row["id"], look.Figure(self.shown.look(row), row["edge"]))
        painter.paint_borders()
        if "zones" in self.theme["context"]:
            for row_id, row in self.payload["features"].items():
                if row["layer"] == "zones" and row["method"] != "indicative":
                    painter.paint_outline(row_id)
        painter.paint_scale(view.left + 6 * unit, view.top + view.height - 9 * unit, 2.6 * unit)
        painter.paint_north(view.left + view.width - 9 * unit, view.top + 17 * unit)
        entries = {row["id"]: entry for row in self.features if (entry := self.shown.entry(row))}
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
        for row in self.payload["landmarks"]:
            if row["kind"] in {"sea", "neighbour"}:
                style = {"fill": look.WATER if row["kind"] == "sea" else look.MUTED}
                painter.name(self.ground.to_xy(*row["at"]), (row["name"],), 3 * unit, **style)

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

    def _legend(self, painter: Painter) -> None:
        unit, drawing = self.unit, self.drawing
        x, y = self.width - MARGIN - self.side, painter.view.top + 3 * unit
        drawing.words(x, y, self.words.say("map.legend"), 3.8 * unit, fill=look.INK)
        y += 7 * unit
        y = self._classes((x, y))
        y += 2 * unit
        edges = [row["edge"] for row in self.features if row["id"] in self.ground.polygons]
        for edge, meaning in explain_edges(edges, self.words.say):
            self._swatch((x, y), FigureLook(NEUTRAL), edge)
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

    def _classes(self, at: tuple[float, float]) -> float:
        """Write what the colours and symbols say; return where the next entry goes."""
        (x, y), asked, theme = at, self.shown.asked, self.theme
        y = self._answers(at) if asked else y
        used = {id(self.shown.entry(row)) for row in self.features}
        for index, entry in enumerate(theme["legend"]):
            if (entry["symbol"] or not asked) and (theme["colour_by"] == "cluster" or id(entry) in used):
                y = self._legend_line(entry, index, (x, y))
        for layer in dict.fromkeys(row["layer"] for row in self.features):
            if layer not in theme["layers"] and not asked:
                y = self._layer_line(layer, (x, y))
        return y

    def _answers(self, at: tuple[float, float]) -> float:
        """Write what the colours say of the question, in place of the theme's own."""
        (x, y), say, strong = at, self.words.say, self.shown.strong
        drawn = [self.shown.look(row) for row in self.features if row["layer"] not in POINT_LAYERS]
        rows = [(FigureLook(strong, solid=True), "picked" if self.shown.choice.pick else "hit")]
        rows += [(FigureLook(strong, outlined=True), "area")] if any(one.outlined for one in drawn) else []
        rows += [] if self.shown.choice.pick else [(FigureLook(NEUTRAL, light=True, solid=True), "other")]
        for mark, text in rows:
            self._swatch((x, y), mark, "official")
            y = self._lines(say(f"map.answer.{text}"), (x + 10 * self.unit, y), 3)
        return y

    def _layer_line(self, layer: str, at: tuple[float, float]) -> float:
        """Write the name of a layer that is laid over the theme."""
        row = next(row for row in self.features if row["layer"] == layer)
        x, y = at
        if layer in POINT_LAYERS:
            symbol(self.drawing, self.shown.entry(row) or {}, (x + 4 * self.unit, y))
        else:
            self._swatch((x, y), self.shown.look(row), row["edge"])
        return self._lines(self.words.say(f"layer.{layer}"), (x + 10 * self.unit, y), 3)

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
            edge = next(row["edge"] for row in self.features if self.shown.entry(row) is entry)
            self._swatch((x, y), FigureLook(entry["colour"], index), edge)
        letter = f"{entry['letter']}  " if entry["letter"] and not entry["symbol"] else ""
        return self._lines(letter + entry["label"], (x + 10 * unit, y), 3)

    def _swatch(self, at: tuple[float, float], mark: FigureLook, edge: str) -> None:
        unit, (x, y) = self.unit, at
        box = {"x": x, "y": y - 1.9 * unit, "width": 8 * unit, "height": 3.8 * unit}
        figure = look.Figure(mark, edge)
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
            self.words.say("footer.schematic"),
        ):
            self.drawing.words(MARGIN, y, line, 2.6 * unit, fill=look.MUTED)
            y += 4 * unit
