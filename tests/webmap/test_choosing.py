"""Comparing places and finding one: everything accounted for, cited, downloadable; bad wishes named."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from flask.testing import FlaskClient

from layers.export.job import to_csv
from layers.store import Release

JSON = {"Accept": "application/json"}


def find(client: FlaskClient, query: str) -> Any:
    return client.get(f"/find.json?{query}").get_json()


def read_csv(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:])))


def test_common_industries_come_first_with_the_plans_words(client: FlaskClient) -> None:
    found = client.get("/compare.json?zones=wendeng,rongcheng,rushan").get_json()
    assert [zone["id"] for zone in found["zones"]] == ["wendeng", "rongcheng", "rushan"]
    counts = [len(row["cells"]) for row in found["industries"]]
    assert counts == sorted(counts, reverse=True)
    for row in found["industries"]:
        assert row["common"] == (len(row["cells"]) == 3)
        for cell in row["cells"].values():
            assert all(one["term"]["zh"] and one["emphasis"] and one["clause"] for one in cell)


def test_a_comparison_says_what_each_document_says(client: FlaskClient, release: Release) -> None:
    ids = ["gaoqu", "nanhai", "marine-north", "huancui"]
    found = client.get(f"/compare.json?zones={','.join(ids)}").get_json()
    for one in ids:
        document = release.read_json(f"documents/{one}.json")
        told = [(row["id"], c["clause"]) for row in found["industries"] for c in row["cells"].get(one, ())]
        assert sorted(told) == sorted((row["industry_id"], row["clause"]) for row in document["industries"])
        platforms = {row["id"] for row in found["platforms"] if one in row["cells"]}
        assert platforms == {row["id"] for row in document["platforms"]}
        units = {row["id"] for row in found["responsible_units"] if one in row["cells"]}
        assert units == {row["agency_id"] for row in document["responsible_units"]}


@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_page_shows_maps_areas_and_reasons(client: FlaskClient, language: str) -> None:
    page = client.get(f"/compare?zones=gaoqu,huancui&lang={language}").text
    assert page.count('class="locator"') == 2
    assert "140.0" in page
    assert "三(一)1(2)" in page


def test_the_form_leads_to_one_address(client: FlaskClient) -> None:
    answer = client.get("/compare?zones=gaoqu&zones=&zones=jingqu&lang=ko")
    assert answer.status_code == 302
    assert answer.location == "/compare?zones=gaoqu,jingqu&lang=ko"


def test_too_few_to_compare_is_an_invitation_on_the_page_and_an_error_for_programs(
    client: FlaskClient,
) -> None:
    assert client.get("/compare").status_code == 200
    one = client.get("/compare?zones=gaoqu&lang=en")
    assert one.status_code == 200
    assert "Choose one more zone" in one.text
    for query in ("", "?zones=", "?zones=,", "?zones=gaoqu"):
        for extension in ("json", "csv"):
            refused = client.get(f"/compare.{extension}{query}", headers=JSON)
            assert (refused.status_code, refused.get_json()["parameter"]) == (400, "zones")
            assert refused.get_json()["allowed"] == "2-5"


@pytest.mark.parametrize(
    ("zones", "value", "allowed"),
    [
        ("gaoqu,jingqu,lingang,nanhai,shidao,rushan", "6", "2-5"),
        ("gaoqu,gaoqu", "gaoqu", "gaoqu"),
        ("gaoqu,jinqu", "jinqu", "jingqu"),
        ("gaoqu,port-weihai", "port-weihai", "gaoqu"),
        ("<script>,gaoqu", "<script>", "gaoqu"),
    ],
)
@pytest.mark.parametrize("extension", ["", ".json", ".csv"])
def test_bad_choices_are_named(
    client: FlaskClient, zones: str, value: str, allowed: str, extension: str
) -> None:
    refused = client.get(f"/compare{extension}", query_string={"zones": zones}, headers=JSON)
    problem = refused.get_json()
    assert refused.status_code == 400
    assert (problem["parameter"], problem["value"]) == ("zones", value)
    assert allowed in problem["allowed"]
    page = client.get("/compare", query_string={"zones": zones}, headers={"Accept": "text/html"})
    assert page.status_code == 400
    assert "<script>" not in page.text.partition("<main")[2].partition("</main>")[0]


def test_an_unknown_zone_brings_near_ones(client: FlaskClient) -> None:
    near = client.get("/compare.json?zones=gaoqu,jinqu", headers=JSON).get_json()["near"]
    assert "/compare?zones=jingqu" in {row["href"] for row in near}


def test_the_comparison_as_csv(client: FlaskClient, release: Release) -> None:
    rows = read_csv(client.get("/compare.csv?zones=gaoqu,jingqu&lang=en").text)
    assert rows[0] == ["section", "id", "name_zh", "name_en", "common", "gaoqu", "jingqu"]
    assert {len(row) for row in rows} == {7}
    by_id = {(row[0], row[1]): row for row in rows}
    assert by_id["industry", "biomedicine"][5:] == [
        "key: medical devices and medicine [三(一)1(2)]",
        "vigorous: biomedicine [三(一)1(2)]",
    ]
    assert by_id["industry_of_areas", "hi-tech"][5].startswith("belt-north-hightech: ")
    zones = release.read_json("data/zones.geojson")["features"]
    (area,) = [one["properties"]["area_km2"] for one in zones if one["id"] == "gaoqu"]
    assert by_id["area_km2", ""][5] == str(area)
    zh = read_csv(client.get("/compare.csv?zones=gaoqu,jingqu&lang=zh").text)
    assert zh[0] == ["section", "id", "name_zh", "common", "gaoqu", "jingqu"]


def test_cells_are_no_formulas_and_numbers_stay_numbers() -> None:
    told = to_csv([["=1+1", "@x", -1.5, None, "a,b"]]).decode()
    assert read_csv(told) == [["'=1+1", "'@x", "-1.5", "", "a,b"]]


@pytest.mark.parametrize("place", ["gaoqu", "five-innovation", "chucun"])
def test_a_zone_leads_to_its_comparison(client: FlaskClient, place: str) -> None:
    page = client.get(f"/zones/{place}?lang=en").text
    assert f'href="/compare?zones={place}&amp;lang=en"' in page
    if place == "gaoqu":
        assert "/compare?zones=gaoqu,nanhai" in page


def test_without_a_wish_nothing_is_ranked_and_the_page_says_so(client: FlaskClient) -> None:
    for query in ("", "port=0&coast=0", "industry=biomedicine&weight=0"):
        assert find(client, query)["ranked"] == find(client, query)["incomplete"] == []
        assert "All weights are 0" in client.get(f"/find?lang=en&{query}", follow_redirects=True).text


def test_every_point_is_accounted_for(client: FlaskClient) -> None:
    found = find(
        client, "industry=biomedicine,electronic-information&weight=4&port=2&coast=1&five=3&reach=80"
    )
    assert len(found["ranked"]) + len(found["incomplete"]) + len(found["unsuitable"]) == 24
    for row in (*found["ranked"], *found["incomplete"]):
        known = [one for one in row["criteria"] if one["measure"] is not None]
        assert len(row["criteria"]) == 5
        assert row["known_weight"] == sum(one["weight"] for one in known)
        if row["rank"]:
            points = sum(one["weight"] * one["measure"] for one in known)
            assert row["score"] == pytest.approx(100 * points / row["known_weight"], abs=0.1)
            assert row["score_low"] <= row["score"] <= row["score_high"]
        assert bool(row["rank"]) == (len(known) == 5) == (row["score"] is not None)
    scores = [row["score"] for row in found["ranked"]]
    assert scores == sorted(scores, reverse=True)


def test_silence_of_the_plan_is_unknown_and_another_list_is_no(client: FlaskClient) -> None:
    found = find(client, "industry=biomedicine")
    by_id = {row["id"]: row for row in (*found["ranked"], *found["incomplete"])}
    assert by_id["jingqu"]["criteria"][0]["measure"] == 1
    assert by_id["jingqu"]["criteria"][0]["designations"][0]["clause"] == "三(一)1(2)"
    assert by_id["lingang"]["criteria"][0]["measure"] == 0
    assert by_id["nanhai"]["criteria"][0]["measure"] == 0.5
    assert by_id["nanhai"]["criteria"][0]["answer"] == "area"
    silent = by_id["huancui"]["criteria"][0]
    assert (silent["measure"], by_id["huancui"]["rank"]) == (None, None)
    assert silent["unknown"]["zh"]
    assert {row["zone"]["id"] for row in found["elsewhere"]} == {"five-blue-economy"}


def test_a_clause_with_two_terms_of_an_industry_is_named_once_for_a_place_outside(
    client: FlaskClient,
) -> None:
    found = find(client, "industry=marine-biology")["elsewhere"]
    named = [(row["zone"]["id"], row["clause"]) for row in found]
    assert sorted(named) == [("five-marine-economy", "三(一)2(3)"), ("marine-east", "三(二)1")]


def test_a_term_that_joins_industries_is_told_of_the_one_that_is_asked_for(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = client.application.extensions["content"].industries["biomedicine"]
    led_by_another = [row | {"industry": {"id": "glass"}} for row in own["designations"]]
    monkeypatch.setitem(own, "designations", led_by_another)
    found = find(client, "industry=biomedicine")["elsewhere"]
    assert {row["industry"]["id"] for row in found} == {"biomedicine"}


@pytest.mark.parametrize("share", ["0", "0.25", "0.5", "1"])
def test_what_is_listed_for_an_area_counts_by_the_share_that_is_asked_for(
    client: FlaskClient, share: str
) -> None:
    found = find(client, f"industry=carbon-sink&area={share}")
    by_id = {row["id"]: row["criteria"][0]["measure"] for row in found["ranked"]}
    assert by_id["lanse-tangu"] == 1
    assert by_id["nanhai"] == float(share)
    assert found["area_share"] == float(share)


@pytest.mark.parametrize("value", ["1.01", "-1", "half", "0.123", "1e0", "٠"])
def test_a_share_that_is_none_is_refused_by_its_name(client: FlaskClient, value: str) -> None:
    answer = client.get("/find.json", query_string={"industry": "carbon-sink", "area": value})
    assert answer.status_code == 400
    assert answer.get_json()["parameter"] == "area"


def test_what_the_plan_lists_for_no_zone_is_said_first_and_ranks_nobody(client: FlaskClient) -> None:
    found = find(client, "industry=carbon-fibre&port=2")
    (said,) = found["unnamed"]
    assert said["dropped"]
    assert said["named"]
    assert said["cluster"]
    assert found["weights"] == {"port": 2}
    assert [row["id"] for row in found["unsuitable"]] == ["haoyunjiao"]
    page = client.get("/find?industry=carbon-fibre&port=2&lang=en").text
    assert page.index("for no single zone") < page.index('id="ranking"')
    alone = find(client, "industry=carbon-fibre")
    assert alone["ranked"] == alone["incomplete"] == []
    assert not find(client, "industry=marine-equipment")["unnamed"][0]["dropped"]


def test_ties_share_a_rank(client: FlaskClient) -> None:
    ranked = find(client, "industry=biomedicine")["ranked"]
    first = [row for row in ranked if row["rank"] == 1]
    assert len(first) > 1
    assert all(row["tied"] for row in first)
    assert ranked[len(first)]["rank"] == len(first) + 1
    assert "neither comes first" in client.get("/find?industry=biomedicine&lang=en").text


def test_a_distance_counts_less_the_farther_and_nothing_beyond_the_reach(client: FlaskClient) -> None:
    ranked = find(client, "airport=1&reach=20")["ranked"]
    for row in ranked:
        one = row["criteria"][0]
        assert one["measure"] == pytest.approx(max(0, 1 - one["distance_m"] / 20_000), abs=0.001)
        assert one["to"]["id"] == "airport-weihai"
        assert one["accuracy_m"] > 0
    assert ranked[0]["id"] == "wendeng"


def test_the_address_is_shortened_and_keeps_the_language(client: FlaskClient) -> None:
    answer = client.get(
        "/find?lang=ko&industry=biomedicine&industry=logistics&weight=3&port=0&coast=2&reach=50"
    )
    assert (answer.status_code, answer.location) == (
        302,
        "/find?industry=biomedicine,logistics&lang=ko&coast=2",
    )
    assert client.get(answer.location).status_code == 200
    assert client.get("/find?port=0").location == "/find"


@pytest.mark.parametrize(
    ("query", "parameter", "value"),
    [
        ({"industry": "biomedicin"}, "industry", "biomedicin"),
        ({"industry": "<script>"}, "industry", "<script>"),
        ({"industry": ",".join(["x"] * 3)}, "industry", "x"),
        ({"port": "6"}, "port", "6"),
        ({"port": "-1"}, "port", "-1"),
        ({"coast": "yes"}, "coast", "yes"),
        ({"coast": "٣"}, "coast", "٣"),
        ({"weight": "1.5"}, "weight", "1.5"),
        ({"reach": "0"}, "reach", "0"),
        ({"reach": "9" * 5000}, "reach", "9" * 59 + "…"),
    ],
)
@pytest.mark.parametrize("extension", ["", ".json", ".csv"])
def test_bad_wishes_are_named(client: FlaskClient, query, parameter, value, extension) -> None:
    refused = client.get(f"/find{extension}", query_string=query, headers=JSON)
    problem = refused.get_json()
    assert refused.status_code == 400
    assert (problem["parameter"], problem["value"]) == (parameter, value)
    assert problem["allowed"]


def test_an_industry_misspelt_brings_near_ones_and_too_many_are_refused(
    client: FlaskClient, release: Release
) -> None:
    near = client.get("/find.json?industry=biomedicin").get_json()["near"]
    assert near[0]["href"] == "/find?industry=biomedicine"
    ids = [row["id"] for row in release.read_json("pages/industries.json")[:11]]
    problem = client.get(f"/find.json?industry={','.join(ids)}").get_json()
    assert (problem["status"], problem["value"], problem["allowed"]) == (400, "11", "0-10")


def test_the_ranking_as_csv(client: FlaskClient) -> None:
    rows = read_csv(client.get("/find.csv?industry=biomedicine&port=2&lang=en").text)
    assert rows[0][:4] == ["rank", "zone_id", "zone_zh", "zone_en"]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == 1 + 2 * 24
    wishes = {row[rows[0].index("wish")] for row in rows[1:]}
    assert wishes == {"industry:biomedicine", "port"}


@pytest.mark.parametrize(
    "path",
    [
        "/find?industry=seafood-processing&port=3&coast=2&five=1",
        "/compare?zones=gaoqu,jingqu,lingang,nanhai,huancui",
    ],
)
@pytest.mark.parametrize("language", ["zh", "en", "ko"])
def test_the_pages_are_light(client: FlaskClient, path: str, language: str) -> None:
    answer = client.get(f"{path}&lang={language}", headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert len(answer.data) < 120_000


@pytest.mark.parametrize("path", ["/", "/zones/", "/industries/", "/plan", "/zones/gaoqu"])
def test_the_tools_are_reachable_from_everywhere(client: FlaskClient, path: str) -> None:
    page = client.get(f"{path}?lang=en").text
    for tool in ("/find", "/compare", "/clusters/"):
        assert f'href="{tool}?lang=en"' in page


@pytest.mark.parametrize(
    ("typed", "language", "first", "said"),
    [
        ("fishing rods", "en", "leisure-sports-goods", "synonym of ours"),
        ("낚싯대", "ko", "leisure-sports-goods", "유의어"),
        ("steel mill", "en", "new-materials", "only the nearest"),
        ("medical devices", "en", "medical-devices", "Medical devices"),
    ],
)
def test_an_everyday_word_for_an_industry_is_offered_with_how_it_was_found(
    client: FlaskClient, typed: str, language: str, first: str, said: str
) -> None:
    refused = client.get("/find.json", query_string={"industry": typed, "lang": language})
    near = refused.get_json(force=True)["near"][0]
    assert (refused.status_code, near["id"]) == (400, first)
    assert said in near["label"]


def test_a_comparison_marks_what_is_only_inferred_to_be_there(client: FlaskClient) -> None:
    found = client.get("/compare.json?zones=rongcheng,rushan").get_json()["platforms"]
    bases = {
        row["id"]: row["cells"]["rongcheng"]["zone_basis"] for row in found if "rongcheng" in row["cells"]
    }
    assert (bases["distant-water-fishery-base"], bases["innovative-county"]) == ("inference", "plan")
    page = client.get("/compare?zones=rongcheng,rushan&lang=en").text
    marked = page.split("/places/distant-water-fishery-base", 1)[1].split("</li>", 1)[0]
    plain = page.split("/places/innovative-county", 1)[1].split("</li>", 1)[0]
    assert ("tag caution" in marked, "tag" in plain) == (True, False)
