"""The look of every layer, the same as on the map: one rule for each kind and way of knowing its edge.

Plain values, made once for a release; QML, SLD, the QGIS project beside its
GeoPackage and the mapfile for WFS 2.0 are written from them here, KML elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, TypedDict
from xml.etree import ElementTree as ET

import yaml

from geodata import crs
from geodata.boundaries import GeoJsonFeature
from geodata.messages import UNPRINTABLE, strip_unprintable
from geodata.own_layers import OwnLayer
from layers.cartography import STYLE, Edge, shade
from layers.catalogue import Layer, Theme
from layers.export.job import Job, Part, columns_of
from layers.export.texts import bounds_of, definition, geometries_of, pack, type_of
from layers.features import choose_colour
from layers.map_types import MapDocument

_QGS_DOCTYPE = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_QGS_GEOMETRIES = {"point": "Point", "polygon": "Polygon", "none": "No geometry"}
SERVED = ("EPSG:4490", *crs.PROJECTED, "EPSG:4326", "EPSG:3857")
GRIDS = {  # of tiles: their upper left corner as (north, east), scale of the first level, levels
    "EPSG:4490": "90.0,-180.0,279541132.0143589,18",
    "EPSG:3857": "20037508.342789244,-20037508.342789244,559082264.0287178,19",
}
PRECISION = 9  # decimals of coordinates by WFS
Group = tuple[str, list[Part]]


class Rule(TypedDict):
    """How some features of a layer are drawn; every feature where `values` is empty and `method` None."""

    values: list[str]  # of the layer's attribute
    method: str | None  # how the edge is known
    label: str
    colour: str
    edge: str
    dash: list[float]  # in screen points
    hatch: bool
    fill: bool
    solid: bool
    symbol: str | None
    backdrop: bool


class Look(TypedDict):
    """The look of one layer: the attribute that tells rules apart, whether names are drawn, the rules."""

    theme: str | None
    attribute: str
    geometry: str
    labels: bool
    rules: list[Rule]


VERSION = "3.22.16"
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_GEOMETRIES = {"point": "0", "polygon": "2"}
_SOLID = 1.0  # opacity
_INK, _HALO = STYLE.day("name"), STYLE.day("land")  # of names, and of what is around them
_SYMBOLS = {"circle", "square", "triangle", "diamond", "star", "cross"}
_POINT_TO_MM = 0.26458  # a screen point at 96 to the inch
_HORIZONTAL, _AROUND = "4", "0"  # where QGIS puts the names of polygons, of points
_NAMES = {
    "xmlns": "http://www.opengis.net/sld",
    "xmlns:ogc": "http://www.opengis.net/ogc",
    "version": "1.0.0",
}


def read_words() -> dict[str, Any]:
    """Return the looks outside the themes and the words that only files use."""
    path = Path(__file__).with_name("styles.yaml")
    words: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return words


def build_looks(
    layers: Mapping[str, Layer],
    themes: tuple[Theme, ...],
    payload: MapDocument,
    features: Mapping[str, list[GeoJsonFeature]],
) -> dict[str, Look]:
    """Return the looks by layer; `payload` is the map's own, in Chinese."""
    words = read_words()
    entries: dict[str, list[Any]] = {theme["id"]: [*theme["legend"]] for theme in payload["themes"]}
    looks: dict[str, Look] = {}
    for layer in layers.values():
        if layer.geometry == "none":
            continue
        if layer.own:
            looks[layer.id] = build_own_look(layer.own, layer.geometry)
            continue
        theme = next((one for one in themes if layer.id in one.layers and one.colour_by != "cluster"), None)
        attribute = "id" if theme and theme.colour_by == "feature" else "kind"
        legend = entries[theme.id] if theme else [_ground_entry(layer, words)]
        backdrop = bool(theme and len(theme.layers) > 1 and layer.id == theme.layers[0])
        rows = [row["properties"] | {"edge": _edge(row, payload)} for row in features[layer.id]]
        drawn = _Legend(attribute, rows, words, backdrop=backdrop)
        looks[layer.id] = {
            "theme": theme.id if theme else None,
            "attribute": attribute,
            "geometry": layer.geometry,
            "labels": legend[0].get("labels", True),
            "rules": [rule for entry in legend for rule in drawn.rules(entry)],
        }
    return looks


def build_own_look(declared: OwnLayer, geometry: str) -> Look:
    """Return how files draw a layer of the operator's own: by the values of a choice, else in one colour."""
    chosen = declared.field(declared.style.by) if declared.style.by else None
    rows = [
        (value.zh, [value.zh], choose_colour(declared, chosen, number))
        for number, value in enumerate(chosen.values if chosen else ())
        if chosen
    ]
    symbol = declared.style.symbol if geometry == "point" else None
    return {
        "theme": None,
        "attribute": chosen.name if chosen else "id",
        "geometry": geometry,
        "labels": False,
        "rules": [
            _plain_rule(values, label, colour, symbol)
            for label, values, colour in rows
            or [(declared.title.zh, [], declared.style.colour or STYLE.own.plain)]
        ],
    }


def _plain_rule(values: list[str], label: str, colour: str, symbol: str | None) -> Rule:
    return {
        "values": values,
        "method": None,
        "label": label,
        "colour": colour,
        "edge": shade(colour, STYLE.shades.edge),
        "dash": [],
        "hatch": False,
        "fill": True,
        "solid": False,
        "symbol": symbol,
        "backdrop": False,
    }


def _edge(row: GeoJsonFeature, payload: MapDocument) -> str | None:
    """Return whose line a feature is drawn with, as on the map; its own method's where the map has it not."""
    shown = payload["features"].get(row["id"])
    method = row["properties"]["geometry_method"]
    return (shown["edge"] if shown else None) or (str(method) if method else None)


def _ground_entry(layer: Layer, words: dict[str, Any]) -> dict[str, Any]:
    """Return the look of a layer that no theme draws: its own, or that of quiet outlines or points."""
    own: dict[str, Any] = words["grounds"].get(layer.id) or words["grounds"]["towns"]
    symbol = "circle" if layer.geometry == "point" else None
    colour = STYLE.hues[own["hue"]] if "hue" in own else STYLE.day(own["ink"])
    return {"keys": [], "label": layer.title.zh, "symbol": symbol, "letter": None, "colour": colour} | own


class _Legend:
    """Makes rules of a legend's entries: one for each way that the entry's features are known by."""

    def __init__(
        self, attribute: str, rows: list[dict[str, Any]], words: dict[str, Any], *, backdrop: bool
    ) -> None:
        self._attribute = attribute
        self._rows = rows
        self._methods = words["methods"]
        self._backdrop = backdrop

    def rules(self, entry: dict[str, Any]) -> list[Rule]:
        own = [row for row in self._rows if not entry["keys"] or row[self._attribute] in entry["keys"]]
        if entry["symbol"]:
            return [self._rule(entry, own, None)] if own else []
        methods = sorted({row["geometry_method"] for row in own}, key=list(self._methods).index)
        return [self._rule(entry, own, method) for method in methods]

    def _rule(self, entry: dict[str, Any], own: list[dict[str, Any]], method: str | None) -> Rule:
        found = [row for row in own if method in (None, row["geometry_method"])]
        edges = {row["edge"] for row in found}
        known = edges.pop() if method and len(edges) == 1 else method
        line = STYLE.edges[known] if known else Edge()
        label = f"{entry['label']}（{self._methods[known]['zh']}）" if known else entry["label"]
        return {
            "values": sorted({row[self._attribute] for row in found}) if entry["keys"] else [],
            "method": method,
            "label": label,
            "colour": entry["colour"],
            "edge": shade(entry["colour"], STYLE.shades.edge),
            "dash": list(line.dash),
            "hatch": line.hatch,
            "fill": entry.get("fill", True),
            "solid": entry.get("solid", False),
            "symbol": entry["symbol"],
            "backdrop": self._backdrop,
        }


def rule_of(look: Look, properties: dict[str, Any]) -> int | None:
    """Return the index of the rule that draws a feature, or None."""
    for index, rule in enumerate(look["rules"]):
        fits = not rule["values"] or properties[look["attribute"]] in rule["values"]
        if fits and rule["method"] in (None, properties.get("geometry_method")):
            return index
    return None


def write_qml(look: Look, part: Part) -> str:
    """Return the style of a layer as a document of its own."""
    root = ET.Element("qgis", version=VERSION, styleCategories="Symbology|Labeling|Fields")
    add_style(root, look, part)
    return _DOCTYPE + ET.tostring(strip_unprintable(root), encoding="unicode")


def add_style(parent: ET.Element, look: Look, part: Part) -> None:
    """Add renderer, labels and names of fields to a style or to a layer of a project."""
    _add_renderer(parent, look)
    if look["labels"]:
        _add_labels(parent, look)
    add_aliases(parent, part)
    ET.SubElement(parent, "layerGeometryType").text = _GEOMETRIES[look["geometry"]]


def to_filter(look: Look, rule: Rule) -> str:
    """Return the expression that a rule's features fulfil, empty for all."""
    tests = []
    if rule["values"]:
        values = ", ".join("'{}'".format(value.replace("'", "''")) for value in rule["values"])
        tests.append(f'"{look["attribute"]}" IN ({values})')
    if rule["method"]:
        tests.append(f"\"geometry_method\" = '{rule['method']}'")
    return " AND ".join(tests)


def _add_renderer(parent: ET.Element, look: Look) -> None:
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


def _add_symbol(parent: ET.Element, name: str, rule: Rule, geometry: str) -> None:
    kind = "marker" if geometry == "point" else "fill"
    symbol = ET.SubElement(parent, "symbol", type=kind, name=name, alpha="1", clip_to_extent="1")
    if kind == "marker":
        _add_layer(symbol, "SimpleMarker", _marker(rule))
        return
    if rule["fill"]:
        area = {"color": _colour(rule["colour"], _opacity(rule)), "style": "solid", "outline_style": "no"}
        _add_layer(symbol, "SimpleFill", area)
    if rule["hatch"]:
        _add_hatch(symbol, f"@{name}@1", rule)
    _add_layer(symbol, "SimpleLine", _line(rule))


def _opacity(rule: Rule) -> float:
    if rule["solid"]:
        return _SOLID
    return STYLE.opacity["file-backdrop" if rule["backdrop"] or rule["hatch"] else "file"]


def _add_hatch(symbol: ET.Element, name: str, rule: Rule) -> None:
    pattern = {"angle": "45", "distance": "1.8", "distance_unit": "MM", "line_width": "0.3"}
    layer = _add_layer(symbol, "LinePatternFill", pattern | {"color": _colour(rule["colour"], _SOLID)})
    inner = ET.SubElement(layer, "symbol", type="line", name=name, alpha="1", clip_to_extent="1")
    line = {"line_color": _colour(rule["colour"], _SOLID), "line_width": "0.3", "line_width_unit": "MM"}
    _add_layer(inner, "SimpleLine", line)


def _line(rule: Rule) -> dict[str, str]:
    edge = {"line_color": _colour(rule["edge"], _SOLID), "line_style": "solid", "joinstyle": "round"}
    edge |= {
        "line_width": f"{STYLE.lines['file'].width * _POINT_TO_MM:.2f}",
        "line_width_unit": "MM",
        "capstyle": "flat",
    }
    if rule["dash"]:
        dashes = ";".join(f"{length * _POINT_TO_MM:.2f}" for length in rule["dash"])
        edge |= {"use_custom_dash": "1", "customdash": dashes, "customdash_unit": "MM"}
    return edge


def _marker(rule: Rule) -> dict[str, str]:
    shape = rule["symbol"] if rule["symbol"] in _SYMBOLS else "circle"
    return {
        "name": "cross_fill" if shape == "cross" else shape,
        "color": _colour(rule["colour"], _SOLID),
        "outline_color": _colour(rule["edge"], _SOLID),
        "outline_width": "0.3",
        "size": "3.4",
        "size_unit": "MM",
    }


def _add_layer(symbol: ET.Element, kind: str, values: dict[str, str]) -> ET.Element:
    layer = ET.SubElement(symbol, "layer", {"class": kind, "enabled": "1", "locked": "0", "pass": "0"})
    for key, value in values.items():
        ET.SubElement(layer, "prop", k=key, v=value)
    return layer


def _add_labels(parent: ET.Element, look: Look) -> None:
    point = look["geometry"] == "point"
    settings = ET.SubElement(ET.SubElement(parent, "labeling", type="simple"), "settings")
    style = ET.SubElement(
        settings,
        "text-style",
        {"fieldName": "name_zh", "fontFamily": "Noto Sans CJK SC", "fontSize": "8" if point else "10"}
        | {
            "fontSizeUnit": "Point",
            "textColor": _colour(_INK, _SOLID),
            "textOpacity": "1",
            "isExpression": "0",
        },
    )
    ET.SubElement(
        style,
        "text-buffer",
        {
            "bufferDraw": "1",
            "bufferSize": "0.9",
            "bufferSizeUnits": "MM",
            "bufferColor": _colour(_HALO, _SOLID),
        }
        | {"bufferOpacity": "0.9"},
    )
    ET.SubElement(
        settings, "placement", {"placement": _AROUND if point else _HORIZONTAL, "dist": "1" if point else "0"}
    )
    ET.SubElement(settings, "rendering", {"drawLabels": "1", "obstacle": "1" if point else "0"})


def add_aliases(parent: ET.Element, part: Part) -> None:
    """Add the Chinese titles of a part's fields, as the attribute table shows them."""
    aliases = ET.SubElement(parent, "aliases")
    for index, column in enumerate(columns_of(part), 1):
        ET.SubElement(aliases, "alias", field=column.name, index=str(index), name=column.title("zh"))


def _colour(colour: str, opacity: float) -> str:
    channels = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    return ",".join(map(str, (*channels, round(255 * opacity))))


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


def _add_rule(parent: ET.Element, look: Look, rule: Rule) -> None:
    node = ET.SubElement(parent, "Rule")
    ET.SubElement(node, "Name").text = rule["label"]
    ET.SubElement(node, "Title").text = rule["label"]
    _add_tests(node, look, rule)
    if look["geometry"] == "point":
        _add_mark(node, rule)
    else:
        _add_polygon(node, rule)
    if look["labels"]:
        _add_name(node)


def _add_tests(parent: ET.Element, look: Look, rule: Rule) -> None:
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


def _add_polygon(parent: ET.Element, rule: Rule) -> None:
    if rule["fill"]:
        area = ET.SubElement(ET.SubElement(parent, "PolygonSymbolizer"), "Fill")
        _set(area, {"fill": rule["colour"], "fill-opacity": f"{_opacity(rule):g}"})
    if rule["hatch"]:
        area = ET.SubElement(ET.SubElement(parent, "PolygonSymbolizer"), "Fill")
        graphic = ET.SubElement(ET.SubElement(area, "GraphicFill"), "Graphic")
        mark = ET.SubElement(graphic, "Mark")
        ET.SubElement(mark, "WellKnownName").text = "shape://slash"
        _set(ET.SubElement(mark, "Stroke"), {"stroke": rule["colour"], "stroke-width": "1"})
        ET.SubElement(graphic, "Size").text = "7"
    edge = {
        "stroke": rule["edge"],
        "stroke-width": f"{STYLE.lines['file'].width:g}",
        "stroke-linejoin": "round",
    }
    if rule["dash"]:
        edge["stroke-dasharray"] = " ".join(map(str, rule["dash"]))
    _set(ET.SubElement(ET.SubElement(parent, "LineSymbolizer"), "Stroke"), edge)


def _add_mark(parent: ET.Element, rule: Rule) -> None:
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


def _add_name(parent: ET.Element) -> None:
    text = ET.SubElement(parent, "TextSymbolizer")
    ET.SubElement(ET.SubElement(text, "Label"), "ogc:PropertyName").text = "name_zh"
    _set(ET.SubElement(text, "Font"), {"font-family": "Noto Sans CJK SC", "font-size": "12"})
    halo = ET.SubElement(text, "Halo")
    ET.SubElement(halo, "Radius").text = "1.5"
    _set(ET.SubElement(halo, "Fill"), {"fill": _HALO})
    _set(ET.SubElement(text, "Fill"), {"fill": _INK})


def _set(parent: ET.Element, values: dict[str, str]) -> None:
    for name, value in values.items():
        ET.SubElement(parent, "CssParameter", name=name).text = value


def write_qgz(job: Job) -> bytes:
    """Return the project alone; the GeoPackage must lie in the same folder under its own name."""
    return pack({f"{job.stem}.qgs": write_qgs(job)}, job.about.date)


def write_qgs(job: Job) -> bytes:
    """Return the project as XML: a group for each theme of the map, the first one shown."""
    title = job.about.plan["title"]["zh"]
    root = ET.Element("qgis", version=f"{VERSION}-Białowieża", projectname=title)
    ET.SubElement(root, "title").text = title
    _add_frame(ET.SubElement(root, "projectCrs"), job.spec.code)
    groups = _groups(job)
    _add_tree(root, groups, job)
    _add_canvas(root, job)
    layers = ET.SubElement(root, "projectlayers")
    for _, parts in groups:
        for part in parts:
            _add_map_layer(layers, part, job)
    properties = ET.SubElement(root, "properties")
    ET.SubElement(ET.SubElement(properties, "Paths"), "Absolute", type="bool").text = "false"
    frames = ET.SubElement(properties, "SpatialRefSys")
    ET.SubElement(frames, "ProjectionsEnabled", type="int").text = "1"
    _add_services(properties, job)
    content: bytes = _QGS_DOCTYPE + ET.tostring(strip_unprintable(root), encoding="UTF-8")
    return content


def write_mapfile(job: Job) -> bytes:
    """Return what MapServer serves the layers from by WFS 2.0, which QGIS Server does not have.

    Frames are named as MapServer needs them for the axes of the authority: not ``init=epsg:…``.
    """
    about = job.about
    service = {
        "title": about.plan["title"]["zh"],
        "abstract": f"{about.plan['number']} {about.words['schematic']['zh']}",
        "fees": "none",
        "accessconstraints": "LICENSE-DATA.md",
        "srs": " ".join(SERVED),
        "enable_request": "*",
        "compute_number_matched": "true",
    }
    layers = "".join(_map_layer(part, job) for part in job.parts if part.spatial)
    text = f"""MAP
  NAME {_quoted(job.stem)}
  EXTENT {_search_box(job)}
  PROJECTION {_quoted(job.spec.code)} END
  WEB METADATA
{_metadata("wfs", service)}  END END
{layers}END
"""
    return text.encode()


def _search_box(job: Job) -> str:
    """Return where MapServer looks for what a filter is to find, in the frame of the file.

    Twice as wide as all places, for it is turned into the frame that is asked for, where a tight box
    would cut off what lies at its edges.
    """
    places = (geometries_of(part, job.spec.frame) for part in job.parts)
    west, south, east, north = bounds_of(chain(*places)) or (0.0, 0.0, 1.0, 1.0)
    wide, high = (east - west) / 2, (north - south) / 2
    return f"{west - wide:.6f} {south - high:.6f} {east + wide:.6f} {north + high:.6f}"


def _map_layer(part: Part, job: Job) -> str:
    point = part.info["geometry"] == "point"
    title = {"title": part.info["title"]["zh"], "abstract": part.info["description"]["zh"]}
    written = {
        "featureid": "id",
        "include_items": "all",
        "types": "auto",
        "geometries": "geom",
        "geom_type": "point" if point else "multipolygon",
        "geom_occurances": "0,1",
    }
    return f"""  LAYER
    NAME {_quoted(part.id)}
    TYPE {"POINT" if point else "POLYGON"}
    CONNECTIONTYPE OGR
    CONNECTION {_quoted(f"{job.stem}.gpkg")}
    DATA {_quoted(part.id)}
    PROJECTION {_quoted(job.spec.code)} END
    METADATA
{_metadata("wfs", title | {"geometry_precision": str(PRECISION)})}{_metadata("gml", written)}    END
  END
"""


def _metadata(service: str, values: dict[str, str]) -> str:
    return "".join(f"    {_quoted(f'{service}_{name}')} {_quoted(text)}\n" for name, text in values.items())


def _quoted(text: str) -> str:
    """Return a text as MapServer reads it: on one line, of marks only the quotation mark is escaped."""
    plain = " ".join(UNPRINTABLE.sub("", text).split())
    return '"' + plain.replace("\\", "/").replace('"', '\\"') + '"'


def _add_services(properties: ET.Element, job: Job) -> None:
    """Say what QGIS Server offers from the project: every layer by WMS, WMTS and WFS, in these systems."""
    about = job.about
    for tag, text in (
        ("WMSServiceTitle", about.plan["title"]["zh"]),
        ("WMSServiceAbstract", f"{about.plan['number']}\n{about.words['schematic']['zh']}"),
        ("WMSFees", "none"),
        ("WMSAccessConstraints", "LICENSE-DATA.md"),
    ):
        ET.SubElement(properties, tag, type="QString").text = text
    ET.SubElement(properties, "WMSServiceCapabilities", type="bool").text = "true"
    _add_list(properties, "WMSCrsList", SERVED)
    offered = [_id(part) for part in job.parts]
    _add_list(properties, "WFSLayers", offered)
    precision = ET.SubElement(properties, "WFSLayersPrecision")
    for name in offered:
        ET.SubElement(precision, name.replace("-", "_"), type="int").text = str(PRECISION)
    for tag in ("WMTSLayers", "WMTSPngLayers"):
        tiled = ET.SubElement(properties, tag)
        ET.SubElement(tiled, "Project", type="bool").text = "true"
        _add_list(tiled, "Layer", [_id(part) for part in job.parts if part.spatial])
    grids = ET.SubElement(properties, "WMTSGrids")
    _add_list(grids, "CRS", list(GRIDS))
    _add_list(grids, "Config", [f"{frame},{grid}" for frame, grid in GRIDS.items()])


def _add_list(parent: ET.Element, tag: str, texts: Sequence[str]) -> None:
    node = ET.SubElement(parent, tag, type="QStringList")
    for text in texts:
        ET.SubElement(node, "value").text = text


def _groups(job: Job) -> list[Group]:
    """Return the layers from the top down: by theme, then the ground, then the tables."""
    words, looks = job.about.words, job.about.looks
    spatial = [part for part in job.parts if part.spatial]
    themes = [(theme["title"], theme["id"]) for theme in job.about.themes]
    groups = [
        (title, [part for part in reversed(spatial) if looks[part.id]["theme"] == theme])
        for title, theme in themes
    ]
    groups.append((words["ground"]["zh"], [part for part in spatial if looks[part.id]["theme"] is None]))
    groups.append((words["tables"]["zh"], [part for part in job.parts if not part.spatial]))
    return [group for group in groups if group[1]]


def _add_tree(root: ET.Element, groups: list[Group], job: Job) -> None:
    tree = ET.SubElement(root, "layer-tree-group")
    for number, (title, parts) in enumerate(groups):
        shown = number == 0 or title == job.about.words["ground"]["zh"]
        state = "Qt::Checked" if shown else "Qt::Unchecked"
        group = ET.SubElement(
            tree, "layer-tree-group", name=title, checked=state, expanded="1" if number == 0 else "0"
        )
        for part in parts:
            ET.SubElement(
                group,
                "layer-tree-layer",
                {"id": _id(part), "name": part.info["title"]["zh"], "providerKey": "ogr"}
                | {"checked": state if part.id != "towns" else "Qt::Unchecked", "expanded": "0"}
                | {"source": _source(part, job)},
            )


def _add_map_layer(parent: ET.Element, part: Part, job: Job) -> None:
    layer = ET.SubElement(
        parent, "maplayer", type="vector", geometry=_QGS_GEOMETRIES[part.info["geometry"]], labelsEnabled="1"
    )
    for tag, text in (
        ("id", _id(part)),
        ("datasource", _source(part, job)),
        ("layername", part.info["title"]["zh"]),
        ("shortname", part.id),
        ("abstract", f"{part.info['description']['zh']}\n{job.about.words['schematic']['zh']}"),
    ):
        ET.SubElement(layer, tag).text = text
    ET.SubElement(layer, "provider", encoding="UTF-8").text = "ogr"
    if part.spatial:
        layer.set("wkbType", type_of(part))
        _add_frame(ET.SubElement(layer, "srs"), job.spec.code)
        add_style(layer, job.about.looks[part.id], part)
    else:
        add_aliases(layer, part)


def _id(part: Part) -> str:
    """Return a name for a layer of the project; QGIS gives one of its own to any below ten letters."""
    return f"plan_layer_{part.id}"


def _source(part: Part, job: Job) -> str:
    return f"./{job.stem}.gpkg|layername={part.id}"


def _add_frame(parent: ET.Element, frame: str) -> None:
    """Describe a coordinate frame; QGIS finds it by its code."""
    found = definition(frame)
    node = ET.SubElement(parent, "spatialrefsys")
    for tag, text in (
        ("wkt", found.to_wkt("WKT2_2019")),
        ("authid", frame),
        ("srid", frame.rpartition(":")[2]),
        ("description", found.name),
        ("geographicflag", "false" if crs.is_projected(frame) else "true"),
    ):
        ET.SubElement(node, tag).text = text


def _add_canvas(root: ET.Element, job: Job) -> None:
    """Show the places of the first theme, whole."""
    shown = [part for part in job.parts if part.spatial and part.id != "land"]
    bounds = bounds_of([geometry for part in shown for geometry in geometries_of(part, job.spec.frame)])
    canvas = ET.SubElement(root, "mapcanvas", name="theMapCanvas", annotationsVisible="1")
    ET.SubElement(canvas, "units").text = "meters" if crs.is_projected(job.spec.code) else "degrees"
    extent = ET.SubElement(canvas, "extent")
    for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), bounds or (0.0,) * 4, strict=True):
        ET.SubElement(extent, tag).text = repr(value)
    _add_frame(ET.SubElement(canvas, "destinationsrs"), job.spec.code)
