"""Vector tiles of every layer, cut out of the PMTiles file that the release has of it."""

from __future__ import annotations

import gzip
from http import HTTPStatus

from flask import Blueprint, Response, request
from pmtiles.reader import MemorySource, Reader

from layers.export.job import release_path
from webmap.content import Content
from webmap.http import REVALIDATE, send_json
from webmap.links import base_url
from webmap.params import takes
from webmap.problems import NotFoundError, link_near
from webmap.views.context import content

TILE = "application/vnd.mapbox-vector-tile"
DEGREES = 1e7  # as the head of the file writes them
blueprint = Blueprint("tiles", __name__)


def _open(layer: str, found: Content) -> Reader:
    """Return the tiles of a layer; raises NotFoundError where it has none."""
    path = release_path(layer, "pmtiles")
    if found.release.sha256(path) is None:
        spatial = {info["id"]: info["id"] for info in found.layers if info["geometry"] != "none"}
        near = link_near(layer, spatial, lambda one: f"/tiles/{one}.json")
        raise NotFoundError(
            "error.layer", parameter="layer", value=layer, allowed=", ".join(spatial), near=near
        )
    return Reader(MemorySource(found.release.read(path)))


@blueprint.get("/tiles/<layer>.json")
@takes()
def tileset_document(layer: str) -> Response:
    """Describe the tiles of a layer as TileJSON 3.0, for MapLibre, OpenLayers and QGIS."""
    found = content()
    tiles = _open(layer, found)
    head, said = tiles.header(), tiles.metadata()
    edges = ("min_lon_e7", "min_lat_e7", "max_lon_e7", "max_lat_e7")
    return send_json(
        {
            "tilejson": "3.0.0",
            "name": said["name"],
            "tiles": [f"{base_url()}/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt"],
            "minzoom": head["min_zoom"],
            "maxzoom": head["max_zoom"],
            "bounds": [head[edge] / DEGREES for edge in edges],
            "attribution": "; ".join(found.about.sources),
            "vector_layers": said["vector_layers"],
        }
    )


@blueprint.get("/tiles/<layer>/<int:z>/<int:x>/<int:y>.mvt")
@takes()
def tile_file(layer: str, z: int, x: int, y: int) -> Response:
    """Send one tile of the Web Mercator quad, y from the north; with nothing in it, an empty answer."""
    found = content()
    tiles = _open(layer, found)
    head = tiles.header()
    if not head["min_zoom"] <= z <= head["max_zoom"] or max(x, y) >= 1 << z:
        raise NotFoundError("error.http_404", path=request.path)
    body = tiles.get(z, x, y)
    response = Response(status=HTTPStatus.OK if body else HTTPStatus.NO_CONTENT, content_type=TILE)
    if body:
        packed = request.accept_encodings["gzip"] > 0
        response.set_data(body if packed else gzip.decompress(body))
        if packed:
            response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = REVALIDATE
    response.vary.add("Accept-Encoding")
    response.set_etag(
        str(found.release.sha256(release_path(layer, "pmtiles")))[:32] + f"-{z}-{x}-{y}", weak=True
    )
    response.make_conditional(request)
    return response
