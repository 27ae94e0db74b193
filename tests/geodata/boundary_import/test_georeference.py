"""Coordinates: which system, which axis first, near the city or not, and how sure that is."""

from __future__ import annotations

import json
import re

import pytest
import shapely
from pyproj import CRS

from geodata import crs
from geodata.boundary_import.georeference import check_datum, georeference
from geodata.boundary_import.propose import propose
from geodata.boundary_import.reader import BoundaryFile, SourceFeature
from tests.geodata.boundary_import.files import GROUND, SQUARE, codes, dumped, plain, request, zone

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


def test_a_feature_without_geometry_beside_others_is_left_out_and_told():
    rows = [SourceFeature("a", {}, None), SourceFeature("b", {}, SQUARE)]
    found = georeference(BoundaryFile("a", "", "EPSG:4490", rows), SQUARE, None, 5.0, fix=False)
    assert [one.path for one in found.features] == ["b"]
    assert {issue.code for issue in found.issues} == {"empty-left-out"}


def test_a_system_without_a_name_is_named_after_the_usual_one_of_the_same_figures():
    nameless = (
        CRS("EPSG:32651")
        .to_wkt("WKT1_GDAL")
        .replace("WGS 84 / UTM zone 51N", "unnamed")
        .replace(',AUTHORITY["EPSG","32651"]', "")
        .replace('"central_meridian",123', '"central_meridian",120')
        .replace("0.9996", "1")
    )
    shape = crs.transform_geometry(SQUARE, "CRS84", "EPSG:4549")
    file = BoundaryFile("a", "", nameless, [SourceFeature("a", {}, shape)])
    assert georeference(file, SQUARE, None, 5.0, fix=False).crs == "EPSG:4549"


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
    (issue,) = propose(request(path), GROUND).issues
    assert issue.code == "missing-crs"
    assert f"与 {fits}" in issue.message_zh
    assert ("交换坐标轴后" in issue.message_zh) is swapped
    assert issue.fix
    assert f"--crs {fits}{' --fix' if swapped else ''}；" in issue.fix["zh"]
    assert codes(path, crs=fits, fix=swapped) == ({"flipped-swapped"} if swapped else set(), ["lingang"])


def test_a_zones_number_before_the_easting_is_recognised(write):
    (issue,) = propose(request(write("a.gpkg", [in_frame("EPSG:4528")], "EPSG:4549")), GROUND).issues
    assert issue.code == "projected-numbers"
    assert "EPSG:4528" in issue.message_zh
    assert re.search(r"（?\(40\d{6}, 4\d{6}\)", issue.message_en)  # in whole metres


def test_swapped_metres_are_told_in_whole_metres(write):
    path = write("a.gpkg", [shapely.transform(in_frame("EPSG:4549"), lambda xy: xy[:, ::-1])], "EPSG:4549")
    (issue,) = propose(request(path), GROUND).issues
    assert issue.code == "flipped-axes"
    assert "(41" in issue.message_zh
    assert re.search(r"\(4\d{6}, 6\d{5}\)", issue.message_en)


def test_all_features_that_are_no_polygons_are_told_at_once(tmp_path):
    shape = zone("lingang")
    line, point = plain(shapely.get_parts(shape)[0].exterior), plain(shape.centroid)
    rows = [({"n": "临港区"}, one) for one in (plain(shape), line, point, point)]
    (issue,) = propose(request(dumped(tmp_path / "a.geojson", rows[1:])), GROUND).issues
    assert issue.code == "wrong-geometry-type"
    assert "3 个要素中有 3 个是点、线" in issue.message_zh
    assert "of 3 features 3 are: Point, LineString" in issue.message_en


def test_features_elsewhere_are_told_once(tmp_path):
    far = plain(shapely.box(116, 39, 117, 40))
    rows = [({"n": "临港区"}, plain(zone("lingang"))), *(({"n": str(one)}, far) for one in range(9))]
    (issue,) = propose(request(dumped(tmp_path / "a.geojson", rows)), GROUND).issues
    assert issue.code == "outside-city"
    assert "9 个要素" in issue.message_zh


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
    (issue,) = propose(request(path), GROUND).issues
    assert issue.code == "unknown-numbers"
    assert issue.fix
    assert "EPSG:4490" in issue.fix["zh"]


def test_errors_are_told_first(write):
    path = write("a.shp", [zone("lingang")], encoding="GBK")
    for suffix in (".prj", ".cpg"):
        path.with_suffix(suffix).unlink()
    found = propose(request(path), GROUND).issues
    assert [issue.code for issue in found] == ["missing-crs", "encoding-guessed"]


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
    assert propose(request(path, of="lingang", accuracy_m=100.0), GROUND).errors == 0


def test_a_given_frame_overrules_the_files_own_and_that_is_said(write):
    metres = crs.transform_geometry(zone("lingang"), "CRS84", "EPSG:3857")
    path = write("a.geojson", [metres], "EPSG:4326")
    assert codes(path, crs="EPSG:3857") == ({"crs-mismatch"}, ["lingang"])


@pytest.mark.usefixtures("alone")
def test_a_geojson_that_names_a_system_nobody_knows_is_told(tmp_path):
    """GDAL would read it as WGS 84 without a term."""
    rows = [({"n": "临港区", "crs": {"a": 1}}, plain(zone("lingang")))]

    def file(kind, **named):
        return dumped(tmp_path / "a.geojson", rows, crs={"type": kind, "properties": named})

    unknown = "urn:ogc:def:crs:EPSG::99999"
    found = propose(request(file("name", name=unknown)), GROUND)
    assert [one.code for one in found.issues] == ["unknown-crs"]
    assert unknown in found.issues[0].message_zh
    assert found.issues[0].remedy
    assert "EPSG:4490" in found.issues[0].remedy.choices
    assert codes(file("link", href="http://example.org/crs"))[0] == {"unknown-crs"}
    told, places = codes(file("name", name=unknown), crs="EPSG:4326")
    assert told == {"crs-mismatch"}
    assert places == ["lingang"]
    for known in ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4490", "CGCS2000"):
        assert codes(file("name", name=known)) == (set(), ["lingang"])


@pytest.mark.parametrize("parts", [1, 2])
def test_a_slip_in_one_corner_is_shown(tmp_path, parts):
    """The feature that has it is not left out as if it were elsewhere."""
    rings = [shapely.get_coordinates(zone(name))[:-1].tolist() for name in ("lingang", "jingqu")[:parts]]
    rings[0][7][0] -= 10
    rows = [f"{number},{x},{y}" for number, ring in enumerate(rings) for x, y in ring]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["地块,经度,纬度", *rows]), encoding="utf-8")
    (issue,) = propose(request(path, of="lingang", crs="EPSG:4490", feature="*"), GROUND).issues
    assert issue.code == "out-of-bounds"
    assert f"({rings[0][7][0]:.4f}" in issue.message_en
    assert "; 1 of them" in issue.message_en


@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: crs.transform(x, y, "EPSG:4549", "EPSG:4490"),
        lambda x, y: (x + 40_000_000, y),
        lambda x, y: (y, x),
    ],
    ids=["degrees", "the number of a zone", "axes"],
)
@pytest.mark.parametrize("given", [None, "EPSG:4549"])
@pytest.mark.parametrize("corners", [1, 20])
def test_a_file_in_more_than_one_system_is_told(tmp_path, change, given, corners):
    """Each of its points lies in the city, so that part of it would be left out or drawn far away."""
    points = shapely.get_coordinates(crs.transform_geometry(zone("lingang"), "CRS84", "EPSG:4549"))[:-1]
    points[-corners:] = [change(*point) for point in points[-corners:]]
    path = tmp_path / "a.csv"
    rows = [f"J{at},{y:.4f},{x:.4f}" for at, (x, y) in enumerate(points, start=1)]
    path.write_text("\n".join(["点号,X,Y", *rows]), encoding="utf-8")
    found = propose(request(path, of="lingang", crs=given), GROUND)
    assert [issue.code for issue in found.issues if issue.level == "error"] == ["mixed-numbers"]
    assert str(corners) in found.issues[0].message_en
