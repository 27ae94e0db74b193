"""Every visible word comes from the translation files, and the three languages say the same."""

from __future__ import annotations

import ast
import html
import re
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, get_args

import pytest
import yaml

from geodata import city, crs, kinds, model
from geodata.check import printed_terms
from geodata.city import find_city
from geodata.read import read_facts
from layers import catalogue
from webmap.i18n import CITY_VALUE, read_strings

WEBMAP = Path(__file__).parents[2] / "webmap"
TEMPLATES = sorted((WEBMAP / "templates").rglob("*.html"))
MODULES = sorted((WEBMAP / "static" / "js").rglob("*.js"))
PYTHON = sorted(WEBMAP.rglob("*.py"))
LANGUAGES = ("zh", "en", "ko")
FILES = sorted(path.name for path in (WEBMAP / "translations" / "zh").glob("*.yaml"))

_strings = cache(read_strings)
HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
HANGUL = re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]")

# t("key") and t("prefix." ~ variable)
CALL = re.compile(r'\bt\(\s*"([^"]+)"\s*(~)?')
ATTRIBUTE = re.compile(r' [\w-]+=""')  # that a macro writes
TAG = re.compile(r"<[^<>]*>")
VOICED = re.compile(r'\b(?:aria-label|alt|title|placeholder)="([^"]*)"')


def _flatten(value: Any, prefix: str = "") -> dict[str, str]:
    if not isinstance(value, dict):
        return {prefix: value}
    rows = [_flatten(below, f"{prefix}.{key}" if prefix else str(key)) for key, below in value.items()]
    return {key: text for row in rows for key, text in row.items()}


@cache
def _read(language: str, name: str) -> dict[str, str]:
    return _flatten(yaml.safe_load((WEBMAP / "translations" / language / name).read_text(encoding="utf-8")))


def _all(language: str) -> dict[str, str]:
    return {key: text for name in FILES for key, text in _read(language, name).items()}


def _placeholders(text: str) -> set[str]:
    return {name.partition("|")[0] for _, name, _, _ in Formatter().parse(text) if name is not None}


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


COUNTED = re.compile(
    r"\{(?:count|total|read|stated|placed|errors|warnings)\} (?:(?!of|in)\w+ )?(?:[a-z]+s|are|were|have)\b"
)
SEVERAL = {"features-joined", "duplicate-id", "repeated-feature", "repeated-feature.record"}


def test_no_english_noun_is_plural_beside_a_count_that_may_be_one() -> None:
    """Beside a limit that was passed a count is never one, nor where it is of several by its sense."""
    geodata, said = WEBMAP.parent / "geodata", _all("en")
    for file in (geodata / "messages.yaml", *(geodata / "boundary_import").glob("[it]*s.yaml")):
        texts = _flatten(yaml.safe_load(file.read_text(encoding="utf-8")))
        said |= {key.removesuffix(".en"): str(text) for key, text in texts.items() if key.endswith(".en")}
    limited = re.compile(r"limit|at most|different")
    found = {key for key, text in said.items() if COUNTED.search(text) and not limited.search(text)}
    assert found == SEVERAL


@pytest.mark.parametrize(("language", "foreign"), [("en", HAN), ("ko", HAN), ("zh", HANGUL), ("en", HANGUL)])
def test_no_other_script_is_left_in_a_language(language: str, foreign: re.Pattern[str]) -> None:
    found = {key for key, text in _all(language).items() if foreign.search(text)}
    assert found == set()


def test_every_key_of_a_template_exists() -> None:
    whole, _ = _used_in_templates()
    assert sorted(whole - set(_strings("zh"))) == []


def test_every_prefix_of_a_template_has_keys() -> None:
    _, prefixes = _used_in_templates()
    known = _strings("zh")
    assert [prefix for prefix in prefixes if not any(key.startswith(prefix) for key in known)] == []


def test_every_key_of_a_browser_module_exists() -> None:
    whole, prefixes = _used_in_modules()
    known = _strings("zh")
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
        ("emphasis", get_args(kinds.Emphasis)),
        ("emphasis_short", get_args(kinds.Emphasis)),
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
    assert [value for value in values if f"{group}.{value}" not in _strings("zh")] == []


def test_what_a_city_calls_things_is_said_in_each_of_its_languages() -> None:
    folder = find_city() / "translations"
    own = {one: _flatten(yaml.safe_load((folder / f"{one}.yaml").read_text("utf-8"))) for one in LANGUAGES}
    known = {*_all("zh"), *(f"frame.{one}" for one in crs.PROJECTED)}
    known |= {f"download.frames.{one.removeprefix('EPSG:')}" for one in crs.PROJECTED}
    texts = {language: _all(language) for language in LANGUAGES}
    for language, said in own.items():
        assert said.keys() - set(own["en"]) <= {"level.national", "agency_level.national"}
        assert said.keys() <= known
        assert [key for key, text in said.items() if text == texts[language].get(key)] == []


def test_a_place_of_the_city_fills_what_every_city_says() -> None:
    for language in LANGUAGES:
        left = {key for key, text in _strings(language).items() if CITY_VALUE.search(text)}
        assert left == set()
        assert city.read_city().name[language] in _strings(language)["site.name"]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_visible_text_of_its_own(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert HAN.search(source) is None
    assert HANGUL.search(source) is None
    written = ATTRIBUTE.sub(" ", TAG.sub(" ", _without_code(source).replace("<!doctype html>", "")))
    text = html.unescape(written)
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
    shown = _strings(language)
    titles = {
        f"layer.{layer.id}": getattr(layer.title, language) for layer in catalogue.read_layers().values()
    }
    assert {key: shown[key] for key in titles} == titles


PLAIN = re.compile(r"(?<!니)다(?=[.。;:()”]|$)|세요(?=[.。(”]|$)")  # other registers than 합니다
LOOSE_PARTICLE = re.compile(r"\}[”’]? ?(?:은|는|이|가|을|를|과|와|으로|로)(?=[ .,]|$)|\}[”’]?이어야")
NOUNS = {"바다"}
# What pages call one thing by one word, and the other words that had come in for it.
ONE_WORD = {
    "위상": ["계획상 기능"],
    "이 사이트의 분류": ["자체 분류", "본 사이트"],
    "담당 기관": ["책임 기관", "책임기관"],
    "진·가도": ["읍·가도"],
    "데이터 버전": ["데이터 릴리스", "발행본", "이 판의"],
    "배포": ["발급"],
    "구·시": ["시군구"],
    "성장벨트": ["융기대"],
    "5대 구역": ["5구"],
    "항만": ["항구·"],
    "피처": ["지물", "객체마다", "개체"],
    "페이지": ["이 쪽", "목록 쪽"],
    "세미콜론": ["쌍반점"],
    "주제": ["테마"],
    "Our classification": ["filed under", "filing"],
}


def test_korean_keeps_one_register() -> None:
    wrong = {key: text for key, text in _all("ko").items() if PLAIN.search(text) and text not in NOUNS}
    assert wrong == {}


@pytest.mark.parametrize("word", ONE_WORD)
def test_pages_call_one_thing_by_one_word(word: str) -> None:
    texts = {f"{one} {key}": text for one in ("en", "ko") for key, text in _all(one).items()}
    assert {key: text for key, text in texts.items() if any(other in text for other in ONE_WORD[word])} == {}


def test_a_korean_particle_after_a_variable_fits_every_word() -> None:
    assert {key: text for key, text in _all("ko").items() if LOOSE_PARTICLE.search(text)} == {}


# Strings in Chinese or Korean that are no words for readers of pages: patterns, tables of characters, names
# of languages, and what operators read in the terminal in Chinese and English.
OPERATORS = {"publish.py", "settings.py", "build.py"}
TABLES = {
    ("i18n.py", "CHINESE"), ("i18n.py", "CLAUSE"), ("i18n.py", "NATIVE_NAMES"),
    ("i18n.py", "UNNUMBERED"), ("params.py", "METRES"),
}  # fmt: skip


def _written_in(path: Path) -> list[str]:
    """Return the strings of a module in Chinese or Korean that are neither docstrings nor in a table."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    aside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            aside |= (
                {id(one) for one in ast.walk(node.value)} if isinstance(node.value, ast.Constant) else set()
            )
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and (path.name, target.id) in TABLES:
                aside |= {id(one) for one in ast.walk(node)}
    constants = (one for one in ast.walk(tree) if isinstance(one, ast.Constant) and id(one) not in aside)
    texts = (one.value for one in constants if isinstance(one.value, str))
    return [text for text in texts if HAN.search(text) or HANGUL.search(text)]


def test_no_word_for_readers_stands_in_the_code() -> None:
    found = {path.name: _written_in(path) for path in PYTHON if path.name not in OPERATORS}
    assert {name: texts for name, texts in found.items() if texts} == {}


def _singular(text: str) -> str:
    words = (re.sub(r"ies$", "y", word) for word in text.casefold().removeprefix("the ").split())
    return " ".join(word if word.endswith("ss") else word.removesuffix("s") for word in words)


COMMANDS = {
    "打印",
    "海域",
    "数字化",
    "港口",
    "口岸",
}  # on a page these are an act, a method or a kind of place


def test_a_term_of_the_plan_has_one_translation_on_every_page() -> None:
    """A page may shorten a verb of the plan in a table; what is a name or a term it may not rename."""
    facts = read_facts()
    own = {zone.name.zh for zone in facts.zones.values()}  # “Weihai” is ours to add to these
    terms = {word.zh: (word.en, word.ko) for word in facts.vocabulary if word.kind != "general"}
    terms |= {zh: ((texts[0].en,), (texts[0].ko,)) for zh, texts in printed_terms(facts).items()}
    told = {language: _all(language) for language in LANGUAGES}
    seen, wrong = 0, {}
    for key, zh in told["zh"].items():
        if zh in terms and zh not in own | COMMANDS and not key.startswith(("emphasis", "mark")):
            seen += 1
            en, ko = terms[zh]
            if _singular(told["en"][key]) not in map(_singular, en) or told["ko"][key] not in ko:
                wrong[key] = (zh, told["en"][key], told["ko"][key], en, ko)
    assert wrong == {}
    assert seen > 10
