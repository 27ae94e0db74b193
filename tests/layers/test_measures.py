"""What is measured of places: against a second way of measuring, and against what is known of the coast."""

import math

import pytest
import shapely

from geodata import crs
from geodata.read import read_facts
from layers.store import Release


@pytest.fixture(scope="module")
def measures(release: Release):
    return release.read_json("pages/measures.json")["places"]


def read_shape(release: Release, layer: str, place: str) -> shapely.Geometry:
    return shapely.from_geojson(release.read(f"features/{layer}/{place}.geojson"))


def test_all_counties_zones_and_parks_are_measured(measures, release: Release) -> None:
    assert set(measures) == set(read_facts().zones)
    for row in measures.values():
        assert set(row["distances"]) == {"port", "airport", "station", "university"}


def test_a_distance_is_the_shortest_to_any_gateway_of_its_kind(measures, release: Release) -> None:
    ports = [row for row in read_facts().gateways.values() if row.kind == "seaport"]
    for place in ("lingang", "rushan", "shidao"):
        layer = release.read_json(f"documents/{place}.json")["layer"]
        shape = read_shape(release, layer, place)
        # every vertex of a dense edge, in an equal-area frame around the place
        edge = shapely.get_coordinates(shapely.segmentize(shape, 0.002))
        frame = crs.build_equal_area(*edge.mean(axis=0))
        x, y = crs.transform(edge[:, 0], edge[:, 1], crs.LONLAT, frame)
        shortest = math.inf
        for port in ports:
            at = crs.transform(port.position.lon, port.position.lat, crs.LONLAT, frame)
            shortest = min(shortest, float(((x - at[0]) ** 2 + (y - at[1]) ** 2).min() ** 0.5))
        assert measures[place]["distances"]["port"]["distance_m"] == pytest.approx(
            shortest, rel=0.01, abs=150
        )


def test_what_lies_inside_is_at_no_distance_and_says_how_sure_that_is(measures) -> None:
    airport = measures["wendeng"]["distances"]["airport"]
    assert airport["distance_m"] == 0
    assert airport["accuracy_m"] > 500  # of the airport's point alone
    assert measures["gaoqu"]["distances"]["university"]["to"]["id"] == "hit-weihai"


def test_the_coast_is_where_it_is_known_to_be(measures) -> None:
    on = {place: row["coast"]["on"] for place, row in measures.items()}
    assert all(on[place] for place in ("huancui", "wendeng", "rongcheng", "rushan", "shidao", "haoyunjiao"))
    assert on["lingang"] is False
    for row in measures.values():
        coast = row["coast"]
        assert (coast["on"] is None) == (coast["length_m"] < 100 and coast["gap_m"] < coast["accuracy_m"])
        assert not (coast["on"] is None and coast["sure"])
    assert measures["chucun"]["coast"]["on"] is False  # today's coast closes 双岛湾


def test_the_coasts_of_the_counties_are_the_citys(measures, release: Release) -> None:
    land = shapely.from_geojson(release.read("features/land/weihai.geojson"))
    counties = sum(
        measures[one]["coast"]["length_m"] for one in ("huancui", "wendeng", "rongcheng", "rushan")
    )
    assert 0.5 * crs.measure_line_m(land.boundary) < counties < crs.measure_line_m(land.boundary)


def test_groups_follow_the_plan_and_say_through_what(measures) -> None:
    """The area that covers the whole city tells no place apart, and is left out."""
    assert [row["id"] for row in measures["gaoqu"]["groups"]["five"]] == ["five-innovation"]
    (through,) = measures["shidao"]["groups"]["five"]
    assert (through["id"], through["through"]["id"]) == ("five-marine-economy", "rongcheng")
    assert measures["rushan"]["groups"] == {"five": [], "belt": [], "core": []}
    for row in measures.values():
        for groups in row["groups"].values():
            ids = [one["id"] for one in groups]
            assert len(ids) == len(set(ids))


def test_beside_is_mutual(measures) -> None:
    for place, row in measures.items():
        assert place not in row["beside"]
        for other in row["beside"]:
            assert place in measures[other]["beside"]
    assert set(measures["rushan"]["beside"]) == {"wendeng", "nanhai"}


def test_the_gap_between_geometries_is_geodesic() -> None:
    first, second = shapely.box(122, 37, 122.1, 37.1), shapely.box(122.2, 37, 122.3, 37.1)
    expected = crs.measure_length_m(shapely.Point(122.1, 37.1), shapely.Point(122.2, 37.1))
    assert crs.measure_gap_m(first, second) == pytest.approx(expected, rel=2e-3)
    assert crs.measure_gap_m(first, first) == 0
    assert crs.measure_line_m(shapely.LineString([(122, 37), (122, 38)])) == pytest.approx(110_990, abs=50)
