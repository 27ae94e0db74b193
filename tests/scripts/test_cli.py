import errno
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from geodata import read
from scripts import cli
from scripts.commands import serve

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ask(home, release, monkeypatch, capsys):
    """Run a subcommand on the tests' release; returns exit code, standard output, standard error."""
    monkeypatch.setenv("WEIHAI_LAYOUT_HOME", str(home))

    def run(*arguments):
        code = cli.main(list(arguments))
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_explains_itself(command, capsys):
    assert cli.main([command, "--help"]) == 0
    assert f"weihai-layout {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["lookup", "1", "2", "--crs", "x"],
        ["serve", "--port", "70000"],
        ["serve", "--workers", "0"],
    ],
)
def test_wrong_usage_exits_2(arguments):
    assert cli.main(arguments) == 2


def test_the_shipped_facts_are_valid(capsys):
    assert cli.main(["check"]) == 0
    assert "all facts are valid" in capsys.readouterr().out


def test_check_reports_every_broken_file_at_once(tmp_path, capsys):
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan/zones.yaml").write_text("- id: Not An Id\n  layer: zones\n", encoding="utf-8")
    (tmp_path / "plan/clauses.yaml").write_text("- [broken", encoding="utf-8")
    assert cli.main(["check", "--facts", str(tmp_path), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    places = {(problem["file"], problem["line"], problem["field"]) for problem in answer["problems"]}
    assert not answer["ok"]
    assert ("plan/zones.yaml", 1, "id") in places
    assert ("plan/clauses.yaml", 1, "") in {
        (file, 1 if line else line, field) for file, line, field in places
    }


def test_examples_of_additions_are_written_once_and_checked(tmp_path, capsys):
    folder = tmp_path / "additions"
    assert cli.main(["local", "init", str(folder)]) == 0
    assert cli.main(["check", "--local", str(folder)]) == 0
    assert cli.main(["local", "init", str(folder)]) == 1
    assert "contacts.yaml" in capsys.readouterr().err
    (folder / "contacts.yaml").write_text("- {of: nobody, phone: 1}\n", encoding="utf-8")
    (folder / "odd.txt").write_text("", encoding="utf-8")
    assert cli.main(["check", "--local", str(folder), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    places = {(problem["file"], problem["line"], problem["field"]) for problem in answer["problems"]}
    assert places >= {("contacts.yaml", 1, "phone"), ("contacts.yaml", 1, "source"), ("odd.txt", None, "")}


def _plots(folder, *rows):
    """Write a layer and its data, and return the paths."""
    folder.mkdir()
    said = "{title: 地块, fields: [{name: name, title: 名称}], popup: {title: name}, "
    (folder / "plots.yaml").write_text(
        f"{said}source: 甲, as_of: 2026-01-31, licence: 乙}}", encoding="utf-8"
    )
    (folder / "plots.csv").write_text("\n".join(["name,lon,lat", *rows, ""]), encoding="utf-8")
    return [str(folder / "plots.yaml"), str(folder / "plots.csv")]


def _content(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    shown = [path.relative_to(folder) for path in paths]
    return {
        one.as_posix(): (folder / one).read_bytes() for one in shown if not one.as_posix().startswith(".")
    }


def test_files_are_added_together_and_published(tmp_path, monkeypatch, capsys, release):
    folder, seen = tmp_path / "additions", []
    cli.main(["local", "init", str(folder)])
    before = _content(folder)

    def publish(chosen):
        seen.append(_content(chosen.local))
        return release

    monkeypatch.setattr("scripts.commands.facts.try_release", publish)
    files = _plots(tmp_path / "new", "甲,122.1,37.2")
    assert cli.main(["local", "add", *files, "--local", str(folder)]) == 0
    assert release.id in capsys.readouterr().out
    after = _content(folder)
    assert seen == [after]
    assert after == before | {f"layers/{Path(one).name}": Path(one).read_bytes() for one in files}
    monkeypatch.setattr("scripts.commands.facts.try_release", lambda _: None)
    newer = _plots(tmp_path / "newer", "乙,122.1,37.3")
    for path in map(Path, newer):
        path.with_stem("more").write_bytes(path.read_bytes())
    more = [str(Path(path).with_stem("more")) for path in newer]
    assert cli.main(["local", "add", *newer, *more, "--local", str(folder)]) == 1
    assert _content(folder) == after


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("plots.csv", "name,lon,lat\n,122.1,37.2\n", "layers/plots.csv:2"),
        ("other.csv", "name,lon,lat\n甲,122.1,37.2\n", "layers/other.csv"),
        ("zones.yaml", "title: 区\n", "layers/zones.yaml"),
        ("contacts.yaml", "- {of: nobody, phone: 1}\n", "contacts.yaml:1"),
        ("notes.doc", "x", "notes.doc"),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(tmp_path, monkeypatch, capsys, name, content, said):
    folder = tmp_path / "additions"
    (folder / "layers").mkdir(parents=True)
    for path in map(Path, _plots(tmp_path / "sound", "甲,122.1,37.2")):
        (folder / "layers" / path.name).write_bytes(path.read_bytes())
    before = _content(folder)
    monkeypatch.setattr("scripts.commands.facts.try_release", lambda _: pytest.fail("published"))
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert cli.main(["local", "add", str(tmp_path / name), "--local", str(folder)]) == 1
    assert said in capsys.readouterr().err
    assert cli.main(["local", "add", str(tmp_path / "none.csv"), "--local", str(folder)]) == 1
    assert _content(folder) == before


def test_adding_needs_to_know_where(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("WEIHAI_LAYOUT_LOCAL", raising=False)
    assert cli.main(["local", "add", str(tmp_path / "plots.csv")]) == 2
    assert "--local" in capsys.readouterr().err


def test_the_folder_of_additions_may_be_named_in_the_environment(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WEIHAI_LAYOUT_LOCAL", str(tmp_path / "none"))
    assert cli.main(["check"]) == 1
    assert "WEIHAI_LAYOUT_LOCAL" in capsys.readouterr().err
    monkeypatch.delenv("WEIHAI_LAYOUT_LOCAL")
    assert cli.main(["check", "--local", str(tmp_path / "none")]) == 1
    assert "no such folder" in capsys.readouterr().out


def test_audit_without_a_plan_says_how_to_name_one(monkeypatch, capsys):
    monkeypatch.delenv("WEIHAI_LAYOUT_PLAN", raising=False)
    assert cli.main(["audit"]) == 2
    assert "--plan" in capsys.readouterr().err


def test_audit_of_an_unreadable_plan_exits_2(tmp_path, capsys):
    assert cli.main(["audit", "--plan", str(tmp_path / "none.txt")]) == 2
    assert "none.txt" in capsys.readouterr().err


def test_audit_of_another_text_exits_1(tmp_path, capsys):
    (tmp_path / "other.txt").write_text("别的文件", encoding="utf-8")
    assert cli.main(["audit", "--plan", str(tmp_path / "other.txt"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)


def test_build_names_the_release(ask, release):
    code, out, _ = ask("build", "--json")
    assert code == 0
    assert json.loads(out)["id"] == release.id


def test_lookup_answers_for_every_seat_of_a_town(ask):
    town = next(iter(read.read_facts().towns.values()))
    code, out, _ = ask("lookup", str(town.seat.lon), str(town.seat.lat), "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["covered"]
    assert town.id in {found["id"] for found in answer["applies"]}


def test_lookup_far_away_names_the_nearest_place(ask):
    code, out, _ = ask("lookup", "0", "0")
    assert code == 0
    assert "outside coverage" in out


@pytest.mark.parametrize(
    ("lon", "lat", "hint"),
    [("999", "37", "999"), ("37", "122", "122 37"), ("nan", "37", "nan"), ("abc", "37", "abc")],
)
def test_lookup_refuses_impossible_positions(ask, lon, lat, hint):
    code, _, err = ask("lookup", lon, lat)
    assert code == 2
    assert hint in err


def test_lookup_reads_a_position_as_it_is_written(ask):
    code, out, _ = ask("lookup", "37°18′29.5″N", "122°06′58.7″E", "--json")
    answer = json.loads(out)
    assert code == 0
    assert (answer["lon"], answer["lat"]) == pytest.approx((122.116306, 37.308194), abs=1e-6)
    code, out, _ = ask("lookup", "4131081, 421659", "--crs", "EPSG:4550")
    assert code == 0
    assert "lingang" in out
    assert "airport-weihai" in out


def test_lookup_asks_where_the_order_is_unclear(ask):
    code, _, err = ask("lookup", "36.9, 37.2")
    assert code == 2
    assert "lookup 36.9 37.2" in err
    assert "lookup 37.2 36.9" in err


def test_lookup_shares_out_a_polygon(ask, tmp_path):
    file = tmp_path / "site.geojson"
    ring = [[122.0, 37.2], [122.2, 37.2], [122.2, 37.4], [122.0, 37.4], [122.0, 37.2]]
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}), encoding="utf-8")
    code, out, _ = ask("lookup", "--polygon", str(file), "--json")
    assert code == 0
    assert "lingang" in {row["id"] for row in json.loads(out)["shares"]}
    assert ask("lookup", "--polygon", str(file))[0] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "not JSON"), ('{"type": "Point", "coordinates": [122, 37]}', "no polygon"), (None, "Cannot read")],
)
def test_lookup_refuses_what_is_no_polygon(ask, tmp_path, text, said):
    file = tmp_path / "site.geojson"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    code, out, err = ask("lookup", "--polygon", str(file))
    assert code == 2
    assert out == ""
    assert said in err


def test_lookup_wants_a_position_or_a_polygon(ask, tmp_path):
    assert ask("lookup")[0] == 2
    assert ask("lookup", "122", "37", "--polygon", str(tmp_path / "x"))[0] == 2


def test_search_says_what_the_plan_says_and_what_it_does_not_name(ask):
    code, out, _ = ask("search", "medical devices", "--lang", "en")
    assert code == 0
    assert out.splitlines()[0].startswith("The plan lists a term with “medical devices” for zones.")
    first = out.splitlines()[1]
    assert "Weihai Hi-Tech Zone medical devices and medicine" in first
    assert first.endswith("III(1)1(2)")
    assert "规划提及，未指定区域" in ask("search", "carbn fiber", "--lang", "zh")[1]
    assert "계획에는 “주사기” 낱말이 없습니다." in ask("search", "주사기", "--lang", "ko")[1]
    code, out, _ = ask("search", "量子计算")
    assert code == 1
    assert "量子计算" in out
    assert "~ industries" in out


def test_search_finds_a_zone_by_its_name(ask):
    zone = next(iter(read.read_facts().zones.values()))
    code, out, _ = ask("search", zone.name.zh, "--json")
    assert code == 0
    assert json.loads(out)["results"][0]["id"] == zone.id


def test_search_answers_with_the_document_that_the_service_gives(ask, client):
    served = client.get("/search.json?q=cold%20store&lang=en").get_json()
    assert json.loads(ask("search", "cold store", "--lang", "en", "--json")[1]) == served


def test_search_for_nothing_known_exits_1(ask):
    code, out, _ = ask("search", "qqqqqqqq")
    assert code == 1
    assert "qqqqqqqq" in out


def test_export_writes_the_prepared_bytes(ask, release, tmp_path):
    target = tmp_path / "zones.geojson"
    code, _, _ = ask("export", "zones", "--format", "geojson", "-o", str(target))
    assert code == 0
    assert target.read_bytes() == release.read("data/zones.geojson")
    assert [path.name for path in tmp_path.iterdir()] == ["zones.geojson"]


def test_export_of_a_table_is_json(ask, release, tmp_path):
    code, _, _ = ask("export", "clauses", "-o", str(tmp_path / "clauses.json"))
    assert code == 0
    assert (tmp_path / "clauses.json").read_bytes() == release.read("data/clauses.json")


def test_export_of_an_unknown_layer_names_near_ones(ask, tmp_path):
    code, _, err = ask("export", "zone", "-o", str(tmp_path / "x"))
    assert code == 2
    assert "没有图层或表" in err
    assert err.splitlines()[-1].startswith("zones")
    assert not list(tmp_path.iterdir())


def test_export_takes_the_format_from_the_file_s_name_and_says_what_it_wrote(ask, release, tmp_path):
    target = tmp_path / "zones.shp.zip"
    code, out, _ = ask("export", "zones", "--out", str(target), "--json")
    told = json.loads(out)
    assert code == 0
    assert (told["format"], told["crs"], told["rows"]["zones"]) == ("shp.zip", "EPSG:4326", 7)
    assert target.read_bytes() == release.read("files/zones.shp.zip")
    assert told["sha256"] == release.sha256("files/zones.shp.zip")


def test_export_filters_and_changes_the_frame(ask, tmp_path):
    target = tmp_path / "some.csv"
    options = ("--crs", "EPSG:4550", "--geometry", "lonlat", "--filter", "area_km2 > 200")
    code, out, _ = ask("export", "zones", *options, "--out", str(target), "--json")
    assert code == 0
    lines = target.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0].endswith("east_epsg4550,north_epsg4550")
    assert len(lines) == json.loads(out)["rows"]["zones"] + 1


def test_export_takes_a_frame_by_its_uri(ask, tmp_path):
    target = tmp_path / "towns.csv"
    uri = "http://www.opengis.net/def/crs/EPSG/0/4549"
    code, out, _ = ask("export", "towns", "--crs", uri, "--out", str(target), "--json")
    assert (code, json.loads(out)["crs"]) == (0, "EPSG:4549")
    code, _, err = ask("export", "clauses", "--crs", uri, "--out", str(tmp_path / "clauses.csv"))
    assert code == 2
    assert "clauses 是表，没有坐标" in err


def test_export_of_several_layers_is_one_file_of_these(ask, tmp_path):
    target = tmp_path / "some.gpkg"
    code, out, _ = ask("export", "zones", "parks", "designations", "-o", str(target), "--json")
    assert code == 0
    assert set(json.loads(out)["rows"]) == {"zones", "parks", "designations"}
    assert target.read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("zones", "--format", "kml", "--crs", "EPSG:4550"), "CRS84"),
        (("zones", "--format", "gpkg", "--crs", "EPSG:1"), "EPSG:4490"),
        (("zones", "--filter", "area > 1"), "area_km2"),
        (("zones", "--industry", "nothing"), "fashion"),
        (("designations", "--format", "fgb"), "parquet"),
        (("zones", "nowhere", "--format", "gpkg"), "zones"),
        (("zones", "parks", "--format", "fgb"), "gpkg"),
    ],
)
def test_export_refuses_by_name_and_writes_nothing(ask, tmp_path, options, named):
    code, _, err = ask("export", *options, "-o", str(tmp_path / "x"))
    assert code == 2
    assert named in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "options", "allowed"),
    [
        ("x.doc", (), ".gpkg"),
        ("x.zip", (), ".shp.zip"),
        ("x.doc", ("--format", "kml"), ".kml"),
        ("x.csv", ("--format", "xlsx"), ".xlsx"),
        ("x.qgis.zip", ("--format", "gpkg"), ".gpkg"),
    ],
)
def test_export_refuses_a_name_that_ends_in_no_format_or_another(ask, tmp_path, name, options, allowed):
    code, out, err = ask("export", "zones", *options, "-o", str(tmp_path / name))
    assert code == 2
    assert not out
    lines = err.splitlines()
    assert len(lines) == len(("zh", "en"))
    for line in lines:
        assert line.startswith(f"-o {tmp_path / name}")
        assert allowed in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "options", "start"),
    [
        ("X.KML", (), b"<?xml"),
        ("x.json", ("--format", "geojson"), b"{"),
        ("x.zip", ("--format", "shp.zip"), b"PK"),
        ("x", ("--format", "gpkg"), b"SQLite"),
        ("x", (), b"{"),
    ],
)
def test_export_takes_a_usual_name_for_the_format(ask, tmp_path, name, options, start):
    code, _, err = ask("export", "zones", *options, "-o", str(tmp_path / name))
    assert code == 0, err
    assert (tmp_path / name).read_bytes().startswith(start)


def test_export_reads_the_release_and_needs_no_database(ask, tmp_path, monkeypatch):
    monkeypatch.setenv("WEIHAI_LAYOUT_STORE", "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1")
    target = tmp_path / "zones.csv"
    code, _, _ = ask("export", "zones", "--geometry", "none", "-o", str(target))
    assert code == 0
    assert "gaoqu" in target.read_text(encoding="utf-8-sig")


def test_export_cannot_answer_twice_on_standard_output(ask):
    code, _, err = ask("export", "zones", "-o", "-", "--json")
    assert code == 2
    assert "--json" in err


def test_export_into_a_missing_folder_exits_1(ask, tmp_path):
    code, _, err = ask("export", "zones", "-o", str(tmp_path / "none" / "zones.geojson"))
    assert code == 1
    assert "Cannot write" in err


def test_a_wrong_setting_is_named(ask, monkeypatch):
    monkeypatch.setenv("WEIHAI_LAYOUT_TILES", "elsewhere")
    monkeypatch.setenv("WEIHAI_LAYOUT_HOST", "plan.example.org")
    code, _, err = ask("build")
    assert code == 1
    assert "WEIHAI_LAYOUT_TILES" in err
    assert re.search("There is no setting WEIHAI_LAYOUT_HOST, .*; the nearest: WEIHAI_LAYOUT_HOSTS", err)


def test_a_taken_port_is_said_with_another_to_choose(ask):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = ask("serve", "--no-browser", "--port", str(port))
    assert code == 1
    assert f"端口 {port} 已被占用" in err
    assert f"Port {port} on 127.0.0.1 is in use" in err
    assert "--port" in err


def test_an_unknown_host_is_said(ask):
    code, _, err = ask("serve", "--no-browser", "--host", "203.0.113.1", "--port", "0")
    assert code == 1
    assert "Cannot listen on 203.0.113.1" in err


def test_no_browser_is_opened_without_a_screen(monkeypatch):
    for name in ("CI", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert not serve.can_open_browser()
    monkeypatch.setenv("DISPLAY", ":0")
    assert serve.can_open_browser()
    monkeypatch.setenv("CI", "true")
    assert not serve.can_open_browser()


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_server_says_where_it_is_answers_and_stops_on_a_signal(home, release, stop, workers):
    command = [
        sys.executable,
        "-m",
        "scripts.cli",
        "serve",
        "--no-browser",
        "--port",
        "0",
        "--workers",
        workers,
        "--home",
        str(home),
    ]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - no other thread of the tests holds a lock here
    ) as server:
        assert server.stdout
        url = server.stdout.readline().split()[-1]
        with urllib.request.urlopen(f"{url}healthz", timeout=30) as answer:
            assert answer.status == 200
        server.send_signal(stop)
        try:
            assert "stopped" in server.communicate(timeout=30)[0]
        finally:
            server.kill()
    assert server.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["local", "init", "FOLDER"],
        ["export", "zones", "--format", "geojson", "-o", "FOLDER/zones.geojson"],
        ["map", "-o", "FOLDER/map.html"],
        ["site", "FOLDER/site", "--url", "https://x.example", "--without-sheets"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_where_no_more_can_be_written_that_is_said_and_no_part_is_left(home, release, tmp_path, arguments):
    command = [one.replace("FOLDER", str(tmp_path)) for one in arguments]
    answer = subprocess.run(
        [sys.executable, "-m", "scripts.cli", *command],
        cwd=ROOT,
        env={**os.environ, "WEIHAI_LAYOUT_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_write_little,
    )
    assert (answer.returncode, "Traceback" in answer.stderr) == (1, False)
    assert os.strerror(errno.EFBIG) in answer.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def _write_little():
    """Let no file grow beyond what fits into a short one: as on a full disk, the third or so fails."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_site_told_to_end_leaves_nothing_and_one_killed_only_until_the_next(home, release, tmp_path, end):
    command = [
        sys.executable,
        "-m",
        "scripts.cli",
        "site",
        str(tmp_path / "[1]"),
        "--url",
        "https://x.example",
    ]
    old = tmp_path / ".[1]-weihai-layout-of_a_killed_run"
    old.mkdir()
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "WEIHAI_LAYOUT_HOME": str(home)},
        preexec_fn=_heed_interrupts,  # noqa: PLW1509 - as above
    ) as process:
        while process.poll() is None and not [*tmp_path.glob(".*/new/*")]:
            time.sleep(0.05)
        process.send_signal(end)
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[end]
    assert not old.exists()
    assert len([*tmp_path.iterdir()]) == (end is signal.SIGKILL)


def _heed_interrupts():
    """A shell that starts the tests in the background has them, and what they start, ignore Ctrl+C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_output_into_a_closed_pipe_is_no_crash():
    command = [sys.executable, "-m", "scripts.cli", "check", "--json"]
    reader, writer = os.pipe()
    os.close(reader)
    answer = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "zh", "en"),
    [
        (["nonsense"], "nonsense", "choose from"),
        (
            ["import-boundary", "a.zip", "--layer", "belts"],
            "'belts' 不可用；可选：",
            "'belts' is not allowed; choose",
        ),
        (
            ["import-boundary", "a.zip", "--layer", "zones"],
            "还须给出：--accuracy-m",
            "required too: --accuracy-m",
        ),
        (["search", "x", "--fast"], "无法识别的参数：--fast", "unrecognized arguments: --fast"),
        (["rollback", "1", "--who"], "--who：后面须有一个值", "--who: a value has to follow"),
        (
            ["import-boundary", "a.zip", "--l", "zones"],
            "无法识别的参数：--l；相近：--layer",
            "unrecognized arguments: --l; near: --layer",
        ),
        (["rollback", "--who", "--why", "1"], "--who：后面须有一个值", "--who: a value has to follow"),
        (["search"], "还须给出：QUERY", "required too: QUERY"),
        (["import-boundary", "--layer", "zones"], "FILE, --accuracy-m", "required too: FILE, --accuracy-m"),
        (["build", "--json=1"], "--json 后面不带值：'1'", "--json takes no value: '1'"),
        (
            ["serve", "--port", "9" * 5000],
            "--port: '9999999999999999999999999999999999999999' 无效：应为 0 至 65535 的整数",
            "a whole number from 0 to 65535",
        ),
        (["rollback", "9" * 5000], "999' 不是编号", "is not a number of a publication"),
    ],
)
def test_wrong_usage_is_said_in_both_languages(capsys, arguments, zh, en):
    assert cli.main(arguments) == 2
    told = capsys.readouterr().err
    assert zh in told
    assert en in told


def test_every_package_that_the_program_runs_on_names_its_licence(capsys):
    assert cli.main(["licences", "--json"]) == 0
    rows = {row["package"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["shapely"]["licence"] == "BSD-3-Clause"
    assert all(row["version"] and row["licence"] for row in rows.values())
    assert len(rows) > 30


def test_a_package_that_names_no_licence_is_told(monkeypatch, capsys):
    monkeypatch.setattr("scripts.commands.doctor._name_licence", lambda _: "?")
    assert cli.main(["licences"]) == 1
    assert "These packages name no licence: annotated-types" in capsys.readouterr().err
