"""Serve the map, building the release first where needed."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Callable

from waitress.server import create_server

from scripts.answer import add_home, live_release, settings
from scripts.messages import say, warn
from scripts.stored import Admission, Outcome, bring, bring_later
from scripts.whole import whole
from scripts.workers import serve_with
from webmap.limiter import THREADS
from webmap.live import Live

MAX_PORT = 65535
MAX_WORKERS = 64
EVERYWHERE = "0.0.0.0"  # noqa: S104 - listened on where an empty host asks for it
WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="监听地址 · address to listen on (127.0.0.1)")
    port, workers = whole(0, MAX_PORT), whole(1, MAX_WORKERS)
    parser.add_argument("--port", type=port, default=8000, help="端口，0 为任选 · port, 0 for any (8000)")
    parser.add_argument(
        "--workers", type=workers, default=1, help="进程数 · processes that serve (1)", metavar="N"
    )
    parser.add_argument("--no-browser", action="store_true", help="不打开浏览器 · open no browser")
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped; exit 1 if the port is taken or there is no release."""
    chosen = settings(options)
    listener = _listen(options.host, options.port) if chosen else None
    if chosen is None or listener is None:
        return 1
    admission = Admission(chosen, patient=True)
    release = live_release(chosen, admission)
    outcome = (admission.outcome or bring(chosen, release)) if release else Outcome.REFUSED
    if release is None or outcome is Outcome.REFUSED:
        listener.close()
        return 1
    if outcome is Outcome.DOWN:
        bring_later(chosen)
    port = listener.getsockname()[1]

    def announce() -> None:
        url = address(options.host, port)
        say("ready", url=url)
        say("stop_hint")
        if not options.no_browser and can_open_browser():
            webbrowser.open(url)

    if options.workers > 1:
        listener.close()  # the workers take it over
        serve_with(options.workers, (options.host or EVERYWHERE, port), chosen, announce)
    else:
        _serve_alone(Live(release, chosen), listener, announce)
    say("stopped")
    return 0


def _serve_alone(app: Live, listener: socket.socket, announce: Callable[[], None]) -> None:
    server = create_server(app, sockets=[listener], threads=THREADS)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager stops it as Ctrl+C does
    announce()
    server.run()


def address(host: str, port: int) -> str:
    """Return the address that a browser on this machine opens.

    >>> address("0.0.0.0", 8000)
    'http://127.0.0.1:8000/'
    >>> address("::1", 80)
    'http://[::1]:80/'
    """
    reachable = WILDCARDS.get(host, host)
    return f"http://[{reachable}]:{port}/" if ":" in reachable else f"http://{reachable}:{port}/"


def can_open_browser() -> bool:
    """Tell whether someone sits before a screen."""
    if os.environ.get("CI"):
        return False
    on_desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(on_desktop) or sys.platform in {"darwin", "win32"}


def _listen(host: str, port: int) -> socket.socket | None:
    """Take the port before the build, so that a taken one is said at once; None after saying so."""
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][
            0
        ]
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            example = port + 1 if port < MAX_PORT else port - 1
            warn("port_taken", host=host, port=port, example=example)
        else:
            warn("cannot_bind", host=host, port=port, reason=error.strerror or error)
        return None
