"""How figures look on paper: hue, a texture that tells hues apart in grey, an edge that says how true it is.

The same hues, textures and symbols as on the screen, and what each kind of line means in the legend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from webmap.map_choice import FigureLook
from webmap.paper.drawing import Attribute, Drawing

Entry = dict[str, Any]
Paint = Callable[[dict[str, Attribute]], object]
SEA, LAND, NEIGHBOUR, COAST, BORDER = "#dce9f1", "#f7f4ec", "#ece8df", "#8fa9b8", "#9a958a"
INK, MUTED, WATER = "#1c262e", "#59636b", "#47697c"
EDGES: dict[str, dict[str, Attribute]] = {
    "reconstructed": {"stroke_dasharray": "1.5 0.9"},
    "derived": {"stroke_dasharray": "1.5 0.9"},
    "indicative": {"stroke_dasharray": "0.5 0.9", "stroke_linecap": "round"},
}
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
    "dashed": ("reconstructed", "derived"),
    "dotted": ("indicative",),
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


def style_figure(drawing: Drawing, figure: Figure, place: Paint) -> None:
    """Paint a polygon: its hue, the texture or hatch over it, and an edge by how its boundary was made.

    `place` draws the polygon with the attributes that it is given.
    """
    seen, hatched = figure.look, figure.method == "indicative"
    hue, dark = seen.hue, shade(seen.hue, -0.3)
    if seen.solid and not seen.outlined and not hatched:
        place({"fill": shade(hue, 0.8 if seen.light else 0.25), "opacity": seen.opacity})
    elif not seen.outlined:
        fill = 0.16 if seen.light else 0.3 if hatched else 0.5
        place({"fill": hue, "fill_opacity": fill * seen.opacity})
    if hatched:
        line: dict[str, Attribute] = {"d": "M0 0V1.6", "stroke": dark, "stroke_width": 0.5}
        place({"fill": drawing.pattern(f"hatch-{hue[1:]}", 1.6, line, turn=45), "opacity": seen.opacity})
    elif seen.texture % len(TEXTURES):
        mark: dict[str, Attribute] = {
            "d": TEXTURES[seen.texture % len(TEXTURES)],
            "fill": "none",
            "stroke": dark,
        }
        mark |= {"stroke_opacity": 0.5, "stroke_width": 0.9, "transform": f"scale({TILE / 10:g})"}
        paint = drawing.pattern(f"texture-{hue[1:]}-{seen.texture}", TILE, mark)
        place({"fill": paint, "opacity": seen.opacity})
    stroke, width = (hue, 1.0) if seen.outlined else (dark, 0.4)
    line_style: dict[str, Attribute] = {"stroke": stroke, "stroke_width": width, "stroke_linejoin": "round"}
    place({"fill": "none", "opacity": seen.opacity, **line_style, **EDGES.get(figure.method, {})})


def explain_edges(methods: Iterable[str | None], say: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Yield a method that is drawn with each kind of line in use, and what that line says."""
    used = set(methods)
    for line, drawn in LINES.items():
        here = [method for method in drawn if method in used]
        if here:
            meanings = say("common.list_comma").join(say(f"map.edge.{method}") for method in here)
            yield here[0], say(f"map.line.{line}", meaning=meanings)
