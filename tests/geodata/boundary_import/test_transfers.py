"""What an import does to others: who gets what, what is warned of, and what stays as it was."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import shapely

from geodata import crs
from geodata.boundary_import.propose import Baseline, ImportRequest, propose
from geodata.boundary_import.transfers import list_transfers
from geodata.kinds import SEA
from geodata.planar import is_moved
from tests.geodata.boundary_import.files import GROUND

MUPING = "neighbour-370612"


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Propose a polygon for a place, on top of earlier proposals."""
    folder = tmp_path_factory.mktemp("files")

    def ask(shape, of, layer="zones", earlier=(), boundaries=GROUND.boundaries):
        path = folder / f"{of}.geojson"
        geometry = json.loads(shapely.to_geojson(shapely.set_precision(shape, 1e-7)))
        feature = {"type": "Feature", "properties": {"n": "x"}, "geometry": geometry}
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
        said: dict[str, Any] = dict.fromkeys(("source", "licence", "who", "why"), "某局")
        when = datetime(2026, 11, 1 + len(earlier), tzinfo=UTC)
        request = ImportRequest(file=path, layer=layer, of=of, accuracy_m=5.0, when=when, **said)
        records = tuple(record for one in earlier for record in one.records)
        as_it_is = boundaries is GROUND.boundaries and not records
        return propose(request, GROUND if as_it_is else Baseline(GROUND.facts, boundaries, records))

    return ask


@pytest.fixture(scope="module")
def gaoqu(ask):
    """高区 as another hand draws it: 480 m to the south and east, without its islands.

    To the east alone it would be suspected of GCJ-02.
    """
    moved = shapely.affinity.translate(GROUND.shapes["gaoqu"].geometry, 0.002, -0.004)
    found = ask(shapely.intersection(moved, GROUND.shapes["huancui"].geometry), "gaoqu")
    assert found.errors == 0, found.issues
    return found


def test_land_passes_as_overlaying_whole_pieces_has_it():
    """Four neighbours drawn anew, their lines crossing the old ones 300 times; one ends in the sea."""
    wave = [(122 + 0.1 * i / 300, 37.2 + (-1) ** i * 2e-4) for i in range(301)]
    north, south = ([*wave, (122.1, y), (122, y)] for y in (37.3, 37.1))
    line = [(x, 37.2) for x, _ in wave]
    flat = [shapely.Polygon([*line, (122.1, y), (122, y)]) for y in (37.3, 37.1)]
    west, east, coast = (
        shapely.box(*box) for box in ((122, 37, 122.05, 38), (122.05, 37, 123, 38), (122, 37.11, 123, 38))
    )
    half = {"n": flat[0], "sw": flat[1] & west, "se": flat[1] & east}
    after = {
        "n": shapely.Polygon(north),
        "sw": shapely.Polygon(south) & west & coast,
        "se": shapely.Polygon(south) & east,
    }
    found = {(one.giver, one.taker): one for one in list_transfers(half, after)}
    assert found.keys() == {("n", "sw"), ("n", "se"), ("sw", "n"), ("se", "n"), ("sw", SEA)}
    for (giver, taker), one in found.items():
        whole = (
            half[giver] - shapely.union_all(list(after.values()))
            if taker == SEA
            else half[giver] & after[taker]
        )
        assert one.land.is_valid
        assert one.land.symmetric_difference(whole).area < 1e-14
    back = {(one.giver, one.taker): one for one in list_transfers(after, half)}
    assert back.keys() == {(taker, giver) for giver, taker in found}
    assert back[SEA, "sw"].area_km2 == pytest.approx(found["sw", SEA].area_km2)


def told(proposal, code):
    return next(issue for issue in proposal.issues if issue.code == code)


def find_nearest_to_islands(gaoqu):
    """Return the towns outside the zone that lie nearest to those parts of it that are not drawn at all."""
    drawn, towns = gaoqu.records[0].polygon, GROUND.facts.towns
    islands = [
        part for part in shapely.get_parts(GROUND.shapes["gaoqu"].geometry) if not part.intersects(drawn)
    ]
    others = [town for town, row in towns.items() if row.zone != "gaoqu"]
    return {min(others, key=lambda town: GROUND.shapes[town].geometry.distance(island)) for island in islands}


def test_who_gets_the_strips_at_the_coast_and_at_the_county_line_is_warned_of(gaoqu):
    (line,) = [
        one for one in gaoqu.issues if one.code == "border-follows" and "烟台市牟平区" in one.message_zh
    ]
    assert "初村镇（town-chucun）" in line.message_zh
    found = {(one.giver, one.taker): one.area_km2 for one in gaoqu.transfers}
    assert f"{found['town-chucun', MUPING]:.3f} km²" in line.message_zh
    assert found["town-chucun", MUPING] > 5
    sea = sum(area for (_, taker), area in found.items() if taker == SEA)
    coast = told(gaoqu, "coast-follows")
    assert f"{sea:.3f} km²" in coast.message_en
    assert "±658 m" in coast.message_en
    left_out = told(gaoqu, "islands-left-out")
    assert set(re.findall("（(town-.*?)）", left_out.message_zh)) == find_nearest_to_islands(gaoqu)
    assert {issue.level for issue in gaoqu.issues} == {"warning"}
    near = {one.code: shapely.Point(one.spot or ()) for one in (line, coast, left_out)}
    assert near["border-follows"].distance(GROUND.adjusted.pieces[MUPING]) < 0.01
    for one, taker in (("border-follows", MUPING), ("coast-follows", SEA)):
        land = shapely.union_all([row.land for row in gaoqu.transfers if row.taker == taker])
        assert land.contains(near[one])
    assert len({point.wkt for point in near.values()}) == 3


def test_one_line_along_the_county_is_told_once_with_all_who_get_a_strip(ask):
    lingang = GROUND.shapes["lingang"].geometry
    found = ask(shapely.buffer(lingang, -0.0003), "lingang", "zones")
    lines = [one for one in found.issues if one.code == "border-follows"]
    takers = {one.taker for one in found.transfers if one.taker in GROUND.facts.towns}
    told_takers = set(re.findall("（(town-.*?)）", "".join(one.message_zh for one in lines)))
    assert len(lines) == 1
    assert len(told_takers & takers) > 2
    assert "0.000 km²" not in "".join(one.message_zh for one in found.issues)


def test_a_strip_of_several_towns_along_the_line_is_one_strip(ask):
    """A piece of 羊亭镇 lies behind one of 初村镇 and does not touch 牟平区 itself."""
    front, behind = (GROUND.shapes[town].geometry for town in ("town-chucun", "town-yangting"))
    muping = GROUND.adjusted.pieces[MUPING]
    line = shapely.line_merge(shapely.intersection(front, muping))
    middle = shapely.line_interpolate_point(
        max(shapely.get_parts(line), key=shapely.length), 0.5, normalized=True
    )
    near = shapely.intersection(shapely.buffer(muping, 0.003), shapely.buffer(middle, 0.01))
    piece = shapely.difference(near, shapely.buffer(muping, 0.0015))
    piece = shapely.intersection(front, piece, grid_size=1e-6)
    moved = {"town-chucun": shapely.difference(front, piece), "town-yangting": shapely.union(behind, piece)}
    towns = [
        row | {"geometry": json.loads(shapely.to_geojson(moved[row["id"]]))} if row["id"] in moved else row
        for row in GROUND.boundaries["towns"]["features"]
    ]
    boundaries = {**GROUND.boundaries, "towns": {**GROUND.boundaries["towns"], "features": towns}}
    drawn = shapely.difference(GROUND.shapes["huancui"].geometry, near)
    found = ask(drawn, "huancui", "counties", boundaries=boundaries)
    land = {one.giver: one.land for one in found.transfers if one.taker == MUPING}
    assert set(land) == set(moved)
    assert land["town-yangting"].distance(muping) > 0.001
    assert found.errors == 0, found.issues
    said = told(found, "border-follows").message_zh
    assert set(re.findall("（(town-.*?)）", said)) == set(moved)


def test_transfers_account_for_every_towns_gain_and_loss(gaoqu):
    for town in GROUND.facts.towns:
        gain = sum(one.area_km2 for one in gaoqu.transfers if one.taker == town)
        loss = sum(one.area_km2 for one in gaoqu.transfers if one.giver == town)
        change = gaoqu.after[town].area_km2 - gaoqu.before[town].area_km2
        assert gain - loss == pytest.approx(change, abs=0.002), town


def test_who_gets_what_is_told_the_largest_first(gaoqu):
    rows = gaoqu.list_transfer_rows()
    left = shapely.difference(GROUND.shapes["town-chucun"].geometry, gaoqu.records[0].polygon)
    strip = shapely.intersection(left, shapely.buffer(GROUND.adjusted.pieces[MUPING], 0.006))
    expected_km2 = pytest.approx(crs.measure_area_km2(strip), abs=0.5)
    assert rows[0] == {"from": "town-chucun", "to": MUPING, "area_km2": expected_km2}
    assert [row["area_km2"] for row in rows] == sorted((row["area_km2"] for row in rows), reverse=True)
    assert {"from": "town-yiyuan", "to": "sea"}.items() <= next(
        row for row in rows if row["from"] == "town-yiyuan"
    ).items()
    assert len(rows) == len(gaoqu.transfers)


def test_every_row_says_what_changes_of_the_place(gaoqu):
    """A place may change in what is said of it only: its terms now hold those of the import."""
    rows = {row["id"]: row for row in gaoqu.areas()}
    assert rows["gaoqu"]["changed"] == ["outline", "method", "accuracy", "source", "licence"]
    assert rows["zhongde-park"]["changed"] == ["outline"]
    assert all(row["changed"] for row in rows.values())


def test_a_boundary_brought_again_by_somebody_else_changes_no_outline(ask, gaoqu):
    again = ask(gaoqu.records[0].polygon, "gaoqu", earlier=[gaoqu])
    assert again.errors == 0
    assert [(row["id"], row["changed"]) for row in again.areas()] == [("gaoqu", [])]


def test_the_published_polygon_is_the_imported_one_to_the_last_digit(gaoqu):
    imported, shown = gaoqu.records[0].polygon, gaoqu.after["gaoqu"].geometry
    assert shapely.normalize(imported).equals_exact(shapely.normalize(shown), 0)


@pytest.mark.parametrize("park", ["yuanyao", "chucun", "shuangdaowan"])
def test_a_park_lies_on_an_official_zone_and_alters_nothing_of_it(ask, gaoqu, park):
    """A part of each lies in 高区, whether that is its parent or not."""
    own = GROUND.shapes[park].geometry
    on = shapely.intersection(own.convex_hull, gaoqu.after["gaoqu"].geometry)
    drawn = shapely.union(shapely.segmentize(on, 0.0007), crs.build_circle(on.centroid.x, on.centroid.y, 300))
    drawn = shapely.intersection(drawn, gaoqu.after["huancui"].geometry)
    found = ask(drawn, park, "parks", [gaoqu])
    assert found.errors == 0, found.issues
    assert "overlap" not in {issue.code for issue in found.issues}
    if park != "chucun":  # which is part of 高区
        assert "高区（gaoqu）" in told(found, "on-top").message_zh
        assert "官方边界" in told(found, "on-top").message_zh
    assert shapely.equals_identical(found.before["gaoqu"].geometry, found.after["gaoqu"].geometry)
    for name in ("gaoqu", "huancui", "town-yangting", "town-zhangcun", "weihai"):
        assert not is_moved(found.before[name].geometry, found.after[name].geometry), name
        assert found.after[name].adjusted_by == found.before[name].adjusted_by
    assert "gaoqu" not in {row["id"] for row in found.areas()}


def test_an_official_zone_stays_as_it_is_when_its_neighbour_or_a_town_of_it_comes_in(ask, gaoqu):
    kept = gaoqu.after["gaoqu"].geometry
    town = shapely.buffer(gaoqu.after["town-tianhe"].geometry, -0.002)
    beside = shapely.difference(shapely.buffer(GROUND.shapes["lingang"].geometry, 0.002), kept)
    beside = shapely.intersection(beside, GROUND.shapes["huancui"].geometry)
    first = ask(beside, "lingang", "zones", [gaoqu])
    second = ask(town, "town-tianhe", "towns", [gaoqu, first])
    for found in (first, second):
        assert found.errors == 0, found.issues
        assert shapely.equals_identical(found.after["gaoqu"].geometry, kept)
        assert "gaoqu" not in {row["id"] for row in found.areas()}


def test_findings_name_places_and_methods_in_their_language(ask):
    wide = shapely.union(GROUND.shapes["gaoqu"].geometry, shapely.box(121.8, 37.36, 121.9, 37.42))
    issue = told(ask(wide, "gaoqu"), "outside-parent")
    assert "环翠区（huancui）" in issue.message_zh
    assert "数字化" in issue.message_zh
    assert "Huancui District (huancui)" in issue.message_en
    bare = re.sub("（[^）]*）", "", issue.message_zh)
    assert not re.search("huancui|digitised", bare)


def test_a_town_that_loses_everything_is_named_with_what_takes_it(ask):
    over = shapely.union(GROUND.shapes["gaoqu"].geometry, GROUND.shapes["town-zhangcun"].geometry)
    issue = told(ask(over, "gaoqu"), "town-without-land")
    assert (issue.path, issue.feature_id) == ("gaoqu.geojson", "gaoqu")
    for text in (issue.message_zh, issue.message_en, *(issue.fix or {}).values()):
        assert "?" not in text
    assert issue.message_zh.startswith("张村镇（town-zhangcun）将没有土地")
    assert "高区（gaoqu）" in issue.message_zh
