"""Which of a page and a document is preferred, where one address has both."""

from __future__ import annotations

from flask import Response, request

from webmap.media import HTML, JSON


def wants_document() -> bool:
    """Return whether a program names JSON before HTML; who takes anything gets the page."""
    return request.accept_mimetypes.best_match([HTML, JSON], default=HTML) == JSON


def vary(response: Response) -> Response:
    """Let caches know that the answer depends on what is accepted."""
    response.vary.add("Accept")
    return response
