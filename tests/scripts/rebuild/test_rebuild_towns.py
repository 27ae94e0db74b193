"""Towns from boxes and seats on made-up counties, where the right answer is known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geodata import crs
from scripts.rebuild.division import NOBODY, SIDES, Claims, Grid, Unit, spread
from scripts.rebuild.towns import (
    Land,
    build_grid,
    build_towns,
    divide,
    find_owner,
    release_sides,
    smooth,
    to_plane_box,
    trace_borders,
)

FRAME = crs.build_equal_area(122.0, 37.0)
LAND = shapely.box(0, 0, 20_000, 10_000)
WEST = Unit("west", (4_000, 5_000), (0, 0, 11_000, 10_000))
EAST = Unit("east", (16_000, 5_000), (9_000, 0, 20_000, 10_000))


def units_of(*columns):
    """Return towns side by side whose borders bend: each reaches 800 m into its neighbours' boxes."""
    edges = [0, *columns, 20_000]
    return [
        Unit(
            f"t{index}", ((west + east) / 2, 5_000), (max(west - 800, 0), 0, min(east + 800, 20_000), 10_000)
        )
        for index, (west, east) in enumerate(pairwise(edges))
    ]


@settings(max_examples=10)
@given(st.lists(st.integers(4, 16), min_size=1, max_size=3, unique=True).map(sorted))
def test_every_town_lies_in_its_box_and_reaches_each_side_of_it(columns):
    units = units_of(*(1_000 * column for column in columns))
    division = divide(LAND, units, {}, 100.0)
    grid, labels = division.claims.grid, division.labels
    assert np.all(labels != NOBODY)
    for index, unit in enumerate(units):
        rows, columns_ = np.nonzero((labels == index) & grid.land)
        found = (grid.xs[columns_].min(), grid.ys[rows].min(), grid.xs[columns_].max(), grid.ys[rows].max())
        assert np.abs(np.array(found) - np.array(unit.box)).max() <= 1.5 * grid.step


def test_a_loose_side_need_not_be_reached():
    wide = Unit("west", (4_000, 5_000), (0, 0, 19_000, 10_000), loose=frozenset(["east"]))
    strict = divide(LAND, [Unit("west", wide.seat, wide.box), EAST], {}, 100.0)
    free = divide(LAND, [wide, EAST], {}, 100.0)
    east_most = [
        division.claims.grid.xs[np.nonzero((division.labels == 0) & division.claims.grid.land)[1]].max()
        for division in (strict, free)
    ]
    assert east_most[0] > 18_800
    assert east_most[1] < 16_000


def test_where_two_ways_cross_one_of_them_goes_round():
    """One town must get through to the east between two that must both meet west of there."""
    units = [
        Unit("middle", (5_000, 5_000), (0, 3_000, 18_000, 7_000)),
        Unit("north", (13_000, 9_000), (2_000, 4_500, 20_000, 10_000)),
        Unit("south", (13_000, 1_000), (2_000, 0, 20_000, 5_500)),
    ]
    division = divide(LAND, units, {}, 100.0)
    assert (division.claims.measure_gaps(division.claims.assign()) < division.claims.grid.step).all()


def test_a_town_without_a_box_gets_out_of_a_ring_of_one_zone():
    """Nothing says that it is an enclave, so a tenth of its edge at least is open: less is none to see."""
    units = [
        Unit("inner", (12_000, 5_000)),
        Unit("west", (3_000, 5_000), (0, 0, 8_000, 10_000)),
        Unit("upper", (13_000, 8_500), (6_000, 4_000, 20_000, 10_000)),
        Unit("lower", (13_000, 1_500), (6_000, 0, 20_000, 6_000)),
    ]
    division = divide(LAND, units, {(2, 3): 0.5 * LAND.area}, 100.0)
    labels = np.where(division.claims.grid.land, division.labels, NOBODY)
    inner = labels == 0
    beside = labels[ndimage.binary_dilation(inner) & ~inner]
    assert np.isin(beside, [2, 3]).mean() <= 0.9


def test_the_way_to_a_side_is_a_wedge_and_no_spike():
    units = [
        Unit("west", WEST.seat, (0, 0, 13_000, 10_000)),
        Unit("east", (15_000, 5_000), (7_000, 0, 20_000, 10_000)),
    ]
    division = divide(LAND, units, {}, 100.0)
    heights = ((division.labels == 0) & division.claims.grid.land).sum(axis=0)
    tip = int(np.flatnonzero(heights).max())
    assert heights[tip - 30] > 2 * heights[tip - 10] > 4 * heights[tip]


@pytest.mark.parametrize("share", [0.4, 0.5, 0.6])
def test_a_group_has_the_wanted_area(share):
    units = [
        Unit("west", WEST.seat, (0, 0, 14_000, 10_000)),
        Unit("east", EAST.seat, (6_000, 0, 20_000, 10_000)),
    ]
    division = divide(LAND, units, {(0,): share * LAND.area}, 100.0)
    land = division.claims.grid.land
    assert ((division.labels == 0) & land).sum() / land.sum() == pytest.approx(share, rel=0.005)


def test_a_town_without_a_box_has_the_land_in_no_box():
    units = [Unit("west", (4_000, 5_000), (0, 0, 8_000, 10_000)), Unit("east", (14_000, 5_000))]
    division = divide(LAND, units, {}, 100.0)
    grid = division.claims.grid
    beyond = grid.land & (grid.xs[None, :] > 8_200)
    assert (division.labels[beyond] == 1).all()


def test_the_villages_of_a_town_without_a_box_tell_its_size():
    rest = [Unit("a", (2_500, 5_000), (0, 0, 5_500, 10_000), villages=20)]

    def measure(villages):
        unit = Unit("free", (9_000, 5_000), villages=villages)
        units = [*rest, unit, Unit("b", (16_000, 5_000), (7_000, 0, 20_000, 10_000), villages=20)]
        division = divide(LAND, units, {}, 100.0)
        return int(((division.labels == 1) & division.claims.grid.land).sum())

    assert measure(16) < measure(60)


def test_an_island_goes_to_the_town_whose_box_holds_it_not_to_the_nearest_seat():
    units = [WEST, Unit("far", (30_000, 5_000), (9_000, 0, 40_000, 10_000))]
    assert find_owner(shapely.box(12_000, 5_000, 12_500, 5_500), units) == 1
    assert find_owner(shapely.box(-900, 5_000, -500, 5_500), units) == 0  # in no box: the nearest one
    islands = [shapely.box(39_500, 5_000, 39_900, 5_500)]
    assert release_sides(units, islands)[1].loose == {"east"}
    assert not release_sides(units, islands)[0].loose


def test_the_land_beyond_water_is_no_side_to_reach():
    """What a box holds of land across a bay is not the town's to reach."""
    land = shapely.union_all([shapely.box(0, 0, 10_000, 10_000), shapely.box(14_000, 0, 20_000, 10_000)])
    units = [Unit("west", (4_000, 5_000), (0, 0, 15_000, 10_000)), EAST]
    claims = Claims(build_grid(land, 100.0), units)
    assert claims.measure_gaps(claims.assign())[0, SIDES.index("east")] == 0


def test_traced_borders_have_no_stairs_once_smoothed_and_keep_their_ends():
    xs = ys = np.arange(0.0, 6_000.0, 50.0)
    labels = (ys[:, None] > 0.3 * xs[None, :] + 1_000).astype(np.int16)
    grid = Grid(xs, ys, np.ones(labels.shape, bool))
    (line,) = trace_borders(labels, grid)
    smoothed = smooth(line, grid.step)
    assert smoothed.coords[0] == line.coords[0]
    assert smoothed.coords[-1] == line.coords[-1]
    inner = shapely.get_coordinates(smoothed)[20:-20]
    assert np.abs(inner[:, 1] - 0.3 * inner[:, 0] - 1_000).max() < 30
    turns = np.abs(np.diff(np.unwrap(np.arctan2(*np.diff(inner, axis=0).T[::-1]))))
    assert np.degrees(turns.max()) < 15


def test_cells_of_nobody_go_to_the_nearest():
    labels = np.array([[0, NOBODY, NOBODY, 1]], np.int16)
    assert spread(labels).tolist() == [[0, 0, 1, 1]]


def test_a_box_on_the_plane_holds_the_same_ground():
    west, south, east, north = to_plane_box((121.95, 36.95, 122.05, 37.05), FRAME)
    assert east - west == pytest.approx(8_900, rel=0.01)
    assert north - south == pytest.approx(11_098, rel=0.01)


@pytest.fixture(scope="module")
def made():
    """Two towns of one county with an island, and a neighbouring county east of it, lon/lat."""
    lands = {
        "own": Land(
            shapely.MultiPolygon([shapely.box(122, 37, 122.2, 37.1)]),
            (shapely.box(122.05, 37.2, 122.06, 37.21),),
        ),
        "next": Land(shapely.MultiPolygon([shapely.box(122.2, 37, 122.3, 37.1)]), ()),
    }
    seats = zip(*crs.transform([122.03, 122.17], [37.02, 37.07], crs.LONLAT, FRAME), strict=True)
    boxes = [to_plane_box(box, FRAME) for box in ((122, 37, 122.12, 37.21), (122.08, 37, 122.2, 37.1))]
    units = [
        Unit(f"t{index}", (float(x), float(y)), box)
        for index, ((x, y), box) in enumerate(zip(seats, boxes, strict=True))
    ]
    mainland = crs.transform_geometry(lands["own"].mainland, crs.LONLAT, FRAME)
    islands = [crs.transform_geometry(island, crs.LONLAT, FRAME) for island in lands["own"].islands]
    division = divide(mainland, release_sides(units, islands), {}, 100.0)
    return build_towns(lands, {"own": division}, FRAME)


def test_towns_and_neighbours_form_one_valid_coverage(made):
    assert list(made) == ["next", "t0", "t1"]
    assert shapely.coverage_is_valid(list(made.values()))
    assert [shapely.get_num_geometries(shape) for shape in made.values()] == [1, 2, 1]  # the island


def test_town_vertices_lie_on_the_grid(made):
    points = shapely.get_coordinates(list(made.values())) * 1e6
    assert np.abs(points - points.round()).max() < 1e-3
