"""PostGIS as a store: loading is whole or nothing, roles are what they say, an outage is one clear error."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import shapely
from psycopg import sql

from layers.postgis import load as loading
from layers.postgis import pool
from layers.postgis.load import KEPT, load
from layers.postgis.migrate import FOLDER, SCHEMA, NewerSchemaError, migrate
from layers.postgis.stock import Stock, read_stock
from layers.postgis.store import PostgisStore
from layers.query import Collection, Query, StoreUnavailableError
from layers.rows import Row
from layers.store import Release
from scripts.cluster import Cluster, temporary_cluster

INFO = {"id": "squares", "geometry": "polygon", "fields": [{"name": "id", "type": "string"}]}
SQUARES = [
    Row(f"s{number}", b'{"id":%d}' % number, {"id": f"s{number}"}, shapely.box(number, 0, number + 1, 1))
    for number in range(5)
]
HEAD = {"id": "s0", "positional_accuracy_m": 250}


def quiet(what: str, done: int, total: int) -> None:
    """Say nothing."""


def to_stock(release: str, rows: Iterable[Row] = SQUARES) -> Stock:
    squares = Collection("squares", INFO, len(SQUARES), (0, 0, 5, 1))
    return Stock(release, (squares,), lambda _: rows, [(HEAD, shapely.to_wkb(shapely.box(0, 0, 1, 1)))])


@pytest.fixture
def url(cluster: Cluster, request: pytest.FixtureRequest) -> str:
    """Return the address of an empty database."""
    return cluster.new_database(request.node.name[:60])


def ask(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url, options=f"-c search_path={SCHEMA},public") as connection:
        return connection.execute(statement.encode()).fetchall()


def test_migrations_are_numbered_from_one_and_applied_once(url: str) -> None:
    numbers = sorted(int(path.stem) for path in FOLDER.glob("*.sql"))
    assert numbers == list(range(1, len(numbers) + 1))
    with psycopg.connect(url) as connection:
        assert migrate(connection) == numbers
        assert migrate(connection) == []


def test_tables_of_a_newer_version_are_left_alone(url: str) -> None:
    assert load(url, to_stock("one"), quiet)
    with psycopg.connect(url) as connection:
        connection.execute(f"INSERT INTO {SCHEMA}.migrations (number) VALUES (999)")
    with pytest.raises(NewerSchemaError, match="999"):
        load(url, to_stock("two"), quiet)
    assert ask(url, "SELECT id FROM releases") == [("one",)]


def test_a_release_is_loaded_once(url: str) -> None:
    assert load(url, to_stock("one"), quiet)
    assert not load(url, to_stock("one", []), quiet)
    assert PostgisStore(url, "one").select("squares", Query()).matched == len(SQUARES)


def test_two_that_load_at_once_take_turns(url: str) -> None:
    loaded = []
    threads = [
        threading.Thread(target=lambda: loaded.append(load(url, to_stock("one"), quiet))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(loaded) == [False, False, True]


def test_a_load_that_breaks_off_leaves_the_database_as_it_was(url: str) -> None:
    load(url, to_stock("one"), quiet)
    before = ask(url, "SELECT relname FROM pg_class ORDER BY 1")

    def broken() -> Iterator[Row]:
        yield SQUARES[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load(url, to_stock("two", broken()), quiet)
    assert ask(url, "SELECT relname FROM pg_class ORDER BY 1") == before
    assert load(url, to_stock("two"), quiet)


def test_readers_of_the_old_release_go_on_while_a_new_one_is_loaded(url: str) -> None:
    load(url, to_stock("old"), quiet)
    old, new = PostgisStore(url, "old"), PostgisStore(url, "new")
    seen = []

    def rows() -> Iterator[Row]:
        for row in SQUARES:
            seen.append(old.select("squares", Query(boxes=((0, 0, 9, 9),))).matched)
            with pytest.raises(StoreUnavailableError, match="new"):
                new.collections()
            yield row

    load(url, to_stock("new", rows()), quiet)
    assert seen == [len(SQUARES)] * len(SQUARES)
    assert new.select("squares", Query()) == old.select("squares", Query())


def test_the_newest_releases_stay_and_older_ones_go(url: str) -> None:
    names = [f"r{number}" for number in range(KEPT + 2)]
    for name in names:
        load(url, to_stock(name), quiet)
    assert [row[0] for row in ask(url, "SELECT id FROM releases ORDER BY loaded")] == names[-KEPT:]
    tables = ask(url, "SELECT relname FROM pg_class WHERE relname ~ '^(items_0|places)_r[0-9]+$' ORDER BY 1")
    kept = [f"{table}_{name}" for table in ("items_0", "places") for name in names[-KEPT:]]
    assert [row[0] for row in tables] == kept


def test_a_reader_in_the_way_only_keeps_an_old_release_longer(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "LOCK_MS", 100)
    for number in range(KEPT):
        load(url, to_stock(f"r{number}"), quiet)
    with psycopg.connect(url) as reader:
        reader.execute(f"SELECT 1 FROM {SCHEMA}.items_0_r0 LIMIT 1")
        assert load(url, to_stock("next"), quiet)
        assert len(ask(url, "SELECT id FROM releases")) == KEPT + 1
    load(url, to_stock("last"), quiet)
    assert len(ask(url, "SELECT id FROM releases")) == KEPT


def test_progress_is_told_up_to_the_end(database: str, url: str, release: Release) -> None:
    told = []
    load(url, read_stock(release), lambda *step: told.append(step))
    by_kind = {what: (done, total) for what, done, total in told}
    assert set(by_kind) == {"features", "index"}
    assert all(done == total for done, total in by_kind.values())


GRANTS = f"""
GRANT USAGE ON SCHEMA {SCHEMA} TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO reader;
"""


def test_a_read_only_role_serves_also_what_is_loaded_later_and_cannot_load(
    cluster: Cluster, url: str
) -> None:
    load(url, to_stock("one"), quiet)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute(GRANTS.encode())
    load(url, to_stock("two"), quiet)
    as_reader = url.replace(f"user={cluster.user}", "user=reader")
    store = PostgisStore(as_reader, "two")
    assert store.select("squares", Query(boxes=((0, 0, 0.5, 0.5),))).matched == 1
    assert [head for head, _ in store.near(0.5, 0.5, 10)] == [HEAD]
    assert store.reach_m() == HEAD["positional_accuracy_m"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        load(as_reader, to_stock("three"), quiet)


def test_the_server_cannot_write_even_as_the_owner(url: str) -> None:
    load(url, to_stock("one"), quiet)
    store = PostgisStore(url, "one")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        store._pool.ask(sql.SQL("DELETE FROM releases RETURNING id"))


def test_a_question_that_takes_too_long_is_given_up(url: str) -> None:
    load(url, to_stock("one"), quiet)
    store = PostgisStore(f"{url}&options=-c%20statement_timeout%3D100", "one")
    assert store.select("squares", Query()).matched == len(SQUARES)
    with psycopg.connect(url) as other:
        other.execute(f"LOCK TABLE {SCHEMA}.items_0_one IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailableError, match="statement timeout"):
            store.select("squares", Query())
    assert store.select("squares", Query()).matched == len(SQUARES)


def test_a_database_without_tables_is_a_store_that_cannot_answer(url: str) -> None:
    with pytest.raises(StoreUnavailableError, match="collections"):
        PostgisStore(url, "one").collections()


def test_while_the_database_is_down_only_one_caller_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CONNECT_S", 0.5)
    store = PostgisStore(f"postgresql:///nowhere?host={tmp_path}", "one")
    with pytest.raises(StoreUnavailableError, match="couldn't get a connection"):
        store.collections()
    with ThreadPoolExecutor(8) as threads:
        told = [str(one.exception()) for one in [threads.submit(store.collections) for _ in range(8)]]
    assert sum("couldn't get a connection" in one for one in told) == 1
    assert sum("the database is down" in one for one in told) == 7


def test_an_outage_is_an_error_at_once_and_ends_with_the_outage() -> None:
    with temporary_cluster() as cluster:
        url = cluster.new_database("outage")
        load(url, to_stock("one"), quiet)
        store, early = PostgisStore(url, "one"), PostgisStore(url, "one")
        everything = store.select("squares", Query())
        cluster.stop()
        with pytest.raises(StoreUnavailableError):
            store.select("squares", Query())
        with pytest.raises(StoreUnavailableError):
            early.collections()  # one that was started during the outage
        cluster.start()
        assert store.select("squares", Query()) == everything
        assert early.select("squares", Query()) == everything
        cluster.stop()
        cluster.start()  # connections died, and nobody asked meanwhile
        assert store.select("squares", Query()) == everything
