"""Laws of the committed boundaries and of the shapes built on them."""

from __future__ import annotations

import hashlib
import json
from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata import crs
from geodata.read import ROOT, read_boundaries, read_facts
from geodata.rebuild import write_boundaries
from geodata.shapes import build_shapes, town_of

FACTS = read_facts()
BOUNDARIES = read_boundaries()
SHAPES = build_shapes(FACTS, BOUNDARIES)
COUNTIES = sorted({town.county for town in FACTS.towns.values()})
ZONES = sorted({town.zone for town in FACTS.towns.values() if town.zone})
FILES = ("towns.geojson", "land.geojson", "datapackage.json")
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
PROVEN = ["gaoqu", "jingqu", "lingang", "nanhai", "shidao"]

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
            found = town_of(place, SHAPES, FACTS)
            assert found is not None
            assert (found.id, found.county) == (towns[0], counties[0])


@given(points(20))
def test_a_point_of_the_land_is_in_the_city_or_with_a_neighbour_but_never_both(places):
    for place in places:
        count = sum(shape.contains(place) for shape in [SHAPES["weihai"].geometry, *NEIGHBOURS])
        assert count == int(LAND.contains(place))


def test_there_is_no_town_at_sea():
    assert town_of(shapely.Point(122.6, 36.75), SHAPES, FACTS) is None


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
        assert sum(SHAPES[town].area_km2 for town in towns) == pytest.approx(
            SHAPES[county].area_km2, rel=1e-7
        )
    total = sum(SHAPES[county].area_km2 for county in COUNTIES)
    assert total == pytest.approx(SHAPES["weihai"].area_km2, rel=1e-7)


@pytest.mark.parametrize("name", PROVEN)
def test_zones_meet_the_chosen_official_area(name):
    shape = SHAPES[name]
    assert shape.official_area_km2 is not None
    assert shape.area_km2 == pytest.approx(shape.official_area_km2, rel=1e-3)


def test_county_areas_are_reported_against_the_official_ones():
    rows = {row["of"]: row for row in BOUNDARIES["datapackage"]["quality"]["areas"]}
    for county in COUNTIES:
        assert rows[county]["area_km2"] == pytest.approx(SHAPES[county].area_km2, abs=0.01)
        assert -7 < rows[county]["difference_percent"] < 0  # the older shoreline shows lagoons as sea


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_shapes_are_valid_turned_right_and_labelled_inside(name):
    shape = SHAPES[name]
    assert shape.geometry.is_valid
    assert all(part.exterior.is_ccw for part in shapely.get_parts(shape.geometry))
    assert not any(ring.is_ccw for part in shapely.get_parts(shape.geometry) for ring in part.interiors)
    assert shape.geometry.contains(shape.label)
    assert shape.area_km2 == pytest.approx(crs.measure_area_km2(shape.geometry))
    assert shape.accuracy_m > 0
    assert shape.licence


@pytest.mark.parametrize("name", ["zongbaoqu", "zhonghan-park", "fuwu-maoyi-park", "test-site"])
def test_an_indicative_polygon_has_the_known_area(name):
    known = sum(site.area_km2 or 0 for site in FACTS.sites if site.of == name)
    assert SHAPES[name].area_km2 == pytest.approx(known, rel=1e-3)
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
    """Within the accuracy of the point: the 初村 campuses stand where the older shoreline still has sea."""
    place = shapely.Point(landmark.position.lon, landmark.position.lat)
    distance_m = crs.measure_distance_m(place, SHAPES[landmark.expected].geometry)
    assert distance_m <= landmark.position.accuracy_m


@pytest.mark.parametrize("gateway", list(FACTS.gateways.values()), ids=lambda gateway: gateway.id)
def test_gateways_lie_in_their_parent_or_on_reclaimed_shore_beside_it(gateway):
    place = shapely.Point(gateway.position.lon, gateway.position.lat)
    coast_m = BOUNDARIES["datapackage"]["quality"]["coast"]["p90_m"]
    distance_m = crs.measure_distance_m(place, SHAPES[gateway.parent].geometry)
    assert distance_m <= gateway.position.accuracy_m + coast_m


def test_accuracy_follows_how_far_apart_the_seats_are():
    assert SHAPES["town-zhudao"].accuracy_m < SHAPES["gaoqu"].accuracy_m < SHAPES["town-yazi"].accuracy_m
    measured = BOUNDARIES["datapackage"]["quality"]
    assert SHAPES["huancui"].accuracy_m == max(measured["digitised"]["p90_m"], measured["coast"]["p90_m"])


def test_the_measured_quality_of_the_method_is_on_record():
    method = BOUNDARIES["datapackage"]["quality"]["reconstructed"]
    assert 0 < method["median_m"] < method["p90_m"] < 10_000
    assert method["area_in_right_county"] > 0.95
