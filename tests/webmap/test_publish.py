"""Only a sound release of facts at rest is ever handed out; everything else is said."""

import json
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from geodata.read import ROOT
from layers.history import Act, read_history, record
from layers.store import place_release, read_current
from scripts import cli
from webmap import publish as publishing
from webmap.publish import INPUTS_CHANGED, BuildError, hash_inputs, publish

ROWS = [{"id": f"row-{number}"} for number in range(200)]
FILES = {"data/a.json": json.dumps(ROWS).encode(), "index/b.bin": b"\0\1\2"}


@pytest.fixture
def facts(tmp_path_factory):
    """A copy of the shipped facts to spoil."""
    folder = tmp_path_factory.mktemp("facts") / "facts"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return folder


@pytest.fixture
def spoilt(facts):
    """Facts with an id and a clause that nothing has, and a record that is none."""
    spoil(facts, "plan/platforms.yaml", "  zone: jingqu\n", "  zone: nobody-there\n")
    named = "  industries: [medical-devices, biomedicine]\n"
    spoil(facts, "plan/designations.yaml", named, "  industries: [nothing]\n")
    return facts


@pytest.fixture
def builds(monkeypatch):
    """Replace the build by a quick one; returns the ids that it was asked for, in order."""
    asked: list[str] = []

    def build(home, facts, act, progress, local=None):
        asked.append(act.inputs)
        place_release(home, act.inputs, FILES)
        return 0, []

    monkeypatch.setattr(publishing, "_run_build", build)
    return asked


def spoil(folder, file, old, new):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def line_of(folder, file, text):
    return (folder / file).read_text(encoding="utf-8").splitlines().index(text) + 1


def test_facts_that_contradict_each_other_are_not_published(spoilt, tmp_path):
    live = place_release(tmp_path / "home", "live0", FILES)
    record(tmp_path / "home", live, Act("build", "live0", "code"))
    shown: list[str] = []
    with pytest.raises(BuildError) as refused:
        publish(tmp_path / "home", shown.append, spoilt)
    said = str(refused.value)
    for file, text in (
        ("plan/platforms.yaml", "  zone: nobody-there"),
        ("plan/designations.yaml", "  industries: [nothing]"),
    ):
        assert f"{file}:{line_of(spoilt, file, text)} " in said
    assert "2 errors" in said
    assert "2 处错误" in said
    assert "Traceback" not in said
    current = read_current(tmp_path / "home")
    assert current == live
    live.verify()


@pytest.mark.parametrize("arguments", [["build"], ["serve", "--no-browser", "--port", "0"]])
def test_the_commands_refuse_them_readably(spoilt, tmp_path, monkeypatch, capsys, arguments):
    monkeypatch.setattr(publishing, "publish", partial(publish, facts=spoilt))
    assert cli.main([*arguments, "--home", str(tmp_path / "home")]) == 1
    told = capsys.readouterr()
    assert "nobody-there" in told.err
    assert "“nothing”" in told.err
    assert "Traceback" not in told.err
    assert "ready" not in told.out


def test_boundaries_that_are_no_json_are_said(facts, tmp_path):
    (facts / "boundaries/land.geojson").write_text("{")
    with pytest.raises(BuildError, match=r"boundaries/land\.geojson") as refused:
        publish(tmp_path / "home", print, facts)
    assert "Traceback" not in str(refused.value)


def test_a_sound_release_is_not_built_again(builds, facts, tmp_path):
    first = publish(tmp_path, print, facts)
    assert publish(tmp_path, print, facts) == first
    assert builds == [first.id]


def test_additions_that_cannot_be_read_are_not_taken_for_none(facts: Path, tmp_path: Path) -> None:
    bare = hash_inputs(facts)
    assert hash_inputs(facts, local=tmp_path) == bare  # an empty folder adds nothing
    for folder in (tmp_path / "nowhere", facts / "city.yaml"):
        assert hash_inputs(facts, local=folder) != bare


def empty(folder):
    shutil.rmtree(folder)
    (folder / "data").mkdir(parents=True)


DAMAGE = {
    "changed file": lambda folder: (folder / "data/a.json").write_bytes(b'{"a": 2}' * 200),
    "missing file": lambda folder: (folder / "index/b.bin").unlink(),
    "truncated manifest": lambda folder: (folder / "manifest.json").write_bytes(b'{"release": "'),
    "empty manifest": lambda folder: (folder / "manifest.json").write_bytes(b'{"files": []}'),
    "half-written folder": empty,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_release_is_said_and_built_again(builds, facts, tmp_path, damage):
    broken = publish(tmp_path, print, facts)
    damage(broken.folder)
    shown: list[str] = []
    release = publish(tmp_path, shown.append, facts)
    release.verify()
    assert release.read("data/a.json") == FILES["data/a.json"]
    assert release == read_current(tmp_path)
    assert builds == [release.id, release.id]
    assert len(read_history(tmp_path)) == 1  # what is mended is not published anew
    (said,) = shown
    assert "已损坏" in said
    assert "is broken, rebuilding" in said


def test_a_release_that_is_gone_is_built_again(builds, facts, tmp_path):
    shutil.rmtree(publish(tmp_path, print, facts).folder)
    publish(tmp_path, print, facts).verify()
    assert len(builds) == 2


def test_a_build_that_leaves_something_unsound_is_refused(facts, tmp_path, monkeypatch):
    def build(home, facts, act, progress, local=None):
        (place_release(home, act.inputs, FILES).folder / "index/b.bin").unlink()
        return 0, []

    monkeypatch.setattr(publishing, "_run_build", build)
    with pytest.raises(BuildError, match="not sound"):
        publish(tmp_path, print, facts)


def test_a_build_that_dies_in_silence_is_said(facts, tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "_run_build", lambda *_: (-9, []))
    with pytest.raises(BuildError, match="-9"):
        publish(tmp_path, print, facts)


def test_inputs_that_change_under_the_build_make_it_start_again(facts, tmp_path, monkeypatch):
    shown: list[str] = []
    asked: list[str] = []

    def build(home, folder, act, progress, local=None):
        asked.append(act.inputs)
        if len(asked) == 1:
            spoil(folder, "plan/plan.yaml", "- id", "# a remark\n- id")
            return INPUTS_CHANGED, []
        place_release(home, act.inputs, FILES)
        return 0, []

    monkeypatch.setattr(publishing, "_run_build", build)
    release = publish(tmp_path, shown.append, facts)
    assert release.id == asked[1] == hash_inputs(facts) != asked[0]
    assert "the inputs changed during the build" in shown[0]
    assert "输入有改动" in shown[0]


def test_inputs_that_never_rest_are_given_up_on(facts, tmp_path, monkeypatch):
    shown: list[str] = []
    monkeypatch.setattr(publishing, "_run_build", lambda *_: (INPUTS_CHANGED, []))
    with pytest.raises(BuildError, match="3 builds"):
        publish(tmp_path, shown.append, facts)
    assert len(shown) == 3
    assert read_current(tmp_path) is None


def test_the_build_itself_writes_nothing_once_its_inputs_changed(spoilt, tmp_path):
    code, said = publishing._run_build(tmp_path, spoilt, Act("build", "0" * 16, ""), print)
    assert code == INPUTS_CHANGED
    assert "errors" not in "".join(said)
    assert not list(tmp_path.glob("releases"))


KILLED = """
import os, signal, sys
from pathlib import Path
from webmap import publish as publishing
from webmap.publish import Act

def die(_):
    (children,) = Path("/proc/self/task").glob("*/children")
    print(children.read_text(), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

home, facts = map(Path, sys.argv[1:])
publishing._run_build(home, facts, Act("build", publishing.hash_inputs(facts), ""), die)
"""


def test_a_build_ends_with_who_asked_for_it(facts, tmp_path):
    """Or it would write into a home that another process has locked since."""
    command = [sys.executable, "-c", KILLED, str(tmp_path / "home"), str(facts)]
    killed = subprocess.run(command, cwd=publishing.ROOT, stdout=subprocess.PIPE, check=False)
    assert killed.returncode == -signal.SIGKILL
    child = Path("/proc", killed.stdout.decode().split()[0], "stat")
    deadline = time.monotonic() + 30
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, "it goes on"
        time.sleep(0.05)
    assert not list(tmp_path.glob("home/releases/*"))


def test_a_terminal_without_chinese_does_not_stop_the_build(spoilt, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    act = Act("build", hash_inputs(spoilt), "")
    _, said = publishing._run_build(tmp_path, spoilt, act, lambda _: None)
    assert "处错误" in said[-1]
