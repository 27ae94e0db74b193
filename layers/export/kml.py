"""KML 2.2: a folder for each layer, the attributes as typed data, the map's colours as styles.

A feature's id is that of its placemark, and not among the attributes: readers have one field ``id``.
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.etree import ElementTree as ET

from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geodata.crs import LONLAT
from geodata.letters import strip_unprintable
from layers.export.job import Job, Part, Value, columns_of, flatten_rows
from layers.export.places import geometries_of
from layers.export.styles import Look, rule_of

_NAMESPACE = "http://www.opengis.net/kml/2.2"
_TYPES = {"string": "string", "number": "double", "integer": "int", "boolean": "bool", "date": "string"}
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
    content: bytes = ET.tostring(strip_unprintable(root), encoding="UTF-8", xml_declaration=True)
    return content


def _add(parent: ET.Element, tag: str, text: str | None = None, **attributes: str) -> ET.Element:
    child = ET.SubElement(parent, tag, attributes)
    child.text = text
    return child


def _add_styles(document: ET.Element, layer: str, look: Look) -> None:
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


def _add_schema(document: ET.Element, part: Part) -> None:
    schema = _add(document, "Schema", name=part.id, id=f"schema-{part.id}")
    for column in columns_of(part):
        field = _add(schema, "SimpleField", type=_TYPES[column.type], name=column.name)
        _add(field, "displayName", column.title("zh"))


def _add_folder(document: ET.Element, part: Part, look: Look) -> None:
    folder = _add(document, "Folder", id=f"folder-{part.id}")
    _add(folder, "name", part.id)
    _add(folder, "description", f"{part.info['title']['zh']} · {part.info['title']['en']}")
    for row, values, geometry in zip(
        part.features, flatten_rows(part), geometries_of(part, LONLAT), strict=True
    ):
        mark = _add(folder, "Placemark", id=row["id"])
        _add(mark, "name", str(row["properties"]["name_zh"]))
        index = rule_of(look, row["properties"])
        if index is not None:
            _add(mark, "styleUrl", f"#{part.id}-{index}")
        _add_values(mark, part, values)
        _add_geometry(mark, geometry)


def _add_values(mark: ET.Element, part: Part, values: dict[str, Value]) -> None:
    data = _add(_add(mark, "ExtendedData"), "SchemaData", schemaUrl=f"#schema-{part.id}")
    for name, value in values.items():
        if value is not None:
            _add(data, "SimpleData", str(int(value) if isinstance(value, bool) else value), name=name)


def _add_geometry(mark: ET.Element, geometry: BaseGeometry | None) -> None:
    if geometry is None:
        return
    if isinstance(geometry, Point):
        _add(_add(mark, "Point"), "coordinates", _written(geometry.coords))
    elif isinstance(geometry, Polygon):
        _add_polygon(mark, geometry)
    elif isinstance(geometry, MultiPolygon):
        many = _add(mark, "MultiGeometry")
        for polygon in geometry.geoms:
            _add_polygon(many, polygon)


def _add_polygon(parent: ET.Element, polygon: Polygon) -> None:
    node = _add(parent, "Polygon")
    for number, ring in enumerate((polygon.exterior, *polygon.interiors)):
        boundary = _add(node, "innerBoundaryIs" if number else "outerBoundaryIs")
        _add(_add(boundary, "LinearRing"), "coordinates", _written(ring.coords))


def _written(positions: Iterable[tuple[float, ...]]) -> str:
    return " ".join(f"{lon!r},{lat!r}" for lon, lat in positions)
