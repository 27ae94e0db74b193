"""A site takes another's place whole or not at all, and nobody else's files are touched."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import cli
from webmap import static_site as writing
from webmap.static_site import MANIFEST, NotOursError, check_folder, remove_site_leftovers, write_site

OLD = {"index.html": b"old", "gone/x.json": b"{}"}
NEW = {"index.html": b"new", "data/y.csv": b"y"}
DIE = """
import os, signal, sys
from pathlib import Path
from webmap.static_site import write_site
def files():
    yield "index.html", b"half"
    os.kill(os.getpid(), signal.SIGKILL)
write_site(Path(sys.argv[1]), files(), {})
"""


def read(folder: Path) -> dict[str, bytes]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {path: file.read_bytes() for path, file in found.items() if path != MANIFEST}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a site in it."""
    found = tmp_path / "www" / "site"
    write_site(found, OLD.items(), {"release": "a"})
    return found


def test_a_site_takes_the_place_of_the_one_before(folder: Path) -> None:
    written = write_site(folder, NEW.items(), {"release": "b"})
    assert read(folder) == NEW
    assert (written.files, written.size) == (2, 4)
    assert json.loads((folder / MANIFEST).read_bytes())["release"] == "b"
    assert list(folder.parent.iterdir()) == [folder]
    assert folder.stat().st_mode & 0o777 == 0o777 & ~_umask()


def test_where_folders_cannot_be_swapped_they_are_renamed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_swap", lambda *_: False)
    write_site(folder, NEW.items(), {})
    assert read(folder) == NEW
    assert list(folder.parent.iterdir()) == [folder]


def test_an_empty_folder_is_filled_and_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_site(tmp_path / "link", NEW.items(), {})
    assert (tmp_path / "link").is_symlink()
    assert read(tmp_path / "real") == NEW


def test_killed_half_way_the_old_site_is_whole_and_the_next_run_tidies(folder: Path) -> None:
    before = (folder / MANIFEST).read_bytes()
    died = subprocess.run([sys.executable, "-c", DIE, str(folder)], check=False)
    assert died.returncode == -signal.SIGKILL
    assert read(folder) == OLD
    assert (folder / MANIFEST).read_bytes() == before
    assert len(list(folder.parent.iterdir())) == 2
    remove_site_leftovers(folder)
    assert list(folder.parent.iterdir()) == [folder]


def test_what_fails_half_way_leaves_the_old_site_and_no_trace(folder: Path) -> None:
    def failing() -> Iterator[tuple[str, bytes]]:
        yield "index.html", b"half"
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_site(folder, failing(), {})
    assert read(folder) == OLD
    assert list(folder.parent.iterdir()) == [folder]


@pytest.mark.parametrize("file", ["notes.txt", ".git/config", "gone/mine.json"])
def test_a_folder_with_files_of_others_is_refused_in_both_languages(
    folder: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text("mine")
    assert cli.main(["site", str(folder)]) == 2
    said = capsys.readouterr().err
    assert file in said
    assert "未作任何改动" in said
    assert "Nothing was changed" in said
    assert read(folder) == OLD | {file: b"mine"}


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"kind": "other", "files": {"a": {}}}'])
def test_a_folder_with_another_manifest_is_not_ours(tmp_path: Path, manifest: str) -> None:
    (tmp_path / MANIFEST).write_text(manifest)
    (tmp_path / "a").write_text("mine")
    with pytest.raises(NotOursError):
        check_folder(tmp_path)


def test_a_file_in_the_place_of_the_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site").write_text("mine")
    assert cli.main(["site", str(tmp_path / "site")]) == 2
    assert "Nothing was changed" in capsys.readouterr().err
    assert (tmp_path / "site").read_text() == "mine"


@pytest.mark.parametrize("url", ["plan.example.org", "ftp://plan.example.org", "https://a.example/?x=1", ""])
def test_a_bad_address_is_refused(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["site", str(tmp_path / "site"), "--url", url]) == 2
    assert "https://plan.example.org/map" in capsys.readouterr().err


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
