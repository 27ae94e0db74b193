"""Imports stay in force until they are rolled back, whatever is built in between."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pytest

from geodata.imported import ImportedBoundary
from geodata.read import ROOT
from layers.history import read_history, read_imports, read_last, write_import
from layers.home import HomeError
from layers.store import place_release, read_current
from webmap import publish as publishing
from webmap.publish import (
    By,
    MeanwhileError,
    hash_inputs,
    imports_in_force,
    publish,
    publish_act,
    publish_imports,
    roll_back,
)

SQUARE: dict[str, object] = {
    "type": "Polygon",
    "coordinates": [[[122, 37], [122.1, 37], [122.1, 37.1], [122, 37]]],
}


def boundary(of="gaoqu", day=1):
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
        when=datetime(2026, 11, day, tzinfo=UTC),
        file_name="a.zip",
        file_sha256="0" * 64,
        crs="EPSG:4490",
    )


@pytest.fixture
def facts(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("facts") / "facts"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monkeypatch.setattr(publishing, "FACTS", folder)
    monkeypatch.setattr(
        publishing,
        "publish_act",
        lambda home, act, progress, used=folder, *rest, **named: publish_act(
            home, act, progress, folder, *rest, **named
        ),
    )
    return folder


@pytest.fixture(autouse=True)
def built(monkeypatch):
    """Replace the build by a quick one; returns the acts that it was asked for."""
    acts = []

    def build(home, facts, act, progress, local=None):
        acts.append(act)
        content = json.dumps(sorted(act.imports)).encode()
        place_release(home, act.inputs, {"index/imports.json": content})
        return 0, []

    monkeypatch.setattr(publishing, "_run_build", build)
    return acts


def remark(facts, words):
    path = facts / "plan/plan.yaml"
    path.write_text(f"{path.read_text(encoding='utf-8')}{words}\n", encoding="utf-8")


def imports(home):
    current = read_current(home)
    assert current is not None
    return json.loads(current.read("index/imports.json"))


def go_back(*arguments):
    found = roll_back(*arguments)
    assert found is not None
    return found


def test_an_import_stays_in_force_when_facts_change(tmp_path, facts, built):
    first = publish(tmp_path, print, facts)
    second = publish_imports(tmp_path, [boundary()], (), print)
    assert second.id != first.id
    assert imports(tmp_path) == [boundary().to_id()]
    assert publish(tmp_path, print, facts) == second
    remark(facts, "# a remark")
    third = publish(tmp_path, print, facts)
    assert third.id not in {first.id, second.id}
    assert imports(tmp_path) == [boundary().to_id()]
    assert [act.action for act in built] == ["build", "import", "build"]
    last = read_last(tmp_path)
    assert last is not None
    assert last.act.imports == (boundary().to_id(),)


def test_a_later_import_of_the_same_place_replaces_the_earlier_and_others_stay(tmp_path, facts):
    publish_imports(tmp_path, [boundary("gaoqu", 1), boundary("jingqu", 1)], (), print)
    publish_imports(tmp_path, [boundary("gaoqu", 2)], imports_in_force(tmp_path), print)
    wanted = {boundary("jingqu", 1).to_id(), boundary("gaoqu", 2).to_id()}
    assert set(imports_in_force(tmp_path)) == wanted
    assert len(list((tmp_path / "imports").iterdir())) == 3  # none is ever removed


def test_who_when_source_and_why_are_on_record(tmp_path, facts):
    publish_imports(tmp_path, [boundary()], (), print)
    (entry,) = read_history(tmp_path)
    (told,) = entry.act.imported
    assert told["who"] == entry.act.who == "张某"
    assert told["file_sha256"] == "0" * 64
    assert told["crs"] == "EPSG:4490"
    assert "geometry" not in told
    assert read_imports(tmp_path, entry.act.imports) == (boundary(),)


def test_an_import_checked_against_other_boundaries_is_refused(tmp_path, facts):
    publish_imports(tmp_path, [boundary()], (), print)
    with pytest.raises(MeanwhileError, match="meanwhile"):
        publish_imports(tmp_path, [boundary("jingqu")], (), print)
    assert len(read_history(tmp_path)) == 1


def test_a_rollback_takes_the_release_itself_and_stays_until_something_changes(tmp_path, facts, built):
    first = publish(tmp_path, print, facts)
    publish_imports(tmp_path, [boundary()], (), print)
    remark(facts, "# a remark")
    release, exact = go_back(tmp_path, 1, By("李某", "待核实"), print)
    assert exact
    assert release == first
    assert imports_in_force(tmp_path) == ()
    builds = len(built)
    assert publish(tmp_path, print, facts) == first  # the remark was known when it was rolled back
    assert len(built) == builds
    remark(facts, "# another")
    assert publish(tmp_path, print, facts).id == hash_inputs(facts)
    assert [entry.act.action for entry in read_history(tmp_path)] == ["build", "import", "rollback", "build"]


def test_a_rollback_to_what_is_in_force_records_nothing(tmp_path, facts):
    publish(tmp_path, print, facts)
    publish_imports(tmp_path, [boundary()], (), print)
    assert roll_back(tmp_path, 2, By("李某"), print) is None
    assert roll_back(tmp_path, 1, By("李某"), print) is not None
    assert roll_back(tmp_path, 1, By("李某"), print) is None
    assert roll_back(tmp_path, 3, By("李某"), print) is None
    assert len(read_history(tmp_path)) == 3
    remark(facts, "# a remark")  # from now on the live release is kept although the facts are others
    assert roll_back(tmp_path, 1, By("李某"), print) is not None
    assert len(read_history(tmp_path)) == 4


def test_a_release_that_is_gone_is_built_again_with_its_boundaries(tmp_path, facts, built):
    publish(tmp_path, print, facts)
    second = publish_imports(tmp_path, [boundary()], (), print)
    roll_back(tmp_path, 1, By("李某"), print)
    shutil.rmtree(second.folder)
    release, exact = go_back(tmp_path, 2, By("李某"), print)
    assert not exact
    assert release.id == second.id  # the same inputs
    assert imports(tmp_path) == [boundary().to_id()]
    last = read_last(tmp_path)
    assert last is not None
    assert (last.number, last.act.action, last.act.back_to) == (4, "rollback", 2)


def test_a_release_of_other_code_is_built_again(tmp_path, facts, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(publishing, "hash_code", lambda: "older")
        publish(tmp_path, print, facts)
    publish_imports(tmp_path, [boundary()], (), print)
    _, exact = go_back(tmp_path, 1, By("李某"), print)
    assert not exact
    assert imports(tmp_path) == []


def test_a_record_that_no_publication_names_goes_with_the_next_run_and_others_never(tmp_path, facts):
    publish_imports(tmp_path, [boundary()], (), print)
    name = write_import(tmp_path, boundary("jingqu"))  # its run died before it published
    (tmp_path / "imports/own.json").write_text("{")
    assert read_imports(tmp_path, [name]) == (boundary("jingqu"),)
    publish_imports(tmp_path, [boundary(day=2)], imports_in_force(tmp_path), print)
    kept = {path.stem for path in (tmp_path / "imports").iterdir()}
    assert kept == {boundary().to_id(), boundary(day=2).to_id(), "own"}


def test_an_unknown_number_is_a_key_error(tmp_path, facts):
    publish(tmp_path, print, facts)
    with pytest.raises(KeyError):
        roll_back(tmp_path, 7, By("x"), print)


@pytest.mark.parametrize("damage", ["change", "remove", "another"])
def test_an_import_that_was_changed_is_never_taken_for_sound(tmp_path, facts, damage):
    publish_imports(tmp_path, [boundary()], (), print)
    name = boundary().to_id()
    path = tmp_path / "imports" / f"{name}.json"
    if damage == "change":
        path.write_text("{}")
    elif damage == "remove":
        path.unlink()
    else:
        path.write_bytes(boundary("jingqu").to_bytes())
    with pytest.raises(HomeError):
        read_imports(tmp_path, [name])
