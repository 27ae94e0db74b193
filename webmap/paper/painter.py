"""Draw a map into a rectangle: ground, figures, points, names, graticule, scale bar, north arrow."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import Element

from webmap.paper import look
from webmap.paper.drawing import Attribute, Drawing, add_to, to_path
from webmap.paper.ground import Ground
from webmap.paper.labels import Room, Spot, around, beside, measure
from webmap.paper.view import MM, View

Feature = dict[str, Any]
HOLLOW_OVER_M = 1000  # a point known less well is drawn hollow
STEPS_DEG = (0.05, 0.1, 0.25, 0.5, 1.0)
BARS_KM = (1, 2, 5, 10, 20, 50, 100)


class Painter:
    """Paints one map; call its methods from the back to the front."""

    def __init__(self, drawing: Drawing, view: View, ground: Ground) -> None:
        self.drawing = drawing
        self.view = view
        self.ground = ground
        self.room = Room((view.left, view.top, view.left + view.width, view.top + view.height))
        drawing.add("rect", **self._frame(), fill=look.SEA)
        self.group = drawing.clip(view.left, view.top, (view.width, view.height))

    def paint_ground(self) -> None:
        """Paint neighbouring land and the city's land."""
        for geometry, colour, width in (
            (self.ground.neighbours, look.NEIGHBOUR, 0.15),
            (self.ground.city, look.LAND, 0.25),
        ):
            self._path(to_path(self.view.draw(geometry)), fill=colour, stroke=look.COAST, stroke_width=width)

    def paint_borders(self) -> None:
        """Paint the lines between the counties."""
        dashes: dict[str, Attribute] = {"stroke_dasharray": "2 1", "stroke_width": 0.3}
        self._path(to_path(self.view.draw(self.ground.borders)), fill="none", stroke=look.BORDER, **dashes)

    def paint_figure(self, place_id: str, figure: look.Figure) -> None:
        """Paint one place's polygon, so that hue, texture and edge say what it is and how true."""
        path = to_path(self.view.draw(self.ground.polygons[place_id]))
        look.dress(self.drawing, figure, lambda style: self._path(path, **style))

    def paint_outline(self, place_id: str) -> None:
        """Paint a thin outline of a place that is only context."""
        path = to_path(self.view.draw(self.ground.polygons[place_id]))
        self._path(path, fill="none", stroke=look.MUTED, stroke_width=0.2, stroke_dasharray="1 0.8")

    def paint_points(self, features: Iterable[Feature], entries: dict[str, look.Entry]) -> list[Feature]:
        """Paint the symbols of points, hollow where the position is doubtful; return those in view."""
        shown = []
        for feature in features:
            x, y = self.view.to_paper(*self.ground.to_xy(*feature["point"]))
            if not self._inside(x, y):
                continue
            shown.append(feature | {"x": x, "y": y})
            symbol(self.drawing, entries[feature["id"]], (x, y), hollow=feature["accuracy_m"] > HOLLOW_OVER_M)
            self.room.block((x - 1.9, y - 1.9, x + 1.9, y + 1.9))
        return shown

    def name(self, at: tuple[float, float], lines: tuple[str, ...], size: float, **style: Any) -> bool:
        """Write one or more lines around a position, degrees; tell whether there was room."""
        x, y = self.view.to_paper(*self.ground.to_xy(*at))
        return self._inside(x, y) and self._write((x, y), lines, size, style)

    def name_point(self, feature: Feature, size: float) -> bool:
        """Write the name of a point beside its symbol."""
        box = (measure(feature["name"], size), size * 1.15)
        spot = self.room.place(Spot(feature["x"], feature["y"]), box, beside(box, 1.9))
        if spot:
            self._halo(spot, feature["name"], size, {})
        return spot is not None

    def paint_graticule(self, size: float) -> None:
        """Paint thin lines of longitude and latitude, with their degrees along the frame."""
        west, south, east, north = self.view.bounds_m
        corners = [self.ground.to_lonlat(x, y) for x in (west, east) for y in (south, north)]
        lons, lats = [lon for lon, _ in corners], [lat for _, lat in corners]
        span = max(lons) - min(lons)
        step = next((one for one in STEPS_DEG if span / one <= 7), STEPS_DEG[-1])  # noqa: PLR2004 - lines
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
            if self._inside(self.view.left + 1, y):
                x = self.view.left - size
                self._degrees(x, y, _degrees(lat, "N"), size, transform=f"rotate(-90 {x:.2f} {y:.2f})")

    def paint_frame(self) -> None:
        """Paint the neat line around the map."""
        self.drawing.add("rect", **self._frame(), fill="none", stroke=look.INK, stroke_width=0.3)

    def paint_scale(self, x: float, y: float, size: float) -> None:
        """Paint the scale bar, its left end at (x, y), and keep names off it."""
        km = max(one for one in BARS_KM if one * MM * MM / self.view.scale <= self.view.width / 4)
        length = km * MM * MM / self.view.scale
        self.room.block((x - 2, y - size * 2, x + length + 10, y + size * 2.6))
        for part in range(4):
            fill = look.INK if part % 2 == 0 else "#ffffff"
            box = {"x": x + part * length / 4, "y": y, "width": length / 4, "height": 1.1}
            self.drawing.add("rect", **box, fill=fill, stroke=look.INK, stroke_width=0.2)
        figures: list[tuple[float, str]] = [(0.0, "0"), (1.0, f"{km} km")]
        if length > 8 * size:
            figures.insert(1, (0.5, f"{km / 2:g}"))
        for share, text in figures:
            self.drawing.words(
                x + share * length, y - size * 0.75, text, size, text_anchor="middle", fill=look.INK
            )
        self.drawing.words(x, y + 1.1 + size, f"1:{self.view.scale:,}", size, fill=look.INK)

    def paint_north(self, x: float, y: float) -> None:
        """Paint a north arrow with its foot at (x, y); north is up along the central meridian."""
        self.room.block((x - 4, y - 14, x + 4, y + 2))
        self.drawing.add("path", d=f"M{x} {y}l2.4 0.9L{x} {y - 9}Z", fill=look.INK)
        self.drawing.add(
            "path", d=f"M{x} {y}l-2.4 0.9L{x} {y - 9}Z", fill="#ffffff", stroke=look.INK, stroke_width=0.2
        )
        self.drawing.words(x, y - 11, "N", 3.4, text_anchor="middle", fill=look.INK)

    def _write(
        self, at: tuple[float, float], lines: tuple[str, ...], size: float, style: dict[str, Any]
    ) -> bool:
        box = (max(measure(line, size) for line in lines), size * 1.2 * len(lines))
        spot = self.room.place(Spot(*at), box, around(box))
        if spot is None:
            return False
        first = spot.y - size * 1.2 * (len(lines) - 1) / 2
        for number, line in enumerate(lines):
            self._halo(Spot(spot.x, first + number * size * 1.2), line, size, style)
        return True

    def _halo(self, spot: Spot, text: str, size: float, style: dict[str, Any]) -> None:
        ring = {
            "stroke": "#ffffff",
            "stroke_width": size * 0.24,
            "stroke_linejoin": "round",
            "paint_order": "stroke",
        }
        own = {"text_anchor": "middle", "fill": look.INK} | style | ring
        self.drawing.words(spot.x, spot.y, text, size, **own)

    def _paper(self, lon: float, lat: float) -> tuple[float, float]:
        return self.view.to_paper(*self.ground.to_xy(lon, lat))

    def _line(self, points: list[tuple[float, float]]) -> None:
        path = "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)
        self._path(path, fill="none", stroke=look.COAST, stroke_width=0.12, stroke_opacity=0.7)

    def _degrees(self, x: float, y: float, text: str, size: float, **style: Any) -> None:
        self.drawing.words(x, y, text, size, text_anchor="middle", fill=look.MUTED, **style)

    def _path(self, path: str, **style: Any) -> Element | None:
        return add_to(self.group, "path", {"d": path, **style}) if path else None

    def _inside(self, x: float, y: float) -> bool:
        left, top, right, bottom = self.room.frame
        return left < x < right and top < y < bottom

    def _frame(self) -> dict[str, Attribute]:
        return {"x": self.view.left, "y": self.view.top, "width": self.view.width, "height": self.view.height}


def symbol(drawing: Drawing, entry: look.Entry, at: tuple[float, float], *, hollow: bool = False) -> None:
    """Draw a point's symbol with its letter."""
    hue, (x, y) = entry["colour"], at
    shape = entry["symbol"] if entry["symbol"] in look.OUTLINES else "circle"
    place = f"translate({x:.2f} {y:.2f}) scale({look.SYMBOL})"
    paint = {"fill": "#ffffff" if hollow else hue, "stroke": look.shade(hue, -0.3), "stroke_width": 1.6}
    drawing.add("path", d=look.OUTLINES[shape], transform=place, **paint)
    if entry["letter"]:
        ink = look.shade(hue, -0.4) if hollow else look.ink_on(hue)
        drawing.words(
            x, y + look.DROP.get(shape, 0) * 0.5, entry["letter"], 2.1, text_anchor="middle", fill=ink
        )


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
