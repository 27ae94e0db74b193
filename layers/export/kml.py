"""KML 2.2: a folder for each layer, the attributes as typed data, the map's colours as styles.

A feature's id is that of its placemark, and not among the attributes: readers have one field ``id``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.etree import ElementTree as ET

from layers.export.job import Job, Part, Row, Value, columns_of, flatten_rows
from layers.export.styles import Look, rule_of

_NAMESPACE = "http://www.opengis.net/kml/2.2"
_TYPES = {"string": "string", "number": "double", "integer": "int", "boolean": "bool"}
_FILL, _BACKDROP, _SOLID = "8C", "1F", "FF"  # opacity: 55 %, 12 %, all
_WIDTH = "1.6"


def write_kml(job: Job) -> bytes:
    """Return one document of every spatial layer of the job."""
    root = ET.Element("kml", xmlns=_NAMESPACE)
    document = _add(root, "Document", id=job.stem)
    _add(document, "name", f"{job.about.plan['title']['zh']} · {job.spec.name}")
    _add(document, "description", job.about.licence)
    parts = [part for part in job.parts if part.spatial]
    for part in parts:
        _add_styles(document, part.id, job.about.looks[part.id])
    for part in parts:
        _add_schema(document, part)
    for part in parts:
        _add_folder(document, part, job.about.looks[part.id])
    content: bytes = ET.tostring(root, encoding="UTF-8", xml_declaration=True)
    return content


def _add(parent: Any, tag: str, text: str | None = None, **attributes: str) -> Any:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _add_styles(document: Any, layer: str, look: Look) -> None:
    for index, rule in enumerate(look["rules"]):
        style = _add(document, "Style", id=f"{layer}-{index}")
        if look["geometry"] == "point":
            _add(_add(style, "IconStyle"), "color", _colour(rule["colour"], _SOLID))
            continue
        line = _add(style, "LineStyle")
        _add(line, "color", _colour(rule["edge"], _SOLID))
        _add(line, "width", _WIDTH)
        area = _add(style, "PolyStyle")
        _add(area, "color", _colour(rule["colour"], _BACKDROP if rule["backdrop"] else _FILL))
        _add(area, "fill", "1" if rule["fill"] else "0")


def _colour(colour: str, opacity: str) -> str:
    """Return aabbggrr, as KML has it."""
    return f"{opacity}{colour[5:7]}{colour[3:5]}{colour[1:3]}".lower()


def _add_schema(document: Any, part: Part) -> None:
    schema = _add(document, "Schema", name=part.id, id=f"schema-{part.id}")
    for column in columns_of(part):
        field = _add(schema, "SimpleField", type=_TYPES[column.type], name=column.name)
        _add(field, "displayName", column.title("zh"))


def _add_folder(document: Any, part: Part, look: Look) -> None:
    folder = _add(document, "Folder", id=f"folder-{part.id}")
    _add(folder, "name", part.id)
    _add(folder, "description", f"{part.info['title']['zh']} · {part.info['title']['en']}")
    for row, values in zip(part.rows, flatten_rows(part), strict=True):
        mark = _add(folder, "Placemark", id=row["id"])
        _add(mark, "name", row["properties"]["name_zh"])
        index = rule_of(look, row["properties"])
        if index is not None:
            _add(mark, "styleUrl", f"#{part.id}-{index}")
        _add_values(mark, part, values)
        _add_geometry(mark, row)


def _add_values(mark: Any, part: Part, values: dict[str, Value]) -> None:
    data = _add(_add(mark, "ExtendedData"), "SchemaData", schemaUrl=f"#schema-{part.id}")
    for name, value in values.items():
        if value is not None:
            _add(data, "SimpleData", str(int(value) if isinstance(value, bool) else value), name=name)


def _add_geometry(mark: Any, row: Row) -> None:
    geometry = row["geometry"]
    if geometry is None:
        return
    if geometry["type"] == "Point":
        _add(_add(mark, "Point"), "coordinates", _written([geometry["coordinates"]]))
    elif geometry["type"] == "Polygon":
        _add_polygon(mark, geometry["coordinates"])
    else:
        many = _add(mark, "MultiGeometry")
        for polygon in geometry["coordinates"]:
            _add_polygon(many, polygon)


def _add_polygon(parent: Any, rings: list[Any]) -> None:
    polygon = _add(parent, "Polygon")
    for number, ring in enumerate(rings):
        boundary = _add(polygon, "innerBoundaryIs" if number else "outerBoundaryIs")
        _add(_add(boundary, "LinearRing"), "coordinates", _written(ring))


def _written(positions: Iterable[list[float]]) -> str:
    return " ".join(f"{lon!r},{lat!r}" for lon, lat in positions)
