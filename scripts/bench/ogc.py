"""OGC API – Features beside pygeoapi, QGIS Server and the same server sending constant bytes, in one run.

60 made-up zones of 700 vertices, two processes each, all on this machine; runs of the four by turns.
Then the insides alone: 5,000 zones in memory beside 60, and 100,000 in PostGIS beside 1,000.

pygeoapi is installed into an environment of its own. Its features come from a GeoPackage, the provider that
the comparison is stated for; that knows no CQL2, so filters are asked of its PostgreSQL provider over the
same features.

QGIS Server is Debian's, behind nginx, serving a copy of that GeoPackage. It is given what makes it fastest:
two FastCGI processes on one Unix socket, so that whichever is free takes the next request; the project and
the GeoPackage's connection stay open in each; nothing is logged, the layer's metadata are trusted, the time
zone is named; tcmalloc in place of the C library's allocator (a quarter less time for a page); buffers of
nginx that hold a whole page. Connections to the processes are not kept: each serves one at a time, and would
leave the others waiting. Answers are not cached, as pygeoapi's are not. Coordinates come as they do by
default, with six decimals; ours have seven.
"""

from __future__ import annotations

import grp
import os
import pwd
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import urllib.request
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from string import Template
from urllib.parse import quote

import orjson

from layers.memory import MemoryStore
from scripts.bench import synthetic
from scripts.bench.load import (
    DatabaseCluster,
    Load,
    Result,
    ask,
    free_port,
    live_at,
    running,
    temporary_cluster,
    wait_for,
)
from scripts.bench.postgis import Ask, bench_postgis, build_items, build_side, compare_sides
from scripts.bench.synthetic import LAYER, PATH, write_made
from scripts.bilingual import write
from scripts.environment import install_packages

PYGEOAPI_VERSION = "0.21.0"  # the last that runs on Python 3.11
PYGEOAPI_PACKAGES = (
    f"pygeoapi=={PYGEOAPI_VERSION}",
    "gunicorn",
    "pysqlite3-binary",
    "sqlalchemy",
    "geoalchemy2",
    "psycopg2-binary",
    "pygeofilter[backend-sqlalchemy]",
)
# Python's own sqlite3 may not load extensions, which the GeoPackage provider needs.
PATCH = "import sys, pysqlite3; sys.modules['sqlite3'] = pysqlite3; "
SPATIALITE = "mod_spatialite.so"
PACKAGE = "features.gpkg"
STORED = "stored"  # the same features from the database


def install_peer(folder: Path) -> Path:
    """Return the folder of the environment's programs, made at the first call; takes a minute."""
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    done = folder / "installed"
    if not done.exists() or done.read_text(encoding="utf-8") != "\n".join(PYGEOAPI_PACKAGES):
        write("pygeoapi …", error=True)
        venv.create(folder, with_pip=True, clear=True, symlinks=os.name != "nt")
        pip = [str(programs / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *PYGEOAPI_PACKAGES], check=True, stdout=sys.stderr)
        done.write_text("\n".join(PYGEOAPI_PACKAGES), encoding="utf-8")
    return programs


@contextmanager
def serving_peer(programs: Path, folder: Path, cluster: DatabaseCluster) -> Iterator[str]:
    """Serve the copies in `folder` and `cluster` with two gunicorn workers; yields the address."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    config, definition = folder / "pygeoapi.yml", folder / "openapi.yml"
    names = {"layer": LAYER, "package": PACKAGE, "stored": STORED, "cluster": cluster.folder}
    settings = _fill("pygeoapi.yml", base=base, folder=folder, user=cluster.user, **names)
    config.write_text(settings, encoding="utf-8")
    (folder / "peer.py").write_text(PATCH + "from pygeoapi.flask_app import APP", encoding="utf-8")
    env = os.environ | {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(definition)}
    env |= {"SPATIALITE_LIBRARY_PATH": SPATIALITE}
    command = [str(programs / "python"), "-c", PATCH + "from pygeoapi import cli; cli()"]
    generate = ["openapi", "generate", str(config), "--output-file", str(definition)]
    subprocess.run([*command, *generate], cwd=folder, env=env, check=True, stdout=sys.stderr)
    gunicorn = [str(programs / "gunicorn"), "--workers", "2", "--bind", f"127.0.0.1:{port}", "peer:APP"]
    with (
        (folder / "peer.log").open("wb") as log,
        subprocess.Popen(gunicorn, cwd=folder, env=env, stdout=log, stderr=log) as server,
    ):
        try:
            wait_for(lambda: ask(f"{base}/collections/{LAYER}?f=json") == HTTPStatus.OK)
            yield base
        finally:
            server.terminate()


def write_copies(folder: Path, features: Path, cluster: DatabaseCluster) -> None:
    """Write the features of a GeoJSON file as the peers take them: a GeoPackage, and an indexed table."""
    import geopandas
    import psycopg

    frame = geopandas.read_file(features)
    flat = frame[
        [name for name in frame.columns if name in {"id", "name_zh", "kind", "area_km2", "geometry"}]
    ]
    (folder / PACKAGE).unlink(missing_ok=True)
    flat.to_file(folder / PACKAGE, layer=LAYER, driver="GPKG")
    url = cluster.new_database("peer")
    with psycopg.connect(url) as connection:
        connection.execute(
            f"CREATE TABLE {STORED} (id text PRIMARY KEY, name_zh text, kind text, area_km2 float8,"
            " geometry geometry(Geometry, 4326))"
        )
        columns = [flat[name] for name in ("id", "name_zh", "kind", "area_km2")]
        rows = list(zip(*columns, flat.geometry.to_wkb(hex=True), strict=True))
        insert = f"INSERT INTO {STORED} VALUES (%s, %s, %s, %s, ST_SetSRID(%s::geometry, 4326))"  # noqa: S608
        with connection.cursor() as cursor:
            cursor.executemany(insert, rows)
        connection.execute(f"CREATE INDEX ON {STORED} USING gist (geometry)")


PROGRAM = Path("/usr/lib/cgi-bin/qgis_mapserv.fcgi")
ALLOCATOR = "usr/lib/*/libtcmalloc_minimal.so.4"
PROCESSES = 2
WARMING = 16  # requests at once, so that each process has read the project before anything is measured


def build_project(package: str, layer: str) -> str:
    """Return a project that publishes one layer of polygons of the GeoPackage beside it."""
    return _fill("qgis_server.qgs", package=package, layer=layer)


def _fill(name: str, **values: object) -> str:
    """Return the file of that name beside this module, with its gaps filled."""
    return Template(Path(__file__).with_name(name).read_text(encoding="utf-8")).substitute(values)


def read_version() -> str:
    """Return the version of Debian's package."""
    query = ["dpkg-query", "--show", "--showformat", "${Version}", "qgis-server-bin"]
    return subprocess.run(query, check=True, capture_output=True, text=True).stdout


@contextmanager
def serving_qgis(folder: Path, package: str, layer: str) -> Iterator[str]:
    """Serve one layer of the GeoPackage in `folder`; yields the address, without ``/wfs3``."""
    (folder / "bench.qgs").write_text(build_project(package, layer), encoding="utf-8")
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    page = f"{base}/wfs3/collections/{layer}/items.json?limit=1000"
    with ExitStack() as stack:
        log = stack.enter_context((folder / "qgis.log").open("wb"))
        listening = stack.enter_context(_listen(folder / "qgis.sock"))
        for _ in range(PROCESSES):  # FastCGI: a process finds the socket as its standard input
            _start(stack, [str(PROGRAM)], stdin=listening, stdout=log, stderr=log, env=_settings(folder))
        _start(stack, _front(folder, port), stdout=log, stderr=log)
        wait_for(lambda: ask(page) == HTTPStatus.OK)
        with ThreadPoolExecutor(WARMING) as pool:
            list(pool.map(ask, [page] * WARMING))
        yield base


def _listen(path: Path) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen()
    return listening


def _start(stack: ExitStack, command: list[str], **how: object) -> None:
    """Start a program that is stopped with the `stack`."""
    server = stack.enter_context(subprocess.Popen(command, **how))  # type: ignore[call-overload]
    stack.callback(server.terminate)


def _settings(folder: Path) -> dict[str, str]:
    """Return all of the processes' environment; nothing of one's own QGIS settings is read."""
    return {
        "QGIS_PROJECT_FILE": str(folder / "bench.qgs"),
        "QGIS_SERVER_LOG_LEVEL": "3",
        "QGIS_SERVER_TRUST_LAYER_METADATA": "1",
        "QT_QPA_PLATFORM": "offscreen",
        "LD_PRELOAD": str(next(Path("/").glob(ALLOCATOR))),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }


def _front(folder: Path, port: int) -> list[str]:
    """Write nginx's settings, and return its command."""
    text = _fill(
        "nginx.conf",
        user=pwd.getpwuid(os.geteuid()).pw_name,
        group=grp.getgrgid(os.getegid()).gr_name,
        processes=PROCESSES,
        folder=folder,
        port=port,
    )
    (folder / "nginx.conf").write_text(text, encoding="utf-8")
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if program is None:
        raise FileNotFoundError("nginx: 未安装 / not installed: apt-get install nginx-light")
    return [program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "nginx.log")]


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
STORED_ITEMS = f"/collections/{STORED}/items"
QGIS_PACKAGE = "qgis.gpkg"
QGIS_ITEMS = f"/wfs3/collections/{LAYER}/items"
PACKAGES = {  # of Debian, each with a file that tells that it is there
    "wrk": "usr/bin/wrk",
    "libsqlite3-mod-spatialite": "usr/lib/*/mod_spatialite.so",
    "postgresql": "usr/lib/postgresql/*/bin/postgres",
    "postgresql-postgis": "usr/share/postgresql/*/extension/postgis.control",
    "qgis-server": "usr/lib/cgi-bin/qgis_mapserv.fcgi",
    "nginx-light": "usr/sbin/nginx",
    "libtcmalloc-minimal4": ALLOCATOR,
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
    programs = install_peer(home.resolve() / "peer")
    result: Result = {"versions": {PYGEOAPI: PYGEOAPI_VERSION, QGIS_SERVER: read_version()}}
    with tempfile.TemporaryDirectory(prefix="layout-bench-") as name, temporary_cluster() as cluster:
        folder = Path(name)
        made = write_made(folder / "home", release, ZONES, VERTICES)
        write_copies(folder, made.folder / PATH, cluster)
        # pygeoapi writes into its GeoPackage at each request, and whoever reads that one waits meanwhile.
        shutil.copyfile(folder / PACKAGE, folder / QGIS_PACKAGE)
        with (
            running(SERVER, "ours", str(folder / "home"), probe=f"{ITEMS}?f=json&limit=1") as ours,
            running(SERVER, "constant", probe="/1") as constant,
            serving_peer(programs, folder, cluster) as pygeoapi,
            serving_qgis(folder, QGIS_PACKAGE, LAYER) as qgis_server,
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
