"""Who is at the workbench: sessions, signing in and out, and what keeps others from acting in their name.

A session is a signed cookie that names a record on disk, so that one that was ended is worth nothing,
whoever kept its cookie. Its key, the records and the count of failed attempts lie in the home, where all
processes that serve it find them.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final

from filelock import FileLock
from flask import Flask, Request, current_app, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.http import parse_cookie

from layers.home import write_atomically, write_synced
from webmap.limiter import Limiter
from webmap.origin import is_within
from webmap.problems import DamagedError, ForbiddenError
from webmap.server import Scope
from webmap.settings import Settings
from webmap.workbench.users import PRIVATE, User, UsersError, check_password, normalise_name, read_users

ROOT: Final = "/workbench/"
UPLOADS: Final = (f"{ROOT}upload", f"{ROOT}layers")  # the addresses that take more than a form
UPLOAD_BYTES: Final = 50_000_000
COOKIE: Final = "workbench"
LIFETIME_S: Final = 12 * 3600  # of a session, however busy
MOST_SESSIONS: Final = 10  # of one user; the oldest goes
WINDOW_S: Final = 15 * 60  # in which attempts to sign in are counted
MOST_COUNTED: Final = 5000  # names and clients
EXTENSION: Final = "workbench_access"
_LOG = logging.getLogger(__name__)
# Memory-hard on purpose: few at a time.
_verifying = Limiter(at_once=2, waiting=8, patience_s=5.0)


class SessionCookie(SecureCookieSessionInterface):
    """Flask's signed cookie, for the addresses of the workbench alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the session; elsewhere there is none."""
        return super().open_session(app, request) if request.path.startswith(ROOT) else None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs, None where the home cannot be written: nobody signs in there."""
        if not app.secret_key:
            try:
                app.secret_key = read_key(self._folder)
            except OSError as error:
                _LOG.error("%s: %s", self._folder, error.strerror)
                return None
        return super().get_signing_serializer(app)

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002 - Flask's signature
        """Return the name of the cookie."""
        return COOKIE

    def get_cookie_path(self, app: Flask) -> str:  # noqa: ARG002 - as above
        """Return the path that the cookie is sent to: no other page ever sees it."""
        return f"{request.script_root}{ROOT}"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 - as above
        """Return whether it goes over encrypted connections only."""
        return request.scheme == "https"

    def get_cookie_samesite(self, app: Flask) -> str:  # noqa: ARG002 - as above
        """Return the rule for requests that other sites cause."""
        return "Strict"


def read_key(folder: Path) -> bytes:
    """Return the key that sessions are signed with, made by the first process that asks; raises OSError."""
    path = folder / "key"
    with suppress(FileNotFoundError):
        return path.read_bytes()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not path.exists():
            write_atomically(path, secrets.token_bytes(32), PRIVATE)
    return path.read_bytes()


class DeniedError(Exception):
    """Nobody was signed in.

    Attributes
    ----------
    status
        401 for a wrong name or password, 429 for too many attempts.
    """

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class Throttle:
    """Counts attempts to sign in, by keys of at most so many in :data:`WINDOW_S`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "attempts.json"
        self._lock = folder / ".attempts.lock"

    def admit(self, limits: Mapping[str, int]) -> bool:
        """Count one attempt under every key and tell whether it may be made."""
        with FileLock(self._lock):
            counted = self._read()
            if any(len(counted.get(key, ())) >= most for key, most in limits.items()):
                return False
            for key in limits:
                counted.setdefault(key, []).append(time.time())
            self._write(counted)
        return True

    def forgive(self, keys: Iterable[str]) -> None:
        """Take back the last attempt under every key: it was no failure."""
        with FileLock(self._lock):
            counted = self._read()
            for key in keys:
                counted.get(key, [0.0]).pop()
            self._write(counted)

    def _read(self) -> dict[str, list[float]]:
        try:
            raw = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        since = time.time() - WINDOW_S
        return {
            key: recent for key, times in raw.items() if (recent := [one for one in times if one > since])
        }

    def _write(self, counted: dict[str, list[float]]) -> None:
        rows = sorted(((key, times) for key, times in counted.items() if times), key=lambda row: row[1][-1])
        write_atomically(self._path, json.dumps(dict(rows[-MOST_COUNTED:])).encode(), PRIVATE)


@dataclass(frozen=True)
class Access:
    """Knows who asks; one for each application."""

    settings: Settings
    folder: Path

    def read_users(self) -> dict[str, User]:
        """Return the users; raises :class:`~webmap.problems.DamagedError` where the file will not do."""
        try:
            return read_users(self.settings.workbench) if self.settings.workbench else {}
        except UsersError as error:
            _LOG.error("%s", error)
            raise DamagedError from error

    def find_user(self) -> User | None:
        """Return who sends this request, None where that is nobody known."""
        header = self.settings.workbench_header
        if header:  # Origin has taken out one that no trusted proxy sent
            return self.read_users().get(normalise_name(request.headers.get(header, "")) or "")
        name, session_id = session.get("user"), session.get("id", "")
        user = self.read_users().get(name) if name else None
        fresh = time.time() - session.get("since", 0) < LIFETIME_S
        known = user is not None and fresh and self._record(user.name, session_id).exists()
        return user if user and known and user.stamp == session.get("stamp") else None

    def sign_in(self, name: str, password: str) -> User:
        """Return the user of a name and password, with a session of their own; raises DeniedError."""
        known, client = normalise_name(name), request.remote_addr or ""
        keys = {f"pair {known} {client}": 5, f"name {known}": 50, f"client {client}": 30}
        limits = {_digest(key): most for key, most in keys.items()}
        throttle = Throttle(self.folder)
        if not throttle.admit(limits):
            raise DeniedError(HTTPStatus.TOO_MANY_REQUESTS)
        user = self.read_users().get(known or "")
        with _verifying.turn():
            right = check_password(user, password)
        if user is None or not right:
            raise DeniedError(HTTPStatus.UNAUTHORIZED)
        throttle.forgive(limits)
        self._open(user)
        return user

    def _open(self, user: User) -> None:
        """Begin a session under a new id: one that was known before worth nothing."""
        self.sign_out()
        session.update(id=secrets.token_urlsafe(24), user=user.name, stamp=user.stamp, since=time.time())
        record = self._record(user.name, session["id"])
        record.parent.mkdir(exist_ok=True)
        own = sorted(record.parent.glob(f"{_digest(user.name)}-*"), key=_changed_at)
        old = [one for one in record.parent.iterdir() if time.time() - _changed_at(one) > LIFETIME_S]
        for one in (*own[: max(len(own) - MOST_SESSIONS + 1, 0)], *old):
            one.unlink(missing_ok=True)
        write_synced(record, b"", PRIVATE)

    def sign_out(self) -> None:
        """End the session of this request, for every cookie that names it."""
        if session.get("user"):
            self._record(session["user"], session.get("id", "")).unlink(missing_ok=True)
        session.clear()

    def _record(self, name: str, session_id: str) -> Path:
        return self.folder / "sessions" / f"{_digest(name)}-{_digest(session_id)}"

    def make_token(self) -> str:
        """Return what the forms of this session hold, and no other site knows."""
        if "id" not in session:
            session["id"] = secrets.token_urlsafe(24)
        named = request.headers.get(self.settings.workbench_header or "", "")
        said = f"{session['id']} {session.get('user')} {named}".encode()
        key = current_app.secret_key
        if not key:
            raise DamagedError
        return hmac.new(key if isinstance(key, bytes) else key.encode(), said, hashlib.sha256).hexdigest()

    def check_intent(self) -> None:
        """Raise :class:`~webmap.problems.ForbiddenError` unless a form of this session was sent from here."""
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            raise ForbiddenError("error.workbench_token")
        given = request.form.get("token", "")
        if "id" not in session or not hmac.compare_digest(given.encode(), self.make_token().encode()):
            raise ForbiddenError("error.workbench_token")

    def limit_body(self, app: Flask, scope: Scope) -> int | None:
        """Return how many bytes a request that is about to come may have; None as every other.

        `scope` is what the server knows of it before its body: only who has signed in may send so much.
        """
        if scope.method != "POST" or not scope.path.endswith(UPLOADS):
            return None
        header = self.settings.workbench_header
        if header:
            client = scope.client.rpartition(":")[0].strip("[]")
            named = bool(scope.headers.get(header.lower())) and is_within(client, self.settings.proxies)
            return UPLOAD_BYTES if named else None
        serializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        given = parse_cookie(scope.headers.get("cookie")).get(COOKIE, "")
        try:
            named = serializer is not None and bool(serializer.loads(given, max_age=LIFETIME_S).get("user"))
        except BadSignature:
            return None
        return UPLOAD_BYTES if named else None


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]


def open_access(app: Flask, settings: Settings) -> Access:
    """Give an application sessions, for the workbench alone, and return what knows who asks."""
    folder = settings.home / "workbench"
    app.session_interface = SessionCookie(folder)
    access = Access(settings, folder)
    app.extensions[EXTENSION] = access
    app.extensions["limit_body"] = partial(access.limit_body, app)
    return access
