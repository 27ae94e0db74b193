"""Parse query parameters; every refusal names the parameter, the value and what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode

from flask import request

from geodata import crs
from geodata.coordinates import CoordinateError, parse_coordinates
from layers.cql.tree import FilterError
from webmap.problems import BadParameterError

PROJECTED = ("EPSG:4549", "EPSG:4550", "EPSG:3857")  # lon and lat then hold metres east and north
METRES = "米 / metres"
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
View = TypeVar("View", bound=Callable[..., Any])
LON_RANGE, LAT_RANGE = (-180.0, 180.0), (-90.0, 90.0)
_EXAMPLES = """a = 'x' AND b > 1, a LIKE 'x%', {"op": ">", "args": [{"property": "b"}, 1]}"""


def takes(*names: str) -> Callable[[View], View]:
    """Make a document's view refuse every parameter but `names` and ``lang``.

    Pages pass over what they do not know: whoever passes a link on may have added something.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(*given: Any, **values: Any) -> Any:
            refuse_unknown((*names, "lang"))
            return view(*given, **values)

        return cast("View", checked)

    return wrap


def refuse_unknown(known: Collection[str], arguments: Mapping[str, str] | None = None) -> None:
    """Raise BadParameterError for a parameter, of the request's, that would be passed over in silence."""
    for given, value in (request.args if arguments is None else arguments).items():
        if given not in known:
            close = get_close_matches(given, known, n=3, cutoff=0.5)
            raise BadParameterError(
                "error.unknown_parameter",
                parameter=given,
                value=value,
                allowed=", ".join(known),
                near=[{"id": one, "label": one} for one in close],
            )


def parse_position() -> tuple[float, float]:
    """Return ``lon`` and ``lat`` of the request as WGS 84 degrees, from the frame that ``crs`` names.

    In a projected frame ``lon`` and ``lat`` hold metres east and north. Raises
    :class:`~webmap.problems.BadParameterError` for a missing, malformed or impossible value, and
    says so where longitude and latitude look swapped. ``at`` may hold both as people write them.
    """
    frame = parse_frame()
    text = request.args.get("at", "")
    if text.strip():
        return _to_lonlat(*_parse_text(text, frame), frame)
    projected = frame in PROJECTED
    lon = _number("lon", METRES if projected else _span(LON_RANGE))
    lat = _number("lat", METRES if projected else _span(LAT_RANGE))
    if not projected:
        _refuse_swapped(lon, lat)
        _refuse_outside("lon", lon, LON_RANGE)
        _refuse_outside("lat", lat, LAT_RANGE)
    return _to_lonlat(lon, lat, frame)


def parse_frame() -> str:
    """Return the frame that ``crs`` names; CRS84 without."""
    asked = request.values.get("crs", "CRS84")
    frame = asked.upper().replace("GCJ02", "GCJ-02").replace("BD09", "BD-09")
    if frame not in crs.FRAMES:
        raise BadParameterError("error.choice", parameter="crs", value=asked, allowed=", ".join(crs.FRAMES))
    return frame


def _parse_text(text: str, frame: str) -> tuple[float, float]:
    """Return the position that `text` writes; asks, with both answers at hand, where the order is unclear."""
    try:
        return parse_coordinates(text, frame)
    except CoordinateError as error:
        near = [_reading(x, y, frame) for x, y in error.options]
        if error.kind == "metres":
            near = list(_metric_readings(text))
        raise BadParameterError(
            f"error.at_{error.kind}", parameter="at", value=text.strip(), allowed=frame, near=near
        ) from error


def _metric_readings(text: str) -> Iterator[dict[str, str]]:
    """Yield what `text` means in each projected frame that can hold it."""
    for frame in PROJECTED:
        with suppress(CoordinateError, BadParameterError):
            x, y = parse_coordinates(text, frame)
            lon, lat = _to_lonlat(x, y, frame)
            label = f"{frame}: lon={lon:.4f}, lat={lat:.4f}"
            yield _reading(x, y, frame) | {"id": label, "label": label}


def _reading(x: float, y: float, frame: str) -> dict[str, str]:
    query = {"lon": f"{x:.12g}", "lat": f"{y:.12g}"} | ({"crs": frame} if frame != crs.LONLAT else {})
    label = f"x={x:.12g}, y={y:.12g}" if frame in PROJECTED else f"lon={x:.12g}, lat={y:.12g}"
    return {"id": label, "label": label, "href": f"/lookup?{urlencode(query)}"}


def _number(name: str, allowed: str) -> float:
    text = request.args.get(name)
    if text is None or not text.strip():
        raise BadParameterError("error.missing", parameter=name, value=text, allowed=allowed)
    value = float(text) if NUMBER.fullmatch(text.strip()) else math.nan
    if not math.isfinite(value):
        raise BadParameterError("error.number", parameter=name, value=text, allowed=allowed)
    return value


def _span(limits: tuple[float, float]) -> str:
    return f"[{limits[0]:g}, {limits[1]:g}]"


def _refuse_swapped(lon: float, lat: float) -> None:
    if abs(lat) > LAT_RANGE[1] and abs(lon) <= LAT_RANGE[1] and abs(lat) <= LON_RANGE[1]:
        hint = f"lon={lat:g}&lat={lon:g}"
        allowed = _span(LAT_RANGE)
        raise BadParameterError(
            "error.swapped", parameter="lat", value=f"{lat:g}", allowed=allowed, hint=hint
        )


def _refuse_outside(name: str, value: float, limits: tuple[float, float]) -> None:
    low, high = limits
    if not low <= value <= high:
        raise BadParameterError("error.range", parameter=name, value=f"{value:g}", allowed=_span(limits))


def _to_lonlat(x: float, y: float, frame: str) -> tuple[float, float]:
    """Return degrees; refuses a position that the frame does not reach, whatever the library makes of it."""
    lon, lat = (float(value) for value in crs.transform(x, y, frame, crs.LONLAT))
    on_earth = LON_RANGE[0] <= lon <= LON_RANGE[1] and LAT_RANGE[0] <= lat <= LAT_RANGE[1]
    if not on_earth:  # also where a value is not a number
        raise BadParameterError("error.projected", parameter="lon", value=f"{x:g}", allowed=frame)
    return lon, lat


def parse_query() -> str:
    """Return ``q``, at most 200 characters; raises where it is missing or longer."""
    text = request.args.get("q", "")
    limit = 200
    if len(text) > limit:
        raise BadParameterError("error.length", parameter="q", value=f"{len(text)}", allowed=f"0-{limit}")
    return text


def to_refusal(error: FilterError) -> BadParameterError:
    """Return what is wrong with a filter as the error of the parameter."""
    allowed = ", ".join(error.allowed) or (_EXAMPLES if error.code == "syntax" else "")
    return refusal(f"ogc.filter.{error.code}", "filter", error.value, allowed, error.near)


def refusal(
    key: str, parameter: str, value: str, allowed: str, near: Collection[str] = ()
) -> BadParameterError:
    """Return the error of one parameter; `near` are values that may have been meant."""
    rows = [{"id": one, "label": one} for one in near]
    return BadParameterError(key, parameter=parameter, value=value, allowed=allowed, near=rows)
