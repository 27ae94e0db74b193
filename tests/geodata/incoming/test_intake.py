"""Files of boundaries in every format and every state: read, understood, named, or refused with a code."""

from __future__ import annotations

import ast
import io
import json
import os
import re
import struct
import warnings
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
import yaml

from geodata import crs
from geodata.incoming import intake, unpack
from geodata.incoming.datum import measure_shift
from geodata.incoming.finding import LANGUAGES, RefusedError, find, list_codes
from geodata.incoming.flaw import to_reasons
from geodata.incoming.intake import read_intake
from geodata.incoming.locate import check_datum
from geodata.incoming.proposal import Ground, Wish
from geodata.incoming.propose import propose
from geodata.incoming.scrutiny import repair
from geodata.incoming.tables import describe_table
from geodata.read import read_boundaries, read_facts

FOLDER = Path(intake.__file__).parent
GROUND = Ground(read_facts(), read_boundaries())
SQUARE = shapely.box(122.0, 37.2, 122.1, 37.3)
NAMES = ["临港区", "蔄山"]
FORMATS = {
    "geojson": {"driver": "GeoJSON"},
    "gpkg": {"driver": "GPKG"},
    "fgb": {"driver": "FlatGeobuf"},
    "kml": {"driver": "KML"},
    "shp": {"driver": "ESRI Shapefile", "encoding": "UTF-8"},
}


@pytest.fixture
def write(tmp_path):
    """Write features with GDAL."""

    def write(name, shapes, frame="EPSG:4326", field="name", values=None, **options):
        path = tmp_path / name
        values = np.array(values or NAMES[: len(shapes)], dtype=object)
        kinds = {shape.geom_type for shape in shapes}
        kind = kinds.pop() if len(kinds) == 1 else "Unknown"
        pyogrio.raw.write(
            path,
            shapely.to_wkb(np.array(shapes, dtype=object)),
            [values],
            [field],
            geometry_type=kind,
            crs=frame,
            **(FORMATS[path.suffix[1:]] | options),
        )
        return path

    return write


def zipped(path, folder="", drop=()):
    """Pack a file with its companions."""
    target = path.with_suffix(".zip")
    with zipfile.ZipFile(target, "w") as archive:
        for one in sorted(path.parent.glob(f"{path.stem}.*")):
            if one != target and one.suffix not in drop:
                archive.write(one, folder + one.name)
    return target


def dumped(path, features, **more):
    rows = [
        {"type": "Feature", "properties": properties, "geometry": geometry}
        for properties, geometry in features
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows, **more}), encoding="utf-8")
    return path


def plain(shape):
    return json.loads(shapely.to_geojson(shape))


def refused(path, **options):
    """Return the code that a file is refused with."""
    with pytest.raises(RefusedError) as error:
        read_intake(path, **options)
    assert str(path.parent) not in json.dumps(error.value.finding.to_dict())
    return error.value.finding.code


def wish(path, **values):
    said: dict[str, Any] = {
        "source": "s",
        "licence": "l",
        "who": "w",
        "why": "y",
        "accuracy_m": 5.0,
        "layer": "zones",
    }
    return Wish(file=path, when=datetime(2026, 11, 1, tzinfo=UTC), **(said | values))


def codes(path, **values):
    """Return the codes of everything found, and the places that came out."""
    proposal = propose(wish(path, **values), GROUND)
    for finding in proposal.findings:
        assert finding.message_zh
        assert finding.message_en
        assert finding.path
        assert set(finding.to_dict()) == {
            *("code", "level", "feature_id", "path", "message_zh", "message_en", "fix")
        }
    return {finding.code for finding in proposal.findings}, [record.of for record in proposal.records]


def zone(name):
    return GROUND.shapes[name].geometry


@pytest.fixture
def alone(monkeypatch):
    """Leave out what a polygon does to its neighbours, which takes seconds."""
    monkeypatch.setattr("geodata.incoming.propose._try", lambda *_, **__: None)


# -- every format


@pytest.mark.parametrize("frame", ["EPSG:4326", "EPSG:4490", "EPSG:4550"])
@pytest.mark.parametrize("suffix", ["geojson", "gpkg", "fgb", "shp"])
def test_every_format_and_frame_comes_in_whole(write, suffix, frame):
    shapes = [crs.transform_geometry(one, "CRS84", frame) for one in (SQUARE, zone("gaoqu"))]
    shapes = [shapely.MultiPolygon(shapely.get_parts(one).tolist()) for one in shapes]
    options = {"RFC7946": "NO"} if suffix == "geojson" else {}
    found = read_intake(write(f"a.{suffix}", shapes, frame, **options))
    assert crs.read_definition(found.crs or "") == frame
    assert [row.properties["name"] for row in found.features] == NAMES
    for row, shape in zip(found.features, shapes, strict=True):
        assert shapely.hausdorff_distance(row.geometry, shape) < 1e-6
    assert re.fullmatch("[0-9a-f]{64}", found.sha256)
    assert found.findings == []


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
    found = read_intake(path)
    assert found.features[0].geometry == shapely.Polygon([(122, 37.2), (122, 37.3), (122.1, 37.2)])
    assert not shapely.has_z(found.features[0].geometry)
    assert not shapely.has_m(found.features[0].geometry)
    assert found.findings == []


def test_kml_comes_in_with_its_names(write):
    found = read_intake(write("a.kml", [SQUARE, zone("gaoqu")], field="Name"))
    assert [row.properties["Name"] for row in found.features] == NAMES
    shape = found.features[0].geometry
    assert shape is not None
    assert shape.equals_exact(SQUARE, 1e-6, normalize=True)
    assert crs.read_definition(found.crs or "") in {"EPSG:4326", "CRS84"}


@pytest.mark.parametrize("encoding", ["UTF-8", "GBK"])
@pytest.mark.parametrize("drop", [(), (".cpg",)])
def test_a_zipped_shapefile_in_either_encoding(write, encoding, drop):
    path = zipped(write("a.shp", [SQUARE, zone("gaoqu")], encoding=encoding), "数据/", drop)
    found = read_intake(path)
    assert [row.properties["name"] for row in found.features] == NAMES
    guessed = [finding.code for finding in found.findings]
    assert guessed == (["encoding-guessed"] if drop else [])


def test_brackets_in_a_name_are_only_letters(write):
    found = read_intake(write("界线[1].shp", [SQUARE], encoding="GBK"))
    assert [row.properties["name"] for row in found.features] == NAMES[:1]
    assert found.findings == []


def test_a_cpg_that_lies_is_seen_through(write):
    path = write("a.shp", [SQUARE], encoding="GBK")
    path.with_suffix(".cpg").write_text("UTF-8")
    found = read_intake(path)
    assert found.features[0].properties["name"] == NAMES[0]
    assert [finding.code for finding in found.findings] == ["encoding-guessed"]


def test_a_named_encoding_is_taken_and_a_wrong_one_said(write):
    path = zipped(write("a.shp", [SQUARE], encoding="GBK"), "", (".cpg",))
    assert read_intake(path, encoding="gbk").findings == []
    assert refused(path, encoding="utf-8") == "bad-encoding"
    assert refused(path, encoding="no-such") == "bad-encoding"


def test_a_package_with_several_layers_asks_which(write):
    path = write("a.gpkg", [SQUARE], layer="one")
    write("a.gpkg", [zone("gaoqu")], layer="two", append=True)
    assert refused(path) == "several-layers"
    assert refused(path, table="three") == "several-layers"
    assert len(read_intake(path, table="two").features) == 1


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
    found = read_intake(path)
    assert [row.properties["name"] for row in found.features] == NAMES[:1]
    (finding,) = found.findings
    assert (finding.code, finding.level) == ("layer-chosen", "warning")
    assert "界线（1 个面）、注记（2 个点）" in finding.message_zh
    assert "界线 (1 Polygon), 注记 (2 Point)" in finding.message_en
    assert refused(path, table="无") == "several-layers"


def test_a_table_without_geometry_is_told_by_its_rows(tmp_path):
    path = tmp_path / "a.gpkg"
    solid = shapely.to_wkb(np.array([shapely.force_3d(SQUARE, 5)]))
    names = [np.array(["临港区"], dtype=object)], ["name"]
    rest = {"crs": "EPSG:4326", "driver": "GPKG"}
    pyogrio.raw.write(path, solid, *names, geometry_type="Polygon Z", layer="界线", **rest)
    for table, rows in (("说明", ["甲", "乙"]), ("无", [])):
        values = [np.array(rows, dtype=object)], ["name"]
        pyogrio.raw.write(path, None, *values, geometry_type=None, layer=table, append=True, **rest)
    (finding,) = read_intake(path).findings
    assert "界线（1 个面）、说明（2 行，无图形）、无（空）" in finding.message_zh
    assert "界线 (1 Polygon), 说明 (2 rows without geometry), 无 (empty)" in finding.message_en


def test_a_declared_type_with_heights_needs_no_look_at_the_features(tmp_path, monkeypatch):
    path = tmp_path / "a.gpkg"
    solid = shapely.to_wkb(np.array([shapely.force_3d(SQUARE, 5)]))
    names = [np.array(["临港区"], dtype=object)], ["name"]
    pyogrio.raw.write(path, solid, *names, geometry_type="Polygon Z", crs="EPSG:4326", driver="GPKG")
    monkeypatch.setattr("pyogrio.raw.read", None)
    assert describe_table(path, "a").title["zh"] == "a（1 个面）"


FOLDERS = """<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Folder><name>功能区</name><Folder><name>临港</name><Placemark><name>临港区</name><Polygon><outerBoundaryIs>
<LinearRing><coordinates>122,37.2,5 122.1,37.2,5 122.1,37.3,5 122,37.2,5</coordinates></LinearRing>
</outerBoundaryIs></Polygon></Placemark></Folder></Folder>
<Folder><name>注记</name><Placemark><name>x</name><Point><coordinates>122,37.2</coordinates></Point></Placemark>
</Folder></Document></kml>"""


def test_the_folder_of_a_kml_that_holds_the_polygons_is_found(tmp_path):
    path = tmp_path / "a.kml"
    path.write_text(FOLDERS, encoding="utf-8")
    found = read_intake(path)
    assert [row.properties["Name"] for row in found.features] == NAMES[:1]
    assert "功能区（空）、临港（1 个面）、注记（1 个点）" in found.findings[0].message_zh


# -- hostile and broken files


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
    "another JSON": (b'{"a": 1}', "not-readable"),
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
    "the same twice": ([("a/a.geojson", GOOD), ("b/a.geojson", GOOD)], "not-readable"),
    "many": ([(f"{number}.txt", "") for number in range(unpack.MAX_ENTRIES + 1)], "zip-entries"),
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
    found = read_intake(path)
    assert [row.properties["name"] for row in found.features] == NAMES[:1]


def test_names_in_an_archive_may_be_gbk(write, tmp_path):
    """Archives of Chinese Windows hold names in GBK and do not say so."""
    source = zipped(write("a.shp", [SQUARE], encoding="GBK"), "XX/")
    content = source.read_bytes().replace(b"XX/a.", "界/a.".encode("gbk"))
    path = tmp_path / "gbk.zip"
    path.write_bytes(content)
    assert [row.properties["name"] for row in read_intake(path).features] == NAMES[:1]


def test_a_file_that_goes_away_while_it_is_read_is_said(write, monkeypatch):
    path = write("a.geojson", [SQUARE])
    check = intake._check_file
    monkeypatch.setattr(intake, "_check_file", lambda path: (check(path), path.unlink()))
    assert refused(path) == "not-readable"


def test_an_archive_that_lies_about_its_size_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "MAX_UNPACKED", 1_500_000)
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


def test_limits_of_size_features_and_vertices(tmp_path, monkeypatch, write):
    path = write("a.geojson", [SQUARE, SQUARE])
    monkeypatch.setattr(intake, "MAX_FEATURES", 1)
    assert refused(path) == "too-many-features"
    monkeypatch.setattr(intake, "MAX_BYTES", 10)
    assert refused(path) == "file-too-large"


@pytest.mark.parametrize("suffix", FORMATS)
def test_too_many_vertices_are_said(write, monkeypatch, suffix):
    """A GeoJSON is counted before it is parsed: what GDAL says of one too large is that it is unreadable."""
    for module in ("intake", "locate"):
        monkeypatch.setattr(f"geodata.incoming.{module}.MAX_VERTICES", 10)
    path = write(f"a.{suffix}", [zone("gaoqu")], field="Name")
    count = shapely.get_num_coordinates(zone("gaoqu"))
    proposal = propose(wish(path, of="gaoqu"), GROUND)
    assert [finding.code for finding in proposal.findings] == ["too-many-vertices"]
    for message in (proposal.findings[0].message_zh, proposal.findings[0].message_en):
        assert str(count) in message
        assert "10" in message


def test_a_geojson_of_more_than_a_million_vertices_is_refused_for_that(tmp_path):
    ring = "[122.1,37.2]," * 1_200_000
    geometry = f'{{"type":"Polygon","coordinates":[[{ring[:-1]}]]}}'
    path = tmp_path / "a.geojson"
    path.write_text(f'{{"type":"Feature","properties":{{}},"geometry":{geometry}}}')
    assert refused(path) == "too-many-vertices"


def test_too_many_vertices_of_one_place_are_said(write, monkeypatch):
    monkeypatch.setattr("geodata.incoming.propose.MAX_PLACE_VERTICES", 10)
    assert codes(write("b.geojson", [zone("gaoqu")], values=["高区"]), of="gaoqu")[0] == {"too-many-vertices"}


# -- coordinates

HUGE = [[[1e308, 1e308], [-1e308, 1e308], [0, -1e308], [1e308, 1e308]]]
GEOMETRIES = {
    "no geometry": (None, "empty-geometry"),
    "empty": ({"type": "Polygon", "coordinates": []}, "empty-geometry"),
    "a point": ({"type": "Point", "coordinates": [122, 37]}, "wrong-geometry-type"),
    "a line": ({"type": "LineString", "coordinates": [[122, 37], [122.1, 37]]}, "wrong-geometry-type"),
    "a collection": ({"type": "GeometryCollection", "geometries": []}, "empty-geometry"),
    "huge": ({"type": "Polygon", "coordinates": HUGE}, "out-of-bounds"),
    "elsewhere": (plain(shapely.box(10, 50, 11, 51)), "out-of-bounds"),
    "flipped": (plain(shapely.transform(SQUARE, lambda xy: xy[:, ::-1])), "flipped-axes"),
    "Mercator": (plain(crs.transform_geometry(SQUARE, "CRS84", "EPSG:3857")), "mercator-numbers"),
    "projected": (plain(crs.transform_geometry(SQUARE, "CRS84", "EPSG:4549")), "projected-numbers"),
}


@pytest.mark.parametrize(("geometry", "code"), GEOMETRIES.values(), ids=GEOMETRIES)
def test_coordinates_that_cannot_be_right_are_recognised(tmp_path, geometry, code):
    found, places = codes(dumped(tmp_path / "a.geojson", [({"name": "临港区"}, geometry)]))
    assert found == {code}
    assert places == []


def test_no_numbers_are_no_coordinates(tmp_path):
    content = json.dumps(
        {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": 0}]}
    )
    path = tmp_path / "a.geojson"
    ring = '{"type":"Polygon","coordinates":[[[122,37],[NaN,37.1],[122.1,37.1],[122,37]]]}'
    path.write_text(content.replace('"geometry": 0', f'"geometry": {ring}'))
    assert codes(path, of="lingang")[0] <= {"not-finite", "not-readable", "empty-geometry"}


def in_frame(frame):
    """Return 临港区 in a frame; EPSG:4528 is EPSG:4549 with the zone's number, 40, before the easting."""
    if frame == "EPSG:4528":
        return shapely.affinity.translate(in_frame("EPSG:4549"), 40_000_000)
    return crs.transform_geometry(zone("lingang"), "CRS84", frame)


@pytest.mark.parametrize("fits", ["EPSG:4549", "EPSG:4550", "EPSG:4528", "EPSG:3857", "EPSG:4490"])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_file_without_a_frame_is_told_which_its_numbers_fit(write, fits, swapped):
    shape = in_frame(fits)
    shape = shapely.transform(shape, lambda xy: xy[:, ::-1]) if swapped else shape
    path = write("a.shp", [shape], fits)
    path.with_suffix(".prj").unlink()
    (finding,) = propose(wish(path), GROUND).findings
    assert finding.code == "missing-crs"
    assert f"与 {fits}" in finding.message_zh
    assert ("交换坐标轴后" in finding.message_zh) is swapped
    assert finding.fix
    assert f"--crs {fits}{' --fix' if swapped else ''}；" in finding.fix["zh"]
    assert codes(path, crs=fits, fix=swapped) == ({"flipped-swapped"} if swapped else set(), ["lingang"])


def test_a_zones_number_before_the_easting_is_recognised(write):
    (finding,) = propose(wish(write("a.gpkg", [in_frame("EPSG:4528")], "EPSG:4549")), GROUND).findings
    assert finding.code == "projected-numbers"
    assert "EPSG:4528" in finding.message_zh
    assert re.search(r"（?\(40\d{6}, 4\d{6}\)", finding.message_en)  # in whole metres


def test_swapped_metres_are_told_in_whole_metres(write):
    path = write("a.gpkg", [shapely.transform(in_frame("EPSG:4549"), lambda xy: xy[:, ::-1])], "EPSG:4549")
    (finding,) = propose(wish(path), GROUND).findings
    assert finding.code == "flipped-axes"
    assert "X 为北" in finding.message_zh
    assert re.search(r"\(4\d{6}, 6\d{5}\)", finding.message_en)


def test_all_features_that_are_no_polygons_are_told_at_once(tmp_path):
    shape = zone("lingang")
    line, point = plain(shapely.get_parts(shape)[0].exterior), plain(shape.centroid)
    rows = [({"n": "临港区"}, one) for one in (plain(shape), line, point, point)]
    (finding,) = propose(wish(dumped(tmp_path / "a.geojson", rows)), GROUND).findings
    assert finding.code == "wrong-geometry-type"
    assert "4 个要素中有 3 个是点、线" in finding.message_zh
    assert "of 4 features 3 are: Point, LineString" in finding.message_en


def test_features_elsewhere_are_told_once(tmp_path):
    far = plain(shapely.box(116, 39, 117, 40))
    rows = [({"n": "临港区"}, plain(zone("lingang"))), *(({"n": str(one)}, far) for one in range(9))]
    (finding,) = propose(wish(dumped(tmp_path / "a.geojson", rows)), GROUND).findings
    assert finding.code == "outside-city"
    assert "9 个要素" in finding.message_zh


def test_flipped_axes_are_swapped_only_when_asked(tmp_path):
    flipped = shapely.transform(zone("lingang"), lambda xy: xy[:, ::-1])
    path = dumped(tmp_path / "a.geojson", [({"name": "临港区"}, plain(flipped))])
    found, places = codes(path, fix=True)
    assert found == {"flipped-swapped"}
    assert places == ["lingang"]


def test_a_file_without_a_frame_asks_for_it(write):
    path = write("a.shp", [zone("lingang")])
    path.with_suffix(".prj").unlink()
    assert codes(path)[0] == {"missing-crs"}
    for unknown in ("no such", "IAU_2015:49900", "ESRI:102480"):  # Mars, and one that PROJ cannot build
        assert codes(path, crs=unknown)[0] == {"unknown-crs"}
    assert codes(path, crs="EPSG:4490") == (set(), ["lingang"])


def test_numbers_that_fit_nothing_are_told_as_such(write):
    path = write("a.shp", [shapely.affinity.translate(in_frame("EPSG:4549"), -600_000, -4_000_000)])
    path.with_suffix(".prj").unlink()
    (finding,) = propose(wish(path), GROUND).findings
    assert finding.code == "unknown-numbers"
    assert finding.fix
    assert "EPSG:4490" in finding.fix["zh"]


def test_errors_are_told_first(write):
    path = write("a.shp", [zone("lingang")], encoding="GBK")
    for suffix in (".prj", ".cpg"):
        path.with_suffix(suffix).unlink()
    found = propose(wish(path), GROUND).findings
    assert [finding.code for finding in found] == ["missing-crs", "encoding-guessed"]


@pytest.mark.parametrize(
    ("frame", "accuracy_m", "code", "level"),
    [
        ("EPSG:4610", 5.0, "unknown-datum", "error"),
        ("EPSG:4610", 100.0, "unknown-datum", "warning"),
        ("EPSG:2381", 99.0, "unknown-datum", "error"),
        ("EPSG:4214", 5.0, "uncertain-datum", "error"),
        ("EPSG:4214", 15.0, "uncertain-datum", "warning"),
        ("+proj=longlat +ellps=krass +towgs84=16,-147,-78 +type=crs", 5.0, "unknown-datum", "warning"),
    ],
)
def test_nothing_is_more_accurate_than_its_datum(frame, accuracy_m, code, level):
    found = check_datum(frame, "a.shp", accuracy_m)
    assert [(one.code, one.level) for one in found] == [(code, level)]
    assert "?" not in found[0].message_zh + found[0].message_en
    assert f"{accuracy_m:g} m" in found[0].message_en
    least = 100 if code == "unknown-datum" else 15
    assert f"--accuracy-m {least} " in (found[0].fix or {})["zh"]


@pytest.mark.usefixtures("alone")
def test_a_file_in_a_datum_without_parameters_waits_for_an_honest_accuracy(write):
    path = write("a.shp", [zone("lingang")], "EPSG:4610")
    assert "unknown-datum" in codes(path, of="lingang")[0]
    assert propose(wish(path, of="lingang", accuracy_m=100.0), GROUND).errors == 0


def test_a_given_frame_overrules_the_files_own_and_that_is_said(write):
    metres = crs.transform_geometry(zone("lingang"), "CRS84", "EPSG:3857")
    path = write("a.geojson", [metres], "EPSG:4326")
    assert codes(path, crs="EPSG:3857") == ({"crs-mismatch"}, ["lingang"])


@pytest.mark.parametrize(("frame", "code"), [("GCJ-02", "suspected-gcj02"), ("BD-09", "suspected-bd09")])
@pytest.mark.parametrize("name", ["lingang"])
def test_a_shifted_polygon_is_suspected_and_read_right_when_told(write, name, frame, code):
    """The shape is not ours: drawn coarser, and moved by up to 150 m in waves."""

    def wave(xy):
        return xy + 0.0015 * np.column_stack([np.sin(xy[:, 1] * 400), np.cos(xy[:, 0] * 300)])

    drawn = shapely.transform(shapely.segmentize(zone(name), 0.003), wave)
    drawn = shapely.make_valid(shapely.set_precision(drawn, 1e-7))
    assert code not in codes(write("plain.geojson", [drawn]), of=name)[0]
    path = write("shifted.geojson", [crs.transform_geometry(drawn, "CRS84", frame)])
    assert code in codes(path, of=name)[0]
    told = propose(wish(path, of=name, crs=frame), GROUND)
    assert code not in {finding.code for finding in told.findings}
    assert shapely.hausdorff_distance(told.records[0].polygon(), drawn) < 1e-6


@pytest.mark.parametrize("name", ["town-zhangcun", "town-zetou", "shuangdaowan"])
def test_an_edge_that_only_runs_beside_a_coast_is_not_suspected(name):
    """These run along a coast some 700 m off, about as far as BD-09 is, and fit it no better than 300 m."""
    counties = {town.county for town in GROUND.facts.towns.values()}
    known = [GROUND.shapes[one].geometry.boundary for one in sorted(counties)]
    verdict = measure_shift(zone(name), shapely.union_all(known)).to_dict()
    assert verdict["told"]
    assert verdict["suspected"] is None


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("west", "far"), [(0.0, False), (0.0006, False), (0.0045, True)])
def test_a_boundary_far_from_known_lines_is_warned_of_without_standing_in_the_way(write, west, far):
    """0.0045 degrees are 400 m; two drawings of one line are usually 109 m apart."""
    drawn = shapely.affinity.translate(shapely.simplify(zone("gaoqu"), 0.0003), -west, west / 2)
    proposal = propose(wish(write("a.gpkg", [drawn]), of="gaoqu"), GROUND)
    assert proposal.errors == 0
    said = [finding for finding in proposal.findings if finding.code == "far-from-known"]
    assert [finding.level for finding in said] == (["warning"] if far else [])
    verdict = proposal.shifts["gaoqu"]
    assert verdict.suspected is None
    assert (verdict.median_m > 218) is far
    if far:
        assert f"{verdict.median_m:.0f} m" in said[0].message_zh
        assert "109 m" in said[0].message_en
        assert said[0].fix
        assert "EPSG:4326" in said[0].fix["en"]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("name", "layer"), [("shuangdaowan", "parks"), ("town-zhangcun", "towns")])
def test_what_only_runs_beside_a_coast_is_not_far_from_anything(write, name, layer):
    path = write("a.gpkg", [zone(name)])
    assert codes(path, of=name, layer=layer)[0] == set()
    assert propose(wish(path, of=name, layer=layer), GROUND).shifts[name].median_m > 218


def test_too_short_an_edge_along_known_lines_is_no_verdict():
    inland = shapely.box(122.0, 37.25, 122.02, 37.27)
    path_free = GROUND.shapes["huancui"].geometry.boundary
    verdict = measure_shift(inland, path_free).to_dict()
    assert verdict["told"] is False
    assert verdict["suspected"] is None


# -- names


@pytest.mark.parametrize(
    ("layer", "value", "place"),
    [
        ("zones", "临港区", "lingang"),
        ("zones", " lingang ", "lingang"),
        ("zones", "Weihai Lingang District", "lingang"),
        ("zones", "임항구", "lingang"),
        ("zones", "371073", "lingang"),
        ("counties", "371082", "rongcheng"),
        ("counties", "荣成市", "rongcheng"),
        ("towns", "371002001", "town-huancuilou"),
        ("towns", "371002001000", "town-huancuilou"),
        ("parks", "中韩产业园", "zhonghan-park"),
    ],
)
def test_names_and_codes_find_their_place(layer, value, place):
    from geodata.incoming.naming import Names

    names = Names(GROUND.facts, layer)
    assert names.find(value) == place
    assert names.find("无此地") is None
    if value.isdigit():
        assert names.find(float(value)) == place


def test_the_field_that_names_the_places_is_found_or_asked_for(tmp_path):
    rows = [({"no": 1, "mc": "临港区", "xz": "x"}, plain(zone("lingang")))]
    path = dumped(tmp_path / "a.geojson", rows)
    assert codes(path) == (set(), ["lingang"])
    assert codes(path, field="nothing")[0] == {"unknown-field"}
    assert codes(path, field="xz")[0] == {"no-match"}
    assert codes(path, of="no-such")[0] == {"unknown-id"}
    assert codes(path, of="huancui")[0] == {"unknown-id"}  # a county, not a zone


def test_unknown_doubled_and_outlying_features_are_said(tmp_path):
    shape = plain(zone("lingang"))
    two = [({"n": "临港区"}, shape), ({"n": "371073"}, shape)]
    assert codes(dumped(tmp_path / "a.geojson", two))[0] == {"duplicate-id"}
    other = [({"n": "临港区"}, shape), ({"n": "某地"}, shape)]
    assert codes(dumped(tmp_path / "b.geojson", other))[0] == {"unknown-id"}
    far = [({"n": "临港区"}, shape), ({"n": "海淀区"}, plain(shapely.box(116, 39, 117, 40)))]
    assert codes(dumped(tmp_path / "c.geojson", far)) == ({"outside-city"}, ["lingang"])


def test_findings_about_names_name_the_places(tmp_path):
    shape = plain(zone("lingang"))
    rows = [({"n": name}, shape) for name in ("临港区", "371073", "某地", "某地", "另一地")]
    findings = propose(wish(dumped(tmp_path / "a.geojson", rows)), GROUND).findings
    unknown, doubled = findings  # one for all that are unknown, however many there are
    assert (unknown.code, doubled.code) == ("unknown-id", "duplicate-id")
    assert "“某地” “另一地”" in unknown.message_zh
    assert unknown.fix
    assert "高区（gaoqu）、" in unknown.fix["zh"]
    assert "Weihai Hi-Tech Zone (gaoqu), " in unknown.fix["en"]
    assert doubled.message_zh.startswith("临港区（lingang）出现 2 次")
    assert "(lingang) occurs 2 times" in doubled.message_en


def test_a_place_of_another_layer_is_told_where_it_is(tmp_path):
    path = dumped(tmp_path / "a.geojson", [({"n": "文登区"}, plain(zone("wendeng")))])
    for said in ({"of": "wendeng"}, {}):
        (finding,) = propose(wish(path, **said), GROUND).findings
        assert finding.code == ("unknown-id" if said else "no-match")
        assert finding.fix
        assert "改用 --layer counties。" in finding.fix["zh"]
        assert "use --layer counties; " in finding.fix["en"]


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("properties", "value"),
    [
        ({"no": 7, "mc": "经济技术开发区"}, "经济技术开发区"),
        ({"mc": "图斑 1", "dm": 371072}, "371072"),
        ({"mc": "高区", "xl": "经区"}, None),  # it does name the place
        ({"mc": "图斑 1", "county": "环翠区"}, None),  # nothing of this layer
    ],
)
def test_an_id_that_the_file_contradicts_is_warned_of(tmp_path, properties, value):
    path = dumped(tmp_path / "a.geojson", [(properties, plain(zone("gaoqu")))])
    proposal = propose(wish(path, of="gaoqu"), GROUND)
    said = [finding for finding in proposal.findings if finding.code == "name-contradicts"]
    assert [finding.level for finding in said] == (["warning"] if value else [])
    if value:
        assert f"“{value}”是经区（jingqu），--id 指明的却是高区（gaoqu）" in said[0].message_zh
        assert said[0].fix
        assert "--id jingqu" in said[0].fix["en"]


# -- polygons against what is there


def test_an_invalid_ring_is_repaired_only_when_asked(tmp_path):
    west, south, east, north = zone("lingang").bounds
    bow = {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, north], [east, south], [west, north], [west, south]]],
    }
    path = dumped(tmp_path / "a.geojson", [({"n": "临港区"}, bow)])
    assert codes(path) == ({"invalid-ring"}, [])
    proposal = propose(wish(path, fix=True), GROUND)
    assert "repaired-ring" in {finding.code for finding in proposal.findings}
    assert proposal.records[0].polygon().is_valid
    assert proposal.records[0].fixes


FLAWS = {
    "Self-intersection": "POLYGON((0 0,2 2,2 0,0 2,0 0))",
    "Ring Self-intersection": "POLYGON((0 0,4 0,4 4,2 0,0 4,0 0))",
    "Too few points in geometry component": "POLYGON((0 0,1 1,0 0,0 0))",
    "Hole lies outside shell": "POLYGON((0 0,4 0,4 4,0 4,0 0),(5 5,6 5,6 6,5 5))",
    "Holes are nested": "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,8 1,8 8,1 1),(4 2,7 2,7 4,4 2))",
    "Nested shells": "MULTIPOLYGON(((0 0,9 0,9 9,0 9,0 0)),((1 1,2 1,2 2,1 1)))",
    "Interior is disconnected": "POLYGON((0 0,4 0,4 4,0 4,0 0),(2 0,3 2,2 4,1 2,2 0))",
    "Invalid Coordinate": "POLYGON((0 0,4 0,inf 4,0 4,0 0))",
}


@pytest.mark.parametrize("name", FLAWS)
def test_what_is_wrong_with_rings_is_said_in_either_language(name):
    said = shapely.is_valid_reason(shapely.from_wkt(FLAWS[name]))
    assert said.startswith(f"{name}[")
    row = intake.Incoming("a", {}, shapely.from_wkt(FLAWS[name]))
    _, finding = repair(row, "lingang", fix=False)
    assert finding
    reason = finding.message_zh.removeprefix("多边形无效：")
    assert re.search("[\u4e00-\u9fff]", reason)
    assert name not in finding.message_zh
    assert not re.search("[\u4e00-\u9fff]", finding.message_en)
    lon, lat = said.partition("[")[2].rstrip("]").split()
    assert reason.endswith(f"（{float(lon):g}，{float(lat):g}）")


def test_a_flaw_without_a_name_here_is_said_as_it_is():
    assert set(to_reasons("Something new[122.05 37.25]").values()) == {"Something new[122.05 37.25]"}
    assert to_reasons("Ring is not closed")["zh"] == "环未闭合"


def rings(name):
    """Return the zone's polygon with a flaw in its rings."""
    shell = shapely.get_coordinates(max(shapely.get_parts(zone("lingang")), key=lambda part: part.area))
    ring = shell.tolist()
    outside = [[122.6, 37.2], [122.61, 37.2], [122.61, 37.21], [122.6, 37.2]]
    made = {
        "not closed": [[ring[:-1]]],
        "twice": [[ring], [ring]],
        "a hole outside": [[ring, outside]],
        "two points": [[ring[:2]]],
        "clockwise": [[ring]],
        "counter-clockwise": [[ring[::-1]]],
        "every point three times": [[[point for point in ring for _ in range(3)]]],
    }
    return {"type": "MultiPolygon", "coordinates": made[name]}


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("name", "times"), [("not closed", 1), ("twice", 2), ("a hole outside", None), ("two points", 0)]
)
def test_flawed_rings_are_told_with_the_area_before_and_after(tmp_path, name, times):
    path = dumped(tmp_path / "a.geojson", [({"n": "临港区"}, rings(name))])
    assert codes(path) == ({"invalid-ring"}, [])
    if times == 0:
        assert codes(path, fix=True) == ({"invalid-ring"}, [])
        return
    proposal = propose(wish(path, fix=True), GROUND)
    said = next(row for row in proposal.findings if row.code == "repaired-ring")
    before, after = map(float, re.findall(r"(\d+\.\d+) ", said.message_en)[-2:])
    assert after == pytest.approx(crs.measure_area_km2(proposal.records[0].polygon()), abs=0.01)
    if times:
        assert before == pytest.approx(times * after, abs=0.01)
    else:
        assert before < after - 0.5
    assert said.remark in proposal.records[0].fixes


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", ["clockwise", "counter-clockwise", "every point three times"])
def test_rings_in_either_direction_are_valid_and_come_out_right(tmp_path, name):
    """RFC 7946 asks readers to take both; what is kept goes by the right-hand rule."""
    path = dumped(tmp_path / "a.geojson", [({"n": "临港区"}, rings(name))])
    proposal = propose(wish(path), GROUND)
    assert proposal.errors == 0
    shells = [part.exterior for part in shapely.get_parts(proposal.records[0].polygon())]
    assert all(shapely.is_ccw(shells))


@pytest.mark.usefixtures("alone")
def test_a_feature_that_is_there_twice_is_told(tmp_path):
    rows = [({"n": "x"}, plain(zone("lingang"))), ({"n": "y"}, plain(zone("lingang").reverse()))]
    found = propose(wish(dumped(tmp_path / "a.geojson", rows), of="lingang"), GROUND)
    said = next(finding for finding in found.findings if finding.code == "repeated-feature")
    assert found.errors == 0
    assert said.path.endswith("#2")
    assert "有 2 个要素图形完全相同，只用一个（a.geojson/a#1）" in said.message_zh
    assert said.remark in found.records[0].fixes
    once = propose(wish(dumped(tmp_path / "a.geojson", rows[:1]), of="lingang"), GROUND)
    assert shapely.equals(found.records[0].polygon(), once.records[0].polygon())
    assert "repeated-feature" not in {finding.code for finding in once.findings}


def test_a_polygon_that_rounding_would_swallow_is_refused(tmp_path):
    crumb = plain(shapely.box(122.0, 37.27, 122.00000001, 37.27000001))
    assert codes(dumped(tmp_path / "a.geojson", [({"n": "临港区"}, crumb)])) == ({"too-small"}, [])


def test_areas_and_places_that_cannot_be_meant_are_said(write):
    small = crs.build_circle(122.0, 37.27, 4000)
    assert "area-far" in codes(write("a.geojson", [small]), of="lingang")[0]
    larger = shapely.buffer(zone("lingang"), 0.004)
    assert {"area-differs", "outside-parent-sliver"} <= codes(write("b.geojson", [larger]), of="lingang")[0]
    elsewhere = shapely.affinity.translate(zone("gaoqu"), 0.25, -0.1)
    assert {"elsewhere", "outside-parent"} <= codes(write("c.geojson", [elsewhere]), of="gaoqu")[0]


def test_a_polygon_in_the_wrong_place_is_told_where_it_lies(write):
    proposal = propose(wish(write("a.gpkg", [zone("gaoqu")], values=["x"]), of="jingqu"), GROUND)
    said = next(finding for finding in proposal.findings if finding.code == "elsewhere")
    assert said.fix
    assert "100% 在高区（gaoqu）" in said.fix["zh"]
    assert "100% of it lies in Weihai Hi-Tech Zone (gaoqu)" in said.fix["en"]


def test_fragments_and_gaps_are_told_and_kept(write):
    west, _, east, _ = zone("lingang").bounds
    middle = zone("lingang").representative_point()
    crumbs = [shapely.box(east + 0.001, middle.y, east + 0.0011, middle.y + 0.00001)]
    crumbs.append(shapely.box(west - 0.001, middle.y, west - 0.00099, middle.y + 0.001))
    gap = shapely.box(middle.x, middle.y, middle.x + 0.00005, middle.y + 0.00005)
    drawn = shapely.union_all([shapely.difference(zone("lingang"), gap), *crumbs])
    proposal = propose(wish(write("a.gpkg", [drawn]), of="lingang"), GROUND)
    assert proposal.errors == 0
    said = next(finding for finding in proposal.findings if finding.code == "fragments")
    assert "含碎片 2 处、缝隙 1 处，宽不足 10 m" in said.message_zh
    assert "fragments (2) and gaps (1) less than 10 m wide" in said.message_en
    assert shapely.equals(shapely.set_precision(drawn, 1e-7), proposal.records[0].polygon())
    assert "fragments" not in codes(write("b.gpkg", [zone("lingang")]), of="lingang")[0]


@pytest.mark.parametrize(
    ("lon", "lat", "code", "where"),
    [(122.45, 37.2, "part-in-another-county", "荣成市（rongcheng）"), (122.0, 37.7, "detached-part", "海域")],
)
def test_parts_far_from_the_parent_are_told_by_where_they_lie(write, lon, lat, code, where):
    """An island that is not known here may be right; a crumb in another county is not."""
    crumb = shapely.box(lon, lat, lon + 0.0003, lat + 0.0003)
    path = write("a.gpkg", [shapely.union(zone("lingang"), crumb)], values=["临港区"])
    proposal = propose(wish(path), GROUND)
    said = next(finding for finding in proposal.findings if finding.code == code)
    assert said.level == ("warning" if code == "detached-part" else "error")
    assert f"位于{where}" in said.message_zh
    assert f"({lon + 0.00015:.5f}, {lat + 0.00015:.5f})" in said.message_en


def record_of(path, of, **values):
    proposal = propose(wish(path, of=of, **values), GROUND)
    assert proposal.errors == 0, proposal.findings
    return proposal.records[0]


def test_an_import_beside_another_may_share_a_sliver_but_no_land(write):
    there = Ground(GROUND.facts, GROUND.boundaries, (record_of(write("a.gpkg", [zone("gaoqu")]), "gaoqu"),))
    near = shapely.union(zone("lingang"), shapely.buffer(zone("gaoqu"), -0.001))
    found = propose(wish(write("b.gpkg", [near]), of="lingang"), there)
    assert "overlap" in {finding.code for finding in found.findings if finding.level == "error"}
    touching = shapely.buffer(zone("lingang"), 0.00004)
    sliver = propose(wish(write("c.gpkg", [touching]), of="lingang"), there)
    assert "overlap-sliver" in {finding.code for finding in sliver.findings}
    assert sliver.errors == 0


def test_a_neighbour_left_far_from_its_published_area_is_said(write):
    grown = shapely.union(
        zone("lingang"), shapely.intersection(zone("gaoqu"), shapely.box(121.8, 37, 121.95, 38))
    )
    found, _ = codes(write("a.gpkg", [grown]), of="lingang")
    assert "neighbour-area" in found


def test_a_town_that_would_lose_all_its_land_stands_in_the_way(write):
    swallowing = shapely.union(zone("gaoqu"), zone("town-zhangcun"))
    found, _ = codes(write("a.gpkg", [swallowing]), of="gaoqu")
    assert "town-without-land" in found


def test_land_that_nobody_can_take_stands_in_the_way(write):
    """All towns of a zone around a gap are imported, and the zone itself is: the gap has no heir."""
    zone_record = record_of(write("z.gpkg", [zone("nanhai")]), "nanhai")
    there = Ground(GROUND.facts, GROUND.boundaries, (zone_record,))
    town = next(town.id for town in GROUND.facts.towns.values() if town.zone == "nanhai")
    centre = zone("nanhai").representative_point()
    holed = shapely.difference(zone("nanhai"), crs.build_circle(centre.x, centre.y, 800))
    found = propose(wish(write("t.gpkg", [holed]), of=town, layer="towns"), there)
    assert "land-without-owner" in {finding.code for finding in found.findings}


def test_a_good_file_says_before_after_and_published_areas(write):
    proposal = propose(wish(write("a.gpkg", [zone("lingang")], values=["临港区"])), GROUND)
    assert proposal.errors == 0
    first = proposal.areas()[0]
    assert first["id"] == "lingang"
    assert first["imported"]
    assert first["before_km2"] == pytest.approx(first["after_km2"], abs=0.01)
    assert first["official_km2"] == 297.0
    assert first["method"] == "official"


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

    for name in ("words.yaml", "flaws.yaml"):
        for words in leaves(yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))):
            assert set(words) == set(LANGUAGES), words
            assert all(words.values())
            slots = {tuple(sorted(re.findall(r"{\w+}", text))) for text in words.values()}
            assert len(slots) == 1, words


def test_every_code_has_its_words_and_is_tested_somewhere():
    said = "".join(
        path.read_text(encoding="utf-8") for path in __import__("pathlib").Path(__file__).parent.glob("*.py")
    )
    untested = {code for code in list_codes() if f'"{code}"' not in said}
    assert untested == set()
    for entry in list_codes().values():
        for language in ("zh", "en"):
            assert entry[language]
            assert not entry.get("fix") or entry["fix"][language]
        if "record" in entry:
            assert all({**entry, **entry["record"]}[language] for language in LANGUAGES)
    with pytest.raises(KeyError):
        find("no-such-code", "x")


@pytest.mark.parametrize("side", ["east", "north"])
def test_how_far_a_part_lies_off_is_measured_alike_in_every_direction(write, side):
    """The county's line is known to ±658 m: a part no farther from it may touch it."""
    points = shapely.get_coordinates(GROUND.shapes["huancui"].geometry)
    tip = points[np.argmax(points[:, 0 if side == "east" else 1])]
    told = {}
    for metres in (600, 730):
        lon, lat = tip + (
            (metres / 111_320 / np.cos(np.radians(tip[1])), 0) if side == "east" else (0, metres / 111_200)
        )
        crumb = shapely.box(lon, lat, lon + 0.0003, lat + 0.0003)
        path = write(f"{metres}.gpkg", [shapely.union(zone("lingang"), crumb)], values=["临港区"])
        found = {one.code for one in propose(wish(path), GROUND).findings}
        told[metres] = bool(found & {"detached-part", "part-in-another-county"})
    assert told == {600: False, 730: True}
