"""GeoJSON as RFC 7946 wants it."""

import math
from typing import Any

import orjson
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon

from geodata import boundaries
from geodata.boundaries import parse_geometry


def _written(polygon: Polygon) -> Any:
    return parse_geometry(boundaries.to_feature("a", polygon, {}))


positions = st.tuples(st.floats(120, 124, allow_nan=False), st.floats(36, 38, allow_nan=False))


@st.composite
def rings(draw: st.DrawFn) -> Polygon:
    """A star-shaped polygon around a point, wound either way, coarse enough to survive rounding."""
    lon, lat = draw(positions)
    radii = draw(st.lists(st.floats(0.01, 0.5), min_size=4, max_size=20))
    step = 2 * math.pi / len(radii)
    ring = [(lon + r * math.cos(i * step), lat + r * math.sin(i * step)) for i, r in enumerate(radii)]
    return Polygon(ring if draw(st.booleans()) else ring[::-1])


@given(rings())
def test_exterior_rings_run_counter_clockwise_and_stay_valid(polygon: Polygon) -> None:
    written = _written(polygon)
    for part in shapely.get_parts(written):
        assert part.exterior.is_ccw
        assert all(not hole.is_ccw for hole in part.interiors)
    assert written.is_valid


@given(rings())
def test_no_coordinate_has_more_than_seven_decimals_and_none_moves_further(polygon: Polygon) -> None:
    written = _written(polygon)
    coordinates = shapely.get_coordinates(written)
    assert all(round(value, 7) == value for value in coordinates.ravel().tolist())
    assert shapely.hausdorff_distance(written, polygon) < 2e-7


@given(rings())
def test_writing_twice_gives_the_same_bytes(polygon: Polygon) -> None:
    first = orjson.dumps(boundaries.to_feature("a", polygon, {"名": "威海"}))
    assert first == orjson.dumps(boundaries.to_feature("a", polygon, {"名": "威海"}))


def test_holes_run_the_other_way() -> None:
    outer = [(122, 37), (122, 38), (123, 38), (123, 37)]
    hole = [(122.4, 37.4), (122.6, 37.4), (122.6, 37.6), (122.4, 37.6)]
    written = _written(Polygon(outer, [hole]))
    assert written.exterior.is_ccw
    assert not written.interiors[0].is_ccw


def test_a_feature_without_a_place_has_a_null_geometry_and_no_bbox() -> None:
    feature = boundaries.to_feature("somewhere", None, {})
    assert feature["geometry"] is None
    assert "bbox" not in feature


def test_a_collection_has_the_bbox_of_its_features_and_no_crs_member() -> None:
    rows = [boundaries.to_feature(str(i), Polygon([(i, 0), (i + 1, 0), (i, 1)]), {}) for i in range(3)]
    collection = boundaries.to_collection([*rows, boundaries.to_feature("none", None, {})], "made")
    assert collection["bbox"] == [0, 0, 3, 1]
    assert "crs" not in collection
