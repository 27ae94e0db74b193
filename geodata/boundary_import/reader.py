"""Read a file of boundaries in any supported format.

A boundary lies in the plane: heights and measures (Z, M, ZM) are dropped silently. What a file declares -
features, rings, positions - is compared with what was read. GDAL (pyogrio) is imported only when a file is
read: the web process never does.
"""

from __future__ import annotations

import json
import mmap
import re
import shutil
import tempfile
import warnings
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundary_import import coordinate_lists, corner_tables
from geodata.boundary_import.coordinate_lists import GDAL_OPTIONS, LINE_TYPES, CoordinateText
from geodata.boundary_import.formats import (
    SPATIAL,
    TABULAR,
    XML_DECLARED,
    XML_HEAD,
    Declared,
    check_companions,
    check_entries,
    check_file,
    companion,
    complete_esri,
    count_arcs,
    count_json,
    count_kml,
    count_read,
    count_shapefile,
    decode_rows,
    decode_text,
    decode_xml,
    detect_format,
    find_drawing_unit,
    hash_file,
    is_cut_answer,
    is_utf8,
    parse_json,
    read_cpg,
    read_geojson_crs,
    refuse_format,
    refuse_unreadable_json,
    repair_xml,
    unescape_drawing,
    unpack,
    unwrap_json,
)
from geodata.boundary_import.issues import (
    Issue,
    RefusedError,
    Texts,
    build_issue,
    join_terms,
    join_texts,
    phrase,
    term,
)

MAX_FEATURES: Final = 2_000

MAX_VERTICES: Final = 1_000_000
_FREE_VERTICES: Final = 100_000  # drawn from arcs, however often from each
_MAX_ARC_USES: Final = 20  # on the average; neighbours share an arc, and so do a few levels of districts
MAX_LAYERS_SHOWN: Final = 20  # in one message
POLYGONS: Final = frozenset({"Polygon", "MultiPolygon"})
_MAX_SHOWN: Final = 80  # characters of what was given
_GEOJSON_DEFAULT_CRS: Final = "EPSG:4326"  # what GDAL takes a GeoJSON for that names no system it knows
_FEATURES_SAMPLED: Final = 200  # features of a layer that does not declare their type
_SIMPLE_TYPES: Final = POLYGONS | {"Point", "MultiPoint", "LineString", "MultiLineString"}
_POSITION: Final = re.compile(rb"\[\s*-?\d")
DRIVERS: Final = frozenset(
    {
        *("GeoJSON", "GPKG", "ESRI Shapefile", "KML", "LIBKML", "FlatGeobuf", "OpenFileGDB", "DXF"),
        *("ESRIJSON", "TopoJSON", "GML", "GPX", "MapInfo File", "XLSX", "ODS"),
        "GeoJSONSeq",
    }
)
_BYTES: Final = "ISO-8859-1"  # in which every byte is a letter: attributes are decoded later
OPEN_OPTIONS: Final[dict[str, dict[str, str]]] = {
    "gml": {"DOWNLOAD_SCHEMA": "NO", "WRITE_GFS": "NO"},
}
WORKBOOKS: Final = frozenset({"xlsx", "ods"})
_LINK: Final = re.compile(r"<href>\s*(https?://[^<\s]+)")
_PLANES: Final = ("LOCAL_CS", "ENGCRS")  # of drawings that are nowhere on the earth
_RING_STEP: Final = 0.01  # units of a drawing, by which a ring drawn twice may differ


@dataclass(frozen=True)
class SourceFeature:
    """One feature as the file has it."""

    path: str  # file, layer and place in it
    properties: Mapping[str, object]
    geometry: BaseGeometry | None
    flaw: str | None = None  # what had to be repaired before it could be read at all


@dataclass
class BoundaryFile:
    """The content of a file; coordinates as they stand in it, x before y."""

    name: str
    sha256: str
    crs: str | None  # as WKT or authority code; None where the file names none
    features: list[SourceFeature]
    issues: list[Issue] = field(default_factory=list)


@dataclass(frozen=True)
class ReadOptions:
    """What the user says of a file: which layer, in which encoding, which columns are east and north."""

    table: str | None = None
    encoding: str | None = None
    columns: str | None = None


@dataclass(frozen=True)
class _Source:
    """One file that is read: what messages call it, its format, and a folder for what has to be written."""

    path: Path
    name: str
    kind: str
    options: ReadOptions
    folder: Path


@dataclass(frozen=True)
class LayerSummary:
    """One layer: its name, its title for people, and whether it holds polygons or lines."""

    name: str
    title: Texts
    polygons: bool
    lines: bool = False


def read_boundary_file(
    path: Path, table: str | None = None, encoding: str | None = None, columns: str | None = None
) -> BoundaryFile:
    """Read one file, or the folder of a File Geodatabase.

    `table` chooses a layer, sheet, layer of a drawing, or file of an archive; `encoding` is that of a
    Shapefile or a text; `columns` names the columns of the east and north coordinate of a table. Raises
    :class:`~geodata.boundary_import.issues.RefusedError` for a file that cannot be used at all.
    """
    check_file(path)
    options = ReadOptions(table, encoding, columns)
    try:
        digest = hash_file(path)
        with tempfile.TemporaryDirectory(prefix="boundary-") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # GDAL's warnings are superseded by the checks
            found = _read_source(path, path.name, options, Path(folder))
    except OSError as error:  # deleted or locked meanwhile
        raise RefusedError(build_issue("not-readable", path.name, reason=error.strerror or "?")) from error
    found.sha256 = digest
    if not found.features:
        raise RefusedError(build_issue("file-empty", path.name))
    return found


def _read_source(path: Path, name: str, options: ReadOptions, folder: Path) -> BoundaryFile:
    """Read a file of any format; `name` is what messages call it, `folder` for what has to be written."""
    kind = detect_format(path, name if path.name == name else f"{name}/{path.name}")
    source = _Source(path, name, kind, options, folder)
    return _READERS.get(kind, _read_with_gdal)(source)


def _read_with_gdal(source: _Source) -> BoundaryFile:
    return _GdalReader(source.name, source.path, source.kind).read(source.options.table)


def _read_archive(source: _Source) -> BoundaryFile:
    """Read the data set of an archive: the one that is named, the only one, or the only one with polygons."""
    path, name, options, folder = source.path, source.name, source.options, source.folder
    found = _find_data_files(name, unpack(path, folder / "unpacked"))
    if options.table is not None and len(found) > 1:
        named = [one for one in found if options.table in {one.name, one.stem}]
        if named:
            found, options = named, ReadOptions(None, options.encoding, options.columns)
    if len(found) == 1:
        return _read_source(found[0], name, options, folder)
    inside = [one.name for one in found[:MAX_LAYERS_SHOWN]]
    names = ", ".join(inside[:10])
    read: list[tuple[Path, BoundaryFile]] = []
    for inner in found[:MAX_LAYERS_SHOWN]:
        try:
            content = _read_source(inner, name, options, folder)
        except RefusedError as error:
            if error.issue.code == "file-empty":
                continue
            raise RefusedError(build_issue("zip-ambiguous", name, names=names, choices=inside)) from error
        if any(one.geometry is not None and one.geometry.geom_type in POLYGONS for one in content.features):
            read.append((inner, content))
    if len(read) != 1:
        raise RefusedError(build_issue("zip-ambiguous", name, names=names, choices=inside))
    inner, content = read[0]
    content.issues.append(build_issue("data-chosen", name, chosen=inner.name, names=names, choices=inside))
    return content


def _holds_coordinates(path: Path) -> bool:
    """Tell whether a text or table in an archive is a list of coordinates and no accompanying note."""
    try:
        return bool(_read_source(path, path.name, ReadOptions(), path.parent).features)
    except RefusedError as error:
        return error.issue.code not in {"unknown-format", "format-refused"}


def _read_text(source: _Source) -> BoundaryFile:
    """Read corner points in the exchange format, WKT, or a table of corner points."""
    path, name, options = source.path, source.name, source.options
    content = path.read_bytes()
    text = decode_text(name, content, options.encoding)
    if coordinate_lists.is_exchange_text(text):
        found: CoordinateText | None = coordinate_lists.read_exchange_text(name, text)
    elif coordinate_lists.is_wkt(text):
        found = coordinate_lists.read_wkt_text(name, text)
    else:
        rows = corner_tables.split_rows(text)
        found = corner_tables.read_point_table(name, rows, options.columns)
    if found is None:
        if coordinate_lists.describes_in_words(text):
            raise refuse_format("words", name)
        if "encodeOffsets" in text:
            raise refuse_format("echarts", name)
        raise RefusedError(build_issue("unknown-format", name))
    return _to_boundary_file(name, found)


def _read_workbook(source: _Source) -> BoundaryFile:
    """Read the sheet of a workbook that holds corner points; `options.table` names one."""
    path, name, options = source.path, source.name, source.options
    import pyogrio

    with zipfile.ZipFile(path) as archive:
        check_entries(path, [entry for entry in archive.infolist() if not entry.is_dir()])
    with gdal_errors(name, path):
        sheets = [str(row[0]) for row in pyogrio.list_layers(path)]
    if options.table is not None:
        if options.table not in sheets:
            values = {"table": options.table[:_MAX_SHOWN], "layers": join_texts(sheets), "choices": sheets}
            raise RefusedError(build_issue("unknown-table", name, **values))
        sheets = [options.table]
    found: list[tuple[str, CoordinateText]] = []
    failed: list[RefusedError] = []
    for sheet in sheets[:MAX_LAYERS_SHOWN]:
        try:
            with gdal_errors(name, path):
                rows = read_sheet(path, sheet)
            table = corner_tables.read_point_table(name, rows, options.columns)
        except RefusedError as error:
            failed.append(error)
        else:
            found += [(sheet, table)] if table and table.plots else []
    if not found:
        raise failed[0] if failed else RefusedError(build_issue("columns-unknown", name, columns="-"))
    if len(found) > 1:
        raise RefusedError(
            build_issue(
                "several-layers",
                name,
                layers=join_texts(sheet for sheet, _ in found),
                choices=[sheet for sheet, _ in found],
            )
        )
    return _to_boundary_file(name, found[0][1])


def read_sheet(path: Path, sheet: str, most: int | None = None) -> list[list[str]]:
    """Return the cells of a sheet of a workbook as texts, its titles too; at most so many rows."""
    import pyogrio

    if cells := corner_tables.list_unreckoned(path, sheet):
        raise RefusedError(build_issue("formulas-unreckoned", path.name, sheet=sheet, cells=cells))
    # As open options GDAL forgets these at the last sheet, whose first row is then taken for names.
    plain = {f"OGR_{kind.upper()}_HEADERS": "DISABLE" for kind in WORKBOOKS}
    plain |= {f"OGR_{kind.upper()}_FIELD_TYPES": "STRING" for kind in WORKBOOKS}
    pyogrio.set_gdal_config_options(plain)
    try:
        columns = pyogrio.raw.read(path, layer=sheet, read_geometry=False, max_features=most)[3]
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(plain))
    return [["" if cell is None else str(cell) for cell in row] for row in zip(*columns, strict=True)]


def _find_data_files(name: str, every: Sequence[Path]) -> list[Path]:
    """Return the spatial files, or where there are none the texts and tables that may hold coordinates."""
    found = [path for path in every if path.suffix.lower() in SPATIAL]
    if not found:
        found = [path for path in every if path.suffix.lower() in TABULAR]
        found = [path for path in found if _holds_coordinates(path)]
    if not found:
        for path in every:
            try:
                detect_format(path, f"{name}/{path.name}")
            except RefusedError as error:
                if error.issue.code == "format-refused":
                    raise
        raise RefusedError(build_issue("zip-nothing", name))
    return found


def _to_boundary_file(name: str, text: CoordinateText) -> BoundaryFile:
    positions = sum(len(ring) for plot in text.plots for ring in plot.rings)
    if positions > MAX_VERTICES:
        raise RefusedError(build_issue("too-many-vertices", name, count=positions, limit=MAX_VERTICES))
    if len(text.plots) > MAX_FEATURES:
        limits = {"count": len(text.plots), "limit": MAX_FEATURES}
        raise RefusedError(build_issue("too-many-features", name, **limits))
    titles = list(dict.fromkeys(key for plot in text.plots for key in plot.properties))
    features = [
        SourceFeature(
            f"{name}#{number}", {key: plot.properties.get(key) for key in titles}, plot.to_geometry()
        )
        for number, plot in enumerate(text.plots, start=1)
    ]
    return BoundaryFile(name, "", text.crs, features, text.issues)


def _read_json(source: _Source) -> BoundaryFile:
    """Read GeoJSON, TopoJSON, Esri JSON, or the answer of a district service."""
    path, name, options = unwrap_json(source.path, source.folder), source.name, source.options
    _check_positions(name, path)
    content = parse_json(name, path)
    service = coordinate_lists.read_district_json(name, content)
    if service is not None:
        return _to_boundary_file(name, service)
    refuse_unreadable_json(name, path.read_bytes())
    whole = complete_esri(content)
    if whole is not content:
        content, path = whole, source.folder / "whole.json"
        path.write_text(json.dumps(whole), encoding="utf-8")
    declared = count_json(content)
    is_topology = isinstance(content, dict) and content.get("type") == "Topology"
    if declared is None:
        raise RefusedError(build_issue("unknown-format", name))
    if isinstance(content, dict) and is_topology:
        given, drawn = count_arcs(name, content)
        limit = min(MAX_VERTICES, max(_FREE_VERTICES, given * _MAX_ARC_USES))
        if drawn > limit:
            raise RefusedError(build_issue("too-many-vertices", name, count=drawn, limit=limit))
    found = _GdalReader(name, path, "json").read(options.table, declared)
    if is_topology and found.crs is None:
        found.crs = crs.LONLAT  # as every GeoJSON; numbers that are no degrees are found out later
    elif found.crs in {None, _GEOJSON_DEFAULT_CRS}:
        found.crs = _find_geojson_crs(path, found.crs)
    if coordinate_lists.is_datav([feature.properties for feature in found.features]):
        told = coordinate_lists.read_vocabulary()["services"]["datav"]
        found.issues.append(build_issue("from-service", name, service=told, crs="GCJ-02"))
        found.crs = "GCJ-02"
    return found


def _check_positions(name: str, source: Path) -> None:
    """Count the positions of a JSON before it is parsed."""
    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        count = sum(1 for _ in _POSITION.finditer(content))
    if count > MAX_VERTICES:
        raise RefusedError(build_issue("too-many-vertices", name, count=count, limit=MAX_VERTICES))


def _find_geojson_crs(path: Path, read: str | None) -> str | None:
    """Return the coordinate system that a GeoJSON names, whether it is known or not."""
    named = read_geojson_crs(path)
    try:
        return read if named is None or crs.read_definition(named) in {crs.LONLAT, read} else named
    except ValueError:
        return named


def _read_xml(source: _Source) -> BoundaryFile:
    """Read KML, GML or GPX from a copy in UTF-8: GDAL knows few encodings, and writes beside a GML."""
    path, name, kind, options, folder = source.path, source.name, source.kind, source.options, source.folder
    text = decode_xml(name, path.read_bytes())
    text = XML_DECLARED.sub(r"\1", text[:XML_HEAD], count=1) + text[XML_HEAD:]
    text = repair_xml(text)
    if kind == "kml" and "Placemark" not in text:  # GDAL only calls it unreadable
        link = _LINK.search(text)
        if link is not None:
            raise RefusedError(build_issue("linked-elsewhere", name, link=link[1][:_MAX_SHOWN]))
        raise RefusedError(build_issue("file-empty", name))
    copy = Path(tempfile.mkdtemp(dir=folder)) / f"{path.stem}.{kind}"  # GDAL names the layer after the file
    copy.write_text(text, encoding="utf-8")
    try:
        declared = count_kml(copy) if kind == "kml" else Declared()
    except ET.ParseError as error:
        raise RefusedError(build_issue("not-readable", name, reason=str(error)[:200])) from error
    return _GdalReader(name, copy, kind).read(options.table, declared)


def _read_shapefile(source: _Source) -> BoundaryFile:
    """Read a Shapefile; its attributes are decoded here, as no two programs agree on their encoding."""
    path, name, options, folder = source.path, source.name, source.options, source.folder
    check_companions(path, name, "shp")
    declared = count_shapefile(path)
    projection = companion(path, ".prj")
    if projection is not None and not projection.read_bytes().isascii():
        copies = Path(tempfile.mkdtemp(dir=folder))
        for suffix in (".shp", ".shx", ".dbf", ".cpg"):
            part = companion(path, suffix)
            if part is not None:
                shutil.copy(part, copies / f"source{suffix}")
        text = decode_text(name, projection.read_bytes())
        (copies / "source.prj").write_text(text, encoding="utf-8")
        path = copies / "source.shp"
    found = _GdalReader(name, path, "shp").read(options.table, declared, encoding=_BYTES)
    return _decode_features(name, found, options.encoding, read_cpg(path))


def _read_mapinfo(source: _Source) -> BoundaryFile:
    if source.kind == "tab":
        check_companions(source.path, source.name, source.kind)
    found = _GdalReader(source.name, source.path, source.kind).read(source.options.table, encoding=_BYTES)
    return _decode_features(source.name, found, source.options.encoding, "utf-8", names_too=False)


def _decode_features(
    name: str, found: BoundaryFile, given: str | None, named: str | None, *, names_too: bool = True
) -> BoundaryFile:
    attributes = [dict(row.properties) for row in found.features]
    rows, issues = decode_rows(name, attributes, given, named, names_too=names_too)
    found.features = [replace(row, properties=said) for row, said in zip(found.features, rows, strict=True)]
    found.issues += issues
    return found


def _read_dxf(source: _Source) -> BoundaryFile:
    """Read the closed lines and areas of one layer of a drawing; arcs within 0.1 m.

    Rings within others are holes. Open lines come back as lines.
    """
    path, name, options = source.path, source.name, source.options
    content = path.read_bytes()
    utf8 = is_utf8(content)
    with _gdal_option("DXF_ENCODING", "UTF-8" if utf8 and not content.isascii() else None):
        found = _GdalReader(name, path, "dxf").read(None)
    found.features = [replace(row, properties=unescape_drawing(row.properties)) for row in found.features]
    layers: dict[str, list[SourceFeature]] = defaultdict(list)
    for feature in found.features:
        layers[str(feature.properties.get("Layer"))].append(feature)
    chosen = _choose_drawing_layer(name, layers, options.table, found.issues)
    shapes = [row.geometry for row in layers[chosen] if row.geometry is not None]
    scale, told = find_drawing_unit(name, content, shapes)
    found.issues += told
    found.features = _build_plots(name, chosen, layers[chosen], scale)
    found.crs = None
    return found


def _choose_drawing_layer(
    name: str, layers: Mapping[str, Sequence[SourceFeature]], wanted: str | None, issues: list[Issue]
) -> str:
    titles = {
        layer: _describe_shapes(layer, [row.geometry for row in rows]) for layer, rows in layers.items()
    }
    shown = join_texts(row.title for row in list(titles.values())[:MAX_LAYERS_SHOWN])
    if wanted is not None:
        if wanted not in layers:
            values = {"table": wanted[:_MAX_SHOWN], "layers": shown, "choices": list(titles)}
            raise RefusedError(build_issue("unknown-table", name, **values))
        return wanted
    areas = [
        layer
        for layer, rows in layers.items()
        if any(coordinate_lists.list_rings(row.geometry) for row in rows)
    ]
    candidates = areas or [layer for layer, row in titles.items() if row.lines]
    if len(candidates) != 1:
        if not layers:
            raise RefusedError(build_issue("file-empty", name))
        raise RefusedError(build_issue("several-layers", name, layers=shown, choices=candidates))
    if len(layers) > 1:
        told = {"layers": shown, "choices": list(titles)}
        issues.append(build_issue("layer-chosen", name, layer=candidates[0], **told))
    return candidates[0]


def _describe_shapes(name: str, shapes: Sequence[BaseGeometry | None]) -> LayerSummary:
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    title = phrase("layer", name=name, count=len(shapes), kind=join_terms("geometry", kinds))
    return LayerSummary(name, title, polygons=bool(kinds & POLYGONS), lines=bool(kinds & LINE_TYPES))


def _build_plots(
    name: str, layer: str, features: Sequence[SourceFeature], scale: float
) -> list[SourceFeature]:
    drawn = [ring for row in features for ring in coordinate_lists.list_rings(row.geometry)]
    rounded = [shapely.set_precision(ring, _RING_STEP, mode="pointwise") for ring in drawn]
    twins = {shapely.normalize(key).wkb: ring for key, ring in zip(rounded, drawn, strict=True)}
    rings = list(twins.values())  # an outline and its hatch are one
    area = coordinate_lists.combine_even_odd(rings) if rings else None
    shapes = list(shapely.get_parts(area)) if area is not None else [row.geometry for row in features]
    labels = [row for row in features if row.properties.get("Text") and row.geometry is not None]
    plots = []
    for number, shape in enumerate(shapes, start=1):
        inside = [
            str(row.properties["Text"])
            for row in labels
            if area is not None and shape is not None and shape.intersects(row.geometry)
        ]
        said = {"Layer": layer, "Text": inside[0] if len(inside) == 1 else None}
        plots.append(
            SourceFeature(
                f"{name}/{layer}#{number}", said, shapely.transform(shape, lambda points: points * scale)
            )
        )
    return plots


@contextmanager
def gdal_errors(name: str, source: Path) -> Iterator[None]:
    """Turn GDAL's errors into a refusal."""
    try:
        yield
    except RefusedError:
        raise
    except (RuntimeError, ValueError, OverflowError, KeyError, MemoryError) as error:
        raise RefusedError(build_issue("not-readable", name, reason=_strip_folder(error, source))) from error


@contextmanager
def _gdal_option(option: str, value: str | None) -> Iterator[None]:
    import pyogrio

    before = pyogrio.get_gdal_config_option(option)
    pyogrio.set_gdal_config_options({option: value})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({option: before})


class _GdalReader:
    """Reads one file with GDAL; what GDAL objects to becomes an issue."""

    def __init__(self, name: str, source: Path, kind: str) -> None:
        self.name, self.source, self.kind = name, source, kind
        self.options = OPEN_OPTIONS.get(kind, {})
        self.issues: list[Issue] = []

    def read(
        self, table: str | None, declared: Declared | None = None, encoding: str | None = None
    ) -> BoundaryFile:
        """Return the layer that `table` names, or the one with polygons, compared with what is `declared`."""
        import pyogrio
        from pyogrio.raw import read

        pyogrio.set_gdal_config_options(GDAL_OPTIONS)
        with gdal_errors(self.name, self.source):
            layers = [str(row[0]) for row in pyogrio.list_layers(self.source)]
            layer = self._choose_layer(layers, table)
            info = pyogrio.read_info(
                self.source, layer=layer, encoding=encoding, force_feature_count=True, **self.options
            )
            self._check_info(info)
            meta, _, shapes, columns = read(
                self.source, layer=layer, encoding=encoding, force_2d=True, **self.options
            )
            parsed = [_parse_wkb(shape) for shape in (shapes if shapes is not None else [])]
        fields = [str(one) for one in meta["fields"]]
        features = [
            SourceFeature(
                f"{self.name}/{layer}#{row + 1}",
                {name: column[row] for name, column in zip(fields, columns, strict=True)},
                *shape,
            )
            for row, shape in enumerate(parsed)
        ]
        self._check_declared(features, int(info["features"]), declared or Declared(), layers)
        if self.kind in {"json", "gml"} and is_cut_answer(self.source.read_bytes(), len(features)):
            self.issues.append(build_issue("answer-cut", self.name, read=len(features)))
        stated = None if str(meta["crs"]).startswith(_PLANES) else meta["crs"] or None
        return BoundaryFile(self.name, "", stated, features, self.issues)

    def _check_declared(
        self, features: Sequence[SourceFeature], counted: int, declared: Declared, layers: Sequence[str]
    ) -> None:
        """Refuse a file of which less was read than it declares."""
        shapes = [row.geometry for row in features]
        if len(layers) > 1 and declared.rings is not None and self.kind == "kml":
            shapes = [shape for layer in layers for shape in self._read_shapes(layer)]
        rings, positions = count_read(shapes)
        pairs = {
            "features": (declared.features if len(layers) == 1 else None, len(features)),
            "counted": (counted, len(features)),
            "rings": (declared.rings, rings),
            "positions": (declared.positions, positions),
        }
        for what, (stated, read) in pairs.items():
            if stated is not None and read < stated and len(features):
                noun = term("counted", "features" if what == "counted" else what)
                raise RefusedError(
                    build_issue("content-lost", self.name, what=noun, stated=stated, read=read)
                )

    def _read_shapes(self, layer: str) -> list[BaseGeometry | None]:
        from pyogrio.raw import read

        with gdal_errors(self.name, self.source):
            shapes = read(self.source, layer=layer, columns=[], force_2d=True, **self.options)[2]
        return [_parse_wkb(shape)[0] for shape in (shapes if shapes is not None else [])]

    def _choose_layer(self, layers: list[str], table: str | None) -> str:
        """Return the layer that is named, the only one, or the only one with polygons (or lines)."""
        if not layers:
            raise RefusedError(build_issue("file-empty", self.name))
        if table in layers or (table is None and len(layers) == 1):
            return table or layers[0]
        tables = [describe_layer(self.source, layer) for layer in layers[:MAX_LAYERS_SHOWN]]
        shown = join_texts(row.title for row in tables)
        whole = [row.name for row in tables if row.polygons] or [row.name for row in tables if row.lines]
        if table is not None:
            told = {"layers": shown, "choices": layers[:MAX_LAYERS_SHOWN]}
            raise RefusedError(build_issue("unknown-table", self.name, table=table[:_MAX_SHOWN], **told))
        if len(whole) != 1 or len(layers) > MAX_LAYERS_SHOWN:
            choices = whole or layers[:MAX_LAYERS_SHOWN]
            raise RefusedError(build_issue("several-layers", self.name, layers=shown, choices=choices))
        told = {"layers": shown, "choices": layers[:MAX_LAYERS_SHOWN]}
        self.issues.append(build_issue("layer-chosen", self.name, layer=whole[0], **told))
        return whole[0]

    def _check_info(self, info: Mapping[str, object]) -> None:
        if info["driver"] not in DRIVERS:
            raise RefusedError(build_issue("unknown-format", self.name))
        if (count := int(str(info["features"]))) > MAX_FEATURES:
            raise RefusedError(build_issue("too-many-features", self.name, count=count, limit=MAX_FEATURES))


def describe_layer(source: Path, name: str) -> LayerSummary:
    """Look into one layer of a file; raises what the reader raises."""
    import pyogrio
    from pyogrio.raw import read

    info = pyogrio.read_info(source, layer=name, force_feature_count=True)
    count = int(info["features"])
    if not count:
        return LayerSummary(name, phrase("layer_empty", name=name), polygons=False)
    kinds = {_to_flat_type(info["geometry_type"] or "")}
    if not kinds <= _SIMPLE_TYPES:
        shapes = read(source, layer=name, columns=[], max_features=_FEATURES_SAMPLED, force_2d=True)[2]
        known = shapely.from_wkb(shapes if shapes is not None else [], on_invalid="ignore")
        kinds = {shape.geom_type for shape in known if shape is not None}
    if not kinds:
        return LayerSummary(name, phrase("layer_bare", name=name, count=count), polygons=False)
    title = phrase("layer", name=name, count=count, kind=join_terms("geometry", kinds))
    return LayerSummary(name, title, polygons=bool(kinds & POLYGONS), lines=bool(kinds & LINE_TYPES))


def _to_flat_type(declared: str) -> str:
    """Return a declared type without what it says of heights and measures.

    >>> [_to_flat_type(declared) for declared in ("Polygon Z", "MultiPolygon ZM", "Point M", "Unknown")]
    ['Polygon', 'MultiPolygon', 'Point', 'Unknown']
    """
    return declared.removesuffix("M").removesuffix("Z").rstrip()


def _parse_wkb(wkb: bytes | None) -> tuple[BaseGeometry | None, str | None]:
    """Return a geometry, and what had to be done to its rings before it was one."""
    shape: BaseGeometry | None = None if wkb is None else shapely.from_wkb(wkb, on_invalid="ignore")
    if shape is None and wkb is not None:
        return shapely.from_wkb(wkb, on_invalid="fix"), "Ring is not closed"
    return shape, None


def _strip_folder(error: Exception, source: Path) -> str:
    """Return a reason without the folder it happened in."""
    text = str(error).replace(f"{source.parent}/", "").replace(str(source.parent), "")
    return text.split(";")[0].strip()[:200] or type(error).__name__


_READERS: Final = {
    "zip": _read_archive,
    "xlsx": _read_workbook,
    "ods": _read_workbook,
    "json": _read_json,
    "kml": _read_xml,
    "gml": _read_xml,
    "gpx": _read_xml,
    "shp": _read_shapefile,
    "tab": _read_mapinfo,
    "mif": _read_mapinfo,
    "dxf": _read_dxf,
    "text": _read_text,
}
