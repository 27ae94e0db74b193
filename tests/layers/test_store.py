"""Releases are written whole or not at all, and nothing broken is taken for sound."""

import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from layers.store import (
    KEPT,
    BrokenReleaseError,
    Release,
    _remove_old,
    read_current,
    write_atomically,
    write_release,
)

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


SOUND = {"bytes": 3, "sha256": hashlib.sha256(b"\0\1\2").hexdigest()}
MANIFESTS = {
    "a list": [],
    "a number": 7,
    "nothing": None,
    "no files": {"release": "abc123"},
    "files as a list": {"release": "abc123", "files": []},
    "files empty": {"release": "abc123", "files": {}},
    "files as a text": {"release": "abc123", "files": "index/b.bin"},
    "another release": {"release": "def456", "files": {"index/b.bin": SOUND}},
    "release as a list": {"release": ["abc123"], "files": {"index/b.bin": SOUND}},
    "entry as a text": {"release": "abc123", "files": {"index/b.bin": SOUND["sha256"]}},
    "entry without digest": {"release": "abc123", "files": {"index/b.bin": {"bytes": 3}}},
    "digest as a number": {"release": "abc123", "files": {"index/b.bin": {"bytes": 3, "sha256": 1}}},
    "size as a text": {"release": "abc123", "files": {"index/b.bin": SOUND | {"bytes": "3"}}},
    "another size": {"release": "abc123", "files": {"index/b.bin": SOUND | {"bytes": 4}}},
} | {
    f"path {path!r}": {"release": "abc123", "files": {path: SOUND}}
    for path in (
        "",
        ".",
        "index",
        "index/b.bin\0",
        "/index/b.bin",
        "../abc123/index/b.bin",
        "index/../index/b.bin",
        "index//b.bin",
        "C:\\b.bin",
        "\ud800",
        "b" * 5000,
    )
}


@pytest.mark.parametrize("manifest", MANIFESTS.values(), ids=MANIFESTS)
def test_a_manifest_that_is_none_is_a_broken_release_even_where_its_digest_fits(
    tmp_path: Path, manifest: object
) -> None:
    folder = write_release(tmp_path, "abc123", FILES).folder
    content = json.dumps(manifest).encode()
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(BrokenReleaseError):
        Release(folder, hashlib.sha256(content).hexdigest()).verify()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"NaN", b"1" * 5000])
def test_a_manifest_that_is_no_json_is_a_broken_release(tmp_path: Path, content: bytes) -> None:
    folder = write_release(tmp_path, "abc123", FILES).folder
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(BrokenReleaseError):
        Release(folder, hashlib.sha256(content).hexdigest()).verify()


def test_a_manifest_that_was_changed_together_with_its_files_is_found_out(tmp_path: Path) -> None:
    folder = write_release(tmp_path, "abc123", FILES).folder
    forged = {"release": "abc123", "files": {"index/b.bin": SOUND}}
    (folder / "manifest.json").write_text(json.dumps(forged))
    found = read_current(tmp_path)
    assert found is not None
    with pytest.raises(BrokenReleaseError, match="manifest"):
        found.verify()


def test_a_pipe_in_place_of_a_file_is_a_broken_release(tmp_path: Path) -> None:
    release = write_release(tmp_path, "abc123", FILES)
    (release.folder / "index/b.bin").unlink()
    os.mkfifo(release.folder / "index/b.bin")
    with pytest.raises(BrokenReleaseError, match="not a file"):
        release.verify()


@pytest.mark.parametrize("pointer", ["abc123", "abc123\n", "abc123 ", "abc123 0123", "abc123 a b c"])
def test_a_pointer_without_the_right_digest_is_a_release_that_does_not_verify(
    tmp_path: Path, pointer: str
) -> None:
    write_release(tmp_path, "abc123", FILES)
    (tmp_path / "current").write_text(pointer)
    found = read_current(tmp_path)
    assert found is not None
    with pytest.raises(BrokenReleaseError):
        found.verify()


def test_a_pointer_of_other_bytes_is_no_release(tmp_path: Path) -> None:
    write_release(tmp_path, "abc123", FILES)
    (tmp_path / "current").write_bytes(b"\xff\xfe\0")
    assert read_current(tmp_path) is None
    (tmp_path / "current").unlink()
    assert read_current(tmp_path) is None
    (tmp_path / "current").mkdir()
    assert read_current(tmp_path) is None


def test_the_newest_releases_are_kept_and_older_ones_removed(tmp_path: Path) -> None:
    names = [f"release{number}" for number in range(KEPT + 2)]
    for number, name in enumerate(names):
        written = write_release(tmp_path, name, FILES)
        os.utime(written.folder, (number, number))
    kept = {path.name for path in (tmp_path / "releases").iterdir()}
    assert kept == set(names[-KEPT:])
    for name in kept:
        assert (tmp_path / "releases" / name / "manifest.json").is_file()


def test_the_live_release_and_one_being_written_are_never_removed(tmp_path: Path) -> None:
    releases = tmp_path / "releases"
    for number, name in enumerate(["live", ".new-1", "a", "b", "c", "d"]):
        (releases / name).mkdir(parents=True)
        os.utime(releases / name, (number, number))
    _remove_old(releases, releases / "live")
    assert {path.name for path in releases.iterdir()} == {"live", ".new-1", "c", "d"}


def test_writing_the_live_release_anew_mends_it(tmp_path: Path) -> None:
    (write_release(tmp_path, "abc123", FILES).folder / "index/b.bin").unlink()
    write_release(tmp_path, "abc123", FILES)
    found = read_current(tmp_path)
    assert found is not None
    found.verify()
    assert [path.name for path in (tmp_path / "releases").glob("*")] == ["abc123"]


@pytest.mark.parametrize("name", ["", "../..", "missing", "a/b", "\0", "a" * 300, " abc123", "é"])
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
    assert len(list((tmp_path / "releases").glob("*"))) <= KEPT


def test_a_failed_write_leaves_the_old_bytes(tmp_path: Path) -> None:
    target = tmp_path / "current"
    write_atomically(target, b"old")
    with pytest.raises(TypeError):
        write_atomically(target, "not bytes")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
