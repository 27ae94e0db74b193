"""One store of features, asked the same questions whichever it is."""

from __future__ import annotations

import pytest

from layers.memory import MemoryStore
from layers.query import FeatureStore
from layers.store import Release


@pytest.fixture(scope="session")
def store(release: Release) -> FeatureStore:
    """Return a store that serves the release."""
    return MemoryStore(release)
