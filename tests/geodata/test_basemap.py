"""An operator's OpenStreetMap file: every format gives the same, and what is wrong with one is said."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import pyogrio
import pytest
import shapely

from geodata import basemap
from geodata.basemap import BasemapError, GroundFeature, load_basemap, read_basemap
from scripts.bench.synthetic import DATE, Extract

WINDOW = (121.0, 36.5, 123.0, 37.8)
LINE = shapely.LineString([(122.1, 37.2), (122.2, 37.25), (122.3, 37.2)])
SQUARE = shapely.box(122.0, 37.0, 122.05, 37.04)
SMALL = Extract(
    points=[
        ({"place": "village", "name": "样例村", "name:en": "Sample Village"}, shapely.Point(122.1, 37.1)),
        ({"railway": "station", "name": "样例站"}, shapely.Point(122.2, 37.1)),
        ({"natural": "peak", "name": "样例山"}, shapely.Point(122.3, 37.1)),
        ({"shop": "bakery", "name": "无关"}, shapely.Point(122.3, 37.2)),
    ],
    lines=[
        ({"highway": "trunk"}, LINE),
        ({"highway": "footway"}, LINE),
        ({"railway": "rail"}, shapely.affinity.translate(LINE, 0, 0.1)),
        ({"waterway": "river", "name": "样例河"}, shapely.affinity.translate(LINE, 0, 0.2)),
    ],
    multipolygons=[
        ({"landuse": "industrial"}, SQUARE),
        ({"natural": "water"}, shapely.affinity.translate(SQUARE, 0.2)),
        ({"landuse": "forest"}, shapely.affinity.translate(SQUARE, 0.4)),
    ],
)
KINDS = {"place": 4, "station": 1, "peak": 1, "road": 2, "rail": 1, "river": 1, "built": 1, "water": 1}


def write_with_other_tags(path: Path) -> Path:
    """As GDAL's own configuration writes it: what is rare lies in one field among other tags."""
    common = {
        "points": ("name", "place"),
        "lines": ("name", "highway", "waterway"),
        "multipolygons": ("landuse",),
    }
    for layer, fields in common.items():
        rows = [
            {key: value for key, value in tags.items() if key in fields}
            | {
                "other_tags": ",".join(
                    f'"{key}"=>"{value}"' for key, value in tags.items() if key not in fields
                )
            }
            for tags, _ in getattr(SMALL, layer)
        ]
        write_layer(path, layer, rows, [shape for _, shape in getattr(SMALL, layer)])
    return path


def write_geofabrik(path: Path) -> Path:
    layers = {
        "gis_osm_places_free": ({"fclass": "village"}, SMALL.points[0]),
        "gis_osm_transport_free": ({"fclass": "railway_station"}, SMALL.points[1]),
        "gis_osm_natural_free": ({"fclass": "peak"}, SMALL.points[2]),
        "gis_osm_roads_free": ({"fclass": "trunk"}, SMALL.lines[0]),
        "gis_osm_railways_free": ({"fclass": "rail"}, SMALL.lines[2]),
        "gis_osm_waterways_free": ({"fclass": "river"}, SMALL.lines[3]),
        "gis_osm_landuse_a_free": ({"fclass": "industrial"}, SMALL.multipolygons[0]),
        "gis_osm_water_a_free": ({"fclass": "water"}, SMALL.multipolygons[1]),
    }
    for layer, (fields, (tags, shape)) in layers.items():
        write_layer(path, layer, [fields | {"name": tags.get("name")}], [shape], "EPSG:3857")
    return path


def write_layer(
    path: Path,
    layer: str,
    rows: list[dict[str, Any]],
    shapes: list[Any],
    frame: str = "EPSG:4326",
) -> None:
    table = geopandas.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4326").to_crs(frame)
    table.to_file(path, layer=layer, engine="pyogrio")


WRITERS = {
    "basemap.osm": SMALL.write,
    "basemap.osm.pbf": SMALL.write,
    "basemap.gpkg": SMALL.write,
    "tags.gpkg": write_with_other_tags,
    "geofabrik.gpkg": write_geofabrik,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same(tmp_path: Path, name: str) -> None:
    found = read_basemap(WRITERS[name](tmp_path / name), WINDOW)
    assert {one.kind: one.rank for one in found.features} == KINDS
    assert len(found.features) == len(KINDS)
    shapes = {one.kind: one.geometry for one in found.features}
    assert shapely.hausdorff_distance(shapes["road"], LINE) < 1e-6
    assert shapely.area(shapely.symmetric_difference(shapes["built"], SQUARE)) < 1e-8
    village = next(one for one in found.features if one.kind == "place")
    assert village.name.zh == "样例村"
    assert village.name.en == ("Sample Village" if name != "geofabrik.gpkg" else "")


def test_vector_tiles_are_read_though_each_holds_but_a_piece(tmp_path: Path) -> None:
    rows = [{"class": "trunk"}, {"class": "rail"}, {"class": "path"}]
    shapes = [line for _, line in SMALL.lines[:3]]
    table = geopandas.GeoDataFrame(rows, geometry=shapes, crs="EPSG:4326").to_crs("EPSG:3857")
    path = tmp_path / "basemap.pmtiles"
    pyogrio.write_dataframe(table, path, layer="transportation", driver="PMTiles", MINZOOM=9, MAXZOOM=12)
    found = read_basemap(path, WINDOW)
    assert {one.kind: one.rank for one in found.features} == {"road": 2, "rail": 1}
    roads = [one.geometry for one in found.features if one.kind == "road"]
    assert len(roads) > 1
    assert shapely.hausdorff_distance(shapely.union_all(roads), LINE) < 1e-4


@pytest.mark.parametrize("name", ["basemap.osm", "basemap.osm.pbf"])
def test_the_date_of_the_data_is_the_one_that_the_file_states(tmp_path: Path, name: str) -> None:
    assert read_basemap(SMALL.write(tmp_path / name), WINDOW).date == DATE


def test_a_file_that_states_no_date_has_none(tmp_path: Path) -> None:
    path = tmp_path / "basemap.osm"
    path.write_text("".join(SMALL.to_xml().split(f'<meta osm_base="{DATE}T00:00:00Z"/>')), encoding="utf-8")
    assert read_basemap(path, WINDOW).date is None


def test_what_a_process_of_its_own_reads_is_the_same(tmp_path: Path) -> None:
    path = SMALL.write(tmp_path / "basemap.osm.pbf")
    here, there = read_basemap(path, WINDOW), load_basemap(path, WINDOW)
    assert there == replace(here, features=there.features)
    assert list(map(describe, there.features)) == list(map(describe, here.features))


def describe(one: GroundFeature) -> tuple[Any, ...]:
    return one.kind, one.rank, one.name, one.geometry.wkt


def test_nothing_beyond_the_window_is_read(tmp_path: Path) -> None:
    window = (122.15, 36.5, 122.25, 37.8)
    found = read_basemap(SMALL.write(tmp_path / "basemap.osm"), window)
    assert Counter(one.kind for one in found.features) == Counter(
        ["station", "road", "rail", "river", "water"]
    )
    assert all(shapely.box(*window).buffer(1e-9).contains(one.geometry) for one in found.features)


# What is wrong with a file.


def cut(path: Path, share: float) -> Path:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def damage(path: Path) -> Path:
    """Change some bytes in the middle of what is packed there."""
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20] = bytes(20)
    path.write_bytes(content)
    return path


def break_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield a code, and a file that must be refused with it."""
    for number, share in enumerate((0.2, 0.5, 0.9)):
        for suffix in (".osm", ".osm.pbf"):
            yield "basemap-broken", cut(SMALL.write(folder / f"cut-{number}{suffix}"), share)
    yield "basemap-broken", damage(SMALL.write(folder / "damaged.osm.pbf"))
    for suffix in basemap.SUFFIXES:
        for name, content in (("empty", b""), ("text", b"no map\n"), ("packed", gzip.compress(b"<osm/>"))):
            path = folder / f"{name}{suffix}"
            path.write_bytes(content)
            yield "basemap-broken", path
    shapes = folder / "roads.shp"
    shapes.write_bytes(b"x")
    yield "basemap-suffix", shapes
    other = folder / "other.gpkg"
    write_layer(other, "zones", [{"name": "x"}], [SQUARE])
    yield "basemap-layers", other


def test_a_file_that_is_none_is_refused_with_its_name_in_both_languages(tmp_path: Path) -> None:
    for code, path in break_files(tmp_path):
        with pytest.raises(BasemapError) as refused:
            read_basemap(path, WINDOW)
        assert refused.value.code == code, path.name
        assert str(refused.value).startswith(f"{path.name}: ")
        assert " / " in str(refused.value)
        assert str(refused.value.to_problem()).startswith(path.name)
        assert str(tmp_path) not in str(refused.value)


def test_what_a_process_of_its_own_refuses_is_said_likewise(tmp_path: Path) -> None:
    path = damage(SMALL.write(tmp_path / "basemap.osm.pbf"))
    for read in (read_basemap, load_basemap):
        with pytest.raises(BasemapError, match=r"^basemap\.osm\.pbf: .*损坏.* / .* broken") as refused:
            read(path, WINDOW)
        assert refused.value.code == "basemap-broken"
    with pytest.raises(BasemapError, match=r"missing\.osm"):
        load_basemap(tmp_path / "missing.osm", WINDOW)


def test_a_file_of_another_city_is_refused_with_the_window(tmp_path: Path) -> None:
    with pytest.raises(BasemapError, match=r"110\.00–111\.00°E") as refused:
        read_basemap(SMALL.write(tmp_path / "basemap.osm.pbf"), (110.0, 36.0, 111.0, 37.0))
    assert refused.value.code == "basemap-elsewhere"


def test_a_file_that_would_take_too_long_or_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = SMALL.write(tmp_path / "basemap.osm")
    monkeypatch.setattr(basemap, "PATIENCE_S", 0.01)
    with pytest.raises(BasemapError) as slow:
        load_basemap(path, WINDOW)
    assert slow.value.code == "basemap-too-slow"
    monkeypatch.setitem(basemap.LARGEST_MB, ".osm", 0)
    with pytest.raises(BasemapError) as large:
        load_basemap(path, WINDOW)
    assert large.value.code == "basemap-too-large"
