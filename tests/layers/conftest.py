"""One store of features, asked the same questions whichever it is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from layers.memory import MemoryStore
from layers.postgis.store import PostgisStore
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
