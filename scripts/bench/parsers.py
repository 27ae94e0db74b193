"""What one hostile text costs each parser: processor time and memory, for texts of 16 kB.

Texts are made of what the parser's language is made of, repeated, nested and mixed, so that whatever grows
faster than its input shows. Those of the web are asked for as requests, those of boundaries read as files.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from geodata.boundary_import.issues import RefusedError
from geodata.boundary_import.reader import read_boundary_file
from scripts.bench.load import Result, live_at
from scripts.messages import write
from webmap.app import create_app
from webmap.settings import Settings

SIZE = 16_000  # characters of a text; of what is not ASCII there are more bytes
SEED = 20230716
MIXED_PER_ROUND = 10
NESTED = (("(", ")"), ("[", "]"), ("{", "}"), ('{"a":', "}"), ("<a>", "</a>"), ("((", "))"))
COMMON = (
    *("(", ")", "[", "]", "{", "}", ",", ";", ":", ".", "-", "+", "*", "/", "\\", "'", '"', "%", "_", " "),
    *(
        "\t",
        "\n",
        "\r\n",
        "\0",
        "0",
        "9",
        "1e",
        "a",
        "A1",
        "é",
        "中",
        "가",
        "😀",
        "\u202e",
        "\u0301",
        "1,",
        "1 ",
    ),
    *('"a",', "<", "&", "&amp;", "NaN ", "=", "==", "''", '""', "\\'", "_a", "aA"),
)
FILTER = (
    *("NOT ", " AND ", " OR ", "a=1", "id='a'", " LIKE '%", "%a", "IN (", "BETWEEN ", "POINT", "POINT ("),
    *("POLYGON((", "122 37,", "CASEI(", "1+", "2^", "area_km2", "S_INTERSECTS(geometry,", "BBOX(1,2,3,4)"),
    *("GEOMETRYCOLLECTION(", "DATE('", "TIMESTAMP('", "A_CONTAINS(", " IS NULL", " DIV ", "\\\\"),
)
TREE = (
    *('{"op":"not","args":[', '{"op":"and","args":[', '{"property":"id"},', '"a",', "1,", "null,", "]}"),
    *('{"type":"Point","coordinates":[', '{"bbox":[', '{"op":"=","args":['),
)
POSITION = (
    *("122°", "37′", "06″", "N", "E", "东经", "北纬", "lon=", "37.", ".5", "geo:", "POINT(", "SRID=1;"),
    *("4550", "度", "分", "경도", "x", "y:"),
)
SYSTEM = ("EPSG:", "4326", "urn:ogc:def:crs:", "http://", "+proj=", "GCJ-02", "PROJCS[", "::")
QUESTION = ("碳纤维", "tanxianwei", "carbon ", "fibre ", "섬유", "탄소", "区", "wei", "3610", "isic", "전복")
SHAPE = (
    *('{"type":"Polygon","coordinates":', "[[[", "[122,37],", "[122.1,37.1]", "]]]}", '{"type":"Feature",'),
    *('"geometry":', '{"type":"FeatureCollection","features":[', '"crs":{'),
)
LIST = (
    *(
        "[属性描述]\n",
        "[地块坐标]\n",
        "J1,1,4130300,421681\n",
        "坐标系=2000国家大地坐标系\n",
        "点号,X,Y\n",
        "@,1\n",
    ),
    *("1\t122.1\t37.1\n", "122°06′,37°\n", "带号=", "J1,"),
)
TEXT = ("POLYGON((", "MULTIPOLYGON(((", "122 37,", "SRID=4490;", "EMPTY", "GEOMETRYCOLLECTION(", "Z (", "))")
MARKUP = (
    *(
        "<kml>",
        "<Placemark>",
        "<coordinates>",
        "122,37,0 ",
        "</coordinates>",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
    ),
    *("<LinearRing>", "<?xml ", "<!DOCTYPE ", 'a="b" '),
)
DRAWING = (
    *("0\nSECTION\n", "2\nENTITIES\n", "0\nLWPOLYLINE\n", "10\n122\n", "20\n37\n", "0\nENDSEC\n", "0\nEOF\n"),
    *("0\nINSERT\n", "70\n1\n", "90\n4\n", "9\n$INSUNITS\n", "0\nSPLINE\n"),
)
HEADS = {  # what a file begins with, so that its format is known
    "geojson": '{"type":"FeatureCollection","features":[',
    "kml": '<?xml version="1.0"?><kml>',
    "dxf": "0\nSECTION\n2\nENTITIES\n",
    "csv": "点号,X,Y\n",
    "txt": "[属性描述]\n",
    "wkt": "POLYGON((",
}


@dataclass(frozen=True)
class Parser:
    """What reads a text, and the pieces that its language is made of.

    `read` raises nothing for a text that is refused.
    """

    name: str
    pieces: tuple[str, ...]
    read: Callable[[str], None]


def bench_parsers(home: Path, rounds: int = 5) -> Result:
    """Return the greatest time, ms of the processor, and growth of memory, MB, of each parser."""
    client = create_app(live_at(home), Settings(home)).test_client()
    result: Result = {}
    with TemporaryDirectory(prefix="layout-bench-") as name:
        for parser in list_parsers(client, Path(name)):
            write(parser.name, error=True)
            for text in build_texts(parser.pieces, 100, 0):
                parser.read(text)  # what is loaded once
            result[parser.name] = _measure(parser, rounds * MIXED_PER_ROUND)
    return result


def list_parsers(client: FlaskClient, folder: Path) -> Iterator[Parser]:
    """Yield all parsers of what comes from outside; files are written in `folder`."""
    items = "/ogc/collections/zones/items"
    yield Parser("filter", FILTER, _asking(client, items, "filter"))
    yield Parser("filter as JSON", TREE, _asking(client, items, "filter", **{"filter-lang": "cql2-json"}))
    yield Parser("box", POSITION, _asking(client, items, "bbox"))
    yield Parser("system", SYSTEM, _asking(client, "/lookup", "crs", lon="122", lat="37"))
    yield Parser("position", POSITION, _asking(client, "/lookup", "at"))
    yield Parser("number", POSITION, _asking(client, "/lookup", "lon", lat="37"))
    yield Parser("search", QUESTION, _asking(client, "/search.json", "q"))
    yield Parser("industries", QUESTION, _asking(client, "/find.json", "industry"))
    yield Parser("polygon", SHAPE, _sending(client, "/lookup", "application/geo+json"))
    yield Parser("question", TREE, _sending(client, f"{items[:-5]}search", "application/json"))
    kinds = {"geojson": SHAPE, "kml": MARKUP, "dxf": DRAWING, "csv": LIST, "txt": LIST, "wkt": TEXT}
    for kind, pieces in kinds.items():
        yield Parser(f"file .{kind}", pieces, _reading(folder, kind))


def _asking(client: FlaskClient, path: str, name: str, **others: str) -> Callable[[str], None]:
    def read(text: str) -> None:
        _check(client.get(path, query_string={name: text, **others}, headers={"Accept": "application/json"}))

    return read


def _sending(client: FlaskClient, path: str, kind: str) -> Callable[[str], None]:
    def read(text: str) -> None:
        _check(client.post(path, data=text.encode("utf-8", "surrogatepass"), content_type=kind))

    return read


def _check(answer: TestResponse) -> None:
    if answer.status_code >= 500:  # noqa: PLR2004 - a fault of ours
        raise RuntimeError(answer.text)


def _reading(folder: Path, kind: str) -> Callable[[str], None]:
    def read(text: str) -> None:
        file = folder / f"hostile.{kind}"
        file.write_text(HEADS[kind] + text, encoding="utf-8", newline="")
        with suppress(RefusedError):
            read_boundary_file(file)

    return read


def build_texts(pieces: tuple[str, ...], size: int, mixed: int) -> Iterator[str]:
    """Yield hostile texts of `size` characters: every piece again and again, brackets, `mixed` ones."""
    chance = random.Random(SEED)  # noqa: S311 - the same texts on every machine
    every = (*pieces, *COMMON)
    for piece in every:
        yield (piece * size)[:size]
    for opening, closing in NESTED:
        count = size // len(opening + closing)
        yield opening * count + closing * count
        yield opening * count + "1" + closing * count
    for piece in pieces:
        yield (piece + " " * size)[:size]
    for _ in range(mixed):
        yield _mix(chance, every, size)


def _mix(chance: random.Random, every: tuple[str, ...], size: int) -> str:
    few = chance.sample(every, chance.randint(1, 6))
    text = ""
    while len(text) < size:
        text += chance.choice(few) * chance.choice((1, 1, 1, 2, 10, 1000))
    return text[:size]


def _measure(parser: Parser, mixed: int) -> Result:
    texts = list(build_texts(parser.pieces, SIZE, mixed))
    slowest, most, longest = 0.0, 0.0, ""
    for text in texts:
        before = _forget_peak()
        begun = time.process_time()
        parser.read(text)
        took = 1000 * (time.process_time() - begun)
        most = max(most, _read_status("VmHWM") - before)
        if took > slowest:
            slowest, longest = took, text
    found = {"texts": len(texts), "cpu_ms": round(slowest, 1), "memory_mb": round(most, 1)}
    return found | {"slowest": ascii(longest[:30])}


def _forget_peak() -> float:
    """Have the system measure the greatest memory anew; return what is taken now, MB."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _read_status("VmRSS")


def _read_status(name: str) -> float:
    """Return a figure of this process's memory, MB; 0 where the system has none."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return int(text.partition(f"{name}:")[2].split()[0]) / 1000
