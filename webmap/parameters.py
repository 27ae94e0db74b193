"""Parse query parameters; every refusal names the parameter, the value and what is allowed."""

from __future__ import annotations

import math

from flask import request

from geodata import crs
from webmap.problems import BadParameterError

PROJECTED = ("EPSG:4549", "EPSG:4550", "EPSG:3857")  # lon and lat then hold metres east and north
LON_RANGE, LAT_RANGE = (-180.0, 180.0), (-90.0, 90.0)


def parse_position() -> tuple[float, float]:
    """Return ``lon`` and ``lat`` of the request as WGS 84 degrees, from the frame that ``crs`` names.

    Raises :class:`~webmap.problems.BadParameterError` for a missing, malformed or impossible value,
    and says so where longitude and latitude look swapped.
    """
    frame = _parse_frame()
    lon, lat = _number("lon"), _number("lat")
    if frame in PROJECTED:
        return _from_projected(lon, lat, frame)
    _refuse_swapped(lon, lat)
    _refuse_outside("lon", lon, LON_RANGE)
    _refuse_outside("lat", lat, LAT_RANGE)
    return _to_lonlat(lon, lat, frame)


def _parse_frame() -> str:
    asked = request.args.get("crs", "CRS84")
    frame = asked.upper().replace("GCJ02", "GCJ-02").replace("BD09", "BD-09")
    if frame not in crs.FRAMES:
        raise BadParameterError("error.choice", parameter="crs", value=asked, allowed=", ".join(crs.FRAMES))
    return frame


def _number(name: str) -> float:
    text = request.args.get(name)
    allowed = "[-180, 180]" if name == "lon" else "[-90, 90]"
    if text is None or not text.strip():
        raise BadParameterError("error.missing", parameter=name, value=text, allowed=allowed)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BadParameterError("error.number", parameter=name, value=text[:60], allowed=allowed)
    return value


def _refuse_swapped(lon: float, lat: float) -> None:
    if abs(lat) > LAT_RANGE[1] and abs(lon) <= LAT_RANGE[1] and abs(lat) <= LON_RANGE[1]:
        hint = f"lon={lat:g}&lat={lon:g}"
        raise BadParameterError(
            "error.swapped", parameter="lat", value=f"{lat:g}", allowed="[-90, 90]", hint=hint
        )


def _refuse_outside(name: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low <= value <= high:
        allowed = f"[{low:g}, {high:g}]"
        raise BadParameterError("error.range", parameter=name, value=f"{value:g}", allowed=allowed)


def _from_projected(x: float, y: float, frame: str) -> tuple[float, float]:
    lon, lat = _to_lonlat(x, y, frame)
    if not (math.isfinite(lon) and math.isfinite(lat)):
        raise BadParameterError("error.projected", parameter="lon", value=f"{x:g}", allowed=frame)
    return lon, lat


def _to_lonlat(x: float, y: float, frame: str) -> tuple[float, float]:
    lon, lat = crs.transform(x, y, frame, crs.LONLAT)
    return float(lon), float(lat)


def parse_query() -> str:
    """Return ``q``, at most 200 characters; raises where it is missing or longer."""
    text = request.args.get("q", "")
    limit = 200
    if len(text) > limit:
        raise BadParameterError("error.length", parameter="q", value=f"{len(text)}", allowed=f"0-{limit}")
    return text
