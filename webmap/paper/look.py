"""How figures look on paper: hue, a texture that tells hues apart in grey, an edge that says how true it is.

The same hues, textures and symbols as on the screen, and what each kind of line means in the legend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from webmap.map_choice import FigureLook
from webmap.paper.drawing import Attribute, Drawing

Paint = Callable[[dict[str, Attribute]], object]
SEA, LAND, NEIGHBOUR, COAST, BORDER = "#dce9f1", "#f7f4ec", "#ece8df", "#8fa9b8", "#9a958a"
# What a basemap shows, back to front, by kind and rank: colour, and width of a line in millimetres.
BACKDROP: dict[str, tuple[str, float]] = {
    "built1": ("#ebe5d8", 0),
    "water1": ("#cfe0ea", 0),
    "river3": ("#cfe0ea", 0.12),
    "river2": ("#cfe0ea", 0.2),
    "river1": ("#cfe0ea", 0.28),
    "road6": ("#d6cdbb", 0.09),
    "road5": ("#d6cdbb", 0.14),
    "road4": ("#d6cdbb", 0.2),
    "road3": ("#d6cdbb", 0.28),
    "rail2": ("#a39d92", 0.16),
    "rail1": ("#a39d92", 0.22),
    "road2": ("#b9ac93", 0.34),
    "road1": ("#b9ac93", 0.42),
}
MARK = 0.22  # millimetres a unit of a mark's outline
# Small marks of the ground as on the screen: outline, reach in millimetres, whether it is drawn in any case.
MARKS: dict[str, tuple[str, float, bool]] = {
    "city-seat": (
        "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0zM-1.8 0a1.8 1.8 0 1 0 3.6 0a1.8 1.8 0 1 0-3.6 0z",
        *(1.1, True),
    ),
    "county-seat": (
        "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0zM-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
        *(0.8, True),
    ),
    "town": ("M-1.5 0a1.5 1.5 0 1 0 3 0a1.5 1.5 0 1 0-3 0z", 0.33, False),
    "seaport": ("M0-4.5v9M-2.5-2h5M-4 1q0 3.5 4 3.5t4-3.5", 1.0, False),
    "airport": ("M0-5v9M-5 .5 0-2 5 .5M-2 4.2 0 3.2l2 1", 1.1, False),
    "railway-station": ("M-4-3.4h8v5.4h-8zM-4-.4h8M-2.6 2-4 4.4M2.6 2 4 4.4", 0.95, False),
}
INK, MUTED, WATER = "#1c262e", "#59636b", "#47697c"
SOFT = ("reconstructed", "derived")  # methods whose edges are a soft band with a thin dash in it
DASH: dict[str, Attribute] = {"stroke_width": 0.2, "stroke_dasharray": "1.5 0.9"}
BAND = (1.0, 0.8, 0.6, 0.4, 0.2)  # widths of the strips that make a soft edge, in parts of its accuracy
STRIP, HALO = 0.11, 0.07  # opacity of one strip of a band, and of one of a halo
TILE = 3.4  # millimetres of a texture's tile; its drawing has ten units
TEXTURES = (
    "",
    "M2 2h1v1h-1zM7 7h1v1h-1z",
    "M0 5h10",
    "M5 0v10",
    "M3 5h4M5 3v4",
    "M0 0l10 10",
    "M5 3.2a1.8 1.8 0 1 0 .01 0z",
    "M0 5q2.5 -3 5 0t5 0",
)
OUTLINES = {
    "spot": "M0-6a6 6 0 1 0 .01 0zM0-2a2 2 0 1 0 .01 0z",
    "circle": "M0-9a9 9 0 1 0 .01 0z",
    "square": "M-8-8h16v16h-16z",
    "triangle": "M0-10.5 10 8h-20z",
    "diamond": "M0-11 11 0 0 11-11 0z",
    "star": "M0-11.5 3.2-4.2 11-3.5 5.2 1.8 6.8 9.5 0 5.5-6.8 9.5-5.2 1.8-11-3.5-3.2-4.2z",
    "cross": "M-4-10h8v6h6v8h-6v6h-8v-6h-6v-8h6z",
}
DROP = {"triangle": 0.9, "star": 0.6}  # how far a letter sits below the symbol's middle
SYMBOL = 0.19  # millimetres a unit of a symbol's outline
LINES = {
    "solid": ("surveyed", "official", "digitised"),
    "soft": SOFT,
}


def shade(hue: str, amount: float) -> str:
    """Return a hue mixed with black (amount < 0) or white (amount > 0)."""
    target = 0 if amount < 0 else 255
    values = (int(hue[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(value + (target - value) * abs(amount)):02x}" for value in values)


def ink_on(hue: str) -> str:
    """Return black or white, whichever is legible on a hue."""
    red, green, blue = (int(hue[at : at + 2], 16) for at in (1, 3, 5))
    return "#ffffff" if 0.299 * red + 0.587 * green + 0.114 * blue < 115 else "#111111"  # noqa: PLR2004 - luma


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
    if seen.solid:
        place({"fill": shade(seen.hue, 0.8 if seen.light else 0.25), "opacity": seen.opacity})
        return
    plain = seen.texture % len(TEXTURES) == 0
    light = 0.03 if plain else 0.16
    fill = light if seen.light else 0.36 if figure.method in SOFT else 0.5
    place({"fill": seen.hue, "fill_opacity": fill * seen.opacity})
    if not plain:
        mark: dict[str, Attribute] = {"d": TEXTURES[seen.texture % len(TEXTURES)], "fill": "none"}
        mark |= {"stroke": shade(seen.hue, -0.3), "stroke_opacity": 0.5, "stroke_width": 0.9}
        mark["transform"] = f"scale({TILE / 10:g})"
        paint = drawing.pattern(f"texture-{seen.hue[1:]}-{seen.texture}", TILE, mark)
        place({"fill": paint, "opacity": seen.opacity})


def style_edge(figure: Figure, place: Paint, *, known: bool) -> None:
    """Paint lines of an edge: crisp where they are known, else a thin dash."""
    seen = figure.look
    stroke, width = (seen.hue, 1.0) if seen.outlined else (shade(seen.hue, -0.3), 0.4)
    line: dict[str, Attribute] = {"fill": "none", "stroke": stroke, "stroke_width": width}
    place(line | {"stroke_linejoin": "round", "opacity": seen.opacity} | ({} if known else DASH))


def explain_edges(methods: Iterable[str | None], say: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Yield a method that is drawn with each kind of line in use, and what that line says."""
    used = set(methods)
    for line, drawn in LINES.items():
        here = [method for method in drawn if method in used]
        if here:
            meanings = say("common.list_comma").join(say(f"map.edge.{method}") for method in here)
            yield here[0], say(f"map.line.{line}", meaning=meanings)
