"""The spatial index of a GeoPackage: sound, used and kept up by other programs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyogrio
import pytest
import shapely

from layers.export.job import (
    FRAMES,
    PLAN,
    About,
    ExportSpec,
    Part,
    release_path,
    to_job,
)
from layers.export.texts import geometries_of
from layers.export.write import write_file
from layers.store import Release

UPDATES = ("update1", "update2", "update3", "update4")
Made = Callable[[str, str], Path]


@pytest.fixture
def make(about: About, parts: dict[str, Part], tmp_path: Path) -> Made:
    def make(name: str, frame: str) -> Path:
        path = tmp_path / f"{name}.gpkg"
        path.write_bytes(write_file(to_job(ExportSpec(name, "gpkg", frame), list(parts.values()), about)))
        return path

    return make


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("name", ["towns", "platforms"])
def test_the_index_has_the_box_of_every_row_in_every_frame(
    make: Made, parts: dict[str, Part], name: str, frame: str
) -> None:
    geometries = geometries_of(parts[name], frame)
    wanted = {number: one.bounds for number, one in enumerate(geometries, 1) if one is not None}
    with closing(sqlite3.connect(make(name, frame))) as database:
        assert database.execute(f"SELECT rtreecheck('rtree_{name}_geom')").fetchone() == ("ok",)
        found = {row[0]: row[1:] for row in database.execute(f"SELECT * FROM rtree_{name}_geom")}
    assert found.keys() == wanted.keys()
    for number, (min_x, max_x, min_y, max_y) in found.items():
        west, south, east, north = wanted[number]
        assert (min_x, min_y) <= (west, south)
        assert (max_x, max_y) >= (east, north)
        assert (min_x, max_x, min_y, max_y) == pytest.approx((west, east, south, north), rel=1e-6)


def test_every_layer_of_the_plan_is_indexed_and_every_index_registered(
    release: Release, parts: dict[str, Part], tmp_path: Path
) -> None:
    path = tmp_path / "plan.gpkg"
    path.write_bytes(release.read(release_path(PLAN, "gpkg")))
    layers = {part.id for part in parts.values() if part.spatial}
    with closing(sqlite3.connect(path)) as database:
        registered = set(
            database.execute(
                "SELECT table_name, column_name, scope FROM gpkg_extensions"
                " WHERE extension_name = 'gpkg_rtree_index'"
            )
        )
        triggers = set(
            database.execute(
                "SELECT tbl_name, name FROM sqlite_master WHERE name LIKE 'rtree%' AND type = 'trigger'"
            )
        )
        for layer in layers:
            assert database.execute(f"SELECT rtreecheck('rtree_{layer}_geom')").fetchone() == ("ok",)
    assert registered == {(layer, "geom", "write-only") for layer in layers}
    kinds = ("insert", *UPDATES, "delete")
    assert triggers == {(layer, f"rtree_{layer}_geom_{kind}") for layer in layers for kind in kinds}
    for layer in layers:
        assert pyogrio.read_info(path, layer=layer)["capabilities"]["fast_spatial_filter"]


def test_gdal_finds_by_the_index_what_a_box_meets(make: Made, parts: dict[str, Part]) -> None:
    towns, box = parts["towns"], (122.0, 37.3, 122.2, 37.5)
    found = pyogrio.read_dataframe(make("towns", "EPSG:4326"), layer="towns", bbox=box)
    places = zip(towns.features, geometries_of(towns, "EPSG:4326"), strict=True)
    wanted = [row["id"] for row, one in places if one is not None and one.intersects(shapely.box(*box))]
    assert sorted(found["id"]) == sorted(wanted)
    assert 0 < len(wanted) < len(towns.rows)


def test_the_index_follows_what_another_program_writes(make: Made) -> None:
    path = make("towns", "EPSG:4326")
    frame = pyogrio.read_dataframe(path, layer="towns").head(1)
    frame["geometry"] = [shapely.MultiPolygon([shapely.box(10, 20, 11, 21)])]
    pyogrio.write_dataframe(frame, path, layer="towns", driver="GPKG", append=True)
    assert len(pyogrio.read_dataframe(path, layer="towns", bbox=(9, 19, 12, 22))) == 1
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT rtreecheck('rtree_towns_geom')").fetchone() == ("ok",)


def test_a_small_layer_makes_a_small_file(make: Made, parts: dict[str, Part]) -> None:
    """Some forty tables and indexes take a page each, be they empty: of four kilobytes, most of the file."""
    fewest = min(
        (part for part in parts.values() if part.info["geometry"] != "none"), key=lambda one: len(one.rows)
    )
    assert make(fewest.id, "CRS84").stat().st_size < 140_000
