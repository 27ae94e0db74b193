"""What is asked of a collection, what comes back, and what every store of features offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from shapely.geometry.base import BaseGeometry

from geodata.crs import Bounds
from layers.cql.tree import Condition
from layers.document_types import BlockHead, LayerEntry


class StoreUnavailableError(Exception):
    """The store cannot answer now; asking again later will do."""


class StoreSlowError(StoreUnavailableError):
    """The store gave a question up that took too long; one for less, or later, will do."""


@dataclass(frozen=True)
class Query:
    """A selection of features of one collection.

    Attributes
    ----------
    boxes
        Bounds in lon/lat, west ≤ east, or a geometry where they are curved; two where a box crosses the
        antimeridian. A feature matches if its geometry intersects any of them, edges included, or if it
        has no geometry (OGC API – Features Part 1, fc-bbox-response C). Empty: no box was asked for.
    filter
        A checked filter; only what makes it true is selected. None: no filter.
    sort
        Queryable and whether descending, first the most important; texts by code point, nulls last
        either way, then the collection's own order.
    limit, offset
        How many features of the answer, None for all, and after how many.
    """

    boxes: tuple[Bounds | BaseGeometry, ...] = ()
    filter: Condition | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None
    offset: int = 0


@dataclass(frozen=True)
class Feature:
    """One feature as prepared bytes: a GeoJSON Feature in CRS84, ``geometry`` null for a table's row.

    The members come in the order type, id, bbox (where there is a geometry), geometry, properties.
    """

    id: str
    body: bytes


@dataclass(frozen=True)
class Selection:
    """One page of an answer, and how many features match in all.

    ``unplaced`` counts those of them that have no geometry, where a box was asked for.
    """

    matched: int
    features: tuple[Feature, ...]
    unplaced: int = 0


@dataclass(frozen=True, eq=False)
class Collection:
    """One layer or table as a collection of features; each is equal to itself alone."""

    id: str
    info: LayerEntry  # the catalogue's entry: geometry, title, description, fields
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

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[BlockHead, bytes]]:
        """Yield head and WKB of what a look-up at a point must consider, within `reach_m` of it."""

    def reach_m(self) -> float:
        """Return the accuracy of the least accurate of what look-ups answer with, metres."""
