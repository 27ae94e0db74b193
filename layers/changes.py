"""What differs between the data of two releases: areas, and facts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TypedDict

Read = Callable[[str], bytes | None]
Values = Mapping[str, object]
GEOMETRY = (
    *("geometry_method", "positional_accuracy_m", "geometry_source", "geometry_licence"),
    *("area_km2", "official_area_km2", "official_area_source"),
)
# What is said of a polygon, by what a change of it is called; as an import's preview calls it.
SAID = {
    "method": ("geometry_method",),
    "accuracy": ("positional_accuracy_m",),
    "source": ("geometry_source",),
    "licence": ("geometry_licence",),
    "official_area": ("official_area_km2", "official_area_source"),
}
_LAST_DIGIT_KM2 = 0.001  # of an area as it is stated: so much is rounding


class NamedRow(TypedDict):
    """Which row of which layer or table something differs in, with what it is called."""

    layer: str
    id: str
    name_zh: object
    name_en: object
    name_ko: object


class AreaDifference(NamedRow):
    """A polygon that was moved, or of which something else is said; see :func:`compare`."""

    moved: bool
    changed: list[str]
    before: dict[str, object] | None
    after: dict[str, object] | None


class FieldDifference(TypedDict):
    """A value that is another now."""

    field: str
    before: object
    after: object


class FactDifference(NamedRow):
    """A row of a layer or table that came, went, or has another value in some field."""

    change: str
    fields: list[FieldDifference]


class Changes(TypedDict):
    """What differs between the data of two releases."""

    areas: list[AreaDifference]
    facts: list[FactDifference]


class ChangeSummary(TypedDict, total=False):
    """What the history keeps of changes; the first publication has none."""

    areas: list[AreaDifference]
    facts: dict[str, dict[str, int]]  # how many of each layer came, went and changed


def compare(old: Read, new: Read, paths: Iterable[str]) -> Changes:
    """Return ``areas`` and ``facts`` that differ; `paths` are the data files of either release.

    ``areas`` has one row for each polygon that was moved by more than 1 m² or has another area or provenance;
    its ``changed`` names what differs: ``outline``, ``area`` alone, and what is said of the polygon;
    ``facts`` one for each row of a layer or table that came, went, or has another value in some field; of a
    layer of the operator's own, which says nothing of how its places were measured, also for one that moved.
    """
    areas: list[AreaDifference] = []
    facts: list[FactDifference] = []
    for path in sorted(set(paths)):
        name, _, extension = path.removeprefix("data/").rpartition(".")
        if extension not in {"geojson", "json"} or "/" in name:
            continue
        before, after = _read_rows(old(path)), _read_rows(new(path))
        measured = any("geometry_method" in row for row in (*before.values(), *after.values()))
        areas += _compare_areas(name, before, after) if measured else []
        facts += _compare_facts(name, before, after)
    return {"areas": areas, "facts": facts}


def summarise(changes: Changes) -> ChangeSummary:
    """Return what the history keeps of the changes: the areas, and how many facts of each layer."""
    counts: dict[str, dict[str, int]] = {}
    for row in changes["facts"]:
        layer = counts.setdefault(row["layer"], {"added": 0, "removed": 0, "changed": 0})
        layer[row["change"]] += 1
    return {"areas": changes["areas"], "facts": counts}


def _read_rows(content: bytes | None) -> dict[str, Values]:
    """Return the rows of a layer or table by what identifies them."""
    if content is None:
        return {}
    data = json.loads(content)
    if isinstance(data, dict):
        return {row["id"]: row["properties"] | {"#": row["geometry"]} for row in data.get("features", ())}
    return {_key(row): row for row in data if isinstance(row, dict)}


def _key(row: Values) -> str:
    keys = ("zone_id", "industry_id", "clause", "term_zh")
    return str(row["id"]) if "id" in row else " ".join(str(row.get(key, "")) for key in keys)


def _compare_areas(
    layer: str, before: Mapping[str, Values], after: Mapping[str, Values]
) -> list[AreaDifference]:
    rows: list[AreaDifference] = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        moved = _moved(old, new)
        changed = [*(["outline"] if moved else ["area"] if _resized(old, new) else []), *_reworded(old, new)]
        if changed:
            rows.append(
                {
                    **_name(layer, name, new or old or {}),
                    "moved": moved,
                    "changed": changed,
                    "before": _geometry(old),
                    "after": _geometry(new),
                }
            )
    return rows


def _name(layer: str, row_id: str, row: Values) -> NamedRow:
    return {
        "layer": layer,
        "id": row_id,
        "name_zh": row.get("name_zh"),
        "name_en": row.get("name_en"),
        "name_ko": row.get("name_ko"),
    }


def _moved(old: Values | None, new: Values | None) -> bool:
    """Tell whether a place came, went, or was moved by more than rounding."""
    one, other = (old or {}).get("#"), (new or {}).get("#")
    if one is None or other is None or one == other:
        return one != other
    # Only who compares pays for the geometry.
    import shapely

    from geodata.planar import is_moved

    return is_moved(*(shapely.from_geojson(json.dumps(geometry)) for geometry in (one, other)))


def _resized(old: Values | None, new: Values | None) -> bool:
    """Tell whether a stated area differs by more than the rounding of its last digit."""
    one, other = (old or {}).get("area_km2"), (new or {}).get("area_km2")
    if one is None or other is None:
        return one is not other
    return abs(float(str(one)) - float(str(other))) > 1.5 * _LAST_DIGIT_KM2


def _reworded(old: Values | None, new: Values | None) -> list[str]:
    """Return what is said otherwise of a polygon."""
    before, after = old or {}, new or {}
    return [name for name, keys in SAID.items() if any(before.get(key) != after.get(key) for key in keys)]


def _geometry(row: Values | None) -> dict[str, object] | None:
    return None if row is None else {one: row.get(one) for one in GEOMETRY}


def _compare_facts(
    layer: str, before: Mapping[str, Values], after: Mapping[str, Values]
) -> list[FactDifference]:
    rows: list[FactDifference] = []
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        differing: list[FieldDifference] = [
            {"field": field, "before": old.get(field), "after": new.get(field)}
            for field in (dict.fromkeys([*old, *new]) if old and new else ())
            if old and new and field not in {"#", *GEOMETRY} and old.get(field) != new.get(field)
        ]
        if old and new and "geometry_method" not in new and old.get("#") != new.get("#"):
            differing.append({"field": "geometry", "before": _position(old), "after": _position(new)})
        change = "added" if old is None else "removed" if new is None else "changed"
        if change != "changed" or differing:
            rows.append(
                {
                    **_name(layer, name, new or old or {}),
                    "change": change,
                    "fields": differing,
                }
            )
    return rows


def _position(row: Values) -> str | None:
    """Return the first position of a feature as text."""
    shape = row.get("#")
    at: object = shape.get("coordinates") if isinstance(shape, dict) else None
    while isinstance(at, list) and at and isinstance(at[0], list):
        at = at[0]
    return ", ".join(map(str, at)) if isinstance(at, list) and at else None
