"""A city that nobody knows is built, served and shown from its folder alone."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import shapely
from playwright.sync_api import Browser, expect
from shapely.geometry import shape

from layers.store import Release, read_current
from tests.test_city import find_words
from tests.webmap.conftest import Watched

ROOT = Path(__file__).parents[2]
CITY = ROOT / "tests" / "cities" / "jingze"
LANGUAGES = ("zh", "en")
TEXTS = ("text/html", "json", "text/plain", "text/csv", "svg")
WAIT_S = 60
PAGES = (  # one of each kind, beside what these link
    *("/", "/zones/", "/zones/east-trial", "/zones/glass-valley", "/zones/mirror.pdf", "/places/kiln-school"),
    *("/industries/", "/industries/glassware", "/clusters/", "/clusters/cluster-glass", "/indicators"),
    *("/agencies/", "/agencies/glass-office", "/plan", "/plan/二(一)", "/changes", "/data/", "/ogc/"),
    *("/find", "/find?industry=glassware&valley=2&station=1&coast=1", "/compare?zones=mirror,east-trial"),
    *(
        "/lookup?lon=110.7&lat=30.5",
        "/lookup?lon=100&lat=30.5",
        "/lookup?lon=560000&lat=3380000&crs=EPSG:32649",
    ),
    *(
        "/search?q=花瓶",
        "/search?q=east",
        "/search.json?q=琉璃",
        "/zones/paper-valley.json",
        "/print/valleys.svg",
    ),
    *("/ogc/collections", "/ogc/collections/valleys/items", "/ogc/api?f=json", "/data/catalog.jsonld"),
    *("/data/valleys.geojson", "/data/zones.csv", "/data/valleys.gpkg?crs=EPSG:4546", "/robots.txt"),
)
NEW_LAYER = """
id: ridges
order: 4
source: areas
geometry: polygon
title: {zh: 山脊, en: Ridges}
description: {zh: 方案的山脊。, en: The ridges of the plan.}
one: {zh: 山脊, en: ridge}
kinds:
  ridges: {zh: 山脊, en: Ridge}
criterion:
  name: ridge
  label: {zh: 在山脊上, en: On a ridge}
  note: {zh: 规划点名＝1, en: Named by the plan = 1}
label: {priority: 2, width: 120}
theme:
  order: 5
  note: {zh: 由组成区域合并。, en: Merged from their members.}
"""
NEW_AREA = """
- id: paper-ridge
  layer: ridges
  name: {zh: 纸脊, en: Ridge of Paper}
  clause: 二(二)
  clauses: [二(二)]
  members: [mirror]
  relation:
    term: {zh: 包括镜湖, en: with the mirror lake}
    clause: 二(二)
  extent: not-stated
  letter: R
  colour: "#009E73"
  no_industries: {zh: 规划没有列出。, en: The plan lists none.}
"""


def run(city: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program for a city, as its operator would."""
    command = [sys.executable, "-m", "scripts.cli", *map(str, arguments), "--city", str(city)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("WEIHAI_LAYOUT_")}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


def build(city: Path, home: Path) -> Release:
    done = run(city, "build", "--home", home)
    assert done.returncode == 0, done.stderr
    release = read_current(home)
    assert release is not None
    return release


@contextmanager
def serving(city: Path, home: Path) -> Iterator[str]:
    """Serve a built city; `city` is named by the environment."""
    command = [
        sys.executable,
        "-m",
        "scripts.cli",
        "serve",
        "--no-browser",
        "--port",
        "0",
        "--home",
        str(home),
    ]
    env = os.environ | {"WEIHAI_LAYOUT_CITY": str(city)}
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().split()[-1].rstrip("/")
        finally:
            process.terminate()
            process.wait(WAIT_S)


def ask(address: str, language: str) -> tuple[int, str, bytes]:
    """Return status, type and body; only what an address must quote is quoted."""
    quoted = urllib.request.quote(address, safe=":/?&=,()%")  # type: ignore[attr-defined]
    request = urllib.request.Request(quoted, headers={"Accept-Language": language})
    try:
        with urllib.request.urlopen(request, timeout=WAIT_S) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jingze")


@pytest.fixture(scope="module")
def city_release(home: Path) -> Release:
    return build(CITY, home)


@pytest.fixture(scope="module")
def city_site(home: Path, city_release: Release) -> Iterator[str]:
    with serving(CITY, home) as address:
        yield address


def read_layer(release: Release, layer: str) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in release.read_json(f"data/{layer}.geojson")["features"]}


def test_every_kind_of_page_answers_and_says_no_word_of_the_shipped_city(city_site: str) -> None:
    for language in LANGUAGES:
        seen: set[str] = set()
        linked: set[str] = set()
        for path in PAGES:
            status, kind, body = ask(city_site + path, language)
            assert status == 200, (path, body[:300])
            if any(one in kind for one in TEXTS):
                text = body.decode()
                assert find_words(text) == set(), path
                if "html" in kind:
                    linked |= set(
                        re.findall(r'href="(/(?:zones|industries|places|plan|agencies)/[^"?#.]*)"', text)
                    )
            seen.add(path)
        for path in sorted({urllib.request.unquote(html.unescape(one)) for one in linked} - seen):  # type: ignore[attr-defined]
            status, _, body = ask(city_site + path, language)
            assert status == 200, (path, body[:300])
            assert find_words(body.decode()) == set(), path


def test_nothing_that_was_built_says_a_word_of_the_shipped_city(city_release: Release) -> None:
    texts = {
        path: city_release.read(path).decode()
        for path in city_release.paths()
        if path.endswith((".json", ".geojson", ".topojson", ".md", ".csv", ".svg", ".kml"))
    }
    assert texts
    assert {path: found for path, text in texts.items() if (found := find_words(text))} == {}


def test_a_city_has_its_own_languages_and_systems(city_site: str) -> None:
    status, _, body = ask(f"{city_site}/zones/?lang=ko", "en")
    assert status == 400
    assert b"zh, en" in body
    status, _, body = ask(f"{city_site}/lookup.json?lon=1&lat=1&crs=EPSG:3415", "en")
    assert status == 400
    assert b"EPSG:32649, EPSG:4546" in body
    zones = json.loads(ask(f"{city_site}/ogc/collections/zones?f=json", "en")[2])
    assert {one.rpartition("/")[2] for one in zones["crs"]} >= {"CRS84", "32649", "4546"}
    feature = json.loads(ask(f"{city_site}/data/zones.geojson", "en")[2])["features"][0]
    assert not [name for name in feature["properties"] if name.endswith("_ko")]


def test_the_laws_of_boundaries_hold(city_release: Release) -> None:
    drawn = {
        layer: {name: shape(row["geometry"]) for name, row in read_layer(city_release, layer).items()}
        for layer in ("counties", "zones", "towns", "valleys", "land")
    }
    for layer in ("towns", "counties", "zones"):
        for one, other in combinations(drawn[layer].values(), 2):
            assert shapely.intersection(one, other).area == pytest.approx(0, abs=1e-12)
    city = shapely.union_all(list(drawn["towns"].values()))
    assert shapely.symmetric_difference(city, drawn["land"]["jingze"]).area == pytest.approx(0, abs=1e-12)
    assert drawn["counties"]["mirror"].covers(drawn["zones"]["east-trial"])
    assert drawn["valleys"]["glass-valley"].equals(drawn["zones"]["east-trial"])
    for shapes in drawn.values():
        for one in shapes.values():
            assert one.is_valid
            assert all(part.exterior.is_ccw for part in shapely.get_parts(one))


def test_its_map_opens(browser: Browser, city_site: str) -> None:
    context = browser.new_context(viewport={"width": 1200, "height": 800}, locale="en-GB")
    watched = Watched(context.new_page(), city_site)
    page = watched.page
    page.goto(f"{city_site}/?theme=valleys&lang=en")
    page.locator(".label", has_text="Valley of Glass").wait_for()
    said = page.locator("body").inner_text() + page.title()
    assert "Jingze" in said
    assert "Valleys" in said
    assert find_words(said) == set()
    page.goto(f"{city_site}/?zone=east-trial&lang=zh")
    page.get_by_text("东谷试验区").first.wait_for()
    said = page.locator("body").inner_text()
    assert find_words(said) == set()
    page.goto(f"{city_site}/?tour=5&lang=en")  # no theme of clusters or platforms: fewer views
    guide = page.locator("#guide")
    guide.get_by_text("3 / 3").wait_for()
    expect(guide.get_by_role("heading")).to_have_text(["An industry"])
    assert watched.faults == []
    context.close()


def test_a_home_holds_one_city(home: Path, city_release: Release, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(CITY, other)
    for name in ("city.yaml", "plan/plan.yaml"):
        text = (other / name).read_text(encoding="utf-8")
        (other / name).write_text(text.replace("id: jingze", "id: elsewhere", 1), encoding="utf-8")
    done = run(other, "build", "--home", home)
    assert done.returncode == 1
    assert "--home" in done.stderr
    assert "jingze" in done.stderr
    live = read_current(home)
    assert live is not None
    assert live.id == city_release.id


def test_a_city_that_is_none_is_told(tmp_path: Path) -> None:
    for command in ("build", "check", "serve", "search"):
        done = run(tmp_path / "nowhere", command)
        assert done.returncode != 0
        assert "city.yaml" in done.stderr
        assert "Traceback" not in done.stderr


def test_one_file_adds_a_layer(browser: Browser, tmp_path: Path) -> None:
    city = tmp_path / "city"
    shutil.copytree(CITY, city)
    (city / "layers" / "ridges.yaml").write_text(NEW_LAYER, encoding="utf-8")
    with (city / "plan" / "areas.yaml").open("a", encoding="utf-8") as file:
        file.write(NEW_AREA)
    release = build(city, tmp_path / "home")
    assert set(read_layer(release, "ridges")) == {"paper-ridge"}
    payload = release.read_json("map/en.json")
    assert payload["layers"]["ridges"] == {"source": "areas", "priority": 2, "width": 120}
    themes = {row["id"]: row for row in payload["themes"]}
    assert [row["label"] for row in themes["ridges"]["legend"]] == ["Ridge of Paper"]
    assert "paper-ridge" in json.dumps(release.read_json("map/overview.topojson")["objects"]["ridges"])
    with serving(city, tmp_path / "home") as address:
        for path, said in (
            ("/data/", "Ridges"),
            ("/data/ridges.csv", "paper-ridge"),
            ("/ogc/collections?f=json", '"ridges"'),
            ("/ogc/collections/ridges/items?f=json", "Ridge of Paper"),
            ("/zones/", "Ridge of Paper"),
            ("/zones/paper-ridge", "Ridge of Paper"),
            ("/find?ridge=1", "On a ridge"),
            ("/lookup?lon=110.5&lat=30.5", "Ridge of Paper"),
            ("/search?q=ridge", "Ridge of Paper"),
            ("/print/ridges.svg", "Ridges"),
        ):
            status, _, body = ask(address + path, "en")
            assert status == 200, path
            assert said in html.unescape(body.decode()), path
        page = browser.new_page(viewport={"width": 1200, "height": 800}, locale="en-GB")
        page.goto(f"{address}/?theme=ridges&lang=en")
        page.locator(".label-areas", has_text="Ridge of Paper").wait_for()
        expect(page.locator("#legend-entries").get_by_text("Ridge of Paper").first).to_be_attached()
        page.close()


def test_a_town_without_a_polygon_is_told_by_name(tmp_path: Path) -> None:
    city = tmp_path / "city"
    shutil.copytree(CITY, city)
    file = city / "boundaries" / "towns.geojson"
    towns = json.loads(file.read_text(encoding="utf-8"))
    towns["features"] = [row for row in towns["features"] if row["id"] != "middle"]
    file.write_text(json.dumps(towns), encoding="utf-8")
    done = run(city, "build", "--home", tmp_path / "home")
    assert done.returncode == 1
    assert "boundaries/towns.geojson: no polygon of middle" in done.stderr
    assert "Traceback" not in done.stderr
