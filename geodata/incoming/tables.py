"""Say what the layers of one file hold: folders of a KML, tables of a GeoPackage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import shapely

from geodata.incoming.titles import Words, join_words, phrase

MAX_TABLES: Final = 20  # that a message can hold
_LOOKED_AT: Final = 200  # features of a layer that does not say itself of which type they are
POLYGONS: Final = frozenset({"Polygon", "MultiPolygon"})
_PLAIN: Final = POLYGONS | {"Point", "MultiPoint", "LineString", "MultiLineString"}


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
    count = int(info["features"])
    if not count:
        return Table(name, phrase("layer_empty", name=name), polygons=False)
    kinds = {_to_kind(info["geometry_type"] or "")}
    if not kinds <= _PLAIN:
        shapes = read(source, layer=name, columns=[], max_features=_LOOKED_AT, force_2d=True)[2]
        known = shapely.from_wkb(shapes if shapes is not None else [], on_invalid="ignore")
        kinds = {shape.geom_type for shape in known if shape is not None}
    if not kinds:
        return Table(name, phrase("layer_bare", name=name, count=count), polygons=False)
    title = phrase("layer", name=name, count=count, kind=join_words("geometry", kinds))
    return Table(name, title, polygons=bool(kinds & POLYGONS))


def _to_kind(declared: str) -> str:
    """Return a declared type without what it says of heights and measures.

    >>> [_to_kind(declared) for declared in ("Polygon Z", "MultiPolygon ZM", "Point M", "Unknown")]
    ['Polygon', 'MultiPolygon', 'Point', 'Unknown']
    """
    return declared.removesuffix("M").removesuffix("Z").rstrip()
