"""What is heavy is made in children: bounded in number, time and memory, and nobody else waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from layers.store import BrokenReleaseError, Release
from tests.webmap.conftest import serving
from webmap import export_worker, limiter
from webmap.app import create_app
from webmap.export_worker import ChildJob, ChildLimits, ExportWorker
from webmap.file_cache import FileCache
from webmap.problems import BusyError, FailedError, FullError, TooCostlyError
from webmap.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
MAKER = "tests.webmap.odd_child:make"
PARENT = f"""
import sys
from pathlib import Path
from webmap.export_worker import *
worker = ExportWorker(FileCache(Path(sys.argv[1]), 10**6), ChildLimits(at_once=1))
worker.get((sys.argv[2],), ChildJob("{MAKER}", sys.argv[2].encode()))
"""


def worker_in(folder: Path, limits: ChildLimits | None = None) -> ExportWorker:
    return ExportWorker(FileCache(folder, 10**8), limits)


def job(line: str) -> ChildJob:
    return ChildJob(MAKER, line.encode())


def left_in(folder: Path) -> list[str]:
    return [path.name for path in (folder / "files").iterdir()]


def wait_for(met: Callable[[], Any]) -> Any:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = met()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("grow 900000000", TooCostlyError),
        ("die SIGKILL", TooCostlyError),
        ("die SIGABRT", TooCostlyError),
        ("raise broken", BrokenReleaseError),
        ("raise", FailedError),
    ],
)
def test_a_child_that_ends_badly_is_an_answer_and_leaves_nothing(
    tmp_path: Path, line: str, error: type[Exception]
) -> None:
    worker = worker_in(tmp_path, ChildLimits(memory_bytes=400_000_000))
    with pytest.raises(error):
        worker.get(("a",), job(line))
    assert left_in(tmp_path) == []
    assert worker.get(("a",), job("write")) == b"made"


def test_where_the_disk_of_the_cache_is_full_files_are_made_elsewhere_and_not_kept(tmp_path: Path) -> None:
    worker = worker_in(tmp_path / "home")
    for _ in range(2):
        assert worker.get(("a",), job(f"fill {tmp_path / 'home'}")) == b"made"
    assert left_in(tmp_path / "home") == []
    with pytest.raises(FullError):
        worker.get(("b",), job("fill /"))
    assert worker.get(("b",), job("write")) == b"made"


def test_a_child_within_its_memory_makes_its_file(tmp_path: Path) -> None:
    worker = worker_in(tmp_path, ChildLimits(memory_bytes=400_000_000))
    assert len(worker.get(("a",), job("grow 50000000"))) == 50_000_000


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    worker, told = worker_in(tmp_path, ChildLimits(seconds=8)), tmp_path / "pid"
    with pytest.raises(TooCostlyError):
        worker.get(("a",), job(f"sleep {told}"))
    assert not is_running(int(told.read_text()))
    assert left_in(tmp_path) == []


def test_children_go_with_their_parent_and_free_their_place(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), f"sleep {told}"], cwd=ROOT)
    pid = int(wait_for(lambda: told.exists() and told.read_text()))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_for(lambda: not is_running(pid))
    assert worker_in(tmp_path, ChildLimits(at_once=1)).get(("other",), job("write")) == b"made"


def test_all_processes_share_one_pool(tmp_path: Path) -> None:
    log = tmp_path / "log"
    asked = [f"log {log}{' ' * number}" for number in range(4)]  # each a file of its own
    parents = [
        subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), one], cwd=ROOT) for one in asked
    ]
    assert [one.wait() for one in parents] == [0] * 4
    assert log.read_text().split() == ["+", "-"] * 4


def test_who_finds_no_place_is_asked_to_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_worker, "PATIENCE_S", 0.1)
    worker, told = worker_in(tmp_path, ChildLimits(at_once=1, seconds=8)), tmp_path / "pid"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(worker.get, ("a",), job(f"sleep {told}"))
        wait_for(told.exists)
        with pytest.raises(BusyError):
            worker.get(("b",), job("write"))
        assert isinstance(first.exception(), TooCostlyError)


def test_answers_of_which_nothing_is_kept_leave_a_place_to_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two long joins would hold both places of a pool for minutes."""
    monkeypatch.setattr(export_worker, "PATIENCE_S", 0.3)
    worker, told = worker_in(tmp_path), tmp_path / "pid"
    with ThreadPoolExecutor() as threads:
        long = threads.submit(worker.answer, job(f"sleep {told}"), 60)
        wait_for(told.exists)
        with pytest.raises(BusyError):
            worker.answer(job("write"), 60)
        assert worker.get(("a",), job("write")) == b"made"
        os.kill(int(told.read_text()), signal.SIGKILL)
        with pytest.raises(TooCostlyError):
            long.result()
    assert worker_in(tmp_path / "one", ChildLimits(at_once=1)).answer(job("write"), 60) == b"made"
    assert (worker.running, worker.waiting) == (0, 0)


@pytest.mark.parametrize("path", ["/zones/gaoqu.pdf", "/print/belts.png", "/data/zones.gpkg?crs=EPSG:4550"])
def test_a_memory_limit_on_children_is_a_clean_answer(release: Release, tmp_path: Path, path: str) -> None:
    client = create_app(release, Settings(tmp_path, export_megabytes=60)).test_client()
    answer = client.get(path, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"]
    assert left_in(tmp_path / "cache") == []
    page = client.get(path, headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (503, "text/html")


def test_what_is_made_by_a_child_does_not_burden_the_process(release: Release, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from layers.store import Release;"
        "from webmap.app import create_app; from webmap.settings import Settings;"
        "app = create_app(Release(Path(sys.argv[1]), sys.argv[2]), Settings(Path(sys.argv[3])));"
        "client = app.test_client();"
        "paths = ['/zones/gaoqu.pdf', '/print/belts.svg', '/og/gaoqu.png', '/data/towns.gpkg?crs=EPSG:4550'];"
        "print([client.get(path).status_code for path in paths]);"
        "print([one for one in ('typst', 'pyogrio', 'pyarrow', 'geopandas') if one in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(release.folder), release.manifest_sha256, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, check=True, text=True, cwd=ROOT)
    assert done.stdout == "[200, 200, 200, 200]\n[]\n"


def ask(address: str) -> tuple[int, str | None]:
    try:
        with urllib.request.urlopen(address, timeout=120) as answer:
            answer.read()
            return answer.status, None
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Retry-After"]


class Watched:
    """Counts the children that are made, and those that are there at the same time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, hold: threading.Event | None = None) -> None:
        self.made, self.most, self._now = 0, 0, 0
        self._lock, self._hold, self._run = threading.Lock(), hold, export_worker.run_child
        monkeypatch.setattr(export_worker, "run_child", self)

    def __call__(self, *given: Any) -> None:
        with self._lock:
            self.made, self._now = self.made + 1, self._now + 1
            self.most = max(self.most, self._now)
        if self._hold:
            self._hold.wait(60)
        try:
            self._run(*given)
        finally:
            with self._lock:
                self._now -= 1


def test_the_same_sheet_asked_for_twenty_times_is_made_once_and_keeps_nobody_from_other_files(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = threading.Event()
    monkeypatch.setattr(export_worker, "PATIENCE_S", 120)
    watched = Watched(monkeypatch, hold)
    with serving(release, Settings(tmp_path)) as site, ThreadPoolExecutor(20) as pool:
        asking = [pool.submit(ask, f"{site}/zones/gaoqu.pdf") for _ in range(20)]
        wait_for(lambda: watched.made)
        for path in ("/healthz", "/zones/gaoqu", "/zones/gaoqu.json"):
            assert ask(f"{site}{path}") == (200, None)
        hold.set()
        assert ask(f"{site}/data/clauses.csv?filter=id%3D%271%27") == (200, None)
        assert {one.result() for one in asking} == {(200, None)}
    assert watched.made == 2


def test_who_waits_for_a_file_of_another_shares_its_end_and_its_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_worker, "SHARING", 1)
    worker, hold = worker_in(tmp_path), threading.Event()
    watched = Watched(monkeypatch, hold)
    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(worker.get, ("a",), job("raise")) for _ in range(2)]
        wait_for(lambda: watched.made and worker._sharing._admitted._value == 0)
        with pytest.raises(BusyError):
            worker.get(("a",), job("raise"))
        hold.set()
        assert [type(one.exception()) for one in asking] == [FailedError] * 2
    assert watched.made == 1
    assert worker.get(("a",), job("write")) == b"made"


def test_fifty_exports_at_once_are_made_two_at_a_time_and_light_pages_answer(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold = threading.Event()
    monkeypatch.setattr(export_worker, "PATIENCE_S", 120)
    watched = Watched(monkeypatch, hold)
    with serving(release, Settings(tmp_path)) as site, ThreadPoolExecutor(50) as pool:
        paths = [f"/data/clauses.csv?filter=id%3D%27{number}%27" for number in range(50)]
        asking = [pool.submit(ask, f"{site}{path}") for path in paths]
        wait_for(lambda: sum(one.done() for one in asking) == 50 - limiter.MAKING)
        for path in ("/healthz", "/", "/ogc/collections/zones/items?f=json"):
            assert ask(f"{site}{path}") == (200, None)
        hold.set()
        answers = Counter(one.result() for one in asking)
    assert answers == {(200, None): limiter.MAKING, (503, "10"): 50 - limiter.MAKING}
    assert (watched.made, watched.most) == (limiter.MAKING, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("CACHE_MB", "-1"), ("EXPORTS", "0"), ("EXPORT_MB", "1e3"), ("EXPORTS", "65"), ("CACHE_MB", "9" * 30)],
)
def test_a_limit_that_is_none_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"WEIHAI_LAYOUT_{name}") as refused:
        read_settings({f"WEIHAI_LAYOUT_{name}": value})
    assert value in str(refused.value)


def test_limits_are_read_from_the_environment() -> None:
    given = {"WEIHAI_LAYOUT_CACHE_MB": "5", "WEIHAI_LAYOUT_EXPORTS": "3", "WEIHAI_LAYOUT_EXPORT_MB": "0"}
    settings = read_settings(given)
    assert (settings.cache_megabytes, settings.exports, settings.export_megabytes) == (5, 3, 0)


def test_a_child_depends_on_no_folder_of_whoever_runs_it(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its libraries read settings of a user; a service's may be closed, or hold anything."""
    own = tmp_path / ".config" / "ezdxf"
    own.mkdir(parents=True)
    (own / "ezdxf.ini").write_text("no settings")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    client = create_app(release, Settings(tmp_path / "home")).test_client()
    assert client.get("/data/gateways.dxf?crs=EPSG:4549").status_code == 200
