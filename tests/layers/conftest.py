"""What the tests of the layers ask: a store of features, whichever it is, and the look-up of positions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from layers.export.job import About, Part, read_about, read_part
from layers.lookup import BlockPlaces, Lookup, Surroundings
from layers.memory import MemoryStore
from layers.postgis.queries import PostgisStore
from layers.query import FeatureStore
from layers.store import Release


@pytest.fixture(scope="session", params=["memory", "postgis"])
def store(request: pytest.FixtureRequest, release: Release) -> Iterator[FeatureStore]:
    """Return a store that serves the release, in memory and in PostGIS by turns."""
    if request.param == "memory":
        yield MemoryStore(release)
        return
    found = PostgisStore(request.getfixturevalue("database"), release.id)
    found._pool._pool.wait()  # connecting draws random numbers, which Hypothesis would miss
    yield found
    found.close()


@pytest.fixture(scope="session")
def around(release: Release) -> Surroundings:
    """Return what lies around the release's places."""
    return Surroundings(release.read("index/around.bin"))


@pytest.fixture(scope="session")
def lookup(release: Release, around: Surroundings) -> Lookup:
    """Return what answers for a position, from the release's own polygons."""
    return Lookup(BlockPlaces(release.read("index/lookup.bin")), around)


@pytest.fixture(scope="session")
def about(release: Release) -> About:
    """Return what every file of the release says of itself."""
    return read_about(release)


@pytest.fixture(scope="session")
def parts(release: Release) -> dict[str, Part]:
    """Return every layer and table of the release with all its rows."""
    return {info["id"]: read_part(release, info) for info in release.read_json("pages/catalogue.json")}
