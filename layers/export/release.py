"""The files of a release that readers download: every layer and table in every format's usual frame.

Other frames and selections are made on request from the same modules, so the bytes are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

import orjson

from geodata.crs import LONLAT
from geodata.model import Source
from layers.catalogue import Layer, Theme
from layers.document_types import ImportEntry, LayerEntry, PlanDocument, SummaryEntry
from layers.export.formats import PLAN, Format, formats_of
from layers.export.job import About, ExportSpec, Part, release_path, to_job
from layers.export.places import bounds_of, geometries_of
from layers.export.schema import build_schema, describe_package
from layers.export.styles import build_looks, read_words
from layers.export.write import write
from layers.geojson import to_bytes
from layers.map_types import MapDocument
from layers.terms import OwnTerms, list_terms, read_own_terms

Files = dict[str, bytes]


@dataclass(frozen=True)
class Catalogue:
    """What is known of all files before any is made."""

    plan: PlanDocument
    layers: Mapping[str, Layer]
    themes: tuple[Theme, ...]
    licence: str
    imports: list[ImportEntry]
    sources: Mapping[str, Source]


def build_downloads(catalogue: Catalogue, files: Mapping[str, bytes]) -> Files:
    """Return every file that the release has not yet, the schemas, and what jobs are made from.

    `files` has the layers' GeoJSON, the tables' JSON and the map's first load.
    """
    parts = {layer.id: _read_part(layer, files) for layer in catalogue.layers.values()}
    about = _describe(catalogue, parts, orjson.loads(files["map/zh.json"]))
    made = {
        release_path(spec.name, spec.format): write(to_job(spec, list(parts.values()), about))
        for spec in _usual_specs(parts)
        if release_path(spec.name, spec.format) not in files
    }
    own = read_own_terms()
    summary = {part.id: _summarise(part, catalogue.sources, own) for part in parts.values()}
    package = describe_package(about, tuple(parts.values()), {**files, **made})
    return made | {
        **{
            f"schemas/{part.id}.json": to_bytes(build_schema(part.info, about.plan))
            for part in parts.values()
        },
        "schemas/datapackage.json": to_bytes(package),
        "schemas/LICENSE-DATA.md": about.licence.encode(),
        "pages/about.json": to_bytes(asdict(about)),
        "pages/summary.json": to_bytes(summary),
    }


def _summarise(part: Part, sources: Mapping[str, Source], own: OwnTerms) -> SummaryEntry:
    """Return how many rows there are, how their places are known, how well, where they lie, on what terms.

    `crs` is the frame that the coordinates are kept in, None where there are none.
    """
    rows = part.properties
    known = [values for values in rows if values.get("geometry_method")]
    found = (values["positional_accuracy_m"] for values in known)
    accuracy = [metres for metres in found if isinstance(metres, float | int)]
    return {
        "count": len(part.rows),
        "methods": sorted({str(values["geometry_method"]) for values in known}),
        "accuracy_m": [min(accuracy), max(accuracy)] if accuracy else None,
        "bbox": bounds_of(geometries_of(part, LONLAT)) if part.spatial else None,
        "crs": LONLAT if part.spatial else None,
        "terms": list_terms(rows, sources, own),
    }


def _read_part(layer: Layer, files: Mapping[str, bytes]) -> Part:
    info: LayerEntry = orjson.loads(layer.model_dump_json())
    if layer.geometry == "none":
        return Part(info, orjson.loads(files[f"data/{layer.id}.json"]))
    return Part(info, orjson.loads(files[f"data/{layer.id}.geojson"])["features"])


def _describe(catalogue: Catalogue, parts: Mapping[str, Part], payload: MapDocument) -> About:
    features = {part.id: part.features for part in parts.values() if part.spatial}
    return About(
        plan=catalogue.plan,
        licence=catalogue.licence,
        imports=catalogue.imports,
        looks=build_looks(catalogue.layers, catalogue.themes, payload, features),
        themes=[{"id": theme.id, "title": theme.title.zh} for theme in catalogue.themes],
        words=read_words()["words"],
    )


def _usual_specs(parts: Mapping[str, Part]) -> Iterator[ExportSpec]:
    yield from (_usual(PLAN, one) for one in formats_of("plan"))
    for part in parts.values():
        yield from (_usual(part.id, one) for one in formats_of("layer" if part.spatial else "table"))


def _usual(name: str, kind: Format) -> ExportSpec:
    return ExportSpec(name, kind.id, kind.frames[0], kind.geometry)
