"""The places that are not in the plan: complete, trilingual, with source and accuracy."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from geodata.read import read_boundaries, read_facts
from geodata.references import references_of

FACTS = read_facts()
POSITIONS = {
    **{town.id: town.seat for town in FACTS.towns.values()},
    **{gateway.id: gateway.position for gateway in FACTS.gateways.values()},
    **{landmark.id: landmark.position for landmark in FACTS.landmarks.values()},
}
NAMED = [*FACTS.towns.values(), *FACTS.gateways.values(), *FACTS.landmarks.values()]
HANGUL = re.compile(r"[가-힣]")
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_no_record_of_the_places_is_broken():
    assert not [str(problem) for problem in FACTS.problems if problem.file.startswith("places/")]


def test_there_are_24_streets_48_towns_and_one_office():
    kinds = Counter(
        town.name.zh[-2:] if town.name.zh.endswith("街道") else town.name.zh[-1]
        for town in FACTS.towns.values()
    )
    assert kinds == {"街道": 24, "镇": 48, "处": 1}


def test_town_codes_are_unique_and_agree_with_county_and_zone():
    towns = FACTS.towns.values()
    assert len({town.code for town in towns}) == 73
    counties = {"371002": "huancui", "371071": "huancui", "371072": "huancui", "371073": "huancui"}
    counties |= {"371003": "wendeng", "371082": "rongcheng", "371083": "rushan"}
    zones = {"371071": "gaoqu", "371072": "jingqu", "371073": "lingang"}
    for town in towns:
        assert town.county == counties[town.code[:6]]
        assert town.zone == zones.get(town.code[:6], town.zone)
        assert town.zone is None or FACTS.zones[town.zone].parent == town.county


def test_zones_have_the_towns_that_they_administer():
    members = Counter(town.zone for town in FACTS.towns.values())
    del members[None]
    assert members == {"gaoqu": 3, "jingqu": 5, "lingang": 3, "shidao": 6, "haoyunjiao": 2, "nanhai": 1}


def test_manshan_is_written_as_it_writes_itself_and_found_under_the_other_spelling():
    town = FACTS.towns["town-manshan"]
    assert (town.name.zh, town.name.ko) == ("蔄山镇", "만산진")
    assert "苘山镇" in town.aliases


@pytest.mark.parametrize("record", NAMED, ids=lambda record: record.id)
def test_names_are_complete_and_in_their_own_script(record):
    assert HAN.search(record.name.zh)
    assert record.name.en.isascii()
    assert HANGUL.search(record.name.ko)
    assert not HAN.search(record.name.ko)


@pytest.mark.parametrize("town", list(FACTS.towns.values()), ids=lambda town: town.id)
def test_korean_town_names_end_as_their_kind_demands(town):
    ending = {"道": "가도", "镇": "진", "处": "사무소"}[town.name.zh[-1]]
    assert town.name.ko.endswith(ending)


@pytest.mark.parametrize("name", sorted(POSITIONS))
def test_positions_say_where_they_are_from_and_lie_around_the_city(name):
    position = POSITIONS[name]
    assert 120.9 < position.lon < 123.0
    assert 36.4 < position.lat < 37.8
    assert position.basis


def test_unverified_positions_are_never_called_certain():
    doubtful = [
        name for name, position in POSITIONS.items() if position.basis.startswith("general knowledge")
    ]
    assert doubtful
    assert all(POSITIONS[name].confidence == "low" for name in doubtful)


def test_the_only_gateway_that_the_plan_names_cites_its_clause():
    assert {gateway.id: gateway.clauses for gateway in FACTS.gateways.values() if gateway.clauses} == {
        "port-weihai": ("三(一)1(2)",)
    }


def test_stations_of_the_later_line_are_dated_after_the_plan():
    later = {gateway.id for gateway in FACTS.gateways.values() if gateway.opened == "2023-12-08"}
    assert later == {"station-wendeng-south", "station-weihai-nanhai", "station-rushan-south"}


def test_ids_of_places_are_used_once():
    names = [*FACTS.towns, *FACTS.gateways, *FACTS.landmarks]
    assert len(names) == len(set(names))
    assert not set(names) & (set(FACTS.zones) | set(FACTS.areas) | set(FACTS.platforms))


@pytest.mark.parametrize(
    "landmark", [mark for mark in FACTS.landmarks.values() if mark.expected], ids=lambda m: m.id
)
def test_landmarks_expect_a_place_that_exists(landmark):
    assert landmark.expected in FACTS.zones


def test_official_areas_are_sourced_explained_and_chosen_once():
    for area in FACTS.official_areas:
        assert area.source in FACTS.sources
        assert area.reason is not None
    chosen = Counter(area.of for area in FACTS.official_areas if area.chosen)
    assert set(chosen.values()) == {1}


def test_the_widely_printed_old_area_of_the_economic_zone_is_kept_but_not_chosen():
    figures = {area.area_km2: area.chosen for area in FACTS.official_areas if area.of == "jingqu"}
    assert figures == {168.61: True, 277: False, 278: False}


def test_official_areas_are_of_places_that_exist():
    known = {*FACTS.zones, *FACTS.areas, "weihai", "test-site", *(town.code for town in FACTS.towns.values())}
    assert {area.of for area in FACTS.official_areas} <= known


def test_sites_belong_to_known_places_and_stay_within_known_bounds():
    bounds = {*FACTS.zones, "sea", *(town.code for town in FACTS.towns.values())}
    for site in FACTS.sites:
        assert site.of in {*FACTS.zones, *FACTS.platforms}
        assert set(site.within) <= bounds
        assert site.area_source is None or site.area_source in FACTS.sources


def test_a_site_without_position_says_why():
    assert all(site.reason for site in FACTS.sites if site.position is None)


def test_parts_of_one_place_are_told_apart():
    keys = [(site.of, site.part) for site in FACTS.sites]
    assert len(keys) == len(set(keys))


def test_every_source_on_record_is_the_source_of_something():
    cited = {
        value
        for reference in references_of(FACTS)
        if reference.tables == ("sources",)
        for value in reference.values
    }
    methods = read_boundaries()["datapackage"]["methods"].values()
    cited |= {source for method in methods for source in method["sources"]}
    assert set(FACTS.sources) - cited == set()
