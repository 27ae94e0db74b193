"""Turn a query into SQL with the meaning that :mod:`layers.cql.tree` gives its filter, nulls included.

The answers are the same as those of the store in memory. Values never become part of a statement's text:
fragments of SQL carry the values of their placeholders along. The queryables of a collection lie in typed
columns, numbers and truth values first.

A list is filtered as one text, its entries joined by ``;``. Beside it stand the entries, without case, in an
array with a GIN index, and which there are in all is kept with the collection: what matches
``LIKE '%port%'`` has an entry with ``port`` in it. Those are few, and the index finds their rows.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypedDict

import shapely
from psycopg import sql
from shapely.geometry import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from geodata.boundaries import SEPARATOR, Scalar
from geodata.crs import Bounds
from layers.cql.check import kind_of
from layers.cql.evaluate import STEEPEST
from layers.cql.tree import (
    LARGEST,
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
    Folded,
    In,
    IsNull,
    IsUnknown,
    Kind,
    Like,
    Not,
    Operator,
    Or,
    Place,
    Property,
    Spatial,
    Truth,
    Value,
)
from layers.document_types import LayerEntry
from layers.query import Query

SRID = 4326  # used as longitude and latitude, on the plane
HEAD = struct.Struct("<BI")  # of a WKB: order of bytes, kind of geometry
LITTLE_ENDIAN = 1
HAS_SRID = 0x20000000
ARRAY: Final = 'text[] COLLATE "C"'
MAX_ENTRIES: Final = 2_000  # different entries; a property with more is read through
_LETTER = re.compile(r"\\(.)|(.)", re.DOTALL)  # taken literally, or as it is
TYPES: Final[dict[Kind, str]] = {"string": "text", "list": "text", "number": "float8", "boolean": "bool"}
# Text compares by code point, as in Python; numbers are doubles.
_TEXT: Final = 'text COLLATE "C"'
DECLARED: Final[dict[Kind, str]] = {
    "string": _TEXT,
    "list": _TEXT,
    "number": "float8",
    "boolean": "boolean",
}
TEXTS: Final = {"string", "list"}
# Of each queryable: its column, and that of the text without case, which may be the same.
ColumnNames = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Fragment:
    """A piece of SQL with the values of its placeholders; values never become part of the text."""

    text: sql.Composable
    values: tuple[object, ...] = ()


def compose(template: str, *parts: Fragment) -> Fragment:
    """Return `template`, a literal of this project's, with its ``{}`` filled with `parts` in this order."""
    text = sql.SQL(template).format(*(part.text for part in parts))
    return Fragment(text, tuple(value for part in parts for value in part.values))


def value(given: object, kind: str) -> Fragment:
    """Return a placeholder for `given`, as the database's type `kind`."""
    return Fragment(sql.SQL("%s::" + kind), (given,))


def shape(geometry: BaseGeometry) -> Fragment:
    """Return a placeholder for a lon/lat geometry."""
    return compose("ST_GeomFromEWKB({})", value(to_ewkb(geometry), "bytea"))


def to_ewkb(geometry: BaseGeometry) -> bytes:
    """Return a lon/lat geometry as the database takes it."""
    return add_srid(shapely.to_wkb(geometry, byte_order=1))


def add_srid(wkb: bytes) -> bytes:
    """Return the little-endian WKB of a lon/lat geometry with the SRID in it, as the database takes it.

    Raises ValueError for another order of bytes.
    """
    order, kind = HEAD.unpack_from(wkb)
    if order != LITTLE_ENDIAN:
        raise ValueError(f"{wkb[:5]!r}: WKB big-endian")
    return HEAD.pack(order, kind | HAS_SRID) + SRID.to_bytes(4, "little") + wkb[HEAD.size :]


def all_of(parts: Iterable[Fragment]) -> Fragment:
    """Return the condition that holds where all do; where there are none, everywhere."""
    found = list(parts)
    return compose("({})", chain(" AND ", found)) if found else Fragment(sql.SQL("TRUE"))


def any_of(parts: Iterable[Fragment]) -> Fragment:
    """Return the condition that holds where one does; where there are none, nowhere."""
    found = list(parts)
    return compose("({})", chain(" OR ", found)) if found else Fragment(sql.SQL("FALSE"))


def chain(between: str, parts: Iterable[Fragment]) -> Fragment:
    """Return the parts with `between`, a literal of this project's, between them."""
    found = list(parts)
    text = sql.SQL(between).join(part.text for part in found)
    return Fragment(text, tuple(value for part in found for value in part.values))


class ListIndex(TypedDict):
    """Where the entries of a list stand in its table, and which there are."""

    column: str
    words: list[str]


Lists = dict[str, ListIndex]  # by the property's name


class ListEntries:
    """The entries of one list while its table is filled."""

    def __init__(self, name: str, column: str) -> None:
        self.name = name
        self.column = column
        self._words: set[str] = set()

    def take(self, value: Scalar) -> list[str] | None:
        """Return the entries of one row, and remember them."""
        if not isinstance(value, str):
            return None
        words = sorted(set(value.casefold().split(SEPARATOR)))
        if self.few:
            self._words.update(words)
        return words

    @property
    def few(self) -> bool:
        """Whether they are worth an index."""
        return len(self._words) <= MAX_ENTRIES

    def describe(self) -> ListIndex:
        """Return what questions need to know of them."""
        return {"column": self.column, "words": sorted(self._words)}


def find_lists(info: LayerEntry) -> list[ListEntries]:
    """Return the properties of a collection that are lists."""
    names = [field["name"] for field in info["fields"] if field["type"] == "array"]
    return [ListEntries(name, f"w{number}") for number, name in enumerate(names)]


def choose_entries(words: Iterable[str], pattern: str) -> list[str] | None:
    """Return those of `words` of which whatever is ``LIKE`` the pattern has one; None where any may do.

    >>> choose_entries(["fishery", "steel-works", "port"], "%Port%")
    ['port']
    """
    longest = max(_runs(pattern), key=len)
    return [word for word in words if longest in word] if longest else None


def _runs(pattern: str) -> list[str]:
    """Return the stretches of a pattern that stand in one entry as they are, without case."""
    runs = [""]
    for literal, letter in _LETTER.findall(pattern):
        if (letter and letter in "%_") or SEPARATOR in (literal, letter):
            runs.append("")
        else:
            runs[-1] += (literal or letter).casefold()
    return runs


@dataclass(frozen=True)
class Slot:
    """One queryable's place in its table."""

    name: str
    kind: Kind
    column: str
    folded: str | None

    def take(self, value: Scalar) -> Scalar:
        """Return `value` as the column holds it; of another type than its kind it is no value."""
        if self.kind in TEXTS:
            return value if isinstance(value, str) else None
        if self.kind == "boolean":
            return value if isinstance(value, bool) else None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def to_slots(kinds: dict[str, Kind]) -> list[Slot]:
    """Return the places of a collection's queryables in the order of their columns."""
    slots = [
        Slot(name, kind, f"v{number}", f"f{number}" if kind in TEXTS else None)
        for number, (name, kind) in enumerate(kinds.items())
        if kind != "geometry"
    ]
    return sorted(slots, key=lambda slot: slot.kind in TEXTS)


def name_items(number: int, release: str) -> str:
    """Return the name of the table of a release's collection of this number."""
    return f"items_{number}_{release}"


def name_places(release: str) -> str:
    """Return the name of the table of a release's places; gone with the release, unlike all releases' own."""
    return f"places_{release}"


GEOMETRY: Final = Fragment(sql.SQL("geometry"))
_KNOWN: Final = " AND ".join(
    f"({one} = 0 OR abs({one}) BETWEEN {SMALLEST!r} AND {LARGEST!r})" for one in ("a", "b")
)
_DIVIDED: Final = f"{_KNOWN} AND b <> 0"
_CALCULATE: Final[dict[Operator, str]] = {
    **{sign: f"a {sign} b" for sign in ("+", "-", "*", "/")},
    "div": "trunc(a / b)",
    "%": "a - b * trunc(a / b)",
    "^": "CASE WHEN a = 0 THEN CASE WHEN b >= 0 THEN (b = 0)::int::float8 END"
    " WHEN a < 0 AND b <> trunc(b) THEN NULL"
    f" WHEN abs(b * ln(abs(a))) <= {STEEPEST!r} THEN power(a, b) END",
}
_SETS: Final[dict[ArrayRelation, str]] = {"contains": "@>", "containedBy": "<@", "overlaps": "&&"}


class Conditions:
    """Writes conditions on one collection: `columns` has its queryables, `lists` the entries of some."""

    def __init__(self, columns: ColumnNames, lists: Lists) -> None:
        self._columns = columns
        self._lists = lists
        self._rules: dict[type, Callable[[Any], Fragment]] = {
            Truth: lambda node: value(node.value, "boolean"),
            And: lambda node: all_of(map(self.write, node.parts)),
            Or: lambda node: any_of(map(self.write, node.parts)),
            Not: lambda node: compose("(NOT {})", self.write(node.part)),
            Like: self._like,
            IsNull: self._is_null,
            IsUnknown: lambda node: compose("({} IS NULL)", self.write(node.part)),
            ArrayCompare: self._arrays,
            Compare: self._compare,
            In: self._in,
            Spatial: self._spatial,
        }

    def write(self, node: Condition) -> Fragment:
        """Return a filter as a condition."""
        return self._rules[type(node)](node)

    def write_value(self, node: Value) -> Fragment:
        """Return a property, a property without case, or a constant."""
        if isinstance(node, Property):
            return self.column(node.name)
        if isinstance(node, Folded):
            return self.column(node.property.name, folded=True)
        if isinstance(node, Arithmetic):
            return self._arithmetic(node)
        if isinstance(node.value, bool):
            return value(node.value, "boolean")
        if isinstance(node.value, str):
            return compose('({} COLLATE "C")', value(node.value, "text"))
        return value(float(node.value), "float8")

    def column(self, name: str, *, folded: bool = False) -> Fragment:
        """Return the column of a queryable."""
        if name not in self._columns:
            return GEOMETRY
        return Fragment(sql.Identifier(self._columns[name][folded]))

    def _compare(self, node: Compare) -> Fragment:
        left, right = self.write_value(node.left), self.write_value(node.right)
        return compose(f"({{}} {node.order} {{}})", left, right)

    def _arithmetic(self, node: Arithmetic) -> Fragment:
        """Return a calculation that never fails: the database would give the whole question up.

        Each operand is written once, in a subquery that the planner must not dissolve: else what is nested
        would be written many times over.
        """
        known = _DIVIDED if node.operator in {"/", "div", "%"} else _KNOWN
        return compose(
            "(SELECT CASE WHEN {} THEN {} END FROM (SELECT {} AS a, {} AS b OFFSET 0) AS operands)",
            Fragment(sql.SQL(known)),
            Fragment(sql.SQL(_CALCULATE[node.operator])),
            self.write_value(node.left),
            self.write_value(node.right),
        )

    def _is_null(self, node: IsNull) -> Fragment:
        operand = node.operand
        if isinstance(operand, Entries | Elements):
            return compose("({} IS NULL)", self._array(operand))
        return compose("({} IS NULL)", self.write_value(operand))

    def _arrays(self, node: ArrayCompare) -> Fragment:
        left, right = self._array(node.left), self._array(node.right)
        if node.relation == "equals":
            return compose("({} @> {} AND {} <@ {})", left, right, left, right)
        return compose(f"({{}} {_SETS[node.relation]} {{}})", left, right)

    def _array(self, node: Array) -> Fragment:
        """Return an array of texts that begin with a letter for what they are; null where a member is."""
        if isinstance(node, Entries):
            column = self.column(node.property.name)
            return compose("string_to_array('s' || replace({}, ';', ';s'), ';')", column)
        members = [self._member(one) for one in node.members]
        array = compose("ARRAY[{}]::text[]", chain(", ", members))
        if all(isinstance(one, Constant | date) for one in node.members):
            return array
        return compose(
            "(CASE WHEN {} THEN {} END)", all_of(compose("{} IS NOT NULL", one) for one in members), array
        )

    def _member(self, node: Value | date | Elements) -> Fragment:
        if isinstance(node, Elements):
            return compose("('a' || array_to_json({})::text)", self._array(node))
        if isinstance(node, date):
            return value(f"d{node.isoformat()}", "text")
        kind = kind_of(node)
        # A negative zero is zero.
        template = "('n' || ({} + 0::float8)::text)" if kind == "number" else f"('{kind[0]}' || {{}}::text)"
        return compose(template, self.write_value(node))

    def _like(self, node: Like) -> Fragment:
        like = compose("({} LIKE {})", self.write_value(node.value), value(node.pattern, "text"))
        entry = self._lists.get(_name(node.value))
        words = choose_entries(entry["words"], node.pattern) if entry else None
        if entry is None or words is None:
            return like
        # Follows from the pattern, and an index finds it.
        return compose(
            "({} && {} AND {})", Fragment(sql.Identifier(entry["column"])), value(words, "text[]"), like
        )

    def _in(self, node: In) -> Fragment:
        options = [option.value for option in node.options]
        first = options[0]
        kind = "boolean" if isinstance(first, bool) else "text" if isinstance(first, str) else "float8"
        return compose("({} = ANY ({}))", self.write_value(node.value), value(options, f"{kind}[]"))

    def _spatial(self, node: Spatial) -> Fragment:
        return compose(f"ST_{node.relation}({{}}, {{}})", _place(node.left), _place(node.right))


def _name(node: Value) -> str:
    """Return the property that a value is of."""
    named = node.property if isinstance(node, Folded) else node
    return named.name if isinstance(named, Property) else ""


def _place(node: Place) -> Fragment:
    return GEOMETRY if isinstance(node, Property) else shape(node.geometry)


def to_where(query: Query, conditions: Conditions) -> Fragment:
    """Return the condition that a query's boxes and filter are."""
    found = []
    if query.boxes:
        everywhere = Fragment(sql.SQL("geometry IS NULL"))
        found.append(any_of([*map(_in_box, query.boxes), everywhere]))
    if query.filter is not None:
        found.append(conditions.write(query.filter))
    return all_of(found)


def _in_box(asked: Bounds | BaseGeometry) -> Fragment:
    area = asked if isinstance(asked, BaseGeometry) else _to_geometry(asked)
    return compose("ST_Intersects(geometry, {})", shape(area))


def _to_geometry(bounds: Bounds) -> BaseGeometry:
    """Return a box, which may be as narrow as a line or a point: no polygon then, to the database."""
    west, south, east, north = bounds
    if west < east and south < north:
        return box(*bounds)
    return Point(west, south) if west == east and south == north else LineString([bounds[:2], bounds[2:]])
