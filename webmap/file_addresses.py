"""Where each address of the site is found once the site is files: languages are folders, pages ``.html``.

``webmap/static/js/site.js`` does the same in the browser.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from werkzeug.urls import iri_to_uri

HOME_LANGUAGE = "zh"  # whose pages are at the root
INDEX = "index.html"
PAGE = ".html"
PANEL = ".panel.html"  # what the map shows of a place: no page of its own
SELECTIONS = frozenset(
    {"theme", "zone", "industry", "cluster", "layers", "own", "tour"}
)  # that the map reads in the browser
MAPS = frozenset({"/", "/embed"})
ASKED = frozenset({"/find", "/compare", "/lookup"})  # pages that answer their parameters in the browser
MADE = frozenset({"lang", "points"})  # that say which file is meant, not what to do with it
CODE = "/qr.svg"
ANSWERED = frozenset(
    {"search", "compare", "find", "lookup", "changes", "ogc", "openapi", "join", "workbench"}
    | {"healthz", "readyz"}
)
SCRIPTED = re.compile(r"r/[0-9a-f]+/map/.*\.(?:json|topojson)|.*\.panel\.html")  # what scripts load
FIXED_DATA = re.compile(r"/r/[0-9a-f]+(?=/data/)")  # there is one release, so its files are those of /data/


class NeedsServerError(ValueError):
    """An address that only a running service answers."""


@dataclass(frozen=True)
class FileTarget:
    """A file of the site, and what the browser does with it.

    Attributes
    ----------
    request
        The address that the application answers with the file's content.
    path
        The file's path below the site's root, not percent-encoded.
    after
        Query and fragment for the browser, with their marks.
    """

    request: str
    path: str
    after: str = ""

    @property
    def is_page(self) -> bool:
        """Whether it is a page for people."""
        return self.path.endswith(PAGE)

    @property
    def stored_at(self) -> str:
        """Where the file lies; what scripts load is a script itself, so that it can be read from a disk."""
        return f"{self.path}.js" if SCRIPTED.fullmatch(self.path) else self.path

    def seen_from(self, folder: str) -> str:
        """Return the reference that leads from a page in `folder` to this file.

        Letters of all scripts stand as they are, which takes a third of the room.
        """
        return _lead(self.stored_at, folder or ".") + self.after


@cache  # most pages lead to the same ones
def _lead(path: str, folder: str) -> str:
    steps = posixpath.relpath(path, folder)
    return "".join(one if one.isalnum() else quote(one, safe="/()") for one in steps)


@dataclass(frozen=True)
class Files:
    """The site as files: where it will be reached, and whether paper is among it.

    Attributes
    ----------
    url
        Its address without a slash at its end; None where that is not known.
    sheets
        Whether printed sheets, posters, the atlas and cards for link previews are written.
    """

    url: str | None = None
    sheets: bool = True

    def absolute(self, address: str) -> str:
        """Return the whole address of what the application calls `address`; empty where it is not known."""
        if self.url is None:
            return ""
        return iri_to_uri(f"{self.url}/{locate(address, HOME_LANGUAGE).seen_from('')}")


@cache  # every page links to the same ones
def locate(address: str, language: str) -> FileTarget:
    """Return the file of an address on our site, as met on a page in `language`.

    Raises :class:`NeedsServerError` where a parameter asks for what no file holds.
    """
    kept_at = FIXED_DATA.match(address)
    parts = urlsplit(address[kept_at.end() :] if kept_at else address)
    if parts.scheme or parts.netloc or not parts.path.startswith("/"):
        raise NeedsServerError(address)
    path, query = unquote(parts.path), dict(parse_qsl(parts.query))
    if parts.path == CODE:
        return _locate_code(query)
    kept = {name: value for name, value in query.items() if name not in MADE}
    selects = path in ASKED or (path in MAPS and kept.keys() <= SELECTIONS)
    if (kept and not selects) or (path not in ASKED and path.split("/")[1].partition(".")[0] in ANSWERED):
        raise NeedsServerError(address)
    is_page = "." not in path.rpartition("/")[2]
    spoken = query.get("lang") or (language if is_page else None)
    folder = f"{spoken}/" if spoken not in {None, HOME_LANGUAGE} else ""
    name = path[1:] if not is_page else f"{path[1:]}{INDEX if path.endswith('/') else PAGE}"
    asked = ({"lang": spoken} if spoken else {}) | ({"points": "1"} if "points" in query else {})
    request = quote(path) + (f"?{urlencode(asked)}" if asked else "")
    after = (f"?{urlencode(kept)}" if kept else "") + (f"#{parts.fragment}" if parts.fragment else "")
    return FileTarget(request, folder + name, after)


def _locate_code(query: dict[str, str]) -> FileTarget:
    """Return the file of a page's QR code."""
    page = locate(query["path"], HOME_LANGUAGE).path.removesuffix(PAGE)
    return FileTarget(f"/qr.png?{urlencode(query)}", f"qr/{page}.png")
