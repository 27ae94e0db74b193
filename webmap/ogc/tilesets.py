"""OGC API – Tiles, Part 1: which tiles there are, of one collection and of all together, and the tiles.

They are cut out of the PMTiles files that a release has: one layer's, or all layers' in one tile.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from dataclasses import dataclass

from pmtiles.reader import MemorySource, Reader

from layers.axes import CRS84
from layers.export.job import release_path
from layers.query import Collection
from layers.store import Release
from webmap.ogc.request import OgcRequest
from webmap.ogc.resources import JSON, SCHEMA, Document, OgcLink, Resources, link, self_links
from webmap.params import unknown_parameter
from webmap.problems import NotFoundError

TILE = "application/vnd.mapbox-vector-tile"
_E7 = 1e7  # degrees as the head of the file writes them
QUAD = "WebMercatorQuad"
MERCATOR = "http://www.opengis.net/def/crs/EPSG/0/3857"
SCHEME_REL = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
TEMPLATE = "{tileMatrix}/{tileRow}/{tileCol}"
PIXELS = 256  # to a side of a tile
ZOOMS = 25  # that the quad is registered with
_URI = f"http://www.opengis.net/def/tilematrixset/OGC/1.0/{QUAD}"
_EDGE_M = 20_037_508.3427892  # half of the equator, as it is registered
_PIXEL_M = 0.00028  # of the screen that scales are told for
_DIMENSIONS = {"point": 0, "polygon": 2}


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


@dataclass(frozen=True)
class TileAddress:
    """Zoom, row from the north and column, as they stand in an address."""

    matrix: str
    row: str
    column: str


class Tilesets:
    """Documents and tiles of the collections that have some; those of all together are of every one."""

    def __init__(self, resources: Resources, files: TileFiles) -> None:
        self._resources, self._files = resources, files

    def matrix_sets(self, request: OgcRequest) -> Document:
        """Return the grids that tiles come in: one."""
        return {
            "links": self_links(request, JSON, self._text(request, "ogc.tile_matrix_sets")),
            "tileMatrixSets": [
                {
                    "id": QUAD,
                    "title": QUAD,
                    "uri": _URI,
                    "crs": MERCATOR,
                    "links": [self._to_quad(request, "item")],
                }
            ],
        }

    def matrix_set(self, request: OgcRequest) -> Document:
        """Return the quad that all web maps share, as OGC 17-083r4 registers it."""
        matrices = [
            {
                "id": str(zoom),
                "scaleDenominator": cell_m / _PIXEL_M,
                "cellSize": cell_m,
                "pointOfOrigin": [-_EDGE_M, _EDGE_M],
                "tileWidth": PIXELS,
                "tileHeight": PIXELS,
                "matrixWidth": 1 << zoom,
                "matrixHeight": 1 << zoom,
            }
            for zoom in range(ZOOMS)
            for cell_m in (2 * _EDGE_M / PIXELS / (1 << zoom),)
        ]
        return {
            "links": self_links(request, JSON, QUAD),
            "id": QUAD,
            "title": QUAD,
            "uri": _URI,
            "crs": MERCATOR,
            "orderedAxes": ["X", "Y"],
            "wellKnownScaleSet": "http://www.opengis.net/def/wkss/OGC/1.0/GoogleMapsCompatible",
            "tileMatrices": matrices,
        }

    def listed(self, request: OgcRequest, row: Collection | None) -> Document:
        """Return the tilesets of a collection, or of all; raises NotFoundError where there is none."""
        self._tiled(request, row)
        title = self._title(request, row)
        own = link(request.url(f"{request.path}/{QUAD}", [("f", "json")]), "self", JSON, title)
        return {
            "links": self_links(request, JSON, self._text(request, "ogc.tilesets")),
            "tilesets": [{**self._summary(request, row), "links": [own, self._to_quad(request, SCHEME_REL)]}],
        }

    def one(self, request: OgcRequest, row: Collection | None) -> Document:
        """Return what a tileset holds, and where each tile is; raises NotFoundError where there is none."""
        tiled = self._tiled(request, row)
        limits = _unite([self._files.open(one.id) for one in tiled])
        boxes = [one.bounds for one in tiled if one.bounds]
        lowest, highest = ([pick(box[at] for box in boxes) for at in ats] for pick, ats in _CORNERS)
        tile = link(f"{request.bare(request.path).partition('?')[0]}/{TEMPLATE}", "item", TILE)
        return {
            **self._summary(request, row),
            "description": self._text(request, "ogc.tileset"),
            "attribution": self._text(request, "ogc.attribution"),
            "mediaTypes": [TILE],
            "boundingBox": {"lowerLeft": lowest, "upperRight": highest, "crs": CRS84.uri},
            "tileMatrixSetLimits": [
                {
                    "tileMatrix": str(one.zoom),
                    "minTileRow": one.rows[0],
                    "maxTileRow": one.rows[1],
                    "minTileCol": one.columns[0],
                    "maxTileCol": one.columns[1],
                }
                for one in limits
            ],
            "layers": [self._layer(request, one) for one in tiled],
            "links": [
                *self_links(request, JSON, self._title(request, row)),
                self._to_quad(request, SCHEME_REL),
                {**tile, "templated": True},
            ],
        }

    def tile(self, request: OgcRequest, row: Collection | None, address: TileAddress) -> bytes:
        """Return a tile, of all collections theirs one after the other, as the format has it.

        No bytes where it has nothing in it. Raises NotFoundError for one outside the limits, and
        BadParameterError for any parameter: there is one form of a tile.
        """
        for name, value in request.pairs:
            raise unknown_parameter(name, value, ())
        files = [self._files.open(one.id) for one in self._tiled(request, row)]
        place = [address.matrix, address.row, address.column]
        sound = all(part.isascii() and part.isdecimal() and len(part) < _DIGITS for part in place)
        zoom, at_row, column = map(int, place) if sound else (-1, -1, -1)
        if not any(one.zoom == zoom and one.holds(at_row, column) for one in _unite(files)):
            raise NotFoundError("error.http_404", path=f"/ogc/{request.path[:200]}")
        return b"".join(
            one.get(zoom, column, at_row) for one in files if one.zooms[0] <= zoom <= one.zooms[1]
        )

    def _tiled(self, request: OgcRequest, row: Collection | None) -> list[Collection]:
        wanted = self._resources.collections if row is None else (row,)
        found = [one for one in wanted if self._resources.is_tiled(one)]
        if not found:
            raise NotFoundError("error.http_404", path=f"/ogc/{request.path[:200]}")
        return found

    def _summary(self, request: OgcRequest, row: Collection | None) -> Document:
        title = self._title(request, row)
        return {"title": title, "dataType": "vector", "crs": MERCATOR, "tileMatrixSetURI": _URI}

    def _layer(self, request: OgcRequest, row: Collection) -> Document:
        """Return what a layer within the tiles is; its properties are as the flat form of its features."""
        zooms, path = self._files.open(row.id).zooms, f"collections/{row.id}"
        flat = request.url(f"{path}/schema", [("f", "json"), ("profile", "flat")])
        return {
            "id": row.id,
            "title": row.info["title"][request.language],
            "description": row.info["description"][request.language],
            "dataType": "vector",
            "geometryDimension": _DIMENSIONS[row.info["geometry"]],
            "minTileMatrix": str(zooms[0]),
            "maxTileMatrix": str(zooms[1]),
            "links": [
                link(request.url(path, [("f", "json")]), "geodata", JSON),
                link(flat, "describedby", SCHEMA),
                link(f"{request.base}/tiles/{row.id}.json", "alternate", JSON, "TileJSON"),
            ],
        }

    def _to_quad(self, request: OgcRequest, rel: str) -> OgcLink:
        return link(request.url(f"tileMatrixSets/{QUAD}", [("f", "json")]), rel, JSON, QUAD)

    def _title(self, request: OgcRequest, row: Collection | None) -> str:
        return row.info["title"][request.language] if row else self._text(request, "site.name")

    def _text(self, request: OgcRequest, key: str) -> str:
        return self._resources.text(request, key)


_DIGITS = 10
_CORNERS = ((min, (0, 1)), (max, (2, 3)))  # south-west and north-east of bounds


def _unite(files: list[LayerTiles]) -> list[TileLimits]:
    """Return by zoom the least rows and columns that hold those of several layers."""
    by_zoom: dict[int, list[TileLimits]] = {}
    for one in files:
        for limits in one.limits:
            by_zoom.setdefault(limits.zoom, []).append(limits)
    return [
        TileLimits(
            zoom,
            (min(one.rows[0] for one in found), max(one.rows[1] for one in found)),
            (min(one.columns[0] for one in found), max(one.columns[1] for one in found)),
        )
        for zoom, found in sorted(by_zoom.items())
    ]
