"""A request to ``/ogc/``: where, what for, in which format and language, and the parameters of ``items``.

Every refusal names the parameter, the value and what is allowed.
"""

from __future__ import annotations

import math
import re
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode

import orjson
from cachetools import LRUCache, cached
from werkzeug.datastructures import LanguageAccept, MIMEAccept
from werkzeug.http import parse_accept_header

from geodata.crs import Bounds
from geodata.deferred import shapely
from layers.axes import Axes, box_to_lonlat, split_box
from layers.cql.parse import LANGUAGES as FILTER_LANGUAGES
from layers.cql.parse import MAX_BYTES, MAX_DEPTH, parse_filter
from layers.cql.tree import (
    And,
    Compare,
    Condition,
    Constant,
    FilterError,
    Folded,
    IsNull,
    Kind,
    Like,
    Or,
    Order,
    Property,
    build_property,
    read_moment,
)
from layers.query import GEOMETRY, Collection, Query, searchables
from webmap.i18n import LANG, LANGUAGES
from webmap.params import (
    ChoiceParameter,
    OpenParameter,
    Parameter,
    SystemParameter,
    TextParameter,
    WholeParameter,
    refusal,
    to_refusal,
    unknown_parameter,
    wrong_choice,
)
from webmap.problems import BadParameterError, UnsupportedTypeError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

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

    def url(self, path: str, pairs: Sequence[tuple[str, str]] = ()) -> str:
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

    def check(self, allowed: Sequence[str]) -> None:
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


DEFAULT_LIMIT, MAX_LIMIT = 100, 1000
MAX_SORTED = 8
_INSTANT_PATTERN = (
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?"
)
LIMIT = WholeParameter(
    "limit", 1, MAX_LIMIT, DEFAULT_LIMIT, capped=True, meaning="ogc.parameter.limit", strict=True
)
OFFSET = WholeParameter("offset", 0, None, 0, meaning="ogc.parameter.offset", strict=True)
BBOX = OpenParameter(
    "bbox",
    {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6},
    meaning="ogc.parameter.bbox",
)
BBOX_CRS = SystemParameter("bbox-crs", meaning="ogc.parameter.bbox_crs", strict=True)
CRS = SystemParameter("crs", meaning="ogc.parameter.crs", strict=True)
DATETIME = OpenParameter(
    "datetime",
    {
        "type": "string",
        "pattern": rf"^({_INSTANT_PATTERN}(/({_INSTANT_PATTERN}|\.\.)?)?|(\.\.)?/{_INSTANT_PATTERN})$",
        "example": "2024-01-01/2024-12-31",
    },
    meaning="ogc.parameter.datetime",
)
SORTBY = OpenParameter("sortby", meaning="ogc.parameter.sortby")
PROPERTIES = OpenParameter("properties", meaning="ogc.parameter.properties")
Q = TextParameter("q", 200, meaning="ogc.parameter.q")
FILTER = OpenParameter(
    "filter",
    {"type": "string", "minLength": 1, "maxLength": MAX_BYTES},
    meaning="ogc.parameter.filter",
)
FILTER_LANG = ChoiceParameter(
    "filter-lang", FILTER_LANGUAGES, FILTER_LANGUAGES[0], meaning="ogc.parameter.filter_lang", strict=True
)
FILTER_CRS = SystemParameter("filter-crs", meaning="ogc.parameter.filter_crs", strict=True)
DECLARED: dict[str, Parameter] = {
    declared.name: declared
    for declared in (
        *(LIMIT, OFFSET, BBOX, BBOX_CRS, CRS, DATETIME, SORTBY, PROPERTIES, Q),
        *(FILTER, FILTER_LANG, FILTER_CRS),
    )
}
ITEM = (CRS.name,)
ITEMS = tuple(DECLARED)
OWN = (SORTBY.name, PROPERTIES.name)  # differ between collections
SYSTEMS = (
    CRS.name,
    BBOX_CRS.name,
    FILTER_CRS.name,
)  # of places: a collection without lists no system for them
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\s*")
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}  # GDAL writes figures
_SOURCE_DATE = "as_of"  # how old the data are is no time of what they are of
_ORIGIN = ("geometry_", "official_")  # where a feature is known from, not what it is
_COMMA = re.compile("[,，、]")
_WILD, _LITERAL = re.compile(r"([\\%_])"), r"\\\1"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
_INSTANT = re.compile(f"{_DAY}(?:{_TIME}|T)?")  # GDAL ends a day with T
_DATETIME = "2024-01-01, 2024-01-01T00:00:00Z, 2024-01-01/2024-12-31, ../2024-12-31, 2024-01-01/.."
_FLAT, _SOLID = 4, 6  # numbers of a box without and with heights


@dataclass(frozen=True)
class ItemsQuery:
    """What a request for features asks for, whichever its box."""

    conditions: tuple[Condition, ...]
    sort: tuple[tuple[str, bool], ...]
    limit: int
    offset: int
    axes: Axes
    box_axes: Axes
    has_place: bool  # whether the collection's features have geometries
    properties: tuple[str, ...] | None  # None: all

    def query(self, bbox: str | None) -> Query:
        """Return what is asked of the store; raises BadParameterError for a malformed box."""
        boxes = _parse_bbox(bbox, self.box_axes, has_place=self.has_place)
        return Query(boxes, self._filter, self.sort, self.limit, self.offset)

    @cached_property
    def _filter(self) -> Condition | None:
        return And(self.conditions) if len(self.conditions) > 1 else next(iter(self.conditions), None)


def parse_items(
    request: OgcRequest, collection: Collection, kinds: Mapping[str, Kind], max_bytes: int = MAX_BYTES
) -> ItemsQuery:
    """Return what is asked of a collection with the queryables `kinds`; raises BadParameterError.

    `max_bytes` bounds the filter.
    """
    names = [name for name, kind in kinds.items() if kind != "geometry"]
    check_parameters(request, collection, (*ITEMS, *names))
    values = request.values
    box_axes = BBOX_CRS.parse(values)
    return ItemsQuery(
        conditions=(
            *_parse_datetime(values.get("datetime"), kinds),
            *_parse_equalities(values, kinds),
            *_parse_words(values, searchables(collection.info)),
            *parse_cql(values, kinds, max_bytes),
        ),
        sort=_parse_sort(values.get("sortby"), names),
        limit=LIMIT.parse(values),
        offset=OFFSET.parse(values),
        axes=CRS.parse(values),
        box_axes=box_axes,
        has_place=GEOMETRY in kinds,
        properties=_parse_properties(values.get("properties"), names),
    )


def names_for(collection: Collection, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the parameters `names` that mean something for a collection."""
    table = collection.info["geometry"] == "none"
    return tuple(name for name in names if not (table and name in SYSTEMS))


def check_parameters(request: OgcRequest, collection: Collection, names: tuple[str, ...]) -> None:
    """Raise BadParameterError for a parameter that is none of `names`, or asks a table for coordinates."""
    allowed = names_for(collection, names)
    for name in request.values:
        if name in SYSTEMS and name in names and name not in allowed:
            raise BadParameterError(
                "error.no_coordinates",
                parameter=name,
                value=request.values[name],
                allowed=", ".join((*allowed, *COMMON)),
                layer=collection.id,
            )
    request.check(allowed)


def _parse_bbox(given: str | None, axes: Axes, *, has_place: bool) -> tuple[Bounds | BaseGeometry, ...]:
    """Return boxes in lon/lat; one beyond the reach of its system is empty."""
    if given is None:
        return ()
    boxes = [box_to_lonlat(box, axes) for box in _split(_corners(given, axes), axes)]
    return tuple(shapely.Polygon() if box is None else box for box in boxes) if has_place else ()


def _corners(given: str, axes: Axes) -> Bounds:
    parts = given.split(",")
    sound = len(parts) in {_FLAT, _SOLID} and all(map(_NUMBER.fullmatch, parts))
    numbers = list(map(float, parts)) if sound else [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise refusal("ogc.error.bbox", "bbox", given, _order(axes))
    if len(numbers) == _FLAT:
        west, south, east, north = numbers
        return west, south, east, north
    west, south, low, east, north, high = numbers
    if low > high:
        raise refusal("ogc.error.bbox_order", "bbox", given, _order(axes))
    return west, south, east, north


def _order(axes: Axes) -> str:
    return "south,west,north,east" if axes.north_first else "west,south,east,north"


def _split(corners: Bounds, axes: Axes) -> list[Bounds]:
    try:
        return split_box(corners, axes)
    except ValueError as error:
        shown = ",".join(f"{number:g}" for number in corners)
        raise refusal("ogc.error.bbox_order", "bbox", shown, "min ≤ max") from error


def _parse_datetime(given: str | None, kinds: Mapping[str, Kind]) -> list[Condition]:
    """Return what keeps features with a date in an instant or interval, and those without any date.

    So it says Part 1 of the standard. None for a collection without dates: all its features match.
    """
    if given is None:
        return []
    parts = given.split("/")
    ends = ["" if part == ".." else part for part in parts]
    times = [_instant(part) for part in ends if part]
    malformed = len(parts) > 2 or not times or None in times  # noqa: PLR2004 - start and end
    if malformed or sorted(filter(None, times)) != times:
        raise refusal("ogc.error.datetime", "datetime", given, _DATETIME)
    dates = [
        build_property(name, kind) for name, kind in kinds.items() if kind == "date" and name != _SOURCE_DATE
    ]
    bounds: list[tuple[Order, str]] = [(">=", ends[0]), ("<=", ends[-1])]
    within = [
        And(tuple(Compare(order, one, Constant(end[:10])) for order, end in bounds if end)) for one in dates
    ]
    return [Or((*within, And(tuple(map(IsNull, dates)))))] if dates else []


def _instant(text: str) -> datetime | None:
    if not _INSTANT.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper().removesuffix("T"))
    except ValueError:
        return None
    return moment if moment.tzinfo else datetime.fromisoformat(f"{text[:10]}T00:00:00+00:00")


def _parse_sort(given: str | None, names: list[str]) -> tuple[tuple[str, bool], ...]:
    if given is None:
        return ()
    keys = []
    for part in given.split(",")[: MAX_SORTED + 1]:
        name = part.strip().lstrip("+-").strip()
        if name not in names:
            raise refusal("ogc.error.property", "sortby", name, ", ".join(names))
        keys.append((name, part.strip().startswith("-")))
    if len(keys) > MAX_SORTED:
        raise refusal("ogc.error.sorted", "sortby", given, f"≤ {MAX_SORTED}")
    return tuple(keys)


def _parse_properties(given: str | None, names: list[str]) -> tuple[str, ...] | None:
    if given is None:
        return None
    wanted = [part.strip() for part in given.split(",") if part.strip()]
    for name in wanted:
        if name not in names:
            raise refusal("ogc.error.property", "properties", name, ", ".join(names))
    return tuple(name for name in names if name in wanted)


def _parse_equalities(values: Mapping[str, str], kinds: Mapping[str, Kind]) -> list[Condition]:
    """Return ``name=value`` parameters as conditions."""
    found: list[Condition] = []
    for name in values:
        if name in kinds and name not in ITEMS:
            constant = _constant(name, values[name], kinds[name])
            found.append(Compare("=", build_property(name, kinds[name]), constant))
    return found


def _parse_words(values: Mapping[str, str], kinds: Mapping[str, Kind]) -> list[Condition]:
    """Return the condition of ``q``: some text has one of the terms in it, the words of a term in a row."""
    terms = [" ".join(term.split()) for term in _COMMA.split(Q.parse(values))]
    patterns = [f"%{_WILD.sub(_LITERAL, term.casefold())}%" for term in terms if term]
    if not patterns:
        return []
    for term in terms:
        _constant(Q.name, term, "string")
    texts = [
        Property(name, kind)
        for name, kind in kinds.items()
        if kind in {"string", "list"} and not name.startswith(_ORIGIN)
    ]
    found = tuple(Like(Folded(text), pattern) for text in texts for pattern in patterns)
    return [Or(found) if len(found) > 1 else found[0]]


def _constant(name: str, given: str, kind: Kind) -> Constant:
    if kind == "number":
        number = float(given) if _NUMBER.fullmatch(given) else math.inf
        if not math.isfinite(number):
            raise refusal("ogc.error.number", name, given, "-1, 2.5, 3e2")
        return Constant(number)
    if kind == "boolean":
        if given not in _TRUTHS:
            raise wrong_choice(name, given, tuple(_TRUTHS))
        return Constant(_TRUTHS[given])
    if kind == "date":
        try:
            return Constant(read_moment(kind, given).isoformat())
        except FilterError as error:
            raise refusal("ogc.filter.moment", name, given, ", ".join(error.allowed)) from error
    if "\0" in given:
        raise refusal("ogc.error.text", name, repr(given), "U+0001 …")
    return Constant(given)


def parse_cql(values: Mapping[str, str], kinds: Mapping[str, Kind], max_bytes: int) -> list[Condition]:
    """Return the condition of ``filter``, or none; raises BadParameterError.

    ``filter-lang`` and ``filter-crs`` are checked also where there is no filter.
    """
    language = FILTER_LANG.parse(values) or FILTER_LANGUAGES[0]
    axes = FILTER_CRS.parse(values)
    given = values.get("filter")
    if given is None:
        return []
    try:
        return [parse_filter(given, language, kinds, axes, max_bytes)]
    except FilterError as error:
        raise to_refusal(error) from error
