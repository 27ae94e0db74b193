"""The files of a release that readers download: every layer and table in every format's usual frame.

Other frames and selections are made on request from the same modules, so the bytes are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from layers.catalogue import Layer, Theme
from layers.export.formats import PLAN, Format, formats_of
from layers.export.job import About, Part, Wish
from layers.export.jobs import release_path, to_job
from layers.export.looks import build_looks, read_words
from layers.export.schema import build_schema
from layers.export.write import write
from layers.geojson import to_bytes

Files = dict[str, bytes]


@dataclass(frozen=True)
class Catalogue:
    """What is known of all files before any is made."""

    plan: dict[str, Any]
    layers: Mapping[str, Layer]
    themes: tuple[Theme, ...]
    licence: str


def build_downloads(catalogue: Catalogue, files: Mapping[str, bytes]) -> Files:
    """Return every file that the release has not yet, the schemas, and what jobs are made from.

    `files` has the layers' GeoJSON, the tables' JSON and the map's first load.
    """
    parts = {layer.id: _read_part(layer, files) for layer in catalogue.layers.values()}
    about = _describe(catalogue, parts, orjson.loads(files["map/zh.json"]))
    made = {
        release_path(wish.name, wish.format): write(to_job(wish, list(parts.values()), about))
        for wish in _wishes(parts)
        if release_path(wish.name, wish.format) not in files
    }
    schemas = {
        f"schemas/{part.id}.json": to_bytes(build_schema(part.info, catalogue.plan))
        for part in parts.values()
    }
    described = {
        "plan": about.plan,
        "licence": about.licence,
        "looks": about.looks,
        "themes": about.themes,
        "words": about.words,
    }
    counts = {part.id: len(part.rows) for part in parts.values()}
    return made | schemas | {"pages/about.json": to_bytes(described), "pages/counts.json": to_bytes(counts)}


def _read_part(layer: Layer, files: Mapping[str, bytes]) -> Part:
    if layer.geometry == "none":
        return Part(layer.model_dump(mode="json"), orjson.loads(files[f"data/{layer.id}.json"]))
    return Part(layer.model_dump(mode="json"), orjson.loads(files[f"data/{layer.id}.geojson"])["features"])


def _describe(catalogue: Catalogue, parts: Mapping[str, Part], payload: dict[str, Any]) -> About:
    features = {part.id: part.rows for part in parts.values() if part.spatial}
    return About(
        plan=catalogue.plan,
        licence=catalogue.licence,
        looks=build_looks(catalogue.layers, catalogue.themes, payload, features),
        themes=[{"id": theme.id, "title": theme.title.zh} for theme in catalogue.themes],
        words=read_words()["words"],
    )


def _wishes(parts: Mapping[str, Part]) -> Iterator[Wish]:
    yield from (_usual(PLAN, one) for one in formats_of("plan"))
    for part in parts.values():
        yield from (_usual(part.id, one) for one in formats_of("layer" if part.spatial else "table"))


def _usual(name: str, kind: Format) -> Wish:
    return Wish(name, kind.id, kind.frames[0], kind.geometry)
