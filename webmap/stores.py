"""Open the store of features that the operator chose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from layers.memory import MemoryStore
from layers.query import (
    Collection,
    Feature,
    FeatureStore,
    Query,
    Selection,
    StoreSlowError,
    StoreUnavailableError,
)
from layers.store import Release
from webmap.problems import SlowError, UnavailableError
from webmap.settings import Settings

Answer = TypeVar("Answer")


def open_store(release: Release, settings: Settings) -> FeatureStore:
    """Return the store that serves the release's features.

    Opening needs no database: where it is down, each question is answered so until it is back.
    """
    if settings.store is None:
        return MemoryStore(release)
    # Only who stores in a database pays for its driver.
    from layers.postgis.store import PostgisStore

    return Guarded(PostgisStore(settings.store, release.id))


def holds(release: Release, settings: Settings) -> bool:
    """Tell whether the store that the operator chose has a release now; not while it cannot be asked."""
    if settings.store is None:
        return True
    import psycopg

    from layers.postgis.load import is_loaded

    try:
        return is_loaded(settings.store, release.id)
    except psycopg.Error:
        return False


class Guarded:
    """A store whose outages are answers: :class:`~webmap.problems.UnavailableError` and its kin."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store

    def collections(self) -> tuple[Collection, ...]:
        """Return every collection in the catalogue's order."""
        return _answer(self._store.collections)

    def select(self, collection: str, query: Query) -> Selection:
        """Return the features that match, sorted and cut; raises KeyError for an unknown collection."""
        return _answer(lambda: self._store.select(collection, query))

    def get(self, collection: str, feature_id: str) -> Feature | None:
        """Return one feature, or None; raises KeyError for an unknown collection."""
        return _answer(lambda: self._store.get(collection, feature_id))

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield head and WKB of what a look-up at a point must consider, within `reach_m` of it."""
        yield from _answer(lambda: list(self._store.near(lon, lat, reach_m)))

    def reach_m(self) -> float:
        """Return the accuracy of the least accurate of what look-ups answer with, metres."""
        return _answer(self._store.reach_m)


def _answer(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except StoreSlowError as error:
        raise SlowError from error
    except StoreUnavailableError as error:
        raise UnavailableError from error
