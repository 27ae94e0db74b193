"""Load a release into PostGIS: all of it in one transaction, so that readers see it whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import Any

import orjson
import psycopg
from psycopg import Connection, sql
from psycopg.types.json import Json

from layers.postgis.address import with_limits
from layers.postgis.fill import Filled
from layers.postgis.migrate import SCHEMA, enter, migrate
from layers.postgis.names import name_features, name_items, name_places
from layers.postgis.part import mark
from layers.postgis.stock import Stock

KEPT = 3  # releases in the database; the older ones may still be asked for by a server not restarted
# Geometries travel as EWKB, which COPY takes for the bytes that they are.
PLACE_TYPES = ("text", "int4", "json", "bytea", "bytea")
STEP = 200  # rows between two signs of progress
LOCK_MS = 3_000  # longest that readers may hold the loading up

LOADED = "SELECT 1 FROM {} WHERE release = %s AND relation IS NOT NULL LIMIT 1"
REGISTER = """
INSERT INTO releases (id, reach_m)
SELECT %s, coalesce(max((head ->> 'positional_accuracy_m')::float8), 0) FROM {}
"""
# Whoever may read `releases` may read what is loaded; 0 is everyone.
READERS = """
SELECT DISTINCT CASE grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(grantee) END
FROM pg_class, aclexplode(relacl)
WHERE oid = 'releases'::regclass AND privilege_type = 'SELECT' AND grantee <> relowner
"""

Progress = Callable[[str, int, int], None]  # what, how many are done, of how many


def is_loaded(url: str, release: str) -> bool:
    """Tell whether the database has a release; a reader's role is enough. Raises :class:`psycopg.Error`."""
    asked = sql.SQL(LOADED).format(sql.Identifier(SCHEMA, "collections"))
    with psycopg.connect(with_limits(url)) as connection:
        try:
            return connection.execute(asked, [release]).fetchone() is not None
        except (
            psycopg.errors.UndefinedTable,
            psycopg.errors.UndefinedColumn,  # an older version's
            psycopg.errors.InvalidSchemaName,
        ):
            return False


def load(url: str, stock: Stock, progress: Progress, served: Collection[str] = ()) -> bool:
    """Load a release, unless the database has it; tell whether it was loaded.

    Creates or migrates the tables first, and removes all but the newest releases and those `served`
    afterwards. Needs the owner's role. Raises :class:`psycopg.Error`; the releases in the database are
    then as they were.
    """
    with psycopg.connect(with_limits(url)) as connection:
        with connection.transaction():  # of its own: changing a table keeps its readers out
            migrate(connection, LOCK_MS)
        with connection.transaction():
            enter(connection)
            asked = sql.SQL(LOADED).format(sql.Identifier("collections"))
            found = connection.execute(asked, [stock.release]).fetchone()
            if not found:
                _load(connection, stock, progress)
        with suppress(psycopg.errors.LockNotAvailable):  # readers are in the way: the next load removes them
            _remove_old(connection, {stock.release, *served})
    return not found


def _load(connection: Connection, stock: Stock, progress: Progress) -> None:
    """Fill tables of the release's own; only to make one a partition needs a lock, for a moment."""
    tables = _copy_features(connection, stock, progress)
    for done, table in enumerate(tables):
        progress("index", done, len(tables))
        table.index()
    known = connection.execute("SELECT 1 FROM releases WHERE id = %s", [stock.release]).fetchone()
    if not known:  # else an older version loaded it, and its places stand already
        _load_places(connection, stock)
    _let_read(connection, [name_places(stock.release), *(table.name for table in tables)])
    connection.execute("DELETE FROM collections WHERE release = %s", [stock.release])
    _insert_collections(connection, stock, tables)
    progress("index", len(tables), len(tables))


def _copy_features(connection: Connection, stock: Stock, progress: Progress) -> list[Filled]:
    total = sum(collection.count for collection in stock.collections)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if done % STEP == 0:
            progress("features", done, total)

    tables = []
    for number, collection in enumerate(stock.collections):
        table = Filled(connection, name_items(number, stock.release), collection)
        table.copy(stock.rows(collection.id), tick)
        tables.append(table)
    progress("features", done, total)
    return tables


def _let_read(connection: Connection, tables: list[str]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    for (role,) in connection.execute(READERS).fetchall():
        reader = sql.SQL("PUBLIC") if role is None else sql.Identifier(role)
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(names, reader))


def _load_places(connection: Connection, stock: Stock) -> None:
    partition = name_places(stock.release)
    connection.execute(_statement("CREATE TABLE {} (LIKE places INCLUDING STORAGE)", partition))
    _copy_places(connection, stock)
    connection.execute(_statement(REGISTER, partition), [stock.release])
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
    attach = sql.SQL("ALTER TABLE places ATTACH PARTITION {} FOR VALUES IN ({})")
    connection.execute(attach.format(sql.Identifier(partition), sql.Literal(stock.release)))
    connection.execute(_statement("ANALYZE {}", partition))


def _copy_places(connection: Connection, stock: Stock) -> None:
    statement = _statement("COPY {} FROM STDIN (FORMAT binary, FREEZE)", name_places(stock.release))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(PLACE_TYPES)
        for ordinal, (head, shape) in enumerate(stock.places):
            copy.write_row((stock.release, ordinal, Json(head, dumps=orjson.dumps), shape, mark(shape)))


def _insert_collections(connection: Connection, stock: Stock, tables: list[Filled]) -> None:
    insert = "INSERT INTO collections VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.executemany(insert, list(_collection_rows(stock, tables)))


def _collection_rows(stock: Stock, tables: list[Filled]) -> Iterator[tuple[Any, ...]]:
    for ordinal, (one, table) in enumerate(zip(stock.collections, tables, strict=True)):
        bounds = list(one.bounds) if one.bounds else None
        said = (one.info, table.columns(), table.lists())
        info, columns, lists = (Json(found, dumps=orjson.dumps) for found in said)
        yield stock.release, one.id, ordinal, info, one.count, bounds, table.name, columns, lists


def _remove_old(connection: Connection, kept: Collection[str]) -> None:
    """Remove all but the newest releases, never one of `kept`."""
    with connection.transaction():
        enter(connection)
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
        loaded = connection.execute("SELECT id FROM releases ORDER BY loaded DESC").fetchall()
        for old in [one for (one,) in loaded[KEPT:] if one not in kept]:
            filled = connection.execute("SELECT relation FROM collections WHERE release = %s", [old])
            tables = [name for (name,) in filled.fetchall() if name]
            # The features of an older version lie in a partition.
            for table in (*tables, name_places(old), name_features(old)):
                connection.execute(_statement("DROP TABLE IF EXISTS {}", table))
            connection.execute("DELETE FROM releases WHERE id = %s", [old])


def _statement(template: str, *tables: str) -> sql.Composed:
    return sql.SQL(template).format(*map(sql.Identifier, tables))
