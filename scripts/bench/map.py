"""The map in headless Chromium: its first view, how smoothly it moves, and many polygons of an own layer.

The first view is measured against ``geopandas.explore()`` of the same layers and Leaflet. As many polygons as
a city has districts, towns or plots, with the corners of surveyed ones, stand in a copy of the live release
as its build would have written them, beside explore() and plain Folium of the same. A service takes half a
million corners in a layer; the largest number here shows how drawing grows.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import brotli
import numpy as np
import orjson
import shapely
from flask import Flask, Response

from geodata.crs import Bounds
from geodata.own_layers import OwnFeature, OwnLayer, SuppliedLayer
from layers.features import build_own_points, describe_own
from layers.store import Release, place_release
from scripts.bench.load import Result, live_at
from scripts.bench.synthetic import CELL_DEG, build_ring
from webmap.app import create_app
from webmap.i18n import LANGUAGES
from webmap.server import serving
from webmap.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LAYERS = ("land", "towns", "counties", "zones", "parks")  # what the first view draws, back to front
FIGURES = ("counties", "zones", "parks")  # drawn a path each by our page
GROUND = 6  # paths of our map's ground: two lands, coast, towns, county lines, city border
SEEN = "#opening path[data-id]"  # in the picture that our page begins with
ANSWERING = ".leaflet-pane :is(path[data-id], path[class*=ground-])"  # on the map in its place
PEER = "path.leaflet-interactive"
# Runs before the page: notes when the frame with the last path that is expected has been made.
WATCH_PATHS = """
(() => {
  const drawn = (paths, expected) => new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`${document.querySelectorAll(paths).length} paths in 30 s`)), 30000);
    new MutationObserver((_, observer) => {
      if (document.querySelectorAll(paths).length < expected) return;
      observer.disconnect();
      // A message that is sent while a frame begins comes once it is laid out and painted.
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => resolve(performance.now());
      requestAnimationFrame(() => port2.postMessage(null));
    }).observe(document, { childList: true, subtree: true });
  });
  window.allDrawn = {};
  for (const [name, asked] of Object.entries(EXPECTED)) allDrawn[name] = drawn(...asked);
})()
"""
# Notes when each frame is shown, until it is told to stop.
COUNT_FRAMES = """
() => {
  window.framesShown = [];
  const count = (when) => window.framesShown && (window.framesShown.push(when), requestAnimationFrame(count));
  requestAnimationFrame(count);
}
"""
STOP_COUNTING = "() => { const shown = window.framesShown; window.framesShown = null; return shown; }"
CLOSE_UP = "#12.5/37.2/122.1"
MOST_MS = 300_000  # that a page may take to come
SETTLE_MS = 1500  # a window that opens loads parts of the browser itself, beside the page
DRAG_PX, DRAG_STEPS, STEP_MS, REST_MS = 360, 30, 12, 400


class LineSpeed(NamedTuple):
    """How a visitor is connected."""

    kbit_s: int
    round_trip_ms: int


HERE, CABLE = None, LineSpeed(5000, 28)  # as WebPageTest has "Cable"
BROWSER_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
]


def bench_map(home: Path, rounds: int = 5) -> Result:
    """Return bytes over the wire and time to the last polygon drawn, for our page and explore's.

    Times run from the request to the end of the frame that shows the last polygon, server time
    included; the median of `rounds` interleaved rounds with a fresh browser context each. ``drawn_ms`` of
    ours is of the picture that the page begins with, ``answers_ms`` of the map that takes its place and can
    be asked; of explore's map the two are one. ``cable`` is what visitors have: the same over a line of
    :data:`CABLE`; the other figures are of this machine alone.
    """
    from playwright.sync_api import sync_playwright

    release = live_at(home)
    figures, layers = _count(release, FIGURES), _count(release, LAYERS)
    ours_expected = {"drawn_ms": (SEEN, figures), "answers_ms": (ANSWERING, figures + GROUND)}
    peer_expected = {"drawn_ms": (PEER, layers)}
    with (
        sync_playwright() as playwright,
        serving(create_app(release, Settings(home)), {}) as ours,
        serving(_explore_app(release), {}) as peer,
    ):
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=BROWSER_FLAGS)
        found: dict[LineSpeed | None, dict[str, Any]] = {}
        for line in (HERE, CABLE):
            rows: dict[str, list[dict[str, int]]] = {"ours": [], "explore": []}
            for _ in range(rounds):
                rows["ours"].append(_watch(browser, f"{ours}/?lang=zh", ours_expected, line))
                rows["explore"].append(_watch(browser, peer, peer_expected, line))
            found[line] = _compare(rows)
        frames = _count_frames(browser, f"{ours}/?lang=zh{CLOSE_UP}")
        browser.close()
    times = {name: found[CABLE][name]["drawn_ms"] for name in ("ours", "explore")}
    cable = {**times, **{name: found[CABLE][name] for name in ("time_ratio", "answers_ratio")}}
    return found[HERE] | {"cable": cable, "frames_per_second": frames}


def _count(release: Release, layers: tuple[str, ...]) -> int:
    return sum(len(release.read_json(f"data/{layer}.geojson")["features"]) for layer in layers)


def _compare(rows: dict[str, list[dict[str, int]]]) -> Result:
    median = {
        name: {key: statistics.median(row[key] for row in found) for key in found[0]}
        for name, found in rows.items()
    }
    ours, peer = median["ours"], median["explore"]
    return {
        "ours": ours,
        "explore": peer,
        "bytes_ratio": round(ours["wire_bytes"] / peer["wire_bytes"], 3),
        "time_ratio": round(ours["drawn_ms"] / peer["drawn_ms"], 3),
        "answers_ratio": round(ours["answers_ms"] / peer["drawn_ms"], 3),
    }


def _watch(
    browser: Browser, url: str, expected: dict[str, tuple[str, int]], line: LineSpeed | None
) -> dict[str, int]:
    script = WATCH_PATHS.replace("EXPECTED", json.dumps(expected))
    return visit(browser, url, script, {name: f"window.allDrawn.{name}" for name in expected}, line)


def visit(
    browser: Browser, url: str, script: str, awaited: dict[str, str], line: LineSpeed | None = None
) -> dict[str, int]:
    """Return what a fresh page takes over the wire, and when each of `awaited` is kept.

    `script` runs before the page and makes the promises of milliseconds that `awaited` names.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    if line:
        bits = 1000 * line.kbit_s / 8
        about = {"offline": False, "latency": line.round_trip_ms}
        session.send(
            "Network.emulateNetworkConditions", about | {"downloadThroughput": bits, "uploadThroughput": bits}
        )
    sizes: dict[str, tuple[str, int]] = {}
    kinds: dict[str, str] = {}
    session.on(
        "Network.responseReceived", lambda event: kinds.update({event["requestId"]: event["response"]["url"]})
    )
    session.on(
        "Network.loadingFinished",
        lambda event: sizes.update(
            {event["requestId"]: (kinds.get(event["requestId"], ""), event["encodedDataLength"])}
        ),
    )
    page.add_init_script(script)
    page.wait_for_timeout(SETTLE_MS)
    page.goto(url, wait_until="commit", timeout=MOST_MS)
    drawn = {name: round(page.evaluate(promise)) for name, promise in awaited.items()}
    page.wait_for_load_state("networkidle")
    data = sum(size for address, size in sizes.values() if "/map/" in address)
    result = {
        **drawn,
        "wire_bytes": int(sum(size for _, size in sizes.values())),
        "data_bytes": int(data),
        "requests": len(sizes),
    }
    context.close()
    return result


def _count_frames(browser: Browser, url: str) -> Result:
    """Return the frames a second, close up, while the map is dragged there and back, and zoomed."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#atlas.ready")
    page.wait_for_load_state("networkidle")
    page.mouse.move(900, 500)

    def drag() -> None:
        page.mouse.down()
        for step in [*range(DRAG_STEPS), *range(DRAG_STEPS, 0, -1)] * 2:
            page.mouse.move(900 - DRAG_PX * step / DRAG_STEPS, 500 + DRAG_PX * step / DRAG_STEPS / 3)
            page.wait_for_timeout(STEP_MS)
        page.mouse.up()
        page.wait_for_timeout(REST_MS)

    def zoom() -> None:
        for delta in (-100, -100, 100, 100):
            page.mouse.wheel(0, delta)
            page.wait_for_timeout(REST_MS)

    found = {}
    for name, act in (("dragged", drag), ("zoomed", zoom)):
        page.evaluate(COUNT_FRAMES)
        act()
        shown = page.evaluate(STOP_COUNTING)
        found[name] = round(1000 * (len(shown) - 1) / (shown[-1] - shown[0]), 1)
    context.close()
    return found


def _explore_app(release: Release) -> Flask:
    """Return a page of ``explore()`` over the same layers, made on request, with our local Leaflet."""
    import geopandas

    frames = [
        geopandas.GeoDataFrame.from_features(
            json.loads(release.read(f"data/{layer}.geojson"))["features"], crs="EPSG:4326"
        )
        for layer in LAYERS
    ]
    app = build_peer(release)

    @app.get("/")
    def _page() -> str:
        plan_map: Any = None
        for frame in frames:
            plan_map = frame.explore(m=plan_map, tiles=None, legend=False)
        return render_peer(plan_map)

    return app


def build_peer(release: Release) -> Flask:
    """Return a server of the release's Leaflet, to which a peer adds its pages."""
    app = Flask("peer", static_folder=None)

    @app.get("/vendor/<name>")
    def _vendor(name: str) -> Response:
        kind = "text/javascript" if name.endswith(".js") else "text/css"
        return Response(release.read(f"static/vendor/{name}"), mimetype=kind)

    return app


def render_peer(plan_map: Any) -> str:
    """Return a Folium map as a page that takes Leaflet from the peer itself."""
    plan_map.default_js = [("leaflet_js", "/vendor/leaflet.js")]
    plan_map.default_css = [("leaflet_css", "/vendor/leaflet.css")]
    return str(plan_map.get_root().render())


def find_chromium() -> str:
    """Return the path of the browser; raises FileNotFoundError where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise FileNotFoundError(
            "chromium: 未找到浏览器，先运行 python3 scripts/test.py / no browser; run it first"
        )
    return found


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
            found[str(count)] = _compare_rings(browser, release, rings, max(1, rounds * COUNTS[0] // count))
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


def _compare_rings(browser: Browser, release: Release, rings: list[shapely.Polygon], rounds: int) -> Result:
    rows: dict[str, list[dict[str, int]]] = {"ours": [], "explore": [], "folium": []}
    with ExitStack() as stack:
        ours = stack.enter_context(_with_layer(release, rings))
        site = stack.enter_context(serving(create_app(ours, Settings(ours.folder.parents[1])), {}))
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
