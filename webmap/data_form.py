"""The form of the download centre: what can be chosen, what goes with what, and what an address chose."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlencode

from geodata.crs import LONLAT
from layers.cql.parse import LANGUAGES as FILTERS
from layers.export.formats import FORMATS, FRAMES, GEOMETRIES, PLAN, formats_of
from webmap.content import Content
from webmap.downloads import GOES_WITH, PARAMETERS, holding, to_frame
from webmap.problems import BadParameterError

FIELDS = ("layer", "format", *PARAMETERS)
LONGEST = 2000  # characters of a condition
ANCHOR = "#choose"
Arguments = Mapping[str, str]


def describe_form(content: Content, arguments: Arguments, page: str, action: str) -> dict[str, Any]:
    """Return what the form at `page` offers, and what of it `arguments` chose; it is sent to `action`.

    Raises BadParameterError for a value that cannot be chosen; other names are passed over.
    """
    chosen, allowed = _given(arguments), _allowed(content)
    for name, value in chosen.items():
        _check(name, value, allowed)
    return {
        "page": page,
        "action": action,
        "chosen": _first_format(content, chosen) | chosen,
        "goes_with": GOES_WITH,
        "formats": list(FORMATS.values()),
        "frames": FRAMES,
        "geometries": GEOMETRIES,
        "layers": [info | {"holds": holding(info)} for info in content.layers],
        "themes": [{"id": name, "name": title} for name, title in content.theme_titles.items()],
        "industries": list(content.industries.values()),
        "clusters": list(content.clusters.values()),
        "places": content.places(),
        "longest": LONGEST,
    }


def _first_format(content: Content, chosen: Arguments) -> dict[str, str]:
    """Return a format for what is chosen, where the first of the list cannot hold it."""
    kinds = {info["id"]: holding(info) for info in content.layers}
    fits = [one.id for one in formats_of(kinds.get(chosen.get("layer", ""), PLAN))]
    return {} if fits[0] == next(iter(FORMATS)) else {"format": fits[0]}


def return_address(content: Content, arguments: Arguments, page: str) -> str:
    """Return the address of the form at `page` with what of `arguments` can be chosen there."""
    allowed = _allowed(content)
    kept = [pair for pair in _given(arguments).items() if _fits(*pair, allowed)]
    return f"{page}?{urlencode(kept)}{ANCHOR}" if kept else f"{page}{ANCHOR}"


def _given(arguments: Arguments) -> dict[str, str]:
    """Return what is filled in, frames as the form has them; the language is the page's own."""
    given = {name: arguments.get(name, "") for name in FIELDS if name != "lang"}
    return {name: to_frame(value) if name == "crs" else value for name, value in given.items() if value}


def _allowed(content: Content) -> dict[str, Collection[str]]:
    return {
        "layer": [PLAN, *(info["id"] for info in content.layers)],
        "format": FORMATS,
        "crs": (LONLAT, *FRAMES),
        "geometry": GEOMETRIES,
        "filter-lang": FILTERS,
        "theme": content.themes,
        "industry": content.industries,
        "cluster": content.clusters,
        "zone": [place["id"] for place in content.places()],
    }


def _fits(name: str, value: str, allowed: Mapping[str, Collection[str]]) -> bool:
    return len(value) <= LONGEST if name == "filter" else value in allowed[name]


def _check(name: str, value: str, allowed: Mapping[str, Collection[str]]) -> None:
    if _fits(name, value, allowed):
        return
    if name == "filter":
        size = f"{len(value)}"
        raise BadParameterError("error.length", parameter=name, value=size, allowed=f"0-{LONGEST}")
    listed = ", ".join(allowed[name])
    raise BadParameterError("error.choice", parameter=name, value=value, allowed=listed)
