"""How likely a point is in a place: right as often as it says, where the truth is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geodata.boundaries import parse_geometry
from geodata.read import read_boundaries, read_facts
from layers.document_types import BlockHead
from layers.lookup import EDGES, GROUND, BlockPlaces, Lookup, LookupAnswer, Surroundings, write_block
from layers.store import Release

Answers = list[tuple[float, bool]]  # likelihood in per cent, and whether it was so
POINTS = 3000
NEAR_DEG = 0.035  # of a blind border: farther away nothing is in doubt
BINS = ((0, 15), (15, 30), (30, 45), (45, 55), (55, 70), (70, 85), (85, 99))
LEAST = 50  # answers of a class, to tell anything from
TOLERANCE = 0.06


@pytest.fixture(scope="module")
def counties() -> dict[str, BaseGeometry]:
    """The four counties as they are, lon/lat."""
    towns = read_facts().towns
    pieces: dict[str, list[BaseGeometry]] = {}
    for row in read_boundaries()["towns"]["features"]:
        pieces.setdefault(towns[row["id"]].county, []).append(parse_geometry(row))
    return {county: shapely.union_all(found) for county, found in pieces.items()}


def _ask_blindly(counties: dict[str, BaseGeometry], stretch: float = 1) -> Answers:
    """Look points up among the counties as they were drawn blind, and hold the answers against the truth.

    The stated accuracies are multiplied by `stretch`.
    """
    boundaries = read_boundaries()
    lines = [(parse_geometry(row), row["properties"]) for row in boundaries["blind"]["features"]]
    borders, land = shapely.union_all([line for line, _ in lines]), shapely.union_all([*counties.values()])
    drawn: dict[str, list[BaseGeometry]] = {name: [] for name in counties}
    for face in shapely.get_parts(shapely.polygonize([shapely.union(borders, land.boundary)])):
        owner = max(counties, key=lambda name: shapely.intersection(face, counties[name]).area)
        drawn[owner].append(face)
    places = {name: shapely.union_all(faces) for name, faces in drawn.items()}
    head: BlockHead = {
        "layer": "counties",
        "url": None,
        "extent": None,
        "spots": [],
        "positional_accuracy_m": 2000,
    }
    blocks = write_block(
        ({**head, "id": name, "name": {"zh": name}}, place) for name, place in places.items()
    )
    quantiles = boundaries["datapackage"]["quality"]["reconstructed"]["quantiles"]
    table = sorted((float(share), part) for share, part in quantiles.items())
    edges: list[tuple[BlockHead, BaseGeometry]] = [
        (
            {
                "layer": EDGES,
                "of": [
                    name for name, place in places.items() if place.boundary.distance(line.centroid) < 0.01
                ],
                "accuracy_m": float(str(known["accuracy_m"])) * stretch,
                "coast": False,
                "errors": table,
            },
            line,
        )
        for line, known in lines
    ]
    ground: list[tuple[BlockHead, BaseGeometry]] = [
        ({"id": name, "layer": GROUND}, land) for name in ("neighbour", "window")
    ]
    lookup = Lookup(BlockPlaces(blocks), Surroundings(write_block([*edges, *ground])))
    answers: Answers = []
    chance = np.random.default_rng(7)
    west, south, east, north = shapely.buffer(borders, NEAR_DEG).bounds
    while len(answers) < POINTS:
        lon, lat = chance.uniform(west, east), chance.uniform(south, north)
        point = shapely.Point(lon, lat)
        truth = next((name for name, place in counties.items() if place.covers(point)), None)
        if truth and borders.distance(point) < NEAR_DEG:
            for layer in lookup.at(lon, lat)["likely"]:
                answers += [(one["likelihood_percent"], one["id"] == truth) for one in layer["places"]]
    return answers


def _measure_misses(answers: Answers) -> list[float]:
    """Return, for each class of likelihoods, by how much the share that was right differs from them."""
    rows = np.array(answers, float)
    classes = [rows[(rows[:, 0] >= low) & (rows[:, 0] < high)] for low, high in BINS]
    return [abs(own[:, 1].mean() - own[:, 0].mean() / 100) for own in classes if len(own) > LEAST]


def test_of_the_answers_given_as_80_per_cent_likely_about_80_per_cent_are_right(
    counties: dict[str, BaseGeometry],
) -> None:
    answers = _ask_blindly(counties)
    misses = _measure_misses(answers)
    assert len(misses) == len(BINS)
    assert max(misses) < TOLERANCE
    sure = [right for percent, right in answers if percent >= 95]
    assert sum(sure) / len(sure) > 0.95


def test_accuracies_that_are_wrong_would_show(counties: dict[str, BaseGeometry]) -> None:
    assert max(_measure_misses(_ask_blindly(counties, 2.5))) > TOLERANCE


@given(st.floats(121.3, 122.6), st.floats(36.8, 37.5))
def test_what_is_said_of_a_point_adds_up(lookup: Lookup, lon: float, lat: float) -> None:
    answer = lookup.at(lon, lat)
    for layer in answer["likely"]:
        chances = [row["likelihood_percent"] for row in layer["places"]]
        assert chances == sorted(chances, reverse=True)
        assert sum(chances) + layer["none_percent"] <= 100.5
        rows = {row["id"]: row for row in answer["applies"] if row["layer"] == layer["layer"]}
        assert {one["id"]: one["likelihood_percent"] for one in layer["places"] if one["id"] in rows} == {
            name: row["likelihood_percent"]
            for name, row in rows.items()
            if any(one["id"] == name for one in layer["places"])
        }


def test_on_the_edge_it_is_even_and_far_inside_it_is_sure(release: Release, lookup: Lookup) -> None:
    zone, county = (
        shape(json.loads(release.read(f"features/{path}.geojson"))["geometry"])
        for path in ("zones/lingang", "counties/huancui")
    )
    guessed = shapely.difference(zone.boundary, shapely.buffer(county.boundary, 0.02))
    at = guessed.interpolate(0.5, normalized=True)
    assert _of(lookup.at(at.x, at.y), "lingang")["likelihood_percent"] == pytest.approx(50, abs=8)
    assert _of(lookup.at(122.09, 37.29), "lingang")["likelihood_percent"] > 95


def test_on_land_the_coast_is_taken_as_it_is_drawn(lookup: Lookup, counties: dict[str, BaseGeometry]) -> None:
    """A house by the sea is in its county, however coarse the coast."""
    shore = np.asarray(shapely.get_coordinates(shapely.buffer(counties["huancui"], -0.002)))
    lon, lat = shore[shore[:, 1].argmax()]
    answer = lookup.at(float(lon), float(lat))
    (likely,) = (row for row in answer["likely"] if row["layer"] == "counties")
    assert answer["covered"]
    assert (likely["places"][0]["id"], likely["places"][0]["likelihood_percent"]) == ("huancui", 100.0)


def test_of_a_place_without_a_known_extent_nobody_can_say(release: Release, lookup: Lookup) -> None:
    for row in json.loads(release.read("data/parks.geojson"))["features"]:
        document = json.loads(release.read(f"documents/{row['id']}.json"))
        for lon, lat, accuracy_m in document["geometry"]["spots"]:
            answer = _of(lookup.at(lon, lat), row["id"])
            assert (answer["status"], answer["likelihood_percent"]) == ("near", None)
            assert answer["uncertain"]
            assert _of(lookup.at(lon, lat + accuracy_m * 1.2 / 111_000), row["id"], missing=True) is None


def _of(answer: LookupAnswer, place: str, *, missing: bool = False) -> Any:
    found = next((row for row in answer["applies"] if row["id"] == place), None)
    assert found or missing, place
    return found
