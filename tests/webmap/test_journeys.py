"""Each task as its user does it, from the first page to what is taken along."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pypdf
import pytest
from playwright.sync_api import Browser, Page, expect

from geodata.kinds import LANGUAGES
from layers.store import Release
from tests.webmap.conftest import serving
from webmap.settings import Settings

pytestmark = pytest.mark.browser


@pytest.fixture
def investor(browser: Browser) -> Iterator[Page]:
    """A browser that asks for Korean."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="ko-KR")
    yield context.new_page()
    context.close()


def read_pdf(page: Page, link: str) -> str:
    """Return the text of the PDF that a link leads to, without white space."""
    href = page.get_by_role("link", name=link).first.get_attribute("href")
    answer = page.request.get(urljoin(page.url, href))
    assert answer.headers["content-type"] == "application/pdf"
    reader = pypdf.PdfReader(io.BytesIO(answer.body()))
    assert len(reader.pages) == 1
    return "".join(reader.pages[0].extract_text().split())


def test_an_investor_who_knows_only_the_korean_word_takes_a_page_home(
    investor: Page, site: str, release: Release
) -> None:
    page = investor
    page.goto(f"{site}/")
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    page.get_by_role("combobox").first.click()
    page.keyboard.type("탄소섬유")
    expect(page.get_by_role("option").first).to_contain_text("탄소섬유")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/industries/carbon-fibre"))

    expect(page.get_by_role("heading", level=1)).to_contain_text("탄소섬유")
    main = page.get_by_role("main")
    expect(main).to_contain_text("300억 위안")
    # The plan designates no zone, and the page says so.
    expect(main).to_contain_text("어느 구역이나 권역에도 열거하지 않았습니다")
    expect(main.get_by_role("link", name="웨이하이시 과학기술국").first).to_be_visible()
    text = read_pdf(page, "1쪽 PDF")
    for words in ("탄소섬유등복합소재", "300억위안", "웨이하이시과학기술국", "III(6)4(4)"):
        assert words in text

    main.get_by_role("link", name="웨이하이 하이테크구").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("웨이하이 하이테크구")
    expect(page.get_by_role("main")).to_contain_text("신소재 및 제품")
    text = read_pdf(page, "1쪽 PDF")
    document = release.read_json("documents/gaoqu.json")
    for row in (*document["industries"], *document["responsible_units"]):
        words = row.get("term") or row["name"]
        assert "".join(words["ko"].split()) in text


def test_a_planner_compares_two_zones_of_a_theme_and_prints(page: Page, site: str) -> None:
    page.goto(f"{site}/?lang=zh")
    expect(page.locator("#atlas.ready")).to_be_attached()
    page.get_by_role("radio", name="八大产业集群").check()
    page.locator("#list-items [data-id=gaoqu]").click()
    page.locator("#panel").get_by_role("link", name="比较").click()
    page.wait_for_url(re.compile("/compare"))
    page.locator("main select[name=zones]").first.select_option("nanhai")
    page.get_by_role("button", name="比较").click()
    main = page.get_by_role("main")
    for name in ("高区", "南海新区", "电子信息"):
        expect(main.get_by_text(name, exact=True).first).to_be_visible()
    page.emulate_media(media="print")
    for bar in ("header.topbar", "main form"):
        expect(page.locator(bar).first).to_be_hidden()
    printed = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    text = unicodedata.normalize("NFKC", "".join(one.extract_text() for one in printed.pages))
    text = "".join(text.split())
    for words in ("高区", "南海新区", "电子信息", "三(一)1(2)", "威政字〔2023〕40号"):
        assert words in text

    page.emulate_media(media="screen")
    page.goto(f"{site}/?theme=clusters&lang=zh")
    expect(page.locator("#atlas.ready")).to_be_attached()
    page.locator("#toolbar summary[title=打印]").click()
    assert "八大产业集群" in read_pdf(page, "打印本专题")


def test_what_is_selected_on_the_map_can_be_passed_on(browser: Browser, site: str) -> None:
    context = browser.new_context(locale="en-GB", permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{site}/?zone=gaoqu")
    panel = page.locator("#panel")
    expect(panel.get_by_role("heading", level=2)).to_contain_text("Hi-Tech")
    panel.get_by_text("Share this page").click()
    expect(panel.get_by_label("Link")).to_have_value(re.compile(r"zone=gaoqu"))
    page.locator("#list-items [data-id=nanhai]").click()
    expect(panel.get_by_label("Link")).to_have_value(
        re.compile(r"zone=nanhai.*#[\d.]+/36\.")
    )  # it has arrived
    panel.get_by_role("button", name="Copy", exact=True).first.click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    expect(page).to_have_url(copied)
    code = panel.get_by_label("Code to embed").input_value()
    assert re.search(r'src="http://[^"]+/embed\?zone=nanhai&amp;[^"]*#', code)
    picture = panel.get_by_role("img", name="QR code").evaluate("node => [node.src, node.naturalWidth]")
    assert "zone%3Dnanhai" in picture[0]
    assert picture[1] > 100
    page.goto(copied)
    expect(page.locator("#panel-title")).to_contain_text("Nanhai")
    context.close()


@pytest.mark.parametrize("embedders", ["http://host.test", ""])
def test_a_frame_shows_the_map_where_the_operator_allows_it(
    browser: Browser, home: Path, release: Release, embedders: str
) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    page = context.new_page()
    with serving(release, Settings(home, embedders=embedders)) as site:
        frame_html = f'<iframe src="{site}/embed?zone=gaoqu&lang=en" width="1000" height="700"></iframe>'
        page.route(
            "http://host.test/", lambda route: route.fulfill(content_type="text/html", body=frame_html)
        )
        page.goto("http://host.test/")
        frame = page.frame_locator("iframe")
        if embedders:
            expect(frame.locator("#atlas.ready")).to_be_attached()
            expect(frame.locator("#panel-title")).to_contain_text("Hi-Tech")
            with context.expect_page() as opened:  # no other page may stand in the frame
                frame.get_by_role("link", name="Full page").click()
            opened.value.wait_for_url(f"{site}/zones/gaoqu?lang=en")
        else:
            expect(frame.locator("#atlas")).to_have_count(0)
            assert not any("/embed" in one.url for one in page.frames)
    context.close()


FOCUSED = """() => {
  const node = document.activeElement, style = getComputedStyle(node);
  const ringed = (one) => parseFloat(one.outlineWidth) > 0 && one.outlineStyle !== "none";
  const label = node.labels?.[0];
  const seen = ringed(style) || style.boxShadow !== "none" || (label && ringed(getComputedStyle(label)))
    || node.closest("svg");  // a figure, whose own edge thickens
  return [node.id || node.dataset.id || node.textContent.trim().slice(0, 40), seen];
}"""


def walk_to(page: Page, wanted: str, steps: int = 150) -> None:
    """Press Tab until what is wanted has the focus; everything on the way must show it."""
    hidden: list[str] = []
    for _ in range(steps):
        page.keyboard.press("Tab")
        name, seen = page.evaluate(FOCUSED)
        if not seen:
            hidden.append(name)
        if name == wanted:
            assert hidden == []
            return
    raise AssertionError(f"{wanted} is not reached by keyboard")


def test_the_keyboard_alone_goes_from_the_map_to_a_sheet_of_paper(page: Page, site: str) -> None:
    page.goto(f"{site}/?lang=en")
    expect(page.locator("#atlas.ready")).to_be_attached()
    walk_to(page, "gaoqu")
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_be_focused()
    expect(page.locator("#panel").get_by_role("link", name="One-page PDF")).to_be_visible()
    walk_to(page, "One-page PDF", 80)
    assert str(page.evaluate("document.activeElement.href")).endswith("/zones/gaoqu.pdf?lang=en")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    assert page.evaluate("document.activeElement.dataset.id") == "gaoqu"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/zones/gaoqu?lang=en", "Share this page"),
        ("/industries/carbon-fibre?lang=en", "One-page PDF"),
        ("/plan?lang=en", "Atlas (PDF)"),
    ],
)
def test_the_keyboard_reaches_what_a_page_offers(page: Page, site: str, path: str, wanted: str) -> None:
    page.goto(site + path)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    walk_to(page, wanted, 400)


def test_nothing_moves_for_a_reader_who_asked_for_calm(browser: Browser, site: str) -> None:
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{site}/?zone=gaoqu&lang=en")
    expect(page.locator("#atlas.ready")).to_be_attached()
    moving = page.evaluate(
        """() => [...document.querySelectorAll("*")].filter((node) => {
          const style = getComputedStyle(node);
          const longest = (text) => Math.max(...text.split(",").map(parseFloat));
          return longest(style.transitionDuration) > 0.01
            || (style.animationName !== "none" && longest(style.animationDuration) > 0.01);
        }).map((node) => node.outerHTML.slice(0, 80))"""
    )
    context.close()
    assert moving == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "path", ["/industries/", "/clusters/", "/zones/huancui", "/find?industry=biomedicine", "/"]
)
def test_no_sheet_holds_the_sources_alone(page: Page, site: str, path: str, language: str) -> None:
    page.goto(f"{site}{path}{'&' if '?' in path else '?'}lang={language}", wait_until="networkidle")
    sheets = pypdf.PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    holds = [
        "威政字〔2023〕40号" in "".join(unicodedata.normalize("NFKC", one.extract_text()).split())
        for one in sheets
    ]
    assert holds == [True, *[False] * (len(sheets) - 1)]
