"""Clients that nobody here wrote: GDAL, OWSLib, a validator and schemathesis."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyogrio
import pytest
import shapely
from owslib.ogcapi.features import Features
from pyproj import Transformer

from layers.axes import ALL
from layers.store import Release
from tests.webmap.conftest import running
from webmap.app import create_app
from webmap.settings import Settings

ROOT = Path(__file__).parents[3]
ASKED: list[str] = []


@pytest.fixture(scope="module")
def site(home: Path, release: Release) -> Iterator[str]:
    """Return the address of a running server that notes what it is asked."""
    app = create_app(release, Settings(home))

    def note(environ: Any, start: Any) -> Any:
        ASKED.append(f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        return app(environ, start)

    with running(note) as address:
        yield f"{address}/ogc"


@pytest.fixture(scope="module")
def gdal(site: str) -> Iterator[Callable[..., Any]]:
    """Return what reads a collection with GDAL: in a process of its own, for it lets no other thread run."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:

        def read(collection: str, **options: Any) -> Any:
            ASKED.clear()
            source = f"OAPIF:{site}/collections/{collection}" if collection else f"OAPIF:{site}"
            if not collection:
                return pool.submit(pyogrio.list_layers, source).result(60)
            return pool.submit(pyogrio.read_dataframe, source, layer=collection, **options).result(60)

        yield read


def test_gdal_finds_every_collection(gdal, release: Release) -> None:
    names = [name for name, _ in gdal("")]
    assert names == [layer["id"] for layer in release.read_json("pages/catalogue.json")]


def test_gdal_follows_the_pages(gdal, release: Release) -> None:
    found = gdal("platforms", PAGE_SIZE=20)
    rows = release.read_json("data/platforms.geojson")["features"]
    assert list(found["id"]) == [row["id"] for row in rows]
    assert list(found["name_zh"]) == [row["properties"]["name_zh"] for row in rows]
    assert [bool(place) for place in found.geometry] == [bool(row["geometry"]) for row in rows]
    assert sum("/items?" in asked for asked in ASKED) >= 12


@pytest.mark.parametrize("axes", [axes for axes in ALL if axes.metric], ids=lambda axes: axes.frame)
def test_gdal_reads_every_system(gdal, axes) -> None:
    found = gdal("towns", CRS=axes.frame)
    assert found.crs.to_epsg() == int(axes.frame.removeprefix("EPSG:"))
    change = Transformer.from_crs("OGC:CRS84", axes.frame, always_xy=True)
    points = shapely.get_coordinates(gdal("towns").geometry)
    wanted = np.column_stack(change.transform(points[:, 0], points[:, 1]))
    assert np.abs(shapely.get_coordinates(found.geometry) - wanted).max() < 0.001  # metres


def test_gdal_pushes_filters_and_boxes_down(gdal) -> None:
    found = gdal("platforms", where="kind = 'university'")
    assert set(found["kind"]) == {"university"}
    assert any("kind" in unquote(asked) and "university" in asked for asked in ASKED)
    found = gdal("towns", bbox=(122.0, 37.4, 122.1, 37.5))
    assert 0 < len(found) < 30
    assert any("bbox=" in asked for asked in ASKED)


def test_gdal_finds_what_the_readme_looks_for(gdal) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (collection,) = re.findall(r'ogr2ogr \S+ "OAPIF:\S+/ogc/collections/(\w+)"', text)
    (wanted,) = re.findall(r'-where "([^"]+)"', text)
    assert 0 < len(gdal(collection, where=wanted)) < len(gdal(collection))


def test_gdal_asks_for_one_feature_by_its_id(gdal) -> None:
    assert list(gdal("zones", where="id = 'gaoqu'")["name_zh"]) == ["高区"]
    assert "/ogc/collections/zones/items/gaoqu?" in ASKED


def test_gdal_finds_either_of_two_ids(gdal) -> None:
    # Were "cql-text" among the filter languages, GDAL 3.12 would ask for the second id alone.
    assert set(gdal("zones", where="id = 'gaoqu' OR id = 'jingqu'")["id"]) == {"gaoqu", "jingqu"}


def test_gdal_reads_tables_and_types(gdal, release: Release) -> None:
    found = gdal("indicators")
    assert list(found["id"]) == [row["id"] for row in release.read_json("data/indicators.json")]
    assert found.dtypes["base_value"] == "float64"
    for layer in release.read_json(
        "pages/catalogue.json"
    ):  # GDAL asks for systems only where they are listed
        if layer["geometry"] == "none":
            assert len(gdal(layer["id"])) == len(release.read_json(f"data/{layer['id']}.json"))
            assert not any("crs=" in asked for asked in ASKED)


def test_owslib_reads_what_it_knows(site: str, release: Release) -> None:
    client = Features(site)
    assert any(name.endswith("/conf/crs") for name in client.conformance()["conformsTo"])
    assert "/collections/zones/items" in client.api()["paths"]
    spatial = [layer["id"] for layer in release.read_json("pages/catalogue.json")]
    assert client.feature_collections() == spatial
    assert "area_km2" in client.collection_queryables("zones")["properties"]
    assert "area_km2" in client.collection_schema("zones")["properties"]
    page = client.collection_items("towns", limit=10)
    assert (page["numberReturned"], page["numberMatched"]) == (10, 73)
    assert client.collection_items("towns", bbox=[122.0, 37.4, 122.1, 37.5])["numberMatched"] < 30
    assert client.collection_items("zones", filter="area_km2 > 200")["numberMatched"] == 2
    assert client.collection_item("zones", "gaoqu")["id"] == "gaoqu"
