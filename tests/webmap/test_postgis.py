"""The site over PostGIS: the same answers, an outage said plainly, and its end noticed."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg import sql

from layers.postgis.loader import load_release, read_snapshot
from layers.postgis.pool import SCHEMA
from layers.store import Release
from scripts.bench.load import temporary_cluster
from webmap.app import create_app
from webmap.settings import Settings

ASKED = (
    "/ogc/collections?f=json",
    "/ogc/collections/zones/items?f=json",
    "/ogc/collections/towns/items?f=json&bbox=122,37,122.3,37.4&limit=3&offset=2",
    "/ogc/collections/towns/items?f=json&filter=area_km2%20%3E%2050%20AND%20name_zh%20LIKE%20%27%25%E9%95%87%27",
    "/ogc/collections/towns/items?f=json&sortby=-area_km2&crs=http://www.opengis.net/def/crs/EPSG/0/4550",
    "/ogc/collections/designations/items?f=json&limit=1000",
    "/ogc/collections/zones/items/gaoqu?f=json",
    "/lookup?lon=122.06&lat=37.53",
    "/lookup?lon=121.0&lat=36.0",
    "/lookup?lon=-70&lat=-40",
)


@pytest.fixture(scope="module")
def stored(home: Path, release: Release, database: str) -> FlaskClient:
    """Return a client of an application that asks the database."""
    return create_app(release, Settings(home, store=database)).test_client()


@pytest.mark.parametrize("path", ASKED)
def test_the_answers_are_the_same_bytes(stored: FlaskClient, client: FlaskClient, path: str) -> None:
    ours, theirs = stored.get(path), client.get(path)
    assert ours.status_code == 200
    assert ours.data == theirs.data
    assert ours.headers["ETag"] == theirs.headers["ETag"]


def test_a_question_that_takes_too_long_is_a_problem_that_says_so(
    home: Path, release: Release, database: str
) -> None:
    slow = create_app(release, Settings(home, store=f"{database}&options=-c%20statement_timeout%3D2000"))
    asking = slow.test_client()
    assert asking.get("/ogc/collections/zones/items?f=json&limit=1").status_code == 200
    with psycopg.connect(database) as other:
        tables = f"SELECT relation FROM {SCHEMA}.collections WHERE id = 'zones'".encode()
        ((zones,),) = other.execute(tables).fetchall()
        other.execute(sql.SQL("LOCK TABLE {}").format(sql.Identifier(SCHEMA, zones)))
        answer = asking.get("/ogc/collections/zones/items?f=json&limit=2")
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert "time allowed" in answer.get_json()["detail"]
    assert "规定时间" in answer.get_json()["detail_zh"]
    assert asking.get("/ogc/collections/zones/items?f=json&limit=2").status_code == 200


def test_an_outage_is_a_problem_to_try_again_after_and_ends_by_itself(home: Path, release: Release) -> None:
    features, point = "/ogc/collections/zones/items?f=json&limit={}", "/lookup?lon=122.1&lat=37.{}"
    with temporary_cluster() as cluster:
        url = cluster.new_database("outage")
        load_release(url, read_snapshot(release), lambda *_: None)
        asking = create_app(release, Settings(home, store=url)).test_client()
        started_before = create_app(release, Settings(home, store=url)).test_client()
        assert asking.get(features.format(1)).status_code == 200
        assert asking.get(point.format(1)).status_code == 200
        cluster.stop()
        for answer in (
            asking.get(features.format(2)),
            asking.get(point.format(2)),
            started_before.get(features.format(2)),
        ):
            assert answer.status_code == 503
            assert answer.mimetype == "application/problem+json"
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.get_json()["status"] == 503
            assert "数据库" in answer.get_json()["detail_zh"]
        assert asking.get("/zones/").status_code == 200  # what is in the release needs no database
        cluster.start()
        for one in (asking, started_before):
            assert one.get(features.format(2)).status_code == 200
            assert one.get(point.format(2)).status_code == 200
