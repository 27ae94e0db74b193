"""Connections to PostGIS: pooled, read-only, with time limits; an outage is one clear error.

They are opened beside the readers, not by them, so a server starts while the database is down, and no
reader waits for what a new connection has to load.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from layers.query import StoreSlowError, StoreUnavailableError

SCHEMA = "weihai_layout"
PORTS = range(1, 65536)
# A password with one of its characters unescaped ends up in pieces in these, and in the messages on them.
NEVER_WITH_AT = ("host", "dbname", "user")
NETWORK = {"connect_timeout": "2", "tcp_user_timeout": "5000", "application_name": "weihai-layout"}


CONNECT_S = 2  # a question waits no longer for a connection
STATEMENT_MS = 10_000
WARM_MS = 500  # longest that a new connection is held back
MIN_CONNECTIONS = 2  # per process: one that answers, one that is there when the other is lost or replaced
MAX_CONNECTIONS = 8  # per process: one for each of the server's threads
OPTIONS = {
    "default_transaction_read_only": "on",
    "statement_timeout": str(STATEMENT_MS),
    "search_path": f"{SCHEMA},public",
    "jit": "off",  # compiling takes longer than these queries
    "max_parallel_workers_per_gather": "0",  # so does starting helpers; many ask at once
    "random_page_cost": "1.1",  # the data lie in memory or on a disk without a head
    "work_mem": "16MB",
    "timezone": "UTC",
}
# Not there, not answering in time, or not (yet) what this product made of it.
UNAVAILABLE = (
    psycopg.OperationalError,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.InsufficientPrivilege,
)

Rows = list[tuple[Any, ...]]
Statement = sql.SQL | sql.Composed


def with_limits(url: str) -> str:
    """Return an address with limits of how long a connection is waited for; the operator's win."""
    return make_conninfo("", **(NETWORK | conninfo_to_dict(url)))


def is_database_address(url: str) -> bool:
    """Tell whether `url` can be read as a database's address, with nothing of a password astray in it."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return False
    ports = str(given.get("port") or PORTS[0]).split(",")
    in_place = not any("@" in str(given.get(part) or "") for part in NEVER_WITH_AT)
    return in_place and all(port.isdecimal() and int(port) in PORTS for port in ports)


class Pool:
    """Asks one database; usable from many threads.

    A new connection is asked `first` before any reader gets it, so that it has loaded PostGIS and the
    tables then. It serves as well where that fails: a reader is told why.
    """

    def __init__(self, url: str, first: Statement) -> None:
        given = conninfo_to_dict(url)
        options = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
        given["options"] = f"{options} {given.get('options') or ''}".strip()  # the operator's win
        self._pool = ConnectionPool(
            make_conninfo("", **(NETWORK | given)),
            # Every question is one statement: no transaction around it, and nothing prepared that a
            # pooler between us and the database could lose.
            kwargs={"autocommit": True, "prepare_threshold": None},
            min_size=MIN_CONNECTIONS,
            max_size=MAX_CONNECTIONS,
            configure=lambda connection: _warm(connection, first),
            timeout=CONNECT_S,
            reconnect_timeout=1,  # then the next question tries anew
            open=True,
        )
        # Not by the collector, in a thread that may be one of the pool's own and cannot wait for itself.
        weakref.finalize(self, _close_aside, self._pool).atexit = False

    def ask(self, statement: Statement, values: Sequence[object] = ()) -> Rows:
        """Return the rows of one statement.

        A connection that the database closed, as after its restart, is replaced once, unseen. Raises
        :class:`~layers.query.StoreUnavailableError` when the database is down, has no connection free
        or lacks the tables, and :class:`~layers.query.StoreSlowError` when it takes too long.
        """
        try:
            return self._ask_again(statement, values)
        except psycopg.errors.QueryCanceled as error:
            raise StoreSlowError(str(error).strip()) from error
        except UNAVAILABLE as error:
            raise StoreUnavailableError(str(error).strip()) from error

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def _ask_again(self, statement: Statement, values: Sequence[object]) -> Rows:
        self._pool.open()
        try:
            return self._ask(statement, values)
        except (psycopg.errors.QueryCanceled, PoolTimeout):
            raise
        except psycopg.OperationalError:
            self._pool.check()  # one lost connection is rarely alone
            return self._ask(statement, values)

    def _ask(self, statement: Statement, values: Sequence[object]) -> Rows:
        with self._pool.connection() as connection, connection.cursor(binary=True) as cursor:
            return cursor.execute(statement, values).fetchall()


def _warm(connection: Connection, first: Statement) -> None:
    """Let a new connection load what its first question would have waited for."""
    with suppress(psycopg.Error), connection.transaction():
        connection.execute(f"SET LOCAL statement_timeout = {WARM_MS}")
        connection.execute(first, binary=True)


def _close_aside(pool: ConnectionPool) -> None:
    threading.Thread(target=pool.close, daemon=True).start()
