"""Filters of a request: parsed once, refused in the reader's words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from layers.axes import ALL, Axes, find_axes
from layers.cql.parse import parse_filter
from layers.cql.tree import Condition, FilterError, Kind
from webmap.ogc.asked import refused
from webmap.problems import BadParameterError

LANGUAGES = ("cql2-text", "cql2-json")
_EXAMPLES = """a = 'x' AND b > 1, a LIKE 'x%', {"op": ">", "args": [{"property": "b"}, 1]}"""


def parse_cql(values: Mapping[str, str], kinds: Mapping[str, Kind]) -> list[Condition]:
    """Return the condition of ``filter``, or none; raises BadParameterError.

    ``filter-lang`` and ``filter-crs`` are checked also where there is no filter.
    """
    language = values.get("filter-lang", LANGUAGES[0])
    if language not in LANGUAGES:
        raise refused("error.choice", "filter-lang", language, ", ".join(LANGUAGES))
    axes = _axes(values.get("filter-crs"))
    given = values.get("filter")
    if given is None:
        return []
    try:
        return [_parse(given, language, tuple(kinds.items()), axes)]
    except FilterError as error:
        raise to_refusal(error) from error


def to_refusal(error: FilterError) -> BadParameterError:
    """Return what is wrong with a filter as the error of the parameter."""
    allowed = ", ".join(error.allowed) or (_EXAMPLES if error.code == "syntax" else "")
    return refused(f"ogc.filter.{error.code}", "filter", error.value, allowed, error.near)


def _axes(given: str | None) -> Axes:
    found = ALL[0] if given is None else find_axes(given)
    if found is None:
        raise refused("error.choice", "filter-crs", given or "", ", ".join(axes.uri for axes in ALL))
    return found


@lru_cache(maxsize=256)
def _parse(text: str, language: str, kinds: tuple[tuple[str, Kind], ...], axes: Axes) -> Condition:
    return parse_filter(text, language, dict(kinds), axes)
