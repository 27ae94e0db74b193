"""Files in parts: programs read of a large file what they need, of any release and in any frame."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pyogrio
import pytest
from flask.testing import FlaskClient

from layers.store import Release
from tests.webmap.conftest import running
from webmap.app import create_app
from webmap.settings import Settings

FILES = ("zones.fgb", "zones.parquet", "plan.gpkg", "towns.fgb?crs=EPSG:4550", "zones.geojson", "zones.csv")


@pytest.fixture(params=["", "/r"])
def address(request: pytest.FixtureRequest, release: Release) -> Callable[[str], str]:
    """Return the address of a download, of the live release and of one by its hash."""
    below = f"{request.param}/{release.id}" if request.param else ""
    return lambda file: f"{below}/data/{file}"


@pytest.mark.parametrize("file", FILES)
def test_any_part_of_a_file_is_that_of_the_whole(
    client: FlaskClient, address: Callable[[str], str], file: str
) -> None:
    whole = client.get(address(file))
    size = len(whole.data)
    assert whole.headers["Accept-Ranges"] == "bytes"
    parts = {"bytes=0-99": (0, 100), "bytes=100-": (100, size), "bytes=-50": (size - 50, size)}
    for asked, (first, end) in parts.items():
        answer = client.get(address(file), headers={"Range": asked, "Accept-Encoding": "br, gzip"})
        assert answer.status_code == 206, asked
        assert answer.data == whole.data[first:end]
        assert answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{size}"
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["ETag"] == whole.headers["ETag"]
        assert "Content-Range" in answer.headers["Access-Control-Expose-Headers"]


def test_a_part_beyond_the_end_is_refused_with_the_length(
    client: FlaskClient, address: Callable[[str], str]
) -> None:
    size = len(client.get(address("zones.fgb")).data)
    answer = client.get(address("zones.fgb"), headers={"Range": f"bytes={size}-"})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{size}"
    problem = answer.get_json(force=True)
    assert (problem["parameter"], problem["value"]) == ("Range", f"bytes={size}-")
    assert problem["allowed"] == f"bytes=0-{size - 1}"
    assert f"bytes=0-{size - 1}" in problem["detail_zh"]


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=x-y", "bytes=9-1", "nonsense"])
def test_what_is_no_single_part_gets_the_whole(client: FlaskClient, asked: str) -> None:
    whole = client.get("/data/zones.fgb")
    answer = client.get("/data/zones.fgb", headers={"Range": asked})
    assert (answer.status_code, answer.data) == (200, whole.data)


def test_a_part_is_sent_only_of_the_file_that_the_rest_is_of(client: FlaskClient) -> None:
    path = "/data/zones.geojson"
    tag = client.get(path).headers["ETag"]
    part = {"Range": "bytes=0-9"}
    assert client.get(path, headers=part | {"If-Range": tag}).status_code == 206
    for other in ('"another"', f"W/{tag}", "Fri, 27 Nov 2026 00:00:00 GMT"):
        assert client.get(path, headers=part | {"If-Range": other}).status_code == 200
    compressed = client.get(path, headers={"Accept-Encoding": "gzip"})
    rest = client.get(path, headers=part | {"If-Range": compressed.headers["ETag"]})
    assert (rest.status_code, rest.data) == (200, gzip.decompress(compressed.data))
    assert client.get(path, headers=part | {"If-None-Match": tag}).status_code == 304


def test_head_tells_length_and_that_there_are_parts(client: FlaskClient) -> None:
    size = len(client.get("/data/towns.fgb").data)
    answer = client.head("/data/towns.fgb", headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content_length) == (200, size)
    assert answer.headers["Accept-Ranges"] == "bytes"


class Counted:
    """An application, and the length of each body that it sends."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.sent: list[int] = []

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterator[bytes]:
        for chunk in self._application(environ, start):
            self.sent.append(len(chunk))
            yield chunk


def test_gdal_reads_a_box_without_the_whole_file(release: Release, tmp_path: Path) -> None:
    counted = Counted(create_app(release, Settings(tmp_path)))
    box = (122.0, 37.3, 122.2, 37.5)
    # In a process of its own: GDAL lets no other thread run, and here the server is one.
    with running(counted) as site, ProcessPoolExecutor(1, get_context("spawn")) as pool:
        url = f"/vsicurl/{site}/data/plan.gpkg"
        found = pool.submit(pyogrio.read_dataframe, url, layer="gateways", bbox=box).result(60)
    assert len(found) > 0
    assert 0 < sum(counted.sent) < 0.6 * release.size("files/plan.gpkg")  # it asks twice for the beginning
