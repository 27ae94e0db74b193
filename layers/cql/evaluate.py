"""Evaluate a checked filter over the columns of a collection, all rows at once.

Three-valued logic as two masks: where a condition is true, and where it is false; neither is unknown.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from geodata.deferred import np, shapely
from layers.cql.tree import (
    LARGEST,
    ORDERS,
    SMALLEST,
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
    In,
    IsNull,
    IsUnknown,
    Like,
    Not,
    Operator,
    Or,
    Place,
    PlaceConstant,
    Property,
    Relation,
    Spatial,
    Truth,
    Value,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

Mask: TypeAlias = "NDArray[np.bool_]"
Masks = tuple[Mask, Mask]
Column: TypeAlias = (
    "tuple[NDArray[Any], Mask]"  # values, anything where there is none; and where there is one
)
Member = tuple[type, object]  # of an array: true is not 1


# Relations that are called otherwise from the second geometry's side.
_CONVERSES: dict[Relation, Relation] = {"contains": "within", "within": "contains"}
_SETS: dict[ArrayRelation, Callable[[frozenset[Member], frozenset[Member]], bool]] = {
    "contains": operator.ge,
    "containedBy": operator.le,
    "equals": operator.eq,
    "overlaps": lambda left, right: not left.isdisjoint(right),
}
_CALCULATE: dict[Operator, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "div": lambda left, right: np.trunc(left / right),
    "%": lambda left, right: left - right * np.trunc(left / right),
    "^": lambda left, right: np.fromiter(map(_raise, left, right), float, len(left)),
}
_DIVIDES = {"/", "div", "%"}
STEEPEST = math.log(LARGEST)  # of a power: exponent times logarithm of the base
_TO_ITSELF = {"intersects", "contains", "within", "equals"}  # how every geometry stands to itself


class Columns(Protocol):
    """The rows of a collection, by column."""

    count: int

    def column(self, name: str) -> Column:
        """Return the values of one queryable: texts, doubles or truth values."""

    def geometries(self) -> Column:
        """Return the geometries, lon/lat."""

    def tree(self) -> shapely.STRtree:
        """Return the index over the geometries."""


def evaluate(condition: Condition, rows: Columns) -> Mask:
    """Return for which rows a condition is true."""
    return _masks(condition, rows)[0]


def _masks(condition: Condition, rows: Columns) -> Masks:
    return _EVALUATE[type(condition)](condition, rows)


def _truth(condition: Truth, rows: Columns) -> Masks:
    true = np.full(rows.count, condition.value)
    return true, ~true


def _and(condition: And, rows: Columns) -> Masks:
    trues, falses = zip(*(_masks(part, rows) for part in condition.parts), strict=True)
    return reduce(operator.and_, trues), reduce(operator.or_, falses)


def _or(condition: Or, rows: Columns) -> Masks:
    trues, falses = zip(*(_masks(part, rows) for part in condition.parts), strict=True)
    return reduce(operator.or_, trues), reduce(operator.and_, falses)


def _not(condition: Not, rows: Columns) -> Masks:
    true, false = _masks(condition.part, rows)
    return false, true


def _compare(condition: Compare, rows: Columns) -> Masks:
    left, left_known = _values(condition.left, rows)
    right, right_known = _values(condition.right, rows)
    return _known(ORDERS[condition.order](left, right), left_known & right_known)


def _in(condition: In, rows: Columns) -> Masks:
    values, known = _values(condition.value, rows)
    options = {option.value for option in condition.options}
    return _known(np.fromiter((one in options for one in values), bool, rows.count), known)


def _like(condition: Like, rows: Columns) -> Masks:
    values, known = _values(condition.value, rows)
    match = compile_pattern(condition.pattern).fullmatch
    return _known(np.fromiter((match(one) is not None for one in values), bool, rows.count), known)


def _is_null(condition: IsNull, rows: Columns) -> Masks:
    operand = condition.operand
    if isinstance(operand, Entries | Elements):
        _, known = _members(operand, rows)
    elif isinstance(operand, Property) and operand.kind == "geometry":
        _, known = rows.geometries()
    else:
        _, known = _values(operand, rows)
    return ~known, known


def _is_unknown(condition: IsUnknown, rows: Columns) -> Masks:
    true, false = _masks(condition.part, rows)
    known = true | false
    return ~known, known


def _arrays(condition: ArrayCompare, rows: Columns) -> Masks:
    left, left_known = _members(condition.left, rows)
    right, right_known = _members(condition.right, rows)
    stand, pairs = _SETS[condition.relation], zip(left, right, strict=True)
    found = [stand(frozenset(first), frozenset(second)) for first, second in pairs]
    return _known(found, left_known & right_known)


def _members(array: Array, rows: Columns) -> tuple[list[tuple[Member, ...]], Mask]:
    """Return the members of an array in every row, and where all of them are known."""
    if isinstance(array, Entries):
        texts, known = rows.column(array.property.name)
        return [tuple((str, entry) for entry in text.split(";")) for text in texts], known
    columns = [_member(one, rows) for one in array.members]
    everywhere = np.ones(rows.count, bool)
    known = reduce(operator.and_, (mask for _, mask in columns), everywhere)
    if not columns:
        return [()] * rows.count, known
    return list(zip(*(values for values, _ in columns), strict=True)), known


def _member(one: Value | date | Elements, rows: Columns) -> tuple[list[Member], Mask]:
    """Return one member of an array in every row."""
    if isinstance(one, Elements):
        arrays, known = _members(one, rows)
        return [(tuple, array) for array in arrays], known
    if isinstance(one, date):
        return [(type(one), one)] * rows.count, np.ones(rows.count, bool)
    values, known = _values(one, rows)
    return [(type(value), value) for value in values.tolist()], known


def _known(result: ArrayLike, known: Mask) -> Masks:
    found = np.asarray(result, dtype=bool)
    return found & known, ~found & known


def _values(value: Value, rows: Columns) -> Column:
    """Return a value for every row; a constant is repeated."""
    if isinstance(value, Property):
        return rows.column(value.name)
    if isinstance(value, Constant):
        kind = object if isinstance(value.value, str) else type(value.value)
        return np.full(rows.count, value.value, dtype=kind), np.ones(rows.count, bool)
    if isinstance(value, Arithmetic):
        left, left_known = _values(value.left, rows)
        right, right_known = _values(value.right, rows)
        made, known = calculate(value.operator, left, right)
        return made, known & left_known & right_known
    values, known = rows.column(value.property.name)
    return np.array([one.casefold() for one in values], dtype=object), known


def calculate(how: Operator, left: NDArray[Any], right: NDArray[Any]) -> Column:
    """Return what doubles make of each other, and where that is known; see :mod:`layers.cql.tree`."""
    known = _is_moderate(left) & _is_moderate(right)
    if how in _DIVIDES:
        known &= right != 0
    made = _CALCULATE[how](np.where(known, left, 1.0), np.where(known, right, 1.0))
    return made, known & ~np.isnan(made)


def _is_moderate(values: NDArray[Any]) -> Mask:
    size = np.abs(values)
    found: Mask = (size == 0) | ((size >= SMALLEST) & (size <= LARGEST))
    return found


def _raise(base: float, exponent: float) -> float:
    """Return a power, as the C library has it and so the database; not a number where there is none."""
    if base == 0:
        return math.nan if exponent < 0 else float(exponent == 0)
    if (base < 0 and exponent != math.trunc(exponent)) or abs(exponent * math.log(abs(base))) > STEEPEST:
        return math.nan
    return math.pow(base, exponent)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    r"""Return a LIKE pattern as an expression for ``fullmatch``, which never backtracks into a piece.

    The leftmost place of each piece between two ``%`` is always good enough, so each is matched for good.

    >>> bool(compile_pattern("a%b_d").fullmatch("axxbcbcd"))
    True
    >>> bool(compile_pattern(r"100\%").fullmatch("100 "))
    False
    """
    pieces = [""]
    escaped = False
    for character in pattern:
        if not escaped and character == "\\":
            escaped = True
            continue
        if not escaped and character == "%":
            pieces.append("")
        else:
            pieces[-1] += "." if character == "_" and not escaped else re.escape(character)
        escaped = False
    first, *middle = pieces
    if not middle:
        return re.compile(first, re.DOTALL)
    *inner, last = middle
    between = "".join(f"(?>.*?{piece})" for piece in inner if piece)
    return re.compile(f"{first}{between}.*{last}", re.DOTALL)


def _spatial(condition: Spatial, rows: Columns) -> Masks:
    if condition.relation == "disjoint":
        true, false = _spatial(Spatial("intersects", condition.left, condition.right), rows)
        return false, true
    left, right = condition.left, condition.right
    relation = condition.relation
    if isinstance(left, PlaceConstant) and isinstance(right, PlaceConstant):
        return _truth(Truth(bool(_relate(relation, left.geometry, right.geometry))), rows)
    if isinstance(left, Property) and isinstance(right, Property):
        _, known = rows.geometries()  # of which a collection has one column
        return _known(np.full(rows.count, relation in _TO_ITSELF), known)
    if isinstance(left, PlaceConstant):
        return _related(left, relation, rows)
    return _related(right, _CONVERSES.get(relation, relation), rows)


def _relate(relation: Relation, one: BaseGeometry, others: BaseGeometry | NDArray[np.object_]) -> Mask:
    found: Mask = getattr(shapely, relation)(one, others)
    return found


def _related(shape: Place, relation: Relation, rows: Columns) -> Masks:
    """Return which geometries the shape is related to; only those whose bounds meet are looked at."""
    geometries, known = rows.geometries()
    found = np.zeros(rows.count, bool)
    if isinstance(shape, PlaceConstant):
        shapely.prepare(shape.geometry)
        near = rows.tree().query(shape.geometry)
        found[near] = _relate(relation, shape.geometry, geometries[near])
    return _known(found, known)


_EVALUATE: dict[type, Callable[[Any, Columns], Masks]] = {
    Truth: _truth,
    And: _and,
    Or: _or,
    Not: _not,
    Compare: _compare,
    In: _in,
    Like: _like,
    IsNull: _is_null,
    IsUnknown: _is_unknown,
    Spatial: _spatial,
    ArrayCompare: _arrays,
}
