"""The map as a tool: measuring, drawing, layers, the basket, taking along, two maps under one slider."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect
from pyproj import Geod

from layers.store import Release
from tests.webmap.conftest import AT_REST
from webmap.folium_map import limit_zooms, to_map

LANGUAGES = ("zh", "en", "ko")
RING = [(122.0, 37.3), (122.4, 37.35), (122.35, 37.05), (121.9, 37.1)]
PRESS = """(points) => {
  for (const [lng, lat] of points) {
    const latlng = L.latLng(lat, lng);
    const containerPoint = planMap.latLngToContainerPoint(latlng);
    planMap.fire('click', { latlng, containerPoint, originalEvent: {} });
  }
}"""


def _open(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("#atlas.ready")).to_be_attached()


def _numbers(text: str) -> list[float]:
    return [float(one.replace(",", "")) for one in re.findall(r"[\d,]+(?:\.\d+)?", text)]


@pytest.mark.browser
def test_lengths_and_areas_are_those_of_the_ellipsoid(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=en")
    page.get_by_role("button", name="Measure").click()
    expect(page.locator("#readout")).to_be_visible()
    page.evaluate(PRESS, RING)
    expect(page.locator("#readout p").first).to_have_text(re.compile("km²"))
    length, area = _numbers(page.locator("#readout p").first.inner_text())
    geod = Geod(ellps="WGS84")
    lons, lats = zip(*RING, strict=True)
    assert length == pytest.approx(geod.line_length(lons, lats) / 1000, rel=1e-3)
    assert area == pytest.approx(abs(geod.polygon_area_perimeter(lons, lats)[0]) / 1e6, rel=1e-3)
    page.get_by_role("button", name="Undo").click()
    less = "(most) => parseFloat(document.querySelector('#readout p').innerText.match(/[\\d.]+/)[0]) < most"
    page.wait_for_function(less, arg=length)
    expect(page.locator("#panel")).to_be_hidden()  # a click while measuring selects nothing
    page.keyboard.press("Escape")
    expect(page.locator("#readout")).to_be_hidden()


@pytest.mark.browser
def test_an_area_is_drawn_by_keyboard_and_says_what_lies_in_it(
    page: Page, site: str, client: FlaskClient
) -> None:
    _open(page, f"{site}/?lang=en#11/37.2/122.1")
    page.get_by_role("button", name="Draw an area").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".leaflet-container")).to_be_focused()
    for lon, lat in RING:
        page.evaluate(f"void planMap.setView([{lat}, {lon}], 11, {{ animate: false }})")
        page.keyboard.press("Enter")
    page.get_by_role("button", name="What lies in it?").click()
    panel = page.locator("#panel")
    expect(panel.get_by_role("heading", name="Drawn area")).to_be_visible()
    ring = [*RING, RING[0]]
    answer = client.post("/lookup", json={"type": "Polygon", "coordinates": [ring]})
    for row in answer.json["shares"]:  # type: ignore[index]
        expect(panel.get_by_text(row["name"]["en"], exact=True).first).to_be_attached()
    panel.get_by_role("button", name="Full answer").click()
    page.wait_for_url(re.compile("/lookup"))
    expect(page.locator("#lookup-answer")).to_contain_text("Wendeng")


@pytest.mark.browser
def test_a_position_stays_on_the_device(browser: Browser, site: str) -> None:
    context = browser.new_context(
        geolocation={"latitude": 37.4, "longitude": 122.1, "accuracy": 30}, permissions=["geolocation"]
    )
    page = context.new_page()
    _open(page, f"{site}/?lang=en")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="My position").click()
    expect(page.locator("#readout")).to_contain_text("37.40000° N, 122.10000° E")
    expect(page.locator("#readout")).to_contain_text("30 m")
    assert not [one for one in asked if "37.4" in one]
    context.close()


@pytest.mark.browser
def test_layers_lie_over_a_theme_in_order_and_stay_in_the_address(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=en&theme=belts")
    page.locator("#open-layers").click()
    for layer in ("zones", "five-zones"):
        page.locator(f"#over-{layer}").check()
    expect(page).to_have_url(re.compile("layers=five-zones%3A100%2Czones%3A100"))
    order = "n => n.map(o => o.dataset.id)"
    drawn = page.eval_on_selector_all(".leaflet-container path.figure[data-id]", order)
    assert drawn.index("belt-north-hightech") < drawn.index("gaoqu") < drawn.index("five-china-korea")
    page.locator("#lift-zones").click()
    expect(page).to_have_url(re.compile("layers=zones%3A100%2Cfive-zones%3A100"))
    drawn = page.eval_on_selector_all(".leaflet-container path.figure[data-id]", order)
    assert drawn.index("five-china-korea") < drawn.index("gaoqu")
    page.locator("#opacity-zones").fill("40")
    expect(page.locator("path.figure[data-id=gaoqu]")).to_have_css("opacity", "0.4")
    _open(page, page.url)
    expect(page.locator("path.figure[data-id=gaoqu]")).to_have_css("opacity", "0.4")
    for edge in page.locator("path.edge[data-id=gaoqu]").all():
        expect(edge).to_have_css("opacity", "0.4")
    assert page.eval_on_selector_all(".leaflet-container path.figure[data-id]", order) == drawn
    page.locator("#over-zones").uncheck()
    expect(page.locator("path.figure[data-id=gaoqu]")).to_have_count(0)


@pytest.mark.browser
def test_a_class_of_the_legend_is_a_switch(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=en")
    page.locator("#legend-entries [data-key=park]").click()
    expect(page.locator(".point[data-id=zhongri-park]")).to_have_count(0)
    expect(page.locator("path.figure[data-id=gaoqu]")).to_have_count(1)
    expect(page.locator("#legend-entries [data-key=park]")).to_be_focused()
    expect(page).to_have_url(re.compile("hide=park"))
    page.go_back()
    expect(page.locator(".point[data-id=zhongri-park]")).to_have_count(1)


@pytest.mark.browser
def test_up_to_five_places_are_set_aside_on_any_page_and_compared(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=en")
    page.locator("#list-items [data-choose=gaoqu]").click()
    page.goto(f"{site}/zones/nanhai?lang=en")
    page.get_by_role("button", name="Add to comparison").click()
    page.goto(f"{site}/search?q=jingqu&lang=en")
    page.locator("[data-choose=jingqu]").click()
    page.goto(f"{site}/zones/?lang=en")
    for one in ("lingang", "shidao"):
        page.locator(f"main [data-choose={one}]").click()
    expect(page.locator("main [data-choose=rushan]")).to_be_disabled()
    page.locator("#basket").get_by_role("link", name="map").click()
    page.wait_for_url(re.compile("pick=gaoqu%2Cnanhai|pick=gaoqu,nanhai"))
    expect(page.locator("path.figure.is-matching")).to_have_count(5)
    page.locator("#basket").get_by_role("link", name="Compare").click()
    page.wait_for_url(re.compile("/compare"))
    expect(page.get_by_role("main")).to_contain_text("Nanhai")
    page.locator("#basket").get_by_role("button", name="Clear").click()
    expect(page.locator("#basket")).to_be_hidden()


@pytest.mark.browser
def test_every_platform_is_on_the_map_or_counted(page: Page, site: str, release: Release) -> None:
    _open(page, f"{site}/?lang=zh&theme=platforms")
    features = json.loads(release.read("map/zh.json"))["features"]
    platforms = {id_: row for id_, row in features.items() if row["layer"] == "platforms"}
    shown = page.locator(".point[data-id]").count()
    counted = page.eval_on_selector_all(".count-badge text", "n => n.map(o => Number(o.textContent))")
    [whole] = _numbers(page.locator("#citywide").inner_text())
    assert shown + sum(counted) + whole == len(platforms)
    page.locator(".count-badge[data-count=gaoqu]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#chooser")).to_be_visible()
    here = {id_ for id_, row in platforms.items() if row["parent"] == "gaoqu" and not row["point"]}
    listed = page.eval_on_selector_all("#chooser [data-id]", "n => n.map(o => o.dataset.id)")
    assert set(listed) == here
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_have_text(platforms[listed[0]]["name"])


@pytest.mark.browser
def test_a_click_fits_the_place_into_what_no_panel_covers(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    at = "(() => { const p = planMap.latLngToContainerPoint([37.15, 122.45]);"
    at += " const b = planMap.getContainer().getBoundingClientRect(); return [p.x + b.x, p.y + b.y]; })()"
    x, y = page.evaluate(at)
    page.mouse.move(x, y)
    expect(page.locator("#hint")).to_contain_text("荣成市")
    expect(page.locator("#hint .muted")).not_to_be_empty()
    page.mouse.click(x, y)
    expect(page.locator("#panel-title")).to_contain_text("荣成市")
    page.evaluate(AT_REST)
    expect(page.locator(".leaflet-pan-anim, .leaflet-zoom-anim")).to_have_count(0)
    box, panel, bar = (page.locator(one).bounding_box() for one in (".outline-halo", "#panel", "#toolbar"))
    assert box
    assert panel
    assert bar
    assert box["x"] + box["width"] <= panel["x"]
    assert box["y"] >= bar["y"] + bar["height"]
    expect(page.locator("#hint")).to_be_hidden()


@pytest.mark.browser
def test_what_only_lies_beneath_is_no_choice(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    box = page.locator("path.figure[data-id=shidao]").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.35)
    expect(page.locator("#panel-title")).to_contain_text("石岛")
    expect(page.locator("#chooser")).to_be_hidden()


@pytest.mark.browser
def test_two_themes_share_the_map_under_a_slider(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=en&theme=districts")
    page.locator("#open-layers").click()
    page.locator("#swipe").select_option("belts")
    expect(page).to_have_url(re.compile("swipe=belts"))
    expect(page.locator(".leaflet-area-right-pane path.figure[data-id=belt-north-hightech]")).to_have_count(1)
    hit = "([x, y, id]) => document.elementFromPoint(x, y).closest('[data-id]')?.dataset.id === id"
    stage = page.locator(".stage").bounding_box()
    assert stage
    x, y = page.evaluate(
        "(() => { const p = planMap.latLngToContainerPoint([37.1, 122.0]);"
        " const b = planMap.getContainer().getBoundingClientRect(); return [p.x + b.x, p.y + b.y]; })()"
    )
    slider = page.get_by_role("slider", name="Where the two maps meet")
    slider.fill("95")
    page.wait_for_function(hit, arg=[x, y, "wendeng"])
    slider.fill("5")
    page.wait_for_function(hit, arg=[x, y, "belt-central-manufacturing"])
    page.locator("#swipe").select_option("")
    expect(page.locator("#swipe-box")).to_be_hidden()
    page.wait_for_function(hit, arg=[x, y, "wendeng"])


@pytest.mark.browser
def test_the_bar_leads_to_the_view_as_a_file_and_keys_are_told(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=en&theme=belts&industry=fine-chemicals#10.5/37.2/122.1")
    links = page.eval_on_selector_all("a[data-view]", "n => n.map(o => o.getAttribute('href'))")
    assert {re.search(r"/print/belts\.(\w+)\?", one)[1] for one in links} == {"pdf", "png", "svg", "html"}  # type: ignore[index]
    assert all("industry=fine-chemicals" in one and "bbox=" in one for one in links)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.locator(".leaflet-container").focus()
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.locator(".tool-menu").last.locator("summary").first.click()
    page.locator(".tool-menu .embed-legend").check()
    page.locator(".tool-menu .embed-lang").select_option("ko")
    code = page.locator(".tool-menu .share-embed")
    for asked in ("legend=1", "lang=ko"):
        expect(code).to_have_value(re.compile(asked))


@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tools_are_large_enough_for_a_thumb(phone: Page, site: str, language: str) -> None:
    _open(phone, f"{site}/?lang={language}&industry=biomedicine")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    boxes = phone.eval_on_selector_all(
        "#toolbar .tool, .zoomer button",
        "n => n.filter(o => o.offsetParent).map(o => o.getBoundingClientRect())"
        ".map(r => [r.left, r.right, r.height])",
    )
    assert len(boxes) == 10
    assert all(left >= 0 and right <= 360 for left, right, _ in boxes)
    assert all(height >= 40 for _, _, height in boxes)


@pytest.mark.parametrize(
    "query", ["", "industry=biomedicine", "layers=platforms:50,zones&hide=five-innovation"]
)
def test_a_file_of_the_map_holds_all_it_needs(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/print/five-zones.html?lang=en&{query}")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    text = answer.text
    assert not re.findall(r"""(?:src|href)=["'](?!data:)[^"'`$]*\.(?:js|css|png)""", text)
    assert "default-src &#x27;none&#x27;" in text
    assert ("Independent Innovation Demonstration Zone" in text) != ("hide" in query)
    assert "三(" not in text
    assert "Coastline © OpenStreetMap contributors (ODbL)" in text
    assert "Lingang C D" in client.get("/print/clusters.html?lang=en").text


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1200, 800), (360, 740), (800, 400)])
def test_the_file_works_from_a_disk_without_any_host(
    browser: Browser, client: FlaskClient, tmp_path: Path, width: int, height: int
) -> None:
    path = tmp_path / "map.html"
    path.write_bytes(client.get("/print/districts.html?lang=zh&layers=belts,platforms").data)
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.goto(path.as_uri())
    expect(page.locator("path.leaflet-interactive").first).to_be_attached()
    for words in ("国家级开发区", "产业隆起带", "北部沿海高新产业隆起带", "创新中心与院所"):
        expect(page.locator(".sheet")).to_contain_text(words)
    expect(page.locator(".leaflet-zoom-anim")).to_have_count(0)  # the view has come to rest
    legend = page.locator(".sheet").bounding_box()
    city = page.eval_on_selector_all(
        "path.leaflet-interactive", "n => n.map(o => o.getBoundingClientRect()).map(r => [r.right, r.bottom])"
    )
    assert legend
    assert all(x <= legend["x"] + 1 or y <= legend["y"] + 1 for x, y in city), "the legend covers the city"
    names = page.eval_on_selector_all(
        ".leaflet-tooltip.name",
        "n => n.filter(o => o.style.visibility !== 'hidden').map(o => o.getBoundingClientRect())"
        ".map(r => [r.left, r.top, r.right, r.bottom])",
    )
    for one, other in itertools.combinations(names, 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]
    box = page.get_by_role("tooltip", name="文登区").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator(".leaflet-popup-content")).to_be_visible()
    assert [one for one in asked if not one.startswith(("file:", "data:"))] == []
    context.close()


def test_a_notebook_gets_the_same_map(release: Release) -> None:
    drawn = to_map("belts", language="ko", release=release)
    assert "북부" in drawn.get_root().render()
    with pytest.raises(LookupError, match="districts"):
        to_map("nothing", release=release)


WRONG: dict[str, Any] = {
    "bbox": ("1,2", "5,5,4,4", "nan,1,2,3", "a,b,c,d", "121,37,122,inf"),
    "industry": ("nothing",),
    "cluster": ("nothing",),
    "pick": ("nowhere", "gaoqu,jingqu,lingang,nanhai,shidao,haoyunjiao"),
    "layers": ("zones:0", "zones:x", "nothing"),
    "hide": ("nothing",),
}


@pytest.mark.parametrize(("name", "value"), [(name, one) for name, all_ in WRONG.items() for one in all_])
def test_a_wrong_view_is_refused_by_name(client: FlaskClient, name: str, value: str) -> None:
    answer = client.get("/print/districts.png", query_string={name: value})
    assert answer.status_code == 400
    assert answer.json["parameter"] == name  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "closest"),
    [({}, 14), ({"own": [{"id": "own-plots"}]}, 18), ({"basemap": {}}, 18), ({"accuracy_m": 5}, 18)],
)
def test_the_map_goes_as_close_as_what_it_shows_is_worth(
    release: Release, change: dict[str, Any], closest: int
) -> None:
    payload = release.read_json("map/zh.json")
    known = payload["features"]["gaoqu"] | change
    features = {"features": payload["features"] | {"gaoqu": known}}
    assert limit_zooms(payload | change | features)["maxZoom"] == closest
