"""Serve the map, building the release first where needed."""

from __future__ import annotations

import errno
import gc
import os
import socket
import sys
import webbrowser
from contextlib import ExitStack, suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from geodata import deferred
from layers.history import read_last
from layers.home import HomeError
from layers.store import BrokenReleaseError, Release, read_current
from scripts.bilingual import say, text, warn
from scripts.commands.common import (
    Command,
    command,
    home_option,
    live_release,
    local_option,
    option,
    settings,
    whole,
)
from webmap.settings import SETTINGS, Setting, Settings
from webmap.sockets import CONNECTIONS, count_connections, listen

if TYPE_CHECKING:
    from scripts.supervisor import Make

MAX_PORT = 65535
MAX_WORKERS = 64
FIGURES = "PROMETHEUS_MULTIPROC_DIR"  # names the folder of what workers count
WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on


class ServeCommand(Command):
    """The command whose help ends with what an operator can set."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of settings."""
        super().format_epilog(ctx, formatter)
        with formatter.section(text("heading_settings")):
            formatter.write_dl([(f"{row.variable}  {row.kind}", _about(row)) for row in SETTINGS])


def _about(row: Setting) -> str:
    default = f" [{text('setting_default')}: {row.default}]" if row.default else ""
    return f"{row.zh} · {row.en}{default}"


@command("serve", cls=ServeCommand)
@option("--host", default="127.0.0.1", metavar="HOST", help="监听地址 · address to listen on (127.0.0.1)")
@option(
    "--port",
    type=whole(0, MAX_PORT),
    default="8000",
    metavar="PORT",
    help="端口，0 为任选 · port, 0 for any (8000)",
)
@option(
    "--workers",
    type=whole(1, MAX_WORKERS),
    default="1",
    help="服务的进程数 · processes that serve, beside the one that watches over them (1)",
    metavar="N",
)
@option("--no-browser", is_flag=True, help="不打开浏览器 · open no browser")
@home_option
@local_option
def serve(
    *, host: str, port: int, workers: int, no_browser: bool, home: Path | None, local: Path | None
) -> int:
    """Serve until stopped; exit 1 if the port is taken, there is no release, or no worker starts."""
    chosen = settings(home, local)
    with ExitStack() as closing:
        gc.disable()  # what is loaded until the first answer stays
        closing.callback(gc.enable)
        listeners = _listen(host, port, workers)
        for listener in listeners:
            closing.enter_context(listener)
        figures = _listen(*chosen.metrics, 1, taken="metrics_port_taken") if chosen.metrics else []
        if figures:
            closing.enter_context(figures[0])
            os.environ[FIGURES] = closing.enter_context(TemporaryDirectory(prefix="weihai-layout-"))
        verify = VerifyAside(chosen.home)
        # Imported while another process reads the release.
        from scripts.supervisor import Supervisor, WorkerSlot, make_metrics_server

        if workers > 1:
            deferred.load_libraries()  # so that they share it
        make = _bring(chosen, verify)
        slots = [WorkerSlot(number, one, make) for number, one in enumerate(listeners)]
        count = partial(make_metrics_server, chosen)
        slots += [
            WorkerSlot(workers + number, one, count, serves=False) for number, one in enumerate(figures)
        ]
        announce = partial(_announce, address(host, listeners[0].getsockname()[1]), no_browser=no_browser)
        _allow_connections()
        code = Supervisor(slots, announce, _forget_figures if figures else None).run()
    say("stopped")
    return code


class VerifyAside:
    """Has another process look through the live release of a home while this one goes on.

    Called with a release, it raises as :meth:`~layers.store.Release.verify` does.
    """

    def __init__(self, home: Path) -> None:
        self._release: Release | None = None
        if sys.platform != "linux":  # nowhere else is it safe to fork, and worth it
            return
        with suppress(BrokenReleaseError, HomeError):  # who asks for the release says it
            self._release = read_current(home)
        if self._release is not None:
            self._process = get_context("fork").Process(target=_verify, args=(self._release,), daemon=True)
            self._process.start()

    def __call__(self, release: Release) -> None:
        """Return once the release is known to be whole."""
        if release == self._release:
            self._process.join()
            if self._process.exitcode == 0:
                return
        release.verify()


def _verify(release: Release) -> None:
    try:
        release.verify()
    except (BrokenReleaseError, KeyboardInterrupt):
        sys.exit(1)


def _bring(chosen: Settings, verify: VerifyAside) -> Make:
    """Make the live release ready and return what makes a worker's server, or end after saying why not."""
    # Imported while another process reads the release.
    from scripts.postgis_sync import Admission, Outcome, bring
    from scripts.supervisor import make_server
    from webmap.publish import hash_code

    admission = Admission(chosen, patient=True)
    release = live_release(chosen, admission, verify)
    last = read_last(chosen.home)  # a release of the inputs there are now: of this code
    code = last.act.code if last and last.release == release.id else hash_code()
    outcome = admission.outcome or bring(chosen, release)
    if outcome is Outcome.REFUSED:
        raise click.exceptions.Exit(1)
    return partial(make_server, chosen, code, waiting=outcome is Outcome.DOWN)


def _announce(url: str, *, no_browser: bool) -> None:
    say("ready", url=url)
    say("stop_hint")
    if not no_browser and can_open_browser():
        webbrowser.open(url)


def _forget_figures(pid: int) -> None:
    from webmap.metrics import forget_worker

    forget_worker(pid)


def _allow_connections() -> None:
    """Let this process and its workers open as many files as the system allows: a connection is one."""
    if sys.platform != "win32":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        if (room := count_connections()) < CONNECTIONS:
            warn("doctor_files_few", most=most, connections=room)


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


def _listen(host: str, port: int, workers: int, taken: str = "port_taken") -> list[socket.socket]:
    """Take the port before the build, so that a taken one is said at once, and ends the command."""
    try:
        return listen(host, port, workers)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            example = port + 1 if port < MAX_PORT else port - 1
            warn(taken, host=host, port=port, example=example)
        else:
            warn("cannot_bind", host=host, port=port, reason=error.strerror or error)
        raise click.exceptions.Exit(1) from error
