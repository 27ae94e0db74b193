"""Every store gives the answers that a plain reading of the question gives."""

from __future__ import annotations

import json
from typing import Any

import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry import shape as to_shape

from layers import memory
from layers.cql.parse import parse_filter
from layers.query import FeatureStore, Query, queryables
from layers.store import Release
from tests.layers import oracle

ASKED = ("zones", "towns", "platforms", "designations", "indicators")


class Features(dict[str, list[dict[str, Any]]]):
    """Every feature by collection, too much to print."""

    def __repr__(self) -> str:
        return "features"


@pytest.fixture(scope="session")
def features(store: FeatureStore) -> Features:
    """Every feature by collection, as the store sends it."""
    return Features(
        (row.id, [json.loads(feature.body) for feature in store.select(row.id, Query()).features])
        for row in store.collections()
    )


@pytest.fixture(scope="session")
def kinds(store: FeatureStore) -> dict[str, dict[str, Any]]:
    return {row.id: queryables(row.info) for row in store.collections()}


def ids(store: FeatureStore, collection: str, query: Query) -> list[str]:
    return [feature.id for feature in store.select(collection, query).features]


def test_the_collections_are_the_catalogue(store: FeatureStore, release: Release) -> None:
    catalogue = release.read_json("pages/catalogue.json")
    assert [row.id for row in store.collections()] == [layer["id"] for layer in catalogue]
    assert all((row.bounds is None) == (row.info["geometry"] == "none") for row in store.collections())


def test_the_features_are_those_of_the_files(store: FeatureStore, release: Release, features) -> None:
    for row in store.collections():
        if row.info["geometry"] == "none":
            rows = release.read_json(f"data/{row.id}.json")
            assert [feature["properties"] for feature in features[row.id]] == rows
            assert {feature["geometry"] for feature in features[row.id]} == {None}
        else:
            rows = release.read_json(f"data/{row.id}.geojson")["features"]
            assert features[row.id] == list(map(oracle.as_served, rows))
        assert row.count == len({feature["id"] for feature in features[row.id]})


def test_a_feature_is_found_by_its_id(store: FeatureStore, features) -> None:
    for collection, rows in features.items():
        for row in (rows[0], rows[-1]):
            found = store.get(collection, row["id"])
            assert found is not None
            assert json.loads(found.body) == row
        assert store.get(collection, "no such\0thing") is None


def test_an_unknown_collection_is_no_answer(store: FeatureStore) -> None:
    with pytest.raises(KeyError):
        store.select("provinces", Query())
    with pytest.raises(KeyError):
        store.get("provinces", "shandong")


@pytest.mark.parametrize("collection", ASKED)
@given(data=st.data())
@settings(max_examples=60)
def test_a_filter_selects_what_it_says(store, features, kinds, collection, data) -> None:
    condition = data.draw(oracle.conditions(features[collection], kinds[collection]))
    wanted = [row["id"] for row in features[collection] if oracle.holds(condition, row)]
    found = store.select(collection, Query(filter=condition))
    assert ([feature.id for feature in found.features], found.matched) == (wanted, len(wanted))


@given(data=st.data())
@settings(max_examples=100)
def test_a_filter_is_read_as_it_was_written(features, kinds, data) -> None:
    condition = data.draw(oracle.conditions(features["zones"], kinds["zones"]))
    text, document = oracle.to_text(condition), json.dumps(oracle.to_json(condition))
    assume("\\'" not in text)  # CQL2 reads that as a quote: no text can end in a backslash
    wanted = [oracle.holds(condition, row) for row in features["zones"]]
    for parsed in (
        parse_filter(text, "cql2-text", kinds["zones"]),
        parse_filter(document, "cql2-json", kinds["zones"]),
    ):
        assert [oracle.holds(parsed, row) for row in features["zones"]] == wanted


boxes = st.tuples(oracle.positions, st.integers(0, 90), st.integers(0, 70)).map(
    lambda given: (*given[0], given[0][0] + given[1] / 100, given[0][1] + given[2] / 100)
)


@pytest.mark.parametrize("collection", ["zones", "towns", "platforms"])
@given(asked=st.lists(boxes, min_size=1, max_size=2))
@settings(max_examples=40)
def test_a_box_selects_what_meets_it_and_what_is_nowhere(store, features, collection, asked) -> None:
    areas = [shapely.box(*bounds) for bounds in asked]
    wanted = [
        row["id"]
        for row in features[collection]
        if row["geometry"] is None or any(to_shape(row["geometry"]).intersects(area) for area in areas)
    ]
    assert ids(store, collection, Query(boxes=tuple(asked))) == wanted


def test_a_box_selects_every_row_of_a_table(store: FeatureStore, features) -> None:
    assert len(ids(store, "clauses", Query(boxes=((0, 0, 1, 1),)))) == len(features["clauses"])


@pytest.mark.parametrize("collection", ASKED)
@given(data=st.data())
@settings(max_examples=30)
def test_pages_together_are_the_whole(store, features, kinds, collection, data) -> None:
    names = [name for name, kind in kinds[collection].items() if kind != "geometry"]
    sort = data.draw(
        st.lists(st.tuples(st.sampled_from(names), st.booleans()), max_size=3, unique_by=lambda one: one[0])
    )
    condition = data.draw(st.none() | oracle.conditions(features[collection], kinds[collection]))
    limit = data.draw(st.integers(1, 40))
    whole = store.select(collection, Query(filter=condition, sort=tuple(sort)))
    pages = [
        store.select(collection, Query(filter=condition, sort=tuple(sort), limit=limit, offset=offset))
        for offset in range(0, whole.matched + limit, limit)
    ]
    assert [feature for page in pages for feature in page.features] == list(whole.features)
    assert {page.matched for page in pages} == {len(whole.features)}


@pytest.mark.parametrize("collection", ASKED)
@given(data=st.data())
@settings(max_examples=30)
def test_sorting_is_by_value_with_the_unknown_last(store, features, kinds, collection, data) -> None:
    names = [name for name, kind in kinds[collection].items() if kind != "geometry"]
    name, descending = data.draw(st.sampled_from(names)), data.draw(st.booleans())
    rows = {row["id"]: row for row in features[collection]}
    order = list(rows)

    def value(row_id: str) -> Any:
        return oracle.value_of(rows[row_id], oracle.Property(name, kinds[collection][name]))

    known = [row_id for row_id in order if value(row_id) is not None]
    wanted = sorted(known, key=value, reverse=descending)
    wanted += [row_id for row_id in order if value(row_id) is None]
    assert ids(store, collection, Query(sort=((name, descending),))) == wanted


def test_what_is_near_a_point_holds_every_place_around_it(store: FeatureStore) -> None:
    near = {head["id"] for head, _ in store.near(122.06, 37.53, 500.0)}
    assert {"huancui", "gaoqu"} <= near
    assert "rushan" not in near
    for _, wkb in store.near(122.06, 37.53, 500.0):
        assert not shapely.from_wkb(wkb).is_empty


def test_the_first_question_finds_the_indexes_made(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    store = memory.MemoryStore(release)
    monkeypatch.delattr(shapely, "STRtree")
    monkeypatch.delattr(memory, "read_entries")
    assert store.select("zones", Query(boxes=((121, 36, 123, 38),))).matched
    assert list(store.near(122.1, 37.4, 300))
