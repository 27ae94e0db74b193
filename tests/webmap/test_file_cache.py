"""Files made on request: made once for all who ask, handed out whole, and kept within a bound of bytes."""

from __future__ import annotations

import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from layers.home import Standing, claim
from layers.store import Release
from tests.webmap.test_changes import clone
from webmap.app import create_app
from webmap.file_cache import FileCache, choose_folder
from webmap.problems import BusyError
from webmap.settings import Settings

ROOT = Path(__file__).parents[2]
PATIENCE_S = 30
MAKER = """
import sys, time
from pathlib import Path
from webmap.file_cache import FileCache

def make(path):
    with Path(sys.argv[2]).open("a") as log:
        log.write("made\\n")
    time.sleep(0.5)
    path.write_bytes(b"content")

assert FileCache(Path(sys.argv[1]), 1000).read_or_make(("atlas",), make, 30) == b"content"
"""


def writing(content: bytes, made: list[bytes] | None = None) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        if made is not None:
            made.append(content)
        path.write_bytes(content)

    return make


def test_a_file_is_made_once_for_each_key(tmp_path: Path) -> None:
    cache, made = FileCache(tmp_path, 1000), []  # type: tuple[FileCache, list[bytes]]
    for key in (("a", "b"), ("a", "b"), ("ab",), ("a", "b")):
        assert cache.read_or_make(key, writing(b"content", made), PATIENCE_S) == b"content"
    assert len(made) == 2


@pytest.mark.parametrize("at", [0, 3, -1])
def test_a_file_that_was_changed_on_disk_is_made_again(tmp_path: Path, at: int, caplog) -> None:
    key, made = ("a",), []  # type: tuple[tuple[str], list[bytes]]
    FileCache(tmp_path, 1000).read_or_make(key, writing(b"content", made), PATIENCE_S)
    (kept,) = (tmp_path / "files").iterdir()
    content = bytearray(kept.read_bytes())
    content[at] ^= 1
    kept.write_bytes(content)
    cache = FileCache(tmp_path, 1000)
    assert cache.read(key) is None
    assert "is damaged" in caplog.text
    assert cache.read_or_make(key, writing(b"content", made), PATIENCE_S) == b"content"
    kept.write_bytes(b"")
    assert cache.read_or_make(key, writing(b"content", made), PATIENCE_S) == b"content"
    assert (len(made), cache.measure()) == (3, (1, kept.stat().st_size))


def test_what_many_threads_ask_for_at_once_is_made_once(tmp_path: Path) -> None:
    made: list[int] = []

    def make(path: Path) -> None:
        made.append(1)
        time.sleep(0.2)
        path.write_bytes(b"content")

    with ThreadPoolExecutor(20) as pool:
        asking = [
            pool.submit(FileCache(tmp_path, 1000).read_or_make, ("a",), make, PATIENCE_S) for _ in range(20)
        ]
    assert {one.result() for one in asking} == {b"content"}
    assert made == [1]


def test_what_many_processes_ask_for_at_once_is_made_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-c", MAKER, str(tmp_path / "cache"), str(log)]
    asking = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [one.wait() for one in asking] == [0, 0, 0]
    assert log.read_text() == "made\n"


def test_who_waits_too_long_for_anothers_file_is_asked_to_come_back(tmp_path: Path) -> None:
    cache, begun, done = FileCache(tmp_path, 1000), threading.Event(), threading.Event()

    def make(path: Path) -> None:
        begun.set()
        done.wait(PATIENCE_S)
        path.write_bytes(b"content")

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(cache.read_or_make, ("a",), make, PATIENCE_S)
        begun.wait(PATIENCE_S)
        with pytest.raises(BusyError):
            cache.read_or_make(("a",), writing(b"other"), 0.05)
        done.set()
        assert first.result() == b"content"


def test_files_are_bounded_in_bytes_and_the_longest_unused_go(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 450)
    for number in range(3):
        cache.read_or_make((str(number),), writing(b"x" * 100), PATIENCE_S)
        for path in (tmp_path / "files").iterdir():
            os.utime(path, (path.stat().st_mtime - 10,) * 2)
    assert cache.read(("0",))  # and so is the latest used
    cache.read_or_make(("3",), writing(b"x" * 100), PATIENCE_S)
    assert [cache.read((str(number),)) is not None for number in range(4)] == [True, False, True, True]
    for number in range(20):
        cache.read_or_make((f"more {number}",), writing(b"x" * (10 * number)), PATIENCE_S)
        assert sum(path.stat().st_size for path in (tmp_path / "files").iterdir()) <= 450


def test_a_file_larger_than_the_bound_is_sent_and_not_kept(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 40)
    cache.read_or_make(("small",), writing(b"small"), PATIENCE_S)
    assert cache.read_or_make(("large",), writing(b"x" * 41), PATIENCE_S) == b"x" * 41
    assert cache.read(("large",)) is None
    assert cache.read(("small",)) == b"small"


def test_what_fails_leaves_nothing_behind_and_is_tried_again(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1000)

    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cache.read_or_make(("a",), fail, PATIENCE_S)
    assert list((tmp_path / "files").iterdir()) == []
    assert cache.read_or_make(("a",), writing(b"whole"), PATIENCE_S) == b"whole"


def test_what_killed_processes_left_behind_goes(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, 1000)
    cache.read_or_make(("a",), writing(b"a"), PATIENCE_S)
    old, fresh = tmp_path / "files" / ".new-old", tmp_path / "files" / ".new-fresh"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    cache.read_or_make(("b",), writing(b"b"), PATIENCE_S)
    assert (old.exists(), fresh.exists()) == (False, True)


def test_a_folder_that_cannot_be_written_costs_only_the_copy(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache, made = FileCache(tmp_path / "file" / "cache", 1000), []  # type: tuple[FileCache, list[bytes]]
    for _ in range(2):
        assert cache.read_or_make(("a",), writing(b"content", made), PATIENCE_S) == b"content"
    assert len(made) == 2


def test_a_home_that_cannot_be_written_has_its_files_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    homes = [tmp_path / "one", tmp_path / "two", tmp_path / "fine"]
    for home in homes:
        home.mkdir()
    for home in homes[:2]:
        (home / "cache").write_bytes(b"")  # nothing can be made below it
    folders = [choose_folder(home) for home in homes]
    assert folders == [choose_folder(home) for home in homes]  # as in another process
    assert [folder.parent for folder in folders] == [tmp_path / "tmp", tmp_path / "tmp", homes[2]]
    assert folders[0] != folders[1]
    assert stat.S_IMODE(folders[0].stat().st_mode) == 0o700


def test_files_that_are_kept_make_a_folder_no_folder_in_use(tmp_path: Path) -> None:
    """Who served a release from elsewhere with this home could not start it any more."""
    cache = FileCache(choose_folder(tmp_path), 10)
    for key in (("a",), ("b",)):
        cache.read_or_make(key, writing(b"content"), PATIENCE_S)
    assert claim(tmp_path) is Standing.NEW


def test_a_folder_of_somebody_elses_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "home").write_bytes(b"")
    (tmp_path / "trap").mkdir()
    ours = choose_folder(tmp_path / "home")
    ours.rmdir()
    ours.symlink_to(tmp_path / "trap")
    assert choose_folder(tmp_path / "home") not in {ours, tmp_path / "trap"}


def test_a_folder_removed_while_a_file_is_made_costs_only_the_copy(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", 1000)

    def make(path: Path) -> None:
        shutil.rmtree(tmp_path / "cache")
        path.parent.mkdir(parents=True)
        path.write_bytes(b"whole")

    assert cache.read_or_make(("a",), make, PATIENCE_S) == b"whole"
    assert cache.read_or_make(("a",), writing(b"again"), PATIENCE_S) in {b"whole", b"again"}


def test_a_process_whose_release_was_removed_says_so_and_asks_to_come_again(
    release: Release, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own = clone(release, tmp_path, "aaaa000011112222", lambda _: None)
    client = create_app(own, Settings(tmp_path)).test_client()
    shutil.rmtree(own.folder)
    with caplog.at_level(logging.CRITICAL):
        for path in (
            "/",
            "/zones/gaoqu",
            "/zones/gaoqu.json",
            "/data/zones.geojson",
            "/data/zones.gpkg?crs=4550",
        ):
            for accept in ("text/html", "application/json"):
                answer = client.get(path, headers={"Accept": accept})
                assert answer.status_code == 503, path
                assert answer.headers["Retry-After"]
        problem = client.get("/data/zones.geojson").get_json(force=True)
        assert problem["detail_zh"]
    assert client.get("/healthz").status_code == 200
