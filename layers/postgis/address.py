"""The database's address: checked without repeating it, as it may hold a password."""

from __future__ import annotations

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

PORTS = range(1, 65536)
# A password with one of its characters unescaped ends up in pieces in these, and in the messages on them.
NEVER_WITH_AT = ("host", "dbname", "user")
NETWORK = {"connect_timeout": "2", "tcp_user_timeout": "5000", "application_name": "weihai-layout"}


def with_limits(url: str) -> str:
    """Return an address with limits of how long a connection is waited for; the operator's win."""
    return make_conninfo("", **(NETWORK | conninfo_to_dict(url)))


def is_address(url: str) -> bool:
    """Tell whether `url` can be read as a database's address, with nothing of a password astray in it."""
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return False
    ports = str(given.get("port") or PORTS[0]).split(",")
    in_place = not any("@" in str(given.get(part) or "") for part in NEVER_WITH_AT)
    return in_place and all(port.isdecimal() and int(port) in PORTS for port in ports)
