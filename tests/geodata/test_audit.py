"""The audit proves what the plan prints and nothing else: every seeded error is seen."""

import json
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.audit import audit_facts, claims_of
from geodata.model import (
    Agency,
    Area,
    Chain,
    Clause,
    Cluster,
    Designation,
    Gateway,
    Indicator,
    IndicatorValue,
    Plan,
    Platform,
    Position,
    Seat,
    Target,
    Term,
    Text,
    Zone,
)
from geodata.read import Facts, read_facts

PAGE = """原文如下:
甲市人民政府关于印发甲市产业方案的通知
甲政字〔2023〕40号
2023年7月6日
甲市产业方案
为发展产业,制定本方案。
一、目标。总面积5799.8平方公里。
(一)主要目标。到2024年,全面建成。
1.资源。研发占比达到2.8%。(责任单位:市科技局、市教育局)
二、任务
(一)布局
1.空间。依托东港,建设方案试验场。
(1)隆起带。东部隆起带主要包括乙区、丙区。乙区,重点发展新材料、电子信息,打造重要战略支点;丙区,大力发展海洋生物。
(2)产业链。构建智慧海洋产业链。营业收入达到450亿元,到2024年建成制造基地,壮大打印机。新材料集群。
(责任单位:市科技局)
"""
STRANGE = "龘"  # a character that the plan never prints


def text(zh):
    return Text(zh=zh, en="english", ko="한국어")


def term(zh, clause):
    return Term(term=text(zh), clause=clause)


def clause(clause_id, units=(), *, needs=False):
    return Clause(id=clause_id, title=text("标题"), responsible_units=units, needs_facts=needs)


def designation(zone, words, verb):
    return Designation(
        zone=zone, industries=("any",), term=text(words), emphasis="key", verb=verb, clause="二(一)1(1)"
    )


def by_id(*records):
    return {record.id: record for record in records}


PLAN = Plan(
    id="jia", city=text("甲市"), title=text("甲市产业方案"), issuer=text("甲市人民政府"),
    number="甲政字〔2023〕40号", date="2023-07-06",
)  # fmt: skip
ZONES = by_id(
    Zone(
        id="yi",
        layer="zones",
        kind="new-area",
        name=text("乙区"),
        clauses=("二(一)1(1)",),
        positioning=(term("重要战略支点", "二(一)1(1)"),),
    ),
    Zone(
        id="bing",
        layer="zones",
        kind="new-area",
        name=text("丙区新城"),
        printed="丙区",
        clauses=("二(一)1(1)",),
    ),
)
AREA = Area(
    id="belt", layer="belts", name=text("东部隆起带"), clause="二(一)1(1)", members=("yi", "bing"),
    relation=term("主要包括乙区、丙区", "二(一)1(1)"), letter="A", colour="#000000", extent="mainly-members",
)  # fmt: skip
TARGET = Target(
    value=450, unit=text("亿元"), year=2024, measure=text("营业收入"),
    wording="达到450亿元", clause="二(一)1(2)",
)  # fmt: skip
CLUSTER = Cluster(
    id="cluster", number=1, name=text("新材料"), clause="二(一)1(2)", letter="A", colour="#000000",
    target=TARGET,
    goals=(term("制造基地", "二(一)1(2)"),), focus=(term("打印机", "二(一)1(2)"),),
)  # fmt: skip
AIM = IndicatorValue(value=2.8, year=2024, wording="达到2.8%", clause="一(一)1")
RESEARCH = Indicator(
    id="research", group="resources", name=text("研发"), unit=text("%"), direction="up",
    base=IndicatorValue(value=5799.8, year=None, wording="5799.8平方公里", clause="一"),
    target=AIM,
)  # fmt: skip
HARBOUR = Gateway(
    id="harbour", kind="seaport", name=text("东港"), parent="yi", clauses=("二(一)1",),
    position=Position(lon=1, lat=1, accuracy_m=1, confidence="low", basis="x", sources=("x",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def facts():
    empty: dict[str, Any] = {field.name: () if field.name in LISTS else {} for field in fields(Facts)}
    return Facts(
        **empty
        | {
            "plans": by_id(PLAN),
            "clauses": by_id(
                *map(clause, ("通知", "引言", "一", "一(一)")),
                clause("一(一)1", ("science", "schools")),
                clause("二"),
                clause("二(一)", needs=True),
                clause("二(一)1", ("science",)),
                *map(clause, ("二(一)1(1)", "二(一)1(2)")),
            ),
            "agencies": by_id(
                Agency(id="science", name=text("市科技局"), level="municipal"),
                Agency(id="schools", name=text("市教育局"), level="municipal"),
            ),
            "zones": ZONES,
            "areas": by_id(AREA),
            "designations": (
                designation("yi", "新材料", "重点发展"),
                designation("yi", "电子信息", "重点发展"),
                designation("bing", "海洋生物", "大力发展"),
            ),
            "clusters": by_id(CLUSTER),
            "chains": by_id(Chain(id="ocean", kind="marine", name=text("智慧海洋"), clause="二(一)1(2)")),
            "platforms": by_id(
                Platform(id="test-site", kind="test-facility", name=text("方案试验场"), clauses=("二(一)1",))
            ),
            "gateways": by_id(HARBOUR),
            "indicators": by_id(RESEARCH),
        }
    )


LISTS = {"designations", "ties", "vocabulary", "thesaurus", "search", "official_areas", "sites", "problems"}


def found(report):
    return {(miss.code, miss.record, miss.expected) for miss in report.misses}


def changed(facts, table, row_id, **update):
    rows = getattr(facts, table)
    return replace(facts, **{table: rows | {row_id: rows[row_id].model_copy(update=update)}})


def test_true_facts_are_proven_in_full(facts):
    report = audit_facts(facts, PAGE)
    assert found(report) == set()
    assert report.ok
    assert report.proven == report.total == len(list(claims_of(facts))) + 3


def test_the_width_of_punctuation_and_white_space_do_not_matter(facts):
    wide = PAGE.replace("(", "（").replace(")", "）").replace(",", "， ").replace(":", "：")
    assert audit_facts(facts, wide).ok


def test_a_clause_counts_what_it_contributes(facts):
    uses = {use.clause: use for use in audit_facts(facts, PAGE).clauses}
    assert uses["二(一)1(1)"].contributes == {
        "area": 1,
        "designation": 3,
        "member": 2,
        "positioning": 1,
        "relation": 1,
        "zone": 2,
    }
    assert uses["二(一)1(1)"].units_of == "二(一)1"
    assert uses["二(一)1"].contributes == {"gateway": 1, "platform": 1, "unit": 1}
    assert uses["引言"].contributes == {}


def test_clauses_that_no_fact_cites_are_listed(facts):
    assert audit_facts(facts, PAGE).uncited == ("引言", "一(一)", "二", "二(一)")


def test_a_clause_that_must_bring_facts_and_brings_none_fails(facts):
    report = audit_facts(changed(facts, "clauses", "引言", needs_facts=True), PAGE)
    assert report.uncovered == ("引言",)
    assert not report.ok


def test_the_units_of_its_item_do_not_make_up_for_the_facts_that_a_point_lacks(facts):
    report = audit_facts(replace(facts, clusters={}, chains={}), PAGE)
    assert {use.clause: use.units_of for use in report.clauses}["二(一)1(2)"] == "二(一)1"
    assert report.uncovered == ("二(一)1(2)",)
    assert not report.ok


SEEDED = {
    "zone name": (
        ("zones", "yi", {"name": text("己区"), "aliases": ("乙区",)}),
        ("not-in-clause", "yi", "己区"),
    ),
    "zone clause": (("zones", "yi", {"clauses": ("二(一)1(1)", "一")}), ("not-in-clause", "yi", "乙区")),
    "missing clause": (("zones", "yi", {"clauses": ("二(一)1(1)", "九")}), ("no-clause", "yi", "乙区")),
    "positioning": (
        ("zones", "yi", {"positioning": (term("重要战略中心", "二(一)1(1)"),)}),
        ("not-in-clause", "yi", "重要战略中心"),
    ),
    "positioning of another": (
        ("zones", "bing", {"positioning": (term("重要战略支点", "二(一)1(1)"),)}),
        ("no-subject", "bing", "重要战略支点"),
    ),
    "area": (("areas", "belt", {"name": text("西部隆起带")}), ("not-in-clause", "belt", "西部隆起带")),
    "relation": (
        ("areas", "belt", {"relation": term("包括丙区、乙区", "二(一)1(1)")}),
        ("not-in-clause", "belt", "包括丙区、乙区"),
    ),
    "cluster": (("clusters", "cluster", {"name": text("旧材料")}), ("not-in-clause", "cluster", "旧材料")),
    "target": (
        ("clusters", "cluster", {"target": TARGET.model_copy(update={"wording": "达到451亿元"})}),
        ("not-in-clause", "cluster", "达到451亿元"),
    ),
    "target year": (
        ("clusters", "cluster", {"target": TARGET.model_copy(update={"year": 2025})}),
        ("not-in-clause", "cluster", "2025年"),
    ),
    "measure": (
        ("clusters", "cluster", {"target": TARGET.model_copy(update={"measure": text("总产值")})}),
        ("not-in-clause", "cluster", "总产值"),
    ),
    "goal": (
        ("clusters", "cluster", {"goals": (term("最大的制造基地", "二(一)1(2)"),)}),
        ("not-in-clause", "cluster", "最大的制造基地"),
    ),
    "focus": (
        ("clusters", "cluster", {"focus": (term("复印机", "二(一)1(2)"),)}),
        ("not-in-clause", "cluster", "复印机"),
    ),
    "chain": (("chains", "ocean", {"name": text("智能海洋")}), ("not-in-clause", "ocean", "智能海洋")),
    "chain of nobody": (("chains", "ocean", {"zone": "nowhere"}), ("no-subject", "ocean", "智慧海洋")),
    "platform": (
        ("platforms", "test-site", {"name": text("试验厂"), "aliases": ("试验场",)}),
        ("not-in-clause", "test-site", "试验厂"),
    ),
    "gateway": (
        ("gateways", "harbour", {"name": text("西港"), "aliases": ("东港",)}),
        ("not-in-clause", "harbour", "西港"),
    ),
    "indicator": (
        ("indicators", "research", {"target": AIM.model_copy(update={"wording": "达到2.9%"})}),
        ("not-in-clause", "research", "达到2.9%"),
    ),
    "indicator year": (
        ("indicators", "research", {"target": AIM.model_copy(update={"year": 2030})}),
        ("not-in-clause", "research", "2030年"),
    ),
    "document number": (
        ("plans", "jia", {"number": "甲政字〔2023〕41号"}),
        ("not-in-clause", "jia", "甲政字〔2023〕41号"),
    ),
    "document date": (("plans", "jia", {"date": "2023-07-16"}), ("not-in-clause", "jia", "2023年7月16日")),
    "unit not printed": (
        ("clauses", "一(一)1", {"responsible_units": ("science", "schools", "nobody")}),
        ("unit-not-printed", "一(一)1", "nobody"),
    ),
    "unit not listed": (
        ("clauses", "一(一)1", {"responsible_units": ("science",)}),
        ("unit-not-listed", "一(一)1", "市教育局"),
    ),
    "unit order": (
        ("clauses", "一(一)1", {"responsible_units": ("schools", "science")}),
        ("unit-order", "一(一)1", "市科技局、市教育局"),
    ),
    "unit on the wrong clause": (
        ("clauses", "二", {"responsible_units": ("science",)}),
        ("unit-not-printed", "二", "市科技局"),
    ),
    "government in a clause that does not print it": (
        ("agencies", "science", {"governs": Seat(zone="yi", clause="二")}),
        ("unit-not-printed", "science", "市科技局"),
    ),
    "government not named after its place": (
        ("agencies", "science", {"governs": Seat(zone="yi", clause="一(一)1")}),
        ("no-subject", "science", "市科技局"),
    ),
}


@pytest.mark.parametrize(("seed", "miss"), SEEDED.values(), ids=SEEDED)
def test_one_seeded_error_is_the_one_miss(facts, seed, miss):
    table, row_id, update = seed
    report = audit_facts(changed(facts, table, row_id, **update), PAGE)
    assert found(report) == {miss}
    assert not report.ok
    assert report.proven == report.total - 1


DESIGNATED = {
    "term": (designation("yi", "旧材料", "重点发展"), "not-in-clause"),
    "verb": (designation("yi", "新材料", "大力发展"), "not-beside"),
    "verb without its grade": (designation("yi", "新材料", "发展"), "verb-cut"),
    "verb whose parts stand the other way round": (
        designation("yi", "新材料", "打造…重点发展"),
        "not-beside",
    ),
    "zone of another sentence": (designation("bing", "新材料", "重点发展"), "no-subject"),
    "zone that is named later": (designation("yi", "东部隆起带主要包括", "主要包括"), "no-subject"),
    "unknown zone": (designation("nowhere", "新材料", "重点发展"), "no-subject"),
}


@pytest.mark.parametrize(("row", "code"), DESIGNATED.values(), ids=DESIGNATED)
def test_a_designation_is_proven_as_a_whole(facts, row, code):
    report = audit_facts(replace(facts, designations=(row,)), PAGE)
    assert found(report) == {(code, row.zone, row.term.zh)}


def test_clauses_that_one_side_lacks_are_listed(facts):
    clauses = {key: row for key, row in facts.clauses.items() if key != "引言"}
    report = audit_facts(replace(facts, clauses=clauses | {"六": clause("六")}), PAGE)
    assert (report.missing, report.unknown) == (("引言",), ("六",))
    assert not report.ok


def test_a_miss_shows_the_nearest_text_and_where_the_words_do_occur(facts):
    moved = audit_facts(changed(facts, "zones", "yi", clauses=("一",)), PAGE).misses[0]
    assert moved.elsewhere == ("二(一)1", "二(一)1(1)")
    misspelt = audit_facts(changed(facts, "platforms", "test-site", name=text("方案试验厂")), PAGE).misses[0]
    assert "方案试验场" in misspelt.nearest


def test_the_report_is_plain_data_and_lines_in_two_languages(facts):
    wrong = {"name": text("方案试验厂"), "aliases": ("方案试验场",)}
    report = audit_facts(changed(facts, "platforms", "test-site", **wrong), PAGE)
    data = json.loads(json.dumps(report.to_dict()))
    assert data["misses"][0]["expected"] == "方案试验厂"
    assert (data["ok"], data["proven"]) == (False, data["total"] - 1)
    assert any("方案试验厂" in line and "没有这个写法" in line for line in report.lines("zh"))
    assert any("方案试验厂" in line and "does not print" in line for line in report.lines("en"))


def test_every_word_of_an_empty_plan_is_a_miss(facts):
    report = audit_facts(facts, "")
    assert report.proven == 0
    assert len(report.missing) == 0
    assert set(report.unknown) == set(facts.clauses)


@given(data=st.data())
def test_a_word_with_one_strange_character_is_never_proven(facts, data):
    row = data.draw(st.sampled_from(facts.designations))
    place = data.draw(st.integers(0, len(row.term.zh) - 1))
    words = row.term.zh[:place] + STRANGE + row.term.zh[place + 1 :]
    wrong = row.model_copy(update={"term": text(words)})
    report = audit_facts(replace(facts, designations=(wrong,)), PAGE)
    assert found(report) == {("not-in-clause", row.zone, words)}


@given(st.text(max_size=200))
def test_no_text_makes_the_audit_fail(facts, page):
    audit_facts(facts, page)


@pytest.fixture(scope="module")
def shipped():
    return read_facts()


@pytest.fixture(scope="module")
def plan_text():
    plan = os.environ.get("WEIHAI_LAYOUT_PLAN")
    if not plan:
        pytest.skip("the plan's text is not part of the repository: set WEIHAI_LAYOUT_PLAN to its file")
    return Path(plan).read_text(encoding="utf-8")


CHANGES = {
    "figure": ("达到2.8%", "达到2.9%", "not-in-clause 二(三)1"),
    "revenue": ("营业收入达到450亿元", "营业收入达到540亿元", "not-in-clause 三(六)4(1)"),
    "relation": ("以高区为核心", "以经区为核心", "not-in-clause 三(一)2(1)"),
    "name": ("石岛管理区,推进", "某管理区,推进", "not-in-clause 三(一)1(3)"),
    "verb": ("重点培育新材料", "着力培育新材料", "not-beside 三(一)1(2)"),
    "grade of a verb": ("做大做强汽车机电", "全力做大做强汽车机电", "verb-cut 三(一)1(2)"),
    "rank of a title": ("首批国家智慧城市试点", "首个国家智慧城市试点", "rank-omitted 一(一)6"),
    "subject": ("文登区,做大做强", "乙地,做大做强", "no-subject 三(一)1(2)"),
    "lost unit": ("市海洋发展局,环翠区政府", "环翠区政府", "unit-not-printed 三(二)1"),
    "new unit": ("市海洋发展局,环翠区政府", "市海洋发展局,某局,环翠区政府", "unit-not-listed 三(二)1"),
    "unit order": (
        "市科技局、市海洋发展局,环翠区政府",
        "市海洋发展局、市科技局,环翠区政府",
        "unit-order 三(二)1",
    ),
}


def test_the_plan_proves_everything_shipped_and_every_change_to_it_is_seen(shipped, plan_text, subtests):
    report = audit_facts(shipped, plan_text)
    with subtests.test("all is proven"):
        assert report.misses == ()
        assert report.ok
        assert report.proven == report.total > 1000
    with subtests.test("the mapped sections bring facts of their own"):
        mapped = [use for use in report.clauses if use.clause.startswith(("三(一)", "三(二)", "三(六)4"))]
        assert [use.clause for use in mapped if not use.contributes] == ["三(一)", "三(二)"]
    for name, (printed, instead, miss) in CHANGES.items():
        with subtests.test(name):
            assert printed in plan_text
            changed_report = audit_facts(shipped, plan_text.replace(printed, instead))
            assert miss in {f"{miss.code} {miss.clause}" for miss in changed_report.misses}
    with subtests.test("a lost clause"):
        assert audit_facts(shipped, plan_text.replace("(8)新能源。", "")).unknown == ("三(六)4(8)",)
    with subtests.test("no word survives a strange character"):
        spoilt = plan_text.translate(dict.fromkeys(map(ord, "发海产新区一平技创家%"), STRANGE))
        assert len(audit_facts(shipped, spoilt).misses) > report.total * 0.8
