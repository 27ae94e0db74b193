"""The look of a layer as SLD 1.0, for programs other than QGIS."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from geodata.letters import strip_unprintable
from layers.export.job import Part
from layers.export.looks import Look

_NAMES = {
    "xmlns": "http://www.opengis.net/sld",
    "xmlns:ogc": "http://www.opengis.net/ogc",
    "version": "1.0.0",
}
_FILL, _BACKDROP = "0.55", "0.12"
_INK, _PAPER = "#2B2A26", "#F7F4EC"


def write_sld(look: Look, part: Part) -> str:
    """Return the style of a layer: a rule for each kind, dashed or hatched edges, names in Chinese."""
    root = ET.Element("StyledLayerDescriptor", _NAMES)
    layer = ET.SubElement(root, "NamedLayer")
    ET.SubElement(layer, "Name").text = part.id
    style = ET.SubElement(layer, "UserStyle")
    ET.SubElement(style, "Name").text = part.id
    ET.SubElement(style, "Title").text = part.info["title"]["zh"]
    rules = ET.SubElement(style, "FeatureTypeStyle")
    for rule in look["rules"]:
        _add_rule(rules, look, rule)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(
        strip_unprintable(root), encoding="unicode"
    )


def _add_rule(parent: Any, look: Look, rule: dict[str, Any]) -> None:
    node = ET.SubElement(parent, "Rule")
    ET.SubElement(node, "Name").text = rule["label"]
    ET.SubElement(node, "Title").text = rule["label"]
    _add_filter(node, look, rule)
    if look["geometry"] == "point":
        _add_mark(node, rule)
    else:
        _add_polygon(node, rule)
    if look["labels"]:
        _add_text(node)


def _add_filter(parent: Any, look: Look, rule: dict[str, Any]) -> None:
    either = [(look["attribute"], value) for value in rule["values"]]
    both = [("geometry_method", rule["method"])] if rule["method"] else []
    if not either and not both:
        return
    node = ET.SubElement(parent, "ogc:Filter")
    if either and both:
        node = ET.SubElement(node, "ogc:And")
    for tests in (either, both):
        group = ET.SubElement(node, "ogc:Or") if len(tests) > 1 else node
        for name, value in tests:
            equal = ET.SubElement(group, "ogc:PropertyIsEqualTo")
            ET.SubElement(equal, "ogc:PropertyName").text = name
            ET.SubElement(equal, "ogc:Literal").text = value


def _add_polygon(parent: Any, rule: dict[str, Any]) -> None:
    if rule["fill"]:
        faint = _BACKDROP if rule["backdrop"] or rule["hatch"] else _FILL
        area = ET.SubElement(ET.SubElement(parent, "PolygonSymbolizer"), "Fill")
        _set(area, {"fill": rule["colour"], "fill-opacity": "1" if rule["solid"] else faint})
    if rule["hatch"]:
        area = ET.SubElement(ET.SubElement(parent, "PolygonSymbolizer"), "Fill")
        graphic = ET.SubElement(ET.SubElement(area, "GraphicFill"), "Graphic")
        mark = ET.SubElement(graphic, "Mark")
        ET.SubElement(mark, "WellKnownName").text = "shape://slash"
        _set(ET.SubElement(mark, "Stroke"), {"stroke": rule["colour"], "stroke-width": "1"})
        ET.SubElement(graphic, "Size").text = "7"
    edge = {"stroke": rule["edge"], "stroke-width": "1.6", "stroke-linejoin": "round"}
    if rule["dash"]:
        edge["stroke-dasharray"] = " ".join(map(str, rule["dash"]))
    _set(ET.SubElement(ET.SubElement(parent, "LineSymbolizer"), "Stroke"), edge)


def _add_mark(parent: Any, rule: dict[str, Any]) -> None:
    graphic = ET.SubElement(ET.SubElement(parent, "PointSymbolizer"), "Graphic")
    mark = ET.SubElement(graphic, "Mark")
    # SLD has no diamond: a square turned by 45 degrees.
    shape = "square" if rule["symbol"] == "diamond" else rule["symbol"] or "circle"
    ET.SubElement(mark, "WellKnownName").text = shape
    _set(ET.SubElement(mark, "Fill"), {"fill": rule["colour"]})
    _set(ET.SubElement(mark, "Stroke"), {"stroke": rule["edge"], "stroke-width": "1"})
    ET.SubElement(graphic, "Size").text = "11"
    if rule["symbol"] == "diamond":
        ET.SubElement(graphic, "Rotation").text = "45"


def _add_text(parent: Any) -> None:
    text = ET.SubElement(parent, "TextSymbolizer")
    ET.SubElement(ET.SubElement(text, "Label"), "ogc:PropertyName").text = "name_zh"
    _set(ET.SubElement(text, "Font"), {"font-family": "Noto Sans CJK SC", "font-size": "12"})
    halo = ET.SubElement(text, "Halo")
    ET.SubElement(halo, "Radius").text = "1.5"
    _set(ET.SubElement(halo, "Fill"), {"fill": _PAPER})
    _set(ET.SubElement(text, "Fill"), {"fill": _INK})


def _set(parent: Any, values: dict[str, str]) -> None:
    for name, value in values.items():
        ET.SubElement(parent, "CssParameter", name=name).text = value
