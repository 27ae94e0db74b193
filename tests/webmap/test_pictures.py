"""What maps look like, compared with pictures that were looked at: nothing moves unseen.

``pytest tests/webmap/test_pictures.py --update-pictures`` writes them anew; look at each before it is kept.
Words are left out where they depend on the fonts of a machine.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import template_rendered
from flask.testing import FlaskClient
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser

from layers.store import Release
from scripts.pictures import list_shots
from webmap.map_choice import MapChoice
from webmap.paper.pdf_renderer import PdfRenderer, open_renderer

PICTURES = Path(__file__).parent / "pictures"
WIDTH = 420  # pixels that a picture is kept with
MOST_BYTES = 60_000
BLUR_PX = 1.2  # edges are smoothed a little differently by each browser
SAME = 22  # of 255
MOST_DIFFERENT = 0.004  # of all pixels
SHEET_PPI = 56
# Of two publications, which one release alone has not; frames that others extend.
# Of two publications, a frame, of an operator's own layers, and of who has signed in.
UNSEEN = {"difference.html", "ogc/frame.html", "own.html", "own_layers.html", "own_list.html"}
UNSEEN |= {
    f"workbench/{name}.html" for name in ("draft", "drafts", "draw", "frame", "history", "layers", "login")
}
WORDLESS = "text, .map-top, .zoomer, .corner { visibility: hidden !important; }"


@pytest.fixture
def check(pytestconfig: pytest.Config):
    """Return what compares a picture with the kept one, or keeps it."""

    def compare(name: str, data: bytes) -> None:
        with Image.open(io.BytesIO(data)) as whole:
            now = whole.convert("RGB").resize((WIDTH, round(WIDTH * whole.height / whole.width)))
        kept = PICTURES / f"{name}.png"
        if pytestconfig.getoption("update_pictures"):
            PICTURES.mkdir(exist_ok=True)
            now.quantize(256, dither=Image.Dither.NONE).save(kept, optimize=True)
        assert kept.stat().st_size <= MOST_BYTES
        with Image.open(kept) as before:
            assert measure_difference(now, before.convert("RGB")) <= MOST_DIFFERENT, name

    return compare


def measure_difference(one: Image.Image, other: Image.Image) -> float:
    """Return the share of pixels that differ visibly; 1 where the sizes do."""
    if one.size != other.size:
        return 1.0
    pair = [picture.filter(ImageFilter.GaussianBlur(BLUR_PX)) for picture in (one, other)]
    return float((np.asarray(ImageChops.difference(*pair)).max(axis=2) > SAME).mean())


@pytest.fixture(scope="module")
def renderer(release: Release) -> PdfRenderer:
    return open_renderer(release, "zh", lambda path: f"https://layout.example{path}")


@pytest.fixture(scope="module")
def themes(release: Release) -> list[str]:
    return [row["id"] for row in release.read_json("map/zh.json")["themes"]]


def test_a_sheet_of_each_theme_looks_as_it_did(renderer: PdfRenderer, themes: list[str], check) -> None:
    for theme in themes:
        drawn = renderer.poster(MapChoice(theme), "A4")
        check(f"sheet-{theme}", renderer._png("poster.typ", drawn, SHEET_PPI))


@pytest.mark.browser
def test_the_map_and_the_small_maps_look_as_they_did(
    browser: Browser, site: str, release: Release, check
) -> None:
    paths = {shot.name: shot.address for shot in list_shots(release, ("zh",), (960,), ("light",))}
    for scheme in ("light", "dark"):
        context = browser.new_context(
            viewport={"width": 960, "height": 640},
            color_scheme=scheme,
            reduced_motion="reduce",
            bypass_csp=True,
        )
        page = context.new_page()
        page.goto(site + paths["map-districts"])
        page.locator(".atlas.ready").wait_for()
        page.add_style_tag(content=WORDLESS)
        check(f"map-{scheme}", page.locator(".leaflet-container").first.screenshot())
        if scheme == "light":
            for name, selector in (("zone", "figure.locator svg"), ("industry", "svg.sketch")):
                page.goto(site + paths[name])
                page.add_style_tag(content=WORDLESS)
                check(
                    {"zone": "locator", "industry": "sketch"}[name], page.locator(selector).first.screenshot()
                )
        context.close()


def test_every_theme_has_a_picture_and_no_other_is_kept(themes: list[str]) -> None:
    small = {"map-light", "map-dark", "locator", "sketch"}
    assert {path.stem for path in PICTURES.glob("*.png")} == small | {f"sheet-{theme}" for theme in themes}


def test_a_difference_that_can_be_seen_is_found():
    plain = Image.new("RGB", (200, 100), "#f7f4ec")
    changed = plain.copy()
    changed.paste("#d55e00", (20, 20, 34, 34))
    assert measure_difference(plain, plain.copy()) == 0
    assert measure_difference(plain, changed) > MOST_DIFFERENT
    assert measure_difference(plain, plain.resize((100, 50))) == 1


def test_every_kind_of_page_has_pictures(release: Release, client: FlaskClient) -> None:
    """A page whose pictures nobody takes could change unseen."""
    rendered = set()

    def note(_: object, template: Any, **__: object) -> None:
        rendered.add(template.name)

    with template_rendered.connected_to(note, client.application):
        for shot in list_shots(release, ("zh",), (1440,), ("light",)):
            client.get(shot.address, headers={"Accept": "text/html"})
    folder = Path(client.application.root_path) / "templates"
    pages = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*.html")
        if "{% extends" in path.read_text(encoding="utf-8")
    }
    assert pages - rendered == UNSEEN
