"""What can be asked: named layers with attributes, queries, look-ups and releases."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["load"]


def load(layer: str) -> GeoDataFrame:
    """Load one layer as a GeoDataFrame in WGS 84 (lon, lat), one row per feature, indexed by id.

    The columns are the properties of the contract; ``industries`` holds lists of dicts. Rows whose
    place is not known have no geometry. Raises KeyError, naming what there is, for an unknown layer.

    >>> import layers
    >>> zones = layers.load("zones")
    >>> zones.loc["lingang", "name_zh"]
    '临港区'
    >>> zones.crs.to_epsg()
    4326
    """
    # The web process imports this package too and must not pay for geopandas.
    from layers.frames import load_frame

    return load_frame(layer)
