"""Names that are attacks do nothing: a release made from them is drawn, listed and shown as text."""

from __future__ import annotations

import io
import re
import shutil
import urllib.request
import zipfile
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pypdf
import pytest
from playwright.sync_api import Browser, expect

from geodata.read import ROOT
from tests.webmap.conftest import Watched, serving
from webmap.publish import publish
from webmap.settings import Settings

pytestmark = pytest.mark.browser

ODD = "😀👩‍👧𬒗㙦\U00030000\u0e2a\u202e"  # an emoji, rare letters, such as no font has, a change of direction
ATTACKS = (
    f"<img src=x onerror=alert(1)> {ODD}",
    "</script><script>alert(1)</script>",
    "${alert(1)}`{{7*7}}{% raw %}",
    "\"'><svg onload=alert(1)>",
)


@pytest.fixture(scope="module")
def hostile_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a release whose zones are named with attacks."""
    facts = tmp_path_factory.mktemp("facts")
    shutil.copytree(ROOT, facts, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    zones = facts / "plan" / "zones.yaml"
    text = zones.read_text(encoding="utf-8")
    for name, attack in zip(("高区", "南海新区", "临港区", "环翠区"), ATTACKS, strict=True):
        quoted = "'" + attack.replace("'", "''") + "'"
        assert f"zh: {name}\n" in text
        assert f"short_name: {{zh: {name}," in text
        text = text.replace(f"zh: {name}\n", f"zh: {quoted}\n")
        text = text.replace(f"short_name: {{zh: {name},", f"short_name: {{zh: {quoted},")
    zones.write_text(text, encoding="utf-8")
    agencies = facts / "plan" / "agencies.yaml"
    said = agencies.read_text(encoding="utf-8")
    agencies.write_text(re.sub(r"  governs: .*\n", "", said), encoding="utf-8")  # no body bears such a name
    home = tmp_path_factory.mktemp("home")
    release = publish(home, print, facts)
    with serving(release, Settings(home)) as address:
        yield address


@pytest.mark.parametrize("zone", ["gaoqu", "nanhai", "lingang", "huancui"])
def test_a_hostile_name_is_only_text(browser: Browser, hostile_site: str, zone: str) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    watched = Watched(context.new_page(), hostile_site)
    page = watched.page
    for path in (
        f"/?zone={zone}&lang=zh",
        f"/?theme=clusters&zone={zone}&lang=zh",
        f"/zones/{zone}",
        "/zones/",
        "/platforms/",
    ):
        page.goto(hostile_site + path)
        page.wait_for_load_state("networkidle")
        assert page.locator("img[src=x], svg[onload]").count() == 0
    attack = dict(zip(("gaoqu", "nanhai", "lingang", "huancui"), ATTACKS, strict=True))[zone]
    page.goto(f"{hostile_site}/?zone={zone}&lang=zh")
    expect(page.locator("#panel-title")).to_contain_text(attack)
    context.close()
    assert watched.faults == []


SHEETS = ("/zones/gaoqu.pdf?lang=en", "/print/districts.pdf?lang=zh", "/atlas.pdf?lang=ko")
PICTURES = ("/og/gaoqu.png", "/print/districts.png", "/charts/clusters.png")


def test_paper_shows_every_letter_or_says_which_not(hostile_site: str) -> None:
    for path in SHEETS:
        with urllib.request.urlopen(hostile_site + path) as answer:
            pages = pypdf.PdfReader(io.BytesIO(answer.read())).pages
        text = "".join("".join(page.extract_text() for page in pages).split())
        assert "𬒗㙦" in text, path
        assert "U+1F600" in text, path
        assert "U+30000" in text, path
        assert "〓" in text, path
    for path in PICTURES:
        with urllib.request.urlopen(hostile_site + path) as answer:
            assert answer.read().startswith(b"\x89PNG")


def test_files_for_other_programs_stay_well_formed(hostile_site: str) -> None:
    for path in ("/data/zones.kml", "/data/plan.kml", "/print/districts.svg", "/charts/clusters.svg"):
        with urllib.request.urlopen(hostile_site + path) as answer:
            ET.fromstring(answer.read())
    with urllib.request.urlopen(f"{hostile_site}/data/plan.qgz") as answer:
        packed = zipfile.ZipFile(io.BytesIO(answer.read()))
    for name in packed.namelist():
        ET.fromstring(packed.read(name))
    with urllib.request.urlopen(f"{hostile_site}/data/zones.geojson") as answer:
        assert ODD in answer.read().decode()
