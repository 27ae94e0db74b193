"""A parameter is declared once: what it refuses, what it takes and what the definition says agree."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from geodata import crs
from layers.axes import ALL
from layers.export.job import FRAMES
from webmap.i18n import LANG
from webmap.ogc.request import DECLARED, F
from webmap.params import ChoiceParameter, ListParameter, TextParameter, WholeParameter
from webmap.problems import MOST_NEAR, BadParameterError, find_near, find_near_rows
from webmap.views.siting import REACH, WEIGHT, WEIGHTS

ROOT = Path(__file__).parents[2]
WHOLE = [
    *(declared for declared in DECLARED.values() if isinstance(declared, WholeParameter)),
    *(REACH, WEIGHT, *WEIGHTS.values()),
]
TRIED = ["", " ", "0", "1", "5", "6", "50", "200", "201", "1000", "1001", "-1", "1.5", "１", "x", "9" * 16]


def accepts(declared: WholeParameter, text: str) -> bool:
    try:
        declared.parse({declared.name: text})
    except BadParameterError as error:
        told = {name: error.values[name] for name in ("parameter", "value", "allowed")}
        return told != {"parameter": declared.name, "value": text.strip(), "allowed": declared.span}
    return True


@pytest.mark.parametrize("declared", WHOLE, ids=lambda declared: declared.name)
def test_a_whole_number_is_taken_where_its_schema_allows_it(declared: WholeParameter) -> None:
    validator = Draft202012Validator(declared.schema)
    assert declared.parse({}) == declared.default
    assert validator.is_valid(declared.default)
    for text in TRIED:
        if not text.strip():
            assert accepts(declared, text) is not declared.strict
            continue
        plain = text.isascii() and text.isdigit()
        fits = plain and validator.is_valid(int(text))
        more = plain and len(text) < 16 and declared.high is not None and int(text) > declared.high
        assert accepts(declared, text) == (fits or (declared.capped and more)), text
        if declared.capped and more:
            assert declared.parse({declared.name: text}) == declared.high


@pytest.mark.parametrize("declared", [F, LANG, DECLARED["filter-lang"]], ids=lambda declared: declared.name)
def test_a_choice_takes_what_its_schema_lists_and_brings_what_was_meant(declared: ChoiceParameter) -> None:
    assert list(declared.allowed) == declared.schema["enum"]
    for value in declared.allowed:
        assert declared.parse({declared.name: value}) == value
        with pytest.raises(BadParameterError) as refused:
            declared.parse({declared.name: f"{value}x"})
        assert value in {row["id"] for row in refused.value.near}
        assert refused.value.values["allowed"] == ", ".join(declared.allowed)
    with pytest.raises(BadParameterError):
        declared.parse({declared.name: ""})


def test_an_empty_field_of_a_form_counts_as_missing() -> None:
    lenient = ChoiceParameter("kind", ("a", "b"), "a")
    assert lenient.parse({"kind": ""}) == lenient.parse({}) == "a"
    with pytest.raises(BadParameterError):
        ChoiceParameter("kind", ("a", "b")).require({"kind": ""})


def test_what_depends_on_the_content_is_asked_of_it() -> None:
    kind = ChoiceParameter("kind")
    assert kind.require({"kind": "belt"}, ["belt", "core"]) == "belt"
    with pytest.raises(BadParameterError) as refused:
        kind.parse({"kind": "bel"}, ["belt", "core"])
    assert refused.value.near == [{"id": "belt", "label": "belt"}]


def test_texts_and_lists_know_how_much_they_take() -> None:
    words = TextParameter("q", 3)
    assert words.parse({"q": "abc"}) == "abc"
    assert words.schema["maxLength"] == 3
    with pytest.raises(BadParameterError):
        words.parse({"q": "abcd"})
    ids = ListParameter("ids", 2, 3)
    assert ids.split(["a, b", "", "c"]) == ["a", "b", "c"]
    ids.check_count(["a"], least=0)
    for wrong, key in ((["a"], "error.too_few"), (["a", "b", "c", "d"], "error.too_many")):
        with pytest.raises(BadParameterError, match=key):
            ids.check_count(wrong, least=2)


def test_every_parameter_of_the_api_has_a_meaning_in_every_language(client) -> None:
    strings = client.application.extensions["strings"]
    for declared in (F, LANG, *DECLARED.values()):
        assert all(texts[declared.meaning] for texts in strings.values()), declared.name
        entry = declared.to_openapi(strings["en"].__getitem__)
        assert (entry["name"], entry["in"], entry["required"]) == (declared.name, "query", False)
        assert entry["description"] == strings["en"][declared.meaning]


def test_near_matches_are_found_in_one_way() -> None:
    finders = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "webmap").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.Name)
        and "get_close_matches" in {getattr(node, "attr", None), getattr(node, "id", None)}
    }
    assert finders == {"webmap/problems.py"}
    assert len(find_near("a", [f"a{number}" for number in range(20)])) == MOST_NEAR
    rows = {"gaoqu": {"name": {"zh": "高区", "en": "High-tech Zone"}}, "x": {"name": {"zh": "港口"}}}
    assert find_near_rows("GAOQ", rows) == find_near_rows("High tech zone", rows) == ["gaoqu"]


def test_there_is_one_list_of_coordinate_systems() -> None:
    assert {axes.frame for axes in ALL} == {*crs.FRAMES} - {*crs.SHIFTED}
    assert set(FRAMES) == {*crs.FRAMES} - {*crs.SHIFTED, crs.LONLAT}
    assert {*crs.DEGREES, *crs.METRIC, *crs.SHIFTED} == {*crs.FRAMES}
    listing = {
        path.relative_to(ROOT).as_posix()
        for package in ("geodata", "layers", "webmap", "scripts")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Tuple | ast.List | ast.Set)
        and {"EPSG:4549", "EPSG:4550"} <= {getattr(element, "value", None) for element in node.elts}
    }
    assert listing == set()  # it stands in the city's folder


@pytest.mark.parametrize(
    ("x", "y", "frame", "lies"),
    [
        (122.1, 37.5, "CRS84", True),
        (37.5, 122.1, "CRS84", False),
        (421681, 4130300, "EPSG:4550", True),
        (1e9, 4130300, "EPSG:4550", False),
        (float("nan"), 0, "CRS84", False),
    ],
)
def test_a_position_lies_on_the_globe_or_is_none(x, y, frame, lies) -> None:
    assert (crs.position_to_lonlat(x, y, frame) is not None) == lies
