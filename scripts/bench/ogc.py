"""OGC API – Features beside pygeoapi and beside the same server sending constant bytes, in one run.

60 made-up zones of 700 vertices, two processes each, all on this machine; runs of the three by turns.
Then the insides alone: 5,000 zones in memory beside 60, and 100,000 in PostGIS beside 1,000.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import orjson

from layers.memory import MemoryStore
from scripts.bench import country
from scripts.bench.common import Result, live_at
from scripts.bench.made import LAYER, PATH, write_made
from scripts.bench.peer import STORED, install_peer, serving_peer
from scripts.bench.postgis import bench_postgis
from scripts.bench.server import running
from scripts.bench.turns import Ask, build_items, build_side, compare
from scripts.bench.wrk import Load, find_wrk
from scripts.cluster import temporary_cluster
from scripts.messages import write

ZONES, VERTICES = 60, 700
MANY, MANY_VERTICES = 5000, 800
BOX_CELLS = 5  # wide, and two rows high: a box meets about a dozen zones
NEW = 100_000  # different addresses, more than one run asks for
KEPT = 50  # addresses that come again
SECONDS = 3
ROUNDS_PER_RUN = 5
PER_ROUND = 20
# Measured elsewhere, on 64 zones of about 700 vertices on two cores: answers a second.
QGIS_SERVER = {"page": 375, "item": 1075}
ITEMS = f"/ogc/collections/{LAYER}/items"


@dataclass(frozen=True)
class Question:
    """What is asked of both, as the end of an address below ``items``, and of which of the peer's."""

    name: str
    ends: list[str]
    peer_ends: list[str]
    peer_collection: str = LAYER
    encoding: str = "identity"


def bench_ogc(home: Path, rounds: int = 15) -> Result:
    """Return answers a second, ratios, and times of the stores at two sizes."""
    release = live_at(home)
    find_wrk()
    programs = install_peer(home.resolve() / "peer")
    result: Result = {}
    with tempfile.TemporaryDirectory(prefix="weihai-bench-") as name, temporary_cluster() as cluster:
        folder = Path(name)
        made = write_made(folder / "home", release, ZONES, VERTICES)
        with (
            running("ours", str(folder / "home"), probe=f"{ITEMS}?f=json&limit=1") as ours,
            running("constant", probe="/1") as constant,
            serving_peer(programs, folder, made.folder / PATH, cluster) as peer,
        ):
            for question in _questions():
                write(question.name, error=True)
                _agree(question, ours, peer)
                result[question.name] = _measure(
                    question, (ours, constant, peer), folder, max(1, rounds // ROUNDS_PER_RUN)
                )
        few, many = (
            MemoryStore(write_made(folder / str(count), release, count, MANY_VERTICES))
            for count in (ZONES, MANY)
        )
    sides = build_side(str(ZONES), few), build_side(f"{MANY:,}", many)
    result["memory_bbox"] = compare(*sides, _memory_box, rounds * PER_ROUND)
    return result | {"postgis": bench_postgis(home, rounds)}


def _questions() -> Iterator[Question]:
    chance = random.Random(1)  # noqa: S311 - the same questions on every machine
    page = "?f=json&limit=1000"
    yield Question("page", [page], [page])
    yield Question("page_gzip", [page], [page], encoding="gzip")  # as QGIS, GDAL and browsers ask
    kept = [f"{page}&bbox={_box(chance)}" for _ in range(KEPT)]
    yield Question("bbox_kept", kept, kept)
    new = [f"{page}&bbox={_box(chance)}" for _ in range(NEW)]
    yield Question("bbox_new", new, new)
    items = [f"/zone-{number:06}?f=json" for number in range(ZONES)]
    yield Question("item", items, items)
    filters = [quote(_filter(chance)) for _ in range(NEW)]
    yield Question(
        "filter_new",
        [f"{page}&filter={one}&filter-lang=cql2-text" for one in filters],
        [f"{page}&filter={one}&filter-lang=cql-text" for one in filters],
        STORED,
    )


def _box(chance: random.Random) -> str:
    """Return a box among the first twenty columns, where both rows are full."""
    west = country.WEST + chance.uniform(0, 20 - BOX_CELLS) * country.CELL_DEG
    south = country.SOUTH + chance.uniform(0, 0.4) * country.CELL_DEG
    east, north = west + BOX_CELLS * country.CELL_DEG, south + 1.5 * country.CELL_DEG
    return f"{west:.6f},{south:.6f},{east:.6f},{north:.6f}"


def _filter(chance: random.Random) -> str:
    return f"kind = '{chance.choice(country.KINDS)}' AND area_km2 > {chance.uniform(0, 50):.6f}"


def _memory_box(chance: random.Random) -> Ask:
    return build_items(LAYER, f"limit=1000&bbox={_box(chance)}")


def _agree(question: Question, ours: str, peer: str) -> None:
    """Raise ValueError unless both find the same features."""
    for end, peer_end in list(zip(question.ends, question.peer_ends, strict=True))[:5]:
        theirs = f"{peer}/collections/{question.peer_collection}/items{peer_end}"
        found = [sorted(_ids(orjson.loads(_read(url)))) for url in (f"{ours}{ITEMS}{end}", theirs)]
        if found[0] != found[1]:
            raise ValueError(f"{end}: {found}")


def _ids(answer: Result) -> list[str]:
    return [row["id"] for row in answer["features"]] if "features" in answer else [answer["id"]]


def _read(url: str, encoding: str = "identity") -> bytes:
    asked = urllib.request.Request(url, headers={"Accept-Encoding": encoding})  # noqa: S310 - our own servers
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - our own servers
        content: bytes = answer.read()
        return content


def _measure(question: Question, bases: tuple[str, str, str], folder: Path, runs: int) -> Result:
    ours, constant, peer = bases
    ends, encoding = question.ends, question.encoding
    size = round(statistics.mean(len(_read(f"{ours}{ITEMS}{end}", encoding)) for end in ends[:20]))
    theirs = f"/collections/{question.peer_collection}/items"
    loads = {
        "ours": (ours, Load(folder, "ours", [ITEMS + end for end in ends], encoding)),
        "constant": (constant, Load(folder, "constant", [f"/{size}"])),
        "pygeoapi": (peer, Load(folder, "peer", [theirs + end for end in question.peer_ends], encoding)),
    }
    rates: dict[str, list[float]] = {name: [] for name in loads}
    for _ in range(runs):
        for name, (base, load) in loads.items():
            # The peer at times answers with an error under load; that answer does not count.
            rates[name].append(load.run(base, SECONDS, strict=name != "pygeoapi"))
    median = {name: round(statistics.median(found), 1) for name, found in rates.items()}
    result: Result = {"bytes": size, "per_s": median}
    result["times_pygeoapi"] = round(median["ours"] / median["pygeoapi"], 1) if median["pygeoapi"] else None
    result["share_of_constant"] = round(median["ours"] / median["constant"], 2)
    if elsewhere := QGIS_SERVER.get(question.name):
        result["qgis_server_per_s_measured_elsewhere"] = elsewhere
        result["times_qgis_server"] = round(median["ours"] / elsewhere, 1)
    return result
