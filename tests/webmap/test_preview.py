"""The page of a dry run: what it draws, what it says, and that its labels can be read."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser

from geodata import crs
from geodata.boundary_import.issues import build_issue
from geodata.boundary_import.propose import Baseline, ImportRequest, propose
from geodata.read import read_boundaries, read_facts
from layers.release import read_neighbours
from webmap.label_placement import box_around
from webmap.preview import PIN, SIZE, describe_preview, render_preview
from webmap.static_map import Label, place_labels

GROUND = Baseline(read_facts(), read_boundaries())
AROUND = read_neighbours(GROUND.boundaries, GROUND.facts.plans)
MOVED = (0.003, -0.004)


def zone(name: str) -> Any:
    return GROUND.shapes[name].geometry


@pytest.fixture(scope="module")
def draw(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the page of a file with one feature, and the proposal."""
    folder = tmp_path_factory.mktemp("drawn")

    def draw(
        geometry: Any, name: str = "临港区", language: str = "en", **wishes: Any
    ) -> tuple[str | None, Any]:
        path = folder / "a.geojson"
        plain = geometry if isinstance(geometry, dict) else json.loads(shapely.to_geojson(geometry))
        feature = {"type": "Feature", "properties": {"n": name}, "geometry": plain}
        path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
        said: dict[str, Any] = dict.fromkeys(("source", "licence", "who", "why"), "某局")
        when = datetime(2026, 11, 1, tzinfo=UTC)
        said |= {"layer": "zones", "accuracy_m": 5.0} | wishes
        proposal = propose(ImportRequest(file=path, when=when, **said), GROUND)
        return render_preview(proposal, GROUND, AROUND, language), proposal

    return draw


def test_every_finding_has_a_number_of_its_own_on_the_map(gaoqu: tuple[str, Any]) -> None:
    found = describe_preview(gaoqu[1], GROUND, AROUND, "zh")
    spots = [row["spot"] for row in found["issues"] if row["spot"]]
    assert len(spots) > 3
    for one, other in combinations(spots, 2):
        assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) >= PIN - 1e-9
    assert all(0 <= x <= SIZE[0] and 0 <= y <= SIZE[1] for x, y in spots)
    assert "高区" in {row["place"] for row in found["issues"]}


@pytest.fixture(scope="module")
def gaoqu(draw: Any) -> tuple[str, Any]:
    """高区 as another hand draws it, in English."""
    moved = shapely.affinity.translate(zone("gaoqu"), *MOVED)
    page, proposal = draw(shapely.intersection(moved, zone("huancui")), "高区")
    assert proposal.errors == 0
    return page, proposal


def section(page: str, name: str) -> str:
    found = re.search(rf'<section aria-labelledby="{name}">(.*?)</section>', page, re.DOTALL)
    assert found, name
    return found[1]


def maps(page: str) -> list[str]:
    return re.findall(r"<figure.*?</figure>", page, re.DOTALL)


def test_it_says_who_gets_how_much_from_whom(gaoqu: tuple[str, Any]) -> None:
    page, proposal = gaoqu
    rows = re.findall(r'<tr>\n<th scope="row".*?</tr>', section(page, "transfers"), re.DOTALL)
    assert len(rows) == min(len(proposal.transfers), 40)
    largest = max(proposal.transfers, key=lambda one: one.area_km2)
    assert "Chucun Town" in rows[0]
    assert "Muping, Yantai" in rows[0]  # beyond the county line
    assert f"{largest.area_km2:.3f}&nbsp;km²" in rows[0]
    assert any("the sea" in row for row in rows)
    assert "by town, the largest first" in section(page, "transfers")
    assert "© OpenStreetMap contributors (ODbL)" in section(page, "map")


def test_every_row_says_what_of_the_place_changes(gaoqu: tuple[str, Any]) -> None:
    areas = section(gaoqu[0], "areas")
    rows = re.findall(r'<td class="words" data-head="Changed">(.*?)</td>', areas)
    assert rows[0] == "outline, method, accuracy, source, terms"
    assert len(rows) == len(gaoqu[1].areas())
    assert all(rows)


def test_notes_are_told_in_the_verdict(gaoqu: tuple[str, Any], draw: Any) -> None:
    assert '<p class="verdict doubt">No errors' in gaoqu[0]
    page, proposal = draw(zone("lingang"))
    assert proposal.issues == []
    assert '<p class="verdict ok">' in page
    assert "No land passes to anybody else." in section(page, "transfers")
    assert re.findall(r'data-head="Changed">(.*?)</td>', page)[0].startswith("method, accuracy")


def test_with_an_error_the_page_says_why_it_has_no_tables(draw: Any) -> None:
    page, _ = draw(crs.build_circle(122.0, 37.27, 4000), language="zh")
    assert "因此没有面积和土地归属的对照" in section(page, "areas")
    assert "<table" not in page
    assert 'aria-labelledby="transfers"' not in page


def test_the_label_of_what_is_brought_stands_where_it_is_brought_to(draw: Any) -> None:
    """With an error nothing is worked out, so the place itself is still where it was."""
    circle = crs.build_circle(122.0, 37.27, 4000)
    page, proposal = draw(circle)
    assert proposal.errors
    spots = [re.findall(r'<text class="label main" x="(\S+)" y="(\S+)">Lingang', one) for one in maps(page)]
    assert spots[0][0] != spots[1][0]
    west, _, east, _ = shapely.total_bounds([circle, zone("lingang")])
    middle = (float(spots[1][0][0]) - 310) / 620 * 1.35 * (east - west)  # degrees east of the middle
    assert (west + east) / 2 + middle == pytest.approx(122.0, abs=0.02)


def test_a_name_that_is_too_long_for_the_map_is_cut_there_alone(draw: Any) -> None:
    moved = shapely.affinity.translate(zone("zhonghan-park"), 0.002, 0.002)
    page, _ = draw(moved, "中韩产业园", layer="parks")
    assert all(">Industrial Park of the China-ROK…<" in one for one in maps(page))
    name = "Industrial Park of the China-ROK FTA Local Economic Cooperation Demonstration Zone"
    assert name in section(page, "areas")


@pytest.mark.parametrize(("language", "said"), [("zh", "已认可"), ("en", "accepted that"), ("ko", "승인함")])
def test_what_goes_on_record_is_said_in_the_language_of_the_page(draw: Any, language: str, said: str) -> None:
    county = zone("huancui")
    west, south, _, north = county.bounds
    shorter = shapely.difference(county, shapely.box(west - 1, south, west + 0.03, north))
    wishes = {"layer": "counties", "of": "huancui", "language": language}
    page, proposal = draw(shorter, accept_loss=True, **wishes)
    assert said in section(page, "findings")
    assert page.count(getattr(proposal.records[0].fixes[0], language)) == 1
    assert said not in section(draw(shorter, **wishes)[0], "findings")


def test_an_error_that_is_found_last_leaves_the_tables(draw: Any) -> None:
    page, proposal = draw(zone("lingang"))
    proposal.issues.append(
        build_issue("leaves-city", "a.geojson", "lingang", givers="x", takers="y", area="1")
    )
    page = render_preview(proposal, GROUND, AROUND, "en")
    assert page
    assert "Errors: 1." in page
    assert "<table" in section(page, "areas")


BOW = {
    "type": "Polygon",
    "coordinates": [[[121.9, 37.2], [122.1, 37.3], [122.1, 37.2], [121.9, 37.3], [121.9, 37.2]]],
}
LINE = {"type": "LineString", "coordinates": [[121.9, 37.2], [122.1, 37.3], [122.1, 37.2]]}
POINTS = {"type": "MultiPoint", "coordinates": [[121.9, 37.2], [122.1, 37.3]]}


@pytest.mark.parametrize(
    ("geometry", "code", "drawn"),
    [
        (BOW, "invalid-ring", ('<path class="flawed" d="M', '<circle class="fault"')),
        (LINE, "wrong-geometry-type", ('<path class="flawed" d="M',)),
        (POINTS, "wrong-geometry-type", ('<circle class="flawed"',)),
    ],
)
def test_what_cannot_be_a_boundary_is_drawn_all_the_same(
    draw: Any, geometry: Any, code: str, drawn: Any
) -> None:
    page, proposal = draw(geometry)
    assert [issue.code for issue in proposal.issues] == [code]
    before, after = maps(page)
    assert "What the file holds" in after
    assert '<path class="old" d="M' in before
    for one in drawn:
        assert one in after
    assert "Cannot serve as a boundary" in page


@pytest.mark.parametrize(
    ("frame", "said"), [("CRS84", "with the axes swapped"), ("EPSG:4549", "as EPSG:4549")]
)
def test_what_had_to_be_read_otherwise_to_be_drawn_says_so(draw: Any, frame: str, said: str) -> None:
    shape = crs.transform_geometry(zone("lingang"), "CRS84", frame)
    page, proposal = draw(shapely.transform(shape, lambda xy: xy[:, ::-1]) if frame == "CRS84" else shape)
    assert proposal.errors == 1
    assert '<path class="new" d="M' in maps(page)[1]
    assert f"drawn here {said}." in page


def test_where_nothing_can_be_drawn_there_is_no_page(draw: Any) -> None:
    for geometry in (shapely.box(10, 50, 11, 51), {"type": "Polygon", "coordinates": []}):
        page, proposal = draw(geometry)
        assert page is None
        assert proposal.errors == 1


@given(
    st.lists(
        st.builds(
            Label,
            text=st.text(min_size=1, max_size=12),
            at=st.tuples(st.floats(0, 620), st.floats(0, 480)),
            size=st.sampled_from([12.0, 15.0, 25.0]),
            strays=st.booleans(),
        ),
        max_size=14,
    )
)
def test_labels_keep_apart_and_stay_inside(labels: list[Label]) -> None:
    spots = place_labels(labels, (620, 480))
    assert len(spots) == len(labels)
    boxes = [box_around(spot, label.room, 2) for label, spot in zip(labels, spots, strict=True) if spot]
    for one, other in combinations(boxes, 2):
        assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    for west, north, east, south in boxes:
        assert west >= 0
        assert north >= 0
        assert east <= 620
        assert south <= 480


OVERLAPS = """() => {
  const faults = [];
  for (const map of document.querySelectorAll("figure svg")) {
    const labels = [...map.querySelectorAll(".label")].filter((one) => one.getClientRects().length);
    const boxes = labels.map((one) => one.getBoundingClientRect());
    boxes.forEach((one, i) => boxes.slice(i + 1).forEach((other, j) => {
      const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
      const pair = [labels[i].textContent, labels[i + j + 1].textContent];
      if (across > 1 && down > 0.3 * one.height) faults.push(pair);
    }));
    if (!labels.length) faults.push("no label");
  }
  return faults;
}"""


@pytest.mark.browser
@pytest.mark.parametrize(("width", "least"), [(1440, 14), (360, 14)])
def test_english_labels_can_be_read(
    browser: Browser, gaoqu: tuple[str, Any], tmp_path: Path, width: int, least: float
) -> None:
    """The longest names; on a phone the map is half as large, its letters are not."""
    path = tmp_path / "page.html"
    path.write_text(gaoqu[0], encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 800})
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.evaluate(OVERLAPS) == []
    heights = page.eval_on_selector_all(
        ".label",
        "nodes => nodes.map(one => one.getBoundingClientRect().height).filter(height => height > 0)",
    )
    assert min(heights) > least
    context.close()
