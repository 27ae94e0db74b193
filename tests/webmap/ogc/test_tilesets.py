"""OGC API – Tiles, Part 1 (OGC 20-057): the abstract tests of every class that is declared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.webmap.test_tiles import tile_of

VECTOR = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector"
SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
URI = "http://www.opengis.net/def/tilematrixset/OGC/1.0/WebMercatorQuad"
MVT = "application/vnd.mapbox-vector-tile"


def ask(client: FlaskClient, address: str) -> Any:
    answer = client.get(address, headers={"Accept": "application/json"})
    assert answer.status_code == 200, (address, answer.get_data(as_text=True)[:300])
    return answer.get_json()


def hrefs(document: Any, rel: str, media: str = "application/json") -> list[str]:
    return [one["href"] for one in document["links"] if (one["rel"], one["type"]) == (rel, media)]


def tilesets(client: FlaskClient) -> Iterator[tuple[Any, Any]]:
    """Yield what links to each list of tilesets, None for the whole, and its only tileset."""
    sources = [
        (None, ask(client, "/ogc/")),
        *((one, one) for one in ask(client, "/ogc/collections")["collections"]),
    ]
    for row, source in sources:
        for href in hrefs(source, VECTOR):
            (one,) = ask(client, href)["tilesets"]
            assert (one["dataType"], one["tileMatrixSetURI"]) == ("vector", URI)
            assert hrefs(one, SCHEME)
            (own,) = hrefs(one, "self")
            assert own.partition("?")[0] == href.partition("?")[0] + "/WebMercatorQuad"
            yield row, ask(client, own)


def test_what_is_declared_is_there_for_everything_with_a_place(client: FlaskClient) -> None:
    declared = ask(client, "/ogc/conformance")["conformsTo"]
    for name in ("core", "tileset", "tilesets-list", "dataset-tilesets", "geodata-tilesets", "mvt", "oas30"):
        assert f"http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf/{name}" in declared
    collections = ask(client, "/ogc/collections")["collections"]
    placed = [one["id"] for one in collections if "extent" in one]
    found = [row["id"] if row else None for row, _ in tilesets(client)]
    assert found == [None, *placed]
    paths = ask(client, "/ogc/api")["paths"]
    for at in ("", *(f"/collections/{one}" for one in placed)):
        tail = ("/tiles", "/tiles/WebMercatorQuad", "/tiles/WebMercatorQuad/{tileMatrix}/{tileRow}/{tileCol}")
        names = [paths[at + below]["get"]["operationId"] for below in tail]
        assert [name.rpartition(".")[2] for name in names] == ["getTileSetsList", "getTileSet", "getTile"]
    for table in {one["id"] for one in collections} - set(placed):
        assert client.get(f"/ogc/collections/{table}/tiles?f=json").status_code == 404


def test_the_grid_is_the_registered_one(client: FlaskClient) -> None:
    (listed,) = ask(client, "/ogc/tileMatrixSets")["tileMatrixSets"]
    (href,) = hrefs(listed, "item")
    grid = ask(client, href)
    assert (grid["id"], grid["uri"], grid["crs"]) == (
        "WebMercatorQuad",
        URI,
        "http://www.opengis.net/def/crs/EPSG/0/3857",
    )
    assert [one["id"] for one in grid["tileMatrices"]] == [str(zoom) for zoom in range(25)]
    # As OGC 17-083r4, annex D, prints them.
    twelfth = grid["tileMatrices"][12]
    assert twelfth["scaleDenominator"] == pytest.approx(136494.693366386)
    assert twelfth["cellSize"] == pytest.approx(38.2185141425881)
    assert twelfth["pointOfOrigin"] == pytest.approx([-20037508.3427892, 20037508.3427892])
    sizes = {
        (
            one["tileWidth"],
            one["tileHeight"],
            one["matrixWidth"] == one["matrixHeight"] == 2 ** int(one["id"]),
        )
        for one in grid["tileMatrices"]
    }
    assert sizes == {(256, 256, True)}


def test_every_tile_within_the_limits_is_there_and_none_outside(client: FlaskClient) -> None:
    for row, tileset in tilesets(client):
        (template,) = [one for one in tileset["links"] if one["rel"] == "item"]
        assert (template["templated"], template["type"]) == (True, MVT)
        assert [one["id"] for one in tileset["layers"]] == [row["id"]] if row else len(tileset["layers"]) > 5
        full = 0
        for limits in tileset["tileMatrixSetLimits"][:4]:
            last = limits["maxTileRow"], limits["maxTileCol"]
            for at_row in range(limits["minTileRow"], last[0] + 1):
                for column in range(limits["minTileCol"], last[1] + 1):
                    values = {"tileMatrix": limits["tileMatrix"], "tileRow": at_row, "tileCol": column}
                    answer = client.get(template["href"].format(**values))
                    assert (answer.status_code, answer.mimetype) == (200, MVT)
                    full += bool(answer.data)
            beyond = {"tileMatrix": limits["tileMatrix"], "tileRow": last[0] + 1, "tileCol": last[1]}
            assert client.get(template["href"].format(**beyond)).status_code == 404
        assert full


def test_a_tile_has_the_bytes_of_its_layers(client: FlaskClient) -> None:
    column, row = tile_of(122.06, 37.52, 8)
    whole = client.get(f"/ogc/tiles/WebMercatorQuad/8/{row}/{column}").data
    parts = 0
    for one in ask(client, "/ogc/tiles/WebMercatorQuad")["layers"]:
        address = f"/ogc/collections/{one['id']}/tiles/WebMercatorQuad/8/{row}/{column}"
        answer = client.get(address, headers={"Accept": "text/html"})
        alone = client.get(f"/tiles/{one['id']}/8/{column}/{row}.mvt")
        if answer.status_code == 200:
            assert answer.data == alone.data
            assert answer.data in whole
            parts += len(answer.data)
        else:
            assert alone.status_code == 204  # beyond its limits
        (described,) = hrefs(one, "describedby", "application/schema+json")
        known = ask(client, described)["properties"].keys()
        (tilejson,) = [link["href"] for link in one["links"] if link.get("title") == "TileJSON"]
        assert ask(client, tilejson)["vector_layers"][0]["fields"].keys() <= known | {"id"}
    assert len(whole) == parts > 0
    etag = client.get(f"/ogc/tiles/WebMercatorQuad/8/{row}/{column}").headers["ETag"]
    again = client.get(f"/ogc/tiles/WebMercatorQuad/8/{row}/{column}", headers={"If-None-Match": etag})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("below", "status"),
    [
        ("tiles/WebMercatorQuad/8/99/x", 404),
        ("tiles/WebMercatorQuad/8/99/-1", 404),
        ("tiles/WebMercatorQuad/٨/99/214", 404),
        ("tiles/WebMercatorQuad/8/2147483647/2147483647", 404),
        ("tiles/WebMercatorQuad/99999999999999999999/1/1", 404),
        ("tiles/WebMercatorQuad/8/99", 404),
        ("tiles/WebMercatorQuad/8/99/214/1", 404),
        ("tiles/WorldCRS84Quad", 404),
        ("tiles/WebMercatorQuad/8/99/214?f=json", 400),
        ("tiles/WebMercatorQuad?f=json&crs=x", 400),
    ],
)
def test_what_is_no_tile_is_refused_in_words(client: FlaskClient, below: str, status: int) -> None:
    for at in ("/ogc", "/ogc/collections/zones"):
        answer = client.get(f"{at}/{below}")
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_people_see_the_same_as_a_page(client: FlaskClient, language: str) -> None:
    for path in ("tiles", "tiles/WebMercatorQuad", "tileMatrixSets", "tileMatrixSets/WebMercatorQuad"):
        for at in ("/ogc/", "/ogc/collections/zones/"):
            if path.startswith("tileM") and "zones" in at:
                continue
            answer = client.get(f"{at}{path}?f=html&lang={language}")
            assert answer.status_code == 200
            page = answer.get_data(as_text=True)
            assert f'lang="{language}' in page or f'lang="{language}-' in page
            for href in re.findall(r'href="(/ogc/[^"]+)"', page):
                assert client.get(href.replace("&amp;", "&")).status_code == 200, href
