"""A theme as a sheet to hang up: map with inset, legend, key figures, table of industries, sources."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import segno

from geodata.crs import Bounds
from geodata.deferred import shapely
from geodata.kinds import POINT_LAYERS
from layers.map_types import LegendLine, MapLandmark, MapOwnLayer, ShownFeature, SymbolLook
from webmap.i18n import format_number
from webmap.label_placement import find_middle, measure_text, wrap_text
from webmap.map_choice import FigureLook, ShownMap
from webmap.paper import SIZES
from webmap.paper.drawing import (
    BAND,
    INK,
    MUTED,
    SOFT,
    WATER,
    WHITE,
    Attribute,
    Drawing,
    Figure,
    Ground,
    View,
    add_to,
    explain_edges,
    fit,
    style_edge,
    style_fill,
)
from webmap.paper.painter import HOLLOW_OVER_M, Letters, Line, Painter, chip, symbol

Say = Callable[..., str]
ZOOMS = {"A1": 2, "A0": 2}  # larger sheets are read from farther away: lines and letters grow with them
MARGIN = 12.0
LONGEST = 40.0  # millimetres of a name in one line on A4
CLOSE = 600_000  # up to this scale there is room for the names of towns, bays and islands
# Heights of letters on A4, in millimetres, by kind of landmark and in the order in which they get room.
SEATS = {"city-seat": 3.6, "county-seat": 2.8}
WATERS = {"sea": 3.4, "bay": 2.2}
LANDS = {"neighbour": 2.8}
SMALL_LANDS = {"island": 2.1, "cape": 2.1}
SMALL = 1.9  # of the names of towns, ports and stations
WIDE = 4  # letters of a name of a sea, below which they are set wide apart
GROWTH = 0.7
SUM_TOLERANCE = 1.001  # how much larger places may be by themselves than together, for simplified edges
SIDES = (62.0, 70.0, 78.0, 86.0)  # widths of the column beside the map on A4; the first that holds all
SCALES = (1.0, 0.93, 0.86, 0.8, 0.74)  # of the letters in that column; the first at which it fits
TABLE = 2.4  # millimetres of the table's letters on A4
CODE = 17.0  # millimetres of the QR code on A4
LOGO = (40.0, 9.0)  # millimetres that the publisher's logo has room for on A4
LINE = 1.35  # between lines, in letters
CROWD = 5  # places in one county, from which on it has an inset
INSETS = (0.45, 0.42, 0.39, 0.36, 0.33, 0.3)  # of the map's width and height; the first that has room
INSET_GROWS = 1.3  # the least that an inset is larger than the map; less tells nothing new
ROOM_M = 3000  # around the places of an inset
LARGE_KM2 = 100  # a place that is named on the map as well as in the inset


@dataclass(frozen=True)
class Wording:
    """The words of a sheet in one language, or in two with a line feed between.

    Attributes
    ----------
    says
        What translates into each language.
    table
        Names of places with what the plan lists for them.
    targets
        Of clusters by id.
    url
        Of the same theme on the web; empty where that is not known.
    logo
        Of the publisher, as PNG; empty where there is none.
    """

    family: str
    says: tuple[Say, ...]
    title: str  # of the whole product
    source: tuple[str, ...]
    dated: tuple[str, ...]
    credit: tuple[str, ...]  # for the ground
    table: Sequence[tuple[str, str]] = ()
    targets: dict[str, str] | None = None
    url: str = ""
    logo: bytes = b""

    def say(self, key: str, **values: object) -> str:
        """Return a text in every language of the sheet, a line each."""
        return "\n".join(dict.fromkeys(one(key, **values) for one in self.says))


def draw_poster(shown: ShownMap, size: str, ground: Ground, words: Wording) -> str:
    """Return the sheet of a theme, or of a view of it, as SVG, landscape."""
    return _Poster(shown, size, ground, words).draw()


class _Column:
    """Text from top to bottom; without a drawing it only measures."""

    def __init__(self, drawing: Drawing | None, at: tuple[float, float], width: float, unit: float) -> None:
        self.drawing, self.width, self.unit = drawing, width, unit
        self.x, self.y = at

    def text(
        self,
        text: str,
        size: float,
        *,
        colour: str = INK,
        indent: float = 0,
        after: float = 1.6,
        **more: Attribute,
    ) -> None:
        """Write a text in as many lines as it needs; sizes are those on A4."""
        unit = self.unit
        for line in wrap_text(text, self.width - indent * unit, size * unit):
            if self.drawing is not None:
                self.drawing.words(self.x + indent * unit, self.y, line, size * unit, fill=colour, **more)
            self.y += size * LINE * unit
        self.y += after * unit

    def entry(self, name: str, text: str, size: float) -> None:
        """Write a name, and a fainter text that goes on behind it."""
        unit = self.unit
        for line in wrap_text(f"{name}  {text}", self.width, size * unit):
            head = line if name.startswith(line) else name if line.startswith(name) else ""
            name = name.removeprefix(head).lstrip()
            if self.drawing is not None:
                node = self.drawing.words(self.x, self.y, line, size * unit, fill=MUTED)
                node.text = None
                span = add_to(node, "tspan", {"fill": INK})
                span.text, span.tail = head, line.removeprefix(head)
            self.y += size * LINE * unit
        self.y += 0.7 * unit

    def skip(self, height: float) -> None:
        """Leave room."""
        self.y += height * self.unit


class _Poster:
    def __init__(self, shown: ShownMap, size: str, ground: Ground, words: Wording) -> None:
        self.shown, self.payload, self.theme = shown, shown.payload, shown.theme
        self.ground, self.words = ground, words
        self.zoom = ZOOMS.get(size, 1)
        self.width, self.height = (side / self.zoom for side in SIZES[size])
        self.unit = (self.height / 210) ** GROWTH  # type grows less than the sheet, so that more names fit
        title = f"{self.theme['title']} – {words.title}".replace("\n", " / ")
        self.drawing = Drawing(self.width, self.height, title, words.family, self.zoom)
        self.features = shown.rows()
        self.clusters = {row["id"]: row for row in self.payload["clusters"]}
        self.unnamed = 0
        self.keyed: list[tuple[str, str]] = []  # numbers on the map, with the names that they stand for
        self.top = MARGIN + (21 if "\n" in self.theme["title"] else 16) * self.unit
        self.bottom = self.height - MARGIN - 17 * self.unit
        self.scale = 1.0  # of the column's letters
        self.side = self._choose_side()

    def draw(self) -> str:
        unit, drawing = self.unit, self.drawing
        drawing.add("rect", x=0, y=0, width=self.width, height=self.height, fill=WHITE)
        first, *more = self.theme["title"].split("\n")
        drawing.words(MARGIN, MARGIN + 4 * unit, first, 8 * unit, fill=INK)
        wide, high = (side * unit for side in LOGO)
        drawing.picture(self.words.logo, (self.width - MARGIN - wide, MARGIN), (wide, high))
        below = MARGIN + 11.5 * unit
        for line in more:
            drawing.words(MARGIN, below, line, 5 * unit, fill=INK)
            below += 5.5 * unit
        asked = (self.shown.explain(say, part) for part, say in enumerate(self.words.says))
        under = " · ".join(filter(None, (*asked, self.words.title))).replace("\n", " · ")
        name, *rest = wrap_text(under, self.width - 2 * MARGIN, 3.4 * unit)
        cut = "…" if rest else ""
        drawing.words(MARGIN, below, name + cut, 3.4 * unit, fill=MUTED)
        painter = self._painter()
        self._paint_map(painter)
        self.scale = self._choose_scale()
        self._fill_side(self._column(drawing))
        self._foot()
        return drawing.to_svg()

    # the map

    def _painter(self) -> Painter:
        left = MARGIN + 5 * self.unit
        size = (self.width - left - MARGIN - self.side - 4 * self.unit, self.bottom - self.top)
        return Painter(self.drawing, fit(self._bounds_m(), left, self.top, size), self.ground, self.zoom)

    def _bounds_m(self) -> Bounds:
        """Return what the map must show: the view that was chosen, else the city and all that is drawn."""
        if self.shown.choice.bounds:
            west, south, east, north = self.shown.choice.bounds
            corners = [self.ground.to_xy(x, y) for x in (west, east) for y in (south, north)]
            low, bottom, high, top = shapely.MultiPoint(corners).bounds
        else:
            drawn = [
                self.ground.polygons[row["id"]] for row in self.features if row["id"] in self.ground.polygons
            ]
            spots = [at for row in self.features for at in row.get("spots", ())]
            reaches = [
                shapely.buffer(shapely.Point(*self.ground.to_xy(lon, lat)), far_m)
                for lon, lat, far_m in spots
            ]
            low, bottom, high, top = shapely.union_all([self.ground.city, *drawn, *reaches]).bounds
        return low, bottom, high, top

    def _paint_map(self, painter: Painter) -> None:
        unit, view = self.unit, painter.view
        polygons = self._list_polygons()
        window = None if self.shown.choice.bounds else self._find_window()
        frame = self._place_inset(window, view) if window else None
        painter.paint_ground()
        painter.paint_graticule(2.4 * unit)
        self._paint_figures(painter, polygons)
        painter.paint_scale(view.left + 6 * unit, view.top + view.height - 9 * unit, 2.6 * unit)
        painter.paint_north(view.left + view.width - 9 * unit, view.top + 17 * unit)
        inside: set[str] = set()
        if window and frame:
            inside = self._list_inside(window)
            painter.paint_window(window)
            painter.room.block((frame.left, frame.top, frame.left + frame.width, frame.top + frame.height))
        self._paint_names(painter, polygons, inside)
        painter.paint_frame()
        if window and frame:
            self._paint_inset(frame, polygons)

    def _paint_inset(self, frame: View, polygons: list[ShownFeature]) -> None:
        """Paint the crowded part again, larger, in a corner of the map."""
        inset = Painter(self.drawing, frame, self.ground, self.zoom)
        inset.paint_ground()
        self._paint_figures(inset, polygons)
        size = 2.2 * self.unit
        inset.paint_scale(frame.left + 4 * self.unit, frame.top + frame.height - 6 * self.unit, size)
        self._paint_names(inset, polygons, set(), context=False)
        inset.paint_frame()

    def _paint_figures(self, painter: Painter, polygons: list[ShownFeature]) -> None:
        figures = {}
        for row in polygons:
            figures[row["id"]] = Figure(self.shown.look(row), row["edge"] or "")
        painter.paint_figures(figures)
        painter.paint_borders()
        if "zones" in self.theme["context"]:
            for row_id, feature in self.payload["features"].items():
                if feature["layer"] == "zones" and feature["method"] != "indicative":
                    painter.paint_outline(row_id)
        self._paint_own(painter)

    def _paint_own(self, painter: Painter) -> None:
        """Paint the operator's own layers that are chosen, over the plan's figures."""
        for layer, opacity in self.shown.own_layers():
            drawn = self.ground.own(layer["id"])
            places = self.shown.own_places(layer, drawn)
            if "at" in drawn:
                spots = [drawn["at"][number] for number, _ in places]
                painter.paint_own_points(spots, [hue for _, hue in places], layer["symbol"], opacity)
            else:
                shapes = [
                    shapely.MultiPolygon([(one[0], one[1:]) for one in drawn["shapes"][number]])
                    for number, _ in places
                ]
                painter.paint_own_polygons(shapes, [colour for _, colour in places], opacity)

    def _list_polygons(self) -> list[ShownFeature]:
        """Return the theme's polygons from the back to the front."""
        layers = list(dict.fromkeys(row["layer"] for row in self.features))
        polygons = [row for row in self.features if row["id"] in self.ground.polygons]
        return sorted(polygons, key=lambda row: (layers.index(row["layer"]), -_area_km2(row)))

    def _find_window(self) -> Bounds | None:
        """Return the bounds, metres, of the county's places that are the most, if they are a crowd."""
        counties = [one for one, row in self.payload["features"].items() if row["layer"] == "counties"]
        spots = [shapely.Point(self.ground.to_xy(*self._spot(row))) for row in self._list_small()]
        crowds = [
            [spot for spot in spots if self.ground.polygons[county].contains(spot)] for county in counties
        ]
        crowd = max(crowds, key=len, default=[])
        if len(crowd) < CROWD:
            return None
        return tuple(shapely.buffer(shapely.MultiPoint(crowd), ROOM_M).bounds)  # type: ignore[return-value]

    def _list_small(self) -> list[ShownFeature]:
        """Return the theme's places that have a spot rather than a territory to be named on."""
        return [
            row
            for row in self.features
            if (row["layer"] in POINT_LAYERS and row["point"])
            or row.get("spots")
            or (row["id"] in self.ground.polygons and _area_km2(row) < LARGE_KM2)
        ]

    def _list_inside(self, window: Bounds) -> set[str]:
        room = shapely.box(*window)
        return {
            row["id"]
            for row in self._list_small()
            if room.contains(shapely.Point(self.ground.to_xy(*self._spot(row))))
        }

    @staticmethod
    def _spot(row: ShownFeature) -> tuple[float, float]:
        at = row["spots"][0] if row.get("spots") else row["point"] or row["label"]
        return at[0], at[1]

    def _place_inset(self, window: Bounds, view: View) -> View | None:
        """Return the view of the inset, as large as a corner of the map without city has room for."""
        city = view.draw(self.ground.city)
        for share in INSETS:
            width, height = share * view.width, share * view.height
            right, low = view.left + view.width - width, view.top + view.height - height
            for left, top in ((view.left, view.top), (right, low), (view.left, low), (right, view.top)):
                frame = fit(window, left, top, (width, height), 1.0)
                empty = not shapely.intersects(city, shapely.box(left, top, left + width, top + height))
                if empty and view.scale >= INSET_GROWS * frame.scale:
                    return frame
        return None

    def _paint_names(
        self, painter: Painter, polygons: list[ShownFeature], elsewhere: set[str], *, context: bool = True
    ) -> None:
        """Paint the symbols and write the names, those of small places first: they have least room to move.

        Places `elsewhere` are named in the inset; without `context` only the theme's places are named.
        """
        unit = self.unit
        unbounded: list[ShownFeature] = [
            {**row, "name": (row["short"] if row["layer"] == "parks" else None) or row["name"]}
            for row in self.features
            if row.get("spots")
        ]
        hues = {row["id"]: self.shown.look(row).hue for row in unbounded}
        spots = painter.paint_halos(unbounded, hues)
        entries: dict[str, SymbolLook] = {
            row["id"]: entry for row in self.features if (entry := self.shown.entry(row))
        }
        entries |= {row_id: {"colour": hue, "symbol": "spot", "letter": None} for row_id, hue in hues.items()}
        points = [row for row in self.features if row["layer"] in POINT_LAYERS and row["point"]]
        shown = painter.paint_points([*points, *spots], entries)
        if context:
            for seat in self._landmarks(SEATS):
                painter.keep_clear(self.ground.to_xy(*seat["at"]), seat["kind"])
        for row in sorted(polygons, key=_area_km2):
            if row["id"] not in elsewhere:
                self._name_polygon(painter, row, polygons)
        for feature in shown:
            feature["letters"] = self._letters(feature)
            if feature["id"] not in elsewhere and not painter.name_point(feature, 2.3 * unit):
                self._key(feature, partial(painter.number_point, feature, size=2.3 * unit))
        if context:
            self._name_counties(painter, polygons)
            self._name_ground(painter)

    def _landmarks(self, kinds: Iterable[str]) -> list[MapLandmark]:
        return [row for kind in kinds for row in self.payload["landmarks"] if row["kind"] == kind]

    def _name_counties(self, painter: Painter, polygons: list[ShownFeature]) -> None:
        """Mark the seats, and write their names and those of counties, one that both bear only once."""
        written = {row["name"] for row in polygons}
        for seat in self._landmarks(SEATS):
            name = "" if seat["name"] in written else seat["name"]
            size = SEATS[seat["kind"]] * self.unit
            if painter.name_ground(self.ground.to_xy(*seat["at"]), name, size, seat["kind"]):
                written.add(name)
        for row_id, county in self.payload["features"].items():
            if county["layer"] == "counties" and county["name"] not in written:
                middle = self._middle({**county, "id": row_id}, polygons)
                lines = tuple(county["name"].split("\n"))
                painter.name(middle, lines, 3.4 * self.unit, fill=MUTED)

    def _name_ground(self, painter: Painter) -> None:
        """Write the names of the ground where the figures leave room: waters, neighbours, towns."""
        unit, close = self.unit, painter.view.scale <= CLOSE
        sizes = WATERS | LANDS | (SMALL_LANDS if close else {})
        for row in self._landmarks(sizes):
            fill = WATER if row["kind"] in WATERS else MUTED
            lines = tuple(row["name"].split("\n"))
            if row["kind"] == "sea":
                lines = tuple("\u3000".join(one) if len(one) < WIDE else one for one in lines)
            size = sizes[row["kind"]] * unit
            painter.name(self.ground.to_xy(row["at"][0], row["at"][1]), lines, size, fill=fill)
        if not close:
            return
        shown = () if "gateways" in self.theme["layers"] else self.payload["features"].values()
        small = [
            (row["name"], point, row["kind"])
            for row in shown
            if row["layer"] == "gateways" and (point := row["point"])
        ]
        small += [(town["name"], town["at"], "town") for town in self.payload["towns"]]
        for name, place, mark in small:
            painter.name_ground(self.ground.to_xy(place[0], place[1]), name, SMALL * unit, mark)

    def _name_polygon(self, painter: Painter, row: ShownFeature, polygons: list[ShownFeature]) -> None:
        """Write a place's name, or a number for it where it would stand on others; then it is in the key."""
        letters, at = self._letters(row), self._middle(row, polygons)
        if not painter.shows(at):
            return
        size = (3.5 if row["layer"] == "counties" else 2.8) * self.unit
        lines: list[Line] = [*wrap_text(row.get("short") or row["name"], LONGEST * self.unit, size)]
        if painter.name_place(row["id"], at, (*lines, letters) if letters else tuple(lines), size):
            return
        self._key(row, partial(painter.number_place, row["id"], at, size=size))

    def _key(self, row: ShownFeature, write: Callable[[str], bool]) -> None:
        """Have a number stand for a name, the same wherever the place is drawn."""
        known = {name: number for number, name in self.keyed}
        number = known.get(row["name"]) or str(len(self.keyed) + 1)
        if not write(number):
            self.unnamed += 1
        elif row["name"] not in known:
            self.keyed.append((number, row["name"]))

    def _middle(self, row: ShownFeature, polygons: list[ShownFeature]) -> tuple[float, float]:
        """Return where a place's name belongs: where no smaller place lies on it, if that leaves room."""
        at = self.ground.to_xy(row["label"][0], row["label"][1])
        over = [
            self.ground.polygons[one["id"]]
            for one in polygons
            if one["id"] != row["id"] and _area_km2(one) < _area_km2(row)
        ]
        if not any(shapely.contains_xy(one, *at) for one in over):
            return at
        rest = shapely.difference(self.ground.polygons[row["id"]], shapely.union_all(over))
        return find_middle(rest) or at

    def _letters(self, row: ShownFeature) -> Letters:
        by, letter = self.theme["colour_by"], row.get("letter")
        if by == "cluster":
            clusters = (self.clusters[one] for one in row.get("clusters", ()))
            return tuple((one["letter"], str(one["colour"])) for one in clusters)
        return ((letter, str(row["colour"])),) if by == "feature" and letter else ()

    # the column beside it

    def _column(self, drawing: Drawing | None) -> _Column:
        at = (self.width - MARGIN - self.side, self.top + 3 * self.unit)
        return _Column(drawing, at, self.side, self.unit * self.scale)

    def _choose_side(self) -> float:
        """Return the narrowest column that holds everything; the widest where none does."""
        for share in SIDES:
            self.side = share * self.unit
            if self._fits():
                break
        return self.side

    def _choose_scale(self) -> float:
        """Return the largest letters with which the column holds everything, the key of numbers as well."""
        for self.scale in SCALES:
            if self._fits():
                break
        return self.scale

    def _fits(self) -> bool:
        column = self._column(None)
        self._fill_side(column, whole=True)
        return bool(column.y <= self.bottom)

    def _fill_side(self, column: _Column, *, whole: bool = False) -> None:
        """Write the legend, the figures and the table; `whole` even where it is longer than the sheet."""
        self._legend(column)
        self._figures(column)
        left = math.inf if whole else self.bottom
        if not self.words.table or column.y + 12 * column.unit > left:
            return
        column.skip(2)
        column.text(self.words.say("zones.industries").replace("\n", " · "), 3, after=1)
        for number, (name, terms) in enumerate(self.words.table):
            trial = _Column(None, (0, 0), column.width, column.unit)
            self._table_row(trial, name, terms)
            if column.y + trial.y + 4 * column.unit > left:
                rest = len(self.words.table) - number
                column.text(self.words.say("paper.more", count=rest), TABLE, colour=MUTED)
                return
            self._table_row(column, name, terms)

    def _table_row(self, column: _Column, name: str, terms: str) -> None:
        column.entry(name.replace("\n", " · "), terms, TABLE)

    def _legend(self, column: _Column) -> None:
        column.text(self.words.say("map.legend").replace("\n", " · "), 3.8, after=1.9)
        self._classes(column)
        column.skip(1)
        edges = [row["edge"] for row in self.features if row["id"] in self.ground.polygons]
        for explained in zip(*(explain_edges(edges, say) for say in self.words.says), strict=True):
            self._edge_key(column, explained[0][0])
            for _, meaning in explained:
                column.text(meaning, 2.7, indent=10, after=0)
            column.skip(1.2)
        self._explain_points(column)
        self._own_lines(column)
        column.text(self.theme["note"], 2.7, colour=MUTED)
        for key, name in self.keyed:
            column.text(f"{key}  {name}".replace("\n", " · "), 2.7, after=0.4)
        missing = sum(1 for row in self.features if row["layer"] in POINT_LAYERS and not row["point"])
        for key, count in (("paper.unplaced", missing), ("paper.unnamed", self.unnamed)):
            if count:
                column.text(self.words.say(key, count=count), 2.7, colour=MUTED)

    def _classes(self, column: _Column) -> None:
        """Write what the colours and symbols say: of the theme, or of the answer to a question."""
        for entry in self.shown.classes():
            self._legend_line(column, entry, self.theme["legend"].index(entry))
        for mark, key in self.shown.answers():
            self._swatch(column, mark, "official")
            column.text(self.words.say(f"map.answer.{key}"), 3, indent=10, after=1.4)
        for row in self.shown.overlays():
            self._layer_line(column, row)

    def _layer_line(self, column: _Column, row: ShownFeature) -> None:
        """Write the name of the layer of a feature that is laid over the theme."""
        if row["layer"] not in POINT_LAYERS:
            self._swatch(column, self.shown.look(row), row["edge"] or "")
        elif column.drawing is not None and (entry := self.shown.entry(row)):
            symbol(column.drawing, entry, (column.x + 4 * column.unit, column.y))
        column.text(self.words.say(f"layer.{row['layer']}"), 3, indent=10, after=1.4)

    def _own_lines(self, column: _Column) -> None:
        """Write what the operator's own layers are, that they are the operator's, from where and of when."""
        for layer, _ in reversed(self.shown.own_layers()):
            column.skip(1)
            column.text(f"{layer['title']} · {self.words.say('own.mark')}".replace("\n", " / "), 3, after=1.2)
            for colour, label in self.shown.own_keys(layer):
                self._own_key(column, layer, colour)
                column.text(label.replace("\n", " / "), 2.7, indent=10, after=0.8)
            said = self.words.say("own.stated", source=layer["source"], as_of=layer["as_of"])
            for line in said.split("\n"):
                column.text(line, 2.5, colour=MUTED, after=0.4)

    def _own_key(self, column: _Column, layer: MapOwnLayer, colour: str) -> None:
        if layer["geometry"] != "point":
            self._swatch(column, FigureLook(colour), "official")
        elif column.drawing is not None:
            entry: SymbolLook = {"colour": colour, "symbol": layer["symbol"], "letter": None}
            symbol(column.drawing, entry, (column.x + 4 * column.unit, column.y))

    def _explain_points(self, column: _Column) -> None:
        """Say what the symbols of places are whose extent or exact position is not known."""
        if any(row.get("spots") for row in self.features):
            self._spot_key(column, MUTED, halo=True)
            for line in self.words.say("map.line.spot").split("\n"):
                column.text(line, 2.7, indent=10, after=0)
            column.skip(1.2)
        points = [row for row in self.features if row.get("point")]
        if any((row["accuracy_m"] or 0) > HOLLOW_OVER_M for row in points):
            column.text(self.words.say("map.edge.hollow"), 2.7)

    def _legend_line(self, column: _Column, entry: LegendLine, index: int) -> None:
        unit, drawing, x, y = column.unit, column.drawing, column.x, column.y
        if drawing is not None and entry["symbol"]:
            symbol(drawing, entry, (x + 4 * unit, y))
        elif self.theme["colour_by"] == "cluster":
            self._swatch(column, FigureLook(entry["colour"], index, solid=True), "official")
        elif drawing is not None:
            row = next(row for row in self.features if self.shown.entry(row) is entry)
            light = row["layer"] == self.theme["layers"][0] and len(self.theme["layers"]) > 1
            if row.get("spots"):
                self._spot_key(column, entry["colour"])
            else:
                self._swatch(column, FigureLook(entry["colour"], index, light=light), row["edge"] or "")
        indent = 10
        if entry["letter"] and not entry["symbol"]:
            indent = 15
            if drawing is not None:
                chip(drawing, entry["letter"], entry["colour"], (x + 11.2 * unit, y), 3.6 * unit)
        first, *more = entry["label"].split("\n")
        target = (self.words.targets or {}).get(entry["key"])
        column.text(first, 3, indent=indent, after=0.2 if more or target else 1.4)
        for number, line in enumerate(more):
            last = number == len(more) - 1 and not target
            column.text(line, 2.6, colour=MUTED, indent=indent, after=1.4 if last else 0.2)
        if target:
            column.text(target, 2.5, colour=MUTED, indent=indent, after=1.2)

    def _spot_key(self, column: _Column, hue: str, *, halo: bool = False) -> None:
        """Draw the symbol of a place of which only a point is known."""
        unit, drawing, x, y = column.unit, column.drawing, column.x, column.y
        if drawing is None:
            return
        for share in BAND.shares if halo else ():
            circle = {"cx": x + 4 * unit, "cy": y, "r": 3 * unit * share}
            drawing.add("circle", **circle, fill=hue, fill_opacity=BAND.halo)
        entry: SymbolLook = {"colour": hue, "symbol": "spot", "letter": None}
        symbol(drawing, entry, (x + 4 * unit, y), hollow=True)

    def _edge_key(self, column: _Column, edge: str) -> None:
        """Draw a piece of a kind of line."""
        unit, drawing, x, y = column.unit, column.drawing, column.x, column.y
        if drawing is None:
            return
        soft = edge in SOFT
        for share in BAND.shares if soft else ():
            high = 3.2 * unit * share
            strip = {"x": x, "y": y - high / 2, "width": 8 * unit, "height": high}
            drawing.add("rect", **strip, fill=MUTED, fill_opacity=BAND.opacity)
        line: dict[str, Attribute] = {"d": f"M{x:.2f} {y:.2f}h{8 * unit:.2f}"}
        figure = Figure(FigureLook(MUTED), edge)
        style_edge(figure, lambda style: drawing.add("path", **line, **style), known=not soft)

    def _swatch(self, column: _Column, mark: FigureLook, edge: str) -> None:
        unit, drawing = column.unit, column.drawing
        if drawing is None:
            return
        box = {"x": column.x, "y": column.y - 1.9 * unit, "width": 8 * unit, "height": 3.8 * unit}
        figure = Figure(mark, edge)

        def place(style: dict[str, Attribute]) -> None:
            drawing.add("rect", **(style | box))

        style_fill(drawing, figure, place)
        style_edge(figure, place, known=figure.method not in SOFT)

    def _figures(self, column: _Column) -> None:
        column.skip(1)
        column.text(self.words.say("paper.figures").replace("\n", " · "), 3, after=1)
        for line in self._figure_lines:
            column.text(line, TABLE, after=0.5)

    @cached_property
    def _figure_lines(self) -> list[str]:
        """How many places of each layer there are, how large they are and how exactly known.

        Kept, as the column is measured several times before it is drawn.
        """
        lines = []
        for layer in self.theme["layers"]:
            rows = [row for row in self.features if row["layer"] == layer]
            parts = [format_number(len(rows))]
            if (area_km2 := self._sum_km2(rows)) is not None:
                parts.append(f"{format_number(area_km2, 0)} km²")
            exact = [metres for row in rows if (metres := row["accuracy_m"])]
            if exact:
                parts.append(_span_m(exact))
            name = self.words.say(f"layer.{layer}").replace("\n", " / ")
            lines.append(f"{name}  {' · '.join(parts)}")
        return lines

    def _sum_km2(self, rows: list[ShownFeature]) -> float | None:
        """Return the area of places together; None where one has no known extent, or two overlap."""
        if any(row["id"] not in self.ground.polygons or row["edge"] == "indicative" for row in rows):
            return None
        shapes = [self.ground.polygons[row["id"]] for row in rows]
        apart = sum(shape.area for shape in shapes)
        if not shapes or apart > SUM_TOLERANCE * shapely.union_all(shapes).area:
            return None
        return float(sum(map(_area_km2, rows)))

    def _foot(self) -> None:
        """Write sources, projection, date and what the borders are worth, beside the QR code."""
        unit = self.unit
        if self.words.url:
            self._code((self.width - MARGIN - CODE * unit, self.bottom + 1 * unit), CODE * unit)
        projections, schematic = (self.words.say(key) for key in ("paper.projection", "footer.schematic"))
        dated = [
            f"{one}  {when}" for one, when in zip(projections.split("\n"), self.words.dated, strict=False)
        ]
        owed = [
            f"{one}  {credit}" for one, credit in zip(schematic.split("\n"), self.words.credit, strict=False)
        ]
        lines = [*self.words.source, *dated, *owed]
        room = self.width - 2 * MARGIN - (CODE + 4) * unit
        apart = min(4 * unit, 13.5 * unit / len(lines))
        y = self.height - MARGIN - apart * (len(lines) - 1)
        for line in lines:
            size = min(2.6 * unit, apart * 0.75, 2.6 * unit * room / measure_text(line, 2.6 * unit))
            self.drawing.words(MARGIN, y, line, size, fill=MUTED)
            y += apart

    def _code(self, at: tuple[float, float], size: float) -> None:
        """Draw the QR code of the theme's address on the web."""
        matrix = segno.make(self.words.url, error="m", micro=False).matrix
        side = size / len(matrix)
        modules = "".join(
            f"M{at[0] + x * side:.3f} {at[1] + y * side:.3f}h{side:.3f}v{side:.3f}h-{side:.3f}z"
            for y, row in enumerate(matrix)
            for x, dark in enumerate(row)
            if dark
        )
        self.drawing.add("path", d=modules, fill="black")


def _area_km2(row: ShownFeature) -> float:
    return row["area_km2"] or 0.0


def _span_m(values: Sequence[float]) -> str:
    """Return how exactly places are known, metres to two digits."""
    low, high = (format_number(float(f"{value:.2g}")) for value in (min(values), max(values)))
    return f"±{low} m" if low == high else f"±{low}–{high} m"
