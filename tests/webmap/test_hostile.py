"""Texts that are attacks do nothing: of a release that has no others all is drawn and shown as text."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import cycle
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pypdf
import pytest
from filelock import FileLock
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect

import webmap.build
from geodata.kinds import LANGUAGES
from geodata.messages import find_unprintable
from geodata.model import Record, Text
from geodata.read import ROOT, Facts
from layers.history import Act, record
from layers.release import Inputs
from layers.store import Release, read_current
from tests.webmap.conftest import Watched, serving
from tests.webmap.crawling import STARTS, read_page, walk
from webmap.app import create_app
from webmap.publish import hash_code, hash_inputs
from webmap.settings import Settings

ODD = "😀👩‍👧𬒗㙦\U00030000\u0e2a\u202e"  # an emoji, rare letters, such as no font has, a change of direction
NAMED = {  # of whom it is asked by name
    "gaoqu": f"<img src=x onerror=alert(1)> {ODD}",
    "nanhai": "</script><script>alert(1)</script>",
    "lingang": "${alert(1)}`{{7*7}}{% raw %}",
    "huancui": "\"'><svg onload=alert(1)>",
}
ATTACKS = (
    *NAMED.values(),
    # HTML and SVG.
    *(
        "<script>alert(1)</script>",
        "<ScRiPt >alert(1)</sCrIpT>",
        "<img/src=x/onerror=alert(1)>",
        "<b>bold</b><!--",
    ),
    *(
        "-->\"'--!><script>alert(1)//",
        "<svg/onload=alert(1)//",
        "<iframe srcdoc='<script>alert(1)</script>'>",
    ),
    *("<math><mi//xlink:href='data:x,<script>alert(1)</script>'>", "<style>*{display:none}</style>", "]]>"),
    *(
        "<a href='javascript:alert(1)'>x</a>",
        "<base href='//evil.example/'>",
        "<meta http-equiv=refresh content=0>",
    ),
    *(
        "<form action=//evil.example><button>",
        "<details open ontoggle=alert(1)>",
        "<template><script>alert(1)</script>",
    ),
    *(
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<textarea autofocus onfocus=alert(1)>",
    ),
    *("<object data='data:text/html,<script>alert(1)</script>'>", "<![CDATA[<script>alert(1)</script>]]>"),
    *(
        "</title><script>alert(1)</script>",
        "</style><script>alert(1)</script>",
        '"autofocus onfocus=alert(1) x="',
    ),
    *(
        "' onmouseover='alert(1)",
        "` onmouseover=alert(1)",
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&#60;b&#62;",
    ),
    *(
        "\u2028alert(1)\u2029//",
        "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
        "<\u0338script>alert(1)",
    ),
    # Code of scripts, templates, formats, and of what draws paper.
    *(
        "{{7*7}}",
        "{{config.items()}}",
        "{% for x in y %}",
        "{# comment #}",
        "${7*7}",
        "#{7*7}",
        "<%= 7*7 %>",
        "{0.__class__}",
    ),
    *(
        "%s%s%n",
        "%(name)s",
        "$(touch x)",
        "`touch x`",
        "; rm -rf x",
        "|cat x",
        '\\");alert(1);//',
        "';alert(1);'",
    ),
    *(
        "#panic(1)",
        '#read("/etc/passwd")',
        "#set page(fill: red)",
        "$x^2$ *b* _i_ @ref <label>",
        "\\input{x}",
        "//*/ #",
    ),
    # Addresses, queries, and files for other programs.
    *(
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//evil.example/x",
        "../../etc/passwd",
    ),
    *(
        'https://evil.example/"><b>',
        "mailto:a@evil.example?bcc=b",
        "'; DROP TABLE zones; --",
        '" OR 1=1 --',
        "%' LIKE '%",
    ),
    *(
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(1)",
        '=HYPERLINK("//evil.example")',
        "\t=1+1",
        "a;b;c",
        'a,"b",c',
        "| a | b |",
    ),
    *("]]><!ENTITY x SYSTEM 'file:///etc/passwd'>&x;", "<?php 1 ?>", "x\r\nSet-Cookie: a=b", "a\nb\tc"),
    # Letters.
    *(
        "null",
        "undefined",
        "NaN",
        "-0",
        "1e999",
        "true",
        "__proto__",
        "constructor",
        "\u202eevil\u202c",
        "\u200b\u200d\ufeffx",
    ),
    *(
        "e" + "\u0301" * 50,
        "\U000e0041\U000e007f",
        "ﷺ" * 20,
        "İıſK",
        "中" * 200,
        "w" * 10_000,
        "字 " * 5_000,
        "가" * 300,
    ),
)
# Fields that hold a text of one language; of the others, ids and words that stand for something stay.
PLAIN = {
    "title",
    "publisher",
    "licence",
    "note",
    "basis",
    "wording",
    "printed",
    "aliases",
    "number",
    "reason",
    "verb",
}
SHEETS = ("/zones/gaoqu.pdf?lang=en", "/print/districts.pdf?lang=ko")
PICTURES = ("/og/gaoqu.png", "/charts/clusters.png")
MARKED = ("/data/zones.kml", "/data/plan.kml", "/print/districts.svg", "/charts/clusters.svg")
TEMPLATES = sorted((Path(webmap.build.__file__).parent / "templates").rglob("*.*"))
WRITTEN = {tag for path in TEMPLATES for tag in re.findall(r"<([a-z][a-z0-9]*)", path.read_text("utf-8"))}
# Addresses that pages themselves have; an attack brings another scheme, or another host.
SOUND = re.compile(r"(?:https?:)?//(?!evil)|/(?!/)|\?|#|mailto:|data:image/svg\+xml|$")


def harm(value: Any, texts: Iterator[str], name: str = "") -> Any:
    """Return facts, or a part of them, with an attack in the place of every text."""
    if isinstance(value, Text):
        return value.model_copy(update={one: next(texts) for one in LANGUAGES})
    if isinstance(value, Record):
        return value.model_copy(
            update={one: harm(getattr(value, one), texts, one) for one in type(value).model_fields}
        )
    if isinstance(value, tuple):
        return tuple(harm(one, texts, name) for one in value)
    if isinstance(value, dict):
        return {key: harm(one, texts, name) for key, one in value.items()}
    return next(texts) if isinstance(value, str) and name in PLAIN else value


def harm_facts(facts: Facts, texts: Iterator[str]) -> Facts:
    """Return facts of which every text is an attack, and some zones bear those that are looked for."""
    kept = {"problems", "lines"}
    harmed = {
        one.name: harm(getattr(facts, one.name), texts) for one in fields(facts) if one.name not in kept
    }
    for zone, text in NAMED.items():
        named = Text(**dict.fromkeys(LANGUAGES, text))
        update = {"name": named, "short_name": named, "full_name": None}
        harmed["zones"][zone] = harmed["zones"][zone].model_copy(update=update)
    return replace(facts, **harmed)


@pytest.fixture(scope="module")
def hostile(home: Path) -> Release:
    """Return a release of attacks, past the checks that refuse them, built once for all worker processes."""
    digest = hashlib.sha256("\0".join(ATTACKS).encode()).hexdigest()[:8]
    own_home = home.with_name(f"{home.name}-of-attacks-{digest}")
    act = Act("build", hash_inputs(), hash_code())
    with FileLock(f"{own_home}.lock"):
        found = read_current(own_home)
        if found is None or found.id != act.inputs:
            found = build_hostile(own_home, act)
    return found


def build_hostile(home: Path, act: Act) -> Release:
    texts, real = (text.strip() for text in cycle(ATTACKS)), webmap.build._read_inputs

    def read(*given: Any) -> Inputs:
        inputs = real(*given)
        return replace(
            inputs,
            facts=harm_facts(inputs.facts, texts),
            layers=harm(inputs.layers, texts),
            themes=harm(inputs.themes, texts),
        )

    with pytest.MonkeyPatch.context() as reading:
        reading.setattr(webmap.build, "_read_inputs", read)
        release = webmap.build.build_home(home, ROOT, act)
    record(home, release, act)
    return release


@pytest.fixture(scope="module")
def hostile_client(hostile: Release) -> FlaskClient:
    return create_app(hostile, Settings(hostile.folder.parents[1])).test_client()


@pytest.fixture(scope="module")
def hostile_site(hostile: Release) -> Iterator[str]:
    with serving(hostile, Settings(hostile.folder.parents[1])) as address:
        yield address


def test_the_attacks_are_such_as_may_be_written() -> None:
    assert len({*ATTACKS}) >= 80
    assert [text for text in ATTACKS if find_unprintable(text)] == []


def list_faults(text: str) -> list[str]:
    """Return what of a page runs, leads elsewhere, or was opened by a text."""
    found = []
    for tag, attributes in read_page(text).tags:
        found += [tag] if tag not in WRITTEN else []
        found += [f"{tag} {name}" for name in attributes if name.startswith("on") or name == "srcdoc"]
        led = {attributes.get(name) or "" for name in ("href", "src", "action", "data", "xlink:href")}
        found += [f"{tag} {address}" for address in led if not SOUND.match(address)]
        found += [tag] if tag == "script" and not {"nonce", "src"} & attributes.keys() else []
    return found


def list_sampled(release: Release) -> list[str]:
    """Return the lists, and some pages of every kind of thing."""
    places = [
        release.read_json(f"documents/{one}.json")["url"] for one in release.read_json("pages/order.json")
    ]
    found = [
        *STARTS,
        "/zones/",
        "/industries/",
        "/plan",
        "/indicators",
        "/data/",
        "/changes",
        "/about",
        *places[::24],
    ]
    for name in ("industries", "clusters", "agencies"):
        found += [
            f"/{name}/",
            *(f"/{name}/{row['id']}" for row in release.read_json(f"pages/{name}.json")[::24]),
        ]
    return found + [f"/plan/{row['id']}" for row in release.read_json("data/clauses.json")[::24]]


def test_pages_show_them_as_text(hostile: Release, hostile_client: FlaskClient) -> None:
    for address in list_sampled(hostile):
        answer = hostile_client.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == 200, address
        assert list_faults(answer.text) == [], address


@pytest.mark.thorough
def test_every_page_shows_them_as_text(hostile_client: FlaskClient) -> None:
    shown: set[str] = set()
    for language in LANGUAGES:
        for address, page in walk(hostile_client, language):
            assert list_faults(page.source) == [], address
            shown.update(text for _, text in page.texts)
    every = "\n".join(shown)
    assert [text for text in ATTACKS if text.strip().split("\n")[0][:40] not in every] == []


def test_every_file_of_the_release_is_what_its_name_says(hostile: Release) -> None:
    for path in hostile.paths():
        content = hostile.read(path)
        if path.endswith((".json", ".geojson", ".topojson")):
            json.loads(content)
        elif path.endswith((".kml", ".svg")):
            ET.fromstring(content)


def test_files_for_other_programs_stay_well_formed_and_hold_no_formula(hostile_client: FlaskClient) -> None:
    for path in MARKED:
        ET.fromstring(hostile_client.get(path).data)
    packed = zipfile.ZipFile(io.BytesIO(hostile_client.get("/data/plan.qgz").data))
    for name in packed.namelist():
        ET.fromstring(packed.read(name))
    book = openpyxl.load_workbook(io.BytesIO(hostile_client.get("/data/plan.xlsx").data))
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {
        "s",
        "n",
        "b",
        "d",
    }
    for path in ("/data/zones.csv", "/data/designations.csv", "/find.csv?industry=biomedicine"):
        rows = list(csv.reader(io.StringIO(hostile_client.get(path).text)))
        assert len({*map(len, rows)}) == 1, path
        assert [cell for row in rows for cell in row if cell.startswith(("=", "@", "\t"))] == [], path
    assert ODD in hostile_client.get("/data/zones.geojson").text


@pytest.mark.usefixtures("printed_here")
def test_paper_shows_every_letter_or_says_which_not(hostile_client: FlaskClient) -> None:
    for path in SHEETS:
        answer = hostile_client.get(path)
        assert answer.status_code == 200, path
        pages = pypdf.PdfReader(io.BytesIO(answer.data)).pages
        text = "".join("".join(page.extract_text() for page in pages).split())
        assert "𬒗㙦" in text, path
        assert "U+1F600" in text, path
        assert "U+30000" in text, path
        assert "〓" in text, path
    for path in PICTURES:
        assert hostile_client.get(path).data.startswith(b"\x89PNG"), path


def list_visited(client: FlaskClient, *, every: bool) -> list[str]:
    """Return the pages that a browser visits: what the zones are on, or one of every kind, or all."""
    pages = [f"/?zone={zone}&lang=zh" for zone in NAMED] + ["/?theme=clusters&zone=gaoqu&lang=zh", "/zones/"]
    if every:
        return [*pages, *(address for address, _ in walk(client, "zh"))]
    return [*pages, "/zones/nanhai", "/platforms/", "/search?q=alert", "/compare?zones=gaoqu,huancui"]


@pytest.mark.browser
def test_nothing_runs_in_a_browser(
    browser: Browser, hostile_site: str, hostile_client: FlaskClient, request: pytest.FixtureRequest
) -> None:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
    watched = Watched(context.new_page(), hostile_site)
    page = watched.page
    for path in list_visited(hostile_client, every=request.config.getoption("thorough")):
        page.goto(hostile_site + path)
        page.wait_for_load_state("networkidle")
        expect(page.locator("img[src=x], svg[onload], object"), path).to_have_count(0)
        assert watched.faults == [], path
    for zone, attack in NAMED.items():
        page.goto(f"{hostile_site}/?zone={zone}&lang=zh")
        expect(page.locator("#panel-title")).to_contain_text(attack)
    context.close()
    assert watched.faults == []
