"""The data dictionary for programs: JSON Schema of every file, and the whole as a data package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NotRequired, TypedDict

from layers.document_types import FieldEntry, LayerEntry, PlanDocument
from layers.export.job import About, Part, columns_of, release_path
from layers.query import RECORDS, flat_schema

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: dict[str, object] = {"type": "string"}
_POSITION = {"type": "array", "items": {"type": "number"}, "minItems": 2}
_GEOMETRIES = {"polygon": ("Polygon", "MultiPolygon"), "point": ("Point",)}
_POSITIONS: list[dict[str, object]] = [
    {"name": name, "type": "number", "title": title, "description": f"{meaning}, WGS 84, on the place"}
    for name, title, meaning in (("lon", "经度", "Longitude"), ("lat", "纬度", "Latitude"))
]
_UNITS = {"m": "metre", "km2": "square kilometre"}
Schema = dict[str, object]


def build_schema(info: LayerEntry, plan: PlanDocument) -> Schema:
    """Return the JSON Schema (Draft 2020-12) of a layer's GeoJSON or of a table's JSON.

    Titles are Chinese, descriptions English; `x-title` has all three languages, `x-unit` the unit.
    """
    title, description = info["title"], info["description"]
    head: Schema = {
        "$schema": DRAFT,
        "$id": f"urn:weihai-layout:{info['id']}",
        "title": title["zh"],
        "description": f"{description['zh']} {description['en']}",
        "x-title": title,
        "x-description": description,
        "x-source": plan["number"],
    }
    row = _row(info)
    if info["geometry"] == "none":
        return head | {"type": "array", "items": {"$ref": "#/$defs/row"}, "$defs": {"row": row}}
    return head | {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"const": "FeatureCollection"},
            "name": _TEXT,
            "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4},
            "features": {"type": "array", "items": {"$ref": "#/$defs/feature"}},
        },
        "$defs": {"row": row, "feature": _feature(info)},
    }


def _feature(info: LayerEntry) -> Schema:
    geometry = {
        "type": ["object", "null"],
        "required": ["type", "coordinates"],
        "properties": {
            "type": {"enum": list(_GEOMETRIES[info["geometry"]])},
            "coordinates": {"type": "array"},
        },
    }
    return {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"const": "Feature"},
            "id": _TEXT,
            "geometry": geometry,
            "properties": {"$ref": "#/$defs/row"},
        },
    }


def _row(info: LayerEntry) -> Schema:
    names = [field["name"] for field in info["fields"]]
    return {
        "type": "object",
        "required": names,
        "additionalProperties": False,
        "properties": {field["name"]: _field(field) for field in info["fields"]},
    }


def _field(field: FieldEntry) -> Schema:
    meaning = field["description"]
    said: Schema = {"title": meaning["zh"], "description": meaning["en"], "x-title": meaning}
    if field.get("unit"):
        said["x-unit"] = field["unit"]
    kind = field["type"]
    if kind == "array":
        return said | {"type": "array", "items": _item(field["name"])}
    schema = said | flat_schema(field) | ({"type": [kind, "null"]} if field["nullable"] else {})
    if field.get("values"):
        schema["enum"] = [*(field["values"] or ()), *([None] if field["nullable"] else [])]
    return schema


def _item(name: str) -> Schema:
    members = RECORDS.get(name)
    if members is None:
        return _TEXT
    return {"type": "object", "required": list(members), "properties": dict.fromkeys(members, _TEXT)}


class TableSchema(TypedDict):
    """A Frictionless table schema."""

    fields: list[Schema]
    missingValues: list[str]
    primaryKey: NotRequired[list[str]]


class TableResource(TypedDict):
    """A table of a data package; with path, size and digest where it is a file."""

    name: str
    title: str
    description: str
    rows: int
    schema: TableSchema
    path: NotRequired[str]
    format: NotRequired[str]
    mediatype: NotRequired[str]
    encoding: NotRequired[str]
    bytes: NotRequired[int]
    hash: NotRequired[str]


class TablePackage(TypedDict):
    """A data package of tables."""

    name: str
    title: str
    description: str
    created: str
    sources: list[dict[str, str]]
    resources: list[TableResource]


def build_table_schema(part: Part) -> TableSchema:
    """Return the Frictionless table schema of a layer's or table's CSV."""
    fields: list[Schema] = [
        {
            "name": column.name,
            "type": column.type,
            "title": column.title("zh"),
            "description": column.meaning["en"],
            **{f"title_{one}": text for one, text in column.meaning.items() if one != "en"},
            **({"unit": _UNITS[column.unit]} if column.unit else {}),
            **({"constraints": constraints} if (constraints := _constraints(part, column.name)) else {}),
        }
        for column in columns_of(part)
    ]
    schema: TableSchema = {"fields": fields, "missingValues": [""]}
    if any(field["name"] == "id" for field in fields):
        schema["primaryKey"] = ["id"]
    return schema


def _constraints(part: Part, name: str) -> Schema:
    """Return what a column may hold, as far as the catalogue says."""
    field = next((field for field in part.info["fields"] if field["name"] == name), None)
    if field is None or field["type"] == "array":  # an empty list is no value
        return {}
    required: Schema = {} if field["nullable"] else {"required": True}
    return required | ({"enum": field["values"]} if field.get("values") else {})


def describe_package(about: About, parts: tuple[Part, ...], files: Mapping[str, bytes]) -> TablePackage:
    """Return the data package of every CSV of a release, with size and digest of each."""
    package = describe_plan(about, parts)
    for resource, part in zip(package["resources"], parts, strict=True):
        if part.spatial:
            resource["schema"]["fields"] += _POSITIONS
        content = files[release_path(resource["name"], "csv")]
        resource["path"] = f"{resource['name']}.csv"
        resource["format"], resource["mediatype"], resource["encoding"] = "csv", "text/csv", "utf-8"
        resource["bytes"] = len(content)
        resource["hash"] = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return package


def describe_plan(about: About, parts: tuple[Part, ...]) -> TablePackage:
    """Return what a file says of itself: source, date, terms and the meaning of every column."""
    plan, caution = about.plan, about.words["schematic"]
    return {
        "name": plan["id"],
        "title": plan["title"]["zh"],
        "description": f"{plan['title']['en']}. {caution['zh']} {caution['en']}",
        "created": f"{about.date}T00:00:00Z",
        "sources": [{"title": title} for title in about.sources],
        "resources": [
            {
                "name": part.id,
                "title": part.info["title"]["zh"],
                "description": part.info["description"]["en"],
                "rows": len(part.rows),
                "schema": build_table_schema(part),
            }
            for part in parts
        ],
    }
