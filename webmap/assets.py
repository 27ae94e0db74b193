"""The pages' own files as they are served: modules and styles joined, Leaflet taken from its package.

Style sheets and modules take inks, lines and names from the cartography, and modules what every page
says by script from the translations.

The bundler understands the part of the module syntax that our modules use: named imports from
neighbours, and ``export`` before a function, class or constant. Anything else is refused, not guessed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import files as package_files
from pathlib import Path
from typing import TypedDict

from geodata.crs import Bounds
from layers.cartography import STYLE, Cartography, Colours, LabelType, shade, write_dash
from layers.map_types import MapDocument, ShownFeature
from layers.sketch import Sketch, SketchedPlace, frame_opening
from webmap.i18n import LANGUAGES, read_strings
from webmap.map_choice import FigureLook, MapChoice, ShownMap

STATIC = Path(__file__).parent / "static"
# The map page's styles in order, joined into one file so that the first view needs one request.
MAP_STYLES = ("base", "map", "panel", "figures", "map-media")
PAGE_STYLES = ("pages", "ground", "stack")  # likewise of the other pages
# What pages load, each with all that it imports.
ENTRIES = ("main", "pages", "lookup", "join", "offline-pages", "workbench", "drawing")
# What a page fetches when it is needed: its search without a server, layers of the operator's.
LATER = ("offline-search", "own")
LEAFLET = "django-js-lib-leaflet"  # the package; Django itself is not needed
LEAFLET_FILES = ("leaflet.js", "leaflet.css", "images/layers.png", "images/layers-2x.png")
IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w-]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function\*? (\w+)|const (\w+)|class (\w+))", re.MULTILINE)
NOTE = re.compile(rb"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/).)*\*/)[ \t]*\n", re.MULTILINE | re.DOTALL)
# Parts of a sketch's ground, and what the map calls them.
GROUND = {"neighbour": "neighbour", "land": "city", "border": "county", "water": "water"}
LEFT_OVER = re.compile(r"^(?:import\b|export\b).*$", re.MULTILINE)


class Opening(TypedDict):
    """A picture that the map begins with: what the window must show of it, hues as rules, paths as SVG."""

    box: str
    style: str
    paths: str


def read_assets(strings: Mapping[str, Mapping[str, str]] | None = None) -> dict[str, bytes]:
    """Return every static file by its path below the release; `strings` are the texts of each language."""
    own = {
        f"static/{path.relative_to(STATIC).as_posix()}": path.read_bytes()
        for path in STATIC.rglob("*")
        if path.is_file() and path.suffix != ".js"
    }
    own |= {f"static/css/{path.name}": read_style_sheet(path.stem) for path in (STATIC / "css").glob("*.css")}
    modules = {path.stem: path.read_text(encoding="utf-8") for path in sorted((STATIC / "js").glob("*.js"))}
    rules = json.dumps(STYLE.rules, ensure_ascii=False, separators=(",", ":"))
    modules[MODULE] = f"export const STYLE = {rules};\n"
    modules["words"] = write_words(strings or {language: read_strings(language) for language in LANGUAGES})
    joined = {f"static/js/{entry}.js": to_script(bundle(modules, entry)) for entry in ENTRIES}
    joined |= {
        f"static/js/{one}.js": to_script(bundle(modules, one) + hand_over(f"${_safe(one)}")) for one in LATER
    }
    for path, names in (("map-page", MAP_STYLES), ("pages", PAGE_STYLES)):
        joined[f"static/css/{path}.css"] = b"\n".join(own[f"static/css/{name}.css"] for name in names)
    ours = own | joined
    code = {path: drop_notes(data) for path, data in ours.items() if path.endswith((".css", ".js"))}
    return ours | code | _read_leaflet()


def drop_notes(code: bytes) -> bytes:
    """Return a style sheet or script without the lines that are comment alone: a sixth of what is sent."""
    return NOTE.sub(b"", code)


def _read_leaflet() -> dict[str, bytes]:
    entries = package_files(LEAFLET) or ()
    packaged = {str(entry).partition("static/js_lib_leaflet/")[2]: entry for entry in entries}
    return {
        f"static/vendor/{name}": Path(str(packaged[name].locate())).read_bytes() for name in LEAFLET_FILES
    }


class BundleError(ValueError):
    """The modules cannot be joined; the message names the module and why."""


def bundle(modules: Mapping[str, str], entry: str) -> str:
    """Return one module that does what `entry` and everything it imports do.

    `modules` maps names without ``.js`` to sources. Raises :class:`BundleError` for a circular or
    missing import and for syntax that is not understood.
    """
    done: list[str] = []
    _add_module(entry, modules, done, ())
    return "".join(
        f"const ${_safe(name)} = (() => {{\n{_wrap_module(name, modules[name])}}})();\n" for name in done
    )


def to_script(code: str) -> bytes:
    """Return code as a script with names of its own; browsers load modules from no disk, but scripts."""
    return f'"use strict";\n(() => {{\n{code}}})();\n'.encode()


def hand_over(value: str) -> str:
    """Return the statement that gives a value to the script that loads the file, see ``site.js``."""
    return f"document.currentScript.take({value});\n"


def _add_module(name: str, modules: Mapping[str, str], done: list[str], above: tuple[str, ...]) -> None:
    """Append `name` to `done` after everything that it imports."""
    if name in above:
        raise BundleError(f"{' -> '.join((*above, name))}: circular import")
    if name not in modules:
        raise BundleError(f"{above[-1] if above else name}: imports {name}.js, which does not exist")
    if name not in done:
        for match in IMPORT.finditer(modules[name]):
            _add_module(match[2], modules, done, (*above, name))
        done.append(name)


def _wrap_module(name: str, source: str) -> str:
    exported = [next(filter(None, match.groups())) for match in EXPORT.finditer(source)]
    body = EXPORT.sub("", IMPORT.sub(_import, source))
    left = LEFT_OVER.search(body)
    if left:
        raise BundleError(f"{name}.js: {left[0]!r} is not understood")
    return f"{body}return {{ {', '.join(exported)} }};\n"


def _import(match: re.Match[str]) -> str:
    names = [part.strip().replace(" as ", ": ") for part in match[1].split(",") if part.strip()]
    return f"const {{ {', '.join(names)} }} = ${_safe(match[2])};\n"


def _safe(name: str) -> str:
    return name.replace("-", "_")


# -- what style sheets take from the cartography


FOLDER = Path(__file__).parent / "static/css"
SCREEN = ("screen", "asked")  # opacities that style sheets take
ROOTS = ("base", "preview")  # of a page: they begin with the inks and the tokens
MODULE = "cartography"  # the module that the other modules import the rules from
# What scripts say on every page: the search box and the basket.
SAID = (
    *("finding.results", "finding.failed", "finding.all", "finding.near", "finding.nearest"),
    *("basket.title", "basket.full", "compare.remove", "map.compare", "map.clear", "zone.on_map"),
)
DARK = "@media screen and (prefers-color-scheme: dark)"


def read_style_sheet(name: str) -> bytes:
    """Return one of the pages' own style sheets, with what is written from the cartography."""
    own = (FOLDER / f"{name}.css").read_text(encoding="utf-8")
    if name in ROOTS:
        own = write_inks(STYLE) + (FOLDER / "tokens.css").read_text(encoding="utf-8") + own
    if name in {"preview", "workbench"}:
        own += _write_colours(STYLE.changes)
    if name == "figures":
        own += "".join(_write_name(kind, label) for kind, label in STYLE.labels.items())
    return own.encode()


def draw_ground(sketch: Sketch) -> bytes:
    """Return the ground of the sketch as a picture, by day and by night as the page that shows it."""
    rules = drop_notes((write_inks(STYLE) + (FOLDER / "ground.css").read_text(encoding="utf-8")).encode())
    paths = "".join(f'<path class="locator-{name}" d="{path}"/>' for name, path in sketch["ground"].items())
    size = f'viewBox="0 0 {sketch["width"]} {sketch["height"]}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><style>{rules.decode()}</style>'
    return f"{head}{paths}</svg>".encode()


def draw_opening(sketch: Sketch, payload: MapDocument, theme: str, boxes: Mapping[str, Bounds]) -> Opening:
    """Return what a theme's map shows before any script has run, and without one: its ground and polygons.

    It has the classes of the map itself. `boxes` are the bounds of the polygons in degrees.
    """
    shown = ShownMap(payload, MapChoice(theme), boxes)
    rows = [(row, sketch["places"][row["id"]]) for row in shown.rows() if row["id"] in sketch["places"]]
    layers = list(dict.fromkeys(row["layer"] for row, _ in rows))
    rows.sort(key=lambda one: (layers.index(one[0]["layer"]), -(one[0]["area_km2"] or 0)))
    looks = {row["id"]: shown.look(row) for row, _ in rows}
    ground = {
        of: f'<path class="ground-{name}" d="{sketch["ground"].get(of, "")}"/>' for of, name in GROUND.items()
    }
    figures = "".join(_draw_figure(row, place, looks[row["id"]]) for row, place in rows)
    edges = "".join(_draw_edge(place, looks[row["id"]]) for row, place in rows)
    around_west, around_south, around_east, around_north = sketch["bounds"]
    frame = frame_opening((around_west, around_south, around_east, around_north))
    west, south, east, north = payload["bounds"]
    (left, top), (right, bottom) = frame.to_xy(west, north), frame.to_xy(east, south)
    return {
        "box": f"{left:g} {top:g} {right - left:g} {bottom - top:g}",
        "style": "".join(_write_hue(hue) for hue in sorted({look.hue for look in looks.values()})),
        "paths": (
            f"{ground['neighbour']}{ground['land']}{ground['border']}"
            f'<g class="opening-figures">{figures}</g>{ground["water"]}{edges}'
        ),
    }


def _draw_figure(row: ShownFeature, place: SketchedPlace, look: FigureLook) -> str:
    tone = " is-light" if look.light else " is-soft" if STYLE.edges[place["edge"]].line != "solid" else ""
    tone += " patterned" if STYLE.textures[look.texture] else ""
    halo = f'<path class="{_hued(look)} halo" d="{place["halo"]}"/>' if place["halo"] else ""
    return f'{halo}<path class="figure {_hued(look)}{tone}" data-id="{row["id"]}" d="{place["d"]}"/>'


def _draw_edge(place: SketchedPlace, look: FigureLook) -> str:
    if place["halo"]:
        return ""
    known, tone = place["crisp"] if place["soft"] else place["d"], " is-light" if look.light else ""
    lines = (("known", known), ("guessed", place["soft"]))
    return "".join(
        f'<path class="edge edge-{name} {_hued(look)}{tone}" d="{line}"/>' for name, line in lines if line
    )


def _hued(look: FigureLook) -> str:
    return f"hued hue-{look.hue[1:]}"


def _write_hue(hue: str) -> str:
    """Return the rule that gives a class its hue by day and by night, as the map's own scripts do."""
    night = shade(hue, STYLE.shades.night)
    colours = {
        "hue": hue,
        "hue-edge": shade(hue, STYLE.shades.edge),
        "hue-dark": night,
        "hue-edge-dark": shade(hue, STYLE.shades.night_edge),
    }
    return f".hue-{hue[1:]}{{{';'.join(f'--{name}:{value}' for name, value in colours.items())}}}"


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


def _write_name(name: str, label: LabelType) -> str:
    """Return how the names of a kind are set; a text alone is set likewise, so that it can be measured."""
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


def write_words(strings: Mapping[str, Mapping[str, str]]) -> str:
    """Return the module that holds what scripts say on every page, in every language."""
    words = {language: {key: texts[key] for key in SAID} for language, texts in strings.items()}
    return f"export const WORDS = {json.dumps(words, ensure_ascii=False, separators=(',', ':'))};\n"
