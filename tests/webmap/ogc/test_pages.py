"""The API's pages in a real browser: found, read, filtered; without faults for anyone."""

from __future__ import annotations

import json
import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from geodata.read import read_facts
from layers.axes import ALL, Axes
from layers.store import Release
from tests.webmap.test_narrow import PATHS as NARROW
from webmap.ogc.request import ITEMS

pytestmark = pytest.mark.browser
PLATFORMS = len(read_facts().platforms)
PATHS = (
    "/ogc/",
    "/ogc/api",
    "/ogc/conformance",
    "/ogc/collections",
    "/ogc/collections/towns",
    "/ogc/collections/zones/queryables",
    "/ogc/collections/zones/schema",
    "/ogc/collections/zones/items",
    "/ogc/collections/designations/items",
    "/ogc/collections/zones/items/gaoqu",
    "/ogc/collections/platforms/items/regional-innovation-centre",
)


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_serious(page: Page, site: str, path: str) -> None:
    page.goto(f"{site}{path}?lang=en")
    found = Axe().run(page)
    serious = [
        f"{row['id']}: {row['nodes'][0]['html'][:120]}"
        for row in found.response["violations"]
        if row["impact"] in {"serious", "critical"}
    ]
    assert serious == []


def test_no_page_is_wider_than_a_telephone(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    for path in PATHS:
        known = any(one.startswith(f"{path}?") for one in NARROW)  # in the other languages
        for language in ("ko",) if known else ("zh", "en", "ko"):
            page.goto(f"{site}{path}?lang={language}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, (path, language)
    context.close()


def test_a_visitor_filters_pages_through_and_opens_a_feature(page: Page, site: str) -> None:
    page.goto(f"{site}/data/?lang=zh")
    page.get_by_role("contentinfo").get_by_role("link", name="数据接口").click()
    page.get_by_role("link", name="创新平台与高校").click()
    page.get_by_role("link", name="要素").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text(f"第 1–100 条，共 {PLATFORMS} 条")
    page.get_by_role("link", name="下一页").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("第 101–200 条")
    page.get_by_label("过滤条件").fill("kind = 'university'")
    page.get_by_label("排序").select_option("-id")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("共 6 条")
    page.get_by_role("link", name="sdu-weihai").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("山东大学")
    page.get_by_role("link", name="清除条件").wait_for(state="detached")


def test_a_page_says_what_is_wrong_with_a_filter(client: FlaskClient) -> None:
    answer = client.get(
        "/ogc/collections/zones/items?filter=nmae_zh%3D1&lang=en", headers={"Accept": "text/html"}
    )
    assert answer.status_code == 400
    text = answer.get_data(as_text=True)
    assert "names no property “nmae_zh”" in text
    assert "<code>name_zh</code>" in text


@pytest.mark.parametrize("path", PATHS)
def test_a_page_points_to_its_json(client: FlaskClient, path: str) -> None:
    answer = client.get(f"{path}?f=html&lang=ko")
    assert answer.mimetype == "text/html"
    assert "Accept" in answer.headers["Vary"].split(", ")
    address = answer.get_data(as_text=True).split('type="application/json" href="')[1].partition('"')[0]
    same = client.get(address.replace("&amp;", "&").removeprefix("http://localhost"))
    assert (same.status_code, str(same.mimetype).endswith("json")) == (200, True)


@pytest.mark.parametrize(
    ("language", "meaning"), [("zh", "开发区与管理区：要素"), ("en", "Development zones: features")]
)
def test_the_definition_says_what_every_address_and_parameter_means(
    client: FlaskClient, language: str, meaning: str
) -> None:
    page = client.get(f"/ogc/api?f=html&lang={language}").get_data(as_text=True)
    rows = dict(re.findall(r"<tr><th scope=\"row\"><code>([^<]*)</code></th><td>([^<]*)</td>", page))
    document = client.get(f"/ogc/api?f=json&lang={language}").get_json()
    assert rows.keys() == document["paths"].keys()
    assert all(rows.values())
    assert rows["/collections/zones/items"] == meaning
    named = re.findall(r"<dt><code>([^<]*)</code></dt><dd>[^<]+</dd>", page)
    assert set(named) == {"f", "lang", "profile", *ITEMS}


ASKED = "bbox=122,37,122.5,37.6&limit=5&properties=id,kind&lang=zh"


def test_the_form_keeps_what_it_does_not_show(page: Page, site: str) -> None:
    page.goto(f"{site}/ogc/collections/platforms/items?f=html&sortby=kind,-id&{ASKED}")
    page.get_by_label("过滤条件").fill("kind = 'university'")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("共 5 条")
    sent = dict(parse_qsl(urlsplit(page.url).query))
    kept = {"bbox": "122,37,122.5,37.6", "limit": "5", "properties": "id,kind", "lang": "zh", "f": "html"}
    assert sent.items() >= (kept | {"sortby": "kind,-id", "filter": "kind = 'university'"}).items()
    page.get_by_role("link", name="去掉参数 bbox").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text("共 6 条")
    expect(page).not_to_have_url(re.compile("bbox"))
    page.get_by_role("link", name="清除条件").click()
    expect(page.get_by_role("main").get_by_role("status")).to_contain_text(f"共 {PLATFORMS} 条")
    expect(page).to_have_url(re.compile("limit=5"))


@pytest.mark.parametrize(
    ("query", "narrowed"),
    [
        ("crs=http://www.opengis.net/def/crs/EPSG/0/4490&limit=3", False),
        ("properties=area_km2&sortby=kind&offset=1&datetime=2024-01-01", False),
        ("bbox=122,37,122.1,37.1", True),
        ("kind=hitech-zone", True),
        ("filter=kind%3D'hitech-zone'", True),
    ],
)
def test_only_a_list_that_something_is_left_out_of_is_called_filtered(
    client: FlaskClient, *, query: str, narrowed: bool
) -> None:
    page = client.get(f"/ogc/collections/zones/items?f=html&lang=en&{query}").get_data(as_text=True)
    assert (">Filtered<" in page) == narrowed
    assert ("Clear the filter" in page) == narrowed


@pytest.mark.parametrize("query", ["properties=area_km2", "filter=FALSE", "offset=6"])
def test_the_example_of_a_filter_is_one_whatever_is_shown(client: FlaskClient, query: str) -> None:
    page = client.get(f"/ogc/collections/zones/items?f=html&lang=en&{query}").get_data(as_text=True)
    assert "For example kind = &#39;hitech-zone&#39;" in page


def _drawn(client: FlaskClient, query: str) -> dict[str, str]:
    """Return the paths of the page's map by the features that they lead to."""
    text = client.get(f"/ogc/collections/{query}", headers={"Accept": "text/html"}).get_data(as_text=True)
    links = re.findall(r'<a href="([^"?]+)[^"]*"[^>]*class="spot [^>]*>.*?<path[^>]* d="([^"]+)"', text)
    return {link.rpartition("/")[2]: path for link, path in links}


def test_a_page_of_features_draws_those_it_lists(client: FlaskClient) -> None:
    everything = _drawn(client, "zones/items?limit=100")
    assert set(everything) >= {"gaoqu", "jingqu", "lingang", "nanhai", "shidao", "haoyunjiao"}
    some = _drawn(client, "zones/items?filter=area_km2>200&crs=http://www.opengis.net/def/crs/EPSG/0/4550")
    assert set(some) == {"lingang", "shidao"}
    assert all(everything[name] == path for name, path in some.items())
    rows = client.get("/ogc/collections/platforms/items?f=json").get_json()["features"]
    assert set(_drawn(client, "platforms/items")) == {row["id"] for row in rows if row["geometry"]}
    assert _drawn(client, "clauses/items") == {}


def test_places_have_the_edge_that_they_have_on_every_map(client: FlaskClient, release: Release) -> None:
    edges = {name: place["edge"] for name, place in release.read_json("pages/sketch.json")["places"].items()}
    text = client.get("/ogc/collections/five-zones/items?f=html").get_data(as_text=True)
    drawn = re.findall(r'items/([a-z-]+)\?[^"]*"[^>]*class="spot by-(\w+)"', text)
    assert dict(drawn) == {name: edges[name] for name in edges if name.startswith("five-")}
    parks = client.get("/ogc/collections/parks/items?f=html&limit=100").get_data(as_text=True)
    assert parks.count("spot by-indicative") > 0
    assert 'class="hatched"' not in parks  # no territory


def _shown(text: str) -> str:
    """Return the geometry's text on a feature's page."""
    (found,) = re.findall(r"<pre [^>]*>([^<]*)</pre>", text)
    return unescape(str(found))


@pytest.mark.parametrize("axes", ALL, ids=lambda axes: axes.frame)
@pytest.mark.parametrize("path", ["zones/items/gaoqu", "platforms/items/sdu-weihai", "land/items/neighbour"])
def test_a_feature_s_page_has_the_coordinates_of_its_json(client: FlaskClient, path: str, axes: Axes) -> None:
    address = f"/ogc/collections/{path}?lang=en&crs={axes.uri}"
    text = client.get(f"{address}&f=html").get_data(as_text=True)
    geometry = client.get(f"{address}&f=json").get_json()["geometry"]
    assert json.loads(_shown(text)) == geometry
    order = "north, east" if axes.north_first else "east, north"
    assert f"In {axes.frame}, each position {order}, as in the JSON answer." in text
    assert '<details class="coordinates">' in text  # closed


def test_a_feature_s_page_has_every_member_of_its_lists(client: FlaskClient) -> None:
    text = client.get("/ogc/collections/zones/items/gaoqu?f=html&lang=en").get_data(as_text=True)
    shown = unescape(re.sub(r"<[^>]+>", " ", text))
    properties = client.get("/ogc/collections/zones/items/gaoqu?f=json").get_json()["properties"]
    assert len(properties["industries"]) > 1
    assert all(value in shown for row in properties["industries"] for value in row.values())
    assert all(unit in shown for unit in properties["responsible_units"])


def test_more_coordinates_than_a_page_takes_are_in_the_json_it_leads_to(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webmap.ogc.html_pages.MOST_BYTES", 1000)
    text = client.get(
        "/ogc/collections/zones/items/gaoqu?f=html&lang=en&crs=http://www.opengis.net/def/crs/EPSG/0/4550"
    ).get_data(as_text=True)
    assert "<pre" not in text
    said = text.partition("More than 200 kB of coordinates")[2]
    href = unescape(re.findall(r'href="([^"]*)"', said)[0])
    answer = client.get(href.removeprefix("http://localhost"))
    assert answer.headers["Content-Crs"].endswith("/4550>")
    assert answer.get_json()["id"] == "gaoqu"


def test_coordinates_are_scrolled_with_the_keyboard_on_a_telephone(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(
        f"{site}/ogc/collections/zones/items/gaoqu?f=html&lang=ko&crs=http://www.opengis.net/def/crs/EPSG/0/4550"
    )
    box = page.get_by_role("region", name="좌표(GeoJSON 텍스트)")
    expect(box).to_be_hidden()
    page.locator("details.coordinates summary").focus()
    page.keyboard.press("Enter")
    expect(box).to_be_visible()
    page.keyboard.press("Tab")
    expect(box).to_be_focused()
    page.keyboard.press("End")
    box.evaluate(
        "box => new Promise(done => box.scrollTop ? done() : box.addEventListener('scroll', () => done()))"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert not any(row["impact"] in {"serious", "critical"} for row in Axe().run(page).response["violations"])
    context.close()


def test_a_list_says_how_large_each_geometry_is_and_leads_on_in_its_system(client: FlaskClient) -> None:
    address = (
        "/ogc/collections/platforms/items?limit=300&lang=en&crs=http://www.opengis.net/def/crs/EPSG/0/4490"
    )
    text = client.get(f"{address}&f=html").get_data(as_text=True)
    rows = client.get(f"{address}&f=json").get_json()["features"]
    shown = re.findall(r"<span>([\d., ]+, [\d., ]+)</span>", text)
    assert shown == [", ".join(map(str, row["bbox"])) for row in rows if row["geometry"]]
    assert text.count("positions: 1<") == len(shown)
    href = unescape(re.findall(r'<th scope="row"><a href="([^"]*)"', text)[0])
    assert client.get(href).headers["Content-Crs"].endswith("/4490>")
    assert "positions:" not in client.get("/ogc/collections/clauses/items?f=html&lang=en").text


@pytest.mark.parametrize(
    ("language", "title", "option"),
    [
        ("zh", "类别", "类别（kind）降序"),
        ("en", "Kind", "Kind (kind), descending"),
        ("ko", "종류", "종류(kind) 내림차순"),
    ],
)
def test_a_list_calls_its_properties_by_what_they_mean(
    client: FlaskClient, language: str, title: str, option: str
) -> None:
    page = client.get(f"/ogc/collections/zones/items?f=html&lang={language}&sortby=-kind").text
    assert f'<th scope="col">{title}<code>kind</code></th>' in page
    assert f'<option value="-kind" selected>{option}</option>' in page


def test_an_order_that_the_form_does_not_offer_stays_chosen(client: FlaskClient) -> None:
    page = client.get("/ogc/collections/zones/items?f=html&sortby=kind,-id").text
    assert "<option selected>kind,-id</option>" in page
