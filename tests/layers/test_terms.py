"""What each layer and table says of its frame, its sources and their terms."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from geodata.model import Source
from geodata.read import read_facts
from layers.catalogue import list_terms, read_licence, read_own_terms
from layers.store import Release

OWN = read_own_terms()


@pytest.fixture(scope="module")
def summary(release: Release) -> Any:
    return release.read_json("pages/summary.json")


def test_ours_come_first_and_sources_by_how_many_rows_have_them() -> None:
    sources = {
        "a": Source(id="a", title="A", licence="ODbL-1.0"),
        "import-x": Source(id="import-x", title="某局", licence="内部使用"),
    }
    rows: list[dict[str, Any]] = [
        {"geometry_source": "import-x"},
        {"geometry_source": "a; import-x"},
        {"geometry_source": None},
        {},
    ]
    ours, first, second = list_terms(rows, sources, OWN)
    assert (ours["source"], ours["licence"], ours["count"]) == (None, OWN.licence, None)
    assert (first["source"], first["licence"], first["count"]) == ("import-x", "内部使用", 2)
    assert first["name"] == dict.fromkeys(("zh", "en", "ko"), "某局")
    assert (second["source"], second["rights"], second["count"]) == ("a", None, 1)


def test_the_statement_of_the_terms_names_our_licence() -> None:
    assert OWN.licence.replace("-", " ") in read_licence()


def test_every_source_of_a_layer_is_told_with_its_own_terms(release: Release, summary: Any) -> None:
    known = read_facts().sources
    for layer, told in summary.items():
        terms = {row["source"]: row for row in told["terms"]}
        assert told["terms"][0]["licence"] == OWN.licence, layer
        if told["crs"] is None:
            assert list(terms) == [None], layer
            continue
        assert told["crs"] == "CRS84"
        features = orjson.loads(release.read(f"data/{layer}.geojson"))["features"]
        named = [row["properties"]["geometry_source"] or "" for row in features]
        wanted = {name for joined in named for name in joined.split("; ") if name}
        assert set(terms) - {None} == wanted, layer
        for name in wanted:
            assert terms[name]["licence"] == known[name].licence
            assert terms[name]["count"] == sum(name in joined.split("; ") for joined in named)


def test_tables_have_no_frame(release: Release, summary: Any) -> None:
    for info in release.read_json("pages/catalogue.json"):
        assert (summary[info["id"]]["crs"] is None) == (info["geometry"] == "none"), info["id"]
