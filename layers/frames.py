"""Layers as GeoDataFrames, for analysts."""

from __future__ import annotations

from functools import cache

import geopandas

from geodata.read import read_boundaries, read_facts
from layers.catalogue import read_layers
from layers.features import Features, build_features
from layers.relations import Relations
from layers.release import build_all_shapes, read_neighbours

WGS84 = "EPSG:4326"


def load_frame(layer: str) -> geopandas.GeoDataFrame:
    """Return one layer as a GeoDataFrame of its own; see :func:`layers.load`."""
    known = _features()
    if layer not in known:
        raise KeyError(f"{layer!r}: 应为其中之一 / must be one of: {', '.join(known)}")
    columns = [field.name for field in read_layers()[layer].fields]
    frame = geopandas.GeoDataFrame.from_features(known[layer], crs=WGS84, columns=["geometry", *columns])
    return frame.set_index("id", drop=False).rename_axis(None)


@cache
def _features() -> Features:
    boundaries, facts = read_boundaries(), read_facts()
    shapes = build_all_shapes(facts, boundaries)
    return build_features(
        Relations(facts), shapes, read_layers()["land"], read_neighbours(boundaries, facts.plans)
    )
