"""Languages, translations and numbers as the language of the response writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import yaml
from flask import current_app, g, request
from markupsafe import Markup, escape

from geodata import crs
from geodata.city import find_city, read_city
from geodata.document import romanise
from geodata.messages import fill
from layers.basemap_cells import BasemapIndex
from webmap.params import ChoiceParameter, wrong_choice

if TYPE_CHECKING:
    from layers.catalogue import Layer

LANGUAGES = read_city().languages
LANG = ChoiceParameter("lang", LANGUAGES, meaning="ogc.parameter.lang", strict=True)
CLAUSE = re.compile(r"[一二三四五六七八九十]\([一二三四五六七八九十]\)(?:\d+(?:\(\d+\))?)?")
CHINESE = re.compile(CLAUSE.pattern + r"|[\u3400-\u9fff](?:[\u3400-\u9fff〔〕()0-9]*[\u3400-\u9fff)0-9])?")
HERE = Path(__file__).parent
WITHIN = "(?:a|abbr|b|bdi|code|em|i|kbd|output|q|small|span|strong|sub|sup|time)"  # a line of text, as tags
AFTER_WIDE = re.compile(rf"([，。：；、！？）》」](?:</{WITHIN}>)*)\s+(?=<{WITHIN}\b|[^\s<])")
BEFORE_WIDE = re.compile(rf" (?=（|<{WITHIN}\b[^<>]*>（)")
CITY_VALUE = re.compile(r"\{(city|plan|plan_number|position|position_dms|position_metres|paper|paper_code)\}")
UNNUMBERED = {"通知": "common.notice", "引言": "common.preamble"}  # clauses, and the keys of their names


def format_clause(clause_id: str, language: str) -> str:
    """Return the number of a clause as the language writes it; Chinese keeps the plan's own.

    >>> format_clause("三(一)1(2)", "en")
    'III(1)1(2)'
    >>> format_clause("引言", "ko")
    '서문'
    """
    if language == "zh":
        return clause_id
    if clause_id in UNNUMBERED:
        return _common_strings(language)[UNNUMBERED[clause_id]]
    return romanise(clause_id)


def current_language(*, strict: bool = True) -> str:
    """Return the language of the current request.

    Raises :class:`~webmap.problems.BadParameterError` for an unknown ``?lang=``; with `strict` False
    that falls back to what the browser prefers, so that the error itself can be written.
    """
    given = request.args.get("lang")
    if given in LANGUAGES:
        return given
    if given is not None and strict:
        raise wrong_choice(LANG.name, given, LANGUAGES)
    wanted = (tag.partition("-")[0].lower() for tag, quality in request.accept_languages if quality)
    return next((one for one in wanted if one in LANGUAGES), LANGUAGES[0])


def choose_credit(basemap: BasemapIndex | None) -> tuple[str, dict[str, str]]:
    """Return the key, and its values, of the credit for the ground of a map.

    `basemap` is the index of the release's basemap, None where it has none.
    """
    if basemap is None:
        return "ground.coast", {}
    return ("ground.basemap", {"date": basemap["date"]}) if basemap["date"] else ("ground.undated", {})


def translate(key: str, language: str, **values: object) -> str:
    """Return the text for `key`; raises KeyError for a key that no file has."""
    return fill(current_app.extensions["strings"][language][key], values)


def translate_here(key: str, **values: object) -> str:
    """Return the text for `key` in the language of the page that is being rendered."""
    return translate(key, g.language, **values)


def pick(text: dict[str, str] | None) -> str:
    """Return the page's language of a trilingual text, empty for none."""
    return text[g.language] if text else ""


def write_clauses(text: str, language: str) -> str:
    """Return a text with the numbers of clauses in it as a language writes them.

    >>> write_clauses("三(一)1(2) lists more than 三(二)1.", "en")
    'III(1)1(2) lists more than III(2)1.'
    """
    return CLAUSE.sub(lambda found: format_clause(found[0], language), text)


def mark_chinese(text: str) -> Markup:
    """Return a text with what is Chinese in it marked as such, for the voice and the font of its language.

    Numbers of clauses are marked in every language: they never break. Elsewhere they are written as readers
    know them, within brackets too.
    """
    marked = str(escape(text))
    if g.language == "zh":
        marked = CLAUSE.sub(r'<span class="unbroken">\g<0></span>', marked)
    else:
        marked = CHINESE.sub(_mark, marked)
    return Markup(marked)  # noqa: S704 - escaped above


def _mark(found: re.Match[str]) -> str:
    if CLAUSE.fullmatch(found[0]):
        return f'<span class="unbroken">{mark_clause(found[0])}</span>'
    return f'<span lang="zh">{found[0]}</span>'


def mark_clause(clause_id: str) -> Markup:
    """Return the number of a clause in the page's language, the plan's own number as its title."""
    if g.language == "zh":
        return Markup("{}").format(clause_id)
    shown = format_clause(clause_id, g.language)
    frame = Markup('<span lang="zh" title="{}"><span lang="{}">{}</span></span>')
    return frame.format(clause_id, g.language, shown)


def close_up(page: str) -> str:
    """Return a page in Chinese without blanks beside punctuation that is as wide as a character by itself.

    Templates are written once for all languages, and others need the blank.

    >>> close_up('<b>核心：</b> <a href="/zones/a">甲区</a> （示意）')
    '<b>核心：</b><a href="/zones/a">甲区</a>（示意）'
    """
    return BEFORE_WIDE.sub("", AFTER_WIDE.sub(r"\1", page))


def language_links() -> list[dict[str, str]]:
    """Return the current address in every language."""
    links = []
    for language in LANGUAGES:
        arguments = request.args.to_dict(flat=True) | {"lang": language}
        query = "&".join(
            f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in arguments.items()
        )
        links.append(
            {
                "lang": language,
                "name": translate("language.name", language),
                "short": translate("language.short", language),
                "href": f"{quote(request.path)}?{query}",
            }
        )
    return links


def format_number(value: float | None, digits: int | None = None) -> str:
    """Return `value` with thousands separated; `digits` after the point, or as many as it needs.

    >>> format_number(-0.04, 1)
    '0.0'
    """
    if value is None:
        return "–"
    if digits is None:
        return f"{value:,.10g}"
    return f"{value:z,.{digits}f}"


def format_area(value: float | None) -> str:
    """Return km² with one decimal, more for small areas."""
    small = 10
    return format_number(value, 1 if value is None or value >= small else 2)


def format_quantity(value: float, unit: dict[str, str], language: str) -> str:
    """Return a figure with its unit; English counts in thousands, so the number takes the unit's factor.

    >>> format_quantity(450, {"zh": "亿元", "en": "100 million yuan", "ko": "억 위안"}, "en")
    '45 billion yuan'
    >>> format_quantity(63000, {"zh": "kVA", "en": "kVA", "ko": "kVA"}, "zh")
    '63,000 kVA'
    """
    word = unit[language]
    if language == "en":
        for prefix, factor, scaled in (("100 million ", 0.1, "billion "), ("10,000 ", 10_000, "")):
            if word.startswith(prefix):
                return f"{format_number(value * factor)} {scaled}{word.removeprefix(prefix)}"
    blank = "" if word[0] in "%‰" or (not word[0].isascii() and language != "en") else " "
    return f"{format_number(value)}{blank}{word}"


def read_strings(language: str, layers: Mapping[str, Layer] | None = None) -> dict[str, str]:
    """Return the flat texts of one language: the pages' own, and in their place what the city has.

    Names of layers and kinds come from the catalogue, the city's unless `layers` are given; its own name, its
    plan and how positions are written here are filled in.
    """
    strings: dict[str, str] = {}
    for path in sorted((HERE / "translations" / language).glob("*.yaml")):
        strings |= _read_texts(path)
    strings |= _name_frames() | _name_layers(language, layers)
    own = find_city() / "translations" / f"{language}.yaml"
    strings |= _read_texts(own) if own.exists() else {}
    values = _list_values(language)
    own_keys = {
        f"{group}.{one.id}" for one in (layers or {}).values() if one.own for group in ("layer", "layer_one")
    }
    return {
        key: text if key in own_keys else CITY_VALUE.sub(lambda found: values[found[1]], text)
        for key, text in strings.items()
    }


def _read_texts(path: Path) -> dict[str, str]:
    return flatten(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader), "")


def _name_frames() -> dict[str, str]:
    """Return what the city's coordinate systems are called where it does not say so itself."""
    named = {frame: crs.read_name(frame) for frame in crs.PROJECTED}
    return {f"frame.{frame}": f"{name} ({frame})" for frame, name in named.items()} | {
        f"download.frames.{frame.removeprefix('EPSG:')}": f"{frame} {name}" for frame, name in named.items()
    }


def _name_layers(language: str, layers: Mapping[str, Layer] | None) -> dict[str, str]:
    """Return what layers, their places, kinds and criteria are called, by the keys of the pages."""
    # Only a build reads the catalogue.
    from layers.catalogue import read_layers

    strings: dict[str, str] = {}
    for layer in (read_layers() if layers is None else layers).values():
        texts = {f"layer.{layer.id}": layer.title, f"layer_one.{layer.id}": layer.one}
        texts |= {f"kind.{kind}": text for kind, text in layer.kinds.items()}
        if layer.criterion:
            texts[f"siting.wish.{layer.criterion.name}"] = layer.criterion.label
            texts[f"siting.note.{layer.criterion.name}"] = layer.criterion.note
        strings |= {key: str(getattr(text, language)) for key, text in texts.items() if text}
    return strings


@cache
def _common_strings(language: str) -> dict[str, str]:
    """Return the texts of pages as they are written, with nothing of the city filled in."""
    text = (HERE / "translations" / language / "pages.yaml").read_text(encoding="utf-8")
    return flatten(yaml.load(text, Loader=yaml.CSafeLoader), "")


def _list_values(language: str) -> dict[str, str]:
    """Return what is filled into the texts of every city."""
    # Only a build reads facts.
    from geodata.read import read_plan

    city, plan = read_city(), read_plan()
    lon, lat = city.position
    x, y = (round(float(value)) for value in crs.transform(lon, lat, crs.LONLAT, city.paper))
    return {
        "city": city.name[language],
        "plan": str(getattr(plan.title, language)),
        "plan_number": plan.number,
        "position": f"{lon}, {lat}",
        "position_dms": f"{format_dms(lat, 'NS')} {format_dms(lon, 'EW')}",
        "position_metres": f"x={x} y={y}",
        "paper": f"{crs.read_name(city.paper)} ({city.paper})",
        "paper_code": city.paper,
    }


def format_dms(degrees: float, sides: str) -> str:
    """Return an angle in degrees, minutes and seconds on one of two `sides`.

    >>> format_dms(-37.3082, "NS")
    '37°18′29.5″S'
    """
    tenths = round(abs(degrees) * 36000)
    minutes, seconds = divmod(tenths, 600)
    return f"{minutes // 60}°{minutes % 60:02d}′{seconds / 10:04.1f}″{sides[degrees < 0]}"


def flatten(value: object, prefix: str) -> dict[str, str]:
    """Return nested texts with dotted keys."""
    if not isinstance(value, dict):
        return {prefix: str(value)}
    flat: dict[str, str] = {}
    for key, below in value.items():
        flat |= flatten(below, f"{prefix}.{key}" if prefix else str(key))
    return flat
