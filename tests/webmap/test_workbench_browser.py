"""The workbench in a real browser: from a file to the map with two users, and a boundary that is drawn."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from layers.store import Release
from tests.webmap.bench import PASSWORD, PLACE, Bench, build_release, copy_home, run_here, to_file
from tests.webmap.conftest import Watched
from webmap import publish as publishing
from webmap.server import serving

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def bench(release: Release, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A workbench whose tasks run in this process, and whose releases are not built."""
    with pytest.MonkeyPatch.context() as patch:
        run_here(patch)
        patch.setattr(publishing, "_build", build_release)
        yield Bench(release, copy_home(home, release, tmp_path_factory.mktemp("journey") / "home"))


@pytest.fixture(scope="module")
def site(bench: Bench) -> Iterator[str]:
    limit = bench.app.extensions["limit_body"]
    with serving(bench.app, bench.app.extensions["strings"], limit_body=limit, postpones=True) as address:
        yield address


@pytest.fixture
def visit(browser: Browser, site: str) -> Iterator[Any]:
    """Return what signs somebody in, on a page at which nothing forbidden may happen."""
    opened: list[Watched] = []

    def visit(name: str, **options: Any) -> Page:
        found = Watched(browser.new_context(locale="en", **options).new_page(), site)
        opened.append(found)
        page = found.page
        page.goto(f"{site}/workbench/")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"{name} (")).to_be_visible()
        return page

    yield visit
    for one in opened:
        one.page.context.close()
        assert one.faults == []


def check_access(page: Page) -> None:
    """Assert that a page is one that everybody can use, and no wider than its window."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def drop(page: Page, path: Path) -> None:
    """Drop something from the disk on the field for files."""
    box = page.locator(".drop").bounding_box()
    assert box
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        at = {"x": box["x"] + 20, "y": box["y"] + 20}
        session.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})


def test_a_file_goes_to_the_map_by_two_people(bench: Bench, visit: Any, tmp_path: Path) -> None:
    rough = bench.zone(0.001)  # so that it leaves its county here and there, which is told and shown
    flipped = shapely.transform(rough, lambda points: points[:, ::-1])
    path = tmp_path / "临港区.geojson"
    path.write_bytes(to_file(flipped))
    editor = visit("li", viewport={"width": 1280, "height": 900})
    check_access(editor)
    drop(editor, tmp_path)  # a folder, as a File Geodatabase is one
    expect(editor.locator(".dropped")).to_contain_text("this is a folder")
    assert editor.locator("#file").evaluate("field => field.files.length") == 0
    drop(editor, path)
    expect(editor.locator(".dropped")).to_contain_text("临港区.geojson")
    editor.locator("[name=accuracy_m]").first.fill("5")
    editor.get_by_role("button", name="Upload and check").click()
    editor.get_by_role("button", name="Swap the axes").click(timeout=60_000)
    expect(editor.locator(".verdict")).to_contain_text("it can be published", timeout=60_000)
    slider = editor.get_by_label("Left as it is now")
    slider.focus()
    editor.keyboard.press("Home")
    expect(editor.locator(".before-after")).to_have_attribute("style", re.compile("--at: *0%"))
    pin = editor.locator(".pins a").first
    expect(pin).to_be_visible()
    box = pin.bounding_box()
    assert box  # in sight, and nothing over it, wherever the slider stands
    for key in ("Home", "End"):
        slider.focus()
        editor.keyboard.press(key)
        pin.click()
    expect(editor).to_have_url(re.compile("#finding-"))
    check_access(editor)
    for label, text in (("Source", "某局"), ("terms", "internal"), ("Why", "the official line")):
        editor.get_by_label(label, exact=True).fill(text)
    editor.get_by_role("button", name="Submit").click()
    expect(editor.locator("h1")).to_contain_text("to be approved")
    expect(editor.get_by_role("button", name="Publish")).to_have_count(0)

    approver = visit("wang", viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    check_access(approver)
    approver.get_by_role("link", name="临港区.geojson").tap()
    expect(approver.locator(".bench-judge")).to_contain_text("某局")
    check_access(approver)
    approver.get_by_label("Comment").fill("checked")
    approver.get_by_role("button", name="Publish").tap()
    expect(approver.get_by_role("link", name="Download the receipt")).to_be_visible(timeout=60_000)
    expect(approver.locator("h1")).to_contain_text("published")
    approver.get_by_role("link", name="Publications and undo").tap()
    expect(approver.locator(".trace")).to_contain_text("li / wang")
    check_access(approver)


def known_lines(bench: Bench) -> list[Any]:
    """Return the lines of every place but the one that is drawn."""
    layers = (json.loads(bench.release.read(f"data/{one}.geojson")) for one in ("counties", "towns", "zones"))
    shapes = [row["geometry"] for layer in layers for row in layer["features"] if row["id"] != PLACE]
    return [shapely.from_geojson(json.dumps(shape)).boundary for shape in shapes]


def test_a_boundary_is_drawn_by_mouse_and_by_keyboard(bench: Bench, visit: Any) -> None:
    page = visit("zhao", viewport={"width": 1280, "height": 1000})
    page.locator("#draw ~ form select").select_option(PLACE)
    page.get_by_role("button", name="Open the map").click()
    box = page.locator("#draw[data-ready]")
    expect(box).to_be_visible()
    box.focus()
    expect(page.locator(".draw-corner").nth(50)).to_be_attached()
    count = page.locator(".draw-corner").count()
    boxes = [one.bounding_box() for one in page.locator(".draw-corner").all()]
    spots = [(one["x"], one["y"]) for one in boxes if one]
    assert min(math.dist(one, other) for one, other in itertools.combinations(spots, 2)) >= 13
    page.keyboard.press("n")
    said = page.locator(".draw-said")
    expect(said).to_contain_text(re.compile(r"Corner \d+ of \d+"))
    before = said.inner_text()
    total = int(re.findall(r"of (\d+)", before)[0])
    send = page.get_by_role("button", name="Upload and check")
    expect(send).to_be_disabled()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowUp")
    expect(said).not_to_have_text(before)
    expect(send).to_be_enabled()
    page.keyboard.press("i")
    expect(said).to_contain_text(f" of {total + 1}")
    page.keyboard.press("Delete")
    expect(said).to_contain_text(f" of {total}")
    for _ in range(5):
        page.keyboard.press("u")
    expect(send).to_be_disabled()
    # A corner is dragged on to a neighbour's, and snaps.
    page.locator("#draw-snap").uncheck()
    expect(page.locator("#draw-snap")).not_to_be_checked()
    corner = page.locator(".draw-corner").nth(count // 2).bounding_box()
    assert corner
    x, y = corner["x"] + corner["width"] / 2, corner["y"] + corner["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 6, y - 6, steps=4)
    page.mouse.up()
    expect(send).to_be_enabled()
    expect(said).not_to_contain_text("Snapped")
    box.focus()
    page.keyboard.press("s")
    expect(said).to_contain_text("Snapped")
    spot = shapely.Point(*(float(one) for one in re.findall(r"\d+\.\d{6}", said.inner_text())))
    assert min(spot.distance(line) for line in known_lines(bench)) < 1e-6  # as exactly as it is told
    page.keyboard.press("ArrowUp")
    (lon,) = re.findall(r"longitude (\d+\.\d+)", said.inner_text())
    assert float(lon) == spot.x  # straight to the north
    check_access(page)
    # What was drawn is still there for who leaves the page, or has to sign in again, before it is sent.
    page.goto(f"{page.url.rpartition('/')[0]}/")
    page.goto(f"{page.url}draw?of={PLACE}")
    expect(page.locator("#draw[data-ready]")).to_be_visible()
    expect(send).to_be_enabled()
    page.locator("[name=accuracy_m]").fill("30")
    send.click()
    expect(page.locator(".verdict")).to_be_visible(timeout=60_000)
    draft = next(one for one in bench.drafts.list() if one.owner == "zhao")
    assert (draft.options.method, draft.options.of, draft.options.accuracy_m) == ("digitised", PLACE, 30.0)
    drawn = json.loads(bench.drafts.file_of(draft).read_bytes())["geometry"]
    moved = shapely.symmetric_difference(shapely.from_geojson(json.dumps(drawn)), bench.zone(0.0))
    assert 0 < moved.area < 1e-3
    assert page.evaluate("Object.keys(sessionStorage)") == []
