"""Counties on a small made-up shore, where the right answer is known."""

from __future__ import annotations

import pytest
import shapely

from scripts.rebuild.towns import build_borders, build_extensions, build_lands

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
