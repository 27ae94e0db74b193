"""The checked filter tree: the one contract between whoever parses a filter and every store.

Every name is a queryable of its collection and every type fits, so a store need not check again.
What a condition means, the same in every store:

- Logic has three values, as in SQL: whatever touches a null is unknown, except :class:`IsNull`; ``And``
  and ``Or`` are Kleene's; a feature is selected only where the whole condition is true.
- Numbers are IEEE doubles, integers too. Text is compared by code point (SQL: ``COLLATE "C"``).
- ``Like`` matches the whole value, case-sensitively: ``%`` stands for any run of characters, also
  none and also line breaks, ``_`` for exactly one; a backslash before a character takes it literally.
- ``Folded`` compares without case: Python's ``str.casefold`` of the property. Constants and patterns
  beside it are folded already.
- ``Spatial`` predicates are those of the DE-9IM model (SQL: ``ST_Intersects`` and so on) on the plane
  of longitude and latitude. Shapes are valid, two-dimensional, not empty, and no collections.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from shapely.geometry.base import BaseGeometry

Kind = Literal["string", "number", "boolean", "geometry"]
Order = Literal["=", "<>", "<", "<=", ">", ">="]
ORDERS: dict[Order, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Relation = Literal["intersects", "disjoint", "contains", "within", "touches", "crosses", "overlaps", "equals"]


@dataclass(frozen=True)
class Property:
    """A queryable of the collection."""

    name: str
    kind: Kind


@dataclass(frozen=True)
class Constant:
    """A text without U+0000, a finite number or a truth value."""

    value: str | float | bool


@dataclass(frozen=True)
class Folded:
    """A text property without regard to case."""

    property: Property


@dataclass(frozen=True)
class Shape:
    """A geometry in longitude and latitude."""

    geometry: BaseGeometry


Value = Property | Constant | Folded  # of kind string, number or boolean
Place = Property | Shape  # a property of kind geometry


@dataclass(frozen=True)
class Truth:
    """True or false by itself."""

    value: bool


@dataclass(frozen=True)
class And:
    """True where all parts are; two parts or more."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """True where any part is; two parts or more."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """True where the part is false; unknown stays unknown."""

    part: Condition


@dataclass(frozen=True)
class Compare:
    """Compares two values of one kind; truth values only with ``=`` and ``<>``."""

    order: Order
    left: Value
    right: Value


@dataclass(frozen=True)
class In:
    """True where the value equals one of the options, which are of its kind; one option or more."""

    value: Value
    options: tuple[Constant, ...]


@dataclass(frozen=True)
class Like:
    """True where a text matches a pattern, which never ends in a lone backslash."""

    value: Value
    pattern: str


@dataclass(frozen=True)
class IsNull:
    """True where the property, of any kind, has no value; false otherwise, never unknown."""

    property: Property


@dataclass(frozen=True)
class Spatial:
    """True where two geometries stand in a relation: ``left`` contains ``right`` and so on."""

    relation: Relation
    left: Place
    right: Place


Condition = Truth | And | Or | Not | Compare | In | Like | IsNull | Spatial
