"""Errors: one table from class to status, problem+json for programs, a page for people.

Messages come from the translation files, in the reader's language for pages and in Chinese and
English for programs (RFC 9457).
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException

from layers.store import BrokenReleaseError, CorruptFileError
from webmap.language import current_language, translate
from webmap.media import HTML, JSON
from webmap.problems import (
    PROBLEM,
    DamagedError,
    ReplacedError,
    RequestError,
    headers_of,
    title_key,
    to_problem,
)
from webmap.way_back import find_way_back


def register(app: Flask) -> None:
    """Answer every error of `app` in one shape."""
    app.register_error_handler(RequestError, _answer_request_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(BrokenReleaseError, _answer_broken_release)


def _answer_request_error(error: RequestError) -> Response:
    response = _answer(error)
    response.headers.update(headers_of(error))
    return response


def _answer_broken_release(error: BrokenReleaseError) -> Response:
    """Answer for a file that was changed, or from a process that was not told of later publications."""
    current_app.logger.error("the release that is served cannot be read: %s", error)
    if isinstance(error, CorruptFileError):
        return _answer_request_error(DamagedError())
    return _answer_request_error(ReplacedError())


def _answer_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < HTTPStatus.BAD_REQUEST:  # a redirect is an HTTPException too
        return Response(error.get_response().get_data(), status, error.get_response().headers)
    fallback = 500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400
    known = status if status in {404, 405, 413} else fallback
    said = RequestError(f"error.http_{known}", path=request.path)
    said.status = status
    response = _answer(said)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = error.get_response().headers.get("Allow", "GET, HEAD")
    return response


def _answer(error: RequestError) -> Response:
    if wants_page():
        language = current_language(strict=False)
        page = render_template(
            "error.html",
            status=error.status,
            title=translate(title_key(error.status), language),
            detail=translate(error.key, language, **error.values),
            near=error.near,
            back=find_way_back(error),
        )
        return Response(page, error.status, mimetype=HTML)
    instance = request.full_path.rstrip("?")
    body = to_problem(error, current_app.extensions["strings"], instance)
    return Response(body, error.status, mimetype=PROBLEM)


def wants_page() -> bool:
    """Return whether the request comes from a person: a page address, and HTML preferred."""
    machine = (".json", ".geojson", ".topojson", "/lookup", "/healthz", "/readyz")
    wished = HTML in request.headers.get("Accept", "")
    if request.path.startswith(("/data/", "/r/")):  # a browser names HTML, a program that takes all does not
        return wished
    if request.path.endswith(machine):
        return False
    return request.accept_mimetypes.best_match([HTML, JSON]) == HTML
