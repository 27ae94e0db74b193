"""Which formats there are, what each can hold, and in which coordinate frames it comes.

Standard library only, for the web process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geodata import crs
from geodata.city import read_city
from geodata.crs import LONLAT

PLAN: Final = "plan"  # the data set of everything: all layers, all tables
WGS84: Final = "EPSG:4326"
# GCJ-02 and BD-09 are displays of web maps: no file is written in them.
FRAMES: Final = tuple(frame for frame in crs.FRAMES if frame not in (LONLAT, *crs.SHIFTED))
FIXED: Final = (LONLAT,)
# Degrees, and the metres that are in use in the city, first those of paper.
LOCAL: Final = ("EPSG:4490", *sorted(crs.PROJECTED, key=lambda frame: frame != read_city().paper))
GEOMETRIES: Final = ("wkt", "lonlat", "none")  # what a table of text says of a place


@dataclass(frozen=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    id
        The extension that its address ends in.
    holds
        What one file can be of: ``layer``, ``table``, ``plan``.
    frames
        The coordinate frames that it comes in, the default first.
    geometry
        The default of ``?geometry=`` where a reader may choose how a place is written.
    """

    id: str
    media_type: str
    holds: tuple[str, ...]
    frames: tuple[str, ...] = FIXED
    geometry: str | None = None


_LAYER, _TABLE, _BOTH, _ALL = ("layer",), ("table",), ("layer", "table"), ("layer", "table", "plan")
_ZIP: Final = "application/zip"
_ALL_FORMATS: Final = (
    Format("gpkg", "application/geopackage+sqlite3", ("layer", "plan"), FRAMES),
    Format("geojson", "application/geo+json", ("layer", "plan")),
    Format("json", "application/json", _TABLE),
    Format("shp.zip", _ZIP, ("layer", "plan"), FRAMES),
    Format("gdb.zip", _ZIP, ("layer", "plan"), (*LOCAL, WGS84)),
    Format("dxf", "image/vnd.dxf", ("layer", "plan"), LOCAL[1:]),
    Format("fgb", "application/vnd.flatgeobuf", _LAYER, FRAMES),
    Format("pmtiles", "application/vnd.pmtiles", _LAYER),
    Format("parquet", "application/vnd.apache.parquet", _BOTH, FRAMES),
    Format("kml", "application/vnd.google-earth.kml+xml", ("layer", "plan")),
    Format("topojson", "application/json", ("layer", "plan")),
    Format("csv", "text/csv; charset=utf-8", _BOTH, FRAMES, "lonlat"),
    Format(
        "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _ALL, FRAMES, "lonlat"
    ),
    Format("qgz", "application/x-qgis-project", ("plan",), FRAMES),
    Format("qgis.zip", _ZIP, ("plan",), FRAMES),
)
FORMATS: Final = {one.id: one for one in _ALL_FORMATS}


def formats_of(holds: str) -> tuple[Format, ...]:
    """Return the formats that a ``layer``, a ``table`` or the ``plan`` comes in."""
    return tuple(one for one in _ALL_FORMATS if holds in one.holds)
