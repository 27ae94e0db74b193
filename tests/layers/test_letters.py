"""Any text is refused by name or survives in every format, and on paper."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import openpyxl
import pydantic
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geodata.boundaries import GeoJsonFeature
from geodata.imported import ImportedBoundary
from geodata.messages import find_unprintable, strip_unprintable
from geodata.model import Source, Text
from geodata.read import ROOT, read_facts
from layers.export.job import FORMATS, PLAN, About, ExportSpec, Job, Part, to_job
from layers.export.write import write_file
from scripts.cli import main
from webmap.paper import typeset
from webmap.paper.drawing import Drawing

UNPRINTABLE = (
    "\0",
    "\x01",
    "\x08",
    "\x0b",
    "\x1b",
    "\x7f",
    "\x85",
    "\x9b",
    "\ufdd0",
    "\ufffe",
    "\uffff",
    "\U0001ffff",
)
LETTERS = st.one_of(
    st.text(min_size=1, max_size=20),
    st.text(
        st.sampled_from(
            "😀👩\u200d𬒗㙦\U00030000\U00031350〓\ufffd\u202e\u2028葛\U000e0100e\u0301กअ<&]]>\"'=;,\t"
        ),
        min_size=1,
    ),
)
KEPT = LETTERS.map(str.strip).filter(lambda text: text and not find_unprintable(text))


@pytest.mark.parametrize("letter", UNPRINTABLE)
def test_an_unprintable_letter_in_the_facts_is_refused_by_name(tmp_path: Path, letter: str) -> None:
    shutil.copytree(ROOT / "plan", tmp_path / "plan")
    shutil.copytree(ROOT / "places", tmp_path / "places")
    sources = tmp_path / "plan" / "sources.yaml"
    text = sources.read_text(encoding="utf-8")
    line = next(one for one in text.splitlines() if one.strip().startswith("title:"))
    escaped = f"\\U{ord(letter):08x}"
    sources.write_text(text.replace(line, f'  title: "odd {escaped} title"', 1), encoding="utf-8")
    found = [one for one in read_facts(tmp_path).problems if one.field == "title"]
    assert [(one.code, one.file) for one in found] == [("unprintable", "plan/sources.yaml")]
    assert f"U+{ord(letter):04X}" in found[0].message_en
    assert f"U+{ord(letter):04X}" in found[0].message_zh
    assert found[0].line


@given(LETTERS)
def test_a_text_is_a_fact_or_refused(text: str) -> None:
    for kind, values in ((Text, {"zh": text, "en": "x", "ko": "x"}), (Source, {"id": "x", "title": text})):
        try:
            record = kind.model_validate(values)
        except pydantic.ValidationError as error:
            codes = {one["type"] for one in error.errors()}
            assert find_unprintable(text) or not text.strip()
            assert codes <= {"unprintable", "string_too_short", "string_unicode"}
        else:
            assert not find_unprintable(record.model_dump_json())


@pytest.mark.parametrize("field", ["source", "licence", "who", "why", "file_name"])
def test_an_unprintable_letter_of_an_import_is_refused(field: str) -> None:
    values: dict[str, Any] = dict.fromkeys(("source", "licence", "who", "why", "file_name", "crs"), "x")
    values |= {"layer": "zones", "of": "gaoqu", "geometry": {}, "method": "official", "accuracy_m": 5}
    values |= {"when": "2024-01-01T00:00:00Z", "file_sha256": "0" * 64}
    ImportedBoundary.model_validate(values)
    with pytest.raises(pydantic.ValidationError, match=r"holds U\+0007"):
        ImportedBoundary.model_validate(values | {field: "bell \a"})


@pytest.mark.parametrize("option", ["--source", "--who", "--why", "--licence"])
def test_the_command_names_the_option_and_the_letter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    file = tmp_path / "x.geojson"
    file.write_text("{}", encoding="ascii")
    said = dict.fromkeys(("--source", "--who", "--why", "--licence"), "x") | {option: "a\x01b"}
    words = [word for pair in said.items() for word in pair]
    code = main(
        [
            "import-boundary",
            str(file),
            "--layer",
            "zones",
            "--accuracy-m",
            "5",
            "--home",
            str(tmp_path),
            *words,
        ]
    )
    assert code == 2
    shown = capsys.readouterr().err
    assert option in shown
    assert "U+0001" in shown


@given(st.text())
def test_xml_is_well_formed_whatever_it_is_made_of(text: str) -> None:
    root = ET.Element("a", b=text)
    root.text = text
    ET.SubElement(root, "c").tail = text
    ET.fromstring(ET.tostring(strip_unprintable(root), encoding="UTF-8"))
    drawing = Drawing(10, 10, text, "x")
    drawing.words(1, 1, text, 1)
    ET.fromstring(drawing.to_svg())


@pytest.fixture(scope="module")
def make(about: About, parts: dict[str, Part]) -> Callable[[str, str], bytes]:
    def make(kind: str, text: str) -> bytes:
        """Return a file of parks in which one is named `text`, of the source `text`."""
        row = parts["parks"].features[0]
        properties = {**row["properties"], "name_zh": text, "geometry_source": text}
        named: GeoJsonFeature = {**row, "properties": properties}
        odd = [replace(parts["parks"], rows=[named]), parts["indicators"]]
        name = PLAN if "layer" not in FORMATS[kind].holds else "parks"
        spec = ExportSpec(name, kind, FORMATS[kind].frames[0], FORMATS[kind].geometry)
        job: Job = to_job(spec, odd, _about(about, text))
        return write_file(job)

    return make


def _about(about: About, text: str) -> About:
    brought: Any = {
        "id": "gaoqu",
        "layer": "zones",
        "name": {"zh": text, "en": text, "ko": text},
        "source": text,
    }
    brought |= {"licence": text, "who": text, "date": "2024-01-01", "accuracy_m": 5.0, "method": "official"}
    return replace(about, imports=[brought | {"crs": "EPSG:4490"}])


def _names(kind: str, content: bytes) -> str:
    """Return the name of the park in a file, where a reader at hand gives it as it stands."""
    if kind in {"geojson", "topojson"}:
        return _find(json.loads(content), "name_zh")
    if kind == "kml":
        mark = ET.fromstring(content).find(".//{*}Placemark/{*}name")
        return (mark.text or "") if mark is not None else ""
    if kind == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(content), read_only=True)["parks"]
        head, row = list(sheet.iter_rows(values_only=True))[:2]
        return str(row[head.index("name_zh")])
    if kind == "gpkg":
        with closing(sqlite3.connect(":memory:")) as base:
            base.deserialize(content)
            return str(base.execute("SELECT name_zh FROM parks").fetchone()[0])
    return ""


def _find(value: Any, name: str) -> str:
    if isinstance(value, dict):
        return (
            str(value[name])
            if name in value
            else next(filter(None, (_find(v, name) for v in value.values())), "")
        )
    return next(filter(None, (_find(one, name) for one in value)), "") if isinstance(value, list) else ""


@pytest.mark.parametrize("kind", [kind for kind, one in FORMATS.items() if one.holds != ("table",)])
@settings(max_examples=25)
@example(text="=")
@given(text=KEPT)
def test_any_text_survives_in_every_format(make: Callable[[str, str], bytes], kind: str, text: str) -> None:
    content = make(kind, text)
    assert content == make(kind, text)
    if kind in {"geojson", "topojson", "gpkg"}:
        assert _names(kind, content) == text
    elif kind == "kml":  # XML readers turn every end of line into one
        assert _names(kind, content) == text.replace("\r\n", "\n").replace("\r", "\n")
    elif kind == "xlsx":  # a cell of text is no formula, whatever it begins with
        assert _names(kind, content).replace("_x000D_", "\r") == text.replace("_x000D_", "\r")
    elif kind == "qgz":
        packed = zipfile.ZipFile(io.BytesIO(content))
        for name in packed.namelist():
            ET.fromstring(packed.read(name))


@settings(max_examples=60)
@given(LETTERS)
def test_any_text_becomes_paper(text: str) -> None:
    drawing = Drawing(100, 50, text, typeset.FAMILIES["zh"])
    drawing.words(5, 20, text, 6)
    data = {"title": text, "svg": drawing.to_svg(), "width": 100, "height": 50, "alt": text}
    data |= {"lang": "zh", "family": typeset.FAMILIES["zh"], "author": text}
    legible, missing = typeset.to_legible(data)
    assert typeset.to_pdf("poster.typ", legible, "2024-01-01").startswith(b"%PDF")
    assert typeset.to_legible(legible) == (legible, [])
    assert bool(missing) <= (typeset.MARK in str(legible["title"]))


def test_letters_that_the_font_has_stay() -> None:
    text = "乳山市 𬒗㙦𰻝 ‘quoted’ – 한국어 é"
    assert typeset.to_legible({"said": [text]}) == ({"said": [text]}, [])
    assert typeset.to_legible({"said": "0\u0300"}) == ({"said": "0〓"}, ["\u0300"])
    assert typeset.to_legible({"said": "😀e\u0301葛\U000e0100"}) == ({"said": "〓é葛"}, ["😀"])
    assert typeset.name_letters(["😀"] * 13).endswith("… (13)")
