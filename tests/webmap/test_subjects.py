"""Industries, clusters, responsible units, charts and sharing: complete, cited, filtered, never reflected."""

import csv
import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from PIL import Image

from geodata.kinds import EMPHASES
from layers.store import Release
from webmap.app import create_app
from webmap.settings import Settings, read_settings
from webmap.views.plan import lay_out_course, wrap_chart_text

SVG = "{http://www.w3.org/2000/svg}"


def parse(svg: str) -> Any:
    return ET.fromstring(svg)


@pytest.fixture(scope="module")
def industries(release: Release):
    return {row["id"]: row for row in release.read_json("pages/industries.json")}


def test_every_designation_stands_in_its_industry(release: Release, industries) -> None:
    told = {
        (row["zone"]["id"], industry["id"], row["clause"], row["term"]["zh"])
        for industry in industries.values()
        for row in industry["designations"]
    }
    table = release.read_json("data/designations.json")
    assert told == {(row["zone_id"], row["industry_id"], row["clause"], row["term_zh"]) for row in table}


def test_an_industry_without_a_place_is_named_for_the_city_with_its_clause(industries) -> None:
    for row in industries.values():
        assert row["status"] == ("designated" if row["designations"] else "city")
        if row["status"] == "city":
            assert [*row["named"], *row["chains"]], row["id"]
        assert bool(row["gbt4754"] or row["isic4"]) != bool(row["no_codes"])


def test_carbon_fibre_leads_to_its_cluster_target_and_the_places_of_the_cluster(client: FlaskClient) -> None:
    page = client.get("/industries/carbon-fibre?lang=en").text
    for words in ("listed for no zone or area", "30 billion yuan", "Places designated within the cluster"):
        assert words in page
    document = client.get("/industries/carbon-fibre.json").get_json()
    assert document["cluster"]["target"]["value"] == 300
    assert {row["zone"]["id"] for row in document["cluster_designations"]} >= {"gaoqu", "lingang"}
    assert "chain-composites" in {row["id"] for row in document["chains"]}


def test_strong_emphasis_comes_first(industries) -> None:
    for row in industries.values():
        ranks = [EMPHASES.index(one["emphasis"]) for one in row["designations"]]
        assert ranks == sorted(ranks)


def test_near_industries_say_why(industries) -> None:
    near = {row["id"]: row for row in industries["electronic-information"]["near"]}
    assert near["printers-terminals"]["cluster"]
    assert near["printers-terminals"]["divisions"] == ["39"]
    for industry in industries.values():
        for row in industry["near"]:
            assert row["cluster"] or row["divisions"] or row["zones"]
            assert row["id"] != industry["id"]


def test_the_geojson_of_an_industry_holds_its_places(client: FlaskClient, industries) -> None:
    collection = client.get("/industries/new-materials.geojson").get_json()
    expected = {row["zone"]["id"] for row in industries["new-materials"]["designations"]}
    assert {feature["id"] for feature in collection["features"]} == expected
    assert all(feature["properties"]["designations"] for feature in collection["features"])


def _zones_of(row: dict) -> set[str]:
    """Return the places that an industry is listed for, themselves or for an area of theirs."""
    return {one["zone"]["id"] for one in (*row["designations"], *row["area_designations"])}


def _emphases_of(row: dict) -> set[str]:
    return {one["emphasis"] for one in (*row["designations"], *row["area_designations"])}


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ("cluster=cluster-it", lambda row: row["cluster"] and row["cluster"]["id"] == "cluster-it"),
        ("cluster=none", lambda row: row["cluster"] is None),
        ("zone=gaoqu", lambda row: "gaoqu" in _zones_of(row)),
        ("emphasis=host", lambda row: "host" in _emphases_of(row)),
        ("status=city", lambda row: not row["designations"]),
        ("q=存储芯片", lambda row: row["id"] == "electronic-information"),
    ],
)
def test_the_matrix_is_filtered(client: FlaskClient, industries, query: str, fits) -> None:
    rows = list(
        csv.DictReader(io.StringIO(client.get(f"/industries.csv?{query}").text.removeprefix("\ufeff")))
    )
    expected = {row["id"] for row in industries.values() if fits(row)}
    assert {row["industry_id"] for row in rows} == expected
    assert expected


def test_the_matrix_is_sorted(client: FlaskClient) -> None:
    text = client.get("/industries.csv?sort=name&lang=en").text.removeprefix("\ufeff")
    names = [row["industry_en"] for row in csv.DictReader(io.StringIO(text))]
    assert names == sorted(names, key=str.casefold)
    first = next(
        csv.DictReader(io.StringIO(client.get("/industries.csv?sort=rushan").text.removeprefix("\ufeff")))
    )
    assert first["rushan"].startswith("key")


def test_the_csv_opens_in_spreadsheets(client: FlaskClient) -> None:
    answer = client.get("/industries.csv")
    assert answer.data.startswith(b"\xef\xbb\xbf")
    assert "attachment" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    "query", ["cluster=x", "zone=x", "emphasis=x", "status=x", "sort=x", "q=" + "a" * 201]
)
def test_a_bad_filter_is_named(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/industries.csv?{query}", headers={"Accept": "application/json"})
    assert answer.status_code == 400
    assert answer.get_json()["parameter"] == query.partition("=")[0]
    assert answer.get_json()["allowed"]


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/industries/carbon-fiber", "carbon-fibre"),
        ("/clusters/cluster-itt", "cluster-it"),
        ("/agencies/gaoqu-comitee", "gaoqu-committee"),
        ("/charts/target.svg", "targets"),
    ],
)
def test_an_unknown_subject_offers_what_comes_near(client: FlaskClient, path: str, near: str) -> None:
    answer = client.get(path, headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert near in {row["id"] for row in answer.get_json()["near"]}


def test_every_responsible_block_reaches_its_agencies(release: Release) -> None:
    agencies = {row["id"]: row for row in release.read_json("pages/agencies.json")}
    for clause in release.read_json("data/clauses.json"):
        if clause["units_from"] == clause["id"]:
            for name in clause["responsible_units"]:
                agency = next(row for row in agencies.values() if row["name"]["zh"] == name)
                assert clause["id"] in {row["id"] for row in agency["clauses"]}


def test_a_district_shows_the_body_that_bears_its_name_and_that_bodys_own_tasks(client: FlaskClient) -> None:
    document = client.get("/zones/huancui.json").get_json()
    assert document["government"]["agency_id"] == "huancui-government"
    assert [row["id"] for row in document["government"]["tasks"]] == ["三(二)1", "三(三)2"]
    for language, words in {
        "zh": "环翠区政府",
        "en": "Huancui District Government",
        "ko": "환추이구 정부",
    }.items():
        page = client.get(f"/zones/huancui?lang={language}").text
        assert words in page.split('id="responsible"')[1].split("</section>")[0]
    assert client.get("/zones/wendeng.json").get_json()["government"] is None  # only one of a group
    assert client.get("/agencies/huancui-government.json").get_json()["governs"]["id"] == "huancui"


def test_members_of_a_group_answer_for_its_clauses_and_say_so(release: Release) -> None:
    agencies = {row["id"]: row for row in release.read_json("pages/agencies.json")}
    group = next(row for row in agencies.values() if row["members"])
    member = agencies[group["members"][0]["id"]]
    shared = [row for row in member["clauses"] if row["as_group"]]
    assert {row["id"] for row in shared} <= {row["id"] for row in group["clauses"]}
    assert shared


def test_the_plan_page_names_the_places_of_each_clause(client: FlaskClient) -> None:
    page = client.get("/plan").text
    assert 'data-places="gaoqu five-innovation"' in page or 'data-places="five-innovation gaoqu"' in page
    assert page.count('class="spot ') == 34


def test_a_clause_is_a_document_too(client: FlaskClient) -> None:
    clause = client.get("/plan/三(一)1(2).json").get_json()
    assert clause["id"] == "三(一)1(2)"
    assert {fact["kind"] for fact in clause["facts"]} >= {"designation", "positioning"}


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_charts_are_sound_svg_with_title_and_every_row(
    client: FlaskClient, release: Release, language: str
) -> None:
    clusters = parse(client.get(f"/charts/clusters.svg?lang={language}").text)
    assert clusters.find(f"{SVG}title").text
    assert len(clusters.findall(f"{SVG}rect")) == 8  # seven targets, one of them hatched too
    targets = parse(client.get(f"/charts/targets.svg?lang={language}").text)
    below = [row for row in release.read_json("pages/indicators.json") if row["below_base"]]
    assert len(targets.findall(f"{SVG}path")) == len(below) == 3


def test_english_counts_in_billions(client: FlaskClient) -> None:
    assert "85 billion yuan (2024)" in client.get("/charts/clusters.svg?lang=en").text
    assert ">more than 70 billion yuan (2024)<" in client.get("/charts/clusters.svg?lang=en").text  # 突破


def test_a_label_is_cut_in_two_even_halves() -> None:
    assert wrap_chart_text("short", 100) == ["short"]
    assert wrap_chart_text("one two three four", 70) == ["one two", "three four"]
    assert wrap_chart_text("高新技术产业产值占比", 80) == ["高新技术产", "业产值占比"]
    assert wrap_chart_text("undividedword" * 3, 10)


def test_a_qr_code_leads_only_to_ourselves(client: FlaskClient) -> None:
    answer = client.get("/qr.svg?path=/zones/gaoqu%3Flang%3Dko")
    assert answer.mimetype == "image/svg+xml"
    parse(answer.text)
    picture = Image.open(io.BytesIO(client.get("/qr.png?path=/zones/gaoqu%3Flang%3Dko").data))
    assert (picture.format, picture.width) == ("PNG", picture.height)
    for path in (
        "https://example.org/",
        "//example.org",
        "/\\example.org",
        "zones",
        "",
        "/" + "a" * 900,
        "/\n",
    ):
        refused = client.get("/qr.svg", query_string={"path": path}, headers={"Accept": "application/json"})
        assert (refused.status_code, refused.get_json()["parameter"]) == (400, "path")


def test_pages_say_how_they_are_previewed(client: FlaskClient) -> None:
    page = client.get("/zones/gaoqu?lang=en").text
    assert 'property="og:image" content="http://localhost/og/gaoqu.png?lang=en"' in page
    assert 'property="og:title"' in page


def test_only_the_embedded_map_may_be_framed_and_only_by_whom_the_operator_names(
    home: Path, release: Release
) -> None:
    embed = "https://a.example  https://b.example"
    settings = read_settings({"WEIHAI_LAYOUT_EMBED": embed, "WEIHAI_LAYOUT_HOME": str(home)})
    client = create_app(release, settings).test_client()
    policy = client.get("/embed").headers["Content-Security-Policy"]
    assert "frame-ancestors 'self' https://a.example https://b.example" in policy
    assert client.get("/").headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")
    closed = create_app(release, Settings(home)).test_client()
    assert closed.get("/embed").headers["Content-Security-Policy"].endswith("frame-ancestors 'self'")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEIHAI_LAYOUT_EMBED", "https://a.example; script-src *"),
        ("WEIHAI_LAYOUT_URL", "javascript:alert(1)"),
        ("WEIHAI_LAYOUT_URL", "plan.example.org"),
    ],
)
def test_a_bad_address_in_the_settings_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=name):
        read_settings({name: value})


def test_the_operators_address_stands_in_links_and_codes(home: Path, release: Release) -> None:
    url = "https://plan.example.org/"
    settings = read_settings({"WEIHAI_LAYOUT_URL": url, "WEIHAI_LAYOUT_HOME": str(home)})
    page = create_app(release, settings).test_client().get("/clusters/").text
    assert 'value="https://plan.example.org/clusters/"' in page


def test_designated_named_for_the_city_not_here_and_outside_the_plan_are_told_apart(
    client: FlaskClient, industries
) -> None:
    for row in industries.values():
        named = _zones_of(row) | {one["zone"]["id"] for one in row["served_by"]}
        others = [one["id"] for rows in row["others"].values() for one in rows]
        assert not named & set(others)
        if row["city_designations"] or not row["designations"] or "five-china-korea" in named:
            assert others == []
        else:
            zones = {one for one in named if not one.startswith(("five-", "belt-", "marine-"))}
            assert len(zones) + len(others) == 24
    page = client.get("/industries/carbon-fibre?lang=en").text
    assert "listed for no zone or area" in page
    assert 'id="others"' not in page
    assert "Listed for other places" in client.get("/industries/carbon-sink?lang=en").text
    elsewhere = client.get("/industries/?q=logistics&zone=gaoqu&lang=en").text
    assert "not under the conditions chosen" in elsewhere
    assert 'href="/industries/logistics?lang=en"' in elsewhere
    assert "outside the plan" in client.get("/industries/?q=tobacco&lang=en").text
    unknown = client.get("/industries/tobacco", headers={"Accept": "application/json"}).get_json()
    assert "outside the plan" in unknown["detail"]


def test_a_clusters_target_is_told_once_and_leads_to_the_cluster(client: FlaskClient) -> None:
    facts = client.get("/plan/三(六)4(1).json").get_json()["facts"]
    targets = [row for row in facts if row["kind"] == "target"]
    assert [(row["figure"]["value"], row["url"]) for row in targets] == [(450, "/clusters/cluster-it")]


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
@pytest.mark.parametrize("path", ["/charts/targets.svg", "/charts/clusters.svg", "/clusters/"])
def test_no_word_of_a_chart_runs_over_its_edge(client: FlaskClient, path: str, language: str) -> None:
    """Neither of the charts, nor of the one that phones see of the clusters, the last of its page."""
    charts = re.compile(r'<svg[^>]* class="chart.*?</svg>', re.DOTALL)
    svg = parse(charts.findall(client.get(f"{path}?lang={language}").text)[-1])
    width = float(svg.get("width"))
    texts = [row for row in svg.findall(f"{SVG}text") if row.get("text-anchor") == "start"]
    assert len(texts) > 10
    assert [
        row.text for row in texts if wrap_chart_text(row.text, width - float(row.get("x"))) != [row.text]
    ] == []


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_small_map_of_a_clause_labels_every_zone(client: FlaskClient, language: str) -> None:
    page = client.get("/plan/三(一)1(2)", query_string={"lang": language}).text
    small = page.split("spot-labels-large")[1].split("</g>")[0]
    shown = set(re.findall(r'<text class="of-zones"[^>]* data-label="([a-z-]+)"', small))
    assert shown == {"gaoqu", "jingqu", "lingang", "nanhai", "haoyunjiao"}


def test_a_small_map_names_no_area_of_the_whole_city_in_its_middle(client: FlaskClient) -> None:
    page = client.get("/clusters/cluster-it?lang=en").text
    assert 'data-place="five-china-korea"' in page
    assert 'data-label="five-china-korea"' not in page


def test_the_chart_says_that_a_base_is_no_exact_figure(client: FlaskClient) -> None:
    assert "10以上 → 10%以上" in client.get("/charts/targets.svg?lang=zh").text
    english = re.sub(r"</text><text[^>]*>", " ", client.get("/charts/targets.svg?lang=en").text)
    assert "at least 10 → at least 10%" in english


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_number_of_a_clause_in_a_note_never_breaks(client: FlaskClient, language: str) -> None:
    note = client.get(f"/zones/nanhai?lang={language}").text.split('class="remark"')[1].split("</p>")[0]
    numbers = ["三(一)1(2)", "三(一)2(4)", "三(二)1"]
    if language == "zh":
        assert re.findall(r'<span class="unbroken">([^<]+)</span>', note) == numbers
    else:
        frame = r'<span class="unbroken"><span lang="zh" title="([^"]+)"><span lang="(..)">([^<]+)</span>'
        marks = re.findall(frame, note)
        assert [title for title, _, _ in marks] == numbers
        assert {one for _, one, _ in marks} == {language}
        assert [shown for _, _, shown in marks] == ["III(1)1(2)", "III(1)2(4)", "III(2)1"]
    assert " - " not in note


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_a_small_chart_for_each_indicator_with_base_and_target(
    client: FlaskClient, release: Release, language: str
) -> None:
    page = client.get(f"/indicators?lang={language}").text
    both = [row for row in release.read_json("pages/indicators.json") if row["base"] and row["target"]]
    assert page.count('class="course"') == len(both) > 8
    assert (
        'class="course"' not in client.get(f"/clusters/?lang={language}").text
    )  # a target alone is no course


def test_columns_stand_in_the_order_of_time_and_count_the_same() -> None:
    def outcome(value: float, year: int, measure: str | None = None) -> dict[str, object]:
        return {"value": value, "year": year, "measure": measure, "unit": {}}

    outcomes = [outcome(3.0, 2023), outcome(9.0, 2023, "other"), outcome(4.0, 2024), outcome(5.0, 2025)]
    row: Any = {
        "base": {"value": 2.0, "year": None, "comparator": "="},
        "target": {"value": 4.5, "year": 2024, "comparator": ">="},
        "outcomes": outcomes,
    }
    course = lay_out_course(row)
    assert course
    columns: Any = course["columns"]
    assert [(one["kind"], one["value"]) for one in columns] == [
        ("base", 2.0),
        ("reached", 3.0),
        ("reached", 4.0),
        ("target", 4.5),
        ("reached", 5.0),
    ]
    assert [one["x"] for one in columns] == sorted(one["x"] for one in columns)
    assert {round(one["height"] / one["value"], 1) for one in columns} == {14.4}  # on one scale, from zero
    nothing: Any = {"target": None, "outcomes": []}
    assert lay_out_course(nothing) is None
    assert lay_out_course(row | {"base": None, "outcomes": []}) is None
