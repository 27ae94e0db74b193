"""How figures look on paper: hue, a texture that tells hues apart in grey, an edge that says how true it is.

The same hues, textures and symbols as on the screen, and what each kind of line means in the legend.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from layers.cartography import STYLE, shade, write_dash
from webmap.map_choice import FigureLook
from webmap.paper.drawing import Attribute, Drawing

Paint = Callable[[dict[str, Attribute]], object]
SEA, LAND, NEIGHBOUR, COAST, BORDER, WATER, WHITE = (
    STYLE.day(ink) for ink in ("sea", "land", "neighbour", "coast", "county-line", "sea-label", "halo")
)
INK, MUTED = STYLE.paper["ink"], STYLE.paper["muted"]
LINES = STYLE.edge_lines  # methods by the line that their edges are drawn with
SOFT = LINES["soft"]  # methods whose edges are a soft band with a thin dash in it
BAND = STYLE.bands["paper"]
MARK = 0.22  # millimetres a unit of a mark's outline
SYMBOL = 0.19  # millimetres a unit of a symbol's outline
TILE = 3.4  # millimetres of a texture's tile; its drawing has ten units


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
        mark["transform"] = f"scale({TILE / 10:g})"
        paint = drawing.pattern(f"texture-{seen.hue[1:]}-{seen.texture}", TILE, mark)
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
