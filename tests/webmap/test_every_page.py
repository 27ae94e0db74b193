"""Every kind of page in a real browser: accessible, in order, steady, light, and as wide as the window."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page

from tests.webmap.crawling import walk

pytestmark = pytest.mark.browser

MODES: dict[str, tuple[int, int, Literal["light", "dark"]]] = {
    "wide": (1440, 900, "light"),
    "phone": (360, 740, "dark"),
}
BETWEEN = (721, 1024, 1201)  # pixels: just past where a page is laid out otherwise
BEYOND = """() => {
  const last = document.querySelector(".topbar .language-nav")?.getBoundingClientRect().right ?? 0;
  return Math.max(last, document.documentElement.scrollWidth) > window.innerWidth;
}"""
MAX_BYTES = 300_000
MAX_SHIFT = 0.05  # of 1; 0.1 passes for good
MORE = (
    *("/?zone=gaoqu", "/?theme=clusters", "/?theme=platforms", "/zones/zongbaoqu", "/places/airport-weihai"),
    *(
        "/compare?zones=gaoqu",
        "/compare?zones=gaoqu,jingqu,lingang,nanhai,huancui",
        "/industries/carbon-fibre",
    ),
    *(
        "/find?industry=biomedicine&university=2&airport=1&coast=1&five=1",
        "/plan/三(六)4(1)",
        "/zones/nanhai",
    ),
)
PARTS = 4  # of the pages, each a test

# Layout shifts count from the first paint; what is measured must be watched before the page loads.
WATCH = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
IDLE = "() => new Promise((done) => requestIdleCallback(done, { timeout: 500 }))"
STRUCTURE = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const headings = all("h1, h2, h3, h4, h5, h6").filter((node) => node.checkVisibility());
  const levels = headings.map((node) => +node.tagName[1]);
  const navs = all("nav").map((node) => node.getAttribute("aria-label"));
  return {
    lang: document.documentElement.lang,
    title: document.title,
    h1: all("h1").length,
    jumps: levels.filter((level, index) => index && level > levels[index - 1] + 1),
    main: all("main").length,
    navs: navs.length === new Set(navs).size && !navs.includes(null),
    ids: all("[id]").length === new Set(all("[id]").map((node) => node.id)).size,
    shifted: window.shifted,
  };
}"""


@pytest.fixture(scope="module")
def samples(client: FlaskClient) -> list[str]:
    """Return one address of every kind of page that links lead to, and some more."""
    adapter = client.application.url_map.bind("localhost")
    first: dict[tuple[str, str], str] = {}
    for address, _ in walk(client, "en", most=5):
        endpoint, values = adapter.match(address.partition("?")[0])
        first.setdefault((endpoint, str(values.get("points"))), address)
    kinds = {address.split("?")[0].split("/")[1] for address in first.values()}
    assert {"", "zones", "places", "industries", "clusters", "plan", "agencies", "indicators"} <= kinds
    return [*first.values(), *(f"{path}{'&' if '?' in path else '?'}lang=en" for path in MORE)]


@pytest.fixture(params=[(mode, part) for mode in MODES for part in range(PARTS)], ids=str)
def loaded(request: pytest.FixtureRequest, browser: Browser, site: str, samples: list[str]) -> Iterator[Any]:
    """Yield every sample of a part, loaded, with the bytes that came over the wire."""
    mode, part = request.param
    width, height, scheme = MODES[mode]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, is_mobile=width < 720, locale="en"
    )
    context.add_init_script(WATCH)
    yield lambda: _load(context.new_page(), site, samples[part::PARTS])
    context.close()


def _load(page: Page, site: str, samples: list[str]) -> Iterator[tuple[str, Page, int]]:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    for path in samples:
        sizes.clear()
        page.goto(site + path)
        if page.query_selector("#atlas"):
            page.wait_for_load_state("networkidle")  # which takes half a second
        else:
            page.evaluate(IDLE)
        yield path, page, int(sum(sizes))


def find_overflow(page: Page) -> Iterator[int]:
    """Yield the widths at which a page, or the bar above it, is wider than its window."""
    size = page.viewport_size
    assert size is not None
    for width in (size["width"], *(one for one in BETWEEN if one < size["width"])):
        page.set_viewport_size({"width": width, "height": size["height"]})
        if page.evaluate(BEYOND):
            yield width
    page.set_viewport_size(size)


def test_every_kind_of_page_is_sound(loaded: Any) -> None:
    faults: list[str] = []
    for path, page, size in loaded():
        found = page.evaluate(STRUCTURE)
        wanted = {"h1": 1, "jumps": [], "main": 1, "navs": True, "ids": True, "lang": "en"}
        faults += [f"{path}: {name} {found[name]}" for name, value in wanted.items() if found[name] != value]
        faults += [f"{path}: shifted by {found['shifted']}"] * (found["shifted"] > MAX_SHIFT)
        faults += [f"{path}: {size} bytes"] * (size > MAX_BYTES)
        faults += [f"{path}: no title"] * (len(found["title"]) < 10)
        # axe leaves the size of targets out by itself; on the map, figures lie beneath the buttons
        sizes = {"target-size": {"enabled": page.query_selector("#atlas") is None}}
        options = {"resultTypes": ["violations"], "rules": sizes}
        for row in Axe().run(page, options=options).response["violations"]:
            if row["impact"] in {"serious", "critical"}:
                faults.append(f"{path}: {row['id']} {row['nodes'][0]['html'][:150]}")
        faults += [f"{path}: at {width} px something lies beyond the edge" for width in find_overflow(page)]
    assert faults == []
