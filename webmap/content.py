"""The content of the release in service, and the store of features that the operator chose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar

from geodata.model import POINT_LAYERS
from layers.basemap import INDEX
from layers.export.formats import FORMATS
from layers.export.job import About, read_about, release_path
from layers.lookup import BlockPlaces, Lookup, Shares, StoredPlaces, Surroundings
from layers.memory import MemoryStore
from layers.query import (
    Collection,
    Feature,
    FeatureStore,
    Query,
    Selection,
    StoreSlowError,
    StoreUnavailableError,
)
from layers.search import Search
from layers.store import Release
from layers.wording import NO_WORDING, PlanWording
from webmap.i18n import LANGUAGES
from webmap.problems import SlowError, UnavailableError, find_near_rows
from webmap.settings import Settings

Document = dict[str, Any]
Result = TypeVar("Result")


class Content:
    """Reads the release's documents once and keeps them for the pages."""

    def __init__(self, release: Release, store: FeatureStore | None = None) -> None:
        self.release = release
        self._known: dict[int, Any] = {}  # what was read before, see :func:`share`
        self._store = store  # that look-ups ask; None: the release itself

    def _read(self, path: str) -> Any:
        return share(self.release.read_json(path), self._known)

    @cached_property
    def documents(self) -> dict[str, Document]:
        """Every place, platform and gateway by id, in the order of the facts."""
        order = self._read("pages/order.json")
        return {row_id: self._read(f"documents/{row_id}.json") for row_id in order}

    @cached_property
    def tables(self) -> dict[str, list[Document]]:
        """Every table of the contract by name."""
        names = [path for path in self.release.paths("data/") if path.endswith(".json")]
        return {path[5:-5]: self._read(path) for path in names}

    @cached_property
    def layers(self) -> list[Document]:
        """The catalogue: every layer with its titles and fields."""
        layers: list[Document] = self._read("pages/catalogue.json")
        return layers

    @cached_property
    def citations(self) -> list[Document]:
        """Every fact with the clause that states it."""
        citations: list[Document] = self._read("pages/facts.json")
        return citations

    @cached_property
    def industries(self) -> dict[str, Document]:
        """Every industry with its designations, chains, platforms and near industries by id."""
        return self._by_id("industries")

    @cached_property
    def clusters(self) -> dict[str, Document]:
        """Every cluster with its target, industries and places by id."""
        return self._by_id("clusters")

    @cached_property
    def agencies(self) -> dict[str, Document]:
        """Every responsible unit with its clauses by id."""
        return self._by_id("agencies")

    @cached_property
    def themes(self) -> dict[str, Document]:
        """Every theme of the map by id, in Chinese."""
        return {row["id"]: row for row in self._read("map/zh.json")["themes"]}

    @cached_property
    def theme_titles(self) -> dict[str, dict[str, str]]:
        """The title of every theme in each language, by id."""
        themes = {one: self._read(f"map/{one}.json")["themes"] for one in LANGUAGES}
        titles = {one: {row["id"]: row["title"] for row in rows} for one, rows in themes.items()}
        return {name: {one: titles[one][name] for one in LANGUAGES} for name in self.themes}

    @cached_property
    def sketch(self) -> Document:
        """The whole city as SVG path data."""
        sketch: Document = self._read("pages/sketch.json")
        return sketch

    @cached_property
    def basemap(self) -> Document | None:
        """The window, date and cells of the operator's basemap; None without one."""
        return self._read(INDEX) if self.release.sha256(INDEX) else None

    @cached_property
    def measures(self) -> Document:
        """What is measured of every county, zone and park, by place."""
        measures: Document = self._read("pages/measures.json")
        return measures

    def _by_id(self, name: str) -> dict[str, Document]:
        return {row["id"]: row for row in self._read(f"pages/{name}.json")}

    @cached_property
    def indicators(self) -> list[Document]:
        """Every indicator with base and target."""
        indicators: list[Document] = self._read("pages/indicators.json")
        return indicators

    @cached_property
    def local(self) -> Document:
        """Who publishes the site, and which further additions of the operator's the release has."""
        local: Document = self._read("pages/local.json")
        return local

    @cached_property
    def wording(self) -> PlanWording:
        """The wording of every clause; none where the operator has not the plan's text."""
        path = "pages/wording.json"
        wording: PlanWording = self._read(path) if self.release.sha256(path) else NO_WORDING
        return wording

    @cached_property
    def sources(self) -> list[Document]:
        """Every source of what is not in the plan."""
        sources: list[Document] = self._read("pages/sources.json")
        return sources

    @cached_property
    def about(self) -> About:
        """What every file that is made says of itself."""
        return read_about(self.release)

    @cached_property
    def downloads(self) -> list[Document]:
        """Every layer of the catalogue with its files, its rows, and how well their places are known."""
        summary = self._read("pages/summary.json")
        return [layer | summary[layer["id"]] | {"files": self.files_of(layer["id"])} for layer in self.layers]

    def files_of(self, name: str) -> list[Document]:
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
    def plan(self) -> Document:
        """Title, number and date of the document that the facts come from."""
        plan: Document = self._read("pages/plan.json")
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
        return Search(share(self.release.read_json("index/search.json"), {}))

    def places(self) -> list[Document]:
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


def share(value: Any, known: dict[int, Any]) -> Any:
    """Return a JSON value in which what is equal, also to what was `known` before, is one object.

    Documents repeat each other: shared, they take a quarter of the memory. None of them may be changed.
    """
    if isinstance(value, dict):
        for name, one in value.items():
            value[name] = share(one, known)
        mark = hash((dict, *value, *map(id, value.values())))
    elif isinstance(value, list):
        value[:] = [share(one, known) for one in value]
        mark = hash((list, *map(id, value)))
    else:
        mark = hash((type(value), value))
    found = known.setdefault(mark, value)
    return found if type(found) is type(value) and found == value else value


def open_store(release: Release, settings: Settings) -> FeatureStore:
    """Return the store that serves the release's features.

    Opening needs no database: where it is down, each question is answered so until it is back.
    """
    if settings.store is None:
        return MemoryStore(release)
    # Only who stores in a database pays for its driver.
    from layers.postgis.store import PostgisStore

    return GuardedStore(PostgisStore(settings.store, release.id))


def holds(release: Release, settings: Settings) -> bool:
    """Tell whether the store that the operator chose has a release now; not while it cannot be asked."""
    if settings.store is None:
        return True
    import psycopg

    from layers.postgis.load import is_loaded

    try:
        return is_loaded(settings.store, release.id)
    except psycopg.Error:
        return False


class GuardedStore:
    """A store whose outages are answers: :class:`~webmap.problems.UnavailableError` and its kin."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store

    def collections(self) -> tuple[Collection, ...]:
        """Return every collection in the catalogue's order."""
        return _guard(self._store.collections)

    def select(self, collection: str, query: Query) -> Selection:
        """Return the features that match, sorted and cut; raises KeyError for an unknown collection."""
        return _guard(lambda: self._store.select(collection, query))

    def get(self, collection: str, feature_id: str) -> Feature | None:
        """Return one feature, or None; raises KeyError for an unknown collection."""
        return _guard(lambda: self._store.get(collection, feature_id))

    def near(self, lon: float, lat: float, reach_m: float) -> Iterator[tuple[dict[str, Any], bytes]]:
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
