"""Pages on a phone: every value is on the screen, beside what it is, and what is tapped fits a thumb."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from playwright.sync_api import Browser, Page, expect

from layers.history import Act, record
from layers.store import Release
from scripts import cli
from tests.webmap.conftest import serving
from tests.webmap.test_changes import PLACE, clone, official
from webmap.settings import Settings

pytestmark = pytest.mark.browser

# Cells that end beyond what contains them, and texts that end beyond their cells.
HIDDEN = """() => {
  const faults = [];
  for (const table of document.querySelectorAll("table")) {
    let box = table;
    while (box.parentElement && getComputedStyle(box).overflowX === "visible") box = box.parentElement;
    const edge = Math.min(box.getBoundingClientRect().left + box.clientWidth, innerWidth) + 1;
    for (const cell of table.querySelectorAll("tbody th, tbody td")) {
      if (!cell.checkVisibility()) continue;
      const range = document.createRange();
      range.selectNodeContents(cell);
      const right = Math.max(cell.getBoundingClientRect().right, range.getBoundingClientRect().right);
      if (right > edge) faults.push(`${table.className}: ${cell.textContent.trim().slice(0, 40)}`);
    }
  }
  return faults.slice(0, 3);
}"""
# What is tapped and is smaller than 44 pixels, but for links within running text, which a line holds.
SMALL = """() => {
  const within = (node) => {
    let block = node.parentElement;
    while (getComputedStyle(block).display === "inline") block = block.parentElement;
    if (/flex|grid/.test(getComputedStyle(block).display)) return false;
    const texts = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    let said = "";
    while (texts.nextNode())
      if (!texts.currentNode.parentElement.closest("a, button, summary, .hidden"))
        said += texts.currentNode.data;
    return /[\\p{L}\\p{N}]/u.test(said);
  };
  const kinds = "a[href], button, summary, input:not([type=hidden]), select, textarea";
  return [...document.querySelectorAll(kinds)]
    .filter((node) => node.checkVisibility({ visibilityProperty: true }))
    .filter((node) => !node.disabled && !node.closest(".leaflet-container, .hidden, .skip, svg"))
    .filter((node) => {
      const box = node.matches("[type=checkbox], [type=radio]") ? (node.closest("label") ?? node) : node;
      const { width, height } = box.getBoundingClientRect();
      const small = width && height && Math.min(width, height) < 43.5;
      return small && !(node.matches("a, button") && within(node));
    })
    .map((node) => `${node.outerHTML.slice(0, 90)} in ${node.parentElement.outerHTML.slice(0, 60)}`)
    .slice(0, 5);
}"""
CELLS = "document.querySelectorAll('tbody td').length"
OPEN = "document.querySelectorAll('details').forEach((node) => { node.open = true; })"
PATHS = (
    "/data/",
    "/zones/",
    "/platforms/",
    "/zones/gaoqu",
    "/industries/new-materials",
    "/clusters/",
    "/indicators",
    "/lookup?lon=122.1&lat=37.4",
    "/ogc/?f=html",
    "/ogc/api?f=html",
    "/ogc/collections?f=html",
    "/ogc/collections/zones/queryables?f=html",
    "/ogc/collections/zones/schema?f=html",
    "/ogc/collections/zones/items?f=html",
    "/ogc/collections/designations/items?f=html&limit=10",
    "/ogc/collections/zones/items/gaoqu?f=html",
)
PAGES = (
    "/?industry=biomedicine",
    "/?zone=gaoqu",
    "/places/airport-weihai",
    "/industries/",
    "/clusters/cluster-it",
    "/plan",
    "/plan/三(一)1(2)",
    "/agencies/",
    "/agencies/sci-tech-bureau",
    "/find?industry=biomedicine&university=2",
    "/join",
    "/compare?zones=gaoqu,nanhai,lingang",
    "/search?q=cold chain",
    "/about",
    "/zones/nowhere",
)
LANGUAGES = ("zh", "en")  # the shortest words and the longest
PUBLISHED = ("/changes", "/changes?from=1&to=2", "/r/{release}/")


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    """A 360 px wide touch screen."""
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def published(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Release]]:
    """Return the address of a site whose second publication moved a boundary and changed a fact."""
    home = tmp_path_factory.mktemp("home")
    first = clone(release, home, "aaaa000011112222", lambda _: None)
    second = clone(release, home, "bbbb000011112222", official)
    before = {"area_km2": 297.0, "geometry_method": "reconstructed", "positional_accuracy_m": 5884}
    after = {"area_km2": 290.5, "geometry_method": "official", "positional_accuracy_m": 5}
    moved: Any = [{"id": PLACE, "layer": "zones", "before": before, "after": after}]
    record(home, first, Act("build", first.id, "code", changes={"areas": []}))
    record(home, second, Act("import", second.id, "code", who="张某", changes={"areas": moved}))
    with serving(second, Settings(home)) as address:
        yield address, second


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PATHS)
def test_no_cell_is_hidden_beyond_the_edge(phone: Page, site: str, path: str, language: str) -> None:
    _look(phone, f"{site}{path}{'&' if '?' in path else '?'}lang={language}")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PUBLISHED)
def test_no_cell_of_a_publication_is_hidden(
    phone: Page, published: tuple[str, Release], path: str, language: str
) -> None:
    address, release = published
    path = path.format(release=release.id)
    _look(phone, f"{address}{path}{'&' if '?' in path else '?'}lang={language}")


@pytest.mark.parametrize("path", PAGES)
def test_what_is_tapped_is_large_enough(phone: Page, site: str, path: str) -> None:
    phone.goto(f"{site}{path}{'&' if '?' in path else '?'}lang=zh")
    phone.evaluate(OPEN)
    assert phone.evaluate(SMALL) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.fixture
def preview(release: Release, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the page of what the import of a moved boundary would change."""
    rows = json.loads(release.read("data/zones.geojson"))["features"]
    shape = shapely.from_geojson(json.dumps(next(row for row in rows if row["id"] == PLACE)["geometry"]))
    moved = shapely.affinity.translate(shapely.simplify(shape, 0.003), -0.003, -0.002)
    drawn, page = tmp_path / "drawn.geojson", tmp_path / "page.html"
    place = {"type": "Feature", "properties": {"id": PLACE}, "geometry": shapely.geometry.mapping(moved)}
    drawn.write_text(json.dumps({"type": "FeatureCollection", "features": [place]}))
    monkeypatch.setenv("WEIHAI_LAYOUT_HOME", str(home))
    asked = ["import-boundary", str(drawn), "--layer", "zones", "--accuracy-m", "5", "--dry-run"]
    cli.main([*asked, "--preview", str(page), "--lang", "en"])
    return page


def test_no_cell_of_a_preview_is_hidden(phone: Page, preview: Path) -> None:
    _look(phone, preview.as_uri())


def test_each_value_of_a_card_says_what_it_is(phone: Page, site: str) -> None:
    phone.goto(f"{site}/ogc/collections/zones/items/gaoqu?f=html&lang=en")
    told = phone.eval_on_selector_all(
        "tbody td",
        "nodes => nodes.slice(0, 2)"
        ".map(node => [getComputedStyle(node, '::before').content, node.innerText])",
    )
    assert told == [['"Meaning"', "Permanent id"], ['"Value"', "gaoqu"]]


def _look(phone: Page, address: str) -> None:
    phone.goto(address)
    phone.evaluate(OPEN)
    assert phone.evaluate(CELLS) > 0, "there is nothing to look at"
    assert phone.evaluate(HIDDEN) == []
    assert address.startswith("file:") or phone.evaluate(SMALL) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_on_a_wide_window_no_table_has_to_be_scrolled(browser: Browser, site: str, language: str) -> None:
    context = browser.new_context(viewport={"width": 2560, "height": 1440})
    page = context.new_page()
    page.goto(f"{site}/lookup?lon=122.1&lat=37.3&lang={language}")
    boxes = page.locator(".scroll")
    expect(boxes.first).to_be_visible()
    assert boxes.evaluate_all("n => n.every(o => o.scrollWidth <= o.clientWidth)")
    context.close()
