"""A damaged file of any format is refused or read; it never ends in a traceback.

``--requests 21740`` tries ten thousand of them; a few by default.
"""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio
import pytest
import shapely

from geodata.boundary_import.issues import Issue, RefusedError
from geodata.boundary_import.propose import propose
from geodata.boundary_import.reader import BoundaryFile, read_boundary_file
from tests.geodata.boundary_import.files import GROUND, request, zipped
from tests.geodata.boundary_import.test_formats import (
    EXCHANGES,
    GK,
    HEAD,
    drawing,
    exchange,
    kml,
    rings_of,
)

SMALL = shapely.box(122.0, 37.2, 122.1, 37.3).difference(shapely.box(122.02, 37.22, 122.04, 37.24))
WRITERS = {
    "a.geojson": "GeoJSON",
    "a.gpkg": "GPKG",
    "a.fgb": "FlatGeobuf",
    "a.shp": "ESRI Shapefile",
    "a.kml": "LIBKML",
    "a.gml": "GML",
    "a.tab": "MapInfo File",
    "a.mif": "MapInfo File",
    "a.gdb": "OpenFileGDB",
}


TRACK = """<?xml version="1.0"?><gpx version="1.1" creator="x" xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>
<trkpt lat="37.2" lon="122"/><trkpt lat="37.2" lon="122.1"/>
<trkpt lat="37.3" lon="122.1"/><trkpt lat="37.2" lon="122"/>
</trkseg></trk></gpx>"""


PRINTED = """临港区拐点,,,,,,,,
地块,点号,X,Y,,地块,点号,X,Y
一,J1,4130000.1,668000.1,,一,J4,4135000.1,669000.1
,J2,4130000.1,678000.1,,,J5,4136000.1,668000.1
,J3,4135000.1,678000.1,,,,,
制表：张三,,,,,,,,"""


@pytest.fixture(scope="module")
def count(pytestconfig):
    """How many mutations of each file are tried."""
    return pytestconfig.getoption("--requests") // 50


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """One valid file of each format."""
    folder = tmp_path_factory.mktemp("valid")
    found = {}
    for name, driver in WRITERS.items():
        path = folder / name
        shapes, values = shapely.to_wkb(np.array([SMALL])), [np.array(["临港区"], dtype=object)]
        pyogrio.raw.write(
            path, shapes, values, ["name"], geometry_type="Polygon", crs="EPSG:4326", driver=driver
        )
        if driver in {"ESRI Shapefile", "MapInfo File"}:
            path = zipped(path)
            path = path.rename(folder / f"{name}.zip")
        found[name] = path
    points = "点号,X,Y\n" + "\n".join(f"{n},{y:.3f},{x:.3f}" for n, (x, y) in enumerate(rings_of(GK)[0]))
    rings = [ring.tolist() for ring in rings_of(SMALL)]
    line = ";".join(f"{x},{y}" for x, y in rings[0])
    esri = {
        "geometryType": "esriGeometryPolygon",
        "features": [{"attributes": {}, "geometry": {"rings": rings}}],
    }
    objects = {"a": {"type": "Polygon", "arcs": [[0]], "properties": {"n": "x"}}}
    topology = {"type": "Topology", "objects": objects, "arcs": rings[:1]}
    texts = {
        "jzd.txt": exchange(head=HEAD).encode(),
        "gbk.txt": EXCHANGES["GBK"],
        "a.wkt": SMALL.wkt.encode(),
        "points.csv": points.encode(),
        "printed.csv": PRINTED.encode("gbk"),
        "a.dxf": drawing(rings_of(GK)).encode("gbk"),
        "gbk.kml": kml("GBK").encode("gbk"),
        "esri.json": json.dumps(esri).encode(),
        "topo.json": json.dumps(topology).encode(),
        "amap.json": json.dumps({"districts": [{"adcode": "371073", "polyline": line}]}).encode(),
        "a.gpx": TRACK.encode(),
    }
    for name, content in texts.items():
        found[name] = folder / name
        found[name].write_bytes(content)
    book = openpyxl.Workbook()
    sheet = book.create_sheet("a", 0)
    for row in [["点号", "X", "Y"], *([n, y, x] for n, (x, y) in enumerate(rings_of(GK)[0].tolist()))]:
        sheet.append(row)
    book.save(folder / "a.xlsx")
    with zipfile.ZipFile(folder / "a.kmz", "w") as archive:
        archive.writestr("doc.kml", kml())
    return found | {"a.xlsx": folder / "a.xlsx", "a.kmz": folder / "a.kmz"}


FORMATS = (
    *WRITERS,
    "jzd.txt",
    "gbk.txt",
    "a.wkt",
    "points.csv",
    "printed.csv",
    "a.dxf",
    "gbk.kml",
    "esri.json",
    "topo.json",
    "amap.json",
    "a.gpx",
    "a.xlsx",
    "a.kmz",
)
WORDS = (
    b"null",
    b"NaN",
    b"1e999",
    b"-",
    b"\0",
    b'"',
    b"<",
    b"{",
    b"[",
    b"]",
    b",,",
    "\uff0c\u00b0".encode(),
    b"\xff\xfe",
    b"\xc3",
    b"999999999999",
)


def mutate(content: bytes, chance: random.Random) -> bytes:
    """Return content with some of it cut, doubled, overwritten or exchanged."""
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5, 40))):
        at = chance.randrange(max(len(changed), 1))
        length = chance.choice((1, 2, 4, 16, 200))
        way = chance.randrange(6)
        if way == 0:
            del changed[at : at + length]
        elif way == 1:
            changed[at:at] = changed[at : at + length]
        elif way == 2:
            changed[at : at + length] = chance.randbytes(length)
        elif way == 3:
            changed[at:at] = chance.choice(WORDS)
        elif way == 4:
            changed[at : at + 1] = bytes([changed[at] ^ (1 << chance.randrange(8))]) if changed else b""
        elif chance.random() < 0.3:
            del changed[at:]
    return bytes(changed)


@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_file_never_ends_in_a_traceback(files, count, tmp_path, name):
    chance = random.Random(f"boundaries of {name}")
    source = files[name]
    for number in range(count):
        path = tmp_path / f"{number}{''.join(source.suffixes)}"
        if source.is_dir():
            shutil.copytree(source, path)
            part = chance.choice(sorted(path.iterdir()))
            part.write_bytes(mutate(part.read_bytes(), chance))
        elif source.suffix == ".zip" and number % 2:
            damage_member(source, path, chance)
        else:
            path.write_bytes(mutate(source.read_bytes(), chance))
        found = read_or_refuse(path)
        if isinstance(found, BoundaryFile):
            assert found.features
        else:
            assert found.message_zh
            assert str(tmp_path) not in found.message_en


def read_or_refuse(path: Path) -> BoundaryFile | Issue:
    try:
        return read_boundary_file(path)
    except RefusedError as refused:
        return refused.issue


def damage_member(source: Path, path: Path, chance: random.Random) -> None:
    """Write an archive that is whole, with one of its files damaged."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        names = old.namelist()
        damaged = chance.choice(names)
        for name in names:
            content = old.read(name)
            new.writestr(name, mutate(content, chance) if name == damaged else content)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_made_of_a_damaged_file_never_ends_in_a_traceback(files, count, tmp_path, name):
    chance = random.Random(f"proposals of {name}")
    source = files[name]
    for number in range(max(count // 4, 2)):
        path = tmp_path / f"{number}{''.join(source.suffixes)}"
        if source.is_dir():
            shutil.copytree(source, path)
        else:
            path.write_bytes(mutate(source.read_bytes(), chance))
        for said in ({}, {"of": "lingang", "crs": "EPSG:4549", "fix": True}):
            proposal = propose(request(path, **said), GROUND)
            assert proposal.records or proposal.issues


def test_json_that_is_valid_but_odd_is_refused(tmp_path):
    """Members of any type where a format has others."""
    odd = ("null", "1", '"x"', "[]", "{}", "[null]", '[{"a": 1}]', "true")
    shapes = (
        '{"type": "Feature", "geometry": %s, "properties": %s}',
        '{"type": "FeatureCollection", "features": %s, "crs": %s}',
    )
    others = (
        '{"districts": %s, "data": %s}',
        '{"type": "Topology", "objects": %s, "arcs": %s}',
        '{"geometryType": %s, "features": %s}',
    )
    path = tmp_path / "a.json"
    for form in (
        *shapes,
        *others,
        '{"type": "Polygon", "coordinates": %s, "x": %s}',
        '{"data": {"district": %s}, "x": %s}',
    ):
        for first in odd:
            for second in odd:
                path.write_text(form % (first, second), encoding="utf-8")
                assert read_or_refuse(path) is not None
