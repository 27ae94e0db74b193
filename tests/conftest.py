"""What many tests share: the shipped facts and one release built from them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from geodata import read
from layers.history import read_history, record
from layers.postgis.loader import load_release, read_snapshot
from layers.store import Release
from scripts.bench.load import DatabaseCluster, temporary_cluster
from webmap.app import create_app
from webmap.publish import hash_code, publish
from webmap.settings import Settings

# What is drawn is the same in every run, unless --thorough asks for more; and a busy machine is no fault.
hypothesis_settings.register_profile(
    "thorough", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.register_profile(
    "same", hypothesis_settings.get_profile("thorough"), derandomize=True, database=None
)


def read_once(read_records: Callable[..., Iterator[tuple]]) -> Callable[..., Iterator[tuple]]:
    """Keep what the content of a file of facts was read as: hundreds of tests spoil one and read all."""
    kept: dict[tuple[str, bytes, type], tuple[list, list]] = {}

    def read_or_remember(path: Path, file: str, kind: type, problems: list) -> Iterator[tuple]:
        if not path.is_file():
            yield from read_records(path, file, kind, problems)
            return
        key = file, sha256(path.read_bytes()).digest(), kind
        if key not in kept:
            found: list = []
            kept[key] = list(read_records(path, file, kind, found)), found
        records, faults = kept[key]
        problems.extend(faults)
        yield from records

    return read_or_remember


read._read_records = read_once(read._read_records)  # before any module of tests is read, as some read facts


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let one ask for more than a run of all tests has time for, and for quicker single runs."""
    parser.addoption("--requests", type=int, default=600, help="odd requests of every kind (600)")
    parser.addoption("--seed", type=int, default=20230716, help="of what they are drawn with (20230716)")
    parser.addoption("--thorough", action="store_true", help="all attacks, kills and damages: many minutes")
    parser.addoption("--rebuild", action="store_true", help="rebuild the boundaries: 90 s of processor time")
    parser.addoption("--update-pictures", action="store_true", help="keep how maps look now")
    parser.addoption("--home", type=Path, help="keep the release there, built only when outdated")


def pytest_configure(config: pytest.Config) -> None:
    """Choose what the tests draw, before any of them is read."""
    hypothesis_settings.load_profile("thorough" if config.getoption("thorough") else "same")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long and was not asked for."""
    if not config.getoption("thorough"):
        items[:] = [item for item in items if item.get_closest_marker("thorough") is None]
    if not config.getoption("rebuild"):
        items[:] = [item for item in items if "rebuilt" not in getattr(item, "fixturenames", ())]


@pytest.fixture(scope="session")
def home(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home folder for a whole run, shared by its worker processes."""
    kept: Path | None = pytestconfig.getoption("--home")
    if kept is not None:
        return kept
    folder = tmp_path_factory.getbasetemp()
    return (folder.parent if os.environ.get("PYTEST_XDIST_WORKER") else folder) / "home"


@pytest.fixture(scope="session")
def release(home: Path) -> Release:
    """Return the release of the current facts; the first worker to ask builds it."""
    return publish(home, print)


@pytest.fixture
def own_home(home: Path, release: Release, tmp_path: Path) -> Path:
    """Return a home of one's own, in which nobody else makes files; the release is its one publication."""
    folder, where = tmp_path / "home", Path("releases", release.id)
    shutil.copytree(release.folder, folder / where)
    act = replace(read_history(home)[0].act, inputs=release.id, code=hash_code())
    record(folder, Release(folder / where, release.manifest_sha256), act)
    shutil.copy(home / "archive" / f"{release.id}.zip", folder / "archive")
    return folder


@pytest.fixture(scope="session")
def client(home: Path, release: Release) -> FlaskClient:
    """Return a client of an application on the release."""
    return create_app(release, Settings(home)).test_client()


@pytest.fixture(scope="session")
def cluster() -> Iterator[DatabaseCluster]:
    """Return a PostgreSQL server with PostGIS, one for each worker process that asks."""
    with temporary_cluster() as found:
        yield found


@pytest.fixture(scope="session")
def database(cluster: DatabaseCluster, release: Release) -> str:
    """Return the address of a database that holds the release."""
    url = cluster.new_database("weihai")
    assert load_release(url, read_snapshot(release), lambda *_: None)
    return url
