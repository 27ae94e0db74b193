"""Shares of a polygon by place: they add up, and the range says how sure they are."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box, shape

from layers.lookup import Lookup, Shares, Surroundings
from layers.store import Release


@pytest.fixture(scope="module")
def shares(release: Release, around: Surroundings) -> Shares:
    return Shares(release.read("index/lookup.bin"), release.read("index/shares.bin"), around)


def test_a_zone_lies_in_itself(release: Release, shares: Shares) -> None:
    zone = shape(json.loads(release.read("features/zones/lingang.geojson"))["geometry"])
    answer = shares.of(zone)
    by_id = {row["id"]: row for row in answer["shares"]}
    assert by_id["lingang"]["share_percent"] == pytest.approx(100, abs=0.01)
    assert by_id["huancui"]["share_percent"] == pytest.approx(100, abs=0.1)
    low, high = by_id["lingang"]["share_range_percent"]
    assert low < 80  # its edge is accurate to kilometres only
    assert high == 100


@settings(max_examples=25)
@given(
    lon=st.floats(121.0, 123.4),
    lat=st.floats(36.2, 38.0),
    width=st.floats(0.001, 0.3),
    height=st.floats(0.001, 0.3),
)
def test_shares_add_up(shares: Shares, lon: float, lat: float, width: float, height: float) -> None:
    answer = shares.of(box(lon, lat, lon + width, lat + height))
    towns = sum(row["share_percent"] for row in answer["shares"] if row["layer"] == "towns")
    counties = sum(row["share_percent"] for row in answer["shares"] if row["layer"] == "counties")
    outside = answer["outside"]
    assert towns == pytest.approx(counties, abs=0.3)
    assert towns + outside["neighbour"] + outside["sea"] + outside["beyond"] == pytest.approx(100, abs=0.3)
    for row in answer["shares"]:
        low, high = row["share_range_percent"]
        assert 0 <= low <= row["share_percent"] <= high <= 100


@settings(max_examples=25)
@given(lon=st.floats(121.3, 122.6), lat=st.floats(36.8, 37.5))
def test_a_tiny_polygon_says_what_its_point_says(
    shares: Shares, lookup: Lookup, lon: float, lat: float
) -> None:
    size = 1e-5
    square = shares.of(box(lon - size, lat - size, lon + size, lat + size))
    point = lookup.at(lon, lat)
    whole = {row["id"] for row in square["shares"] if row["share_percent"] > 99.9}
    inside = {
        row["id"]: row
        for row in point["applies"]
        if row["status"] == "inside" and row["distance_to_edge_m"] > 5
    }
    assert set(inside) <= whole
    sure = {row["id"] for row in square["shares"] if row["share_range_percent"][0] > 99.9}
    for name, row in inside.items():
        if (
            abs(row["distance_to_edge_m"] - row["positional_accuracy_m"])
            > 0.02 * row["positional_accuracy_m"] + 5
        ):
            assert (name in sure) == (not row["uncertain"])


def test_the_open_sea_has_no_shares(shares: Shares) -> None:
    answer = shares.of(box(123.0, 36.3, 123.1, 36.4))
    assert answer["shares"] == []
    assert answer["outside"] == {"neighbour": 0, "sea": 100, "beyond": 0}


def test_far_away_is_beyond_what_is_known(shares: Shares) -> None:
    assert shares.of(box(10, 50, 10.1, 50.1))["outside"]["beyond"] == 100


def test_ports_inside_the_polygon_are_at_no_distance(shares: Shares) -> None:
    nearest = {row["kind"]: row for row in shares.of(box(122.1, 37.1, 122.3, 37.3))["gateways"]}
    assert nearest["airport"]["distance_m"] == 0
    assert set(nearest) == {"airport", "seaport", "railway-station"}
