"""The map as its users meet it: in a real browser, by mouse, keyboard and touch."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import shapely
from axe_playwright_python.sync_playwright import Axe
from flask.testing import FlaskClient
from playwright.sync_api import Browser, Page, Route, expect
from shapely import LineString

from layers.store import Release

pytestmark = pytest.mark.browser

THEMES = {
    "districts": ("counties", "zones", "parks"),
    "five-zones": ("five-zones",),
    "belts": ("belts",),
    "marine-cores": ("marine-cores",),
    "clusters": ("counties", "zones", "marine-cores"),
    "platforms": ("platforms",),
    "gateways": ("gateways",),
}


def _open(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("#atlas.ready")).to_be_attached()


def _ids(release: Release, layers: tuple[str, ...]) -> set[str]:
    return {
        feature["id"]
        for layer in layers
        for feature in json.loads(release.read(f"data/{layer}.geojson"))["features"]
        if feature["geometry"]
    }


def _drawn(page: Page) -> set[str]:
    return set(
        page.eval_on_selector_all(
            ".leaflet-container [data-id]", "nodes => nodes.map(node => node.dataset.id)"
        )
    )


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_draws_all_its_places_and_lists_them(
    page: Page, site: str, release: Release, theme: str
) -> None:
    _open(page, f"{site}/?theme={theme}&lang=zh")
    assert _drawn(page) == _ids(release, THEMES[theme])
    expect(page.locator("#legend-entries")).not_to_be_empty()
    listed = set(
        page.eval_on_selector_all("#list-items [data-id]", "nodes => nodes.map(node => node.dataset.id)")
    )
    assert listed >= _drawn(page)


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_list_counts_what_is_drawn_and_sets_the_rest_apart(page: Page, site: str, language: str) -> None:
    _open(page, f"{site}/?theme=platforms&lang={language}")
    drawn = _drawn(page)
    ids = page.eval_on_selector_all("#list-items [data-id]", "nodes => nodes.map(node => node.dataset.id)")
    apart = page.eval_on_selector_all(
        "#list-items details [data-id]", "nodes => nodes.map(n => n.dataset.id)"
    )
    told = re.compile(rf"^\D*{len(drawn)}\D+{len(ids)}\D*$")
    expect(page.locator("#list-count")).to_have_text(told)
    expect(page.locator("#list-items summary")).to_contain_text(str(len(apart)))
    assert drawn == set(ids) - set(apart)
    assert len(drawn) + len(apart) == len(ids)


def test_polygons_have_an_extent_on_the_screen(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    boxes = page.eval_on_selector_all(
        ".leaflet-container path.figure[data-id]",
        "nodes => nodes.map(node => [node.dataset.id, node.getBoundingClientRect().width])",
    )
    assert {name for name, width in boxes if width < 1} == set()


@pytest.mark.parametrize("zoom", [9.5, 12])
def test_a_doubtful_edge_is_a_band_as_wide_as_it_is_accurate(page: Page, site: str, zoom: float) -> None:
    _open(page, f"{site}/?lang=zh#{zoom}/37.4/122.1")
    bands = page.eval_on_selector_all(
        ".leaflet-container .band use",
        "nodes => nodes.map(n => [n.dataset.id, Number(n.style.getPropertyValue('--width-m')),"
        " Number.parseFloat(getComputedStyle(n).strokeWidth)])",
    )
    metres = page.evaluate("156543.03 * Math.cos(37.4 * Math.PI / 180) / 2 ** planMap.getZoom()")
    widest = {
        name: max(width for one, width, _ in bands if one == name) for name in {one for one, _, _ in bands}
    }
    assert widest.keys() >= {"gaoqu", "lingang", "nanhai", "shidao"}
    assert all(354 < width < 3000 for width in widest.values())
    assert all(pixels == pytest.approx(width / metres, rel=0.02) for _, width, pixels in bands)


def test_a_place_without_a_known_extent_is_a_point_with_a_halo(
    page: Page, site: str, release: Release
) -> None:
    document = release.read_json("documents/zhongri-park.json")
    ((_, _, accuracy_m),) = document["geometry"]["spots"]
    _open(page, f"{site}/?lang=zh")
    expect(page.locator("path.figure[data-id=zhongri-park]")).to_have_count(0)
    expect(page.locator(".point[data-id=zhongri-park]")).to_have_count(1)
    expect(page.locator(".point[data-id=zongbaoqu]")).to_have_count(2)  # it has two parts
    expect(page.locator(".reach-edge")).to_have_count(0)
    page.locator(".point[data-id=zhongri-park]").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".reach-edge")).to_have_count(1)
    metres = page.evaluate("156543.03 * Math.cos(37.3 * Math.PI / 180) / 2 ** planMap.getZoom()")
    box = page.locator(".reach-edge").evaluate("n => n.getBBox().width")
    assert box * metres == pytest.approx(2 * accuracy_m, rel=0.03)
    expect(page.locator("#panel").get_by_text("不计面积").first).to_be_visible()


def test_where_places_of_one_class_overlap_there_is_one_tone(page: Page, site: str, release: Release) -> None:
    """Figures are opaque to one another; only all of them together let the ground through.

    Clusters that lead somewhere are told apart without colour, by their textures.
    """
    for theme in ("five-zones", "clusters"):
        _open(page, f"{site}/?lang=zh&theme={theme}")
        fills = page.eval_on_selector_all(
            "path.figure", "nodes => nodes.map(n => [n.dataset.id, Number(getComputedStyle(n).fillOpacity)])"
        )
        assert {opacity for _, opacity in fills} <= {0, 1}
        assert page.evaluate("getComputedStyle(document.querySelector('.leaflet-area-pane')).opacity") < "1"
    expect(page.locator("#legend-entries")).to_contain_text("有几个并列")
    features = release.read_json("map/zh.json")["features"]
    marks = page.eval_on_selector_all(
        "path.figure",
        """nodes => nodes.map(n => [n.dataset.id, document.querySelector(
            `${n.style.fill.match(/#[^"]+/)?.[0] ?? "#none"} .pattern-mark`)?.getAttribute("d")])""",
    )
    drawn = {(features[place]["leads"], mark) for place, mark in marks if features[place]["leads"]}
    assert len(drawn) == len({mark for _, mark in drawn}) == len({cluster for cluster, _ in drawn}) > 2


def test_switching_the_theme_is_exclusive_and_the_back_button_returns(
    page: Page, site: str, release: Release
) -> None:
    _open(page, f"{site}/?lang=zh")
    page.get_by_role("radio", name="产业隆起带").check()
    expect(page).to_have_url(re.compile("theme=belts"))
    assert _drawn(page) == _ids(release, ("belts",))
    page.go_back()
    expect(page.get_by_role("radio", name="行政区与开发区")).to_be_checked()
    assert _drawn(page) == _ids(release, THEMES["districts"])


def test_a_click_selects_and_the_panel_cites_every_industry(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    page.locator("#list-items [data-id=gaoqu]").click()
    panel = page.locator("#panel")
    expect(panel.get_by_role("heading", name="高区")).to_be_visible()
    for term in ("医疗器械及医药", "电子信息", "时尚设计制造", "新材料及制品", "智能装备"):
        expect(panel.get_by_text(term, exact=True).first).to_be_attached()
    expect(panel.get_by_role("link", name="三(一)1(2)").first).to_be_attached()
    expect(page).to_have_url(re.compile("[?&]zone=gaoqu(&|#|$)"))


def test_a_permalink_restores_theme_selection_and_view(page: Page, site: str) -> None:
    _open(page, f"{site}/?theme=belts&zone=belt-north-hightech&lang=en#11/37.4/122.2")
    expect(page.get_by_role("radio", name="Industrial belts")).to_be_checked()
    expect(page.locator("#panel-title")).to_contain_text("Northern Coastal")
    centre = page.evaluate("[planMap.getZoom(), planMap.getCenter().lat, planMap.getCenter().lng]")
    assert centre == [11, pytest.approx(37.4, abs=0.001), pytest.approx(122.2, abs=0.001)]
    page.evaluate("void planMap.setZoom(12, { animate: false })")
    page.wait_for_url(re.compile(r"#12/"))
    again = page.url
    _open(page, again)
    expect(page).to_have_url(again)


@pytest.mark.parametrize("path", ["/?lang=zh", "/lookup?lang=zh"])
def test_a_page_that_opens_without_a_size_fits_the_map_once_it_has_one(
    page: Page, site: str, path: str
) -> None:
    """As browsers open pages out of sight."""
    page.goto(f"{site}{path}")
    seen = _look_where_the_map_is(page)
    page.add_init_script(
        "const hidden = new CSSStyleSheet();"
        "hidden.replaceSync('html { display: none !important }');"
        "document.adoptedStyleSheets = [hidden];"
        "window.showPage = () => { document.adoptedStyleSheets = []; };"
    )
    page.reload()
    page.wait_for_load_state("networkidle")
    page.evaluate("showPage()")
    assert _look_where_the_map_is(page) == seen


def _look_where_the_map_is(page: Page) -> list[float]:
    expect(page.locator("#atlas.ready, .pointer.ready")).to_be_attached()
    script = "[planMap.getCenter().lat, planMap.getCenter().lng, planMap.getZoom()]"
    found: list[float] = page.evaluate(script)
    return found


def test_a_map_goes_no_closer_than_what_is_known_is_worth(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    page.evaluate("void planMap.setView([37.4, 122.1], 25, { animate: false })")
    assert page.evaluate("planMap.getZoom()") == 14  # 8 m a pixel, of lines known to 200 m


def test_on_a_phone_held_sideways_a_place_is_in_sight(page: Page, site: str) -> None:
    page.set_viewport_size({"width": 667, "height": 375})
    _open(page, f"{site}/?zone=gaoqu&lang=zh")
    page.wait_for_function("planMap.getZoom() < 10")  # closer, it would lie beyond every edge
    assert page.evaluate("planMap.getBounds().contains([37.49, 122.02])")


def test_an_unknown_selection_in_the_address_does_no_harm(page: Page, site: str) -> None:
    _open(page, f"{site}/?theme=nothing&zone=nowhere&industry=x&lang=zh#99/x/y")
    expect(page.get_by_role("radio", name="行政区与开发区")).to_be_checked()
    expect(page.locator("#panel")).to_be_hidden()


def test_the_keyboard_reaches_and_selects_a_polygon_and_escape_leaves(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    page.locator("path.figure[data-id=nanhai]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel-title")).to_contain_text("南海新区")
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()


def test_tab_reaches_themes_list_and_map(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    reached: set[str] = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "(document.activeElement.closest('[id]') || document.body).id + ' '"
                " + document.activeElement.tagName"
            )
        )
    assert any(name.endswith(" INPUT") for name in reached)
    assert any(name.endswith(" SELECT") for name in reached)
    assert any(name.endswith(" path") for name in reached)


def test_overlapping_places_under_a_click_offer_a_choice(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh&theme=five-zones")
    where = page.evaluate(
        "(() => { const p = planMap.latLngToContainerPoint([37.2, 122.5]);"
        " const box = planMap.getContainer().getBoundingClientRect();"
        " return [p.x + box.x, p.y + box.y]; })()"
    )
    page.mouse.click(*where)
    chooser = page.locator("#chooser")
    expect(chooser).to_be_visible()
    expect(chooser.locator("[data-id]")).to_have_count(2)
    chooser.get_by_role("button", name="海洋经济发展示范区").click()
    expect(page.locator("#panel-title")).to_contain_text("海洋经济发展示范区")


def test_filtering_by_industry_marks_the_zones_that_have_it(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    page.locator("#industry").select_option("fine-chemicals")
    expect(page.locator("#list-count")).to_have_text(re.compile(r"^1 / \d+$"))
    expect(page).to_have_url(re.compile("industry=fine-chemicals"))
    expect(page.locator("#list-items [data-id=nanhai]")).to_be_visible()


@pytest.mark.parametrize("typed", ["nanhai", "南海新区", "난하이", "Nanhai New"])
def test_the_search_box_finds_in_any_script_and_selects(page: Page, site: str, typed: str) -> None:
    _open(page, f"{site}/?lang=zh")
    page.locator("#search").fill(typed)
    option = page.get_by_role("option").first
    expect(option).to_contain_text("南海新区")
    page.locator("#search").press("ArrowDown")
    page.locator("#search").press("Enter")
    expect(page.locator("#panel-title")).to_contain_text("南海新区")


BOXES = "nodes => nodes.map(n => n.getBoundingClientRect()).map(r => [r.left, r.top, r.right, r.bottom])"
LABELS = """nodes => nodes.map(node => {
  const parts = [...node.children].filter(c => !c.matches('.leader, .origin'));
  const all = parts.map(c => c.getBoundingClientRect());
  const line = node.querySelector('.leader');
  const ends = line && [0, line.getTotalLength()].map(far => {
    const { x, y } = line.getPointAtLength(far).matrixTransform(line.getScreenCTM());
    return [x, y];
  });
  return { box: [Math.min(...all.map(r => r.left)), Math.min(...all.map(r => r.top)),
    Math.max(...all.map(r => r.right)), Math.max(...all.map(r => r.bottom))],
    parts: all.map(r => [r.left, r.top, r.right, r.bottom]), ends };
}).filter(({ box: [left, top, right, bottom] }) =>
  right > Math.max(left, 0) && bottom > 0 && left < innerWidth && top < innerHeight)"""


@pytest.mark.parametrize(
    ("language", "width", "large"), [("zh", 1440, 1), ("en", 1440, 1), ("zh", 3840, 1.9)]
)
def test_labels_do_not_collide_nor_do_the_lines_that_tie_them(
    page: Page, site: str, language: str, width: int, large: float
) -> None:
    """A name covers no other and no count, and the line from a place to its name runs under none of them.

    No symbol covers another. Nor does a name stand beneath the tools, the question or the scale.
    """
    page.set_viewport_size({"width": width, "height": width * 5 // 8})
    for theme in (*THEMES, "platforms#11/37.1/122.45", "clusters&industry=carbon-fibre"):
        _open(page, f"{site}/?lang={language}&theme={theme}")
        labels = page.eval_on_selector_all(".label:not([hidden])", LABELS)
        boxes = [
            shapely.union_all([shapely.box(*part).buffer(-2) for part in one["parts"]]) for one in labels
        ]
        symbols = page.eval_on_selector_all(
            ".point .mark, .count-badge rect",
            BOXES,
        )
        marks = [shapely.box(*one).buffer(-3 * large) for one in symbols]
        assert not any(one.intersects(other) for one, other in combinations(marks, 2)), theme
        assert not any(one.intersects(mark) for one in boxes for mark in marks), theme
        names, covers = (
            [shapely.box(*one).buffer(-2) for one in page.eval_on_selector_all(which, BOXES) if any(one)]
            for which in (".label text", ".map-top > :not(.guide), .zoomer, .corner-row, .credit")
        )
        assert not any(one.intersects(cover) for one in names for cover in covers), theme
        assert len(boxes) > 3
        for index, one in enumerate(boxes):
            assert not any(one.intersects(other) for other in boxes[:index]), (theme, labels[index])
        lines = [(index, LineString(one["ends"])) for index, one in enumerate(labels) if one["ends"]]
        for own, line in lines:
            under = [one for index, one in enumerate(boxes) if index != own and one.intersects(line)]
            from_it = shapely.Point(line.coords[0])
            under += [one for one in marks if one.intersects(line) and not one.intersects(from_it)]
            assert under == [], (theme, labels[own])


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_a_phone_names_every_district_and_zone_at_once(
    phone: Page, site: str, release: Release, language: str
) -> None:
    _open(phone, f"{site}/?lang={language}")
    boxes = phone.eval_on_selector_all(
        ".label[data-for]",
        "nodes => Object.fromEntries(nodes.map(n => [n.dataset.for, n]).map(([id, n]) => {"
        " const all = [...n.querySelectorAll('text')].map(t => t.getBoundingClientRect());"
        " return [id, [Math.min(...all.map(r => r.left)), Math.min(...all.map(r => r.top)) + 3,"
        "  Math.max(...all.map(r => r.right)), Math.max(...all.map(r => r.bottom)) - 3]]; }))",
    )
    assert boxes.keys() >= _ids(release, ("counties", "zones"))
    for id_, one in boxes.items():
        assert one[0] >= 0, id_
        assert one[2] <= 360, id_
        covered = [
            other
            for other, box in boxes.items()
            if other != id_ and one[0] < box[2] and box[0] < one[2] and one[1] < box[3] and box[1] < one[3]
        ]
        assert covered == [], id_


@pytest.mark.parametrize("theme", THEMES)
def test_no_name_is_cut_at_the_edge_of_the_map(phone: Page, site: str, theme: str) -> None:
    """A name that would be cut stands elsewhere or not at all, also after the map was moved."""
    _open(phone, f"{site}/?lang=en&theme={theme}")
    for _ in range(2):
        stage = phone.locator(".stage").bounding_box()
        assert stage
        left, top, right, bottom = (
            stage["x"],
            stage["y"],
            stage["x"] + stage["width"],
            stage["y"] + stage["height"],
        )
        boxes = [one["box"] for one in phone.eval_on_selector_all(".label:not([hidden])", LABELS)]
        frame = shapely.box(left, top, right, bottom)
        cut = [box for box in boxes if shapely.box(*box).buffer(-3).intersects(frame.exterior)]
        assert cut == []
        assert any(frame.contains(shapely.box(*box)) for box in boxes)
        phone.evaluate("void planMap.panBy([90, 40], { animate: false })")


def test_edges_and_labels_say_what_is_schematic(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh&zone=lingang")
    # Found and read in one go: in between, the finer geometry may come and the edges be made anew.
    styled = """(edges) => [...document.querySelectorAll(`.edge-${edges}`)]
        .map((node) => getComputedStyle(node).strokeDasharray)"""
    guessed = set(page.evaluate(styled, "guessed[data-id=lingang]"))
    assert guessed
    assert not {"none", ""} & guessed
    assert set(page.evaluate(styled, "known[data-id=lingang]")) == {"none"}  # its coast and county border
    expect(page.locator(".edge-guessed[data-id=rushan], .edge-band[data-id=rushan]")).to_have_count(0)
    assert set(page.evaluate(styled, "known[data-id=rushan]")) == {"none"}
    expect(page.locator("#panel").get_by_text("示意").first).to_be_visible()
    expect(page.locator("#panel").get_by_text(re.compile("精度")).first).to_be_visible()


TURNS = r"""() => [...document.querySelectorAll('.leaflet-pane path')].flatMap((node) =>
  [...node.getAttribute('d').matchAll(/[ML]([\d.-]+) ([\d.-]+)Q([\d.-]+) ([\d.-]+) ([\d.-]+) ([\d.-]+)/g)]
    .map((found) => found.slice(1).map(Number)))"""


def test_lines_turn_softly_from_close_by(page: Page, site: str) -> None:
    """A slight bend turns long before its corner, and no corner is cut by more than three pixels."""
    _open(page, f"{site}/?lang=zh&theme=districts#14/37.0/121.84")
    before, corner, after = np.array(page.evaluate(TURNS)).reshape(-1, 3, 2).transpose(1, 0, 2)
    assert len(corner) > 50
    come, go = (np.linalg.norm(part, axis=1) for part in (corner - before, after - corner))
    straight = ((corner - before) * (after - corner)).sum(axis=1) / np.maximum(come * go, 1e-9)
    from_chord = shapely.distance(shapely.linestrings(np.stack([before, after], 1)), shapely.points(corner))
    assert from_chord.max() / 2 < 3  # half of that is cut
    assert np.median(np.minimum(come, go)[straight > 0.98]) > 10


def test_finer_geometry_leaves_the_focus_where_it_is(page: Page, site: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/detail.topojson", hold)
    with page.expect_request("**/detail.topojson"):
        _open(page, f"{site}/?lang=zh&zone=lingang")
    figure = page.locator("path.figure[data-id=lingang]")
    figure.evaluate("node => { node.focus(); node.classList.add('before') }")
    held[0].continue_()
    expect(figure).not_to_have_class(re.compile("before"))
    expect(figure).to_be_focused()


def test_a_place_that_has_the_focus_keeps_it_when_the_map_is_zoomed(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    point = page.locator(".point[data-id=zhongri-park]")
    point.evaluate(
        "node => { node.focus(); node.classList.add('before'); planMap.setZoom(planMap.getZoom() + 1) }"
    )
    expect(point).not_to_have_class(re.compile("before"))
    expect(point).to_be_focused()


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_map_speaks_the_language_of_the_page(page: Page, site: str, language: str) -> None:
    _open(page, f"{site}/?lang={language}&zone=rongcheng")
    names = {"zh": "荣成市", "en": "Rongcheng City", "ko": "룽청시"}
    expect(page.locator("#panel-title")).to_contain_text(names[language])
    expect(page.locator("html")).to_have_attribute("lang", language)


def test_everything_is_usable_at_360_pixels(phone: Page, site: str) -> None:
    _open(phone, f"{site}/?lang=zh")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    phone.get_by_role("radio", name="产业隆起带").tap()
    phone.locator("path.figure[data-id=belt-central-manufacturing]").tap(
        position={"x": 60, "y": 60}, force=True
    )
    expect(phone.locator("#panel")).to_be_visible()
    box = phone.locator("#panel").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["width"] <= 360
    small = phone.eval_on_selector_all(
        "button:not([hidden], .intro .link), .themes-choices label",  # the link stands in a line of text
        "nodes => nodes.filter(n => n.offsetParent && n.getBoundingClientRect().height < 32)"
        ".map(n => n.outerHTML.slice(0, 90))",
    )
    assert small == []


def test_the_answer_of_a_look_up_fits_a_phone(phone: Page, site: str) -> None:
    phone.goto(f"{site}/lookup?lon=122.1&lat=37.4&lang=en")
    wide = "nodes => nodes.filter(n => n.scrollWidth > n.clientWidth + 1).length"
    assert phone.eval_on_selector_all("#lookup-answer .scroll", wide) == 0
    assert phone.locator("#lookup-answer td").first.evaluate(
        "n => getComputedStyle(n, '::before').content"
    ) == ('"Kind"')


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_matrix_shows_all_its_columns_at_once(page: Page, site: str, language: str) -> None:
    page.goto(f"{site}/industries/?lang={language}")
    box = page.locator(".matrix")
    assert box.evaluate("n => n.scrollWidth <= n.clientWidth + 1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1440


@pytest.mark.parametrize("path", ["/", "/zones/nanhai", "/search?q=gaoqu"])  # every kind in English elsewhere
def test_axe_finds_nothing_serious(page: Page, site: str, path: str) -> None:
    page.goto(site + path)
    page.wait_for_load_state("networkidle")
    found = Axe().run(page)
    serious = [
        f"{row['id']}: {row['nodes'][0]['html'][:120]}"
        for row in found.response["violations"]
        if row["impact"] in {"serious", "critical"}
    ]
    assert serious == []


def test_the_first_view_is_light(browser: Browser, site: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    _open(page, f"{site}/")
    page.wait_for_load_state("networkidle")
    context.close()
    assert sum(sizes) <= 300_000


def test_the_map_is_there_without_javascript_as_a_list(browser: Browser, site: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/?lang=zh")
    expect(page.locator("#opening [data-id=gaoqu]")).to_be_visible()
    expect(page.get_by_role("button", name="测量")).to_be_hidden()  # nothing that needs a script
    expect(page.locator(".credit")).to_be_visible()
    page.get_by_role("link", name="区域列表").first.click()
    expect(page.get_by_role("link", name="高区", exact=True).first).to_be_visible()
    context.close()


def test_the_map_begins_with_a_picture_that_it_then_draws_over(browser: Browser, site: str) -> None:
    """Each polygon lies where the script then draws it, as coloured."""
    look = """(css) => Object.fromEntries([...document.querySelectorAll(css)].map((one) => {
      const { x, y, width, height } = one.getBoundingClientRect();
      const tone = getComputedStyle(one).getPropertyValue("--tone");
      return [one.dataset.id, [[x, y, x + width, y + height], tone]];
    }))"""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    begun, ready = context.new_page(), context.new_page()
    begun.route("**/js/main.js", lambda route: route.abort())
    for theme in ("districts", "five-zones", "belts", "clusters"):
        begun.goto(f"{site}/?theme={theme}")
        _open(ready, f"{site}/?theme={theme}")
        expect(ready.locator("#opening")).to_have_count(0)
        picture, drawn = begun.evaluate(look, "#opening .figure"), ready.evaluate(look, "path.figure")
        assert drawn
        for place, (box, tone) in drawn.items():
            assert picture[place][0] == pytest.approx(box, abs=10), (theme, place)  # an islet is left out
            assert picture[place][1] == tone, (theme, place)
    context.close()


def test_a_link_to_a_view_does_not_begin_with_another(client: FlaskClient, page: Page, site: str) -> None:
    for query in ("zone=nanhai", "industry=biomedicine", "pick=rongcheng", "theme=unknown", "layers=belts"):
        assert 'id="opening"' not in client.get(f"/?{query}").text, query
    assert 'id="opening"' in client.get("/?lang=en&theme=belts").text
    first = "addEventListener('DOMContentLoaded', () => (window.first = document.getElementById('opening')))"
    page.add_init_script(first)
    page.goto(f"{site}/#11/37.2/122.1")
    expect(page.locator("#atlas.ready")).to_be_attached()
    assert page.evaluate("window.first") is None


def test_pictures_of_every_theme_are_kept_for_looking(page: Page, site: str, tmp_path: Path) -> None:
    """A map that is one colour is broken, whatever its document says."""
    for theme in THEMES:
        _open(page, f"{site}/?lang=zh&theme={theme}")
        picture = page.locator(".stage").screenshot(path=tmp_path / f"{theme}.png")
        assert len(picture) > 30_000, theme
