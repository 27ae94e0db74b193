"""Every sentence by which the product says "no" of the plan, proven against the facts in three languages."""

from __future__ import annotations

import csv
import html
import io
import re
from functools import cache, lru_cache
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from geodata.model import Area
from geodata.read import Facts, read_facts
from layers.answers import Answers
from layers.relations import Relations
from webmap.i18n import read_strings

ROOT = Path(__file__).parents[2]
LANGUAGES = ("zh", "en", "ko")
SAYS_NO = re.compile(r"规划[^。；]*(?:没有|未|不是|不在)|(?:没有|未)[^。；]*规划")
PROVEN_HERE = {
    "answers.no_extent",
    "answers.not_own",
    "answers.extent_unknown",
    "answers.no_zone",
    "answers.dropped",
    "answers.listed_nowhere",
    "answers.open_extent",
    "answers.only_served",
    "answers.in_areas",
    "zone.no_positioning",
    "zone.no_memberships",
    "zone.no_industries",
    "zone.no_platforms",
    "zone.unnamed_chain",
    "siting.no_group",
    "industry.city_only",
    "status.city",
    "cluster.no_places",
    "placing.none_designated",
    "answers.unsuitable_note",
    "answers.addressed_note",
}
PROVEN_ELSEWHERE = {
    "error.clause",  # unknown addresses
    "error.industry",
    "join.here.elsewhere",  # of each row's places: tests/layers/test_join.py
    "finding.missing",  # words of a search: tests/layers/test_search.py asks every word and every synonym
    "finding.answers.synonym",
    "finding.areas_note",
    "finding.by_synonym",
    "finding.by_nearness",  # of words that no clause prints: tests/layers/test_queries.py, and the audit
    "finding.only_names",
    "finding.tells.area",
    "finding.tells.city",
    "finding.tells.printed",
    "finding.tells.synonym",
    "finding.tells.synonym_made_by",
    "finding.tells.synonym_used_in",
    "finding.city_only",
    "finding.nothing",
    "matrix.outside",
    "clause.no_units",  # responsible units, indicators and points
    "agency.no_clauses",
    "indicators.no_base",
    "indicators.no_target",
    "map.answer.other",  # what the map draws pale: tests/webmap/test_map_questions.py
    "map.asked.no_place",
    "map.no_place",
    "map.tool.nothing_in",  # of an area that is drawn: the server's look-up
    "local.horizon",  # outcomes: tests/webmap/test_local.py
    "local.horizon_passed",
    "map.none_match",  # the map's own list of places, by theme
    "map.industry_no_place",  # of the map's features: tests/layers/test_answers.py
    "map.unplaced",
    "zones.not_named",
    "zone.no_clauses",
    "method_note.indicative",  # geometry
    "status.not-stated",
    "answers.lead_note",  # of wording, not of zones and industries
    "answers.governs_note",
}


@pytest.fixture(scope="module")
def facts() -> Facts:
    return read_facts()


@pytest.fixture(scope="module")
def answers(facts: Facts) -> Answers:
    return Answers(Relations(facts))


strings_of = cache(read_strings)  # which reads every file of texts each time


@lru_cache(maxsize=1)
def _read_words(page: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def _says(page: str, language: str, key: str) -> bool:
    return strings_of(language)[key] in _read_words(page)


@pytest.mark.parametrize(
    "kind", ["geodata/**/*.yaml", "geodata/**/*.json", "webmap/translations/**/*.yaml", "scripts/*.json"]
)
def test_nothing_is_said_to_be_unpublished(kind: str) -> None:
    """Nobody here can know that: it was not found."""
    claim = re.compile(
        "未公布|没有公布|尚未公开|공표되지|(?:extent|boundary|area)s? (?:is|are) (?:not |un)?published",
        re.IGNORECASE,
    )
    texts = {path: path.read_text(encoding="utf-8") for path in ROOT.glob(kind)}
    assert texts
    assert [(path.name, found[0]) for path, text in texts.items() for found in claim.finditer(text)] == []


def test_every_negative_sentence_about_the_plan_is_known_and_proven() -> None:
    found = {key for key, text in strings_of("zh").items() if SAYS_NO.search(text)}
    assert found - PROVEN_HERE - PROVEN_ELSEWHERE == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("suffix", ["", ".panel.html"])
def test_what_a_place_is_said_not_to_have(
    client: FlaskClient, facts: Facts, answers: Answers, language: str, suffix: str
) -> None:
    relations = answers.relations
    for place in relations.places.values():
        page = client.get(f"/zones/{place.id}{suffix}?lang={language}").text
        area = place if isinstance(place, Area) else None
        silent = not place.positioning and not answers.positioning_of_areas(place)
        assert _says(page, language, "zone.no_positioning") == silent, place.id
        if area is None:
            assert not _says(page, language, "zone.no_memberships")
            assert relations.memberships_of(place.id)
        assert not _says(page, language, "zone.no_industries")  # each has its own reason instead
        unbounded = area is not None and area.extent == "not-stated"
        assert _says(page, language, "answers.extent_unknown") == unbounded
        platforms = () if unbounded else relations.platforms_in(place.id)
        assert _says(page, language, "zone.no_platforms") == (not platforms and not unbounded)
        extents = {row["extent"] for row in answers.industries_of_areas(place) if row["role"] != "city"}
        assert _says(page, language, "answers.no_extent") == ("not-stated" in extents)
        assert _says(page, language, "answers.not_own") == bool(extents - {"not-stated"})
        unnamed = any(chain.name is None for chain in relations.chains_of(place.id))
        assert _says(page, language, "zone.unnamed_chain") == unnamed


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_an_industry_is_said_not_to_be_listed_for(
    client: FlaskClient, facts: Facts, answers: Answers, language: str
) -> None:
    strings = strings_of(language)
    for industry in facts.industries:
        page = client.get(f"/industries/{industry}?lang={language}").text
        kinds = {zone.id: answers.of(zone, industry).kind for zone in facts.zones.values()}
        listed = any(industry in row.industries for row in facts.designations)
        served = set(kinds.values()) != {"elsewhere"}
        assert _says(page, language, "industry.city_only") == (not listed and not served), industry
        assert _says(page, language, "answers.only_served") == (served and not listed), industry
        found = client.get(f"/industries/{industry}.json").get_json()["area_designations"]
        areas = dict.fromkeys(row["area"]["id"] for row in found)
        unbounded = [facts.areas[one].name for one in areas if facts.areas[one].extent == "not-stated"]
        told = strings["common.list_comma"].join(getattr(name, language) for name in unbounded)
        sentence = strings["answers.open_extent"].format(areas=told)
        assert (sentence in html.unescape(page)) == bool(unbounded)
        others = page.partition('aria-labelledby="others"')[2].partition("</section>")[0]
        for place in re.findall(r'href="/zones/([a-z-]+)', others):
            assert kinds[place] == "elsewhere"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_zone_gets_no_points_for(
    client: FlaskClient, facts: Facts, answers: Answers, language: str
) -> None:
    for industry in facts.industries:
        found = client.get(f"/find.json?industry={industry}").get_json()
        kinds = {zone.id: answers.of(zone, industry).kind for zone in facts.zones.values()}
        for row in (*found["ranked"], *found["incomplete"], *found["unsuitable"]):
            (one,) = row["criteria"]
            assert one["answer"] == kinds[row["id"]]
            assert bool(one["measure"]) == (kinds[row["id"]] != "elsewhere")
            assert (row["score"] is None) == (row["rank"] is None)
            if row in found["unsuitable"]:
                assert kinds[row["id"]] == "elsewhere"
        page = client.get(f"/find?industry={industry}&lang={language}").text
        unlisted = "zone" not in kinds.values()
        name = getattr(facts.industries[industry].name, language)
        sentence = strings_of(language)["answers.no_zone"].format(industry=name)
        assert (sentence in html.unescape(page)) == unlisted == bool(found["unnamed"])
        nowhere = set(kinds.values()) == {"elsewhere"}
        assert _says(page, language, "answers.dropped") == nowhere
        assert not nowhere or found["ranked"] == []
        listed = any(industry in row.industries for row in facts.designations)
        passed_over = "elsewhere" in kinds.values()
        assert _says(page, language, "answers.listed_nowhere") == (not listed and not nowhere and passed_over)


def test_a_blank_cell_of_the_matrix_and_of_a_comparison(
    client: FlaskClient, facts: Facts, answers: Answers
) -> None:
    text = client.get("/industries.csv").text.removeprefix("\ufeff")
    for row in csv.DictReader(io.StringIO(text)):
        for zone in facts.zones.values():
            if zone.id in row:
                kind = answers.of(zone, row["industry_id"]).kind
                assert (row[zone.id] == "") == (kind in {"city", "elsewhere"}), (zone.id, row["industry_id"])
    zones = list(facts.zones)
    for ids in (zones[at : at + 4] for at in range(0, len(zones), 4)):
        found = client.get(f"/compare.json?zones={','.join(ids)}").get_json()
        for zone_id in ids:
            kinds = {one: answers.of(facts.zones[zone_id], one).kind for one in facts.industries}
            told = {one: kind for one, kind in kinds.items() if kind != "elsewhere"}
            assert found["answers"][zone_id] == told


def test_no_zone_is_in_none_of_the_five_zones(client: FlaskClient) -> None:
    page = client.get("/find?five=1&lang=en").text
    assert "which covers the whole city and tells none apart" in page
    assert not _says(page, "en", "siting.no_group")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_clusters_without_places(client: FlaskClient, facts: Facts, language: str) -> None:
    for cluster in facts.clusters:
        page = client.get(f"/clusters/{cluster}?lang={language}").text
        listed = any(
            facts.industries[one].cluster == cluster for row in facts.designations for one in row.industries
        )
        assert _says(page, language, "cluster.no_places") == (not listed)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_point_is_not_denied_what_is_listed_for_its_places(
    client: FlaskClient, facts: Facts, language: str
) -> None:
    for zone in ("rongcheng", "nanhai", "huancui", "rushan", "yuanyao"):
        lon, lat = client.get(f"/zones/{zone}.json").get_json()["geometry"]["label"]
        found = client.get(f"/lookup.json?lon={lon}&lat={lat}").get_json()
        page = client.get(
            f"/lookup?lon={lon}&lat={lat}&lang={language}", headers={"Accept": "text/html"}
        ).text
        denied = _says(page, language, "placing.none_designated")
        assert denied == (not any(row["industries"] for row in found["applies"]))
        for area in found["areas"]:
            assert area["name"][language] in html.unescape(page)


def test_a_body_is_in_no_list_of_responsible_units_where_a_page_says_so(
    client: FlaskClient, facts: Facts
) -> None:
    units = {one for clause in facts.clauses.values() for one in clause.responsible_units}
    governing = [row for row in facts.agencies.values() if row.governs]
    listed = {row.governs.zone: row.id in units for row in governing if row.governs}
    assert set(listed.values()) == {True, False}
    for zone, named in listed.items():
        page = client.get(f"/zones/{zone}?lang=zh").text
        assert (_says(page, "zh", "answers.governs_note"), _says(page, "zh", "answers.addressed_note")) == (
            named,
            not named,
        ), zone
