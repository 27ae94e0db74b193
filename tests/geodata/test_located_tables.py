"""Tables and layers as people have them: titles, encodings, formats, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
import xlsxwriter

from geodata.boundary_import.issues import RefusedError
from geodata.located_tables import LocatedTable, TableOptions, read_located_table

HERE = (122.116306, 37.308194)


def read(
    folder: Path,
    content: bytes | str,
    name: str = "table.csv",
    position: dict[str, str] | None = None,
    table: str | None = None,
) -> LocatedTable:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    work = folder / f"work-{name}"
    work.mkdir(exist_ok=True)
    return read_located_table(path, name, TableOptions(table, position=position or {}), work)


def first(table: LocatedTable) -> tuple[float, float]:
    return float(table.x[0]), float(table.y[0])


@pytest.mark.parametrize(
    "text",
    [
        "名称,经度,纬度\n甲,122.116306,37.308194\n",
        "名称;纬度;经度\n甲;37.308194;122.116306\n",
        "name\tlat\tlng\nA\t37.308194\t122.116306\n",
        "企业名单\n\n名称,经度(°),纬度(°)\n甲,122.116306,37.308194\n",
        "sep=;\nname;Longitude;Latitude\nA;122.116306;37.308194\n",
        'name,location\nA,"122.116306,37.308194"\nB,"122.1,37.3"\n',
        "名称,坐标\n甲,37.308194 122.116306\n乙,37.3 122.1\n",
        'name,wkt\nA,"POINT (122.116306 37.308194)"\n',
        'n,wkt\nA,"CURVEPOLYGON(CIRCULARSTRING(122.1063 37.308194,122.1263 37.308194,122.1063 37.308194))"\n',
        "n,经度,纬度\nA,122°06′58.7016″E,37°18′29.4984″N\n",
        "名称;经度;纬度\n甲;122,116306;37,308194\n",
        "甲,122.116306,37.308194\n乙,122.1,37.3\n丙,122.2,37.25\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16", "utf-8-sig"])
def test_columns_are_found_whatever_they_are_called(tmp_path: Path, text: str, encoding: str) -> None:
    table = read(tmp_path, text.encode(encoding))
    assert first(table) == pytest.approx(HERE, abs=1e-5)


@pytest.mark.parametrize(
    ("title", "frame"),
    [("gcj02_lng,gcj02_lat", "GCJ-02"), ("百度坐标经度,百度坐标纬度", "BD-09"), ("lon,lat", None)],
)
def test_titles_tell_the_system(tmp_path: Path, title: str, frame: str | None) -> None:
    assert read(tmp_path, f"n,{title}\nA,122.1,37.3\n").crs == frame


def test_rows_without_a_position_stay_and_say_so(tmp_path: Path) -> None:
    table = read(tmp_path, "n,lon,lat\nA,122.1,37.3\nB,,\n\nC,inf,37\nD,x,37\n")
    assert table.columns["n"] == ["A", "B", "C", "D"]
    assert np.isnan(table.x[1:]).tolist() == [True] * 3


def test_columns_may_be_named_by_title_or_number(tmp_path: Path) -> None:
    text = "n,a,b\nA,37.308194,122.116306\n"
    for lon, lat in (("b", "a"), ("3", "2")):
        assert first(read(tmp_path, text, position={"east": lon, "north": lat})) == pytest.approx(HERE)
    for code, options in (
        ("position-columns-not-found", {"east": "x", "north": "y"}),
        ("position-columns-unknown", {}),
    ):
        with pytest.raises(RefusedError) as caught:
            read(tmp_path, "n,a\nA,1\n", position=options)
        assert caught.value.issue.code == code
        assert "n, a" in caught.value.issue.message_en


def test_values_are_what_every_format_can_hold(tmp_path: Path) -> None:
    table = read(tmp_path, "lon,lat,x\n122,37,a\x01b\x1b\n")
    assert table.columns["x"] == ["a b"]
    table = read(tmp_path, "lon,lat,x,X,\n122,37,1,2,3\n")
    assert list(table.columns) == ["lon", "lat", "x", "X_2", "column_5"]


def test_what_is_guessed_is_said_and_what_is_too_wide_is_refused(tmp_path: Path) -> None:
    table = read(tmp_path, "名称,经度,纬度\n甲,122,37\n".encode("gb18030"))
    assert [issue.code for issue in table.issues] == ["encoding-guessed"]
    with pytest.raises(RefusedError) as caught:
        read(tmp_path, "lon,lat\n122,37" + ",x" * 300)
    assert caught.value.issue.code == "columns-many"


def _workbook(*sheets: list[list[object]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    for rows in sheets:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    book.close()
    return out.getvalue()


ROWS: list[list[object]] = [["名称", "经度", "纬度"], ["甲", *HERE]]


def test_workbooks_are_read_and_their_sheet_is_chosen(tmp_path: Path) -> None:
    assert first(read(tmp_path, _workbook([["note"]], ROWS), "a.xlsx")) == pytest.approx(HERE)
    with pytest.raises(RefusedError) as caught:
        read(tmp_path, _workbook(ROWS, ROWS), "b.xlsx")
    assert caught.value.issue.code == "several-layers"
    for name in ("Sheet1", "Sheet2"):
        table = read(tmp_path, _workbook(ROWS, ROWS), "c.xlsx", table=name)
        assert first(table) == pytest.approx(HERE)
        assert table.columns["名称"] == ["甲"]
    merged: list[list[object]] = [["企业名录"], ["名称", "位置"], ["", "经度", "纬度"], ["甲", *HERE]]
    assert list(read(tmp_path, _workbook(merged), "e.xlsx").columns) == ["名称", "经度", "纬度"]
    bare = read(tmp_path, _workbook([["note"]], [["甲", *HERE], ["乙", 122.1, 37.1]]), "d.xlsx")
    assert first(bare) == pytest.approx(HERE)
    assert len(bare.x) == 2


@pytest.mark.parametrize(
    ("suffix", "driver"), [("gpkg", "GPKG"), ("shp", "ESRI Shapefile"), ("fgb", "FlatGeobuf")]
)
def test_layers_are_read_in_their_system(tmp_path: Path, suffix: str, driver: str) -> None:
    path = tmp_path / f"made.{suffix}"
    wkb = shapely.to_wkb(np.array([shapely.Point(421681, 4130300)], dtype=object))
    named = np.array(["企业"], dtype=object)
    pyogrio.raw.write(
        path, wkb, [named], ["名称"], geometry_type="Point", crs="EPSG:4550", driver=driver, encoding="UTF-8"
    )
    if suffix == "shp":
        with zipfile.ZipFile(tmp_path / "made.zip", "w") as packed:
            for one in tmp_path.glob("made.*"):
                if one.suffix != ".zip":
                    packed.write(one, one.name)
        path = tmp_path / "made.zip"
    work = tmp_path / "work"
    work.mkdir()
    table = read_located_table(path, path.name, TableOptions(), work)
    assert first(table) == (421681, 4130300)
    assert list(table.columns.values()) == [["企业"]]
    assert table.crs
    assert "4550" in table.crs or "CGCS2000" in table.crs


def test_areas_and_lines_stand_at_a_point_inside(tmp_path: Path) -> None:
    ring = [[122, 37.2], [122.2, 37.2], [122.2, 37.4], [122, 37.2]]
    shape = {
        "type": "Feature",
        "properties": {"a": [1]},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    bare = {"type": "Feature", "properties": None, "geometry": None}
    text = json.dumps({"type": "FeatureCollection", "features": [shape, bare]})
    table = read(tmp_path, text, "a.geojson")
    assert shapely.Polygon(ring).contains(shapely.Point(first(table)))
    assert [issue.code for issue in table.issues] == ["points-inside"]
    assert np.isnan(table.x[1])
    assert table.columns["a"] == ["[1]", None]


def _zip(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "."), content)
    return out.getvalue()


CSV = b"lon,lat\n122,37\n"
REFUSED = {
    "empty": ("a.csv", b"", "file-empty"),
    "titles alone": ("a.csv", b"lon,lat\n", "file-empty"),
    "binary": ("a.csv", b"\x00\x01\x02", "unknown-format"),
    "picture": ("a.csv", b"\x89PNG\r\n", "format-refused"),
    "document": ("a.pdf", b"%PDF-1.7", "format-refused"),
    "no zip": ("a.zip", b"PK\x03\x04rest", "not-readable"),
    "path outside": ("a.zip", _zip(**{"../../a__csv": CSV}), "zip-traversal"),
    "zip in zip": ("a.zip", _zip(a__zip=CSV), "zip-nested"),
    "bomb": ("a.zip", _zip(a__csv=b"0" * 30_000_000), "zip-bomb"),
    "two files": ("a.zip", _zip(a__csv=CSV, b__csv=CSV), "zip-ambiguous"),
    "nothing in it": ("a.zip", _zip(a__md=b"x"), "zip-nothing"),
    "bad encoding": ("a.csv", "lon,lat\n1,2\n".encode("utf-16")[:-1], "bad-encoding"),
    "no coordinates": ("a.json", b'{"type": "Topology", "objects": {}}', "file-empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, case: str) -> None:
    name, content, code = REFUSED[case]
    with pytest.raises(RefusedError) as caught:
        read(tmp_path, content, name)
    assert caught.value.issue.code in ({code, "not-readable"} if case == "no coordinates" else {code})
    assert str(tmp_path) not in caught.value.issue.message_en
    assert not (tmp_path.parent / "a.csv").exists()


def test_the_file_of_an_archive_may_be_named(tmp_path: Path) -> None:
    content = _zip(a__csv=CSV, b__csv=b"lon,lat\n121,37\n")
    assert first(read(tmp_path, content, "a.zip", table="b.csv")) == (121, 37)
