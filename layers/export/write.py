"""Write one file: the only place that knows which module makes which format."""

from __future__ import annotations

from collections.abc import Callable

from layers.export.columnar import write_parquet, write_xlsx
from layers.export.drawings import write_dxf, write_kml
from layers.export.job import ExportRequest, Job, build_job
from layers.export.styles import write_mapfile, write_qgs, write_qgz
from layers.export.texts import pack, write_csv, write_geojson, write_table_json, write_topojson
from layers.export.vector import (
    write_flatgeobuf,
    write_geodatabase,
    write_geopackage,
    write_pmtiles,
    write_shapefile,
)


def _write_bundle(job: Job) -> bytes:
    """Return a zip of the GeoPackage, the project that opens it, and the mapfile that serves it."""
    files = {
        f"{job.stem}.gpkg": write_geopackage(job),
        f"{job.stem}.qgs": write_qgs(job),
        f"{job.stem}.map": write_mapfile(job),
        "LICENSE-DATA.md": job.about.licence.encode(),
    }
    return pack(files, job.about.date)


_WRITERS: dict[str, Callable[[Job], bytes]] = {
    "geojson": write_geojson,
    "json": write_table_json,
    "csv": write_csv,
    "xlsx": write_xlsx,
    "gpkg": write_geopackage,
    "shp.zip": write_shapefile,
    "gdb.zip": write_geodatabase,
    "dxf": write_dxf,
    "fgb": write_flatgeobuf,
    "pmtiles": write_pmtiles,
    "parquet": write_parquet,
    "kml": write_kml,
    "topojson": write_topojson,
    "qgz": write_qgz,
    "qgis.zip": _write_bundle,
}


def make_download(line: bytes) -> bytes:
    """Return the file that a line of :class:`~layers.export.job.ExportRequest` asks for, in a child."""
    return write_file(build_job(ExportRequest.from_line(line)))


def write_file(job: Job) -> bytes:
    """Return the file of a job; raises KeyError for an unknown format."""
    return _WRITERS[job.spec.format](job)
