"""Serve from several processes, each with the whole release, behind one port."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from layers.store import read_current
from webmap.limiter import THREADS
from webmap.live import Live
from webmap.settings import Settings, read_settings

KILL_S = 5  # a worker that is told to stop while it starts does not listen yet


def make_app() -> Live:
    """Return the application of one worker process, on the live release of the settings."""
    settings = read_settings()
    release = read_current(settings.home)
    if release is None:
        raise FileNotFoundError(settings.home)
    return Live(release, settings)


def serve_with(workers: int, place: tuple[str, int], settings: Settings, ready: Callable[[], None]) -> None:
    """Serve at host and port until stopped; `ready` is called once a worker answers there.

    A worker that dies is replaced. The workers read the settings anew, so their environment is made to
    say what was chosen.
    """
    os.environ["WEIHAI_LAYOUT_HOME"] = str(settings.home)
    threading.Thread(target=_when_it_answers, args=(*place, ready), daemon=True).start()
    build_server(f"{__name__}:make_app", workers, place).serve()


def build_server(target: str, workers: int, place: tuple[str, int]) -> Any:
    """Return the server of the application that the factory `target` makes in every worker."""
    from granian import Granian
    from granian.constants import Interfaces

    host, port = place
    return Granian(
        target,
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        websockets=False,
        log_enabled=False,
        workers_kill_timeout=KILL_S,
    )


def _when_it_answers(host: str, port: int, ready: Callable[[], None]) -> None:
    while True:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            break
        time.sleep(0.05)
    ready()
