"""The peers beside which the API is measured, serving the same features.

pygeoapi as the peer: installed into an environment of its own, serving the same features.

Features come from a GeoPackage, the provider that the comparison is stated for; its provider knows no
CQL2, so filters are asked of its PostgreSQL provider over the same features.

QGIS Server as the peer: Debian's, behind nginx, serving a copy of pygeoapi's GeoPackage.

It is given what makes it fastest: two FastCGI processes on one Unix socket, so that whichever is free
takes the next request; the project and the GeoPackage's connection stay open in each; nothing is logged,
the layer's metadata are trusted, the time zone is named; tcmalloc in place of the C library's allocator
(a quarter less time for a page); buffers of nginx that hold a whole page. Connections to the processes
are not kept: each serves one at a time, and would leave the others waiting. Answers are not cached, as
pygeoapi's are not. Coordinates come as they do by default, with six decimals; ours have seven.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import sys
import venv
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from string import Template

from scripts.bench.load import ask, free_port, wait_for
from scripts.cluster import DatabaseCluster
from scripts.messages import write

PYGEOAPI_VERSION = "0.21.0"  # the last that runs on Python 3.11
PACKAGES = (
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
LAYER = "towns"
PACKAGE = "features.gpkg"
STORED = "stored"  # the same features from the database


def install_peer(folder: Path) -> Path:
    """Return the folder of the environment's programs, made at the first call; takes a minute."""
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    done = folder / "installed"
    if not done.exists() or done.read_text(encoding="utf-8") != "\n".join(PACKAGES):
        write("pygeoapi …", error=True)
        venv.create(folder, with_pip=True, clear=True, symlinks=os.name != "nt")
        pip = [str(programs / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True, stdout=sys.stderr)
        done.write_text("\n".join(PACKAGES), encoding="utf-8")
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
