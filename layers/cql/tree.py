"""The checked filter tree: the one contract between whoever parses a filter and every store.

Every name is a queryable of its collection and every type fits, so a store need not check again.
What a condition means, the same in every store:

- Logic has three values, as in SQL: whatever touches a null is unknown, except :class:`IsNull`; ``And``
  and ``Or`` are Kleene's; a feature is selected only where the whole condition is true.
- Numbers are IEEE doubles, integers too. Text is compared by code point (SQL: ``COLLATE "C"``).
- A date is compared as its text, year first; only parsing knows the kind, which stores never see.
- A list is compared as one text, its entries joined by ``;``; :class:`Entries` are those entries.
- ``Arithmetic`` is of doubles, ``div`` cuts off what follows the point, ``a % b`` is
  ``a - b * (a div b)``. Where an operand or a power is beyond :data:`LARGEST` or, but for 0, nearer to 0
  than :data:`SMALLEST`, where something is divided by 0, and where a power is no real number, it is null.
- Arrays are sets of texts, numbers, truth values, moments and arrays; one with a null in it is null.
- ``Like`` matches the whole value, case-sensitively: ``%`` stands for any run of characters, also
  none and also line breaks, ``_`` for exactly one; a backslash before a character takes it literally.
- ``Folded`` compares without case: Python's ``str.casefold`` of the property. Constants and patterns
  beside it are folded already.
- ``Spatial`` predicates are those of the DE-9IM model (SQL: ``ST_Intersects`` and so on) on the plane
  of longitude and latitude. Shapes are valid, two-dimensional, not empty, and no collections.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


Kind = Literal["string", "list", "number", "boolean", "geometry", "date"]
Order = Literal["=", "<>", "<", "<=", ">", ">="]
ORDERS: dict[Order, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Relation = Literal["intersects", "disjoint", "contains", "within", "touches", "crosses", "overlaps", "equals"]
ArrayRelation = Literal["contains", "containedBy", "equals", "overlaps"]
Operator = Literal["+", "-", "*", "/", "%", "div", "^"]
LARGEST, SMALLEST = 1e100, 1e-100


@dataclass(frozen=True)
class Property:
    """A queryable of the collection."""

    name: str
    kind: Kind


def build_property(name: str, kind: Kind) -> Property:
    """Return a queryable as stores see it: a date is its text."""
    return Property(name, "string" if kind == "date" else kind)


@dataclass(frozen=True)
class Constant:
    """A text without U+0000, a finite number or a truth value."""

    value: str | float | bool


@dataclass(frozen=True)
class Folded:
    """A text property without regard to case."""

    property: Property


@dataclass(frozen=True)
class PlaceConstant:
    """A geometry in longitude and latitude."""

    geometry: BaseGeometry


@dataclass(frozen=True)
class Arithmetic:
    """What two numbers make."""

    operator: Operator
    left: Value
    right: Value


@dataclass(frozen=True)
class Entries:
    """The entries of a property of kind list."""

    property: Property


@dataclass(frozen=True)
class Elements:
    """An array written out."""

    members: tuple[Value | date | Elements, ...]


Value = Property | Constant | Folded | Arithmetic  # of kind string, list, number or boolean
Array = Entries | Elements
Place = Property | PlaceConstant  # a property of kind geometry


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
    """True where a property, of any kind, has no value, or what is made of some; false otherwise."""

    operand: Value | Array


@dataclass(frozen=True)
class IsUnknown:
    """True where the part is neither true nor false; never unknown itself."""

    part: Condition


@dataclass(frozen=True)
class Spatial:
    """True where two geometries stand in a relation: ``left`` contains ``right`` and so on."""

    relation: Relation
    left: Place
    right: Place


@dataclass(frozen=True)
class ArrayCompare:
    """True where two arrays, as sets, stand in a relation: ``left`` contains ``right`` and so on."""

    relation: ArrayRelation
    left: Array
    right: Array


Condition = Truth | And | Or | Not | Compare | In | Like | IsNull | IsUnknown | Spatial | ArrayCompare

_SHOWN = 60  # characters of what was given


class FilterError(ValueError):
    """A filter that cannot be answered.

    Attributes
    ----------
    code
        What is wrong, one of :data:`CODES`.
    value
        The part of the filter that is wrong, shortened.
    allowed
        What may stand there.
    near
        What may have been meant, best first.
    """

    def __init__(self, code: str, value: str, allowed: Iterable[str] = (), near: Iterable[str] = ()) -> None:
        self.code = code
        self.value = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
        self.allowed = tuple(allowed)
        self.near = tuple(near)
        super().__init__(f"{code}: {self.value}")


CODES = (
    "bytes",  # larger than is read
    "depth",  # nested deeper than is read
    "syntax",
    "language",  # JSON where text was to be read
    "property",  # unknown queryable
    "function",  # unknown function or operator
    "kind",  # a value of another type than what it is compared with
    "text",  # U+0000 or half a surrogate pair
    "number",  # not finite
    "moment",  # no date, or no timestamp in UTC
    "escape",  # a pattern that ends in a lone backslash
    "constant",  # a property where only a constant may stand
    "geometry",  # invalid, empty or unreadable
    "tangled",  # crosses itself more often than is answered
)


def unknown(code: str, value: str, known: Iterable[str]) -> FilterError:
    """Return the error of a name that does not exist, with near matches."""
    names = sorted(known)
    close = difflib.get_close_matches(value.casefold(), names, n=3, cutoff=0.5)
    return FilterError(code, value, names, close)


# No queryable is a timestamp: moments meet each other, and what holds is known at once, or dates.
_FORMS = {  # as RFC 3339 writes them; CQL2 knows timestamps in UTC only
    "date": (re.compile(r"\d{4}-\d\d-\d\d", re.ASCII), date, "2026-01-31"),
    "timestamp": (
        re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z", re.ASCII),
        datetime,
        "2026-01-31T00:00:00Z",
    ),
}
MOMENTS = tuple(_FORMS)


def read_moment(kind: str, text: object) -> date:
    """Return a date, or a timestamp in UTC; raises FilterError where the text is none."""
    form, build, example = _FORMS[kind]
    if isinstance(text, str) and form.fullmatch(text):
        with suppress(ValueError):  # the 30th of February
            return build.fromisoformat(text)
    raise FilterError("moment", str(text), [example])


def compare_moments(order: Order, left: date, right: date) -> Truth:
    """Return whether two moments stand in an order; raises FilterError for a date beside a timestamp."""
    if type(left) is not type(right):
        raise FilterError("kind", str(right), ["timestamp" if isinstance(left, datetime) else "date"])
    return Truth(bool(ORDERS[order](left, right)))
