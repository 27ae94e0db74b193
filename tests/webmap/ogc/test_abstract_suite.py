"""The abstract tests of CQL2 (OGC 21-065r2, annex A) that need no test data, over every collection.

Of each declared class: what must be evaluated, what must be refused, and which answers exclude each other.
"""

from __future__ import annotations

import itertools
import json
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

ORDERS = ("=", "<>", ">", "<", ">=", "<=")
VALUES = {"string": "'foo'", "number": "3.14", "integer": "1", "boolean": "true"}
LITERALS = (*VALUES.values(), "TIMESTAMP('2022-04-14T14:48:46Z')", "DATE('2022-04-14')")
APART = (("=", "<>"), (">", "<="), ("<", ">="))
COLLECTIONS = ("zones", "platforms", "indicators", "clauses")


def _find(client: FlaskClient, collection: str, text: str, status: int = 200) -> set[str]:
    path = f"/ogc/collections/{collection}/items?f=json&limit=1000&filter={quote(text)}"
    answer = client.get(path)
    assert answer.status_code == status, (collection, text, answer.get_data(as_text=True)[:300])
    return {row["id"] for row in answer.get_json()["features"]} if status == 200 else set()


def _queryables(client: FlaskClient, collection: str) -> dict[str, Any]:
    answer = client.get(f"/ogc/collections/{collection}/queryables?f=json")
    found: dict[str, Any] = answer.get_json()["properties"]
    return found


def _scalars(client: FlaskClient, collection: str) -> dict[str, str]:
    """Return the queryables that hold one value, with their types."""
    known = _queryables(client, collection)
    return {name: row["type"] for name, row in known.items() if row.get("type") in VALUES}


def _name(queryable: str) -> str:
    return f'"{queryable}"'


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_queryable_is_compared_with_values_on_either_side(client: FlaskClient, collection: str) -> None:
    scalars = _scalars(client, collection)
    assert scalars
    for name, kind in scalars.items():
        for left, right in itertools.permutations((_name(name), VALUES[kind])):
            found = {order: _find(client, collection, f"{left} {order} {right}") for order in ORDERS}
            assert all(not found[one] & found[other] for one, other in APART)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_queryable_is_compared_with_itself(client: FlaskClient, collection: str) -> None:
    for name in _scalars(client, collection):
        found = {order: _find(client, collection, f"{_name(name)} {order} {_name(name)}") for order in ORDERS}
        assert found["<>"] == found["<"] == found[">"] == set()
        assert found["="] == found[">="] == found["<="]


@pytest.mark.parametrize("value", LITERALS)
def test_values_are_compared_with_values(client: FlaskClient, value: str) -> None:
    found = {order: _find(client, "zones", f"{value} {order} {value}") for order in ORDERS}
    assert found["<>"] == found["<"] == found[">"] == set()
    assert found["="] == found[">="] == found["<="] == _find(client, "zones", "true")


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_queryable_is_null_or_is_not(client: FlaskClient, collection: str) -> None:
    everything = _find(client, collection, "true")
    assert _find(client, collection, "false") == set()
    for name in _queryables(client, collection):
        null = _find(client, collection, f"{_name(name)} IS NULL")
        known = _find(client, collection, f"{_name(name)} is not null")
        assert not null & known
        assert null | known == everything


@pytest.mark.parametrize("collection", ["zones", "platforms"])
def test_bounding_boxes_and_points(client: FlaskClient, collection: str) -> None:
    def meets(shape: str, status: int = 200) -> set[str]:
        return _find(client, collection, f"S_INTERSECTS(geometry,{shape})", status)

    world = meets("BBOX(-180,-90,180,90)")
    assert world == _find(client, collection, "geometry IS NOT NULL")
    assert meets("POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))") == world
    assert meets("POINT(7.02 49.92)") == set()
    meets("POINT(90 180)", 400)
    assert meets("BBOX(150,-90,-150,90)") == set()  # across the antimeridian: not Weihai
    assert meets("BBOX(121,-90,-121,90)") == world
    outside = "S_INTERSECTS(geometry,BBOX(-180,-90,-90,90)) AND S_INTERSECTS(geometry,BBOX(90,-90,180,90))"
    assert _find(client, collection, outside) == set()


@pytest.mark.parametrize(
    "shape",
    [
        "BBOX(-180,-90,180,90)",
        "POLYGON((-180 -90,180 -90,180 90,-180 90,-180 -90))",
        "LINESTRING(7 50,10 51)",
        "MULTIPOINT(7 50,10 51)",
    ],
)
def test_the_other_spatial_functions_are_evaluated(client: FlaskClient, shape: str) -> None:
    names = ("S_DISJOINT", "S_EQUALS", "S_TOUCHES", "S_CROSSES", "S_WITHIN", "S_CONTAINS", "S_OVERLAPS")
    found = {name: _find(client, "zones", f"{name}(geometry,{shape})") for name in names}
    assert not found["S_DISJOINT"] & _find(client, "zones", f"S_INTERSECTS(geometry,{shape})")
    assert not found["S_WITHIN"] & found["S_CONTAINS"]
    _find(client, "zones", "S_DISJOINT(geometry,POINT(90 180))", 400)


@pytest.mark.parametrize(
    ("text", "everything"),
    [
        (r"'a	b' = 'a\tb'", True),
        (r"'it''s' = 'it\'s'", True),
        (r"'\a\b\n\v\f\r' = 'abnvfr'", False),
        ("'København' LIKE 'K_benhavn'", True),
        ("'København' NOT LIKE 'K_benhavn'", False),
        ("2 BETWEEN 1 AND 3", True),
        ("id IN (id)", True),
        ("id NOT IN (parent_id, id)", False),
        ("CASEI('STRASSE') = CASEI('straße')", True),
    ],
)
def test_texts_patterns_and_lists(client: FlaskClient, text: str, everything: bool) -> None:  # noqa: FBT001
    expected = _find(client, "zones", "true") if everything else set()
    assert _find(client, "zones", text) == expected


def test_predicates_are_combined(client: FlaskClient) -> None:
    box = "S_INTERSECTS(geometry,BBOX(122,37,122.5,37.6))"
    predicates = ["kind <> 'administrative-area'", "id > 'm'", box, "name_en LIKE 'W%'"]
    everything = _find(client, "zones", "true")
    of = {one: _find(client, "zones", one) for one in predicates}  # all known of every zone: true or false
    assert all(set() < found < everything for found in of.values())
    for one, two, three, four in itertools.permutations(predicates):
        text = f"((NOT {one} AND {two}) OR ({three} and NOT {four}) or not ({one} AND {four}))"
        wanted = (of[two] - of[one]) | (of[three] - of[four]) | (everything - (of[one] & of[four]))
        assert _find(client, "zones", text) == wanted


def test_moments_are_the_same_in_json(client: FlaskClient) -> None:
    document = {"op": "<=", "args": [{"date": "2022-04-14"}, {"date": "2022-04-15"}]}
    path = "/ogc/collections/zones/items?f=json&limit=1000&filter-lang=cql2-json"
    answer = client.get(f"{path}&filter={quote(json.dumps(document))}")
    assert answer.get_json()["numberMatched"] == len(_find(client, "zones", "true"))


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_arithmetic_is_evaluated(client: FlaskClient, collection: str) -> None:
    everything = _find(client, collection, "true")
    for text in (
        "1+2=3",
        "5-3=2",
        "2*3=6",
        "10/4=2.5",
        "7 div 2=3",
        "7%2=1",
        "2^3=8",
        "2+3*2^2=14",
        "(2+3)*2=10",
    ):
        assert _find(client, collection, text) == everything, text
    for name, kind in _scalars(client, collection).items():
        queryable = _name(name)
        if kind not in {"number", "integer"}:
            _find(client, collection, f"{queryable} + 1 > 1", 400)
            continue
        known = _find(client, collection, f"{queryable} IS NOT NULL")
        for text in ("{} + 0", "{} - 0", "{} * 1", "{} / 1", "1 * ({} + 1) - 1", "{}^1", "{} div 1 + {} % 1"):
            made = text.replace("{}", queryable)
            assert _find(client, collection, f"{made} - {queryable} BETWEEN -0.001 AND 0.001") == known, text
        assert _find(client, collection, f"{queryable} / 0 = 1") == set()


@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("A_EQUALS(('a', true, 1.0), (1.0, 'a', true))", True),
        ("A_CONTAINS(('a', true, 1.0, DATE('2024-01-01')), ('a', DATE('2024-01-01')))", True),
        ("A_CONTAINEDBY(('a', 1.0), ('a', true, 1.0))", True),
        ("A_OVERLAPS(('a', true), ('b', true))", True),
        ("NOT A_OVERLAPS(('a', 1.0), ('b', true))", True),
        ("A_CONTAINS(('a'), ())", True),
        ("A_EQUALS((1+1), (2))", True),
        ("A_CONTAINS(('a', 'b'), ('a', 'c'))", False),
    ],
)
def test_arrays_are_related_as_sets(client: FlaskClient, text: str, true: bool) -> None:  # noqa: FBT001
    assert _find(client, "zones", text) == (_find(client, "zones", "true") if true else set())


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_anything_is_null_or_is_not(client: FlaskClient, collection: str) -> None:
    for text in ("'a'", "1", "true", "DATE('2024-01-01')", "POINT(1 2)", "('a', 'b')", "1 + 1"):
        assert _find(client, collection, f"{text} IS NULL") == set(), text
    for name in _scalars(client, collection):
        null = _find(client, collection, f"{_name(name)} IS NULL")
        assert _find(client, collection, f"({_name(name)} = {_name(name)}) IS NULL") == null
