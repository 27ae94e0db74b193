"""A layer of the operator's own on the map: fetched once it is switched on, on a canvas, with filters."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

import pytest
import shapely
from playwright.sync_api import Page, Route, expect

from geodata.own_layers import OwnFeature, OwnLayer, SuppliedLayer
from layers.features import build_own_points, describe_own
from layers.store import Release

pytestmark = pytest.mark.browser

ATTACK = "</script><img src=x onerror=alert(1)>\"'{{7*7}}"
MANY = 5000
SIDE = 71  # of the square that they stand in
DECLARED = OwnLayer.model_validate(
    {
        "title": f"地块{ATTACK}",
        "fields": [
            {"name": "name", "title": "名称"},
            {"name": "status", "kind": "choice", "title": "状态", "values": [f"在售{ATTACK}", "已售"]},
        ],
        "style": {"by": "status", "symbol": "square"},
        "popup": {"title": "name"},
        "source": f"来源{ATTACK}",
        "as_of": "2026-01-31",
        "licence": "内部",
    }
)
INKS = """() => {
  const marks = Object.values(planMap._layers).filter(({ options }) => options?.outline);
  const look = ({ options: { color, fillColor } }) => ({ line: color, fill: fillColor });
  return { 0: look(marks[0]), 8: look(marks.find(({ options }) => options.chosen)) };
}"""
SVG_NODES = "document.querySelectorAll('.leaflet-pane svg *').length"
CLICK_AT = """([lat, lon]) => {
  const { x, y } = planMap.latLngToContainerPoint([lat, lon]);
  const frame = planMap.getContainer().getBoundingClientRect();
  return [x + frame.x, y + frame.y];
}"""


def place_of(number: int) -> tuple[float, float]:
    """Return longitude and latitude of a feature."""
    return 121.9 + 0.004 * (number % SIDE), 36.95 + 0.004 * (number // SIDE)


def supply() -> SuppliedLayer:
    """Return a layer of thousands of points."""
    values = [value.zh for value in DECLARED.fields[1].values]
    features = tuple(
        OwnFeature(
            str(number),
            dict.fromkeys(("zh", "en", "ko"), f"{number}号{ATTACK}"),
            {"name": f"{number}号{ATTACK}", "status": values[number % 2]},
            shapely.Point(place_of(number)),
        )
        for number in range(MANY)
    )
    return SuppliedLayer("own-plots", DECLARED, "point", features)


@pytest.fixture(scope="module")
def files() -> Mapping[str, Any]:
    layer = supply()
    return {"payload": describe_own(layer, "zh"), "drawn": build_own_points(layer)}


@pytest.fixture
def asked(page: Page, release: Release, files: Mapping[str, Any]) -> list[str]:
    """Serve the layer with the release; return which files of it were asked for."""
    names: list[str] = []

    def give_payload(route: Route) -> None:
        payload = route.fetch().json()
        payload["strings"]["layer.own-plots"] = DECLARED.title.zh
        route.fulfill(json=payload | {"own": [json.loads(json.dumps(files["payload"]))]})

    def give_file(route: Route) -> None:
        names.append("drawn")
        route.fulfill(body=files["drawn"], content_type="application/json")

    def give_panel(route: Route) -> None:
        names.append(route.request.url.rpartition("/")[2].partition(".")[0])
        route.fulfill(body="<body><p class='own-told'>12.5</p></body>", content_type="text/html")

    page.route("**/map/zh.json", give_payload)
    page.route(f"**/r/{release.id}/map/own/own-plots.json", give_file)
    page.route("**/own/own-plots/*.panel.html*", give_panel)
    return names


def open_map(page: Page, site: str, query: str = "") -> None:
    page.goto(f"{site}/?lang=zh&theme=gateways{query}#10/37.05/122.0")
    expect(page.locator("#atlas.ready")).to_be_attached()


def test_thousands_of_points_are_fetched_when_they_are_switched_on_and_make_no_nodes(
    page: Page, site: str, asked: list[str]
) -> None:
    open_map(page, site)
    before = page.evaluate(SVG_NODES)
    assert asked == []
    page.locator("#layers > summary").click()
    page.locator("#over-own-plots").check()
    expect(page.locator(".own-legend")).to_contain_text(f"来源{ATTACK}")
    expect(page.locator(".own-legend")).to_contain_text("2026-01-31")
    expect(page.locator(".own-legend .tag")).to_have_text("运营方自有")
    expect(page.locator(".leaflet-own-own-plots-pane canvas")).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert asked == ["drawn"]
    assert page.evaluate(SVG_NODES) - before < 50
    number = SIDE * 20 + 20
    lon, lat = place_of(number)
    page.mouse.click(*page.evaluate(CLICK_AT, [lat, lon]))
    expect(page.locator("#panel-title")).to_have_text(f"{number}号{ATTACK}")
    expect(page.locator("#panel-lead")).to_contain_text("运营方自有")
    expect(page.locator(".own-told")).to_have_text("12.5")
    assert asked[1:] == [str(number)]
    expect(page).to_have_url(re.compile(f"own=own-plots%3A{number}"))
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    switch = page.locator(f'[data-key="own-plots.status.{number % 2}"]')
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "false")
    page.mouse.click(*page.evaluate(CLICK_AT, [lat, lon]))
    page.wait_for_timeout(100)
    expect(page).not_to_have_url(re.compile(f"own-plots%3A{number}(&|#|$)"))


def test_what_is_drawn_is_lighter_by_night(page: Page, site: str, asked: list[str]) -> None:
    open_map(page, site, "&layers=own-plots&own=own-plots:8")
    expect(page.locator("#panel-title")).to_have_text(f"8号{ATTACK}")
    looks: tuple[tuple[Literal["light", "dark"], str, str], ...] = (
        ("light", "#0072B2", "#111111"),
        ("dark", "#3891c3", "#ffffff"),
    )
    for scheme, fill, chosen in looks:
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(f"() => ({INKS})()[0].fill === '{fill}'")
        assert page.evaluate(INKS)["8"]["line"] == chosen


def test_an_address_restores_layer_opacity_filter_and_selection(
    page: Page, site: str, asked: list[str]
) -> None:
    open_map(page, site, "&layers=own-plots:50&hide=own-plots.status.1&own=own-plots:8")
    expect(page.locator("#panel-title")).to_have_text(f"8号{ATTACK}")
    expect(page.locator("#over-own-plots")).to_be_checked()
    expect(page.locator("#opacity-own-plots")).to_have_value("50")
    expect(page.locator('[data-key="own-plots.status.1"]')).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".leaflet-own-own-plots-pane")).to_have_css("opacity", "0.5")
    assert "drawn" in asked
