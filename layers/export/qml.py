"""The look of a layer as QGIS reads it (QML), alone for ``layer_styles`` or inside a project."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from geodata.letters import strip_unprintable
from layers.export.flat import columns_of
from layers.export.job import Part
from layers.export.looks import Look

VERSION = "3.22.16"
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_GEOMETRIES = {"point": "0", "polygon": "2"}
_FILL, _BACKDROP, _SOLID = 140, 31, 255  # opacity: 55 %, 12 %, all
_PAPER = "247,244,236,255"  # of the halo around names
_INK = "43,42,38,255"
_SYMBOLS = {"circle", "square", "triangle", "diamond", "star", "cross"}
_POINT_TO_MM = 0.26458  # a screen point at 96 to the inch
_HORIZONTAL, _AROUND = "4", "0"  # where QGIS puts the names of polygons, of points


def write_qml(look: Look, part: Part) -> str:
    """Return the style of a layer as a document of its own."""
    root = ET.Element("qgis", version=VERSION, styleCategories="Symbology|Labeling|Fields")
    add_style(root, look, part)
    return _DOCTYPE + ET.tostring(strip_unprintable(root), encoding="unicode")


def add_style(parent: Any, look: Look, part: Part) -> None:
    """Add renderer, labels and names of fields to a style or to a layer of a project."""
    _add_renderer(parent, look)
    if look["labels"]:
        _add_labels(parent, look)
    add_aliases(parent, part)
    ET.SubElement(parent, "layerGeometryType").text = _GEOMETRIES[look["geometry"]]


def to_filter(look: Look, rule: dict[str, Any]) -> str:
    """Return the expression that a rule's features fulfil, empty for all."""
    tests = []
    if rule["values"]:
        values = ", ".join(f"'{value}'" for value in rule["values"])
        tests.append(f'"{look["attribute"]}" IN ({values})')
    if rule["method"]:
        tests.append(f"\"geometry_method\" = '{rule['method']}'")
    return " AND ".join(tests)


def _add_renderer(parent: Any, look: Look) -> None:
    renderer = ET.SubElement(
        parent, "renderer-v2", type="RuleRenderer", forceraster="0", symbollevels="0", enableorderby="0"
    )
    rules = ET.SubElement(renderer, "rules", key="{root}")
    symbols = ET.SubElement(renderer, "symbols")
    for index, rule in enumerate(look["rules"]):
        attributes = {"key": f"{{{index}}}", "symbol": str(index), "label": rule["label"]}
        expression = to_filter(look, rule)
        ET.SubElement(rules, "rule", attributes | ({"filter": expression} if expression else {}))
        _add_symbol(symbols, str(index), rule, look["geometry"])


def _add_symbol(parent: Any, name: str, rule: dict[str, Any], geometry: str) -> None:
    kind = "marker" if geometry == "point" else "fill"
    symbol = ET.SubElement(parent, "symbol", type=kind, name=name, alpha="1", clip_to_extent="1")
    if kind == "marker":
        _add_layer(symbol, "SimpleMarker", _marker(rule))
        return
    if rule["fill"]:
        faint = rule["backdrop"] or rule["hatch"]
        opacity = _SOLID if rule["solid"] else _BACKDROP if faint else _FILL
        area = {"color": _colour(rule["colour"], opacity), "style": "solid", "outline_style": "no"}
        _add_layer(symbol, "SimpleFill", area)
    if rule["hatch"]:
        _add_hatch(symbol, f"@{name}@1", rule)
    _add_layer(symbol, "SimpleLine", _edge(rule))


def _add_hatch(symbol: Any, name: str, rule: dict[str, Any]) -> None:
    pattern = {"angle": "45", "distance": "1.8", "distance_unit": "MM", "line_width": "0.3"}
    layer = _add_layer(symbol, "LinePatternFill", pattern | {"color": _colour(rule["colour"], _SOLID)})
    inner = ET.SubElement(layer, "symbol", type="line", name=name, alpha="1", clip_to_extent="1")
    line = {"line_color": _colour(rule["colour"], _SOLID), "line_width": "0.3", "line_width_unit": "MM"}
    _add_layer(inner, "SimpleLine", line)


def _edge(rule: dict[str, Any]) -> dict[str, str]:
    edge = {"line_color": _colour(rule["edge"], _SOLID), "line_style": "solid", "joinstyle": "round"}
    edge |= {"line_width": f"{1.6 * _POINT_TO_MM:.2f}", "line_width_unit": "MM", "capstyle": "flat"}
    if rule["dash"]:
        dashes = ";".join(f"{length * _POINT_TO_MM:.2f}" for length in rule["dash"])
        edge |= {"use_custom_dash": "1", "customdash": dashes, "customdash_unit": "MM"}
    return edge


def _marker(rule: dict[str, Any]) -> dict[str, str]:
    shape = rule["symbol"] if rule["symbol"] in _SYMBOLS else "circle"
    return {
        "name": "cross_fill" if shape == "cross" else shape,
        "color": _colour(rule["colour"], _SOLID),
        "outline_color": _colour(rule["edge"], _SOLID),
        "outline_width": "0.3",
        "size": "3.4",
        "size_unit": "MM",
    }


def _add_layer(symbol: Any, kind: str, values: dict[str, str]) -> Any:
    layer = ET.SubElement(symbol, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    for key, value in values.items():
        ET.SubElement(layer, "prop", k=key, v=value)
    return layer


def _add_labels(parent: Any, look: Look) -> None:
    point = look["geometry"] == "point"
    settings = ET.SubElement(ET.SubElement(parent, "labeling", type="simple"), "settings")
    style = ET.SubElement(
        settings,
        "text-style",
        {"fieldName": "name_zh", "fontFamily": "Noto Sans CJK SC", "fontSize": "8" if point else "10"}
        | {"fontSizeUnit": "Point", "textColor": _INK, "textOpacity": "1", "isExpression": "0"},
    )
    ET.SubElement(
        style,
        "text-buffer",
        {"bufferDraw": "1", "bufferSize": "0.9", "bufferSizeUnits": "MM", "bufferColor": _PAPER}
        | {"bufferOpacity": "0.9"},
    )
    ET.SubElement(
        settings, "placement", {"placement": _AROUND if point else _HORIZONTAL, "dist": "1" if point else "0"}
    )
    ET.SubElement(settings, "rendering", {"drawLabels": "1", "obstacle": "1" if point else "0"})


def add_aliases(parent: Any, part: Part) -> None:
    """Add the Chinese titles of a part's fields, as the attribute table shows them."""
    aliases = ET.SubElement(parent, "aliases")
    for index, column in enumerate(columns_of(part), 1):
        ET.SubElement(aliases, "alias", field=column.name, index=str(index), name=column.title("zh"))


def _colour(colour: str, opacity: int) -> str:
    return ",".join(str(int(colour[start : start + 2], 16)) for start in (1, 3, 5)) + f",{opacity}"
