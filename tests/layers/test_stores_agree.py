"""The store in memory and the store in PostGIS give the same answers: any query over any features."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import shapely
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from geodata.boundaries import flatten_value
from layers.cql.tree import (
    Arithmetic,
    Compare,
    Condition,
    Constant,
    Folded,
    IsNull,
    Like,
    Not,
    Operator,
    Property,
)
from layers.memory import MemoryTable
from layers.postgis import loader as loading
from layers.postgis.loader import Snapshot, load_release
from layers.postgis.queries import PostgisStore
from layers.query import Query, StoredRow, queryables
from scripts.bench.load import DatabaseCluster
from tests.layers import oracle

FIELDS = {
    "id": "string",
    "name": "string",
    "tags": "array",
    "size": "number",
    "rank": "integer",
    "open": "boolean",
}
INFO: Any = {
    "id": "made-up",
    "geometry": "polygon",
    "fields": [{"name": name, "type": kind} for name, kind in FIELDS.items()],
}
KINDS = queryables(INFO)
TEXTS = ["", "a", "A", "b", "Ab", "a%b", "a_b", "a\\b", "a\nb", "ß", "SS", "ẞ", "İ", "Ǆ", "é", "e\u0301"]
TEXTS += [
    "威海",
    "高区",
    "高新技术",
    "\U0001f30a",
    "\uffff",
    "'; DROP TABLE features; --",
    '"',
    "null",
    "1",
    "%s",
    "{}",
]
NUMBERS = [0.0, -0.0, 1.0, 1.5, -1.0, 0.1, 0.1 + 0.2, 0.3, 1e-320, 1e300, -1e300, 2.0**53, 2.0**53 + 2]
QUERIES = 12  # of each set of features

areas = (
    st.lists(oracle.shapes, min_size=1, max_size=2)
    .map(shapely.union_all)
    .filter(lambda shape: not isinstance(shape, shapely.GeometryCollection))
)
properties = st.fixed_dictionaries(
    {
        "name": st.none()
        | st.sampled_from(TEXTS)
        | st.text(max_size=3).filter(lambda text: "\0" not in text),
        "tags": st.lists(st.sampled_from(TEXTS), max_size=4),
        "size": st.none() | st.sampled_from(NUMBERS) | st.floats(allow_nan=False, allow_infinity=False),
        "rank": st.none() | st.integers(-3, 3) | st.integers(2**53, 2**53 + 3),
        "open": st.none() | st.booleans(),
    }
)
boxes = st.tuples(oracle.positions, st.integers(0, 60), st.integers(0, 60)).map(
    lambda given: (*given[0], given[0][0] + given[1] / 100, given[0][1] + given[2] / 100)
)
releases = itertools.count()


def to_row(index: int, values: dict[str, Any], geometry: Any) -> StoredRow:
    own = {"id": f"row-{index}"} | values
    place = json.loads(shapely.to_geojson(geometry)) if geometry else None
    feature = {"type": "Feature", "id": own["id"], "geometry": place, "properties": own}
    flat = {name: flatten_value(value) for name, value in own.items()}
    return StoredRow(own["id"], json.dumps(feature).encode(), flat, geometry)


@pytest.fixture(scope="module")
def empty(cluster: DatabaseCluster) -> Iterator[str]:
    """Return the address of a database of its own, where the smallest tables have all indexes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loading, "INDEXED_FROM", 0)
        yield cluster.new_database("agree")


def queries(features: list[dict[str, Any]]) -> st.SearchStrategy[Query]:
    names = st.sampled_from([name for name, kind in KINDS.items() if kind != "geometry"])
    return st.builds(
        Query,
        boxes=st.lists(boxes, max_size=2).map(tuple),
        filter=st.none() | oracle.conditions(features, KINDS),
        sort=st.lists(st.tuples(names, st.booleans()), max_size=2, unique_by=lambda one: one[0]).map(tuple),
        limit=st.none() | st.integers(1, 9),
        offset=st.integers(0, 9) | st.just(10**12),
    )


@given(data=st.data())
@settings(max_examples=12, phases=[Phase.explicit, Phase.generate])  # shrinking would load for minutes
def test_both_stores_give_the_same_answers(empty: str, data: st.DataObject) -> None:
    """Whether the database reads the table or its indexes, which only its planner knows."""
    given_rows = data.draw(st.lists(st.tuples(properties, st.none() | areas), min_size=1, max_size=25))
    rows = [to_row(index, *one) for index, one in enumerate(given_rows)]
    table = MemoryTable(INFO, rows)
    snapshot = Snapshot(f"made{next(releases)}", (table.collection,), lambda _: rows, [])
    load_release(empty, snapshot, lambda *_: None)
    scanning = data.draw(st.sampled_from(["on", "off"]))
    features = [json.loads(row.body) for row in rows]
    asked = [data.draw(queries(features)) for _ in range(QUERIES)]
    store = PostgisStore(f"{empty}&options=-c%20enable_seqscan%3D{scanning}", snapshot.release)
    for query in asked:
        assert store.select("made-up", query) == table.select(query)
    store.close()


def test_both_stores_calculate_alike(empty: str) -> None:
    """Also where the processor would answer with infinity, and the database with an error."""
    rows = [
        to_row(index, {"name": None, "tags": [], "size": size, "rank": rank, "open": None}, None)
        for index, (size, rank) in enumerate(itertools.product([*NUMBERS, None], [-2, 0, 3]))
    ]
    table = MemoryTable(INFO, rows)
    snapshot = Snapshot("numbers", (table.collection,), lambda _: rows, [])
    load_release(empty, snapshot, lambda *_: None)
    store = PostgisStore(empty, snapshot.release)
    size, rank = Property("size", "number"), Property("rank", "number")
    for operator in get_args(Operator):
        for right in (rank, size, Constant(0.0), Constant(0.5), Constant(-3.0), Constant(1e99)):
            made = Arithmetic(operator, size, right)
            nested = Arithmetic(operator, Arithmetic("*", made, made), rank)
            asked: list[Condition] = [
                IsNull(made),
                IsNull(nested),
                Compare(">", nested, made),
                Compare("<=", made, Constant(1.0)),
            ]
            for condition in asked:
                query = Query(filter=condition)
                assert store.select("made-up", query) == table.select(query), condition
    store.close()


# Pieces of what a list is filtered by: its entries, parts of them, and what stands between and beside them.
PIECES = ["%", "%", "_", ";", "\\;", "\\%", "\\\\", "a", "B", "ss", "威", "高新", *TEXTS]
patterns = st.lists(st.sampled_from(PIECES), max_size=5).map("".join).filter(lambda text: not _cut_off(text))


def _cut_off(pattern: str) -> bool:
    """Tell whether a pattern ends in the middle of an escape."""
    return (len(pattern) - len(pattern.rstrip("\\"))) % 2 == 1


@given(data=st.data())
@settings(max_examples=8, phases=[Phase.explicit, Phase.generate])
def test_lists_are_found_by_what_is_in_them_as_if_they_were_read(empty: str, data: st.DataObject) -> None:
    given_rows = data.draw(st.lists(st.tuples(properties, st.none()), min_size=10, max_size=25))
    rows = [to_row(index, *one) for index, one in enumerate(given_rows)]
    table = MemoryTable(INFO, rows)
    snapshot = Snapshot(f"lists{next(releases)}", (table.collection,), lambda _: rows, [])
    load_release(empty, snapshot, lambda *_: None)
    tags = Property("tags", "string")
    store = PostgisStore(f"{empty}&options=-c%20enable_seqscan%3Doff", snapshot.release)
    for pattern in data.draw(st.lists(patterns, min_size=40, max_size=40)):
        for like in (Like(tags, pattern), Like(Folded(tags), pattern.casefold())):
            for condition in (like, Not(like)):
                query = Query(filter=condition)
                assert store.select("made-up", query) == table.select(query), pattern
    store.close()
