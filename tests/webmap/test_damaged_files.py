"""What is served is what was published: a file that was changed never goes out, and all else does."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from layers.history import Act, record
from layers.inspection import Inspection, list_faults
from layers.store import Release, place_release
from webmap.live import Live
from webmap.publish import hash_code
from webmap.settings import Settings


def flip(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "flipped": flip,
    "cut": lambda content: content[: len(content) // 2],
    "emptied": lambda _: b"",
}


@pytest.fixture
def served(release: Release, tmp_path: Path) -> tuple[Path, Release, FlaskClient]:
    """A running server on a home of its own, which nothing inspects but the test."""
    home = tmp_path / "home"
    (home / "releases").mkdir(parents=True)
    shutil.copytree(release.folder, home / "releases" / release.id)
    found = Release(home / "releases" / release.id, release.manifest_sha256)
    record(home, found, Act("build", found.id, hash_code()))
    return home, found, Live(found, Settings(home), interval_s=3600).app.test_client()


def inspect(client: FlaskClient) -> Inspection:
    found: Inspection = client.application.extensions["inspection"]
    found.step()
    return found


def test_a_file_that_changes_while_it_is_served_is_refused_and_said(
    served: tuple[Path, Release, FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    home, release, client = served
    path = "static/css/pages.css"
    address = f"/r/{release.id}/{path}"
    sound = client.get(address, headers={"Accept-Encoding": "identity"})
    assert sound.status_code == 200
    content = sound.data
    for change in DAMAGES.values():
        (release.folder / path).write_bytes(change(content))
        answer = client.get(address, headers={"Accept-Encoding": "identity"})
        assert answer.status_code == 503
        assert "immutable" not in answer.headers.get("Cache-Control", "")
        assert "ETag" not in answer.headers
        assert path in caplog.text
        assert str(home) not in answer.text
        assert inspect(client).faults
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").status_code == 200
        (release.folder / path).write_bytes(content)
        assert client.get(address, headers={"Accept-Encoding": "identity"}).data == content
        assert inspect(client).faults == ()
        assert client.get("/readyz").status_code == 200


def test_what_is_wrong_is_logged_once_however_often_it_is_asked_for(
    served: tuple[Path, Release, FlaskClient], caplog: pytest.LogCaptureFixture
) -> None:
    _, release, client = served
    path = release.folder / "static/css/pages.css"
    assert client.get("/readyz").status_code == 200
    content = path.read_bytes()
    for count in (1, 2):  # it is said again of a file that was mended in between
        path.unlink()
        for _ in range(3):
            assert client.get("/readyz").status_code == 503  # before any round finds it
        assert len(caplog.records) == count
        path.write_bytes(content)
        assert client.get("/readyz").status_code == 200
    caplog.clear()
    path.write_bytes(content[:-1])
    asked = [client.get(f"/r/{release.id}/static/css/pages.css").status_code for _ in range(3)]
    assert (asked, len(caplog.records)) == ([503] * 3, 1)


def test_of_a_damaged_variant_a_sound_one_goes_out(served: tuple[Path, Release, FlaskClient]) -> None:
    _, release, client = served
    path = "static/css/pages.css"
    content = release.read(path)
    (release.folder / f"{path}.br").write_bytes(flip(release.read(f"{path}.br")))
    answer = client.get(f"/r/{release.id}/{path}", headers={"Accept-Encoding": "br, gzip"})
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert gzip.decompress(answer.data) == content
    (release.folder / f"{path}.gz").write_bytes(b"")
    answer = client.get(f"/r/{release.id}/{path}", headers={"Accept-Encoding": "br, gzip"})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, None)
    assert answer.data == content


def test_no_damaged_file_of_a_release_ever_goes_out(served: tuple[Path, Release, FlaskClient]) -> None:
    """Two hundred files, by turns flipped, cut and emptied, with times as they were."""
    _, release, client = served
    paths = [path for path in release.paths() if not path.startswith(("pages/", "data/"))]
    chosen = paths[:: max(len(paths) // 200, 1)]
    for number, path in enumerate(chosen):
        file = release.folder / path
        stat = file.stat()
        file.write_bytes([*DAMAGES.values()][number % 3](file.read_bytes()))
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    for path in chosen:
        digest = release.sha256(path)
        answer = client.get(f"/r/{release.id}/{path}", headers={"Accept-Encoding": "identity"})
        assert answer.status_code == 503, path
        assert hashlib.sha256(answer.data).hexdigest() != digest


def test_what_changed_without_a_trace_is_found_by_the_round(
    served: tuple[Path, Release, FlaskClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a disk loses bits: size and times are as before."""
    _, release, client = served
    path = "data/zones.geojson"
    release = client.application.extensions["inspection"].release
    release.read(path)
    monkeypatch.setattr("layers.store._stamp", lambda found: (found.st_size,))
    release.verify()
    round_of = [one for one in release.paths() if one.startswith("data/")]  # a round of all takes long
    monkeypatch.setattr(
        Release, "paths", lambda _, below="": [one for one in round_of if one.startswith(below)]
    )
    (release.folder / path).write_bytes(flip(release.read(path)))
    assert client.get("/data/zones.geojson", headers={"Accept-Encoding": "identity"}).status_code == 200
    for _ in range(len(release.paths()) + 1):
        inspection = inspect(client)
    assert any(path in fault for fault in inspection.faults)
    assert client.get("/data/zones.geojson", headers={"Accept-Encoding": "identity"}).status_code == 503


def test_an_earlier_release_is_checked_too_and_its_data_come_from_the_archive(
    served: tuple[Path, Release, FlaskClient],
) -> None:
    home, release, _ = served
    files = {path: release.read(path) for path in release.paths() if not path.endswith((".gz", ".br"))}
    later = place_release(home, "feed0000feed0000", files)
    record(home, later, Act("build", later.id, hash_code()))
    client = Live(later, Settings(home), interval_s=3600).app.test_client()
    address = f"/r/{release.id}/"
    for path in ("data/zones.geojson", "static/css/pages.css"):
        for variant in ("", ".gz", ".br"):
            if release.sha256(path + variant):
                (release.folder / (path + variant)).write_bytes(b"{}")
    sound = files["data/zones.geojson"]
    assert client.get(f"{address}data/zones.geojson").data == sound
    assert client.get(f"{address}static/css/pages.css").status_code == 503
    (release.folder / "manifest.json").write_bytes(b"{}")
    client = Live(later, Settings(home), interval_s=3600).app.test_client()
    assert client.get(f"{address}data/zones.geojson").data == sound
    assert client.get(f"{address}static/css/pages.css").status_code == 503
    archive = home / "archive" / f"{release.id}.zip"
    archive.write_bytes(flip(archive.read_bytes()[:-30]) + archive.read_bytes()[-30:])
    assert client.get(f"{address}data/zones.geojson").status_code == 503
    assert [error.key for error in list_faults(home)] == ["archive_damaged"]


def make_unreadable(home: Path) -> None:
    """Leave a link to itself in place of the history: it is there, and not even root can open it."""
    (home / "history").rename(home.with_name("aside"))
    (home / "history").symlink_to(home / "history")


HOMES: dict[str, Callable[[Path], object]] = {
    "gone": lambda home: home.rename(home.with_name("elsewhere")),
    "current gone": lambda home: (home / "current").unlink(),
    "current cut": lambda home: (home / "current").write_bytes((home / "current").read_bytes()[:20]),
    "history gone": lambda home: shutil.rmtree(home / "history"),
    "an entry cut": lambda home: (home / "history/000001.json").write_bytes(b"{"),
    "history unreadable": make_unreadable,
    "release gone": lambda home: shutil.rmtree(home / "releases"),
    "marker gone": lambda home: (home / "weihai-layout-home.json").write_bytes(b""),
}


@pytest.mark.parametrize("damage", HOMES)
def test_a_server_whose_home_is_damaged_serves_on_and_is_not_ready(
    served: tuple[Path, Release, FlaskClient], damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    home, _, client = served
    assert inspect(client).faults == ()
    assert client.get("/readyz").status_code == 200
    HOMES[damage](home)
    assert len(inspect(client).faults) == 1
    said = len(caplog.records)
    inspect(client)
    assert len(caplog.records) == said  # once
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert client.get("/changes").status_code == 200  # as it was read when all was well
    if damage not in {"gone", "release gone"}:
        for path in ("/", "/zones/gaoqu", "/data/zones.geojson"):
            assert client.get(path).status_code == 200


def test_a_server_that_starts_on_a_damaged_history_shows_all_but_the_history(
    served: tuple[Path, Release, FlaskClient],
) -> None:
    home, release, _ = served
    (home / "history/000001.json").write_bytes(b"{")
    assert [error.key for error in list_faults(home)] == ["entry_damaged"]
    client = Live(release, Settings(home), interval_s=3600).app.test_client()
    assert client.get("/").status_code == 200
    assert client.get("/zones/gaoqu").status_code == 200
    answer = client.get("/changes.json")
    assert answer.status_code == 503
    assert answer.get_json(force=True)["status"] == 503
