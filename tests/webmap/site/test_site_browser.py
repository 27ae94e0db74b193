"""The static site in a real browser, below a sub-path of a server that runs no code of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, expect

from tests.webmap.conftest import Desk, Watched
from tests.webmap.site.conftest import Site
from webmap.assets import bundle, write_words
from webmap.file_addresses import NeedsServerError, locate
from webmap.i18n import LANGUAGES

pytestmark = pytest.mark.browser

MODULES = Path(__file__).parents[3] / "webmap" / "static" / "js"
KINDS = (
    "index.html",
    "zones/gaoqu.html",
    "industries/index.html",
    "data/index.html",
    "find.html?industry=biomedicine&port=2",
    "lookup.html?lon=122.1&lat=37.5",
)  # that differ from the live ones
MODES: dict[str, tuple[int, int, Literal["light", "dark"]]] = {
    "wide": (1440, 900, "light"),
    "phone": (360, 740, "dark"),
}
LISTS = Path(__file__).parents[2] / "layers"
QUERIES = [
    row["q"]
    for name, step in (("queries", 1), ("questions", 7))
    for row in yaml.load((LISTS / f"{name}.yaml").read_bytes(), Loader=yaml.CSafeLoader)[::step]
]
ODD_QUERIES = (  # typed in part, wrongly, by sound or by what no script of ours has
    *(
        "ronch",
        "steel mill",
        "제철소",
        "concrete",
        "LNG terminal",
        "heat exchangers for nuclear plants",
        "gaoqu",
        "gxq",
        "bio",
        "tan1 xian1 wei2",
        "sheng wu",
        "xin cai liao",
        "ㅌㅅㅅ",
        "탄소섬",
        "웨이",
    ),
    *(
        "高區",
        "三(一)1(2)",
        "zzzz",
        "qqq 石岛",
        "marine biolgy",
        "fishng rods",
        "信息技朮",
        "大水泊机场",
        "量子计算",
    ),
    *(
        "空压缩磨机",
        "经区物流",
        "repair of boats",
        "medcial devises",
        "ISIC 8710 요양시설",
        "egg polishing machine",
        "做瑜伽课的衣",
        "核电專用泵",
        "항암보조약을",
        "危机",
    ),  # known by how they end, or too short for that
    *("마트", "액정", "콘크리트", "담배", "책상", "billboardz", "yacht charteer", "phone cases"),
    *(
        "quantum seafood",
        "bluetooth headset",
        "5",
        "27",
        "A01",
        "isic 21",
        "find a site",
        "x" * 150,
        "ß",
        "café",
        "해삼은",
    ),
)
DRAWN = ".leaflet-pane path.leaflet-interactive"


@pytest.fixture(scope="module")
def stranger(browser: Browser) -> Desk:
    """Where pages are opened for somebody who was never here."""
    return Desk(browser, known=False, viewport={"width": 1440, "height": 900}, locale="zh-CN")


@pytest.fixture
def reader(stranger: Desk, hosted: str) -> Iterator[Page]:
    """A page on which nothing forbidden may happen: no error, no refusal of the policy, no other host."""
    with stranger.page(hosted) as page:
        found = Watched(page, hosted)
        yield page
    assert found.faults == []


def open_map(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("#atlas.ready")).to_be_attached()


def test_the_map_is_drawn_and_keeps_its_selection_from_language_to_language(
    reader: Page, hosted: str
) -> None:
    open_map(reader, f"{hosted}/index.html?theme=districts&zone=gaoqu")
    expect(reader.locator(DRAWN).nth(8)).to_be_attached()
    expect(reader.locator("#panel-body")).to_contain_text("医疗器械及医药")
    expect(reader.locator("#panel-body a", has_text="三(一)1(2)").first).to_have_attribute(
        "href", re.compile(r"/plan/map/plan/%E4%B8%89\(%E4%B8%80\)1\(2\)\.html$")
    )
    reader.locator(".languages a[hreflang=en]").click()
    expect(reader).to_have_url(re.compile(r"/plan/map/en/index\.html\?theme=districts&zone=gaoqu#"))
    expect(reader.locator("#panel-title")).to_contain_text("Weihai Hi-Tech Zone")
    expect(reader.locator(DRAWN).nth(8)).to_be_attached()
    reader.get_by_role("link", name="Full page").click()
    expect(reader).to_have_url(f"{hosted}/en/zones/gaoqu.html")
    expect(reader.get_by_role("heading", level=1)).to_contain_text("Weihai Hi-Tech Zone")


def test_a_view_goes_along_before_anything_was_moved(reader: Page, hosted: str) -> None:
    open_map(reader, f"{hosted}/index.html?theme=belts#10/37.2/122.1")
    korean = reader.locator(".languages a[hreflang=ko]")
    expect(korean).to_have_attribute("href", "/plan/map/ko/index.html?theme=belts#10/37.2/122.1")


def test_themes_filters_and_details_need_no_server(reader: Page, hosted: str) -> None:
    open_map(reader, f"{hosted}/ko/index.html")
    for theme in ("five-zones", "clusters", "platforms"):
        reader.locator(f"#themes-choices input[value={theme}]").check(force=True)
        expect(reader).to_have_url(re.compile(f"theme={theme}"))
        expect(reader.locator(".leaflet-pane path, .leaflet-marker-icon").nth(5)).to_be_attached()
    reader.locator("#industry").select_option("carbon-fibre", force=True)
    expect(reader.locator("#industry-page")).to_have_attribute("href", "../ko/industries/carbon-fibre.html")


def test_a_zone_page_leads_to_the_map_and_to_its_data(reader: Page, hosted: str) -> None:
    reader.goto(f"{hosted}/zones/gaoqu.html")
    for name in ("JSON", "GeoJSON"):
        href = reader.get_by_role("link", name=name, exact=True).get_attribute("href")
        answer = reader.request.get(f"{hosted}/zones/{href}")
        assert answer.ok
        assert json.loads(answer.body())["id"] == "gaoqu"
    reader.locator(".actions a.main").click()
    expect(reader).to_have_url(re.compile(r"/plan/map/index\.html\?zone=gaoqu"))
    expect(reader.locator("#panel-title")).to_contain_text("高区")


SEARCHES = (
    # where, what is typed, what is found first, where that leads
    ("zones/gaoqu.html", "tan xian wei", "碳纤维", "industries/carbon-fibre.html"),
    ("zones/gaoqu.html", "高區", "高区", "zones/gaoqu.html"),
    ("en/plan.html", "carbon fib", "Carbon fibre", "en/industries/carbon-fibre.html"),
    ("ko/data/index.html", "탄소섬", "탄소섬유", "ko/industries/carbon-fibre.html"),
    ("indicators.html", "环翠楼街道", "环翠楼街道", "lookup.html?"),
    ("en/plan.html", "disposable syringes", "does not print", "en/industries/medical-devices.html"),
    ("ko/plan.html", "주사기를", "의료기기", "ko/industries/medical-devices.html"),
    ("zones/gaoqu.html", "fishng rods", "休闲运动", "industries/leisure-sports-goods.html"),
)


def test_enter_answers_what_is_typed_not_what_was_shown_before(reader: Page, hosted: str) -> None:
    reader.goto(f"{hosted}/zones/gaoqu.html")
    search = reader.locator("#search")
    search.press_sequentially("tan")
    expect(reader.locator("#search-results [role=option]").first).to_be_visible()
    search.fill("tan xian wei")
    reader.keyboard.press("Enter")
    expect(reader).to_have_url(f"{hosted}/industries/carbon-fibre.html")


@pytest.mark.parametrize("asked", SEARCHES, ids=lambda asked: asked[1])
def test_questions_are_answered_without_a_server(reader: Page, hosted: str, asked: tuple[str, ...]) -> None:
    start, typed, found, page = asked
    reader.goto(f"{hosted}/{start}")
    reader.locator("#search").press_sequentially(typed)
    expect(reader.locator("#search-results")).to_contain_text(found)
    reader.keyboard.press("Enter")
    expect(reader).to_have_url(re.compile(re.escape(f"{hosted}/{page}")))


ASK = """async ([module, tables, queries]) => {
  const letters = (packed) => Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  const open = (packed) => new Blob([letters(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const load = (src) => new Promise((take, onerror) => {
    const unpack = (packed) => take(new Response(open(packed)).json());
    document.head.append(Object.assign(document.createElement("script"), { src, take, unpack, onerror }));
  });
  const { createAnswering } = await load(module);
  const answer = createAnswering(...(await Promise.all(tables.map(load))));
  return queries.map((query) => {
    const { answer: told, ...found } = answer(query);
    const rows = (some) => some.map((row) => [row.layer, row.id, row.says]);
    const lists = { results: rows(found.results), near: rows(found.near) };
    return { ...found, ...lists, told: told && { zones: [], areas: [], places: [], ...told } };
  });
}"""


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


def rows_of(rows: list[dict[str, Any]]) -> list[list[str]]:
    return [[row["layer"], row["id"], row["says"]] for row in rows]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_site_answers_as_the_server_does(
    reader: Page, hosted: str, written: Site, client: FlaskClient, language: str
) -> None:
    queries = [*QUERIES, *ODD_QUERIES]
    assert len(queries) > 300
    reader.goto(f"{hosted}/zones/index.html")
    module = f"{hosted}/r/{written.answer['release']}/static/js/offline-search.js"
    tables = [f"{hosted}/answers/{name}.json.js" for name in ("search", language)]
    answers = reader.evaluate(ASK, [module, tables, queries])
    for query, found in zip(queries, answers, strict=True):
        answer = client.get("/search.json", query_string={"q": query, "lang": language}).get_json()
        told = answer["answer"]
        assert (found["told"] and found["told"]["kind"]) == (told and told["kind"]), query
        if told:
            for column in ("zones", "areas", "places"):
                assert found["told"][column] == ids(told[column]), query
            assert found["told"].get("industry") == (told["industry"] and told["industry"]["id"]), query
        assert found["results"] == rows_of(answer["results"]), query
        assert found["said"] == answer["said"], query
        assert found["near"] == rows_of(answer["near"]), query
        for column in ("missing", "unused", "corrected"):
            assert found[column] == answer[column], query


def test_what_is_not_found_is_said(reader: Page, hosted: str) -> None:
    reader.goto(f"{hosted}/zones/index.html")
    reader.locator("#search").press_sequentially("zzzz")
    expect(reader.locator("#search-results .note")).to_contain_text("zzzz")
    reader.keyboard.press("Enter")
    expect(reader).to_have_url(f"{hosted}/zones/index.html")


def test_a_tool_whose_pieces_cannot_be_loaded_says_so(browser: Browser, hosted: str) -> None:
    page = browser.new_page()
    page.route("**/compare.pieces.html.js", lambda route: route.abort())
    page.goto(f"{hosted}/en/compare.html?zones=gaoqu,nanhai")
    expect(page.get_by_role("alert")).to_contain_text("not available")
    page.close()


def test_an_embedded_map_leads_to_the_same_view_whole(reader: Page, hosted: str) -> None:
    open_map(reader, f"{hosted}/en/embed.html?zone=nanhai")
    expect(reader.locator(DRAWN).nth(8)).to_be_attached()
    link = reader.locator(".embed-bar a")
    expect(link).to_have_attribute("href", re.compile(r"^\.\./en/index\.html\?zone=nanhai"))


def test_the_map_says_its_own_address_when_it_is_passed_on(reader: Page, hosted: str) -> None:
    open_map(reader, f"{hosted}/index.html?zone=gaoqu")
    share = reader.locator("#panel .share")
    share.locator("summary").click()
    here = re.compile(re.escape(f"{hosted}/index.html?zone=gaoqu"))
    expect(share.locator(".share-link")).to_have_value(here)
    embedded = re.compile(re.escape(f"{hosted}/embed.html?zone=gaoqu"))
    expect(share.locator(".share-embed")).to_have_value(embedded)


@pytest.mark.parametrize("mode", MODES)
def test_pages_are_accessible_and_as_wide_as_the_window(browser: Browser, hosted: str, mode: str) -> None:
    width, height, scheme = MODES[mode]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    watched = Watched(context.new_page(), hosted)
    page = watched.page
    for path in KINDS:
        page.goto(f"{hosted}/en/{path}")
        page.wait_for_load_state("networkidle")
        for row in Axe().run(page).response["violations"]:
            if row["impact"] in {"serious", "critical"}:
                watched.faults.append(f"{path}: {row['id']} {row['nodes'][0]['html'][:150]}")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            watched.faults.append(f"{path}: wider than the window")
    context.close()
    assert watched.faults == []


def test_scripts_and_pages_agree_where_an_address_is_found(browser: Browser, written: Site) -> None:
    modules = {"site": (MODULES / "site.js").read_text(encoding="utf-8"), "words": write_words({})}
    release = written.answer["release"]
    rows = [row["url"] for row in written.search_tables("en")["entries"]]
    addresses = [
        *("/", "/?zone=gaoqu", "/?theme=belts&lang=zh#9/37.2/122", "/embed?zone=nanhai", "/zones/", "/plan"),
        *(
            "/zones/gaoqu.json",
            "/print/belts.pdf?lang=ko",
            f"/r/{release}/static/js/main.js",
            "/indicators#talent",
        ),
        *rows,
    ]
    page = browser.new_page()
    page.set_content('<html lang="en" data-root="../"><body></body></html>')
    script = f"(all) => {{ {bundle(modules, 'site')} return all.map((one) => $site.at(one)); }}"
    for address, found in zip(addresses, page.evaluate(script, addresses), strict=True):
        try:
            target = locate(address, "en")
        except NeedsServerError:
            continue
        asked = page.evaluate("(url) => new URL(url, 'http://x.example/').href", target.seen_from(""))
        given = page.evaluate("(url) => new URL(url, 'http://x.example/').href", found)
        assert _plain(given) == _plain(asked), address
    page.close()


def _plain(url: str) -> str:
    return url.replace("%28", "(").replace("%29", ")")


TOOLS = (  # a language, a page, what is asked, and where the answer stands
    ("en", "find", "industry=biomedicine,carbon-fibre&port=2&coast=1", ".answer"),
    ("zh", "find", "industry=seafood-processing&five=2&area=0.25&reach=20", ".answer"),
    ("ko", "find", "industry=carbon-fibre", ".answer"),
    ("zh", "compare", "zones=gaoqu,jingqu,nanhai", ".compared, .grouped"),
    ("ko", "compare", "zones=zongbaoqu,five-innovation", ".compared, .grouped"),
    ("en", "lookup", "lon=122.1&lat=37.5", "#lookup-answer"),
    ("ko", "lookup", "lon=121.9&lat=36.5", "#lookup-answer"),
    ("zh", "lookup", "at=12%2C34", "form .refused"),
    ("en", "lookup", "at=dashuibo", "form .refused"),
)
TEXT = """(selector) => [...document.querySelectorAll(selector)].map((node) => {
  const copy = node.cloneNode(true);
  for (const one of copy.querySelectorAll(".share, .actions, .place-links, .sketch")) one.remove();
  return copy.textContent.replace(/\\s+/g, "").replaceAll("html", "");
}).join("")"""

# What the map of the look-up lights up.
LIT = "JSON.parse(document.querySelector('[data-hits]')?.dataset.hits ?? '[]')"


def test_the_tools_say_what_the_pages_of_the_server_say_also_from_a_disk(
    browser: Browser, written: Site, client: FlaskClient
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    watched = Watched(context.new_page(), "file://")
    read, served = watched.page, browser.new_page()
    for language, name, query, selector in TOOLS:
        folder = "" if language == "zh" else f"{language}/"
        read.goto(f"file://{written.folder}/{folder}{name}.html?{query}")
        read.locator("#answer > *, #lookup-answer > *, .refused").first.wait_for()
        page = client.get(f"/{name}?{query}&lang={language}", headers={"Accept": "text/html"})
        served.set_content(page.text.replace("<script", "<template").replace("</script", "</template"))
        said = read.evaluate(TEXT, selector)
        assert said == served.evaluate(TEXT, selector) != "", query
        assert read.evaluate(LIT) == served.evaluate(LIT), query
    served.close()
    context.close()
    assert watched.faults == []


def test_the_map_and_the_search_work_from_a_disk(browser: Browser, written: Site) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    watched = Watched(context.new_page(), "file://")
    page, root = watched.page, f"file://{written.folder}"
    open_map(page, f"{root}/en/index.html?zone=gaoqu")
    expect(page.locator(DRAWN).nth(8)).to_be_attached()
    expect(page.locator("#panel-body")).to_contain_text("Medical devices")
    page.locator("#panel-body a", has_text="Compare").click()
    expect(page).to_have_url(f"{root}/en/compare.html?zones=gaoqu")
    page.locator("#search").press_sequentially("carbon fib")
    expect(page.locator("#search-results")).to_contain_text("Carbon fibre")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{root}/en/industries/carbon-fibre.html")
    page.goto(f"{root}/lookup.html")
    page.locator("#at").fill("大水泊机场")
    page.locator("#ask button").click()
    page.locator(".refused li a").first.click()
    expect(page.locator("#answer-title")).to_contain_text("122.")
    context.close()
    assert watched.faults == []


def test_what_is_asked_by_a_form_is_answered_and_saved(reader: Page, hosted: str) -> None:
    reader.goto(f"{hosted}/en/find.html")
    expect(reader.locator("#empty")).to_be_visible()
    reader.locator("input[name=coast]").fill("3")
    reader.locator("#ask button[type=submit]").click()
    expect(reader).to_have_url(f"{hosted}/en/find.html?coast=3")
    expect(reader.locator("ol.ranking > li").nth(5)).to_be_attached()
    for kind in ("csv", "json"):
        with reader.expect_download() as saved:
            reader.locator(f"[data-save={kind}]").click()
        assert saved.value.suggested_filename == f"find.{kind}"
    assert json.loads(saved.value.path().read_text(encoding="utf-8"))["weights"] == {"coast": 3}
    reader.locator(".languages a[hreflang=ko]").click()
    expect(reader).to_have_url(f"{hosted}/ko/find.html?coast=3")
    reader.goto(f"{hosted}/en/compare.html?zones=gaoqu")
    reader.locator("#ask select").first.select_option("jingqu")
    reader.locator("#ask button[type=submit]").click()
    expect(reader).to_have_url(f"{hosted}/en/compare.html?zones=gaoqu,jingqu")
    expect(reader.locator(".compared")).to_be_visible()
    reader.locator(".chosen a").first.click()
    expect(reader).to_have_url(f"{hosted}/en/compare.html?zones=jingqu")
    reader.goto(f"{hosted}/en/find?port=9")
    expect(reader.locator("#answer [role=alert]")).to_contain_text("allowed: a whole number, 0-5")
