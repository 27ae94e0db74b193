"""The users of the workbench: one file, which the ``user`` command writes and every process reads.

Passwords are kept as argon2id hashes. The file is its owner's alone, and is replaced whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, get_args

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from filelock import FileLock

from layers.home import write_atomically

Role = Literal["editor", "approver"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
NAME: Final = re.compile(r"[\w][\w.@-]{0,63}")
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200  # characters
FORMAT: Final = 1
PRIVATE: Final = 0o600


class UsersError(Exception):
    """The file of users cannot be read, or is none; the message says why."""


@dataclass(frozen=True)
class User:
    """Somebody who may use the workbench; an approver may do what an editor may."""

    name: str
    role: Role
    password: str | None = None  # its hash; None for one whom only a proxy lets in

    @property
    def stamp(self) -> str:
        """What a session remembers of its user: another role or password ends it."""
        return hashlib.sha256(f"{self.role} {self.password}".encode()).hexdigest()[:16]

    @property
    def approves(self) -> bool:
        """Whether the user may publish."""
        return self.role == "approver"


def normalise_name(given: str) -> str | None:
    """Return a name as it is kept, or None for what cannot be one.

    >>> normalise_name(" li.wei ")
    'li.wei'
    >>> normalise_name("../li") is None
    True
    """
    name = unicodedata.normalize("NFC", given.strip())
    return name if NAME.fullmatch(name) else None


def read_users(path: Path) -> dict[str, User]:
    """Return the users by name; none where there is no file. Raises :class:`UsersError`."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise UsersError(f"{path}: {error.strerror}") from error
    try:
        raw = json.loads(content)
        if raw["format"] != FORMAT:
            raise UsersError(f"{path}: format {raw['format']}")
        users = [_parse_user(row) for row in raw["users"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsersError(f"{path}: {type(error).__name__}: {error}") from error
    return {one.name: one for one in users}


def _parse_user(row: Mapping[str, object]) -> User:
    """Return one user of the file; raises ValueError or KeyError."""
    name, password = str(row["name"]), row["password"]
    role = next((one for one in ROLES if one == row["role"]), None)
    if role is None or normalise_name(name) != name or not isinstance(password, str | None):
        raise ValueError(repr(name))
    return User(name, role, password)


@contextmanager
def changing_users(path: Path) -> Iterator[dict[str, User]]:
    """Give the users to be changed, and write them when the block ends; others wait.

    Raises :class:`UsersError`, with nothing written, as :func:`read_users` does, and OSError.
    """
    with FileLock(path.with_name(f".{path.name}.lock"), mode=PRIVATE):
        users = read_users(path)
        yield users
        write_users(path, users)


def write_users(path: Path, users: Mapping[str, User]) -> None:
    """Write the file of users, readable by its owner alone."""
    rows = [asdict(users[name]) for name in sorted(users)]
    text = json.dumps({"format": FORMAT, "users": rows}, ensure_ascii=False, indent=1)
    write_atomically(path, text.encode() + b"\n", PRIVATE)


def hash_password(password: str) -> str:
    """Return the hash of a password."""
    return PasswordHasher().hash(password)


def check_password(user: User | None, password: str) -> bool:
    """Tell whether a password is the user's; takes as long for nobody as for somebody."""
    known = user.password if user is not None else None
    try:
        PasswordHasher().verify(known or _decoy(), password)
    except (Argon2Error, InvalidHashError):
        return False
    return known is not None


@cache
def _decoy() -> str:
    return hash_password("nobody's password")
