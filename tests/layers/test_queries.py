"""The queries that the search is measured by say what the facts say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from geodata.check import printed_terms
from geodata.model import Term
from geodata.read import Facts, read_facts
from layers.search import Search
from layers.store import Release

QUERIES, QUESTIONS = (
    yaml.load(Path(__file__).with_name(f"{name}.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    for name in ("queries", "questions")
)
RIGHT = 0.97  # of the queries, at least
ANSWERS = {"named", "area", "city", "positioning", "printed", "synonym", "place", "kind", "none"}


@pytest.fixture(scope="module")
def facts() -> Facts:
    """Return the facts as they are shipped."""
    return read_facts()


@pytest.fixture(scope="module")
def search(release: Release) -> Search:
    """Return the search of the release."""
    return Search(release.read_json("index/search.json"))


@pytest.fixture(scope="module")
def printed(facts: Facts) -> set[str]:
    """Return every word of the plan with its translations, folded."""
    texts = [text for found in printed_terms(facts).values() for text in found]
    words = {word.casefold() for text in texts for word in (text.zh, text.en, text.ko)}
    return words | {one.casefold() for row in facts.vocabulary for one in (row.zh, *row.en, *row.ko)}


@pytest.fixture(scope="module")
def synonyms(facts: Facts) -> dict[str, str]:
    """Return the industry of every synonym, folded."""
    ours = (row for row in facts.thesaurus if row.relation != "nearest")
    return {one.casefold(): row.industry for row in ours for one in (*row.zh, *row.en, *row.ko)}


def _language(query: str) -> str:
    if any("가" <= letter <= "힣" for letter in query):
        return "ko"
    return "zh" if any("\u3400" <= letter <= "\u9fff" for letter in query) else "en"


def test_there_are_enough_queries_of_every_language_and_answer() -> None:
    assert len({row["q"] for row in QUERIES}) == len(QUERIES) >= 150
    assert min(Counter(_language(row["q"]) for row in QUERIES).values()) >= 25
    assert {row["answer"] for row in QUERIES} == ANSWERS
    assert all(row["why"] for row in QUERIES)


@pytest.mark.parametrize("row", [row for row in QUERIES if "industry" in row], ids=lambda row: row["q"])
def test_the_zones_of_an_answer_are_those_of_the_plan(facts: Facts, row: dict[str, Any]) -> None:
    listed = [one.zone for one in facts.designations if row["industry"] in one.industries]
    assert set(row["zones"]) == set(listed) & set(facts.zones)
    assert set(row["areas"]) == set(listed) & set(facts.areas)
    if row["answer"] == "named":
        assert row["zones"]
    if row["answer"] == "area":
        assert row["areas"]
        assert not row["zones"]


@pytest.mark.parametrize("row", QUERIES, ids=lambda row: row["q"])
def test_an_answer_is_of_the_kind_that_its_words_are(
    facts: Facts, printed: set[str], synonyms: dict[str, str], row: dict[str, Any]
) -> None:
    query = row["q"].casefold()
    if row["answer"] in {"synonym", "none"}:
        assert query not in printed
    if row["answer"] == "none":
        assert query not in synonyms
    if row["answer"] == "synonym" and query in synonyms:
        assert synonyms[query] == row["industry"]
    if row["answer"] in {"place", "kind", "positioning"}:
        assert set(row["zones"]) <= {*facts.zones, *facts.areas}
    if row["answer"] == "printed":
        assert set(row["clauses"]) <= set(facts.clauses)
    if row["answer"] == "printed" and _language(query) == "zh":
        words = [word for word in facts.vocabulary if word.zh in query or query in word.zh]
        terms: list[Term] = [
            named for one in facts.industries.values() for named in one.named if query in named.term.zh
        ]
        terms += [field for one in facts.platforms.values() for field in one.fields if query in field.term.zh]
        cited = {clause for word in words for clause in word.clauses} | {term.clause for term in terms}
        assert set(row["clauses"]) <= cited


def _is_right(row: dict[str, Any], answer: Any) -> bool:
    told = answer["answer"]
    if row["answer"] == "none":
        return told is None and bool(answer["missing"])
    if told is None or told["kind"] != row["answer"]:
        return False
    if "industry" in row:
        listed = ({one["id"] for one in told[kind]} for kind in ("zones", "areas"))
        return told["industry"]["id"] == row["industry"] and [*listed] == [
            set(row["zones"]),
            set(row["areas"]),
        ]
    if "zones" in row:
        return {one["id"] for one in told["places"]} == set(row["zones"])
    return set(row["clauses"]) <= set(told["clauses"])


def test_nearly_all_queries_are_answered_right(search: Search) -> None:
    wrong = [row["q"] for row in QUERIES if not _is_right(row, search.answer(row["q"], "en"))]
    assert len(wrong) <= (1 - RIGHT) * len(QUERIES), wrong


def _fits(row: dict[str, Any], answer: Any) -> bool:
    """Return whether an answer is one of those that the plan's text allows for a question."""
    told = answer["answer"]
    if told is None:
        found = {one["id"] for one in answer["near"] + answer["results"]}
        return "none" in row["kind"] and bool(answer["missing"]) and set(row.get("zones", ())) <= found
    lists = [told[kind] for kind in ("zones", "areas", "positioning", "tasks", "city", "elsewhere")]
    terms = [one for rows in lists for one in rows]
    shown = {one["id"] for one in (*terms, *told["places"]) if "id" in one}
    shown |= {told["entry"]["id"]} if told["entry"] else set()
    cited = {*told["clauses"], *(one["clause"] for one in terms)}
    industry = told["industry"]["id"] if told["industry"] else None
    return (
        told["kind"] in row["kind"]
        and industry in row.get("industry", [industry])
        and set(row.get("zones", ())) <= shown
        and not set(row.get("never", ())) & shown
        and row.get("clause", next(iter(cited), None)) in {*cited, None}
    )


def test_nearly_all_questions_are_answered_as_the_text_allows(facts: Facts, search: Search) -> None:
    assert len({row["q"] for row in QUESTIONS} - {row["q"] for row in QUERIES}) > 100
    assert {one for row in QUESTIONS for one in row.get("industry", ())} <= set(facts.industries)
    assert {row["clause"] for row in QUESTIONS if "clause" in row} <= set(facts.clauses)
    wrong = [row["q"] for row in QUESTIONS if not _fits(row, search.answer(row["q"], "en"))]
    assert len(wrong) <= (1 - RIGHT) * len(QUESTIONS), wrong


TURNS = {  # what is done with a thing, or what it is for, by the industry of that
    "mariculture": ["鲍鱼养殖", "scallop farming", "전복 양식장"],
    "marine-seed": ["海胆苗", "shrimp hatchery", "鱼苗孵化"],
    "fisheries": ["squid fishing"],
    "food-processing": ["草莓加工", "apple processing", "딸기 가공"],
    "medical-devices": ["骨科轴承", "surgical springs"],
    "automotive": ["汽车轴承", "car valves"],
    "ships-offshore": ["ship compressor", "marine diesel engines"],
    "nuclear-power": ["核级轴承", "원전용 밸브", "heat exchangers for nuclear plants"],
    "marine-energy": ["tidal generators"],
    "high-end-manufacturing": ["航空轴承", "aircraft valves"],
    "equipment-manufacturing": ["饼干机械", "leather processing machines", "egg polishing machine"],
    "business-services": ["掘进机租赁", "boiler leasing"],
    "hydrogen-solar": ["氢能压力表", "hydrogen pumps"],
    "commerce-logistics": ["轴承批发", "wholesale bearings", "자전거 도매"],
    "marine-ecology": ["海藻修复", "oyster restoration"],
    "modern-agriculture": ["tree nursery", "rose nursery"],
}


@pytest.mark.parametrize(("industry", "query"), [(one, query) for one in TURNS for query in TURNS[one]])
def test_what_is_done_with_a_thing_decides(search: Search, query: str, industry: str) -> None:
    told: Any = search.answer(query, "zh")["answer"]
    assert (told["kind"], told["industry"]["id"]) == ("synonym", industry)


@pytest.mark.parametrize(
    ("query", "kind", "industry", "place"),
    [
        ("经区物流", "named", "port-logistics", "jingqu"),  # 航运物流 is its kind of it
        ("ISIC 8710 시설", "named", "medical-care", "rongcheng"),  # a code among words
        ("medcial devises", "named", "medical-devices", "gaoqu"),  # a slip in each of two words
        ("漁業工程裝備", "area", "fishery-equipment", "marine-east"),  # 業 stands in a Korean name, too
    ],
)
def test_a_word_is_understood_with_what_stands_beside_it(
    search: Search, query: str, kind: str, industry: str, place: str
) -> None:
    told: Any = search.answer(query, "zh")["answer"]
    assert (told["kind"], told["industry"]["id"]) == (kind, industry)
    assert place in {row["id"] for row in told["zones"] + told["areas"]}


FOREIGN = {  # products of industries that the plan does not have, by the nearest that it has
    "new-materials": [
        "steel mill",
        "land for a steel plant",
        "水泥厂选址",
        "철강 공장 부지",
        "钢铁厂",
        "제철소",
        "混凝土",
        "concrete",
        "copper wire",
    ],
    "new-energy": ["LNG terminal", "석탄 화력발전소", "火电厂"],
    "chemical-materials": ["an oil refinery"],
}


@pytest.mark.parametrize(("industry", "query"), [(one, query) for one in FOREIGN for query in FOREIGN[one]])
def test_what_the_plan_has_no_industry_for_is_denied_and_the_nearest_named(
    search: Search, query: str, industry: str
) -> None:
    found = search.answer(query, "zh")
    assert (found["answer"], found["results"]) == (None, [])
    assert [(row["id"], row.get("how")) for row in found["near"]] == [(industry, "nearest")]


ORDINARY = ("coal", "duck", "boats", "lidar", "boots", "bookshop", "rocket", "students", "battle", "concept")


@pytest.mark.parametrize("word", ORDINARY)
def test_a_short_word_of_another_meaning_is_not_corrected(search: Search, word: str) -> None:
    assert search.answer(word, "en")["corrected"] is None


@pytest.mark.parametrize("word", ["gold", "free", "blood", "days", "연"])
def test_a_word_that_only_begins_a_spelling_or_stands_in_it_is_no_answer(search: Search, word: str) -> None:
    assert search.answer(word, "en")["answer"] is None


@pytest.mark.parametrize("query", ["diamond mine", "oil from a coal mine", "furniture"])
def test_what_its_last_word_lacks_a_question_lacks(search: Search, query: str) -> None:
    found = search.answer(query, "en")
    assert (found["answer"], found["results"]) == (None, [])
    assert found["missing"]


def test_every_code_leads_to_the_first_industry_that_has_it(release: Release, search: Search) -> None:
    index = release.read_json("index/search.json")
    rows = index["meanings"]["industries"]
    for scheme, column in (("GB", "gbt4754"), ("ISIC", "isic4")):
        first = {code: row["id"] for row in reversed(rows) for code in row[column]}
        told = {code: search.answers.ask(f"{scheme} {code}") for code in first}
        assert {code: reply and reply.told.industry for code, reply in told.items()} == first


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("临港开发区", "lingang"),
        ("Lingang District", "lingang"),
        ("하이테크 개발구", "gaoqu"),
        ("石岛开发区", "shidao"),
        ("Korean park", "zhonghan-park"),
        ("东部新城", "dongbu-binhai"),
        ("Chucun development zone", "chucun"),
        ("새 산업단지 추춘", "chucun"),
    ],
)
def test_a_place_with_a_kind_beside_it_is_the_place(search: Search, query: str, place: str) -> None:
    told: Any = search.answer(query, "zh")["answer"]
    assert (told["kind"], [row["id"] for row in told["places"]]) == ("place", [place])


def test_the_end_of_a_korean_word_is_not_a_word(search: Search) -> None:
    answer = search.answer("바실리스", "ko")
    assert answer["answer"] is None
    assert answer["missing"] == ["바실리스"]


def test_no_word_that_the_plan_prints_is_denied(facts: Facts, search: Search) -> None:
    subjects = [word for word in facts.vocabulary if word.kind != "general"]
    denied = []
    for word in subjects:
        for spelling in (word.zh, *word.en, *word.ko):
            told = search.answer(spelling, "zh")["answer"]
            if told is None or told["kind"] == "synonym":
                denied.append(spelling)
    assert denied == []


def test_no_synonym_is_said_to_be_the_plan_s(facts: Facts, search: Search) -> None:
    claimed = []
    for row in facts.thesaurus:
        for spelling in (*row.zh, *row.en, *row.ko):
            if row.relation == "nearest":
                found: Any = search.answer(spelling, "zh")
                said = (found["answer"], [(one.get("how"), one["id"]) for one in found["near"]])
                right = said == (None, [("nearest", row.industry)])
            else:
                reply = search.answers.ask(spelling)
                right = reply is not None and (reply.told.kind, reply.told.industry) == (
                    "synonym",
                    row.industry,
                )
            if not right:
                claimed.append(spelling)
    assert claimed == []
