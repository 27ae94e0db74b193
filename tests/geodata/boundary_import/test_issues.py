"""Every issue, term and phrase is there in its languages, and none stands in the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from geodata.boundary_import import reader
from geodata.boundary_import.issues import LANGUAGES, build_issue, find_advice, list_codes

FOLDER = Path(reader.__file__).parent
TESTS = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_no_module_holds_words_for_people(path):
    """They stand in the YAML files beside the code, in every language."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = [
        one.value for one in ast.walk(tree) if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    docs = {
        ast.get_docstring(one, clean=False)
        for one in ast.walk(tree)
        if isinstance(one, ast.Module | ast.ClassDef | ast.FunctionDef)
    }
    assert [
        text for text in said if text not in docs and re.search(r"[\u3000-\u9fff\uff00-\uffef]", text)
    ] == []


def test_every_word_and_phrase_is_there_in_three_languages():
    def leaves(node):
        if isinstance(node, dict) and set(node) <= set(LANGUAGES):
            yield node
        else:
            for child in node.values():
                yield from leaves(child)

    for name in ("terms.yaml", "flaws.yaml"):
        for words in leaves(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))):
            assert set(words) == set(LANGUAGES), words
            assert all(words.values())
            slots = {tuple(sorted(re.findall(r"{\w+}", text))) for text in words.values()}
            assert len(slots) == 1, words


def test_every_code_has_its_words_and_is_tested_somewhere():
    said = "".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    untested = {code for code in list_codes() if f'"{code}"' not in said}
    assert untested == set()
    for entry in list_codes().values():
        for language in ("zh", "en"):
            assert entry[language]
            assert not entry.get("fix") or entry["fix"][language]
        here = find_advice(entry)
        assert not here or set(here) == set(LANGUAGES)
        assert "--" not in "".join(here.values() if here else ()), "an option of the command"
        assert ".yaml" not in "".join(here.values() if here else ()), "a file of whoever runs it"
        assert here or "remedy" in entry or "fix" not in entry, "in the browser nobody is told what to do"
        if "record" in entry:
            assert all({**entry, **entry["record"]}[language] for language in LANGUAGES)
    with pytest.raises(KeyError):
        build_issue("no-such-code", "x")
