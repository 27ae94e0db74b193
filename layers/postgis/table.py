"""Ask one collection's table: what matches is found by its numbers alone, then only the page is fetched.

A table never changes once it is loaded, so several statements see the same as one.
"""

from __future__ import annotations

from typing import Final

from psycopg import sql

from layers.postgis.condition import Conditions
from layers.postgis.part import Part, chain, join
from layers.postgis.pool import Pool
from layers.postgis.where import to_where
from layers.query import Collection, Feature, Query, Selection

ONE = sql.SQL("SELECT body FROM {table} WHERE id = %s")
SLICE = sql.SQL("SELECT id, body FROM {table} WHERE ordinal >= %s AND ordinal < %s ORDER BY ordinal")
COUNT = sql.SQL("SELECT count(*) FROM {table} WHERE {where}")
# The planner cannot walk along the order in the hope of an early match: it finds all first, by an index
# where there is one, as all must be counted.
FOUND = sql.SQL(
    "WITH found AS MATERIALIZED (SELECT {keys} FROM {table} WHERE {where}),"
    " page AS (SELECT * FROM found ORDER BY {order} LIMIT %s OFFSET %s)"
    " SELECT id, body, (SELECT count(*) FROM found) FROM page"
    " JOIN (SELECT ordinal, id, body FROM {table}) AS whole USING (ordinal) ORDER BY {order}"
)
# Where nothing is to be counted it may walk along the order.
WALK = sql.SQL(
    "WITH page AS (SELECT {keys} FROM {table} WHERE {where} ORDER BY {order} LIMIT %s OFFSET %s)"
    " SELECT id, body FROM page"
    " JOIN (SELECT ordinal, id, body FROM {table}) AS whole USING (ordinal) ORDER BY {order}"
)
DIRECTIONS: Final = {False: "{} ASC NULLS LAST", True: "{} DESC NULLS LAST"}
ORDINAL: Final = Part(sql.SQL("ordinal"))

Features = list[Feature]
Sort = tuple[tuple[str, bool], ...]


class Table:
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
        matched = rows[0][2] if rows else self._count(where) if offset else 0
        return Selection(matched, tuple(Feature(id_, body) for id_, body, _ in rows))

    def _count(self, where: Part) -> int:
        ((matched,),) = self._pool.ask(COUNT.format(table=self._table, where=where.text), where.values)
        return int(matched)

    def _walk(self, sort: Sort, limit: int, offset: int) -> Features:
        """Return a stretch of the whole collection in another order."""
        name, down = sort[0]
        orders = self._orders(sort)
        if not down:
            return self._stretch(Part(sql.SQL("TRUE")), sort, orders, (limit, offset))
        # An index read backwards has nulls first: right where there are none.
        column = self._conditions.column(name)
        known, unknown = join("{} IS NOT NULL", column), join("{} IS NULL", column)
        backwards = [join("{} DESC NULLS FIRST", column), *orders[1:]]
        features = self._stretch(known, sort, backwards, (limit, offset))
        if len(features) < limit:
            left = limit - len(features), max(0, offset - self._count(known))
            features += self._stretch(unknown, sort, orders[1:], left)
        return features

    def _stretch(self, where: Part, sort: Sort, orders: list[Part], cut: tuple[int, int]) -> Features:
        rows = self._pool.ask(self._fill(WALK, where, sort, orders), [*where.values, *cut])
        return [Feature(*row) for row in rows]

    def _orders(self, sort: Sort) -> list[Part]:
        return [join(DIRECTIONS[down], self._conditions.column(name)) for name, down in sort]

    def _fill(self, statement: sql.SQL, where: Part, sort: Sort, orders: list[Part]) -> sql.Composed:
        keys = chain(", ", [ORDINAL, *(self._conditions.column(name) for name, _ in sort)])
        order = chain(", ", [*orders, ORDINAL])
        return statement.format(table=self._table, where=where.text, keys=keys.text, order=order.text)
