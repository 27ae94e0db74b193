"""A planner at work in a real browser: from the theme to a printed comparison, by mouse and by keyboard."""

from __future__ import annotations

import io
import re
import unicodedata

import pytest
from playwright.sync_api import Browser, Page, expect
from pypdf import PdfReader

pytestmark = pytest.mark.browser


def test_a_planner_goes_from_a_theme_to_a_printed_comparison(page: Page, site: str) -> None:
    page.goto(f"{site}/?lang=zh")
    expect(page.locator("#atlas.ready")).to_be_attached()
    page.get_by_role("radio", name="产业隆起带").check()
    page.get_by_role("radio", name="行政区与开发区").check()
    page.locator("#list-items [data-id=gaoqu]").click()
    page.locator("#panel").get_by_role("link", name="比较").click()
    expect(page.get_by_role("heading", name="比较区域", exact=True)).to_be_visible()
    page.get_by_label("第 2 个区域").select_option(label="经区")
    page.get_by_role("button", name="比较").click()
    expect(page).to_have_url(re.compile("zones=gaoqu,jingqu(&|$)"))
    expect(page.get_by_role("row", name="生物医药")).to_contain_text("大力发展")
    page.get_by_role("link", name="南海新区").first.click()
    expect(page).to_have_url(re.compile("zones=gaoqu,jingqu,nanhai(&|$)"))
    page.emulate_media(media="print")
    expect(page.get_by_role("button", name="比较")).to_be_hidden()
    assert len(page.screenshot(full_page=True)) > 60_000
    sheet = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True, print_background=True)))
    assert len(sheet.pages) == 1
    width, height = (float(value) for value in sheet.pages[0].mediabox[2:])
    assert (round(width), round(height)) == (842, 595)
    text = unicodedata.normalize("NFKC", sheet.pages[0].extract_text())
    for words in ("高区", "经区", "南海新区", "生物医药", "责任单位"):
        assert words in text


def test_the_chooser_is_walked_by_keyboard(page: Page, site: str) -> None:
    page.goto(f"{site}/compare?lang=en")
    page.get_by_label("Zone 1").focus()
    page.keyboard.type("Rongcheng")
    page.keyboard.press("Tab")
    page.keyboard.type("Rushan")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("zones=rongcheng,rushan(&|$)"))
    page.get_by_role("link", name="Remove Rushan City").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choose one more zone")).to_be_visible()


def test_wishes_are_weighed_by_keyboard_and_every_weight_is_seen(page: Page, site: str) -> None:
    page.goto(f"{site}/find?lang=ko")
    slider = page.get_by_label("항만 가까이")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("output[for=w-port]")).to_have_text("3")
    page.locator(".wishes summary").nth(1).press("Enter")
    page.get_by_label("바이오의약", exact=True).press("Space")
    page.get_by_role("button", name="순위 보기").press("Enter")
    expect(page).to_have_url(re.compile(r"/find\?industry=biomedicine&lang=ko&port=3#ranking$"))
    first = page.locator(".ranking > li").first
    expect(first).to_contain_text("경제기술개발구")
    expect(first.get_by_role("row")).to_have_count(4)  # head, two wishes, sum
    page.get_by_role("link", name="상위 5곳 비교").click()
    expect(page.locator(".compared thead th")).to_have_count(6)
    frame = page.frame_locator("iframe.compare-map")
    expect(frame.locator("#atlas.ready")).to_be_attached()
    page.set_viewport_size({"width": 390, "height": 900})
    page.reload()  # no map within a page that a finger scrolls
    expect(page.locator("iframe.compare-map")).to_be_hidden()
    assert not any("embed" in frame.url for frame in page.frames)
    page.get_by_role("link", name="지도에서 보기").click()
    expect(page.locator("#atlas.ready")).to_be_attached()
    expect(page).to_have_url(re.compile("pick="))


def test_the_tools_work_without_scripts(browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{site}/compare")
    page.locator("select[name=zones]").nth(0).select_option("gaoqu")
    page.locator("select[name=zones]").nth(1).select_option("lingang")
    page.get_by_role("button", name="比较").click()
    expect(page.locator(".compared thead th")).to_have_count(3)
    page.goto(f"{site}/find")
    page.locator(".wishes summary").nth(4).click()
    page.get_by_label("海产品精深加工").check()
    page.get_by_role("button", name="排序").click()
    expect(page.locator("ol.ranking > li").first).to_be_visible()
    context.close()


def test_arrow_keys_walk_the_matrix(page: Page, site: str) -> None:
    page.goto(f"{site}/industries/?lang=zh")
    grid = page.get_by_role("grid")
    expect(grid).to_be_visible()
    expect(page.locator(".matrix table [tabindex='0']")).to_have_count(1)
    page.locator(".matrix tbody th a").first.focus()
    place = (
        "(() => { const cell = document.activeElement.closest('td, th');"
        " return [cell.parentElement.rowIndex, cell.cellIndex]; })()"
    )
    page.keyboard.press("ArrowDown")
    assert page.evaluate(place) == [2, 0]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(place) == [2, 2]
    page.keyboard.press("End")
    last = page.evaluate("document.querySelector('.matrix thead tr').cells.length - 1")
    assert page.evaluate(place) == [2, last]
    page.keyboard.press("Control+Home")
    assert page.evaluate(place) == [0, 0]
    page.keyboard.press("ArrowUp")
    assert page.evaluate(place) == [0, 0]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('.matrix table')") is None


def test_a_clause_lights_its_places_and_a_cluster_target_stands_once(page: Page, site: str) -> None:
    page.goto(f"{site}/plan?lang=zh")
    page.locator(".outline-row[data-places~=gaoqu] a").first.focus()
    expect(page.locator(".sketch [data-place=gaoqu]")).to_have_class("spot spot-named by-reconstructed lit")
    page.goto(f"{site}/plan/三(六)4(1)?lang=zh")
    expect(page.get_by_text("450亿元")).to_have_count(1)
    page.get_by_role("link", name="新一代信息技术产业集群营业收入").click()
    expect(page.get_by_role("heading", name="新一代信息技术").first).to_be_visible()
