"""What the doctor finds, and that it says what to do."""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from layers.store import Release
from scripts.cli import main
from scripts.commands import doctor
from scripts.commands.doctor import CHECKS, Finding, examine

Look = Callable[..., dict[str, list[Finding]]]


@pytest.fixture
def look(monkeypatch, home: Path, release: Release) -> Look:
    """Have the doctor look, with settings; returns what it found by check."""

    def run(
        where: Path = home, host: str = "127.0.0.1", port: int = 0, **settings: str
    ) -> dict[str, list[Finding]]:
        for name, value in settings.items():
            monkeypatch.setenv(f"WEIHAI_LAYOUT_{name}", value)
        found: dict[str, list[Finding]] = {}
        for one in examine(host, 0, where):
            assert all(line.strip() for line in one.list_lines())
            found.setdefault(one.check, []).append(one)
        return found

    return run


def keys(found: list[Finding]) -> list[str]:
    return [one.key for one in found]


def test_nothing_is_wrong_where_all_is_well(look: Look, release: Release) -> None:
    found = look()
    assert {one.level for rows in found.values() for one in rows} == {"ok"}
    assert len(found) == len(CHECKS)


def test_answers_for_programs_and_exit_codes(release: Release, home: Path, capsys) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["doctor", "--json", "--home", str(home), "--port", port]) == 1
        answer = json.loads(capsys.readouterr().out)
        assert not answer["ok"]
        (bad,) = (row for row in answer["findings"] if row["level"] != "ok")
        assert bad["check"] == "ports"
        assert f"Cannot listen on port {port}" in bad["en"]
        assert "--port" in bad["zh"]
        assert main(["doctor", "--home", str(home), "--port", port]) == 1
    said = capsys.readouterr().out
    assert "✗" in said
    assert said.rstrip().endswith("problems: 1, warnings: 0")
    assert main(["doctor", "--home", str(home), "--port", port]) == 0


def test_wrong_settings_are_told_and_the_rest_looked_at(look: Look) -> None:
    found = look(
        WORKBNECH="x", XYZZY="x", EXPORTS="many", METRICS="no", PROXIES="0.0.0.0/0", HOSTS="plan.example.org"
    )
    told = [(one.level, " ".join(map(str, one.values.values())).split("=")[0]) for one in found["settings"]]
    assert told == [
        ("warning", "WEIHAI_LAYOUT_WORKBNECH WEIHAI_LAYOUT_WORKBENCH"),
        ("warning", "WEIHAI_LAYOUT_XYZZY –"),
        ("error", "WEIHAI_LAYOUT_EXPORTS"),
        ("error", "WEIHAI_LAYOUT_METRICS"),
    ]
    assert keys(found["fonts"]) == ["fonts_ok"]
    assert keys(found["proxy"]) == ["proxy_everybody"]  # those that are right hold


@pytest.mark.parametrize(
    ("settings", "host", "expected"),
    [
        ({}, "0.0.0.0", ["public_any_host"]),
        ({"HOSTS": "plan.example.org"}, "0.0.0.0", ["proxy_ok"]),
        ({"PROXIES": "0.0.0.0/0", "HOSTS": "plan.example.org"}, "127.0.0.1", ["proxy_everybody"]),
        ({"PROXIES": "10.0.0.1"}, "127.0.0.1", ["proxy_any_host"]),
        ({"URL": "https://plan.example.org"}, "127.0.0.1", ["proxy_unknown"]),
    ],
)
def test_settings_of_proxies_that_contradict_each_other(
    look: Look, settings: dict[str, str], host: str, expected: list[str]
) -> None:
    assert keys(look(host=host, **settings)["proxy"]) == expected


def test_a_damaged_home_is_told_with_what_to_do(look: Look, own_home: Path) -> None:
    first = min((own_home / "history").iterdir())
    first.write_bytes(first.read_bytes()[:50])
    (found,) = look(own_home)["release"]
    assert found.level == "error"
    assert "history --repair" in found.list_lines()[1]


def test_a_damaged_release_is_told(look: Look, own_home: Path, release: Release) -> None:
    page = own_home / "releases" / release.id / "data" / "zones.geojson"
    page.write_bytes(page.read_bytes()[:-1])
    (found,) = look(own_home)["release"]
    assert found.key == "release_broken"
    assert "data/zones.geojson" in found.list_lines()[1]


def test_a_release_of_other_code_and_none_at_all(
    look: Look, own_home: Path, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setattr(doctor, "hash_code", lambda: "other")
    assert keys(look(own_home)["release"]) == ["release_of_other_code"]
    assert keys(look(tmp_path / "new")["release"]) == ["release_none"]


def test_a_folder_of_somebody_else_is_told(look: Look, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (found,) = look(tmp_path)["release"]
    assert "is not empty" in found.list_lines()[1]


def test_a_full_disk_a_wrong_clock_and_too_few_files(look: Look, monkeypatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10_000_000))
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)
    monkeypatch.setattr("resource.getrlimit", lambda _: (64, 64))
    found = look()
    assert set(keys(found["space"])) == {"space_bad"}
    assert keys(found["clock"]) == ["clock_behind"]
    assert keys(found["limits"]) == ["files_few"]


def test_packages_that_are_not_as_pinned(look: Look, monkeypatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: "0.0.1" if name == "flask" else version(name))
    (found,) = look()["python"]
    assert found.key == "packages_bad"
    assert found.list_lines()[1].count("≠") == 1


def test_a_log_and_a_temporary_folder_that_cannot_be_written(look: Look, tmp_path: Path, monkeypatch) -> None:
    log, access = tmp_path / "log", os.access
    log.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != log and access(path, mode))
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: (tmp_path / "away" / "x").open("xb"))
    assert keys(look(ACCESS_LOG=str(log))["permissions"]) == ["home_open", "temporary_bad", "log_bad"]


def test_a_machine_without_a_temporary_folder_is_told_so(look: Look, monkeypatch) -> None:
    def find_none() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_get_default_tempdir", find_none)
    found = look()
    assert keys(found["permissions"]) == ["home_open", "temporary_bad"]
    assert "['/tmp']" in found["permissions"][1].list_lines()[1]
    assert len(found["space"]) == 1


def test_local_additions_that_cannot_be_read(look: Look, tmp_path: Path) -> None:
    (tmp_path / "plan.txt").write_text("三", encoding="utf-8")
    assert keys(look(LOCAL=str(tmp_path))["local"]) == ["local_ok"]
    for folder in (tmp_path / "nowhere", tmp_path / "plan.txt"):
        (found,) = look(LOCAL=str(folder))["local"]
        assert found.key == "local_bad"
        assert str(folder) in found.list_lines()[1]


@pytest.mark.parametrize(
    ("number", "key"), [(errno.EADDRINUSE, "taken"), (errno.EACCES, "closed"), (errno.EADDRNOTAVAIL, "bad")]
)
def test_a_port_that_cannot_be_had_is_told_by_its_reason(
    look: Look, monkeypatch, number: int, key: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, "refused (while attempting to bind on address)")

    monkeypatch.setattr(socket, "create_server", refuse)
    (found,) = look()["ports"]
    assert found.key == f"port_{key}"
    assert f"{os.strerror(number)}." in found.list_lines()[1]


def test_a_database_that_is_away(look: Look, release: Release) -> None:
    (found,) = look(STORE="postgresql://reader:secret@127.0.0.1:1/none")["store"]
    assert found.key == "store_away"
    assert "secret" not in "".join(found.list_lines())


def test_a_database_with_and_without_the_release(look: Look, cluster, database: str) -> None:
    assert keys(look(STORE=database)["store"]) == ["store_ok"]
    assert keys(look(STORE=cluster.new_database("doctor"))["store"])[0] in {"store_away", "store_without"}
