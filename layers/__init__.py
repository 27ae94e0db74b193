"""What can be asked: named layers with attributes, queries, look-ups and releases."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

    from layers.features import Features

__all__ = ["load"]


def load(layer: str) -> GeoDataFrame:
    """Load one layer as a GeoDataFrame in WGS 84 (lon, lat), one row per feature, indexed by id.

    The columns are the properties of the contract; ``industries`` holds lists of dicts. Rows whose
    place is not known have no geometry. Raises KeyError, naming what there is, for an unknown layer.

    >>> import layers
    >>> zones = layers.load("zones")
    >>> zones["name_zh"].notna().all(), zones.crs.to_epsg()
    (np.True_, 4326)
    """
    # The web process imports this package too and must not pay for geopandas.
    from geopandas import GeoDataFrame

    from layers.catalogue import read_layers

    known = _features()
    if layer not in known:
        raise KeyError(f"{layer!r}: 应为其中之一 / must be one of: {', '.join(known)}")
    columns = [field.name for field in read_layers()[layer].fields]
    frame = GeoDataFrame.from_features(known[layer], crs="EPSG:4326", columns=["geometry", *columns])
    return frame.set_index("id", drop=False).rename_axis(None)


@cache
def _features() -> Features:
    from geodata.read import read_boundaries, read_facts
    from geodata.shapes import build_waters
    from layers.catalogue import read_layers
    from layers.features import build_features
    from layers.relations import Relations
    from layers.release import build_all_shapes, read_neighbours

    boundaries, facts = read_boundaries(), read_facts()
    shapes = build_all_shapes(facts, boundaries)
    neighbours = read_neighbours(boundaries, facts.plans)
    waters = build_waters(boundaries)
    return build_features(Relations(facts), shapes, read_layers()["land"], neighbours, waters)
