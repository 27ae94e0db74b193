"""Releases are written whole or not at all, and nothing broken is taken for sound."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from layers.store import BrokenReleaseError, read_current, write_atomically, write_release

FILES = {"data/a.json": b'{"a": 1}' * 200, "index/b.bin": b"\0\1\2"}


def test_a_written_release_is_the_current_one_and_sound(tmp_path: Path) -> None:
    write_release(tmp_path, "abc123", FILES)
    release = read_current(tmp_path)
    assert release is not None
    assert release.id == "abc123"
    release.verify()
    assert release.read("index/b.bin") == b"\0\1\2"


def test_text_files_get_compressed_variants_that_expand_to_the_same_bytes(tmp_path: Path) -> None:
    import gzip

    import brotli

    release = write_release(tmp_path, "abc123", FILES)
    assert gzip.decompress(release.read("data/a.json.gz")) == FILES["data/a.json"]
    assert brotli.decompress(release.read("data/a.json.br")) == FILES["data/a.json"]
    assert release.sha256("index/b.bin.gz") is None


def test_the_same_files_make_the_same_manifest(tmp_path: Path) -> None:
    first = write_release(tmp_path / "one", "abc123", FILES)
    second = write_release(tmp_path / "two", "abc123", FILES)
    assert (first.folder / "manifest.json").read_bytes() == (second.folder / "manifest.json").read_bytes()


@pytest.mark.parametrize("damage", ["change", "remove", "truncate manifest", "remove manifest", "rename"])
def test_a_damaged_release_is_found_out(tmp_path: Path, damage: str) -> None:
    release = write_release(tmp_path, "abc123", FILES)
    if damage == "change":
        (release.folder / "data/a.json").write_bytes(b'{"a": 2}' * 200)
    elif damage == "remove":
        (release.folder / "index/b.bin").unlink()
    elif damage == "truncate manifest":
        text = (release.folder / "manifest.json").read_text()
        (release.folder / "manifest.json").write_text(text[: len(text) // 2])
    elif damage == "remove manifest":
        (release.folder / "manifest.json").unlink()
    else:
        release.folder.rename(tmp_path / "releases" / "def456")
        (tmp_path / "current").write_text("def456")
    found = read_current(tmp_path)
    assert found is not None
    with pytest.raises(BrokenReleaseError):
        found.verify()


@pytest.mark.parametrize("name", ["", "../..", "missing", "a/b", "\0"])
def test_a_pointer_to_nowhere_is_no_release(tmp_path: Path, name: str) -> None:
    (tmp_path / "current").write_text(name)
    assert read_current(tmp_path) is None


def test_a_path_outside_the_manifest_is_never_read(tmp_path: Path) -> None:
    release = write_release(tmp_path, "abc123", FILES)
    (release.folder / "secret.json").write_text("{}")
    for path in ("secret.json", "../../current", "manifest.json"):
        with pytest.raises(KeyError):
            release.read(path)


WRITER = """
import sys
from pathlib import Path
from layers.store import write_release
files = {f"data/{number}.json": bytes(str(number), "ascii") * 20_000 for number in range(60)}
print("ready", flush=True)
while True:
    write_release(Path(sys.argv[1]), sys.argv[2], files)
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.1, 0.25])
def test_killed_while_writing_the_live_release_stays_whole(tmp_path: Path, delay_s: float) -> None:
    live = write_release(tmp_path, "live0", FILES)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), "next1"], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(delay_s)
        writer.kill()
    live.verify()
    current = read_current(tmp_path)
    assert current is None or current.id in {"live0", "next1"}
    write_release(tmp_path, "after2", FILES).verify()
    assert not list((tmp_path / "releases").glob(".new-*"))


def test_a_failed_write_leaves_the_old_bytes(tmp_path: Path) -> None:
    target = tmp_path / "current"
    write_atomically(target, b"old")
    with pytest.raises(TypeError):
        write_atomically(target, "not bytes")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
