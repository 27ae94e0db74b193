"""Every fact is shown on the page of the clause that states it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from geodata.model import Area, Designation, Tie, Zone
from geodata.read import Facts, read_facts
from layers.citations import build_citations
from layers.relations import Relations


@pytest.fixture(scope="module")
def facts() -> Facts:
    """Return the facts as they are shipped."""
    return read_facts()


def _stated(facts: Facts) -> Iterator[tuple[str, str]]:
    """Yield (clause, Chinese words) of every fact, table by table."""
    places: list[Zone | Area] = [*facts.zones.values(), *facts.areas.values()]
    for place in places:
        terms = [*place.positioning, *getattr(place, "tasks", ()), *getattr(place, "methods", ())]
        terms += [place.relation] if hasattr(place, "relation") else []
        yield from ((term.clause, term.term.zh) for term in terms)
    rows: list[Designation | Tie] = [*facts.designations, *facts.ties]
    yield from ((row.clause, row.term.zh) for row in rows)
    for industry in facts.industries.values():
        yield from ((named.clause, named.term.zh) for named in industry.named)
    for cluster in facts.clusters.values():
        yield from ((clause, cluster.name.zh) for clause in (cluster.clause, *cluster.clauses))
        yield from ((term.clause, term.term.zh) for term in (*cluster.goals, *cluster.focus))
    yield from ((chain.clause, chain.name.zh) for chain in facts.chains.values() if chain.name)
    for platform in facts.platforms.values():
        yield from ((clause, platform.name.zh) for clause in platform.clauses)
        yield from ((term.clause, term.term.zh) for term in (*platform.fields, *platform.remarks))
    for gateway in facts.gateways.values():
        yield from ((clause, gateway.name.zh) for clause in gateway.clauses)
    for indicator in facts.indicators.values():
        figures = filter(None, (indicator.base, indicator.target))
        yield from ((figure.clause, indicator.name.zh) for figure in figures)


def test_every_fact_is_cited_under_its_clause(facts: Facts) -> None:
    cited = {(row["clause"], row["term"]["zh"]) for row in build_citations(Relations(facts)) if row["term"]}
    assert set(_stated(facts)) - cited == set()


def test_a_place_is_cited_under_every_clause_that_names_it(facts: Facts) -> None:
    relations = Relations(facts)
    cited = {(row["clause"], row["zone"]["id"]) for row in build_citations(relations) if row["zone"]}
    named = {(one, place.id) for place in relations.places.values() for one in relations.clauses_of(place)}
    assert named - cited == set()


@pytest.mark.parametrize(
    ("clause", "words"),
    [
        ("三(二)3(2)", "船舶工业"),
        ("三(二)3(1)", "传统渔业"),
        ("三(二)3(1)", "远洋渔业"),
        ("三(一)1(1)", "金融服务"),
        ("三(一)1(1)", "创新研发"),
        ("三(六)4", "氢能"),
        ("三(六)1(1)", "元器件"),
        ("三(六)5", "特色园区"),
        ("三(三)2", "国际中转集装箱业务"),
    ],
)
def test_what_is_named_for_no_zone_is_cited_too(facts: Facts, clause: str, words: str) -> None:
    cited = {(row["clause"], row["term"]["zh"]) for row in build_citations(Relations(facts)) if row["term"]}
    assert (clause, words) in cited


def test_every_zone_is_in_the_area_that_covers_the_city(facts: Facts) -> None:
    relations = Relations(facts)
    for zone in facts.zones:
        assert "five-china-korea" in {area.id for area in relations.memberships_of(zone)}
    assert "five-china-korea" not in {area.id for area in relations.memberships_of("five-innovation")}


@pytest.mark.parametrize(
    ("place", "areas"),
    [
        ("rongcheng", {"five-marine-economy", "marine-east", "belt-north-hightech"}),
        ("nanhai", {"five-blue-economy", "marine-south", "belt-central-manufacturing"}),
        ("haigaoyuan", {"marine-east"}),
        ("lanse-tangu", {"marine-south"}),
        ("yuanyao", {"marine-north"}),
        ("rushan", set()),
    ],
)
def test_an_area_is_known_by_the_zones_that_it_hangs_on(facts: Facts, place: str, areas: set[str]) -> None:
    assert {area.id for area, _ in Relations(facts).areas_anchored_on(place)} == areas


def test_a_compound_term_counts_for_each_of_its_industries(facts: Facts) -> None:
    relations = Relations(facts)
    found = {(row.zone, row.term.zh, industry.id) for row, industry in relations.pairs(facts.designations)}
    assert {
        ("gaoqu", "医疗器械及医药", "medical-devices"),
        ("gaoqu", "医疗器械及医药", "biomedicine"),
        ("wendeng", "文旅康养", "cultural-tourism"),
        ("rushan", "健康文旅", "cultural-tourism"),
        ("rushan", "健康文旅", "health-tourism"),
    } <= found


def test_what_is_ours_is_told_from_what_the_plan_says_of_a_platform(facts: Facts) -> None:
    for row in facts.platforms.values():
        if row.industries_basis == "plan":
            assert row.fields, row.id
    ours = {row.id for row in facts.platforms.values() if row.industries and row.industries_basis == "ours"}
    assert {"atmosphere-test-station", "laser-communication-institute"} <= ours
    assert "hit-innovation-park" not in ours
