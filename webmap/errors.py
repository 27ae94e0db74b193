"""Errors: one table from class to status, problem+json for programs, a page for people.

Messages come from the translation files, in the reader's language for pages and in Chinese and
English for programs (RFC 9457).
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, json, render_template, request
from werkzeug.exceptions import HTTPException

from webmap.language import current_language, translate


class RequestError(Exception):
    """A request that cannot be answered; carries the translation key and what fills it."""

    status = 400

    def __init__(self, key: str, *, near: list[dict[str, str]] | None = None, **values: Any) -> None:
        super().__init__(key)
        self.key = key
        self.values = values
        self.near = near or []


class BadParameterError(RequestError):
    """A parameter is missing, malformed or out of range."""

    def __init__(self, key: str, *, parameter: str, value: str | None, allowed: str, **values: Any) -> None:
        super().__init__(key, parameter=parameter, value=value, allowed=allowed, **values)


class NotFoundError(RequestError):
    """There is no such thing; ``near`` lists what may have been meant."""

    status = 404


def register(app: Flask) -> None:
    """Answer every error of `app` in one shape."""
    app.register_error_handler(RequestError, _answer_request_error)
    app.register_error_handler(HTTPException, _answer_http_error)


def _answer_request_error(error: RequestError) -> Response:
    members = {
        name: value
        for name, value in error.values.items()
        if name in {"parameter", "value", "allowed", "hint"}
    }
    if error.near:
        members["near"] = error.near
    return _answer(error.status, error.key, error.values, members)


def _answer_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # noqa: PLR2004 - a redirect is an HTTPException too
        return Response(error.get_response().get_data(), status, error.get_response().headers)
    known = status if status in {404, 405, 413, 500} else 400 if status < 500 else 500  # noqa: PLR2004
    response = _answer(status, f"error.http_{known}", {"path": request.path}, {})
    if status == 405:  # noqa: PLR2004
        response.headers["Allow"] = error.get_response().headers.get("Allow", "GET, HEAD")
    return response


def _answer(status: int, key: str, values: dict[str, Any], members: dict[str, Any]) -> Response:
    if wants_page():
        language = current_language(strict=False)
        page = render_template(
            "error.html",
            status=status,
            title=translate(f"error.title_{status}" if status in {404, 500} else "error.title_400", language),
            detail=translate(key, language, **values),
            near=members.get("near", []),
        )
        return Response(page, status, mimetype="text/html")
    body = {
        "type": "about:blank",
        "title": translate(f"error.title_{status}" if status in {404, 500} else "error.title_400", "en"),
        "status": status,
        "detail": translate(key, "en", **values),
        "detail_zh": translate(key, "zh", **values),
        "instance": request.full_path.rstrip("?"),
        **members,
    }
    return Response(json.dumps(body), status, mimetype="application/problem+json")


def wants_page() -> bool:
    """Return whether the request comes from a person: a page address, and HTML preferred."""
    machine = (".json", ".geojson", ".topojson", "/lookup", "/healthz")
    if request.path.endswith(machine) or request.path.startswith(("/data/", "/r/")):
        return False
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "text/html"
