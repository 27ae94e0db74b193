"""A polygon by itself: its rings, repairs, parts and size."""

from __future__ import annotations

import re

import pytest
import shapely

from geodata import crs
from geodata.boundary_import import reader
from geodata.boundary_import.checks import repair_polygon
from geodata.boundary_import.issues import to_reasons
from geodata.boundary_import.propose import propose
from tests.geodata.boundary_import.files import GROUND, codes, dumped, plain, request, zone


def test_too_many_vertices_of_one_place_are_said(write, monkeypatch):
    monkeypatch.setattr("geodata.boundary_import.propose.MAX_PLACE_VERTICES", 10)
    assert codes(write("b.geojson", [zone("gaoqu")], values=["高区"]), of="gaoqu")[0] == {"too-many-vertices"}


def test_an_invalid_ring_is_repaired_only_when_asked(tmp_path):
    west, south, east, north = zone("lingang").bounds
    bow = {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, north], [east, south], [west, north], [west, south]]],
    }
    path = dumped(tmp_path / "a.geojson", [({"n": "临港区"}, bow)])
    assert codes(path) == ({"invalid-ring"}, [])
    proposal = propose(request(path, fix=True), GROUND)
    assert "repaired-ring" in {issue.code for issue in proposal.issues}
    assert proposal.records[0].polygon.is_valid
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
    row = reader.SourceFeature("a", {}, shapely.from_wkt(FLAWS[name]))
    _, issue = repair_polygon(row, "lingang", fix=False)
    assert issue
    reason = issue.message_zh.removeprefix("多边形无效：")
    assert re.search("[\u4e00-\u9fff]", reason)
    assert name not in issue.message_zh
    assert not re.search("[\u4e00-\u9fff]", issue.message_en)
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
    proposal = propose(request(path, fix=True), GROUND)
    said = next(row for row in proposal.issues if row.code == "repaired-ring")
    before, after = map(float, re.findall(r"(\d+\.\d+) ", said.message_en)[-2:])
    assert after == pytest.approx(crs.measure_area_km2(proposal.records[0].polygon), abs=0.01)
    if times:
        assert before == pytest.approx(times * after, abs=0.01)
    else:  # a hole that cuts nothing is no land either
        shell, hole = map(shapely.Polygon, rings(name)["coordinates"][0])
        assert after == pytest.approx(crs.measure_area_km2(shell), abs=0.01)
        assert before == pytest.approx(after - crs.measure_area_km2(hole), abs=0.01)
    assert said.remark in proposal.records[0].fixes


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", ["clockwise", "counter-clockwise", "every point three times"])
def test_rings_in_either_direction_are_valid_and_come_out_right(tmp_path, name):
    """RFC 7946 asks readers to take both; what is kept goes by the right-hand rule."""
    path = dumped(tmp_path / "a.geojson", [({"n": "临港区"}, rings(name))])
    proposal = propose(request(path), GROUND)
    assert proposal.errors == 0
    shells = [part.exterior for part in shapely.get_parts(proposal.records[0].polygon)]
    assert all(shapely.is_ccw(shells))


@pytest.mark.usefixtures("alone")
def test_a_feature_that_is_there_twice_is_told(tmp_path):
    rows = [({"n": "x"}, plain(zone("lingang"))), ({"n": "y"}, plain(zone("lingang").reverse()))]
    found = propose(request(dumped(tmp_path / "a.geojson", rows), of="lingang"), GROUND)
    said = next(issue for issue in found.issues if issue.code == "repeated-feature")
    assert found.errors == 0
    assert said.path.endswith("#2")
    assert "有 2 个要素图形完全相同，只用一个（a.geojson/a#1）" in said.message_zh
    assert said.remark in found.records[0].fixes
    once = propose(request(dumped(tmp_path / "a.geojson", rows[:1]), of="lingang"), GROUND)
    assert shapely.equals(found.records[0].polygon, once.records[0].polygon)
    assert "repeated-feature" not in {issue.code for issue in once.issues}


def test_a_polygon_that_rounding_would_swallow_is_refused(tmp_path):
    crumb = plain(shapely.box(122.0, 37.27, 122.00000001, 37.27000001))
    assert codes(dumped(tmp_path / "a.geojson", [({"n": "临港区"}, crumb)])) == ({"too-small"}, [])


def test_fragments_and_gaps_are_told_and_kept(write):
    west, _, east, _ = zone("lingang").bounds
    middle = zone("lingang").representative_point()
    crumbs = [shapely.box(east + 0.001, middle.y, east + 0.0011, middle.y + 0.00001)]
    crumbs.append(shapely.box(west - 0.001, middle.y, west - 0.00099, middle.y + 0.001))
    gap = shapely.box(middle.x, middle.y, middle.x + 0.00005, middle.y + 0.00005)
    drawn = shapely.union_all([shapely.difference(zone("lingang"), gap), *crumbs])
    proposal = propose(request(write("a.gpkg", [drawn]), of="lingang"), GROUND)
    assert proposal.errors == 0
    said = next(issue for issue in proposal.issues if issue.code == "fragments")
    assert "含碎片 2 处、缝隙 1 处，宽不足 10 m" in said.message_zh
    assert "fragments (2) and gaps (1) less than 10 m wide" in said.message_en
    assert shapely.equals(shapely.set_precision(drawn, 1e-7), proposal.records[0].polygon)
    assert "fragments" not in codes(write("b.gpkg", [zone("lingang")]), of="lingang")[0]
