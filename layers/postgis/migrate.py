"""Bring the database's tables to what this version needs: numbered SQL files, each applied once."""

from __future__ import annotations

from pathlib import Path

from psycopg import Connection

SCHEMA = "weihai_layout"
FOLDER = Path(__file__).parent / "migrations"
LOCK = 0x7765696861690000  # of our own choice: whoever changes tables or loads holds it
TABLE = """
CREATE TABLE IF NOT EXISTS migrations (
    number integer PRIMARY KEY,
    applied timestamptz NOT NULL DEFAULT clock_timestamp()
)
"""


class NewerSchemaError(Exception):
    """The database was changed by a newer version of this product."""


def enter(connection: Connection) -> None:
    """Let the caller's transaction be the only one that changes the tables, which it names without schema."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    connection.execute(f"SET LOCAL search_path TO {SCHEMA}, public")


def migrate(connection: Connection) -> list[int]:
    """Apply what is missing, inside the caller's transaction, and return its numbers.

    Waits while another does so. Needs a role that may create the schema, PostGIS included where the
    database lacks it. Raises :class:`NewerSchemaError` where the tables are ahead of this version.
    """
    enter(connection)
    connection.execute("CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public")
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
