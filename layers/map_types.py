"""What the map page loads first, member by member, and what its features look like; in one language.

Own layers also as the release's catalogue has them.

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


class MapOwnValue(TypedDict):
    """One of the values of a choice of an operator's own layer."""

    label: str
    colour: str


class MapOwnChoice(TypedDict):
    """A field of an operator's own layer that the map can be filtered by."""

    name: str
    title: str
    values: list[MapOwnValue]


class MapOwnLayer(TypedDict):
    """What the map knows of an operator's own layer before it is switched on."""

    id: str
    title: str
    geometry: str
    colour: str
    symbol: str
    by: str | None  # the choice that it is coloured by
    count: int
    choices: list[MapOwnChoice]
    source: str
    as_of: str
    url: str


class MapOwnDrawn(TypedDict):
    """What the map draws of such a layer: parallel lists, an item a feature; `at` of points or `shapes`."""

    ids: list[str]
    at: NotRequired[list[list[float]]]  # lon, lat
    shapes: NotRequired[list[list[list[list[list[float]]]]]]  # coordinates of MultiPolygons
    names: dict[str, list[str]]
    values: dict[str, list[int]]  # by choice: which of its values, -1 for none


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
    own: NotRequired[list[MapOwnLayer]]
    bounds: NotRequired[list[float]]  # west, south, east, north; set when the pages are built


class OwnTextEntry(TypedDict):
    """A text of an operator's: in Chinese, and in other languages where there is one."""

    zh: str
    en: str | None
    ko: str | None


class OwnFieldEntry(TypedDict):
    """A field of an operator's own layer, as its file declares it."""

    name: str
    title: OwnTextEntry
    kind: str
    unit: OwnTextEntry | None
    values: list[OwnTextEntry]


class OwnPopupEntry(TypedDict):
    """Which field is the name of a feature, and which are shown."""

    title: OwnTextEntry
    fields: list[str]


class OwnEntry(TypedDict):
    """What an operator says of a layer of their own."""

    description: OwnTextEntry | None
    fields: list[OwnFieldEntry]
    popup: OwnPopupEntry
    source: str
    source_url: str | None
    as_of: str
    licence: str
