"""Filters are read as CQL2 says, and refused with a reason where they are none."""

from __future__ import annotations

import contextlib
import json
import threading

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.axes import ALL, CRS84, Axes, box_to_lonlat, find_axes, from_lonlat
from layers.cql.evaluate import compile_pattern
from layers.cql.parse import MAX_BYTES, parse_filter
from layers.cql.tree import (
    CODES,
    And,
    Arithmetic,
    ArrayCompare,
    Compare,
    Constant,
    Elements,
    Entries,
    FilterError,
    Folded,
    In,
    IsNull,
    IsUnknown,
    Kind,
    Like,
    Not,
    Or,
    PlaceConstant,
    Property,
    Spatial,
    Truth,
)
from tests.layers.oracle import matches

KINDS: dict[str, Kind] = {
    "n": "number",
    "m": "number",
    "名称": "string",
    "flag": "boolean",
    "geometry": "geometry",
}
N, M, NAME = Property("n", "number"), Property("m", "number"), Property("名称", "string")
ONE = Constant(1.0)


def read(text: str, language: str = "cql2-text", axes: Axes = CRS84):
    return parse_filter(text, language, KINDS, axes)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (
            "n=1 OR m=1 AND n<>1",
            Or((Compare("=", N, ONE), And((Compare("=", M, ONE), Compare("<>", N, ONE))))),
        ),
        ("NOT (n=1 AND m=1)", Not(And((Compare("=", N, ONE), Compare("=", M, ONE))))),
        ("NOT n=1 AND m=1", And((Not(Compare("=", N, ONE)), Compare("=", M, ONE)))),
        ("名称 = 'it''s'", Compare("=", NAME, Constant("it's"))),
        ("\"名称\"\n=\t''", Compare("=", NAME, Constant(""))),
        ("名称 not like '50\\%_'", Not(Like(NAME, "50\\%_"))),
        ("casei(名称) = CASEI('ABC')", Compare("=", Folded(NAME), Constant("abc"))),
        ("CASEI(名称) IN ('A', 'ß')", In(Folded(NAME), (Constant("a"), Constant("ss")))),
        ("n BETWEEN -1 AND 1e0", And((Compare(">=", N, Constant(-1.0)), Compare("<=", N, ONE)))),
        ("flag = true", Compare("=", Property("flag", "boolean"), Constant(value=True))),
        ("TRUE", Truth(value=True)),
        ("flag >= FALSE", Compare(">=", Property("flag", "boolean"), Constant(value=False))),
        ("名称 IN ('a', 名称)", Or((Compare("=", NAME, Constant("a")), Compare("=", NAME, NAME)))),
        ("n NOT IN (m)", Not(Compare("=", N, M))),
        ("名称 = 'a\\tb\\'c\\\\n'", Compare("=", NAME, Constant("a\tb'c\\\\n"))),
        ("DATE('2022-04-14') <= date('2022-04-14')", Truth(value=True)),
        ("TIMESTAMP('2022-04-14T14:48:46Z') > TIMESTAMP('2022-04-14T14:48:46.5Z')", Truth(value=False)),
        (
            "TIMESTAMP('2022-04-14T14:48:46.123456789Z') > TIMESTAMP('2022-04-14T14:48:46.1Z')",
            Truth(value=True),
        ),
        ("DATE('2022-04-14') IN (DATE('2022-04-13'))", Truth(value=False)),
        (
            "DATE('2022-04-14') BETWEEN DATE('2022-04-14') AND DATE('2022-05-01')",
            And((Truth(value=True), Truth(value=True))),
        ),
        ("1 = n", Compare("=", ONE, N)),
        ("n > m", Compare(">", N, M)),
        ("n　>　m　", Compare(">", N, M)),
        ("名称　=　'　'", Compare("=", NAME, Constant("　"))),
        ("n = .5e1", Compare("=", N, Constant(5.0))),
        ("n = +1.", Compare("=", N, ONE)),
        (
            "n BETWEEN m AND 1 AND n=1",
            And((And((Compare(">=", N, M), Compare("<=", N, ONE))), Compare("=", N, ONE))),
        ),
        ("n NOT BETWEEN (-1) AND ((1))", Not(And((Compare(">=", N, Constant(-1.0)), Compare("<=", N, ONE))))),
        ("n IN((1),m)", Or((Compare("=", N, ONE), Compare("=", N, M)))),
        ("(n=1)AND(m=1)", And((Compare("=", N, ONE), Compare("=", M, ONE)))),
        ("casei (名称)LIKE'A%'", Like(Folded(NAME), "a%")),
        ("名称 = 'AND (n=1 OR ''' ", Compare("=", NAME, Constant("AND (n=1 OR '"))),
    ],
)
def test_text_is_read_as_the_standard_ranks_it(text, tree):
    assert read(text) == tree


def test_a_long_chain_of_conditions_is_one_list():
    tree = read(" OR ".join(["n=1"] * 2000))
    assert isinstance(tree, Or)
    assert len(tree.parts) == 2000


@pytest.mark.parametrize(
    ("text", "code", "value"),
    [
        ("", "syntax", "…"),
        ("n=", "syntax", "="),
        ('{"op":"=","args":[1,1]}', "language", '{"op":"=","args":[1,1]}'),
        ("n==1", "syntax", "=1"),
        ("n=1 ANDm=1", "syntax", "ANDm=1"),
        ("nn = 1", "property", "nn"),
        ("geometry = 1", "kind", "geometry"),
        ("n = '1'", "kind", "1"),
        ("n LIKE '1'", "kind", "n"),
        ("名称 LIKE 名称", "constant", "名称"),
        ("名称 IN (n)", "kind", "n"),
        ("名称 = DATE('2022-04-14')", "kind", "2022-04-14"),
        ("DATE('2022-04-14') = TIMESTAMP('2022-04-14T00:00:00Z')", "kind", "2022-04-14 00:00:00+00:00"),
        ("DATE('2022-02-30') = DATE('2022-02-30')", "moment", "2022-02-30"),
        ("TIMESTAMP('2022-04-14') = n", "moment", "2022-04-14"),
        ("DATE(n) = n", "syntax", "DATE(…)"),
        ("DATE() = n", "syntax", "DATE(…)"),
        ("CASEI(名称)", "syntax", "CASEI(…)"),
        ("CASEI(名称, 名称) = 'a'", "syntax", "CASEI(…)"),
        ("名称 = 1", "kind", "1"),
        ("名称 LIKE 'a\\\\\\'", "escape", "a\\\\\\"),
        ("名称 = 'a\0'", "text", "'a\\x00'"),
        ("n = 1e999", "number", "inf"),
        ("ACCENTI(名称) = 'e'", "function", "ACCENTI"),
        ("T_AFTER(名称, DATE('2024-01-01'))", "function", "T_AFTER"),
        ("S_INTERSECTS(n, POINT(1 2))", "kind", "n"),
        ("S_INTERSECTS(geometry, POLYGON((0 0,1 1,1 0,0 1,0 0)))", "geometry", "Self-intersection[0.5 0.5]"),
        ("S_INTERSECTS(geometry, POLYGON((0 0,1 1)))", "geometry", "POLYGON((0 0,1 1))"),
        (
            "S_TOUCHES(geometry, GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 0)))",
            "geometry",
            "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 0))",
        ),
        ("S_INTERSECTS(geometry, POINT(90 180))", "geometry", "POINT (90 180)"),
        ("S_INTERSECTS(geometry, BBOX(122,38,123,36))", "geometry", "BBOX(122, 38, 123, 36)"),
        ("S_INTERSECTS(geometry, BBOX(123,36,122,38))", "geometry", "BBOX(123, 36, 122, 38)"),
        ("S_INTERSECTS(geometry, BBOX(-195,36,-190,38))", "geometry", "BBOX(-195, 36, -190, 38)"),
        ("NOT " * 99 + "n=1", "depth", "65"),
        ("(" * 40 + "n=1" + ")" * 40, "depth", "40"),
        ("n=1 " + " " * MAX_BYTES, "bytes", str(MAX_BYTES + 4)),
    ],
)
def test_what_is_no_filter_is_refused_with_its_reason(text, code, value):
    with pytest.raises(FilterError) as refused:
        read(text)
    assert (refused.value.code, refused.value.value) == (code, value)
    assert code in CODES


@pytest.mark.parametrize(
    "name", ["order", "android", "nothing", "inland", "isle", "likes", "truename", "_a", "divided"]
)
def test_a_name_may_begin_with_a_keyword(name):
    """The library takes `n=1 ORder` for `n=1 OR der`."""
    kinds: dict[str, Kind] = {"n": "number", name: "number", "of": "boolean"}
    same = Compare("=", Property(name, "number"), ONE)
    assert parse_filter(f"{name}=1", "cql2-text", kinds) == same
    assert parse_filter(f"n=1 OR NOT {name}=1", "cql2-text", kinds) == Or((Compare("=", N, ONE), Not(same)))
    for glued in (f"n=1 OR{name}=1", f"NOT{name}=1", f"n=1 AND{name}=1"):
        with pytest.raises(FilterError):
            parse_filter(glued, "cql2-text", kinds)


@pytest.mark.parametrize(
    "keyword", ["in", "is", "like", "not", "or", "and", "between", "null", "true", "div"]
)
def test_a_keyword_is_a_name_only_in_quotes(keyword):
    kinds: dict[str, Kind] = {keyword: "number"}
    compared = Compare("=", Property(keyword, "number"), ONE)
    assert parse_filter(f'"{keyword}" = 1', "cql2-text", kinds) == compared
    with pytest.raises(FilterError):
        parse_filter(f"{keyword} = 1", "cql2-text", kinds)


def test_a_quote_in_a_name_is_written_twice():
    kinds: dict[str, Kind] = {'a"b': "number", "0": "number"}
    assert parse_filter('"a""b" = "0"', "cql2-text", kinds) == Compare(
        "=", Property('a"b', "number"), Property("0", "number")
    )


HOSTILE = {
    "brackets before a mistake": "(" * 32 + "n==1" + ")" * 32,
    "brackets left open": "(" * 32 + "n=1",
    "brackets closed twice": "n=1" + ")" * 32,
    "lists before a mistake": "n IN (" * 32 + "n==1" + ")" * 32,
    "functions before a mistake": "CASEI(n IN (" * 16 + "n==1" + "))" * 16,
    "collections": "S_INTERSECTS(geometry," + "GEOMETRYCOLLECTION(" * 31 + "POINT(1 2" + ")" * 33,
    "nothing": "S_INTERSECTS(geometry, POINT EMPTY)",
    "an empty member": "S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT EMPTY))",
    "a polygon of nothing": "S_INTERSECTS(geometry, POLYGON((())))",
    "negations": "NOT " * 4_000 + "n=1",
    "signs": "n=" + "-" * 16_000 + "1",
    "comparisons": "n" + "=n" * 8_000,
    "patterns": "名称" + " LIKE 'a'" * 1_500,
    "tests for null": "n" + " IS NULL" * 1_800,
    "negations in brackets": ("NOT " * 60 + "(") * 32 + "n=1" + ")" * 32,
    "half a character": "名称 = '\ud800'",
    "half a character in a name": "\ud800 = 1",
    "a list without brackets": "n IN 1",
    "a second date": "DATE('2022-04-14', '2022-04-15') = DATE('2022-04-14')",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_filter_is_refused_and_neither_crashes_nor_lasts(text):
    """The library's own parser would overflow its stack, or take hours, on most of them."""
    with pytest.raises(FilterError):
        read(text)


@pytest.mark.parametrize("chain", [" OR ", " AND ", "OR "])
def test_the_longest_chain_fits_the_stack_of_a_small_thread(chain):
    found = []
    text = chain.join(["1=1"] * (MAX_BYTES // (3 + len(chain))))
    size = threading.stack_size(2**21)  # the least that a server's thread is given
    try:
        thread = threading.Thread(target=lambda: found.append(read(text)))
        thread.start()
    finally:
        threading.stack_size(size)
    thread.join()
    assert len(found[0].parts) > 2_000


PIECES = [
    "n",
    "m",
    "名称",
    "flag",
    "geometry",
    "1",
    "-",
    "'a'",
    "(",
    ")",
    ",",
    "=",
    "<",
    "<>",
    "NOT",
    "AND",
    "OR",
    "IN",
]
PIECES += [
    "BETWEEN",
    "LIKE",
    "IS",
    "NULL",
    "TRUE",
    "CASEI(",
    "DATE('2022-04-14')",
    "S_WITHIN(",
    "BBOX(",
    "POINT(1 2)",
]
PIECES += ["POINT(", "'", '"', "\\", "{", "　", "1e", ".5", "+", "\0", "\ud800", "EMPTY", "\n"]


@given(
    st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join)
    | st.lists(st.sampled_from(PIECES)).map("".join)
)
def test_any_text_is_a_filter_or_is_refused(text):
    with contextlib.suppress(FilterError):
        read(text)


documents = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["a", "n", "2022-04-14", "Point", "名称"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.fixed_dictionaries(
            {
                "op": st.sampled_from(
                    ["and", "not", "=", "in", "like", "isNull", "between", "casei", "s_within", "+"]
                ),
                "args": inner | st.lists(inner, max_size=3),
            }
        )
        | st.dictionaries(
            st.sampled_from(
                ["op", "args", "property", "date", "timestamp", "bbox", "type", "coordinates", "geometries"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(documents)
def test_any_document_is_a_filter_or_is_refused(document):
    with contextlib.suppress(FilterError):
        read(json.dumps(document), "cql2-json")


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("{", "syntax"),
        ("null", "syntax"),
        ("[]", "syntax"),
        ('"text"', "syntax"),
        ("1", "syntax"),
        ('{"op":"="}', "syntax"),
        ('{"op":"=","args":[1]}', "syntax"),
        ('{"op":"=","args":{"a":1}}', "syntax"),
        ('{"op":["="],"args":[1,1]}', "function"),
        ('{"op":"avg","args":[1,1]}', "function"),
        ('{"op":"and","args":[true]}', "syntax"),
        ('{"op":"in","args":[{"property":"n"},[]]}', "syntax"),
        ('{"op":"in","args":[{"property":"n"},3]}', "syntax"),
        ('{"op":"=","args":[{"property":7},1]}', "syntax"),
        ('{"op":"=","args":[{"function":{"name":"lower"}},1]}', "syntax"),
        ('{"op":"=","args":[{"date":"2024-01-01"},1]}', "kind"),
        ('{"op":"=","args":[{"date":20240101},{"date":"2024-01-01"}]}', "moment"),
        ('{"op":"=","args":[{"timestamp":"2024-01-01T00:00:00+08:00"},1]}', "moment"),
        ('{"op":"=","args":[{"op":"=","args":[1,1]},true]}', "syntax"),
        ('{"op":"s_within","args":[{"property":"geometry"},{"bbox":[1,2,3]}]}', "geometry"),
        ('{"op":"s_within","args":[{"property":"geometry"},{"bbox":[1,2,3,true]}]}', "geometry"),
        ('{"op":"s_within","args":[{"property":"geometry"},{"type":"Point","coordinates":"x"}]}', "geometry"),
        ('{"op":"s_within","args":[{"property":"geometry"},{"type":"Point"}]}', "geometry"),
        ("[" * 5000, "depth"),
    ],
)
def test_what_is_no_document_is_refused_with_its_reason(document, code):
    with pytest.raises(FilterError) as refused:
        read(document, "cql2-json")
    assert refused.value.code == code


def test_an_unknown_property_names_those_that_are_meant():
    with pytest.raises(FilterError) as refused:
        parse_filter("nmae_zh = 'x'", "cql2-text", {"name_zh": "string", "kind": "string"})
    assert refused.value.allowed == ("kind", "name_zh")
    assert refused.value.near == ("name_zh",)


def test_brackets_inside_texts_do_not_nest():
    read("名称 = '" + "(" * 200 + "'")
    read(json.dumps({"op": "=", "args": [{"property": "名称"}, "[" * 200 + '"']}), "cql2-json")


def test_a_bounding_box_is_the_same_in_text_and_json():
    text = read("S_INTERSECTS(geometry, BBOX(1, 2, 3, 4))")
    document = {"op": "s_intersects", "args": [{"property": "geometry"}, {"bbox": [1, 2, 3, 4]}]}
    assert isinstance(text, Spatial)
    assert isinstance(text.right, PlaceConstant)
    assert text.right.geometry.bounds == (1, 2, 3, 4)
    assert read(json.dumps(document), "cql2-json") == text


@pytest.mark.parametrize("axes", ALL, ids=lambda axes: axes.frame)
def test_a_bounding_box_in_a_filter_is_what_the_parameter_takes_it_for(axes: Axes):
    (first, second), (third, fourth) = from_lonlat(np.array([[122.0, 36.9], [122.5, 37.2]]), axes).tolist()
    corners = first, second, third, fourth
    tree = read(f"S_INTERSECTS(geometry, BBOX({', '.join(map(repr, corners))}))", axes=axes)
    found = box_to_lonlat(corners, axes)
    assert isinstance(tree, Spatial)
    assert isinstance(tree.right, PlaceConstant)
    assert found is not None
    assert tree.right.geometry.equals(shapely.box(*found) if isinstance(found, tuple) else found)


@pytest.mark.parametrize("axes", [axes for axes in ALL if not axes.metric], ids=lambda axes: axes.frame)
def test_a_bounding_box_may_cross_the_antimeridian(axes: Axes):
    numbers = "-90, 150, 90, -150" if axes.north_first else "150, -90, -150, 90"
    tree = read(f"S_INTERSECTS(geometry, BBOX({numbers}))", axes=axes)
    both = shapely.union(shapely.box(150, -90, 180, 90), shapely.box(-180, -90, -150, 90))
    assert isinstance(tree, Spatial)
    assert isinstance(tree.right, PlaceConstant)
    assert shapely.hausdorff_distance(tree.right.geometry, both) <= 1e-6


@pytest.mark.parametrize(
    ("numbers", "wkt"),
    [
        ("1, 2, 1, 2", "POINT (1 2)"),
        ("1, 2, 3, 2", "LINESTRING (1 2, 3 2)"),
        ("1, -1e308, 1, 1e308", "LINESTRING (1 -90, 1 90)"),
    ],
)
def test_a_flat_bounding_box_is_a_line_or_a_point(numbers: str, wkt: str):
    tree = read(f"S_INTERSECTS(geometry, BBOX({numbers}))")
    assert isinstance(tree, Spatial)
    assert isinstance(tree.right, PlaceConstant)
    assert tree.right.geometry.equals(shapely.from_wkt(wkt))


def test_a_collection_of_one_dimension_is_what_it_covers():
    wkt = "GEOMETRYCOLLECTION(POLYGON((0 0,2 0,2 2,0 2,0 0)), POLYGON((1 0,3 0,3 2,1 2,1 0)), POINT(1 1))"
    tree = read(f"S_WITHIN({wkt}, geometry)")
    assert isinstance(tree, Spatial)
    assert isinstance(tree.left, PlaceConstant)
    assert tree.left.geometry.equals(shapely.box(0, 0, 3, 2))


def test_a_collection_is_what_its_members_say_together():
    place = Property("geometry", "geometry")
    members = [PlaceConstant(shapely.Point(1, 2)), PlaceConstant(shapely.Point(3, 4))]
    wkt = "GEOMETRYCOLLECTION(POINT(1 2), GEOMETRYCOLLECTION(POINT(3 4)))"
    met = Or(tuple(Spatial("intersects", place, member) for member in members))
    assert read(f"S_INTERSECTS(geometry, {wkt})") == met
    apart = And(tuple(Spatial("disjoint", member, place) for member in members))
    assert read(f"S_DISJOINT({wkt}, geometry)") == apart
    document = json.loads(shapely.to_geojson(shapely.from_wkt(wkt)))
    operation = {"op": "s_intersects", "args": [{"property": "geometry"}, document]}
    assert read(json.dumps(operation), "cql2-json") == met


@pytest.mark.parametrize("axes", ALL, ids=lambda axes: axes.frame)
def test_coordinates_are_read_in_their_system_and_order(axes):
    from pyproj import Transformer

    first, second = Transformer.from_crs("OGC:CRS84", axes.frame.replace("CRS84", "OGC:CRS84")).transform(
        122, 37
    )
    tree = read(f"S_WITHIN(geometry, POINT({first!r} {second!r}))", axes=axes)
    assert isinstance(tree, Spatial)
    assert isinstance(tree.right, PlaceConstant)
    assert tree.right.geometry.distance(shapely.Point(122, 37)) < 1e-9


@pytest.mark.parametrize("axes", ALL, ids=lambda axes: axes.frame)
def test_a_system_is_found_by_its_uri_and_only_by_its_own(axes: Axes):
    assert find_axes(axes.uri) is axes
    assert find_axes(axes.uri + "0") is None
    assert (
        find_axes(axes.uri.replace("OGC", "EPSG") if axes is CRS84 else axes.uri.replace("EPSG", "OGC"))
        is None
    )


@given(
    st.text("a%_\\b\n", max_size=12).filter(lambda text: (len(text) - len(text.rstrip("\\"))) % 2 == 0),
    st.text("ab%_\\\n", max_size=12),
)
def test_a_pattern_matches_what_plain_backtracking_matches(pattern, text):
    assert bool(compile_pattern(pattern).fullmatch(text)) == matches(text, pattern)


def test_a_hostile_pattern_ends():
    """Plain backtracking would take longer than anyone waits."""
    assert not compile_pattern("%a" * 4000 + "%b").fullmatch("a" * 20_000)


LISTED: dict[str, Kind] = KINDS | {"tags": "list"}
FLAG, YES, NO = Property("flag", "boolean"), Constant(value=True), Constant(value=False)
PLACE, MARK = Property("geometry", "geometry"), PlaceConstant(shapely.Point(1, 2))
TAGS, PAIR = Entries(Property("tags", "list")), Elements((ONE, Constant(2.0)))


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("n*2+1>m", Compare(">", Arithmetic("+", Arithmetic("*", N, Constant(2.0)), ONE), M)),
        ("n - 1 = 1", Compare("=", Arithmetic("-", N, ONE), ONE)),
        ("n -1 = 1", Compare("=", Arithmetic("-", N, ONE), ONE)),
        ("2^(n)>1", Compare(">", Arithmetic("^", Constant(2.0), N), ONE)),
        ("n > 2*3 div 4", Compare(">", N, ONE)),  # constants are worked out, so that an index finds them
        ("1/0 IS NULL", IsNull(Arithmetic("/", ONE, Constant(0.0)))),
        ("CASEI(名称) IS NULL", IsNull(NAME)),
        ("5 IS NULL OR 'a' IS NULL", Or((Truth(value=False),) * 2)),
        ("DATE('2024-01-01') IS NULL", Truth(value=False)),
        ("POINT(1 2) IS NULL", Truth(value=False)),
        ("(n > 1) IS NULL", IsUnknown(Compare(">", N, ONE))),
        ("flag = 1 AND 0 <> flag", And((Compare("=", FLAG, YES), Compare("<>", NO, FLAG)))),
        ("flag IN (1)", In(FLAG, (YES,))),
        ("n\u3000=\u30001", Compare("=", N, ONE)),
        ("S_INTERSECTS(geometry,\u3000POINT\u3000(1\u30002))", Spatial("intersects", PLACE, MARK)),
        ("A_CONTAINS(tags, ('a'))", ArrayCompare("contains", TAGS, Elements((Constant("a"),)))),
        ("a_containedby(tags, ())", ArrayCompare("containedBy", TAGS, Elements(()))),
        (
            "A_OVERLAPS((n, 'a', (true)), tags)",
            ArrayCompare("overlaps", Elements((N, Constant("a"), YES)), TAGS),
        ),
        ("A_EQUALS(((1,2),(1,2)), tags)", ArrayCompare("equals", Elements((PAIR, PAIR)), TAGS)),
    ],
)
def test_arithmetic_arrays_and_nulls_of_anything(text, tree):
    assert parse_filter(text, "cql2-text", LISTED) == tree


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("n + 名称 > 1", "kind"),
        ("n + flag > 1", "kind"),
        ("n + DATE('2024-01-01') = 2", "kind"),
        ("flag = 2", "kind"),
        ("n + 1", "syntax"),
        ("A_CONTAINS(名称, ('a'))", "kind"),
        ("A_CONTAINS(tags, 'a')", "kind"),
        ("A_CONTAINS(tags)", "syntax"),
        ("n" + " + n" * 60 + " > 1", None),
        ("n" + " + (n" * 31 + ")" * 31 + " > 1", None),
        ("n = " + "(" * 30 + "n" + ("*n" * 3 + ")") * 30, "depth"),
        (f"A_EQUALS({'(' * 31}1,2{'),3' * 30}), tags)", None),
    ],
)
def test_what_is_no_arithmetic_and_no_array_is_told(text, code):
    if code is None:
        parse_filter(text, "cql2-text", LISTED)
        return
    with pytest.raises(FilterError) as refused:
        parse_filter(text, "cql2-text", LISTED)
    assert refused.value.code == code
