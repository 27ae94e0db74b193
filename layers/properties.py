"""The flat properties that every feature of a layer carries (the contract of the data)."""

from __future__ import annotations

from typing import Any

from geodata.model import Area, Gateway, Platform, Text, Town
from geodata.shapes import Shape
from layers.relations import Place, Relations

LANGUAGES = ("zh", "en", "ko")
SEPARATOR = {"zh": "；", "en": "; ", "ko": "; "}


def place_properties(place: Place, shape: Shape, relations: Relations) -> dict[str, Any]:
    """Return the contract's properties of a county, zone, park, 五区, belt or marine core."""
    clauses = relations.clauses_of(place)
    kind = place.layer if isinstance(place, Area) else place.kind
    parent = None if isinstance(place, Area) else place.parent
    return {
        **_identity(place.id, place.name, kind, parent),
        **positioning(place),
        "industries": [_designation(row) for row in relations.designations_of(place.id)],
        "clauses": list(clauses),
        "responsible_units": [unit.name.zh for unit, _ in relations.responsible_for(clauses)],
        **shape_properties(shape),
    }


def land_properties(land_id: str, name: Text, shape: Shape) -> dict[str, Any]:
    """Return the contract's properties of a piece of land that is no place of the plan."""
    return _unplanned(land_id, name, "land", None) | shape_properties(shape)


def town_properties(town: Town, shape: Shape) -> dict[str, Any]:
    """Return the contract's properties of a town; the plan says nothing of single towns."""
    return _unplanned(town.id, town.name, "town", town.zone or town.county) | shape_properties(shape)


def _unplanned(row_id: str, name: Text, kind: str, parent: str | None) -> dict[str, Any]:
    return {
        **_identity(row_id, name, kind, parent),
        **{f"positioning_{language}": None for language in LANGUAGES},
        "industries": [],
        "clauses": [],
        "responsible_units": [],
    }


def point_properties(row: Platform | Gateway, shape: Shape | None, relations: Relations) -> dict[str, Any]:
    """Return the properties of a platform or gateway; where its place is not known a note says why."""
    clauses = relations.in_plan_order(row.clauses)
    parent = row.zone if isinstance(row, Platform) else row.parent
    return {
        **_identity(row.id, row.name, row.kind, parent),
        "clauses": list(clauses),
        "responsible_units": [unit.name.zh for unit, _ in relations.responsible_for(clauses)],
        "geometry_method": shape.method if shape else None,
        "positional_accuracy_m": round(shape.accuracy_m) if shape else None,
        "geometry_source": SEPARATOR["en"].join(shape.sources) or None if shape else None,
        "geometry_licence": shape.licence or None if shape else None,
        **_own(row, relations),
    }


def shape_properties(shape: Shape) -> dict[str, Any]:
    """Return how a polygon was made, how accurate it is, and its areas in km²."""
    return {
        "geometry_method": shape.method,
        "positional_accuracy_m": round(shape.accuracy_m),
        "geometry_source": SEPARATOR["en"].join(shape.sources),
        "geometry_licence": shape.licence,
        "area_km2": round(shape.area_km2, 3),
        "official_area_km2": shape.official_area_km2,
        "official_area_source": shape.official_area_source,
    }


def positioning(place: Place) -> dict[str, str | None]:
    """Return the place's positioning in each language, terms joined, or null where the plan has none."""
    return {f"positioning_{language}": _joined(place, language) for language in LANGUAGES}


def _joined(place: Place, language: str) -> str | None:
    terms = [getattr(term.term, language) for term in place.positioning]
    return SEPARATOR[language].join(dict.fromkeys(terms)) or None


def _identity(row_id: str, name: Text, kind: str, parent: str | None) -> dict[str, Any]:
    names = {f"name_{language}": getattr(name, language) for language in LANGUAGES}
    return {"id": row_id, **names, "kind": kind, "parent_id": parent}


def _designation(row: Any) -> dict[str, str]:
    return {
        "industry_id": row.industry,
        "term_zh": row.term.zh,
        "term_en": row.term.en,
        "term_ko": row.term.ko,
        "emphasis": row.emphasis,
        "clause": row.clause,
    }


def _own(row: Platform | Gateway, relations: Relations) -> dict[str, Any]:
    if isinstance(row, Gateway):
        return {"opened": row.opened}
    note = relations.why_unplaced(row.id)
    return {
        "status": row.status,
        "zone_basis": row.zone_basis,
        "industry_ids": list(row.industries),
        "geometry_note": note.zh if note else None,
    }
