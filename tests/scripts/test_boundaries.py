"""From a file to the map: import, kill, import again, live server, history, rollback; with the real build."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pyogrio
import pytest
import shapely
from werkzeug.test import Client

from geodata import crs
from geodata.read import read_facts
from layers.history import read_history
from layers.store import read_current
from scripts import cli
from webmap import publish as publishing
from webmap.live import Live
from webmap.publish import MeanwhileError
from webmap.settings import Settings

ROOT = Path(__file__).parents[2]
KILLS = 50
PLACE = "lingang"
OTHERS = {"rushan": "counties", "haigaoyuan": "parks"}  # brought before it
SAID = [
    "--source",
    "某局成果",
    "--licence",
    "内部使用",
    "--who",
    "张某",
    "--why",
    "正式界线",
    "--accuracy-m",
    "5",
]


def shape_of(release, layer, place):
    rows = json.loads(release.read(f"data/{layer}.geojson"))["features"]
    return shapely.from_geojson(json.dumps(next(row for row in rows if row["id"] == place)["geometry"]))


@pytest.fixture
def drawn(release):
    """The zone drawn by somebody else: coarser, moved, and with more land in the north-east."""
    old = shape_of(release, "zones", PLACE)
    coarse = shapely.affinity.translate(shapely.simplify(old, 0.003), -0.003, -0.002)
    shape = shapely.union(coarse, crs.build_circle(122.16, 37.30, 3000))
    return max(shapely.get_parts(shape), key=lambda part: part.area)


@pytest.fixture
def file(drawn, tmp_path):
    """A zipped Shapefile in GBK and CGCS2000 metres, as an office sends it."""
    path = tmp_path / "界线.shp"
    shape = crs.transform_geometry(drawn, "CRS84", "EPSG:4549")
    name = read_facts().zones[PLACE].name.zh
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array([shape], dtype=object)),
        [np.array([name], dtype=object)],
        ["名称"],
        geometry_type="Polygon",
        crs="EPSG:4549",
        driver="ESRI Shapefile",
        encoding="GBK",
    )
    with zipfile.ZipFile(tmp_path / "界线.zip", "w") as archive:
        for one in tmp_path.glob("界线.*"):
            if one.suffix != ".zip":
                archive.write(one, one.name)
    return tmp_path / "界线.zip"


@pytest.fixture
def hi_tech(release, tmp_path):
    """高区 drawn by somebody else."""
    old = shape_of(release, "zones", "gaoqu")
    moved = shapely.affinity.translate(shapely.simplify(old, 0.001), 0.002, -0.0015)
    inside = shapely.intersection(moved, shape_of(release, "counties", "huancui"))
    feature = {"type": "Feature", "properties": {"id": "gaoqu"}, "geometry": shapely.geometry.mapping(inside)}
    path = tmp_path / "高区.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    return path


@pytest.fixture
def brought(release, drawn, ask, tmp_path, monkeypatch):
    """What is brought to this home: a county and a park, published already, and the zone; the polygons.

    A county keeps the islands that its file leaves out.
    The two come as FlatGeobuf. Their publications do without a build: the zone's will build all three.
    """
    brought = {PLACE: drawn}
    with monkeypatch.context() as quick:
        quick.setattr(publishing, "_build", lambda home, *_: read_current(home))
        for place, layer in OTHERS.items():
            shape = shapely.simplify(shapely.buffer(shape_of(release, layer, place), -0.001), 0.0005)
            brought[place] = max(shapely.get_parts(shape), key=lambda part: part.area)
            path = tmp_path / f"{place}.fgb"
            pyogrio.raw.write(
                path,
                shapely.to_wkb(np.array([brought[place]], dtype=object)),
                [np.array([place], dtype=object)],
                ["id"],
                geometry_type="Polygon",
                crs="EPSG:4490",
                driver="FlatGeobuf",
            )
            given = [
                "--yes",
                "--accept-loss",
            ]  # what the county's largest part leaves out goes to another city
            code, out, err = ask("import-boundary", str(path), "--layer", layer, *SAID, *given)
            assert code == 0, out + err
            if layer == "counties":
                islands = shapely.get_parts(shape_of(release, layer, place))
                kept = islands[~shapely.intersects(islands, brought[place])]
                assert len(kept)
                brought[place] = shapely.union_all([brought[place], *kept])
    return brought


@pytest.fixture
def ask(own_home, capsys, monkeypatch):
    monkeypatch.setenv("WEIHAI_LAYOUT_HOME", str(own_home))

    def ask(*arguments):
        code = cli.main(list(arguments))
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return code, told.out, told.err

    return ask


def test_a_dry_run_says_everything_and_publishes_nothing(ask, file, own_home, tmp_path):
    before = (own_home / "current").read_bytes()
    page = tmp_path / "page.html"
    dry = ["import-boundary", str(file), "--layer", "zones", "--accuracy-m", "5", "--dry-run"]
    code, out, _ = ask(*dry, "--json", "--preview", str(page), "--lang", "en")
    answer = json.loads(out)
    assert code == 0
    assert answer["ok"]
    assert answer["places"] == [PLACE]
    assert answer["areas"][0]["official_km2"] == 297.0
    assert answer["areas"][0]["before_km2"] != answer["areas"][0]["after_km2"]
    assert answer["published"] is None
    html = page.read_text(encoding="utf-8")
    assert html.count("<svg") >= 2
    assert "Lingang" in html
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    assert (own_home / "current").read_bytes() == before
    assert {"from", "to", "area_km2"} == set(answer["transfers"][0])
    code, out, _ = ask(*dry)
    assert code == 0
    largest = answer["transfers"][0]
    assert f"{largest['area_km2']:.3f} km² 由" in out
    assert f"（{largest['from']}）归" in out
    assert "变动：边线、方法、精度、来源、使用条件" in out
    assert "changed: outline, method, accuracy, source, terms" in out
    assert (own_home / "previews/界线.html").is_file()


def test_errors_stand_in_the_way_and_are_told_with_codes(ask, own_home, tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    code, out, _ = ask("import-boundary", str(path), "--layer", "zones", *SAID, "--yes", "--json")
    answer = json.loads(out)
    assert code == 1
    assert not answer["ok"]
    assert [finding["code"] for finding in answer["findings"]] == ["file-empty"]
    code, out, _ = ask("import-boundary", str(path), "--layer", "zones", *SAID, "--yes")
    assert code == 1
    assert "file-empty" in out
    assert not (own_home / "imports").exists()


def test_a_dry_run_with_nothing_to_draw_names_no_map(ask, own_home, tmp_path):
    path, page = tmp_path / "a.geojson", tmp_path / "page.html"
    path.write_text('{"a": 1}')
    dry = ["import-boundary", str(path), "--layer", "zones", "--accuracy-m", "5", "--dry-run"]
    code, out, _ = ask(*dry, "--preview", str(page))
    assert code == 1
    assert "unknown-format" in out
    assert "no map was written" in out
    assert str(page) not in out
    code, out, _ = ask(*dry, "--json")
    assert code == 1
    assert json.loads(out)["preview"] is None
    assert not page.exists()
    assert not (own_home / "previews").exists()


def test_a_map_that_cannot_be_written_is_said(ask, file, tmp_path):
    """Its folder is a file."""
    page = file / "page.html"
    dry = ["import-boundary", str(file), "--layer", "zones", "--accuracy-m", "5", "--dry-run"]
    code, out, err = ask(*dry, "--preview", str(page))
    assert code == 1
    assert str(page) in err
    assert "Cannot write" in err
    assert str(page) not in out
    steps = [
        "reading the file",
        "coordinate system",
        "comparing it",
        "fitting the neighbours",
        "what changes",
    ]
    told = [err.find(step) for step in steps]
    assert told == sorted(told)
    assert told[0] > -1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--layer", "zones"],
        ["--layer", "belts", "--accuracy-m", "5"],
        ["--layer", "zones", "--accuracy-m", "0", "--dry-run"],
        ["--layer", "zones", "--accuracy-m", "nan", "--dry-run"],
        ["--layer", "zones", "--accuracy-m", "5"],
        ["--layer", "zones", *SAID, "--id", "a", "--map", "b"],
        ["--layer", "zones", *SAID, "--why", "x" * 501],
        ["--layer", "zones", "--accuracy-m", "5", "--dry-run", "--preview", "x.png"],
    ],
)
def test_wrong_usage_exits_2(ask, file, arguments):
    code, _, err = ask("import-boundary", str(file), *arguments)
    assert code == 2
    assert err


@pytest.mark.parametrize("value", ["abc", "0", "nan", "inf", "100001"])
def test_an_accuracy_that_is_none_is_said_in_both_languages(ask, file, value):
    code, _, err = ask("import-boundary", str(file), "--layer", "zones", "--accuracy-m", value, "--dry-run")
    assert code == 2
    assert f"--accuracy-m: '{value}' 无效" in err
    assert f"'{value}' is not valid: metres above 0, at most 100000" in err
    assert "_metres" not in err


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        (["serve"], "--port", "abc"),
        (["serve"], "--port", "65536"),
        (["serve"], "--workers", "x"),
        (["bench", "map"], "--rounds", "1.5"),
        (["bench", "map"], "--rounds", "0"),
    ],
)
def test_a_number_that_an_option_cannot_use_is_said_in_both_languages(ask, command, option, value):
    code, _, err = ask(*command, option, value)
    assert code == 2
    assert f"{option}: '{value}' 无效" in err
    assert f"'{value}' is not valid: a whole number" in err


def test_without_a_yes_nothing_is_published(ask, file, own_home):
    before = (own_home / "current").read_bytes()
    code, _, err = ask("import-boundary", str(file), "--layer", "zones", *SAID, "--json")
    assert code == 1
    assert "--yes" in err
    assert (own_home / "current").read_bytes() == before


def kill_at(stage, command):
    """Run a command in a session of its own and kill all of it once it says `stage`."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stderr
    with process:
        for line in process.stderr:
            if stage in line:
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode


def says_whose_it_is(release):
    document = json.loads(release.read(f"documents/{PLACE}.json"))
    assert document["geometry"]["source"]["zh"] == "某局成果"
    rows = json.loads(release.read("data/zones.geojson"))["features"]
    terms = next(row for row in rows if row["id"] == "gaoqu")["properties"]["geometry_licence"]
    assert terms.endswith("; 内部使用")
    assert "某局成果" in release.read("schemas/LICENSE-DATA.md").decode()
    titles = [source["title"] for source in json.loads(release.read("schemas/datapackage.json"))["sources"]]
    assert any(PLACE in title and "某局成果" in title for title in titles)
    assert "导入" in json.loads(release.read("map/zh.json"))["themes"][0]["note"]


def test_boundaries_come_in_survive_a_kill_and_go_out_again(ask, file, home, own_home, release, brought):
    server = Live(release, Settings(own_home), interval_s=3600)
    arguments = ["import-boundary", str(file), "--layer", "zones", *SAID, "--yes"]
    command = [sys.executable, "-m", "scripts.cli", *arguments, "--home", str(own_home)]
    assert kill_at("writing", command) == -signal.SIGKILL
    current = read_current(own_home)
    assert current is not None
    assert current.id == release.id
    current.verify()
    entries = len(read_history(own_home))

    code, _, err = ask(*arguments)
    assert code == 0, err
    assert not [path for path in (own_home / "releases").iterdir() if path.name.startswith(".")]
    current = read_current(own_home)
    assert current is not None
    current.verify()
    assert len(read_history(own_home)) == entries + 1

    server.look()
    see(Client(server), brought)
    neighbour = json.loads(current.read("documents/gaoqu.json"))
    assert [link["id"] for link in neighbour["geometry"]["adjusted_by"]] == [PLACE]

    says_whose_it_is(current)

    code, out, err = ask(*arguments, "--json")
    assert code == 0
    assert json.loads(out)["repeated"]
    assert json.loads(out)["published"] is None
    assert "nothing to publish" in err
    assert len(read_history(own_home)) == entries + 1

    code, out, _ = ask("history", PLACE, "--json")
    assert next(event["how"] for event in json.loads(out)) == "imported"
    for place in OTHERS:
        code, out, _ = ask("history", place, "--json")
        assert "imported" in {event["how"] for event in json.loads(out)}
    code, out, _ = ask("history")
    assert "张某" in out

    # The stand-in for a build archived the first release anew; a real one makes another for other imports.
    shutil.copy(home / "archive" / f"{release.id}.zip", own_home / "archive")
    code, out, err = ask("rollback", str(entries - len(OTHERS)), "--who", "李某", "--json")
    assert code == 0, err
    assert json.loads(out)["exact"]
    current = read_current(own_home)
    assert current is not None
    assert current.id == release.id


@pytest.mark.thorough
def test_killed_fifty_times_a_real_publication_is_whole_or_not_there(ask, hi_tech, own_home, tmp_path):
    arguments = ["import-boundary", str(hi_tech), "--layer", "zones", *SAID, "--yes"]
    command = [sys.executable, "-m", "scripts.cli", *arguments, "--home"]
    untouched, timed = tmp_path / "untouched", tmp_path / "timed"
    for copy in (untouched, timed):
        shutil.copytree(own_home, copy)
    begun = time.monotonic()
    subprocess.run([*command, timed], cwd=ROOT, check=True, capture_output=True)
    most_s, chance, outcomes = time.monotonic() - begun, random.Random(7), set()
    before = len(read_history(own_home))
    for _ in range(KILLS):
        with subprocess.Popen(
            [*command, own_home],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            time.sleep(chance.uniform(0, most_s))
            os.killpg(process.pid, signal.SIGKILL)
        entries, current = read_history(own_home), read_current(own_home)
        assert current is not None
        assert current.id == entries[-1].release
        current.verify()
        outcomes.add(len(entries) - before)
        if len(entries) > before:  # it was quicker than the kill
            shutil.rmtree(own_home)
            shutil.copytree(untouched, own_home)
    assert 0 in outcomes <= {0, 1}
    code, _, err = ask(*arguments)
    assert code == 0, err
    assert not [path for path in (own_home / "releases").iterdir() if path.name.startswith(".")]


def test_what_a_dry_run_promises_is_what_is_published(ask, hi_tech, own_home, release):
    """The rows of the dry run, of the publication and of /changes, and the data themselves, say the same."""
    arguments = ["import-boundary", str(hi_tech), "--layer", "zones", *SAID, "--json"]
    _, out, _ = ask(*arguments, "--dry-run")
    promised = json.loads(out)
    code, out, err = ask(*arguments, "--yes")
    assert code == 0, err
    told = json.loads(out)
    for key in ("areas", "transfers", "findings", "shifts"):
        assert told[key] == promised[key], key

    current = read_current(own_home)
    assert current is not None
    visitor = Client(Live(current, Settings(own_home), interval_s=3600))
    found = visitor.get("/changes.json?to=2").get_json()
    rows = {row["id"]: row for row in found["areas"] if row["id"] != "neighbour"}  # which is no place
    assert rows.keys() == {row["id"] for row in promised["areas"]}
    assert len(rows) > 10
    for row in promised["areas"]:
        published = rows[row["id"]]
        assert published["changed"] == row["changed"], row["id"]
        assert published["before"]["area_km2"] == row["before_km2"]
        after = properties_of(current, published["layer"], row["id"])
        for stated in (published["after"], after):
            assert stated["area_km2"] == row["after_km2"]
            assert stated["geometry_method"] == row["method"]
            assert stated["positional_accuracy_m"] == row["accuracy_m"]
            assert stated["official_area_km2"] == row["official_km2"]
        if published["layer"] == "towns":
            gain = sum(one["area_km2"] for one in promised["transfers"] if one["to"] == row["id"])
            loss = sum(one["area_km2"] for one in promised["transfers"] if one["from"] == row["id"])
            assert gain - loss == pytest.approx(row["after_km2"] - row["before_km2"], abs=0.002)
    see_that_what_is_official_alone_is_no_sketch(visitor, current, rows["five-innovation"])


def see_that_what_is_official_alone_is_no_sketch(visitor, current, change):
    """自主创新示范区 is 高区 alone: map, page, paper, files and /changes draw and call it the same."""
    assert (change["before"]["geometry_method"], change["after"]["geometry_method"]) == ("derived", "derived")
    assert change["after"]["positional_accuracy_m"] == 5
    geometry = visitor.get("/zones/five-innovation.json").get_json()["geometry"]
    assert (geometry["method"], geometry["schematic"], geometry["accuracy_m"]) == ("derived", False, 5)
    feature = current.read_json("map/zh.json")["features"]["five-innovation"]
    assert (feature["method"], feature["edge"]) == ("derived", "official")
    sketch = '<span class="tag caution">'
    assert sketch not in visitor.get("/zones/five-innovation?lang=zh").text
    assert sketch in visitor.get("/zones/five-city-industry?lang=zh").text
    with sqlite3.connect(":memory:") as database:
        database.deserialize(current.read("files/plan.gpkg"))
        (style,) = database.execute(
            "SELECT styleQML FROM layer_styles WHERE f_table_name = 'five-zones'"
        ).fetchone()
    labels = {rule.get("label") for rule in ET.fromstring(style).findall("renderer-v2/rules/rule")}
    assert "自主创新示范区（官方）" in labels


def properties_of(release, layer, place):
    rows = json.loads(release.read(f"data/{layer}.geojson"))["features"]
    return next(row["properties"] for row in rows if row["id"] == place)


def see(visitor, brought):
    """Ask the live server for every polygon, where it comes from, and how it came."""
    for place, polygon in brought.items():
        layer = OTHERS.get(place, "zones")
        feature = visitor.get(f"/ogc/collections/{layer}/items/{place}?f=json").get_json()
        assert feature["properties"]["geometry_method"] == "official"
        assert feature["properties"]["positional_accuracy_m"] == 5
        shown = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert shapely.symmetric_difference(shown, polygon).area < 1e-6
        document = visitor.get(f"/zones/{place}.json").get_json()
        assert document["geometry"]["source"]["zh"] == "某局成果"
        page = visitor.get(f"/zones/{place}?lang=zh").text
        history = page[page.index('id="boundary-history"') :]
        assert "某局成果 · 内部使用" in history
        assert ("界线.zip" if place == PLACE else f"{place}.fgb") in history


def test_the_history_of_nobody_and_the_way_to_nowhere_exit_2(ask):
    code, _, err = ask("history", "ling-gang")
    assert code == 2
    assert PLACE in err
    for number in ("99", "0", "-1"):
        code, _, err = ask("rollback", number)
        assert code == 2
        assert err.splitlines()[1].endswith(": 1")
    for word in ("abc", "1.0", "1e3", ""):
        code, _, err = ask("rollback", word)
        assert code == 2
        assert repr(word) in err
        assert "不是编号" in err


def test_a_rollback_to_what_is_in_force_publishes_nothing(ask, own_home):
    entries = len(read_history(own_home))
    code, out, err = ask("rollback", str(entries), "--json")
    assert code == 0
    assert json.loads(out)["repeated"]
    assert json.loads(out)["number"] == entries
    assert "nothing to publish" in err
    assert len(read_history(own_home)) == entries


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MeanwhileError("别处 / meanwhile"), "别处 / meanwhile\n"),
        (OSError(28, "No space left on device"), "the live release stays\n"),
    ],
)
def test_who_may_not_publish_is_told_why_and_nothing_else(ask, hi_tech, monkeypatch, error, said):
    def fail(*_):
        raise error

    monkeypatch.setattr("scripts.commands.import_boundary.publish_imports", fail)
    code, _, err = ask("import-boundary", str(hi_tech), "--layer", "zones", *SAID, "--json", "--yes")
    assert code == 1
    assert err.endswith(said)
    assert "There is no release" not in err


def test_an_empty_home_has_no_history(ask, tmp_path):
    code, _, err = ask("history", "--home", str(tmp_path / "none"))
    assert code == 1
    assert err
    code, _, err = ask("rollback", "1", "--home", str(tmp_path / "none"))
    assert code == 2
