"""Laws of the committed boundaries and of the shapes built on them."""

from __future__ import annotations

import hashlib
import json
from itertools import combinations

import jsonschema
import numpy as np
import pytest
import shapely
import yaml
from hypothesis import given
from hypothesis import strategies as st

from geodata import crs
from geodata.city import find_city
from geodata.read import ROOT, read_boundaries, read_facts
from geodata.shapes import build_shapes, build_waters, measure_accuracy_m
from scripts.rebuild.files import read_boxes, write_boundaries

FACTS = read_facts()
BOUNDARIES = read_boundaries()
SHAPES = build_shapes(FACTS, BOUNDARIES)
COUNTIES = sorted({town.county for town in FACTS.towns.values()})
ZONES = sorted({town.zone for town in FACTS.towns.values() if town.zone})
FILES = ("towns.geojson", "land.geojson", "water.geojson", "datapackage.json")
LAND = shapely.union_all(
    [shapely.from_geojson(json.dumps(f["geometry"])) for f in BOUNDARIES["land"]["features"]]
)
NEIGHBOURS = [
    shapely.from_geojson(json.dumps(feature["geometry"]))
    for feature in BOUNDARIES["land"]["features"]
    if feature["properties"]["kind"] == "neighbour"
]
WEST, SOUTH, EAST, NORTH = SHAPES["weihai"].geometry.bounds
CENTIMETRE_DEG = 1e-7
SOLVED = [area.of for area in FACTS.official_areas if area.solved]
QUALITY = BOUNDARIES["datapackage"]["quality"]
TOUCH_M = 150.0  # boxes and county borders are of different origins
AT_SEA_M = 450.0

SOURCES_FORM = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["title"],
        "properties": {
            "title": {"type": "string"},
            "path": {"type": "string", "pattern": "^(https://|[^/.])"},
        },
    },
}
LICENSES_FORM = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "anyOf": [{"required": ["name"]}, {"required": ["path"]}],
        "properties": {"name": {"type": "string", "pattern": "^([-a-zA-Z0-9._])+$"}},
    },
}
NAME_FORM = {"type": "string", "pattern": "^([-a-z0-9._/])+$"}
DATA_PACKAGE = {
    "type": "object",
    "required": ["name", "resources"],
    "properties": {
        "name": NAME_FORM,
        "sources": SOURCES_FORM,
        "licenses": LICENSES_FORM,
        "resources": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "path"],
                "properties": {
                    "name": NAME_FORM,
                    "path": {"type": "string", "pattern": "^(?=^[^./~])(^((?!\\.{2}).)*$).*$"},
                    "bytes": {"type": "integer"},
                    "hash": {"type": "string", "pattern": "^([^:]+:[a-fA-F0-9]+|[a-fA-F0-9]{32}|)$"},
                    "sources": SOURCES_FORM,
                    "licenses": LICENSES_FORM,
                },
            },
        },
    },
}

shapely.prepare([shape.geometry for shape in SHAPES.values()])
shapely.prepare([LAND, *NEIGHBOURS])


def points(number):
    """Return distinct numbers of random points in the city's bounding box."""
    lon, lat = st.floats(WEST, EAST), st.floats(SOUTH, NORTH)
    return st.lists(st.builds(shapely.Point, lon, lat), min_size=number, max_size=number)


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boundaries")
    write_boundaries(folder)
    return folder


@pytest.mark.parametrize("name", FILES)
def test_the_committed_files_are_rebuilt_byte_for_byte(rebuilt, name):
    assert (rebuilt / name).read_bytes() == (ROOT / "boundaries" / name).read_bytes()


def test_the_data_package_has_the_hash_and_size_of_every_file():
    for resource in BOUNDARIES["datapackage"]["resources"]:
        content = (ROOT / "boundaries" / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        assert resource["bytes"] == len(content)


def test_the_data_package_says_what_the_recipe_says():
    recipe = yaml.safe_load((find_city() / "boundaries" / "recipe.yaml").read_text(encoding="utf-8"))
    said = {
        key: BOUNDARIES["datapackage"][key] for key in ("methods", "sources", "licenses", "licence", "window")
    }
    assert said == {key: recipe[key] for key in said}


def test_every_source_that_a_method_names_is_described():
    package = BOUNDARIES["datapackage"]
    described = {source["name"] for source in package["sources"]}
    assert all(set(method["sources"]) <= described for method in package["methods"].values())


def test_every_source_of_a_shape_is_a_known_source():
    assert {source for shape in SHAPES.values() for source in shape.sources} <= set(FACTS.sources)


def test_the_files_keep_to_seven_decimals_and_right_hand_winding():
    for name in ("towns", "land"):
        for feature in BOUNDARIES[name]["features"]:
            geometry = shapely.from_geojson(json.dumps(feature["geometry"]))
            assert geometry.is_valid, feature["id"]
            for part in shapely.get_parts(geometry):
                assert part.exterior.is_ccw
                assert not any(ring.is_ccw for ring in part.interiors)
            scaled = shapely.get_coordinates(geometry) * 1e7
            assert np.abs(scaled - scaled.round()).max() < 1e-2


def test_all_73_towns_have_a_polygon_of_their_own():
    assert [feature["id"] for feature in BOUNDARIES["towns"]["features"]] == [
        town.id for town in sorted(FACTS.towns.values(), key=lambda town: town.code)
    ]
    assert len(BOUNDARIES["towns"]["features"]) == 73


def test_towns_form_one_coverage_with_identical_shared_edges():
    raw = [
        shapely.from_geojson(json.dumps(feature["geometry"])) for feature in BOUNDARIES["towns"]["features"]
    ]
    assert shapely.coverage_is_valid(raw)
    assert shapely.coverage_is_valid([SHAPES[town].geometry for town in FACTS.towns])


def test_city_and_neighbours_form_one_coverage():
    land = [
        shapely.from_geojson(json.dumps(feature["geometry"])) for feature in BOUNDARIES["land"]["features"]
    ]
    assert shapely.coverage_is_valid(land)


@given(points(20))
def test_every_land_point_of_the_city_has_exactly_one_county_and_one_town(places):
    for place in places:
        inside = SHAPES["weihai"].geometry.contains(place)
        counties = [county for county in COUNTIES if SHAPES[county].geometry.contains(place)]
        towns = [town for town in FACTS.towns if SHAPES[town].geometry.contains(place)]
        assert len(counties) == len(towns) == int(inside)
        if towns:
            assert FACTS.towns[towns[0]].county == counties[0]


@given(points(20))
def test_a_point_of_the_land_is_in_the_city_or_with_a_neighbour_but_never_both(places):
    for place in places:
        count = sum(shape.contains(place) for shape in [SHAPES["weihai"].geometry, *NEIGHBOURS])
        assert count == int(LAND.contains(place))


def test_there_is_no_town_at_sea():
    assert not any(SHAPES[town].geometry.covers(shapely.Point(122.6, 36.75)) for town in FACTS.towns)


@pytest.mark.parametrize(("first", "second"), list(combinations(ZONES, 2)))
def test_zones_never_overlap(first, second):
    assert shapely.intersection(SHAPES[first].geometry, SHAPES[second].geometry).area == 0


def test_the_bonded_parcels_are_enclaves_and_the_only_exception():
    parcels = SHAPES["zongbaoqu"].geometry
    assert shapely.get_num_geometries(parcels) == 2
    assert sum(parcels.intersects(SHAPES[zone].geometry) for zone in ZONES) == 1
    assert sum(parcels.intersects(SHAPES[county].geometry) for county in COUNTIES) == 2


@pytest.mark.parametrize("name", [zone.id for zone in FACTS.zones.values() if zone.parent])
def test_a_child_lies_in_its_parent(name):
    parent = FACTS.zones[name].parent
    assert parent is not None
    assert SHAPES[parent].geometry.buffer(CENTIMETRE_DEG).covers(SHAPES[name].geometry)


def test_every_place_of_the_plan_has_a_shape():
    assert not (set(FACTS.zones) | set(FACTS.areas)) - set(SHAPES)


@pytest.mark.parametrize("name", sorted(FACTS.areas))
def test_dissolving_the_members_gives_the_area(name):
    area = FACTS.areas[name]
    names = [*area.members, *([area.core] if area.core in SHAPES else [])]
    union = shapely.union_all([SHAPES[member].geometry for member in names])
    gap = shapely.symmetric_difference(union, SHAPES[name].geometry)
    assert crs.measure_area_km2(shapely.MultiPolygon([p for p in shapely.get_parts(gap) if p.area])) < 1e-4
    # A union of circles that only show how well a point is known is no more than that itself.
    made = {SHAPES[member].method for member in names}
    assert SHAPES[name].method == ("indicative" if made == {"indicative"} else "derived")


def test_areas_add_up_from_towns_to_counties_to_the_city():
    for county in COUNTIES:
        towns = [town.id for town in FACTS.towns.values() if town.county == county]
        assert sum(SHAPES[town].area_km2 or 0 for town in towns) == pytest.approx(
            SHAPES[county].area_km2, rel=1e-7
        )
    total = sum(SHAPES[county].area_km2 or 0 for county in COUNTIES)
    assert total == pytest.approx(SHAPES["weihai"].area_km2, rel=1e-7)


def test_the_areas_that_are_of_land_are_solved_for():
    assert sorted(SOLVED) == ["gaoqu", "jingqu", "lingang"]


@pytest.mark.parametrize("name", SOLVED)
def test_zones_meet_the_official_area_that_they_are_solved_for(name):
    shape = SHAPES[name]
    assert shape.official_area_km2 is not None
    assert shape.area_km2 == pytest.approx(shape.official_area_km2, rel=5e-3)


def test_official_areas_that_are_not_solved_for_are_reported_with_the_reason():
    for area in FACTS.official_areas:
        if area.chosen and not area.solved:
            assert area.reason
    rows = {row["of"]: row for row in QUALITY["areas"]}
    for name in ("nanhai", "shidao", "371082102"):
        assert not rows[name]["solved"]
        assert -15 < rows[name]["difference_percent"] < 0


def test_county_areas_are_reported_against_the_official_ones():
    rows = {row["of"]: row for row in BOUNDARIES["datapackage"]["quality"]["areas"]}
    for county in COUNTIES:
        assert rows[county]["area_km2"] == pytest.approx(SHAPES[county].area_km2, abs=0.01)
    allowed = {"huancui": -1.0, "wendeng": -3.5, "rongcheng": -2.0, "rushan": -2.5, "weihai": -2.0}
    for place, least in allowed.items():
        assert least <= rows[place]["difference_percent"] <= 0, place


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_shapes_are_valid_turned_right_and_labelled_inside(name):
    shape = SHAPES[name]
    assert shape.geometry.is_valid
    assert all(part.exterior.is_ccw for part in shapely.get_parts(shape.geometry))
    assert not any(ring.is_ccw for part in shapely.get_parts(shape.geometry) for ring in part.interiors)
    assert shape.geometry.contains(shape.label)
    if shape.method == "indicative":  # what is no extent has no area, and says why
        assert shape.area_km2 is None
        assert shape.no_area
        assert shape.spots
    else:
        assert shape.area_km2 == pytest.approx(crs.measure_area_km2(shape.geometry))
        assert (shape.no_area, shape.spots) == (None, ())
    assert shape.accuracy_m > 0
    assert shape.licence


@pytest.mark.parametrize("name", ["zongbaoqu", "zhonghan-park", "fuwu-maoyi-park", "test-site"])
def test_an_indicative_polygon_has_the_known_area(name):
    known = sum(site.area_km2 or 0 for site in FACTS.sites if site.of == name)
    assert crs.measure_area_km2(SHAPES[name].geometry) == pytest.approx(known, rel=1e-3)
    assert SHAPES[name].method == "indicative"


def test_the_test_site_lies_at_sea():
    assert not SHAPES["test-site"].geometry.intersects(shapely.buffer(LAND, -CENTIMETRE_DEG))
    assert SHAPES["marine-north"].geometry.covers(SHAPES["test-site"].geometry.centroid)


def test_lingang_has_no_coast_and_the_hitech_zone_two_parts():
    sea = shapely.difference(shapely.box(WEST, SOUTH, EAST, NORTH), LAND)
    assert not SHAPES["lingang"].geometry.intersects(sea)
    large = [part for part in shapely.get_parts(SHAPES["gaoqu"].geometry) if crs.measure_area_km2(part) > 10]
    assert len(large) == 2


@pytest.mark.parametrize(
    "landmark", [mark for mark in FACTS.landmarks.values() if mark.expected], ids=lambda m: m.id
)
def test_landmarks_fall_into_the_expected_place(landmark):
    """Within the accuracy of the point."""
    place = shapely.Point(landmark.position.lon, landmark.position.lat)
    distance_m = crs.measure_distance_m(place, SHAPES[landmark.expected].geometry)
    assert distance_m <= landmark.position.accuracy_m


@pytest.mark.parametrize("gateway", list(FACTS.gateways.values()), ids=lambda gateway: gateway.id)
def test_gateways_lie_in_their_parent_or_on_reclaimed_shore_beside_it(gateway):
    place = shapely.Point(gateway.position.lon, gateway.position.lat)
    coast_m = BOUNDARIES["datapackage"]["quality"]["coast"]["p90_m"]
    distance_m = crs.measure_distance_m(place, SHAPES[gateway.parent].geometry)
    assert distance_m <= gateway.position.accuracy_m + coast_m


def test_accuracy_grows_with_the_boxes_and_is_worse_beside_a_town_without_one():
    edges = {frozenset(edge["between"]): edge["accuracy_m"] for edge in QUALITY["edges"]}
    small = edges[frozenset(["town-huancuilou", "town-zhudao"])]
    large = edges[frozenset(["town-yazi", "town-zhuwang"])]
    assert small < large
    boxed = {box.town for box in FACTS.boxes}
    kinds = QUALITY["reconstructed"]
    assert kinds["boxed"]["p90_of_box_size"] < kinds["unboxed"]["p90_of_box_size"]
    assert kinds["boxed"]["p90_m"] < kinds["unboxed"]["p90_m"]
    assert {"town-fengjia", "town-mishan"} & boxed == set()
    assert SHAPES["town-mishan"].accuracy_m > SHAPES["town-gejia"].accuracy_m > SHAPES["wendeng"].accuracy_m


def test_a_known_edge_is_as_accurate_as_it_was_measured():
    for edge in QUALITY["edges"]:
        first, second = edge["between"]
        if second == "sea":
            assert edge["accuracy_m"] == QUALITY["coast"]["p90_m"]
        elif second.startswith("neighbour") or FACTS.towns[first].county != FACTS.towns[second].county:
            assert edge["accuracy_m"] == QUALITY["digitised"]["p90_m"]
        else:
            assert edge["accuracy_m"] >= QUALITY["digitised"]["p90_m"]


def test_the_stretches_of_a_town_are_its_whole_edge():
    for town in FACTS.towns:
        length_m = sum(edge["length_m"] for edge in QUALITY["edges"] if town in edge["between"])
        whole_m = crs.measure_line_m(SHAPES[town].geometry.boundary)
        assert length_m == pytest.approx(whole_m, rel=0.01, abs=110), town


def test_an_edge_of_one_kind_has_the_accuracy_of_that_kind():
    assert measure_accuracy_m([(5.0, 700.0), (9.0, 700.0)], QUALITY) == pytest.approx(700, abs=1)
    mixed = measure_accuracy_m([(5.0, 300.0), (5.0, 2000.0)], QUALITY)
    assert 300 < mixed < 2000
    assert measure_accuracy_m([], QUALITY) == 0


def test_the_blind_check_is_on_record():
    """The county borders rebuilt as if unknown: what the method earns, and how its errors are distributed."""
    method = QUALITY["reconstructed"]
    assert method["points"] > 2000
    assert method["median_m"] < 800
    assert method["p90_m"] < 2000
    assert method["land_in_right_county"] > 0.975
    assert method["land_in_right_county_a_third_of_boxes_withheld"] > 0.965
    quantiles = list(method["quantiles"].values())
    assert quantiles == sorted(quantiles)
    assert method["quantiles"]["0.9"] == 1.0
    assert len(quantiles) == 21


def read_box(box):
    """Return the box as a polygon, and the land of the town's county in it that its seat can reach."""
    town = FACTS.towns[box.town]
    frame = shapely.box(*box.bounds)
    parts = shapely.get_parts(shapely.intersection(SHAPES[town.county].geometry, frame))
    seat = shapely.Point(town.seat.lon, town.seat.lat)
    own = [part for part in parts if part.intersects(SHAPES[town.id].geometry)]
    return frame, min(own, key=lambda part: part.distance(seat))


def to_sides_m(inner, box):
    """Return how far, metres, a geometry stays from the west, south, east and north side of a box."""
    west, south, east, north = box.bounds
    low_x, low_y, high_x, high_y = inner.bounds
    degree_m = 111_200.0
    squeeze = np.cos(np.radians((south + north) / 2))
    return (
        np.array([(low_x - west) * squeeze, low_y - south, (east - high_x) * squeeze, north - high_y])
        * degree_m
    )


@pytest.mark.parametrize("box", FACTS.boxes, ids=lambda box: box.town)
def test_a_town_touches_each_side_of_its_box_that_is_on_land(box):
    _, reachable = read_box(box)
    own = to_sides_m(SHAPES[box.town].geometry, box)
    land = to_sides_m(reachable, box)
    for side, gap_m, land_m in zip(("west", "south", "east", "north"), own, land, strict=True):
        if land_m < AT_SEA_M and side not in box.loose:
            assert gap_m <= max(land_m, 0) + TOUCH_M, side


@pytest.mark.parametrize("box", FACTS.boxes, ids=lambda box: box.town)
def test_a_town_lies_in_its_box_but_for_land_that_is_in_no_box(box):
    frame, _ = read_box(box)
    county = FACTS.towns[box.town].county
    outside = shapely.difference(SHAPES[box.town].geometry, frame.buffer(TOUCH_M / 111_200 / 0.8))
    others = [
        shapely.box(*other.bounds)
        for other in FACTS.boxes
        if other.town != box.town and FACTS.towns[other.town].county == county
    ]
    assert shapely.intersection(outside, shapely.union_all(others).buffer(-0.002)).is_empty


def test_no_town_without_a_box_lies_in_a_ring_of_one_town_or_zone():
    """An enclave is a fact that somebody would have to state; nor may a town look like one."""
    towns, boxed = FACTS.towns, {box.town for box in FACTS.boxes}
    for town in set(towns) - boxed:
        around: dict[str | None, float] = {}
        for edge in QUALITY["edges"]:
            if town in edge["between"]:
                (other,) = set(edge["between"]) - {town}
                zone = towns[other].zone if other in towns else None
                around[other] = edge["length_m"]
                around[zone] = around.get(zone, 0) + edge["length_m"]
        rings = set(around) - {None, towns[town].zone}
        whole_m = crs.measure_line_m(SHAPES[town].geometry.boundary)
        assert max(around[ring] for ring in rings) < 0.9 * whole_m, town


def test_every_loose_side_has_a_reason():
    assert all(box.reason for box in FACTS.boxes if box.loose)


def test_no_town_of_the_mainland_is_in_two_pieces():
    """Islands apart; but what is drawn of a town on the mainland hangs together."""
    for town in FACTS.towns.values():
        county = max(shapely.get_parts(SHAPES[town.county].geometry), key=lambda part: part.area)
        pieces = [
            part
            for part in shapely.get_parts(SHAPES[town.id].geometry)
            if county.covers(part.representative_point())
        ]
        assert sum(crs.measure_area_km2(piece) > 0.5 for piece in pieces) <= 1, town.id


def test_no_town_is_a_ring_around_another():
    for town in FACTS.towns:
        for part in shapely.get_parts(SHAPES[town].geometry):
            holes = [shapely.Polygon(ring) for ring in part.interiors]
            assert not any(
                hole.intersection(SHAPES[other].geometry).area > 1e-9
                for hole in holes
                for other in FACTS.towns
                if other != town
            ), town


@pytest.mark.parametrize(
    ("island", "town"),
    [
        ("island-liugong", "town-huancuilou"),
        ("island-sushan", "town-renhe"),
        ("island-jiming", "town-gangxi"),
    ],
)
def test_islands_go_with_the_box_that_holds_them(island, town):
    place = FACTS.landmarks[island].position
    near = crs.measure_distance_m(shapely.Point(place.lon, place.lat), SHAPES[town].geometry)
    assert near <= place.accuracy_m


def test_the_boxes_are_those_of_the_table():
    table = read_boxes()
    assert len(FACTS.boxes) == 62
    for box in FACTS.boxes:
        assert box.bounds == table[box.name], box.town


def test_the_water_of_shuangdao_bay_is_land_to_the_coast():
    (feature,) = BOUNDARIES["water"]["features"]
    water = shapely.from_geojson(json.dumps(feature["geometry"]))
    assert feature["properties"]["method"] == "indicative"
    assert 5 < crs.measure_area_km2(water) < 30
    assert water.contains(shapely.Point(121.955, 37.44))
    assert shapely.difference(water, LAND).area < 1e-8  # rounded to a decimetre along the shore
    ((name, drawn),) = build_waters(BOUNDARIES)
    assert (name.zh, drawn.method, drawn.area_km2) == ("双岛湾水域（示意）", "indicative", None)
    assert drawn.accuracy_m == QUALITY["coast"]["p90_m"]
    assert {"gshhg", "osm-coast"} == set(drawn.sources) <= set(FACTS.sources)
    assert drawn.licence
    assert drawn.no_area


def test_the_water_has_no_stairs():
    """Its shore is traced from pictures; along the coast of today it ends as that does."""
    water = shapely.from_geojson(json.dumps(BOUNDARIES["water"]["features"][0]["geometry"]))
    for ring in shapely.get_rings(shapely.get_parts(water)):
        places = shapely.get_coordinates(ring)
        steps = np.diff(places, axis=0, append=places[1:2]) * [np.cos(np.radians(37.4)), 1.0]
        turns = np.diff(np.unwrap(np.arctan2(steps[:, 1], steps[:, 0])))
        inland = shapely.distance(shapely.points(places[1:]), LAND.boundary) > 0.001
        assert np.degrees(np.abs(turns[inland])).max() < 40


def test_what_derives_from_openstreetmap_is_share_alike():
    package = BOUNDARIES["datapackage"]
    assert "ODbL" in package["licence"]
    assert [licence["name"] for licence in package["licenses"]] == ["ODbL-1.0"]
    for resource in package["resources"]:
        assert "osm-coast" in [source["name"] for source in resource["sources"]]
    for shape in SHAPES.values():
        assert "ODbL" in shape.licence
        assert "osm-coast" in shape.sources, shape.id


def test_the_data_package_is_one_by_the_specification():
    """The properties that the Data Package specification requires, and their form."""
    jsonschema.validate(BOUNDARIES["datapackage"], DATA_PACKAGE, jsonschema.Draft7Validator)
