"""What the measurements are made with is the same on every machine, and they notice wrong answers."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient

from layers.history import read_history
from layers.memory import MemoryStore, MemoryTable
from layers.query import Query
from layers.store import Release, read_current
from scripts import environment
from scripts.bench import ogc, parsers, synthetic, tasks, traffic
from scripts.bench.load import Load, Result
from scripts.bench.postgis import build_items, build_side, compare_sides
from scripts.bench.synthetic import LAYER, write_made
from scripts.cli import main
from scripts.commands import bench as commands

ROOT = Path(__file__).parents[2]
SCRIPT = re.compile(r"scripts[./](\w+)")


def test_a_country_is_the_same_however_much_of_it_is_made() -> None:
    first = list(itertools.islice(synthetic.build_rows(2), 5))
    assert [row.body for row in first] == [row.body for row in itertools.islice(synthetic.build_rows(1), 5)]
    assert all(row.geometry is not None and row.geometry.is_valid for row in first)
    west, south, east, north = synthetic.block_bounds(0)
    assert all(
        west < row.geometry.bounds[0] and row.geometry.bounds[2] < east for row in first if row.geometry
    )
    assert south < north


def test_zones_stay_in_their_cells() -> None:
    rows = list(itertools.islice(synthetic.build_rows(1), 120))
    table = MemoryTable(synthetic.build_collection(1).info, rows)
    for row in rows[:10]:
        assert row.geometry is not None
        found = table.select(Query(boxes=(row.geometry.bounds,)))
        assert [feature.id for feature in found.features] == [row.id]


def test_a_made_release_holds_as_many_zones_as_are_wanted(tmp_path: Path, release: Release) -> None:
    few = MemoryStore(write_made(tmp_path / "few", release, 3, 20))
    made = write_made(tmp_path / "more", release, 7, 20)
    assert (read_current(tmp_path / "more"), len(read_history(tmp_path / "more"))) == (
        made,
        1,
    )  # to be served
    more = MemoryStore(made)
    assert [few.select(LAYER, Query()).matched, more.select(LAYER, Query()).matched] == [3, 7]
    assert few.select(LAYER, Query()).features == more.select(LAYER, Query(limit=3)).features
    assert few.select("zones", Query()) == MemoryStore(release).select("zones", Query())


def test_stores_that_answer_differently_are_not_compared(release: Release) -> None:
    side = build_side("one", MemoryStore(release))
    other = replace(build_side("two", MemoryStore(release)), service=side.service)
    result = compare_sides(side, other, lambda _: build_items("zones", "limit=1"), 4)
    assert set(result) == {"one", "two", "p50_ratio", "p99_ratio"}
    with pytest.raises(ValueError, match="one"):
        compare_sides(side, other, lambda _: lambda asked: asked.name.encode(), 4)


def test_a_load_in_which_an_answer_is_an_error_is_no_measurement(tmp_path: Path, monkeypatch) -> None:
    said = "  100 requests in 1.00s\n  Non-2xx or 3xx responses: 1\nRequests/sec:   100.00\n"
    monkeypatch.setattr("scripts.bench.load.find_wrk", lambda: "printf")
    load = Load(tmp_path, "paths", ["/a", "/b"])
    monkeypatch.setattr(
        "scripts.bench.load.subprocess.run", lambda *_, **__: type("Done", (), {"stdout": said})
    )
    with pytest.raises(RuntimeError, match="Non-2xx"):
        load.run("http://nowhere", 1)
    assert load.run("http://nowhere", 1, strict=False) == 99.0
    said = "  100 requests in 1.00s\nRequests/sec:   99.50\n"
    assert load.run("http://nowhere", 1) == 99.5


def test_the_peers_project_publishes_the_layer_of_the_package():
    root = ET.fromstring(ogc.build_project("features.gpkg", "towns"))
    layer = root.find("projectlayers/maplayer")
    assert layer is not None
    assert layer.findtext("datasource") == "./features.gpkg|layername=towns"
    published = root.findtext("properties/WFSLayers/value")
    assert published == layer.findtext("id")
    assert published is not None
    assert root.findtext(f"properties/WFSLayersPrecision/{published}") == "8"


def test_servers_that_find_other_features_are_not_compared(monkeypatch):
    ours = b'{"features": [{"id": "a", "properties": {"id": "a"}}, {"id": "b", "properties": {"id": "b"}}]}'
    numbered = b'{"features": [{"id": 2, "properties": {"id": "b"}}, {"id": 1, "properties": {"id": "a"}}]}'
    bare = b'{"features": [{"id": "a", "properties": {}}]}'
    answers = {"o/1": ours, "q/1": numbered, "p/1": bare}
    monkeypatch.setattr("scripts.bench.ogc._read", lambda url: answers[url])
    bases = {"ours": "o", "qgis_server": "q", "pygeoapi": "p"}
    ogc._agree(ogc.Question("page", {"ours": ["/1"], "qgis_server": ["/1"]}), bases)
    with pytest.raises(ValueError, match="pygeoapi"):
        ogc._agree(ogc.Question("page", {"ours": ["/1"], "pygeoapi": ["/1"]}), bases)


def test_a_measurement_names_the_packages_that_it_lacks(release: Release, monkeypatch, capsys):
    monkeypatch.setattr("scripts.bench.ogc.PACKAGES", {"qgis-server": "nowhere/qgis", "wrk": "*"})
    monkeypatch.setattr("scripts.environment.os.geteuid", lambda: 1000)
    assert main(["bench", "ogc", "--home", str(release.folder.parents[1])]) == 1
    assert "sudo apt-get install qgis-server)" in capsys.readouterr().err


@pytest.mark.parametrize("away", ["playwright", "mapclassify", "chromium"])
def test_a_measurement_says_in_a_line_what_it_lacks(monkeypatch, capsys, tmp_path, away):
    monkeypatch.setattr(commands, "find_spec", lambda name: None if name == away else name)
    monkeypatch.setattr(shutil, "which", lambda name: None if away == "chromium" else name)
    assert main(["bench", "map", "--home", str(tmp_path)]) == 1
    said = capsys.readouterr().err
    assert f"bench map also needs: {away}. python3 scripts/test.py" in said
    assert "Traceback" not in said


def test_every_module_of_the_measurements_is_there_without_what_tests_take():
    """The environment of ``start.py`` has what the lock of the program pins, and no more."""
    needed = {name for names in commands.PACKAGES.values() for name in names}
    program = "import sys; sys.modules.update(dict.fromkeys(sys.argv[1:])); import scripts.commands.bench"
    subprocess.run([sys.executable, "-c", program, *needed, "pytest", "hypothesis"], cwd=ROOT, check=True)


def run_without_what_tests_take(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module where nothing is importable but what the lock of the program pins."""
    locks = (environment.list_pinned(name) for name in ("requirements-test.lock", "requirements.lock"))
    ours, product = ({found["name"].lower().replace("_", "-") for found in lock} for lock in locks)
    owners = packages_distributions().items()
    absent = [name for name, of in owners if {one.lower().replace("_", "-") for one in of} <= ours - product]
    program = (
        "import runpy, sys; sys.modules.update(dict.fromkeys(sys.argv[1].split()));"
        "sys.argv = sys.argv[2:]; runpy.run_module(sys.argv[0], run_name='__main__')"
    )
    asked = [sys.executable, "-c", program, " ".join(absent), module, *arguments]
    return subprocess.run(asked, cwd=ROOT, check=False, capture_output=True, text=True)


def list_named_scripts() -> list[str]:
    texts = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    found = {one for path in texts for one in SCRIPT.findall(path.read_text(encoding="utf-8"))}
    return sorted(one for one in found if (ROOT / "scripts" / f"{one}.py").is_file())


@pytest.mark.parametrize("name", [one for one in list_named_scripts() if one != "test"])
def test_a_script_that_a_document_names_explains_itself_where_start_left_off(name):
    done = run_without_what_tests_take(f"scripts.{name}", "--help")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("name", "arguments"), [("boundaries", ()), ("pictures", ("--output", "{folder}"))])
def test_a_script_says_in_a_line_what_it_lacks(tmp_path, name, arguments):
    given = [one.format(folder=tmp_path) for one in arguments]
    done = run_without_what_tests_take(f"scripts.{name}", *given)
    assert done.returncode == 1
    assert "also needs: " in done.stderr
    assert "Traceback" not in done.stderr


def test_all_is_a_page_with_a_chart_that_says_what_is_missing(tmp_path):
    rates = {"ours": 9000.0, "constant": 10000.0, "qgis_server": 50.0, "pygeoapi": 12.0}
    found = [
        commands.Measured("ogc", {"versions": {"pygeoapi": "1"}, "page": {"per_s": rates}}),
        commands.Measured("map", {}, "playwright is not installed"),
    ]
    commands.write_report(found, tmp_path / "b.md", datetime(2026, 1, 2, tzinfo=UTC))
    text = (tmp_path / "b.md").read_text(encoding="utf-8")
    assert "2026-01-02" in text
    assert "](b.svg)" in text
    assert "| page per_s ours | 9000.0 |" in text
    assert "## map\n\nNot measured: playwright is not installed." in text
    bars = [
        int(row.get("width", 0))
        for row in ET.parse(tmp_path / "b.svg").getroot().iter("{http://www.w3.org/2000/svg}rect")
        if row.get("height") == "14"
    ]
    constant, ours, *others = sorted(bars, reverse=True)
    assert bars == [ours, constant, *others]
    assert len(bars) == len(rates)


def test_what_the_load_says_is_read_in_milliseconds() -> None:
    said = (
        "  Latency Distribution\n     50%    1.50ms\n     75%    2.00ms\n"
        "     90%  800.00us\n     99%   14.74s \n"
        "  182 requests in 15.01s, 1.18MB read\n  Socket errors: connect 0, read 1, write 0, timeout 2\n"
        "  Non-2xx or 3xx responses: 3\nRequests/sec:     12.13\n"
    )
    found = traffic.read_wrk(said)
    assert found == {
        "requests": 182,
        "per_s": 12.13,
        "errors": 6,
        "p50_ms": 1.5,
        "p90_ms": 0.8,
        "p99_ms": 14740.0,
    }
    with pytest.raises(RuntimeError):
        traffic.read_wrk("nothing")


def test_traffic_is_of_everything_and_all_of_it_is_answered(release: Release, client: FlaskClient) -> None:
    light, heavy = traffic.list_light(release), traffic.list_heavy(release)
    assert light == traffic.list_light(release)
    kinds = {path.partition("?")[0].split("/")[1] for path in light}
    assert {"", "zones", "industries", "ogc", "search.json", "lookup", "plan"} <= kinds
    assert [path for path in light[:60] if client.get(path).status_code != 200] == []
    assert {path.partition("?")[0].rpartition(".")[2] for path in heavy} >= {"pdf", "png", "gpkg"}


def test_a_short_soak_is_answered_in_all_and_says_how_fast_it_grows(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(own_home.rglob("*"))
    monkeypatch.setattr(traffic, "SAMPLES", 3)
    found: dict[str, Any] = traffic.bench_soak(own_home, 0.1)
    assert set(found["statuses"]) == {"200"}
    assert set(found["heavy"]) <= {"200", "503"}
    assert set(found["grows_per_hour"]) == {"memory_mb", "descriptors", "disk_mb"}
    assert sorted(own_home.rglob("*")) == before  # it is a copy that is soaked


def test_no_hostile_text_makes_a_parser_fail(client: FlaskClient, tmp_path: Path) -> None:
    for parser in parsers.list_parsers(client, tmp_path):
        for text in list(parsers.build_texts(parser.pieces, 300, 6))[::3]:
            parser.read(text)


@pytest.mark.parametrize("bench", [tasks.bench_lookup, tasks.bench_join])
def test_who_is_compared_with_geopandas_finds_what_it_finds(
    home: Path, release: Release, monkeypatch: pytest.MonkeyPatch, bench: Callable[[Path, int], Result]
) -> None:
    monkeypatch.setattr(tasks, "POINTS", 12)
    monkeypatch.setattr(tasks, "ROWS", 40)
    found = bench(home, 1)
    assert {name.partition("_")[0] for name in found} - {"rows"} == {"ours", "geopandas"}
    frame = tasks._read_frame(release)
    moved = frame.set_geometry(frame.translate(0.4, 0))  # of a peer that is wrong
    monkeypatch.setattr(tasks, "_read_frame", lambda _: moved)
    with pytest.raises(ValueError, match=r"\{"):
        bench(home, 1)
