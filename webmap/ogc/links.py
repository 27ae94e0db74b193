"""Links as every document of the API carries them: absolute, typed, in both formats."""

from __future__ import annotations

from typing import Any

from webmap import media as kinds
from webmap.ogc.asked import Asked

HTML, JSON, GEOJSON = kinds.HTML, kinds.JSON, kinds.GEOJSON
SCHEMA = "application/schema+json"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
QUERYABLES_REL = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
SCHEMA_REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"

Link = dict[str, Any]


def link(href: str, rel: str, media: str, title: str | None = None) -> Link:
    """Return one link."""
    return {"href": href, "rel": rel, "type": media} | ({"title": title} if title else {})


def selves(asked: Asked, media: str, title: str | None = None) -> list[Link]:
    """Return the links of the document to itself and to its other format."""
    own, other = ("html", "json") if asked.html else ("json", "html")
    types = {"json": media, "html": HTML}
    return [
        link(asked.here(f=own), "self", types[own], title),
        link(asked.here(f=other), "alternate", types[other], title),
    ]


def both(asked: Asked, path: str, rel: str, media: str, title: str) -> list[Link]:
    """Return links to a resource as JSON and as a page."""
    return [
        link(asked.url(path, [("f", "json")]), rel, media, title),
        link(asked.url(path, [("f", "html")]), rel, HTML, title),
    ]


def items(asked: Asked, path: str, title: str) -> list[Link]:
    """Return links to the features as GeoJSON and as a page.

    GDAL asks for one feature by adding ``/<id>`` to the GeoJSON address as it stands, so that carries no
    query; without ``f`` the answer is GeoJSON for everyone but a browser.
    """
    return [link(asked.bare(path), "items", GEOJSON, title), *both(asked, path, "items", GEOJSON, title)[1:]]
