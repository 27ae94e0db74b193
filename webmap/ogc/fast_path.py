"""The short way to ``/ogc/``: answers programs before the web framework is asked; pages go on to it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from webmap.http import DATA_POLICY, EVERYONE, FIXED, REVALIDATE, put_below
from webmap.ogc.cache import MIN_COMPRESSED, Body, CachedResponse, choose_encoding
from webmap.ogc.request import MAX_SEARCH, ROOT, SITE_PLACEHOLDER, OgcRequest, extract_box, to_search
from webmap.ogc.service import Service
from webmap.params import refusal
from webmap.problems import (
    PROBLEM,
    BadParameterError,
    RequestError,
    TooLargeError,
    headers_of,
    to_problem,
)

_LOG = logging.getLogger(__name__)
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
    """A WSGI application in front of another."""

    def __init__(self, service: Service, url: str | None, inner: WSGIApplication) -> None:
        self._service = service
        self._url = url
        self._inner = inner

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Answer what is asked of ``/ogc/`` in JSON; leave the rest to the application behind."""
        path = environ["PATH_INFO"]
        if not path.startswith(ROOT) or path[len(ROOT) : len(ROOT) + 1] not in {"", "/"}:
            return self._inner(environ, start)
        request, box = extract_box(*_parts(environ, SITE_PLACEHOLDER))
        method = environ["REQUEST_METHOD"]
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
                answer = self._answer(request, box, environ)
        except RequestError as error:
            answer = to_failure(error, environ, self._service)
        except Exception:  # noqa: BLE001 - whatever went wrong, a program gets a problem to read
            _LOG.exception("%s %s", method, path)
            answer = to_failure(_failed(), environ, self._service)
        return _send(answer, self._url or _base(environ), environ, start)

    def _answer(self, request: OgcRequest, box: str | None, environ: WSGIEnvironment) -> CachedResponse:
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
    encoding = None
    if answer.body.size >= MIN_COMPRESSED:
        encoding = choose_encoding(environ.get("HTTP_ACCEPT_ENCODING", ""))
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


def _matches(given: str | None, etag: str) -> bool:
    """Tell whether If-None-Match names the answer; weakly, as RFC 9110 compares there."""
    if not given:
        return False
    return given.strip() == "*" or etag in (one.strip().removeprefix("W/") for one in given.split(","))
