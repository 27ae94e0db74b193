"""The map under fingers, as a phone's screen sends them, and under the eyes of somebody new to it."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.webmap.conftest import AT_REST

pytestmark = pytest.mark.browser

CENTRE = "(() => { const { lat, lng } = planMap.getCenter(); return [lat, lng, planMap.getZoom()]; })()"
LONG_PRESS_MS = 900
Point = tuple[float, float]


@pytest.fixture
def phone(phone: Page, site: str) -> Page:
    """The map on a phone, for somebody who has put the introduction away."""
    phone.goto(f"{site}/?lang=en")
    expect(phone.locator("#atlas.ready")).to_be_attached()
    return phone


class Fingers:
    """Fingers on the screen, moved together step by step."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session: CDPSession = page.context.new_cdp_session(page)

    def move(self, *paths: tuple[Point, Point], steps: int = 8) -> None:
        """Put one finger down at the start of each path, move all to the ends, lift them."""
        self._send("touchStart", [start for start, _ in paths])
        for step in range(1, steps + 1):
            at = [
                (x + (to_x - x) * step / steps, y + (to_y - y) * step / steps)
                for (x, y), (to_x, to_y) in paths
            ]
            self._send("touchMove", at)
            self._page.wait_for_timeout(20)
        self._send("touchEnd", [])

    def hold(self, at: Point, until: Callable[[], None]) -> None:
        """Press in one place for as long as a press takes to count as long, on a busy machine too."""
        self._send("touchStart", [at])
        self._page.wait_for_timeout(LONG_PRESS_MS)
        until()
        self._send("touchEnd", [])

    def _send(self, kind: str, points: list[Point]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def test_fingers_drag_pinch_and_press_the_map(phone: Page) -> None:
    fingers = Fingers(phone)
    lat, lng, zoom = phone.evaluate(CENTRE)
    fingers.move(((180, 420), (110, 360)))
    phone.wait_for_timeout(400)
    dragged = phone.evaluate(CENTRE)
    assert dragged[0] < lat
    assert dragged[1] > lng
    assert dragged[2] == zoom
    fingers.move(((170, 400), (110, 330)), ((190, 440), (250, 510)))
    phone.wait_for_function(f"planMap.getZoom() >= {zoom + 0.5}")
    expect(phone.locator("#panel")).to_be_hidden()  # neither of the two was a tap
    expect(phone.locator(".leaflet-zoom-anim")).to_have_count(0)
    phone.wait_for_load_state("networkidle")  # then the map is drawn anew, in detail
    phone.wait_for_timeout(400)
    readout = phone.locator("#readout")
    fingers.hold((150, 450), lambda: expect(readout).to_contain_text("° N"))
    readout.get_by_role("link").tap()
    phone.wait_for_url("**/lookup?lon=12*")


def test_a_finger_draws_the_sheet_to_three_heights(phone: Page) -> None:
    fingers = Fingers(phone)
    sheet = phone.locator("#browse")
    for target, wanted in ((500, "mid"), (200, "high"), (735, "low")):
        bar = sheet.locator(".sheet-bar").bounding_box()
        assert bar
        start = (bar["x"] + 150, bar["y"] + 20)
        fingers.move((start, (start[0], target)))
        expect(sheet).to_have_attribute("data-height", wanted)
        phone.evaluate(AT_REST)
    title = sheet.locator(".sheet-title")
    for wanted in ("mid", "high", "low"):
        title.tap()
        expect(sheet).to_have_attribute("data-height", wanted)
    sheet.get_by_role("button", name="Enlarge").focus()
    for key, wanted in (("ArrowUp", "mid"), ("ArrowUp", "high"), ("ArrowDown", "mid")):
        phone.keyboard.press(key)
        expect(sheet).to_have_attribute("data-height", wanted)


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_introduction_leaves_the_city_in_sight(browser: Browser, site: str, language: str) -> None:
    """On a phone it stands below the city, above the credit; once it is put away, the city is fitted anew."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(f"{site}/?lang={language}")
    expect(page.locator("#atlas.ready")).to_be_attached()
    boxes = "(css) => css.map((one) => document.querySelector(one).getBoundingClientRect().toJSON())"
    top, city, guide, credit = page.evaluate(boxes, ["#toolbar", ".ground-city", "#guide", ".credit"])
    assert top["bottom"] <= city["top"]
    assert city["bottom"] <= guide["top"]
    assert guide["bottom"] <= credit["top"]
    page.click("#guide-close")
    wider = "(least) => document.querySelector('.ground-city').getBoundingClientRect().width > least"
    page.wait_for_function(wider, arg=city["width"] * 1.3)
    context.close()


def test_a_first_visit_is_shown_round_and_not_again(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{site}/?lang=en&zone=gaoqu")
    expect(page.locator("#atlas.ready")).to_be_attached()
    guide = page.locator("#guide")
    expect(guide).to_be_hidden()  # who follows a link came for something
    page.goto(f"{site}/?lang=en")
    expect(page.locator("#atlas.ready")).to_be_attached()  # from then on the address follows
    expect(guide.get_by_role("heading", name="How to read this map")).to_be_visible()
    guide.get_by_role("button", name="Tour of the map").press("Enter")
    shown = []
    for number in range(1, 6):
        heading = guide.get_by_role("heading")
        expect(heading).to_be_focused()
        expect(guide).to_contain_text(f"{number} / 5")
        shown.append((heading.inner_text(), page.evaluate("location.search.slice(1)")))
        page.keyboard.press("ArrowRight")
    expect(guide).to_be_hidden()
    expect(page.locator(".leaflet-container")).to_be_focused()
    assert len(dict(shown)) == 5
    asked = [parse_qs(query) for _, query in shown]
    assert "zone" in asked[1]
    assert "industry" in asked[2]
    assert len({tuple(one["theme"]) for one in asked}) == 3
    page.goto(f"{site}/?{shown[1][1]}")  # each view is an address like any other
    expect(guide).to_contain_text("2 / 5")
    expect(page.locator("#panel")).to_be_visible()
    page.go_back()
    page.goto(f"{site}/?lang=en")
    expect(page.locator("#atlas.ready")).to_be_attached()
    expect(guide).to_be_hidden()
    page.get_by_role("button", name="How to read this map").click()
    expect(guide.get_by_role("heading")).to_be_focused()
    page.keyboard.press("Escape")
    expect(guide).to_be_hidden()
    expect(page.get_by_role("button", name="How to read this map")).to_be_focused()
    context.close()
