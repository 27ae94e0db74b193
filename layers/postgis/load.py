"""Load a release into PostGIS: all of it in one transaction, so that readers see it whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import orjson
import psycopg
import shapely
from psycopg import Connection, sql
from psycopg.types.json import Json, Jsonb

from layers.postgis.migrate import SCHEMA, enter, migrate
from layers.postgis.part import to_ewkb
from layers.postgis.stock import Stock
from layers.rows import Row

KEPT = 3  # releases in the database; the older ones may still be asked for by a server not restarted
PARTITIONED = ("features", "places")
# Geometries travel as EWKB, which COPY takes for the bytes that they are.
FEATURE_TYPES = ("text", "text", "int4", "text", "jsonb", "jsonb", "bytea", "bytea")
PLACE_TYPES = ("text", "int4", "json", "bytea", "bytea")
STEP = 200  # rows between two signs of progress
LOCK_MS = 3_000  # longest that readers may hold the loading up

REGISTER = """
INSERT INTO releases (id, reach_m)
SELECT %s, coalesce(max((head ->> 'positional_accuracy_m')::float8), 0) FROM {}
"""

Progress = Callable[[str, int, int], None]  # what, how many are done, of how many


def is_loaded(url: str, release: str) -> bool:
    """Tell whether the database has a release; a reader's role is enough. Raises :class:`psycopg.Error`."""
    asked = sql.SQL("SELECT 1 FROM {}.releases WHERE id = %s").format(sql.Identifier(SCHEMA))
    with psycopg.connect(url) as connection:
        try:
            return connection.execute(asked, [release]).fetchone() is not None
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return False


def load(url: str, stock: Stock, progress: Progress) -> bool:
    """Load a release, unless the database has it; tell whether it was loaded.

    Creates or migrates the tables first, and removes all but the newest releases afterwards. Needs
    the owner's role. Raises :class:`psycopg.Error`; the database is then as it was.
    """
    with psycopg.connect(url) as connection:
        with connection.transaction():
            migrate(connection)
            found = connection.execute("SELECT 1 FROM releases WHERE id = %s", [stock.release]).fetchone()
            if not found:
                _load(connection, stock, progress)
        with suppress(psycopg.errors.LockNotAvailable):  # readers are in the way: the next load removes them
            _remove_old(connection, stock.release)
    return not found


def _load(connection: Connection, stock: Stock, progress: Progress) -> None:
    """Fill tables of the release's own, then make them partitions: only that needs a lock, for a moment."""
    for table in PARTITIONED:
        create = "CREATE TABLE {} (LIKE {} INCLUDING STORAGE)"
        connection.execute(_statement(create, _partition(table, stock.release), table))
    _copy_features(connection, stock, progress)
    _copy_places(connection, stock)
    connection.execute(_statement(REGISTER, _partition("places", stock.release)), [stock.release])
    _insert_collections(connection, stock)
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
    for table in PARTITIONED:
        progress("index", PARTITIONED.index(table), len(PARTITIONED))
        partition = _partition(table, stock.release)
        attach = sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})")
        connection.execute(
            attach.format(sql.Identifier(table), sql.Identifier(partition), sql.Literal(stock.release))
        )
        connection.execute(_statement("ANALYZE {}", partition))
    progress("index", len(PARTITIONED), len(PARTITIONED))


def _copy_features(connection: Connection, stock: Stock, progress: Progress) -> None:
    total = sum(collection.count for collection in stock.collections)
    done = 0
    statement = _statement("COPY {} FROM STDIN (FORMAT binary)", _partition("features", stock.release))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(FEATURE_TYPES)
        for collection in stock.collections:
            for ordinal, row in enumerate(stock.rows(collection.id)):
                copy.write_row(_feature_row(stock.release, collection.id, ordinal, row))
                done += 1
                if done % STEP == 0:
                    progress("features", done, total)
    progress("features", done, total)


def _feature_row(release: str, collection: str, ordinal: int, row: Row) -> tuple[Any, ...]:
    folded = {name: text.casefold() for name, text in row.values.items() if isinstance(text, str)}
    properties, without_case = (Jsonb(one, dumps=orjson.dumps) for one in (row.values, folded))
    geometry = None if row.geometry is None else to_ewkb(row.geometry)
    return release, collection, ordinal, row.id, properties, without_case, row.body, geometry


def _copy_places(connection: Connection, stock: Stock) -> None:
    statement = _statement("COPY {} FROM STDIN (FORMAT binary)", _partition("places", stock.release))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(PLACE_TYPES)
        for ordinal, (head, shape) in enumerate(stock.places):
            geometry = to_ewkb(shapely.from_wkb(shape))
            copy.write_row((stock.release, ordinal, Json(head, dumps=orjson.dumps), shape, geometry))


def _insert_collections(connection: Connection, stock: Stock) -> None:
    insert = "INSERT INTO collections VALUES (%s, %s, %s, %s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.executemany(insert, list(_collection_rows(stock)))


def _collection_rows(stock: Stock) -> Iterator[tuple[Any, ...]]:
    for ordinal, one in enumerate(stock.collections):
        bounds = list(one.bounds) if one.bounds else None
        yield stock.release, one.id, ordinal, Json(one.info, dumps=orjson.dumps), one.count, bounds


def _remove_old(connection: Connection, live: str) -> None:
    """Remove all but the newest releases, never `live`."""
    with connection.transaction():
        enter(connection)
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
        others = connection.execute("SELECT id FROM releases WHERE id <> %s ORDER BY loaded DESC", [live])
        for (old,) in others.fetchall()[KEPT - 1 :]:
            for table in PARTITIONED:
                connection.execute(_statement("DROP TABLE {}", _partition(table, old)))
            connection.execute("DELETE FROM releases WHERE id = %s", [old])


def _partition(table: str, release: str) -> str:
    return f"{table}_{release}"


def _statement(template: str, *tables: str) -> sql.Composed:
    return sql.SQL(template).format(*map(sql.Identifier, tables))
