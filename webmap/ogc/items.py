"""Features of a collection: one page, or one feature, as bytes joined from the store's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from layers.axes import Axes
from layers.cql.tree import Kind
from layers.query import Collection, Feature, FeatureStore
from layers.rows import queryables
from webmap.ogc.asked import Asked
from webmap.ogc.frames import Frames, keep_properties
from webmap.ogc.links import GEOJSON, HTML, JSON, Link, link, selves
from webmap.ogc.parameters import DEFAULT_LIMIT, ITEM, Wanted, parse_axes, parse_items
from webmap.problems import NotFoundError


@dataclass(frozen=True)
class Page:
    """One page of a collection, its features in the system that was asked for."""

    collection: Collection
    wanted: Wanted
    matched: int
    bodies: list[bytes]
    links: list[Link]

    @property
    def axes(self) -> Axes:
        """The system of the features' coordinates."""
        return self.wanted.axes

    def to_bytes(self) -> bytes:
        """Return the page as GeoJSON, the features' bytes as they are."""
        head: dict[str, Any] = {"type": "FeatureCollection", "links": self.links}
        head |= {"numberMatched": self.matched, "numberReturned": len(self.bodies)}
        commas = [b","] * (2 * len(self.bodies) - 1)
        commas[::2] = self.bodies  # joined once: a page is long, and each copy costs
        return b"".join((orjson.dumps(head)[:-1], b',"features":[', *commas, b"]}"))


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

    def page(self, asked: Asked, collection: Collection) -> Page:
        """Return the page that is asked for; raises BadParameterError."""
        wanted = parse_items(asked, self._kinds_of(collection))
        found = self._store.select(collection.id, wanted.query)
        bodies = self._bodies(collection, found.features, wanted)
        links = _page_links(asked, collection, wanted, found.matched)
        return Page(collection, wanted, found.matched, bodies, links)

    def _kinds_of(self, collection: Collection) -> dict[str, Kind]:
        if collection.id not in self._kinds:
            self._kinds[collection.id] = queryables(collection.info)
        return self._kinds[collection.id]

    def single(self, asked: Asked, collection: Collection, feature_id: str) -> Single:
        """Return one feature; raises NotFoundError."""
        asked.check(ITEM)
        axes = parse_axes(asked.values, "crs")
        feature = self._store.get(collection.id, feature_id)
        if feature is None:
            raise NotFoundError("ogc.error.feature", value=feature_id[:60], collection=collection.id)
        body = self._frames.bodies(collection.id, [feature], axes)[0]
        path = f"collections/{collection.id}"
        links = [*selves(asked, GEOJSON), link(asked.url(path, [("f", "json")]), "collection", JSON)]
        return Single(collection, feature_id, axes, body, links)

    def _bodies(self, collection: Collection, features: tuple[Feature, ...], wanted: Wanted) -> list[bytes]:
        bodies = self._frames.bodies(collection.id, features, wanted.axes)
        if wanted.properties is None:
            return bodies
        return [keep_properties(body, wanted.properties) for body in bodies]


def _page_links(asked: Asked, collection: Collection, wanted: Wanted, matched: int) -> list[Link]:
    """Return links to the page itself and its neighbours, which keep every parameter."""
    limit, offset = wanted.query.limit or DEFAULT_LIMIT, wanted.query.offset
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
