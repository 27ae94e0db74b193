"""Read a position as people write it: decimal degrees, degrees-minutes-seconds, metres of a grid.

The order of longitude and latitude is taken from labels (``N``, ``东经``, ``lon=`` …) or, without
them, from the figures, and only where these leave no doubt. Answers are (x, y) = (lon, lat) or
(east, north) in the frame that was named; nothing is transformed here.
"""

from __future__ import annotations

import re
import unicodedata

from geodata import crs
from geodata.crs import METRIC

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
    >>> parse_coordinates("4130300, 421681", crs.PROJECTED[0])
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
    return frame in METRIC and crs.is_north_first(frame)


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
