"""Features of a collection: one page, or one feature, as bytes joined from the store's."""

from __future__ import annotations

import difflib
import threading
from dataclasses import dataclass

import orjson
from cachetools import LRUCache, cached

from layers.axes import Axes
from layers.cql.tree import And, Condition, Kind, Not, Or, Spatial
from layers.query import Collection, Feature, FeatureStore, Query, Selection
from layers.rows import queryables
from webmap.limiter import computing
from webmap.ogc.asked import ROOT, SOME_BOX, Asked, encode
from webmap.ogc.frames import Frames, keep_properties
from webmap.ogc.links import GEOJSON, HTML, JSON, Link, link, selves
from webmap.ogc.parameters import ITEM, Wanted, check_names, parse_axes, parse_items
from webmap.problems import NotFoundError, name_some

MOULD_BYTES = 4_000_000
LONGEST = 60  # characters of what was given, to look for what may have been meant
COMPARED = 1000  # features among which one may have been meant; a slip must not read a whole country
KEPT_LINKS = 8  # of each


@dataclass(frozen=True)
class Page:
    """One page of a collection, its features in the system that was asked for."""

    asked: Asked
    collection: Collection
    wanted: Wanted
    matched: int
    features: tuple[Feature, ...]  # as the store has them, in lon/lat
    bodies: list[bytes]

    @property
    def axes(self) -> Axes:
        """The system of the features' coordinates."""
        return self.wanted.axes

    @property
    def links(self) -> list[Link]:
        """The page itself and its neighbours."""
        return page_links(self.asked, self.collection, self.wanted, self.matched)


class Mould:
    """What pages that differ in their box alone have in common."""

    def __init__(self, asked: Asked, collection: Collection, wanted: Wanted) -> None:
        self.wanted = wanted
        self.query = asked.query
        self._asked, self._collection = asked, collection
        self._links: dict[tuple[bool, int], list[str]] = {}

    def write(self, matched: int, bodies: list[bytes], box: str | None) -> bytes:
        """Return a page as GeoJSON, the features' bytes as they are."""
        links = (SOME_BOX if box is None else encode(box)).join(self._parts(matched))
        head = f'{{"type":"FeatureCollection","links":{links},"numberMatched":{matched},'
        head += f'"numberReturned":{len(bodies)},"features":['
        commas = [b","] * (2 * len(bodies) - 1)
        commas[::2] = bodies  # joined once: a page is long, and each copy costs
        return b"".join((head.encode(), *commas, b"]}"))

    def _parts(self, matched: int) -> list[str]:
        """Return the links as JSON, cut where the box stands; they depend little on what matched."""
        wanted = self.wanted
        key = wanted.offset + wanted.limit < matched, min(wanted.offset, matched)
        parts = self._links.get(key)
        if parts is None:
            links = page_links(self._asked, self._collection, wanted, matched)
            parts = orjson.dumps(links).decode().split(SOME_BOX)
            if len(self._links) < KEPT_LINKS:
                self._links[key] = parts
        return parts


def _weigh(mould: Mould) -> int:
    """Return about how many bytes a mould takes: what was read of a filter is many times its text."""
    return 5000 + 20 * len(mould.query)


@dataclass(frozen=True)
class Single:
    """One feature in the system that was asked for."""

    collection: Collection
    feature_id: str
    axes: Axes
    body: bytes
    links: list[Link]

    def to_bytes(self) -> bytes:
        """Return the feature as GeoJSON with its links."""
        return b"".join((self.body[:-1], b',"links":', orjson.dumps(self.links), b"}"))


class Items:
    """Answers for features from one store."""

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._frames = Frames()
        self._kinds: dict[str, dict[str, Kind]] = {}
        kept: LRUCache[object, Mould] = LRUCache(MOULD_BYTES, _weigh)
        self._mould = cached(kept, lock=threading.Lock())(self._make_mould)

    def page(self, asked: Asked, collection: Collection) -> Page:
        """Return the page that is asked for; raises BadParameterError."""
        wanted = parse_items(asked, collection, self._kinds_of(collection))
        found = self._select(collection, wanted, asked.values.get("bbox"))
        bodies = self._bodies(collection, found.features, wanted)
        return Page(asked, collection, wanted, found.matched, found.features, bodies)

    def write(self, asked: Asked, collection: Collection, box: str | None) -> tuple[bytes, Axes]:
        """Return the page that is asked for as GeoJSON, and its system; raises BadParameterError.

        `box` is what stands where the request says SOME_BOX, or None where it is as it was sent.
        """
        mould = self._mould(asked, collection)
        given = asked.values.get("bbox") if box is None else box
        found = self._select(collection, mould.wanted, given)
        bodies = self._bodies(collection, found.features, mould.wanted)
        return mould.write(found.matched, bodies, box), mould.wanted.axes

    def _make_mould(self, asked: Asked, collection: Collection) -> Mould:
        return Mould(asked, collection, parse_items(asked, collection, self._kinds_of(collection)))

    def _select(self, collection: Collection, wanted: Wanted, bbox: str | None) -> Selection:
        query = wanted.query(bbox)
        if not _is_spatial(query.filter):
            return self._store.select(collection.id, query)
        with computing.turn():
            return self._store.select(collection.id, query)

    def _kinds_of(self, collection: Collection) -> dict[str, Kind]:
        if collection.id not in self._kinds:
            self._kinds[collection.id] = queryables(collection.info)
        return self._kinds[collection.id]

    def single(self, asked: Asked, collection: Collection, feature_id: str) -> Single:
        """Return one feature; raises NotFoundError."""
        check_names(asked, collection, ITEM)
        axes = parse_axes(asked.values, "crs")
        feature = self._store.get(collection.id, feature_id)
        if feature is None:
            raise self._no_feature(collection, feature_id)
        body = self._frames.bodies(collection.id, [feature], axes)[0]
        path = f"collections/{collection.id}"
        links = [*selves(asked, GEOJSON), link(asked.url(path, [("f", "json")]), "collection", JSON)]
        return Single(collection, feature_id, axes, body, links)

    def _no_feature(self, collection: Collection, given: str) -> NotFoundError:
        some = self._store.select(collection.id, Query(limit=COMPARED)).features
        known = [feature.id for feature in some]
        path = f"{ROOT}/collections/{collection.id}/items"
        close = difflib.get_close_matches(given[:LONGEST], known, n=5, cutoff=0.4)
        return NotFoundError(
            "ogc.error.feature",
            parameter="featureId",
            value=given,
            collection=collection.id,
            allowed=name_some(known, collection.count),
            near=[{"id": one, "label": one, "href": f"{path}/{one}"} for one in close],
        )

    def _bodies(self, collection: Collection, features: tuple[Feature, ...], wanted: Wanted) -> list[bytes]:
        bodies = self._frames.bodies(collection.id, features, wanted.axes)
        if wanted.properties is None:
            return bodies
        return [keep_properties(body, wanted.properties) for body in bodies]


def _is_spatial(condition: Condition | None) -> bool:
    """Return whether a filter relates geometries, which takes longer than all else that it may ask."""
    if isinstance(condition, And | Or):
        return any(map(_is_spatial, condition.parts))
    return _is_spatial(condition.part) if isinstance(condition, Not) else isinstance(condition, Spatial)


def page_links(asked: Asked, collection: Collection, wanted: Wanted, matched: int) -> list[Link]:
    """Return links to the page itself and its neighbours, which keep every parameter."""
    limit, offset = wanted.limit, wanted.offset
    form, media = ("html", HTML) if asked.html else ("json", GEOJSON)
    links = selves(asked, GEOJSON)
    if offset + limit < matched:
        links.append(link(asked.here(f=form, limit=str(limit), offset=str(offset + limit)), "next", media))
    if offset:
        before = str(max(min(offset, matched) - limit, 0))
        links.append(link(asked.here(f=form, limit=str(limit), offset=before), "prev", media))
    path = f"collections/{collection.id}"
    links.append(link(asked.url(path, [("f", form)]), "collection", HTML if asked.html else JSON))
    return links
