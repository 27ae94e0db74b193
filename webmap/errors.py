"""Errors: one table from class to status, problem+json for programs, a page for people.

Messages come from the translation files, in the reader's language for pages and in Chinese and
English for programs (RFC 9457).
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, render_template, request
from werkzeug.exceptions import HTTPException

from webmap.language import current_language, translate
from webmap.problems import RequestError

RETRY_AFTER_S = "10"
JSON, HTML = "application/json", "text/html"
TITLED = {404, 500, 503}


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
    response = _answer(error.status, error.key, error.values, members)
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = RETRY_AFTER_S
    return response


def _answer_http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < HTTPStatus.BAD_REQUEST:  # a redirect is an HTTPException too
        return Response(error.get_response().get_data(), status, error.get_response().headers)
    fallback = 500 if status >= HTTPStatus.INTERNAL_SERVER_ERROR else 400
    known = status if status in {404, 405, 413} else fallback
    response = _answer(status, f"error.http_{known}", {"path": request.path}, {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = error.get_response().headers.get("Allow", "GET, HEAD")
    return response


def _answer(status: int, key: str, values: dict[str, Any], members: dict[str, Any]) -> Response:
    if wants_page():
        language = current_language(strict=False)
        page = render_template(
            "error.html",
            status=status,
            title=translate(f"error.title_{status}" if status in TITLED else "error.title_400", language),
            detail=translate(key, language, **values),
            near=members.get("near", []),
        )
        return Response(page, status, mimetype="text/html")
    body = {
        "type": "about:blank",
        "title": translate(f"error.title_{status}" if status in TITLED else "error.title_400", "en"),
        "status": status,
        "detail": translate(key, "en", **values),
        "detail_zh": translate(key, "zh", **values),
        "instance": request.full_path.rstrip("?"),
        **members,
    }
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")


def wants_page() -> bool:
    """Return whether the request comes from a person: a page address, and HTML preferred."""
    machine = (".json", ".geojson", ".topojson", "/lookup", "/healthz")
    wished = "text/html" in request.headers.get("Accept", "")
    if request.path.startswith("/data/"):  # a browser names HTML, a program that takes anything does not
        return wished
    if request.path.endswith(machine) or request.path.startswith("/r/"):
        return False
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "text/html"
