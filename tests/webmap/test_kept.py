"""Files made on request are handed out whole, whatever other processes remove meanwhile."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

import pytest

from layers.home import write_atomically
from layers.store import Release
from tests.webmap.test_changes import clone
from webmap import create_app, kept
from webmap.kept import FOLDERS, keep
from webmap.settings import Settings


def test_a_file_is_made_once_and_the_oldest_folders_go(tmp_path: Path) -> None:
    for number in range(FOLDERS + 2):
        folder = tmp_path / f"release{number}"
        made: list[bytes] = []

        def make(made: list[bytes] = made) -> bytes:
            made.append(b"x")
            return b"content"

        assert keep(folder, ("a", "b"), make) == b"content"
        assert keep(folder, ("a", "b"), make) == b"content"
        assert made == [b"x"]
        assert keep(folder, ("ab",), make) == b"content"
        assert made == [b"x", b"x"]
    assert len(list(tmp_path.iterdir())) == FOLDERS


@pytest.mark.parametrize("when", ["making", "writing", "written"])
def test_a_folder_removed_at_any_moment_costs_only_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    folder = tmp_path / "release"
    keep(folder, ("first",), lambda: b"first")
    removed: list[Path] = []

    def remove() -> None:
        shutil.rmtree(folder)
        removed.append(folder)

    def make() -> bytes:
        if when == "making":
            remove()
        return b"whole"

    def write_late(path: Path, content: bytes) -> None:
        if when == "writing":
            remove()
        write_atomically(path, content)
        if when == "written":
            remove()

    monkeypatch.setattr(kept, "write_atomically", write_late)
    assert keep(folder, ("second",), make) == b"whole"
    assert removed == [folder]
    monkeypatch.undo()
    assert keep(folder, ("second",), lambda: b"again") in {b"whole", b"again"}


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
