"""Say what the layers of one file hold: folders of a KML, tables of a GeoPackage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import shapely

from geodata.incoming.titles import Words, join_words

MAX_TABLES: Final = 20  # that a message can hold
_LOOKED_AT: Final = 200  # features of a layer that does not say itself of which type they are
_POLYGONS: Final = {"Polygon", "MultiPolygon"}


@dataclass(frozen=True)
class Table:
    """One layer: its name, its title for people, and whether it holds polygons."""

    name: str
    title: Words
    polygons: bool


def describe_table(source: Path, name: str) -> Table:
    """Look into one layer of a file; raises what the reader raises."""
    import pyogrio
    from pyogrio.raw import read

    info = pyogrio.read_info(source, layer=name, force_feature_count=True)
    kinds = {_to_kind(str(info["geometry_type"]))}
    if not kinds <= _POLYGONS | {"Point", "MultiPoint", "LineString", "MultiLineString"}:
        shapes = read(source, layer=name, columns=[], max_features=_LOOKED_AT, force_2d=True)[2]
        known = shapely.from_wkb(shapes if shapes is not None else [], on_invalid="ignore")
        kinds = {shape.geom_type for shape in known if shape is not None}
    count = int(info["features"])
    words = join_words("geometry", kinds)
    title = {"zh": f"{name}（{count} 个{words['zh']}）", "en": f"{name} ({count} {words['en']})"}
    empty = {"zh": f"{name}（空）", "en": f"{name} (empty)"}
    return Table(name, title if count else empty, bool(count and kinds & _POLYGONS))


def _to_kind(declared: str) -> str:
    """Return a declared type without what it says of heights and measures."""
    return declared.removeprefix("2.5D ").removeprefix("3D ").removeprefix("Measured ").removeprefix("3D ")
