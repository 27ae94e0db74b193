"""Open the store of features that the operator chose."""

from __future__ import annotations

from layers.memory import MemoryStore
from layers.query import FeatureStore
from layers.store import Release
from webmap.settings import Settings


def open_store(release: Release, settings: Settings) -> FeatureStore:  # noqa: ARG001 - the one choice so far
    """Return the store that serves the release's features."""
    return MemoryStore(release)
