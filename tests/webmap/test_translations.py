"""Every visible word comes from the translation files, and the three languages say the same."""

from __future__ import annotations

import html
import re
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest
import yaml

from geodata import model
from layers import catalogue

WEBMAP = Path(__file__).parents[2] / "webmap"
TEMPLATES = sorted((WEBMAP / "templates").rglob("*.html"))
MODULES = sorted((WEBMAP / "static" / "js").rglob("*.js"))
PYTHON = sorted(WEBMAP.rglob("*.py"))
LANGUAGES = ("zh", "en", "ko")
FILES = sorted(path.name for path in (WEBMAP / "translations" / "zh").glob("*.yaml"))

# What a language switch must show in its own script.
OWN_SCRIPT = {"nav.short.zh", "nav.short.ko"}
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")

# t("key") and t("prefix." ~ variable)
CALL = re.compile(r'\bt\(\s*"([^"]+)"\s*(~)?')
TAG = re.compile(r"<[^<>]*>")
VOICED = re.compile(r'\b(?:aria-label|alt|title|placeholder)="([^"]*)"')


def _flatten(value: Any, prefix: str = "") -> dict[str, str]:
    if not isinstance(value, dict):
        return {prefix: value}
    rows = [_flatten(below, f"{prefix}.{key}" if prefix else str(key)) for key, below in value.items()]
    return {key: text for row in rows for key, text in row.items()}


def _read(language: str, name: str) -> dict[str, str]:
    return _flatten(yaml.safe_load((WEBMAP / "translations" / language / name).read_text(encoding="utf-8")))


def _all(language: str) -> dict[str, str]:
    return {key: text for name in FILES for key, text in _read(language, name).items()}


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def _without_code(template: str) -> str:
    template = re.sub(r"(\{% block body_class %\})[\w -]*", r"\1", template)  # a class, not a text
    return re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template, flags=re.DOTALL)


def _used_in_templates() -> tuple[set[str], set[str]]:
    """Return the whole keys and the prefixes that the templates ask for."""
    calls = [call for path in TEMPLATES for call in CALL.findall(path.read_text(encoding="utf-8"))]
    return {key for key, joined in calls if not joined}, {key for key, joined in calls if joined}


def _used_in_modules() -> tuple[set[str], set[str]]:
    """Return the whole keys and the prefixes that the browser's modules ask for."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in MODULES)
    groups = {key.partition(".")[0] for key in _all("zh")}
    literals = set(re.findall(r"""["'`]([a-z_]+(?:\.[a-z0-9_-]+)+)["'`]""", text))
    prefixes = set(re.findall(r"""["'`]([a-z_]+\.(?:[a-z0-9_-]+\.)*)(?:\$\{|["']\s*\+)""", text))
    keep = {
        key
        for key in literals
        if key.partition(".")[0] in groups and not key.endswith((".js", ".json", ".css"))
    }
    return keep, {key for key in prefixes if key.partition(".")[0] in groups}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_language_has_the_same_keys(language: str, name: str) -> None:
    assert set(_read(language, name)) == set(_read("zh", name))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty(language: str) -> None:
    assert [key for key, text in _all(language).items() if not str(text or "").strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_stands_in_two_files(language: str) -> None:
    keys = [key for name in FILES for key in _read(language, name)]
    assert sorted(key for key in set(keys) if keys.count(key) > 1) == []


@pytest.mark.parametrize("language", ["en", "ko"])
def test_translations_fill_in_the_same_values(language: str) -> None:
    chinese, other = _all("zh"), _all(language)
    assert [key for key in chinese if _placeholders(chinese[key]) != _placeholders(other[key])] == []


@pytest.mark.parametrize(("language", "foreign"), [("en", HAN), ("ko", HAN), ("zh", HANGUL), ("en", HANGUL)])
def test_no_other_script_is_left_in_a_language(language: str, foreign: re.Pattern[str]) -> None:
    found = {key for key, text in _all(language).items() if foreign.search(text)}
    assert found <= OWN_SCRIPT


def test_every_key_of_a_template_exists() -> None:
    whole, _ = _used_in_templates()
    assert sorted(whole - set(_all("zh"))) == []


def test_every_prefix_of_a_template_has_keys() -> None:
    _, prefixes = _used_in_templates()
    assert [prefix for prefix in prefixes if not any(key.startswith(prefix) for key in _all("zh"))] == []


def test_every_key_of_a_browser_module_exists() -> None:
    whole, prefixes = _used_in_modules()
    known = _all("zh")
    assert sorted(whole - set(known)) == []
    assert sorted(prefix for prefix in prefixes if not any(key.startswith(prefix) for key in known)) == []


def test_every_error_message_of_the_server_exists() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in PYTHON)
    asked = {key for key in re.findall(r'"(error\.\w+)"', text) if not key.endswith(".html")}
    assert asked
    assert sorted(asked - set(_all("zh"))) == []


def test_no_page_string_is_unused() -> None:
    whole, prefixes = _used_in_templates()
    server = "\n".join(path.read_text(encoding="utf-8") for path in PYTHON)
    in_modules, module_prefixes = _used_in_modules()
    unused = [
        key
        for key in _read("zh", "pages.yaml")
        if key not in whole | in_modules
        and not key.startswith(tuple(prefixes | module_prefixes))
        and f'"{key}"' not in server
        and not key.startswith(("error.http_", "error.title_"))
    ]
    assert unused == []


@pytest.mark.parametrize(
    ("group", "values"),
    [
        ("kind", get_args(model.ZoneKind) + get_args(model.PlatformKind)),
        ("kind", get_args(model.Gateway.model_fields["kind"].annotation)),
        ("kind", get_args(model.Area.model_fields["layer"].annotation)),
        ("layer", get_args(model.Area.model_fields["layer"].annotation)),
        ("layer", get_args(model.Zone.model_fields["layer"].annotation)),
        ("landmark", get_args(model.Landmark.model_fields["kind"].annotation)),
        ("emphasis", get_args(model.Emphasis)),
        ("emphasis_short", get_args(model.Emphasis)),
        ("level", get_args(model.AgencyLevel)),
        ("status", get_args(model.Platform.model_fields["status"].annotation)),
        ("zone_basis", get_args(model.Platform.model_fields["zone_basis"].annotation)),
        ("confidence", get_args(model.Confidence)),
        ("indicator_group", get_args(model.Indicator.model_fields["group"].annotation)),
        ("direction", get_args(model.Direction)),
        ("comparator", get_args(model.IndicatorValue.model_fields["comparator"].annotation)),
    ],
)
def test_every_enumeration_of_the_facts_has_a_name(group: str, values: tuple[str, ...]) -> None:
    assert values
    assert [value for value in values if f"{group}.{value}" not in _all("zh")] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_visible_text_of_its_own(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert HAN.search(source) is None
    assert HANGUL.search(source) is None
    text = html.unescape(TAG.sub(" ", _without_code(source).replace("<!doctype html>", "")))
    assert re.findall(r"[^\W\d_]{2,}", text) == []
    voiced = [words for words in VOICED.findall(_without_code(source)) if re.search(r"[^\W\d_]", words)]
    assert voiced == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_keeps_to_the_content_security_policy(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert re.search(r"\sstyle=", source) is None
    assert re.search(r"\son[a-z]+=", source) is None
    assert re.search(r"(?:href|src)=\"(?:https?:)?//", source) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_layer_bears_one_name_on_the_map_in_the_files_and_in_the_api(language: str) -> None:
    shown = _read(language, "terms.yaml")
    titles = {
        f"layer.{layer.id}": getattr(layer.title, language) for layer in catalogue.read_layers().values()
    }
    assert {key: shown[key] for key in titles} == titles
