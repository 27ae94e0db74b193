"""The store of features that answers from PostGIS, one statement for each question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import sql

from geodata.crs import Bounds
from layers.places import reach_box
from layers.postgis.pool import Pool
from layers.postgis.where import to_order, to_where
from layers.query import Collection, Feature, Query, Selection, StoreUnavailableError

COLLECTIONS = sql.SQL("SELECT id, info, count, bounds FROM collections WHERE release = %s ORDER BY ordinal")
ONE = sql.SQL("SELECT body FROM features WHERE release = %s AND collection = %s AND id = %s")
SLICE = sql.SQL(
    "SELECT id, body FROM features WHERE release = %s AND collection = %s"
    " AND ordinal >= %s AND ordinal < %s ORDER BY ordinal"
)
PAGE = sql.SQL(
    "SELECT id, body, count(*) OVER () FROM features WHERE release = %s AND collection = %s AND {where}"
    " ORDER BY {order} LIMIT %s OFFSET %s"
)
COUNT = sql.SQL("SELECT count(*) FROM features WHERE release = %s AND collection = %s AND {where}")
REACH = sql.SQL("SELECT reach_m FROM releases WHERE id = %s")
NEAR = sql.SQL(
    "SELECT head, shape FROM places"
    " WHERE release = %s AND geometry && ST_MakeEnvelope(%s, %s, %s, %s, 4326) ORDER BY ordinal"
)


class PostgisStore:
    """One release in one database; a :class:`~layers.query.FeatureStore`.

    Every question raises :class:`~layers.query.StoreUnavailableError` while the database is down.
    """

    def __init__(self, url: str, release: str) -> None:
        self._pool = Pool(url)
        self._release = release
        self._known: dict[str, Collection] = {}

    def collections(self) -> tuple[Collection, ...]:
        """Return every collection in the catalogue's order; they are asked for once."""
        if not self._known:
            rows = self._pool.ask(COLLECTIONS, [self._release])
            if not rows:
                raise StoreUnavailableError(f"{self._release}: 数据库中没有此发布版 / not in the database")
            self._known = {
                id_: Collection(id_, info, count, _bounds(bounds)) for id_, info, count, bounds in rows
            }
        return tuple(self._known.values())

    def select(self, collection: str, query: Query) -> Selection:
        """Return the features that match, sorted and cut; raises KeyError for an unknown collection."""
        known = self._collection(collection)
        if not query.boxes and query.filter is None and not query.sort:
            return self._slice(known, query)
        where, order = to_where(query), to_order(query, known)
        head = [self._release, collection]
        statement = PAGE.format(where=where.text, order=order.text)
        values = [*head, *where.values, *order.values, query.limit, min(query.offset, known.count)]
        rows = self._pool.ask(statement, values)
        if rows or not query.offset:
            matched = rows[0][2] if rows else 0
        else:  # nothing is left after the offset, but something may have matched
            ((matched,),) = self._pool.ask(COUNT.format(where=where.text), [*head, *where.values])
        return Selection(matched, tuple(Feature(id_, body) for id_, body, _ in rows))

    def get(self, collection: str, feature_id: str) -> Feature | None:
        """Return one feature, or None; raises KeyError for an unknown collection."""
        self._collection(collection)
        if "\0" in feature_id:  # no text in the database can hold it
            return None
        rows = self._pool.ask(ONE, [self._release, collection, feature_id])
        return Feature(feature_id, rows[0][0]) if rows else None

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield head and WKB of what a look-up at a point must consider, within `reach_m` of it."""
        bounds = reach_box(lon, lat, reach_m).bounds
        yield from self._pool.ask(NEAR, [self._release, *bounds])

    def reach_m(self) -> float:
        """Return the accuracy of the least accurate of what look-ups answer with."""
        return float(self._pool.ask(REACH, [self._release])[0][0])

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def _collection(self, collection: str) -> Collection:
        self.collections()
        return self._known[collection]

    def _slice(self, known: Collection, query: Query) -> Selection:
        """Return a page of the whole collection: its order is numbered, so nothing is skipped over."""
        end = known.count if query.limit is None else query.offset + query.limit
        rows = self._pool.ask(SLICE, [self._release, known.id, query.offset, min(end, known.count)])
        return Selection(known.count, tuple(Feature(*row) for row in rows))


def _bounds(found: list[float] | None) -> Bounds | None:
    return (found[0], found[1], found[2], found[3]) if found else None
