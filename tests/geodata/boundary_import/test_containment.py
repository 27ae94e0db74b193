"""A polygon against what holds it: its county with the coast, its parent, the imported place above."""

from __future__ import annotations

import json

import pytest
import shapely

from geodata import crs
from geodata.boundary_import.propose import Baseline, propose
from tests.geodata.boundary_import.files import GROUND, record_of, request, zone

SEA = (122.30, 37.52)  # 10 km off the coast of 环翠区


def errors(path, **values):
    return {one.code for one in propose(request(path, **values), GROUND).issues if one.level == "error"}


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        ("parks", "zhonghan-park"),
        ("zones", "zongbaoqu"),
        ("zones", "jingqu"),
        ("towns", "town-huangguan"),
        ("counties", "huancui"),
    ],
)
@pytest.mark.parametrize("radius_m", [400, 2200])
def test_a_polygon_in_the_open_sea_stands_in_the_way_in_every_layer(write, layer, place, radius_m):
    """However sketchy its zone is, and however small it is itself."""
    path = write("a.gpkg", [crs.build_circle(*SEA, radius_m)], values=["x"])
    assert "far-from-parent" in errors(path, of=place, layer=layer)


def coast_of(name):
    """Return the point of a place that lies farthest to the north-east, at the sea."""
    points = shapely.get_coordinates(zone(name))
    return points[(points[:, 0] + points[:, 1]).argmax()]


def test_a_park_of_which_a_notable_part_lies_at_sea_stands_in_the_way(write):
    """Its zone is a sketch, and the county's edge is known far better: what counts is that edge."""
    lon, lat = coast_of("jingqu")
    path = write("a.gpkg", [crs.build_circle(lon, lat, 1500)], values=["x"])
    found = propose(request(path, of="dongbu-binhai", layer="parks"), GROUND)
    said = next(one for one in found.issues if one.code == "beyond-coast")
    assert said.level == "error"
    known_m = GROUND.shapes["huancui"].accuracy_m + 5.0
    assert known_m < GROUND.shapes["jingqu"].accuracy_m
    assert f"在环翠区（huancui）的海岸或界线之外超过 {known_m:.0f} m" in said.message_zh
    assert said.fix
    assert "先导入所在区市的边界" in said.fix["zh"]
    assert not found.after


def test_a_park_over_a_little_water_is_accepted(write):
    lon, lat = coast_of("jingqu")
    path = write("a.gpkg", [crs.build_circle(lon, lat, 600)], values=["x"])
    found = propose(request(path, of="dongbu-binhai", layer="parks"), GROUND)
    assert found.errors == 0
    assert "outside-parent-sliver" in {one.code for one in found.issues}


def test_a_county_brings_its_coast_and_with_it_reclaimed_land(write):
    """A county may hold water along its shore; a park there is accepted once the county is in force."""
    lon, lat = coast_of("jingqu")
    land = crs.build_circle(lon, lat, 1500)
    park = write("p.gpkg", [land], values=["x"])
    assert "beyond-coast" in errors(park, of="dongbu-binhai", layer="parks")
    county = write("c.gpkg", [shapely.union(zone("huancui"), land)], values=["x"])
    there = Baseline(GROUND.facts, GROUND.boundaries, (record_of(county, "huancui", layer="counties"),))
    found = propose(request(park, of="dongbu-binhai", layer="parks"), there)
    assert found.errors == 0, [one for one in found.issues if one.level == "error"]


def test_a_park_in_another_county_stands_in_the_way(write):
    """The line between the counties is known, whatever the zone beside it."""
    line = shapely.intersection(zone("lingang"), zone("wendeng"))
    middle = shapely.line_interpolate_point(
        max(shapely.get_parts(line), key=shapely.length), 0.5, normalized=True
    )
    path = write("a.gpkg", [crs.build_circle(middle.x, middle.y, 1500)], values=["x"])
    assert "outside-parent" in errors(path, of="zhongri-park", layer="parks")


def draw_net(lon, lat, km):
    """Return separate squares of 700 m at sea, `km` of them in a row."""
    return shapely.union_all(
        [shapely.box(lon + n * 0.01, lat, lon + n * 0.01 + 0.0079, lat + 0.0063) for n in range(km)]
    )


@pytest.mark.parametrize(
    ("drawn", "code", "level"),
    [
        (draw_net(122.5, 37.55, 25), "part-at-sea", "error"),
        (shapely.box(122.5, 37.55, 122.62, 37.56), "part-at-sea", "error"),
        (draw_net(122.5, 37.55, 1), "detached-part", "warning"),  # an island that our coast does not know
    ],
)
def test_narrow_pieces_in_the_open_sea_are_no_strip_along_the_border(write, drawn, code, level):
    path = write("a.gpkg", [shapely.union(zone("gaoqu"), drawn)], values=["x"])
    found = {one.code: one for one in propose(request(path, of="gaoqu"), GROUND).issues}
    assert found[code].level == level
    assert "outside-parent-sliver" not in found


def test_a_narrow_piece_that_leads_out_to_sea_is_no_strip_along_the_border(write):
    lon, lat = coast_of("jingqu")
    drawn = shapely.union(zone("jingqu"), shapely.box(lon - 0.005, lat - 0.003, lon + 0.005, lat + 0.04))
    path = write("a.gpkg", [drawn], values=["x"])
    assert "outside-parent" in errors(path, of="jingqu")


def test_a_part_elsewhere_in_the_county_is_told_as_that_and_not_as_sea(write):
    """A park's zone is a sketch: a part beyond it may be right, on the county's land."""
    park = GROUND.shapes["zhonghan-park"].geometry
    lon, lat = GROUND.shapes["gaoqu"].geometry.representative_point().coords[0]
    drawn = shapely.union(park, shapely.box(lon, lat, lon + 0.002, lat + 0.002))
    found = propose(
        request(write("a.gpkg", [drawn], values=["x"]), of="zhonghan-park", layer="parks"), GROUND
    )
    said = next(one for one in found.issues if one.code == "detached-part")
    assert said.level == "warning"
    assert "位于环翠区（huancui）" in said.message_zh


def test_land_of_another_city_is_no_sea_and_none_of_it_is_taken(write):
    """Not even a part so small that at sea it might be an island."""
    crumb = shapely.box(121.6555, 37.2745, 121.6600, 37.2780)
    found = propose(
        request(write("a.gpkg", [shapely.union(zone("lingang"), crumb)], values=["临港区"])), GROUND
    )
    said = next(one for one in found.issues if one.code == "part-in-another-county")
    assert said.level == "error"
    assert "位于烟台市牟平区" in said.message_zh


@pytest.mark.parametrize(("wider_m", "code"), [(400, None), (5000, "area-far")])
def test_a_county_may_hold_water_along_its_shore_but_no_fifth_more_than_is_published(write, wider_m, code):
    sea = shapely.buffer(zone("rushan"), wider_m / 100_000)
    for feature in GROUND.boundaries["land"]["features"]:
        if feature["id"].startswith("neighbour"):
            sea = shapely.difference(sea, shapely.from_geojson(json.dumps(feature["geometry"])))
    drawn = shapely.difference(sea, zone("wendeng"))
    path = write("a.gpkg", [drawn], values=["x"])
    assert errors(path, of="rushan", layer="counties") == ({code} if code else set())
