"""A basemap prepared for drawing: each range of zooms shows what it is for, in cells that decode to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.basemap import (
    DIMENSIONS,
    LINE,
    POLYGON,
    Basemap,
    BasemapError,
    GroundFeature,
    LocalName,
    read_basemap,
)
from geodata.crs import Bounds
from geodata.read import Facts, read_facts
from layers.basemap_cells import (
    FOLDER,
    INDEX,
    RANGES,
    PreparedBasemap,
    build_cells,
    cell_bounds,
    check_cover,
    groups_by_kind,
    prepare_basemap,
    read_groups,
    window_around,
)
from scripts.bench.synthetic import build_extract, read_city_land

SOME = LocalName("样例", "Sample", "")


@cache
def read_ground() -> tuple[Facts, BaseGeometry]:
    """Return the facts, and the land of the city."""
    return read_facts(), read_city_land()


def read_window() -> Bounds:
    return window_around(read_ground()[1].bounds)


@pytest.fixture(scope="module")
def basemap(tmp_path_factory: pytest.TempPathFactory) -> Basemap:
    path = tmp_path_factory.mktemp("extract") / "basemap.osm.pbf"
    return read_basemap(build_extract(*read_ground(), roads=2500, built=250).write(path), read_window())


@pytest.fixture(scope="module")
def prepared(basemap: Basemap) -> PreparedBasemap:
    facts, land = read_ground()
    return prepare_basemap(basemap, read_window(), facts, land)


@pytest.fixture(scope="module")
def cells(prepared: PreparedBasemap) -> Mapping[str, Any]:
    """Return what a release holds, as a page reads it."""
    found: Mapping[str, Any] = json.loads(json.dumps(build_cells(prepared)))
    return found


@pytest.mark.parametrize("level", range(len(RANGES)))
def test_cells_decode_to_what_was_prepared(
    prepared: PreparedBasemap, cells: Mapping[str, Any], level: int
) -> None:
    row = prepared.ranges[level]
    found = read_groups(cells.__getitem__, level)
    assert set(found) <= set(row.groups)
    for key, group in row.groups.items():
        if DIMENSIONS[key[:-1]] == LINE:
            assert found[key].length == pytest.approx(group.length, rel=0.03), key
        elif group.area > 100 * row.of.step_deg**2 * len(shapely.get_parts(group)):
            assert found[key].area == pytest.approx(group.area, rel=0.1), key
        apart = shapely.distance(shapely.points(shapely.get_coordinates(found[key])), group)
        assert apart.max() < 5 * row.of.step_deg, key


def test_every_cell_is_listed_and_holds_only_what_lies_in_it(
    prepared: PreparedBasemap, cells: Mapping[str, Any]
) -> None:
    index = cells[INDEX]
    listed = {
        f"{FOLDER}/{level}/{name}.json" for level, row in enumerate(index["ranges"]) for name in row["cells"]
    }
    assert listed == set(cells) - {INDEX}
    for level, row in enumerate(index["ranges"]):
        width = cell_bounds(index["window"], row["across"], 0, 0)[2] - index["window"][0]
        most = width / row["step"] + 4
        for name in row["cells"]:
            for key, drawn in cells[f"{FOLDER}/{level}/{name}.json"].items():
                assert key == "names" or all(
                    abs(part[0] if DIMENSIONS[key[:-1]] == LINE else part[0][0]) < most for part in drawn
                )


def test_closer_ranges_show_more_and_the_farthest_is_small(cells: Mapping[str, Any]) -> None:
    kinds = [set(read_groups(cells.__getitem__, level)) for level in range(len(RANGES))]
    assert kinds[0] < kinds[1] < kinds[2]
    assert {"road1", "rail1", "built1"} <= kinds[0]
    assert "road6" in kinds[2]
    sizes = [
        sum(len(json.dumps(cell)) for path, cell in cells.items() if path.startswith(f"{FOLDER}/{level}/"))
        for level in range(len(RANGES))
    ]
    assert sizes[0] < sizes[1] < sizes[2]


def test_the_same_file_gives_the_same_cells(basemap: Basemap, cells: Mapping[str, Any]) -> None:
    facts, land = read_ground()
    again = prepare_basemap(basemap, read_window(), facts, land)
    assert json.loads(json.dumps(build_cells(again))) == cells


def test_small_maps_get_each_kind_once(prepared: PreparedBasemap) -> None:
    found = groups_by_kind(prepared.ranges[0].groups)
    assert list(found) == ["built", "water", "river", "rail", "road"]
    roads = [group.length for key, group in prepared.ranges[0].groups.items() if key.startswith("road")]
    assert found["road"].length == pytest.approx(sum(roads))


def make(*rows: GroundFeature) -> PreparedBasemap:
    facts, land = read_ground()
    return prepare_basemap(Basemap("basemap.osm", None, rows), read_window(), facts, land)


def test_built_up_land_ends_at_the_coast() -> None:
    _, land = read_ground()
    box = shapely.box(*shapely.Point(122.187, 37.503).buffer(0.05).bounds)  # an island and water around it
    assert not land.contains(box)
    shown = make(GroundFeature("built", 1, SOME, box)).ranges[2].groups["built1"]
    assert 0 < shown.area < box.area
    assert shapely.difference(shown, land.buffer(1e-4)).area < 1e-9


def test_names_that_the_data_have_are_not_written_twice() -> None:
    facts, _ = read_ground()
    town = next(one for one in facts.towns.values() if one.name.zh == "羊亭镇")
    station = facts.gateways["station-weihai"]
    at = shapely.Point(town.seat.lon + 0.01, town.seat.lat)
    rows = [
        GroundFeature("place", 2, LocalName("羊亭镇", "", ""), at),
        GroundFeature("place", 2, LocalName("羊亭", "", ""), at),
        GroundFeature("place", 4, LocalName("羊亭", "", ""), at),  # a village of that name
        GroundFeature(
            "place", 2, LocalName("羊亭镇", "", ""), shapely.affinity.translate(at, 0.5)
        ),  # another
        GroundFeature("peak", 1, LocalName("", "", ""), at),  # without a name
    ]
    spot = shapely.Point(station.position.lon, station.position.lat)
    rows.append(GroundFeature("station", 1, LocalName(station.name.zh, "", ""), spot))
    shown = make(*rows).ranges[2].names
    assert [(one.kind, one.rank, one.at[0]) for one in shown] == [
        ("place", 4, at.x),
        ("place", 2, pytest.approx(at.x + 0.5)),
    ]


def test_a_file_without_a_county_is_refused_with_its_name() -> None:
    west, east = shapely.box(121, 36, 122, 38), shapely.box(122, 36, 123, 38)
    road = GroundFeature("road", 1, SOME, shapely.LineString([(121.2, 37), (121.8, 37)]))
    half = Basemap(
        "basemap.gpkg", None, (road, GroundFeature("built", 1, SOME, shapely.box(122.1, 37, 122.2, 37.1)))
    )
    check_cover(half, {"西县": west})
    with pytest.raises(BasemapError, match=r"basemap\.gpkg.*东县") as refused:
        check_cover(half, {"西县": west, "东县": east})
    assert refused.value.code == "basemap-county"
    assert "西县" not in str(refused.value)


def test_polygons_meet_across_the_edges_of_cells(cells: Mapping[str, Any]) -> None:
    """Two polygons cut at one line would let the ground shine through."""
    parts = read_groups(cells.__getitem__, 2)["built1"]
    window, across = cells[INDEX]["window"], RANGES[2].across
    edges = shapely.union_all(
        [
            shapely.box(*cell_bounds(window, across, x, y)).boundary
            for x in range(across)
            for y in range(across)
        ]
    )
    inside = shapely.intersection(edges, parts.buffer(-RANGES[2].step_deg))
    assert inside.length > 0
    assert shapely.difference(inside, parts).length == 0
    assert DIMENSIONS["built"] == POLYGON
