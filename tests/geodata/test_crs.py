"""Coordinates: axis order, exact inverses, geodesic measures."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata import crs

LONS = st.floats(120.9, 123.0)
LATS = st.floats(36.4, 37.8)
METRES_PER_DEGREE = 111_320.0


@pytest.mark.parametrize("frame", crs.FRAMES)
@given(lon=LONS, lat=LATS)
def test_every_frame_inverts_to_within_a_micrometre(frame, lon, lat):
    there = crs.transform(lon, lat, crs.LONLAT, frame)
    back = crs.transform(*there, frame, crs.LONLAT)
    assert math.hypot(back[0] - lon, back[1] - lat) * METRES_PER_DEGREE < 1e-6


@pytest.mark.parametrize(
    ("frame", "east", "north"),
    [
        ("EPSG:4326", 122.12, 37.5),
        ("EPSG:4490", 122.12, 37.5),
        ("EPSG:4550", 422_184.809, 4_152_365.941),
        ("EPSG:4549", 687_473.121, 4_154_114.086),
        ("EPSG:3857", 13_594_336.216, 4_509_031.393),
    ],
)
def test_east_comes_first_in_every_frame(frame, east, north):
    x, y = crs.transform(122.12, 37.5, crs.LONLAT, frame)
    assert float(x) == pytest.approx(east, abs=1e-3)
    assert float(y) == pytest.approx(north, abs=1e-3)


def test_the_shift_of_chinese_web_maps_has_its_known_size_and_direction():
    east, north = crs.transform(122.12, 37.5, crs.LONLAT, "GCJ-02")
    assert (float(east) - 122.12, float(north) - 37.5) == pytest.approx((0.00506, 0.00103), abs=2e-5)
    east, north = crs.transform(122.12, 37.5, crs.LONLAT, "BD-09")
    assert (float(east) - 122.12, float(north) - 37.5) == pytest.approx((0.01158, 0.00694), abs=2e-5)


@given(lon=LONS, lat=LATS)
def test_the_gcj02_shift_stays_within_its_measured_range(lon, lat):
    east, north = crs.transform(lon, lat, crs.LONLAT, "GCJ-02")
    shift_m = crs.measure_length_m(shapely.Point(lon, lat), shapely.Point(float(east), float(north)))
    assert 390 < shift_m < 500


def test_gcj02_is_the_identity_outside_china():
    east, north = crs.transform(2.35, 48.85, crs.LONLAT, "GCJ-02")
    assert (float(east), float(north)) == (2.35, 48.85)


def test_arrays_and_single_values_give_the_same():
    lons, lats = np.array([121.2, 122.6]), np.array([36.7, 37.4])
    many = crs.transform(lons, lats, "BD-09", "EPSG:4550")
    one = crs.transform(lons[1], lats[1], "BD-09", "EPSG:4550")
    assert (many[0][1], many[1][1]) == pytest.approx((float(one[0]), float(one[1])), abs=1e-6)


def test_an_unknown_frame_is_refused_by_name():
    with pytest.raises(ValueError, match="EPSG:9999"):
        crs.transform(122.0, 37.0, crs.LONLAT, "EPSG:9999")


def test_a_degree_square_at_the_equator_has_its_geodesic_area():
    assert crs.measure_area_km2(shapely.box(0, 0, 1, 1)) == pytest.approx(12_308.78, abs=0.01)


def test_area_does_not_depend_on_winding_and_leaves_holes_out():
    ring = shapely.box(122.0, 37.0, 122.1, 37.1)
    hole = shapely.box(122.02, 37.02, 122.04, 37.04)
    holed = shapely.Polygon(ring.exterior, [hole.exterior])
    assert crs.measure_area_km2(shapely.reverse(ring)) == pytest.approx(crs.measure_area_km2(ring))
    assert crs.measure_area_km2(holed) == pytest.approx(
        crs.measure_area_km2(ring) - crs.measure_area_km2(hole)
    )


def test_a_ring_that_crosses_itself_by_rounding_has_no_negative_area():
    turned = shapely.Polygon([(122, 37), (122.01, 37), (122.0049, 37.0102), (122.0051, 37.0102)])
    assert not turned.is_valid
    assert crs.measure_area_km2(turned) == pytest.approx(0.49, abs=0.01)
    assert crs.measure_area_km2(turned.reverse()) == pytest.approx(0.49, abs=0.01)


@given(lon=LONS, lat=LATS, radius_m=st.floats(10, 20_000))
def test_a_circle_is_as_far_from_its_centre_as_its_radius(lon, lat, radius_m):
    circle = crs.build_circle(lon, lat, radius_m)
    assert circle.exterior.is_ccw
    assert len(circle.exterior.coords) == 65
    corner = shapely.Point(circle.exterior.coords[7])
    assert crs.measure_distance_m(shapely.Point(lon, lat), corner) == pytest.approx(radius_m, abs=1e-3)


@given(lon=st.floats(122, 122.1), lat=st.floats(37, 37.1))
def test_a_point_inside_a_polygon_is_at_distance_zero_from_it(lon, lat):
    assert crs.measure_distance_m(shapely.Point(lon, lat), shapely.box(122, 37, 122.1, 37.1)) == 0.0


@given(lon=LONS, lat=LATS)
def test_the_equal_area_frame_keeps_areas(lon, lat):
    frame = crs.build_equal_area(121.9, 37.1)
    place = shapely.segmentize(shapely.box(lon, lat, lon + 0.1, lat + 0.1), 0.002)
    plane = crs.transform_geometry(place, crs.LONLAT, frame)
    assert plane.area / 1e6 == pytest.approx(crs.measure_area_km2(place), rel=1e-6)


def test_the_module_does_not_load_the_analysts_libraries():
    code = "import sys, geodata.crs; print(any(m in sys.modules for m in ('geopandas', 'pandas', 'scipy')))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_one_operation_moves_all_of_a_polygon():
    """The parameters of Beijing 1954 for the Yellow Sea end at 37.4° north."""
    moved = crs.to_lonlat(shapely.LineString([(122, 37.2), (122, 37.6)]), "EPSG:4214")
    (south, north) = shapely.get_coordinates(moved) - [(122, 37.2), (122, 37.6)]
    assert south == pytest.approx(north, abs=2e-5)
    assert south[0] == pytest.approx(7.6e-4, abs=2e-5)
    assert crs.measure_uncertainty_m("EPSG:4214") == 15.0
