"""What is loaded into a database: one release's collections, their rows, and the places of look-ups."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from layers.block import read_entries
from layers.memory import MemoryStore
from layers.query import Collection
from layers.rows import Row, read_rows
from layers.store import Release

Place = tuple[dict[str, Any], bytes]  # head and WKB of what look-ups answer with


@dataclass(frozen=True)
class Stock:
    """Everything of one release that a store holds."""

    release: str
    collections: tuple[Collection, ...]
    rows: Callable[[str], Iterable[Row]]  # of a collection, by its id, in its order
    places: Iterable[Place]


def read_stock(release: Release) -> Stock:
    """Return what the store in memory holds of a release."""
    collections = MemoryStore(release).collections()
    infos = {collection.id: collection.info for collection in collections}
    return Stock(
        release.id,
        collections,
        lambda collection: read_rows(release, infos[collection]),
        read_entries(release.read("index/lookup.bin")),
    )
