"""Check the tree of a filter against the queryables of a collection, and build the one that stores take."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeGuard, cast, get_args

import orjson

from geodata.crs import Bounds
from geodata.deferred import np, shapely
from layers.axes import CRS84, EDGE_STEPS, Axes, box_to_lonlat, clip_box, split_box, turn_to_lonlat
from layers.cql.evaluate import calculate
from layers.cql.tree import (
    MOMENTS,
    ORDERS,
    And,
    Arithmetic,
    Array,
    ArrayCompare,
    ArrayRelation,
    Compare,
    Condition,
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
    Operator,
    Or,
    Order,
    Place,
    PlaceConstant,
    Property,
    Relation,
    Spatial,
    Truth,
    Value,
    build_property,
    compare_moments,
    read_moment,
    unknown,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


FUNCTIONS = ("casei", *MOMENTS)
ARITHMETIC = get_args(Operator)
ARRAYS = tuple(f"a_{relation}" for relation in get_args(ArrayRelation))
RELATIONS = ("intersects", "disjoint", "contains", "within", "touches", "crosses", "overlaps", "equals")
MAX_NESTED = 64  # conditions in conditions; a chain of NOT needs no brackets
_ANY = 10_000  # more arguments than fit into a filter
_ARITY: dict[str, tuple[int, int]] = {
    "and": (2, _ANY),
    "or": (2, _ANY),
    "not": (1, 1),
    "isNull": (1, 1),
    **dict.fromkeys(ORDERS, (2, 2)),
    **{f"s_{relation}": (2, 2) for relation in RELATIONS},
    "between": (3, 3),
    "like": (2, 2),
    "in": (2, 2),
    "casei": (1, 1),
    **dict.fromkeys((*ARITHMETIC, *ARRAYS), (2, 2)),
}
_SCALARS = ("string", "number", "boolean")
_BOX_SIZES = (4, 6)
_TRUTHS: dict[Value, Constant] = {Constant(1.0): Constant(value=True), Constant(0.0): Constant(value=False)}


class Checker:
    """Builds the checked tree of one filter from CQL2 JSON, in which geometries may be shapely's.

    `kinds` holds the collection's queryables; `axes` is the system of the coordinates in the filter.
    Every method raises :class:`~layers.cql.tree.FilterError`.
    """

    def __init__(self, kinds: Mapping[str, Kind], axes: Axes) -> None:
        self._kinds = kinds
        self._axes = axes
        self._nested = 0

    def condition(self, node: object) -> Condition:
        """Return what decides for each feature."""
        if isinstance(node, bool):
            return Truth(node)
        if not isinstance(node, dict) or "op" not in node:
            raise FilterError("syntax", _show(node))
        name, arguments = _operation(node)
        build = _CONDITIONS.get(name)
        if build is None:
            raise FilterError("syntax", f"{name.upper()}(…)")
        with self._deeper():
            return build(self, name, arguments)

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        """Count what is in something else."""
        self._nested += 1
        if self._nested > MAX_NESTED:
            raise FilterError("depth", str(self._nested), [f"≤ {MAX_NESTED}"])
        yield
        self._nested -= 1

    def combination(self, name: str, arguments: list[object]) -> Condition:
        """Return AND or OR."""
        built = tuple(map(self.condition, arguments))
        return And(built) if name == "and" else Or(built)

    def negation(self, _: str, arguments: list[object]) -> Condition:
        """Return NOT."""
        return Not(self.condition(arguments[0]))

    def comparison(self, name: str, arguments: list[object]) -> Condition:
        """Return an order between two values of one kind."""
        left, right = arguments
        return self._compare(cast("Order", name), left, right)

    def between(self, _: str, arguments: list[object]) -> Condition:
        """Return BETWEEN, ends included."""
        value, low, high = arguments
        return And((self._compare(">=", value, low), self._compare("<=", value, high)))

    def membership(self, _: str, arguments: list[object]) -> Condition:
        """Return IN a list of values; one that holds more than constants is what its members say together."""
        value, options = arguments
        if not isinstance(options, list) or not options:
            raise FilterError("syntax", _show(options))
        equal = tuple(self._compare("=", value, option) for option in options)
        return _among(equal) or (Or(equal) if len(equal) > 1 else equal[0])

    def like(self, _: str, arguments: list[object]) -> Condition:
        """Return LIKE a pattern, which is a constant."""
        value, pattern = map(self.value, arguments)
        if not isinstance(pattern, Constant):
            raise FilterError("constant", _show(arguments[1]))
        for one in (value, pattern):
            if kind_of(one) != "string":
                raise FilterError("kind", _show(one), ["string"])
        text = str(pattern.value).casefold() if isinstance(value, Folded) else str(pattern.value)
        if len(text) - len(text.rstrip("\\")) & 1:
            raise FilterError("escape", text)
        return Like(value, text)

    def null(self, _: str, arguments: list[object]) -> Condition:
        """Return IS NULL of anything; what is written out never is."""
        (node,) = arguments
        if _is_property(node):
            return IsNull(self.property(node))
        if isinstance(node, list):
            return IsNull(self.array(node))
        if isinstance(node, dict) and node.get("op") in _CONDITIONS:
            return IsUnknown(self.condition(node))
        if isinstance(node, shapely.Geometry) or (
            isinstance(node, dict) and not {"type", "bbox"}.isdisjoint(node)
        ):
            self.place(node)
            return Truth(value=False)
        found = self._operand(node)
        if isinstance(found, Folded):
            return IsNull(found.property)
        return IsNull(found) if isinstance(found, Arithmetic) else Truth(value=False)

    def arrays(self, name: str, arguments: list[object]) -> Condition:
        """Return a relation between arrays."""
        left, right = map(self.array, arguments)
        return ArrayCompare(cast("ArrayRelation", name.removeprefix("a_")), left, right)

    def array(self, node: object) -> Array:
        """Return the entries of a property, or an array written out."""
        if isinstance(node, list):
            return self._members(node)
        found = self.property(node) if _is_property(node) else None
        if found is None or found.kind != "list":
            raise FilterError("kind", _show(node), ["array"])
        return Entries(found)

    def _members(self, nodes: list[object]) -> Elements:
        with self._deeper():
            return Elements(
                tuple(
                    self._members(node) if isinstance(node, list) else self._operand(node) for node in nodes
                )
            )

    def spatial(self, name: str, arguments: list[object]) -> Condition:
        """Return a relation between geometries."""
        relation = cast("Relation", name.removeprefix("s_"))
        return _relate(relation, self.place(arguments[0]), self.place(arguments[1]))

    def _compare(self, order: Order, left: object, right: object) -> Condition:
        first, second = self._operand(left), self._operand(right)
        if isinstance(first, date) and isinstance(second, date):
            return compare_moments(order, first, second)
        values = _as_truth(*self._same_case(self._as_day(first, right), self._as_day(second, left)))
        kinds = [kind_of(value) for value in values]
        if kinds[0] != kinds[1]:
            raise FilterError("kind", _show(values[1]), [kinds[0]])
        return Compare(order, *values)

    def _is_date(self, node: object) -> bool:
        return _is_property(node) and self._kinds[node["property"]] == "date"

    def _as_day(self, moment: Value | date, beside: object) -> Value:
        """Return a date beside a property of dates as the text that it holds."""
        if isinstance(moment, date) and self._is_date(beside):
            if isinstance(moment, datetime):
                raise FilterError("kind", str(moment), ["date"])
            return Constant(moment.isoformat())
        return _no_moment(moment)

    @staticmethod
    def _same_case(left: Value, right: Value) -> tuple[Value, Value]:
        """Fold the constant beside a folded property."""
        if isinstance(left, Folded):
            right = _folded(right)
        elif isinstance(right, Folded):
            left = _folded(left)
        return left, right

    def value(self, node: object) -> Value:
        """Return a property, a constant or a caseless property."""
        return _no_moment(self._operand(node))

    def _operand(self, node: object) -> Value | date:
        if not isinstance(node, dict):
            return _constant(node)
        if _is_property(node):
            found = self.property(node)
            if found.kind == "geometry":
                raise FilterError("kind", found.name, _SCALARS)
            return found
        if "op" in node:
            return self._function(node)
        kind = next(iter(node), "")
        if len(node) > 1 or kind not in MOMENTS:
            raise FilterError("syntax", _show(node))
        return read_moment(kind, node[kind])

    def _function(self, node: dict[str, object]) -> Value:
        name, arguments = _operation(node)
        if name in ARITHMETIC:
            with self._deeper():
                return self._arithmetic(cast("Operator", name), arguments)
        if name != "casei":
            raise FilterError("syntax", _show(node))
        inner = self.value(arguments[0])
        if kind_of(inner) != "string":
            raise FilterError("kind", _show(inner), ["string"])
        return Folded(inner) if isinstance(inner, Property) else _folded(inner)

    def _arithmetic(self, operator: Operator, arguments: list[object]) -> Value:
        """Return what two numbers make: a number where they are constants, so that an index can find it."""
        left, right = map(self.value, arguments)
        for one in (left, right):
            if kind_of(one) != "number":
                raise FilterError("kind", _show(one), ["number"])
        if isinstance(left, Constant) and isinstance(right, Constant):
            made, known = calculate(operator, np.array([left.value]), np.array([right.value]))
            if known[0]:
                return Constant(float(made[0]))
        return Arithmetic(operator, left, right)

    def property(self, node: dict[str, str]) -> Property:
        """Return a queryable by its name."""
        name = node["property"]
        if name not in self._kinds:
            raise unknown("property", name, self._kinds)
        return build_property(name, self._kinds[name])

    def place(self, node: object) -> Place:
        """Return the geometry of the feature, or a shape in lon/lat."""
        if _is_property(node):
            found = self.property(node)
            if found.kind != "geometry":
                raise FilterError("kind", found.name, ["geometry"])
            return found
        if isinstance(node, shapely.geometry.base.BaseGeometry):
            return PlaceConstant(to_shape(node, self._axes))
        if isinstance(node, dict) and set(node) == {"bbox"}:
            return PlaceConstant(to_shape(_corners(node["bbox"]), self._axes))
        if isinstance(node, dict) and "type" in node:
            return PlaceConstant(to_shape(_geojson(node), self._axes))
        if isinstance(node, dict) and "op" not in node:
            raise FilterError("syntax", _show(node))
        raise FilterError("kind", _show(node), ["geometry"])


_CONDITIONS: dict[str, Callable[[Checker, str, list[object]], Condition]] = {
    "and": Checker.combination,
    "or": Checker.combination,
    "not": Checker.negation,
    **dict.fromkeys(ORDERS, Checker.comparison),
    "between": Checker.between,
    "in": Checker.membership,
    "like": Checker.like,
    "isNull": Checker.null,
    **dict.fromkeys(ARRAYS, Checker.arrays),
    **{f"s_{relation}": Checker.spatial for relation in RELATIONS},
}
_MEMBERS = {
    "GeometryCollection": "geometries",
    **dict.fromkeys(
        ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon"), "coordinates"
    ),
}


def _operation(node: dict[str, object]) -> tuple[str, list[object]]:
    """Return the name of an operation and as many arguments as it takes."""
    name, arguments = node["op"], node.get("args")
    if not isinstance(name, str) or name not in _ARITY:
        raise unknown("function", name if isinstance(name, str) else _show(name), _ARITY)
    least, most = _ARITY[name]
    if not isinstance(arguments, list) or not least <= len(arguments) <= most or set(node) != {"op", "args"}:
        raise FilterError("syntax", _show(node))
    return name, arguments


def _is_property(node: object) -> TypeGuard[dict[str, str]]:
    return isinstance(node, dict) and set(node) == {"property"} and isinstance(node["property"], str)


def _corners(numbers: object) -> list[float]:
    """Return the corners of a bounding box of four numbers, or of six with heights."""
    known = isinstance(numbers, list) and all(type(one) in {int, float} for one in numbers)
    if not isinstance(numbers, list) or not known or len(numbers) not in _BOX_SIZES:
        raise FilterError("geometry", _show(numbers))
    size = len(numbers) // 2
    return [float(number) for number in (*numbers[:2], *numbers[size : size + 2])]


def _geojson(node: dict[str, object]) -> dict[str, object]:
    kind = node["type"]
    member = _MEMBERS.get(kind) if isinstance(kind, str) else None
    if member is None or (member == "coordinates" and not set(node) <= {"type", "coordinates", "bbox"}):
        raise FilterError("syntax", _show(node))
    return {"type": kind, member: node.get(member)}


def _relate(relation: Relation, left: Place, right: Place) -> Condition:
    """Return a relation; one with a collection as what its members say together."""
    for place in (left, right):
        if isinstance(place, PlaceConstant) and place.geometry.geom_type == "GeometryCollection":
            if relation not in {"intersects", "disjoint"}:
                merged = PlaceConstant(_merge(place.geometry))
                return _relate(relation, *((merged, right) if place is left else (left, merged)))
            shapes = [PlaceConstant(part) for part in shapely.get_parts(place.geometry) if not part.is_empty]
            pairs = [(one, right) if place is left else (left, one) for one in shapes]
            parts = tuple(_relate(relation, *pair) for pair in pairs)
            if len(parts) == 1:
                return parts[0]
            return Or(parts) if relation == "intersects" else And(parts)
    return Spatial(relation, left, right)


def _merge(collection: BaseGeometry) -> BaseGeometry:
    """Return what a collection covers, if that is of one dimension; stores relate nothing else."""
    merged: BaseGeometry = shapely.union_all(shapely.get_parts(collection))
    if merged.geom_type == "GeometryCollection":
        raise FilterError("geometry", collection.wkt)
    return merged


def _among(equal: tuple[Condition, ...]) -> In | None:
    """Return comparisons of one value with constants as one list, or None where they are others."""
    pairs = [(one.left, one.right) for one in equal if isinstance(one, Compare)]
    options = tuple(right for _, right in pairs if isinstance(right, Constant))
    return In(pairs[0][0], options) if len(options) == len(equal) else None


def kind_of(value: Value) -> Kind:
    """Return the kind that a value is compared as."""
    if isinstance(value, Property):
        return "string" if value.kind == "list" else value.kind
    if isinstance(value, Folded):
        return "string"
    if isinstance(value, Arithmetic):
        return "number"
    if isinstance(value.value, bool):
        return "boolean"
    return "string" if isinstance(value.value, str) else "number"


def _no_moment(value: Value | date) -> Value:
    if isinstance(value, date):
        raise FilterError("kind", str(value), _SCALARS)
    return value


def _as_truth(left: Value, right: Value) -> tuple[Value, Value]:
    """Return two values, 1 or 0 beside a truth value's property as one: GDAL writes them so."""
    if isinstance(left, Property) and left.kind == "boolean":
        right = _TRUTHS.get(right, right)
    elif isinstance(right, Property) and right.kind == "boolean":
        left = _TRUTHS.get(left, left)
    return left, right


def _constant(node: object) -> Constant:
    if isinstance(node, bool):
        return Constant(node)
    if isinstance(node, int | float):
        try:
            number = float(node)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise FilterError("number", str(node)[:20])
        return Constant(number)
    if not isinstance(node, str):
        raise FilterError("syntax", _show(node))
    refuse_no_text(node)
    return Constant(node)


def refuse_no_text(text: str) -> None:
    """Raise FilterError for U+0000 or half a surrogate pair, which no store can compare."""
    if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise FilterError("text", repr(text))


def _folded(value: Value) -> Value:
    return (
        Constant(value.value.casefold())
        if isinstance(value, Constant) and isinstance(value.value, str)
        else value
    )


def _show(node: object) -> str:
    """Return a part of a filter as the one who wrote it knows it."""
    if isinstance(node, Constant):
        node = node.value if type(node.value) is float else str(node.value)
    if isinstance(node, Folded):
        node = node.property
    if isinstance(node, Property):
        return node.name
    if isinstance(node, Arithmetic):
        return f"{_show(node.left)} {node.operator} {_show(node.right)}"
    if _is_property(node):
        return str(node["property"])
    if isinstance(node, float):
        return f"{node:.15g}"
    # Documents as they were written, not as Python would.
    return node if isinstance(node, str) else json.dumps(node, ensure_ascii=False, default=str)


EARTH = CRS84.reach
MAX_MEETING = 20_000  # pairs of segments whose bounds meet, each with itself too; a plain line has three each
_CHUNK = 64  # segments that are compared with all others at a time


def read_wkt(text: str) -> BaseGeometry:
    """Return the geometry of well-known text; raises FilterError where it is none."""
    try:
        geometry: BaseGeometry = shapely.from_wkt(text)
    except shapely.GEOSException as error:
        raise FilterError("geometry", text) from error
    return geometry


def to_shape(given: BaseGeometry | dict[str, object] | Sequence[float], axes: Axes) -> BaseGeometry:
    """Return a geometry in lon/lat; raises FilterError where it is empty, unsound or off the map.

    `given` is a geometry, one of GeoJSON, or the four numbers of a bounding box, all in the order of `axes`.
    """
    if isinstance(given, Sequence):
        return _to_box(given, axes)
    try:
        geometry = given if isinstance(given, shapely.Geometry) else shapely.from_geojson(orjson.dumps(given))
        if not _is_finite(geometry) or geometry.is_empty:
            raise FilterError("geometry", geometry.wkt)
        changed = turn_to_lonlat(geometry, axes)
    except (shapely.GEOSException, ValueError, TypeError) as error:
        if isinstance(error, FilterError):
            raise
        shown = given.wkt if isinstance(given, shapely.Geometry) else json.dumps(given, ensure_ascii=False)
        raise FilterError("geometry", shown) from error
    if not _is_on_earth(changed):
        raise FilterError("geometry", geometry.wkt)
    if not changed.is_valid:
        raise FilterError("geometry", shapely.is_valid_reason(changed))
    _refuse_tangled(changed)
    return changed


def _refuse_tangled(geometry: BaseGeometry) -> None:
    """Refuse lines, and members of a collection, that cross one another so often that relating them is slow.

    Polygons and points cannot: what is valid of them meets at points only.
    """
    if geometry.geom_type not in {"LineString", "MultiLineString", "GeometryCollection"}:
        return
    segments = _split_segments(geometry)
    tree, meeting = shapely.STRtree(segments), 0
    for start in range(0, len(segments), _CHUNK):
        meeting += tree.query(segments[start : start + _CHUNK]).shape[1]
        if meeting > MAX_MEETING:
            raise FilterError("tangled", f"{meeting}", [f"≤ {MAX_MEETING}"])


def _split_segments(geometry: BaseGeometry) -> NDArray[np.object_]:
    """Return every segment of the lines and rings of a geometry as a line of its own."""
    parts = np.array([geometry], dtype=object)
    while any(part.geom_type == "GeometryCollection" for part in parts):
        parts = shapely.get_parts(parts)
    parts = shapely.get_parts(parts)
    areal = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    lines = np.concatenate((parts[~areal], shapely.get_rings(parts[areal])))
    points, line = shapely.get_coordinates(lines, return_index=True)
    ends = np.stack((points[:-1], points[1:]), axis=1)[line[:-1] == line[1:]]
    return np.asarray(shapely.linestrings(ends))


def _to_box(corners: Sequence[float], axes: Axes) -> BaseGeometry:
    """Return a bounding box, its corners in the order of `axes`; two boxes across the antimeridian."""
    first, second, third, fourth = corners
    try:
        parts = [_to_part(part, axes) for part in split_box((first, second, third, fourth), axes)]
    except ValueError as error:
        raise FilterError("geometry", _show_box(corners)) from error
    if not all(map(_is_on_earth, parts)):
        raise FilterError("geometry", _show_box(corners))
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def _to_part(corners: Bounds, axes: Axes) -> BaseGeometry:
    """Return a box that crosses nothing: a polygon, or the line or the point that a flat one is."""
    clipped = clip_box(corners, axes)
    found = box_to_lonlat(corners, axes)
    if clipped is None or found is None:
        raise ValueError(corners)
    first, second, third, fourth = clipped
    if first != third and second != fourth:
        return shapely.box(*found) if isinstance(found, tuple) else found
    if (first, second) == (third, fourth):
        return turn_to_lonlat(shapely.Point(first, second), axes)
    line = shapely.LineString([(first, second), (third, fourth)])
    return turn_to_lonlat(shapely.segmentize(line, line.length / EDGE_STEPS), axes)


def _show_box(corners: Sequence[float]) -> str:
    return f"BBOX({', '.join(f'{number:g}' for number in corners)})"


def _is_on_earth(geometry: BaseGeometry) -> bool:
    west, south, east, north = EARTH
    points = shapely.get_coordinates(geometry)
    lons, lats = points[:, 0], points[:, 1]  # what is not a number lies nowhere
    return bool(((lons >= west) & (lons <= east) & (lats >= south) & (lats <= north)).all())


def _is_finite(geometry: BaseGeometry) -> bool:
    return bool(shapely.get_coordinates(geometry).size) and bool(
        (abs(shapely.get_coordinates(geometry)) < math.inf).all()
    )
