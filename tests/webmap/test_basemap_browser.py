"""An operator's basemap on the map: under the figures, loaded by zoom and view, named in one's language."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import shapely
from playwright.sync_api import Page, Route, expect

from geodata.basemap import Basemap, GroundFeature, LocalName
from geodata.read import read_facts
from layers.basemap_cells import FOLDER, INDEX, RANGES, build_cells, prepare_basemap, window_around
from layers.store import Release

pytestmark = pytest.mark.browser

LAKE = shapely.box(121.9, 37.2, 122.1, 37.3)  # nothing of the theme of gateways lies there
AT = (122.0, 37.25)
ROAD = shapely.LineString([(121.3, 37.0), (121.95, 37.1), (122.6, 37.2)])
VILLAGE = LocalName("样例村", "Sample Village", "")
# What the canvas shows at a position: red, green, blue and opacity.
PIXEL = """([lat, lon]) => {
  const canvas = document.querySelector('canvas.backdrop');
  const box = canvas.getBoundingClientRect();
  const frame = planMap.getContainer().getBoundingClientRect();
  const { x, y } = planMap.latLngToContainerPoint([lat, lon]);
  const ratio = canvas.width / box.width;
  const place = [(x + frame.x - box.x) * ratio, (y + frame.y - box.y) * ratio];
  const copy = document.createElement('canvas').getContext('2d');
  copy.drawImage(canvas, ...place.map(Math.round), 1, 1, 0, 0, 1, 1);
  return [...copy.getImageData(0, 0, 1, 1).data];
}"""


@pytest.fixture(scope="module")
def cells(release: Release) -> dict[str, Any]:
    facts = read_facts()
    rows = json.loads(release.read("data/counties.geojson"))
    features = (
        GroundFeature("water", 1, LocalName(), LAKE),
        GroundFeature("road", 1, LocalName(), ROAD),
        GroundFeature("place", 4, VILLAGE, shapely.Point(*AT)),
    )
    land = shapely.union_all([shapely.geometry.shape(row["geometry"]) for row in rows["features"]])
    basemap = Basemap("basemap.osm", "2026-10-01", features)
    found: dict[str, Any] = build_cells(prepare_basemap(basemap, window_around(rows["bbox"]), facts, land))
    return found


@pytest.fixture
def asked(page: Page, release: Release, cells: dict[str, Any]) -> list[str]:
    """Serve a basemap with the release; return which cells were asked for, in their order."""
    base, names = f"/r/{release.id}/{FOLDER}", []

    def give_payload(route: Route) -> None:
        payload = route.fetch().json()
        route.fulfill(json=payload | {"basemap": {"base": base, **json.loads(json.dumps(cells[INDEX]))}})

    def give_cell(route: Route) -> None:
        name = route.request.url.partition(f"{FOLDER}/")[2]
        names.append(name.removesuffix(".json"))
        route.fulfill(json=cells[f"{FOLDER}/{name}"])

    for language in ("zh", "en", "ko"):
        page.route(f"**/map/{language}.json", give_payload)
    page.route(f"**{base}/**", give_cell)
    return names


def open_map(page: Page, site: str, zoom: float, query: str = "") -> None:
    page.goto(f"{site}/?theme=gateways{query}#{zoom}/{AT[1]}/{AT[0]}")
    expect(page.locator("#atlas.ready")).to_be_attached()
    page.wait_for_load_state("networkidle")


def test_what_lies_there_is_drawn_under_the_figures(page: Page, site: str, asked: list[str]) -> None:
    for zoom in (9, 11, 13):
        open_map(page, site, zoom)
        expect(page.locator("canvas.backdrop")).to_be_attached()
        page.wait_for_function(f"({PIXEL})([{AT[1]}, {AT[0]}])[3] === 255")
        assert page.evaluate(PIXEL, [AT[1] + 0.4, AT[0] - 0.1])[3] == 0  # the sea
        wet = page.evaluate(PIXEL, [AT[1], AT[0]])
        ink = page.evaluate(
            "getComputedStyle(planMap.getContainer()).getPropertyValue('--base-water').trim()"
        )
        assert "#" + "".join(f"{part:02x}" for part in wet[:3]) == ink
    under = page.evaluate(
        """() => {
          const pane = (name) => document.querySelector(name).closest('.leaflet-pane');
          const order = (name) => Number(getComputedStyle(pane(name)).zIndex);
          return order('canvas.backdrop') < order('.leaflet-place-pane');
        }"""
    )
    assert under


def test_only_what_is_looked_at_is_loaded_and_only_once(
    page: Page, site: str, asked: list[str], cells: dict[str, Any]
) -> None:
    open_map(page, site, 9)
    assert asked == ["0/0-0"]
    open_map(page, site, 13)
    close = [name for name in asked if name.startswith(f"{len(RANGES) - 1}/")]
    listed = cells[INDEX]["ranges"][-1]["cells"]
    assert 0 < len(close) < len(listed)
    before = list(asked)
    page.evaluate("void planMap.setZoom(9, { animate: false })")
    page.evaluate("void planMap.setZoom(13, { animate: false })")
    page.wait_for_load_state("networkidle")
    assert asked == before


@pytest.mark.parametrize(("language", "name"), [("zh", "样例村"), ("en", "Sample Village"), ("ko", "样例村")])
def test_villages_are_named_from_close_by(
    page: Page, site: str, asked: list[str], language: str, name: str
) -> None:
    open_map(page, site, 13, f"&lang={language}")
    label = page.locator(".label-village text")
    expect(label).to_have_text(name)
    page.evaluate("void planMap.setZoom(11, { animate: false })")
    expect(label).to_have_count(0)


def test_a_cell_that_does_not_come_leaves_the_coarser_ones(page: Page, site: str, asked: list[str]) -> None:
    page.route(f"**/{FOLDER}/2/**", lambda route: route.fulfill(body="[", content_type="application/json"))
    open_map(page, site, 13)
    page.wait_for_function(f"({PIXEL})([{AT[1]}, {AT[0]}])[3] === 255")


def test_towns_are_named_around_the_view_and_again_where_the_map_is_dragged(page: Page, site: str) -> None:
    """Names far beyond the edges would only be moved along."""
    page.goto(f"{site}/?theme=districts&lang=zh#12/37.3/122.1")
    expect(page.locator("#atlas.ready")).to_be_attached()
    expect(page.locator(".label-town")).not_to_have_count(0)
    boxes = page.locator(".label-town").evaluate_all(
        "labels => labels.map((one) => one.getBoundingClientRect())"
    )
    frame = page.locator("#atlas").bounding_box()
    assert frame
    reach = frame["width"] / 2, frame["height"] / 2
    assert all(-reach[0] < box["x"] - frame["x"] < 3 * reach[0] for box in boxes)
    assert all(-reach[1] < box["y"] - frame["y"] < 3 * reach[1] for box in boxes)
    names = page.locator(".label-town").all_text_contents()
    page.evaluate("void planMap.setView([37.3, 122.5], 12, { animate: false })")
    expect(page.locator(".label-town").filter(has_not_text=re.compile("|".join(names)))).not_to_have_count(0)


@pytest.mark.parametrize("width", [360, 1440])
def test_the_seats_of_city_and_counties_are_marked_at_every_zoom(page: Page, site: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for zoom in (8, 8.5, 10, 12):
        page.goto(f"{site}/?theme=districts&lang=zh#{zoom}/37.3/122.1")
        expect(page.locator("#atlas.ready")).to_be_attached()
        expect(page.locator(".mark-city-seat")).to_have_count(1)
        expect(page.locator(".mark-county-seat")).to_have_count(3)
        expect(page.locator(".label-city-seat text").first).to_have_text("威海市")
