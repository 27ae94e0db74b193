"""The cartography as the pages take it: style sheets of inks, lines and names, and a module of rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from layers.cartography import STYLE, Cartography, Colours, LabelType, write_dash

FOLDER = Path(__file__).parent / "static/css"
SCREEN = ("screen", "asked")  # opacities that style sheets take
ROOTS = ("base", "preview")  # of a page: they begin with the inks and the tokens
MODULE = "cartography"  # the module that the other modules import the rules from
DARK = "@media screen and (prefers-color-scheme: dark)"


def read_style_sheet(name: str, style: Cartography = STYLE) -> bytes:
    """Return one of the pages' own style sheets, with what is written from the cartography."""
    own = (FOLDER / f"{name}.css").read_text(encoding="utf-8")
    if name in ROOTS:
        own = write_inks(style) + (FOLDER / "tokens.css").read_text(encoding="utf-8") + own
    if name in {"preview", "workbench"}:
        own += _write_colours(style.changes)
    return (own + write_names(style) if name == "figures" else own).encode()


def write_inks(style: Cartography) -> str:
    """Return the inks by day and by night, and the lines and opacities of figures, as variables."""
    plain = {}
    for name, line in style.lines.items():
        plain[f"line-{name}"] = f"{line.width:g}"
        if line.dash:
            plain[f"dash-{name}"] = write_dash(line.dash)
    plain |= {f"band-{name}": f"{band.opacity:g}" for name, band in style.bands.items()}
    plain |= {f"band-{name}-halo": f"{band.halo:g}" for name, band in style.bands.items() if band.halo}
    plain |= {f"opacity-{name}": f"{share:g}" for name, share in style.opacity.items() if name in SCREEN}
    return _root(plain) + _write_colours(style.inks)


def _write_colours(colours: Mapping[str, Colours]) -> str:
    day, night = ({name: pair[side] for name, pair in colours.items()} for side in (0, 1))
    return f"{_root(day)}{DARK} {{\n{_root(night)}}}\n"


def _root(variables: Mapping[str, str]) -> str:
    return _rule([":root"], {f"--{name}": value for name, value in variables.items()})


def _rule(selectors: Iterable[str], declarations: Mapping[str, str]) -> str:
    if not declarations:
        return ""
    lines = "".join(f"  {name}: {value};\n" for name, value in declarations.items())
    return f"{', '.join(selectors)} {{\n{lines}}}\n"


def write_names(style: Cartography) -> str:
    """Return how the names of each kind are set; a text alone is set likewise, so that it can be measured."""
    return "".join(_write_name(name, label) for name, label in style.labels.items())


def _write_name(name: str, label: LabelType) -> str:
    both = [f".label-{name} text", f"text.label-{name}"]
    kind = {
        "font-size": f"calc({label.size:g}px * var(--zoom))" if label.size else None,
        "font-weight": str(label.weight) if label.weight else None,
        "letter-spacing": f"{label.spacing:g}em" if label.spacing else None,
    }
    latin = {
        "letter-spacing": f"{label.spacing_en:g}em" if label.spacing_en else None,
        "font-style": "italic" if label.italic_en else None,
    }
    paint = {
        "fill": f"var(--{label.ink})" if label.ink else None,
        "fill-opacity": f"{label.opacity:g}" if label.opacity else None,
        "stroke": "none" if label.halo == "none" else f"var(--{label.halo})" if label.halo else None,
        "stroke-width": f"{label.halo_px:g}px" if label.halo_px else None,
    }
    return (
        _rule(both, _given(kind))
        + _rule([f":lang(en) {one}" for one in both], _given(latin))
        + _rule([both[0]], _given(paint))
    )


def _given(declarations: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in declarations.items() if value}


def write_module(style: Cartography = STYLE) -> str:
    """Return the module that holds the rules."""
    rules = json.dumps(style.rules, ensure_ascii=False, separators=(",", ":"))
    return f"export const STYLE = {rules};\n"
