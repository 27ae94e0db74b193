"""Load a release into PostGIS: all of it in one transaction, so that readers see it whole or not at all.

The tables are brought to what this version needs by numbered SQL files, each applied once.

Of large collections an index finds ``=``, ``<`` and its kin, ``BETWEEN``, ``IN``, ``LIKE 'abc%'``, with
``CASEI`` too, of lists also ``LIKE '%abc%'``, what intersects a place, and the order of ``sortby``: in a time
that goes by the answer. Read through, in a time that goes by the collection: ``LIKE '%abc%'`` of other texts,
``<>``, ``NOT``, one property beside another, what is apart from a place, and columns with a text beyond
:data:`LONGEST`. Trigrams are no way out: most Chinese words are too short for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import orjson
import psycopg
from psycopg import Connection, sql
from psycopg.types.json import Json

from geodata.boundaries import Scalar
from layers.document_types import BlockHead
from layers.lookup import read_entries
from layers.memory import MemoryStore
from layers.postgis.pool import SCHEMA, with_limits
from layers.postgis.queries import (
    ARRAY,
    DECLARED,
    TYPES,
    ColumnNames,
    Lists,
    Slot,
    add_srid,
    find_lists,
    name_items,
    name_places,
    to_ewkb,
    to_slots,
)
from layers.query import Collection, StoredRow, read_stored_rows, searchables
from layers.store import Release

FOLDER = Path(__file__).parent / "migrations"
EXTENSION = b"CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public"
LOCK = 0x7765696861690000  # of our own choice: whoever changes tables or loads holds it
TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    number integer PRIMARY KEY,
    applied timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


class MissingExtensionError(Exception):
    """The database has no PostGIS, and this role or this server cannot create it."""


class NewerSchemaError(Exception):
    """The database was changed by a newer version of this product."""


def enter(connection: Connection) -> None:
    """Let the caller's transaction be the only one that changes the tables, which it names without schema."""
    # Whatever a database or a role prescribes for questions is not for this.
    connection.execute("SET TRANSACTION READ WRITE")
    connection.execute("SET LOCAL statement_timeout = 0")
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    connection.execute(f"SET LOCAL search_path TO {SCHEMA}, public")


def migrate(connection: Connection, lock_ms: int = 0) -> list[int]:
    """Apply what is missing, inside the caller's transaction, and return its numbers.

    Waits while another does so, and at most `lock_ms` for readers (0: as long as they take). Needs a
    role that may create the schema, PostGIS included where the database lacks it. Raises
    :class:`MissingExtensionError` where it cannot, and :class:`NewerSchemaError` where the tables are
    ahead of this version.
    """
    enter(connection)
    connection.execute(f"SET LOCAL lock_timeout = {int(lock_ms)}")
    try:
        connection.execute(EXTENSION)
    except (psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported) as error:
        raise MissingExtensionError(str(error).strip()) from error
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    connection.execute(TABLE)
    done = {int(row[0]) for row in connection.execute("SELECT number FROM migrations")}
    known = {int(path.stem): path for path in sorted(FOLDER.glob("*.sql"))}
    if ahead := done - set(known):
        raise NewerSchemaError(
            f"{SCHEMA}.migrations {max(ahead)}: 数据库由更新的版本建立，本版本只到 {max(known)} / "
            f"made by a newer version, this one knows {max(known)}"
        )
    missing = [number for number in known if number not in done]
    for number in missing:
        connection.execute(known[number].read_bytes())
        connection.execute("INSERT INTO migrations (number) VALUES (%s)", [number])
    return missing


PlaceRow = tuple[BlockHead, bytes]  # head and WKB of what look-ups answer with
INDEXED_FROM = 200  # rows: fewer are read faster than they are looked up
LONGEST = 600  # characters, at most 2,400 bytes: an entry of an index holds 2,700
# What every question reads comes first; bodies, mostly out of line, last. Bodies are cut into answers
# as they are: packed, each answer would unpack them first.
CREATE = """
CREATE TABLE {table} (
    ordinal int4 NOT NULL, {columns},
    id text COLLATE "C" NOT NULL,
    geometry geometry(Geometry, 4326),
    body bytea NOT NULL
);
ALTER TABLE {table} ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN geometry SET STORAGE EXTERNAL
"""
INDEXES = """
CREATE UNIQUE INDEX ON {table} (ordinal);
CREATE UNIQUE INDEX ON {table} (id)
"""
PLACED = """
CREATE INDEX ON {table} USING gist (geometry);
CREATE INDEX ON {table} (ordinal) WHERE geometry IS NULL
"""
KEPT = 3  # releases in the database; the older ones may still be asked for by a server not restarted
PLACE_TYPES = ("text", "int4", "json", "bytea", "bytea")
STEP = 200  # rows between two signs of progress
LOCK_MS = 3_000  # longest that readers may hold the loading up
LOADED = "SELECT 1 FROM {} WHERE release = %s LIMIT 1"
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


@dataclass(frozen=True)
class Snapshot:
    """Everything of one release that a store holds."""

    release: str
    collections: tuple[Collection, ...]
    rows: Callable[[str], Iterable[StoredRow]]  # of a collection, by its id, in its order
    places: Iterable[PlaceRow]


def read_snapshot(release: Release) -> Snapshot:
    """Return what the store in memory holds of a release."""
    collections = MemoryStore(release).collections()
    infos = {collection.id: collection.info for collection in collections}
    return Snapshot(
        release.id,
        collections,
        lambda collection: read_stored_rows(release, infos[collection]),
        read_entries(release.read("index/lookup.bin")),
    )


class TableLoader:
    """The table of one collection: made, filled by :meth:`copy`, then given its indexes by :meth:`index`."""

    def __init__(self, connection: Connection, name: str, collection: Collection) -> None:
        self.name = name
        self._connection = connection
        self._collection = collection
        self._table = sql.Identifier(name)
        self._slots = to_slots(searchables(collection.info))
        self._longest = dict.fromkeys(self._slots, 0)
        self._cased: set[Slot] = set()  # texts that case makes a difference to
        self._lists = find_lists(collection.info) if self._large else []
        self._create()

    def copy(self, rows: Iterable[StoredRow], tick: Callable[[], None]) -> None:
        """Copy the rows, which are then as if always there: nothing is left for readers to tidy up."""
        texts = [slot for slot in self._slots if slot.folded]
        types = ["int4", *(TYPES[slot.kind] for slot in self._slots), *("text" for _ in texts)]
        types += ["text[]" for _ in self._lists]
        statement = sql.SQL("COPY {} FROM STDIN (FORMAT binary, FREEZE)").format(self._table)
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            # Geometries travel as EWKB, which COPY takes for the bytes that they are.
            copy.set_types([*types, "text", "bytea", "bytea"])
            for ordinal, row in enumerate(rows):
                values = [slot.take(row.values.get(slot.name)) for slot in self._slots]
                folded = [self._fold(slot, row.values.get(slot.name)) for slot in texts]
                words = [one.take(row.values.get(one.name)) for one in self._lists]
                geometry = None if row.geometry is None else to_ewkb(row.geometry)
                copy.write_row((ordinal, *values, *folded, *words, row.id, geometry, row.body))
                tick()

    def index(self) -> None:
        """Make the indexes, and let the planner know the table."""
        self._execute(INDEXES)
        if self._collection.info["geometry"] != "none":
            self._execute(PLACED)
        if self._large:
            for column in self._indexed():
                # With the order in it, what matches is found and sorted without a look at the table.
                self._execute("CREATE INDEX ON {table} ({column}, ordinal)", column=sql.Identifier(column))
            for entry in self.lists().values():
                self._execute(
                    "CREATE INDEX ON {table} USING gin ({column})", column=sql.Identifier(entry["column"])
                )
        self._execute("ANALYZE {table}")

    def columns(self) -> ColumnNames:
        """Return where the queryables are; a text that case makes no difference to is its own fold."""
        return {
            slot.name: (slot.column, slot.folded if slot.folded and slot in self._cased else slot.column)
            for slot in self._slots
        }

    def lists(self) -> Lists:
        """Return where the entries of lists are that an index finds."""
        return {one.name: one.describe() for one in self._lists if one.few}

    @property
    def _large(self) -> bool:
        return self._collection.count >= INDEXED_FROM

    def _fold(self, slot: Slot, value: Scalar) -> str | None:
        if not isinstance(value, str):
            return None
        folded = value.casefold()
        if folded != value:
            self._cased.add(slot)
        self._longest[slot] = max(self._longest[slot], len(value), len(folded))
        return folded

    def _indexed(self) -> list[str]:
        """Return the columns to index: each once, and none with texts too long for it."""
        columns = self.columns()
        short = [columns[slot.name] for slot in self._slots if self._longest[slot] <= LONGEST]
        return sorted(set(chain.from_iterable(short)))

    def _create(self) -> None:
        values = [(slot.column, slot.kind) for slot in self._slots]
        folded = [(slot.folded, slot.kind) for slot in self._slots if slot.folded]
        declared = [
            sql.SQL(f"{{}} {DECLARED[kind]}").format(sql.Identifier(column))
            for column, kind in [*values, *folded]
        ]
        declared += [sql.SQL(f"{{}} {ARRAY}").format(sql.Identifier(one.column)) for one in self._lists]
        self._execute(CREATE, columns=sql.SQL(", ").join(declared))

    def _execute(self, template: str, **parts: sql.Composable) -> None:
        self._connection.execute(sql.SQL(template).format(table=self._table, **parts))


def is_loaded(url: str, release: str) -> bool:
    """Tell whether the database has a release; a reader's role is enough. Raises :class:`psycopg.Error`."""
    asked = sql.SQL(LOADED).format(sql.Identifier(SCHEMA, "collections"))
    with psycopg.connect(with_limits(url)) as connection:
        try:
            return connection.execute(asked, [release]).fetchone() is not None
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return False


def load_release(url: str, snapshot: Snapshot, progress: Progress, served: Iterable[str] = ()) -> bool:
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
            found = connection.execute(asked, [snapshot.release]).fetchone()
            if not found:
                _load(connection, snapshot, progress)
        with suppress(psycopg.errors.LockNotAvailable):  # readers are in the way: the next load removes them
            _remove_old(connection, {snapshot.release, *served})
    return not found


def _load(connection: Connection, snapshot: Snapshot, progress: Progress) -> None:
    """Fill tables of the release's own; only to make one a partition needs a lock, for a moment."""
    tables = _copy_features(connection, snapshot, progress)
    for done, table in enumerate(tables):
        progress("index", done, len(tables))
        table.index()
    _load_places(connection, snapshot)
    _let_read(connection, [name_places(snapshot.release), *(table.name for table in tables)])
    _insert_collections(connection, snapshot, tables)
    progress("index", len(tables), len(tables))


def _copy_features(connection: Connection, snapshot: Snapshot, progress: Progress) -> list[TableLoader]:
    total = sum(collection.count for collection in snapshot.collections)
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        if done % STEP == 0:
            progress("features", done, total)

    tables = []
    for number, collection in enumerate(snapshot.collections):
        table = TableLoader(connection, name_items(number, snapshot.release), collection)
        table.copy(snapshot.rows(collection.id), tick)
        tables.append(table)
    progress("features", done, total)
    return tables


def _let_read(connection: Connection, tables: list[str]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, tables))
    for (role,) in connection.execute(READERS).fetchall():
        reader = sql.SQL("PUBLIC") if role is None else sql.Identifier(role)
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(names, reader))


def _load_places(connection: Connection, snapshot: Snapshot) -> None:
    partition = name_places(snapshot.release)
    connection.execute(_statement("CREATE TABLE {} (LIKE places INCLUDING STORAGE)", partition))
    _copy_places(connection, snapshot)
    connection.execute(_statement(REGISTER, partition), [snapshot.release])
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
    attach = sql.SQL("ALTER TABLE places ATTACH PARTITION {} FOR VALUES IN ({})")
    connection.execute(attach.format(sql.Identifier(partition), sql.Literal(snapshot.release)))
    connection.execute(_statement("ANALYZE {}", partition))


def _copy_places(connection: Connection, snapshot: Snapshot) -> None:
    statement = _statement("COPY {} FROM STDIN (FORMAT binary, FREEZE)", name_places(snapshot.release))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(PLACE_TYPES)
        for ordinal, (head, shape) in enumerate(snapshot.places):
            copy.write_row(
                (snapshot.release, ordinal, Json(head, dumps=orjson.dumps), shape, add_srid(shape))
            )


def _insert_collections(connection: Connection, snapshot: Snapshot, tables: list[TableLoader]) -> None:
    insert = "INSERT INTO collections VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.executemany(insert, list(_collection_rows(snapshot, tables)))


def _collection_rows(snapshot: Snapshot, tables: list[TableLoader]) -> Iterator[tuple[object, ...]]:
    for ordinal, (one, table) in enumerate(zip(snapshot.collections, tables, strict=True)):
        bounds = list(one.bounds) if one.bounds else None
        said = (one.info, table.columns(), table.lists())
        info, columns, lists = (Json(found, dumps=orjson.dumps) for found in said)
        yield snapshot.release, one.id, ordinal, info, one.count, bounds, table.name, columns, lists


def _remove_old(connection: Connection, kept: set[str]) -> None:
    """Remove all but the newest releases, never one of `kept`."""
    with connection.transaction():
        enter(connection)
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_MS}")
        loaded = connection.execute("SELECT id FROM releases ORDER BY loaded DESC").fetchall()
        for old in [one for (one,) in loaded[KEPT:] if one not in kept]:
            filled = connection.execute("SELECT relation FROM collections WHERE release = %s", [old])
            tables = [name for (name,) in filled.fetchall()]
            for table in (*tables, name_places(old)):
                connection.execute(_statement("DROP TABLE IF EXISTS {}", table))
            connection.execute("DELETE FROM releases WHERE id = %s", [old])


def _statement(template: str, *tables: str) -> sql.Composed:
    return sql.SQL(template).format(*map(sql.Identifier, tables))
