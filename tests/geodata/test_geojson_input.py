"""GeoJSON that is wrong is refused at the place where it is wrong, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.boundaries import DEPTHS, GeojsonError, list_geometries, read_geojson

RING = [[122.0, 37.2], [122.2, 37.2], [122.2, 37.4], [122.0, 37.2]]


def feature(geometry: Any, **members: Any) -> str:
    one = {"type": "Feature", "properties": {}, "geometry": geometry} | members
    return json.dumps({"type": "FeatureCollection", "features": [feature_of_a_point(), one]})


def feature_of_a_point() -> dict[str, Any]:
    return {"type": "Feature", "properties": None, "geometry": {"type": "Point", "coordinates": [122, 37, 5]}}


def geometry(kind: str, coordinates: Any) -> dict[str, Any]:
    return {"type": kind, "coordinates": coordinates}


AT = "$.features[1].geometry.coordinates"
# Text, what is wrong, and where.
WRONG: dict[str, tuple[str | bytes, str, str]] = {
    "no JSON": ("{", "not_json", "$"),
    "no UTF-8": (b"\xff{}", "not_json", "$"),
    "deep": ("[" * 100_000, "deep", "$"),
    "deep objects": ('{"a":' * 100_000, "deep", "$"),
    "digits": ('{"type": "Point", "coordinates": [' + "1" * 5000 + ", 1]}", "not_json", "$"),
    "a number": ("5", "member", "$"),
    "a list": ("[]", "member", "$"),
    "null": ("null", "member", "$"),
    "no type": ("{}", "member", "$.type"),
    "type of a list": ('{"type": ["Point"]}', "member", "$.type"),
    "half a letter": ('{"type": "\\ud800"}', "member", "$.type"),
    "twice": (
        '{"type": "Point", "coordinates": [1, 2], "coordinates": [3, 4]}',
        "doubled",
        "$",
    ),
    "twice inside": (
        '{"type": "Feature", "properties": {"a": 1, "a": 2}, "geometry": null}',
        "doubled",
        "$.properties",
    ),
    "NaN": ('{"type": "Point", "coordinates": [NaN, 37]}', "no_figure", "$.coordinates[0]"),
    "Infinity": ('{"type": "Point", "coordinates": [122, -Infinity]}', "no_figure", "$.coordinates[1]"),
    "overflow": ('{"type": "Point", "coordinates": [1e999, 37]}', "vertex", "$.coordinates"),
    "hundreds of digits": (
        '{"type": "Point", "coordinates": [' + "1" * 400 + ", 1]}",
        "vertex",
        "$.coordinates",
    ),
    "no features": ('{"type": "FeatureCollection"}', "member", "$.features"),
    "features of a text": ('{"type": "FeatureCollection", "features": "x"}', "member", "$.features"),
    "a null feature": ('{"type": "FeatureCollection", "features": [null]}', "member", "$.features[0]"),
    "properties of a list": (feature(None, properties=[]), "member", "$.features[1].properties"),
    "geometry of a text": (feature("POINT(1 2)"), "member", "$.features[1].geometry"),
    "a feature for a geometry": (feature(feature_of_a_point()), "member", "$.features[1].geometry.type"),
    "no coordinates": (feature({"type": "Point"}), "member", AT),
    "null coordinates": (feature(geometry("Polygon", None)), "member", AT),
    "a number for a ring": (feature(geometry("Polygon", [5])), "member", f"{AT}[0]"),
    "an object for a ring": (feature(geometry("Polygon", [{"0": 1}])), "member", f"{AT}[0]"),
    "a ring too shallow": (feature(geometry("Polygon", RING)), "vertex", f"{AT}[0][0]"),
    "a ring too deep": (feature(geometry("Polygon", [[RING]])), "vertex", f"{AT}[0][0]"),
    "an open ring": (feature(geometry("Polygon", [RING[:3]])), "ring", f"{AT}[0]"),
    "a text in a position": (
        feature(geometry("LineString", [[122, 37], ["122", "37"]])),
        "vertex",
        f"{AT}[1]",
    ),
    "truth in a position": (feature(geometry("Point", [True, 37])), "vertex", AT),
    "half a position": (feature(geometry("MultiPoint", [[122]])), "vertex", f"{AT}[0]"),
    "collections in collections": (
        json.dumps({"type": "GeometryCollection", "geometries": [{"type": "GeometryCollection"}]}),
        "member",
        "$.geometries[0].geometries",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_refused_where_it_is_wrong(case: str) -> None:
    text, kind, place = WRONG[case]
    with pytest.raises(GeojsonError) as caught:
        list(list_geometries(read_geojson(text if isinstance(text, bytes) else text.encode())))
    assert (caught.value.kind, caught.value.place) == (kind, place)
    assert all(value.encode() is not None for value in caught.value.values.values())


def test_nested_collections_end() -> None:
    inner: dict[str, Any] = geometry("Point", [122, 37])
    for _ in range(50):
        inner = {"type": "GeometryCollection", "geometries": [inner]}
    with pytest.raises(GeojsonError, match="deep"):
        list(list_geometries(inner))


def test_what_is_right_is_read_without_heights_and_null_geometries_are_passed_over() -> None:
    found = list(list_geometries(read_geojson(feature(None).encode())))
    assert [(one.coordinates, one.feature) for one in found] == [((122.0, 37.0), 0)]
    polygon = read_geojson(b"\xef\xbb\xbf" + json.dumps(geometry("Polygon", [RING])).encode())
    (sent,) = list_geometries(polygon)
    assert (sent.place, sent.type, len(sent.coordinates[0])) == ("$", "Polygon", 4)


ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
POSITIONS = st.lists(st.floats(-400, 400) | ATOMS, max_size=4)
NESTED = st.recursive(POSITIONS | ATOMS, lambda inner: st.lists(inner, max_size=5), max_leaves=12)
GEOMETRIES = st.recursive(
    st.fixed_dictionaries({"type": st.sampled_from([*DEPTHS, "Circle"]) | ATOMS, "coordinates": NESTED}),
    lambda inner: st.fixed_dictionaries(
        {"type": st.just("GeometryCollection"), "geometries": st.lists(inner | ATOMS, max_size=3)}
    ),
    max_leaves=4,
)
FEATURES = st.fixed_dictionaries(
    {"type": st.just("Feature"), "geometry": GEOMETRIES | ATOMS},
    optional={"properties": ATOMS | st.dictionaries(st.text(max_size=4), ATOMS, max_size=2)},
)
MALFORMED = st.one_of(
    GEOMETRIES,
    FEATURES,
    st.fixed_dictionaries(
        {"type": st.just("FeatureCollection"), "features": st.lists(FEATURES | ATOMS, max_size=3)}
    ),
)


@given(MALFORMED)
def test_any_geojson_is_read_or_refused(value: Any) -> None:
    try:
        found = list(list_geometries(read_geojson(json.dumps(value).encode())))
    except GeojsonError as error:
        assert error.place.startswith("$")  # noqa: PT017 - it may also be sound
    else:
        assert all(one.type in DEPTHS for one in found)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    try:
        list(list_geometries(read_geojson(text)))
    except GeojsonError as error:
        assert error.place.startswith("$")  # noqa: PT017 - as above
