"""Addresses of our own pages: with other parameters, absolute, below a prefix."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote, urlencode

from flask import current_app, request

from webmap.settings import Settings


def address_with(path: str, only: Collection[str] | None = None, **changes: str) -> str:
    """Return `path` with the parameters of the present request, or `only` some, some of them changed."""
    given = request.args.to_dict(flat=True)
    arguments = {name: value for name, value in given.items() if only is None or name in only} | changes
    query = urlencode({name: value for name, value in arguments.items() if value})
    return f"{path}?{query}" if query else path


def base_url() -> str:
    """Return the site's address without a slash at its end: as set by the operator, else as asked."""
    settings: Settings = current_app.extensions["settings"]
    return settings.url or request.root_url.rstrip("/")


def absolute(path: str) -> str:
    """Return the whole address of one of ours; empty where it is a file whose place is not known."""
    settings: Settings = current_app.extensions["settings"]
    return settings.files.absolute(path) if settings.files else base_url() + path


def page_url() -> str:
    """Return the absolute address of the page that is being rendered, as :func:`absolute`."""
    return absolute(here())


def here() -> str:
    """Return the address of the page that is being rendered, from the site's root."""
    query = urlencode(request.args.to_dict(flat=True))
    return quote(request.path) + (f"?{query}" if query else "")
