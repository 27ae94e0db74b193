"""Whole responses and reprojected features, cached while they are asked for: a release never changes.

A cached response names no host: the site's address stands in it as
:data:`~webmap.ogc.request.SITE_PLACEHOLDER`, and is put in when the response goes out.
"""

from __future__ import annotations

import gzip
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import brotli
import orjson
from cachetools import LRUCache
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from geodata.deferred import np, shapely
from layers.axes import CRS84, Axes, from_lonlat
from layers.document_types import LayerEntry
from layers.export.job import flatten_values
from layers.query import Feature
from webmap.ogc.request import SITE_PLACEHOLDER

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

RESPONSE_BYTES = 24_000_000
REMEMBERED = 20_000  # answers made once
MIN_COMPRESSED = 1024
FORMS = 2  # compressed forms of one answer that are kept, of all hosts
_BROTLI_QUALITY, _GZIP_LEVEL = 4, 5  # what takes a few milliseconds per megabyte
_SITE = SITE_PLACEHOLDER.encode()
REPROJECTED_BYTES = 16_000_000
_GEOMETRY = b',"geometry":'
_PROPERTIES = b',"properties":'


@dataclass(frozen=True)
class Body:
    """A body in parts: only `linked` names the site's address, and is looked through for it."""

    linked: bytes
    after: Sequence[bytes] = ()
    before: bytes = b""

    @cached_property
    def size(self) -> int:
        """Bytes of the whole, with the stand-in for the site's address."""
        return len(self.before) + len(self.linked) + sum(map(len, self.after))

    @cached_property
    def pieces(self) -> list[bytes]:
        """What stands around the places for the site's address, looked for once."""
        return self.linked.split(_SITE)

    def fill(self, base: str) -> bytes:
        """Return the whole for a site at `base`."""
        linked = orjson.dumps(base)[1:-1].join(self.pieces)
        return b"".join((self.before, linked, *self.after)) if self.before or self.after else linked

    def joined(self) -> Body:
        """Return the same in few parts, which are its own."""
        return replace(self, after=(b"".join(self.after),)) if self.after else self


@dataclass(frozen=True)
class CachedResponse:
    """One answer, as it is for every host."""

    status: int
    media: str
    body: Body
    etag: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    link: str = ""  # a header of that name
    _forms: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False, compare=False)

    def is_ready(self, base: str, encoding: str | None) -> bool:
        """Tell whether :meth:`sent` takes no work but putting the address in."""
        return encoding is None or (base, encoding) in self._forms

    def sent(self, base: str, encoding: str | None = None) -> bytes:
        """Return the body for a site at `base`, as is or as ``br`` or ``gzip``.

        The last compressed forms are kept: most who ask name the same host.
        """
        found = self._forms.get((base, encoding)) if encoding else None
        if found is None:
            found = self.body.fill(base)
            if encoding:
                found = _compress(found, encoding)
                if len(self._forms) >= FORMS:
                    self._forms.clear()
                self._forms[base, encoding] = found
        return found


class ResponseCache:
    """Answers by what was asked, the latest used, within a bound of bytes.

    An answer is kept when it is made for the second time: what is asked once, such as the box of a map
    that is being moved, neither costs room nor drives out what is asked again and again.
    """

    def __init__(self, room: int = RESPONSE_BYTES) -> None:
        self._once: OrderedDict[int, None] = OrderedDict()
        self._kept: LRUCache[Hashable, CachedResponse] = LRUCache(room, _weigh_response)
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> CachedResponse | None:
        """Return an answer that was kept."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: Hashable, answer: CachedResponse) -> None:
        """Keep an answer that was made before; the least recently used go where there is no room."""
        with self._lock:
            if self._made_before(hash(key)) and _weigh_response(answer) <= self._kept.maxsize:
                self._kept[key] = replace(answer, body=answer.body.joined(), _forms={})

    def _made_before(self, key: int) -> bool:
        """Return whether an answer was made before, and remember that it is now."""
        if key in self._once:
            return True
        self._once[key] = None
        if len(self._once) > REMEMBERED:
            self._once.popitem(last=False)
        return False


def _weigh_response(answer: CachedResponse) -> int:
    return 2 * answer.body.size + 2000  # with its compressed forms and all around it


@lru_cache(maxsize=256)
def choose_encoding(accepted: str) -> str | None:
    """Return the encoding that an Accept-Encoding header asks for: ``br``, ``gzip`` or none.

    >>> choose_encoding("gzip, deflate, br")
    'br'
    >>> choose_encoding("identity, gzip;q=0") is None
    True
    """
    wanted = parse_accept_header(accepted, Accept)
    return next((one for one in ("br", "gzip") if wanted[one] > 0), None)


def _compress(body: bytes, encoding: str) -> bytes:
    if encoding == "br":
        compressed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
        return compressed
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


class ReprojectionCache:
    """Turns prepared features into another system; keeps what it made, the latest used, within a bound."""

    def __init__(self, room: int = REPROJECTED_BYTES) -> None:
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
    turned = shapely.transform(shape, lambda points: np.round(from_lonlat(points, axes), axes.decimals))
    members: dict[str, object] = orjson.loads(head + b"}")
    members["bbox"] = [float(one) for one in turned.bounds]
    written = orjson.dumps(members)[:-1]
    return b"".join((written, _GEOMETRY, _to_geojson(turned), _PROPERTIES, tail))


def _to_geojson(geometry: BaseGeometry) -> bytes:
    mapping = shapely.geometry.mapping(geometry)
    return orjson.dumps({"type": mapping["type"], "coordinates": mapping["coordinates"]})


def flatten_body(body: bytes, info: LayerEntry) -> bytes:
    """Return one feature with plain values; `info` is its layer's entry of the catalogue."""
    head, _, tail = body.partition(_PROPERTIES)
    return b"".join((head, _PROPERTIES, orjson.dumps(flatten_values(orjson.loads(tail[:-1]), info)), b"}"))


def keep_properties(body: bytes, names: tuple[str, ...]) -> bytes:
    """Return one feature with some of its properties, in the order of `names`."""
    head, _, tail = body.partition(_PROPERTIES)
    properties = orjson.loads(tail[:-1])
    return b"".join((head, _PROPERTIES, orjson.dumps({name: properties[name] for name in names}), b"}"))
