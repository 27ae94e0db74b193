"""What two publications say otherwise of one boundary: sources, terms, the published area."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from layers.features import SEPARATOR

_JOINER = SEPARATOR["en"]  # between the sources of a boundary, and between their terms
# What is shown of a change, by what a comparison calls it.
_SHOWN = {
    "source": ("source",),
    "licence": ("licence",),
    "official_area": ("official_area", "official_area_source"),
}
_FIELDS = {
    "source": "geometry_source",
    "licence": "geometry_licence",
    "official_area": "official_area_km2",
    "official_area_source": "official_area_source",
}
Row = Mapping[str, Any]


def list_reworded(row: Row, terms: Collection[str]) -> list[dict[str, Any]]:
    """Return what is no longer said of a boundary and what now is, by what a change of it is called.

    `row` is one of a comparison's areas; `terms` are those of every imported boundary on record. Sources
    and terms are lists in one text: what stays in them is left out. Areas are numbers, km².
    """
    found = []
    for name in (one for change, shown in _SHOWN.items() if change in row["changed"] for one in shown):
        old, new = ((row[side] or {}).get(_FIELDS[name]) for side in ("before", "after"))
        before, after = _split(name, old, new, terms), _split(name, new, old, terms)
        gone = [part for part in before if part not in after]
        found.append({"name": name, "gone": gone, "new": [part for part in after if part not in before]})
    return [one for one in found if one["gone"] or one["new"]]


def _split(name: str, value: Any, other: Any, terms: Collection[str]) -> list[Any]:
    """Return the parts of a value that is compared with `other`."""
    if value is None:
        return []
    if name == "source":
        return str(value).split(_JOINER)  # of ids, which hold no such thing
    return split_terms(str(value), {*terms, str(other)}) if name == "licence" else [value]


def split_terms(joined: str, known: Collection[str]) -> list[str]:
    """Return the terms that were joined to one text, those of `known` whole.

    Their owners' words may hold what they are joined with, so nothing is cut elsewhere.

    >>> split_terms("base; a; inside only; not for sale", {"inside only; not for sale"})
    ['base; a', 'inside only; not for sale']
    """
    longest = sorted(filter(None, known), key=len, reverse=True)
    one_of = "|".join(map(re.escape, longest))
    parts, at = [], 0
    for match in re.finditer(rf"(?:^|(?<={_JOINER}))(?:{one_of})(?={_JOINER}|\Z)", joined):
        parts += [joined[at : match.start()].removesuffix(_JOINER), match[0]]
        at = match.end() + len(_JOINER)
    return [part for part in (*parts, joined[at:]) if part]
