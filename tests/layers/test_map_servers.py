"""WMS, WMTS and WFS as the guide sets them up: its own units and settings, both servers, nginx in front."""

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
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from xml.etree import ElementTree as ET

import pytest
from PIL import Image
from pyproj import Transformer

from layers.document_types import LayerEntry
from layers.export.job import columns_of, read_part
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
    """Return what asks QGIS Server, as the guide sets it up."""
    with _served("WMS, WMTS and WFS 1.1", release, tmp_path_factory.mktemp("wms")) as asked:
        yield asked


@pytest.fixture(scope="module")
def ask_wfs(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    """Return what asks MapServer, as the guide sets it up."""
    with _served("WFS 2.0", release, tmp_path_factory.mktemp("wfs")) as asked:
        yield asked


@contextmanager
def _served(section: str, release: Release, folder: Path) -> Iterator[Ask]:
    """Start what a section of the guide sets up, with its files in a folder."""
    zipfile.ZipFile(io.BytesIO(release.read("files/plan.qgis.zip"))).extractall(folder)
    (text,) = re.findall(
        rf"^## {section}\n(.*?)(?=^## |\Z)", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    text = re.sub(
        r"/run/weihai-\w+\.sock", f"{folder}/server.sock", text.replace("/srv/weihai-wms", str(folder))
    )
    for name, content in re.findall(
        rf"^`{folder}/(\S+?)`.*?```text\n(.*?)```", text, re.MULTILINE | re.DOTALL
    ):
        (folder / name).write_text(content, encoding="utf-8")
    (location,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    (path,) = re.findall(r"^location (\S+)", location)
    settings = dict(re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE))
    (program,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    port, owner = free_port(), folder.owner()
    front = FRONT.format(user=f"{owner} {folder.group()}", folder=folder, port=port, location=location)
    (folder / "nginx.conf").write_text(front, encoding="utf-8")
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert nginx

    def asked(method: str = "GET", body: bytes | None = None, **query: Any) -> bytes:
        address = f"http://127.0.0.1:{port}{path}?{urlencode(query)}"
        kind = {"Content-Type": "text/xml"} if body else {}
        with urlopen(Request(address, body, kind, method=method), timeout=60) as answer:
            read: bytes = answer.read()
            return read

    with socket.socket(socket.AF_UNIX) as listening, (folder / "log").open("wb") as log:
        listening.bind(f"{folder}/server.sock")
        listening.listen()
        server = subprocess.Popen([program], stdin=listening.fileno(), stdout=log, stderr=log, env=settings)
        proxy = subprocess.Popen(
            [nginx, "-c", f"{folder}/nginx.conf", "-e", f"{folder}/nginx.log"], stdout=log, stderr=log
        )
        try:
            _wait(asked)
            yield asked
        finally:
            proxy.terminate()
            server.kill()  # as the guide's signal is ignored by what a shell started behind it
            for one in (proxy, server):
                one.wait(10)


def _wait(asked: Ask) -> None:
    end = time.monotonic() + READY_S
    while True:
        try:
            asked(SERVICE="WFS", REQUEST="GetCapabilities")
        except (URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def names(document: bytes, path: str) -> set[str]:
    return {str(node.text) for node in ET.fromstring(document).iterfind(path)}


def catalogue(release: Release) -> list[LayerEntry]:
    found: list[LayerEntry] = release.read_json("pages/catalogue.json")
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


WFS, GML, OWN = (
    "{http://www.opengis.net/wfs/2.0}",
    "{http://www.opengis.net/gml/3.2}",
    "{http://mapserver.gis.umn.edu/mapserver}",
)
URN = "urn:ogc:def:crs:EPSG::"
WITHIN = {"4490": 1e-8, "4549": 1e-3}  # of a degree, metres


def ask_2_0(ask_wfs: Ask, request: str, **query: Any) -> ET.Element:
    return ET.fromstring(ask_wfs(SERVICE="WFS", VERSION="2.0.0", REQUEST=request, **query))


def ids(answer: ET.Element) -> set[str | None]:
    return {node.text for node in answer.iter(f"{OWN}id")}


def test_wfs_2_0_offers_every_layer_in_the_systems_of_the_country(ask_wfs: Ask, release: Release) -> None:
    answer = ask_2_0(ask_wfs, "GetCapabilities")
    assert (answer.tag, answer.get("version")) == (f"{WFS}WFS_Capabilities", "2.0.0")
    offered = {
        node.findtext(f"{WFS}Name"): (
            node.findtext(f"{WFS}Title"),
            {
                str(one.text).removeprefix(URN)
                for tag in ("Default", "Other")
                for one in node.iter(f"{WFS}{tag}CRS")
            },
        )
        for node in answer.iter(f"{WFS}FeatureType")
    }
    systems = {"4490", "4549", "4550", "4326", "3857"}
    layers = [info for info in catalogue(release) if info["geometry"] != "none"]
    assert offered == {f"ms:{info['id']}": (info["title"]["zh"], systems) for info in layers}


@pytest.mark.parametrize(("layer", "shape"), [("zones", "MultiSurface"), ("gateways", "Point")])
def test_wfs_2_0_describes_the_columns_of_a_layer(
    ask_wfs: Ask, release: Release, layer: str, shape: str
) -> None:
    (info,) = (info for info in catalogue(release) if info["id"] == layer)
    answer = ask_2_0(ask_wfs, "DescribeFeatureType", TYPENAMES=layer)
    fields = answer.iterfind(".//{http://www.w3.org/2001/XMLSchema}sequence/*")
    types = {"string": "string", "integer": "integer", "number": "double"}
    columns = [(column.name, types[column.type]) for column in columns_of(read_part(release, info))]
    found = [(node.get("name"), node.get("type")) for node in fields]
    assert found == [("geom", f"gml:{shape}PropertyType"), *columns]


@pytest.mark.parametrize("frame", ["4490", "4549"])
def test_wfs_2_0_gives_places_in_the_axes_of_their_system(ask_wfs: Ask, release: Release, frame: str) -> None:
    """North first in both, and so are the corners of the box that is asked for."""
    change = Transformer.from_crs("OGC:CRS84", f"EPSG:{frame}").transform
    rows = release.read_json("data/gateways.geojson")["features"]
    answer = ask_2_0(ask_wfs, "GetFeature", TYPENAMES="gateways", SRSNAME=f"{URN}{frame}")
    found = {}
    for node in answer.iterfind(f"{WFS}member/*"):
        north, east = map(float, str(node.findtext(f".//{GML}pos")).split())
        found[node.findtext(f"{OWN}id")] = north, east
    assert found == {
        row["id"]: pytest.approx(change(*row["geometry"]["coordinates"]), abs=WITHIN[frame], rel=0)
        for row in rows
    }
    one = rows[0]["geometry"]["coordinates"]
    inside = {row["id"] for row in rows if row["geometry"]["coordinates"] == one}
    (south, west), (north, east) = (change(one[0] + by, one[1] + by) for by in (-1e-4, 1e-4))
    box = f"{south},{west},{north},{east},{URN}{frame}"
    assert ids(ask_2_0(ask_wfs, "GetFeature", TYPENAMES="gateways", BBOX=box)) == inside


def test_wfs_2_0_gives_every_place_by_pages_and_by_a_filter_that_is_sent(
    ask_wfs: Ask, release: Release
) -> None:
    rows = release.read_json("data/towns.geojson")["features"]
    pages = [
        ask_2_0(ask_wfs, "GetFeature", TYPENAMES="towns", COUNT=40, STARTINDEX=start) for start in (0, 40)
    ]
    assert {page.get("numberMatched") for page in pages} == {str(len(rows))}
    assert set().union(*map(ids, pages)) == {row["id"] for row in rows}
    assert len(list(pages[0].iter(f"{GML}MultiSurface"))) == 40
    chosen = """<GetFeature service="WFS" version="2.0.0" xmlns="http://www.opengis.net/wfs/2.0"
        xmlns:fes="http://www.opengis.net/fes/2.0"><Query typeNames="towns"><fes:Filter>
        <fes:PropertyIsEqualTo>
        <fes:ValueReference>name_zh</fes:ValueReference><fes:Literal>%s</fes:Literal>
        </fes:PropertyIsEqualTo></fes:Filter></Query></GetFeature>"""
    name = rows[0]["properties"]["name_zh"]
    answer = ET.fromstring(ask_wfs("POST", (chosen % name).encode()))
    assert ids(answer) == {row["id"] for row in rows if row["properties"]["name_zh"] == name}


def test_wfs_2_0_opens_no_other_mapfile_and_writes_nothing(ask_wfs: Ask) -> None:
    asked = {"SERVICE": "WFS", "REQUEST": "GetCapabilities"}
    assert b"WFS_Capabilities" in ask_wfs(**asked)
    for other in ("/etc/passwd", "weihai-plan.map"):
        assert b"WFS_Capabilities" not in ask_wfs(**asked, MAP=other)
    with pytest.raises(HTTPError, match="400"):
        ask_wfs(
            "POST", b'<Transaction service="WFS" version="2.0.0" xmlns="http://www.opengis.net/wfs/2.0"/>'
        )
    with pytest.raises(HTTPError, match="403"):
        ask_wfs("PUT", b"<a/>")
