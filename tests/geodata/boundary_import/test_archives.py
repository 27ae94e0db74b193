"""Archives: whole, odd and hostile."""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile

import pytest

from geodata.boundary_import import formats
from geodata.boundary_import.reader import read_boundary_file
from tests.geodata.boundary_import.files import NAMES, SQUARE, refused, zipped


def archive(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in entries:
            target.writestr(name, content)
    return path


GOOD = json.dumps({"type": "FeatureCollection", "features": []})
ARCHIVES = {
    "out": ([("../a.geojson", GOOD)], "zip-traversal"),
    "out with backslashes": ([("..\\a.geojson", GOOD)], "zip-traversal"),
    "absolute": ([("/a.geojson", GOOD)], "zip-traversal"),
    "a drive": ([("C:/a.geojson", GOOD)], "zip-traversal"),
    "deep out": ([("a/../../a.geojson", GOOD)], "zip-traversal"),
    "nested": ([("inner.zip", b"PK")], "zip-nested"),
    "nothing": ([("readme.txt", "x")], "zip-nothing"),
    "two": ([("a.geojson", GOOD), ("b.kml", "<kml/>")], "zip-ambiguous"),
    "the same twice": ([("a/a.geojson", GOOD), ("b/a.geojson", GOOD)], "zip-twice"),
    "many": ([(f"{number}.txt", "") for number in range(formats.MAX_ENTRIES + 1)], "zip-entries"),
    "a bomb": ([("a.geojson", b" " * 30_000_000)], "zip-bomb"),
    "a script": ([("a.geojson", "<vrt/>")], "unknown-format"),
}


@pytest.mark.parametrize(("entries", "code"), ARCHIVES.values(), ids=ARCHIVES)
def test_hostile_archives_are_refused(tmp_path, entries, code):
    assert refused(archive(tmp_path / "a.zip", entries)) == code
    assert {path.name for path in tmp_path.iterdir()} == {"a.zip"}
    assert not list(tmp_path.parent.glob("*.geojson"))


def test_what_macos_packs_beside_the_data_is_passed_over(write):
    path = zipped(write("a.shp", [SQUARE], encoding="GBK"), "数据/内/")
    with zipfile.ZipFile(path, "a") as target:
        for name in ("__MACOSX/数据/内/._a.shp", "__MACOSX/._inner.zip", "数据/内/._a.dbf", "数据/.DS_Store"):
            target.writestr(name, b"\0\5\x16\7 junk")
    found = read_boundary_file(path)
    assert [row.properties["name"] for row in found.features] == NAMES[:1]


def test_names_in_an_archive_may_be_gbk(write, tmp_path):
    """Archives of Chinese Windows hold names in GBK and do not say so."""
    source = zipped(write("a.shp", [SQUARE], encoding="GBK"), "XX/")
    content = source.read_bytes().replace(b"XX/a.", "界/a.".encode("gbk"))
    path = tmp_path / "gbk.zip"
    path.write_bytes(content)
    assert [row.properties["name"] for row in read_boundary_file(path).features] == NAMES[:1]


def test_an_archive_that_lies_about_its_size_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "MAX_UNPACKED", 1_500_000)
    path = archive(tmp_path / "a.zip", [("a.geojson", os.urandom(2_000_000))])
    content = bytearray(path.read_bytes())
    for at in (m.start() for m in re.finditer(struct.pack("<I", 2_000_000), bytes(content))):
        content[at : at + 4] = struct.pack("<I", 1000)
    path.write_bytes(content)
    assert refused(path) in {"zip-bomb", "not-readable"}


def test_a_link_in_an_archive_is_refused(tmp_path):
    entry = zipfile.ZipInfo("a.geojson")
    entry.external_attr = 0o120777 << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr(entry, "/etc/passwd")
    (tmp_path / "a.zip").write_bytes(buffer.getvalue())
    assert refused(tmp_path / "a.zip") == "zip-traversal"
