"""What the map page loads first, member by member, and what its features look like; in one language.

Positions are (lon, lat), accuracies metres.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class MapFeature(TypedDict):
    """A place or point as the map's first load has it, in one language; members differ by layer."""

    layer: str
    kind: str
    name: str
    zh: str
    parent: str | None
    method: str | None
    edge: str | None
    accuracy_m: int | None
    industries: list[str]
    fact: str | None
    point: list[float] | None
    url: str
    short: NotRequired[str | None]
    label: NotRequired[list[float]]
    area_km2: NotRequired[float | None]
    spots: NotRequired[list[list[float]]]
    reached: NotRequired[list[str]]
    clusters: NotRequired[list[str]]
    leads: NotRequired[str | None]
    letter: NotRequired[str | None]
    colour: NotRequired[str | None]


class ShownFeature(MapFeature):
    """A feature of the map with its id."""

    id: str


class SymbolLook(TypedDict):
    """How the symbol of a point looks."""

    colour: str
    letter: str | None
    symbol: str | None


class LegendLine(SymbolLook):
    """One line of a legend: the features of `keys`, by kind or by id."""

    key: str
    keys: list[str]
    label: str


class MapTheme(TypedDict):
    """A theme of the map in one language."""

    id: str
    title: str
    layers: list[str]
    context: list[str]
    colour_by: Literal["kind", "feature", "cluster"]
    legend: list[LegendLine]
    note: str


class MapLayer(TypedDict):
    """How the names of a layer's places are set."""

    source: str | None
    priority: int
    width: int | None


class MapTown(TypedDict):
    """The name of a town and where it stands."""

    name: str
    zh: str
    at: list[float]


class MapLandmark(MapTown):
    """A landmark; `core_of` is the layer of the areas that it is the core of."""

    kind: str
    core_of: str | None


class MapIndustry(TypedDict):
    """An industry that the map may be asked for."""

    name: str
    cluster: str | None


class MapCluster(TypedDict):
    """A cluster that the map may be asked for."""

    id: str
    name: str
    letter: str
    colour: str


class MapDocument(TypedDict):
    """What the map page loads first, in one language; features by id, polygons first."""

    lang: str
    layers: dict[str, MapLayer]
    features: dict[str, MapFeature]
    towns: list[MapTown]
    landmarks: list[MapLandmark]
    industries: dict[str, MapIndustry]
    clusters: list[MapCluster]
    themes: list[MapTheme]
    bounds: NotRequired[list[float]]  # west, south, east, north; set when the pages are built
