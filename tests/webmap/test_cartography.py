"""One cartography: colours, dashes and symbols stand in one file, and all that draws takes them there."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest
from PIL import ImageColor

from geodata.read import read_facts
from layers.cartography import STYLE, shade
from layers.catalogue import read_themes
from webmap.assets import FOLDER, read_assets, read_style_sheet

ROOT = Path(__file__).parent.parent.parent
HEX = re.compile(r"""(?<![&\w/])#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})(?![\w-])""")
# Black and white are of codes and of paper itself.
NAMES = "|".join(sorted(ImageColor.colormap.keys() - {"black", "white"}))
COLOUR = re.compile(
    rf"""{HEX.pattern}|\b(?:rgb|hsl|hwb|lab|lch|oklab|oklch)a?\(\s*[\d.]"""
    rf"""|(?<!\()\b(?:color|colour|fill|stroke|background|border|shadow|hue)[\w-]*["']?\s*[:=]"""
    rf"""[^;:{{}}\n]*?["'\s:=](?:{NAMES})\b"""
)
DRAWING = {".py", ".js", ".css", ".html", ".svg", ".typ", ".yaml"}
PALETTES = {
    "layers/cartography.yaml",
    "webmap/static/css/tokens.css",  # of pages: surfaces, text, controls
    "webmap/static/icon.svg",  # a file of its own, of one sea and one cape
}
LEAST_CONTRAST = 4.5
SET_BY_SCRIPTS = re.compile(r'(?:setProperty\(\s*"|")(--[\w-]+)"')


def drawing_files() -> list[Path]:
    files = chain.from_iterable((ROOT / package).rglob("*") for package in ("layers", "webmap"))
    files = chain(files, (ROOT / "geodata").rglob("*.py"))  # beside which a city colours its own classes
    return [path for path in files if path.suffix in DRAWING and "__pycache__" not in path.parts]


def test_colours_stand_in_one_file_for_maps_and_one_for_pages():
    found = {
        path.relative_to(ROOT).as_posix()
        for path in drawing_files()
        if COLOUR.search(re.sub(r">>> .*\n.*", "", path.read_text(encoding="utf-8")))
    }
    assert found <= PALETTES | {"webmap/vendor"}
    assert found >= {"layers/cartography.yaml", "webmap/static/css/tokens.css"}


def test_every_variable_of_a_style_sheet_has_a_value():
    sheets = {path.stem: read_style_sheet(path.stem).decode() for path in FOLDER.glob("*.css")}
    scripts = "".join(path.read_text(encoding="utf-8") for path in (FOLDER.parent / "js").glob("*.js"))
    given = set(SET_BY_SCRIPTS.findall(scripts))
    given |= set(chain.from_iterable(re.findall(r"(--[\w-]+)\s*:", text) for text in sheets.values()))
    used = {
        (name, found)
        for name, text in sheets.items()
        for found in re.findall(r"var\((--[\w-]+)\)", text)
        if found not in given
    }
    assert not used


def test_style_sheets_break_at_three_widths():
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.css"))
    widths = {int(found) for found in re.findall(r"@media[^{]*?(?:max|min)-width: (\d+)px", text)}
    assert widths == {
        720,
        721,
        1000,
        1200,
        1800,
        2400,
        3400,
    }  # 721: what a telephone has not; from 1800: walls


def test_no_style_sheet_says_the_same_twice():
    """Two rules of several declarations that are the same belong together."""
    twice = []
    for path in FOLDER.glob("*.css"):
        plain = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        rules = re.findall(
            r"([^{}@;]+)\{([^{}]*)\}", re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*\s*\}", "", plain)
        )
        seen: dict[frozenset[str], str] = {}
        for selector, body in rules:
            declarations = frozenset(part.strip() for part in body.split(";") if part.strip())
            if len(declarations) > 1 and declarations in seen:
                twice.append(f"{path.name}: {selector.strip()} = {seen[declarations]}")
            seen[declarations] = selector.strip()
    assert not twice


def test_every_ink_and_line_is_used_by_something_that_draws():
    texts = "".join(
        path.read_text(encoding="utf-8") for path in drawing_files() if path.stem != "cartography"
    )
    ways = {*STYLE.basemap.values(), *(label.halo for label in STYLE.labels.values())}
    ways |= {label.ink for label in STYLE.labels.values()} | {
        f"base-{row['ink']}" for row in STYLE.rules["lines"]
    }
    idle = [
        name
        for name in STYLE.inks
        if f"--{name}" not in texts and f'"{name}"' not in texts and name not in ways
    ]
    assert not idle
    assert not [name for name in STYLE.lines if f"--line-{name}" not in texts and f'"{name}"' not in texts]


def test_no_style_sheet_sets_a_dash_of_its_own():
    sheets = (path.read_text(encoding="utf-8") for path in FOLDER.glob("*.css"))
    assert not [dash for sheet in sheets for dash in re.findall(r"dasharray: *[0-9][^;]*", sheet)]


def test_the_modules_read_only_rules_that_there_are():
    scripts = "".join(path.read_text(encoding="utf-8") for path in (FOLDER.parent / "js").glob("*.js"))
    read = set(re.findall(r"STYLE\.(\w+)", scripts))
    assert read == set(STYLE.rules)
    assert b'"luma":' in read_assets()["static/js/main.js"]


def _luminance(hue: str) -> float:
    channels = [int(hue[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_a_letter_is_legible_on_every_hue_by_day_and_by_night():
    facts = read_facts()
    hues = {row.colour for row in facts.clusters.values()} | {row.colour for row in facts.areas.values()}
    hues |= {entry.colour for theme in read_themes() for entry in theme.legend}
    both = [hue for one in hues - {None} for hue in (one, shade(one, STYLE.shades.night))]
    assert both
    assert not [hue for hue in both if _contrast(hue, STYLE.ink_on(hue)) < LEAST_CONTRAST]


@pytest.mark.parametrize("side", [0, 1], ids=["day", "night"])
def test_names_are_legible_on_their_ground(side):
    named = [label for label in STYLE.labels.values() if label.ink and label.halo != "none"]
    pairs = {(label.ink or "name", label.halo or "land") for label in named} | {("name", "land")}
    assert not [
        pair for pair in pairs if _contrast(*(STYLE.inks[ink][side] for ink in pair)) < LEAST_CONTRAST
    ]
