"""What one hostile text costs each parser: processor time and memory, for texts of 16 kB.

Texts are made of what the parser's language is made of, repeated, nested and mixed, so that whatever grows
faster than its input shows. Those of the web are asked for as requests, those of boundaries read as files.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from geodata.boundary_import.issues import RefusedError
from geodata.boundary_import.reader import read_boundary_file
from scripts.bench.load import Result, live_at
from scripts.bilingual import write
from webmap.app import create_app
from webmap.settings import Settings

SIZE = 16_000  # characters of a text; of what is not ASCII there are more bytes
SEED = 20230716
MIXED_PER_ROUND = 10
NESTED = (("(", ")"), ("[", "]"), ("{", "}"), ('{"a":', "}"), ("<a>", "</a>"), ("((", "))"))
TEXTS: dict[str, Any] = yaml.load(
    Path(__file__).with_name("hostile.yaml").read_bytes(), Loader=yaml.CSafeLoader
)


@dataclass(frozen=True)
class Parser:
    """What reads a text, and the pieces that its language is made of.

    `read` raises nothing for a text that is refused.
    """

    name: str
    pieces: Sequence[str]
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
    as_json = {"filter-lang": "cql2-json"}
    asked = {
        "filter": ("filter", _asking(client, items, "filter")),
        "filter as JSON": ("tree", _asking(client, items, "filter", **as_json)),
        "box": ("position", _asking(client, items, "bbox")),
        "system": ("system", _asking(client, "/lookup", "crs", lon="122", lat="37")),
        "position": ("position", _asking(client, "/lookup", "at")),
        "number": ("position", _asking(client, "/lookup", "lon", lat="37")),
        "search": ("question", _asking(client, "/search.json", "q")),
        "industries": ("question", _asking(client, "/find.json", "industry")),
        "polygon": ("shape", _sending(client, "/lookup", "application/geo+json")),
        "question": ("tree", _sending(client, f"{items[:-5]}search", "application/json")),
    }
    for name, (pieces, read) in asked.items():
        yield Parser(name, TEXTS[pieces], read)
    kinds = {
        "geojson": "shape",
        "kml": "markup",
        "dxf": "drawing",
        "csv": "list",
        "txt": "list",
        "tsv": "list",
        "wkt": "text",
    }
    for kind, pieces in kinds.items():
        yield Parser(f"file .{kind}", TEXTS[pieces], _reading(folder, kind))


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
        file.write_text(TEXTS["heads"][kind] + text, encoding="utf-8", newline="")
        with suppress(RefusedError):
            read_boundary_file(file)

    return read


def build_texts(pieces: Sequence[str], size: int, mixed: int) -> Iterator[str]:
    """Yield hostile texts of `size` characters: every piece again and again, brackets, `mixed` ones."""
    chance = random.Random(SEED)  # noqa: S311 - the same texts on every machine
    every = (*pieces, *TEXTS["common"])
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
