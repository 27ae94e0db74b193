"""Whatever stands in a file, reading goes on and says file, line and field of what is wrong."""

import shutil
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.check import check_facts
from geodata.model import Platform, Zone
from geodata.read import MAX_FILE_NODES, ROOT, allowed_fields, read_boundaries, read_facts, read_rows
from geodata.references import tables

SOURCE = "- id: good\n  title: Good\n"
FILE = "plan/sources.yaml"
BOMB = "".join(
    f"- &{name} [{', '.join(['*' + below] * 9)}]\n" if below else f"- &{name} [x, x]\n"
    for below, name in zip(["", *"abcdefghi"], "abcdefghij", strict=True)
)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    """A copy of the shipped facts; every test writes the one file that it spoils."""
    folder = tmp_path_factory.mktemp("facts")
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"), dirs_exist_ok=True)
    return folder


def read(folder, content, file=FILE):
    """Return the facts with one file replaced."""
    path = folder / file
    kept = path.read_bytes()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    try:
        return read_facts(folder)
    finally:
        path.write_bytes(kept)


FILES = {
    "empty": ("", "not-a-list", 1),
    "only a remark": ("# nothing\n", "not-a-list", 1),
    "a mapping": ("\nid: good\n", "not-a-list", 2),
    "a word": ("good", "not-a-list", 1),
    "a tab": ("- id: good\n\ttitle: Good\n", "syntax", 2),
    "a bracket left open": ("- id: [good\n", "syntax", 2),
    "two documents": (f"{SOURCE}---\n{SOURCE}", "syntax", 3),
    "an unknown alias": ("- *nobody\n", "syntax", 1),
    "a control character": ("- id: good\n  title: \x01\n", "syntax", 2),
    "a byte that is not UTF-8": (b"- id: good\n  title: \xe4\n", "not-utf-8", 2),
    "UTF-16": (SOURCE.encode("utf-16"), "not-utf-8", 1),
    "10 MB": (SOURCE * 400_000, "too-large", None),
    "10 MB on one line": ("- " + "x" * 10_000_000, "too-large", None),
    "brackets without end": ("- " + "[" * 1_000_000, "too-deep", 1),
    "braces without end": ("- " + "{a: " * 100_000, "too-deep", 1),
    "dashes without end": ("- " * 100_000, "too-deep", 1),
}


@pytest.mark.parametrize("case", FILES.values(), ids=FILES)
def test_a_file_that_cannot_be_read_is_one_problem_and_all_others_are_read(shipped, case):
    content, code, line = case
    begun = time.process_time()
    facts = read(shipped, content)
    assert time.process_time() - begun < 5
    (found,) = facts.problems
    assert (found.file, found.code, found.line) == (FILE, code, line)
    assert not facts.sources
    assert all(getattr(facts, table) for table in tables() if table != "sources")


ITEMS = {
    "an impossible date as id": ("- id: 2023-99-01\n  title: T", "not-a-value", 3, "id"),
    "an impossible date": ("- id: bad\n  title: T\n  date: 2023-99-01", "not-a-value", 5, "date"),
    "an unknown tag": ("- id: bad\n  title: !foo T", "not-a-value", 4, "title"),
    "an unknown tag on a list": ("- id: bad\n  title: !foo [T]", "not-a-value", 4, "title"),
    "an object": (
        "- id: bad\n  title: !!python/object:os.system {}",
        "not-a-value",
        4,
        "title",
    ),
    "a call": ("- id: bad\n  title: !!python/object/apply:os.system [ls]", "not-a-value", 4, "title"),
    "a truth that is none": ("- id: bad\n  title: !!bool perhaps", "not-a-value", 4, "title"),
    "a time that is none": ("- id: bad\n  title: !!timestamp now", "not-a-value", 4, "title"),
    "a number that is none": ("- id: bad\n  title: !!int many", "not-a-value", 4, "title"),
    "a number without end": (f"- id: bad\n  title: {'1' * 5000}", "not-a-value", 4, "title"),
    "a hexadecimal without end": (f"- id: bad\n  title: 0x{'f' * 5000}", "string_type", 4, "title"),
    "a merge with a number": ("- id: bad\n  <<: 5", "not-a-value", 4, "<<"),
    "a list as field": ("- id: bad\n  ? [a, b]\n  : T", "not-a-name", 4, ""),
    "a mapping as field": ("- id: bad\n  title:\n    {a: b}: c", "not-a-name", 5, "title"),
    "a list that holds itself": ("- &a [*a]", "too-deep", 3, None),
    "a record that holds itself": ("- &a\n  id: bad\n  title: *a", "too-deep", 4, None),
    "a list that holds itself twice": ("- &a [*a, *a]", "too-many-values", 3, ""),
    "too many values": ("- [" + "x, " * 6000 + "]", "too-many-values", 3, ""),
    "a word": ("- bad", "model_type", 3, ""),
    "nothing": ("-", "model_type", 3, ""),
    "a number as field": ("- id: bad\n  title: T\n  1: x", "invalid_key", 5, "1"),
    "a field too many": ("- id: bad\n  title: T\n  titel: x", "extra_forbidden", 5, "titel"),
    "a field missing": ("- id: bad", "missing", 3, "title"),
    "a field twice": ("- id: bad\n  title: T\n  title: T", "duplicate-key", 5, "title"),
    "an id twice": ("- id: good\n  title: T", "duplicate-id", 3, "id"),
    "an id of capitals": ("- id: Bad\n  title: T", "string_pattern_mismatch", 3, "id"),
    "a date for a text": ("- id: bad\n  title: 2023-01-01", "string_type", 4, "title"),
    "an inner text missing": (
        "- id: bad\n  title: T\n  label: {zh: 名, en: Name}",
        "missing",
        5,
        "label.ko",
    ),
    "an inner text empty": (
        "- id: bad\n  title: T\n  label:\n    zh: ''\n    en: Name\n    ko: 이름",
        "string_too_short",
        6,
        "label.zh",
    ),
}


@pytest.mark.parametrize("case", ITEMS.values(), ids=ITEMS)
def test_an_item_that_is_no_record_is_one_problem_and_its_neighbours_are_read(shipped, case):
    content, code, line, field = case
    facts = read(shipped, f"{SOURCE}{content}\n- id: last\n  title: Last\n")
    (found,) = facts.problems
    assert (found.file, found.code, found.line) == (FILE, code, line)
    assert field is None or found.field == field
    assert {"good", "last"} <= set(facts.sources)


def test_aliases_that_multiply_are_stopped(shipped):
    begun = time.process_time()
    facts = read(shipped, SOURCE + BOMB)
    assert time.process_time() - begun < 5
    assert "too-many-values" in {found.code for found in facts.problems}
    assert set(facts.sources) == {"good"}


def test_aliases_in_every_item_are_stopped_for_the_whole_file(shipped):
    bomb = "- &a [" + "x, " * 4000 + "]\n" + "- *a\n" * 100_000
    begun = time.process_time()
    facts = read(shipped, SOURCE + bomb)
    assert time.process_time() - begun < 10
    assert facts.problems[-1].value == str(MAX_FILE_NODES)
    assert len(facts.problems) < 100
    assert set(facts.sources) == {"good"}


def test_an_alias_that_repeats_a_value_is_read(shipped):
    facts = read(shipped, "- &first\n  id: good\n  title: &t Good\n- <<: *first\n  id: other\n  note: *t\n")
    assert facts.problems == ()
    assert facts.sources["other"].note == facts.sources["other"].title == "Good"


def test_a_byte_order_mark_is_no_fault(shipped):
    facts = read(shipped, b"\xef\xbb\xbf" + SOURCE.encode())
    assert facts.problems == ()
    assert set(facts.sources) == {"good"}


def test_a_missing_file_and_a_folder_in_its_place_are_reported(tmp_path):
    (tmp_path / FILE).mkdir(parents=True)
    facts = read_facts(tmp_path)
    assert {found.code for found in facts.problems} == {"unreadable"}
    assert len(facts.problems) == len(tables())


def test_an_id_used_twice_names_both_lines_and_the_first_record_stays(shipped):
    facts = read(shipped, SOURCE + "- id: good\n  title: Second\n")
    (found,) = facts.problems
    assert f"{FILE}:1" in found.message_zh
    assert f"{FILE}:1" in found.message_en
    assert (found.line, found.record, facts.sources["good"].title) == (3, "good", "Good")


WORDINGS = {
    "layer": ("layer: sea", "应为以下之一：'counties', 'zones', 'parks'", "must be one of: 'counties'"),
    "nmae": ("nmae: x", "可用：id, layer, kind, name", "allowed: id, layer, kind, name"),
    "aliases": ("aliases: x", "应为列表", "must be a list"),
    "name": ("name: x", "应为一组字段：zh, en, ko", "must be a set of fields: zh, en, ko"),
    "parent": ("parent: A B", "不合格式 ^[a-z0-9]", "must match ^[a-z0-9]"),
    "note": ("note: {zh: 1, en: N, ko: N}", "应为文字", "must be text"),
}


@pytest.mark.parametrize("field", WORDINGS)
def test_a_wrong_field_is_told_in_both_languages_with_what_is_allowed(shipped, field):
    line, zh, en = WORDINGS[field]
    sound = {"layer": "zones", "kind": "new-town", "name": "{zh: 甲, en: A, ko: 갑}"}
    lines = [f"{key}: {value}" for key, value in sound.items() if key != field]
    facts = read(shipped, "- id: place\n  " + "\n  ".join([*lines, line]) + "\n", "plan/zones.yaml")
    (found,) = facts.problems
    assert found.field.startswith(field)
    assert (found.record, found.line) == ("place", len(lines) + 2)
    assert zh in found.message_zh
    assert en in found.message_en


@pytest.mark.parametrize(
    ("old", "new", "zh"),
    [
        ("lon: ", "lon: 9", "应不大于 180.0"),
        ("lon: ", "lon: east # ", "应为数字"),
        ("accuracy_m: ", "accuracy_m: -", "应大于 0.0"),
        ("confidence: ", "confidence: very", "应为以下之一"),
        ("code: '", "code: 'x", "不合格式"),
    ],
)
def test_a_wrong_figure_is_told_in_chinese_with_its_bounds(shipped, old, new, zh):
    text = (shipped / "places/towns.yaml").read_text(encoding="utf-8")
    assert old in text
    facts = read(shipped, text.replace(old, new, 1), "places/towns.yaml")
    assert any(zh in found.message_zh for found in facts.problems)
    assert all(found.line for found in facts.problems)


def test_a_rule_without_a_wording_of_its_own_is_told_all_the_same(shipped, monkeypatch):
    monkeypatch.setattr(
        "geodata.messages._messages", lambda: {"invalid": {"zh": "{reason}", "en": "{reason}"}}
    )
    (found,) = read(shipped, "- id: bad\n").problems
    assert (found.code, found.message_en) == ("missing", "Field required")


def test_what_a_field_may_hold_is_found_below_lists_and_options():
    assert allowed_fields(Zone, ("positioning", 0)) == ("term", "clause")
    assert allowed_fields(Zone, ("positioning", 0, "term")) == ("zh", "en", "ko")
    assert allowed_fields(Platform, ("note",)) == ("zh", "en", "ko")
    assert allowed_fields(Zone, ("nobody", "there")) == ()


def test_a_line_of_output_stays_one_line(shipped):
    (found,) = read(shipped, '- id: "\\e[31m\\n\\u202Ered"\n  title: T\n').problems
    assert str(found).isprintable()


def _with_typo(text):
    """Return a table with a field that no record has in its first row, written over lines or in braces."""
    braces = "\n- {" in text
    return text.replace("- {", "- {typo: 1, ", 1) if braces else text.replace("- ", "- typo: 1\n  ", 1)


@pytest.mark.parametrize("file", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("p*/*.yaml")))
def test_one_typo_is_one_problem_not_one_for_every_reference(shipped, file):
    text = (shipped / file).read_text(encoding="utf-8")
    facts = read(shipped, _with_typo(text), file)
    (found,) = facts.problems
    assert (found.code, found.field) == ("extra_forbidden", "typo")
    assert {problem.code for problem in check_facts(facts)} <= {"numbering"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("plan/zones.yaml", "  parent: ", "  parent: no-"),
        ("plan/designations.yaml", "  industries: [", "  industries: [no-"),
        ("places/official_areas.yaml", "  source: ", "  source: no-"),
        ("places/sites.yaml", "- of: ", "- of: no-"),
        ("plan/clauses.yaml", "  parent: ", "  parent: 九"),
    ],
)
def test_a_dangling_id_is_reported_with_its_line(shipped, file, old, new):
    text = (shipped / file).read_text(encoding="utf-8")
    place = text.rindex(old)
    facts = read(shipped, text[:place] + new + text[place + len(old) :], file)
    line = text.count("\n", 0, place) + 1
    assert facts.problems == ()
    assert (file, line) in {(found.file, found.line) for found in check_facts(facts)}


def test_every_record_that_was_read_has_its_line():
    facts = read_facts()
    for table in tables():
        records = getattr(facts, table)
        named = records if isinstance(records, dict) else range(len(records))
        assert {name for file, name in facts.lines if file.rpartition("/")[2] == f"{table}.yaml"} >= set(
            named
        ) or (table == "plans")


def test_boundaries_that_are_no_json_are_named(tmp_path):
    (tmp_path / "towns.geojson").write_bytes(b"\xff")
    with pytest.raises(ValueError, match=r"towns\.geojson"):
        read_boundaries(tmp_path)


SIGNS = [*"-:?&*!|>[]{}#'\"%@,=~\t\n ", "- ", "\n- ", ": ", "&a ", "*a", "<<: ", "---\n", "é", "\\x"]
TAGS = [f"!!{tag} " for tag in ("int", "float", "bool", "null", "str", "binary", "timestamp", "merge")]
TAGS += [f"!!{tag} " for tag in ("set", "omap", "pairs", "map", "seq")]
WORDS = ["id: good", "title: ", "0x", "1:2", "2023-01-01", ".nan", "[x]: y"]
PIECES = st.sampled_from(SIGNS + TAGS + WORDS)


@given(pieces=st.lists(PIECES | st.text(max_size=3), max_size=40))
def test_no_text_makes_reading_fail(tmp_path_factory, pieces):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes("".join(pieces).encode("utf-8", "surrogatepass"))
    problems: list = []
    found = list(read_rows(path, "any.yaml", problems))
    assert all(problem.line for problem in problems)
    assert all(row.line("no.such.field") for row in found)


@given(content=st.binary(max_size=60))
def test_no_bytes_make_reading_fail(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "bytes.yaml"
    path.write_bytes(content)
    problems: list = []
    list(read_rows(path, "bytes.yaml", problems))
    assert all(isinstance(str(problem), str) for problem in problems)
