"""PostGIS as a store: loading is whole or nothing, roles are what they say, an outage is one clear error."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
import shapely
from psycopg import sql

from layers.cql.tree import Compare, Constant, Like, Property
from layers.document_types import BlockHead
from layers.postgis import loader as loading
from layers.postgis import pool, queries
from layers.postgis.loader import (
    FOLDER,
    KEPT,
    MissingExtensionError,
    NewerSchemaError,
    Snapshot,
    load_release,
    migrate,
    read_snapshot,
)
from layers.postgis.pool import SCHEMA
from layers.postgis.queries import PostgisStore
from layers.query import Collection, Query, StoredRow, StoreSlowError, StoreUnavailableError
from layers.store import Release
from scripts.bench.load import DatabaseCluster, temporary_cluster

INFO: Any = {"id": "squares", "geometry": "polygon", "fields": [{"name": "id", "type": "string"}]}
SQUARES = [
    StoredRow(
        f"s{number}", b'{"id":%d}' % number, {"id": f"s{number}"}, shapely.box(number, 0, number + 1, 1)
    )
    for number in range(5)
]
ROOT = Path(__file__).parents[2]
HEAD: BlockHead = {"id": "s0", "positional_accuracy_m": 250}


def quiet(what: str, done: int, total: int) -> None:
    """Say nothing."""


def to_snapshot(release: str, rows: Iterable[StoredRow] = SQUARES) -> Snapshot:
    squares = Collection("squares", INFO, len(SQUARES), (0, 0, 5, 1))
    return Snapshot(release, (squares,), lambda _: rows, [(HEAD, shapely.to_wkb(shapely.box(0, 0, 1, 1)))])


@pytest.fixture
def url(cluster: DatabaseCluster, request: pytest.FixtureRequest) -> str:
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
    assert load_release(url, to_snapshot("one"), quiet)
    with psycopg.connect(url) as connection:
        connection.execute(f"INSERT INTO {SCHEMA}.migrations (number) VALUES (999)")
    with pytest.raises(NewerSchemaError, match="999"):
        load_release(url, to_snapshot("two"), quiet)
    assert ask(url, "SELECT id FROM releases") == [("one",)]


def test_a_release_is_loaded_once(url: str) -> None:
    assert load_release(url, to_snapshot("one"), quiet)
    assert not load_release(url, to_snapshot("one", []), quiet)
    assert PostgisStore(url, "one").select("squares", Query()).matched == len(SQUARES)


def test_two_that_load_at_once_take_turns(url: str) -> None:
    loaded = []
    threads = [
        threading.Thread(target=lambda: loaded.append(load_release(url, to_snapshot("one"), quiet)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(loaded) == [False, False, True]


def test_a_load_that_breaks_off_leaves_the_database_as_it_was(url: str) -> None:
    load_release(url, to_snapshot("one"), quiet)
    before = ask(url, "SELECT relname FROM pg_class ORDER BY 1")

    def broken() -> Iterator[StoredRow]:
        yield SQUARES[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_release(url, to_snapshot("two", broken()), quiet)
    assert ask(url, "SELECT relname FROM pg_class ORDER BY 1") == before
    assert load_release(url, to_snapshot("two"), quiet)


KILLED = """
import sys, time
from tests.layers.test_postgis import SQUARES, load_release, quiet, to_snapshot

def rows():
    yield from SQUARES
    print("copying", flush=True)
    time.sleep(600)

load_release(sys.argv[1], to_snapshot("two", rows()), quiet)
"""


def test_a_loader_killed_in_the_middle_leaves_the_database_as_it_was(url: str) -> None:
    load_release(url, to_snapshot("one"), quiet)
    before = ask(url, "SELECT relname FROM pg_class ORDER BY 1")
    with subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, cwd=ROOT) as loader:
        assert loader.stdout
        assert loader.stdout.readline() == b"copying\n"
        loader.kill()
    assert load_release(url, to_snapshot("two"), quiet)  # waits for the other to be gone
    assert PostgisStore(url, "two").select("squares", Query()).matched == len(SQUARES)
    after = ask(url, "SELECT relname FROM pg_class WHERE relname !~ 'two' ORDER BY 1")
    assert [name for name in after if not name[0].startswith("pg_toast")] == [
        name for name in before if not name[0].startswith("pg_toast")
    ]


def test_a_migration_that_readers_hold_up_is_given_up_and_leaves_all_as_it_was(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_release(url, to_snapshot("old"), quiet)
    monkeypatch.setattr(loading, "LOCK_MS", 100)
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    (tmp_path / "9999.sql").write_text("ALTER TABLE collections ADD COLUMN more integer")
    monkeypatch.setattr(loading, "FOLDER", tmp_path)
    before = ask(url, "SELECT number FROM migrations")
    with psycopg.connect(url) as reader:
        reader.execute(f"SELECT 1 FROM {SCHEMA}.collections")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            load_release(url, to_snapshot("new"), quiet)
    assert ask(url, "SELECT number FROM migrations") == before
    assert ask(url, "SELECT id FROM releases") == [("old",)]
    with psycopg.connect(url) as owner:
        assert migrate(owner) == [9999]


def test_a_load_is_not_held_to_the_time_that_questions_have(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET statement_timeout = 1").format(name))
        connection.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))

    def rows() -> Iterator[StoredRow]:
        time.sleep(0.05)
        yield from SQUARES

    assert load_release(url, to_snapshot("one", rows()), quiet)


def test_texts_too_long_for_an_index_are_loaded_and_found(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "INDEXED_FROM", 0)
    texts = ["".join(chr(0x4E00 + number * k % 20000) for k in range(4000)) for number in range(1, 6)]
    info = INFO | {"fields": [*INFO["fields"], {"name": "said", "type": "string"}]}
    rows = [
        StoredRow(row.id, row.body, {**row.values, "said": said}, row.geometry)
        for row, said in zip(SQUARES, texts, strict=True)
    ]
    snapshot = Snapshot("one", (Collection("squares", info, len(rows), (0, 0, 5, 1)),), lambda _: rows, [])
    assert load_release(url, snapshot, quiet)
    condition = Compare("=", Property("said", "string"), Constant(texts[3]))
    found = PostgisStore(url, "one").select("squares", Query(filter=condition))
    assert [feature.id for feature in found.features] == ["s3"]


def test_an_index_finds_what_an_entry_of_a_list_holds(url: str) -> None:
    info = INFO | {"fields": [*INFO["fields"], {"name": "uses", "type": "array"}]}
    uses = ["Port-works;housing", *(f"farm;housing-{number % 9}" for number in range(1, 5000))]
    rows = [
        StoredRow(f"s{number}", b"{}", {"id": f"s{number}", "uses": said}, shapely.box(0, 0, 1, 1))
        for number, said in enumerate(uses)
    ]
    snapshot = Snapshot("one", (Collection("squares", info, len(rows), (0, 0, 1, 1)),), lambda _: rows, [])
    assert load_release(url, snapshot, quiet)
    store = PostgisStore(url, "one")
    found = store.select("squares", Query(filter=Like(Property("uses", "string"), "%Port-w%")))
    store.close()  # its connections tell what they used as they end
    assert [feature.id for feature in found.features] == ["s0"]
    used = "SELECT sum(idx_scan) FROM pg_stat_user_indexes JOIN pg_indexes ON indexname = indexrelname"
    deadline = time.monotonic() + 20
    while ask(url, f"{used} WHERE indexdef LIKE '%USING gin%'") == [(0,)]:
        assert time.monotonic() < deadline, "the index was not used"
        time.sleep(0.1)


def test_a_list_of_more_entries_than_are_kept_is_read_through(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "INDEXED_FROM", 0)
    monkeypatch.setattr(queries, "MAX_ENTRIES", 3)
    info = INFO | {"fields": [*INFO["fields"], {"name": "uses", "type": "array"}]}
    rows = [
        StoredRow(row.id, row.body, row.values | {"uses": f"a;{row.id}"}, row.geometry) for row in SQUARES
    ]
    snapshot = Snapshot("one", (Collection("squares", info, len(rows), (0, 0, 5, 1)),), lambda _: rows, [])
    assert load_release(url, snapshot, quiet)
    found = PostgisStore(url, "one").select("squares", Query(filter=Like(Property("uses", "string"), "%3")))
    assert [feature.id for feature in found.features] == ["s3"]
    assert ask(url, "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%USING gin%'") == [(0,)]


def test_postgis_that_cannot_be_created_is_named(
    cluster: DatabaseCluster, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE plain LOGIN")
        connection.execute("CREATE DATABASE bare TEMPLATE template0 OWNER plain")
    bare = cluster.url("bare", "plain")
    with pytest.raises(MissingExtensionError, match="postgis"):
        load_release(bare, to_snapshot("one"), quiet)
    monkeypatch.setattr(loading, "EXTENSION", b"CREATE EXTENSION IF NOT EXISTS no_such_thing")
    with pytest.raises(MissingExtensionError, match="no_such_thing"):
        load_release(url, to_snapshot("one"), quiet)


def test_readers_of_the_old_release_go_on_while_a_new_one_is_loaded(url: str) -> None:
    load_release(url, to_snapshot("old"), quiet)
    old, new = PostgisStore(url, "old"), PostgisStore(url, "new")
    seen = []

    def rows() -> Iterator[StoredRow]:
        for row in SQUARES:
            seen.append(old.select("squares", Query(boxes=((0, 0, 9, 9),))).matched)
            with pytest.raises(StoreUnavailableError, match="new"):
                new.collections()
            yield row

    load_release(url, to_snapshot("new", rows()), quiet)
    assert seen == [len(SQUARES)] * len(SQUARES)
    assert new.select("squares", Query()) == old.select("squares", Query())


def test_the_newest_releases_stay_and_older_ones_go(url: str) -> None:
    names = [f"r{number}" for number in range(KEPT + 2)]
    for name in names:
        load_release(url, to_snapshot(name), quiet)
    assert [row[0] for row in ask(url, "SELECT id FROM releases ORDER BY loaded")] == names[-KEPT:]
    tables = ask(url, "SELECT relname FROM pg_class WHERE relname ~ '^(items_0|places)_r[0-9]+$' ORDER BY 1")
    kept = [f"{table}_{name}" for table in ("items_0", "places") for name in names[-KEPT:]]
    assert [row[0] for row in tables] == kept


def test_a_reader_in_the_way_only_keeps_an_old_release_longer(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "LOCK_MS", 100)
    for number in range(KEPT):
        load_release(url, to_snapshot(f"r{number}"), quiet)
    with psycopg.connect(url) as reader:
        reader.execute(f"SELECT 1 FROM {SCHEMA}.items_0_r0 LIMIT 1")
        assert load_release(url, to_snapshot("next"), quiet)
        assert len(ask(url, "SELECT id FROM releases")) == KEPT + 1
    load_release(url, to_snapshot("last"), quiet)
    assert len(ask(url, "SELECT id FROM releases")) == KEPT


def test_progress_is_told_up_to_the_end(database: str, url: str, release: Release) -> None:
    told = []
    load_release(url, read_snapshot(release), lambda *step: told.append(step))
    by_kind = {what: (done, total) for what, done, total in told}
    assert set(by_kind) == {"features", "index"}
    assert all(done == total for done, total in by_kind.values())


GRANTS = f"""
GRANT USAGE ON SCHEMA {SCHEMA} TO reader;
GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO reader;
"""


def test_a_read_only_role_serves_also_what_is_loaded_later_and_cannot_load(
    cluster: DatabaseCluster, url: str
) -> None:
    load_release(url, to_snapshot("one"), quiet)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
        connection.execute(GRANTS.encode())
    load_release(url, to_snapshot("two"), quiet)
    as_reader = url.replace(f"user={cluster.user}", "user=reader")
    store = PostgisStore(as_reader, "two")
    assert store.select("squares", Query(boxes=((0, 0, 0.5, 0.5),))).matched == 1
    assert [head for head, _ in store.near(0.5, 0.5, 10)] == [HEAD]
    assert store.reach_m() == HEAD["positional_accuracy_m"]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        load_release(as_reader, to_snapshot("three"), quiet)
    for table in ("releases", "collections", "places", "items_0_one", "items_0_two", "places_two"):
        for statement in ("DELETE FROM {}", "DROP TABLE {}", "ALTER TABLE {} ADD COLUMN more int"):
            with psycopg.connect(as_reader) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(sql.SQL(statement).format(sql.Identifier(SCHEMA, table)))


def test_what_all_may_read_they_may_read_of_every_release(cluster: DatabaseCluster, url: str) -> None:
    load_release(url, to_snapshot("one"), quiet)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE ROLE anyone LOGIN")
        connection.execute(GRANTS.replace("TO reader", "TO PUBLIC").encode())
    load_release(url, to_snapshot("two"), quiet)
    store = PostgisStore(url.replace(f"user={cluster.user}", "user=anyone"), "two")
    assert store.select("squares", Query(sort=(("id", True),))).matched == len(SQUARES)


CONNECTED = "SELECT pid FROM pg_stat_activity WHERE application_name = 'weihai-layout' AND datname = '{}'"
# What this connection has looked up so far.
INDEXES = "SELECT ident FROM pg_backend_memory_contexts WHERE name = 'index info'"


def test_connections_are_there_before_the_first_question_and_go_with_the_store(url: str) -> None:
    with psycopg.connect(url) as connection:
        connected = CONNECTED.format(connection.info.dbname)
    load_release(url, to_snapshot("one"), quiet)
    store = PostgisStore(url, "one")
    while len(ask(url, connected)) < pool.MIN_CONNECTIONS:
        pass
    del store
    while ask(url, connected):
        pass


def test_a_new_connection_has_met_the_tables_before_its_first_question(url: str) -> None:
    load_release(url, to_snapshot("one"), quiet)
    known = [name for (name,) in PostgisStore(url, "one")._pool.ask(sql.SQL(INDEXES))]
    assert "places_one_geometry_idx" in known


def test_a_new_connection_that_cannot_meet_the_tables_answers_what_it_can(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "WARM_MS", 50)
    load_release(url, to_snapshot("one"), quiet)
    with psycopg.connect(url) as other:
        other.execute(f"LOCK TABLE {SCHEMA}.places_one IN ACCESS EXCLUSIVE MODE")
        assert PostgisStore(url, "one").select("squares", Query()).matched == len(SQUARES)


def test_the_server_cannot_write_even_as_the_owner(url: str) -> None:
    load_release(url, to_snapshot("one"), quiet)
    store = PostgisStore(url, "one")
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        store._pool.ask(sql.SQL("DELETE FROM releases RETURNING id"))


def test_a_question_that_takes_too_long_is_given_up(url: str) -> None:
    load_release(url, to_snapshot("one"), quiet)
    store = PostgisStore(f"{url}&options=-c%20statement_timeout%3D100", "one")
    assert store.select("squares", Query()).matched == len(SQUARES)
    with psycopg.connect(url) as other:
        other.execute(f"LOCK TABLE {SCHEMA}.items_0_one IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreSlowError, match="statement timeout"):
            store.select("squares", Query())
    assert store.select("squares", Query()).matched == len(SQUARES)


def test_a_database_without_tables_is_a_store_that_cannot_answer(url: str) -> None:
    with pytest.raises(StoreUnavailableError, match="collections"):
        PostgisStore(url, "one").collections()


def test_a_busy_store_says_so_in_time_and_goes_on_when_it_is_free(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MIN_CONNECTIONS", 1)
    monkeypatch.setattr(pool, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(pool, "CONNECT_S", 0.2)
    load_release(url, to_snapshot("one"), quiet)
    store = PostgisStore(url, "one")
    store.collections()
    with psycopg.connect(url) as other, ThreadPoolExecutor(1) as thread:
        other.execute(f"LOCK TABLE {SCHEMA}.items_0_one IN ACCESS EXCLUSIVE MODE")
        waiting = thread.submit(store.select, "squares", Query())
        while not ask(url, "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            pass
        for _ in range(2):
            with pytest.raises(StoreUnavailableError, match="couldn't get a connection"):
                store.reach_m()
        other.rollback()
        assert waiting.result().matched == len(SQUARES)
    assert store.reach_m() == HEAD["positional_accuracy_m"]


def test_a_release_removed_under_a_server_is_an_outage_not_an_empty_answer(url: str) -> None:
    load_release(url, to_snapshot("r0"), quiet)
    store = PostgisStore(url, "r0")
    assert store.collections()
    for number in range(1, KEPT + 1):
        load_release(url, to_snapshot(f"r{number}"), quiet)
    for question in (
        lambda: store.select("squares", Query()),
        lambda: store.get("squares", "s0"),
        lambda: list(store.near(0.5, 0.5, 10)),
        store.reach_m,
    ):
        with pytest.raises(StoreUnavailableError, match="r0"):
            question()


def test_an_outage_is_an_error_at_once_and_ends_with_the_outage() -> None:
    with temporary_cluster() as cluster:
        url = cluster.new_database("outage")
        load_release(url, to_snapshot("one"), quiet)
        store = PostgisStore(url, "one")
        everything = store.select("squares", Query())
        cluster.stop()
        early = PostgisStore(url, "one")
        with pytest.raises(StoreUnavailableError):
            store.select("squares", Query())
        with pytest.raises(StoreUnavailableError):
            early.collections()
        cluster.start()
        assert store.select("squares", Query()) == everything
        assert early.select("squares", Query()) == everything
        cluster.stop()
        cluster.start()  # connections died, and nobody asked meanwhile
        assert store.select("squares", Query()) == everything


def test_a_restart_under_load_is_either_an_answer_or_an_outage() -> None:
    with temporary_cluster() as cluster, ThreadPoolExecutor(6) as threads:
        url = cluster.new_database("restarts")
        load_release(url, to_snapshot("one"), quiet)
        store = PostgisStore(url, "one")
        everything = store.select("squares", Query())
        over = threading.Event()

        def keep_asking() -> set[str]:
            seen = set()
            while not over.is_set():
                try:
                    seen.add("answer" if store.select("squares", Query()) == everything else "another")
                except StoreUnavailableError:
                    seen.add("outage")
            return seen

        asking = [threads.submit(keep_asking) for _ in range(6)]
        for how in (signal.SIGINT, signal.SIGQUIT):
            cluster.stop(how)
            cluster.start()
        over.set()
        assert {one for each in asking for one in each.result()} <= {"answer", "outage"}
        assert store.select("squares", Query()) == everything
