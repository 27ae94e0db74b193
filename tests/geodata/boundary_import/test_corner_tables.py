"""Tables of corner points as they are printed: the same rings come out, or one is asked what is meant."""

from __future__ import annotations

import itertools

import pytest

from geodata.boundary_import.corner_tables import parse_coordinate, read_point_table, split_rows
from geodata.boundary_import.issues import RefusedError

OUTER = [
    (668_000.5 + 900 * east, 4_132_000.25 + 900 * north) for east, north in [(0, 0), (9, 0), (9, 9), (0, 9)]
]
INNER = [(east / 3 + 450_000, north / 3 + 2_755_000) for east, north in OUTER]
RINGS = [[*OUTER, (670_000.5, 4_139_000.5)], INNER]
DEGREES = [(122.25, 37.125), (122.5, 37.125), (122.5, 37.5)]
HEAD = ["点号", "X", "Y"]


def corners(ring=RINGS[0], first=1):
    return [[f"J{at}", f"{y:.3f}", f"{x:.3f}"] for at, (x, y) in enumerate(ring, first)]


def two_pages():
    """Two blocks side by side under one head, which comes again on the second page."""
    points = corners(RINGS[0] + [(x + 1, y + 1) for x, y in RINGS[0]])
    head = [*HEAD, "", *HEAD]
    first, second = points[:6], points[6:]
    rows = [head, *([*one, "", *other] for one, other in zip(first[:3], first[3:], strict=True)), head]
    return [
        *rows,
        *([*one, "", *(other or [""] * 3)] for one, other in itertools.zip_longest(second[:2], second[2:])),
    ]


def sixty(value):
    degrees = int(value)
    return [str(degrees), str(int((value - degrees) * 60)), f"{(value * 60 % 1) * 60:.4f}"]


ANGLES = [[f"J{at}", *sixty(x), *sixty(y)] for at, (x, y) in enumerate(DEGREES)]
TABLES = {
    "blocks side by side on two pages": (two_pages(), [RINGS[0] + [(x + 1, y + 1) for x, y in RINGS[0]]]),
    "a plot and a ring that are named once": (
        [["地块", "圈号", *HEAD]]
        + [
            ["临港区" if not (at or number) else "", str(number + 1) if not at else "", *row]
            for number, ring in enumerate(RINGS)
            for at, row in enumerate(corners(ring))
        ],
        RINGS,
    ),
    "the sides between the corners": (
        [[*HEAD, "边长"], *(row for one in corners() for row in ([*one, ""], ["", "", "", "33.2"]))],
        RINGS[:1],
    ),
    "a heading above each ring": (
        [HEAD, ["外圈", "", ""], *corners(RINGS[0]), ["内圈", "", ""], *corners(RINGS[1])],
        RINGS,
    ),
    "notes below": (
        [
            HEAD,
            *corners(),
            ["制表：张三", "", ""],
            ["面积", "1234.5", "平方米"],
            ["审核：李四", "日期：", "2023-04-01"],
        ],
        RINGS[:1],
    ),
    "degrees, minutes and seconds in three columns": (
        [["点号", "经度度", "经度分", "经度秒", "纬度度", "纬度分", "纬度秒"], *ANGLES],
        [DEGREES],
    ),
    "the same under merged heads": (
        [["成果表"], ["点号", "东经", "", "", "北纬", "", ""], ["", *"度分秒度分秒"], *ANGLES],
        [DEGREES],
    ),
    "heights beside": (
        [[*row[:1], "", row[2], row[1], f"{30 + at}.5"] for at, row in enumerate(corners())],
        RINGS[:1],
    ),
    "both in one column": ([["名称", "坐标"], *(["a", f"{x},{y}"] for x, y in DEGREES)], [DEGREES]),
    "corners of each ring that are numbered anew": (
        [[HEAD[0], *HEAD[1:]], *(row for ring in RINGS for row in corners(ring))],
        RINGS,
    ),
    "titles that nobody knows": ([["桩", "横向", "纵向"], *corners()], RINGS[:1]),
    "letters before the numbers": ([[f"X={y}", f"Y={x}"] for x, y in OUTER], [OUTER]),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_made_to_be_printed_is_read_whole(name):
    rows, rings = TABLES[name]
    found = read_point_table("a.csv", rows)
    assert found is not None
    read = [ring for plot in found.plots for ring in plot.rings]
    assert [len(ring) for ring in read] == [len(ring) for ring in rings]
    points = list(itertools.chain(*rings))
    assert list(itertools.chain(*read)) == [pytest.approx(point, abs=1e-3) for point in points]
    assert [issue.code for issue in found.issues] == (["notes-left-out"] if name == "notes below" else [])


@pytest.mark.parametrize(
    "angle",
    ["E122º03'36''", "122˚03’36”", "122° 3′ 36″ e", "122度03分36秒", "122°03.6′", "E122.06", "122.06°E"],
)
def test_marks_of_degrees_as_keyboards_have_them(angle):
    assert parse_coordinate(angle) == pytest.approx(122.06)


@pytest.mark.parametrize("cell", ["O7.4624", "122.06x", "E", "°", "1220°3.6′"])
def test_what_is_no_coordinate_is_none(cell):
    assert parse_coordinate(cell) is None


def test_numbers_that_look_like_angles_are_decimal_where_their_titles_say_so():
    rows = [[f"122.{10 + at}{20 + at}", f"37.{10 + at * at % 40}{30 + at}"] for at in range(9)]
    for title, told in (("", ["angles-packed"]), ("（十进制）", [])):
        found = read_point_table("a.csv", [[f"经度{title}", f"纬度{title}"], *rows])
        assert found
        assert [issue.code for issue in found.issues] == told


@pytest.mark.parametrize("form", ["{};{}", "[[{}],[{}]]", "{} {}", "({})\n({})"])
def test_a_list_of_pairs_is_a_table_of_them(form):
    half = len(OUTER) // 2
    text = form.format(*("],[".join(f"{x},{y}" for x, y in part) for part in (OUTER[:half], OUTER[half:])))
    assert [tuple(map(float, row)) for row in split_rows(text)] == OUTER


@pytest.mark.parametrize(("sign", "form"), [(";", "{}"), ("\t", "{}"), ("|", "{}"), (",", '"{}"')])
@pytest.mark.parametrize("titles", [True, False])
@pytest.mark.parametrize("thousands", ["", "."])
def test_decimal_commas_are_read_as_points(sign, form, titles, thousands):
    def write(value):
        return form.format(f"{value:,.2f}".translate({ord(","): thousands, ord("."): ","}))

    rows = [f"J{at}{sign}{write(y)}{sign}{write(x)}" for at, (x, y) in enumerate(OUTER, start=1)]
    text = "\n".join([*([sign.join(HEAD)] if titles else []), *rows])
    found = read_point_table("a.csv", split_rows(text))
    assert found is not None
    assert [point for plot in found.plots for ring in plot.rings for point in ring] == [
        pytest.approx(point, abs=0.01) for point in OUTER
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [["点号", "X", "Y", "X", "Y"], *([*one, *one[1:]] for one in corners())],
        [[*one, *one[1:]] for one in corners()],
        [HEAD, *corners(), ["J9", "41a.2", "668000.1"]],
        [HEAD, *corners(), ["J9", "", "668000.1"]],
        [HEAD, *corners(), ["J9", "1e999", "668000.1"]],
    ],
    ids=["two systems", "two blocks without titles", "a damaged point", "half a point", "no finite number"],
)
def test_a_table_that_may_mean_two_things_is_asked_about(rows):
    with pytest.raises(RefusedError) as refusal:
        read_point_table("a.csv", rows)
    assert refusal.value.issue.code in {"columns-unknown", "line-unreadable"}
    assert refusal.value.issue.fix
