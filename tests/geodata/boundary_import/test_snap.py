"""Laws of the one rule that puts an imported boundary among the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import combinations, permutations

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata import crs
from geodata.boundary_import.reallocate import measure_shared_edges
from geodata.boundary_import.snap import add_sources, apply_imports, measure_known_accuracy_m, to_boundaries
from geodata.imported import ImportedBoundary, keep_latest
from geodata.planar import is_narrow
from geodata.shapes import build_shapes
from tests.geodata.boundary_import.files import GROUND

FACTS, BOUNDARIES, MEMBERS, BASE = GROUND.facts, GROUND.boundaries, GROUND.members, GROUND.adjusted.pieces
COUNTIES = sorted({town.county for town in FACTS.towns.values()})
ZONES = sorted({town.zone for town in FACTS.towns.values() if town.zone})
PARTS = {"counties": COUNTIES, "zones": ZONES, "towns": sorted(FACTS.towns)}
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
CENTIMETRE_DEG = 1e-7
KNOWN_M = measure_known_accuracy_m(BOUNDARIES["datapackage"]["quality"])


@cache
def land():
    return shapely.union_all(list(BASE.values()))


@cache
def base_shapes():
    return build_shapes(FACTS, BOUNDARIES)


def outline(place):
    return shapely.coverage_union_all([BASE[town] for town in MEMBERS.of(place)])


def record(layer, place, polygon, **values):
    defaults = {
        "method": "official",
        "accuracy_m": 5,
        "source": "测绘成果",
        "licence": f"{place} 内部使用",
        "who": "某局",
        "why": "正式边界",
        "when": NOON,
        "file_name": "a.geojson",
        "file_sha256": "0" * 64,
        "crs": "EPSG:4490",
    }
    geometry = json.loads(shapely.to_geojson(polygon))
    return ImportedBoundary(layer=layer, of=place, geometry=geometry, **{**defaults, **values})


def is_thin(shape):
    """Tell whether there is nothing left but the width of a rounding."""
    return shapely.buffer(shape, -2 * CENTIMETRE_DEG).is_empty


@st.composite
def assignments(draw):
    """A place and a polygon for it: its own outline moved, grown, shrunk, or with a bite taken out."""
    layer = draw(st.sampled_from(sorted(PARTS)))
    place = draw(st.sampled_from(PARTS[layer]))
    polygon = outline(place)
    if draw(st.booleans()):
        shift = st.floats(-0.02, 0.02)
        polygon = shapely.affinity.translate(polygon, draw(shift), draw(shift))
    polygon = shapely.buffer(polygon, draw(st.sampled_from([-0.004, -0.0005, 0, 0.0005, 0.004])))
    if draw(st.booleans()):
        lon, lat = polygon.representative_point().coords[0]
        bite = crs.build_circle(lon + draw(st.floats(-0.1, 0.1)), lat + draw(st.floats(-0.1, 0.1)), 3000)
        polygon = shapely.difference(polygon, bite)
    if polygon.is_empty:
        polygon = outline(place)
    return record(layer, place, polygon)


def check_coverage(assignment, adjusted):
    """The polygon is never altered, and the land stays one coverage."""
    pieces = {name: shape for name, shape in adjusted.pieces.items() if not shape.is_empty}
    assert is_thin(shapely.symmetric_difference(adjusted.placed[assignment.of], assignment.polygon))
    assert all(shape.is_valid for shape in pieces.values())
    assert shapely.coverage_is_valid(list(pieces.values()))  # no overlap: one town for every point
    own, old = MEMBERS.of(assignment.of), outline(assignment.of)
    near, given_up = shapely.union(assignment.polygon, old), shapely.difference(old, assignment.polygon)
    for name, shape in pieces.items():
        if name not in own and not BASE[name].intersects(near):
            assert is_thin(shapely.difference(BASE[name], shape))
            assert is_thin(shapely.difference(shapely.difference(shape, BASE[name]), given_up))


def check_land(assignment, adjusted):
    """Land is only lost at the coast, and only gained in the polygon."""
    after = shapely.union_all(list(adjusted.pieces.values()))
    lost = shapely.difference(
        land(), shapely.union(after, adjusted.unassigned[assignment.of]), grid_size=1e-9
    )
    assert is_narrow(lost, 1.7 * BOUNDARIES["datapackage"]["quality"]["coast"]["p90_m"])
    assert is_thin(shapely.difference(shapely.difference(after, land()), assignment.polygon))


def is_same(shape, other):
    """Tell whether two shapes differ by no more than a rounding of their lines."""
    return shape.intersects(other) and is_thin(shapely.symmetric_difference(shape, other))


def find_slivers(adjusted, place):
    """Return who has a new detached part narrower than our lines are accurate.

    Whole islands are none, nor is what the polygon itself draws: its own parts, and its holes.
    """
    holes = [
        shapely.Polygon(ring).buffer(1e-6)
        for part in shapely.get_parts(adjusted.placed[place])
        for ring in part.interiors
    ]
    old_land = shapely.get_parts(land())
    new_land = shapely.get_parts(shapely.union_all(list(adjusted.pieces.values())))
    found = []
    for name, piece in adjusted.pieces.items():
        parts = sorted(shapely.get_parts(piece), key=lambda part: part.area)[:-1]
        for part in parts:
            if is_narrow(part, KNOWN_M) and not is_thin(part):
                point = part.representative_point()
                held = next((one for one in shapely.get_parts(BASE[name]) if one.contains(point)), None)
                was_there = held is not None and is_narrow(held, KNOWN_M)
                island = all(any(is_same(part, one) for one in land) for land in (old_land, new_land))
                drawn = name in MEMBERS.of(place) and part.within(adjusted.placed[place].buffer(1e-6))
                drawn = drawn or any(map(part.within, holes))
                if not (was_there or island or drawn):
                    found.append((name, point.wkt, crs.measure_area_km2(part)))
    return found


@given(assignments())
@settings(max_examples=10)
def test_one_import_keeps_the_laws_of_land_and_polygon_and_gives_nobody_a_sliver(assignment):
    adjusted = apply_imports(FACTS, BOUNDARIES, [assignment])
    check_coverage(assignment, adjusted)
    check_land(assignment, adjusted)
    assert find_slivers(adjusted, assignment.of) == []


def test_land_in_a_hole_of_the_polygon_stays_whose_it_was():
    """Drawn around a patch of 0.013 km² of the next town, which need not touch the rest of that town."""
    own, other = outline("town-renhe"), outline("town-hushan")
    line = shapely.line_merge(shapely.intersection(own, other))
    middle = shapely.line_interpolate_point(
        max(shapely.get_parts(line), key=shapely.length), 0.5, normalized=True
    )
    beside = shapely.difference(shapely.buffer(middle, 0.006), shapely.buffer(own, 0.003))
    centre = shapely.intersection(other, beside).representative_point()
    around = crs.build_circle(centre.x, centre.y, 800)
    drawn = shapely.difference(shapely.union(own, around), crs.build_circle(centre.x, centre.y, 64))
    assignment = record("towns", "town-renhe", drawn)
    adjusted = apply_imports(FACTS, BOUNDARIES, [assignment])
    rings = [ring for part in shapely.get_parts(adjusted.placed["town-renhe"]) for ring in part.interiors]
    (ring,) = [ring for ring in rings if shapely.Polygon(ring).intersects(centre)]
    parts = shapely.get_parts(adjusted.pieces["town-hushan"])
    assert sum(is_same(part, shapely.Polygon(ring)) for part in parts) == 1
    assert find_slivers(adjusted, "town-renhe") == []


@pytest.fixture(scope="module")
def beside_the_line():
    """高区 as another hand draws it: some 490 m to the south-east, so that it leaves its county's line."""
    moved = shapely.affinity.translate(outline("gaoqu"), 0.004, -0.003)
    drawn = shapely.set_precision(moved.intersection(outline("huancui")), 1e-7)
    assignment = record("zones", "gaoqu", shapely.MultiPolygon(shapely.get_parts(drawn).tolist()))
    return assignment, apply_imports(FACTS, BOUNDARIES, [assignment])


def test_a_strip_along_the_county_line_goes_beyond_it_and_not_to_a_far_zone(beside_the_line):
    """The strip is as wide as the polygon was moved, which is less than the line is accurate."""
    assignment, adjusted = beside_the_line
    strip = shapely.difference(outline("gaoqu"), assignment.polygon)
    west = shapely.intersection(strip, shapely.box(121.86, 37.36, 121.915, 37.42))
    assert crs.measure_area_km2(west) > 3
    assert shapely.intersection(west, outline("gaoqu")).area > 0.999 * west.area
    assert is_thin(shapely.difference(west, adjusted.pieces["neighbour-370612"]))
    lingang = shapely.union_all([adjusted.pieces[town] for town in MEMBERS.of("lingang")])
    gained = shapely.difference(lingang, outline("lingang"))
    assert crs.measure_area_km2(gained) < 0.1  # a corner beside it
    assert "lingang" in adjusted.moved


def test_the_towns_beside_it_gain_islands_but_no_slivers(beside_the_line):
    _, adjusted = beside_the_line
    assert find_slivers(adjusted, "gaoqu") == []
    assert len(shapely.get_parts(adjusted.pieces["town-wangtuan"])) == 1
    for town in ("town-zhangcun", "town-yangting"):
        before = shapely.get_parts(BASE[town])
        for part in shapely.get_parts(adjusted.pieces[town]):
            known = any(part.intersects(one) for one in before)
            assert known or any(part.equals(one) for one in shapely.get_parts(outline("gaoqu")))


@given(st.lists(assignments(), min_size=2, max_size=4), st.randoms())
@settings(max_examples=5)
def test_the_order_of_different_places_in_the_store_does_not_matter(records, random):
    records = list(keep_latest(records).values())
    one = apply_imports(FACTS, BOUNDARIES, records)
    random.shuffle(records)
    other = apply_imports(FACTS, BOUNDARIES, records)
    assert one.pieces.keys() == other.pieces.keys()
    assert all(shapely.equals_exact(one.pieces[name], other.pieces[name]) for name in one.pieces)
    pieces = [shape for shape in one.pieces.values() if not shape.is_empty]
    assert shapely.coverage_is_valid(pieces)


def test_nothing_imported_changes_nothing():
    assert to_boundaries(BOUNDARIES, apply_imports(FACTS, BOUNDARIES, [])) == dict(BOUNDARIES)


def test_a_places_own_outline_moves_nobody():
    adjusted = apply_imports(FACTS, BOUNDARIES, [record("zones", "lingang", outline("lingang"))])
    assert adjusted.moved == {}
    shapes = base_shapes()
    for name in FACTS.towns:
        assert is_thin(shapely.symmetric_difference(adjusted.pieces[name], shapes[name].geometry))


def test_a_later_import_of_the_same_place_takes_the_earlier_ones_place():
    first = record("zones", "lingang", shapely.buffer(outline("lingang"), 0.01))
    second = record("zones", "lingang", outline("lingang"), when=NOON + timedelta(days=1))
    assert apply_imports(FACTS, BOUNDARIES, [first, second]).imports == {"lingang": second}


def test_what_was_imported_first_keeps_what_both_claim():
    east = record("zones", "jingqu", shapely.buffer(outline("jingqu"), 0.002))
    west = record(
        "zones", "gaoqu", shapely.union(outline("gaoqu"), shapely.buffer(outline("jingqu"), -0.001))
    )
    later = west.model_copy(update={"when": NOON + timedelta(days=1)})
    placed = apply_imports(FACTS, BOUNDARIES, [later, east]).placed
    assert is_thin(shapely.symmetric_difference(placed["jingqu"], east.polygon))
    assert placed["gaoqu"].intersection(placed["jingqu"]).area == 0


@pytest.fixture(scope="module")
def many():
    """A county, a zone within it, a town, and two places that lie on top."""
    shapes = base_shapes()
    records = [
        record("zones", "gaoqu", shapely.affinity.translate(outline("gaoqu"), 0.004, 0.001)),
        record("counties", "huancui", shapely.buffer(outline("huancui"), 0.001)),
        record("towns", "town-xiaoguan", shapely.buffer(outline("town-xiaoguan"), -0.002), accuracy_m=20),
        record("parks", "chucun", shapely.buffer(shapes["chucun"].geometry, 0.02)),
        record("zones", "zongbaoqu", shapely.box(122.1, 37.38, 122.13, 37.42), method="surveyed"),
    ]
    adjusted = apply_imports(FACTS, BOUNDARIES, records)
    facts = add_sources(FACTS, records)
    return records, adjusted, build_shapes(facts, to_boundaries(BOUNDARIES, adjusted)), facts


def test_children_lie_in_their_parents_and_areas_add_up(many):
    _, _, shapes, _ = many
    for zone in FACTS.zones.values():
        if zone.parent:
            parent = shapes[zone.parent].geometry.buffer(CENTIMETRE_DEG)
            assert parent.covers(shapes[zone.id].geometry), zone.id
    for place in (*COUNTIES, *ZONES):
        towns = sum(shapes[town].area_km2 for town in MEMBERS.of(place))
        assert towns == pytest.approx(shapes[place].area_km2, rel=1e-6)  # vertices more on an imported edge
    assert sum(shapes[one].area_km2 for one in COUNTIES) == pytest.approx(shapes["weihai"].area_km2, rel=1e-7)


def test_lines_on_the_grid_do_not_keep_it_as_their_precision(many):
    """Every later overlay would be noded on it: minutes, for 200,000 corners along a known line."""
    _, adjusted, _, _ = many
    made = [*adjusted.placed.values(), *adjusted.pieces.values()]
    assert not shapely.get_precision(made).any()


def test_zones_and_counties_never_overlap(many):
    _, _, shapes, _ = many
    for layer in (COUNTIES, ZONES):
        for one, other in combinations(layer, 2):
            assert is_thin(shapely.intersection(shapes[one].geometry, shapes[other].geometry))


def test_imported_places_say_who_made_them_and_how_accurate_they_are(many):
    records, _, shapes, facts = many
    for one in records:
        shape = shapes[one.of]
        assert (shape.method, shape.accuracy_m, shape.licence) == (one.method, one.accuracy_m, one.licence)
        assert shape.sources == (one.source_id,)
        assert facts.sources[one.source_id].title == one.source


def test_the_terms_of_an_import_go_with_all_that_is_made_of_it(many):
    records, _, shapes, _ = many
    base = base_shapes()["rushan"].licence
    terms = {one.source_id: one.licence for one in records}
    for shape in shapes.values():
        for source, licence in terms.items():
            assert (source in shape.sources) == (licence in shape.licence)
        assert (base in shape.licence) == any(source not in terms for source in shape.sources)


def test_an_adjusted_neighbour_says_so_and_knows_its_edge_better(many):
    _, _, shapes, facts = many
    before = base_shapes()
    assert shapes["town-yangting"].adjusted_by == ("gaoqu",)
    assert "import-gaoqu" in shapes["town-yangting"].sources
    assert shapes["town-yangting"].method == "reconstructed"
    assert shapes["town-yangting"].accuracy_m < before["town-yangting"].accuracy_m
    assert shapes["rushan"].adjusted_by == ("town-xiaoguan",)  # beyond the line that the town left
    assert shapes["shidao"].adjusted_by == ()
    assert {source for shape in shapes.values() for source in shape.sources} <= set(facts.sources)


def test_belts_and_five_zones_follow_their_members(many):
    _, _, shapes, _ = many
    assert shapes["five-innovation"].area_km2 == pytest.approx(shapes["gaoqu"].area_km2)
    for area in FACTS.areas.values():
        names = [*area.members, *([area.core] if area.core in shapes else [])]
        union = shapely.union_all([shapes[name].geometry for name in names])
        assert is_thin(shapely.symmetric_difference(union, shapes[area.id].geometry))


def test_what_is_joined_from_official_boundaries_alone_is_no_sketch():
    """自主创新示范区 is 高区 alone; the northern belt is 高区 and others."""
    shapes = base_shapes()
    assert shapes["five-innovation"].schematic
    moved = shapely.affinity.translate(shapes["gaoqu"].geometry, 0.001, 0)
    adjusted = apply_imports(FACTS, BOUNDARIES, [record("zones", "gaoqu", moved)])
    after = build_shapes(add_sources(FACTS, adjusted.imports.values()), to_boundaries(BOUNDARIES, adjusted))
    alone, mixed = after["five-innovation"], after["belt-north-hightech"]
    assert (alone.method, alone.edge, alone.schematic) == ("derived", "official", False)
    assert alone.accuracy_m == after["gaoqu"].accuracy_m
    assert (mixed.method, mixed.edge, mixed.schematic) == ("derived", "derived", True)


def test_an_indicative_place_that_its_zone_left_behind_moves_to_the_nearest_point_of_it():
    small = crs.build_circle(122.19, 37.43, 3000)
    adjusted = apply_imports(FACTS, BOUNDARIES, [record("zones", "jingqu", small)])
    shapes = build_shapes(FACTS, to_boundaries(BOUNDARIES, adjusted))
    moved = shapes["fuwu-maoyi-park"]
    assert shapes["jingqu"].geometry.buffer(CENTIMETRE_DEG).covers(moved.geometry)
    assert moved.accuracy_m >= base_shapes()["fuwu-maoyi-park"].accuracy_m


@pytest.mark.parametrize("county", COUNTIES)
def test_an_islet_that_another_hand_draws_a_little_off_stays_land(county):
    """Whatever crumbs rounding leaves beside it."""
    polygon = shapely.affinity.translate(outline(county), 0, -3 / 111_200)
    pieces = apply_imports(FACTS, BOUNDARIES, [record("counties", county, polygon)]).pieces
    towns = shapely.union_all([pieces[one] for one in MEMBERS.of(county)])
    assert is_narrow(shapely.difference(polygon, towns), 0.1)


def test_edges_between_the_faces_of_a_coverage_are_as_long_as_where_their_outlines_meet():
    cells = [shapely.box(x, y, x + 1, y + 1) for x in range(4) for y in range(4)]
    whole = shapely.box(-1, -1, 5, 5).difference(shapely.union_all(cells))
    lines = shapely.node(shapely.union_all([one.boundary for one in (*cells, whole)]))
    faces = list(shapely.get_parts(shapely.polygonize([lines])))
    shared = measure_shared_edges(faces)
    assert len(faces) == 17
    for one, other in permutations(range(len(faces)), 2):
        length = shapely.intersection(faces[one].boundary, faces[other].boundary).length
        assert shared[one].get(other, 0.0) == pytest.approx(length)
