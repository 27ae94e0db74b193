"""The shipped facts agree with each other, and every seeded contradiction is reported."""

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.check import check_facts
from geodata.messages import Problem, to_message
from geodata.model import Seat, Text, Turn
from geodata.read import Facts, read_facts
from geodata.references import references_of, tables

REASON = Text(zh="原因", en="reason", ko="이유")
NOBODY = "nobody-there"


@pytest.fixture(scope="module")
def facts():
    return read_facts()


@pytest.fixture(scope="module")
def known(facts):
    return set(check_facts(facts))


def change(facts, table, key, **update):
    """Return `facts` with one record changed; a record of a list is named by its place in it."""
    rows = getattr(facts, table)
    if isinstance(rows, dict):
        return replace(facts, **{table: rows | {key: rows[key].model_copy(update=update)}})
    changed = rows[key].model_copy(update=update)
    return replace(facts, **{table: (*rows[:key], changed, *rows[key + 1 :])})


def add(facts, table, key, like, **update):
    """Return `facts` with a changed copy of the record `like`, under `key` or at the end of its list."""
    rows = getattr(facts, table)
    if isinstance(rows, dict):
        return replace(facts, **{table: rows | {key: rows[like].model_copy(update={"id": key} | update)}})
    return replace(facts, **{table: (*rows, rows[like].model_copy(update=update))})


def drop(facts, table, keep):
    return replace(facts, **{table: tuple(row for row in getattr(facts, table) if keep(row))})


def test_the_shipped_facts_have_no_problem(facts):
    assert facts.problems == ()
    assert check_facts(facts) == ()


CHANGED = {
    "clause parent": ("clauses", "三(一)1", {"parent": "九"}, "unknown-clause", "parent"),
    "clause parent skipped": ("clauses", "三(一)1", {"parent": "三"}, "wrong-parent", "parent"),
    "clause parent missing": ("clauses", "三(一)1", {"parent": None}, "wrong-parent", "parent"),
    "clause unit": (
        "clauses",
        "三(一)3",
        {"responsible_units": (NOBODY,)},
        "unknown-id",
        "responsible_units",
    ),
    "clause unit twice": (
        "clauses",
        "三(一)3",
        {"responsible_units": ("sci-tech-bureau", "sci-tech-bureau")},
        "duplicate-value",
        "responsible_units",
    ),
    "group member": ("agencies", "county-governments", {"members": (NOBODY,)}, "unknown-id", "members"),
    "empty group": ("agencies", "county-governments", {"members": ()}, "group-without-members", "members"),
    "members of no group": (
        "agencies",
        "sci-tech-bureau",
        {"members": ("rushan-government",)},
        "members-without-group",
        "members",
    ),
    "government of nowhere": (
        "agencies",
        "huancui-government",
        {"governs": Seat(zone=NOBODY, clause="三(二)1")},
        "unknown-id",
        "governs.zone",
    ),
    "government of another place": (
        "agencies",
        "huancui-government",
        {"governs": Seat(zone="wendeng", clause="三(二)1")},
        "not-its-government",
        "governs",
    ),
    "government in a clause without it": (
        "agencies",
        "huancui-government",
        {"governs": Seat(zone="huancui", clause="三(一)2")},
        "unit-not-there",
        "governs",
    ),
    "government of an unknown clause": (
        "agencies",
        "huancui-government",
        {"governs": Seat(zone="huancui", clause="九")},
        "unknown-clause",
        "governs.clause",
    ),
    "short name that nobody uses": (
        "zones",
        "gaoqu",
        {"short_name": Text(zh="火把", en="Torch", ko="횃불")},
        "short-name-unknown",
        "short_name",
    ),
    "short name of another place": (
        "areas",
        "marine-north",
        {"short_name": Text(zh="北部核心海洋经济区", en="Eastern Marine Core", ko="북부")},
        "duplicate-name",
        "short_name",
    ),
    "zone parent": ("zones", "gaoqu", {"parent": NOBODY}, "unknown-id", "parent"),
    "zone under itself": ("zones", "chucun", {"parent": "chucun"}, "cycle", "parent"),
    "zone under a zone": ("zones", "gaoqu", {"parent": "jingqu"}, "wrong-layer", "parent"),
    "county under a county": ("zones", "rushan", {"parent": "wendeng"}, "wrong-parent", "parent"),
    "zone clause": ("zones", "gaoqu", {"clauses": ("九",)}, "unknown-clause", "clauses"),
    "zone clause left out": ("zones", "gaoqu", {"clauses": ("一(一)",)}, "clause-not-listed", "clauses"),
    "zone without designation": (
        "zones",
        "huancui",
        {"no_industries": None},
        "reason-missing",
        "no_industries",
    ),
    "zone with designation": (
        "zones",
        "gaoqu",
        {"no_industries": REASON},
        "reason-needless",
        "no_industries",
    ),
    "area with designation": (
        "areas",
        "marine-north",
        {"no_industries": REASON},
        "reason-needless",
        "no_industries",
    ),
    "area member": ("areas", "five-innovation", {"members": (NOBODY,)}, "unknown-id", "members"),
    "area core": ("areas", "marine-north", {"core": NOBODY}, "unknown-id", "core"),
    "area clause": ("areas", "five-innovation", {"clause": "九"}, "unknown-clause", "clause"),
    "area letter": ("areas", "five-innovation", {"letter": "2"}, "duplicate-mark", "letter"),
    "cluster letter": ("clusters", "cluster-medical", {"letter": "I"}, "duplicate-mark", "letter"),
    "cluster colour": ("clusters", "cluster-medical", {"colour": None}, "duplicate-mark", "colour"),
    "cluster number": ("clusters", "cluster-it", {"number": 2}, "numbering", "number"),
    "cluster without target": ("clusters", "cluster-it", {"target": None}, "reason-missing", "target"),
    "cluster with both": ("clusters", "cluster-it", {"no_target": REASON}, "reason-needless", "target"),
    "chain without name": ("chains", "chain-medical", {"name": None}, "reason-missing", "name"),
    "chain with both": ("chains", "chain-medical", {"no_name": REASON}, "reason-needless", "name"),
    "chain industry": ("chains", "chain-medical", {"industries": (NOBODY,)}, "unknown-id", "industries"),
    "chain core": ("chains", "chain-medical", {"zone": NOBODY}, "unknown-id", "zone"),
    "indicator without base": ("indicators", "rd-share", {"base": None}, "reason-missing", "base"),
    "indicator without target": ("indicators", "rd-share", {"target": None}, "reason-missing", "target"),
    "indicator with both": ("indicators", "rd-share", {"no_base": REASON}, "reason-needless", "base"),
    "indicator year unexplained": ("indicators", "area", {"note": None}, "reason-missing", "base.year"),
    "industry cluster": ("industries", "medical-devices", {"cluster": NOBODY}, "unknown-id", "cluster"),
    "designation place": ("designations", 0, {"zone": NOBODY}, "unknown-id", "zone"),
    "designation industry": ("designations", 0, {"industries": (NOBODY,)}, "unknown-id", "industries"),
    "designation clause": ("designations", 0, {"clause": "九"}, "unknown-clause", "clause"),
    "designation verb": ("designations", 0, {"verb": "走"}, "verb-unknown", "emphasis"),
    "designation emphasis": ("designations", 0, {"emphasis": "host"}, "verb-emphasis", "emphasis"),
    "platform clause": ("platforms", "test-site", {"clauses": ("九",)}, "unknown-clause", "clauses"),
    "platform zone": ("platforms", "test-site", {"zone": NOBODY}, "unknown-id", "zone"),
    "platform industry": ("platforms", "test-site", {"industries": (NOBODY,)}, "unknown-id", "industries"),
    "platform basis": ("platforms", "test-site", {"zone": None}, "basis-contradicts", "zone_basis"),
    "town county": ("towns", "town-huancuilou", {"county": NOBODY}, "unknown-id", "county"),
    "town in a zone as county": ("towns", "town-huancuilou", {"county": "gaoqu"}, "wrong-layer", "county"),
    "town in a park": ("towns", "town-huancuilou", {"zone": "chucun"}, "wrong-layer", "zone"),
    "town in a foreign zone": ("towns", "town-huancuilou", {"zone": "nanhai"}, "wrong-parent", "zone"),
    "town code": ("towns", "town-huancuilou", {"code": "371002002"}, "duplicate-value", "code"),
    "gateway parent": ("gateways", "port-weihai", {"parent": NOBODY}, "unknown-id", "parent"),
    "gateway clause": ("gateways", "port-weihai", {"clauses": ("九",)}, "unknown-clause", "clauses"),
    "landmark place": ("landmarks", "campus-hit", {"expected": NOBODY}, "unknown-id", "expected"),
    "official area place": ("official_areas", 0, {"of": NOBODY}, "unknown-id", "of"),
    "official area source": ("official_areas", 0, {"source": NOBODY}, "unknown-id", "source"),
    "site place": ("sites", 0, {"of": NOBODY}, "unknown-id", "of"),
    "site bound": ("sites", 0, {"within": (NOBODY,)}, "unknown-id", "within"),
    "site source": ("sites", 0, {"area_source": NOBODY}, "unknown-id", "area_source"),
    "site without source": ("sites", 0, {"area_source": None}, "reason-missing", "area_source"),
    "site without position": ("sites", 0, {"position": None, "reason": None}, "reason-missing", "position"),
    "untranslated": (
        "zones",
        "gaoqu",
        {"name": Text(zh="高区", en="Hi-Tech", ko="高区")},
        "same-text",
        "name.ko",
    ),
    "same name": (
        "zones",
        "gaoqu",
        {"name": Text(zh="经区", en="Hi-Tech", ko="고신구")},
        "duplicate-name",
        "name.zh",
    ),
}


@pytest.mark.parametrize("seed", CHANGED.values(), ids=CHANGED)
def test_a_seeded_contradiction_is_reported(facts, known, seed):
    table, key, update, code, field = seed
    if "colour" in update:
        update = {"colour": facts.clusters["cluster-it"].colour}
    if update.get("letter") == "I":
        update = {"letter": facts.clusters["cluster-it"].letter}
    found = set(check_facts(change(facts, table, key, **update))) - known
    assert (code, field) in {(problem.code, problem.field) for problem in found}


def test_a_designation_that_stands_twice_is_reported(facts, known):
    found = set(check_facts(add(facts, "designations", None, 0))) - known
    assert {problem.code for problem in found} == {"duplicate-term"}


def test_one_id_for_two_places_is_reported(facts, known):
    found = set(check_facts(add(facts, "landmarks", "gaoqu", "campus-hit"))) - known
    assert {problem.code for problem in found} == {"duplicate-id"}


def test_an_address_that_breaks_the_numbering_is_reported(facts, known):
    found = set(check_facts(add(facts, "clauses", "三(1)一", "三"))) - known
    assert {problem.code for problem in found} == {"bad-address"}


def test_an_industry_that_the_plan_names_nowhere_is_reported(facts, known):
    name = Text(zh="闲业", en="Idle", ko="유휴")
    found = set(check_facts(add(facts, "industries", "idle", "medical-devices", name=name, named=()))) - known
    assert {(problem.code, problem.field) for problem in found} == {("industry-unnamed", "named")}


def test_an_industry_without_codes_needs_a_reason(facts, known):
    change = {"gbt4754": (), "isic4": ()}
    found = set(check_facts(add(facts, "industries", "medical-devices", "medical-devices", **change))) - known
    assert {(problem.code, problem.field) for problem in found} == {("reason-missing", "gbt4754")}


def test_an_indicator_without_any_figure_is_reported(facts, known):
    nothing = {"base": None, "target": None, "no_base": REASON, "no_target": REASON}
    found = set(check_facts(change(facts, "indicators", "rd-share", **nothing))) - known
    assert {problem.code for problem in found} == {"no-figure"}


def test_a_verb_with_two_emphases_is_reported(facts, known):
    row = next(index for index, row in enumerate(facts.designations) if row.verb == "重点发展")
    found = set(check_facts(change(facts, "designations", row, emphasis="develop"))) - known
    assert {problem.code for problem in found} == {"verb-emphasis", "verb-inconsistent"}


def test_a_park_without_a_known_point_is_reported(facts, known):
    found = set(check_facts(drop(facts, "sites", lambda site: site.of != "chucun"))) - known
    assert {(problem.code, problem.record) for problem in found} == {("no-site", "chucun")}


def test_a_core_without_a_known_point_is_reported(facts, known):
    found = set(check_facts(drop(facts, "sites", lambda site: site.of != "test-site"))) - known
    assert {(problem.code, problem.value) for problem in found} == {("no-site", "test-site")}


def test_two_chosen_areas_for_one_place_are_reported(facts, known):
    found = set(check_facts(add(facts, "official_areas", None, 0))) - known
    assert {problem.code for problem in found} == {"several-chosen"}


def test_an_area_that_was_not_chosen_needs_a_reason(facts, known):
    found = set(check_facts(change(facts, "official_areas", 0, chosen=False, reason=None))) - known
    assert {problem.code for problem in found} == {"reason-missing"}


def test_parents_in_a_circle_are_reported_and_not_followed_for_ever(facts, known):
    circle = change(change(facts, "zones", "chucun", parent="yuanyao"), "zones", "yuanyao", parent="chucun")
    found = set(check_facts(circle)) - known
    assert {problem.record for problem in found if problem.code == "cycle"} == {"chucun", "yuanyao"}


def test_all_problems_are_reported_at_once(facts, known):
    wrong = change(facts, "zones", "gaoqu", parent=NOBODY)
    wrong = change(wrong, "indicators", "rd-share", base=None)
    wrong = change(wrong, "designations", 0, industries=(NOBODY,))
    found = set(check_facts(wrong)) - known
    assert {problem.record for problem in found} >= {"gaoqu", "rd-share", facts.designations[0].zone}


def test_a_problem_says_where_and_what_in_two_languages(facts):
    problem = next(p for p in check_facts(change(facts, "zones", "gaoqu", parent=NOBODY)))
    assert (problem.file, problem.record, problem.field) == ("plan/zones.yaml", "gaoqu", "parent")
    assert problem.value == NOBODY
    assert NOBODY in problem.message_zh
    assert NOBODY in problem.message_en


def test_no_facts_at_all_have_no_problem():
    lists = {
        "designations",
        "ties",
        "vocabulary",
        "thesaurus",
        "search",
        "official_areas",
        "sites",
        "problems",
    }
    empty: dict[str, Any] = {field.name: () if field.name in lists else {} for field in fields(Facts)}
    assert check_facts(Facts(**empty)) == ()


@pytest.mark.parametrize(
    ("field", "update"),
    [
        ("places", {"places": (NOBODY,)}),
        ("turn.of", {"turn": Turn(of=("fisheries", NOBODY), to="fisheries")}),
        ("turn.to", {"turn": Turn(of=("fisheries",), to=NOBODY)}),
        ("ends", {"ends": NOBODY}),
    ],
)
def test_words_of_the_search_name_only_what_is_there(
    facts: Facts, field: str, update: dict[str, Any]
) -> None:
    words = (*facts.search[:3], facts.search[3].model_copy(update=update), *facts.search[4:])
    (problem,) = check_facts(replace(facts, search=words))
    assert (problem.file, problem.row, problem.field) == ("search.yaml", 3, field)
    assert (problem.code, problem.value) == ("unknown-id", NOBODY)


def test_every_table_is_known_to_the_check():
    assert set(tables()) == {field.name for field in fields(Facts)} - {"problems", "lines"}


@settings(max_examples=30)  # each checks all facts
@given(data=st.data())
def test_any_indicator_figure_changed_alone_is_reported(facts, known, data):
    key = data.draw(st.sampled_from(sorted(facts.indicators)))
    row = facts.indicators[key]
    field = data.draw(st.sampled_from([name for name in ("base", "target") if getattr(row, name)]))
    figure = getattr(row, field)
    value = figure.value + data.draw(st.sampled_from([-0.05, 0.01, 7777]))
    wrong = change(facts, "indicators", key, **{field: figure.model_copy(update={"value": value})})
    found = set(check_facts(wrong)) - known
    assert {(problem.code, problem.record) for problem in found} == {("figure-not-in-wording", key)}


@settings(max_examples=30)  # each checks all facts
@given(data=st.data())
def test_any_record_that_others_name_is_missed_when_it_is_gone(facts, data):
    table = data.draw(st.sampled_from(["clauses", "agencies", "industries", "clusters", "sources"]))
    named = {
        value
        for reference in references_of(facts)
        if reference.tables == (table,)
        for value in reference.values
        if value is not None
    }
    gone = data.draw(st.sampled_from(sorted(named)))
    rows = {key: row for key, row in getattr(facts, table).items() if key != gone}
    problems = check_facts(replace(facts, **{table: rows}))
    assert gone in {problem.value for problem in problems if problem.code.startswith("unknown-")}


def test_every_message_exists_in_both_languages(facts):
    problem = next(iter(check_facts(change(facts, "zones", "gaoqu", parent=NOBODY))))
    assert isinstance(problem, Problem)
    with pytest.raises(KeyError):
        to_message("no-such-code", "zh")


def test_a_finding_about_a_record_without_an_id_names_its_row_and_line(facts):
    wrong = change(facts, "designations", 5, industries=(NOBODY,))
    (found,) = check_facts(wrong)
    assert (found.row, found.line) == (5, facts.lines["plan/designations.yaml", 5]["industries"])


def test_a_list_that_was_not_read_whole_is_not_said_to_lack_anything(facts):
    for table in tables():
        name = next(
            file
            for file, _ in facts.lines
            if file in {f"plan/{table}.yaml", f"places/{table}.yaml", f"{table}.yaml"}
            or (table == "plans" and file == "plan/plan.yaml")
        )
        unread = Problem("syntax", name, "", "", "", "", "")
        rows = getattr(facts, table)
        without = replace(facts, problems=(unread,), **{table: {} if isinstance(rows, dict) else ()})
        assert check_facts(without) == (), table


def test_a_comparator_other_than_the_words_say_is_reported(facts, known):
    target = facts.clusters["cluster-wellness-tourism"].target.model_copy(update={"comparator": "="})
    found = set(check_facts(change(facts, "clusters", "cluster-wellness-tourism", target=target))) - known
    assert {(problem.code, problem.value) for problem in found} == {("comparator-wording", "=")}


def test_industries_said_to_be_the_plans_need_fields(facts, known):
    found = set(check_facts(change(facts, "platforms", "sibet", industries_basis="plan"))) - known
    assert {(problem.code, problem.field) for problem in found} == {("basis-contradicts", "industries_basis")}


@pytest.mark.parametrize(
    ("update", "field"),
    [
        ({"subject": NOBODY}, "subject"),
        ({"object": NOBODY}, "object"),
        ({"clause": "九"}, "clause"),
    ],
)
def test_a_tie_to_nothing_is_reported(facts, known, update, field):
    found = set(check_facts(change(facts, "ties", 0, **update))) - known
    assert {(problem.file, problem.field) for problem in found} == {("plan/ties.yaml", field)}


def test_a_plan_of_another_city_is_told(facts):
    plan = next(iter(facts.plans.values())).model_copy(update={"id": "elsewhere"})
    found = {one.code: one for one in check_facts(replace(facts, plans={"elsewhere": plan}))}
    assert "weihai" in found["wrong-city"].message_en
