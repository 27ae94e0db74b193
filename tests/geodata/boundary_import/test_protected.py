"""What is official stays to the last digit, whatever is imported later beside, around or within it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata import crs
from geodata.boundary_import.checks import check_polygons
from geodata.boundary_import.containment import Context, check_contained, check_protected
from geodata.boundary_import.propose import Baseline, ImportRequest, propose
from geodata.boundary_import.snap import apply_imports, reconcile
from geodata.imported import ImportedBoundary, keep_latest
from geodata.planar import is_narrow, measure_width_m
from tests.geodata.boundary_import.files import GROUND, dumped, plain

FACTS, BOUNDARIES, MEMBERS, SHAPES = GROUND.facts, GROUND.boundaries, GROUND.members, GROUND.shapes
MUPING = "neighbour-370612"
METRE = 1 / 111_200  # degrees of latitude


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Propose polygons by place, on top of the records in force."""
    path = tmp_path_factory.mktemp("files") / "a.geojson"

    def ask(shapes, layer, records=(), **values):
        dumped(
            path,
            [({"id": place}, plain(shapely.set_precision(shape, 1e-7))) for place, shape in shapes.items()],
        )
        said = dict.fromkeys(("source", "licence", "who", "why"), "某局")
        when = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=len(records))
        values = {"accuracy_m": 5.0, "when": when, "field": "id", **said, **values}
        baseline = Baseline(FACTS, BOUNDARIES, tuple(records)) if records else GROUND
        return propose(ImportRequest(file=path, layer=layer, **values), baseline)

    return ask


@pytest.fixture(scope="module")
def gaoqu(ask):
    """高区 as its own bureau draws it: 30 m and more wider than here, and so 2 km² outside its county."""
    polygon = shapely.buffer(shapely.buffer(SHAPES["gaoqu"].geometry, 0.0015), -0.0012)
    proposal = ask({"gaoqu": polygon}, "zones", accuracy_m=3.0)
    assert proposal.errors == 0, proposal.issues
    return proposal


@pytest.fixture(scope="module")
def chucun(ask):
    proposal = ask({"town-chucun": SHAPES["town-chucun"].geometry}, "towns", accuracy_m=3.0)
    assert proposal.errors == 0, proposal.issues
    return proposal


def errors(proposal):
    return [issue for issue in proposal.issues if issue.level == "error"]


def test_a_county_may_not_cut_an_official_zone_that_reaches_out_of_it(ask, gaoqu):
    """The county as it was before the zone was imported."""
    county = ask({"huancui": SHAPES["huancui"].geometry}, "counties", gaoqu.records)
    (issue,) = errors(county)
    assert (issue.code, issue.feature_id) == ("official-cut", "gaoqu")
    outside = shapely.difference(gaoqu.after["gaoqu"].geometry, county.records[0].polygon)
    assert f"{crs.measure_area_km2(outside):.3f} km²" in issue.message_zh
    assert f"{measure_width_m(outside):.0f} m" in issue.message_en
    assert "高区（gaoqu）（官方边界，±3 m）" in issue.message_zh
    assert "只允许 8 m" in issue.message_zh
    assert "import Weihai Hi-Tech Zone (gaoqu) again" in issue.fix["en"]


def test_a_county_may_not_cut_an_official_town(ask, chucun):
    smaller = shapely.buffer(SHAPES["huancui"].geometry, -150 * METRE)
    county = ask({"huancui": smaller}, "counties", chucun.records)
    assert [(one.code, one.feature_id) for one in errors(county)] == [("official-cut", "town-chucun")]


def test_the_town_again_and_then_the_county_is_the_way_out(ask, chucun):
    smaller = shapely.buffer(SHAPES["huancui"].geometry, -150 * METRE)
    town = shapely.intersection(SHAPES["town-chucun"].geometry, smaller)
    again = ask({"town-chucun": town}, "towns", chucun.records)
    county = ask({"huancui": smaller}, "counties", (*chucun.records, *again.records), accept_loss=True)
    assert errors(again) == errors(county) == []
    before, after = again.after["town-chucun"].geometry, county.after["town-chucun"].geometry
    assert shapely.equals_identical(before, after)


def test_a_county_takes_in_what_two_deliverers_draw_a_little_apart(ask, gaoqu):
    """6 m are within ±3 m and ±5 m; the county yields, and says where."""
    around = shapely.union(SHAPES["huancui"].geometry, gaoqu.after["gaoqu"].geometry)
    inner = shapely.buffer(around, -6 * METRE)
    rim = shapely.difference(shapely.buffer(inner, 6 * METRE), inner)  # spits of less than 12 m stay
    narrower = shapely.difference(
        around, shapely.intersection(rim, shapely.buffer(gaoqu.after["gaoqu"].geometry, 60 * METRE))
    )
    county = ask({"huancui": narrower}, "counties", gaoqu.records, accept_loss=True)
    assert errors(county) == []
    said = next(issue for issue in county.issues if issue.code == "child-sliver")
    assert "高区（gaoqu）不变" in said.message_zh
    assert said.remark in county.records[0].fixes
    zone = county.after["gaoqu"].geometry
    assert shapely.equals_identical(gaoqu.after["gaoqu"].geometry, zone)
    assert is_narrow(shapely.difference(zone, county.after["huancui"].geometry), 0.03)
    again = ask({"huancui": narrower}, "counties", (*gaoqu.records, *county.records), accept_loss=True)
    assert again.records[0].repeats(county.records[0])


def test_a_better_method_does_not_cut_what_is_official_either(ask, gaoqu):
    wider = shapely.union(SHAPES["lingang"].geometry, shapely.buffer(gaoqu.after["gaoqu"].geometry, -0.001))
    found = ask({"lingang": wider}, "zones", gaoqu.records, method="surveyed")
    assert "overlap" in {issue.code for issue in errors(found)}


def test_a_town_is_measured_against_its_official_county_even_where_its_zone_is_not(ask):
    county = ask({"huancui": SHAPES["huancui"].geometry}, "counties")
    wider = shapely.buffer(SHAPES["town-chucun"].geometry, 40 * METRE)
    found = ask({"town-chucun": wider}, "towns", county.records)
    assert [one.code for one in errors(found)] == ["outside-parent"]
    assert "环翠区（huancui）" in errors(found)[0].message_zh


def test_what_would_stay_outside_its_parent_stands_in_the_way(gaoqu):
    """A zone that lost its land to another would leave a place on top of it outside."""
    records = keep_latest(gaoqu.records)
    place_names = GROUND.place_names
    before = Context(gaoqu.after, MEMBERS, records, place_names)
    smaller = {**SHAPES, "gaoqu": gaoqu.after["gaoqu"], "huancui": SHAPES["wendeng"]}
    found = list(check_protected(before, Context(smaller, MEMBERS, records, place_names), [_other(gaoqu)]))
    assert [(one.code, one.feature_id) for one in found] == [("far-from-parent", "gaoqu")]
    moved = list(check_protected(before, Context(SHAPES, MEMBERS, records, place_names), [_other(gaoqu)]))
    assert ("official-cut", "gaoqu") in {(one.code, one.feature_id) for one in moved}
    assert list(check_protected(before, before, [_other(gaoqu)])) == []


def _other(proposal):
    return proposal.records[0].model_copy(update={"of": "lingang"})


def test_land_goes_to_another_city_only_where_that_is_said(ask):
    """Two kilometres of the county's west left out: no drawing of one line differs by so much."""
    county = SHAPES["huancui"].geometry
    west, south, _, north = county.bounds
    shorter = shapely.difference(county, shapely.box(west - 1, south, west + 0.03, north))
    refused = ask({"huancui": shorter}, "counties")
    (issue,) = errors(refused)
    assert issue.code == "leaves-city"
    assert "烟台市牟平区" in issue.message_zh
    assert "初村镇（town-chucun）" in issue.message_zh
    assert errors(ask({"huancui": shorter}, "counties", fix=True)) == [issue]  # that mends rings only
    accepted = ask({"huancui": shorter}, "counties", accept_loss=True)
    assert errors(accepted) == []
    (said,) = [one for one in accepted.issues if one.code == "leaves-city"]
    assert said.remark in accepted.records[0].fixes


@pytest.mark.parametrize("accuracy_m", [50.0, 5000.0])
def test_a_polygon_of_which_nothing_is_left_is_refused(ask, chucun, accuracy_m):
    """A strip along the town in force, which two such drawings of one line leave to nobody."""
    town = chucun.after["town-chucun"].geometry
    other = next(one for one in ("town-yangting", "town-zhangcun") if SHAPES[one].geometry.touches(town))
    strip = shapely.intersection(town, shapely.buffer(SHAPES[other].geometry, 30 * METRE))
    found = ask({other: strip}, "towns", chucun.records, accuracy_m=accuracy_m)
    assert "nothing-left" in {one.code for one in errors(found)}


def test_a_strip_along_the_line_goes_to_the_next_city_with_a_warning_that_names_it(ask):
    moved = shapely.difference(
        SHAPES["huancui"].geometry,
        shapely.buffer(GROUND.adjusted.pieces[MUPING], 100 * METRE),
    )
    found = ask({"huancui": moved}, "counties")
    assert errors(found) == []
    line = next(one for one in found.issues if one.code == "border-follows")
    assert "烟台市牟平区" in line.message_zh


# -- the law: what is accepted leaves everything else as it is
PLACES = {"counties": ["huancui"], "zones": ["gaoqu", "jingqu"], "towns": ["town-chucun", "town-yangting"]}
PLACES["parks"] = ["chucun", "zhongri-park"]


@st.composite
def deliveries(draw):
    """A place, and its outline as another hand draws it: some metres or some hundred off."""
    layer = draw(st.sampled_from(sorted(PLACES)))
    place = draw(st.sampled_from(PLACES[layer]))
    shift = st.sampled_from([0, 0, -300, -8, -3, 3, 8, 300])
    grown = draw(st.sampled_from([0, -150, -4, 4, 9, 150]))
    return layer, place, (draw(shift), draw(shift)), grown, draw(st.sampled_from([3.0, 10.0, 200.0]))


def drawn(place, shift, grown):
    moved = shapely.affinity.translate(SHAPES[place].geometry, shift[0] * METRE, shift[1] * METRE)
    return shapely.buffer(moved, grown * METRE) if grown else moved


@given(st.lists(deliveries(), min_size=2, max_size=4))
@settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_an_accepted_import_leaves_every_other_official_polygon_as_it_is(ask, rows):
    records: tuple[ImportedBoundary, ...] = ()
    for layer, place, shift, grown, accuracy_m in rows:
        found = ask(
            {place: drawn(place, shift, grown)},
            layer,
            records,
            accuracy_m=accuracy_m,
            fix=True,
            accept_loss=True,
        )
        if errors(found):
            continue
        others = keep_latest(one for one in records if one.of != place)
        for other in others:
            old, new = found.before[other].geometry, found.after[other].geometry
            assert old.wkb == new.wkb, (place, other)
        records = (*records, *found.records)
        context = Context(found.after, MEMBERS, keep_latest(records), GROUND.place_names)
        for record in keep_latest(records).values():
            checks = (*check_polygons(context, [record]), *check_contained(context, [record]))
            assert [one.code for one in checks if one.level == "error"] == [], record.of
    kept = keep_latest(records)
    settled = reconcile(kept.values(), {}, MEMBERS)  # all at once: none has to give way any more
    assert [one for one in kept if not shapely.equals(settled[one], kept[one].polygon)] == []
    pieces: dict[str, Any] = apply_imports(FACTS, BOUNDARIES, records).pieces
    assert shapely.coverage_is_valid([piece for piece in pieces.values() if not piece.is_empty])
    accuracy_m = max((record.accuracy_m for record in kept.values()), default=0.0)
    for one in kept.keys() & MEMBERS.towns.keys():
        towns, polygon = shapely.union_all([pieces[town] for town in MEMBERS.of(one)]), kept[one].polygon
        assert is_narrow(shapely.difference(towns, polygon), 0.1), one  # rounding
        # a strip between a zone's edge and an official town's may have no town; no wider than they differ
        assert is_narrow(shapely.difference(polygon, towns), 2 * accuracy_m), one


def test_nothing_has_no_width():
    assert measure_width_m(shapely.MultiPolygon()) == measure_width_m(shapely.Polygon()) == 0
