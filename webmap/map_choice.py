"""What of the map is shown, as its address says it: for sheets and files of the view that a reader has.

The rules are those of ``static/js/catalogue.js``, so that paper and files show what the screen does.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from geodata.crs import Bounds
from geodata.kinds import POINT_LAYERS
from layers.cartography import STYLE
from layers.map_types import LegendLine, MapDocument, MapOwnDrawn, MapOwnLayer, MapTheme, ShownFeature
from webmap.params import OpenParameter, wrong_choice
from webmap.problems import BadParameterError

NEUTRAL, STRONG, REACHED = (STYLE.hues[name] for name in ("neutral", "strong", "reached"))
GROUND_LAYERS = ("counties", "zones")
UNITS = ("parks", *GROUND_LAYERS)  # what an area is made of
MAP_PARAMETERS = tuple(
    OpenParameter(name, {"type": "string"}, meaning=meaning)
    for name, meaning in {
        "bbox": "ogc.site.bbox",
        "industry": "industries.industry",
        "cluster": "industry.cluster",
        "pick": "ogc.site.pick",
        "layers": "ogc.site.layers",
        "hide": "ogc.site.hide",
    }.items()
)
PARAMETERS = tuple(one.name for one in MAP_PARAMETERS)
LEAST_DEG = 0.002  # of a view's sides: the map's closest zoom shows as much
DIGITS = 3  # of a degree, about 100 m: views that differ by less are the same file
MOST_CHOSEN = 5
OPAQUE = 100


@dataclass(frozen=True)
class FigureLook:
    """How a polygon is painted.

    A `texture` of 0 is plain, the others tell hues apart in grey. A `light` figure is pale, as others lie on
    it or it answers no question; a `solid` one has one tone whatever lies beneath; an `outlined` one has no
    fill; `opacity` is from 0 to 1.
    """

    hue: str
    texture: int = 0
    light: bool = False
    solid: bool = False
    outlined: bool = False
    opacity: float = 1.0


@dataclass(frozen=True)
class MapChoice:
    """A theme and what a reader chose on it; `bounds` are (west, south, east, north) in degrees."""

    theme: str
    bounds: Bounds | None = None
    industry: str | None = None
    cluster: str | None = None
    pick: tuple[str, ...] = ()
    layers: tuple[tuple[str, int], ...] = ()  # laid over the theme, the topmost first, opacity in percent
    hide: tuple[str, ...] = ()  # keys of the legend

    def to_query(self) -> str:
        """Return the choice as the query of an address, the same for the same choice."""
        parts = {
            "bbox": ",".join(f"{value:.{DIGITS}f}" for value in self.bounds or ()),
            "industry": self.industry,
            "cluster": self.cluster,
            "pick": ",".join(self.pick),
            "layers": ",".join(f"{layer}:{opacity}" for layer, opacity in self.layers),
            "hide": ",".join(self.hide),
        }
        return urlencode({name: value for name, value in parts.items() if value})


def parse_map_choice(theme_id: str, arguments: Mapping[str, str], payload: MapDocument) -> MapChoice:
    """Return what an address chooses of a theme of the map's `payload`; raises BadParameterError."""
    theme = next(row for row in payload["themes"] if row["id"] == theme_id)
    places = [row_id for row_id, row in payload["features"].items() if row["layer"] not in POINT_LAYERS]
    one = _Reader(arguments)
    pick = one.some("pick", places)
    if len(pick) > MOST_CHOSEN:
        raise BadParameterError(
            "error.too_many", parameter="pick", value=str(len(pick)), allowed=f"1-{MOST_CHOSEN}"
        )
    return MapChoice(
        theme_id,
        one.bounds("bbox"),
        one.one("industry", payload["industries"]),
        one.one("cluster", [row["id"] for row in payload["clusters"]]),
        pick,
        one.overlays("layers", _layers_of(payload)),
        one.some("hide", [*(entry["key"] for entry in theme["legend"]), *_own_classes(payload)]),
    )


@dataclass(frozen=True)
class _Reader:
    arguments: Mapping[str, str]

    def one(self, name: str, allowed: Collection[str]) -> str | None:
        given = self.arguments.get(name)
        if given and given not in allowed:
            raise wrong_choice(name, given, list(allowed))
        return given or None

    def some(self, name: str, allowed: Collection[str]) -> tuple[str, ...]:
        given = tuple(dict.fromkeys(filter(None, self.arguments.get(name, "").split(","))))
        wrong = next((one for one in given if one not in allowed), None)
        if wrong is not None:
            raise wrong_choice(name, wrong, list(allowed))
        return given

    def overlays(self, name: str, allowed: Collection[str]) -> tuple[tuple[str, int], ...]:
        found: dict[str, int] = {}
        for part in filter(None, self.arguments.get(name, "").split(",")):
            layer, _, text = part.partition(":")
            opacity = int(text) if text.isascii() and text.isdecimal() else OPAQUE if not text else 0
            if layer not in allowed or not 1 <= opacity <= OPAQUE:
                raise wrong_choice(name, part, [f"{one}:1…{OPAQUE}" for one in allowed])
            found.setdefault(layer, opacity)
        return tuple(found.items())

    def bounds(self, name: str) -> Bounds | None:
        given = self.arguments.get(name)
        if not given:
            return None
        allowed = "west,south,east,north"
        try:
            west, south, east, north = (round(float(part), DIGITS) for part in given.split(","))
        except (ValueError, OverflowError) as error:
            raise BadParameterError(
                "error.choice", parameter=name, value=given[:80], allowed=allowed
            ) from error
        if not (
            -180 <= west < east - LEAST_DEG <= 180 and -90 <= south < north - LEAST_DEG <= 90  # noqa: PLR2004
        ):
            raise BadParameterError("error.choice", parameter=name, value=given[:80], allowed=allowed)
        return west, south, east, north


@dataclass(frozen=True)
class ShownMap:
    """What a choice shows of the map's payload, and how; `boxes` are the bounds of the polygons."""

    payload: MapDocument
    choice: MapChoice
    boxes: Mapping[str, Bounds]
    theme: MapTheme = field(init=False)

    def __post_init__(self) -> None:
        """Find the theme."""
        theme = next(row for row in self.payload["themes"] if row["id"] == self.choice.theme)
        object.__setattr__(self, "theme", theme)

    @property
    def asked(self) -> bool:
        """Whether there is a question that some places answer and others do not."""
        choice = self.choice
        return bool(
            choice.industry or choice.pick or (self.theme["colour_by"] == "cluster" and choice.cluster)
        )

    def rows(self) -> list[ShownFeature]:
        """Return the features shown with their ids, back to front."""
        own = [row for row in self._of(self.theme["layers"]) if self._class_of(row) not in self.choice.hide]
        over = [layer for layer, _ in reversed(self.choice.layers) if layer not in self.theme["layers"]]
        found = {row["id"]: row for row in [*own, *self._answers(), *self._of(over)]}
        return list(found.values())

    def own_layers(self) -> list[tuple[MapOwnLayer, float]]:
        """Return the operator's own layers that are shown, back to front, each with its opacity, 0 to 1."""
        known = {row["id"]: row for row in self.payload.get("own", ())}
        chosen = reversed(self.choice.layers)
        return [(known[layer], opacity / OPAQUE) for layer, opacity in chosen if layer in known]

    def own_places(self, layer: MapOwnLayer, drawn: MapOwnDrawn) -> list[tuple[int, str]]:
        """Return which features no switch hides, by their place in what is `drawn`, with their colours."""
        hidden = set(self.choice.hide)
        by = next((one for one in layer["choices"] if one["name"] == layer["by"]), None)
        places = []
        for number in range(len(drawn["ids"])):
            values = {one["name"]: drawn["values"][one["name"]][number] for one in layer["choices"]}
            if not any(f"{layer['id']}.{name}.{value}" in hidden for name, value in values.items()):
                found = values[by["name"]] if by else -1
                places.append(
                    (number, by["values"][found]["colour"] if by and found >= 0 else layer["colour"])
                )
        return places

    def own_keys(self, layer: MapOwnLayer) -> list[tuple[str, str]]:
        """Return the colours of such a layer with what they say: the values that no switch hides."""
        by = next((one for one in layer["choices"] if one["name"] == layer["by"]), None)
        keys = [
            (one["colour"], one["label"])
            for number, one in enumerate(by["values"] if by else ())
            if by and f"{layer['id']}.{by['name']}.{number}" not in self.choice.hide
        ]
        return keys or [(layer["colour"], layer["title"])]

    def classes(self, over: ShownFeature | None = None) -> list[LegendLine]:
        """Return the entries of the legend by which what is drawn is painted: of the theme, or `over` it."""
        theme = self._theme_of(over) if over else self.theme
        layers = [over["layer"]] if over else theme["layers"]
        drawn = [row for row in self.rows() if row["point"] or row["layer"] not in POINT_LAYERS]
        used = {id(self.entry(row)) for row in drawn if row["layer"] in layers}
        whole = theme["colour_by"] == "cluster" and not over
        return [
            one for one in theme["legend"] if (one["symbol"] or not self.asked) and (whole or id(one) in used)
        ]

    def overlays(self) -> list[ShownFeature]:
        """Return the first feature of each layer that lies over the theme; none where something is asked."""
        rows = () if self.asked else self.rows()
        first = {row["layer"]: row for row in reversed(rows) if row["layer"] not in self.theme["layers"]}
        return list(first.values())[::-1]

    def matches(self, row: ShownFeature) -> bool:
        """Return whether a feature answers the question."""
        choice = self.choice
        if choice.pick:
            return row["id"] in choice.pick
        if choice.industry:
            return choice.industry in row["industries"]
        return self.theme["colour_by"] != "cluster" or choice.cluster in (None, *row.get("clusters", ()))

    def entry(self, row: ShownFeature) -> LegendLine | None:
        """Return the entry of the legend that a feature belongs to."""
        theme = self._theme_of(row)
        key = row["kind"] if theme["colour_by"] == "kind" else row["id"]
        return next((one for one in theme["legend"] if key == one["key"] or key in one["keys"]), None)

    def look(self, row: ShownFeature) -> FigureLook:
        """Return how a polygon is painted."""
        theme, light = self._theme_of(row), self._is_backdrop(row)
        opacity = dict(self.choice.layers).get(row["layer"], OPAQUE) / OPAQUE
        opacity = 1.0 if row["layer"] in self.theme["layers"] else opacity
        if self.asked:
            if not self.matches(row):
                reached = not self.choice.pick and self.choice.industry in row.get("reached", ())
                paint = REACHED if reached else NEUTRAL
                return FigureLook(paint, light=not reached, solid=True, opacity=opacity)
            return FigureLook(self.strong, solid=True, outlined=self._is_outlined(row), opacity=opacity)
        if theme["colour_by"] == "cluster":
            ranked = {one["id"]: (str(one["colour"]), at) for at, one in enumerate(self.payload["clusters"])}
            hue, texture = ranked.get(row["leads"] or "", (NEUTRAL, 0))
            light = not row.get("clusters")
            return FigureLook(hue, texture, light, solid=not light, opacity=opacity)
        entry = self.entry(row)
        if entry is None:
            return FigureLook(row["colour"] or NEUTRAL, light=light, opacity=opacity)
        return FigureLook(entry["colour"], theme["legend"].index(entry), light, opacity=opacity)

    def answers(self) -> list[tuple[FigureLook, str]]:
        """Return the looks that answer the question, with what each says: a key below ``map.answer``.

        Where nothing is asked, what is in no class of the theme though the theme is about it.
        """
        if not self.asked:
            tied = any(row.get("clusters") and not row["leads"] for row in self.rows())
            by_cluster = self.theme["colour_by"] == "cluster"
            return [(FigureLook(NEUTRAL, solid=True), "tied")] if tied and by_cluster else []
        rows = [(row, self.look(row)) for row in self.rows() if row["layer"] not in POINT_LAYERS]
        outlined = any(one.outlined for _, one in rows)
        reached = any(one.hue == REACHED for _, one in rows)
        picked = bool(self.choice.pick)
        found = [(FigureLook(self.strong, solid=True), "picked" if picked else "hit")]
        found += [(FigureLook(self.strong, outlined=True), "area")] if outlined and not picked else []
        found += [(FigureLook(REACHED, solid=True), "reached")] if reached else []
        return found if picked else [*found, (FigureLook(NEUTRAL, light=True, solid=True), "other")]

    @property
    def strong(self) -> str:
        """The colour of what answers the question: a cluster's own, else the one that answers have."""
        choice = self.choice
        colours = {row["id"]: str(row["colour"]) for row in self.payload["clusters"]}
        return STRONG if choice.industry or choice.pick else colours.get(choice.cluster or "", STRONG)

    def explain(self, say: Callable[..., str], part: int = 0) -> str:
        """Return the question in words; empty where there is none.

        `part` is the line of the payload's names, where these are in several languages.
        """
        choice, comma = self.choice, say("common.list_comma")

        def name(text: str) -> str:
            return text.split("\n")[min(part, text.count("\n"))]

        if choice.pick:
            chosen = (name(self.payload["features"][one]["name"]) for one in choice.pick)
            return say("map.asked.pick", name=comma.join(chosen))
        if choice.industry:
            return say("map.asked.industry", name=name(self.payload["industries"][choice.industry]["name"]))
        names = {row["id"]: row["name"] for row in self.payload["clusters"]}
        return (
            say("map.asked.cluster", name=name(names[choice.cluster]))
            if choice.cluster and self.asked
            else ""
        )

    def _of(self, layers: Collection[str]) -> list[ShownFeature]:
        features = self.payload["features"].items()
        return [{**row, "id": id_} for layer in layers for id_, row in features if row["layer"] == layer]

    def _answers(self) -> list[ShownFeature]:
        """Return what the theme does not draw and the question is about, and zones on the counties."""
        if not self.choice.industry and not self.choice.pick:
            return []
        drawn = (*self.theme["layers"], *POINT_LAYERS)
        rows = self._of([one for one in _layers_of(self.payload) if one not in drawn])
        hits = {id_ for id_, row in self.payload["features"].items() if self.matches({**row, "id": id_})}
        on_hits = [row["id"] for row in rows if row["layer"] == "zones" and row["parent"] in hits]
        return [row for row in rows if row["id"] in hits or row["id"] in on_hits]

    def _class_of(self, row: ShownFeature) -> str | None:
        entry = self.entry(row)
        return str(entry["key"]) if entry else None

    def _theme_of(self, row: ShownFeature) -> MapTheme:
        if row["layer"] in self.theme["layers"]:
            return self.theme
        return next(theme for theme in self.payload["themes"] if row["layer"] in theme["layers"])

    def _is_backdrop(self, row: ShownFeature) -> bool:
        """Return whether the other features of its theme lie on this one."""
        layers = self._theme_of(row)["layers"]
        if len(layers) > 1:
            return bool(row["layer"] == layers[0])
        own, others = self.boxes.get(row["id"]), [one["id"] for one in self._of(layers)]
        rest = [self.boxes[one] for one in others if one != row["id"] and one in self.boxes]
        return own is not None and bool(rest) and all(_holds(own, one) for one in rest)

    def _is_outlined(self, row: ShownFeature) -> bool:
        if row["layer"] not in self.theme["layers"]:
            return row["layer"] not in UNITS
        return len(self.theme["layers"]) == 1 and self._is_backdrop(row)


def _layers_of(payload: MapDocument) -> list[str]:
    """Return the layers of all themes, those of the first theme first, and the operator's own."""
    own = (row["id"] for row in payload.get("own", ()))
    return list(dict.fromkeys([*(layer for row in payload["themes"] for layer in row["layers"]), *own]))


def _own_classes(payload: MapDocument) -> list[str]:
    """Return the keys of the values of choices of the operator's own layers: ``layer.field.number``."""
    return [
        f"{row['id']}.{choice['name']}.{number}"
        for row in payload.get("own", ())
        for choice in row["choices"]
        for number in range(len(choice["values"]))
    ]


def _holds(outer: Bounds, inner: Bounds) -> bool:
    return outer[0] <= inner[0] and outer[1] <= inner[1] and outer[2] >= inner[2] and outer[3] >= inner[3]
