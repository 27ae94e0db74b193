"""pygeoapi as the peer: installed into an environment of its own, serving the same features.

Features come from a GeoPackage, the provider that the comparison is stated for; its provider knows no
CQL2, so filters are asked of its PostgreSQL provider over the same features.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import yaml

from scripts.bench.common import ask, free_port, wait_for
from scripts.cluster import Cluster
from scripts.messages import write

VERSION = "0.21.0"  # the last that runs on Python 3.11
PACKAGES = (
    f"pygeoapi=={VERSION}",
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
def serving_peer(programs: Path, folder: Path, cluster: Cluster) -> Iterator[str]:
    """Serve the copies in `folder` and `cluster` with two gunicorn workers; yields the address."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    config, definition = folder / "pygeoapi.yml", folder / "openapi.yml"
    config.write_text(yaml.safe_dump(_config(base, folder, cluster)), encoding="utf-8")
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


def write_copies(folder: Path, features: Path, cluster: Cluster) -> None:
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


def _config(base: str, folder: Path, cluster: Cluster) -> dict[str, Any]:
    text = {"en": "bench"}
    package = {"name": "SQLiteGPKG", "data": str(folder / PACKAGE), "table": LAYER}
    database = {"host": str(cluster.folder), "port": 5432, "dbname": "peer", "user": cluster.user}
    stored = {"name": "PostgreSQL", "data": database | {"password": "", "search_path": ["public"]}}
    stored |= {"table": STORED, "geom_field": "geometry"}
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": 0},
            "url": base,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "gzip": True,
            "languages": ["en-US"],
            "pretty_print": False,
            "limits": {"default_items": 100, "max_items": 1000},
            "map": {"url": "/", "attribution": "none"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": text,
                "description": text,
                "keywords": {"en": ["bench"]},
                "keywords_type": "theme",
                "terms_of_service": base,
                "url": base,
            },
            "license": {"name": "none", "url": base},
            "provider": {"name": "none", "url": base},
            "contact": {"name": "none"},
        },
        "resources": {LAYER: _resource(base, package), STORED: _resource(base, stored)},
    }


def _resource(base: str, provider: dict[str, Any]) -> dict[str, Any]:
    extent = {
        "spatial": {"bbox": [-180, -90, 180, 90], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}
    }
    link = {"type": "text/html", "rel": "about", "title": "bench", "href": base, "hreflang": "en-US"}
    return {
        "type": "collection",
        "title": "bench",
        "description": "bench",
        "keywords": ["bench"],
        "links": [link],
        "extents": extent,
        "providers": [provider | {"type": "feature", "id_field": "id"}],
    }
