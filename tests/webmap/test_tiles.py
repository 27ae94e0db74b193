"""Vector tiles hold what the layer holds, where it is, and say so."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from flask.testing import FlaskClient

from layers.store import Release


def tile_of(lon: float, lat: float, z: int) -> tuple[int, int]:
    """Return column and row of the tile that a position lies in."""
    up = math.asinh(math.tan(math.radians(lat)))
    return int((lon + 180) / 360 * 2**z), int((1 - up / math.pi) / 2 * 2**z)


def layers(release: Release) -> list[dict[str, Any]]:
    return [info for info in release.read_json("pages/catalogue.json") if info["geometry"] != "none"]


def test_every_layer_has_tiles_that_say_where_they_are(client: FlaskClient, release: Release) -> None:
    for info in layers(release):
        document = client.get(f"/tiles/{info['id']}.json").get_json()
        assert document["tilejson"] == "3.0.0"
        assert document["tiles"] == [f"http://localhost/tiles/{info['id']}/{{z}}/{{x}}/{{y}}.mvt"]
        (layer,) = document["vector_layers"]
        assert layer["id"] == info["id"]
        assert {"id", "name_zh"} <= layer["fields"].keys()
        west, south, east, north = document["bounds"]
        box = release.read_json("pages/summary.json")[info["id"]]["bbox"]
        assert [west, south, east, north] == pytest.approx(box, abs=0.02)
        assert release.size(f"files/{info['id']}.pmtiles") < 1_000_000


@pytest.mark.parametrize("z", [7, 12])
def test_a_tile_holds_the_place_that_lies_in_it(
    client: FlaskClient, release: Release, tmp_path: Path, z: int
) -> None:
    x, y = tile_of(122.06, 37.52, z)
    answer = client.get(f"/tiles/zones/{z}/{x}/{y}.mvt", headers={"Accept-Encoding": "gzip"})
    assert answer.mimetype == "application/vnd.mapbox-vector-tile"
    assert answer.headers["Content-Encoding"] == "gzip"
    path = tmp_path / "tile.mvt"
    path.write_bytes(gzip.decompress(answer.data))
    plain = client.get(f"/tiles/zones/{z}/{x}/{y}.mvt")
    assert "Content-Encoding" not in plain.headers
    assert plain.data == path.read_bytes()
    found = pyogrio.read_dataframe(path, layer="zones", X=x, Y=y, Z=z, CLIP="NO").to_crs("OGC:CRS84")
    rows = {row["id"]: row["properties"] for row in release.read_json("data/zones.geojson")["features"]}
    assert "gaoqu" in set(found["id"])
    for row in found.to_dict("records"):
        assert row["name_zh"] == rows[row["id"]]["name_zh"]
    west, south, east, north = found.total_bounds
    assert west <= 122.06 <= east
    assert south <= 37.52 <= north


def test_an_empty_tile_is_empty_and_no_tile_is_not_found(client: FlaskClient) -> None:
    assert client.get("/tiles/zones/8/0/0.mvt").status_code == 204
    answer = client.get("/tiles/zones/8/214/99.mvt")
    assert answer.status_code == 200
    again = client.get("/tiles/zones/8/214/99.mvt", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    for path in (
        "zones/25/0/0.mvt",
        "zones/8/256/0.mvt",
        "zones/0/0/0.mvt",
        "zone/8/0/0.mvt",
        "clauses/8/0/0.mvt",
    ):
        assert client.get(f"/tiles/{path}").status_code == 404, path
    near = client.get("/tiles/zoness.json", headers={"Accept": "application/json"})
    assert near.status_code == 404
    assert near.get_json()["near"][0]["id"] == "zones"
    assert client.get("/tiles/zones.json?f=xml").status_code == 400


def test_tiles_are_open_to_every_page(client: FlaskClient) -> None:
    for path in ("/tiles/zones.json", "/tiles/zones/8/214/99.mvt"):
        assert client.get(path).headers["Access-Control-Allow-Origin"] == "*"
