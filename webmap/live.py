"""Serve the live release, whichever that is: a new one is taken over whole, without a restart.

Every process looks at the pointer to the live release once a second, asked or not, and loads a new
one beside the old; then all requests go to the new application at once. A request is answered by one
release from beginning to end. Several processes agree within a second and the time that loading takes.
A release that other code made is left to the next start: this process would read it with the wrong
code.
"""

from __future__ import annotations

import ctypes
import gc
import logging
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from contextlib import suppress
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Flask

from geodata import deferred
from layers.history import read_last
from layers.home import HomeError
from layers.inspection import Inspection
from layers.store import BrokenReleaseError, Pointer, Release, read_current, read_pointer
from webmap.access_log import RELEASE
from webmap.app import create_app
from webmap.content import holds
from webmap.publish import hash_code
from webmap.server import LimitBody, Scope
from webmap.settings import Settings

_LOG = logging.getLogger(__name__)
INTERVAL_S = 1.0
M_ARENA_MAX, ARENAS = -8, 2  # of mallopt(3)
TRIM_S = 60  # after which what requests took and gave back goes to the system


class Live:
    """A WSGI application that always answers with the live release.

    `code` is the hash of the code that runs, where that is known already. What pages do not need is got ready
    after `interval_s`, aside; who asks for it before waits for it.
    """

    def __init__(
        self, release: Release, settings: Settings, interval_s: float = INTERVAL_S, code: str | None = None
    ) -> None:
        self.settings = settings
        self.code = code or hash_code()
        self.app = create_app(release, settings)
        gc.enable()  # which a start does without: what is loaded stays
        gc.freeze()
        self._seen = self._pointer_of(release)
        self._awaited = ""
        self._looking = threading.Lock()
        threading.Thread(target=_watch, args=(weakref.ref(self), interval_s), daemon=True).start()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request with the release that is live when it comes."""
        app = self.app
        environ[RELEASE] = app.extensions["content"].release.id
        return app(environ, start_response)

    def limit_body(self, scope: Scope) -> int | None:
        """Return how many bytes the body of a request may have that is about to come; None as usual."""
        limit: LimitBody | None = self.app.extensions.get("limit_body")
        return limit(scope) if limit else None

    def _pointer_of(self, release: Release) -> Pointer | None:
        pointer = self._read_pointer()
        return pointer if pointer and pointer.release == release.id else None

    def look(self) -> None:
        """Take over what the pointer names, if that is new and sound; else say why not, once."""
        with self._looking:
            pointer = self._read_pointer()
            if pointer is None or pointer == self._seen:
                return
            self._seen = pointer
            try:
                self._load(pointer)
            except (BrokenReleaseError, HomeError, OSError, ValueError) as error:
                _say(f"release {pointer.release} is not served: {error}")

    def inspect(self) -> None:
        """Look whether the home and the files that are served are still what they were."""
        inspection: Inspection = self.app.extensions["inspection"]
        inspection.step()

    def _read_pointer(self) -> Pointer | None:
        """Return what the home names, or None where that cannot be read: what is served stays."""
        try:
            return read_pointer(self.settings.home)
        except HomeError:
            return None

    def _load(self, pointer: Pointer) -> None:
        release, last = read_current(self.settings.home), read_last(self.settings.home)
        named = pointer.release, pointer.manifest_sha256
        if release is None or (release.id, release.manifest_sha256) != named:
            self._seen = None  # it changed again meanwhile; the next look sees that
        elif last is not None and last.act.code != self.code:
            _say(f"release {release.id} was made by other code: restart to serve it")
        elif not holds(release, self.settings):
            self._seen = None  # the next look asks again; until then the old release answers, whole
            self._wait_for(release)
        else:
            release.verify()
            self._switch(create_app(release, self.settings))

    def get_ready(self) -> None:
        """Load what the first answer did without."""
        with self._looking:
            self._switch(self.app)

    def _switch(self, app: Flask) -> None:
        deferred.load_libraries()
        if self.settings.store is None:  # else others have the indexes
            app.extensions["store"].collections()
        self.app = app  # one assignment: old or new, never both
        settle()

    def _wait_for(self, release: Release) -> None:
        """Say once of a release that the store has yet to hold it."""
        if self._awaited != release.id:
            self._awaited = release.id
            _say(f"release {release.id} is not in the database yet: the one before goes on being served")


def _watch(server: weakref.ref[Live], interval_s: float) -> None:
    """Look again and again, as long as the server is there."""
    trimmed, is_ready = time.monotonic(), False
    while True:
        time.sleep(interval_s)
        if time.monotonic() > trimmed + TRIM_S:
            trimmed = time.monotonic()
            _trim()
        live = server()
        if live is None:
            return
        try:
            if not is_ready:
                is_ready = True
                live.get_ready()
            live.look()
            live.inspect()
        except Exception:  # noqa: BLE001 - whatever went wrong, the next look may go right
            _LOG.exception("the live release")
        del live


def share_arenas() -> None:
    """Have all threads take memory from few arenas: what one gave back, another takes again.

    The GNU library gives each thread one of its own otherwise, up to eight a core, and none shrinks. To be
    called before there are threads.
    """
    with suppress(AttributeError, OSError, TypeError):  # only the GNU library has it
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """Take what was loaded out of the collector's rounds: it stays, and looking through it takes time.

    With thousands of features a full round held every request up for several milliseconds.
    """
    gc.unfreeze()  # what an earlier release left is to go
    gc.collect()
    gc.freeze()
    _trim()


def _trim() -> None:
    with suppress(AttributeError, OSError, TypeError):  # only the GNU library has it
        ctypes.CDLL(None).malloc_trim(0)


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - the operator's log
