"""Bring the database's tables to what this version needs: numbered SQL files, each applied once."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg import Connection

SCHEMA = "weihai_layout"
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
