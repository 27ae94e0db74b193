"""Vector tiles, cut out of the PMTiles files that a release has: one layer's, or all layers' in one tile."""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from dataclasses import dataclass

from pmtiles.reader import MemorySource, Reader

from layers.export.job import release_path
from layers.store import Release

TILE = "application/vnd.mapbox-vector-tile"
_E7 = 1e7  # degrees as the head of the file writes them


@dataclass(frozen=True)
class TileLimits:
    """Rows and columns of one zoom in which a layer lies, first and last; rows count from the north."""

    zoom: int
    rows: tuple[int, int]
    columns: tuple[int, int]

    def holds(self, row: int, column: int) -> bool:
        """Tell whether a tile lies within."""
        (top, bottom), (left, right) = self.rows, self.columns
        return top <= row <= bottom and left <= column <= right


class LayerTiles:
    """The tiles of one layer, in the Web Mercator quad of 256 pixels that all web maps share."""

    def __init__(self, file: bytes) -> None:
        self._reader = Reader(MemorySource(file))
        head = self._reader.header()
        self.zooms: tuple[int, int] = (head["min_zoom"], head["max_zoom"])
        self.bounds: tuple[float, float, float, float] = (
            head["min_lon_e7"] / _E7,
            head["min_lat_e7"] / _E7,
            head["max_lon_e7"] / _E7,
            head["max_lat_e7"] / _E7,
        )
        self.described: Mapping[str, object] = self._reader.metadata()

    def get(self, zoom: int, column: int, row: int) -> bytes:
        """Return a tile; no bytes where nothing is."""
        packed: bytes | None = self._reader.get(zoom, column, row)
        return gzip.decompress(packed) if packed else b""

    @property
    def limits(self) -> list[TileLimits]:
        """What each zoom has, the farthest first."""
        west, south, east, north = self.bounds
        found = []
        for zoom in range(self.zooms[0], self.zooms[1] + 1):
            (left, top), (right, bottom) = _find_tile(west, north, zoom), _find_tile(east, south, zoom)
            found.append(TileLimits(zoom, (top, bottom), (left, right)))
        return found


def _find_tile(lon: float, lat: float, zoom: int) -> tuple[int, int]:
    """Return column and row of the tile that a position, in degrees, lies in."""
    count = 1 << zoom
    column = (lon + 180) / 360 * count
    row = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * count
    return min(max(int(column), 0), count - 1), min(max(int(row), 0), count - 1)


class TileFiles:
    """The tiles of a release by layer; without one there are none."""

    def __init__(self, release: Release | None = None) -> None:
        self._release = release

    def __contains__(self, layer: object) -> bool:
        """Tell whether a layer has tiles."""
        return bool(self._release and self._release.sha256(release_path(str(layer), "pmtiles")))

    def open(self, layer: str) -> LayerTiles:
        """Return the tiles of a layer; raises KeyError where it has none."""
        if self._release is None:
            raise KeyError(layer)
        return LayerTiles(self._release.read(release_path(layer, "pmtiles")))
