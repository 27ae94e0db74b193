"""The store of features in memory: the release's own bytes, with an index per collection.

Immutable once made, so that threads share it freely. The indexes over places are made with it, not by
the first who asks; columns and orders are made when a filter or a sort needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias

from geodata.crs import Bounds
from geodata.deferred import np, shapely
from layers.cql.evaluate import Column, evaluate
from layers.document_types import BlockHead, LayerEntry
from layers.lookup import reach_box, read_entries
from layers.query import Collection, Feature, Query, Selection, StoredRow, read_stored_rows, searchables
from layers.store import Release

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

_BLANKS: dict[str, str | float | bool] = {"string": "", "list": "", "number": 0.0, "boolean": False}
LIGHT_ROWS, LIGHT_BYTES = 1000, 4_000_000  # up to which a selection is a matter of some 100 µs
_TYPES: dict[str, type] = {"string": object, "list": object, "number": float, "boolean": bool}
Indices: TypeAlias = "NDArray[np.intp]"


class MemoryStore:
    """Answers from memory; see :class:`layers.query.FeatureStore`."""

    def __init__(self, release: Release) -> None:
        self._tables = {
            info["id"]: MemoryTable(info, read_stored_rows(release, info))
            for info in release.read_json("pages/catalogue.json")
        }
        self._entries = list(read_entries(release.read("index/lookup.bin")))
        self._places = shapely.STRtree([shapely.from_wkb(wkb) for _, wkb in self._entries])

    def collections(self) -> tuple[Collection, ...]:
        """Return every collection in the catalogue's order."""
        return tuple(table.collection for table in self._tables.values())

    def select(self, collection: str, query: Query) -> Selection:
        """Return the features that match, sorted and cut; raises KeyError for an unknown collection."""
        return self._tables[collection].select(query)

    def get(self, collection: str, feature_id: str) -> Feature | None:
        """Return one feature, or None; raises KeyError for an unknown collection."""
        return self._tables[collection].by_id.get(feature_id)

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[BlockHead, bytes]]:
        """Yield head and WKB of what a look-up at a point must consider, within `reach_m` of it."""
        for index in sorted(self._places.query(reach_box(lon, lat, reach_m))):
            yield self._entries[index]

    def reach_m(self) -> float:
        """Return the accuracy of the least accurate of what look-ups answer with."""
        return max((head["positional_accuracy_m"] for head, _ in self._entries), default=0.0)


class MemoryTable:
    """The rows of one collection by column, with an index over their geometries."""

    def __init__(self, info: LayerEntry, rows: Iterable[StoredRow]) -> None:
        self._rows = list(rows)
        self._kinds = searchables(info)
        self._features = np.empty(len(self._rows), dtype=object)  # so that many are taken at once
        self._features[:] = [Feature(row.id, row.body) for row in self._rows]
        self._columns: dict[str, Column] = {}
        self._ranks: dict[str, NDArray[np.intp]] = {}
        geometries = np.array([row.geometry for row in self._rows], dtype=object)
        placed = np.array([row.geometry is not None for row in self._rows], dtype=bool)
        self._geometries = geometries, placed
        self._nowhere = np.flatnonzero(~placed)
        self._tree = shapely.STRtree(geometries)
        self.by_id = {feature.id: feature for feature in self._features}
        self.count = len(self._rows)
        light = self.count <= LIGHT_ROWS and sum(len(row.body) for row in self._rows) <= LIGHT_BYTES
        self.collection = Collection(info["id"], info, self.count, self._bounds(), is_light=light)

    def select(self, query: Query) -> Selection:
        """Return the features that match, sorted and cut."""
        if not (query.boxes or query.filter or query.sort):
            return Selection(self.count, tuple(self._features[_cut(query)].tolist()))
        found = self._find(query)
        for name, descending in reversed(query.sort):
            found = found[np.argsort(self._rank(name, descending=descending)[found], kind="stable")]
        unplaced = int(np.isin(found, self._nowhere).sum()) if query.boxes and len(self._nowhere) else 0
        return Selection(len(found), tuple(self._features[found[_cut(query)]].tolist()), unplaced)

    def _find(self, query: Query) -> Indices:
        if query.filter is None:
            return self._in_boxes(query.boxes) if query.boxes else np.arange(self.count)
        chosen = evaluate(query.filter, self)
        if not query.boxes:
            return np.flatnonzero(chosen)
        found = self._in_boxes(query.boxes)
        return found[chosen[found]]

    def _in_boxes(self, boxes: tuple[Bounds | BaseGeometry, ...]) -> Indices:
        """Return what meets a box, and what is nowhere, in the collection's order."""
        asked = np.array([one if isinstance(one, shapely.Geometry) else shapely.box(*one) for one in boxes])
        found = self._tree.query(asked, predicate="intersects")[1]
        if len(self._nowhere):
            found = np.concatenate((found, self._nowhere))
        return np.unique(found) if len(boxes) > 1 else np.sort(found)

    def column(self, name: str) -> Column:
        """Return the values of one queryable, blank where there is none, and where there is one."""
        if name not in self._columns:
            kind = self._kinds[name]
            given = [row.values[name] for row in self._rows]
            known = np.array([value is not None for value in given], dtype=bool)
            filled = [_BLANKS[kind] if value is None else value for value in given]
            self._columns[name] = np.array(filled, dtype=_TYPES[kind]), known
        return self._columns[name]

    def geometries(self) -> Column:
        """Return the geometries, lon/lat, and which rows have one."""
        return self._geometries

    def tree(self) -> shapely.STRtree:
        """Return the index over the geometries."""
        return self._tree

    def _rank(self, name: str, *, descending: bool) -> NDArray[np.intp]:
        """Return the place of every row in the order of one queryable; equal ones share theirs."""
        values, known = self.column(name)
        if name not in self._ranks:
            self._ranks[name] = np.unique(values, return_inverse=True)[1]
        rank = -self._ranks[name] if descending else self._ranks[name]
        return np.where(known, rank, self.count)

    def _bounds(self) -> Bounds | None:
        geometries, placed = self._geometries
        if not placed.any():
            return None
        west, south, east, north = (float(value) for value in shapely.total_bounds(geometries[placed]))
        return west, south, east, north


def _cut(query: Query) -> slice:
    return slice(query.offset, None if query.limit is None else query.offset + query.limit)
