"""The store of features that answers from PostGIS, one statement for each question."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import sql

from geodata.crs import Bounds
from layers.places import reach_box
from layers.postgis.condition import Conditions
from layers.postgis.names import name_places
from layers.postgis.pool import Pool
from layers.postgis.table import Table
from layers.query import Collection, Feature, Query, Selection, StoreUnavailableError

COLLECTIONS = sql.SQL(
    "SELECT id, info, count, bounds, relation, columns, lists FROM collections"
    " WHERE release = %s AND relation IS NOT NULL ORDER BY ordinal"
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


class PostgisStore:
    """One release in one database; a :class:`~layers.query.FeatureStore`.

    Every question raises :class:`~layers.query.StoreUnavailableError` while the database is down.
    """

    def __init__(self, url: str, release: str) -> None:
        places = sql.Identifier(name_places(release))
        self._pool = Pool(url, FIRST.format(places=places))
        self._release = release
        self._near = NEAR.format(places=places)
        self._known: dict[str, Table] = {}

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

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[dict[str, Any], bytes]]:
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

    def _tables(self) -> dict[str, Table]:
        if not self._known:
            rows = self._pool.ask(COLLECTIONS, [self._release])
            if not rows:
                raise self._missing()
            self._known = {
                id_: Table(
                    self._pool,
                    relation,
                    Collection(id_, info, count, _bounds(bounds)),
                    Conditions(columns, lists or {}),
                )
                for id_, info, count, bounds, relation, columns, lists in rows
            }
        return self._known

    def _missing(self) -> StoreUnavailableError:
        return StoreUnavailableError(f"{self._release}: 数据库中没有此发布版 / not in the database")


def _bounds(found: list[float] | None) -> Bounds | None:
    return (found[0], found[1], found[2], found[3]) if found else None
