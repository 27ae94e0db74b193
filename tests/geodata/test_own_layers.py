"""Layers of an operator's own: read whole, or told of by file, line and column."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
import yaml

from geodata.crs import transform
from geodata.local import LocalAdditions, list_inputs, read_local, write_examples
from geodata.own_layers import MAX_TOLD
from geodata.read import Facts, read_facts

AT = (122.1, 37.2)
DECLARED: dict[str, Any] = {
    "title": {"zh": "地块", "en": "Plots", "ko": "필지"},
    "fields": [
        {"name": "name", "column": "名称", "title": "名称"},
        {"name": "price", "column": "价格", "kind": "number", "title": "价格"},
        {"name": "count", "kind": "integer", "title": "数"},
        {
            "name": "status",
            "kind": "choice",
            "title": "状态",
            "values": [{"zh": "在售", "en": "Offered"}, "已售"],
        },
        {"name": "sold", "kind": "date", "title": "日期"},
        {"name": "open", "kind": "yes-no", "title": "开放", "required": True},
        {"name": "site", "kind": "link", "title": "网址"},
        {"name": "phone", "kind": "phone", "title": "电话"},
        {"name": "mail", "kind": "email", "title": "邮箱"},
    ],
    "style": {"by": "status"},
    "popup": {"title": "name", "fields": ["price", "status"]},
    "source": "甲",
    "as_of": "2026-01-31",
    "licence": "内部",
}
HEAD = "名称,价格,count,status,sold,open,site,phone,mail,经度,纬度"
ROW = (
    '一号,"1,200.5",3,Offered,2026年1月2日,是,https://www.example.org/,0631-1234567,a@example.org,122.1,37.2'
)
VALUES = {
    "name": "一号",
    "price": 1200.5,
    "count": 3,
    "status": "在售",
    "sold": "2026-01-02",
    "open": True,
    "site": "https://www.example.org/",
    "phone": "0631-1234567",
    "mail": "a@example.org",
}


@pytest.fixture(scope="module")
def facts() -> Facts:
    return read_facts()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own" / "layers").mkdir(parents=True)
    return tmp_path / "own"


def declare(folder: Path, name: str = "plots", without: tuple[str, ...] = (), **changed: Any) -> None:
    said = {key: value for key, value in (DECLARED | changed).items() if key not in without}
    text = yaml.safe_dump(said, allow_unicode=True, sort_keys=False)
    (folder / "layers" / f"{name}.yaml").write_text(text, encoding="utf-8")


def write_csv(
    folder: Path, *rows: str, head: str = HEAD, name: str = "plots.csv", encoding: str = "utf-8"
) -> None:
    (folder / "layers" / name).write_bytes("\n".join([head, *rows, ""]).encode(encoding))


def told(found: LocalAdditions) -> set[tuple[str, str, int | None, str]]:
    return {(one.code, one.file, one.line, one.field) for one in found.problems}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_kind_of_value_is_read(folder: Path, facts: Facts, encoding: str) -> None:
    declare(folder)
    write_csv(folder, ROW, encoding=encoding)
    found = read_local(folder, facts)
    assert found.problems == ()
    (layer,) = found.layers
    (feature,) = layer.features
    assert (layer.id, layer.geometry, feature.id) == ("plots", "point", "1")
    assert feature.values == VALUES
    assert feature.names == {"zh": "一号", "en": "一号", "ko": "一号"}
    assert shapely.get_coordinates(feature.geometry).tolist() == [list(AT)]
    assert [path.name for path in list_inputs(folder)] == ["plots.csv", "plots.yaml"]


def test_an_empty_cell_is_unknown(folder: Path, facts: Facts) -> None:
    declare(folder)
    write_csv(folder, "一号,,,,,否,,,,122.1,37.2")
    values = read_local(folder, facts).layers[0].features[0].values
    assert values == dict.fromkeys(VALUES) | {"name": "一号", "open": False}


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".xlsx", "-wkt.csv", "-metres.csv"])
def test_every_format_says_the_same(folder: Path, facts: Facts, suffix: str) -> None:
    path = folder / "layers" / f"plots{suffix}"
    more: dict[str, Any] = {}
    cells = ["一号", 1200.5, 3, "在售", "2026-01-02", "是", *list(VALUES.values())[6:]]
    names = HEAD.split(",")[:9]
    if suffix in {".geojson", ".gpkg"}:
        fields = [np.array([cell], dtype=None if isinstance(cell, int | float) else object) for cell in cells]
        driver = {".geojson": "GeoJSON", ".gpkg": "GPKG"}[suffix]
        pyogrio.raw.write(
            path,
            np.array([shapely.Point(AT).wkb], dtype=object),
            fields,
            names,
            geometry_type="Point",
            crs="EPSG:4326",
            driver=driver,
        )
    elif suffix == ".xlsx":
        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        for row in (HEAD.split(","), [*cells, *AT]):
            sheet.append(row)
        book.save(path)
    else:
        x, y = (float(value) for value in transform(*AT, "CRS84", "EPSG:4550"))
        head, at = ("wkt", f"SRID=4490;POINT ({AT[0]} {AT[1]})") if "wkt" in suffix else ("横,纵", f"{x},{y}")
        write_csv(
            folder,
            ROW.removesuffix(",122.1,37.2") + f",{at}",
            head=f"{','.join(names)},{head}",
            name=path.name,
        )
        metres = {"position": {"east": "横", "north": "纵"}, "crs": "EPSG:4550"}
        more = {"data": path.name} | ({} if "wkt" in suffix else metres)
    declare(folder, **more)
    found = read_local(folder, facts)
    assert found.problems == ()
    (feature,) = found.layers[0].features
    assert feature.values == VALUES
    assert shapely.get_coordinates(feature.geometry)[0] == pytest.approx(AT, abs=1e-7)


def test_a_usual_name_of_a_system_is_understood_and_gcj_02_is_undone(folder: Path, facts: Facts) -> None:
    declare(folder, crs="GCJ-02")
    declare(folder, "others", crs="2000国家大地坐标系", data="plots.csv")
    write_csv(folder, ROW)
    shifted, plain = read_local(folder, facts).layers[1], read_local(folder, facts).layers[0]
    assert shapely.get_coordinates(plain.features[0].geometry).tolist() == [list(AT)]
    lon, lat = shapely.get_coordinates(shifted.features[0].geometry)[0]
    assert 0.003 < AT[0] - lon < 0.008
    assert abs(lat - AT[1]) < 0.003


def test_polygons_are_taken_and_must_be_valid(folder: Path, facts: Facts) -> None:
    declare(folder)
    ring = [[122.1, 37.2], [122.2, 37.2], [122.2, 37.3], [122.1, 37.2]]
    bow = [[122.1, 37.2], [122.2, 37.3], [122.2, 37.2], [122.1, 37.3], [122.1, 37.2]]
    rows: list[dict[str, Any]] = [
        {
            "type": "Feature",
            "properties": {"名称": "甲", "open": "是"} | dict.fromkeys(HEAD.split(",")[1:5]),
            "geometry": {"type": "Polygon", "coordinates": [one]},
        }
        for one in (ring, bow)
    ]
    for row in rows:
        row["properties"] |= dict.fromkeys(("site", "phone", "mail"))
    path = folder / "layers" / "plots.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows[:1]}), encoding="utf-8")
    assert read_local(folder, facts).layers[0].geometry == "polygon"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    assert told(read_local(folder, facts)) == {("own-invalid", "layers/plots.geojson", 2, "geometry")}


WRONG_CELLS = {
    1: ("own-number", "价格"),
    2: ("own-whole", "count"),
    3: ("own-choice", "status"),
    4: ("not-a-date", "sold"),
    5: ("own-truth", "open"),
    6: ("web-address", "site"),
    7: ("own-phone", "phone"),
    8: ("own-email", "mail"),
}


def test_every_wrong_cell_is_told_at_once_with_line_and_column(folder: Path, facts: Facts) -> None:
    declare(folder, id="编号")
    cells = ["一号", "x", "2.5", "别的", "2026-13-01", "也许", "javascript:alert(1)", "x", "x"]
    rows = [
        f"a,{ROW}",
        f"a,{','.join(cells)},122.1,37.2",
        f"c,{','.join(['', *cells[1:5], '', *cells[6:]])},37.2,122.1",
        f"d,{ROW.removesuffix('122.1,37.2')}0,0",
        f"e/,{ROW.removesuffix('122.1,37.2')},",
    ]
    write_csv(folder, *rows, head=f"编号,{HEAD}")
    found = told(read_local(folder, facts))
    file = "layers/plots.csv"
    assert found >= {(code, file, 3, column) for code, column in WRONG_CELLS.values()}
    assert found >= {
        ("duplicate-id", file, 3, "编号"),
        ("own-required", file, 4, "名称"),
        ("own-required", file, 4, "open"),
        ("own-swapped", file, 4, "geometry"),
    }
    assert len(found) <= MAX_TOLD + 1
    write_csv(folder, *rows[3:], head=f"编号,{HEAD}")
    assert told(read_local(folder, facts)) == {
        ("own-far", file, 2, "geometry"),
        ("own-feature-id", file, 3, "编号"),
        ("own-no-place", file, 3, "geometry"),
    }


@pytest.mark.parametrize("column", ["价格", "count"])
def test_an_identifier_is_no_number_that_would_lose_its_last_figures(
    folder: Path, facts: Facts, column: str
) -> None:
    declare(folder)
    cells = dict(zip(HEAD.split(","), next(csv.reader([ROW])), strict=True))
    write_csv(folder, ",".join((cells | {"价格": "1", column: "12345678901234567890"}).values()))
    assert told(read_local(folder, facts)) == {("own-long", "layers/plots.csv", 2, column)}


def test_no_more_is_told_than_can_be_read(folder: Path, facts: Facts) -> None:
    declare(folder)
    write_csv(folder, *[ROW.replace("1,200.5", "x")] * 500)
    found = read_local(folder, facts).problems
    assert len(found) == MAX_TOLD + 1
    assert (found[-1].code, found[-1].value) == ("own-more", str(500 - MAX_TOLD))


FIELD = DECLARED["fields"][0]
WRONG_DECLARATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({"without": ("licence",)}, "licence"),
    "own-no-field": ({"popup": {"title": "nobody"}}, "popup.title.zh"),
    "own-style-by": ({"style": {"by": "price"}}, "style.by"),
    "own-crs": ({"crs": "火星"}, "crs"),
    "own-position": ({"position": {"lon": "经度"}}, "position"),
    "own-reserved": ({"fields": [FIELD, FIELD | {"name": "bbox"}]}, "fields.1.name"),
    "duplicate-key": ({"fields": [FIELD, FIELD], "style": {}, "popup": {"title": "name"}}, "fields.1.name"),
    "own-values": (
        {"fields": [FIELD, FIELD | {"name": "a", "kind": "choice"}], "style": {}, "popup": {"title": "name"}},
        "fields.1.values",
    ),
    "local-future": ({"as_of": "2999-01-01"}, "as_of"),
    "string_pattern_mismatch": ({"style": {"colour": "red"}}, "style.colour"),
    "extra_forbidden": ({"colour": "#000000"}, "colour"),
}


@pytest.mark.parametrize("code", WRONG_DECLARATIONS)
def test_what_is_wrong_with_a_declaration_is_told_with_its_line(
    folder: Path, facts: Facts, code: str
) -> None:
    changed, field = WRONG_DECLARATIONS[code]
    declare(folder, **changed)
    write_csv(folder, ROW)
    found = read_local(folder, facts)
    lines = (folder / "layers" / "plots.yaml").read_text(encoding="utf-8").splitlines()
    places = {(one.code, one.field): one.line for one in found.problems if one.level == "error"}
    assert (code, field) in places
    if code != "missing":
        assert 1 <= (places[code, field] or 0) <= len(lines)
    assert found.layers == ()


def test_no_layer_takes_the_id_of_one_of_the_product(folder: Path, facts: Facts) -> None:
    for name in ("zones", "designations", "plan", "Bad_Name"):
        declare(folder, name, data="plots.csv")
    write_csv(folder, ROW)
    found = {(one.code, one.file) for one in read_local(folder, facts).problems}
    assert {("own-taken-id", f"layers/{name}.yaml") for name in ("zones", "designations", "plan")} <= found
    assert ("own-bad-id", "layers/Bad_Name.yaml") in found


DATA = {
    "own-no-data": (None, b""),
    "own-no-column": ("plots.csv", "名称,经度,纬度\n一号,122.1,37.2\n".encode()),
    "position-columns-unknown": ("plots.csv", "名称,甲,乙\n一号,122.1,37.2\n".encode()),
    "columns-same": ("plots.csv", "名称,名称,经度,纬度\n一号,二号,122.1,37.2\n".encode()),
    "row-wide": ("plots.csv", f"{HEAD}\n{ROW},又一格\n".encode()),
    "file-empty": ("plots.csv", f"{HEAD}\n".encode()),
    "own-format": ("plots.xlsx", b"SQLite format 3\0" + b"\0" * 2000),
    "own-unreadable": ("plots.geojson", b'{"type": "FeatureCollection", "features": [1]}'),
    "not-readable": ("plots.gpkg", b"SQLite format 3\0" + b"\0" * 2000),
    "unknown-format": ("plots.geojson", b"\0\1\2"),
}


@pytest.mark.parametrize("code", DATA)
def test_data_that_cannot_be_used_are_refused_in_words(folder: Path, facts: Facts, code: str) -> None:
    declare(folder)
    name, content = DATA[code]
    if name:
        (folder / "layers" / name).write_bytes(content)
    found = read_local(folder, facts)
    assert found.layers == ()
    assert code in {one.code for one in found.problems}


def test_a_file_that_no_layer_uses_is_told(folder: Path, facts: Facts) -> None:
    (folder / "layers" / "notes.doc").write_bytes(b"x")
    assert told(read_local(folder, facts)) == {("local-unknown-file", "layers/notes.doc", None, "")}


def test_the_example_is_sound_once_it_is_taken_out_of_its_comments(tmp_path: Path, facts: Facts) -> None:
    folder = tmp_path / "additions"
    write_examples(folder, facts)
    assert read_local(folder, facts).layers == ()
    for name in ("plots.yaml", "plots.csv"):
        path = folder / "layers" / name
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text("\n".join(line.removeprefix("# ") for line in lines) + "\n", encoding="utf-8")
    found = read_local(folder, facts)
    assert [one for one in found.problems if one.level == "error"] == []
    (layer,) = found.layers
    assert [one.names["en"] for one in layer.features] == ["Example plot 1", "Example plot 2"]
