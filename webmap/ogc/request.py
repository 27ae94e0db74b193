"""A request to ``/ogc/``: where, what for, in which format and language."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import parse_qsl, quote, unquote_plus

from cachetools import LRUCache, cached
from werkzeug.datastructures import LanguageAccept, MIMEAccept
from werkzeug.http import parse_accept_header

from webmap.i18n import LANG, LANGUAGES
from webmap.params import ChoiceParameter, refusal, unknown_parameter
from webmap.problems import BadParameterError

ROOT = "/ogc"
REMEMBERED_BYTES = 4_000_000
FORMATS = ("json", "html")
F = ChoiceParameter("f", FORMATS, meaning="ogc.parameter.f", strict=True)
COMMON = (F.name, LANG.name)  # what every resource takes
MAX_FIELDS = 100
_JSON = (
    "application/json",
    "application/geo+json",
    "application/schema+json",
    "application/vnd.oai.openapi+json",
)
_PLAIN = ",:/()"  # legible in a query
_LEGIBLE = re.compile(r"[A-Za-z0-9_.\-~,:/()]*")  # what quoting leaves as it is
_BBOX = re.compile(r"(?:^|(?<=&))bbox=([^&]*)")
# Stands for the site's address in what is kept, whichever host is asked; a name that no text contains.
SITE_PLACEHOLDER = f"http://{secrets.token_hex(12)}.invalid"
BOX_PLACEHOLDER = "0.015625,0.015625,0.015625,0.015625"  # stands for any; links show it as it is


@dataclass(frozen=True, eq=False)  # by identity: what was read of a request is found by the request
class OgcRequest:
    """One request.

    Attributes
    ----------
    base
        The site's address without a slash at its end.
    path
        Below ``/ogc``, without slashes at either end.
    query
        The query as sent, percent-encoded.
    accept, accept_language
        The headers of those names.
    """

    base: str
    path: str
    query: str = ""
    accept: str = ""
    accept_language: str = ""

    @cached_property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names and values of the query; raises BadParameterError where there are too many."""
        try:
            return tuple(parse_qsl(self.query, keep_blank_values=True, max_num_fields=MAX_FIELDS))
        except ValueError as error:
            raise BadParameterError(
                "ogc.error.fields",
                parameter="*",
                value=f"{self.query.count('&') + 1}",
                allowed=f"≤ {MAX_FIELDS}",
            ) from error

    @cached_property
    def values(self) -> Mapping[str, str]:
        """Values by name, the first of each."""
        return dict(reversed(self.pairs))

    @cached_property
    def unmistakable(self) -> bool:
        """Whether some box is the only thing that looks like it."""
        return unquote_plus(self.query).count(BOX_PLACEHOLDER) == 1

    @cached_property
    def html(self) -> bool:
        """Whether a page is asked for: by ``f``, else by the Accept header; JSON where both will do."""
        given = self.values.get("f")
        return given == "html" if given in FORMATS else _wants_html(self.accept)

    @cached_property
    def language(self) -> str:
        """The language of titles: by ``lang``, else by the Accept-Language header, else Chinese."""
        given = self.values.get("lang")
        return given if given in LANGUAGES else _wanted_language(self.accept_language)

    @cached_property
    def _encoded(self) -> tuple[tuple[str, str], ...]:
        """Names of the query, and each pair percent-encoded."""
        return tuple((name, f"{encode(name)}={encode(value)}") for name, value in self.pairs)

    @cached_property
    def _address(self) -> str:
        return f"{self.base}{ROOT}/{quote(self.path, safe='/')}"

    def url(self, path: str, pairs: Collection[tuple[str, str]] = ()) -> str:
        """Return the absolute address of a resource below ``/ogc``, in the language that was asked for."""
        language = self.values.get("lang")
        keep = [("lang", language)] if language and not any(name == "lang" for name, _ in pairs) else []
        query = "&".join(f"{encode(name)}={encode(value)}" for name, value in (*pairs, *keep))
        return f"{self.base}{ROOT}/{quote(path, safe='/')}" + (f"?{query}" if query else "")

    def bare(self, path: str) -> str:
        """Return the absolute address of a resource below ``/ogc`` without a query."""
        return f"{self.base}{ROOT}/{quote(path, safe='/')}"

    def here(self, **changes: str) -> str:
        """Return the absolute address of this request with some parameters changed."""
        parts = [pair for name, pair in self._encoded if name not in changes]
        parts += [f"{name}={encode(value)}" for name, value in changes.items()]
        return f"{self._address}?{'&'.join(parts)}"

    def check(self, allowed: Collection[str]) -> None:
        """Raise BadParameterError for an unknown parameter, one given twice, a wrong ``f`` or ``lang``."""
        seen: set[str] = set()
        for name, value in self.pairs:
            if name not in allowed and name not in COMMON:
                raise unknown_parameter(name, value, [*allowed, *COMMON])
            if name in seen:
                raise refusal("ogc.error.twice", name, value, "1 ×")
            seen.add(name)
        F.parse(self.values)
        LANG.parse(self.values)


def _weigh(request: OgcRequest) -> int:
    """Return about how many bytes a request takes with all that is read of it."""
    texts = request.base, request.path, request.query, request.accept, request.accept_language
    return 2000 + 8 * sum(map(len, texts))


# The same request again, with what was read of it, while it is remembered.
remembered_request = cached(LRUCache(REMEMBERED_BYTES, _weigh), lock=threading.Lock())(OgcRequest)


def extract_box(
    base: str, path: str, query: str, accept: str = "", accept_language: str = ""
) -> tuple[OgcRequest, str | None]:
    """Return a request for :data:`BOX_PLACEHOLDER`, the same object whichever box is asked for, and the box.

    A map that is moved asks the same again and again but for its box; so what depends on the rest is
    worked out once. Without exactly one plain ``bbox`` the request is returned as it is, and None.
    """
    parts = _BBOX.split(query)
    if len(parts) == 3:  # noqa: PLR2004 - what stands before, the box, behind
        before, box, behind = parts
        alike = f"{before}bbox={BOX_PLACEHOLDER}{behind}"
        some = remembered_request(base, path, alike, accept, accept_language)
        if some.unmistakable:
            return some, unquote_plus(box)
    return remembered_request(base, path, query, accept, accept_language), None


def encode(text: str) -> str:
    """Return a text as it stands in the queries of links."""
    return text if _LEGIBLE.fullmatch(text) else quote(text, safe=_PLAIN)


@lru_cache(maxsize=256)
def _wants_html(accept: str) -> bool:
    wanted = parse_accept_header(accept, MIMEAccept).best_match([*_JSON, "text/html"], default=_JSON[0])
    return wanted == "text/html"


@lru_cache(maxsize=256)
def _wanted_language(accept_language: str) -> str:
    found = parse_accept_header(accept_language, LanguageAccept).best_match(LANGUAGES, default="zh")
    return found or "zh"
