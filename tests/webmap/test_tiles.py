"""Tile basemaps: none unless the operator asks, and then where they belong."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

from geodata import crs
from layers.store import Release
from tests.webmap.conftest import serving
from webmap.app import create_app
from webmap.settings import Settings, read_settings

LON, LAT, ZOOM = 122.0853, 37.5123, 16


def _png() -> bytes:
    """One transparent pixel."""
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" * 5)),
        (b"IEND", b""),
    ]
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _tile(lon: float, lat: float) -> tuple[int, int]:
    """Return the column and row of the Web Mercator tile that holds a position."""
    size = 2**ZOOM
    mercator = math.asinh(math.tan(math.radians(lat)))
    return int((lon + 180) / 360 * size), int((1 - mercator / math.pi) / 2 * size)


def test_without_the_operator_s_wish_no_tile_host_is_named(client: FlaskClient) -> None:
    answer = client.get("/")
    for host in ("autonavi", "tianditu.gov"):
        assert host not in answer.text
        assert host not in answer.headers["Content-Security-Policy"]


def test_the_policy_names_the_tile_hosts_for_images_only(home: Path, release: Release) -> None:
    policy = (
        create_app(release, Settings(home, "gaode")).test_client().get("/").headers["Content-Security-Policy"]
    )
    with_host = [part.split()[0] for part in policy.split(";") if "autonavi" in part]
    assert with_host == ["img-src"]


@pytest.mark.browser
@pytest.mark.parametrize(("tiles", "frame"), [("gaode", "GCJ-02"), ("tianditu", "CRS84")])
def test_the_tile_at_the_centre_is_the_one_that_lies_there(
    browser: Browser, home: Path, release: Release, tiles: str, frame: str
) -> None:
    key = "abc123" if tiles == "tianditu" else None
    with serving(release, Settings(home, tiles, key)) as site:
        context = browser.new_context(viewport={"width": 1200, "height": 800})
        page = context.new_page()
        pixel = _png()
        page.route(
            lambda url: not url.startswith(site),
            lambda route: route.fulfill(body=pixel, content_type="image/png"),
        )
        page.goto(f"{site}/?lang=zh#{ZOOM}/{LAT}/{LON}")
        expect(page.locator("#atlas.ready")).to_be_attached()
        expect(page.locator("img.leaflet-tile-loaded").first).to_be_attached()
        sources = page.evaluate(
            """() => {
              const box = planMap.getContainer().getBoundingClientRect();
              const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
              const covers = (r) => r.left <= x && x < r.right && r.top <= y && y < r.bottom;
              return [...document.querySelectorAll('img.leaflet-tile')]
                .filter((tile) => covers(tile.getBoundingClientRect())).map((tile) => tile.src);
            }"""
        )
        context.close()
    east, north = crs.transform(LON, LAT, crs.LONLAT, frame)
    column, row = _tile(float(east), float(north))
    names = ("TILECOL", "TILEROW") if tiles == "tianditu" else ("x", "y")
    assert any(
        f"{names[0]}={column}&" in f"{src}&" and f"{names[1]}={row}&" in f"{src}&" for src in sources
    ), sources


@pytest.mark.parametrize(
    "environ",
    [
        {"WEIHAI_LAYOUT_TILES": "google"},
        {"WEIHAI_LAYOUT_TILES": "tianditu"},
        {"WEIHAI_LAYOUT_TILES": "tianditu", "WEIHAI_LAYOUT_TIANDITU_KEY": "a b;c"},
    ],
)
def test_a_bad_setting_is_refused_by_name(environ: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="WEIHAI_LAYOUT_TI"):
        read_settings(environ)
