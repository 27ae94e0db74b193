"""Features in other coordinate reference systems: transformed once and kept."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
import shapely
from cachetools import LRUCache

from layers.axes import CRS84, Axes, from_lonlat
from layers.query import Feature

KEPT_BYTES = 16_000_000
_DEGREE_DECIMALS, _METRE_DECIMALS = 7, 3  # a centimetre and a millimetre
_GEOMETRY = b',"geometry":'
_PROPERTIES = b',"properties":'


class Frames:
    """Turns prepared features into another system; keeps what it made, the latest used, within a bound."""

    def __init__(self, room: int = KEPT_BYTES) -> None:
        self._kept: LRUCache[tuple[str, str, str], bytes] = LRUCache(room, len)
        self._lock = threading.Lock()

    def bodies(self, collection: str, features: Iterable[Feature], axes: Axes) -> list[bytes]:
        """Return the features' bytes in the system and the axis order of `axes`."""
        if axes is CRS84:
            return [feature.body for feature in features]
        return [self._body(collection, feature, axes) for feature in features]

    def _body(self, collection: str, feature: Feature, axes: Axes) -> bytes:
        key = (collection, feature.id, axes.frame)
        with self._lock:
            found = self._kept.get(key)
        if found is None:
            found = reproject(feature.body, axes)
            with self._lock:
                if len(found) <= self._kept.maxsize:
                    self._kept[key] = found
        return found


def geometry_of(body: bytes) -> bytes:
    """Return a feature's geometry as it stands in its bytes: ``null`` where there is none."""
    return body.partition(_GEOMETRY)[2].partition(_PROPERTIES)[0]


def reproject(body: bytes, axes: Axes) -> bytes:
    """Return one feature in another system; its bbox follows the axis order too."""
    head, _, rest = body.partition(_GEOMETRY)
    geometry, _, tail = rest.partition(_PROPERTIES)
    if geometry == b"null":
        return body
    shape = shapely.from_geojson(geometry)
    decimals = _METRE_DECIMALS if axes.metric else _DEGREE_DECIMALS
    turned = shapely.transform(shape, lambda points: np.round(from_lonlat(points, axes), decimals))
    members: dict[str, Any] = orjson.loads(head + b"}")
    members["bbox"] = [float(one) for one in turned.bounds]
    written = orjson.dumps(members)[:-1]
    return b"".join((written, _GEOMETRY, _to_geojson(turned), _PROPERTIES, tail))


def _to_geojson(geometry: Any) -> bytes:
    mapping = shapely.geometry.mapping(geometry)
    return orjson.dumps({"type": mapping["type"], "coordinates": mapping["coordinates"]})


def keep_properties(body: bytes, names: tuple[str, ...]) -> bytes:
    """Return one feature with some of its properties, in the order of `names`."""
    head, _, tail = body.partition(_PROPERTIES)
    properties = orjson.loads(tail[:-1])
    return b"".join((head, _PROPERTIES, orjson.dumps({name: properties[name] for name in names}), b"}"))
