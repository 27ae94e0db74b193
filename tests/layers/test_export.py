"""Files to take home: other programs read in them what the data say, always in the same bytes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from xml.etree import ElementTree as ET

import geopandas
import jsonschema
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from ezdxf.filemanagement import read as read_drawing
from hypothesis import given
from hypothesis import strategies as st

from geodata import crs
from geodata.boundaries import GeoJsonFeature, list_records, parse_geometry
from layers.catalogue import read_licence
from layers.export.job import (
    FORMATS,
    FRAMES,
    PLAN,
    About,
    Choice,
    ExportRequest,
    ExportSpec,
    Job,
    Part,
    columns_of,
    flatten_rows,
    formats_of,
    harmless,
    release_path,
    select_parts,
    to_job,
)
from layers.export.styles import rule_of
from layers.export.texts import geometries_of
from layers.export.vector import short_names, shorten_text
from layers.export.write import write_file
from layers.store import Release

ROOT = Path(__file__).parents[2]
LAYERS = ("zones", "parks", "towns", "platforms")
DEGREES = ("EPSG:4326", "EPSG:4490")
GDAL_FORMATS = ("gpkg", "shp.zip", "gdb.zip", "fgb", "kml", "topojson", "geojson", "csv")


@pytest.fixture
def make(about: About, parts: dict[str, Part]) -> Callable[..., bytes]:
    def make(name: str, kind: str, frame: str | None = None, geometry: str | None = None) -> bytes:
        spec = ExportSpec(name, kind, frame or FORMATS[kind].frames[0], geometry or FORMATS[kind].geometry)
        return write_file(to_job(spec, list(parts.values()), about))

    return make


def _read(content: bytes, name: str, kind: str, folder: Path) -> Any:
    """Read a file as another program does, by its name alone."""
    path = folder / f"weihai-{name}.{kind}"
    path.write_bytes(content)
    if kind == "parquet":
        return geopandas.read_parquet(path)
    options = {"GEOM_POSSIBLE_NAMES": "wkt*", "AUTODETECT_TYPE": "YES"} if kind == "csv" else {}
    return pyogrio.read_dataframe(path, layer=None if kind == "csv" else name, fid_as_index=False, **options)


def _by_id(frame: geopandas.GeoDataFrame, part: Part, kind: str) -> dict[str, Any]:
    """Return the rows read by id: FlatGeobuf sorts them by place, and GDAL's TopoJSON needs a place."""
    assert frame["id"].is_unique
    rows = {row["id"]: row for row in frame.to_dict("records")}
    ids = [row["id"] for row in part.features if row["geometry"] or kind != "topojson"]
    assert sorted(rows) == sorted(ids)
    assert list(rows) == ids or kind == "fgb"
    return rows


def _same_place(found: Any, row: GeoJsonFeature, frame: str) -> bool:
    if row["geometry"] is None:
        return found is None or bool(shapely.is_empty(found))
    expected = crs.transform_geometry(parse_geometry(row), crs.LONLAT, frame)
    within = 1e-9 if frame in DEGREES else 0.001  # a millimetre
    return bool(shapely.hausdorff_distance(found, expected) < within)


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("kind", [*GDAL_FORMATS, "parquet"])
def test_other_programs_read_the_same_ids_words_and_places(
    make: Callable[..., bytes], parts: dict[str, Part], tmp_path: Path, layer: str, kind: str
) -> None:
    part = parts[layer]
    content = make(layer, kind, geometry="wkt" if kind == "csv" else None)
    found = _by_id(_read(content, layer, kind, tmp_path), part, kind)
    names = short_names(part) if kind == "shp.zip" else {}
    for row, values in zip(part.features, flatten_rows(part), strict=True):
        if row["id"] not in found:
            continue
        told = found[row["id"]]
        assert _same_place(told["geometry"], row, "EPSG:4326"), row["id"]
        for column in columns_of(part):
            listed = isinstance(row["properties"].get(column.name, []), list)
            if kind in {"geojson", "topojson"} and listed:
                continue  # these keep lists as they are, and need no columns beside them
            value, wanted = told[names.get(column.name, column.name)], values[column.name]
            wanted = shorten_text(wanted) if kind == "shp.zip" else wanted
            assert (None if pd.isna(value) or value == "" else value) == wanted, (row["id"], column.name)


@pytest.mark.parametrize("kind", ["gpkg", "fgb"])
def test_a_column_has_its_type_also_where_some_values_are_unknown(
    about: About, parts: dict[str, Part], tmp_path: Path, kind: str
) -> None:
    known = {"string": "a", "number": 1.5, "integer": 3, "boolean": True}
    fields = [
        {"name": name, "type": name, "description": dict.fromkeys(("zh", "en", "ko"), name), "nullable": True}
        for name in known
    ]
    info: Any = parts["zones"].info | {"fields": fields}
    rows: list[Any] = [
        {"geometry": None, "properties": known},
        {"geometry": None, "properties": dict.fromkeys(known)},
    ]
    path = tmp_path / f"made.{kind}"
    path.write_bytes(write_file(Job(ExportSpec("zones", kind, "EPSG:4326"), (Part(info, rows),), about)))
    found = pyogrio.read_info(path, layer="zones")
    assert dict(zip(found["fields"], found["ogr_types"], strict=True)) == {
        "string": "OFTString",
        "number": "OFTReal",
        "integer": "OFTInteger",
        "boolean": "OFTInteger",
    }
    read = pyogrio.read_dataframe(path, layer="zones")[list(known)].astype(object)
    assert read.iloc[0].to_dict() == known
    assert read.iloc[1].isna().all()


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("kind", ["gpkg", "shp.zip", "fgb", "parquet"])
def test_every_frame_is_declared_and_holds(
    make: Callable[..., bytes], parts: dict[str, Part], tmp_path: Path, kind: str, frame: str
) -> None:
    found = _read(make("zones", kind, frame), "zones", kind, tmp_path)
    code = found.crs.to_epsg(min_confidence=20)
    assert code == int(frame[5:]) or (kind, frame, code) == ("parquet", "EPSG:4326", None)
    places = _by_id(found, parts["zones"], kind)
    for row in parts["zones"].features:
        assert _same_place(places[row["id"]]["geometry"], row, frame), row["id"]


WRITE_EACH = """
import sys
from pathlib import Path
from layers.export.write import make_download
for number, line in enumerate(sys.stdin.buffer):
    Path(str(number)).write_bytes(make_download(line))
"""


@pytest.mark.parametrize(
    "name",
    ["counties", *(pytest.param(one, marks=pytest.mark.thorough) for one in (PLAN, "zones", "clauses"))],
)
def test_the_same_data_give_the_same_bytes_in_another_process_and_place(
    release: Release, about: About, parts: dict[str, Part], tmp_path: Path, name: str
) -> None:
    holds = PLAN if name == PLAN else "layer" if parts[name].spatial else "table"
    elsewhere = os.environ | {"PYTHONHASHSEED": "7", "TZ": "Asia/Seoul", "PYTHONPATH": str(ROOT)}
    kinds = formats_of(holds)
    specs = [ExportSpec(name, kind.id, kind.frames[0], kind.geometry) for kind in kinds]
    asked = [ExportRequest(str(release.folder), release.manifest_sha256, spec).to_line() for spec in specs]
    subprocess.run(
        [sys.executable, "-c", WRITE_EACH],
        input=b"\n".join(asked),
        cwd=tmp_path,
        env=elsewhere,
        check=True,
    )
    for number, kind in enumerate(kinds):
        assert (tmp_path / str(number)).read_bytes() == release.read(release_path(name, kind.id)), kind.id


@pytest.fixture
def database(release: Release, tmp_path: Path) -> Any:
    path = tmp_path / "plan.gpkg"
    path.write_bytes(release.read(release_path(PLAN, "gpkg")))
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def test_the_geopackage_of_the_plan_holds_everything(
    database: sqlite3.Connection, parts: dict[str, Part], about: About
) -> None:
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    for part in parts.values():
        (rows,) = database.execute(f'SELECT count(*) FROM "{part.id}"').fetchone()
        assert rows == len(part.rows)
        named = database.execute(
            "SELECT column_name, title, description FROM gpkg_data_columns WHERE table_name = ?"
            " ORDER BY rowid",
            (part.id,),
        ).fetchall()
        assert [name for name, _, _ in named] == [column.name for column in columns_of(part)]
        assert all(
            column.title("zh") in title for column, (_, title, _) in zip(columns_of(part), named, strict=True)
        )
    (licence,) = database.execute(
        "SELECT metadata FROM gpkg_metadata WHERE mime_type = 'text/markdown'"
    ).fetchone()
    assert licence == read_licence()
    changes = {row[0] for row in database.execute("SELECT last_change FROM gpkg_contents")}
    assert changes == {f"{about.date}T00:00:00.000Z"}


def test_a_geopackage_is_dated_by_the_latest_imported_boundary(
    about: About, parts: dict[str, Part], tmp_path: Path
) -> None:
    said: Any = {"name": {"zh": "高区"}, "id": "gaoqu", "source": "s", "who": "w", "licence": "l"}
    brought = replace(about, imports=[said | {"date": date} for date in ("2026-11-27", "2026-11-02")])
    path = tmp_path / "plan.gpkg"
    path.write_bytes(write_file(to_job(ExportSpec(PLAN, "gpkg", "EPSG:4326"), list(parts.values()), brought)))
    with closing(sqlite3.connect(path)) as database:
        changed = dict(database.execute("SELECT table_name, last_change FROM gpkg_contents"))
        styles = database.execute("SELECT DISTINCT update_time FROM layer_styles").fetchall()
        metadata = database.execute("SELECT DISTINCT timestamp FROM gpkg_metadata_reference").fetchall()
    latest, plan = "2026-11-27T00:00:00.000Z", f"{about.date}T00:00:00.000Z"
    dates = {part.id: latest if part.spatial else plan for part in parts.values()}
    assert changed == dates | {"layer_styles": latest}
    assert styles == metadata == [(latest,)]


def test_every_layer_of_the_geopackage_is_styled_and_every_feature_drawn(
    database: sqlite3.Connection, parts: dict[str, Part], about: About
) -> None:
    styles = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault"))
    assert set(styles) == {part.id for part in parts.values() if part.spatial}
    for layer, style in styles.items():
        look, rows = about.looks[layer], parts[layer].features
        assert all(rule_of(look, row["properties"]) is not None for row in rows if row["geometry"])
        rules = ET.fromstring(style).findall("renderer-v2/rules/rule")
        assert len(rules) == len(look["rules"]) > 0
    for (style,) in database.execute("SELECT styleSLD FROM layer_styles"):
        assert ET.fromstring(style).tag.endswith("StyledLayerDescriptor")
    (zones,) = database.execute("SELECT styleQML FROM layer_styles WHERE f_table_name = 'zones'").fetchone()
    assert "customdash" in zones
    assert "LinePatternFill" in zones
    assert "0,114,178" in zones  # the hue of the map's legend


def test_the_styles_have_the_hues_of_the_map(release: Release, about: About) -> None:
    legends = [entry for theme in release.read_json("map/zh.json")["themes"] for entry in theme["legend"]]
    hues = {entry["colour"] for entry in legends}
    for layer, look in about.looks.items():
        if layer not in {"towns", "land"}:
            assert {rule["colour"] for rule in look["rules"]} <= hues


def test_gdal_reads_the_names_of_fields_and_every_layer(release: Release, tmp_path: Path) -> None:
    path = tmp_path / "plan.gpkg"
    path.write_bytes(release.read(release_path(PLAN, "gpkg")))
    layers = {name for name, _ in pyogrio.list_layers(path)}
    catalogue = {info["id"] for info in release.read_json("pages/catalogue.json")}
    assert layers == catalogue | {"layer_styles"}


def test_the_project_names_every_layer_of_the_geopackage_beside_it(
    release: Release, parts: dict[str, Part]
) -> None:
    packed = zipfile.ZipFile(io.BytesIO(release.read(release_path(PLAN, "qgis.zip"))))
    assert packed.namelist() == [
        *("LICENSE-DATA.md", "weihai-plan.gpkg", "weihai-plan.map", "weihai-plan.qgs")
    ]
    assert packed.read("weihai-plan.gpkg") == release.read(release_path(PLAN, "gpkg"))
    project = ET.fromstring(packed.read("weihai-plan.qgs"))
    sources = [str(node.text) for node in project.iter("datasource")]
    assert sorted(sources) == sorted(f"./weihai-plan.gpkg|layername={name}" for name in parts)
    ids = [node.text for node in project.findall("projectlayers/maplayer/id")]
    assert [node.get("id") for node in project.iter("layer-tree-layer")] == ids
    assert min(len(str(one)) for one in ids) > 10  # QGIS renames shorter ones, and loses the tree
    assert all(layer.findall("aliases/alias") for layer in project.findall("projectlayers/maplayer"))
    styled = project.findall("projectlayers/maplayer/renderer-v2")
    assert len(styled) == sum(part.spatial for part in parts.values())


def test_a_shapefile_has_short_names_their_meaning_and_all_it_had_to_cut(
    make: Callable[..., bytes], parts: dict[str, Part]
) -> None:
    packed = zipfile.ZipFile(io.BytesIO(make("zones", "shp.zip")))
    assert {name.rpartition(".")[2] for name in packed.namelist() if name.startswith("zones.")} == {
        *("shp", "shx", "dbf", "prj", "cpg", "csv")
    }
    assert packed.read("zones.cpg") == b"UTF-8"
    lines = list(csv.DictReader(io.StringIO(packed.read("zones-fields.csv").decode("utf-8-sig"))))
    assert [line["name"] for line in lines] == [column.name for column in columns_of(parts["zones"])]
    cut = {line["name"]: int(line["cut_rows"]) for line in lines}
    assert cut["responsible_units"] > 0 == cut["name_zh"]
    whole = list(csv.DictReader(io.StringIO(packed.read("zones.csv").decode("utf-8-sig"))))
    assert whole[0]["responsible_units"] == flatten_rows(parts["zones"])[0]["responsible_units"]
    assert "designations.csv" in packed.namelist()


def test_a_border_of_many_corners_comes_whole_as_drawing_and_as_topology(
    about: About, parts: dict[str, Part]
) -> None:
    """Written corner by corner, or cut at each, either took minutes for an imported border."""
    one, two = parts["counties"].features[:2]
    dense = [cast("GeoJsonFeature", row | {"geometry": dict(_densify(row, 4e-4))}) for row in (one, two)]
    part = Part(parts["counties"].info, dense)
    corners = sum(int(shapely.get_num_coordinates(parse_geometry(row))) for row in dense)
    assert corners > 5_000
    job = Job(ExportSpec("counties", "dxf", "EPSG:4549"), (part,), about)
    drawing = read_drawing(io.StringIO(write_file(job).decode()))
    rings = sum(len(shapely.get_rings(shapely.get_parts(place))) for place in part.geometries)
    lines = list(drawing.modelspace().query("LWPOLYLINE"))
    assert sum(len(line) for line in lines) == corners - rings  # none closes with its first corner again
    topology = json.loads(write_file(replace(job, spec=replace(job.spec, format="topojson", frame="CRS84"))))
    origin = np.round(np.array(topology["transform"]["translate"]) * 1e7)
    steps = np.vstack([np.cumsum(arc, axis=0) + origin for arc in topology["arcs"]]).astype(int)
    places = np.round(np.vstack([shapely.get_coordinates(place) for place in part.geometries]) * 1e7)
    assert set(map(tuple, steps.tolist())) <= set(map(tuple, places.astype(int).tolist()))
    assert len(steps) > corners / 2


def _densify(row: GeoJsonFeature, step_deg: float) -> dict[str, Any]:
    """Return a geometry with corners at every step, off the straight line so that none is dropped."""
    shape = shapely.segmentize(parse_geometry(row), step_deg)
    moved = shapely.transform(shape, lambda points: np.round(points + 1e-7 * np.sin(points * 1e6), 7))
    found: dict[str, Any] = json.loads(shapely.to_geojson(moved))
    return found


@pytest.mark.parametrize("layer", ["zones", "land", "platforms", "gateways"])
def test_short_names_are_ascii_unique_and_short(parts: dict[str, Part], layer: str) -> None:
    names = list(short_names(parts[layer]).values())
    assert len(set(names)) == len(names)
    assert all(name.isascii() and len(name) <= 10 for name in names)


def test_titles_of_fields_are_unique_in_every_layer(parts: dict[str, Part]) -> None:
    for part in parts.values():
        for language in ("zh", "en"):
            titles = [column.title(language) for column in columns_of(part)]
            assert len(set(titles)) == len(titles), (part.id, language)


def test_a_workbook_has_the_table_a_layer_s_designations_come_from(
    make: Callable[..., bytes], parts: dict[str, Part]
) -> None:
    book = openpyxl.load_workbook(io.BytesIO(make("zones", "xlsx")))
    assert book.sheetnames == ["zones", "designations", "about"]
    head, *lines = book["zones"].iter_rows(values_only=True)
    assert head[-2:] == ("lon", "lat")
    for line, row, told in zip(lines, parts["zones"].features, flatten_rows(parts["zones"]), strict=True):
        assert dict(zip(head[:-2], line, strict=False)) == told
        assert parse_geometry(row).contains(shapely.Point(*line[-2:]))
    assert len(list(book["designations"].iter_rows(values_only=True))) > 10


def test_a_geometry_too_long_for_a_cell_is_told_not_cut(make: Callable[..., bytes]) -> None:
    book = openpyxl.load_workbook(io.BytesIO(make("counties", "xlsx", geometry="wkt")))
    cells = [line[-1] for line in list(book["counties"].iter_rows(values_only=True))[1:]]
    assert any(str(cell).startswith("超过单元格上限") for cell in cells)
    for cell in cells:
        assert str(cell).startswith("超过单元格上限") or shapely.from_wkt(str(cell)).is_valid


def test_flat_formats_have_the_plan_s_own_terms_beside_the_ids(parts: dict[str, Part]) -> None:
    for values, own in zip(flatten_rows(parts["zones"]), parts["zones"].properties, strict=True):
        records = list_records(own["industries"])
        assert (values["industries"] or "") == ";".join(str(one["industry_id"]) for one in records)
        assert (values["industry_terms_zh"] or "") == ";".join(str(one["term_zh"]) for one in records)


def test_csv_can_say_where_in_three_ways(make: Callable[..., bytes]) -> None:
    def head(**options: str) -> list[str]:
        return make("zones", "csv", **options).decode("utf-8-sig").partition("\r\n")[0].split(",")

    assert head()[-2:] == ["lon", "lat"]
    assert head(geometry="wkt")[-3:] == ["lon", "lat", "wkt"]
    assert head(geometry="none")[-1] == "official_area_source"
    assert head(frame="EPSG:4550", geometry="wkt")[-1] == "wkt_epsg4550"
    assert head(frame="EPSG:4549", geometry="lonlat")[-2:] == ["east_epsg4549", "north_epsg4549"]


@pytest.mark.parametrize("frame", ["EPSG:4490", "EPSG:4550", "EPSG:4326"])
def test_a_geodatabase_holds_every_layer_and_table(
    make: Callable[..., bytes], parts: dict[str, Part], tmp_path: Path, frame: str
) -> None:
    """With the Chinese title of each as its alias; what SQL reserves as a name gets a line behind it."""
    path = tmp_path / "plan.gdb.zip"
    path.write_bytes(make("plan", "gdb.zip", frame=frame))
    layers = [name for name, _ in pyogrio.list_layers(path)]
    assert layers == [name.replace("-", "_") for name in parts]
    for name, part in parts.items():
        info = pyogrio.read_info(path, layer=name.replace("-", "_"))
        assert info["features"] == len(part.rows)
        assert [field.removesuffix("_") for field in info["fields"]] == [one.name for one in columns_of(part)]
        assert info["crs"] == (frame if part.spatial else None)
        assert info["layer_metadata"]["ALIAS_NAME"] == part.info["title"]["zh"]
    land = pyogrio.read_dataframe(path, layer="land")
    for found, row in zip(land.geometry, parts["land"].features, strict=True):
        assert _same_place(found, row, frame)
        assert found.area == pytest.approx(
            crs.transform_geometry(parse_geometry(row), crs.LONLAT, frame).area
        )
    assert make("zones", "gdb.zip") == make("zones", "gdb.zip")


@pytest.mark.parametrize("frame", ["EPSG:4550", "EPSG:4549"])
def test_a_drawing_has_every_ring_closed_in_metres_with_its_name(
    make: Callable[..., bytes], parts: dict[str, Part], frame: str
) -> None:
    content = make("plan", "dxf", frame=frame)
    drawing = read_drawing(io.StringIO(content.decode()))
    assert not drawing.audit().has_errors
    assert drawing.header["$INSUNITS"] == 6
    space = drawing.modelspace()
    for part in parts.values():
        if not part.spatial:
            continue
        title = part.info["title"]["zh"]
        places = [place for place in geometries_of(part, frame) if place is not None]
        rings = [ring for place in places for ring in _rings(place)]
        drawn: Any = list(space.query(f'LWPOLYLINE[layer=="{title}"]'))
        assert all(line.closed for line in drawn)
        assert [list(line.get_points("xy")) for line in drawn] == [list(ring.coords)[:-1] for ring in rings]
        points = [place for place in places if place.geom_type == "Point"]
        assert len(space.query(f'POINT[layer=="{title}"]')) == len(points)
        names = [row["properties"]["name_zh"] for row in part.features if row["geometry"]]
        assert [text.dxf.text for text in space.query(f'TEXT[layer=="{title}-名称"]')] == names
    zone = space.query('LWPOLYLINE[layer=="开发区与管理区"]').first
    said = dict(value.partition("=")[::2] for _, value in zone.get_xdata("WEIHAI_LAYOUT"))
    assert (said["id"], said["name_zh"], said["crs"]) == ("gaoqu", "高区", frame)
    assert make("zones", "dxf") == make("zones", "dxf")


def _rings(place: Any) -> list[Any]:
    if place.geom_type == "Point":
        return []
    return [ring for one in shapely.get_parts(place) for ring in (one.exterior, *one.interiors)]


@given(st.text())
def test_no_text_is_taken_for_a_formula_and_none_is_lost(text: str) -> None:
    cell = str(harmless(text))
    assert not cell.startswith(("=", "@", "\t", "\r", "\n"))
    assert not re.match(r"[+-]\d*[^\d.% \u2E80-\uFAFF]", cell)
    assert cell.removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize("text", ["-3.5", "+12%", "-", "- 无", "+市级", "a=1", "0631-5896000"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


@pytest.mark.parametrize(
    "text", ["=1+1", "+86-631", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "+A1", "-(1)"]
)
def test_what_may_be_a_formula_is_guarded(text: str) -> None:
    assert harmless(text) == f"'{text}"


@given(st.lists(st.text(st.characters(exclude_characters=";", codec="utf-8"), min_size=1), min_size=1))
def test_a_shortened_text_fits_and_begins_the_whole(words: list[str]) -> None:
    text = ";".join(words)
    short = str(shorten_text(text))
    assert len(short.encode()) <= 254
    assert text.startswith(short)


def test_every_file_of_the_release_validates_against_its_schema(
    release: Release, parts: dict[str, Part]
) -> None:
    for part in parts.values():
        schema = release.read_json(f"schemas/{part.id}.json")
        validator = jsonschema.Draft202012Validator(schema)
        validator.check_schema(schema)
        data = release.read_json(release_path(part.id, "geojson" if part.spatial else "json"))
        validator.validate(data)
        assert set(schema["$defs"]["row"]["properties"]) == {field["name"] for field in part.info["fields"]}


def test_parquet_of_a_table_keeps_types_and_meanings(make: Callable[..., bytes]) -> None:
    table = pq.read_table(io.BytesIO(make("indicators", "parquet")))
    assert str(table.schema.field("target_below_base").type) == "bool"
    assert table.schema.field("base_year").metadata[b"description_zh"].decode() == "现状年份"


def test_a_choice_keeps_what_the_map_shows(parts: dict[str, Part]) -> None:
    chosen = {
        part.id: part
        for part in select_parts(list(parts.values()), Choice(("zones", "parks"), frozenset({"fashion"})))
    }
    assert {part.id for part in chosen.values() if part.spatial} == {"zones", "parks"}
    for row in chosen["zones"].properties:
        assert "fashion" in {one["industry_id"] for one in list_records(row["industries"])}
    assert {row["industry_id"] for row in chosen["designations"].properties} == {"fashion"}
    assert chosen["clauses"].rows == parts["clauses"].rows


def test_a_place_is_chosen_with_all_that_lies_in_it(parts: dict[str, Part]) -> None:
    chosen = {part.id: part for part in select_parts(list(parts.values()), Choice(place="huancui"))}
    assert [row["id"] for row in chosen["counties"].rows] == ["huancui"]
    assert "gaoqu" in {row["id"] for row in chosen["zones"].rows}
    towns = {row["parent_id"] for row in chosen["towns"].properties}
    assert {"huancui", "gaoqu"} <= towns
    assert "nanhai" not in towns


def test_an_empty_selection_makes_an_empty_file_of_every_kind(about: About, parts: dict[str, Part]) -> None:
    empty = Part(parts["zones"].info, [])
    for kind in formats_of("layer"):
        content = write_file(
            Job(ExportSpec("zones", kind.id, kind.frames[0], kind.geometry), (empty,), about)
        )
        assert content, kind.id
    assert (
        json.loads(write_file(Job(ExportSpec("zones", "geojson", "CRS84"), (empty,), about)))["features"]
        == []
    )


@pytest.mark.parametrize("layer", LAYERS)
def test_kml_has_the_ids_also_for_readers_that_pass_over_those_of_placemarks(
    make: Callable[..., bytes], release: Release, layer: str
) -> None:
    root = ET.fromstring(make(layer, "kml"))
    names = {"kml": "http://www.opengis.net/kml/2.2"}
    written = [one.text for one in root.iterfind(".//kml:SimpleData[@name='id']", names)]
    assert written == [row["id"] for row in release.read_json(f"data/{layer}.geojson")["features"]]
    assert root.find(".//kml:SimpleField[@name='id']", names) is not None
