"""The store of features that answers from PostGIS.

What matches is found by its numbers alone, then only the page is fetched. A table never changes once it is
loaded, so several statements see the same as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from psycopg import sql

from geodata.crs import Bounds
from layers.document_types import BlockHead
from layers.lookup import reach_box
from layers.postgis.conditions import Conditions, Fragment, chain, compose, name_places, to_where
from layers.postgis.pool import Pool
from layers.query import Collection, Feature, Query, Selection, StoreUnavailableError

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
ORDINAL: Final = Fragment(sql.SQL("ordinal"))

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
