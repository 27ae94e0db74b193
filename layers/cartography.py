"""How maps look, read from ``cartography.yaml``: the one place of its colours, widths, dashes and symbols.

Everything that draws takes them from here: SVG and PDF, small maps, maps in one file, QML and SLD; the style
sheets and modules of the pages are written from it when a release is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_suffix(".yaml")
Colours = tuple[str, str]  # by day, by night


@dataclass(frozen=True)
class OwnColours:
    """Colours of an operator's layers that state none: of a whole layer, and of a choice's values in turn."""

    plain: str
    choices: Sequence[str]


@dataclass(frozen=True)
class Shades:
    """How much hues are mixed with black, below 0, or white, above it."""

    edge: float
    hollow: float
    night: float
    night_edge: float


@dataclass(frozen=True)
class Letters:
    """Inks of a letter on a hue: the light one below a luma of 0 to 255."""

    dark: str
    light: str
    luma: float


@dataclass(frozen=True)
class Line:
    """Width and dashes, in pixels of the screen or millimetres of paper."""

    width: float
    dash: tuple[float, ...] = ()


@dataclass(frozen=True)
class Edge:
    """How an edge is drawn: with a ``solid`` or a ``soft`` line, or none that the legend explains."""

    dash: tuple[float, ...] = ()
    line: str | None = None
    hatch: bool = False

    @property
    def dashes(self) -> str | None:
        """The dashes as SVG and Leaflet write them."""
        return write_dash(self.dash) if self.dash else None


@dataclass(frozen=True)
class Band:
    """Strips that make a soft edge: widths in parts of its accuracy, opacity of one, and of one of a halo."""

    shares: tuple[float, ...]
    opacity: float
    halo: float = 0


@dataclass(frozen=True)
class GroundMark:
    """A small mark of the ground; `gap` is in pixels to its name, `reach_mm` None where paper has it not."""

    outline: str
    gap: float
    reach_mm: float | None = None
    seat: bool = False


@dataclass(frozen=True)
class LabelType:
    """How names of a kind are set on the screen, and from which zoom and in which order they find room."""

    size: float | None = None  # pixels; None where they are set as the text around
    weight: int | None = None
    spacing: float | None = None  # in sizes
    spacing_en: float | None = None
    italic_en: bool = False
    ink: str | None = None
    opacity: float | None = None
    halo: str | None = None
    halo_px: float | None = None
    priority: int | None = None
    mark: str | None = None


@dataclass(frozen=True)
class Cartography:
    """All of it; `rules` are what the modules of the pages read as it stands."""

    inks: Mapping[str, Colours]
    changes: Mapping[str, Colours]
    paper: Mapping[str, str]
    hues: Mapping[str, str]
    own: OwnColours
    shades: Shades
    letters: Letters
    lines: Mapping[str, Line]
    paper_lines: Mapping[str, Line]
    edges: Mapping[str, Edge]
    bands: Mapping[str, Band]
    opacity: Mapping[str, float]
    textures: tuple[str, ...]
    symbols: Mapping[str, str]
    drops: Mapping[str, float]
    marks: Mapping[str, GroundMark]
    basemap: Mapping[
        str, tuple[str, float]
    ]  # on paper, back to front: colour, width of a line in millimetres
    labels: Mapping[str, LabelType]
    rules: Mapping[str, Any]

    def day(self, ink: str) -> str:
        """Return the colour of an ink on paper and in files."""
        return self.inks[ink][0]

    @property
    def edge_lines(self) -> dict[str, tuple[str, ...]]:
        """Ways of knowing an edge by the line that they are drawn with."""
        return _group_edges({name: edge.line for name, edge in self.edges.items()})

    def ink_on(self, hue: str) -> str:
        """Return the ink, dark or light, that is legible on a hue."""
        return self.letters.light if _luma(hue) < self.letters.luma else self.letters.dark


def read_cartography() -> Cartography:
    """Return what the file says; raises TypeError or KeyError for what it should not or must hold."""
    rows: dict[str, Any] = yaml.load(FILE.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    inks = {name: _pair(row) for name, row in rows["inks"].items()}
    basemap = rows["basemap"]
    return Cartography(
        inks=inks,
        changes={name: _pair(row) for name, row in rows["changes"].items()},
        paper=rows["paper"],
        hues=rows["hues"],
        own=OwnColours(**rows["own"]),
        shades=Shades(**{name.replace("-", "_"): share for name, share in rows["shades"].items()}),
        letters=Letters(**rows["letters"]),
        lines=_lines(rows["lines"]),
        paper_lines=_lines(rows["paper_lines"]),
        edges={
            name: Edge(**row | {"dash": tuple(row.get("dash", ()))}) for name, row in rows["edges"].items()
        },
        bands={name: Band(**row | {"shares": tuple(row["shares"])}) for name, row in rows["bands"].items()},
        opacity=rows["opacity"],
        textures=tuple(rows["textures"]),
        symbols=rows["symbols"],
        drops=rows["drops"],
        marks={name: GroundMark(**row) for name, row in rows["marks"].items()},
        basemap={
            key: (inks[f"base-{row['ink']}"][0], row.get("mm", 0)) for key, row in basemap["paper"].items()
        },
        labels={
            name: LabelType(**{key: value for key, value in row.items() if key != "from"})
            for name, row in rows["labels"].items()
        },
        rules=_rules(rows),
    )


def _rules(rows: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the modules of the pages need: nothing that a style sheet says."""
    plain = ("hues", "shades", "letters", "textures", "symbols", "drops")
    placed = ("from", "priority", "mark")
    return {name: rows[name] for name in plain} | {
        "edges": _group_edges({name: row.get("line") for name, row in rows["edges"].items()}),
        "band": rows["bands"]["screen"]["shares"],
        "marks": {name: {key: row[key] for key in ("outline", "gap")} for name, row in rows["marks"].items()},
        "areas": rows["basemap"]["areas"],
        "lines": rows["basemap"]["lines"],
        "labels": {
            name: {key: row[key] for key in placed if key in row}
            for name, row in rows["labels"].items()
            if "priority" in row
        },
        "basemap_names": rows["basemap_names"],
    }


def _lines(rows: Mapping[str, Any]) -> dict[str, Line]:
    return {name: Line(row["width"], tuple(row.get("dash", ()))) for name, row in rows.items()}


def _group_edges(lines: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
    kinds = dict.fromkeys(line for line in lines.values() if line)
    return {kind: tuple(name for name, line in lines.items() if line == kind) for kind in kinds}


def _pair(row: list[str]) -> Colours:
    day, night = row
    return day, night


def _channels(hue: str) -> tuple[int, ...]:
    return tuple(int(hue[start : start + 2], 16) for start in (1, 3, 5))


def _luma(hue: str) -> float:
    red, green, blue = _channels(hue)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def shade(hue: str, amount: float) -> str:
    """Return a hue mixed with black (amount < 0) or white (amount > 0).

    >>> shade("#0072B2", -0.3)
    '#00507d'
    """
    target = 0 if amount < 0 else 255
    # Rounded as scripts do: halves upwards.
    mixed = (int(value + (target - value) * abs(amount) + 0.5) for value in _channels(hue))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def write_dash(dash: tuple[float, ...]) -> str:
    """Return the lengths of dashes and gaps as SVG writes them."""
    return " ".join(f"{length:g}" for length in dash)


STYLE = read_cartography()
