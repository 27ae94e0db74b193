"""Turn a checked filter into SQL with the meaning that :mod:`layers.cql.tree` gives it, nulls included.

Values never become part of a statement's text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from psycopg import sql

from layers.cql.tree import (
    And,
    Compare,
    Condition,
    Folded,
    In,
    IsNull,
    Like,
    Not,
    Or,
    Place,
    Property,
    Spatial,
    Truth,
    Value,
)
from layers.postgis.columns import Columns
from layers.postgis.part import Part, all_of, any_of, join, shape, value
from layers.postgis.words import Lists, choose

GEOMETRY: Final = Part(sql.SQL("geometry"))


class Conditions:
    """Writes conditions on one collection: `columns` has its queryables, `lists` the entries of some."""

    def __init__(self, columns: Columns, lists: Lists) -> None:
        self._columns = columns
        self._lists = lists
        self._rules: dict[type, Callable[[Any], Part]] = {
            Truth: lambda node: value(node.value, "boolean"),
            And: lambda node: all_of(map(self.write, node.parts)),
            Or: lambda node: any_of(map(self.write, node.parts)),
            Not: lambda node: join("(NOT {})", self.write(node.part)),
            Like: self._like,
            IsNull: lambda node: join("({} IS NULL)", self.column(node.property.name)),
            Compare: self._compare,
            In: self._in,
            Spatial: self._spatial,
        }

    def write(self, node: Condition) -> Part:
        """Return a filter as a condition."""
        return self._rules[type(node)](node)

    def write_value(self, node: Value) -> Part:
        """Return a property, a property without case, or a constant."""
        if isinstance(node, Property):
            return self.column(node.name)
        if isinstance(node, Folded):
            return self.column(node.property.name, folded=True)
        if isinstance(node.value, bool):
            return value(node.value, "boolean")
        if isinstance(node.value, str):
            return join('({} COLLATE "C")', value(node.value, "text"))
        return value(float(node.value), "float8")

    def column(self, name: str, *, folded: bool = False) -> Part:
        """Return the column of a queryable."""
        if name not in self._columns:
            return GEOMETRY
        return Part(sql.Identifier(self._columns[name][folded]))

    def _compare(self, node: Compare) -> Part:
        left, right = self.write_value(node.left), self.write_value(node.right)
        return join(f"({{}} {node.order} {{}})", left, right)

    def _like(self, node: Like) -> Part:
        like = join("({} LIKE {})", self.write_value(node.value), value(node.pattern, "text"))
        entry = self._lists.get(_name(node.value))
        words = choose(entry["words"], node.pattern) if entry else None
        if entry is None or words is None:
            return like
        # Follows from the pattern, and an index finds it.
        return join("({} && {} AND {})", Part(sql.Identifier(entry["column"])), value(words, "text[]"), like)

    def _in(self, node: In) -> Part:
        options = [option.value for option in node.options]
        first = options[0]
        kind = "boolean" if isinstance(first, bool) else "text" if isinstance(first, str) else "float8"
        return join("({} = ANY ({}))", self.write_value(node.value), value(options, f"{kind}[]"))

    def _spatial(self, node: Spatial) -> Part:
        return join(f"ST_{node.relation}({{}}, {{}})", _place(node.left), _place(node.right))


def _name(node: Value) -> str:
    """Return the property that a value is of."""
    named = node.property if isinstance(node, Folded) else node
    return named.name if isinstance(named, Property) else ""


def _place(node: Place) -> Part:
    return GEOMETRY if isinstance(node, Property) else shape(node.geometry)
