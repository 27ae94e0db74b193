"""What a download asks for: read from its address, and refused by name where it cannot be had."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from geodata.crs import LONLAT
from layers.axes import find_axes
from layers.cql.parse import LANGUAGES, parse_filter
from layers.cql.tree import Condition, FilterError
from layers.export.formats import FIXED, FORMATS, FRAMES, GEOMETRIES, PLAN, WGS84, Format, formats_of
from layers.export.job import DESIGNATIONS, Choice, ExportSpec, Job, Part, select_parts, to_job
from layers.query import FeatureStore, Query
from layers.rows import queryables
from webmap.content import Content
from webmap.ogc.filters import to_refusal
from webmap.parameters import refuse_unknown
from webmap.problems import BadParameterError, NotFoundError

PARAMETERS = ("crs", "geometry", "filter", "filter-lang", "theme", "industry", "cluster", "zone", "lang")
PLACED = ("crs", "geometry")  # how places are written: a table has none
# What a file must be of for a parameter to mean anything; the others go with all.
GOES_WITH = {
    **dict.fromkeys(PLACED, ("layer", "plan")),
    "filter": ("layer", "table"),
    "theme": ("plan",),
}
Arguments = Mapping[str, str]


@dataclass(frozen=True)
class Asked:
    """A download: the file, and what of the data goes into it."""

    wish: ExportSpec
    choice: Choice
    filter: Condition | None
    key: tuple[str, ...]  # what tells it from others of the same release

    @property
    def usual(self) -> bool:
        """Whether the release has the file ready."""
        kind = FORMATS[self.wish.format]
        whole = self.choice == Choice() and self.filter is None
        return whole and self.wish.frame == kind.frames[0] and self.wish.geometry == kind.geometry


def parse_asked(name: str, extension: str, arguments: Arguments, content: Content) -> Asked:
    """Return what is asked for by a file's name and the parameters beside it.

    Raises NotFoundError for an unknown layer or format, BadParameterError for anything else unknown.
    """
    kind = _parse_format(name, extension, content)
    _check_names(name, kind, arguments, content)
    frame = _parse_frame(kind, arguments)
    geometry = _choice(arguments, "geometry", GEOMETRIES) or kind.geometry if kind.geometry else None
    choice = _parse_choice(name, arguments, content)
    condition = _parse_condition(name, arguments, content)
    given = {one: value for one in PARAMETERS if one not in {"lang", "crs"} and (value := arguments.get(one))}
    tags = [frame.replace(":", "").lower()] if frame != kind.frames[0] else []
    tags += ["selection"] if choice != Choice() or condition is not None else []
    wish = ExportSpec(name, extension, frame, geometry, "-".join(tags))
    return Asked(wish, choice, condition, (name, extension, frame, *(f"{one}={given[one]}" for one in given)))


def build_job(asked: Asked, content: Content, store: FeatureStore) -> Job:
    """Return the job that makes the file, with the rows as the store has them."""
    everything = asked.wish.name == PLAN or asked.choice.place is not None
    parts = [
        _read_part(info, asked, store)
        for info in content.layers
        if everything or info["id"] in {asked.wish.name, DESIGNATIONS}
    ]
    return to_job(asked.wish, select_parts(parts, asked.choice), content.about)


def _read_part(info: dict[str, Any], asked: Asked, store: FeatureStore) -> Part:
    condition = asked.filter if info["id"] == asked.wish.name else None
    found = store.select(info["id"], Query(filter=condition))
    rows = [orjson.loads(feature.body) for feature in found.features]
    return Part(info, rows if info["geometry"] != "none" else [row["properties"] for row in rows])


def _check_names(name: str, kind: Format, arguments: Arguments, content: Content) -> None:
    """Refuse parameters that would be passed over in silence."""
    table = any(info["id"] == name and holding(info) == "table" for info in content.layers)
    pointless = PLACED if table else () if kind.geometry else ("geometry",)
    known = [one for one in PARAMETERS if one not in pointless]
    asked = next((one for one in PLACED if table and one in arguments), None)
    if asked:
        raise BadParameterError(
            "error.no_coordinates",
            parameter=asked,
            value=arguments[asked],
            allowed=", ".join(known),
            layer=name,
        )
    refuse_unknown(known, arguments)


def _parse_format(name: str, extension: str, content: Content) -> Format:
    holds = {info["id"]: holding(info) for info in content.layers} | {PLAN: "plan"}
    if name not in holds:
        raise unknown_layer(name, content)
    allowed = {kind.id: kind for kind in formats_of(holds[name])}
    if extension not in allowed:
        raise NotFoundError(
            "error.format",
            layer=name,
            value=extension,
            parameter="format",
            allowed=", ".join(allowed),
        )
    return allowed[extension]


def holding(info: dict[str, Any]) -> str:
    """Return what a file of one entry of the catalogue is of: a ``layer`` or a ``table``."""
    return "table" if info["geometry"] == "none" else "layer"


def unknown_layer(name: str, content: Content) -> NotFoundError:
    """Return the error of a layer or table that does not exist, with near matches."""
    known = {PLAN: "gpkg"} | {
        info["id"]: "json" if info["geometry"] == "none" else "geojson" for info in content.layers
    }
    close = difflib.get_close_matches(name, known, n=5, cutoff=0.4)
    near = [{"id": one, "label": one, "href": f"/data/{one}.{known[one]}"} for one in close]
    return NotFoundError("error.layer", parameter="layer", value=name, allowed=", ".join(known), near=near)


def to_frame(given: str) -> str:
    """Return the name of a frame as it stands in lists, what is none as it is.

    People write ``epsg:4550`` and ``4550`` too, programs the URIs that the API lists.
    """
    axes = find_axes(given)
    asked = axes.frame if axes else given.upper()
    name = f"EPSG:{asked}" if asked.isdecimal() else asked
    return name if name in {LONLAT, *FRAMES} else given


def _parse_frame(kind: Format, arguments: Arguments) -> str:
    given = arguments.get("crs")
    if not given:
        return kind.frames[0]
    asked = to_frame(given)
    if asked == LONLAT and WGS84 in kind.frames:
        return WGS84  # to programs that know codes only
    if asked in kind.frames:
        return asked
    key = "error.frame_fixed" if kind.frames == FIXED else "error.choice"
    raise BadParameterError(key, parameter="crs", value=given, allowed=", ".join(kind.frames), format=kind.id)


def _choice(arguments: Arguments, name: str, allowed: Any) -> str | None:
    asked = arguments.get(name) or None
    if asked is not None and asked not in allowed:
        raise BadParameterError("error.choice", parameter=name, value=asked, allowed=", ".join(allowed))
    return asked


def _parse_choice(name: str, arguments: Arguments, content: Content) -> Choice:
    """Return the map's own filters, as the map's address has them."""
    theme = _choice(arguments, "theme", content.themes)
    if theme and name != PLAN:
        raise BadParameterError("error.only_plan", parameter="theme", value=theme, allowed=f"{PLAN}.*")
    industry, cluster = (
        _choice(arguments, "industry", content.industries),
        _choice(arguments, "cluster", content.clusters),
    )
    places = [place["id"] for place in content.places()]
    industries = {industry} if industry else set()
    if cluster:
        members = {
            row["id"]
            for row in content.industries.values()
            if row["cluster"] and row["cluster"]["id"] == cluster
        }
        industries = industries & members if industry else members
    return Choice(
        layers=tuple(content.themes[theme]["layers"]) if theme else None,
        industries=frozenset(industries) if industry or cluster else None,
        place=_choice(arguments, "zone", places),
    )


def _parse_condition(name: str, arguments: Arguments, content: Content) -> Condition | None:
    """Return the checked CQL2 filter of one layer or table."""
    text = arguments.get("filter")
    language = _choice(arguments, "filter-lang", LANGUAGES)
    if not text:
        return None
    if name == PLAN:
        raise BadParameterError(
            "error.one_layer",
            parameter="filter",
            value=text,
            allowed="theme, industry, cluster, zone",
        )
    info = next(one for one in content.layers if one["id"] == name)
    kinds = queryables(info)
    try:
        return parse_filter(text, language or _guess(text), kinds)
    except FilterError as error:
        raise to_refusal(error) from error


def _guess(text: str) -> str:
    """Return the language of a filter: only JSON begins with a brace."""
    return LANGUAGES[1] if text.lstrip().startswith("{") else LANGUAGES[0]
