"""The form of the download centre in a real browser: what does not go together cannot be chosen."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from layers.export.job import FORMATS

pytestmark = pytest.mark.browser
OPEN = "nodes => nodes.filter(node => !node.disabled).map(node => node.value)"
LANGUAGES = ("zh", "en", "ko")


def choices(page: Page, name: str) -> list[str]:
    """Return what can be chosen in a field."""
    found: list[str] = page.eval_on_selector_all(f"#choose-{name} option", OPEN)
    return found


def holding(kind: str) -> list[str]:
    return [name for name, one in FORMATS.items() if kind in one.holds]


def take(page: Page) -> Path:
    """Press the button and return the file; its name is that of the address which the form shows."""
    address = page.locator(".address input").input_value()
    with page.expect_download() as download:
        page.get_by_role("button", name="下载").click()
    assert download.value.url == address
    return Path(download.value.path())


def test_each_layer_offers_the_formats_that_can_hold_it(page: Page, site: str) -> None:
    page.goto(f"{site}/data/?lang=zh")
    for layer, kind in (("plan", "plan"), ("designations", "table"), ("towns", "layer")):
        page.locator("#choose-layer").select_option(layer)
        expect(page.locator("#choose-format")).to_have_value(re.compile(f"^({'|'.join(holding(kind))})$"))
        assert choices(page, "format") == holding(kind)


def test_a_format_s_frames_are_the_ones_that_can_be_chosen_and_a_wish_comes_back(
    page: Page, site: str
) -> None:
    page.goto(f"{site}/data/?lang=zh")
    layer, kind, frame = (page.locator(f"#choose-{name}") for name in ("layer", "format", "crs"))
    layer.select_option("zones")
    frame.select_option("EPSG:4550")
    kind.select_option("kml")
    expect(page.locator("#choose-crs-why")).to_have_text("KML 按标准只用经纬度。")
    assert choices(page, "crs") == [""]
    expect(page.locator("#choose-form .changed")).to_contain_text("EPSG:4550")
    expect(frame).to_have_value("")
    kind.select_option("shp.zip")
    expect(frame).to_have_value("EPSG:4550")
    expect(page.locator("#choose-crs-why")).to_be_empty()
    layer.select_option("clauses")
    expect(kind).to_have_value("json")
    expect(page.locator("#choose-crs-why")).to_have_text("表没有几何，不分坐标系与位置。")
    layer.select_option("zones")
    expect(kind).to_have_value("shp.zip")


def test_what_is_chosen_is_what_is_downloaded(page: Page, site: str) -> None:
    page.goto(f"{site}/data/")
    page.locator("#choose-layer").select_option("zones")
    page.locator("#choose-format").select_option("csv")
    page.locator("#choose-geometry").select_option("lonlat")
    page.locator("#choose-filter").fill("area_km2 > 200")
    rows = list(csv.DictReader(take(page).read_text(encoding="utf-8-sig").splitlines()))
    assert 0 < len(rows) < 7
    assert all(float(row["area_km2"]) > 200 and float(row["lon"]) > 121 for row in rows)

    page.locator("#choose-layer").select_option("plan")  # the condition stays, and is not sent
    expect(page.locator("#choose-filter")).to_have_attribute("aria-disabled", "true")
    expect(page.locator("#choose-filter-why")).to_contain_text("只用于单个图层或表")
    page.locator("#choose-format").select_option("geojson")
    page.locator("#choose-theme").select_option("belts")
    expect(page.locator(".address input")).to_have_value(f"{site}/data/plan.geojson?theme=belts")
    found = json.loads(take(page).read_bytes())
    assert {row["properties"]["kind"] for row in found["features"]} == {"belts"}

    page.locator("#choose-layer").select_option("designations")
    expect(page.locator("#choose-theme")).to_have_value("")
    expect(page.locator("#choose-filter")).to_have_attribute("aria-disabled", "false")
    page.locator("#choose-filter").fill("industry_id = 'fashion'")
    assert {row["industry_id"] for row in json.loads(take(page).read_bytes())} == {"fashion"}


def test_what_cannot_be_used_can_still_be_reached_and_is_explained(page: Page, site: str) -> None:
    page.goto(f"{site}/data/?lang=zh&layer=clauses#choose")
    expect(page.locator("#choose-form .changed")).to_be_empty()  # no one chose a format yet
    page.locator("#choose-layer").focus()
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.name"))
    assert reached == ["format", "crs", "geometry", "theme", "cluster", "industry", "zone", "filter"]
    for name in ("crs", "geometry", "theme"):
        field = page.locator(f"#choose-{name}")
        expect(field).to_have_attribute("aria-disabled", "true")
        told = page.locator(f"#{field.get_attribute('aria-describedby')}")
        expect(told).to_be_visible()
        expect(told).not_to_be_empty()


def test_an_address_that_cannot_be_is_put_right_and_said(page: Page, site: str) -> None:
    page.goto(f"{site}/data/?lang=zh&layer=designations&format=gpkg&filter=emphasis%3D%27lead%27#choose")
    expect(page.locator("#choose-format")).to_have_value("json")
    expect(page.locator("#choose-form .changed")).to_contain_text("GeoPackage")
    expect(page.locator("#choose-filter")).to_have_value("emphasis='lead'")
    expect(page.locator("#choose-form")).to_be_in_viewport()


@pytest.fixture
def reader(browser: Browser) -> Iterator[Page]:
    """A browser without scripts."""
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    yield context.new_page()
    context.close()


def test_without_scripts_a_refusal_leads_back_to_what_was_chosen(reader: Page, site: str) -> None:
    reader.goto(f"{site}/data/")
    reader.locator("#choose-layer").select_option("zones")
    reader.locator("#choose-format").select_option("kml")
    reader.locator("#choose-crs").select_option("EPSG:4550")
    expect(reader.locator(".address")).to_be_hidden()
    reader.get_by_role("button", name="下载").click()
    expect(reader.get_by_role("main")).to_contain_text("kml 按其标准只用经纬度")
    reader.get_by_role("link", name="回到自选下载，保留所选").click()
    expect(reader.locator("#choose-layer")).to_have_value("zones")
    expect(reader.locator("#choose-crs")).to_have_value("EPSG:4550")
    reader.locator("#choose-crs").select_option("")
    with reader.expect_download() as download:
        reader.get_by_role("button", name="下载").click()
    assert download.value.suggested_filename == "weihai-zones.kml"


@pytest.mark.parametrize(
    ("chosen", "language", "scheme"),  # any two of them meet
    [
        *(("designations&format=gpkg", "zh", "light"), ("designations&format=gpkg", "en", "dark")),
        *(("designations&format=gpkg", "ko", "light"), ("zones&format=kml", "zh", "dark")),
        *(("zones&format=kml", "en", "light"), ("zones&format=kml", "ko", "dark")),
    ],
)
def test_the_form_fits_a_phone_and_has_no_barrier(
    page: Page, site: str, chosen: str, language: str, scheme: Literal["light", "dark"]
) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{site}/data/?layer={chosen}&lang={language}")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    found = [(row["id"], row["nodes"][0]["html"][:200]) for row in Axe().run(page).response["violations"]]
    assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_of_layers_fits_windows_between_a_phone_and_a_desk(
    page: Page, site: str, language: str
) -> None:
    page.goto(f"{site}/data/?lang={language}")
    list_of_layers, beyond = ".scroll:has(> .described)", "node => node.scrollWidth - node.clientWidth"
    for width in (721, 768, 1000, 1001):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.eval_on_selector(list_of_layers, beyond) <= 0, width
