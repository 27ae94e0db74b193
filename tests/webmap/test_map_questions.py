"""A question put to the map: its answer in one strong colour on every theme, and in words that stay."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from layers.store import Release
from tests.webmap.conftest import AT_REST

pytestmark = pytest.mark.browser

THEMES = ("districts", "five-zones", "belts", "marine-cores", "clusters", "platforms", "gateways")
AREAS = {"five-zones", "belts", "marine-cores"}
# Points of each figure that nothing else covers, neither another figure nor a name.
SPOTS = """() => {
  const names = [...document.querySelectorAll('.label, .point, .map-top, .zoomer, .corner')]
    .map(n => n.getBoundingClientRect());
  const on = (r, x, y) => x > r.left - 4 && x < r.right + 4 && y > r.top - 4 && y < r.bottom + 4;
  const found = {};
  for (const node of document.querySelectorAll('.leaflet-container path.figure[data-id]')) {
    const box = node.getBoundingClientRect(), spots = [];
    for (let row = 1; row < 12; row++) for (let column = 1; column < 12; column++) {
      const [x, y] = [box.left + box.width * column / 12, box.top + box.height * row / 12];
      const around = [[0, 0], [4, 0], [-4, 0], [0, 4], [0, -4]];
      if (names.some(r => on(r, x, y))) continue;
      const own = ([dx, dy]) => document.elementFromPoint(x + dx, y + dy) === node;
      if (around.every(own)) spots.push([x, y]);
    }
    found[node.dataset.id] = spots;
  }
  return found;
}"""


def _open(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.locator("#atlas.ready")).to_be_attached()


def _payload(release: Release) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(release.read("map/zh.json"))
    return found


def _industries(release: Release) -> dict[str, set[str]]:
    """Return, for industries that no place, one and many have, the places."""
    payload = _payload(release)
    places = {
        name: {
            id_ for id_, row in payload["features"].items() if not row["point"] and name in row["industries"]
        }
        & {id_ for id_, row in payload["features"].items() if row["layer"] not in {"platforms", "gateways"}}
        for name in payload["industries"]
    }
    none = next(name for name, ids in places.items() if not ids)
    one = next(
        name
        for name, ids in places.items()
        if len(ids) == 1 and payload["features"][min(ids)]["layer"] == "zones"
    )
    many = max(places, key=lambda name: len(places[name]))
    return {name: places[name] for name in (none, one, many)}


@pytest.fixture(params=["light", "dark"])
def coloured(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=request.param, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def _tone(picture: Image.Image, spots: list[tuple[float, float]]) -> tuple[int, ...]:
    """Return the colour that most of some spots of a picture have."""
    pixels = (picture.getpixel((int(x), int(y))) for x, y in spots)
    [(tone, _)] = Counter(pixel for pixel in pixels if isinstance(pixel, tuple)).most_common(1)
    return tone


def _far(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


def test_what_matches_is_in_one_strong_colour_on_every_theme(
    coloured: Page, site: str, release: Release
) -> None:
    page, features = coloured, _payload(release)["features"]
    # Through a place whose extent nobody knows, what lies beneath is seen.
    certain = {id_ for id_, row in features.items() if row["edge"] != "indicative"}
    _open(page, f"{site}/?lang=zh")
    scheme = page.evaluate("Number(matchMedia('(prefers-color-scheme: dark)').matches)")
    for number, (industry, places) in enumerate(_industries(release).items()):
        page.locator("#industry").select_option(industry)
        for theme in THEMES[(number + scheme) % 2 :: 2]:  # each in one of the colour schemes
            page.locator(f"#theme-{theme}").check()
            expect(page.locator(f"#theme-{theme}")).to_be_checked()
            page.mouse.move(5, 5)
            page.evaluate(AT_REST)  # the transition of a faded figure
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            tones = {
                id_: _tone(picture, spots)
                for id_, spots in page.evaluate(SPOTS).items()
                if spots and id_ in certain
            }
            drawn = page.eval_on_selector_all(
                ".leaflet-container path.figure[data-id]",
                "n => Object.fromEntries(n.map(o => [o.dataset.id, o.matches('.is-outlined')]))",
            )
            outlined = {id_ for id_, is_outlined in drawn.items() if is_outlined}
            hits = {tones[id_] for id_ in (places & tones.keys()) - outlined}
            reached = {id_ for id_, row in features.items() if industry in row.get("reached", ())}
            others = {tones[id_] for id_ in tones.keys() - places - reached}
            lighter = {tones[id_] for id_ in tones.keys() & reached - places}
            where = f"{industry} {theme}"
            assert all(_far(one, other) <= 12 for one in hits for other in hits), where
            assert all(max(one) - min(one) < 48 for one in others), where  # pale: nearly no hue
            assert all(_far(one, other) > 60 for one in hits for other in others), where
            assert all(_far(one, other) > 40 for one in hits for other in lighter), where
            assert places <= drawn.keys(), where
            assert {features[id_]["layer"] for id_ in outlined} <= AREAS, where
            assert outlined <= places, where
            assert bool(hits) == bool((places & certain) - outlined), where


def test_the_question_stays_on_the_map_with_its_answer_and_a_way_back(
    page: Page, site: str, release: Release
) -> None:
    none, one, _ = _industries(release)
    page.goto(f"{site}/industries/{none}?lang=en")
    page.get_by_role("main").locator('a[href*="industry="]').first.click()
    expect(page.locator("#atlas.ready")).to_be_attached()
    chip = page.locator("#question")
    expect(chip).to_contain_text("Listed for no zone")
    page.get_by_role("radio", name="Industrial belts").check()
    expect(chip).to_contain_text("Listed for no zone")
    assert chip.bounding_box()["y"] < 300  # type: ignore[index]
    chip.get_by_role("link").click()
    page.wait_for_url(re.compile(f"/industries/{none}"))
    _open(page, f"{site}/?industry={one}&lang=en")
    expect(chip).to_contain_text("Listed for 1")
    chip.get_by_role("button", name="Clear").click()
    expect(chip).to_be_hidden()
    expect(page).not_to_have_url(re.compile("industry="))


def test_what_was_searched_for_stays_until_it_is_taken_away(page: Page, site: str) -> None:
    _open(page, f"{site}/?lang=zh")
    page.locator("#search").fill("nanhai")
    expect(page.get_by_role("option").first).to_contain_text("南海新区")
    page.locator("#search").press("ArrowDown")
    page.locator("#search").press("Enter")
    expect(page.locator("#question")).to_contain_text("nanhai")
    expect(page).to_have_url(re.compile("q=nanhai"))
    page.locator("#question").get_by_role("link").click()
    page.wait_for_url(re.compile(r"/search\?q=nanhai"))


def test_an_industry_has_as_many_places_in_the_filter_as_on_the_map(
    page: Page, site: str, release: Release
) -> None:
    none, one, many = _industries(release)
    places = _industries(release)[many]
    _open(page, f"{site}/?lang=zh&industry={many}")
    expect(page.locator(f"#industry option[value={many}]")).to_contain_text(f"（{len(places)}）")
    for theme in THEMES:
        page.locator(f"#theme-{theme}").check()
        expect(page.locator(f"#theme-{theme}")).to_be_checked()
        listed = page.eval_on_selector_all("#list-items [data-id]", "n => n.map(o => o.dataset.id)")
        assert places <= set(listed), theme
    last = page.locator("#industry optgroup").last
    expect(last.locator(f"option[value={none}]")).to_have_count(1)
    expect(last.locator(f"option[value={one}]")).to_have_count(0)
