"""Releases are written whole or not at all, and nothing broken is taken for sound."""

import errno
import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from layers.history import Act, record, tidy
from layers.home import HomeError, write_atomically
from layers.store import KEPT, BrokenReleaseError, CorruptFileError, Release, place_release, read_current

FILES = {"data/a.json": b'{"a": 1}' * 200, "index/b.bin": b"\0\1\2"}


def write_release(home: Path, release_id: str, files: dict[str, bytes]) -> Release:
    release = place_release(home, release_id, files)
    record(home, release, Act("build", release_id, "code"))
    return release


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


@pytest.mark.parametrize("damage", ["none", "changed"])
def test_what_is_the_same_as_before_is_not_compressed_again_unless_it_was_damaged(
    tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import brotli

    damaged = damage == "changed"
    before = write_release(tmp_path, "abc123", FILES)
    if damaged:
        (before.folder / "data/a.json.br").write_bytes(b"x")
    compressed = []

    def compress(content: bytes, quality: int) -> bytes:
        compressed.append(content)
        return b"made anew"

    monkeypatch.setattr(brotli, "compress", compress)
    other = b'{"b": 1}' * 200
    release = place_release(tmp_path, "def456", {**FILES, "data/b.json": other})
    assert sorted(compressed) == sorted([other, *([FILES["data/a.json"]] if damaged else [])])
    release.verify()
    assert (release.read("data/a.json.br") == b"made anew") is damaged


def test_the_same_files_make_the_same_manifest(tmp_path: Path) -> None:
    first = write_release(tmp_path / "one", "abc123", FILES)
    second = write_release(tmp_path / "two", "abc123", FILES)
    assert (first.folder / "manifest.json").read_bytes() == (second.folder / "manifest.json").read_bytes()


@pytest.mark.parametrize("damage", ["change", "remove", "truncate manifest", "remove manifest"])
def test_a_damaged_release_is_found_out(tmp_path: Path, damage: str) -> None:
    release = write_release(tmp_path, "abc123", FILES)
    if damage == "change":
        (release.folder / "data/a.json").write_bytes(b'{"a": 2}' * 200)
    elif damage == "remove":
        (release.folder / "index/b.bin").unlink()
    elif damage == "truncate manifest":
        text = (release.folder / "manifest.json").read_text()
        (release.folder / "manifest.json").write_text(text[: len(text) // 2])
    else:
        (release.folder / "manifest.json").unlink()
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


DIGEST = "0" * 64
POINTERS = {
    "nothing": b"",
    "an id alone": b"abc123",
    "no number": f"abc123 {DIGEST}".encode(),
    "number 0": f"abc123 {DIGEST} 0 {DIGEST}".encode(),
    "a path": f"../abc {DIGEST} 1 {DIGEST}".encode(),
    "a short digest": f"abc123 0123 1 {DIGEST}".encode(),
    "more words": f"abc123 {DIGEST} 1 {DIGEST} x".encode(),
    "a line's end": f"abc123 {DIGEST} 1 {DIGEST}\n".encode(),
    "other bytes": b"\xff\xfe\0",
    "too much": b"a" * 5000,
}


@pytest.mark.parametrize("content", POINTERS.values(), ids=POINTERS)
def test_a_pointer_that_is_none_is_an_error_and_never_no_release(tmp_path: Path, content: bytes) -> None:
    write_release(tmp_path, "abc123", FILES)
    (tmp_path / "current").write_bytes(content)
    with pytest.raises(HomeError, match="current damaged"):
        read_current(tmp_path)


def test_a_pointer_that_is_no_file_is_an_error_and_one_that_is_missing_is_none(tmp_path: Path) -> None:
    write_release(tmp_path, "abc123", FILES)
    (tmp_path / "current").unlink()
    assert read_current(tmp_path) is None
    (tmp_path / "current").mkdir()
    with pytest.raises(HomeError, match="not a file"):
        read_current(tmp_path)


def test_the_newest_releases_are_kept_whatever_their_times_say(tmp_path: Path) -> None:
    names = [f"{number:016x}" for number in range(KEPT + 2)]
    for number, name in enumerate(names):
        written = write_release(tmp_path, name, FILES)
        os.utime(written.folder, (1000 - number, 1000 - number))  # the clock went back
    kept = {path.name for path in (tmp_path / "releases").iterdir()}
    assert kept == set(names[-KEPT:])
    for name in kept:
        assert (tmp_path / "releases" / name / "manifest.json").is_file()


def test_what_is_no_release_is_never_removed(tmp_path: Path) -> None:
    for number in range(KEPT):
        write_release(tmp_path, f"{number:016x}", FILES)
    for name in ("releases/v1.0", "releases/notes", "archive/photos", "imports/own"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "archive/photos.zip").write_bytes(b"")
    (tmp_path / ".git-credentials").write_bytes(b"")
    write_release(tmp_path, f"{9:016x}", FILES)
    tidy(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    own = {"releases/v1.0", "releases/notes", "archive/photos", "imports/own", "archive/photos.zip"}
    assert own | {".git-credentials"} <= left


def test_writing_the_live_release_anew_mends_it(tmp_path: Path) -> None:
    (write_release(tmp_path, "abc123", FILES).folder / "index/b.bin").unlink()
    write_release(tmp_path, "abc123", FILES)
    found = read_current(tmp_path)
    assert found is not None
    found.verify()
    assert [path.name for path in (tmp_path / "releases").glob("*")] == ["abc123"]


def test_a_pointer_to_a_release_that_is_gone_is_none(tmp_path: Path) -> None:
    folder = write_release(tmp_path, "abc123", FILES).folder
    folder.rename(tmp_path / "elsewhere")
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
from layers.history import Act, record, tidy
from layers.store import place_release
files = {f"data/{number}.json": bytes(str(number), "ascii") * 20_000 for number in range(60)}
print("ready", flush=True)
while True:
    home = Path(sys.argv[1])
    record(home, place_release(home, sys.argv[2], files), Act("build", sys.argv[2], "code"))
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.02, 0.1, 0.25])
def test_killed_while_writing_the_live_release_stays_whole(tmp_path: Path, delay_s: float) -> None:
    live = write_release(tmp_path, "live0", FILES)
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), "next2222next2222"], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        time.sleep(delay_s)
        writer.kill()
    live.verify()
    current = read_current(tmp_path)
    assert current is None or current.id in {"live0", "next2222next2222"}
    tidy(tmp_path)
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


DAMAGES = {
    "truncated": lambda content: content[: len(content) // 2],
    "flipped": lambda content: content[:-1] + bytes([content[-1] ^ 1]),
    "emptied": lambda content: b"",
    "grown": lambda content: content + b" ",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("path", ["data/a.json", "data/a.json.gz", "data/a.json.br", "index/b.bin"])
def test_a_file_that_changes_after_it_was_read_is_not_handed_out_again(
    tmp_path: Path, path: str, damage: Callable[[bytes], bytes]
) -> None:
    release = write_release(tmp_path, "abc123", FILES)
    sound = release.read(path)
    (release.folder / path).write_bytes(damage(sound))
    assert release.is_touched(path)
    with pytest.raises(CorruptFileError, match=path):
        release.read(path)
    with pytest.raises(CorruptFileError, match=path):
        release.read(path)
    (release.folder / path).write_bytes(sound)
    assert release.read(path) == sound


def test_a_file_that_was_changed_before_it_is_read_first_is_not_handed_out(tmp_path: Path) -> None:
    folder = write_release(tmp_path, "abc123", FILES).folder
    (folder / "index/b.bin").write_bytes(b"\0\1\3")
    release = read_current(tmp_path)
    assert release is not None
    with pytest.raises(CorruptFileError, match=r"index/b\.bin"):
        release.read("index/b.bin")


def test_what_is_written_may_be_read_by_those_whom_the_umask_lets_in(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        release = write_release(tmp_path / "home", "abc123", FILES)
    finally:
        os.umask(before)
    for path in (tmp_path / "home").rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o755 if path.is_dir() else 0o644), path
    release.verify()


def test_a_disk_that_fills_up_leaves_nothing_of_half_a_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = write_release(tmp_path, "abc123", FILES)

    def write(path: Path, content: bytes, _: int = 0) -> None:
        path.write_bytes(content[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as full:
        full.setattr("layers.store.write_synced", write)
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            place_release(tmp_path, "next2222", FILES)
    assert [path.name for path in (tmp_path / "releases").iterdir()] == ["abc123"]
    live.verify()
