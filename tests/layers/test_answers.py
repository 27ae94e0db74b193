"""What the plan says of every zone and industry, worked out again from the facts alone."""

from __future__ import annotations

import json

import pytest

from geodata.read import Facts, read_facts
from layers.answers import Answers
from layers.measures import select_service_kinds
from layers.relations import Relations
from layers.store import Release


@pytest.fixture(scope="module")
def facts() -> Facts:
    return read_facts()


@pytest.fixture(scope="module")
def answers(facts: Facts) -> Answers:
    return Answers(Relations(facts))


def _holders(facts: Facts, zone_id: str) -> set[str]:
    """Return the areas of which a zone, or a place inside it, is an anchor, and those that cover the city."""
    found = set()
    for area in facts.areas.values():
        if area.extent == "whole-city":
            found.add(area.id)
        for anchor in area.anchors:
            current: str | None = anchor.zone
            while current:
                if current == zone_id:
                    found.add(area.id)
                current = facts.zones[current].parent
    return found


def test_the_kind_of_every_answer_follows_from_the_facts(facts: Facts, answers: Answers) -> None:
    seen = set()
    for zone in facts.zones.values():
        holders = _holders(facts, zone.id)
        for industry in facts.industries:
            answer = answers.of(zone, industry)
            seen.add(answer.kind)
            own = any(row.zone == zone.id and industry in row.industries for row in facts.designations)
            areas = {
                row.zone for row in facts.designations if row.zone in holders and industry in row.industries
            }
            task = any(industry in row.industries for row in zone.tasks)
            assert own == (answer.kind == "zone")
            assert {bond.area.id for bond, _ in answer.areas} == areas
            assert bool(answer.tasks) == task
            if answer.kind == "elsewhere":
                assert not own
                assert not areas
                assert not task
    assert seen == {"zone", "task", "positioning", "area", "city", "elsewhere"}


@pytest.mark.parametrize(
    ("zone", "industry", "kind"),
    [
        ("lanse-tangu", "carbon-sink", "zone"),
        ("haigaoyuan", "marine-biology", "zone"),
        ("nanhai", "carbon-sink", "area"),
        ("nanhai", "marine-equipment", "area"),
        ("nanhai", "biomedicine", "area"),
        ("rongcheng", "marine-biology", "area"),
        ("rongcheng", "marine-equipment", "area"),
        ("yuanyao", "marine-information", "area"),
        ("rongcheng", "logistics", "positioning"),  # 国家冷链物流基地
        ("zongbaoqu", "port-logistics", "task"),
        ("rushan", "high-end-manufacturing", "city"),
        ("rushan", "carbon-sink", "elsewhere"),
    ],
)
def test_what_a_careful_reader_of_the_plan_finds(
    facts: Facts, answers: Answers, zone: str, industry: str, kind: str
) -> None:
    assert answers.of(facts.zones[zone], industry).kind == kind


def test_every_zone_belongs_to_the_area_that_covers_the_city(facts: Facts, release: Release) -> None:
    for zone in facts.zones:
        document = json.loads(release.read(f"documents/{zone}.json"))
        assert "five-china-korea" in {row["id"] for row in document["memberships"]}
        assert "five-china-korea" in {row["area"]["id"] for row in document["industries_of_areas"]}


def test_the_positioning_of_an_area_is_told_on_its_anchors_as_the_areas(
    facts: Facts, release: Release
) -> None:
    for area in facts.areas.values():
        for anchor in area.anchors:
            document = json.loads(release.read(f"documents/{anchor.zone}.json"))
            told = {
                row["term"]["zh"]
                for one in document["positioning_of_areas"]
                if one["area"]["id"] == area.id
                for row in one["positioning"]
            }
            assert told == {term.term.zh for term in area.positioning}


def test_features_carry_the_same_as_the_documents(facts: Facts, release: Release) -> None:
    for layer in ("counties", "zones", "parks", "belts"):
        for feature in json.loads(release.read(f"data/{layer}.geojson"))["features"]:
            document = json.loads(release.read(f"documents/{feature['id']}.json"))
            told = [
                (row["area"]["id"], one["industry_id"], one["clause"])
                for row in document["industries_of_areas"]
                for one in row["industries"]
            ]
            flat = feature["properties"]["industries_of_areas"]
            assert [(one["area_id"], one["industry_id"], one["clause"]) for one in flat] == told


def test_others_are_only_those_of_which_the_plan_says_nothing(facts: Facts, answers: Answers) -> None:
    for industry in facts.industries:
        silent = {zone.id for zone in facts.zones.values() if answers.of(zone, industry).kind == "elsewhere"}
        whole = any(
            industry in row.industries and facts.areas[row.zone].extent == "whole-city"
            for row in facts.designations
            if row.zone in facts.areas
        )
        assert not (whole and silent)


@pytest.mark.parametrize(
    ("zone", "area", "industry"),
    [
        ("haigaoyuan", "marine-east", "biomedicine"),
        ("rongcheng", "marine-east", "fisheries"),
        ("yuanyao", "marine-north", "producer-services"),
        ("rushan", "five-china-korea", "modern-services"),
    ],
)
def test_the_positioning_of_an_area_answers_for_its_zones(
    release: Release, zone: str, area: str, industry: str
) -> None:
    answer = release.read_json(f"documents/{zone}.json")["answers"][industry]
    assert answer["kind"] in {"area", "city"}
    assert area in {row["area"]["id"] for row in answer["said"] if row["kind"] == "positioning"}
    page = release.read_json(f"industries/{industry}.json")
    assert area in {row["zone"]["id"] for row in page["served_by"]}
    assert zone not in {row["id"] for rows in page["others"].values() for row in rows}


def test_a_kind_is_for_services_only_where_most_of_its_list_says_so() -> None:
    listed: dict[str, list[list[str]]] = {
        "resort": [["51"], ["61"], []],
        "port": [["55"], ["136"]],
        "park": [["55"], []],
        "bare": [],
        "open": [[], []],
    }
    assert select_service_kinds(listed) == {"resort"}


def test_the_map_filters_by_what_the_pages_of_industries_say(facts: Facts, release: Release) -> None:
    features = release.read_json("map/en.json")["features"]
    city = {one.id for one in facts.areas.values() if one.extent == "whole-city"}
    for industry in facts.industries:
        page = release.read_json(f"industries/{industry}.json")
        listed = {row["zone"]["id"] for row in page["designations"]}
        reached = {row["zone"]["id"] for row in (*page["area_designations"], *page["served_by"])}
        reached |= set(facts.zones) if city & {row["zone"]["id"] for row in page["served_by"]} else set()
        reached |= set(facts.zones) if page["city_designations"] else set()
        shown = {one for one, row in features.items() if industry in row.get("reached", ())}
        matched = {one for one, row in features.items() if industry in row["industries"]}
        assert matched & {*facts.zones, *facts.areas} == listed
        assert shown == reached - listed
