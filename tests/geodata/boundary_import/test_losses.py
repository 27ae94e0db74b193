"""What several records of one file lose: told of each by itself, and kept with the one that lost it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import shapely

from geodata.boundary_import.propose import ImportRequest, propose
from geodata.imported import ImportedBoundary
from tests.geodata.boundary_import.files import GROUND, dumped, plain

MUPING = GROUND.adjusted.pieces["neighbour-370612"]
TELL = {"leaves-city", "coast-follows", "border-follows", "islands-left-out"}


def whole(county):
    return GROUND.shapes[county].geometry


def cut(county):
    """The county without what lies within 3 km of 牟平区."""
    return shapely.difference(whole(county), shapely.buffer(MUPING, 0.03))


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Propose counties in one file, in this order, with their losses accepted."""
    path = tmp_path_factory.mktemp("files") / "a.geojson"

    def ask(shapes, **values):
        dumped(
            path,
            [({"id": place}, plain(shapely.set_precision(shape, 1e-7))) for place, shape in shapes.items()],
        )
        said: dict[str, Any] = dict.fromkeys(("source", "licence", "who", "why"), "某局")
        said |= {"accuracy_m": 5.0, "when": datetime(2026, 11, 1, tzinfo=UTC), "accept_loss": True, **values}
        return propose(ImportRequest(file=path, layer="counties", **said), GROUND)

    return ask


def number(text):
    """Return the km² that a sentence says."""
    (found,) = re.findall(r"([\d.]+) km²", text)
    return float(found)


def losses(proposal):
    """Return by county how many km² its own record says that it lost."""
    return {record.of: [number(said.zh) for said in record.fixes] for record in proposal.records}


def given(proposal, county):
    """Return how many km² the towns of a county give to another city."""
    own = GROUND.members.of(county)
    rows = [one for one in proposal.transfers if one.giver in own and one.taker in GROUND.place_names.outside]
    return sum(one.area_km2 for one in rows)


@pytest.mark.parametrize("order", [("rongcheng", "wendeng"), ("wendeng", "rongcheng")])
def test_a_loss_is_on_record_of_the_county_that_lost(ask, order):
    shapes = {"rongcheng": whole("rongcheng"), "wendeng": cut("wendeng")}
    found = ask({county: shapes[county] for county in order})
    assert found.errors == 0, found.issues
    kept = losses(found)
    assert kept["rongcheng"] == []
    assert kept["wendeng"] == [pytest.approx(given(found, "wendeng"), abs=0.002)]
    assert given(found, "wendeng") > 10
    assert {one.feature_id for one in found.issues if one.code == "leaves-city"} == {"wendeng"}


def test_two_counties_that_lose_each_say_their_own(ask):
    shapes = {"huancui": cut("huancui"), "wendeng": cut("wendeng")}
    refused = ask(shapes, accept_loss=False)
    errors = {one.feature_id for one in refused.issues if one.level == "error"}
    assert errors == {"huancui", "wendeng"}
    assert not any(record.fixes for record in refused.records)
    found = ask(shapes)
    assert losses(found) == {
        county: [pytest.approx(given(found, county), abs=0.002)] for county in ("huancui", "wendeng")
    }
    of_huancui, of_wendeng = (record.fixes[0].zh for record in found.records)
    assert "初村镇" in of_huancui
    assert "初村镇" not in of_wendeng
    assert "界石镇" in of_wendeng
    assert "界石镇" not in of_huancui


def test_coast_lines_and_islands_are_told_with_the_record_whose_they_were(ask):
    """Two counties drawn some 300 m inland and without their islands."""
    shapes = {
        county: max(shapely.get_parts(shapely.buffer(whole(county), -0.003)), key=lambda part: part.area)
        for county in ("huancui", "rongcheng")
    }
    found = ask(shapes)
    told = [one for one in found.issues if one.code in TELL]
    assert {one.feature_id for one in told} == set(shapes)
    for county in shapes:
        (coast,) = [one for one in told if (one.code, one.feature_id) == ("coast-follows", county)]
        own = GROUND.members.of(county)
        gone = sum(one.area_km2 for one in found.transfers if one.taker == "sea" and one.giver in own)
        assert number(coast.message_zh) == pytest.approx(gone, abs=0.05)
        (place_names,) = re.findall("原属(.*)$", coast.message_zh)
        assert set(re.findall(r"（([a-z-]+)）", place_names)) <= set(own)


def test_what_is_on_record_is_said_in_three_languages_and_older_records_stay_readable(ask):
    record = ask({"wendeng": cut("wendeng")}).records[0]
    (said,) = record.fixes
    assert said.code == "leaves-city"
    assert said.zh.startswith("已认可")
    assert said.en.startswith("accepted that")
    assert "승인" in said.ko
    assert f"{GROUND.facts.towns['town-jieshi'].name.ko}(town-jieshi)" in said.ko
    old = {**json.loads(record.to_bytes()), "fixes": ["axes swapped"]}
    read = ImportedBoundary.model_validate_json(json.dumps(old))
    assert read.fixes == ("axes swapped",)
    assert json.loads(read.to_bytes()) == old
    again = ImportedBoundary.model_validate_json(record.to_bytes())
    assert (again, again.to_id()) == (record, record.to_id())
