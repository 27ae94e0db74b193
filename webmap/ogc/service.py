"""One answer for one request, which resource, bytes and headers; and the short way to it.

On the short way programs are answered before the web framework is asked; pages go on to it.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from geodata.boundaries import Properties
from layers.axes import Axes
from layers.query import Collection, Feature, FeatureStore, Query, dump_exactly
from webmap.http import DATA_POLICY, EVERYONE, FIXED, POSTPONE, REVALIDATE, put_below
from webmap.ogc.cache import MIN_COMPRESSED, Body, CachedResponse, ResponseCache, choose_encoding
from webmap.ogc.request import MAX_SEARCH, ROOT, SITE_PLACEHOLDER, OgcRequest, extract_box, to_search
from webmap.ogc.resources import (
    GEOJSON,
    JSON,
    OPENAPI,
    SCHEMA,
    Document,
    FeaturePage,
    Items,
    Resources,
    SingleFeature,
    header_links,
)
from webmap.ogc.tilesets import QUAD, TILE, TileAddress, TileFiles, Tilesets
from webmap.params import Operation, refusal
from webmap.problems import (
    PROBLEM,
    BadParameterError,
    NotFoundError,
    RequestError,
    Strings,
    TooLargeError,
    headers_of,
    link_near,
    to_problem,
)

if TYPE_CHECKING:
    from webmap.ogc.openapi import Definition

TARGETS = 256  # addresses whose meaning is remembered
_PLAIN = {
    "": "landing",
    "api": "api",
    "conformance": "conformance",
    "collections": "collections",
    "tileMatrixSets": "tilematrixsets",
    f"tileMatrixSets/{QUAD}": "tilematrixset",
}
_BELOW = {"queryables", "sortables", "schema", "items", "search"}
MEDIA = {
    "landing": JSON,
    "api": OPENAPI,
    "conformance": JSON,
    "collections": JSON,
    "collection": JSON,
    "queryables": SCHEMA,
    "sortables": SCHEMA,
    "schema": SCHEMA,
    **dict.fromkeys(("tilematrixsets", "tilematrixset", "tilesets", "tileset"), JSON),
}


@dataclass(frozen=True)
class ResourceAddress:
    """What an address means: a kind of resource, and where it applies a collection, a feature and a tile."""

    kind: str
    collection: Collection | None = None
    feature_id: str = ""
    tile: TileAddress | None = None


def _find_tileset(path: str, below: str, collection: Collection | None) -> ResourceAddress:
    """Return what an address means that has `below` after its ``tiles``; raises NotFoundError."""
    grid, *place = below.split("/")
    if not below:
        return ResourceAddress("tilesets", collection)
    if grid == QUAD and not place:
        return ResourceAddress("tileset", collection)
    if grid == QUAD and len(place) == len(fields(TileAddress)):
        return ResourceAddress("tile", collection, tile=TileAddress(*place))
    raise NotFoundError("error.http_404", path=f"/ogc/{path[:200]}")


class Service:
    """Answers requests from one store and one release; thread-safe."""

    def __init__(
        self,
        store: FeatureStore,
        release_id: str,
        strings: Strings,
        downloads: Mapping[str, list[tuple[str, str]]],
        operations: Mapping[str, Operation] | None = None,
        tiles: TileFiles | None = None,
    ) -> None:
        self._tiles = tiles or TileFiles()
        self._operations = operations or {}
        self._store = store
        self._release_id = release_id
        self._downloads = downloads
        self._items = Items(store)
        self._cache = ResponseCache()
        self._target = lru_cache(maxsize=TARGETS)(self.find)
        self.strings = strings

    @cached_property
    def collections(self) -> tuple[Collection, ...]:
        """Every collection, asked of the store when first needed: it may be away when the server starts."""
        return self._store.collections()

    @cached_property
    def _by_id(self) -> dict[str, Collection]:
        return {row.id: row for row in self.collections}

    @cached_property
    def _resources(self) -> Resources:
        return Resources(self.collections, self.strings, self._downloads, self._operations, self._tiles)

    @cached_property
    def _tilesets(self) -> Tilesets:
        return Tilesets(self._resources, self._tiles)

    @cached_property
    def _definition(self) -> Definition:
        # Only who is asked for the description of the interface pays for it.
        from webmap.ogc.openapi import Definition

        return Definition(self._resources, self._first_id)

    def _first(self, collection: str) -> Feature | None:
        return next(iter(self._store.select(collection, Query(limit=1)).features), None)

    def _first_id(self, collection: str) -> str | None:
        first = self._first(collection)
        return first.id if first else None

    def answer(self, request: OgcRequest, box: str | None = None) -> CachedResponse:
        """Return the answer in JSON; raises :class:`~webmap.problems.RequestError`.

        `request` and `box` are what :func:`~webmap.ogc.request.extract_box` made of a request; the site's
        address is :data:`~webmap.ogc.request.SITE_PLACEHOLDER` in it, so that the answer is the same
        for every host.
        """
        return self.kept(request, box) or self.make(request, box)

    def kept(self, request: OgcRequest, box: str | None) -> CachedResponse | None:
        """Return what :meth:`answer` would, where that was kept."""
        return self._cache.get(_to_key(request, box))

    def is_quick(self, request: OgcRequest) -> bool:
        """Tell whether :meth:`make` takes no longer than handing over; raises RequestError."""
        if "_by_id" not in vars(self):  # the store is still to be opened
            return False
        target = self._target(request.path)
        items = target.collection if target.kind == "items" else None
        return items is not None and self._items.is_quick(request, items)

    def make(self, request: OgcRequest, box: str | None) -> CachedResponse:
        """Return what :meth:`answer` would, made anew; raises RequestError."""
        key = _to_key(request, box)
        found = self._make(request, box, key)
        self._cache.put(key, found)
        return found

    def _make(self, request: OgcRequest, box: str | None, key: tuple[str, ...]) -> CachedResponse:
        target = self._target(request.path)
        etag = hashlib.blake2b("\0".join((self._release_id, *key)).encode(), digest_size=12).hexdigest()
        if target.collection and target.kind in {"items", "item"}:
            body, axes = self._write(request, box, target.collection, target.feature_id)
            crs = (("Content-Crs", f"<{axes.uri}>"),)
            return CachedResponse(200, GEOJSON, body, etag, crs, header_links(request, target.collection))
        if target.tile:
            tile = Body(b"", before=self._tilesets.tile(request, target.collection, target.tile))
            return CachedResponse(200, TILE, tile, etag)
        body = Body(dump_exactly(self.document(request, target)))
        language = (("Content-Language", request.language),)
        return CachedResponse(200, MEDIA[target.kind], body, etag, language)

    def search(self, request: OgcRequest) -> CachedResponse:
        """Return the features that a question sent by POST asks for; raises RequestError."""
        collection = self._target(request.path).collection
        if collection is None:
            raise NotFoundError("error.http_404", path=f"/ogc/{request.path[:200]}")
        body, axes = self._items.search(request, collection)
        return CachedResponse(200, GEOJSON, body, None, (("Content-Crs", f"<{axes.uri}>"),))

    def _write(
        self, request: OgcRequest, box: str | None, collection: Collection, feature_id: str
    ) -> tuple[Body, Axes]:
        if not feature_id:
            return self._items.write(request, collection, box)
        single = self._items.single(request, collection, feature_id)
        return single.write(), single.axes

    def find(self, path: str) -> ResourceAddress:
        """Return what an address below ``/ogc`` means; raises NotFoundError."""
        if path in _PLAIN:
            return ResourceAddress(_PLAIN[path])
        first, _, rest = path.partition("/")
        if first == "tiles":
            return _find_tileset(path, rest, None)
        if first != "collections":
            raise NotFoundError("error.http_404", path=f"/ogc/{path[:200]}")
        collection_id, _, below = rest.partition("/")
        collection = self._by_id.get(collection_id)
        if collection is None:
            raise self._no_collection(collection_id)
        if not below:
            return ResourceAddress("collection", collection)
        if below in _BELOW:
            return ResourceAddress(below, collection)
        name, _, feature_id = below.partition("/")
        if name == "tiles":
            return _find_tileset(path, feature_id, collection)
        if name != "items" or not feature_id:
            raise NotFoundError("error.http_404", path=f"/ogc/{path[:200]}")
        return ResourceAddress("item", collection, feature_id)

    def _no_collection(self, given: str) -> NotFoundError:
        return NotFoundError(
            "ogc.error.collection",
            parameter="collectionId",
            value=given,
            allowed=", ".join(self._by_id),
            near=link_near(given, self._by_id, lambda near: f"/ogc/collections/{near}"),
        )

    def features(self, request: OgcRequest, target: ResourceAddress) -> FeaturePage | SingleFeature:
        """Return a page of features or one feature."""
        if target.collection is None:
            raise ValueError(target.kind)
        if target.kind == "items":
            return self._items.page(request, target.collection)
        return self._items.single(request, target.collection, target.feature_id)

    def sample(self, collection: str) -> Properties:
        """Return the properties of a collection's first feature; none where it is empty."""
        first = self._first(collection)
        properties: Properties = orjson.loads(first.body)["properties"] if first else {}
        return properties

    def document(self, request: OgcRequest, target: ResourceAddress) -> Document:
        """Return one of the documents around the features."""
        request.check(())
        plain: dict[str, Callable[[OgcRequest], Document]] = {
            "landing": self._resources.landing,
            "api": self._definition.build,
            "conformance": self._resources.conformance,
            "collections": self._resources.all_collections,
            "tilematrixsets": self._tilesets.matrix_sets,
            "tilematrixset": self._tilesets.matrix_set,
        }
        if target.kind in plain:
            return plain[target.kind](request)
        of_one: dict[str, Callable[[OgcRequest, Any], Document]] = {
            "collection": self._resources.collection,
            "queryables": self._resources.queryables,
            "sortables": self._resources.sortables,
            "schema": self._resources.schema,
            "tilesets": self._tilesets.listed,
            "tileset": self._tilesets.one,
        }
        return of_one[target.kind](request, target.collection)


def _to_key(request: OgcRequest, box: str | None) -> tuple[str, ...]:
    return request.path, request.query, request.language, box or ""


_LOG = logging.getLogger(__name__)
ACCEPTED = ("HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE")
MAX_AT_ONCE = 1000  # characters of these headers: longer ones take time to read
METHODS = "GET, HEAD, OPTIONS"
SEARCH_METHODS = "POST, OPTIONS"
_SEARCH = re.compile(r"collections/[^/]+/search")
_TILE = re.compile(r"(?:collections/[^/]+/)?tiles/(?:[^/]+/){3}[^/]+")  # has one form, for browsers too
STATUS = {
    200: "200 OK",
    204: "204 No Content",
    304: "304 Not Modified",
    400: "400 Bad Request",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    413: "413 Content Too Large",
    415: "415 Unsupported Media Type",
    500: "500 Internal Server Error",
    503: "503 Service Unavailable",
}
_FIXED = [
    *FIXED.items(),
    *EVERYONE.items(),
    ("Content-Security-Policy", DATA_POLICY),
    ("Access-Control-Expose-Headers", "Content-Crs, ETag, Link"),
    ("Vary", "Accept, Accept-Encoding, Accept-Language"),
]
_REVALIDATE = ("Cache-Control", REVALIDATE)  # a browser asks whether the release is still the same
_PREFLIGHT = [
    _REVALIDATE,
    ("Access-Control-Allow-Headers", "Accept, Accept-Language, Content-Type, If-None-Match"),
    ("Access-Control-Max-Age", "86400"),
]


if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class FastPath:
    """A WSGI application in front of another.

    Where the server says how (:data:`~webmap.http.POSTPONE`), it postpones all but what it kept or is quick.
    """

    def __init__(self, service: Service, url: str | None, inner: WSGIApplication) -> None:
        self._service = service
        self._url = url
        self._inner = inner

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer what is asked of ``/ogc/`` in JSON; leave the rest to the application behind."""
        path = environ["PATH_INFO"]
        postpone = environ.pop(POSTPONE, None)
        rest, found = partial(self._inner, environ), None
        if path.startswith(ROOT) and path[len(ROOT) : len(ROOT) + 1] in {"", "/"}:
            asked = extract_box(*_parts(environ, SITE_PLACEHOLDER))
            rest = partial(self._answer, environ, *asked)
            found = self._find_quickly(environ, *asked) if postpone else None
        if found:
            return _send(found, self._url or _base(environ), environ, start)
        if postpone:
            postpone(rest)
            return []
        return rest(start)

    def _find_quickly(
        self, environ: WSGIEnvironment, request: OgcRequest, box: str | None
    ) -> CachedResponse | None:
        """Return an answer that takes no more work than handing it over, if there is one."""
        long = sum(len(environ.get(name, "")) for name in ACCEPTED) > MAX_AT_ONCE
        if long or environ["REQUEST_METHOD"] != "GET":
            return None
        try:
            if request.html:
                return None
            found = self._service.kept(request, box)
            if not found and not choose_encoding(environ.get("HTTP_ACCEPT_ENCODING", "")):
                return self._service.make(request, box) if self._service.is_quick(request) else None
        except RequestError:  # told where the answer is made
            return None
        encoding = _choose_encoding(found, environ) if found else None
        return found if found and found.is_ready(self._url or _base(environ), encoding) else None

    def _answer(
        self, environ: WSGIEnvironment, request: OgcRequest, box: str | None, start: StartResponse
    ) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        searching = request.path.endswith("/search") and bool(_SEARCH.fullmatch(request.path))
        if method == "OPTIONS":
            methods = SEARCH_METHODS if searching else METHODS
            start(
                STATUS[204],
                [*_FIXED, ("Allow", methods), ("Access-Control-Allow-Methods", methods), *_PREFLIGHT],
            )
            return [b""]
        try:
            if searching and method == "POST":
                answer = self._service.search(_read_search(environ))
            elif searching:
                self._service.find(request.path)
                answer = _refuse_method(environ, self._service, SEARCH_METHODS)
            elif request.html and not _TILE.fullmatch(request.path):
                return self._inner(environ, start)
            elif method not in {"GET", "HEAD"}:
                answer = _refuse_method(environ, self._service, METHODS)
            else:
                answer = self._get(request, box, environ)
        except RequestError as error:
            answer = to_failure(error, environ, self._service)
        except Exception:  # noqa: BLE001 - whatever went wrong, a program gets a problem to read
            _LOG.exception("%s %s", method, path)
            answer = to_failure(_failed(), environ, self._service)
        return _send(answer, self._url or _base(environ), environ, start)

    def _get(self, request: OgcRequest, box: str | None, environ: WSGIEnvironment) -> CachedResponse:
        try:
            return self._service.answer(request, box)
        except BadParameterError:
            if box is None:
                raise
            return self._service.answer(
                to_request(environ, SITE_PLACEHOLDER)
            )  # so that it names what was sent


def to_request(environ: WSGIEnvironment, base: str) -> OgcRequest:
    """Return a request as it was sent; `base` is the site's address without a slash at its end."""
    return OgcRequest(*_parts(environ, base))


def _read_search(environ: WSGIEnvironment) -> OgcRequest:
    """Return the question in the body of a request; raises RequestError."""
    given = environ.get("CONTENT_LENGTH", "")
    body = environ["wsgi.input"].read(
        min(int(given), MAX_SEARCH + 1) if given.isdecimal() else MAX_SEARCH + 1
    )
    if len(body) > MAX_SEARCH:
        raise TooLargeError("error.http_413")
    base, path, query, _, accept_language = _parts(environ, SITE_PLACEHOLDER)
    if query:
        raise refusal("ogc.error.beside", query.partition("=")[0], query.partition("=")[2], "0")
    media = environ.get("CONTENT_TYPE", "")
    return to_search(base, path, body, media, accept_language)


def _parts(environ: WSGIEnvironment, base: str) -> tuple[str, str, str, str, str]:
    return (
        base,
        _below(environ["PATH_INFO"]),
        _decode(environ.get("QUERY_STRING", "")),
        environ.get("HTTP_ACCEPT", ""),
        environ.get("HTTP_ACCEPT_LANGUAGE", ""),
    )


@lru_cache(maxsize=256)
def _below(path: str) -> str:
    return _decode(path)[len(ROOT) :].strip("/")


def _decode(text: str) -> str:
    """Return what WSGI hands over as Latin-1."""
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def _base(environ: WSGIEnvironment) -> str:
    """Return the site's address as the request names it, checked by :class:`~webmap.origin.Origin`."""
    return f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}{environ.get('SCRIPT_NAME', '')}"


def to_failure(error: RequestError, environ: WSGIEnvironment, service: Service) -> CachedResponse:
    """Return an error as an answer."""
    query = _decode(environ.get("QUERY_STRING", ""))
    instance = f"{ROOT}/{quote(_below(environ['PATH_INFO']))}" + (f"?{query}" if query else "")
    body = put_below(to_problem(error, service.strings, instance), PROBLEM, environ.get("SCRIPT_NAME", ""))
    return CachedResponse(error.status, PROBLEM, Body(body), None, tuple(headers_of(error).items()))


def _failed() -> RequestError:
    error = RequestError("error.http_500")
    error.status = 500
    return error


def _refuse_method(environ: WSGIEnvironment, service: Service, methods: str) -> CachedResponse:
    error = RequestError("error.http_405")
    error.status = 405
    refused = to_failure(error, environ, service)
    return replace(refused, headers=(*refused.headers, ("Allow", methods)))


def _send(
    answer: CachedResponse, base: str, environ: WSGIEnvironment, start: StartResponse
) -> Iterable[bytes]:
    encoding = _choose_encoding(answer, environ)
    etag = f'"{answer.etag}{"-" + encoding if encoding else ""}"' if answer.etag else None
    head = [*answer.headers, *_FIXED, *([_REVALIDATE] if answer.status < HTTPStatus.BAD_REQUEST else [])]
    if answer.link:
        head.append(("Link", answer.link.replace(SITE_PLACEHOLDER, base)))
    if etag:
        head.append(("ETag", etag))
        if _matches(environ.get("HTTP_IF_NONE_MATCH"), etag):
            start(STATUS[304], head)
            return [b""]
    body = answer.sent(base, encoding)
    head += [("Content-Type", answer.media), ("Content-Length", str(len(body)))]
    if encoding:
        head.append(("Content-Encoding", encoding))
    start(STATUS[answer.status], head)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _choose_encoding(answer: CachedResponse, environ: WSGIEnvironment) -> str | None:
    small = answer.body.size < MIN_COMPRESSED
    return None if small else choose_encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))


def _matches(given: str | None, etag: str) -> bool:
    """Tell whether If-None-Match names the answer; weakly, as RFC 9110 compares there."""
    if not given:
        return False
    return given.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in given.split(","))
