"""Where the page of an error leads back to: the form or the list that was asked, with what was chosen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from flask import request

from layers.store import BrokenReleaseError
from webmap.api import content
from webmap.data_form import return_address
from webmap.ogc.asked import ROOT
from webmap.ogc.form import BESIDE
from webmap.problems import RequestError, shorten
from webmap.release_pages import choices_of

_FILE = re.compile(r"(?:/r/(?P<release>[^/]+))?/data/(?P<file>[^/]*)")
_RELEASE = re.compile(r"/r/(?P<release>[^/]+)/")
_ITEMS = re.compile(rf"{ROOT}/collections/(?P<collection>[^/]+)/items(?P<item>/.+)?")
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class WayBack:
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


def find_way_back(error: RequestError) -> WayBack | None:
    """Return where a reader who met `error` goes on, or None where there is nothing nearer than the map."""
    try:
        return _find(error)
    except BrokenReleaseError:
        return None  # what could be chosen was removed meanwhile


def _find(error: RequestError) -> WayBack | None:
    if found := _FILE.fullmatch(request.path):
        return _to_form(found["file"], found["release"])
    if found := _RELEASE.fullmatch(request.path):
        return _to_form("", found["release"])
    if found := _ITEMS.fullmatch(request.path):
        return _to_items(error, found["collection"], single=bool(found["item"]))
    return None


def _to_form(file: str, release_id: str | None) -> WayBack | None:
    offered = choices_of(release_id) if release_id else content()
    if offered is None:
        return None
    asked = request.args.to_dict(flat=True)
    if file and file != "download":
        name, _, extension = file.partition(".")
        asked |= {"layer": name, "format": extension}
    page = f"/r/{release_id}/" if release_id else "/data/"
    return WayBack(return_address(offered, asked, page), "download.back")


def _to_items(error: RequestError, collection: str, *, single: bool) -> WayBack:
    if all(collection != info["id"] for info in content().layers):
        return WayBack(f"{ROOT}/collections?f=html", "ogc.collections")
    action = f"{ROOT}/collections/{quote(collection)}/items"
    wrong = error.values.get("parameter")
    beside = [] if single or wrong == "*" else _without(str(wrong))
    href = f"{action}?{urlencode([('f', 'html'), *beside])}"
    condition = request.args.get("filter") if wrong == "filter" and not single else None
    return WayBack(href, "ogc.page.back", condition, tuple(beside), action)


def _without(wrong: str) -> Pairs:
    """Return what was asked for, without what was wrong and what means nothing without it."""
    partners = [pair for pair in BESIDE.items() if wrong in pair]
    gone = {"f", "lang", "offset", wrong, *(name for pair in partners for name in pair)}
    return [(name, value) for name, value in request.args.items() if value and shorten(name) not in gone]
