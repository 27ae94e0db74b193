"""The servers that are measured, as processes, and the load that ``wrk`` puts on them.

``python -m scripts.bench.load ours HOME PORT`` serves the live release of a home folder, whatever is in
it; ``constant PORT`` answers ``/<n>`` with n bytes, from the same server with the same settings.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

from layers.store import Release, read_current
from scripts.supervisor import Supervisor, WorkerSlot, make_server
from webmap.publish import hash_code
from webmap.server import Server
from webmap.settings import Settings
from webmap.sockets import listen

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


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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
def running(*module: str, probe: str) -> Iterator[Served]:
    """Run a module with its arguments, of which the last is the port; yields once `probe` is answered."""
    port = free_port()
    base = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", *module, str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=sys.stderr) as process:
        try:
            wait_for(lambda: ask(base + probe) == HTTPStatus.OK)
            yield Served(base, process)
        finally:
            process.terminate()


def serving_home(home: Path, workers: int = WORKERS) -> AbstractContextManager[Served]:
    """Run ``weihai-layout serve`` for as long as the block lasts."""
    command = ("scripts.cli", "serve", "--no-browser", "--workers", str(workers), "--home", str(home))
    return running(*command, "--port", probe="/healthz")


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

    return Server(app, {})


def main(what: str, *rest: str) -> None:
    """Serve until stopped."""
    make = partial(make_server, Settings(Path(rest[0])), hash_code()) if what == "ours" else make_constant
    listeners = listen(HOST, int(rest[-1]), WORKERS)
    slots = [WorkerSlot(number, listener, make) for number, listener in enumerate(listeners)]
    Supervisor(slots, lambda: None).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
