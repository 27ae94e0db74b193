"""Polygons of an operator's own layer on the map, beside explore() and plain Folium of the same.

As many as a city has districts, towns or plots, with the corners of surveyed ones. They stand in a copy of
the live release as its build would have written them: what a map draws, simplified and compressed. A
service takes half a million corners in a layer; the largest number here shows how drawing grows.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import brotli
import numpy as np
import orjson
import shapely
from flask import Flask, Response

from geodata.crs import Bounds
from geodata.own_layers import OwnFeature, OwnLayer, SuppliedLayer
from layers.own import build_own_points, describe_own
from layers.store import Release, place_release
from scripts.bench.load import Result, live_at
from scripts.bench.map import BROWSER_FLAGS, build_peer, find_chromium, render_peer, visit
from scripts.bench.synthetic import CELL_DEG, build_ring
from webmap.app import create_app
from webmap.i18n import LANGUAGES
from webmap.server import serving
from webmap.settings import read_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

COUNTS, VERTICES = (60, 500, 5000), 800
LAYER = "own-plots"
COMPRESSED = (".gz", ".br")
DECLARED = {
    "title": "地块",
    "fields": [{"name": "code", "title": "编号"}],
    "popup": {"title": "code"},
    "source": "synthetic",
    "as_of": "2026-01-01",
    "licence": "CC0",
}
# Runs before the page: notes when the frame with the last polygon has been made.
WATCH = """
window.allDrawn = new Promise((resolve, reject) => {
  setTimeout(() => reject(new Error("not drawn in 5 minutes")), 300000);
  const look = () => {
    if (COUNTED < EXPECTED) return requestAnimationFrame(look);
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(performance.now());
    return requestAnimationFrame(() => port2.postMessage(null));
  };
  requestAnimationFrame(look);
});
"""
ON_OURS = "Object.values(window.planMap?._layers ?? {}).filter((one) => !one._path && one._parts).length"
ON_PEERS = "document.querySelectorAll('path.leaflet-interactive').length"


def bench_many(home: Path, rounds: int = 3) -> Result:
    """Return bytes over the wire and time to the last polygon drawn, by number, and our shares."""
    from playwright.sync_api import sync_playwright

    release = live_at(home)
    found: Result = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=BROWSER_FLAGS)
        for count in COUNTS:
            rings = list(_build_rings(count, tuple(release.read_json("map/zh.json")["bounds"])))
            found[str(count)] = _compare(browser, release, rings, max(1, rounds * COUNTS[0] // count))
        browser.close()
    return found


def _build_rings(count: int, bounds: Bounds) -> Iterator[shapely.Polygon]:
    """Yield as many polygons side by side in a square, degrees, the same on every machine."""
    west, south, east, north = bounds
    across = int(np.ceil(np.sqrt(count)))
    size = np.array([(east - west) / across, (north - south) / across])
    for number in range(count):
        row, column = divmod(number, across)
        ring = build_ring(np.random.default_rng(number), 0, 0, VERTICES) / CELL_DEG
        middle = np.array([west, south]) + size * [column + 0.5, row + 0.5]
        yield shapely.Polygon(np.round(ring * size + middle, 7))


def _compare(browser: Browser, release: Release, rings: list[shapely.Polygon], rounds: int) -> Result:
    rows: dict[str, list[dict[str, int]]] = {"ours": [], "explore": [], "folium": []}
    with ExitStack() as stack:
        ours = stack.enter_context(_with_layer(release, rings))
        site = stack.enter_context(serving(create_app(ours, read_settings({})), {}))
        peer = stack.enter_context(serving(_peer(release, rings), {}))
        addresses = {"ours": f"{site}/?lang=zh&layers={LAYER}"}
        addresses |= {name: f"{peer}/{name}" for name in ("explore", "folium")}
        for _ in range(rounds):
            for name, address in addresses.items():
                counted = ON_OURS if name == "ours" else ON_PEERS
                script = WATCH.replace("COUNTED", counted).replace("EXPECTED", str(len(rings)))
                rows[name].append(visit(browser, address, script, {"drawn_ms": "window.allDrawn"}))
    median = {
        name: {key: float(np.median([row[key] for row in visits])) for key in ("drawn_ms", "wire_bytes")}
        for name, visits in rows.items()
    }
    shares = {
        f"{key.partition('_')[0]}_ratio": round(median["ours"][key] / median["explore"][key], 3)
        for key in ("drawn_ms", "wire_bytes")
    }
    return {**median, **shares}


@contextmanager
def _with_layer(release: Release, rings: list[shapely.Polygon]) -> Iterator[Release]:
    """Give a copy of the release with a layer of these polygons on its maps."""
    rows = tuple(
        OwnFeature(str(number), dict.fromkeys(LANGUAGES, f"{number}"), {"code": f"{number}"}, ring)
        for number, ring in enumerate(rings)
    )
    layer = SuppliedLayer(LAYER, OwnLayer.model_validate(DECLARED), "polygon", rows)
    paths = [path for path in release.paths() if not path.endswith(COMPRESSED)]
    files = {path: release.read(path) for path in paths} | {f"map/own/{LAYER}.json": build_own_points(layer)}
    for language in LANGUAGES:
        payload: dict[str, Any] = release.read_json(f"map/{language}.json")
        strings = payload["strings"] | {f"layer.{LAYER}": "地块"}
        own = [describe_own(layer, language)]
        files[f"map/{language}.json"] = orjson.dumps(payload | {"strings": strings, "own": own})
    with tempfile.TemporaryDirectory() as folder:
        yield place_release(Path(folder), release.id, files)


def _peer(release: Release, rings: list[shapely.Polygon]) -> Flask:
    """Return pages of ``explore()`` and of a plain Folium map, made on request, with our local Leaflet."""
    import folium
    import geopandas  # both before anybody waits for a page

    codes = [str(number) for number in range(len(rings))]
    frame = geopandas.GeoDataFrame({"code": codes}, geometry=rings, crs="EPSG:4326")
    app = build_peer(release)

    @app.get("/explore")
    def _explore() -> Response:
        return _render(frame.explore(tiles=None, legend=False))

    @app.get("/folium")
    def _folium() -> Response:
        plan_map = folium.Map(tiles=None)
        folium.GeoJson(json.loads(frame.to_json())).add_to(plan_map)
        plan_map.fit_bounds([[frame.total_bounds[1], frame.total_bounds[0]], [*frame.total_bounds[3:1:-1]]])
        return _render(plan_map)

    return app


def _render(plan_map: Any) -> Response:
    """Return a map as a page, compressed as a server would."""
    body = brotli.compress(render_peer(plan_map).encode(), quality=4)
    return Response(body, headers={"Content-Encoding": "br"})
