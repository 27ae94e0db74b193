"""The power diagram on small made-up counties, where the right answer is known."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from geodata import crs
from geodata.land import Land, build_borders, build_extensions, build_lands
from geodata.partition import (
    Division,
    PartitionError,
    Seats,
    build_cells,
    build_frame,
    build_towns,
    find_island_owner,
    solve_weights,
)

FRAME = crs.build_equal_area(122.0, 37.0)
SQUARE = shapely.box(0, 0, 10_000, 10_000)
PLACES = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=2, max_size=12, unique=True
)


def seats_of(points, groups=(), targets=()):
    codes = tuple(f"t{index}" for index in range(len(points)))
    return Seats(codes, np.array(points, dtype=float), groups, targets)


@given(PLACES)
@example([(10_000, 236), (0, 192), (48, 0), (10_000, 10_000), (10_000, 0)])
def test_cells_tile_the_land_without_gap_or_overlap(places):
    points = np.array(places, dtype=float)
    cells = build_cells(points, np.zeros(len(points)), build_frame(SQUARE))
    parts = shapely.intersection(cells, SQUARE)
    assert sum(part.area for part in parts) == pytest.approx(SQUARE.area)
    # Joined on a grid: the cells' corners are each computed alone, and without one GEOS loses faces.
    assert shapely.union_all(parts, grid_size=0.001).area == pytest.approx(SQUARE.area)


@given(PLACES)
def test_without_weights_every_seat_lies_in_its_own_cell(places):
    points = np.array(places, dtype=float)
    cells = build_cells(points, np.zeros(len(points)), build_frame(SQUARE))
    assert all(
        cell.buffer(1e-6).covers(shapely.Point(point)) for cell, point in zip(cells, points, strict=True)
    )


@given(PLACES, st.integers(-4_000_000, 4_000_000))
def test_a_common_weight_changes_nothing(places, weight):
    points = np.array(places, dtype=float)
    plain = build_cells(points, np.zeros(len(points)), build_frame(SQUARE))
    lifted = build_cells(points, np.full(len(points), float(weight)), build_frame(SQUARE))
    assert [cell.area for cell in lifted] == pytest.approx([cell.area for cell in plain])


def test_a_heavy_neighbour_can_take_a_whole_cell():
    cells = build_cells(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0.0, 100.0]), (-9, -9, 9, 9))
    assert cells[0].is_empty
    assert cells[1].area == pytest.approx(18 * 18)


@given(share=st.floats(0.2, 0.8))
def test_the_wanted_area_of_one_zone_is_met(share):
    points = [(2_000, 3_000), (7_000, 2_500), (5_000, 8_000), (8_500, 8_500)]
    seats = seats_of(points, ((0, 2),), (share * SQUARE.area,))
    weights = solve_weights(seats, SQUARE)
    cells = build_cells(seats.points, weights, build_frame(SQUARE))
    area = sum(shapely.intersection(cells[index], SQUARE).area for index in (0, 2))
    assert area == pytest.approx(share * SQUARE.area, rel=1e-6)
    assert weights[0] == weights[2]
    assert weights[1] == weights[3] == 0


def test_two_zones_meet_their_areas_at_once():
    points = [(1_000, 1_000), (5_000, 5_000), (9_000, 9_000), (9_000, 1_000)]
    seats = seats_of(points, ((0,), (2, 3)), (30e6, 50e6))
    areas = [
        shapely.intersection(cell, SQUARE).area
        for cell in build_cells(seats.points, solve_weights(seats, SQUARE), build_frame(SQUARE))
    ]
    assert areas[0] == pytest.approx(30e6, rel=1e-6)
    assert areas[2] + areas[3] == pytest.approx(50e6, rel=1e-6)


def test_no_wish_means_no_weight():
    assert not solve_weights(seats_of([(1, 1), (2, 2)]), SQUARE).any()


def test_an_area_larger_than_the_land_fails_with_its_distance():
    seats = seats_of([(2_000, 3_000), (7_000, 2_500)], ((0,),), (2 * SQUARE.area,))
    with pytest.raises(PartitionError, match="km²"):
        solve_weights(seats, SQUARE)


def test_an_island_goes_whole_to_the_nearest_seat():
    lons, lats = np.array([122.0, 122.1]), np.array([37.0, 37.0])
    seats = seats_of(np.column_stack(crs.transform(lons, lats, crs.LONLAT, FRAME)))
    assert find_island_owner(shapely.box(122.06, 37.05, 122.07, 37.06), seats, FRAME) == "t1"


@pytest.fixture
def made():
    """Two towns of one county and a neighbour county east of it."""
    lands = {
        "own": Land(
            shapely.MultiPolygon([shapely.box(122, 37, 122.2, 37.1)]),
            (shapely.box(122.05, 37.2, 122.06, 37.21),),
        ),
        "next": Land(shapely.MultiPolygon([shapely.box(122.2, 37, 122.3, 37.1)]), ()),
    }
    points = np.column_stack(crs.transform([122.03, 122.17], [37.02, 37.07], crs.LONLAT, FRAME))
    seats = seats_of(points)
    return build_towns(lands, {"own": Division(seats, np.zeros(2))}, FRAME)


def test_towns_and_neighbours_form_one_valid_coverage(made):
    assert list(made) == ["next", "t0", "t1"]
    assert shapely.coverage_is_valid(list(made.values()))
    assert [shapely.get_num_geometries(shape) for shape in made.values()] == [1, 1, 2]  # the island


def test_town_vertices_lie_on_the_grid(made):
    points = shapely.get_coordinates(list(made.values())) * 1e6
    assert np.abs(points - points.round()).max() < 1e-3


OUTLINES = {"west": shapely.box(122.0, 37.0, 122.1, 37.1), "east": shapely.box(122.1, 37.0, 122.2, 37.1)}
SHORE = shapely.box(121.98, 36.99, 122.22, 37.12)
ISLAND = shapely.box(122.15, 37.2, 122.16, 37.21)


def test_the_shared_border_is_found_once():
    assert [line.length for line in build_borders(OUTLINES)] == pytest.approx([0.1])


def test_a_border_is_run_on_to_the_real_shore_on_both_ends():
    lines = build_extensions(build_borders(OUTLINES), OUTLINES, SHORE)
    assert sorted(line.length for line in lines) == pytest.approx([0.01, 0.02])
    assert all(line.bounds[0] == pytest.approx(122.1) for line in lines)


def test_land_beyond_the_coarse_coast_goes_with_the_nearest_county():
    lands = build_lands(OUTLINES, [SHORE, ISLAND])
    assert lands["west"].mainland.area == pytest.approx(lands["east"].mainland.area)
    assert lands["west"].mainland.area + lands["east"].mainland.area == pytest.approx(SHORE.area)
    assert (len(lands["west"].islands), len(lands["east"].islands)) == (0, 1)
