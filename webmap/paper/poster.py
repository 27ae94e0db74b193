"""A theme as a sheet to hang up: title, map, legend, scale bar, north arrow, graticule, sources."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import shapely

from webmap.paper import look
from webmap.paper.drawing import Attribute, Drawing, Ground, fit
from webmap.paper.labels import find_middle, wrap_text
from webmap.paper.look import explain_edges
from webmap.paper.painter import HOLLOW_OVER_M, Painter, symbol

Say = Callable[..., str]
SIZES = {"A4": (297.0, 210.0), "A3": (420.0, 297.0)}
MARGIN = 12.0
LONGEST = 40.0  # millimetres of a name in one line on A4
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
        spots = [at for row in self.features for at in row.get("spots", ())]
        reaches = [
            shapely.buffer(shapely.Point(*self.ground.to_xy(lon, lat)), far_m) for lon, lat, far_m in spots
        ]
        bounds = shapely.union_all([self.ground.city, *shown, *reaches]).bounds
        west, south, east, north = bounds
        return Painter(self.drawing, fit((west, south, east, north), left, top, size), self.ground)

    def _paint_map(self, painter: Painter) -> None:
        unit, view = self.unit, painter.view
        painter.paint_ground()
        painter.paint_graticule(2.4 * unit)
        polygons = [row for row in self.features if row["id"] in self.ground.polygons]
        layers = self.theme["layers"]
        polygons.sort(key=lambda row: (layers.index(row["layer"]), -row["area_km2"]))
        figures = {}
        for row in polygons:
            hue, texture, light = self._look(row, polygons)
            figures[row["id"]] = look.Figure(hue, texture, row["edge"], light)
        painter.paint_figures(figures)
        painter.paint_borders()
        if "zones" in self.theme["context"]:
            for row_id, row in self.payload["features"].items():
                if row["layer"] == "zones" and row["method"] != "indicative":
                    painter.paint_outline(row_id)
        painter.paint_scale(view.left + 6 * unit, view.top + view.height - 9 * unit, 2.6 * unit)
        painter.paint_north(view.left + view.width - 9 * unit, view.top + 17 * unit)
        unbounded = [
            row | {"name": (row["layer"] == "parks" and row["short"]) or row["name"]}
            for row in self.features
            if row.get("spots")
        ]
        hues = {row["id"]: self._look(row, polygons)[0] for row in unbounded}
        spots = painter.paint_halos(unbounded, hues)
        entries = {row["id"]: entry for row in self.features if (entry := self._entry(row))}
        entries |= {row_id: {"colour": hue, "symbol": "spot", "letter": None} for row_id, hue in hues.items()}
        points = [row for row in self.features if row["layer"] in POINT_LAYERS and row["point"]]
        shown = painter.paint_points([*points, *spots], entries)
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
            letters = self._letters(feature)
            size = 2.8 if letters else 2.3
            self.unnamed += not painter.name_point(feature | {"letters": letters}, size * unit)
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
        if row["id"] not in self.ground.polygons:
            return False
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
            self._edge_key((x, y), edge)
            y = self._lines(meaning, (x + 10 * unit, y), 2.7)
        if any(row.get("spots") for row in self.features):
            for share in look.BAND:
                halo = {"cx": x + 4 * unit, "cy": y, "r": 3 * unit * share}
                drawing.add("circle", **halo, fill=look.MUTED, fill_opacity=look.HALO)
            self._spot((x, y), look.MUTED)
            y = self._lines(self.words.say("map.line.spot"), (x + 10 * unit, y), 2.7)
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
            row = next(row for row in self.features if self._entry(row) is entry)
            if row.get("spots"):
                self._spot((x, y), entry["colour"])
            else:
                light = row["layer"] == self.theme["layers"][0] and len(self.theme["layers"]) > 1
                self._swatch((x, y), look.Figure(entry["colour"], index, row["edge"], light))
        letter = f"{entry['letter']}  " if entry["letter"] and not entry["symbol"] else ""
        return self._lines(letter + entry["label"], (x + 10 * unit, y), 3)

    def _spot(self, at: tuple[float, float], hue: str) -> None:
        entry = {"colour": hue, "symbol": "spot", "letter": None}
        symbol(self.drawing, entry, (at[0] + 4 * self.unit, at[1]), hollow=True)

    def _swatch(self, at: tuple[float, float], figure: look.Figure) -> None:
        unit, (x, y) = self.unit, at
        box = {"x": x, "y": y - 1.9 * unit, "width": 8 * unit, "height": 3.8 * unit}

        def place(style: dict[str, Attribute]) -> None:
            self.drawing.add("rect", **(style | box))

        look.style_fill(self.drawing, figure, place)
        look.style_edge(figure, place, known=figure.method not in look.SOFT)

    def _edge_key(self, at: tuple[float, float], edge: str) -> None:
        """Draw a piece of a kind of line."""
        unit, (x, y) = self.unit, at
        for share in look.BAND if edge in look.SOFT else ():
            high = 3.2 * unit * share
            strip = {"x": x, "y": y - high / 2, "width": 8 * unit, "height": high}
            self.drawing.add("rect", **strip, fill=look.MUTED, fill_opacity=look.STRIP)
        path = f"M{x:.2f} {y:.2f}h{8 * unit:.2f}"
        figure = look.Figure(look.MUTED, 0, edge)
        look.style_edge(
            figure, lambda style: self.drawing.add("path", d=path, **style), known=edge not in look.SOFT
        )

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
