"""Files in every format and every state: read, or refused with a code."""

from __future__ import annotations

import json
import os
import re
import warnings

import numpy as np
import pyogrio
import pytest
import shapely

from geodata import crs
from geodata.boundary_import import formats, reader
from geodata.boundary_import.corner_tables import split_rows
from geodata.boundary_import.propose import propose
from geodata.boundary_import.reader import describe_layer, read_boundary_file
from tests.geodata.boundary_import.files import (
    FORMATS,
    GROUND,
    NAMES,
    SQUARE,
    codes,
    dumped,
    plain,
    refused,
    request,
    zipped,
    zone,
)


@pytest.mark.parametrize("frame", ["EPSG:4326", "EPSG:4490", "EPSG:4550"])
@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "fgb", "shp"])
def test_every_format_and_frame_comes_in_whole(write, suffix, frame):
    shapes = [crs.transform_geometry(one, "CRS84", frame) for one in (SQUARE, zone("gaoqu"))]
    shapes = [shapely.MultiPolygon(shapely.get_parts(one).tolist()) for one in shapes]
    options = {"RFC7946": "NO"} if suffix == "geojson" else {}
    found = read_boundary_file(write(f"a.{suffix}", shapes, frame, **options))
    assert crs.read_definition(found.crs or "") == frame
    assert [row.properties["name"] for row in found.features] == NAMES
    for row, shape in zip(found.features, shapes, strict=True):
        assert shapely.hausdorff_distance(row.geometry, shape) < 1e-6
    assert re.fullmatch("[0-9a-f]{64}", found.sha256)
    assert found.issues == []


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "fgb", "geojson"])
@pytest.mark.parametrize(
    ("kind", "ring"),
    [
        ("2.5D Polygon", "Z((122 37.2 5,122 37.3 6,122.1 37.2 7,122 37.2 5))"),
        ("Measured Polygon", "M((122 37.2 5,122 37.3 6,122.1 37.2 7,122 37.2 5))"),
        ("Measured 3D Polygon", "ZM((122 37.2 5 1,122 37.3 6 2,122.1 37.2 7 3,122 37.2 5 1))"),
    ],
)
def test_heights_and_measures_are_left_out(tmp_path, suffix, kind, ring):
    path = tmp_path / f"a.{suffix}"
    wkb = shapely.to_wkb(np.array([shapely.from_wkt(f"POLYGON {ring}")]), output_dimension=4, flavor="iso")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of measures, which it writes all the same
        named = [np.array(["临港区"], dtype=object)], ["name"]
        pyogrio.raw.write(path, wkb, *named, geometry_type=kind, crs="EPSG:4326", **FORMATS[suffix])
    found = read_boundary_file(path)
    assert found.features[0].geometry == shapely.Polygon([(122, 37.2), (122, 37.3), (122.1, 37.2)])
    assert not shapely.has_z(found.features[0].geometry)
    assert not shapely.has_m(found.features[0].geometry)
    assert found.issues == []


def test_kml_comes_in_with_its_names(write):
    found = read_boundary_file(write("a.kml", [SQUARE, zone("gaoqu")], field="Name"))
    assert [row.properties["Name"] for row in found.features] == NAMES
    shape = found.features[0].geometry
    assert shape is not None
    assert shape.equals_exact(SQUARE, 1e-6, normalize=True)
    assert crs.read_definition(found.crs or "") in {"EPSG:4326", "CRS84"}


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
@pytest.mark.parametrize("drop", [(), (".cpg",)])
def test_a_zipped_shapefile_in_either_encoding(write, encoding, drop):
    path = zipped(write("a.shp", [SQUARE, zone("gaoqu")], encoding=encoding), "数据/", drop)
    found = read_boundary_file(path)
    assert [row.properties["name"] for row in found.features] == NAMES
    guessed = [issue.code for issue in found.issues]
    assert guessed == (["encoding-guessed"] if drop else [])


def test_brackets_in_a_name_are_only_letters(write):
    found = read_boundary_file(write("界线[1].shp", [SQUARE], encoding="GBK"))
    assert [row.properties["name"] for row in found.features] == NAMES[:1]
    assert found.issues == []


def test_a_cpg_that_lies_is_seen_through(write):
    path = write("a.shp", [SQUARE], encoding="GBK")
    path.with_suffix(".cpg").write_text("UTF-8")
    found = read_boundary_file(path)
    assert found.features[0].properties["name"] == NAMES[0]
    assert [issue.code for issue in found.issues] == ["encoding-guessed"]


def test_names_of_fields_are_in_the_same_encoding_as_the_rest(write):
    """A .cpg that says UTF-8 of GBK bytes is seen through where a field bears a Chinese name, too."""
    path = write("a.shp", [SQUARE], field="名称", encoding="GBK")
    path.with_suffix(".cpg").write_text("UTF-8")
    found = read_boundary_file(zipped(path))
    assert found.features[0].properties == {"名称": "临港区"}
    assert [(one.code, one.level) for one in found.issues] == [("encoding-guessed", "warning")]
    assert "gb18030" in found.issues[0].message_zh
    plain_values = write("b.shp", [SQUARE], field="名称", values=["x"], encoding="GBK")
    plain_values.with_suffix(".cpg").unlink()
    found = read_boundary_file(plain_values)
    assert found.features[0].properties == {"名称": "x"}
    assert [one.code for one in found.issues] == ["encoding-guessed"]


def test_a_named_encoding_is_taken_and_a_wrong_one_said(write):
    path = zipped(write("a.shp", [SQUARE], encoding="GBK"), "", (".cpg",))
    assert read_boundary_file(path, encoding="gbk").issues == []
    assert refused(path, encoding="utf-8") == "bad-encoding"
    assert refused(path, encoding="no-such") == "bad-encoding"


def test_a_package_with_several_layers_asks_which(write):
    path = write("a.gpkg", [SQUARE], layer="one")
    write("a.gpkg", [zone("gaoqu")], layer="two", append=True)
    assert refused(path) == "several-layers"
    assert refused(path, table="three") == "unknown-table"
    assert len(read_boundary_file(path, table="two").features) == 1


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "utf-16-be"])
def test_a_geojson_in_another_encoding_is_told(tmp_path, encoding):
    feature = {"type": "Feature", "properties": {"name": "临港区"}, "geometry": plain(SQUARE)}
    text = json.dumps(feature, ensure_ascii=False)
    (tmp_path / "a.geojson").write_bytes(("\ufeff" * (encoding == "utf-16-be") + text).encode(encoding))
    assert refused(tmp_path / "a.geojson") == "not-utf8"


@pytest.mark.parametrize("pack", [False, True])
def test_a_shapefile_without_its_companions_is_told(write, pack):
    path = write("a.shp", [SQUARE])
    path.with_suffix(".dbf").unlink()
    assert codes(zipped(path, "", ()) if pack else path)[0] == {"no-attributes"}
    path.with_suffix(".shx").unlink()
    path.with_suffix(".zip").unlink(missing_ok=True)
    assert refused(zipped(path) if pack else path) == "shapefile-incomplete"


def test_the_only_layer_with_polygons_is_read_and_the_others_are_told(write):
    path = write("a.gpkg", [SQUARE], layer="界线")
    write("a.gpkg", [shapely.Point(122, 37.2), shapely.Point(122, 37.3)], layer="注记", append=True)
    found = read_boundary_file(path)
    assert [row.properties["name"] for row in found.features] == NAMES[:1]
    (issue,) = found.issues
    assert (issue.code, issue.level) == ("layer-chosen", "warning")
    assert "界线（1 个面）、注记（2 个点）" in issue.message_zh
    assert "界线 (Polygon: 1), 注记 (Point: 2)" in issue.message_en
    assert refused(path, table="无") == "unknown-table"


def test_a_table_without_geometry_is_told_by_its_rows(tmp_path):
    path = tmp_path / "a.gpkg"
    solid = shapely.to_wkb(np.array([shapely.force_3d(SQUARE, 5)]))
    names = [np.array(["临港区"], dtype=object)], ["name"]
    rest = {"crs": "EPSG:4326", "driver": "GPKG"}
    pyogrio.raw.write(path, solid, *names, geometry_type="Polygon Z", layer="界线", **rest)
    for table, rows in (("说明", ["甲", "乙"]), ("无", [])):
        values = [np.array(rows, dtype=object)], ["name"]
        pyogrio.raw.write(path, None, *values, geometry_type=None, layer=table, append=True, **rest)
    (issue,) = read_boundary_file(path).issues
    assert "界线（1 个面）、说明（2 行，无图形）、无（空）" in issue.message_zh
    assert "界线 (Polygon: 1), 说明 (2 rows without geometry), 无 (empty)" in issue.message_en


def test_a_declared_type_with_heights_needs_no_look_at_the_features(tmp_path, monkeypatch):
    path = tmp_path / "a.gpkg"
    solid = shapely.to_wkb(np.array([shapely.force_3d(SQUARE, 5)]))
    names = [np.array(["临港区"], dtype=object)], ["name"]
    pyogrio.raw.write(path, solid, *names, geometry_type="Polygon Z", crs="EPSG:4326", driver="GPKG")
    monkeypatch.setattr("pyogrio.raw.read", None)
    assert describe_layer(path, "a").title["zh"] == "a（1 个面）"


FOLDERS = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Folder><name>功能区</name><Folder><name>临港</name><Placemark><name>临港区</name><Polygon><outerBoundaryIs>
<LinearRing><coordinates>122,37.2,5 122.1,37.2,5 122.1,37.3,5 122,37.2,5</coordinates></LinearRing>
</outerBoundaryIs></Polygon></Placemark></Folder></Folder>
<Folder><name>注记</name><Placemark><name>x</name><Point><coordinates>122,37.2</coordinates></Point></Placemark>
</Folder></Document></kml>"""


def test_the_folder_of_a_kml_that_holds_the_polygons_is_found(tmp_path):
    path = tmp_path / "a.kml"
    path.write_text(FOLDERS, encoding="utf-8")
    found = read_boundary_file(path)
    assert [row.properties["Name"] for row in found.features] == NAMES[:1]
    assert "功能区（空）、临港（1 个面）、注记（1 个点）" in found.issues[0].message_zh


def test_what_is_no_file_is_said(tmp_path):
    assert refused(tmp_path / "none.geojson") == "file-missing"
    assert refused(tmp_path) == "not-a-file"
    os.mkfifo(tmp_path / "pipe.geojson")
    assert refused(tmp_path / "pipe.geojson") == "not-a-file"
    (tmp_path / "empty.geojson").write_bytes(b"")
    assert refused(tmp_path / "empty.geojson") == "file-empty"
    assert refused(tmp_path / ("a" * 300)) in {"not-readable", "file-missing"}
    assert refused(dumped(tmp_path / "none.json", [])) == "file-empty"


BYTES = {
    "noise": (bytes(range(256)) * 40, "unknown-format"),
    "text": (b"hello", "unknown-format"),
    "a virtual file": (b'<OGRVRTDataSource><OGRVRTLayer name="x"/></OGRVRTDataSource>', "unknown-format"),
    "entities": (b'<?xml version="1.0"?><!DOCTYPE k [<!ENTITY a "b">]><kml>&a;</kml>', "unknown-format"),
    "half a JSON": (b'{"type": "FeatureCollection", "features": [', "not-readable"),
    "another JSON": (b'{"a": 1}', "unknown-format"),
    "deep nesting": (b'{"type":' + b"[" * 100_000, "not-readable"),
    "half a package": (b"SQLite format 3\0" + b"\0" * 200, "not-readable"),
    "half a FlatGeobuf": (b"fgb\x03fgb\x00" + b"\xff" * 50, "not-readable"),
    "half a Shapefile": (bytes.fromhex("0000270a") + b"\0" * 20, "shapefile-incomplete"),
    "half a zip": (b"PK\x03\x04" + b"\0" * 30, "not-readable"),
    "half a KML": (b"<?xml version='1.0'?><kml><Document><Placemark>", "not-readable"),
}


@pytest.mark.parametrize(("content", "code"), BYTES.values(), ids=BYTES)
def test_broken_and_foreign_bytes_are_refused(tmp_path, content, code):
    path = tmp_path / "a.geojson"
    path.write_bytes(content)
    assert refused(path) in {code, "file-empty"}


def test_an_arc_that_is_drawn_again_and_again_is_refused_before_it_is_drawn(tmp_path):
    """15 kB become four million positions."""
    arc = [[number % 9, number % 7] for number in range(1100)]
    shape = {"type": "Polygon", "arcs": [[0, ~0] * 1750]}
    topology = {"type": "Topology", "arcs": [arc], "objects": {"a": shape}}
    path = tmp_path / "a.json"
    path.write_text(json.dumps(topology))
    assert refused(path) == "too-many-vertices"


def test_a_plot_without_corners_is_told(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(
        "[属性描述]\n坐标系=2000国家大地坐标系\n几度分带=3\n带号=41\n[地块坐标]\n@\n@\n", encoding="utf-8"
    )
    proposal = propose(request(path, of="gaoqu"), GROUND)
    assert [issue.code for issue in proposal.issues if issue.level == "error"] == ["empty-geometry"]


def test_a_text_of_digits_is_read_once(tmp_path):
    """From every digit on it was looked for a pair anew."""
    assert split_rows("122.1,37.1;-12.5 , 7.5") == [("122.1", "37.1"), ("-12.5", "7.5")]
    path = tmp_path / "a.txt"
    path.write_text("9" * 100_000)
    assert refused(path) == "unknown-format"


def test_a_file_that_goes_away_while_it_is_read_is_said(write, monkeypatch):
    path = write("a.geojson", [SQUARE])
    check = formats.check_file
    monkeypatch.setattr(reader, "check_file", lambda path: (check(path), path.unlink()))
    assert refused(path) == "not-readable"


def test_limits_of_size_features_and_vertices(tmp_path, monkeypatch, write):
    path = write("a.geojson", [SQUARE, SQUARE])
    monkeypatch.setattr(reader, "MAX_FEATURES", 1)
    assert refused(path) == "too-many-features"
    monkeypatch.setattr("geodata.boundary_import.formats.MAX_BYTES", 10)
    assert refused(path) == "file-too-large"


@pytest.mark.parametrize("suffix", FORMATS)
def test_too_many_vertices_are_said(write, monkeypatch, suffix):
    """A GeoJSON is counted before it is parsed: what GDAL says of one too large is that it is unreadable."""
    for module in ("reader", "georeference"):
        monkeypatch.setattr(f"geodata.boundary_import.{module}.MAX_VERTICES", 10)
    path = write(f"a.{suffix}", [zone("gaoqu")], field="Name")
    count = shapely.get_num_coordinates(zone("gaoqu"))
    proposal = propose(request(path, of="gaoqu"), GROUND)
    assert [issue.code for issue in proposal.issues] == ["too-many-vertices"]
    for message in (proposal.issues[0].message_zh, proposal.issues[0].message_en):
        assert str(count) in message
        assert "10" in message


def test_a_geojson_of_more_than_a_million_vertices_is_refused_for_that(tmp_path):
    ring = "[122.1,37.2]," * 1_200_000
    geometry = f'{{"type":"Polygon","coordinates":[[{ring[:-1]}]]}}'
    path = tmp_path / "a.geojson"
    path.write_text(f'{{"type":"Feature","properties":{{}},"geometry":{geometry}}}')
    assert refused(path) == "too-many-vertices"
