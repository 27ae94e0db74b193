"""What an import may not do silently: choose a feature, lose islands, leave gaps, believe a system."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geodata import crs
from geodata.boundary_import.coordinate_lists import find_crs
from geodata.boundary_import.georeference import describe_crs
from geodata.boundary_import.issues import LANGUAGES
from geodata.boundary_import.matching import PlaceIndex
from geodata.boundary_import.propose import Baseline, propose
from tests.geodata.boundary_import.files import GROUND, codes, dumped, plain, record_of, request, zipped, zone

METRES_PER_DEG = 111_200.0


def redraw(shape, accuracy_m, seed):
    """Return a lon/lat shape drawn again: other vertices, each off by less than the accuracy."""
    chance = np.random.default_rng(seed)
    squash = np.array([0.8, 1.0]) * METRES_PER_DEG

    def move(points):
        angle, far = chance.uniform(0, 2 * np.pi, len(points)), chance.uniform(0, accuracy_m, len(points))
        moved = points + np.column_stack([np.cos(angle), np.sin(angle)]) * far[:, None] / squash
        closed = np.all(points[0] == points[-1]) if len(points) else False
        return np.vstack([moved[:-1], moved[:1]]) if closed else moved

    parts = []
    for part in shapely.get_parts(shapely.segmentize(shape, 0.002)):
        rings = [move(np.asarray(ring.coords)) for ring in (part.exterior, *part.interiors)]
        parts.append(shapely.make_valid(shapely.Polygon(rings[0], rings[1:])))
    return shapely.union_all(parts)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(
    ("place", "layer"), [("gaoqu", "zones"), ("lingang", "zones"), ("rushan", "counties")]
)
def test_a_border_drawn_again_within_its_accuracy_is_no_loss(tmp_path, place, layer, seed):
    """Not along the coast, nor along the line of a county or of the city."""
    drawn = redraw(zone(place), 5.0, seed)
    proposal = propose(
        request(dumped(tmp_path / "a.geojson", [({}, plain(drawn))]), of=place, layer=layer), GROUND
    )
    assert proposal.errors == 0, [issue.message_en for issue in proposal.issues if issue.level == "error"]
    most_km2 = crs.measure_line_m(zone(place).boundary) * 2 * 5.0 / 1e6
    outside = GROUND.place_names.outside
    crossing = [one for one in proposal.transfers if (one.giver in outside) != (one.taker in outside)]
    assert sum(one.area_km2 for one in crossing) < most_km2
    for shape in proposal.after.values():
        if shape.id != place and shape.area_km2:
            assert abs(shape.area_km2 - (proposal.before[shape.id].area_km2 or 0)) < most_km2


def test_islands_that_a_county_leaves_out_stay_with_it(tmp_path):
    mainland = max(shapely.get_parts(zone("huancui")), key=lambda part: part.area)
    path = dumped(tmp_path / "a.geojson", [({"n": "环翠区"}, plain(mainland))])
    proposal = propose(request(path, layer="counties"), GROUND)
    assert proposal.errors == 0, [issue.message_en for issue in proposal.issues if issue.level == "error"]
    said = next(issue for issue in proposal.issues if issue.code == "islands-kept")
    assert said.remark in proposal.records[0].fixes
    islands = shapely.difference(zone("huancui"), mainland)
    assert proposal.after["huancui"].geometry.buffer(1e-6).covers(islands)
    assert not any(
        one.giver in GROUND.members.of("huancui") for one in proposal.transfers if one.taker != "sea"
    )


def shifted(shape, north_m):
    return shapely.affinity.translate(shape, 0, north_m / METRES_PER_DEG)


@pytest.mark.parametrize(
    ("south_m", "code", "level"), [(120, "gap", "warning"), (6, "gap-sliver", "warning")]
)
def test_a_gap_between_official_neighbours_is_told_like_an_overlap(tmp_path, write, south_m, code, level):
    official = record_of(write("a.gpkg", [zone("gaoqu")]), "gaoqu")
    there = Baseline(GROUND.facts, GROUND.boundaries, (official,))
    neighbours = [name for name in GROUND.members.towns if GROUND.facts.zones.get(name) and name != "gaoqu"]
    touching = [
        name
        for name in neighbours
        if GROUND.facts.zones[name].layer == "zones" and zone(name).distance(zone("gaoqu")) < 1e-7
    ]
    name = touching[0]
    away = shapely.difference(zone(name), shapely.buffer(zone("gaoqu"), south_m / METRES_PER_DEG))
    path = dumped(tmp_path / "b.geojson", [({}, plain(away))])
    said = [issue for issue in propose(request(path, of=name), there).issues if issue.code == code]
    assert [issue.level for issue in said] == ["warning"]


@pytest.mark.usefixtures("alone")
def test_of_several_features_the_one_that_is_meant_has_to_be_clear(tmp_path):
    shape = zone("lingang")
    wider, core = shapely.buffer(shape, 0.002), shapely.buffer(shape, -0.02)
    rows = [
        ({"mc": name}, plain(one))
        for name, one in (("核准范围", core), ("托管范围", shape), ("控制区", wider))
    ]
    path = dumped(tmp_path / "a.geojson", rows)
    (issue,) = propose(request(path, of="lingang"), GROUND).issues
    assert issue.code == "several-features"
    assert "托管范围（" in issue.message_zh
    assert "km²" in issue.message_ko
    for chosen in ("托管范围", "2", "#2"):
        proposal = propose(request(path, of="lingang", feature=chosen), GROUND)
        assert proposal.errors == 0
        assert shapely.symmetric_difference(proposal.records[0].polygon, shape).area < 1e-7
    assert codes(path, of="lingang", feature="无")[0] == {"unknown-feature"}
    assert codes(path, of="lingang", feature="*")[0] == {"several-features"}
    # The same name on all of them: what tells them apart is told, and chosen by.
    rows = [({"名称": "临港区", **properties}, geometry) for properties, geometry in rows]
    path = dumped(tmp_path / "b.geojson", rows)
    (issue,) = propose(request(path), GROUND).issues
    assert issue.code == "several-features"
    assert issue.remedy
    assert issue.remedy.choices == ("核准范围", "托管范围", "控制区")
    assert "托管范围（" in issue.message_zh
    proposal = propose(request(path, feature="托管范围"), GROUND)
    assert proposal.errors == 0
    assert [one.of for one in proposal.records] == ["lingang"]


@pytest.mark.usefixtures("alone")
def test_a_neighbour_in_the_file_is_left_out_and_told(tmp_path):
    rows = [({"NAME": "临港区范围"}, plain(zone("lingang"))), ({"NAME": "某街道"}, plain(zone("gaoqu")))]
    found, places = codes(dumped(tmp_path / "a.geojson", rows), of="lingang")
    assert (found, places) == ({"features-left-out"}, ["lingang"])


@pytest.mark.usefixtures("alone")
def test_parts_of_one_place_are_joined_and_told_but_not_places_with_other_names(tmp_path):
    west, south, east, north = zone("lingang").bounds
    middle = (west + east) / 2
    halves = [
        shapely.intersection(zone("lingang"), shapely.box(*box))
        for box in ((west, south, middle, north), (middle, south, east, north))
    ]
    parts = dumped(tmp_path / "a.geojson", [({"n": None}, plain(half)) for half in halves])
    assert codes(parts, of="lingang") == ({"features-joined"}, ["lingang"])
    named = dumped(
        tmp_path / "b.geojson",
        [({"n": name}, plain(half)) for name, half in zip("甲乙", halves, strict=True)],
    )
    (issue,) = propose(request(named, of="lingang"), GROUND).issues
    assert issue.remedy
    assert issue.remedy.choices == ("甲", "乙", "*")  # as plots of one zone are called one, two …
    assert codes(named, of="lingang", feature="*") == ({"features-joined"}, ["lingang"])


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *(
            (name, "gaoqu")
            for name in (
                "高新区",
                "威海高新区",
                "威海市高新区",
                "火炬高新区",
                "威海火炬高新技术产业开发区",
                "高区范围",
            )
        ),
        *((name, "jingqu") for name in ("经开区", "威海经济开发区", "威海经开区管辖范围")),
        *((name, "lingang") for name in ("威海临港经开区", "临港区1", "临港区规划范围")),
        *((name, "zongbaoqu") for name in ("威海综保区", "威海综合保税区范围")),
        ("文登开发区", None),
        ("高新", None),
    ],
)
def test_everyday_names_of_zones_are_known(name, place):
    assert PlaceIndex(GROUND.facts, "zones").find(name) == place


def test_everyday_names_of_towns_are_known():
    towns = PlaceIndex(GROUND.facts, "towns")
    for town in GROUND.facts.towns.values():
        county = GROUND.facts.zones[town.county].name.zh
        assert towns.find(f"威海市{county}{town.name.zh}") == town.id
        assert towns.find(f"山东省威海市{county}{town.name.zh}行政区划") == town.id


def test_no_match_lists_what_the_file_has_and_what_is_known(tmp_path):
    (issue,) = propose(
        request(dumped(tmp_path / "a.geojson", [({"mc": "某某园"}, plain(zone("lingang")))])), GROUND
    ).issues
    assert issue.code == "no-match"
    assert "“某某园”" in issue.message_zh
    assert issue.fix
    assert all("lingang" in issue.fix[language] for language in LANGUAGES)


CRS_NAMES = {
    "2000国家大地坐标系": "EPSG:4490",
    "国家2000 3度带 40带": "EPSG:4528",
    "CGCS2000_3_Degree_GK_CM_120E": "EPSG:4549",
    "2000国家大地坐标系 中央子午线 123°": "EPSG:4550",
    "CGCS2000 6度带 带号21": "EPSG:4499",
    "西安80": "EPSG:4610",
    "1980西安坐标系 3度带 第40带": "EPSG:2364",
    "北京54": "EPSG:4214",
    "GCJ02": "GCJ-02",
    "火星坐标系": "GCJ-02",
    "百度坐标": "BD-09",
    "Web墨卡托": "EPSG:3857",
    "无此坐标系": None,
}


@pytest.mark.parametrize("said", CRS_NAMES)
def test_systems_are_known_by_the_words_people_use(said):
    assert find_crs(said) == CRS_NAMES[said]


def test_a_system_in_words_is_taken_and_told_in_words(write):
    shape = crs.transform_geometry(zone("lingang"), "CRS84", "EPSG:4549")
    path = write("a.shp", [shape], "EPSG:4549", values=["临港区"])
    path.with_suffix(".prj").unlink()
    proposal = propose(request(path), GROUND)
    assert "EPSG:4549（CGCS2000 3 度带，中央经线 120°）" in proposal.issues[0].message_zh
    said = "2000国家大地坐标系 3度带 中央子午线120°"
    assert propose(request(path, crs=said), GROUND).read_as == "EPSG:4549"
    assert describe_crs("EPSG:2364")["en"] == "EPSG:2364 (Xian 1980, 3-degree zone 40)"


USER_DEFINED = (
    'PROJCS["User-Defined",GEOGCS["GCS_User_Defined",DATUM["D_User_Defined",SPHEROID["CGCS2000",6378137.0,'
    '298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],'
    'PARAMETER["False_Easting",{east}],PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",120.0],'
    'PARAMETER["Scale_Factor",{scale}],PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("east", "frame"), [(500_000.0, "EPSG:4549"), (40_500_000.0, "EPSG:4528")])
def test_a_user_defined_system_on_the_usual_ellipsoid_offers_the_usual_one(write, east, frame):
    shape = shapely.affinity.translate(
        crs.transform_geometry(zone("lingang"), "CRS84", "EPSG:4549"), east - 500_000
    )
    path = write("a.shp", [shape], "EPSG:4549", values=["临港区"])
    path.with_suffix(".prj").write_text(USER_DEFINED.format(east=east, scale=1.0))
    (issue,) = propose(request(path), GROUND).issues
    assert issue.code == "custom-crs"
    assert issue.fix
    assert f"--crs {frame}" in issue.fix["en"]
    assert codes(path, crs=frame)[1] == ["lingang"]
    path.with_suffix(".prj").write_text(USER_DEFINED.format(east=east, scale=0.9996))
    assert "unknown-datum" in codes(zipped(path))[0]


@pytest.mark.usefixtures("alone")
def test_a_hole_drawn_in_the_direction_of_its_shell_stays_a_hole(tmp_path):
    hole = zone("lingang").representative_point().buffer(0.004)
    shell = max(shapely.get_parts(zone("lingang")), key=lambda part: part.area)
    both = shapely.MultiPolygon([shapely.Polygon(shell.exterior), hole])
    path = dumped(tmp_path / "a.geojson", [({"n": "临港区"}, plain(both))])
    proposal = propose(request(path, fix=True), GROUND)
    assert shapely.symmetric_difference(proposal.records[0].polygon, shell.difference(hole)).area < 1e-7


@pytest.mark.usefixtures("alone")
def test_no_shifted_polygon_passes_without_a_word(tmp_path):
    """Of all zones and towns: it is suspected, possible, or it cannot be told."""
    unnoticed = []
    for layer, rows in (("zones", GROUND.facts.zones), ("towns", GROUND.facts.towns)):
        for row in rows.values():
            if getattr(row, "layer", layer) == layer and GROUND.members.of(row.id):
                moved = crs.transform_geometry(zone(row.id), "CRS84", "GCJ-02")
                path = dumped(tmp_path / "a.geojson", [({}, plain(moved))])
                found = codes(path, of=row.id, layer=layer)[0]
                if not found & {
                    "suspected-gcj02",
                    "suspected-bd09",
                    "shift-possible",
                    "shift-untold",
                    "far-from-known",
                }:
                    unnoticed.append(row.id)
    assert unnoticed == []


@pytest.mark.usefixtures("alone")
def test_how_certain_a_shift_is_stands_in_the_message(tmp_path):
    moved = crs.transform_geometry(zone("rushan"), "CRS84", "GCJ-02")
    path = dumped(tmp_path / "a.geojson", [({}, plain(moved))])
    proposal = propose(request(path, of="rushan", layer="counties"), GROUND)
    said = next(issue for issue in proposal.issues if issue.code == "suspected-gcj02")
    assert "99%" in said.message_en
    assert proposal.shifts["rushan"].certainty > 0.99
