"""What an operator adds is shown with its source, as text whatever it holds, and never as the plan's."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from pathlib import Path

import pypdf
import pytest
import shapely
import yaml
from flask.testing import FlaskClient
from PIL import Image

import webmap.publish as publishing
from geodata.read import read_facts
from layers.cartography import STYLE
from layers.store import Release
from scripts.bench.extract import DATE, Extract, build_extract, read_city_land
from tests.invented_plan import invent_text, write_additions
from tests.webmap.crawling import read_page
from webmap.app import create_app
from webmap.publish import FACTS, BuildError, hash_inputs, publish
from webmap.settings import Settings, read_settings

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
    return write_additions(
        folder,
        plan_txt=text,
        contacts_yaml=yaml.safe_dump(CONTACTS, allow_unicode=True),
        outcomes_yaml=yaml.safe_dump(OUTCOMES, allow_unicode=True),
        publisher_yaml=yaml.safe_dump(PUBLISHER, allow_unicode=True),
        logo_png=logo.getvalue(),
    )


@pytest.fixture(scope="module")
def additions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("local") / "additions")


@pytest.fixture(scope="module")
def own(additions: Path, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """Return a client of a release with additions."""
    home = tmp_path_factory.mktemp("home")
    return create_app(publish(home, print, local=additions), Settings(home)).test_client()


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
        assert 'class="locator-road"' in own.get(path).text
        assert 'class="locator-road"' not in client.get(path).text
    sheet = own.get("/print/districts.svg?lang=zh").text
    assert DATE in sheet
    assert STYLE.basemap["road1"][0] in sheet
    assert STYLE.basemap["road1"][0] not in client.get("/print/districts.svg?lang=zh").text
    assert DATE in " ".join(read_sheet(own, "/zones/gaoqu.pdf?lang=zh"))


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
