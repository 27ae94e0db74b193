"""Boundaries that are shifted, or far from the lines that are known."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geodata import crs
from geodata.boundary_import.gcj02 import measure_shift
from geodata.boundary_import.propose import propose
from tests.geodata.boundary_import.files import GROUND, codes, request, zone


@pytest.mark.parametrize(("frame", "code"), [("GCJ-02", "suspected-gcj02"), ("BD-09", "suspected-bd09")])
@pytest.mark.parametrize("name", ["lingang"])
def test_a_shifted_polygon_is_suspected_and_read_right_when_told(write, name, frame, code):
    """The shape is not ours: drawn coarser, and moved by up to 150 m in waves."""

    def wave(xy):
        return xy + 0.0015 * np.column_stack([np.sin(xy[:, 1] * 400), np.cos(xy[:, 0] * 300)])

    drawn = shapely.transform(shapely.segmentize(zone(name), 0.003), wave)
    drawn = shapely.make_valid(shapely.set_precision(drawn, 1e-7))
    assert code not in codes(write("plain.geojson", [drawn]), of=name)[0]
    path = write("shifted.geojson", [crs.transform_geometry(drawn, "CRS84", frame)])
    assert code in codes(path, of=name)[0]
    told = propose(request(path, of=name, crs=frame), GROUND)
    assert code not in {issue.code for issue in told.issues}
    assert shapely.hausdorff_distance(told.records[0].polygon, drawn) < 1e-6


@pytest.fixture(scope="module")
def verdicts():
    """What is told of every place as it is drawn here, which is not shifted."""
    counties = {town.county for town in GROUND.facts.towns.values()}
    known = shapely.union_all([zone(one).boundary for one in sorted(counties)])
    found = {name: measure_shift(shape.geometry, known) for name, shape in GROUND.shapes.items()}
    return {name: verdict for name, verdict in found.items() if verdict.distance_m}


def test_no_place_as_it_is_drawn_here_is_suspected(verdicts):
    assert len(verdicts) > 30
    assert {name: one.suspected for name, one in verdicts.items() if one.suspected} == {}


def test_an_edge_that_only_runs_beside_a_coast_is_not_suspected(verdicts):
    """Some run along a coast about as far off as BD-09 is: moved they are nearer, but fit it no better."""
    nearer = {
        name: one
        for name, one in verdicts.items()
        if min(one.distance_m[frame] for frame in crs.SHIFTED) < 0.9 * one.distance_m[crs.LONLAT]
    }
    assert nearer
    for name, one in nearer.items():
        assert one.to_dict()["told"], name
        assert one.suspected is None, name


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("west", "far"), [(0.0, False), (0.0006, False), (0.0045, True)])
def test_a_boundary_far_from_known_lines_is_warned_of_without_standing_in_the_way(write, west, far):
    """0.0045 degrees are 400 m; two drawings of one line are usually 109 m apart."""
    drawn = shapely.affinity.translate(shapely.simplify(zone("gaoqu"), 0.0003), -west, west / 2)
    proposal = propose(request(write("a.gpkg", [drawn]), of="gaoqu"), GROUND)
    assert proposal.errors == 0
    said = [issue for issue in proposal.issues if issue.code == "far-from-known"]
    assert [issue.level for issue in said] == (["warning"] if far else [])
    verdict = proposal.shifts["gaoqu"]
    assert verdict.suspected is None
    assert (verdict.median_m > 218) is far
    if far:
        assert f"{verdict.median_m:.0f} m" in said[0].message_zh
        assert "109 m" in said[0].message_en
        assert said[0].fix
        assert "EPSG:4326" in said[0].fix["en"]


@pytest.mark.usefixtures("alone")
def test_what_only_runs_beside_a_coast_is_not_far_from_anything(write, verdicts):
    layers = dict.fromkeys(GROUND.facts.towns, "towns")
    layers |= {row.id: row.layer for row in GROUND.facts.zones.values()}
    beside = [name for name, one in verdicts.items() if name in layers and one.median_m > 218]
    assert {layers[name] for name in beside} == {"parks", "towns"}
    for name in beside:
        path = write("a.gpkg", [zone(name)])
        assert codes(path, of=name, layer=layers[name])[0] == set(), name
        proposal = propose(request(path, of=name, layer=layers[name]), GROUND)
        assert proposal.shifts[name].median_m > 218


def test_too_short_an_edge_along_known_lines_is_no_verdict():
    inland = shapely.box(122.0, 37.25, 122.02, 37.27)
    path_free = GROUND.shapes["huancui"].geometry.boundary
    verdict = measure_shift(inland, path_free).to_dict()
    assert verdict["told"] is False
    assert verdict["suspected"] is None
