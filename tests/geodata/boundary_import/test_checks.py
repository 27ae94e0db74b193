"""A polygon against what is there: its place, its neighbours, its published area."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely

from geodata import crs
from geodata.boundary_import.propose import Baseline, propose
from tests.geodata.boundary_import.files import GROUND, codes, record_of, request, zone


def test_areas_and_places_that_cannot_be_meant_are_said(write):
    small = crs.build_circle(122.0, 37.27, 4000)
    assert "area-far" in codes(write("a.geojson", [small]), of="lingang")[0]
    larger = shapely.buffer(zone("lingang"), 0.004)
    assert {"area-differs", "outside-parent-sliver"} <= codes(write("b.geojson", [larger]), of="lingang")[0]
    elsewhere = shapely.affinity.translate(zone("gaoqu"), 0.25, -0.1)
    assert {"elsewhere", "outside-parent"} <= codes(write("c.geojson", [elsewhere]), of="gaoqu")[0]


def test_a_polygon_in_the_wrong_place_is_told_where_it_lies(write):
    proposal = propose(request(write("a.gpkg", [zone("gaoqu")], values=["x"]), of="jingqu"), GROUND)
    said = next(issue for issue in proposal.issues if issue.code == "elsewhere")
    assert said.fix
    assert "100% 在高区（gaoqu）" in said.fix["zh"]
    assert "100% of it lies in Weihai Hi-Tech Zone (gaoqu)" in said.fix["en"]


@pytest.mark.parametrize(
    ("lon", "lat", "code", "where"),
    [(122.45, 37.2, "part-in-another-county", "荣成市（rongcheng）"), (122.0, 37.7, "detached-part", "海域")],
)
def test_parts_far_from_the_parent_are_told_by_where_they_lie(write, lon, lat, code, where):
    """An island that is not known here may be right; a crumb in another county is not."""
    crumb = shapely.box(lon, lat, lon + 0.0003, lat + 0.0003)
    path = write("a.gpkg", [shapely.union(zone("lingang"), crumb)], values=["临港区"])
    proposal = propose(request(path), GROUND)
    said = next(issue for issue in proposal.issues if issue.code == code)
    assert said.level == ("warning" if code == "detached-part" else "error")
    assert f"位于{where}" in said.message_zh
    assert f"({lon + 0.00015:.5f}, {lat + 0.00015:.5f})" in said.message_en


def test_an_import_beside_another_may_share_a_sliver_but_no_land(write):
    there = Baseline(GROUND.facts, GROUND.boundaries, (record_of(write("a.gpkg", [zone("gaoqu")]), "gaoqu"),))
    near = shapely.union(zone("lingang"), shapely.buffer(zone("gaoqu"), -0.001))
    found = propose(request(write("b.gpkg", [near]), of="lingang"), there)
    assert "overlap" in {issue.code for issue in found.issues if issue.level == "error"}
    touching = shapely.buffer(zone("lingang"), 0.00004)
    sliver = propose(request(write("c.gpkg", [touching]), of="lingang"), there)
    assert "overlap-sliver" in {issue.code for issue in sliver.issues}
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


def test_neighbours_that_would_keep_hardly_any_land_stand_in_the_way(write):
    """Specks that stay are no land to speak of: a whole zone as the polygon of one of its towns."""
    drawn = shapely.buffer(zone("gaoqu"), -0.00002)  # two metres
    found = propose(request(write("a.gpkg", [drawn]), of="town-chucun", layer="towns"), GROUND)
    said = {one.feature_id: one for one in found.issues if one.code == "neighbour-without-land"}
    assert set(said) == {"town-yiyuan", "town-tianhe"}
    assert said["town-yiyuan"].level == "error"
    before = GROUND.shapes["town-yiyuan"]
    kept_km2 = crs.measure_area_km2(shapely.difference(before.geometry, drawn))
    told = re.findall(r"([\d.]+) km²", said["town-yiyuan"].message_zh)
    assert list(map(float, told)) == [
        pytest.approx(before.area_km2, abs=0.005),
        pytest.approx(kept_km2, abs=0.02),
    ]
    assert "town-chucun" in said["town-yiyuan"].message_en


def test_a_neighbour_that_loses_more_than_half_of_its_land_is_said(write):
    taken = zone("town-yiyuan")
    _, south, _, north = taken.bounds
    line = south + 0.2 * (north - south)
    most = shapely.intersection(taken, shapely.box(121, line, 123, 38))
    drawn = shapely.union(zone("town-chucun"), most)
    found = propose(request(write("a.gpkg", [drawn]), of="town-chucun", layer="towns"), GROUND)
    said = {one.feature_id: one.level for one in found.issues if one.code == "neighbour-shrinks"}
    assert said == {"town-yiyuan": "warning"}
    assert "neighbour-without-land" not in {one.code for one in found.issues}


def test_a_hole_in_which_a_neighbour_keeps_land_is_told(write):
    """It may be an exclave, or forgotten; what an official boundary holds there is neither."""
    centre = zone("town-yangting").representative_point()
    ring = crs.build_circle(centre.x, centre.y, 1500)
    hole = crs.build_circle(centre.x, centre.y, 300)
    drawn = shapely.union(zone("lingang"), shapely.difference(ring, hole))
    path = write("a.gpkg", [drawn], values=["x"])
    found = propose(request(path, of="lingang"), GROUND)
    said = [one for one in found.issues if one.code == "enclave"]
    assert [(one.level, one.feature_id) for one in said] == [("warning", "lingang")]
    area = f"{crs.measure_area_km2(hole):.3f}"
    assert f"有 1 处空洞，其中 {area} km² 仍属羊亭镇（town-yangting）" in said[0].message_zh
    whole = write("b.gpkg", [shapely.union(zone("lingang"), ring)], values=["x"])
    assert "enclave" not in codes(whole, of="lingang")[0]
    official = record_of(write("h.gpkg", [hole], values=["x"]), "town-yangting", layer="towns")
    there = Baseline(GROUND.facts, GROUND.boundaries, (official,))
    assert "enclave" not in {one.code for one in propose(request(path, of="lingang"), there).issues}


def test_land_that_nobody_can_take_stands_in_the_way(write):
    """All towns of a zone around a gap are imported, and the zone itself is: the gap has no heir."""
    zone_record = record_of(write("z.gpkg", [zone("nanhai")]), "nanhai")
    there = Baseline(GROUND.facts, GROUND.boundaries, (zone_record,))
    town = next(town.id for town in GROUND.facts.towns.values() if town.zone == "nanhai")
    centre = zone("nanhai").representative_point()
    holed = shapely.difference(zone("nanhai"), crs.build_circle(centre.x, centre.y, 800))
    found = propose(request(write("t.gpkg", [holed]), of=town, layer="towns"), there)
    assert "land-without-owner" in {issue.code for issue in found.issues}


def test_a_good_file_says_before_after_and_published_areas(write):
    proposal = propose(request(write("a.gpkg", [zone("lingang")], values=["临港区"])), GROUND)
    assert proposal.errors == 0
    first = proposal.areas()[0]
    assert first["id"] == "lingang"
    assert first["imported"]
    assert first["before_km2"] == pytest.approx(first["after_km2"], abs=0.01)
    assert first["official_km2"] == 297.0
    assert first["method"] == "official"


@pytest.mark.parametrize("side", ["east", "north"])
def test_how_far_a_part_lies_off_is_measured_alike_in_every_direction(write, side):
    """A part no farther from the county than its edge and the part are known may touch it."""
    points = shapely.get_coordinates(GROUND.shapes["huancui"].geometry)
    tip = points[np.argmax(points[:, 0 if side == "east" else 1])]
    known_m = GROUND.shapes["huancui"].accuracy_m + 5.0
    told = {}
    for metres in (round(0.9 * known_m), round(1.1 * known_m)):
        lon, lat = tip + (
            (metres / 111_320 / np.cos(np.radians(tip[1])), 0) if side == "east" else (0, metres / 111_200)
        )
        crumb = shapely.box(lon, lat, lon + 0.0003, lat + 0.0003)
        path = write(f"{metres}.gpkg", [shapely.union(zone("lingang"), crumb)], values=["临港区"])
        found = {one.code for one in propose(request(path), GROUND).issues}
        told[metres] = bool(found & {"detached-part", "part-in-another-county"})
    assert list(told.values()) == [False, True]
