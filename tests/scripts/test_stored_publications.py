"""With a database: a release goes live once that holds it, whatever is killed or away meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from werkzeug.test import Client

from layers.history import Act, read_history, record
from layers.postgis.loader import Snapshot, is_loaded, load_release
from layers.postgis.pool import SCHEMA
from layers.store import Release, read_pointer
from scripts import cli
from scripts.bench.load import DatabaseCluster, temporary_cluster
from scripts.postgis_sync import Outcome, bring, bring_later
from webmap.live import Live
from webmap.publish import hash_code
from webmap.settings import Settings

FEATURES = "/ogc/collections/zones/items?f=json&limit=1"


def make_twin(home: Path, release: Release, name: str = "feed0000feed0000") -> Release:
    """Return a release beside another, with the same content under another id."""
    folder = home / "releases" / name
    shutil.copytree(release.folder, folder)
    manifest = json.dumps(release.manifest | {"release": name}).encode()
    (folder / "manifest.json").write_bytes(manifest)
    return Release(folder, hashlib.sha256(manifest).hexdigest())


@pytest.fixture
def first(own_home: Path, release: Release) -> Release:
    """A release that was published first, in a home of its own."""
    return Release(own_home / "releases" / release.id, release.manifest_sha256)


@dataclass(frozen=True)
class Published:
    """A home with two publications; the second is live."""

    home: Path
    first: Release
    second: Release


@pytest.fixture
def published(first: Release, tmp_path: Path) -> Published:
    """Two publications in a home of their own."""
    twin = make_twin(tmp_path / "home", first)
    record(tmp_path / "home", twin, Act("import", twin.id, hash_code()))
    return Published(tmp_path / "home", first, twin)


@pytest.fixture
def url(cluster: DatabaseCluster, request: pytest.FixtureRequest) -> str:
    """A database of one's own."""
    name: str = request.node.name.lower()
    return cluster.new_database(hashlib.sha256(name.encode()).hexdigest()[:12].replace("0", "a"))


def _live(home: Path) -> str:
    pointer = read_pointer(home)
    assert pointer
    return pointer.release


def _loaded(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(f"SELECT id FROM {SCHEMA}.releases".encode()).fetchall()
    return {name for (name,) in rows}


def _kill_when(says: str, command: list[str], environment: dict[str, str]) -> int:
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, start_new_session=True, env=os.environ | environment
    ) as process:
        for line in process.stderr or ():
            if says in line:
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode


@pytest.mark.parametrize("stage", ["正在装入要素", "正在建立索引"])
def test_killed_while_it_loads_nothing_is_live_that_was_not(
    published: Published, url: str, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, first, second = published.home, published.first, published.second
    settings = Settings(home, store=url)
    assert bring(settings, second) is Outcome.READY
    server = Live(second, settings, interval_s=3600)
    command = [sys.executable, "-m", "scripts.cli", "rollback", "1", "--home", str(home)]
    assert _kill_when(stage, command, {"WEIHAI_LAYOUT_STORE": url}) == -signal.SIGKILL
    assert _live(home) == second.id
    assert not is_loaded(url, first.id)
    server.look()
    assert Client(server).get(FEATURES).status_code == 200

    monkeypatch.setenv("WEIHAI_LAYOUT_STORE", url)
    assert cli.main(["rollback", "1", "--home", str(home)]) == 0
    assert (_live(home), is_loaded(url, first.id)) == (first.id, True)
    server.look()
    assert Client(server).get("/healthz").get_json()["release"] == first.id
    assert Client(server).get(FEATURES).status_code == 200


@pytest.mark.parametrize("command", [["rollback", "1"], ["build"]])
def test_where_the_database_is_away_nothing_is_published(
    published: Published,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    home = published.home

    def build(*_: object) -> tuple[int, list[str]]:
        make_twin(home, published.first, "cafe0000cafe0000")
        return 0, []

    monkeypatch.setattr("webmap.publish.hash_inputs", lambda *_: "cafe0000cafe0000")
    monkeypatch.setattr("webmap.publish._run_build", build)
    monkeypatch.setenv("WEIHAI_LAYOUT_STORE", f"postgresql:///nowhere?host={home}")
    assert cli.main([*command, "--home", str(home)]) == 1
    assert _live(home) == published.second.id
    assert len(read_history(home)) == 2
    assert {folder.name for folder in (home / "releases").iterdir()} == {
        published.first.id,
        published.second.id,
    }
    said = capsys.readouterr().err
    assert "nothing was published" in said
    assert "There is no release" not in said


def test_a_server_keeps_the_release_before_until_the_database_holds_the_new_one(
    first: Release, tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    settings = Settings(home, store=url)
    assert bring(settings, first) is Outcome.READY
    server = Live(first, settings, interval_s=3600)
    twin = make_twin(home, first)
    record(home, twin, Act("import", twin.id, hash_code()))  # by somebody who does not know the database
    for _ in range(3):
        server.look()
        assert Client(server).get("/healthz").get_json()["release"] == first.id
        assert Client(server).get(FEATURES).status_code == 200
    assert capsys.readouterr().err.count("not in the database yet") == 1
    assert bring(settings, twin) is Outcome.READY
    server.look()
    assert Client(server).get("/healthz").get_json()["release"] == twin.id
    assert Client(server).get(FEATURES).status_code == 200


def test_a_server_started_without_its_database_answers_once_it_comes(first: Release, tmp_path: Path) -> None:
    with temporary_cluster() as cluster:
        settings = Settings(tmp_path / "home", store=cluster.new_database("later"))
        cluster.stop()
        assert bring(settings, first) is Outcome.DOWN
        server = Client(Live(first, settings, interval_s=3600))
        assert server.get("/healthz").status_code == 200
        answer = server.get("/readyz")
        assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
        assert int(answer.headers["Retry-After"]) > 0
        trying = bring_later(settings, interval_s=0.05)
        cluster.start()
        trying.join(60)
        assert server.get("/readyz").status_code == 200
        assert server.get(FEATURES).status_code == 200


def test_what_is_served_is_never_removed_from_the_database(first: Release, tmp_path: Path, url: str) -> None:
    home = tmp_path / "home"
    settings = Settings(home, store=url)
    for number in range(5):  # publications that were loaded and then did not go live
        assert bring(settings, make_twin(home, first, f"dead{number:012}")) is Outcome.READY
        if number == 0:
            assert bring(settings, first) is Outcome.READY
    assert first.id in _loaded(url)
    assert len(_loaded(url)) == 4


def test_each_release_is_loaded_before_it_is_live(
    published: Published, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, first = published.home, published.first
    seen: list[tuple[str, str]] = []

    def note(given: str, snapshot: Snapshot, *rest: Any) -> bool:
        seen.append((snapshot.release, _live(home)))
        return load_release(given, snapshot, *rest)

    monkeypatch.setattr("layers.postgis.loader.load_release", note)
    monkeypatch.setenv("WEIHAI_LAYOUT_STORE", url)
    assert cli.main(["rollback", "1", "--home", str(home)]) == 0
    assert seen == [(first.id, published.second.id)]
    assert _live(home) == first.id
