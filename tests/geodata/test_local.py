"""What an operator adds: read whole or refused whole, with file, line and field."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from geodata.document import parse_document
from geodata.local import (
    EXAMPLE_LAYER,
    FILES,
    LocalAdditions,
    list_inputs,
    read_local,
    render_logo,
    write_examples,
)
from geodata.read import Facts, read_facts
from tests.invented_plan import invent_text, write_additions

CONTACT = "- {of: gaoqu, phone: 0631-0000000, source: 甲, as_of: 2026-01-31}\n"
OUTCOME = "- {of: rd-share, value: 2.5, unit: '%', year: 2022, source: 甲, as_of: 2023-03-01}\n"
PUBLISHER = "name: 甲\nas_of: 2026-01-31\n"


@pytest.fixture(scope="module")
def facts() -> Facts:
    return read_facts()


@pytest.fixture(scope="module")
def text(facts: Facts) -> str:
    return invent_text(facts)


@pytest.fixture
def read(facts: Facts, tmp_path: Path):
    """Return what is read of a folder with some files."""

    def of(**files: str | bytes) -> LocalAdditions:
        return read_local(write_additions(tmp_path / "additions", **files), facts)

    return of


def told(found: LocalAdditions) -> set[tuple[str, str, int | None, str]]:
    return {(one.code, one.file, one.line, one.field) for one in found.problems}


def codes(found: LocalAdditions) -> list[str]:
    return [one.code for one in found.problems]


def png(size: tuple[int, int] = (60, 20)) -> bytes:
    written = io.BytesIO()
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", "<script>alert(1)</script>")
    Image.new("RGB", size, (10, 90, 138)).save(written, "PNG", pnginfo=note)
    return written.getvalue()


def test_a_whole_text_is_matched_to_every_clause(read, text: str, facts: Facts) -> None:
    found = read(plan_txt=text)
    assert found.problems == ()
    assert set(found.plan_text.own) == set(facts.clauses)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_a_text_in_another_encoding_is_read_and_told(read, text: str, encoding: str) -> None:
    found = read(plan_txt=text.encode(encoding))
    assert codes(found) == ["text-encoding"]
    assert [one.level for one in found.problems] == ["warning"]
    assert found.plan_text.own == parse_document(text).own


def test_a_text_whose_encoding_cannot_be_told_is_refused(read, text: str) -> None:
    for content in (text.encode("utf-16")[1:], "別的計畫".encode("big5"), bytes(range(128, 256))):
        assert codes(read(plan_txt=content)) == ["text-undecodable"]


def test_a_text_of_something_else_is_refused(read, text: str, facts: Facts) -> None:
    title = next(iter(facts.plans.values())).title.zh
    assert codes(read(plan_txt=text.replace(title, "另一个市的方案"))) == ["text-of-another-plan"]
    assert codes(read(plan_txt=f"关于印发{title}的通知\n{title}\n一、总则\n(一)目标。\n")) == [
        "text-of-another-plan"
    ]


def test_a_text_that_lacks_its_end_is_refused(read, text: str, facts: Facts) -> None:
    lines = text.splitlines()
    short = "\n".join([*lines[:-30], lines[-30][:-9]])
    found = read(plan_txt=short)
    assert found.plan_text is None
    assert {"text-cut-off", "text-lacks-clause"} <= set(codes(found))
    named = {one.record for one in found.problems if one.code == "text-lacks-clause"}
    assert named <= set(facts.clauses)
    assert all(one.line for one in found.problems if one.level == "error")


def test_a_file_cut_off_within_a_letter_is_told_so_and_not_taken_for_another_encoding(read, text) -> None:
    content = text.encode()
    middle = next(at for at in range(len(content) // 2, len(content)) if content[at] & 0xC0 == 0x80)
    assert {"text-cut-off", "text-lacks-clause"} <= set(codes(read(plan_txt=content[:middle])))


def test_a_clause_that_the_data_lack_is_told_with_its_line(read, text: str) -> None:
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("二、"))
    found = read(plan_txt="\n".join([*lines[:at], "(四)多出的一节。", *lines[at:]]))
    extra = [one for one in found.problems if one.code == "text-no-such-clause"]
    assert [(one.record, one.line) for one in extra] == [("一(四)", at + 1)]


@pytest.mark.parametrize("between", ["\f", "\n- 12 -\n", "\n第 3 页 共 30 页\n", "\n7\n\n"])
def test_pages_leave_no_trace(text: str, between: str) -> None:
    broken = re.sub(r"(?m)^(.{60,70}[\u4e00-\u9fff])(?=.{20})", lambda found: found[0] + between, text)
    assert broken != text
    assert parse_document(broken).own == parse_document(text).own


def test_contacts_are_checked_all_at_once(read) -> None:
    found = read(
        contacts_yaml="- {of: gaoqu-comitee, phone: 0631-0000000, source: 甲, as_of: 2026-01-31}\n"
        "- {of: gaoqu, website: 'javascript:alert(1)', source: 甲, as_of: 2026-01-31}\n"
        "- {of: nanhai, phone: call me, source: 甲, as_of: '2026-13-31'}\n"
        "- {of: nanhai, source: 甲, as_of: 2999-01-01}\n"
        "- {of: jingqu, email: x@example.org, source: 甲, as_of: 2026-01-31}\n"
        "- {of: jingqu, address: 某路, as_of: 2026-01-31, fax: 1}\n"
        "- {of: jingqu, address: 某路, source: 甲, as_of: 2026-01-31}\n"
    )
    file = "contacts.yaml"
    assert told(found) == {
        ("local-unknown-id", file, 1, "of"),
        ("web-address", file, 2, "website"),
        ("string_pattern_mismatch", file, 3, "phone"),
        ("not-a-date", file, 3, "as_of"),
        ("local-future", file, 4, "as_of"),
        ("local-empty-contact", file, 4, "of"),
        ("missing", file, 6, "source"),
        ("extra_forbidden", file, 6, "fax"),
        ("duplicate-id", file, 7, "of"),
    }
    assert "gaoqu-committee" in next(str(one) for one in found.problems if one.record == "gaoqu-comitee")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org/",
        "http://",
        "https://user@example.org/",
        'https://example.org/"><script>',
        "https://example.org/ x",
        "ftp://example.org/",
    ],
)
def test_only_web_addresses_become_links(read, address: str) -> None:
    quoted = "'" + address + "'"
    found = read(contacts_yaml=f"- {{of: gaoqu, website: {quoted}, source: 甲, as_of: 2026-01-31}}\n")
    assert codes(found) == ["web-address"]
    found = read(contacts_yaml=CONTACT, publisher_yaml=PUBLISHER + f"feedback: {quoted}\n")
    assert codes(found) in (["feedback-address"], ["web-address"])


def test_outcomes_are_checked_all_at_once(read) -> None:
    found = read(
        outcomes_yaml="- {of: rd-shares, value: 2, unit: '%', year: 2022, source: 甲, as_of: 2023-01-01}\n"
        "- {of: rd-share, value: 2, unit: 亿元, year: 2999, source: 甲, as_of: 2023-01-01}\n"
        "- {of: rd-share, value: .inf, unit: '%', year: 2022, source: 甲, as_of: 2023-01-01}\n"
        "- {of: rd-share, value: '2', unit: '%', year: 1999.5, source: 甲, as_of: 2023-01-01}\n"
        "- {of: rd-share, value: 2, unit: '%', year: 1999, source: 甲, as_of: 2023-01-01}\n"
        "- {of: cluster-it, value: 2, unit: 亿元, year: 2023, source: 甲, as_of: 2024-01-01}\n"
        "- {of: cluster-it, value: 3, unit: 亿元, year: 2023, source: 甲, as_of: 2024-01-01}\n"
    )
    file = "outcomes.yaml"
    assert told(found) >= {
        ("local-unknown-id", file, 1, "of"),
        ("local-unit", file, 2, "unit"),
        ("local-future", file, 2, "year"),
        ("finite_number", file, 3, "value"),
        ("float_type", file, 4, "value"),
        ("local-too-early", file, 5, "year"),
        ("duplicate-id", file, 7, "of"),
    }
    assert {one.line for one in found.problems} == {1, 2, 3, 4, 5, 7}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "UnidentifiedImageError"),
        (png()[:80], ""),
        (png((8, 8)), "ValueError"),
        (png((5000, 20)), "ValueError"),
        (png() + bytes(600_000), "ValueError"),
    ],
)
def test_a_logo_that_is_no_sound_png_is_refused(read, content: bytes, reason: str) -> None:
    found = read(publisher_yaml=PUBLISHER + "logo: logo.png\n", logo_png=content)
    assert told(found) == {("local-logo", "publisher.yaml", 3, "logo")}
    assert reason in str(found.problems[0])


@pytest.mark.parametrize("name", ["../logo.png", "/etc/logo.png", "logo.svg", ".logo.png", "a\\\\b.png"])
def test_a_logo_lies_in_the_folder_itself(read, name: str) -> None:
    assert codes(read(publisher_yaml=PUBLISHER + f'logo: "{name}"\n')) == ["string_pattern_mismatch"]


def test_only_the_pixels_of_a_logo_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    path.write_bytes(png((900, 100)))
    kept = render_logo(path)
    assert b"script" in path.read_bytes()
    assert b"script" not in kept
    assert Image.open(io.BytesIO(kept)).size == (480, 53)


def test_a_file_that_nobody_reads_is_told_with_what_may_be_meant(read) -> None:
    found = read(contact_yaml=CONTACT, **{"publisher.yml": PUBLISHER, ".hidden": "x"})
    assert {(one.code, one.file, one.level) for one in found.problems} == {
        ("local-unknown-file", "contact.yaml", "warning"),
        ("local-unknown-file", "publisher.yml", "warning"),
    }
    assert "contacts.yaml" in str(found.problems[0])


def test_a_basemap_is_one_whole_file(read, tmp_path: Path) -> None:
    osm = '<?xml version="1.0"?>\n<osm version="0.6"></osm>\n'
    found = read(basemap_osm=osm)
    assert found.problems == ()
    assert found.basemap is not None
    assert (found.basemap.name, found.files) == ("basemap.osm", ("basemap.osm",))
    assert [path.name for path in list_inputs(found.basemap.parent)] == ["basemap.osm"]
    two = read(**{"basemap.osm": osm, "basemap.osm.pbf": b"\0\0\0\x0dx"})
    assert [(one.code, one.file) for one in two.problems] == [("local-two-basemaps", "basemap.osm")]
    assert two.basemap is None


def test_a_basemap_that_is_cut_off_is_told(read) -> None:
    found = read(**{"basemap.osm.pbf": b"\0\0\0\x0dx"})
    assert [(one.code, one.file) for one in found.problems] == [("basemap-broken", "basemap.osm.pbf")]
    assert found.basemap is None


@pytest.mark.parametrize("content", ["[", "- x: [1", "a: b", "- 1", "\x00", "- of: &a [*a]"])
def test_no_file_breaks_the_reading_of_the_others(read, content: str) -> None:
    found = read(contacts_yaml=content, outcomes_yaml=OUTCOME, publisher_yaml=PUBLISHER)
    assert {one.file for one in found.problems} == {"contacts.yaml"}
    assert len(found.outcomes) == 1
    assert found.publisher is not None


def test_a_folder_that_is_not_there_is_told(facts: Facts, tmp_path: Path) -> None:
    missing = tmp_path / "none"
    assert [one.code for one in read_local(missing, facts).problems] == ["local-no-folder"]
    assert list_inputs(missing) == []
    assert read_local(None, facts) == LocalAdditions()


def test_examples_add_nothing_until_they_are_filled_in(facts: Facts, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    assert write_examples(folder, facts) == [*FILES, *EXAMPLE_LAYER]
    assert read_local(folder, facts) == LocalAdditions()
    for name in FILES[1:]:
        path = folder / name
        kept = [
            line
            for line in path.read_text("utf-8").splitlines(keepends=True)
            if re.match(r"# (- |  |[a-z_]+: )", line)
        ]
        path.write_text("".join(line[2:] for line in kept), encoding="utf-8")
    (folder / "logo.png").write_bytes(png())
    found = read_local(folder, facts)
    assert found.problems == ()
    assert found.contacts
    assert found.outcomes
    assert found.publisher
    assert found.logo
    with pytest.raises(FileExistsError, match=r"plan\.txt"):
        write_examples(folder, facts)
