"""Fill one collection's table in the database, and index what it can be filtered and sorted by.

Of large collections an index finds ``=``, ``<`` and its kin, ``BETWEEN``, ``IN``, ``LIKE 'abc%'``, with
``CASEI`` too, of lists also ``LIKE '%abc%'`` (see :mod:`layers.postgis.words`), what intersects a place, and
the order of ``sortby``: in a time that goes by the answer. Read through, in a time that goes by the
collection: ``LIKE '%abc%'`` of other texts, ``<>``, ``NOT``, one property beside another, what is apart from
a place, and columns with a text beyond :data:`LONGEST`. Trigrams are no way out: most Chinese words are too
short for one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from psycopg import Connection, sql

from layers.postgis.columns import DECLARED, TYPES, Columns, Slot, to_slots
from layers.postgis.part import to_ewkb
from layers.postgis.words import DECLARED as ARRAY
from layers.postgis.words import Lists, find_lists
from layers.query import Collection
from layers.rows import Row, Scalar, queryables

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


class Filled:
    """The table of one collection: made, filled by :meth:`copy`, then given its indexes by :meth:`index`."""

    def __init__(self, connection: Connection, name: str, collection: Collection) -> None:
        self.name = name
        self._connection = connection
        self._collection = collection
        self._table = sql.Identifier(name)
        self._slots = to_slots(queryables(collection.info))
        self._longest = dict.fromkeys(self._slots, 0)
        self._cased: set[Slot] = set()  # texts that case makes a difference to
        self._lists = find_lists(collection.info) if self._large else []
        self._create()

    def copy(self, rows: Iterable[Row], tick: Callable[[], None]) -> None:
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

    def columns(self) -> Columns:
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
