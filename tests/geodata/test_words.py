"""The plan's words, our synonyms, and one translation and one register for each of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from geodata.audit import audit_facts
from geodata.check import check_facts, known_words, printed_terms, uncovered, words_by_clause
from geodata.model import Naming, Record, Synonym, Term, Text, Tie, Word
from geodata.read import Facts, read_facts
from geodata.references import rows, tables

PLAIN = re.compile(r"(?<!니)다(?=[.。;:)”]|$)")  # a Korean sentence in another register than 합니다
NOUNS = ("바다",)


@pytest.fixture(scope="module")
def facts() -> Facts:
    """Return the facts as they are shipped."""
    return read_facts()


def _texts(row: Record) -> Iterator[Text]:
    for _, value in row:
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Text):
                yield item
            elif isinstance(item, Record):
                yield from _texts(item)


def test_korean_keeps_one_register(facts: Facts) -> None:
    texts = (text.ko for table in tables() for row in rows(facts, table) for text in _texts(row))
    wrong = [text for text in texts if PLAIN.search(text) and not text.endswith(NOUNS)]
    assert wrong == []


def test_every_term_has_one_translation(facts: Facts) -> None:
    assert [found for found in check_facts(facts) if found.code == "two-translations"] == []
    row = facts.designations[0]
    other = Text(zh=row.term.zh, en="something else", ko=row.term.ko)
    wrong = replace(facts, designations=(row.model_copy(update={"term": other}), *facts.designations[1:]))
    assert ("two-translations", row.term.zh) in {(one.code, one.value) for one in check_facts(wrong)}


# The plan's own ways to write one thing, which have one translation.
ONE_THING = (
    {"“四港联动”+综合保税区+“一带一路”物流建设", "推动“四港联动”+综合保税区+“一带一路”物流建设"},
    {"海洋生物", "海洋生物产业", "海洋生物产业链"},
    {"海洋工程装备", "海工装备"},
    {"海水淡化和综合利用", "海水淡化与综合利用"},
    {"海洋养殖", "海水养殖"},
    {"科创", "科技创新"},
    {"海洋先进装备", "海洋高端装备"},
    {"高端与先进制造", "高端制造"},
)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_two_terms_of_the_plan_have_two_names(facts: Facts, language: str) -> None:
    named: dict[str, set[str]] = {}
    for zh, texts in printed_terms(facts).items():
        for text in texts:
            named.setdefault(getattr(text, language).casefold(), set()).add(zh)
    shared = [terms for terms in named.values() if len(terms) > 1]
    assert shared
    assert [terms for terms in shared if not any(terms <= same for same in ONE_THING)] == []


def test_a_run_is_cut_so_that_the_fewest_characters_are_left_over() -> None:
    words = ["海洋", "海洋经济", "经济", "发展"]
    assert uncovered("发展海洋经济区", words) == ["区"]
    assert uncovered("海洋, 渔业。经济渔业", words) == ["渔业", "渔业"]
    assert uncovered("", words) == uncovered("abc 12", []) == []


def test_the_vocabulary_is_large_sorted_by_no_clause_and_holds_words_only(facts: Facts) -> None:
    assert len(facts.vocabulary) >= 2000
    assert [word.zh for word in facts.vocabulary] == sorted(word.zh for word in facts.vocabulary)
    assert max(len(word.zh) for word in facts.vocabulary) <= 14
    assert not any(re.search(r"[，。；,;]", word.zh) for word in facts.vocabulary)
    kinds = Counter(word.kind for word in facts.vocabulary)
    assert kinds["subject"] >= 300
    assert kinds["name"] >= 80
    assert all(word.en and word.ko for word in facts.vocabulary if word.kind != "general")


@pytest.mark.parametrize(
    ("word", "clause"),
    [
        ("日本", "三(三)2"),
        ("韩国", "三(一)2(5)"),
        ("雷达", "一(二)5"),
        ("孵化器", "三(七)4"),
        ("骨科", "三(四)3"),
        ("元器件", "三(六)1(1)"),
        ("无人船艇", "三(二)3(3)"),
        ("冷链", "三(一)1(3)"),
        ("检验检测", "三(二)1"),
    ],
)
def test_what_the_plan_prints_is_known_with_its_clause(facts: Facts, word: str, clause: str) -> None:
    assert clause in {one for row in facts.vocabulary if row.zh == word for one in row.clauses}


def test_a_clause_is_covered_by_its_own_words_only(facts: Facts) -> None:
    own = words_by_clause(facts)
    assert "孵化器" in own["三(七)4"]
    assert "孵化器" not in own["三(一)1(1)"]
    assert {"海洋经济", "医疗器械及医药", "高区"} <= known_words(facts)
    assert "的" in known_words(facts)


def test_the_audit_tells_words_that_nobody_listed(facts: Facts) -> None:
    text = "一、总则\n(一)发展量子计算。"
    word = Word(zh="发展", kind="general", clauses=("一(一)",))
    report = audit_facts(replace(facts, vocabulary=(word,)), text)
    assert report.unlisted["一(一)"] == ("量子计算",)
    assert not report.ok
    assert any("量子计算" in line for line in report.lines("zh"))
    assert any("量子计算" in line for line in report.lines("en"))


def test_the_audit_finds_a_synonym_that_the_plan_prints(facts: Facts) -> None:
    synonym = Synonym.model_validate(
        {"zh": ["量子计算"], "en": ["x"], "ko": ["y"], "industry": "hi-tech", "relation": "is_a"}
    )
    report = audit_facts(replace(facts, thesaurus=(synonym,)), "一、总则\n(一)发展量子计算。")
    assert ("synonym-printed", "一(一)") in {(miss.code, miss.clause) for miss in report.misses}


def test_the_thesaurus_is_large_and_leads_into_every_industry(facts: Facts) -> None:
    assert len(facts.thesaurus) >= 800
    leads = Counter(row.industry for row in facts.thesaurus)
    assert set(leads) == set(facts.industries)
    assert {row.relation for row in facts.thesaurus} == {"is_a", "made_by", "used_in", "nearest"}


WRONG = {
    "a word of the plan": ({"zh": ("钓具",)}, "word-of-the-plan"),
    "a translation of one": ({"en": ("Fishing Tackle",)}, "word-of-the-plan"),
    "a word of the vocabulary": ({"ko": ("창업보육센터",)}, "word-of-the-plan"),
    "a word of another row": ({"en": ("Syringe",)}, "duplicate-name"),
    "no industry": ({"industry": "alchemy"}, "unknown-id"),
}


@pytest.mark.parametrize(("update", "code"), WRONG.values(), ids=WRONG)
def test_a_synonym_that_claims_too_much_is_reported(
    facts: Facts, update: dict[str, object], code: str
) -> None:
    row = facts.thesaurus[0].model_copy(update=update)
    found = check_facts(replace(facts, thesaurus=(*facts.thesaurus[1:], row)))
    assert code in {one.code for one in found if one.file == "plan/thesaurus.yaml"}


def test_a_word_that_stands_twice_is_reported(facts: Facts) -> None:
    found = check_facts(replace(facts, vocabulary=(*facts.vocabulary, facts.vocabulary[0])))
    assert ("duplicate-value", "plan/vocabulary.yaml") in {(one.code, one.file) for one in found}


def test_the_same_term_may_stand_in_several_tables(facts: Facts) -> None:
    assert len(printed_terms(facts)["电子信息"]) > 3


def _text(words: str) -> Text:
    return Text(zh=words, en=f"{words} en", ko=f"{words} ko")


CLAIMS = {
    "verb of a naming": (
        "industries",
        "hi-tech",
        {"named": (Naming(term=_text("高新技术产业"), clause="一(一)1", verb="放弃"),)},
        "not-beside",
    ),
    "field": (
        "platforms",
        "hit-innovation-park",
        {"fields": (Term(term=_text("量子"), clause="一(一)1"),)},
        "not-in-clause",
    ),
    "remark": (
        "platforms",
        "hit-innovation-park",
        {"remarks": (Term(term=_text("世界第一"), clause="一(一)1"),)},
        "not-in-clause",
    ),
    "method": (
        "areas",
        "five-innovation",
        {"methods": (Term(term=_text("“多区一园”模式"), clause="一(一)1"),)},
        "not-in-clause",
    ),
}
CLAUSE = "一、任务\n(一)布局。\n1.大力发展高新技术产业。以高区为核心。哈工大。\n"


@pytest.mark.parametrize(("table", "row_id", "update", "code"), CLAIMS.values(), ids=CLAIMS)
def test_new_facts_are_proven_like_all_others(
    facts: Facts, table: str, row_id: str, update: dict[str, object], code: str
) -> None:
    row = getattr(facts, table)[row_id].model_copy(update=update)
    misses = audit_facts(replace(facts, **cast("dict[str, Any]", {table: {row_id: row}})), CLAUSE).misses
    assert code in {miss.code for miss in misses if miss.record == row_id}


def test_a_tie_in_other_words_is_a_miss(facts: Facts) -> None:
    tie = Tie(subject="gaoqu", role="link", term=_text("与乙区对接"), clause="一(一)1")
    misses = audit_facts(replace(facts, ties=(tie,)), CLAUSE).misses
    assert ("not-in-clause", "与乙区对接") in {(miss.code, miss.expected) for miss in misses}


def test_no_translation_says_a_word_twice_in_a_row(facts: Facts) -> None:
    texts = [text for table in tables() for row in rows(facts, table) for text in _texts(row)]
    twice = re.compile(r"\b([A-Za-z]{3,}) \1\b|(?<![가-힣])([가-힣]{2,}) \2(?![가-힣])")
    assert [one for text in texts for one in (text.en, text.ko) if twice.search(one or "")] == []
