"""What applies at a point, and when the answer is doubtful."""

import json

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, shape

from layers.lookup import Lookup, LookupAnswer
from layers.store import Release


def _inside(answer: LookupAnswer) -> set[str]:
    return {row["id"] for row in answer["applies"] if row["status"] == "inside"}


@pytest.mark.parametrize(
    ("lon", "lat", "expected"),
    [
        (
            122.056,
            37.5305,
            {"huancui", "gaoqu", "belt-north-hightech", "five-china-korea"},
        ),
        (122.1163, 37.3082, {"huancui", "lingang", "belt-central-manufacturing"}),
        (121.9, 36.99, {"wendeng", "nanhai", "belt-central-manufacturing"}),
        (121.5349, 36.9194, {"rushan", "five-china-korea"}),
        (122.502, 36.9863, {"rongcheng", "shidao", "five-china-korea"}),
    ],
)
def test_known_places_lie_where_they_should(
    lookup: Lookup, lon: float, lat: float, expected: set[str]
) -> None:
    answer = lookup.at(lon, lat)
    assert expected <= _inside(answer)
    assert answer["covered"]


def test_rushan_is_in_no_belt(lookup: Lookup) -> None:
    assert not {name for name in _inside(lookup.at(121.5349, 36.9194)) if name.startswith("belt-")}


def test_the_open_sea_is_outside_and_names_the_nearest_place(lookup: Lookup) -> None:
    answer = lookup.at(122.9, 36.5)
    assert not answer["covered"]
    assert answer["applies"] == []
    assert answer["nearest"] is not None
    assert answer["nearest"]["distance_m"] > 10_000


@pytest.mark.parametrize(
    ("lon", "lat", "where"),
    [
        (122.1163, 37.3082, "city"),
        (122.9, 36.5, "sea"),
        (122.5, 37.1, "sea"),  # in a bay, three kilometres from the coast
        (121.4, 37.3, "neighbour"),
        (126.98, 37.57, "beyond"),
        (-70.0, -33.0, "beyond"),
    ],
)
def test_a_point_is_in_the_city_beside_it_at_sea_or_beyond(
    lookup: Lookup, lon: float, lat: float, where: str
) -> None:
    assert lookup.at(lon, lat)["where"] == where


def test_at_the_coast_it_is_not_certain_where_the_city_ends(release: Release, lookup: Lookup) -> None:
    city = shape(json.loads(release.read("data/land.geojson"))["features"][0]["geometry"])
    coast = city.boundary.interpolate(0.3, normalized=True)
    seaward = next(
        Point(coast.x + dx, coast.y + dy)
        for dx in (-0.002, 0, 0.002)
        for dy in (-0.002, 0, 0.002)
        if not city.covers(Point(coast.x + dx, coast.y + dy))
    )
    assert lookup.at(seaward.x, seaward.y)["where"] == "edge"


def test_a_doubtful_point_names_all_that_it_may_be_in(release: Release, lookup: Lookup) -> None:
    one = shape(json.loads(release.read("features/zones/gaoqu.geojson"))["geometry"])
    inner = one.representative_point()
    answer = lookup.at(inner.x, inner.y)
    for doubt in answer["doubts"]:
        rows = [row for row in answer["applies"] if row["layer"] == doubt["layer"]]
        assert [row["id"] for row in doubt["places"]] == [row["id"] for row in rows]
        assert any(row["uncertain"] for row in rows)
        assert doubt["or_none"] == (len(rows) == 1)


def test_the_nearest_port_airport_and_station_are_measured_on_the_ellipsoid(lookup: Lookup) -> None:
    answer = lookup.at(122.236, 37.187)  # at the airport
    nearest = {row["kind"]: row for row in answer["gateways"]}
    assert set(nearest) == {"seaport", "airport", "railway-station"}
    assert nearest["airport"]["distance_m"] < 3000
    far = lookup.at(-58.0, -37.0)  # nearly the antipode
    assert all(18_000_000 < row["distance_m"] < 20_004_000 for row in far["gateways"])


def test_areas_without_stated_extent_carry_what_the_plan_says(lookup: Lookup) -> None:
    answer = lookup.at(122.42, 37.16)
    (zone,) = (row for row in answer["areas"] if row["id"] == "five-marine-economy")
    assert zone["relation"] is not None
    assert zone["relation"]["clause"]
    assert [(one["id"], one["role"]) for one in zone["anchors"]] == [("rongcheng", "centre")]
    assert "未给出该区范围" in (zone["note"] or {})["zh"]


def test_nothing_is_said_to_lie_in_an_area_without_stated_extent(release: Release, lookup: Lookup) -> None:
    documents = {
        path: json.loads(release.read(path)) for path in release.paths("documents/") if path.endswith(".json")
    }
    unbounded = [row for row in documents.values() if row.get("extent") == "not-stated"]
    assert len(unbounded) > 4
    for row in unbounded:
        assert not row["towns"]
        assert not row["platforms"]
        assert not row["gateways"]
        answer = lookup.at(*row["geometry"]["label"])
        assert row["id"] not in {one["id"] for one in answer["applies"]}
        (found,) = (one for one in answer["areas"] if one["id"] == row["id"])
        assert not found.keys() & {"distance_to_edge_m", "positional_accuracy_m", "uncertain"}


def test_a_point_near_a_doubtful_edge_says_so(release: Release, lookup: Lookup) -> None:
    feature = json.loads(release.read("features/zones/lingang.geojson"))
    on_edge = shape(feature["geometry"]).boundary.interpolate(0.5, normalized=True)
    answer = lookup.at(on_edge.x, on_edge.y)
    row = next(row for row in answer["applies"] if row["id"] == "lingang")
    assert row["uncertain"]
    assert row["distance_to_edge_m"] <= 1
    assert answer["uncertain"]


@given(st.floats(121.0, 123.0), st.floats(36.5, 37.8))
def test_inside_means_what_the_published_polygons_say(
    release: Release, lookup: Lookup, lon: float, lat: float
) -> None:
    answer = lookup.at(lon, lat)
    for layer in ("counties", "zones"):
        for feature in json.loads(release.read(f"data/{layer}.geojson"))["features"]:
            polygon = shape(feature["geometry"])
            if shapely.distance(polygon.boundary, Point(lon, lat)) > 1e-6:
                assert (feature["id"] in _inside(answer)) == polygon.contains(Point(lon, lat))


@given(st.floats(121.2, 122.6), st.floats(36.7, 37.5))
def test_uncertain_exactly_where_the_edge_is_nearer_than_the_accuracy(
    lookup: Lookup, lon: float, lat: float
) -> None:
    for row in lookup.at(lon, lat)["applies"]:
        assert row["uncertain"] == (row["distance_to_edge_m"] <= row["positional_accuracy_m"]) or (
            abs(row["distance_to_edge_m"] - row["positional_accuracy_m"]) <= 1
        )
        if row["status"] == "near":
            assert row["uncertain"]
