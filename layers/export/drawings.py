"""Files for programs that draw: KML 2.2 with the map's colours as styles, and DXF in metres.

Both have a folder or layer for each of ours. In KML a feature's id is that of its placemark, and not among
the attributes: readers have one field ``id``.
"""

from __future__ import annotations

import io
import re
from collections import OrderedDict
from collections.abc import Iterable
from xml.etree import ElementTree as ET

import numpy as np
import shapely
from ezdxf import units
from ezdxf._options import options
from ezdxf.document import Drawing
from ezdxf.entities.dxfgfx import DXFGraphic
from ezdxf.enums import TextEntityAlignment
from ezdxf.filemanagement import new
from ezdxf.layouts.layout import Modelspace
from shapely.geometry import MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from geodata.crs import LONLAT
from geodata.messages import strip_unprintable
from layers.export.job import Job, Part, Value, columns_of, flatten_rows
from layers.export.styles import Look, rule_of
from layers.export.texts import find_inside, geometries_of

_NAMESPACE = "http://www.opengis.net/kml/2.2"
_TYPES = {"string": "string", "number": "double", "integer": "int", "boolean": "bool", "date": "string"}
_FILL, _BACKDROP, _SOLID = "8C", "1F", "FF"  # opacity: 55 %, 12 %, all
_WIDTH = "1.6"
APPLICATION = "WEIHAI_LAYOUT"
MEMBERS = ("id", "name_zh", "geometry_method", "positional_accuracy_m")  # that each shape carries
NAME_M = 200.0  # height of a name
_FORBIDDEN = re.compile(r'[<>/\\":;?*|=`,\s]+')
_MAX_TEXT = 250  # bytes of one text that a shape carries
_MAX_NAME = 150  # bytes of a layer's name, to which more is added


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


def write_dxf(job: Job) -> bytes:
    """Return the drawing of every layer of the job, AutoCAD 2010 and later, one unit a metre.

    Holes are polylines like any other. A point whose place is known is a point with its name.
    """
    options.write_fixed_meta_data_for_testing = True  # a file does not depend on the clock
    drawing = new("R2010", units=units.M)
    drawing.appids.add(APPLICATION)
    drawing.styles.add("names", font="simsun.ttf")
    for number, part in enumerate([part for part in job.parts if part.spatial]):
        _add_part(drawing, part, job.spec.frame, colour=1 + number % 7)
    classes = drawing.classes  # the library adds them in the order of a set
    classes.add_required_classes(drawing.dxfversion)
    classes.classes = OrderedDict(sorted(classes.classes.items()))
    text = io.StringIO()
    drawing.write(text)
    content: bytes = drawing.encode(text.getvalue())
    return content


def _add_part(drawing: Drawing, part: Part, frame: str, *, colour: int) -> None:
    title = _shorten(_FORBIDDEN.sub(" ", part.info["title"]["zh"]), _MAX_NAME)
    if title in drawing.layers:  # in letters of either case
        title = f"{title} ({part.id})"
    names = f"{title}-名称"
    drawing.layers.add(title, color=colour)
    drawing.layers.add(names, color=colour)
    space = drawing.modelspace()
    for values, geometry in zip(part.properties, geometries_of(part, frame), strict=True):
        if geometry is None:
            continue
        said = [(1000, _shorten(f"{name}={values.get(name)}")) for name in MEMBERS if name in values]
        for shape in _draw(space, geometry, title):
            shape.set_xdata(APPLICATION, [*said, (1000, f"crs={frame}")])
        text = space.add_text(
            str(values["name_zh"]), height=NAME_M, dxfattribs={"layer": names, "style": "names"}
        )
        text.set_placement(find_inside(geometry), align=TextEntityAlignment.MIDDLE_CENTER)


def _draw(space: Modelspace, geometry: BaseGeometry, layer: str) -> list[DXFGraphic]:
    """Draw a geometry, (east, north) in metres, and return its shapes."""
    attributes = {"layer": layer}
    if geometry.geom_type == "Point":
        return [space.add_point(geometry.coords[0], dxfattribs=attributes)]
    shapes: list[DXFGraphic] = []
    for ring in shapely.get_rings(shapely.get_parts(geometry)):
        shape = space.add_lwpolyline((), close=True, dxfattribs=attributes)
        # All corners at once, without widths and bulges: one by one, every corner copies those before it.
        shape.lwpoints.extend(np.pad(shapely.get_coordinates(ring)[:-1], ((0, 0), (0, 3))))
        shapes.append(shape)
    return shapes


def _shorten(text: str, size: int = _MAX_TEXT) -> str:
    return text.encode()[:size].decode(errors="ignore")
