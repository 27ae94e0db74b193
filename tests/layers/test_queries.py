"""The queries that the search is measured by say what the facts say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from geodata.model import Term
from geodata.read import Facts, read_facts
from geodata.vocabulary import printed_terms
from layers.search import Search
from layers.store import Release

QUERIES: list[dict[str, Any]] = yaml.safe_load(
    Path(__file__).with_name("queries.yaml").read_text(encoding="utf-8")
)
RIGHT = 0.97  # of the queries, at least
ANSWERS = {"named", "area", "city", "positioning", "printed", "synonym", "place", "kind", "none"}


@pytest.fixture(scope="module")
def facts() -> Facts:
    """Return the facts as they are shipped."""
    return read_facts()


@pytest.fixture(scope="module")
def printed(facts: Facts) -> set[str]:
    """Return every word of the plan with its translations, folded."""
    texts = [text for found in printed_terms(facts).values() for text in found]
    words = {word.casefold() for text in texts for word in (text.zh, text.en, text.ko)}
    return words | {one.casefold() for row in facts.vocabulary for one in (row.zh, *row.en, *row.ko)}


@pytest.fixture(scope="module")
def synonyms(facts: Facts) -> dict[str, str]:
    """Return the industry of every synonym, folded."""
    return {one.casefold(): row.industry for row in facts.thesaurus for one in (*row.zh, *row.en, *row.ko)}


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


def _is_right(row: dict[str, Any], answer: dict[str, Any]) -> bool:
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


def test_nearly_all_queries_are_answered_right(release: Release) -> None:
    search = Search(release.read_json("index/search.json"))
    wrong = [row["q"] for row in QUERIES if not _is_right(row, search.answer(row["q"], "en"))]
    assert len(wrong) <= (1 - RIGHT) * len(QUERIES), wrong


def test_no_word_that_the_plan_prints_is_denied(facts: Facts, release: Release) -> None:
    search = Search(release.read_json("index/search.json"))
    subjects = [word for word in facts.vocabulary if word.kind != "general"]
    denied = []
    for word in subjects:
        for spelling in (word.zh, *word.en, *word.ko):
            told = search.answer(spelling, "zh")["answer"]
            if told is None or told["kind"] == "synonym":
                denied.append(spelling)
    assert denied == []


def test_no_synonym_is_said_to_be_the_plan_s(facts: Facts, release: Release) -> None:
    search = Search(release.read_json("index/search.json"))
    claimed = []
    for row in facts.thesaurus:
        for spelling in (*row.zh, *row.en, *row.ko):
            told = search.answer(spelling, "zh")["answer"]
            industry = (told or {}).get("industry") or {"id": None}
            if told is None or (told["kind"], industry["id"]) != ("synonym", row.industry):
                claimed.append((spelling, told and told["kind"]))
    assert claimed == []
