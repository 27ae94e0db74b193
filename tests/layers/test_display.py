"""Display geometry: a topology that decodes to the real places, edges shared, nothing lost."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import LineString, MultiPolygon, Polygon, shape

from layers.sketch import Frame
from layers.store import Release

LAYERS = ("counties", "zones", "parks", "five-zones", "belts", "marine-cores")


def _decode(topology: dict[str, Any], geometry: dict[str, Any]) -> MultiPolygon:
    """Decode one polygon as the TopoJSON specification says."""
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]

    def arc(index: int) -> list[tuple[float, float]]:
        x = y = 0
        points = []
        for dx, dy in topology["arcs"][index if index >= 0 else ~index]:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
        return points if index >= 0 else points[::-1]

    def ring(indices: list[int]) -> list[tuple[float, float]]:
        return [
            point for position, index in enumerate(indices) for point in arc(index)[1 if position else 0 :]
        ]

    parts = geometry["arcs"]
    return MultiPolygon([Polygon(ring(rings[0]), [ring(hole) for hole in rings[1:]]) for rings in parts])


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize(("level", "tolerance_deg"), [("overview", 0.006), ("detail", 0.00001)])
def test_display_polygons_decode_to_the_published_ones(
    release: Release, layer: str, level: str, tolerance_deg: float
) -> None:
    topology = release.read_json(f"map/{level}.topojson")
    rows = json.loads(release.read(f"data/{layer}.geojson"))["features"]
    features = [row for row in rows if row["properties"]["area_km2"] is not None]  # the others are no extents
    drawn = {row["id"]: row for row in topology["objects"].get(layer, {"geometries": []})["geometries"]}
    assert set(drawn) == {feature["id"] for feature in features}
    for feature in features:
        true = shape(feature["geometry"])
        shown = shapely.make_valid(_decode(topology, drawn[feature["id"]]))
        assert shapely.area(shown.symmetric_difference(true)) < 0.05 * true.area
        assert shapely.hausdorff_distance(shown, true) < tolerance_deg or level == "overview"


@pytest.mark.parametrize("level", ["overview", "detail"])
def test_water_that_the_coast_closes_is_drawn_as_it_is_published(release: Release, level: str) -> None:
    rows = json.loads(release.read("data/land.geojson"))["features"]
    published = {row["id"]: shape(row["geometry"]) for row in rows if row["properties"]["kind"] == "water"}
    topology = release.read_json(f"map/{level}.topojson")
    drawn = {row["id"]: _decode(topology, row) for row in topology["objects"]["water"]["geometries"]}
    assert set(drawn) == set(published) != set()
    for water, true in published.items():
        shown = shapely.make_valid(drawn[water])
        assert shapely.area(shown.symmetric_difference(true)) < 0.05 * true.area


@pytest.mark.parametrize("level", ["overview", "detail"])
def test_every_geometry_is_nested_as_its_type_says(release: Release, level: str) -> None:
    depths = {"MultiPolygon": 3, "MultiLineString": 2}
    for collection in release.read_json(f"map/{level}.topojson")["objects"].values():
        for geometry in collection["geometries"]:
            arcs, depth = geometry["arcs"], 0
            while isinstance(arcs, list):
                arcs, depth = arcs[0], depth + 1
            assert depth == depths[geometry["type"]], geometry["id"]


@pytest.mark.parametrize("level", ["overview", "detail"])
def test_every_ring_has_the_four_positions_of_a_ring(release: Release, level: str) -> None:
    """Rounding leaves nothing of the smallest islands, which are not drawn then."""
    topology = release.read_json(f"map/{level}.topojson")
    for name, collection in topology["objects"].items():
        for geometry in collection["geometries"]:
            rings = [ring for part in geometry["arcs"] for ring in part if geometry["type"] == "MultiPolygon"]
            counts = [
                1 + sum(len(topology["arcs"][one if one >= 0 else ~one]) - 1 for one in ring)
                for ring in rings
            ]
            assert all(count >= 4 for count in counts), (name, geometry["id"])
            assert counts or geometry["type"] == "MultiLineString"


@pytest.mark.parametrize("level", ["overview", "detail"])
def test_neighbours_share_their_arcs_on_the_screen(release: Release, level: str) -> None:
    topology = release.read_json(f"map/{level}.topojson")
    counties = {row["id"]: _decode(topology, row) for row in topology["objects"]["counties"]["geometries"]}
    overlaps = [
        counties[one].intersection(counties[other]).area
        for one in counties
        for other in counties
        if one < other
    ]
    assert max(overlaps) < 1e-9


def test_the_first_view_s_data_is_light(release: Release) -> None:
    sizes = [release.size(f"map/{name}.gz") for name in ("overview.topojson", "zh.json")]
    assert sum(sizes) <= 80_000


@pytest.mark.parametrize("level", ["overview", "detail"])
def test_every_edge_of_a_zone_is_known_or_says_how_doubtful_it_is(release: Release, level: str) -> None:
    """Along the coast and the borders of counties an arc is known, everywhere else it is not."""
    topology = release.read_json(f"map/{level}.topojson")
    doubtful = {index: row for row in topology["doubts"] for index in row["arcs"]}

    def arcs_of(layer: str) -> set[int]:
        rings = [
            ring for row in topology["objects"][layer]["geometries"] for part in row["arcs"] for ring in part
        ]
        return {index if index >= 0 else ~index for ring in rings for index in ring}

    county, zone = arcs_of("counties"), arcs_of("zones")
    assert not county & doubtful.keys()
    lines = {one: LineString(np.cumsum(topology["arcs"][one], axis=0)) for one in county | zone}
    known = shapely.union_all([lines[one] for one in county])
    steps = 3  # of rounding
    for one in zone:
        along = lines[one].interpolate(0.5, normalized=True).distance(known) <= steps
        assert along != (one in doubtful), one
    assert {row["county"] for row in topology["doubts"]} <= {"huancui", "wendeng", "rongcheng", "rushan"}
    assert all(354 <= row["accuracy_m"] < 3000 for row in topology["doubts"])


def test_rings_too_small_to_be_seen_are_left_out_of_small_maps_and_lines_are_not() -> None:
    frame = Frame((121.0, 36.0, 123.0, 38.0))
    px = 1 / frame.px_per_deg
    land, islet, isle = (shapely.box(122, 37, 122 + size * px, 37 + size * px) for size in (40, 0.4, 2))
    apart = [
        land,
        shapely.transform(islet, lambda at: at - 0.3),
        shapely.transform(isle, lambda at: at + 0.3),
    ]
    assert frame.to_path(shapely.MultiPolygon(apart)).count("M") == 2
    assert frame.to_path(islet).count("M") == 1  # of nothing but those, the largest
    assert frame.to_path(LineString([(122, 37), (122 + 0.4 * px, 37)])).count("M") == 1
    assert frame.to_path(Polygon()) == ""
