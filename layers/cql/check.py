"""Check a parsed filter against the queryables of a collection, and build the tree that stores take."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import shapely
from pygeofilter import ast, values
from shapely.geometry.base import BaseGeometry

from layers.axes import Axes
from layers.cql.fault import FilterError, unknown
from layers.cql.geometry import to_shape
from layers.cql.moments import KINDS, compare
from layers.cql.tree import (
    And,
    Compare,
    Condition,
    Constant,
    Folded,
    In,
    IsNull,
    Kind,
    Like,
    Not,
    Or,
    Place,
    Property,
    Shape,
    Spatial,
    Truth,
    Value,
)

FUNCTIONS = ("casei", *KINDS)
MAX_NESTED = 64  # conditions in conditions; a chain of NOT needs no brackets
_SCALARS = ("string", "number", "boolean")
_CASELESS = {"casei", "lower"}  # pygeofilter calls it lower where it comes from JSON


class Checker:
    """Builds the checked tree of one filter.

    `kinds` holds the collection's queryables; `axes` is the system of the coordinates in the filter.
    Every method raises :class:`~layers.cql.fault.FilterError`.
    """

    def __init__(self, kinds: Mapping[str, Kind], axes: Axes) -> None:
        self._kinds = kinds
        self._axes = axes
        self._nested = 0

    def condition(self, node: Any) -> Condition:
        """Return what decides for each feature."""
        build = next((make for kind, make in _CONDITIONS.items() if isinstance(node, kind)), None)
        if build is None:
            raise self._no_condition(node)
        self._nested += 1
        if self._nested > MAX_NESTED:
            raise FilterError("depth", str(self._nested), [f"≤ {MAX_NESTED}"])
        built: Condition = build(self, node)
        self._nested -= 1
        return built

    def _no_condition(self, node: Any) -> FilterError:
        return _no_function(node) if isinstance(node, ast.Function) else FilterError("syntax", _show(node))

    def include(self, node: ast.Include) -> Condition:
        """Return TRUE or FALSE."""
        return Truth(not node.not_)

    def literal(self, node: bool) -> Condition:  # noqa: FBT001 - a node of the document
        """Return true or false as JSON writes it."""
        return Truth(node)

    def combination(self, node: ast.Combination) -> Condition:
        """Return a chain of AND or of OR, which pygeofilter nests to the left, as one list."""
        kind = type(node)
        parts, rest = [node.rhs], node.lhs
        while isinstance(rest, kind):
            parts.append(rest.rhs)
            rest = rest.lhs
        built = tuple(self.condition(part) for part in (rest, *reversed(parts)))
        return And(built) if kind is ast.And else Or(built)

    def negation(self, node: ast.Not) -> Condition:
        """Return NOT."""
        return Not(self.condition(node.sub_node))

    def comparison(self, node: ast.Comparison) -> Condition:
        """Return an order between two values of one kind."""
        return self._compare(node.op.value, node.lhs, node.rhs)

    def between(self, node: ast.Between) -> Condition:
        """Return BETWEEN, ends included."""
        inside = And((self._compare(">=", node.lhs, node.low), self._compare("<=", node.lhs, node.high)))
        return Not(inside) if node.not_ else inside

    def membership(self, node: ast.In) -> Condition:
        """Return IN a list of values; one that holds more than constants is what its members say together."""
        equal = tuple(self._compare("=", node.lhs, option) for option in node.sub_nodes)
        found = _among(equal) or (Or(equal) if len(equal) > 1 else equal[0])
        return Not(found) if node.not_ else found

    def like(self, node: ast.Like) -> Condition:
        """Return LIKE a pattern, which is a constant."""
        value, pattern = self.value(node.lhs), self.value(node.pattern)
        if not isinstance(pattern, Constant):
            raise FilterError("constant", _show(node.pattern))
        for one in (value, pattern):
            if kind_of(one) != "string":
                raise FilterError("kind", _show(one), ["string"])
        text = str(pattern.value).casefold() if isinstance(value, Folded) else str(pattern.value)
        if len(text) - len(text.rstrip("\\")) & 1:
            raise FilterError("escape", text)
        found = Like(value, text)
        return Not(found) if node.not_ else found

    def null(self, node: ast.IsNull) -> Condition:
        """Return IS NULL."""
        if not isinstance(node.lhs, ast.Attribute):
            raise FilterError("syntax", _show(node.lhs))
        found = IsNull(self.property(node.lhs))
        return Not(found) if node.not_ else found

    def spatial(self, node: ast.SpatialComparisonPredicate) -> Condition:
        """Return a relation between geometries."""
        return _relate(node.op.name.lower(), self.place(node.lhs), self.place(node.rhs))

    def _compare(self, order: Any, left: Any, right: Any) -> Condition:
        if isinstance(left, date) and isinstance(right, date):
            return compare(order, left, right)
        values_ = self._same_case(self.value(left), self.value(right))
        kinds = [kind_of(value) for value in values_]
        if kinds[0] != kinds[1]:
            raise FilterError("kind", _show(values_[1]), [kinds[0]])
        return Compare(order, *values_)

    @staticmethod
    def _same_case(left: Value, right: Value) -> tuple[Value, Value]:
        """Fold the constant beside a folded property."""
        if isinstance(left, Folded):
            right = _folded(right)
        elif isinstance(right, Folded):
            left = _folded(left)
        return left, right

    def value(self, node: Any) -> Value:
        """Return a property, a constant or a caseless property."""
        if isinstance(node, ast.Attribute):
            found = self.property(node)
            if found.kind == "geometry":
                raise FilterError("kind", found.name, _SCALARS)
            return found
        if isinstance(node, ast.Function):
            return self._function(node)
        return _constant(node)

    def _function(self, node: ast.Function) -> Value:
        if node.name.lower() not in _CASELESS or len(node.arguments) != 1:
            raise _no_function(node)
        inner = self.value(node.arguments[0])
        if kind_of(inner) != "string":
            raise FilterError("kind", _show(inner), ["string"])
        return Folded(inner) if isinstance(inner, Property) else _folded(inner)

    def property(self, node: ast.Attribute) -> Property:
        """Return a queryable by its name."""
        if node.name not in self._kinds:
            raise unknown("property", node.name, self._kinds)
        return Property(node.name, self._kinds[node.name])

    def place(self, node: Any) -> Place:
        """Return the geometry of the feature, or a shape in lon/lat."""
        if isinstance(node, ast.Attribute):
            found = self.property(node)
            if found.kind != "geometry":
                raise FilterError("kind", found.name, ["geometry"])
            return found
        if not isinstance(node, values.Geometry):
            raise FilterError("kind", _show(node), ["geometry"])
        return Shape(to_shape(node.geometry, self._axes))


_CONDITIONS: dict[Any, Any] = {
    ast.Include: Checker.include,
    bool: Checker.literal,
    ast.Combination: Checker.combination,
    ast.Not: Checker.negation,
    ast.Comparison: Checker.comparison,
    ast.Between: Checker.between,
    ast.In: Checker.membership,
    ast.Like: Checker.like,
    ast.IsNull: Checker.null,
    ast.SpatialComparisonPredicate: Checker.spatial,
}


def _relate(relation: Any, left: Place, right: Place) -> Condition:
    """Return a relation; one with a collection as what its members say together."""
    for place in (left, right):
        if isinstance(place, Shape) and place.geometry.geom_type == "GeometryCollection":
            if relation not in {"intersects", "disjoint"}:
                merged = Shape(_merge(place.geometry))
                return _relate(relation, *((merged, right) if place is left else (left, merged)))
            shapes = [Shape(part) for part in shapely.get_parts(place.geometry) if not part.is_empty]
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
    """Return the kind of a property, a constant or a caseless property."""
    if isinstance(value, Property):
        return value.kind
    if isinstance(value, Folded):
        return "string"
    if isinstance(value.value, bool):
        return "boolean"
    return "string" if isinstance(value.value, str) else "number"


def _constant(node: Any) -> Constant:
    if isinstance(node, date):
        raise FilterError("kind", str(node), _SCALARS)
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
    if "\0" in node or any("\ud800" <= one <= "\udfff" for one in node):
        raise FilterError("text", repr(node))
    return Constant(node)


def _no_function(node: ast.Function) -> FilterError:
    """Return what is wrong with a function: its name, or where and with what it stands."""
    known = node.name.lower() in FUNCTIONS
    return FilterError("syntax", f"{node.name}(…)") if known else unknown("function", node.name, FUNCTIONS)


def _folded(value: Value) -> Value:
    return (
        Constant(value.value.casefold())
        if isinstance(value, Constant) and isinstance(value.value, str)
        else value
    )


def _show(node: Any) -> str:
    """Return a part of a filter as the one who wrote it knows it."""
    if isinstance(node, Constant):
        return f"{node.value:.15g}" if type(node.value) is float else str(node.value)
    if isinstance(node, Property | ast.Attribute | ast.Function):
        return node.name
    return _show(node.property) if isinstance(node, Folded) else str(node)
