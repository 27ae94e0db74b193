"""The taxonomy: every term of the plan is filed under an industry, and codes look like codes."""

import json
import shutil
from pathlib import Path

import pytest

from geodata.read import ROOT, read_facts
from scripts import cli

DESIGNATIONS, INDUSTRIES = "plan/designations.yaml", "plan/industries.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("plan", "places"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "search.yaml", tmp_path)
    return tmp_path


def break_facts(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


BROKEN = [
    (DESIGNATIONS, "  industries: [hi-tech]\n", "", "missing", "industries"),
    (DESIGNATIONS, "  industries: [hi-tech]\n", "  industries: [alchemy]\n", "unknown-id", "industries"),
    (DESIGNATIONS, "    zh: 高新技术产业\n", "    zh: ''\n", "string_too_short", "term.zh"),
    (INDUSTRIES, "  cluster: cluster-it\n", "  cluster: cluster-gold\n", "unknown-id", "cluster"),
    (INDUSTRIES, "gbt4754: ['39', ", "gbt4754: ['C39', ", "string_pattern_mismatch", "gbt4754.0"),
    (INDUSTRIES, "isic4: ['26', ", "isic4: ['26201', ", "string_pattern_mismatch", "isic4.0"),
    (
        INDUSTRIES,
        "  gbt4754: ['61', '7291', '786', '88']\n  isic4: ['55', '79', '91', '93']\n",
        "",
        "reason-missing",
        "gbt4754",
    ),
]


@pytest.mark.parametrize("case", BROKEN)
def test_check_fails_on_a_term_or_a_code_that_maps_to_nothing(folder: Path, capsys, case) -> None:
    file, old, new, code, field = case
    assert cli.main(["check", "--facts", str(folder)]) == 0
    capsys.readouterr()
    break_facts(folder, file, old, new)
    assert cli.main(["check", "--facts", str(folder), "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert (code, field) in {(row["code"], row["field"]) for row in problems}


def test_every_term_is_filed_and_every_industry_has_words_in_three_languages() -> None:
    facts = read_facts()
    for row in facts.designations:
        assert set(row.industries) <= set(facts.industries)
    for industry in facts.industries:
        printed = [word for word in facts.vocabulary if word.industry == industry]
        synonyms = [row for row in facts.thesaurus if row.industry == industry]
        assert len(printed) + len(synonyms) >= 2, industry
        for language in ("en", "ko"):
            words = [one for row in (*printed, *synonyms) for one in getattr(row, language)]
            assert len(words) >= 2, (industry, language)
