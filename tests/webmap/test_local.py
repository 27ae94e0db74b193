"""What an operator adds is shown with its source, as text whatever it holds, and never as the plan's."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import gzip
import io
import json
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pyogrio
import pypdf
import pytest
import shapely
import yaml
from flask.testing import FlaskClient
from PIL import Image

import webmap.publish as publishing
from geodata.own_layers import OwnFeature, OwnLayer, SuppliedLayer
from geodata.read import read_facts
from layers.cartography import STYLE
from layers.features import COARSEST_DEG, MOST_CORNERS, build_own_points
from layers.store import Release, read_current
from scripts.bench.synthetic import DATE, Extract, build_extract, read_city_land
from scripts.commands.common import asked_release
from tests.invented_plan import invent_text, write_additions
from tests.webmap.crawling import read_page
from webmap.app import create_app
from webmap.file_addresses import Files
from webmap.paper.painter import OWN_SYMBOL
from webmap.publish import FACTS, BuildError, hash_inputs, publish
from webmap.settings import Settings, read_settings
from webmap.static_site import Crawler

pytestmark = pytest.mark.usefixtures("printed_here")

ATTACK = "</script><img src=x onerror=alert(1)>\"'{{7*7}}${1}`"
TEXT = {"zh": f"中文{ATTACK}", "en": f"English {ATTACK}", "ko": f"한국어 {ATTACK}"}
STATED = {
    "source": f"来源{ATTACK}",
    "source_url": "https://www.example.org/a?b=1&c='2",
    "as_of": "2026-01-31",
}
STATED["source_url"] = "https://www.example.org/a?b=1&c=2"
CONTACT = {"office": TEXT, "phone": "0631-0000000", "email": "a@example.org", "address": TEXT} | STATED
CONTACTS = [
    {"of": "gaoqu-committee", "website": "https://gaoqu.example.org/"} | CONTACT,
    {"of": "development-reform-commission"} | CONTACT,
    {"of": "nanhai", "phone": "0631-1111111"} | STATED,
]
OUTCOMES = [
    {"of": "rd-share", "value": 2.9, "unit": "%", "year": 2024, "note": TEXT} | STATED,
    {"of": "rd-share", "value": 9e12, "unit": "%", "year": 2023, "measure": TEXT} | STATED,
    {"of": "cluster-it", "value": 470, "unit": "亿元", "year": 2024} | STATED,
    {"of": "cluster-new-energy", "value": 1, "unit": ATTACK, "year": 2024, "measure": TEXT} | STATED,
]
PUBLISHER = {
    "name": TEXT,
    "website": "https://www.example.org/",
    "logo": "logo.png",
    "feedback": "mailto:map@example.org",
    "map_review_number": f"鲁S（0000）{ATTACK}",
    "map_review_notice": TEXT,
    "as_of": "2026-01-31",
}
OWN_SOURCE = f"自有来源{ATTACK}"
OWN: dict[str, Any] = {
    "title": {key: f"{text}层" for key, text in TEXT.items()},
    "description": TEXT,
    "id": "no",
    "fields": [
        {"name": "name", "title": TEXT},
        {
            "name": "status",
            "kind": "choice",
            "title": TEXT,
            "values": [{"zh": f"甲{ATTACK}", "en": "A"}, "乙'"],
        },
        {"name": "price", "kind": "number", "unit": TEXT, "title": {"zh": "{city}{0}", "en": "{x}"}},
        {"name": "site", "kind": "link", "title": "网址"},
        {"name": "opened", "kind": "date", "title": "启用"},
        {"name": "capital", "kind": "integer", "title": "资本"},
    ],
    "style": {"by": "status", "symbol": "diamond"},
    "popup": {"title": "name"},
    "source": OWN_SOURCE,
    "source_url": STATED["source_url"],
    "as_of": "2026-01-30",
    "licence": f"许可{ATTACK}",
}
OWN_ROWS = [
    ("no", "name", "status", "price", "site", "opened", "capital", "lon", "lat"),
    (
        *("p-1", f"自有地块一{ATTACK}", f"甲{ATTACK}", "12.5", "https://www.example.org/1"),
        *("2026/1/2", "3000000000", "122.1163", "37.3082"),
    ),
    ("p-2", "自有地块二", "乙'", "", "", "", "", "122.05", "37.2"),
    ("p-3", "自有工业用地三号", "", "3", "", "2025年12月31日", "5", "122.2", "37.1"),
]
OWN_AREA = {"type": "Polygon", "coordinates": [[[122.0, 37.2], [122.1, 37.2], [122.1, 37.3], [122.0, 37.2]]]}
LANGUAGES = ("zh", "en", "ko")
VILLAGE = (122.0, 37.2)


@cache
def draw_extract() -> Extract:
    """Return a small extract of the city in which a village's name is an attack."""
    extract = build_extract(read_facts(), read_city_land(), roads=600, built=40)
    extract.points.append(({"place": "village", "name": ATTACK}, shapely.Point(VILLAGE)))
    return extract


def fill(folder: Path) -> Path:
    """Write a folder of additions whose every text is an attack."""
    folder.mkdir()
    draw_extract().write(folder / "basemap.osm")
    logo = io.BytesIO()
    Image.new("RGB", (60, 20), (10, 90, 138)).save(logo, "PNG")
    text = invent_text(read_facts()).replace("虚构的一条；", f"虚构的一条{ATTACK}；")
    fill_layers(folder / "layers")
    return write_additions(
        folder,
        plan_txt=text,
        contacts_yaml=yaml.safe_dump(CONTACTS, allow_unicode=True),
        outcomes_yaml=yaml.safe_dump(OUTCOMES, allow_unicode=True),
        publisher_yaml=yaml.safe_dump(PUBLISHER, allow_unicode=True),
        logo_png=logo.getvalue(),
    )


def fill_layers(folder: Path) -> None:
    """Write a layer of points and one of polygons whose every text is an attack."""
    folder.mkdir()
    rows = io.StringIO()
    csv.writer(rows).writerows(OWN_ROWS)
    (folder / "own-plots.csv").write_text(rows.getvalue(), encoding="utf-8")
    properties = {"no": "a", "name": f"自有片区{ATTACK}", "status": None, "price": 1, "site": None}
    properties |= {"opened": "2026-01-02", "capital": None}
    area = {"type": "Feature", "properties": properties, "geometry": OWN_AREA}
    collection = {"type": "FeatureCollection", "features": [area]}
    (folder / "own-areas.geojson").write_text(json.dumps(collection), encoding="utf-8")
    for name in ("own-plots", "own-areas"):
        said = yaml.safe_dump(OWN, allow_unicode=True)
        (folder / f"{name}.yaml").write_text(said, encoding="utf-8")


@pytest.fixture(scope="module")
def additions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("local") / "additions")


@pytest.fixture(scope="module")
def own(additions: Path, home: Path) -> FlaskClient:
    """Return a client of a release with additions, built once for all worker processes."""
    own_home = home.with_name(f"{home.name}-with-additions")
    return create_app(publish(own_home, print, local=additions), Settings(own_home)).test_client()


def read_sheet(client: FlaskClient, path: str) -> list[str]:
    """Return the text of every page of a PDF."""
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(client.get(path).data)).pages]


PAGES = {
    "/zones/gaoqu": 2,
    "/zones/gaoqu.panel.html": 2,
    "/zones/nanhai": 0,
    "/industries/new-materials": 2,
    "/clusters/": 1,
    "/clusters/cluster-it": 1,
    "/clusters/cluster-new-energy": 1,
    "/agencies/gaoqu-committee": 1,
    "/indicators": 1,
    "/plan/三(一)1(2)": 2,
    "/plan": 1,
    "/about": 1,
    "/compare?zones=gaoqu,nanhai": 1,
    "/find?industry=new-materials": 1,
    "/search?q=新材料": 1,
    "/search?q=自有地块一": 1,
    "/own/": 4,
    "/own/own-plots/": 6,
    "/own/own-plots/p-1": 5,
    "/own/own-plots/p-1.panel.html": 5,
    "/own/own-areas/a": 5,
    "/data/": 6,
    "/ogc/collections/own-plots?f=html": 2,
    "/": 0,
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("path", PAGES)
def test_an_attack_in_any_field_is_text(own: FlaskClient, path: str, language: str) -> None:
    answer = own.get(f"{path}{'&' if '?' in path else '?'}lang={language}", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "onerror=alert(1)>" not in answer.text
    assert "49" not in answer.text.split("{{7*7}}")[-1][:2]
    assert "'unsafe" not in answer.headers["Content-Security-Policy"]
    page = read_page(answer.text)
    shown = " ".join(text for _, text in page.texts)
    assert shown.count("<img src=x onerror=alert(1)>") >= PAGES[path]
    assert all(not link.startswith(("javascript:", "data:")) for link in page.links)


@pytest.mark.parametrize("language", LANGUAGES)
def test_whom_to_ask_is_shown_with_its_source_and_date(own: FlaskClient, language: str) -> None:
    for path in (
        "/zones/gaoqu",
        "/zones/gaoqu.panel.html",
        "/industries/new-materials",
        "/agencies/gaoqu-committee",
    ):
        text = own.get(f"{path}?lang={language}").text
        for words in ('href="tel:0631-0000000"', "https://gaoqu.example.org/", "2026-01-31"):
            assert words in text, path
    zone = own.get(f"/zones/nanhai?lang={language}").text
    assert 'href="tel:0631-1111111"' in zone
    text = "".join(
        pypdf.PdfReader(io.BytesIO(own.get(f"/zones/gaoqu.pdf?lang={language}").data))
        .pages[0]
        .extract_text()
        .split()
    )
    assert "0631-0000000" in text
    assert "虚构重点发展" in text  # the sentence that the list of industries stands in


def test_documents_hold_contacts_and_outcomes_apart_from_the_plan(own: FlaskClient) -> None:
    zone = own.get("/zones/gaoqu.json").get_json()
    assert zone["government"]["contact"]["phone"] == "0631-0000000"
    assert own.get("/zones/nanhai.json").get_json()["contact"]["source"] == STATED["source"]
    leading = next(row for row in zone["responsible_units"] if row["leads"])
    assert leading["contact"]["as_of"] == "2026-01-31"
    cluster = own.get("/clusters/cluster-it.json").get_json()
    assert [row["value"] for row in cluster["outcomes"]] == [470]
    assert cluster["target"]["value"] == 450
    table = own.get("/data/indicators.csv").text
    assert "2.9" not in table
    clause = own.get("/plan/三(一)1(2).json").get_json()
    assert clause["responsible_units"][0]["leads"]
    assert any(piece["url"] for paragraph in clause["wording"] for piece in paragraph)


def test_a_clause_shows_its_wording_with_terms_linked_and_lit(own: FlaskClient, client: FlaskClient) -> None:
    with_text = own.get("/plan/三(一)1(2)?lang=zh").text
    wording = with_text.split('<div class="wording"')[1].split("</div>")[0]
    assert '<mark data-places="gaoqu"' in wording
    assert 'href="/industries/' in wording
    without = client.get("/plan/三(一)1(2)?lang=zh").text
    assert '<div class="wording"' not in without
    assert "2023-07-16印发" in without
    assert 'href="http://chinep.net/news/show.php?itemid=11006"' in without


def test_a_fact_shows_the_sentence_of_its_own_place(own: FlaskClient) -> None:
    table = (
        own.get("/industries/new-materials?lang=zh").text.split('id="designated"')[1].split("</section>")[0]
    )
    rows = {row.split('data-places="')[1].split('"')[0]: row for row in table.split("<tr ")[1:]}
    assert "临港区虚构" in rows["lingang"]
    assert "文登区虚构" not in rows["lingang"]  # whose 化工新材料 holds the same letters


@pytest.mark.parametrize(
    "path",
    [
        *("/zones/rongcheng", "/zones/marine-east", "/industries/biomedicine", "/clusters/new-energy"),
        *("/search?q=冷链", "/search?q=生物医药", "/search?q=海洋育种", "/find?industry=biomedicine"),
        *("/compare?zones=rongcheng,nanhai", "/lookup?at=36.93,122.35", "/platforms", "/indicators"),
    ],
)
def test_the_plan_is_quoted_alike_in_every_language(own: FlaskClient, path: str) -> None:
    mark = "&" if "?" in path else "?"
    told = {
        language: Counter(
            re.findall(r"<q lang=\"zh\">(.*?)</q>", own.get(f"{path}{mark}lang={language}").text)
        )
        for language in LANGUAGES
    }
    assert told["en"] == told["ko"] == told["zh"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_reached_stands_beside_the_target_and_in_the_charts(
    own: FlaskClient, client: FlaskClient, language: str
) -> None:
    for path, figure in (("/indicators", "2.9%"), ("/clusters/", "47" if language == "en" else "470")):
        assert figure in own.get(f"{path}?lang={language}").text
        passed = client.get(f"{path}?lang={language}").text
        assert "2024" in passed
        assert 'class="reached"' not in passed
    for chart in ("targets", "clusters"):
        assert own.get(f"/charts/{chart}.svg?lang={language}").text.count('class="c-reached"') == 1
        assert 'class="c-reached"' not in client.get(f"/charts/{chart}.svg?lang={language}").text
    said = {"zh": "已过", "en": "has passed", "ko": "지났습니다"}[language]
    assert said in client.get(f"/indicators?lang={language}").text
    assert said not in own.get(f"/indicators?lang={language}").text


def test_the_publisher_stands_in_footer_about_page_and_on_sheets(
    own: FlaskClient, client: FlaskClient
) -> None:
    for path in ("/about", "/zones/gaoqu", "/plan"):
        text = own.get(f"{path}?lang=en").text
        assert "/static/local/logo.png" in text
        assert "Map review number: <span" in text or "Map review number:" in text
        assert 'href="mailto:map@example.org?subject=' in text
        assert "no map review number" in client.get(f"{path}?lang=en").text
    logo = own.get(own.get("/about").text.split('class="logo" src="')[1].split('"')[0])
    assert logo.mimetype == "image/png"
    assert "Map review number" in read_sheet(own, "/zones/gaoqu.pdf?lang=en")[0]
    poster = own.get("/print/districts.svg?lang=en").text
    assert "Map review number" in poster
    assert "<img" not in poster
    drawn = poster.split('href="data:image/png;base64,')[1].split('"')[0]
    assert base64.b64decode(drawn) == logo.data
    assert "data:image" not in client.get("/print/districts.svg?lang=en").text


def test_an_answer_says_how_the_bodies_of_its_zones_are_reached(
    own: FlaskClient, client: FlaskClient
) -> None:
    for query, reached in (
        ("catheters", "0631-0000000"),
        ("gaoqu", "0631-0000000"),
        ("nanhai", "0631-1111111"),
    ):
        stated = own.get(f"/search?q={query}&lang=en").text.split('id="card-bodies"')[1]
        assert reached in stated.split("</section>")[0]
        plain = client.get(f"/search?q={query}&lang=en").text.split('id="card-bodies"')[1]
        assert "no contact on record" in plain.split("</section>")[0]


def test_the_link_for_reports_names_the_page(own: FlaskClient) -> None:
    text = own.get("/zones/gaoqu?lang=ko").text
    link = text.split('href="mailto:map@example.org?subject=')[1].split('"')[0]
    assert "%2Fzones%2Fgaoqu%3Flang%3Dko" in link


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_about_page_says_how_exact_the_data_are(client: FlaskClient, language: str) -> None:
    text = client.get(f"/about?lang={language}").text
    for layer, document in (("zones", "/zones/gaoqu.json"), ("gateways", "/places/airport-weihai.json")):
        assert client.get(document).get_json()["geometry"]["accuracy_m"] > 0, layer
    assert text.count("<tr>") == 9
    assert "chinep.net" in text
    for figure in ("5,799.8", "69.05"):  # of the city; of a target
        assert figure in text
    assert 'href="/?tour=1' in text
    for path in ("/", "/zones/gaoqu", "/indicators"):
        assert 'href="/about' in client.get(f"{path}?lang={language}").text


def test_sources_are_links_where_they_have_an_address(client: FlaskClient) -> None:
    for path in ("/zones/gaoqu", "/zones/gaoqu.panel.html", "/data/", "/about"):
        assert 'rel="external noopener noreferrer"' in client.get(f"{path}?lang=en").text, path


def test_additions_are_part_of_the_release_and_named_in_the_settings(tmp_path: Path, additions: Path) -> None:
    before = hash_inputs(FACTS, (), additions)
    assert before != hash_inputs()
    copy = fill(tmp_path / "copy")
    assert hash_inputs(FACTS, (), copy) == before
    (copy / "contacts.yaml").write_text("[]\n", encoding="utf-8")
    assert hash_inputs(FACTS, (), copy) != before
    assert read_settings({"WEIHAI_LAYOUT_LOCAL": str(copy)}).local == copy


def test_nothing_is_built_while_an_addition_is_wrong(tmp_path: Path) -> None:
    folder = write_additions(
        tmp_path / "wrong",
        plan_txt="别的规划\n",
        contacts_yaml="- {of: nobody, phone: 1, source: 甲, as_of: 2026-01-31}\n",
        outcomes_yaml="- {of: rd-share, value: 2, unit: kg, year: 2999, source: 甲, as_of: 2026-01-31}\n",
        publisher_yaml="name: 甲\nfeedback: 'javascript:1'\nas_of: 2026-01-31\n",
    )
    with pytest.raises(BuildError) as caught:
        publish(tmp_path / "home", lambda _: None, local=folder)
    for place in ("plan.txt", "contacts.yaml:1", "outcomes.yaml:1", "publisher.yaml:2"):
        assert place in str(caught.value)
    assert not (tmp_path / "home" / "current").exists()


def test_a_basemap_is_part_of_every_map_with_its_date_and_whose_it_is(
    own: FlaskClient, client: FlaskClient
) -> None:
    release = own.application.extensions["content"].release
    index = release.read_json("map/zh.json")["basemap"]
    cells = [
        f"{index['base']}/{level}/{name}.json"
        for level, row in enumerate(index["ranges"])
        for name in row["cells"]
    ]
    assert cells
    for address in cells:
        answer = own.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
    names = [row for address in cells for row in own.get(address).get_json().get("names", ())]
    assert [row[4] for row in names if row[4] == ATTACK] == [ATTACK]
    for language in LANGUAGES:
        for path in ("/", "/zones/gaoqu", "/industries/new-materials"):
            page = own.get(f"{path}?lang={language}").text
            assert "OpenStreetMap" in page
            assert DATE in page
            assert DATE not in client.get(f"{path}?lang={language}").text
            assert "OpenStreetMap" in client.get(f"{path}?lang={language}").text
    for path in ("/zones/gaoqu", "/industries/new-materials"):
        assert 'class="locator-road"' in read_ground(own, path)
        assert 'class="locator-road"' not in read_ground(client, path)
    sheet = own.get("/print/districts.svg?lang=zh").text
    assert DATE in sheet
    assert STYLE.basemap["road1"][0] in sheet
    assert STYLE.basemap["road1"][0] not in client.get("/print/districts.svg?lang=zh").text
    assert DATE in " ".join(read_sheet(own, "/zones/gaoqu.pdf?lang=zh"))


def read_ground(client: FlaskClient, path: str) -> str:
    """Return what lies under the small map of a page: drawn in the page, or a picture of all pages."""
    page = client.get(path).text
    found = re.search(r'<image href="([^"]+)"', page)
    return client.get(found[1]).text if found else page


def test_a_basemap_that_cannot_be_used_builds_nothing(tmp_path: Path) -> None:
    extract = replace(
        draw_extract(), lines=[({"highway": "primary"}, shapely.LineString([(122.4, 37.2), VILLAGE]))]
    )
    for name, content, said in (
        ("basemap.gpkg", b"no map", "basemap.gpkg: "),
        ("basemap.osm", extract.to_xml().encode(), "basemap.osm: .*乳山市"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_bytes(content)
        with pytest.raises(BuildError, match=said):
            publish(folder / "home", lambda _: None, local=folder)
        assert not (folder / "home" / "current").exists()


def test_who_publishes_without_the_folder_is_told(own: FlaskClient, release: Release) -> None:
    told: list[str] = []
    for live in (None, release, own.application.extensions["content"].release):
        publishing._tell_dropped(live, told.append)
    assert len(told) == 1
    assert "WEIHAI_LAYOUT_LOCAL" in told[0]


def test_who_only_asks_takes_no_additions_away(own: FlaskClient, home: Path) -> None:
    own_home = home.with_name(f"{home.name}-with-additions")
    live = own.application.extensions["content"].release
    assert asked_release(Settings(own_home)).id == live.id
    current = read_current(own_home)
    assert current is not None
    assert current.id == live.id


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_own_layer_is_marked_with_source_and_date_wherever_it_is_shown(
    own: FlaskClient, language: str
) -> None:
    mark = {"zh": "运营方自有", "en": "Operator&#39;s own", "ko": "운영 기관 자체"}[language]
    for path in ("/own/", "/own/own-plots/", "/own/own-plots/p-2", "/own/own-plots/p-2.panel.html"):
        page = own.get(f"{path}?lang={language}")
        assert page.status_code == 200
        shown = " ".join(text for _, text in read_page(page.text).texts)
        assert mark in page.text, path
        assert OWN_SOURCE in shown, path
        assert "2026-01-30" in shown, path
    description = own.get(f"/ogc/collections/own-plots?f=json&lang={language}").get_json()["description"]
    assert OWN_SOURCE in description
    assert "2026-01-30" in description


def test_an_own_feature_is_a_document_of_its_fields_and_of_where_it_lies(own: FlaskClient) -> None:
    document = own.get("/own/own-plots/p-1.json").get_json()
    assert document["own"] is True
    assert document["parent"]["id"] == "lingang"
    assert {one["name"]: one["value"] for one in document["facts"]} == {
        "status": f"甲{ATTACK}",
        "price": 12.5,
        "site": "https://www.example.org/1",
        "opened": "2026-01-02",
        "capital": 3_000_000_000,
    }
    assert (document["source"], document["as_of"]) == (OWN_SOURCE, "2026-01-30")
    feature = own.get("/own/own-plots/p-1.geojson").get_json()
    assert feature["geometry"]["coordinates"] == [122.1163, 37.3082]
    assert feature["properties"]["licence"] == OWN["licence"]
    for path in ("/own/own-plots/none", "/own/none/", "/own/own-plots/none.json"):
        assert own.get(path, headers={"Accept": "application/json"}).status_code == 404


def test_the_list_of_an_own_layer_is_narrowed_by_words_and_choices(own: FlaskClient) -> None:
    def names(**asked: str) -> list[str]:
        links = read_page(own.get("/own/own-plots/", query_string=asked).text).links
        return [link.rpartition("/")[2] for link in links if link.startswith("/own/own-plots/p-")]

    assert names() == ["p-1", "p-2", "p-3"]
    assert names(q="地块二") == ["p-2"]
    assert names(status="乙'") == ["p-2"]
    assert own.get("/own/own-plots/?status=丙", headers={"Accept": "application/json"}).status_code == 400


def test_an_own_layer_is_downloaded_and_filtered_like_the_others(own: FlaskClient) -> None:
    rows = list(csv.DictReader(io.StringIO(own.get("/data/own-plots.csv").text.removeprefix("\ufeff"))))
    assert [row["id"] for row in rows] == ["p-1", "p-2", "p-3"]
    assert {row["source"] for row in rows} == {OWN_SOURCE}
    for extension in ("geojson", "gpkg", "kml", "xlsx", "shp.zip", "fgb", "topojson"):
        assert own.get(f"/data/own-areas.{extension}").status_code == 200, extension
    catalogue = own.get("/data/catalog.jsonld").get_json(force=True)
    dataset = next(row for row in catalogue["dcat:dataset"] if row["dct:identifier"] == "own-plots")
    assert dataset["dct:license"]["@id"].endswith("/own/own-plots/")
    assert "自有来源&lt;/script&gt;" in own.get("/data/own-plots.iso.xml").text
    wanted = {
        "price<10": ["p-3"],
        "status='乙'''": ["p-2"],
        "opened>=DATE('2026-01-01')": ["p-1"],
        "DATE('2026-01-01')>opened": ["p-3"],
        "opened BETWEEN DATE('2025-01-01') AND DATE('2026-12-31')": ["p-1", "p-3"],
        "opened IN (DATE('2025-12-31'), '2026-01-02')": ["p-1", "p-3"],
        "opened IS NULL": ["p-2"],
    }
    for text, expected in wanted.items():
        found = own.get("/ogc/collections/own-plots/items", query_string={"f": "json", "filter": text})
        assert [row["id"] for row in found.get_json(force=True)["features"]] == expected
    schema = own.get("/ogc/collections/own-plots/schema?f=json").get_json(force=True)
    assert schema["properties"]["status"]["enum"] == [f"甲{ATTACK}", "乙'"]
    assert {"id", "name", "source"} <= set(schema["required"])


def test_a_date_is_a_date_to_every_program(own: FlaskClient, tmp_path: Path) -> None:
    items = "/ogc/collections/own-plots/items?f=json"
    assert own.get(f"{items}&opened=2025-12-31").get_json(force=True)["numberMatched"] == 1
    for moment, expected in {  # what has no date matches any, as Part 1 says
        "2026-01-01/..": ["p-1", "p-2"],
        "../2025-12-31T23:59:59Z": ["p-2", "p-3"],
        "2025-12-31": ["p-2", "p-3"],
        "2025-12-31T/2026-12-31T": ["p-1", "p-2", "p-3"],  # as GDAL writes days
    }.items():
        found = own.get(f"{items}&datetime={moment}").get_json(force=True)["features"]
        assert [row["id"] for row in found] == expected, moment
    wrong = {
        "opened=2025-13-01": ("opened", "2025-13-01"),
        "filter=opened>TIMESTAMP('2025-12-31T00:00:00Z')": ("filter", "2025-12-31 00:00:00+00:00"),
        "filter=name>DATE('2025-12-31')": ("filter", "2025-12-31"),
    }
    for query, (parameter, value) in wrong.items():
        answer = own.get(f"{items}&{query}", headers={"Accept": "application/json"})
        assert answer.status_code == 400
        assert (parameter, value) == tuple(answer.get_json(force=True)[key] for key in ("parameter", "value"))
    for name in ("schema", "queryables", "sortables"):
        document = own.get(f"/ogc/collections/own-plots/{name}?f=json").get_json(force=True)
        kinds = {key: document["properties"][key].get("format") for key in ("opened", "as_of", "name")}
        assert kinds == {"opened": "date", "as_of": "date", "name": None}
    for extension in ("gpkg", "fgb", "gdb.zip", "shp.zip"):
        path = tmp_path / f"a.{extension}"
        path.write_bytes(own.get(f"/data/own-plots.{extension}").data)
        meta, _, _, columns = pyogrio.raw.read(path, layer=0)
        read = dict(zip(meta["fields"], columns, strict=True))
        days = dict(zip(read["id"], (str(one)[:10] for one in read["opened"]), strict=True))
        assert days == {"p-1": "2026-01-02", "p-2": "NaT", "p-3": "2025-12-31"}
        assert 3_000_000_000 in read["capital"]
    said = own.get("/data/own-plots.schema.json").get_json(force=True)["$defs"]["row"]["properties"]
    assert (said["opened"]["format"], said["opened"]["type"]) == ("date", ["string", "null"])
    rows = pq.read_table(io.BytesIO(own.get("/data/own-plots.parquet").data))
    assert rows["opened"].to_pylist() == [dt.date(2026, 1, 2), None, dt.date(2025, 12, 31)]


def test_no_file_of_the_plan_holds_an_own_layer(own: FlaskClient) -> None:
    release = own.application.extensions["content"].release
    assert release.paths("files/plan.")
    for path in (*release.paths("files/plan."), "schemas/datapackage.json", "data/zones.geojson"):
        assert b"own-plots" not in release.read(path), path


def test_search_finds_own_features_as_the_operator_s(own: FlaskClient) -> None:
    for query in ("自有地块二", "ziyoudikuaier"):
        row = own.get("/search.json", query_string={"q": query}).get_json()["results"][0]
        assert (row["url"], row["layer"], row["group"]) == ("/own/own-plots/p-2", "own", "运营方自有"), query
        assert row["says"] == OWN["title"]["zh"]
    mixed = own.get("/search.json?q=自有工业用地三号").get_json()  # 工业用地 is a word of the thesaurus
    assert (mixed["unused"], mixed["missing"]) == ([], [])
    assert "/own/own-plots/p-3" in [row["url"] for row in mixed["results"]]
    plain = own.get("/search.json?q=新材料").get_json()
    assert plain["answer"]["kind"] == "named"
    assert plain["results"][0]["layer"] != "own"


def test_the_map_knows_of_an_own_layer_and_fetches_its_features_later(own: FlaskClient) -> None:
    release = own.application.extensions["content"].release
    payload = release.read_json("map/en.json")
    assert [row["id"] for row in payload["own"]] == ["own-areas", "own-plots"]
    assert "自有地块二" not in release.read("map/zh.json").decode()
    drawn = release.read_json("map/own/own-plots.json")
    assert drawn["ids"] == ["p-1", "p-2", "p-3"]
    assert drawn["values"] == {"status": [0, 1, -1]}
    assert list(drawn["names"]) == ["zh"]
    assert own.get(f"/r/{release.id}/map/own/own-plots.json").status_code == 200


def test_a_sheet_shows_the_own_layers_that_are_chosen(own: FlaskClient) -> None:
    path = "/print/five-zones.svg?lang=zh&layers=own-plots:60,own-areas:50"
    sheet = own.get(path).text
    assert ATTACK not in sheet
    words = "".join(shown for _, shown in read_page(sheet).texts).replace(" ", "")
    assert "运营方自有" in words
    assert "2026-01-30" in words
    symbols = sheet.count(f'scale({OWN_SYMBOL})"')
    assert symbols >= len(OWN_ROWS) - 1
    fewer = own.get(f"{path}&hide=own-plots.status.1").text
    assert fewer.count(f'scale({OWN_SYMBOL})"') < symbols
    assert own.get("/print/five-zones.svg?hide=own-plots.status.9").status_code == 400
    page = own.get("/print/five-zones.html?lang=en&layers=own-plots:60,own-areas:50").text
    assert "onerror=alert(1)>" not in page
    assert "Operator&#x27;s own" in page


def test_the_site_as_files_has_pages_of_an_own_layer(own: FlaskClient) -> None:
    found = own.application.extensions
    settings = Settings(found["settings"].home, files=Files())
    asking = create_app(found["content"].release, settings).test_client()
    walk = Crawler(lambda address, wanted: asking.get(address, headers={"Accept": wanted}), None)
    walk.start(["/own/own-plots/p-1.panel.html?lang=zh"])
    (panel, _), (page, content) = islice(walk.files(), 2)
    assert (panel, page) == ("own/own-plots/p-1.panel.html", "own/own-plots/p-1.html")
    assert "../../index.html?layers=own-plots%3A100&amp;own=own-plots%3Ap-1" in content.decode()


def test_five_thousand_points_are_a_light_file() -> None:
    names = [f"示例企业{number}有限公司" for number in range(5000)]
    features = tuple(
        OwnFeature(str(number), dict.fromkeys(LANGUAGES, name), {"name": name}, shapely.Point(122, 37))
        for number, name in enumerate(names)
    )
    fields = [{"name": "name", "title": "名称"}]
    declared = OwnLayer.model_validate(OWN | {"fields": fields, "style": {}})
    drawn = build_own_points(SuppliedLayer("many", declared, "point", features))
    assert len(drawn) < 350_000
    assert len(gzip.compress(drawn)) < 40_000


def test_many_corners_are_drawn_as_far_as_a_browser_can() -> None:
    """Hundreds of surveyed plots: simplified together, none further than the coarsest allows."""
    angles = np.linspace(0, 2 * np.pi, 4000, endpoint=False)
    ring = np.column_stack([np.cos(angles), np.sin(angles)]) * (0.01 + 0.0002 * np.sin(900 * angles))[:, None]
    plots = [
        shapely.Polygon(np.round(ring + np.array([122 + 0.02 * (number % 12), 37]), 7))
        for number in range(120)
    ]
    features = tuple(
        OwnFeature(str(number), dict.fromkeys(LANGUAGES, ""), {"name": ""}, plot)
        for number, plot in enumerate(plots)
    )
    fields = [{"name": "name", "title": "名称"}]
    declared = OwnLayer.model_validate(OWN | {"fields": fields, "style": {}})
    shapes = json.loads(build_own_points(SuppliedLayer("many", declared, "polygon", features)))["shapes"]
    drawn = [shapely.Polygon(rings[0], rings[1:]) for parts in shapes for rings in parts]
    assert shapely.get_num_coordinates(plots).sum() > MOST_CORNERS >= shapely.get_num_coordinates(drawn).sum()
    assert all(one == drawn[number % 12] for number, one in enumerate(drawn))  # as they were made
    apart = shapely.hausdorff_distance(
        shapely.get_exterior_ring(plots[:12]), shapely.get_exterior_ring(drawn[:12])
    )
    assert apart.max() <= COARSEST_DEG * 1.1
