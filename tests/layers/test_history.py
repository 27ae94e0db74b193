"""Every publication is recorded, whole or not at all, at whatever instant the process dies."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from layers import history, home
from layers.changes import compare, summarise
from layers.history import (
    Act,
    describe_data,
    find_entry,
    list_data,
    list_places,
    open_data,
    read_history,
    read_last,
    record,
    tidy,
    trace,
)
from layers.store import KEPT, place_release, read_current, read_pointer

ROOT = Path(__file__).parents[2]


def zones(area_km2, method="reconstructed"):
    properties = {"id": "gaoqu", "name_zh": "高区", "area_km2": area_km2, "geometry_method": method}
    geometry = {"type": "Point", "coordinates": [area_km2, 37]}
    feature = {"type": "Feature", "id": "gaoqu", "properties": properties, "geometry": geometry}
    return json.dumps({"type": "FeatureCollection", "features": [feature]}).encode()


def files(area_km2):
    return {"data/zones.geojson": zones(area_km2), "data/sheet.xlsx": b"x", "pages/a.json": b"{}"}


def publish(home, name, area_km2, act=None):
    release = place_release(home, name, files(area_km2))
    return record(home, release, act or Act("build", name, "code"))


def test_publications_are_numbered_and_the_last_is_live(tmp_path):
    first, second = publish(tmp_path, "aaaa1111", 140), publish(tmp_path, "bbbb2222", 150)
    assert [entry.number for entry in read_history(tmp_path)] == [1, 2]
    assert read_history(tmp_path) == [first, second]
    assert read_last(tmp_path) == second
    current = read_current(tmp_path)
    assert current is not None
    assert current.id == "bbbb2222"
    current.verify()


def test_the_data_of_every_publication_stay_when_the_release_goes(tmp_path):
    for number in range(6):
        publish(tmp_path, f"{number:016x}", 100 + number)
    assert len(list((tmp_path / "releases").iterdir())) == 3
    for number in range(6):
        assert list_data(tmp_path, f"{number:016x}") == ["data/zones.geojson"]
        assert open_data(tmp_path, f"{number:016x}")("data/zones.geojson") == zones(100 + number)
    assert open_data(tmp_path, f"{1:016x}")("data/none.json") is None
    assert open_data(tmp_path, "none")("data/zones.geojson") is None


def test_a_publication_is_found_by_number_and_by_hash(tmp_path):
    publish(tmp_path, "aaaa1111", 1)
    publish(tmp_path, "aaaa2222", 2)
    publish(tmp_path, "aaaa1111", 1, Act("rollback", "x", "code", back_to=1))
    entries = read_history(tmp_path)
    found = {asked: find_entry(entries, asked) for asked in ("1", "aaaa2", "aaaa1111", "aaaa", "aa", "9", "")}
    numbers = {asked: entry.number if entry else None for asked, entry in found.items()}
    assert numbers == {"1": 1, "aaaa2": 2, "aaaa1111": 3, "aaaa": None, "aa": None, "9": None, "": None}


def test_changes_tell_areas_from_facts():
    old, new = zones(140), zones(150, "official")
    tables = {
        "data/clauses.json": (b'[{"id": "1", "a": 1}, {"id": "2"}]', b'[{"id": "1", "a": 2}, {"id": "3"}]')
    }
    before = {"data/zones.geojson": old} | {path: pair[0] for path, pair in tables.items()}
    after = {"data/zones.geojson": new} | {path: pair[1] for path, pair in tables.items()}
    found = compare(before.get, after.get, before)
    area: Any
    (area,) = found["areas"]
    assert (area["id"], area["moved"]) == ("gaoqu", True)
    assert area["changed"] == ["outline", "method"]
    assert (area["before"]["area_km2"], area["after"]["area_km2"]) == (140, 150)
    assert (area["before"]["geometry_method"], area["after"]["geometry_method"]) == (
        "reconstructed",
        "official",
    )
    assert [(row["id"], row["change"]) for row in found["facts"]] == [
        ("1", "changed"),
        ("2", "removed"),
        ("3", "added"),
    ]
    assert found["facts"][0]["fields"] == [{"field": "a", "before": 1, "after": 2}]
    assert summarise(found)["facts"] == {"clauses": {"added": 1, "removed": 1, "changed": 1}}
    assert compare(before.get, before.get, before) == {"areas": [], "facts": []}


def test_the_history_of_one_boundary_says_how_it_came_about(tmp_path):
    def row(before, after):
        return {
            "id": "gaoqu",
            "before": before and {"area_km2": before},
            "after": after and {"area_km2": after},
        }

    acts = [
        Act("build", "1", "c", changes={"areas": [row(None, 1)]}),
        Act("import", "2", "c", imported=({"of": "gaoqu"},), changes={"areas": [row(1, 2)]}),
        Act("import", "3", "c", imported=({"of": "jingqu"},), changes={"areas": [row(2, 3)]}),
        Act("build", "4", "c", changes={"areas": [row(3, 4)]}),
        Act("rollback", "5", "c", back_to=2, changes={"areas": [row(4, 2)]}),
        Act("build", "6", "c"),
        Act("build", "7", "c", changes={"areas": [row(2, None)]}),
    ]
    for number, act in enumerate(acts):
        publish(tmp_path, f"release{number}", number, act)
    events = trace(read_history(tmp_path), "gaoqu")
    hows = ["removed", "restored", "rebuilt", "adjusted", "imported", "base"]
    assert [event["how"] for event in events] == hows
    assert trace(read_history(tmp_path), "nobody") == []
    assert list_places(read_history(tmp_path)) == {"gaoqu"}


# Forks a child for every instant at which the file system is about to change, and lets it die there.
KILLER = """
import os, signal, sys
from pathlib import Path
from layers.history import Act, record, read_last
from layers.store import place_release
from tests_history import files

home = Path(sys.argv[1])
CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "shutil.rmtree"}

def publish(step):
    count = 0
    def watch(event, arguments):
        nonlocal count
        flags = arguments[2] if event == "open" else 0
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)
        if event in CHANGES or writes:
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)
    record(home, place_release(home, "2222222222222222", files(2)), Act("import", "2222222222222222", "code"))

step = 0
while True:
    step += 1
    child = os.fork()
    if child == 0:
        publish(step)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(step, os.WIFSIGNALED(status), flush=True)
    sys.stdin.readline()
    if not os.WIFSIGNALED(status):
        break
"""


def test_killed_at_every_change_of_the_file_system_old_or_new_is_whole(tmp_path):
    """After each death: one of both is live and whole, its entry is there, and the next run tidies up."""
    publish(tmp_path, "live1111", 1)
    pristine = _snapshot(tmp_path)
    source = KILLER.replace("from tests_history import files", _source_of_files())
    outcomes = []
    with subprocess.Popen(
        [sys.executable, "-c", source, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as killer:
        assert killer.stdout
        assert killer.stdin
        for line in killer.stdout:
            current, last = read_current(tmp_path), read_last(tmp_path)
            assert current is not None
            current.verify()
            assert last is not None
            assert (last.number, last.release) in {(1, "live1111"), (2, "2222222222222222")}
            assert last.release == current.id
            outcomes.append(last.number)
            tidy(tmp_path)
            assert not [path for path in tmp_path.rglob(".*") if path.name != ".lock"]
            assert read_last(tmp_path) == last
            placed = {path.name for path in (tmp_path / "releases").iterdir()}
            assert placed == {entry.release for entry in read_history(tmp_path)}
            assert all(list_data(tmp_path, entry.release) for entry in read_history(tmp_path))
            if line.split()[1] == "True":
                _restore(tmp_path, pristine)
            killer.stdin.write("\n")
            killer.stdin.flush()
    assert killer.returncode == 0
    assert outcomes == sorted(outcomes)  # one instant publishes
    assert outcomes.count(1) > 10
    assert outcomes.count(2) >= 2
    assert read_pointer(tmp_path) is not None


def _source_of_files():
    import inspect

    return "import json\n" + inspect.getsource(zones) + "\n" + inspect.getsource(files)


def _snapshot(home):
    return {path.relative_to(home): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def _restore(home, snapshot):
    for path in sorted(home.rglob("*"), reverse=True):
        name = path.relative_to(home)
        if path.is_file() and name not in snapshot:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    for name, content in snapshot.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)


@pytest.mark.parametrize(
    "leftover",
    [
        *("history/.next-000002.json", "archive/.next-2222222222222222.zip", "imports/.next-a.json"),
        *(
            ".current-abcdefgh",
            "history/..next-000002.json-0123456789abcdef",
            "archive/.000001.json-0123456789abcdef",
        ),
    ],
)
def test_leftovers_of_an_unpublished_run_are_removed(tmp_path, leftover):
    publish(tmp_path, "live1111", 1)
    content = (tmp_path / "history/000001.json").read_text().replace('"number": 1', '"number": 2')
    (tmp_path / leftover).parent.mkdir(exist_ok=True)
    (tmp_path / leftover).write_text(content)
    assert len(read_history(tmp_path)) == 1
    tidy(tmp_path)
    assert not (tmp_path / leftover).exists()
    assert len(read_history(tmp_path)) == 1


def test_releases_that_were_never_published_push_none_out_that_was(tmp_path):
    for number in range(KEPT):
        publish(tmp_path, f"{number:016x}", number)
    for number in range(KEPT):  # laid in their places by runs that were killed then
        place_release(tmp_path, f"dead{number:012x}", files(9))
        tidy(tmp_path)
    publish(tmp_path, f"{9:016x}", 9)
    whole = {path.name for path in (tmp_path / "releases").iterdir()}
    assert whole == {f"{9:016x}", *(f"{number:016x}" for number in range(1, KEPT))}


def test_a_clock_that_goes_back_disorders_nothing(tmp_path, monkeypatch):
    class Clock(datetime):
        day = 20

        @classmethod
        def now(cls, tz=None):
            cls.day -= 1
            return datetime(2026, 11, cls.day, tzinfo=tz)

    monkeypatch.setattr(history, "datetime", Clock)
    for number in range(KEPT + 2):
        publish(tmp_path, f"{number:016x}", number)
    entries = read_history(tmp_path)
    assert [entry.release for entry in entries] == [f"{number:016x}" for number in range(KEPT + 2)]
    assert [entry.when for entry in entries] == sorted(entry.when for entry in entries)
    whole = {path.name for path in (tmp_path / "releases").iterdir()}
    assert whole == {entry.release for entry in entries[-KEPT:]}


def test_an_entry_staged_for_the_live_release_is_finished(tmp_path):
    publish(tmp_path, "live1111", 1)
    entry = tmp_path / "history/000001.json"
    entry.rename(entry.with_name(".next-000001.json"))
    assert [entry.number for entry in read_history(tmp_path)] == [1]
    tidy(tmp_path)
    assert (tmp_path / "history/000001.json").is_file()


def test_an_entry_that_is_put_in_its_place_while_it_is_read_is_not_missed(tmp_path, monkeypatch):
    publish(tmp_path, "aaaa1111", 1)
    last = publish(tmp_path, "bbbb2222", 2)
    published, staged = tmp_path / "history/000002.json", tmp_path / "history/.next-000002.json"
    published.rename(staged)
    read_file = home.read_file

    def read(path):
        if path == staged and staged.exists():
            staged.rename(published)
        return read_file(path)

    monkeypatch.setattr(history, "read_file", read)
    assert read_history(tmp_path)[-1] == last


def test_a_publication_during_a_reading_is_no_damage(tmp_path, monkeypatch):
    """Between a look at ``current`` and one at the entries another process publishes."""
    publish(tmp_path, "aaaa1111", 1)
    read_pointer_once, later = read_pointer, [True]

    def read(folder):
        found = read_pointer_once(folder)
        if later and len(readings) == 1:
            later.clear()
            publish(tmp_path, "bbbb2222", 2)
        readings.append(found)
        return found

    readings: list[object] = []
    monkeypatch.setattr(history, "read_pointer", read)
    assert [entry.release for entry in read_history(tmp_path)] == ["aaaa1111", "bbbb2222"]


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_damaged_archive_gives_nothing_and_never_half_a_file(tmp_path, cut):
    publish(tmp_path, "aaaa1111", 1)
    whole = describe_data(tmp_path, "aaaa1111")
    content = zones(1)
    digest = hashlib.sha256(content).hexdigest()
    assert whole == {"data/zones.geojson": {"bytes": len(content), "sha256": digest}}
    archive = tmp_path / "archive/aaaa1111.zip"
    packed = archive.read_bytes()
    archive.write_bytes(packed[:-cut])
    assert describe_data(tmp_path, "aaaa1111") == {}
    middle = len("data/zones.geojson") + 40  # within the compressed bytes
    archive.write_bytes(packed[:middle] + bytes([packed[middle] ^ 255]) + packed[middle + 1 :])
    assert describe_data(tmp_path, "aaaa1111") == {}
    assert open_data(tmp_path, "aaaa1111")("data/zones.geojson") is None
