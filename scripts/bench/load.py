"""The servers that are measured, as processes, and the load that ``wrk`` puts on them; PostgreSQL too.

``python -m scripts.bench.load ours HOME PORT`` serves the live release of a home folder, whatever is in
it; ``constant PORT`` answers ``/<n>`` with n bytes, from the same server with the same settings.

PostgreSQL with PostGIS lies in a temporary folder and listens on a socket in it only: nothing of the
machine's own servers is touched. Root may not run it, so it runs as Debian's ``postgres`` then.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from random import SystemRandom
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import psycopg

from layers.store import Release, read_current
from scripts.supervisor import Supervisor, WorkerSlot, make_server
from webmap.publish import hash_code
from webmap.server import Server
from webmap.settings import Settings
from webmap.sockets import listen

INSTALLED = Path("/usr/lib/postgresql")  # where Debian keeps each version's programs
EXTENSIONS = Path("/usr/share/postgresql")
START_S = 30
FAST = {  # nothing here has to survive a crash
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "autovacuum": "off",  # loading analyses what it loaded
    "lc_messages": "C",
}


def find_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL that has PostGIS, or None."""
    versions = [path.parent.parent for path in INSTALLED.glob("*/bin/initdb")]
    usable = [path for path in versions if (EXTENSIONS / path.name / "extension/postgis.control").exists()]
    newest = max(usable, key=lambda path: float(path.name), default=None)
    return newest / "bin" if newest else None


class DatabaseCluster:
    """One server: :meth:`start` and :meth:`stop` it as often as you like, its data stay."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        found = find_programs()
        if found is None:
            raise FileNotFoundError(
                "postgresql, postgresql-postgis: 未安装 / not installed (apt-get install)"
            )
        self._programs = found
        self.folder = folder
        self._settings = FAST | (settings or {})
        self._server: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {"cwd": folder}
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            self.user = "postgres"
            account = pwd.getpwnam(self.user)
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._as |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def create(self) -> None:
        """Make the data folder, with PostGIS in every database that is created later."""
        initdb = [str(self._programs / "initdb"), "-D", "data", "-U", self.user, "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--no-locale", "--no-sync"], check=True, capture_output=True, **self._as)
        self.start()
        with psycopg.connect(self.url("template1"), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION postgis")

    def start(self) -> None:
        """Start, and return when connections are answered."""
        command = [str(self._programs / "postgres"), "-D", "data", "-k", str(self.folder)]
        command += [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, **self._as)
        end = time.monotonic() + START_S
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop, cutting every connection off; by SIGQUIT at once, and the data may be lost."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait()
            self._server = None

    def url(self, database: str = "postgres", user: str | None = None) -> str:
        """Return the address of one database."""
        return f"postgresql:///{database}?host={self.folder}&user={user or self.user}"

    def new_database(self, name: str) -> str:
        """Create an empty database with PostGIS and return its address."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url("template1")):
            return True
        return False


@contextmanager
def temporary_cluster(settings: dict[str, str] | None = None) -> Iterator[DatabaseCluster]:
    """Run a server for as long as the block lasts, then remove it with its data."""
    folder = Path(tempfile.mkdtemp(prefix="layout-postgis-"))
    try:
        cluster = DatabaseCluster(folder, settings)
        try:
            cluster.create()
            yield cluster
        finally:
            cluster.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


Result = dict[str, object]
TIMEOUT_S = 60


def live_at(home: Path) -> Release:
    """Return the live release below `home`; raises FileNotFoundError where there is none."""
    release = read_current(home)
    if release is None:
        raise FileNotFoundError(f"{home}: 先生成发布版 / build a release first")
    return release


def ask(url: str) -> int:
    """Return the status of an answer read to its end, an error's too; 0 where there is none."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own server
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return 0


def wait_for(ready: Callable[[], bool], seconds: float = 60) -> None:
    """Return when `ready`; raises TimeoutError after `seconds`."""
    end = time.perf_counter() + seconds
    while not ready():
        if time.perf_counter() > end:
            raise TimeoutError("服务未启动 / the server did not start")
        time.sleep(0.005)


PORTS = range(20_000, 30_000)  # below those that systems give to connections


def free_port() -> int:
    """Return a port that nobody listens on now, and that no connection is given before it is used."""
    while True:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port := SystemRandom().choice(PORTS)))
            return port


CONNECTIONS = 8
# Each run begins elsewhere in the list, so that no run asks what another left in a cache.
SCRIPT = """
local paths, at = {}, tonumber(os.getenv("BENCH_START"))
for line in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = line end
wrk.headers["Accept-Encoding"] = os.getenv("BENCH_ENCODING")
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
"""


def find_wrk() -> str:
    """Return the program; raises FileNotFoundError, saying how to get it."""
    found = shutil.which("wrk")
    if found is None:
        raise FileNotFoundError("wrk: 未安装 / not installed: apt-get install wrk")
    return found


class Load:
    """Runs of one list of paths; `folder` takes the list and the script."""

    def __init__(self, folder: Path, name: str, paths: Iterable[str], encoding: str = "identity") -> None:
        self._encoding = encoding
        self._script = folder / "paths.lua"
        self._script.write_text(SCRIPT, encoding="utf-8")
        self._paths = folder / f"{name}.txt"
        lines = list(paths)
        self._paths.write_text("\n".join(lines), encoding="utf-8")
        self._count = len(lines)
        self._start = 0

    def run(self, base: str, seconds: int, *, strict: bool = True) -> float:
        """Return the good answers a second; where `strict`, raises RuntimeError if one is an error."""
        command = [find_wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
        env = {"BENCH_PATHS": str(self._paths), "BENCH_START": str(self._start)}
        env["BENCH_ENCODING"] = self._encoding
        said = subprocess.run(
            [*command, "-s", str(self._script), base], env=env, check=True, capture_output=True, text=True
        ).stdout
        asked, rate = re.search(r"(\d+) requests in", said), re.search(r"Requests/sec:\s+([\d.]+)", said)
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
        if not asked or not rate or (strict and bad):
            raise RuntimeError(said)
        self._start = (self._start + int(asked[1]) + CONNECTIONS) % self._count
        good = 1 - int(bad[1]) / int(asked[1]) if bad else 1.0
        return float(rate[1]) * good


WORKERS = 2
HOST = "127.0.0.1"


@dataclass
class Served:
    """A running server: its address, and the supervisor's process."""

    base: str
    process: subprocess.Popen[bytes]

    def workers(self) -> list[int]:
        """Return the processes that serve."""
        pid = self.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


@contextmanager
def running(*module: str, probe: str, environ: Mapping[str, str] = {}) -> Iterator[Served]:
    """Run a module with its arguments, of which the last is the port; yields once `probe` is answered."""
    port = free_port()
    base = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", *module, str(port)]
    env = {**os.environ, **environ}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sys.stderr, env=env) as process:
        try:
            wait_for(lambda: ask(base + probe) == HTTPStatus.OK)
            yield Served(base, process)
        finally:
            process.terminate()


def serving_home(
    home: Path, workers: int = WORKERS, environ: Mapping[str, str] = {}
) -> AbstractContextManager[Served]:
    """Run ``weihai-layout serve`` for as long as the block lasts."""
    command = ("scripts.cli", "serve", "--no-browser", "--workers", str(workers), "--home", str(home))
    return running(*command, "--port", probe="/healthz", environ=environ)


def measure_mb(workers: list[int]) -> float:
    """Return the resident set of the greatest of some processes, MB."""
    texts = (Path(f"/proc/{pid}/status").read_text(encoding="ascii") for pid in workers)
    return max(int(text.partition("VmRSS:")[2].split()[0]) for text in texts) / 1000


def make_constant(_: int) -> Server:
    """Return the server that answers ``/<n>`` with n bytes."""

    @cache
    def body(path: str) -> bytes:
        return b"0" * int(path)

    def app(environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        found = body(environ["PATH_INFO"][1:])
        start("200 OK", [("Content-Type", "application/geo+json"), ("Content-Length", str(len(found)))])
        return [found]

    return Server(app, {}, postpones=True)  # nothing takes time


def main(what: str, *rest: str) -> None:
    """Serve until stopped."""
    make = partial(make_server, Settings(Path(rest[0])), hash_code()) if what == "ours" else make_constant
    listeners = listen(HOST, int(rest[-1]), WORKERS)
    slots = [WorkerSlot(number, listener, make) for number, listener in enumerate(listeners)]
    Supervisor(slots, lambda: None).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
