"""Serve the map, building the release first where needed."""

from __future__ import annotations

import argparse
import errno
import os
import socket
import sys
import webbrowser
from functools import partial

from scripts.answer import add_home, live_release, settings
from scripts.messages import say, warn
from scripts.stored import Admission, Outcome, bring
from scripts.whole import whole
from scripts.workers import Supervisor, make_server
from webmap.server import listen

MAX_PORT = 65535
MAX_WORKERS = 64
WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--host", default="127.0.0.1", help="监听地址 · address to listen on (127.0.0.1)")
    port, workers = whole(0, MAX_PORT), whole(1, MAX_WORKERS)
    parser.add_argument("--port", type=port, default=8000, help="端口，0 为任选 · port, 0 for any (8000)")
    parser.add_argument(
        "--workers",
        type=workers,
        default=1,
        help="服务的进程数 · processes that serve, beside the one that watches over them (1)",
        metavar="N",
    )
    parser.add_argument("--no-browser", action="store_true", help="不打开浏览器 · open no browser")
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Serve until stopped; exit 1 if the port is taken, there is no release, or no worker starts."""
    chosen = settings(options)
    listeners = _listen(options.host, options.port, options.workers) if chosen else None
    if chosen is None or listeners is None:
        return 1
    admission = Admission(chosen, patient=True)
    release = live_release(chosen, admission)
    outcome = (admission.outcome or bring(chosen, release)) if release else Outcome.REFUSED
    if release is None or outcome is Outcome.REFUSED:
        return 1
    port = listeners[0].getsockname()[1]

    def announce() -> None:
        url = address(options.host, port)
        say("ready", url=url)
        say("stop_hint")
        if not options.no_browser and can_open_browser():
            webbrowser.open(url)

    _allow_connections()
    make = partial(make_server, chosen, waiting=outcome is Outcome.DOWN)
    code = Supervisor(listeners, make, announce).run()
    say("stopped")
    return code


def _allow_connections() -> None:
    """Let this process and its workers open as many files as the system allows: a connection is one."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


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


def _listen(host: str, port: int, workers: int) -> list[socket.socket] | None:
    """Take the port before the build, so that a taken one is said at once; None after saying so."""
    try:
        return listen(host, port, workers)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            example = port + 1 if port < MAX_PORT else port - 1
            warn("port_taken", host=host, port=port, example=example)
        else:
            warn("cannot_bind", host=host, port=port, reason=error.strerror or error)
        return None
