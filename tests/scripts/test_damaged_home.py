"""Whatever is damaged in a home: every command refuses or works, deletes nothing, un-publishes nothing."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geodata.imported import ImportedBoundary
from layers.history import Act, Entry, read_history, record
from layers.home import MARKER, HomeError, find_home
from layers.store import CorruptFileError, Pointer, place_release, read_current, read_pointer
from scripts import cli
from scripts.commands import common
from scripts.commands.serve import VerifyAside
from webmap import publish as publishing
from webmap.publish import hash_inputs, publish, publish_imports
from webmap.settings import read_settings

SQUARE: dict[str, object] = {
    "type": "Polygon",
    "coordinates": [[[122, 37], [122.1, 37], [122.1, 37.1], [122, 37]]],
}
COMMANDS = {
    "build": ["build"],
    "history": ["history"],
    "rollback": ["rollback", "1", "--who", "李某"],
    "serve": ["serve", "--no-browser", "--port", "0"],
    "site": ["site", "SITE"],
    "export": ["export", "zones", "-o", "SITE/zones.geojson"],
    "lookup": ["lookup", "122.1", "37.5"],
    "search": ["search", "x"],
    "import-boundary": ["import-boundary", "FILE", "--layer", "zones", "--accuracy-m", "5", "--dry-run"],
}


def boundary(of: str) -> ImportedBoundary:
    return ImportedBoundary(
        layer="zones",
        of=of,
        geometry=SQUARE,
        method="official",
        accuracy_m=5,
        source="某局",
        licence="内部",
        who="张某",
        why="正式",
        when=datetime(2026, 11, 1, tzinfo=UTC),
        file_name="a.zip",
        file_sha256="0" * 64,
        crs="EPSG:4490",
    )


def build_quickly(home: Path, facts: Path, act: Act, progress: object, *_: object) -> tuple[int, list[str]]:
    rows = [{"id": name} for name in sorted(act.imports)]
    content = json.dumps(rows).encode()
    place_release(home, act.inputs, {"data/zones.json": content, "index/imports.json": content * 40})
    return 0, []


def fill(home: Path) -> None:
    """Publish three times: without imports, with one, with two."""
    publish(home, lambda _: None)
    publish_imports(home, [boundary("gaoqu")], (), lambda _: None)
    publish_imports(home, [boundary("jingqu")], (boundary("gaoqu").to_id(),), lambda _: None)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("pristine") / "home"
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(publishing, "_run_build", build_quickly)
        fill(home)
    return home


@pytest.fixture
def home(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(publishing, "_run_build", build_quickly)
    return Path(shutil.copytree(pristine, tmp_path / "home"))


def names_of(home: Path) -> set[str]:
    return {path.relative_to(home).as_posix() for path in home.rglob("*") if path.name != ".lock"}


def published_of(home: Path) -> tuple[list[Entry], Pointer | None]:
    return read_history(home), read_pointer(home)


def ask(name: str, home: Path, beside: Path) -> int:
    file = beside / "none.geojson"
    file.write_text('{"type": "FeatureCollection", "features": []}')
    filled = [one.replace("SITE", str(beside / "site")).replace("FILE", str(file)) for one in COMMANDS[name]]
    return cli.main([*filled, "--home", str(home)])


def cut(path: str) -> Callable[[Path], None]:
    """Keep the first 500 bytes, as a disk that filled up does; half of what is shorter."""

    def damage(home: Path) -> None:
        content = (home / path).read_bytes()
        (home / path).write_bytes(content[: min(500, len(content) // 2)])

    return damage


def halve(path: str) -> Callable[[Path], None]:
    def damage(home: Path) -> None:
        content = (home / path).read_bytes()
        (home / path).write_bytes(content[: len(content) // 2])

    return damage


def remove(path: str) -> Callable[[Path], None]:
    def damage(home: Path) -> None:
        shutil.rmtree(home / path) if (home / path).is_dir() else (home / path).unlink()

    return damage


def forbid(path: str) -> Callable[[Path], None]:
    """Let a file or folder be there and unreadable, also for root: what is in its place cannot be opened."""

    def damage(home: Path) -> None:
        (home / path).rename(home.parent / "set aside")
        (home / path).symlink_to(home / path)  # a loop

    return damage


def change(path: str, old: str, new: str) -> Callable[[Path], None]:
    def damage(home: Path) -> None:
        content = (home / path).read_text(encoding="utf-8")
        assert old in content
        (home / path).write_text(content.replace(old, new, 1), encoding="utf-8")

    return damage


def name_unknown(home: Path) -> None:
    words = (home / "current").read_text().split(" ")
    (home / "current").write_text(" ".join(["0123456789abcdef", *words[1:]]))


def point_back(home: Path) -> None:
    """Put back the ``current`` of an earlier day, as a backup has it."""
    entry, after = read_history(home)[1:3]
    pointer = Pointer(entry.release, entry.manifest_sha256, entry.number, after.previous)
    (home / "current").write_bytes(pointer.to_bytes())


def exchange(home: Path) -> None:
    shutil.copy(home / "history/000001.json", home / "history/000002.json")


IMPORT = f"imports/{boundary('gaoqu').to_id()}.json"
# What is done, the file that is named, and whether the home has what restores it.
DAMAGES: dict[str, tuple[Callable[[Path], None], str, bool]] = {
    **{
        f"entry {number} cut": (cut(f"history/{number:06}.json"), f"history/{number:06}.json", True)
        for number in (1, 2, 3)
    },
    **{
        f"entry {number} removed": (remove(f"history/{number:06}.json"), f"history/{number:06}.json", True)
        for number in (1, 2, 3)
    },
    **{
        f"entry {number} changed": (
            change(f"history/{number:06}.json", '"code": "', '"code": "0'),
            f"history/{number:06}.json",
            True,
        )
        for number in (1, 2, 3)
    },
    "imports taken out of an entry": (
        change("history/000003.json", f'   "{boundary("gaoqu").to_id()}",\n', ""),
        "history/000003.json",
        True,
    ),
    "entry of another number": (exchange, "history/000002.json", True),
    "entry unreadable": (forbid("history/000002.json"), "history/000002.json", False),
    "history removed": (remove("history"), "history/000001.json", True),
    "history unreadable": (forbid("history"), "history", False),
    "current removed": (remove("current"), "current", True),
    "current cut": (halve("current"), "current", True),
    "current unreadable": (forbid("current"), "current", False),
    "current of an unknown release": (name_unknown, "current", True),
    "current of an earlier day": (point_back, "current", True),
    "history and current removed": (
        lambda home: (remove("history")(home), remove("current")(home))[0],
        "current",
        True,
    ),
    "marker cut": (halve(MARKER), MARKER, True),
    "import cut": (halve(IMPORT), IMPORT, True),
    "import removed": (remove(IMPORT), IMPORT, True),
    "import changed": (change(IMPORT, "内部", "公开"), IMPORT, True),
    "imports removed": (remove("imports"), "imports/", True),
    "imports unreadable": (forbid("imports"), "imports/", False),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_damaged_home_is_refused_with_the_file_and_the_way_to_restore_it(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, damage: str
) -> None:
    spoil, file, _ = DAMAGES[damage]
    spoil(home)
    before, content = names_of(home), contents_of(home)
    code = ask(command, home, tmp_path)
    told = capsys.readouterr().err
    assert "Traceback" not in told
    if command == "history" and "import" in file and "taken out" not in damage:
        assert code == 0  # which reads none of them
    else:
        assert code == 1, told
        for language in told.split("\n")[:2]:
            assert str(home / file) in language
        assert re.search(r"[一-鿿]", told.split("\n")[0])
        assert "history --repair" in told or "Let the user who runs this read it" in told
        assert "BACKUP/" in told or damage in {"marker cut", "current of an earlier day"}
    assert names_of(home) == before
    assert contents_of(home) == content


def contents_of(home: Path) -> dict[str, bytes]:
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.rglob("*")
        if path.name != ".lock" and path.is_file()
    }


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_the_home_can_restore_is_restored_byte_for_byte(
    home: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    spoil, file, restorable = DAMAGES[damage]
    sound, published = contents_of(home), published_of(home)
    spoil(home)
    damaged = contents_of(home)
    code = cli.main(["history", "--repair", "--home", str(home)])
    told = capsys.readouterr()
    if restorable:
        assert code == 0, told.err
        assert file in told.out
        assert contents_of(home) == sound
        assert published_of(home) == published
        assert cli.main(["history", "--repair", "--home", str(home)]) == 0
        assert "restored" not in capsys.readouterr().out
    else:
        assert code == 1
        assert str(home / file) in told.err
        assert contents_of(home) == damaged


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_entry_whose_copy_is_damaged_too_has_to_come_from_a_backup(
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    backup = shutil.copytree(home, tmp_path / "backup")
    entry, copy = f"history/{number:06}.json", f"archive/{number:06}.json"
    cut(entry)(home)
    change(copy, '"code": "', '"code": "0')(home)
    damaged = contents_of(home)
    monkeypatch.chdir(home.parent)
    for command in (["history", "--repair"], ["build"]):
        for where in (str(home), home.name):
            assert cli.main([*command, "--home", where]) == 1
            assert re.search(
                f"cp -a BACKUP/{entry} .*{home.name}/{entry}$", capsys.readouterr().err, re.MULTILINE
            )
    assert contents_of(home) == damaged
    shutil.copy(backup / entry, home / entry)
    assert cli.main(["history", "--repair", "--home", str(home)]) == 0
    assert contents_of(home) == contents_of(Path(backup))


def test_a_lost_last_entry_is_never_made_good_by_the_one_before(home: Path) -> None:
    remove("history/000003.json")(home)
    remove("archive/000003.json")(home)
    assert cli.main(["history", "--repair", "--home", str(home)]) == 1
    pointer = read_pointer(home)
    assert pointer is not None
    assert pointer.number == 3


@pytest.mark.parametrize("damage", [halve, remove])
def test_a_damaged_archive_stops_what_would_compare_with_it_and_is_made_again(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: Any
) -> None:
    last = read_history(home)[-1]
    path = f"archive/{last.release}.zip"
    damage(path)(home)
    before = names_of(home)
    assert ask("rollback", home, tmp_path) == 1
    assert str(home / path) in capsys.readouterr().err
    assert names_of(home) == before
    assert read_history(home)[-1] == last
    assert cli.main(["history", "--repair", "--home", str(home)]) == 0
    assert path in capsys.readouterr().out
    assert ask("rollback", home, tmp_path) == 0


FOREIGN = {
    "releases and archives": ("releases/v1.0/app.zip", "archive/2019.zip", "notes.txt"),
    "a history of one's own": ("history/000001.json", "archive/0123456789abcdef.zip"),
    "downloads": ("downloads/thesis.pdf",),
    "a cache of one's own": ("cache/files/thesis.pdf",),
    "a file called cache": ("cache",),
    "a current of one's own": ("current", "releases/0123456789abcdef/x"),
    "one hidden file": (".bashrc",),
}


@pytest.mark.parametrize("files", FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("command", [*COMMANDS, "repair"])
def test_a_folder_in_use_is_refused_and_nothing_in_it_touched(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    files: tuple[str, ...],
) -> None:
    monkeypatch.setattr(publishing, "_run_build", build_quickly)
    folder = tmp_path / "own"
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("{}")
    before = contents_of(folder)
    arguments = ["history", "--repair", "--home", str(folder)]
    assert (cli.main(arguments) if command == "repair" else ask(command, folder, tmp_path)) == 2
    told = capsys.readouterr().err
    for said in told.splitlines()[:2]:
        assert str(folder) in said
        assert "--home" in said
    assert contents_of(folder) == before
    assert not (folder / ".lock").exists()


def to_earlier(home: Path) -> None:
    """Make a home what version 0.1.0 wrote."""
    (home / MARKER).unlink()
    words = (home / "current").read_text().split(" ")
    (home / "current").write_text(" ".join(words[:3]))
    for path in (home / "history").iterdir():
        entry = json.loads(path.read_bytes())
        del entry["previous"], entry["data_sha256"]
        path.write_text(json.dumps(entry, ensure_ascii=False, indent=1), encoding="utf-8")
        (home / "archive" / path.name).unlink()


def test_a_home_of_an_earlier_version_is_adopted_once_and_told(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published = contents_of(home)
    to_earlier(home)
    assert ask("history", home, tmp_path) == 0  # which only reads
    assert not (home / MARKER).exists()
    assert ask("build", home, tmp_path) == 0
    told = capsys.readouterr().err
    assert "0.1.0" in told
    assert str(home) in told
    assert {path for path in published if path.endswith(".json")} <= contents_of(home).keys()
    assert [entry.act.imports for entry in read_history(home)] == [
        (),
        (boundary("gaoqu").to_id(),),
        (boundary("gaoqu").to_id(), boundary("jingqu").to_id()),
    ]
    assert ask("build", home, tmp_path) == 0
    assert "0.1.0" not in capsys.readouterr().err
    cut("history/000002.json")(home)
    assert ask("build", home, tmp_path) == 1


@pytest.mark.parametrize(
    "damage",
    [
        *("entry 1 cut", "entry 3 cut", "entry 2 removed", "entry 3 removed", "history removed"),
        *("current removed", "import cut", "imports removed"),
    ],
)
def test_a_damaged_home_of_an_earlier_version_is_refused_as_it_is(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    spoil, file, _ = DAMAGES[damage]
    to_earlier(home)
    spoil(home)
    before = contents_of(home)
    assert ask("build", home, tmp_path) == 1
    assert str(home / file) in capsys.readouterr().err
    assert contents_of(home) == before


def test_an_adoption_that_is_killed_goes_on(home: Path, tmp_path: Path) -> None:
    to_earlier(home)
    written: list[Path] = []

    def write(path: Path, content: bytes) -> None:
        if len(written) == steps:
            raise KeyboardInterrupt
        written.append(path)
        path.write_bytes(content)

    for steps in range(9):
        copy, died = Path(shutil.copytree(home, tmp_path / f"copy{steps}")), False
        written.clear()
        with pytest.MonkeyPatch.context() as dying:
            dying.setattr("layers.history.write_atomically", write)
            dying.setattr("layers.home.write_atomically", write)
            try:
                publish(copy, lambda _: None)
            except KeyboardInterrupt:
                died = True
        assert died == (steps < 8)  # three entries, their copies, current, the marker
        publish(copy, lambda _: None)
        assert [entry.number for entry in read_history(copy)] == [1, 2, 3]
        assert (copy / MARKER).exists()


def test_an_empty_home_in_the_environment_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings({"WEIHAI_LAYOUT_HOME": ""}).home == Path(publishing.ROOT / "var")
    monkeypatch.setenv("WEIHAI_LAYOUT_HOME", "")
    assert find_home() == Path(publishing.ROOT / "var")


def test_a_home_is_meant_from_where_the_command_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Children that make files stand elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert common.settings(Path("one")).home == tmp_path / "one"
    monkeypatch.setenv("WEIHAI_LAYOUT_HOME", "two")
    assert common.settings(None).home == find_home() == tmp_path / "two"


def test_a_home_that_does_not_exist_or_is_empty_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "_run_build", build_quickly)
    (tmp_path / "empty").mkdir()
    for name in ("empty", "not/there"):
        assert ask("build", tmp_path / name, tmp_path) == 0
        assert json.loads((tmp_path / name / MARKER).read_bytes())["format"] == 1


def test_what_a_newer_version_wrote_is_refused(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(MARKER, '"format": 1', '"format": 2')(home)
    before = contents_of(home)
    assert ask("build", home, tmp_path) == 1
    assert "newer" in capsys.readouterr().err
    assert contents_of(home) == before


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_byte_of_a_home_is_damaged_nothing_is_lost(
    pristine: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Truncate or flip any file: every command refuses or works, never deletes, never un-publishes."""
    beside = tmp_path_factory.mktemp("law")
    home = Path(shutil.copytree(pristine, beside / "home"))
    sound = read_history(home)
    path = data.draw(st.sampled_from(sorted(contents_of(home))), label="path")
    content = (home / path).read_bytes()
    at = data.draw(st.integers(0, max(len(content) - 1, 0)), label="at")
    if data.draw(st.booleans(), label="truncate") or not content:
        (home / path).write_bytes(content[:at])
    else:
        bit = 1 << data.draw(st.integers(0, 7), label="bit")
        (home / path).write_bytes(content[:at] + bytes([content[at] ^ bit]) + content[at + 1 :])
    before = names_of(home)
    command = data.draw(st.sampled_from(["build", "history", "rollback"]), label="command")
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(publishing, "_run_build", build_quickly)
        code = ask(command, home, beside)
        assert code in {0, 1}
        assert before <= names_of(home)
        if code == 0:
            found = read_history(home)
            assert [entry.release for entry in found[:3]] == [entry.release for entry in sound]
            assert command == "rollback" or found[-1].act.imports == sound[-1].act.imports
            current = read_current(home)
            assert command == "history" or current is not None
        try:
            repaired = cli.main(["history", "--repair", "--home", str(home)]) == 0
        except HomeError:
            repaired = False
        if repaired:
            assert [entry.release for entry in read_history(home)[:3]] == [entry.release for entry in sound]
        assert before <= names_of(home)


def test_two_builds_on_one_home_publish_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    builds = []

    def build(home: Path, facts: Path, act: Act, progress: object, *_: object) -> tuple[int, list[str]]:
        builds.append(act.inputs)
        return build_quickly(home, facts, act, progress)

    monkeypatch.setattr(publishing, "_run_build", build)
    threads = [threading.Thread(target=publish, args=(tmp_path / "home", lambda _: None)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert builds == [hash_inputs()]
    assert len(read_history(tmp_path / "home")) == 1


def test_a_full_disk_leaves_the_old_release_and_says_so(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    published, steps = published_of(home), 0
    while True:
        written: list[Path] = []

        def write(
            path: Path, content: bytes, _: int = 0, written: list[Path] = written, most: int = steps
        ) -> None:
            if len(written) >= most:
                path.write_bytes(content[:3])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            written.append(path)
            path.write_bytes(content)

        with monkeypatch.context() as full:
            full.setattr("layers.home.write_synced", write)
            full.setattr("layers.store.write_synced", write)
            code = ask("rollback", home, tmp_path)
        told = capsys.readouterr().err
        assert "Traceback" not in told
        if code == 0:
            break
        assert code == 1
        assert os.strerror(errno.ENOSPC) in told
        assert published_of(home) == published
        assert not [path for path in home.rglob(".*") if path.name != ".lock" and ".next-" not in path.name]
        steps += 1
    assert steps >= 2
    assert len(read_history(home)) == 4
    record_number = read_pointer(home)
    assert record_number is not None
    assert record_number.number == 4
    current = read_current(home)
    assert current is not None
    record(home, current, Act("build", current.id, "code"))
    assert (home / "archive/000005.json").is_file()


HEAVY = ("flask", "shapely", "pydantic", "geopandas", "werkzeug", "lark", "webmap")


@pytest.mark.parametrize("module", ["layers.history", "layers.inspection", "scripts.commands.publications"])
def test_who_only_reads_the_history_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([one for one in {HEAVY!r} if one in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], cwd=publishing.ROOT, capture_output=True, check=True)
    assert told.stdout.decode().strip() == "[]"


PUBLISHER = """
import json, os, signal, sys, threading
from pathlib import Path
from layers.store import place_release
from webmap import publish as publishing

delay_s = float(sys.argv[2])
def build(home, facts, act, progress, local=None):
    content = json.dumps([{"id": name} for name in sorted(act.imports)]).encode()
    files = {f"index/t{number}.bin": content * 50 for number in range(40)} | {"data/zones.json": content}
    place_release(home, act.inputs, files)
    return 0, []
publishing._run_build = build
publishing.hash_inputs = lambda *_: "feed0000feed0000"
killer = threading.Timer(delay_s, lambda: os.kill(os.getpid(), signal.SIGKILL))
killer.daemon = True  # an error of the publication ends the process otherwise
killer.start()
publishing.publish(Path(sys.argv[1]), print)
signal.pause()
"""


def publish_and_be_killed(home: Path, copy: Path, delay_s: float) -> int:
    """Publish on a copy of a home, killed after a while; return how many publications it holds, all whole."""
    sound = read_history(home)
    shutil.copytree(home, copy)
    command = [sys.executable, "-c", PUBLISHER, str(copy), str(delay_s)]
    killed = subprocess.run(command, cwd=publishing.ROOT, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    entries = read_history(copy)
    assert entries[:3] == sound
    assert entries[-1].act.imports == sound[-1].act.imports
    current = read_current(copy)
    assert current is not None
    current.verify()
    assert cli.main(["build", "--home", str(copy)]) == 0
    assert not [path for path in copy.rglob(".*") if path.name != ".lock"]
    assert cli.main(["history", "--repair", "--home", str(copy)]) == 0
    return len(entries)


def test_killed_at_any_instant_of_a_publication_the_old_or_the_new_one_is_whole(
    home: Path, tmp_path: Path
) -> None:
    outcomes, delay_s = [0], 0.0005
    while outcomes[-1] != 4:
        delay_s *= 2
        outcomes.append(publish_and_be_killed(home, tmp_path / f"copy{len(outcomes)}", delay_s))
    assert 3 in outcomes


@pytest.mark.thorough
def test_killed_fifty_times_the_old_or_the_new_publication_is_whole(home: Path, tmp_path: Path) -> None:
    chance, most_s = random.Random(7), 0.001
    while publish_and_be_killed(home, tmp_path / f"first {most_s}", most_s) == 3:
        most_s *= 2
    outcomes = [
        publish_and_be_killed(home, tmp_path / f"copy{number}", chance.uniform(0, most_s))
        for number in range(50)
    ]
    assert {*outcomes} <= {3, 4}


@pytest.mark.parametrize("lock", [".lock", "cache/locks", "cache/child-0.lock"])
@pytest.mark.parametrize("harm", ["folder", "noise", "loop"])
def test_a_damaged_lock_is_told_or_does_without(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], lock: str, harm: str
) -> None:
    path = home / lock
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if harm == "folder":
        path.mkdir()
    elif harm == "loop":
        path.symlink_to(path)
    else:
        path.write_bytes(b"\xff" * 100)
    published = published_of(home)
    code = ask("build", home, tmp_path)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert code == 0 or str(path) in said
    assert published_of(home)[0][:3] == published[0]


def test_what_another_process_finds_damaged_while_a_server_starts_is_told(home: Path) -> None:
    release = read_current(home)
    assert release is not None
    VerifyAside(home)(release)
    path = release.folder / release.paths("data/")[0]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(CorruptFileError, match=path.name):
        VerifyAside(home)(release)
    (home / "current").unlink()
    with pytest.raises(CorruptFileError, match=path.name):
        VerifyAside(home)(release)  # which knows of no release to look through
