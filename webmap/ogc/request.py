"""A request to ``/ogc/``: where, what for, in which format and language."""

from __future__ import annotations

import re
import secrets
import threading
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode

import orjson
from cachetools import LRUCache, cached
from werkzeug.datastructures import LanguageAccept, MIMEAccept
from werkzeug.http import parse_accept_header

from layers.cql.parse import MAX_DEPTH
from webmap.i18n import LANG, LANGUAGES
from webmap.params import ChoiceParameter, refusal, unknown_parameter
from webmap.problems import BadParameterError, UnsupportedTypeError

ROOT = "/ogc"
REMEMBERED_BYTES = 4_000_000
FORMATS = ("json", "html")
F = ChoiceParameter("f", FORMATS, meaning="ogc.parameter.f", strict=True)
PROFILE = ChoiceParameter("profile", ("flat",), meaning="ogc.parameter.profile", strict=True)
COMMON = (F.name, LANG.name, PROFILE.name)  # what every resource takes
KEPT = (LANG.name, PROFILE.name)  # of them, what links lead on with
MAX_FIELDS = 100
_JSON = (
    "application/json",
    "application/geo+json",
    "application/schema+json",
    "application/vnd.oai.openapi+json",
)
FORM = "application/x-www-form-urlencoded"
MAX_SEARCH = 262_144  # bytes of a question that is sent
# What stands in it as JSON, and of which type the members of a list are; all else is text.
SEARCH_TYPES: dict[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(("limit", "offset"), (("integer",), "")),
    "bbox": (("array",), "number"),
    **dict.fromkeys(("sortby", "properties"), (("array",), "string")),
    "filter": (("string", "object"), ""),
}
_TYPES = {str: "string", int: "integer", float: "number", list: "array", dict: "object", bool: "boolean"}
_MAX_WRITTEN = 254  # lists and objects in one another
_MEMBERS = {"number": {"integer", "number"}, "string": {"string"}}
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
    def flat(self) -> bool:
        """Whether lists are asked for as texts, for formats and programs without lists."""
        return self.values.get(PROFILE.name) == "flat"

    @cached_property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """What every link leads on with."""
        return tuple((name, self.values[name]) for name in KEPT if self.values.get(name))

    @cached_property
    def _encoded(self) -> tuple[tuple[str, str], ...]:
        """Names of the query, and each pair percent-encoded."""
        return tuple((name, f"{encode(name)}={encode(value)}") for name, value in self.pairs)

    @cached_property
    def _address(self) -> str:
        return f"{self.base}{ROOT}/{quote(self.path, safe='/')}"

    def url(self, path: str, pairs: Collection[tuple[str, str]] = ()) -> str:
        """Return the absolute address of a resource below ``/ogc``, in the language and profile asked for."""
        given = {name for name, _ in pairs}
        keep = [pair for pair in self.kept if pair[0] not in given]
        query = "&".join(f"{encode(name)}={encode(value)}" for name, value in (*pairs, *keep))
        return f"{self.base}{ROOT}/{quote(path, safe='/')}" + (f"?{query}" if query else "")

    def bare(self, path: str) -> str:
        """Return the absolute address of a resource below ``/ogc`` with no query but a profile."""
        query = f"?{PROFILE.name}=flat" if self.flat else ""
        return f"{self.base}{ROOT}/{quote(path, safe='/')}{query}"

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
        for common in (F, LANG, PROFILE):
            common.parse(self.values)


def to_search(base: str, path: str, body: bytes, media: str, accept_language: str) -> OgcRequest:
    """Return what is sent to ``search`` as the same question to ``items``.

    `body` is a form with the parameters of ``items``, or an object with them as JSON: lists as arrays, a
    filter as an object of CQL2. Raises RequestError.
    """
    kind = media.partition(";")[0].strip().lower()
    if kind == FORM:
        query = body.decode(errors="replace")
    elif kind == _JSON[0]:
        query = urlencode(list(_read_search(body)))
    else:
        allowed = f"{_JSON[0]}, {FORM}"
        raise UnsupportedTypeError("error.media_type", parameter="Content-Type", value=kind, allowed=allowed)
    return OgcRequest(base, path.removesuffix("search") + "items", query, _JSON[1], accept_language)


def _read_search(body: bytes) -> Iterator[tuple[str, str]]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise refusal("ogc.error.body", "body", str(error), "{…}") from error
    if not isinstance(document, dict):
        raise refusal("ogc.error.body", "body", _write("body", document), "{…}")
    for name, value in document.items():
        wanted, member = SEARCH_TYPES.get(name, (("string",), ""))
        kind = _TYPES.get(type(value), "null")
        members = value if isinstance(value, list) and member else ()
        if kind not in wanted or any(_TYPES.get(type(one)) not in _MEMBERS[member] for one in members):
            raise refusal(
                "ogc.error.type", name, _write(name, value), f"{' / '.join(wanted)} {member}".strip()
            )
        if isinstance(value, dict):
            yield name, _write(name, value)
            if "filter-lang" not in document:
                yield "filter-lang", "cql2-json"
        else:
            yield name, ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _write(name: str, value: object) -> str:
    """Return what was sent as JSON; raises RequestError where it is too deep to be written again."""
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise refusal("ogc.filter.depth", name, f"> {_MAX_WRITTEN}", f"≤ {MAX_DEPTH}") from error


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
