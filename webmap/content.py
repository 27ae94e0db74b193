"""The content of the release in service, and the store of features that the operator chose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from geodata.boundaries import GeoJsonFeature, Properties
from geodata.kinds import POINT_LAYERS
from layers import document_types as doc
from layers.basemap_cells import (
    INDEX,
    BasemapIndex,
)
from layers.citations import NO_WORDING, PlanWording
from layers.export.job import FORMATS, About, read_about, release_path
from layers.links import Citation
from layers.lookup import BlockPlaces, Lookup, Shares, StoredPlaces, Surroundings
from layers.map_types import MapTheme
from layers.query import (
    Collection,
    Feature,
    FeatureStore,
    Query,
    Selection,
    StoreSlowError,
    StoreUnavailableError,
)
from layers.sketch import Sketch
from layers.store import Release
from webmap.i18n import LANGUAGES
from webmap.problems import SlowError, UnavailableError, find_near_rows
from webmap.settings import Settings

if TYPE_CHECKING:
    from layers.search import Search

Result = TypeVar("Result")


class Content:
    """Reads the release's documents once and keeps them for the pages."""

    def __init__(self, release: Release, store: FeatureStore | None = None) -> None:
        self.release = release
        self._known: dict[int, object] = {}  # what was read before, see :func:`layers.store.share`
        self._store = store  # that look-ups ask; None: the release itself

    @cached_property
    def documents(self) -> dict[str, doc.PlaceDocument]:
        """Every place, platform and gateway by id, in the order of the facts."""
        order = self.release.read_json("pages/order.json", self._known)
        return {row_id: self.release.read_json(f"documents/{row_id}.json", self._known) for row_id in order}

    @cached_property
    def unbounded(self) -> frozenset[str]:
        """The ids of the areas whose extent the plan does not state."""
        return frozenset(one for one, row in self.documents.items() if row.get("extent") == "not-stated")

    @cached_property
    def tables(self) -> dict[str, list[Properties]]:
        """Every table of the contract by name."""
        names = [path for path in self.release.paths("data/") if path.endswith(".json")]
        return {path[5:-5]: self.release.read_json(path, self._known) for path in names}

    @cached_property
    def layers(self) -> list[doc.LayerEntry]:
        """The catalogue: every layer with its titles and fields."""
        layers: list[doc.LayerEntry] = self.release.read_json("pages/catalogue.json", self._known)
        return layers

    @cached_property
    def own(self) -> dict[str, doc.LayerEntry]:
        """The entries of the catalogue that are the operator's own, by id."""
        return {layer["id"]: layer for layer in self.layers if layer.get("own")}

    def own_features(self, layer_id: str) -> dict[str, GeoJsonFeature]:
        """Return the GeoJSON features of a layer of the operator's own by id; they are read once."""
        if layer_id not in self._own_features:
            rows = self.release.read_json(f"data/{layer_id}.geojson")["features"]
            self._own_features[layer_id] = {row["id"]: row for row in rows}
        return self._own_features[layer_id]

    @cached_property
    def _own_features(self) -> dict[str, dict[str, GeoJsonFeature]]:
        return {}

    @cached_property
    def citations(self) -> list[Citation]:
        """Every fact with the clause that states it."""
        citations: list[Citation] = self.release.read_json("pages/facts.json", self._known)
        return citations

    @cached_property
    def industries(self) -> dict[str, doc.IndustryDocument]:
        """Every industry with its designations, chains, platforms and near industries by id."""
        rows: list[doc.IndustryDocument] = self.release.read_json("pages/industries.json", self._known)
        return {row["id"]: row for row in rows}

    @cached_property
    def clusters(self) -> dict[str, doc.ClusterDocument]:
        """Every cluster with its target, industries and places by id."""
        rows: list[doc.ClusterDocument] = self.release.read_json("pages/clusters.json", self._known)
        return {row["id"]: row for row in rows}

    @cached_property
    def agencies(self) -> dict[str, doc.AgencyDocument]:
        """Every responsible unit with its clauses by id."""
        rows: list[doc.AgencyDocument] = self.release.read_json("pages/agencies.json", self._known)
        return {row["id"]: row for row in rows}

    @cached_property
    def themes(self) -> dict[str, MapTheme]:
        """Every theme of the map by id, in Chinese."""
        return {row["id"]: row for row in self.release.read_json("map/zh.json", self._known)["themes"]}

    @cached_property
    def theme_titles(self) -> dict[str, dict[str, str]]:
        """The title of every theme in each language, by id."""
        themes = {one: self.release.read_json(f"map/{one}.json", self._known)["themes"] for one in LANGUAGES}
        titles = {one: {row["id"]: row["title"] for row in rows} for one, rows in themes.items()}
        return {name: {one: titles[one][name] for one in LANGUAGES} for name in self.themes}

    @cached_property
    def sketch(self) -> Sketch:
        """The whole city as SVG path data."""
        sketch: Sketch = self.release.read_json("pages/sketch.json", self._known)
        return sketch

    @cached_property
    def basemap(self) -> BasemapIndex | None:
        """The window, date and cells of the operator's basemap; None without one."""
        return self.release.read_json(INDEX, self._known) if self.release.sha256(INDEX) else None

    @cached_property
    def measures(self) -> doc.MeasuresDocument:
        """What is measured of every county, zone and park, by place."""
        measures: doc.MeasuresDocument = self.release.read_json("pages/measures.json", self._known)
        return measures

    @cached_property
    def indicators(self) -> list[doc.IndicatorDocument]:
        """Every indicator with base and target."""
        indicators: list[doc.IndicatorDocument] = self.release.read_json("pages/indicators.json", self._known)
        return indicators

    @cached_property
    def local(self) -> doc.LocalSummary:
        """Who publishes the site, and which further additions of the operator's the release has."""
        local: doc.LocalSummary = self.release.read_json("pages/local.json", self._known)
        return local

    @cached_property
    def wording(self) -> PlanWording:
        """The wording of every clause; none where the operator has not the plan's text."""
        path = "pages/wording.json"
        wording: PlanWording = (
            self.release.read_json(path, self._known) if self.release.sha256(path) else NO_WORDING
        )
        return wording

    @cached_property
    def sources(self) -> list[doc.SourceEntry]:
        """Every source of what is not in the plan."""
        sources: list[doc.SourceEntry] = self.release.read_json("pages/sources.json", self._known)
        return sources

    @cached_property
    def about(self) -> About:
        """What every file that is made says of itself."""
        return read_about(self.release)

    @cached_property
    def downloads(self) -> list[doc.DownloadEntry]:
        """Every layer of the catalogue with its files, its rows, and how well their places are known."""
        summary: dict[str, doc.SummaryEntry] = self.release.read_json("pages/summary.json", self._known)
        return [
            {**layer, **summary[layer["id"]], "files": self.files_of(layer["id"])} for layer in self.layers
        ]

    def files_of(self, name: str) -> list[doc.ReadyFile]:
        """Return the files that are ready of a layer, a table or the whole plan."""
        paths = {kind.id: release_path(name, kind.id) for kind in FORMATS.values()}
        return [
            {
                "href": f"/data/{name}.{kind}",
                "format": kind,
                "bytes": self.release.size(path),
                "sha256": self.release.sha256(path),
            }
            for kind, path in paths.items()
            if self.release.sha256(path)
        ]

    @cached_property
    def plan(self) -> doc.PlanDocument:
        """Title, number and date of the document that the facts come from."""
        plan: doc.PlanDocument = self.release.read_json("pages/plan.json", self._known)
        return plan

    @cached_property
    def lookup(self) -> Lookup:
        """Answers what applies at a point."""
        if self._store is not None:
            return Lookup(StoredPlaces(self._store), self.around)
        return Lookup(BlockPlaces(self.release.read("index/lookup.bin")), self.around)

    @cached_property
    def shares(self) -> Shares:
        """Answers how much of a polygon lies in each place."""
        moved = self.release.read("index/shares.bin")
        return Shares(self.release.read("index/lookup.bin"), moved, self.around)

    @cached_property
    def around(self) -> Surroundings:
        """Answers what lies around a position."""
        return Surroundings(self.release.read("index/around.bin"))

    @cached_property
    def search(self) -> Search:
        """Finds things by name."""
        # Only who is asked for names pays for it.
        from layers.search import Search

        return Search(self.release.read_json("index/search.json", {}))

    def places(self) -> list[doc.PlaceDocument]:
        """Return every place with a polygon."""
        return [row for row in self.documents.values() if row["layer"] not in POINT_LAYERS]

    def near(self, given: str, language: str, *, points: bool = False) -> list[dict[str, str]]:
        """Return what may have been meant by an unknown id: near ids first, then near names."""
        rows = {
            row_id: row for row_id, row in self.documents.items() if (row["layer"] in POINT_LAYERS) == points
        }
        return [
            {"id": near, "label": rows[near]["name"][language], "href": rows[near]["url"]}
            for near in find_near_rows(given, rows)
        ]


def open_store(release: Release, settings: Settings) -> FeatureStore:
    """Return the store that serves the release's features.

    Opening needs no database: where it is down, each question is answered so until it is back.
    """
    return GuardedStore(partial(_open_store, release, settings.store))


def _open_store(release: Release, address: str | None) -> FeatureStore:
    if address is None:
        # Only who is asked for features pays for their indexes.
        from layers.memory import MemoryStore

        return MemoryStore(release)
    # Only who stores in a database pays for its driver.
    from layers.postgis.queries import PostgisStore

    return PostgisStore(address, release.id)


def holds(release: Release, settings: Settings) -> bool:
    """Tell whether the store that the operator chose has a release now; not while it cannot be asked."""
    if settings.store is None:
        return True
    import psycopg

    from layers.postgis.loader import is_loaded

    try:
        return is_loaded(settings.store, release.id)
    except psycopg.Error:
        return False


class GuardedStore:
    """A store that is opened when it is asked first, and whose outages are answers.

    These are :class:`~webmap.problems.UnavailableError` and its kin.
    """

    def __init__(self, open_one: Callable[[], FeatureStore]) -> None:
        self._open_one = open_one
        self._opening = threading.Lock()
        self._opened: FeatureStore | None = None

    @property
    def _store(self) -> FeatureStore:
        if self._opened is None:
            with self._opening:
                if self._opened is None:
                    self._opened = self._open_one()
        return self._opened

    def collections(self) -> tuple[Collection, ...]:
        """Return every collection in the catalogue's order."""
        return _guard(self._store.collections)

    def select(self, collection: str, query: Query) -> Selection:
        """Return the features that match, sorted and cut; raises KeyError for an unknown collection."""
        return _guard(lambda: self._store.select(collection, query))

    def get(self, collection: str, feature_id: str) -> Feature | None:
        """Return one feature, or None; raises KeyError for an unknown collection."""
        return _guard(lambda: self._store.get(collection, feature_id))

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[doc.BlockHead, bytes]]:
        """Yield head and WKB of what a look-up at a point must consider, within `reach_m` of it."""
        yield from _guard(lambda: list(self._store.near(lon, lat, reach_m)))

    def reach_m(self) -> float:
        """Return the accuracy of the least accurate of what look-ups answer with, metres."""
        return _guard(self._store.reach_m)


def _guard(ask: Callable[[], Result]) -> Result:
    try:
        return ask()
    except StoreSlowError as error:
        raise SlowError from error
    except StoreUnavailableError as error:
        raise UnavailableError from error
