"""The server as its operator runs it: slow crowds, deaths of its processes, homes only to be read."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families as parse

from layers.history import Act, read_last, record
from layers.store import Release
from scripts.bench.load import free_port
from scripts.cli import main
from scripts.commands.common import try_release
from webmap.app import create_app
from webmap.publish import hash_code
from webmap.settings import Settings

ROOT = Path(__file__).parent.parent.parent
WAIT_S = 60  # what does not come by then never comes
LIGHT = [
    "/healthz",
    "/readyz",
    "/?lang=zh",
    "/zones/lingang",
    "/search.json?q=港",
    "/lookup?lon=122.1&lat=37.4",
]
NOBODY = 65534


@dataclass
class Served:
    """A running server with what it says on standard error and output."""

    process: subprocess.Popen[str]
    url: str
    said: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)  # on standard output

    @property
    def port(self) -> int:
        port = urlsplit(self.url).port
        assert port
        return port

    def workers(self) -> list[int]:
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def ask(self, path: str) -> int:
        address = self.url + urllib.request.quote(path[1:], safe="/?&=.")  # type: ignore[attr-defined]
        with urllib.request.urlopen(address, timeout=WAIT_S) as answer:
            assert answer.read()
            return int(answer.status)

    def read_release(self) -> str:
        with urllib.request.urlopen(f"{self.url}healthz", timeout=WAIT_S) as answer:
            found: str = json.loads(answer.read())["release"]
        return found

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S)


@contextlib.contextmanager
def serving(home: Path, workers: int, files: str = "", **environ: str) -> Iterator[Served]:
    """Run ``weihai-layout serve`` for as long as the block lasts; `environ` goes before what is set.

    It may open so many `files`, where that is said.
    """
    command = ["prlimit", f"--nofile={files}"] if files else []
    command += [sys.executable, "-m", "scripts.cli", "serve", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        [*command, "--workers", str(workers), "--home", str(home)],
        cwd=ROOT,
        env=os.environ | environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout
        assert process.stderr
        served = Served(process, process.stdout.readline().split()[-1])
        listening = [
            threading.Thread(target=lines.extend, args=(stream,), daemon=True)
            for lines, stream in ((served.said, process.stderr), (served.told, process.stdout))
        ]
        for one in listening:
            one.start()
        try:
            yield served
        finally:
            process.kill()
            process.wait()
            for one in listening:
                one.join(WAIT_S)


@pytest.fixture(params=[1, 2])
def served(request: pytest.FixtureRequest, home: Path, release: Release) -> Iterator[Served]:
    with serving(home, request.param) as running:
        yield running


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    with contextlib.suppress(OSError):
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_slow_and_idle_clients_keep_nobody_waiting(served: Served) -> None:
    starts = (
        [b""] * 300
        + [b"GET /data/plan.gpkg HTTP/1.1\r\nHost: here\r\n\r\n"] * 60  # never read
        + [b"GET / HTTP/1.1\r\nHost: here\r\nX-A: "] * 40
        + [b"POST /lookup HTTP/1.1\r\nHost: here\r\nContent-Length: 9000\r\n\r\n{"] * 40
    )
    with contextlib.ExitStack() as stack:
        crowd = []
        for start in starts:
            one = stack.enter_context(served.connect())
            one.sendall(start)
            crowd.append(one)
        for path in LIGHT:
            assert served.ask(path) == 200
        for one in crowd[-80:]:
            one.sendall(b"a")  # they are all still there
        assert [served.ask(path) for path in LIGHT] == [200] * len(LIGHT)
        body = b'{"type":"Point"}'
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(f"{served.url}lookup", body, timeout=WAIT_S)


def test_what_is_sent_to_nowhere_is_refused_before_it_is_read(served: Served) -> None:
    with served.connect() as sender:
        sender.sendall(b"POST /nowhere HTTP/1.1\r\nHost: here\r\nContent-Length: 300000000\r\n\r\n")
        answer = sender.recv(4000).lower()
        assert answer.startswith(b"http/1.1 413 ")
        assert b"\r\ncache-control: no-store\r\n" in answer


def test_a_worker_that_dies_is_replaced_however_often_and_the_reason_said(served: Served) -> None:
    for deaths in range(1, 4):
        gone = served.workers()[-1]
        os.kill(gone, signal.SIGKILL)
        wait_until(lambda: sum("SIGKILL" in line for line in served.said) == 2 * deaths)  # noqa: B023 - now
        wait_until(lambda: gone not in served.workers() and bool(served.workers()))  # noqa: B023 - now
        assert [served.ask("/healthz") for _ in range(10)] == [200] * 10
    assert served.process.poll() is None
    assert any("Worker" in line and re.search(r"\b[1-9]\d* s\.", line) for line in served.said)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_no_worker_outlives_the_supervisor(served: Served, end: signal.Signals) -> None:
    workers = served.workers()
    assert workers
    assert all(map(is_running, workers))
    served.process.send_signal(end)
    served.process.wait(WAIT_S)
    wait_until(lambda: not any(map(is_running, workers)))
    with pytest.raises(ConnectionRefusedError):
        served.connect()


def test_few_descriptors_are_said_and_are_not_taken_by_an_idle_crowd(home: Path, release: Release) -> None:
    with serving(home, 1, files="64") as served, contextlib.ExitStack() as stack:
        for _ in range(120):
            stack.enter_context(served.connect())
        assert [served.ask(path) for path in LIGHT] == [200] * len(LIGHT)
    assert any("Only 64 files" in line and "at most 16 connections" in line for line in served.said)


def test_a_request_under_way_is_answered_when_the_server_is_told_to_stop(served: Served) -> None:
    with served.connect() as sender:
        sender.sendall(b"POST /lookup HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{")
        served.ask("/healthz")
        served.process.send_signal(signal.SIGTERM)
        sender.settimeout(1)
        with pytest.raises(TimeoutError):  # neither answered nor cut off
            sender.recv(1)
        sender.settimeout(WAIT_S)
        sender.sendall(b"}")
        assert sender.recv(100).startswith(b"HTTP/1.1 4")
    assert served.process.wait(WAIT_S) == 0


def test_a_request_sent_just_before_the_end_is_answered(served: Served) -> None:
    with contextlib.ExitStack() as stack:
        fresh = [stack.enter_context(served.connect()) for _ in range(40)]  # none has asked for anything yet
        served.ask("/healthz")
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not accepts(served))
        for one in fresh:
            one.sendall(b"GET /zones/gaoqu.json HTTP/1.1\r\nHost: here\r\n\r\n")
        for one in fresh:
            answer = read_all(one)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in answer.lower()
    assert served.process.wait(WAIT_S) == 0


def read_all(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_workers_are_exchanged_without_a_dropped_request(served: Served) -> None:
    before, ended = set(served.workers()), threading.Event()
    statuses: list[int] = []

    def ask_on() -> None:
        while not ended.is_set():
            statuses.append(served.ask("/zones/gaoqu.json"))  # raises where the connection is cut

    with ThreadPoolExecutor(4) as pool, served.connect() as sender:
        sender.sendall(b"POST /lookup HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{")
        asking = [pool.submit(ask_on) for _ in range(4)]
        try:
            served.process.send_signal(signal.SIGHUP)
            wait_until(lambda: any("new workers" in line for line in served.told))
            sender.sendall(b"}")  # to one that has long been told to stop
            assert sender.recv(100).startswith(b"HTTP/1.1 4")
            wait_until(lambda: before.isdisjoint(served.workers()))
        finally:
            ended.set()
        for one in asking:
            one.result()
    assert len(statuses) > 0
    assert set(statuses) == {200}
    assert len(served.workers()) == len(before)
    assert served.process.poll() is None


def test_an_upgrade_while_serving_costs_no_request(shared: Path, release: Release) -> None:
    """The steps of the guide: a build by other code, the new server beside the old one, the old one's end."""
    found = Release(shared / "releases" / release.id, release.manifest_sha256)
    ended, statuses, moved = threading.Event(), Counter[int](), set[int]()

    with serving(shared, 1) as old, ThreadPoolExecutor(3) as pool:
        asked = [old]  # where the proxy leads to: the last

        def ask_on() -> None:
            while not ended.is_set():
                if len(asked) > 1:
                    moved.add(threading.get_ident())
                for path in ("/zones/gaoqu.json", "/ogc/collections/zones/items?limit=3", "/plan?lang=en"):
                    statuses[asked[-1].ask(path)] += 1  # raises where the connection is refused or cut

        asking = [pool.submit(ask_on) for _ in range(3)]
        try:
            record(shared, found, Act("build", "upgraded", "other code"))
            wait_until(lambda: any("made by other code" in line for line in old.said))
            assert old.read_release() == release.id
            record(shared, found, Act("build", release.id, hash_code()))
            with serving(shared, 1) as new:
                new.ask("/readyz")
                asked.append(new)
                wait_until(lambda: len(moved) == len(asking) or any(one.done() for one in asking))
                old.process.terminate()
                assert old.process.wait(WAIT_S) == 0
                ended.set()
                for one in asking:
                    one.result()
        finally:
            ended.set()
    assert set(statuses) == {200}


def test_figures_are_added_up_over_workers_and_forget_those_that_ended(home: Path, release: Release) -> None:
    figures = f"127.0.0.1:{free_port()}"
    with serving(home, 2, WEIHAI_LAYOUT_METRICS=figures) as served:
        for _ in range(8):
            served.ask("/zones/gaoqu.json")
            served.ask("/ogc/collections/zones/items/gaoqu")
        with contextlib.suppress(urllib.error.HTTPError):
            served.ask("/nowhere/at/all")

        def read() -> dict[str, float]:
            text = urllib.request.urlopen(f"http://{figures}/metrics", timeout=WAIT_S).read().decode()
            return {one.name + str(one.labels): one.value for row in parse(text) for one in row.samples}

        def count(route: str, status: str = "200") -> float:
            labels = {"method": "GET", "route": route, "status": status}
            return read().get(f"weihai_layout_requests_total{labels}", 0)

        wait_until(lambda: count("none", "404") == 1)
        wait_until(lambda: count("/zones/<place_id>.json") == 8)
        wait_until(lambda: count("/ogc/collections/<collection>/items/<feature>") == 8)
        found, last = read(), read_last(home)
        assert last
        label = {"route": "/zones/<place_id>.json"}
        assert found[f"weihai_layout_request_seconds_count{label}"] == 8
        serving_it = f"weihai_layout_workers{ {'release': release.id} }"
        wait_until(lambda: read()[serving_it] == 2)
        assert found[f"weihai_layout_store_up{ {'store': 'memory'} }"] == 1
        live = {"publication": str(last.number), "release": release.id}
        assert found[f"weihai_layout_release_info{live}"] == 1
        for name in ("cache_bytes", "children", "requests_waiting", "faults"):
            assert f"weihai_layout_{name}{{}}" in found
        served.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any("new workers" in line for line in served.told))
        wait_until(lambda: read()[serving_it] == 2)
        assert count("/zones/<place_id>.json") == 8  # what was counted stays


def test_a_port_for_figures_that_is_taken_is_said_at_once(
    home: Path, release: Release, monkeypatch, capsys
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("WEIHAI_LAYOUT_METRICS", str(port))
        assert main(["serve", "--port", "0", "--no-browser", "--home", str(home)]) == 1
    assert f"Port {port} on 127.0.0.1, for figures, is in use" in capsys.readouterr().err


def test_who_connected_to_a_worker_that_only_starts_is_answered_when_the_server_is_told_to_stop() -> None:
    program = (
        "import sys, time\n"
        "from scripts.supervisor import Supervisor, WorkerSlot\n"
        "from webmap.server import Server\nfrom webmap.sockets import listen\n"
        "def app(environ, start):\n"
        "    start('200 OK', [])\n"
        "    return [b'well']\n"
        "def make(number):\n"
        "    time.sleep(2 * number)\n"
        "    return Server(app, {})\n"
        "listeners = listen('127.0.0.1', 0, 2)\n"
        "slots = [WorkerSlot(number, one, make) for number, one in enumerate(listeners)]\n"
        "port = listeners[0].getsockname()[1]\n"
        "sys.exit(Supervisor(slots, lambda: print(port, flush=True)).run())\n"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = int(process.stdout.readline())
        with contextlib.ExitStack() as stack:
            senders = []
            for _ in range(20):  # the system shares them out among both
                one = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=WAIT_S))
                one.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
                senders.append(one)
            process.send_signal(signal.SIGTERM)
            answers = [one.recv(100) for one in senders]
        assert all(one.startswith(b"HTTP/1.1 200 ") for one in answers)
        assert process.wait(WAIT_S) == 0


def test_a_second_signal_waits_for_nobody(served: Served) -> None:
    with served.connect() as sender:
        sender.sendall(b"POST /lookup HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{")
        served.ask("/healthz")
        workers = served.workers()
        served.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not served.process.poll() and not accepts(served))
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(WAIT_S) == 0
        assert not any(map(is_running, workers))


def accepts(served: Served) -> bool:
    return accepts_at(served.port)


def accepts_at(port: int) -> bool:
    with contextlib.suppress(ConnectionError):
        socket.create_connection(("127.0.0.1", port), timeout=WAIT_S).close()
        return True
    return False


def test_a_second_server_on_the_port_is_told_so_at_once(served: Served, home: Path) -> None:
    command = [sys.executable, "-m", "scripts.cli", "serve", "--no-browser", "--port", str(served.port)]
    second = subprocess.run(
        [*command, "--workers", "2", "--home", str(home)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert f"Port {served.port} on 127.0.0.1 is in use" in second.stderr


def test_where_no_worker_can_start_the_reason_is_said() -> None:
    program = (
        "import sys\n"
        "from scripts.supervisor import Supervisor, WorkerSlot\n"
        "from webmap.sockets import listen\n"
        "def make(number): raise ValueError('no such thing')\n"
        "slots = [WorkerSlot(0, one, make) for one in listen('127.0.0.1', 0, 2)]\n"
        "sys.exit(Supervisor(slots, lambda: print('ready')).run())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=WAIT_S, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "ValueError: no such thing" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.fixture
def shared(home: Path, release: Release) -> Iterator[Path]:
    """A home that everybody may read, and only its owner write."""
    with tempfile.TemporaryDirectory(prefix="weihai-home-") as name:
        folder = Path(name) / "home"
        shutil.copytree(release.folder, folder / "releases" / release.id)
        found = Release(folder / "releases" / release.id, release.manifest_sha256)
        record(folder, found, Act("build", release.id, hash_code()))
        Path(name).chmod(0o755)
        yield folder
        subprocess.run(["chmod", "-R", "u+w", name], check=True)


@contextlib.contextmanager
def as_reader(folder: Path) -> Iterator[None]:
    """Be a user who may read a folder, but not write there."""
    subprocess.run(["chmod", "-R", "a-w,a+rX", str(folder)], check=True)
    owner = os.geteuid()
    if owner == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(owner)


def test_a_home_that_is_only_to_be_read_is_served_as_it_is(shared: Path, release: Release, capsys) -> None:
    with as_reader(shared):
        found = try_release(Settings(shared))
        assert found is not None
        assert found.id == release.id
        client = create_app(found, Settings(shared)).test_client()
        statuses = {path: client.get(path).status_code for path in [*LIGHT, "/changes", "/data/zones.csv"]}
    assert set(statuses.values()) == {200}, statuses
    said = capsys.readouterr().err
    assert "cannot be written" in said
    assert "There is no release" not in said


def test_a_home_only_to_be_read_without_a_release_to_use_is_refused_with_the_reason(
    shared: Path, release: Release, capsys
) -> None:
    stained = shared / "releases" / release.id / "data" / "zones.geojson"
    stained.write_bytes(stained.read_bytes()[:500])
    with as_reader(shared):
        assert try_release(Settings(shared)) is None
    said = capsys.readouterr().err
    assert "data/zones.geojson" in said
    assert "weihai-layout build --home" in said


def test_a_home_only_to_be_read_of_other_code_is_refused_with_the_reason(
    shared: Path, release, capsys
) -> None:
    record(
        shared, Release(shared / "releases" / release.id, release.manifest_sha256), Act("build", "x", "other")
    )
    with as_reader(shared):
        assert try_release(Settings(shared)) is None
    assert f"release {release.id} was made by other code" in capsys.readouterr().err


@pytest.mark.parametrize("harm", ["gone", "cut", "folder"])
def test_a_server_is_not_ready_while_its_pages_cannot_be_read(
    shared: Path, release: Release, harm: str
) -> None:
    folder = shared / "releases" / release.id
    client: FlaskClient = create_app(Release(folder, release.manifest_sha256), Settings(shared)).test_client()
    assert client.get("/readyz").status_code == 200
    page = folder / "pages" / "zh" / "strings.json"
    if harm == "folder":
        folder.rename(folder.with_name("away"))
    elif harm == "gone":
        page.unlink()
    else:
        page.write_bytes(page.read_bytes()[:-1])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200
