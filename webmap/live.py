"""Serve the live release, whichever that is: a new one is taken over whole, without a restart.

Every process looks at the pointer to the live release at most once a second, on a request, and
loads a new one beside the old in a thread of its own; then all requests go to the new application at
once. A request is answered by one release from beginning to end. Several processes agree within a
second of their next requests and the time that loading takes. A release that other code made is left
to the next start: this process would read it with the wrong code.
"""

from __future__ import annotations

import gc
import sys
import threading
import time
from collections.abc import Iterable
from typing import Any

from layers.history import read_last
from layers.store import BrokenReleaseError, Pointer, Release, read_current, read_pointer
from webmap import create_app
from webmap.publish import hash_code
from webmap.settings import Settings

INTERVAL_S = 1.0


class Live:
    """A WSGI application that always answers with the live release."""

    def __init__(self, release: Release, settings: Settings, interval_s: float = INTERVAL_S) -> None:
        self.settings = settings
        self.interval_s = interval_s
        self.code = hash_code()
        self.app = create_app(release, settings)
        settle()
        self._seen = self._pointer_of(release)
        self._looked_s = time.monotonic()
        self._loading = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request with the release that is live when it comes."""
        now_s = time.monotonic()
        if now_s - self._looked_s >= self.interval_s:
            self._looked_s = now_s
            self._look()
        return self.app(environ, start_response)

    def _pointer_of(self, release: Release) -> Pointer | None:
        pointer = read_pointer(self.settings.home)
        return pointer if pointer and pointer.release == release.id else None

    def _look(self) -> None:
        """Start loading if the pointer names something new, unless that is under way."""
        pointer = read_pointer(self.settings.home)
        if pointer is not None and pointer != self._seen and self._loading.acquire(blocking=False):
            self._seen = pointer
            threading.Thread(target=self._load, args=(pointer,), daemon=True).start()

    def _load(self, pointer: Pointer) -> None:
        try:
            release, last = read_current(self.settings.home), read_last(self.settings.home)
            if release is None or (release.id, release.manifest_sha256) != (
                pointer.release,
                pointer.manifest_sha256,
            ):
                self._seen = None  # it changed again meanwhile; the next look sees that
            elif last is not None and last.act.code != self.code:
                _say(f"release {release.id} was made by other code: restart to serve it")
            else:
                release.verify()
                self.app = create_app(release, self.settings)  # one assignment: old or new, never both
                settle()
        except (BrokenReleaseError, OSError, ValueError) as error:
            _say(f"release {pointer.release} is not served: {error}")
        finally:
            self._loading.release()


def settle() -> None:
    """Take what was loaded out of the collector's rounds: it stays, and looking through it takes time.

    With thousands of features a full round held every request up for several milliseconds.
    """
    gc.unfreeze()  # what an earlier release left is to go
    gc.collect()
    gc.freeze()


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)  # noqa: T201 - the operator's log
