"""The servers that are measured, as processes: ``python -m scripts.bench.server ours HOME PORT``.

``ours`` serves the live release of a home folder, whatever is in it; ``constant PORT`` answers
``/<n>`` with n bytes, from the same server with the same settings.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from scripts.bench.common import ask, free_port, wait_for
from scripts.workers import Supervisor, make_server
from webmap.server import Server, listen
from webmap.settings import Settings

WORKERS = 2
HOST = "127.0.0.1"


@contextmanager
def running(*arguments: str, probe: str) -> Iterator[str]:
    """Run one of the servers; yields its address once `probe` is answered there."""
    port = free_port()
    base = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", __name__, *arguments, str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sys.stderr) as server:
        try:
            wait_for(lambda: ask(base + probe) == HTTPStatus.OK)
            yield base
        finally:
            server.terminate()


def make_constant(_: int) -> Server:
    """Return the server that answers ``/<n>`` with n bytes."""

    @cache
    def body(path: str) -> bytes:
        return b"0" * int(path)

    def app(environ: dict[str, Any], start: Any) -> list[bytes]:
        found = body(environ["PATH_INFO"][1:])
        start("200 OK", [("Content-Type", "application/geo+json"), ("Content-Length", str(len(found)))])
        return [found]

    return Server(app, {})


def main(what: str, *rest: str) -> None:
    """Serve until stopped."""
    make = partial(make_server, Settings(Path(rest[0]))) if what == "ours" else make_constant
    Supervisor(listen(HOST, int(rest[-1]), WORKERS), make, lambda: None).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
