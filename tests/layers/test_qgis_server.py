"""WMS, WMTS and WFS as the guide sets them up: its own units and settings, QGIS Server, nginx in front."""

from __future__ import annotations

import io
import json
import re
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

import pytest
from PIL import Image
from pyproj import Transformer

from layers.store import Release
from scripts.bench.load import free_port

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "wms.md"
FRONT = """
user {user};
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; {location} }}
}}
"""
SIZE = (400, 300)
READY_S = 30
Ask = Callable[..., bytes]


@pytest.fixture(scope="module")
def ask(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Return what asks the server that the guide sets up."""
    folder = tmp_path_factory.mktemp("wms")
    zipfile.ZipFile(io.BytesIO(release.read("files/plan.qgis.zip"))).extractall(folder)
    text = GUIDE.read_text(encoding="utf-8").replace("/srv/weihai-wms", str(folder))
    text = text.replace("/run/weihai-wms.sock", f"{folder}/wms.sock")
    (location,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    settings = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))
    (program,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    port, owner = free_port(), folder.owner()
    front = FRONT.format(user=f"{owner} {folder.group()}", folder=folder, port=port, location=location)
    (folder / "nginx.conf").write_text(front, encoding="utf-8")
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert nginx

    def asked(method: str = "GET", **query: Any) -> bytes:
        address = f"http://127.0.0.1:{port}/ows?{urlencode(query)}"
        with urlopen(Request(address, method=method), timeout=60) as answer:
            body: bytes = answer.read()
            return body

    with socket.socket(socket.AF_UNIX) as listening, (folder / "log").open("wb") as log:
        listening.bind(f"{folder}/wms.sock")
        listening.listen()
        server = subprocess.Popen([program], stdin=listening.fileno(), stdout=log, stderr=log, env=settings)
        proxy = subprocess.Popen(
            [nginx, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/nginx.log"], stdout=log, stderr=log
        )
        try:
            _wait(asked)
            yield asked
        finally:
            for one in (proxy, server):
                one.terminate()
                one.wait(10)


def _wait(asked: Ask) -> None:
    end = time.monotonic() + READY_S
    while True:
        try:
            asked(SERVICE="WMS", REQUEST="GetCapabilities")
        except (URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def names(document: bytes, path: str) -> set[str]:
    return {str(node.text) for node in ET.fromstring(document).iterfind(path)}


def catalogue(release: Release) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = release.read_json("pages/catalogue.json")
    return found


def test_every_service_offers_every_layer_in_the_systems_of_the_country(ask: Ask, release: Release) -> None:
    layers = {info["id"] for info in catalogue(release) if info["geometry"] != "none"}
    wms = ask(SERVICE="WMS", REQUEST="GetCapabilities", VERSION="1.3.0")
    space = "{http://www.opengis.net/wms}"
    assert names(wms, f".//{space}Layer/{space}Name") >= layers
    systems = {"EPSG:4490", "EPSG:4549", "EPSG:4550", "EPSG:4326", "EPSG:3857"}
    assert names(wms, f".//{space}Layer/{space}CRS") >= systems
    wfs = ask(SERVICE="WFS", REQUEST="GetCapabilities", VERSION="1.1.0")
    everything = {info["id"] for info in catalogue(release)}
    assert (
        names(wfs, ".//{http://www.opengis.net/wfs}FeatureType/{http://www.opengis.net/wfs}Name")
        == everything
    )
    wmts = ask(SERVICE="WMTS", REQUEST="GetCapabilities", VERSION="1.0.0")
    space, own = "{http://www.opengis.net/wmts/1.0}", "{http://www.opengis.net/ows/1.1}"
    assert names(wmts, f".//{space}Layer/{own}Identifier") >= layers
    assert names(wmts, f".//{space}TileMatrixSet/{own}Identifier") == {"EPSG:4490", "EPSG:3857"}


@pytest.mark.parametrize("frame", ["EPSG:4490", "EPSG:4549"])
def test_a_map_is_painted_where_the_places_are(ask: Ask, frame: str) -> None:
    """In the axes of the system, as WMS 1.3.0 has it: north first in both."""
    change = Transformer.from_crs("OGC:CRS84", frame)
    south, west = change.transform(121.3, 36.7)
    north, east = change.transform(122.8, 37.6)
    asked = {"SERVICE": "WMS", "VERSION": "1.3.0", "REQUEST": "GetMap", "FORMAT": "image/png", "STYLES": ""}
    box = f"{south},{west},{north},{east}"
    body = ask(**asked, LAYERS="counties", CRS=frame, BBOX=box, WIDTH=SIZE[0], HEIGHT=SIZE[1])
    picture = Image.open(io.BytesIO(body)).convert("RGB")
    assert picture.size == SIZE

    def colour(lon: float, lat: float) -> Any:
        up, right = change.transform(lon, lat)
        x, y = (right - west) / (east - west) * SIZE[0], (north - up) / (north - south) * SIZE[1]
        return picture.getpixel((int(x), int(y)))

    inland, sea = colour(121.95, 37.15), colour(122.5, 37.58)
    assert sea == (255, 255, 255) != inland


@pytest.mark.parametrize("frame", ["EPSG:4490", "EPSG:4549"])
@pytest.mark.parametrize("form", ["GML3", "GML2"])
def test_features_come_in_the_system_that_is_asked_for(
    ask: Ask, release: Release, frame: str, form: str
) -> None:
    rows = {row["id"]: row["geometry"] for row in release.read_json("data/gateways.geojson")["features"]}
    asked = {"SERVICE": "WFS", "REQUEST": "GetFeature", "OUTPUTFORMAT": form, "SRSNAME": frame}
    version = {"GML3": {"VERSION": "1.1.0"}, "GML2": {"VERSION": "1.0.0"}}[form]
    body = ask(**asked, **version, TYPENAME="gateways")
    root, space = ET.fromstring(body), "{http://www.opengis.net/gml}"
    change = Transformer.from_crs("OGC:CRS84", frame, always_xy=True)
    found, within = 0, 1e-6 if frame == "EPSG:4490" else 0.01  # of a degree, metres
    for member in root.iterfind(f"{space}featureMember/*"):
        name = member.findtext("{http://www.qgis.org/gml}id")
        written = next(
            (node.text for node in member.iter() if node.tag in {f"{space}pos", f"{space}coordinates"}), None
        )
        place = rows[str(name)]
        if not place or not written:
            continue
        east, north = map(float, re.split("[ ,]", written.strip())[:2])
        assert (east, north) == pytest.approx(change.transform(*place["coordinates"]), abs=within, rel=0)
        found += 1
    assert found == sum(1 for place in rows.values() if place) > 0


def test_properties_come_whole(ask: Ask, release: Release) -> None:
    body = ask(
        SERVICE="WFS",
        VERSION="1.1.0",
        REQUEST="GetFeature",
        TYPENAME="zones",
        OUTPUTFORMAT="application/geo+json",
    )
    found = {row["properties"]["id"]: row["properties"] for row in json.loads(body)["features"]}
    rows = release.read_json("data/zones.geojson")["features"]
    assert {key: row["name_zh"] for key, row in found.items()} == {
        row["id"]: row["properties"]["name_zh"] for row in rows
    }


def test_a_tile_is_a_picture(ask: Ask) -> None:
    tile = {"TILEMATRIXSET": "EPSG:3857", "TILEMATRIX": 8, "TILEROW": 99, "TILECOL": 214}
    body = ask(
        SERVICE="WMTS",
        VERSION="1.0.0",
        REQUEST="GetTile",
        LAYER="counties",
        STYLE="default",
        FORMAT="image/png",
        **tile,
    )
    colours = Image.open(io.BytesIO(body)).convert("RGBA").getcolors(1 << 16)
    assert colours is not None
    assert len(colours) > 1


def test_no_other_project_is_opened_and_nothing_is_written(ask: Ask) -> None:
    space = "{http://www.opengis.net/wms}"
    asked = {"SERVICE": "WMS", "REQUEST": "GetCapabilities", "VERSION": "1.3.0"}
    known, other = (names(ask(**asked, **more), f".//{space}Name") for more in ({}, {"MAP": "/etc/passwd"}))
    assert "zones" in known
    assert other == known
    with pytest.raises(HTTPError, match="403"):
        ask(method="POST", SERVICE="WFS", REQUEST="Transaction")
