"""OGC API – Features beside pygeoapi, QGIS Server and the same server sending constant bytes, in one run.

60 made-up zones of 700 vertices, two processes each, all on this machine; runs of the four by turns.
Then the insides alone: 5,000 zones in memory beside 60, and 100,000 in PostGIS beside 1,000.
"""

from __future__ import annotations

import random
import shutil
import statistics
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import orjson

from layers.memory import MemoryStore
from scripts.bench import peers, synthetic
from scripts.bench.load import Load, Result, ask, live_at, running
from scripts.bench.postgis import Ask, bench_postgis, build_items, build_side, compare_sides
from scripts.bench.synthetic import LAYER, PATH, write_made
from scripts.cluster import temporary_cluster
from scripts.environment import install_packages
from scripts.messages import write

ZONES, VERTICES = 60, 700
MANY, MANY_VERTICES = 5000, 800
BOX_CELLS = 5  # wide, and two rows high: a box meets about a dozen zones
NEW = 100_000  # different addresses, more than one run asks for
KEPT = 50  # addresses that come again
SECONDS = 3
ROUNDS_PER_RUN = 5
PER_ROUND = 20
OURS, PYGEOAPI, QGIS_SERVER, CONSTANT = "ours", "pygeoapi", "qgis_server", "constant"
SERVER = "scripts.bench.load"
ITEMS = f"/ogc/collections/{LAYER}/items"
PEER_ITEMS = f"/collections/{LAYER}/items"
STORED_ITEMS = f"/collections/{peers.STORED}/items"
QGIS_PACKAGE = "qgis.gpkg"
QGIS_ITEMS = f"/wfs3/collections/{LAYER}/items"
PACKAGES = {  # of Debian, each with a file that tells that it is there
    "wrk": "usr/bin/wrk",
    "libsqlite3-mod-spatialite": "usr/lib/*/mod_spatialite.so",
    "postgresql": "usr/lib/postgresql/*/bin/postgres",
    "postgresql-postgis": "usr/share/postgresql/*/extension/postgis.control",
    "qgis-server": "usr/lib/cgi-bin/qgis_mapserv.fcgi",
    "nginx-light": "usr/sbin/nginx",
    "libtcmalloc-minimal4": peers.ALLOCATOR,
}


@dataclass(frozen=True)
class Question:
    """What is asked, as paths of each server that can answer it."""

    name: str
    paths: dict[str, list[str]]
    encoding: str = "identity"


def bench_ogc(home: Path, rounds: int = 15) -> Result:
    """Return answers a second, ratios, and times of the stores at two sizes."""
    release = live_at(home)
    if not install_packages(_missing):
        raise FileNotFoundError(", ".join(_missing()))
    programs = peers.install_peer(home.resolve() / "peer")
    result: Result = {"versions": {PYGEOAPI: peers.PYGEOAPI_VERSION, QGIS_SERVER: peers.read_version()}}
    with tempfile.TemporaryDirectory(prefix="layout-bench-") as name, temporary_cluster() as cluster:
        folder = Path(name)
        made = write_made(folder / "home", release, ZONES, VERTICES)
        peers.write_copies(folder, made.folder / PATH, cluster)
        # pygeoapi writes into its GeoPackage at each request, and whoever reads that one waits meanwhile.
        shutil.copyfile(folder / peers.PACKAGE, folder / QGIS_PACKAGE)
        with (
            running(SERVER, "ours", str(folder / "home"), probe=f"{ITEMS}?f=json&limit=1") as ours,
            running(SERVER, "constant", probe="/1") as constant,
            peers.serving_peer(programs, folder, cluster) as pygeoapi,
            peers.serving_qgis(folder, QGIS_PACKAGE, LAYER) as qgis_server,
        ):
            bases = {OURS: ours.base, CONSTANT: constant.base, PYGEOAPI: pygeoapi, QGIS_SERVER: qgis_server}
            for question in _questions():
                write(question.name, error=True)
                _agree(question, bases)
                result[question.name] = _measure(question, bases, folder, max(1, rounds // ROUNDS_PER_RUN))
        few, many = (
            MemoryStore(write_made(folder / str(count), release, count, MANY_VERTICES))
            for count in (ZONES, MANY)
        )
    sides = build_side(str(ZONES), few), build_side(f"{MANY:,}", many)
    result["memory_bbox"] = compare_sides(*sides, _memory_box, rounds * PER_ROUND)
    return result | {"postgis": bench_postgis(home, rounds)}


def _missing() -> list[str]:
    return [name for name, path in PACKAGES.items() if not any(Path("/").glob(path))]


def _questions() -> Iterator[Question]:
    chance = random.Random(1)  # noqa: S311 - the same questions on every machine
    page = _pages([""])
    yield Question("page", page)
    yield Question("page_gzip", page, encoding="gzip")  # as QGIS, GDAL and browsers ask
    yield Question("bbox_kept", _pages([f"&bbox={_box(chance)}" for _ in range(KEPT)]))
    yield Question("bbox_new", _pages([f"&bbox={_box(chance)}" for _ in range(NEW)]))
    items = [f"/zone-{number:06}?f=json" for number in range(ZONES)]
    numbers = [f"/{number}.json" for number in range(1, ZONES + 1)]  # a GeoPackage numbers its rows
    yield Question(
        "item",
        {OURS: _add(ITEMS, items), PYGEOAPI: _add(PEER_ITEMS, items), QGIS_SERVER: _add(QGIS_ITEMS, numbers)},
    )
    # QGIS Server knows filters by equality only.
    filters = [f"?f=json&limit=1000&filter={quote(_filter(chance))}&filter-lang=" for _ in range(NEW)]
    ours, stored = ([one + language for one in filters] for language in ("cql2-text", "cql-text"))
    yield Question("filter_new", {OURS: _add(ITEMS, ours), PYGEOAPI: _add(STORED_ITEMS, stored)})


def _pages(ends: list[str]) -> dict[str, list[str]]:
    """Return the paths of pages of all features that the ends of their queries leave."""
    return {
        OURS: _add(f"{ITEMS}?f=json&limit=1000", ends),
        PYGEOAPI: _add(f"{PEER_ITEMS}?f=json&limit=1000", ends),
        QGIS_SERVER: _add(f"{QGIS_ITEMS}.json?limit=1000", ends),
    }


def _add(start: str, ends: list[str]) -> list[str]:
    return [start + end for end in ends]


def _box(chance: random.Random) -> str:
    """Return a box among the first twenty columns, where both rows are full."""
    west = synthetic.WEST + chance.uniform(0, 20 - BOX_CELLS) * synthetic.CELL_DEG
    south = synthetic.SOUTH + chance.uniform(0, 0.4) * synthetic.CELL_DEG
    east, north = west + BOX_CELLS * synthetic.CELL_DEG, south + 1.5 * synthetic.CELL_DEG
    return f"{west:.6f},{south:.6f},{east:.6f},{north:.6f}"


def _filter(chance: random.Random) -> str:
    return f"kind = '{chance.choice(synthetic.KINDS)}' AND area_km2 > {chance.uniform(0, 50):.6f}"


def _memory_box(chance: random.Random) -> Ask:
    return build_items(LAYER, f"limit=1000&bbox={_box(chance)}")


def _agree(question: Question, bases: dict[str, str]) -> None:
    """Raise ValueError unless all find the same features."""
    for same in islice(zip(*question.paths.values(), strict=True), 5):
        asked = zip(question.paths, same, strict=True)
        found = {name: sorted(_ids(_read(bases[name] + path))) for name, path in asked}
        if any(ids != found[OURS] for ids in found.values()):
            raise ValueError(f"{same}: {found}")


def _ids(content: bytes) -> list[str]:
    """Return the ids of the features; QGIS Server numbers them and has ours among the properties."""
    answer = orjson.loads(content)
    return [row["properties"].get("id", row["id"]) for row in answer.get("features", [answer])]


def _read(url: str, encoding: str = "identity") -> bytes:
    asked = urllib.request.Request(url, headers={"Accept-Encoding": encoding})  # noqa: S310 - our own servers
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - our own servers
        content: bytes = answer.read()
        return content


def _measure(question: Question, bases: dict[str, str], folder: Path, runs: int) -> Result:
    encoding = question.encoding
    sizes = {
        name: round(statistics.mean(len(_read(bases[name] + path, encoding)) for path in paths[:20]))
        for name, paths in question.paths.items()
    }
    loads = {name: Load(folder, name, paths, encoding) for name, paths in question.paths.items()}
    loads[CONSTANT] = Load(folder, CONSTANT, [f"/{sizes[OURS]}"])
    rates: dict[str, list[float]] = {name: [] for name in loads}
    for _ in range(runs):
        for name, load in loads.items():
            # pygeoapi at times answers with an error under load; that answer does not count.
            rates[name].append(load.run(bases[name], SECONDS, strict=name != PYGEOAPI))
            # What a server still works on, though nobody waits for it, would slow the next one.
            ask(bases[name] + (question.paths[name][0] if name in question.paths else "/1"))
    median = {name: round(statistics.median(found), 1) for name, found in rates.items()}
    result: Result = {"bytes": sizes, "per_s": median}
    result |= {
        f"times_{name}": round(median[OURS] / median[name], 1) if median[name] else None
        for name in sizes
        if name != OURS
    }
    result["share_of_constant"] = round(median[OURS] / median[CONSTANT], 2)
    return result
