"""What is asked of a collection, what comes back, and what every store of features offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from geodata.crs import Bounds


@dataclass(frozen=True)
class Query:
    """A selection of features of one collection."""

    boxes: tuple[Bounds, ...] = ()  # lon/lat; any of them, two where a box crosses the antimeridian
    filter: Any = None  # a checked CQL2 tree
    sort: tuple[tuple[str, bool], ...] = ()  # property and whether descending; then the collection's order
    limit: int | None = None  # None: all
    offset: int = 0


@dataclass(frozen=True)
class Feature:
    """One feature as prepared bytes: a GeoJSON Feature in CRS84, or a table's row without geometry."""

    id: str
    body: bytes


@dataclass(frozen=True)
class Selection:
    """One page of an answer, and how many features match in all."""

    matched: int
    features: tuple[Feature, ...]


@dataclass(frozen=True)
class Collection:
    """One layer or table as a collection of features."""

    id: str
    info: dict[str, Any]  # the catalogue's entry: geometry, title, description, fields
    count: int
    bounds: Bounds | None  # lon/lat; None for a table


class FeatureStore(Protocol):
    """Where features live; every store gives the same answers to the same questions."""

    def collections(self) -> tuple[Collection, ...]:
        """Return every collection in the catalogue's order."""

    def select(self, collection: str, query: Query) -> Selection:
        """Return the features that match, sorted and cut; raises KeyError for an unknown collection."""

    def get(self, collection: str, feature_id: str) -> Feature | None:
        """Return one feature, or None; raises KeyError for an unknown collection."""

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Yield head and WKB of what a look-up at a point must consider, within `reach_m` of it."""
