"""Turn a checked filter into SQL with the meaning that :mod:`layers.cql.tree` gives it, nulls included.

A property of another JSON type than its kind counts as null, so that no cast can fail. Values never
become part of a statement's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson
from psycopg import sql

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
    Spatial,
    Truth,
    Value,
)
from layers.postgis.part import Part, all_of, any_of, join, shape, value

FOLDED: Final = "folded"  # the column that holds the texts of `properties` without case
# Text compares by code point, as in Python; numbers are doubles.
VALUES: Final[dict[Kind, str]] = {
    "string": "(CASE jsonb_typeof({0} -> {1}) WHEN 'string' THEN {0} ->> {1} END COLLATE \"C\")",
    "number": "(CASE jsonb_typeof({0} -> {1}) WHEN 'number' THEN ({0} -> {1})::float8 END)",
    "boolean": "(CASE jsonb_typeof({0} -> {1}) WHEN 'boolean' THEN ({0} -> {1})::boolean END)",
}
NULL: Final = "(coalesce(jsonb_typeof(properties -> {}), 'null') = 'null')"
GEOMETRY: Final = Part(sql.SQL("geometry"))


def to_condition(node: Condition) -> Part:
    """Return a filter as a condition."""
    return _RULES[type(node)](node)


def to_value(node: Value) -> Part:
    """Return a property, a property without case, or a constant."""
    if isinstance(node, Property):
        return _property("properties", node)
    if isinstance(node, Folded):
        return _property(FOLDED, node.property)
    if isinstance(node.value, bool):
        return value(node.value, "boolean")
    if isinstance(node.value, str):
        return join('({} COLLATE "C")', value(node.value, "text"))
    return value(float(node.value), "float8")


def to_narrow(node: Condition) -> Part | None:
    """Return what the index on properties finds and every match has, or None.

    It only ever stands beside the exact condition, and never under a NOT: it is false where that is null.
    """
    if isinstance(node, And):
        found = [part for part in map(to_narrow, node.parts) if part]
        return all_of(found) if found else None
    if isinstance(node, Or):
        options = [to_narrow(part) for part in node.parts]
        return any_of(part for part in options if part) if all(options) else None
    if isinstance(node, Compare) and node.order == "=":
        return _has(node.left, node.right) or _has(node.right, node.left)
    if isinstance(node, In) and isinstance(node.value, Property):
        return any_of(part for option in node.options if (part := _has(node.value, option)))
    return None


def _has(left: Value, right: Value) -> Part | None:
    if not isinstance(left, Property) or not isinstance(right, Constant):
        return None
    return join("(properties @> {})", value(orjson.dumps({left.name: right.value}).decode(), "jsonb"))


def _property(column: str, node: Property) -> Part:
    template = sql.SQL(VALUES[node.kind])
    return Part(template.format(sql.Identifier(column), sql.Literal(node.name)))


def _compare(node: Compare) -> Part:
    return join(f"({{}} {node.order} {{}})", to_value(node.left), to_value(node.right))


def _in(node: In) -> Part:
    options = [option.value for option in node.options]
    kind = "boolean" if isinstance(options[0], bool) else "text" if isinstance(options[0], str) else "float8"
    return join("({} = ANY ({}))", to_value(node.value), value(options, f"{kind}[]"))


def _is_null(node: IsNull) -> Part:
    if node.property.kind == "geometry":
        return join("({} IS NULL)", GEOMETRY)
    return Part(sql.SQL(NULL).format(sql.Literal(node.property.name)))


def _spatial(node: Spatial) -> Part:
    return join(f"ST_{node.relation}({{}}, {{}})", _place(node.left), _place(node.right))


def _place(node: Place) -> Part:
    if isinstance(node, Property):
        return GEOMETRY
    return shape(node.geometry)


_RULES: Final[dict[type, Callable[[Any], Part]]] = {
    Truth: lambda node: value(node.value, "boolean"),
    And: lambda node: all_of(map(to_condition, node.parts)),
    Or: lambda node: any_of(map(to_condition, node.parts)),
    Not: lambda node: join("(NOT {})", to_condition(node.part)),
    Like: lambda node: join("({} LIKE {})", to_value(node.value), value(node.pattern, "text")),
    Compare: _compare,
    In: _in,
    IsNull: _is_null,
    Spatial: _spatial,
}
