"""Bringing a release into the database that the operator names, and saying what stands in the way."""

from __future__ import annotations

import re
import traceback
from pathlib import Path

import psycopg
import pytest

from layers.postgis.loader import is_loaded, migrate, read_snapshot
from layers.postgis.pool import SCHEMA
from layers.postgis.queries import PostgisStore
from layers.query import StoreUnavailableError
from layers.store import Release
from scripts.bench.load import DatabaseCluster
from scripts.postgis_sync import WIDTH, Bar, Outcome, bring
from webmap.settings import Settings, read_settings


def test_a_release_is_loaded_with_signs_of_progress_and_only_once(
    cluster: DatabaseCluster, release, home, capsys
) -> None:
    url = cluster.new_database("bring")
    assert not is_loaded(url, release.id)
    assert bring(Settings(home, store=url), release) is Outcome.READY
    first = capsys.readouterr().err
    assert "正在装入要素" in first
    loaded = re.search(r"loading features  █+ ([\d,]+)/([\d,]+)$", first, re.MULTILINE)
    assert loaded
    assert loaded[1] == loaded[2]
    assert int(loaded[1].replace(",", "")) == sum(one.count for one in read_snapshot(release).collections)
    assert is_loaded(url, release.id)
    assert bring(Settings(home, store=url), release) is Outcome.READY
    assert "loading" not in capsys.readouterr().err


def test_without_a_store_there_is_nothing_to_bring(release: Release, home: Path) -> None:
    assert bring(Settings(home), release) is Outcome.READY


def test_a_role_that_may_not_load_is_told_who_may(cluster: DatabaseCluster, release, home, capsys) -> None:
    url = cluster.new_database("guests")
    with psycopg.connect(url) as connection:
        migrate(connection)
        connection.execute("CREATE ROLE guest LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {SCHEMA} TO guest".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO guest".encode())
    settings = Settings(home, store=url.replace(f"user={cluster.user}", "user=guest"))
    assert bring(settings, release) is Outcome.REFUSED
    assert "weihai-layout build" in capsys.readouterr().err
    assert bring(Settings(home, store=url), release) is Outcome.READY
    assert bring(settings, release) is Outcome.READY


def test_a_database_that_is_down_is_told_apart_from_one_that_refuses(tmp_path: Path, release, capsys) -> None:
    settings = Settings(tmp_path, store=f"postgresql:///nowhere?host={tmp_path}")
    assert bring(settings, release) is Outcome.DOWN
    assert "WEIHAI_LAYOUT_STORE" in capsys.readouterr().err


def test_a_database_without_postgis_is_told_what_to_do(
    cluster: DatabaseCluster, release, home, capsys
) -> None:
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE builder LOGIN PASSWORD 'secret'")
        connection.execute("CREATE DATABASE without TEMPLATE template0 OWNER builder")
    url = cluster.url("without", "builder") + "&password=secret"
    assert bring(Settings(home, store=url), release) is Outcome.REFUSED
    said = capsys.readouterr().err
    assert "CREATE EXTENSION postgis;" in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://me:secret@host:port/db",
        "postgresql://me:secret@host:70000/db",
        "postgresql://me:secret@host/db?no_such=1",
        "postgresql://me:se%cret@host/db",
        "postgresql://me:se/cret@host/db",
        "postgresql://me:12/cret@host/db",
        "postgresql://me:se@cret@host/db",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_without_its_password(value: str) -> None:
    with pytest.raises(ValueError, match=r"WEIHAI_LAYOUT_STORE.*数据库地址.*%40") as refused:
        read_settings({"WEIHAI_LAYOUT_STORE": value})
    assert "cret" not in str(refused.value)
    assert "secret" not in "".join(traceback.format_exception(refused.value))


def test_an_address_with_everything_in_it_is_taken() -> None:
    url = "postgresql://me:s%40%2F%25@one:5432,two:5433/db?sslmode=require&options=-c%20role%3Downer"
    assert read_settings({"WEIHAI_LAYOUT_STORE": url}).store == url


def test_an_outage_is_logged_and_said_without_the_password(tmp_path: Path, release, capsys, caplog) -> None:
    url = f"postgresql://me:secret@/nowhere?host={tmp_path}"
    assert bring(Settings(tmp_path, store=url), release) is Outcome.DOWN
    with pytest.raises(StoreUnavailableError) as told:
        PostgisStore(url, "one").collections()
    assert "secret" not in capsys.readouterr().err + caplog.text + str(told.value)


@pytest.mark.parametrize("value", ["mysql://me:secret@host/db", "host=here", "secret"])
def test_a_store_that_is_none_is_refused_without_its_password(value: str) -> None:
    with pytest.raises(ValueError, match="WEIHAI_LAYOUT_STORE") as refused:
        read_settings({"WEIHAI_LAYOUT_STORE": value})
    assert "me:secret" not in str(refused.value)


def test_no_setting_shows_the_password_of_the_store() -> None:
    settings = read_settings({"WEIHAI_LAYOUT_STORE": "postgresql://me:secret@host/db"})
    assert settings.store == "postgresql://me:secret@host/db"
    assert "secret" not in repr(settings)


def test_on_a_terminal_the_bar_is_one_line_that_grows(monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    bar = Bar()
    for done in range(1001):
        bar("features", done, 1000)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.count("\r") <= WIDTH + 2
    assert said.endswith("1,000/1,000\n")
