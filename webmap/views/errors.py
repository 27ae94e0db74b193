"""Errors: one table from class to status, problem+json for programs, a page for people.

Messages come from the translation files, in the reader's language for pages and in Chinese and
English for programs (RFC 9457). A page leads back to the form or the list that was asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote, urlencode

from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException

from layers.child_job import NO_SPACE
from layers.store import BrokenReleaseError, CorruptFileError
from webmap.access_log import request_id
from webmap.http import HTML, JSON
from webmap.i18n import current_language, translate
from webmap.ogc.html_pages import BESIDE
from webmap.ogc.request import ROOT
from webmap.problems import (
    PROBLEM,
    DamagedError,
    FullError,
    ReplacedError,
    RequestError,
    headers_of,
    shorten,
    title_key,
    to_problem,
)
from webmap.views.context import content
from webmap.views.data import return_address
from webmap.views.releases import choices_of

_FILE = re.compile(r"(?:/r/(?P<release>[^/]+))?/data/(?P<file>[^/]*)")
_RELEASE = re.compile(r"/r/(?P<release>[^/]+)/")
_WORKBENCH = re.compile(r"(?P<page>/workbench/(?:history|drafts/[0-9a-f]{16})?).*")
_ITEMS = re.compile(rf"{ROOT}/collections/(?P<collection>[^/]+)/items(?P<item>/.+)?")
Pairs = list[tuple[str, str]]


def register_error_pages(app: Flask) -> None:
    """Answer every error of `app` in one shape."""
    app.register_error_handler(RequestError, _answer_request_error)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(BrokenReleaseError, _answer_broken_release)
    app.register_error_handler(OSError, _answer_full_disk)


def _answer_request_error(error: RequestError) -> Response:
    response = _answer(error)
    response.headers.update(headers_of(error))
    return response


def _answer_broken_release(error: BrokenReleaseError) -> Response:
    """Answer for a file that was changed, or from a process that was not told of later publications."""
    current_app.extensions["inspection"].note(error)
    if isinstance(error, CorruptFileError):
        return _answer_request_error(DamagedError())
    return _answer_request_error(ReplacedError())


def _answer_full_disk(error: OSError) -> Response:
    """Answer where no disk has room for what was sent or is to be made; raises any other error again."""
    if error.errno not in NO_SPACE:
        raise error
    current_app.extensions["inspection"].note(error)
    return _answer_request_error(FullError())


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
            back=find_recovery(error),
            request_id=request_id.get(),
        )
        return Response(page, error.status, mimetype=HTML)
    instance = request.full_path.rstrip("?")
    body = to_problem(error, current_app.extensions["strings"], instance)
    return Response(body, error.status, mimetype=PROBLEM)


def wants_page() -> bool:
    """Return whether the request comes from a person: a page address, and HTML preferred."""
    machine = (".json", ".geojson", ".topojson", "/lookup", "/join", "/healthz", "/readyz")
    wished = HTML in request.headers.get("Accept", "")
    if request.path.startswith(("/data/", "/r/")):  # a browser names HTML, a program that takes all does not
        return wished
    if request.path.endswith(machine):
        return False
    return request.accept_mimetypes.best_match([HTML, JSON]) == HTML


@dataclass(frozen=True)
class Recovery:
    """A link, and where a condition can be mended the form that sends it again.

    Attributes
    ----------
    key
        The translation key of what the link leads to.
    condition, beside, action
        The condition as it was sent, what goes with it, and where to; None where there is nothing to mend.
    """

    href: str
    key: str
    condition: str | None = None
    beside: tuple[tuple[str, str], ...] = ()
    action: str = ""


def find_recovery(error: RequestError) -> Recovery | None:
    """Return where a reader who met `error` goes on, or None where there is nothing nearer than the map."""
    try:
        return _find(error)
    except BrokenReleaseError:
        return None  # what could be chosen was removed meanwhile


def _find(error: RequestError) -> Recovery | None:
    if found := _FILE.fullmatch(request.path):
        return _to_form(found["file"], found["release"])
    if found := _RELEASE.fullmatch(request.path):
        return _to_form("", found["release"])
    if found := _ITEMS.fullmatch(request.path):
        return _to_items(error, found["collection"], single=bool(found["item"]))
    if "workbench" in current_app.blueprints and (found := _WORKBENCH.fullmatch(request.path)):
        return Recovery(found["page"], "workbench.back")
    wrong = error.values.get("parameter")
    if wrong in request.args:
        return Recovery(f"{request.path}?{urlencode(_without(str(wrong)))}".rstrip("?"), "near.without")
    return None


def _to_form(file: str, release_id: str | None) -> Recovery | None:
    offered = choices_of(release_id) if release_id else content()
    if offered is None:
        return None
    chosen = request.args.to_dict(flat=True)
    if file and file != "download":
        name, _, extension = file.partition(".")
        chosen |= {"layer": name, "format": extension}
    page = f"/r/{release_id}/" if release_id else "/data/"
    return Recovery(return_address(offered, chosen, page), "download.back")


def _to_items(error: RequestError, collection: str, *, single: bool) -> Recovery:
    if all(collection != info["id"] for info in content().layers):
        return Recovery(f"{ROOT}/collections?f=html", "ogc.collections")
    action = f"{ROOT}/collections/{quote(collection)}/items"
    wrong = error.values.get("parameter")
    beside = [] if single or wrong == "*" else _without(str(wrong))
    href = f"{action}?{urlencode([('f', 'html'), *beside])}"
    condition = request.args.get("filter") if wrong == "filter" and not single else None
    return Recovery(href, "ogc.page.back", condition, tuple(beside), action)


def _without(wrong: str) -> Pairs:
    """Return what was asked for, without what was wrong and what means nothing without it."""
    partners = [pair for pair in BESIDE.items() if wrong in pair]
    gone = {"f", "lang", "offset", wrong, *(name for pair in partners for name in pair)}
    return [(name, value) for name, value in request.args.items() if value and shorten(name) not in gone]
