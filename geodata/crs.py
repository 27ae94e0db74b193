"""Read positions as people write them, change coordinates, measure on the ellipsoid: here and nowhere else.

Axis order is always (x, y) = (lon, lat) = (east, north), also for the north-first EPSG:4490 and
Gauss-Krüger: every transformer is made with ``always_xy``. Inside the product everything is WGS 84
longitude and latitude (``CRS84``). EPSG:4326 to EPSG:4490 is a null transformation in PROJ, and
taken as one here. GCJ-02 and BD-09 are shifts of Chinese web maps, for display only, never stored.
A position that is read has its order from its labels or, without them, from its figures, and only where these
leave no doubt.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from math import pi
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from geodata.city import CityError, read_city
from geodata.deferred import np, pyproj, shapely

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from shapely.geometry.base import BaseGeometry

Floats: TypeAlias = "NDArray[np.float64]"
Bounds = tuple[float, float, float, float]  # west, south, east, north

LONLAT: Final = "CRS84"
PROJECTED: Final = read_city().coordinate_systems
FRAMES: Final = ("CRS84", "EPSG:4326", "EPSG:4490", *PROJECTED, "EPSG:3857", "GCJ-02", "BD-09")
SHIFTED: Final = ("GCJ-02", "BD-09")
DEGREES: Final = ("CRS84", "EPSG:4326", "EPSG:4490")  # one and the same to PROJ, see above
METRIC: Final = tuple(frame for frame in FRAMES if frame not in (*DEGREES, *SHIFTED))


@cache
def is_north_first(frame: str) -> bool:
    """Tell whether the authority of a frame has its first axis to the north."""
    has_authority = frame in {*DEGREES[1:], *PROJECTED}
    return has_authority and pyproj.CRS(frame).axis_info[0].direction == "north"


@cache
def _find_base(frame: str) -> str:
    """Return the system of degrees that a projected system is based on: one that is taken as WGS 84."""
    system = pyproj.CRS(frame)
    base = system.geodetic_crs.to_authority() if system.is_projected and system.geodetic_crs else None
    found = ":".join(base) if base else frame
    if found not in DEGREES or system.axis_info[0].unit_name != "metre":
        raise CityError(
            f"{frame}: coordinate_systems: must be in metres and based on {' or '.join(DEGREES[1:])}"
        )
    return found


def check_frames() -> None:
    """Raise :class:`~geodata.city.CityError` for a system of the city's that positions cannot be given in."""
    for frame in METRIC:
        _find_base(frame)


GLOBE: Final = (-180.0, -90.0, 180.0, 90.0)  # west, south, east, north
_SAME_DATUMS: Final = ("World Geodetic System 1984", "China 2000", "WGS_1984", "WGS 84", "CGCS2000")

_REGION: Final = read_city().region
_CHINA: Final = (72.004, 0.8293, 137.8347, 55.8271)  # GCJ-02 is the identity outside
_KRASOVSKY_A_M: Final = 6378245.0
_KRASOVSKY_E2: Final = 0.00669342162296594323
_BAIDU_WAVE: Final = pi * 3000.0 / 180.0
_CLOSE_DEG: Final = 2e-12  # 0.2 micrometres
_MIN_SQUASH: Final = 1e-6  # at the poles a parallel has no length
_MAX_ROUNDS: Final = 50


def transform(x: ArrayLike, y: ArrayLike, source: str, target: str) -> tuple[Floats, Floats]:
    """Change coordinates from frame `source` to frame `target`, both (east, north).

    A frame is one of :data:`FRAMES` or a PROJ string such as :func:`build_equal_area` gives.
    Degrees or metres as the frame has it; the inverses of GCJ-02 and BD-09 are exact to 1e-6 m.
    Raises ValueError for an unknown frame.
    """
    lon, lat = _to_lonlat(_floats(x), _floats(y), source)
    return _from_lonlat(lon, lat, target)


def position_to_lonlat(x: float, y: float, frame: str) -> tuple[float, float] | None:
    """Return the longitude and latitude, degrees, of a position (east, north) in `frame`.

    None where it lies nowhere on the globe: some projections give figures for any position.

    >>> position_to_lonlat(122.1, 37.5, "EPSG:4490")
    (122.1, 37.5)
    >>> position_to_lonlat(37.5, 122.1, "EPSG:4490") is None
    True
    """
    lon, lat = (float(value) for value in transform(x, y, frame, LONLAT))
    west, south, east, north = GLOBE
    return (lon, lat) if west <= lon <= east and south <= lat <= north else None


def transform_geometry(geometry: BaseGeometry, source: str, target: str) -> BaseGeometry:
    """Return `geometry` with all its vertices changed from `source` to `target`."""

    def change(points: Floats) -> Floats:
        return np.column_stack(transform(points[:, 0], points[:, 1], source, target))

    changed: BaseGeometry = shapely.transform(geometry, change)
    return changed


@lru_cache(maxsize=32)  # to find the code of a written definition takes a quarter of a second
def read_definition(definition: str) -> str:
    """Return the frame, authority code or name that a coordinate system's `definition` stands for.

    `definition` is one of :data:`FRAMES`, an authority code or WKT. Raises ValueError for one that
    nobody knows, that is no system of positions on the ground, or from which none leads to WGS 84.
    """
    known = next((frame for frame in FRAMES if frame.lower() == definition.strip().lower()), None)
    if known:
        return known
    _find_operation(definition)
    system = _parse(definition)
    authority = system.to_authority(min_confidence=90)
    code = ":".join(authority) if authority else system.name
    return LONLAT if code == "OGC:CRS84" else code


def is_projected(definition: str) -> bool:
    """Tell whether positions in a system are lengths rather than degrees."""
    frame = read_definition(definition)
    return frame in METRIC if frame in FRAMES else bool(_parse(definition).is_projected)


def to_lonlat(geometry: BaseGeometry, definition: str) -> BaseGeometry:
    """Return `geometry`, (east, north) in any coordinate system, as WGS 84 lon/lat.

    Raises ValueError as :func:`read_definition` does.
    """
    frame = read_definition(definition)
    if frame in FRAMES:
        return transform_geometry(geometry, frame, LONLAT)
    transformer = _find_operation(definition)

    def change(points: Floats) -> Floats:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    changed: BaseGeometry = shapely.transform(geometry, change)
    return changed


def measure_uncertainty_m(definition: str) -> float | None:
    """Return how far off, metres, the transformation to WGS 84 may be; None where that is not known.

    CGCS2000 and WGS 84 are taken as one, see above.
    """
    if read_definition(definition) in FRAMES:
        return 0.0
    system = _parse(definition)
    datum = (system.source_crs or system).datum if system.is_bound else system.datum
    if datum is not None and any(name in datum.name for name in _SAME_DATUMS):
        return 0.0
    accuracy = _find_operation(definition).accuracy
    return accuracy if accuracy >= 0 else None


def brings_parameters(definition: str) -> bool:
    """Tell whether a definition itself says how to get to WGS 84, as ``TOWGS84`` does."""
    return read_definition(definition) not in FRAMES and bool(_parse(definition).is_bound)


@lru_cache(maxsize=32)
def _find_operation(definition: str) -> pyproj.Transformer:
    """Return what turns a system into WGS 84: one operation, the best that is meant for the region.

    Left to choose for each point, PROJ would move one half of a polygon by 75 m and not the other where
    the parameters of a datum end in the middle of the city, as those of Beijing 1954 do at some parallels.
    """
    region: Any = pyproj.aoi.AreaOfInterest(*_REGION)  # pyproj's own types name another class
    system = _parse(definition)
    try:
        group = pyproj.transformer.TransformerGroup(
            system, "EPSG:4326", always_xy=True, area_of_interest=region
        )
        return group.transformers[0]
    except (IndexError, pyproj.exceptions.ProjError) as error:  # as of a system on another planet
        raise ValueError(f"no way from {system.name!r} to WGS 84") from error


def _parse(definition: str) -> pyproj.CRS:
    try:
        system = pyproj.CRS.from_user_input(definition)
    except pyproj.exceptions.CRSError as error:
        raise ValueError(f"unknown coordinate system {definition[:80]!r}") from error
    if not (system.is_geographic or system.is_projected):
        raise ValueError(f"not a system of positions on the ground: {system.name!r}")
    return system


def read_name(frame: str) -> str:
    """Return what the EPSG registry calls a system."""
    return pyproj.CRS(frame).name


def read_false_easting_m(frame: str) -> float:
    """Return what a projected system adds to the distance east of its central meridian, metres."""
    operation = pyproj.CRS(frame).coordinate_operation
    return (
        next((float(one.value) for one in operation.params if one.name == "False easting"), 0.0)
        if operation
        else 0.0
    )


def read_transverse_mercator(frame: str) -> dict[str, float] | None:
    """Return the parameters of a transverse Mercator system from the equator; None for any other.

    ``a`` in metres and ``f`` are of the ellipsoid, ``lon`` in degrees is the central meridian, ``east`` and
    ``north`` in metres are what is added.
    """
    system = pyproj.CRS(frame)
    operation, ellipsoid = system.coordinate_operation, system.ellipsoid
    if operation is None or ellipsoid is None or operation.method_name != "Transverse Mercator":
        return None
    values = {one.name: float(one.value) for one in operation.params}
    if values["Latitude of natural origin"]:
        return None
    return {
        "a": ellipsoid.semi_major_metre,
        "f": 1 / ellipsoid.inverse_flattening,
        "lon": values["Longitude of natural origin"],
        "scale": values["Scale factor at natural origin"],
        "east": values["False easting"],
        "north": values["False northing"],
    }


def build_equal_area(lon: float, lat: float) -> str:
    """Return the PROJ string of a Lambert equal-area frame in metres around (lon, lat)."""
    return f"+proj=laea +lon_0={lon:.6f} +lat_0={lat:.6f} +ellps=WGS84 +units=m"


def measure_area_km2(geometry: BaseGeometry) -> float:
    """Return the geodesic area on WGS 84, km², of a lon/lat geometry with any winding."""
    rings, polygon = shapely.get_rings(
        shapely.orient_polygons(shapely.get_parts(geometry)), return_index=True
    )
    # The first ring of a polygon is the outer one. A sliver whose ring crosses itself by rounding may be
    # wound either way: signs are not to be relied on.
    outer = np.diff(polygon, prepend=-1) > 0
    areas = (abs(_measure_ring_m2(ring)) for ring in rings)
    return sum(area if first else -area for area, first in zip(areas, outer, strict=True)) / 1e6


def _measure_ring_m2(ring: shapely.LinearRing) -> float:
    lons, lats = shapely.get_coordinates(ring).T
    return float(_geod().polygon_area_perimeter(lons, lats)[0])


def measure_edge_km(geometry: BaseGeometry) -> float:
    """Return the geodesic length of all edges of a lon/lat geometry, km."""
    return float(_geod().geometry_length(geometry)) / 1000


def measure_distance_m(point: shapely.Point, geometry: BaseGeometry) -> float:
    """Return the geodesic distance from `point` to `geometry`, metres; 0 inside a polygon.

    Both are lon/lat. The nearest point is found on a plane that is true in scale along the point's
    parallel and meridian; against an exact azimuthal plane, 1,600 distances from 0 to 400 km at
    37° north differed by at most 0.3 %, and by less than 0.1 m below 10 km.
    """
    squash = max(float(np.cos(np.radians(point.y))), _MIN_SQUASH)
    scale = np.array([squash, 1.0])
    plane = shapely.transform(geometry, lambda lonlat: lonlat * scale)
    nearest = shapely.shortest_line(plane, shapely.Point(point.x * squash, point.y))
    if not nearest.length:
        return 0.0
    lon, lat = shapely.get_coordinates(nearest)[0] / scale
    return measure_length_m(point, shapely.Point(lon, lat))


def measure_length_m(first: shapely.Point, second: shapely.Point) -> float:
    """Return the geodesic distance between two lon/lat points, metres."""
    return float(_geod().inv(first.x, first.y, second.x, second.y)[2])


def measure_line_m(geometry: BaseGeometry) -> float:
    """Return the geodesic length of a lon/lat line or of all lines of a geometry, metres."""
    return float(_geod().geometry_length(geometry))


def measure_gap_m(first: BaseGeometry, second: BaseGeometry) -> float:
    """Return the geodesic distance between two lon/lat geometries, metres; 0 where they meet.

    The nearest points are found as :func:`measure_distance_m` finds its one.
    """
    squash = max(float(np.cos(np.radians(first.centroid.y))), _MIN_SQUASH)
    scale = np.array([squash, 1.0])
    one, other = (shapely.transform(shape, lambda lonlat: lonlat * scale) for shape in (first, second))
    line = shapely.shortest_line(one, other)
    return measure_line_m(shapely.transform(line, lambda plane: plane / scale))


def build_circle(lon: float, lat: float, radius_m: float, vertices: int = 64) -> shapely.Polygon:
    """Return a geodesic circle as a lon/lat polygon, counter-clockwise."""
    azimuths = -np.arange(vertices) * 360.0 / vertices
    every = np.ones(vertices)
    lons, lats, _ = _geod().fwd(lon * every, lat * every, azimuths, radius_m * every)
    return shapely.Polygon(np.column_stack([lons, lats]))


@cache
def _geod() -> pyproj.Geod:
    return pyproj.Geod(ellps="WGS84")


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)


@lru_cache(maxsize=32)
def _transformer(frame: str) -> pyproj.Transformer:
    """Return what turns lon/lat into `frame`.

    Bare projections where possible: a search for the best operation between two datums takes a
    second or more, and between WGS 84 and CGCS2000 it only finds the null transformation.
    """
    if frame.startswith("+proj="):
        degrees = "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad"
        return pyproj.Transformer.from_pipeline(f"{degrees} +step {frame}")
    return pyproj.Transformer.from_crs(_find_base(frame), frame, always_xy=True)


def _to_lonlat(x: Floats, y: Floats, frame: str) -> tuple[Floats, Floats]:
    if frame in SHIFTED:
        return _unshift(x, y, frame)
    return _project(x, y, frame, pyproj.enums.TransformDirection.INVERSE)


def _from_lonlat(lon: Floats, lat: Floats, frame: str) -> tuple[Floats, Floats]:
    if frame in SHIFTED:
        return _shift(lon, lat, frame)
    return _project(lon, lat, frame, pyproj.enums.TransformDirection.FORWARD)


def _project(
    x: Floats, y: Floats, frame: str, direction: pyproj.enums.TransformDirection
) -> tuple[Floats, Floats]:
    if frame in DEGREES:
        return x, y
    if frame not in METRIC and not frame.startswith("+proj="):
        raise ValueError(f"unknown coordinate frame {frame!r}; known: {', '.join(FRAMES)}")
    changed = _transformer(frame).transform(x, y, direction=direction)
    return _floats(changed[0]), _floats(changed[1])


def _shift(lon: Floats, lat: Floats, frame: str) -> tuple[Floats, Floats]:
    east, north = _wgs84_to_gcj02(lon, lat)
    return (east, north) if frame == "GCJ-02" else _gcj02_to_bd09(east, north)


def _unshift(x: Floats, y: Floats, frame: str) -> tuple[Floats, Floats]:
    """Invert :func:`_shift` by repeating it: the shift varies so slowly that each round gains digits."""
    lon, lat = x.copy(), y.copy()
    for _ in range(_MAX_ROUNDS):
        east, north = _shift(lon, lat, frame)
        lon, lat = lon + (x - east), lat + (y - north)
        if max(np.max(np.abs(x - east), initial=0.0), np.max(np.abs(y - north), initial=0.0)) < _CLOSE_DEG:
            break
    return lon, lat


def _wgs84_to_gcj02(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    common = (20.0 * np.sin(6.0 * x * pi) + 20.0 * np.sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20.0 * np.sin(y * pi) + 40.0 * np.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * pi) + 320.0 * np.sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20.0 * np.sin(x * pi) + 40.0 * np.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * pi) + 300.0 * np.sin(x / 30.0 * pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    bend = 1.0 - _KRASOVSKY_E2 * np.sin(phi) ** 2
    meridian_m = _KRASOVSKY_A_M * (1.0 - _KRASOVSKY_E2) / bend**1.5
    parallel_m = _KRASOVSKY_A_M / np.sqrt(bend) * np.cos(phi)
    west_deg, south_deg, east_deg, north_deg = _CHINA
    inside = (lon >= west_deg) & (lon <= east_deg) & (lat >= south_deg) & (lat <= north_deg)
    return (
        lon + np.where(inside, np.degrees(east / parallel_m), 0.0),
        lat + np.where(inside, np.degrees(north / meridian_m), 0.0),
    )


def _gcj02_to_bd09(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU_WAVE)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU_WAVE)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


LAT_LIMIT, LON_LIMIT = 90.0, 180.0
METRES = 1e5  # a pair without a figure of this size is in metres of no grid near here
MILLION, ZONED = 1e6, 1e7  # metres; eastings of more than the second carry the number of their zone
MAX_LENGTH = 200
PAIR = 2

_SIGNS = str.maketrans(
    {"−": "-", "–": "-", "º": "°", "˚": "°"}
    | dict.fromkeys("′’‘ʹ`´", "'")
    | dict.fromkeys("″”“ʺ", '"')
    | dict.fromkeys("，、;；()[]{}<>=", " ")
)
_QUOTES = str.maketrans({"º": "°", "˚": "°", "´": "'", "″": '"'})  # before composing, which splits them
_UNITS = str.maketrans({"度": "°", "도": "°", "分": "'", "분": "'", "秒": '"', "초": '"'})
_LABELS = (
    (re.compile(r"东经|東經|동경|(?<![a-z])e(?:ast)?(?![a-z])"), " E "),
    (re.compile(r"西经|西經|서경|(?<![a-z])w(?:est)?(?![a-z])"), " W "),
    (re.compile(r"北纬|北緯|북위|(?<![a-z])n(?:orth)?(?![a-z])"), " N "),
    (re.compile(r"南纬|南緯|남위|(?<![a-z])s(?:outh)?(?![a-z])"), " S "),
    (re.compile(r"经度|經度|경도|(?<![a-z])(?:longitude|long|lon|lng|easting|x)(?![a-z]):?"), " X "),
    (re.compile(r"纬度|緯度|위도|(?<![a-z])(?:latitude|lat|northing|y)(?![a-z]):?"), " Y "),
)
_FIXED = (  # notations that settle the order by themselves
    (re.compile(r"\s*(?:srid=\d+;)?point\s*\(\s*(\S+)\s+(\S+)\s*\)\s*"), "X {} Y {}"),
    (re.compile(r"\s*geo:([^,;]+),([^,;]+)(?:[,;].*)?"), "Y {} X {}"),
)
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_ANGLE = re.compile(
    rf"(?P<sign>[+-]?)\s*(?P<degrees>{_NUMBER})\s*°?"
    rf"(?:(?<=[°\s])\s*(?P<minutes>{_NUMBER})\s*'?(?:(?<=['\s])\s*(?P<seconds>{_NUMBER})\s*(?:\"|'')?)?)?"
)
_EAST, _NORTH = "EWX", "NSY"


class CoordinateError(ValueError):
    """The text is no position; `kind` says why, `options` what it may mean as (x, y)."""

    def __init__(self, kind: str, options: tuple[tuple[float, float], ...] = ()) -> None:
        super().__init__(kind)
        self.kind = kind
        self.options = options


def parse_coordinates(text: str, frame: str) -> tuple[float, float]:
    """Return the (x, y) that `text` writes in `frame`.

    Raises :class:`CoordinateError` of kind ``empty``, ``long``, ``unreadable``, ``labels`` (one is
    missing or twice the same), ``sexagesimal`` (minutes or seconds of 60 and more), ``order`` (two
    readings are possible: `options`), ``metres`` or ``degrees`` (written where the frame has the
    other), ``zoned`` (an easting that begins with the number of its zone) or ``range``.

    >>> parse_coordinates("31°18′29.5″N 113°06′58.7″E", "CRS84")
    (113.1163056, 31.3081944)
    >>> parse_coordinates("4130300, 421681", PROJECTED[0])
    (421681.0, 4130300.0)
    """
    if not text.strip():
        raise CoordinateError("empty")
    if len(text) > MAX_LENGTH:
        raise CoordinateError("long")
    plain = _plain(text)
    first, second = _split(plain)
    if first[0] or second[0]:
        x, y = _by_label(first, second)
    else:
        x, y = _by_size(first[1], second[1], frame)
    _check(x, y, frame)
    return x, y


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text.translate(_QUOTES)).lower()
    for pattern, form in _FIXED:
        fixed = pattern.fullmatch(folded)
        if fixed:
            return form.format(*fixed.groups())
    for pattern, label in _LABELS:
        folded = pattern.sub(label, folded)
    lower = folded.translate(_SIGNS).translate(_UNITS)  # after the labels, which hold the units' words
    return re.sub(r"(?<=\d):(?=\d)", " ", lower)


def _split(plain: str) -> tuple[tuple[str, float], tuple[str, float]]:
    """Return the two halves as (label, value)."""
    labels = re.findall(r"[EWNSXY]", plain)
    if labels and len(labels) != PAIR:
        raise CoordinateError("labels")
    if not labels:
        one, other = _halves(plain)
        return ("", _value(one)), ("", _value(other))
    parts = re.split(r"[EWNSXY]", plain)
    before = not parts[0].strip(" ,")
    values = parts[1:] if before else parts[:2]
    if (not before and parts[2].strip(" ,")) or not all(part.strip(" ,") for part in values):
        raise CoordinateError("unreadable")
    first, second = (_value(part.strip(" ,")) for part in values)
    return _signed(labels[0], first), _signed(labels[1], second)


def _signed(label: str, value: float) -> tuple[str, float]:
    return label, -value if label in "SW" else value


def _halves(plain: str) -> tuple[str, str]:
    """Return the two halves of an unlabelled pair: at its comma, or in the middle of its figures."""
    parts = [part for part in plain.split(",") if part.strip()]
    if len(parts) == PAIR:
        return parts[0], parts[1]
    figures = list(re.finditer(rf"[+-]?(?:{_NUMBER})", plain))
    if len(parts) != 1 or len(figures) not in {2, 4, 6}:
        raise CoordinateError("unreadable")
    middle = figures[len(figures) // 2].start()
    return plain[:middle], plain[middle:]


def _value(part: str) -> float:
    angle = _ANGLE.fullmatch(part.strip())
    if angle is None:
        raise CoordinateError("unreadable")
    degrees, minutes, seconds = (angle[name] for name in ("degrees", "minutes", "seconds"))
    finer = [float(one) for one in (minutes, seconds) if one]
    whole = [one for one in (degrees, minutes, seconds) if one][:-1]
    if any(one >= 60 for one in finer) or any("." in one for one in whole):  # noqa: PLR2004 - to the degree
        raise CoordinateError("sexagesimal")
    size = float(degrees)
    if finer:
        size = round(size + sum(one / 60**power for power, one in enumerate(finer, 1)), 7)
    return -size if angle["sign"] == "-" else size


def _by_label(first: tuple[str, float], second: tuple[str, float]) -> tuple[float, float]:
    if first[0] in _EAST and second[0] in _NORTH:
        return first[1], second[1]
    if first[0] in _NORTH and second[0] in _EAST:
        return second[1], first[1]
    raise CoordinateError("labels")


def _is_grid(frame: str) -> bool:
    """Tell whether a frame is of metres north and east, and its eastings are below a million."""
    return frame in METRIC and is_north_first(frame)


def _by_size(one: float, other: float, frame: str) -> tuple[float, float]:
    """Return the pair in the one order that is possible."""
    is_grid = _is_grid(frame)
    limit = MILLION if is_grid else LAT_LIMIT
    low, high = sorted((abs(one), abs(other)))
    if is_grid and low < limit <= high:
        return (one, other) if abs(one) < limit else (other, one)
    if frame not in METRIC and low <= limit < high:
        return (one, other) if abs(one) > limit else (other, one)
    _check(one, other, frame)
    if one == other:
        return one, other
    raise CoordinateError("order", ((one, other), (other, one)))


def _check(x: float, y: float, frame: str) -> None:
    """Refuse what the frame cannot hold, saying what it looks like."""
    degrees = abs(x) <= LON_LIMIT and abs(y) <= LON_LIMIT
    if frame in METRIC:
        if degrees and (x or y):
            raise CoordinateError("degrees")
        if _is_grid(frame) and max(abs(x), abs(y)) >= ZONED:
            raise CoordinateError("zoned")
    elif not degrees:
        low, high = sorted((abs(x), abs(y)))
        raise CoordinateError("metres" if low > LON_LIMIT and high >= METRES else "range")
    elif abs(y) > LAT_LIMIT:
        raise CoordinateError("range")
