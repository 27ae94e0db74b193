"""The plan as a QGIS project beside its GeoPackage, styled like the map, and as a mapfile for WFS 2.0."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from xml.etree import ElementTree as ET

from geodata import crs
from geodata.letters import UNPRINTABLE, strip_unprintable
from layers.export.job import Job, Part
from layers.export.styles import VERSION, add_aliases, add_style
from layers.export.texts import bounds_of, definition, geometries_of, pack, type_of

_DOCTYPE = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
_GEOMETRIES = {"point": "Point", "polygon": "Polygon", "none": "No geometry"}
SERVED = ("EPSG:4490", *crs.PROJECTED, "EPSG:4326", "EPSG:3857")
GRIDS = {  # of tiles: their upper left corner as (north, east), scale of the first level, levels
    "EPSG:4490": "90.0,-180.0,279541132.0143589,18",
    "EPSG:3857": "20037508.342789244,-20037508.342789244,559082264.0287178,19",
}
PRECISION = 9  # decimals of coordinates by WFS
Group = tuple[str, list[Part]]


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
            _add_layer(layers, part, job)
    properties = ET.SubElement(root, "properties")
    ET.SubElement(ET.SubElement(properties, "Paths"), "Absolute", type="bool").text = "false"
    frames = ET.SubElement(properties, "SpatialRefSys")
    ET.SubElement(frames, "ProjectionsEnabled", type="int").text = "1"
    _add_services(properties, job)
    content: bytes = _DOCTYPE + ET.tostring(strip_unprintable(root), encoding="UTF-8")
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


def _add_layer(parent: ET.Element, part: Part, job: Job) -> None:
    layer = ET.SubElement(
        parent, "maplayer", type="vector", geometry=_GEOMETRIES[part.info["geometry"]], labelsEnabled="1"
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
