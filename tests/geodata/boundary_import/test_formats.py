"""Every format that boundaries come in is read to the same polygon; what cannot be read is told."""

from __future__ import annotations

import codecs
import json
import re
import zipfile
from itertools import pairwise
from typing import Any

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely
import xlsxwriter
from topojson.core.topology import Topology

from geodata import crs
from geodata.boundary_import.issues import RefusedError
from geodata.boundary_import.propose import propose
from geodata.boundary_import.reader import read_boundary_file
from geodata.located_tables import TableOptions, read_located_table
from tests.geodata.boundary_import.files import GROUND, codes, dumped, plain, refused, request, zipped, zone

HOLE = zone("lingang").representative_point().buffer(0.004, quad_segs=3)
SHAPE = shapely.difference(zone("lingang"), HOLE)  # one part with a hole
GK = crs.transform_geometry(SHAPE, "CRS84", "EPSG:4549")
ZONE = 40_000_000  # what the easting begins with in zone 40

pytestmark = pytest.mark.usefixtures("alone")


def rings_of(shape):
    return [
        np.asarray(ring.coords)
        for part in shapely.get_parts(shape)
        for ring in (part.exterior, *part.interiors)
    ]


def imported(path, **said):
    """Return the polygon that a file comes to, and the codes of what is said of it."""
    proposal = propose(request(path, of="lingang", **said), GROUND)
    assert proposal.errors == 0, [issue.message_en for issue in proposal.issues]
    return proposal.records[0].polygon, {issue.code for issue in proposal.issues}


def assert_same(polygon, tolerance_m=0.2):
    difference = shapely.symmetric_difference(polygon, SHAPE)
    assert shapely.buffer(difference, -tolerance_m / 111_000).is_empty
    assert sum(len(part.interiors) for part in shapely.get_parts(polygon)) == 1


def exchange(shape=GK, *, prefix=ZONE, head=(), comma=",", reverse=False, count=None):
    """Return the ministry's text of corner points: X is north."""
    rings = rings_of(shape)
    lines = ["[属性描述]", "格式版本号=1.01版本", *head, "[地块坐标]"]
    lines += [f"{count or sum(map(len, rings))},{shape.area / 1e4:.4f},1,临港区,面,,,,@"]
    for number, ring in enumerate(rings, start=1):
        points = ring[::-1] if reverse else ring
        lines += [f"J{at},{number},{y:.3f},{x + prefix:.3f}" for at, (x, y) in enumerate(points, start=1)]
    return "\n".join(lines).replace(",", comma)


HEAD = ("坐标系=2000国家大地坐标系", "几度分带=3", "带号=40", "计量单位=米")
EXCHANGES = {
    "UTF-8": exchange(head=HEAD).encode(),
    "UTF-8 with a mark": codecs.BOM_UTF8 + exchange(head=HEAD).encode(),
    "UTF-16": exchange(head=HEAD).encode("utf-16"),
    "GBK": exchange(head=HEAD).encode("gbk"),
    "full width": exchange(head=HEAD, comma="，").replace("=", "＝").encode(),
    "rings in one direction": exchange(shapely.reverse(GK), head=HEAD).encode(),
    "no prefix": exchange(head=HEAD, prefix=0).encode(),
    "a prefix and no zone": exchange(head=HEAD[:2]).encode(),
    "commas behind": exchange(head=HEAD).replace("\nJ", ",\nJ").encode(),
    "heights behind": re.sub(r"(?m)^(J.*)$", r"\1,12.3", exchange(head=HEAD)).encode(),
    "tabs": exchange(head=HEAD, comma="\t").encode(),
    "semicolons": exchange(head=HEAD, comma=";").replace(";面;;;;@", ",面,,,,@").encode(),
    "a meridian for the number of its zone": exchange(head=(*HEAD[:2], "带号=120"), prefix=0).encode(),
    "corners of each ring numbered anew": re.sub(r"(?m)^(J\d+),\d+,", r"\1,1,", exchange(head=HEAD)).encode(),
    "a note below": f"{exchange(head=HEAD)}\n制表单位：某局".encode(),
    "80 in words is not 2000": exchange(head=("坐标系=80国家大地坐标系", *HEAD[1:])).encode(),
}


@pytest.mark.parametrize("name", list(EXCHANGES)[:-1])
def test_corner_points_in_the_exchange_format(tmp_path, name):
    path = tmp_path / "界址点.txt"
    path.write_bytes(EXCHANGES[name])
    polygon, found = imported(path)
    assert_same(polygon)
    assert found == set()


def test_the_system_of_corner_points_is_that_of_their_header(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(EXCHANGES["80 in words is not 2000"])
    proposal = propose(request(path, of="lingang", accuracy_m=200), GROUND)
    assert proposal.read_as == "EPSG:2364"
    path.write_text(exchange(head=("坐标系=2000国家大地坐标系",), prefix=0), encoding="utf-8")
    assert codes(path, of="lingang")[0] == {"missing-crs"}
    turned = shapely.transform(GK, lambda points: points[:, ::-1] + [0, ZONE])
    path.write_text(exchange(turned, prefix=0, head=HEAD), encoding="utf-8")
    assert codes(path, of="lingang")[0] == {"flipped-axes"}
    assert_same(imported(path, fix=True)[0])
    path.write_text(exchange(head=(*HEAD[:2], "带号=41")), encoding="utf-8")
    assert refused(path) == "zone-contradicts"


def test_corner_points_without_a_head_are_read_and_no_system_is_denied(tmp_path):
    path = tmp_path / "a.txt"
    for head in ((), ("坐标系=某市独立坐标系",)):
        lines = exchange(head=head).splitlines()
        path.write_text("\n".join(lines if head else lines[3:]), encoding="utf-8")
        (issue,) = propose(request(path, of="lingang"), GROUND).issues
        assert issue.code == "missing-crs"
        assert issue.remedy
        assert "EPSG:4528" in issue.remedy.choices
        assert_same(imported(path, crs="EPSG:4528")[0])


def test_corner_points_that_are_lost_are_told(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text(exchange(head=HEAD, count=9), encoding="utf-8")
    assert refused(path) == "points-missing"
    for damage in ("?", "1e999"):
        path.write_text(exchange(head=HEAD).replace("J3,1,", f"J3,1,{damage}"), encoding="utf-8")
        assert refused(path) == "line-unreadable"
    lines = exchange(head=HEAD).splitlines()
    lines = [line.replace(f"{GK.area / 1e4:.4f}", "12.5") for line in lines]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert imported(path)[1] == {"plot-area-differs"}


def test_several_plots_of_one_place_are_joined_and_told(tmp_path):
    halves = [shapely.intersection(GK, shapely.box(*box)) for box in split(GK.bounds)]
    text = "\n".join([*["[属性描述]", *HEAD, "[地块坐标]"]])
    for number, half in enumerate(halves, start=1):
        for ring_number, ring in enumerate(rings_of(half), start=1):
            if ring_number == 1:
                text += f"\n{sum(map(len, rings_of(half)))},,{number},临港区{number},面,,,,@"
            text += "".join(f"\nJ1,{ring_number},{y:.3f},{x + ZONE:.3f}" for x, y in ring)
    path = tmp_path / "a.txt"
    path.write_text(text, encoding="utf-8")
    polygon, found = imported(path)
    assert found == {"features-joined"}
    assert_same(polygon)


def split(bounds):
    west, south, east, north = bounds
    middle = (west + east) / 2
    return (west, south, middle, north), (middle, south, east, north)


def dms(value):
    degrees = int(value)
    minutes = int((value - degrees) * 60)
    return degrees, minutes, ((value - degrees) * 60 - minutes) * 60


def row_writers():
    """Return rows of corner points by how they are written, with what has to be said of them."""
    rings = [(number, ring) for number, ring in enumerate(rings_of(SHAPE), start=1)]
    metres = [(number, ring) for number, ring in enumerate(rings_of(GK), start=1)]
    packed = "{0}.{1:02d}{2}".format

    def angle(value, form):
        degrees, minutes, seconds = dms(value)
        if form == "packed":
            return packed(degrees, minutes, f"{seconds:010.7f}".replace(".", ""))
        return (
            f"{degrees}°{minutes:02d}′{seconds:.5f}″"
            if form == "marks"
            else f"{degrees}度{minutes}分{seconds:.5f}秒"
        )

    yield (
        "north first, X and Y",
        [["点号", "圈号", "X", "Y"]]
        + [
            [f"J{at}", number, f"{y:.3f}", f"{x:.3f}"]
            for number, ring in metres
            for at, (x, y) in enumerate(ring)
        ],
        {"crs": "EPSG:4549"},
    )
    yield (
        "east first, X and Y",
        [["no", "ring", "X", "Y"]]
        + [[at, number, f"{x:.3f}", f"{y:.3f}"] for number, ring in metres for at, (x, y) in enumerate(ring)],
        {"crs": "EPSG:4549"},
    )
    yield (
        "with a title that names the system",
        [
            ["临港区拐点坐标表（2000国家大地坐标系 3度带 中央子午线120°）"],
            ["拐点", "圈号", "北坐标(m)", "东坐标(m)"],
        ]
        + [[at, number, f"{y:.3f}", f"{x:.3f}"] for number, ring in metres for at, (x, y) in enumerate(ring)],
        {},
    )
    yield (
        "degrees",
        [["点号", "圈号", "经度", "纬度"]]
        + [[at, number, f"{x:.8f}", f"{y:.8f}"] for number, ring in rings for at, (x, y) in enumerate(ring)],
        {"crs": "EPSG:4490"},
    )
    yield (
        "degrees without titles; a ring ends where it began",
        [[at, f"{y:.8f}", f"{x:.8f}"] for _, ring in rings for at, (x, y) in enumerate(ring)],
        {"crs": "2000国家大地坐标系"},
    )
    for form in ("marks", "words"):
        yield (
            f"degrees, minutes and seconds as {form}",
            [["环号", "东经", "北纬"]]
            + [[number, angle(x, form), angle(y, form)] for number, ring in rings for x, y in ring],
            {"crs": "EPSG:4490"},
        )
    yield (
        "dd.mmss",
        [["圈号", "B", "L"]]
        + [[number, angle(y, "packed"), angle(x, "packed")] for number, ring in rings for x, y in ring],
        {"crs": "EPSG:4490"},
    )


ROWS = {name: (rows, said) for name, rows, said in row_writers()}


@pytest.mark.parametrize("kind", ["csv", "gbk.csv", "tab.txt", "xlsx"])
@pytest.mark.parametrize("name", ROWS)
def test_corner_points_in_a_table(tmp_path, name, kind):
    rows, said = ROWS[name]
    path = tmp_path / f"拐点.{kind}"
    if kind == "xlsx":
        book = openpyxl.Workbook()
        sheet = book.create_sheet("拐点", 0)
        for row in rows:
            sheet.append(row)
        book.save(path)
    else:
        mark = "\t" if kind == "tab.txt" else ","
        text = "\n".join(mark.join(map(str, row)) for row in rows)
        path.write_bytes(text.encode("gb18030" if kind == "gbk.csv" else "utf-8-sig"))
    polygon, found = imported(path, **said)
    assert_same(polygon, 0.5)
    assert found == ({"angles-packed"} if name == "dd.mmss" else set())


@pytest.mark.parametrize("library", ["openpyxl", "xlsxwriter"])
def test_formulas_without_values_are_told_by_cell(tmp_path, library):
    """As programs write them that do not reckon: nothing, or a 0; only of the sheet that is read."""
    path = tmp_path / "a.xlsx"
    book: Any = openpyxl.Workbook() if library == "openpyxl" else xlsxwriter.Workbook(path)
    for name, last in (("值", 37.4), ("R&D", "=C2+0.1")):
        sheet = book.create_sheet(name) if library == "openpyxl" else book.add_worksheet(name)
        rows = (["点号", "经度", "纬度"], [1, 122.0, 37.3], [2, 122.1, 37.3], [3, 122.1, last])
        for at, row in enumerate(rows):
            sheet.append(row) if library == "openpyxl" else sheet.write_row(at, 0, row)
    book.save(path) if library == "openpyxl" else book.close()

    def locate(path, table):
        return read_located_table(path, path.name, TableOptions(table=table), tmp_path)

    for read in (read_boundary_file, locate):
        assert read(path, table="值")
        with pytest.raises(RefusedError) as error:
            read(path, table="R&D")
        assert error.value.issue.code == "formulas-unreckoned"
        assert "C4" in error.value.issue.message_en


@pytest.mark.parametrize("form", ["callback({});", "\n/**/ jQuery1_2.f( {} )", "var json_区_1 = {};", "a={}"])
def test_json_in_a_script_is_read(tmp_path, form):
    path = dumped(tmp_path / "a.json", [({"n": "临港区"}, plain(SHAPE))])
    path.write_text(form.format(path.read_text(encoding="utf-8")), encoding="utf-8")
    assert_same(imported(path)[0])


def test_columns_that_cannot_be_told_are_asked_for(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{x:.6f},{y:.6f},{x + 1:.6f}" for x, y in rings_of(SHAPE)[0]]
    path.write_text("\n".join(["甲,纬度,乙", *rows]), encoding="utf-8")
    assert codes(path, of="lingang", crs="EPSG:4490")[0] == {"columns-unknown"}
    assert imported(path, crs="EPSG:4490", columns="甲,纬度")
    assert imported(path, crs="EPSG:4490", columns="1,2")
    assert codes(path, columns="甲,丙")[0] == {"columns-not-found"}
    path.write_text("X,Y\na,b\nc,d", encoding="utf-8")
    assert refused(path) == "line-unreadable"
    path.write_text("X,Y\n", encoding="utf-8")
    assert refused(path) in {"columns-unknown", "file-empty"}


WKTS = {
    "WKT": SHAPE.wkt,
    "EWKT": f"SRID=4490;{SHAPE.wkt}",
    "hexadecimal WKB": shapely.to_wkb(SHAPE, hex=True),
    "hexadecimal EWKB": shapely.to_wkb(shapely.set_srid(SHAPE, 4490), hex=True, include_srid=True),
    "a column": f'name;wkt\n临港区;"{SHAPE.wkt}"',
    "a column alone": f'the_geom\n"{SHAPE.wkt}"',
    "a column beside lists": f'name,kinds,wkt\n临港区,甲，乙;丙，丁,"{SHAPE.wkt}"',
    "a column of any length": f'name\twkt\n临港区\t"{shapely.segmentize(SHAPE, 1e-4).wkt}"',
    "a surface of curves": "MULTISURFACE({})".format(
        SHAPE.wkt.replace("POLYGON ((", "CURVEPOLYGON (COMPOUNDCURVE ((", 1).replace("), (", ")), (", 1)
    ),
}


@pytest.mark.parametrize("name", WKTS)
def test_well_known_text(tmp_path, name):
    path = tmp_path / "a.txt"
    path.write_text(WKTS[name], encoding="utf-8")
    named = {} if name.startswith("E") or "EWKB" in name else {"crs": "EPSG:4490"}
    polygon, found = imported(path, **named)
    assert_same(polygon)
    assert found == set()
    path.write_text(WKTS[name][:-40], encoding="utf-8")
    assert codes(path, of="lingang", **named)[0] & {"not-readable", "unknown-format"}
    path.write_text("010a0000000100000001080000000300000000000000" + "00" * 44)  # curves as WKB
    assert refused(path) == "not-readable"


def test_json_of_other_makers(tmp_path):
    path = tmp_path / "esri.json"
    rings = [ring.tolist() for ring in rings_of(SHAPE)]
    esri: dict[str, Any] = {
        "geometryType": "esriGeometryPolygon",
        "spatialReference": {"wkid": 4490},
        "fields": [{"name": "名称", "type": "esriFieldTypeString"}],
        "features": [{"attributes": {"名称": "临港区"}, "geometry": {"rings": rings}}],
    }
    path.write_text(json.dumps(esri), encoding="utf-8")
    polygon, found = imported(path)
    assert_same(polygon)
    assert found == set()
    system, (feature,) = {"spatialReference": esri["spatialReference"]}, esri["features"]
    bare = feature["geometry"] | system
    for part in (feature | {"geometry": bare}, bare, {"features": [feature], **system}):
        path.write_text(json.dumps(part), encoding="utf-8")
        assert_same(imported(path)[0])
    path.write_text(json.dumps({"paths": rings, **system}), encoding="utf-8")
    assert codes(path, of="lingang")[0] == {"lines-not-closed"}
    esri["features"][0]["geometry"]["rings"].append([[122.1, 37.3], None, [122.2, 37.3], [122.1, 37.3]])
    path.write_text(json.dumps(esri), encoding="utf-8")
    assert refused(path) in {"content-lost", "not-readable"}
    collection = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "properties": {"n": "临港区"}, "geometry": plain(SHAPE)}],
    }
    path.write_text(Topology(collection, prequantize=False).to_json(), encoding="utf-8")
    assert_same(imported(path)[0])
    topology = json.loads(path.read_text(encoding="utf-8"))
    for arc in ([99], None):
        broken = json.loads(json.dumps(topology))
        if arc:
            next(iter(broken["objects"].values()))["geometries"][0]["arcs"][1] = arc
        else:
            broken["arcs"][1][2] = arc
        path.write_text(json.dumps(broken), encoding="utf-8")
        assert refused(path) == "content-lost"


@pytest.mark.parametrize(
    "said", [{"exceededTransferLimit": True}, {"numberMatched": 12}, {"totalFeatures": 2}]
)
def test_an_answer_that_was_cut_is_told(tmp_path, said):
    path = dumped(tmp_path / "a.geojson", [({"n": "临港区"}, plain(SHAPE))], **said)
    assert imported(path)[1] == {"answer-cut"}
    path = dumped(path, [({"n": "临港区"}, plain(SHAPE))], numberMatched=1)
    assert imported(path)[1] == set()


def test_curves_of_an_esri_json_are_named(tmp_path):
    path = tmp_path / "a.json"
    ring = [[122.0, 37.3], {"c": [[122.2, 37.3], [122.1, 37.4]]}, {"c": [[122.0, 37.3], [122.1, 37.2]]}]
    feature = {"attributes": {}, "geometry": {"curveRings": [ring]}}
    path.write_text(json.dumps({"geometryType": "esriGeometryPolygon", "features": [feature]}))
    (issue,) = propose(request(path, of="lingang"), GROUND).issues
    assert "curveRings" in issue.message_en


def test_district_services_are_read_in_their_own_system(tmp_path):
    path = tmp_path / "district.json"
    shifted = crs.transform_geometry(SHAPE, "CRS84", "GCJ-02")
    line = "|".join(";".join(f"{x:.7f},{y:.7f}" for x, y in ring) for ring in rings_of(shifted))
    amap = {
        "status": "1",
        "districts": [{"adcode": "371073", "name": "临港区", "level": "district", "polyline": line}],
    }
    path.write_text(json.dumps(amap), encoding="utf-8")
    polygon, found = imported(path)
    assert_same(polygon)
    assert found == {"from-service"}
    tianditu = {
        "status": 200,
        "data": {"district": [{"gb": "156371073", "name": "临港区", "boundary": SHAPE.wkt}]},
    }
    path.write_text(json.dumps(tianditu), encoding="utf-8")
    assert_same(imported(path)[0])
    properties = {"adcode": 371073, "name": "临港区", "level": "district", "parent": {"adcode": 371000}}
    dumped(path, [(properties, plain(shifted))])
    polygon, found = imported(path)
    assert_same(polygon)
    assert found == {"from-service"}


def written(tmp_path, name, shape=SHAPE, frame="EPSG:4490", **options):
    path = tmp_path / name
    values = [np.array(["临港区"], dtype=object)]
    kind = shape.geom_type
    pyogrio.raw.write(
        path, shapely.to_wkb(np.array([shape])), values, ["name"], geometry_type=kind, crs=frame, **options
    )
    return path


def test_a_file_geodatabase_as_a_folder_and_in_a_zip(tmp_path):
    path = written(tmp_path, "临港.gdb", GK, "EPSG:4549", driver="OpenFileGDB", layer="范围")
    assert_same(imported(path)[0])
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for part in path.iterdir():
            target.write(part, f"成果/临港.gdb/{part.name}")
    polygon, found = imported(archive)
    assert_same(polygon)
    assert found == set()


@pytest.mark.parametrize(
    ("name", "driver"), [("a.tab", "MapInfo File"), ("a.mif", "MapInfo File"), ("a.gml", "GML")]
)
def test_mapinfo_and_gml(tmp_path, name, driver):
    path = written(tmp_path, name, frame="EPSG:4326", driver=driver)
    polygon, found = imported(zipped(path))
    assert_same(polygon, 2.5)  # MapInfo keeps whole steps of its own grid
    assert found <= {"suspected-gcj02"}
    if name == "a.tab":
        path.with_suffix(".map").unlink()
        path.with_suffix(".zip").unlink()
        assert refused(zipped(path)) == "mapinfo-incomplete"


def test_a_mapinfo_in_a_plane_of_its_own_has_no_system(tmp_path):
    head = 'Version 300\nCharset "Neutral"\nCoordSys NonEarth Units "m" Bounds (0,0) (5e7,5e7)\n'
    head += "Columns 0\nData\n"
    rings = [f"{len(ring)}\n" + "\n".join(f"{x:.3f} {y:.3f}" for x, y in ring) for ring in rings_of(GK)]
    path = tmp_path / "a.mif"
    path.write_text("\n".join([head, f"Region {len(rings)}", *rings]) + "\n")
    assert codes(path, of="lingang")[0] == {"missing-crs"}
    polygon, found = imported(path, crs="EPSG:4549")
    assert_same(polygon)
    assert found == set()


def test_json_with_one_feature_a_line_is_read_whole(tmp_path):
    path = tmp_path / "a.geojsonl"
    rows = [{"type": "Feature", "properties": {"name": name}, "geometry": plain(SHAPE)} for name in "甲乙"]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    features = read_boundary_file(path).features
    assert [row.properties["name"] for row in features] == ["甲", "乙"]
    assert all(shapely.equals(row.geometry, SHAPE) for row in features)


def test_a_gml_leaves_nothing_beside_it(tmp_path):
    path = written(tmp_path, "a.gml", frame="EPSG:4326", driver="GML")
    before = {one.name: one.stat().st_mtime_ns for one in tmp_path.iterdir()}
    imported(path)
    assert {one.name: one.stat().st_mtime_ns for one in tmp_path.iterdir()} == before


ARCS = """<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml/3.2" xmlns:a="a">
<gml:featureMember><a:zone><a:name>临港区</a:name><a:geom><gml:Polygon srsName="EPSG:4549"><gml:exterior>
<gml:Ring><gml:curveMember><gml:Curve><gml:segments>
<gml:Arc><gml:posList>670000 4130000 679000 4139000 688000 4130000</gml:posList></gml:Arc>
<gml:Arc><gml:posList>688000 4130000 679000 4121000 670000 4130000</gml:posList></gml:Arc>
</gml:segments></gml:Curve></gml:curveMember></gml:Ring></gml:exterior></gml:Polygon></a:geom></a:zone>
</gml:featureMember></gml:FeatureCollection>"""


def test_curves_are_kept_within_a_decimetre(tmp_path):
    path = tmp_path / "a.gml"
    path.write_text(ARCS, encoding="utf-8")
    shape = read_boundary_file(path).features[0].geometry
    assert shape is not None
    points = shapely.get_coordinates(shapely.segmentize(shape.boundary, 1.0))
    assert np.abs(np.hypot(*(points - [679_000, 4_130_000]).T) - 9_000).max() < 0.1


def test_a_track_is_closed_on_request(tmp_path):
    path = tmp_path / "a.gpx"
    points = rings_of(zone("lingang"))[0][:-1]
    shapes = shapely.to_wkb(np.array([shapely.MultiLineString([points])]))
    pyogrio.raw.write(
        path,
        shapes,
        [np.array(["临港区"], dtype=object)],
        ["name"],
        geometry_type="MultiLineString",
        crs="EPSG:4326",
        driver="GPX",
        layer="tracks",
    )
    assert codes(path, of="lingang")[0] == {"layer-chosen", "lines-not-closed"}
    polygon, found = imported(path, fix=True)
    assert found == {"layer-chosen", "lines-closed"}
    assert shapely.symmetric_difference(polygon, zone("lingang")).area < 1e-7


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"FeatureCollection","UTF8Encoding":true,"features":[%s]}',
        '(function(){echarts.registerMap(\'weihai\',{"UTF8Encoding":true,"features":[%s]})})();',
    ],
)
def test_a_map_packed_for_echarts_is_refused_by_name(tmp_path, text):
    """Its corners are hundred metres off, so they are not unpacked."""
    path = tmp_path / "a.json"
    shape = '{"type":"Polygon","coordinates":["@@AB"],"encodeOffsets":[[124000,38000]]}'
    path.write_text(text % f'{{"type":"Feature","properties":{{}},"geometry":{shape}}}', encoding="utf-8")
    (issue,) = propose(request(path, of="lingang"), GROUND).issues
    assert issue.code == "format-refused"
    assert "ECharts" in issue.message_en


def drawing(rings, layer="临港边界", unit=6, page="ANSI_936", bulge=0.0, scale=1.0):
    """Return a drawing with closed polylines."""
    pairs = [(0, "SECTION"), (2, "HEADER"), (9, "$ACADVER"), (1, "AC1015"), (9, "$DWGCODEPAGE"), (3, page)]
    pairs += [(9, "$INSUNITS"), (70, unit), (0, "ENDSEC"), (0, "SECTION"), (2, "ENTITIES")]
    for ring in rings:
        points = ring[:-1]
        pairs += [(0, "LWPOLYLINE"), (8, layer), (90, len(points)), (70, 1)]
        for x, y in points:
            pairs += [(10, f"{x * scale:.4f}"), (20, f"{y * scale:.4f}"), *([(42, bulge)] if bulge else [])]
    pairs += [
        (0, "TEXT"),
        (8, "注记"),
        (10, "0"),
        (20, "0"),
        (40, "1"),
        (1, "说明"),
        (0, "ENDSEC"),
        (0, "EOF"),
    ]
    return "\n".join(f"{code}\n{value}" for code, value in pairs)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
@pytest.mark.parametrize(
    ("unit", "scale", "told"),
    [
        (6, 1.0, set()),
        (4, 1.0, {"drawing-unit-contradicts"}),
        (4, 1000.0, {"drawing-scaled"}),
        (6, 1000.0, {"drawing-scaled"}),
        (0, 1000.0, {"drawing-scaled"}),
        (7, 0.001, {"drawing-scaled"}),
        (2, 1 / 0.3048, {"drawing-scaled"}),
        (21, 3937 / 1200, {"drawing-scaled"}),
        (14, 10.0, {"drawing-scaled"}),
        (10, 1 / 0.9144, {"drawing-scaled"}),
        (24, 3937 / 1200 / 5280, {"drawing-scaled"}),
    ],
)
def test_a_drawing_with_closed_lines(tmp_path, encoding, unit, scale, told):
    """Many drawings in metres say millimetres, and the other way round: it is seen by their numbers."""
    path = tmp_path / "a.dxf"
    path.write_bytes(drawing(rings_of(GK), unit=unit, scale=scale).encode(encoding))
    polygon, found = imported(path, crs="EPSG:4549")
    assert_same(polygon)
    assert found == {"layer-chosen"} | told
    assert imported(path, crs="EPSG:4549", table="临港边界")[1] == found - {"layer-chosen"}
    assert refused(path, table="无") == "unknown-table"


def test_arcs_of_a_drawing_are_kept_within_a_decimetre(tmp_path):
    path = tmp_path / "a.dxf"
    west, south, east, north = GK.bounds
    centre, radius = np.array([(west + east) / 2, (south + north) / 2]), 9_000.0
    east_end, west_end = centre + np.array([radius, 0]), centre - np.array([radius, 0])
    path.write_text(drawing([[west_end, east_end, west_end]], bulge=1.0), encoding="gb18030")
    polygon, _ = imported(path, crs="EPSG:4549")
    flat = crs.transform_geometry(polygon, "CRS84", "EPSG:4549")
    points = shapely.get_coordinates(shapely.segmentize(flat.boundary, 1.0))
    assert np.abs(np.hypot(*(points - centre).T) - radius).max() < 0.1


def test_a_drawing_with_several_layers_of_areas_asks_which(tmp_path):
    path = tmp_path / "a.dxf"
    both = drawing(rings_of(GK)[:1]).replace("0\nENDSEC\n0\nEOF", "")
    other = drawing(rings_of(GK)[:1], layer="另一层")
    path.write_text(both + other[other.index("0\nLWPOLYLINE") :], encoding="gb18030")
    assert refused(path) == "several-layers"
    assert codes(path, of="lingang", crs="EPSG:4549", table="另一层")[0] == set()


def test_a_ring_that_is_drawn_and_hatched_is_one(tmp_path):
    """And a layer whose name has its letters as numbers is known by them."""
    path = tmp_path / "a.dxf"
    path.write_text(drawing([*rings_of(GK), *rings_of(GK)], layer=r"\U+4E34\U+6E2F"), encoding="gb18030")
    polygon, found = imported(path, crs="EPSG:4549", table="临港")
    assert_same(polygon)
    assert found == set()


def test_the_list_of_a_total_station_is_no_part_of_a_table(tmp_path):
    """The suffix is also that of MapInfo's attributes."""
    path = tmp_path / "a.dat"
    path.write_text("\n".join(f"{at},,{x:.3f},{y:.3f},0.0" for at, (x, y) in enumerate(rings_of(GK)[0])))
    polygon, _ = imported(path, crs="EPSG:4549")
    assert shapely.symmetric_difference(polygon, shapely.Polygon(SHAPE.exterior)).area < 1e-7
    path.write_bytes(b"\x03\x7a\0\0" * 20)
    assert refused(path) == "format-refused"


KML = """<?xml version="1.0" encoding="{encoding}"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><name>临港区</name><Polygon><outerBoundaryIs><LinearRing><coordinates>{outer}</coordinates></LinearRing>
</outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>{inner}</coordinates></LinearRing></innerBoundaryIs>
</Polygon></Placemark>{more}</Document></kml>"""


def kml(encoding="UTF-8", more=""):
    outer, inner = (" ".join(f"{x:.8f},{y:.8f},0" for x, y in ring) for ring in rings_of(SHAPE))
    return KML.format(encoding=encoding, outer=outer, inner=inner, more=more)


@pytest.mark.parametrize(
    ("said", "encoding"),
    [
        *[("GBK", "gbk"), ("GB2312", "gbk"), ("UTF-16", "utf-16"), ("UTF-8", "gbk")],
        *[("UTF-16", "utf-16-le"), ("UTF-8", "utf-16-be")],
    ],
)
def test_a_kml_in_other_encodings(tmp_path, said, encoding):
    path = tmp_path / "a.kml"
    path.write_bytes(kml(said).encode(encoding))
    polygon, found = imported(path)
    assert_same(polygon)
    assert found == set()


@pytest.mark.parametrize("flaw", ["<a:x>1</a:x>", "<description>A & B</description>"])
def test_what_programs_forget_in_a_kml_is_put_right(tmp_path, flaw):
    path = tmp_path / "a.kml"
    path.write_text(kml().replace("<Polygon>", f"{flaw}<Polygon>"), encoding="utf-8")
    polygon, found = imported(path)
    assert_same(polygon)
    assert found == set()


def test_points_beside_a_polygon_are_left_out_and_told(tmp_path):
    path = tmp_path / "a.kml"
    post = "<Placemark><name>界桩</name><Point><coordinates>122.1,37.3</coordinates></Point></Placemark>"
    path.write_text(kml(more=post * 3), encoding="utf-8")
    polygon, found = imported(path)
    assert_same(polygon)
    assert found == {"non-polygons-left-out"}


def test_a_link_inside_a_kmz_is_followed(tmp_path):
    path = tmp_path / "a.kmz"
    link = '<kml xmlns="http://www.opengis.net/kml/2.2"><NetworkLink><Link><href>layers/临港.kml</href></Link></NetworkLink></kml>'
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("doc.kml", link)
        archive.writestr("layers/临港.kml", kml())
        archive.writestr("files/icon.png", b"\x89PNG")
    polygon, found = imported(path)
    assert_same(polygon)
    assert found == {"data-chosen"}
    outside = tmp_path / "b.kml"
    outside.write_text(link.replace("layers/", "https://example.org/"), encoding="utf-8")
    assert refused(outside) == "linked-elsewhere"


def test_the_only_polygons_of_an_archive_are_taken_or_one_is_named(tmp_path, write):
    write("线.shp", [shapely.LineString(rings_of(SHAPE)[0])], values=["临港区"])
    write("面.shp", [SHAPE], values=["临港区"])
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted(tmp_path.iterdir()):
            if part != path:
                archive.write(part, part.name)
    polygon, found = imported(path)
    assert_same(polygon)
    assert found == {"data-chosen"}
    assert imported(path, table="面")[1] == set()
    assert codes(path, of="lingang", table="线.shp")[0] == {"lines-not-closed"}


def test_files_of_the_same_name_in_two_folders_are_told(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for folder in ("批复", "规划"):
            archive.writestr(f"{folder}/范围.kml", kml())
    assert refused(path) == "zip-twice"


def test_what_is_damaged_in_an_archive_is_not_passed_over(tmp_path, write):
    write("好.geojson", [SHAPE], values=["临港区"])
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "好.geojson", "好.geojson")
        archive.writestr("坏.geojson", (tmp_path / "好.geojson").read_bytes()[:-40])
    assert refused(path) == "zip-ambiguous"
    assert_same(imported(path, table="好")[0])


REFUSED = {
    "a.dwg": b"AC1032" + b"\0" * 20,
    "a.mdb": b"\0\1\0\0Standard Jet DB\0" + b"\0" * 40,
    "a.rar": b"Rar!\x1a\x07\x01\0" + b"\0" * 40,
    "a.7z": b"7z\xbc\xaf\x27\x1c" + b"\0" * 40,
    "a.doc": bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 40,
    "a.xls": bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 40,
    "a.mxd": bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 40,
    "a.pdf": b"%PDF-1.7\n" + b"x" * 40,
    "a.png": b"\x89PNG\r\n\x1a\n" + b"\0" * 40,
    "a.jpg": b"\xff\xd8\xff\xe0" + b"\0" * 40,
    "a.tif": b"II*\0" + b"\0" * 40,
    "a.qgs": b"<!DOCTYPE qgis PUBLIC 'x' 'y'>\n<qgis version='3'></qgis>",
    "a.html": b"<html><body>x</body></html>",
    "a.dbf": b"\x03" + b"\0" * 40,
    "a.shx": bytes.fromhex("0000270a") + b"\0" * 100,
    "a.dxf": b"AutoCAD Binary DXF\r\n\x1a\0" + b"\0" * 40,
    "a.wp": b"WMAP`D22" + b"\0" * 40,
    **dict.fromkeys(("a.udb", "a.gdbtable", "a.heic", "a.vct", "a.tar", "a.mht"), b"\0\1" * 60),
    "四邻.txt": "该宗地东邻海滨路，西邻青岛路，南邻大海，北邻文化路。".encode(),
    "四至.txt": "规划面积15.1平方公里，四至范围：东至北环海路，南至文化西路。".encode("gbk"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("pack", [False, True])
def test_what_cannot_be_read_is_told_in_a_sentence_with_what_to_do(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(REFUSED[name])
    if pack and name not in {"a.rar", "a.7z"}:
        archive = tmp_path / "a.zip"
        with zipfile.ZipFile(archive, "w") as target:
            target.write(path, name)
        path = archive
    (issue,) = propose(request(path, of="lingang"), GROUND).issues
    assert issue.code in (
        {"format-refused", "zip-nothing"} if pack and name.endswith("txt") else {"format-refused"}
    )
    assert issue.code == "zip-nothing" or (issue.fix and all(issue.fix.values()))
    assert len({issue.message_zh, issue.message_en, issue.message_ko}) == 3


def test_documents_and_projects_that_are_zips_are_told(tmp_path):
    for name, member in (
        ("a.docx", "word/document.xml"),
        ("a.qgz", "a.qgs"),
        ("a.odt", "content.xml"),
        ("a.ofd", "OFD.xml"),
    ):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("mimetype", "x")
            archive.writestr(member, "x")
        assert refused(path) == "format-refused"


def test_a_value_cut_inside_a_letter_loses_that_letter_only(write):
    path = write("a.shp", [SHAPE, HOLE], values=["临港区", "蔄山镇"], encoding="UTF-8")
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace("蔄山镇".encode(), "蔄山镇".encode()[:-1] + b" "))
    proposal = propose(request(path, of="lingang"), GROUND)
    assert "text-cut" in {issue.code for issue in proposal.issues}
    assert [record.of for record in proposal.records] == ["lingang"]
    assert "蔄山\ufffd" in "".join(issue.message_zh for issue in proposal.issues)


def test_a_definition_with_chinese_letters_is_read(write):
    path = write("a.shp", [GK], "EPSG:4549", values=["临港区"])
    definition = path.with_suffix(".prj")
    text = definition.read_text().replace('PROJCS["', 'PROJCS["国家大地坐标系_', 1)
    definition.write_bytes(text.encode("gbk"))
    assert_same(imported(path)[0])


def test_a_ring_or_position_that_is_lost_is_told(tmp_path):
    collection = json.loads(dumped(tmp_path / "a.geojson", [({"n": "临港区"}, plain(SHAPE))]).read_text())
    for ring, value in ((0, None), (1, None), (1, [122.1, None]), (0, "x")):
        broken = json.loads(json.dumps(collection))
        broken["features"][0]["geometry"]["coordinates"][ring][1] = value
        (tmp_path / "b.geojson").write_text(json.dumps(broken), encoding="utf-8")
        assert refused(tmp_path / "b.geojson") in {"content-lost", "not-readable"}


def test_every_pair_of_neighbours_in_a_ring_stays(tmp_path):
    """What is read of corner points has them all, in their order."""
    path = tmp_path / "a.txt"
    path.write_text(exchange(head=HEAD), encoding="utf-8")
    polygon, _ = imported(path)
    edges = {
        tuple(sorted([a, b])) for ring in rings_of(polygon) for a, b in pairwise(map(tuple, ring.round(5)))
    }
    assert len(edges) == sum(len(ring) - 1 for ring in rings_of(SHAPE))


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON((" + " " * 1_000_000,
        "POINT" + " " * 1_000_000 + "POINT",
        '<?xml version="1.0"' + " " * 1_000_000 + "?><kml/>",
    ],
    ids=["within", "between", "declared"],
)
def test_a_long_run_of_spaces_is_passed_over_in_one_go(tmp_path, text):
    """It would take hours where each space is tried as the beginning of the rest."""
    path = tmp_path / "wide.kml"
    path.write_text(text)
    with pytest.raises(RefusedError):
        read_boundary_file(path)
