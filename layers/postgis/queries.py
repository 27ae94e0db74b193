"""The store of features that answers from PostGIS, as :mod:`layers.cql.tree` means its filters.

The answers are the same as those of the store in memory, nulls included. Values never become part of a
statement's text: fragments of SQL carry the values of their placeholders along. The queryables of a
collection lie in typed columns, numbers and truth values first. What matches is found by its numbers alone,
then only the page is fetched. A table never changes once it is loaded, so several statements see the same.

A list is filtered as one text, its entries joined by ``;``. Beside it stand the entries, without case, in an
array with a GIN index, and which there are in all is kept with the collection: what matches
``LIKE '%port%'`` has an entry with ``port`` in it. Those are few, and the index finds their rows.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypedDict

import shapely
from psycopg import sql
from shapely.geometry import LineString, Point, box
from shapely.geometry.base import BaseGeometry

from geodata.boundaries import SEPARATOR, Scalar
from geodata.crs import Bounds
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
from layers.cql.type_check import kind_of
from layers.document_types import BlockHead, LayerEntry
from layers.lookup import reach_box
from layers.postgis.pool import Pool
from layers.query import Collection, Feature, Query, Selection, StoreUnavailableError

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
ONE = sql.SQL("SELECT body FROM {table} WHERE id = %s")
SLICE = sql.SQL("SELECT id, body FROM {table} WHERE ordinal >= %s AND ordinal < %s ORDER BY ordinal")
COUNT = sql.SQL("SELECT count(*), count(*) - count(geometry) FROM {table} WHERE {where}")
# The planner cannot walk along the order in the hope of an early match: it finds all first, by an index
# where there is one, as all must be counted.
FOUND = sql.SQL(
    "WITH found AS MATERIALIZED (SELECT {keys}, geometry IS NULL AS nowhere FROM {table} WHERE {where}),"
    " page AS (SELECT * FROM found ORDER BY {order} LIMIT %s OFFSET %s)"
    " SELECT id, body, (SELECT count(*) FROM found), (SELECT count(*) FROM found WHERE nowhere) FROM page"
    " JOIN (SELECT ordinal, id, body FROM {table}) AS whole USING (ordinal) ORDER BY {order}"
)
# Where nothing is to be counted it may walk along the order.
WALK = sql.SQL(
    "WITH page AS (SELECT {keys} FROM {table} WHERE {where} ORDER BY {order} LIMIT %s OFFSET %s)"
    " SELECT id, body FROM page"
    " JOIN (SELECT ordinal, id, body FROM {table}) AS whole USING (ordinal) ORDER BY {order}"
)
DIRECTIONS: Final = {False: "{} ASC NULLS LAST", True: "{} DESC NULLS LAST"}

Features = list[Feature]
Sort = tuple[tuple[str, bool], ...]
COLLECTIONS = sql.SQL(
    "SELECT id, info, count, bounds, relation, columns, lists FROM collections"
    " WHERE release = %s ORDER BY ordinal"
)
REACH = sql.SQL("SELECT reach_m FROM releases WHERE id = %s")
NEAR = sql.SQL(
    "SELECT head, shape FROM {places}"
    " WHERE geometry && ST_MakeEnvelope(%s, %s, %s, %s, 4326) ORDER BY ordinal"
)
# Whatever the questions use of PostGIS, on one of the release's tables.
FIRST = sql.SQL(
    "SELECT head, shape, ST_GeomFromEWKB(shape), (SELECT count(*) FROM collections) FROM {places}"
    " WHERE ST_Intersects(geometry, ST_MakeEnvelope(0, 0, 0, 0, 4326)) ORDER BY ordinal"
)


@dataclass(frozen=True)
class Fragment:
    """A piece of SQL with the values of its placeholders; values never become part of the text."""

    text: sql.Composable
    values: tuple[object, ...] = ()


ORDINAL: Final = Fragment(sql.SQL("ordinal"))


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


class StoredCollection:
    """One collection in the database."""

    def __init__(self, pool: Pool, relation: str, collection: Collection, conditions: Conditions) -> None:
        self.collection = collection
        self._pool = pool
        self._table = sql.Identifier(relation)
        self._conditions = conditions

    def get(self, feature_id: str) -> Feature | None:
        """Return one feature, or None."""
        rows = self._pool.ask(ONE.format(table=self._table), [feature_id])
        return Feature(feature_id, rows[0][0]) if rows else None

    def select(self, query: Query) -> Selection:
        """Return the features that match, sorted and cut."""
        if query.boxes or query.filter is not None:
            return self._find(query)
        end = self.collection.count
        start = min(query.offset, end)
        limit = end - start if query.limit is None else min(query.limit, end - start)
        features = self._walk(query.sort, limit, start) if query.sort else self._slice(start, start + limit)
        return Selection(end, tuple(features))

    def _slice(self, start: int, end: int) -> Features:
        """Return a stretch of the collection's own order, which is numbered: nothing is skipped over."""
        rows = self._pool.ask(SLICE.format(table=self._table), [start, end])
        return [Feature(*row) for row in rows]

    def _find(self, query: Query) -> Selection:
        where = to_where(query, self._conditions)
        statement = self._fill(FOUND, where, query.sort, self._orders(query.sort))
        offset = min(query.offset, self.collection.count)
        rows = self._pool.ask(statement, [*where.values, query.limit, offset])
        # With nothing left after the offset something may have matched all the same.
        matched, unplaced = rows[0][2:] if rows else self._count(where) if offset else (0, 0)
        features = tuple(Feature(id_, body) for id_, body, *_ in rows)
        return Selection(matched, features, unplaced if query.boxes else 0)

    def _count(self, where: Fragment) -> tuple[int, int]:
        """Return how many match, and how many of them are nowhere."""
        ((matched, unplaced),) = self._pool.ask(
            COUNT.format(table=self._table, where=where.text), where.values
        )
        return matched, unplaced

    def _walk(self, sort: Sort, limit: int, offset: int) -> Features:
        """Return a stretch of the whole collection in another order."""
        name, down = sort[0]
        orders = self._orders(sort)
        if not down:
            return self._stretch(Fragment(sql.SQL("TRUE")), sort, orders, (limit, offset))
        # An index read backwards has nulls first: right where there are none.
        column = self._conditions.column(name)
        known, unknown = compose("{} IS NOT NULL", column), compose("{} IS NULL", column)
        backwards = [compose("{} DESC NULLS FIRST", column), *orders[1:]]
        features = self._stretch(known, sort, backwards, (limit, offset))
        if len(features) < limit:
            left = limit - len(features), max(0, offset - self._count(known)[0])
            features += self._stretch(unknown, sort, orders[1:], left)
        return features

    def _stretch(self, where: Fragment, sort: Sort, orders: list[Fragment], cut: tuple[int, int]) -> Features:
        rows = self._pool.ask(self._fill(WALK, where, sort, orders), [*where.values, *cut])
        return [Feature(*row) for row in rows]

    def _orders(self, sort: Sort) -> list[Fragment]:
        return [compose(DIRECTIONS[down], self._conditions.column(name)) for name, down in sort]

    def _fill(self, statement: sql.SQL, where: Fragment, sort: Sort, orders: list[Fragment]) -> sql.Composed:
        keys = chain(", ", [ORDINAL, *(self._conditions.column(name) for name, _ in sort)])
        order = chain(", ", [*orders, ORDINAL])
        return statement.format(table=self._table, where=where.text, keys=keys.text, order=order.text)


class PostgisStore:
    """One release in one database; a :class:`~layers.query.FeatureStore`.

    Every question raises :class:`~layers.query.StoreUnavailableError` while the database is down.
    """

    def __init__(self, url: str, release: str) -> None:
        places = sql.Identifier(name_places(release))
        self._pool = Pool(url, FIRST.format(places=places))
        self._release = release
        self._near = NEAR.format(places=places)
        self._known: dict[str, StoredCollection] = {}

    def collections(self) -> tuple[Collection, ...]:
        """Return every collection in the catalogue's order; they are asked for once."""
        return tuple(table.collection for table in self._tables().values())

    def select(self, collection: str, query: Query) -> Selection:
        """Return the features that match, sorted and cut; raises KeyError for an unknown collection."""
        return self._tables()[collection].select(query)

    def get(self, collection: str, feature_id: str) -> Feature | None:
        """Return one feature, or None; raises KeyError for an unknown collection."""
        table = self._tables()[collection]
        return None if "\0" in feature_id else table.get(feature_id)  # no text in the database can hold it

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[BlockHead, bytes]]:
        """Yield head and WKB of what a look-up at a point must consider, within `reach_m` of it."""
        bounds = reach_box(lon, lat, reach_m).bounds
        yield from self._pool.ask(self._near, bounds)

    def reach_m(self) -> float:
        """Return the accuracy of the least accurate of what look-ups answer with."""
        rows = self._pool.ask(REACH, [self._release])
        if not rows:
            raise self._missing()
        return float(rows[0][0])

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _tables(self) -> dict[str, StoredCollection]:
        if not self._known:
            rows = self._pool.ask(COLLECTIONS, [self._release])
            if not rows:
                raise self._missing()
            self._known = {
                id_: StoredCollection(
                    self._pool,
                    relation,
                    Collection(id_, info, count, _bounds(bounds)),
                    Conditions(columns, lists),
                )
                for id_, info, count, bounds, relation, columns, lists in rows
            }
        return self._known

    def _missing(self) -> StoreUnavailableError:
        return StoreUnavailableError(f"{self._release}: 数据库中没有此发布版 / not in the database")


def _bounds(found: list[float] | None) -> Bounds | None:
    return (found[0], found[1], found[2], found[3]) if found else None
