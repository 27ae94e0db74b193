"""Build one release: every layer, table, document, index and display file as ready bytes.

A pure function of the facts, the base geometry and the catalogue: the same inputs give the same
bytes. Imports the whole stack, so only the build runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import shapely
from shapely.geometry import shape as to_shape
from shapely.geometry.base import BaseGeometry

from geodata.read import Facts
from geodata.shapes import Shape, build_shapes
from layers import display, geojson
from layers.brought import add_terms, list_imports
from layers.catalogue import Layer, Theme, read_licence
from layers.documents import DocumentBuilder, SubjectBuilder, build_citations, build_indicators
from layers.export.release import Catalogue, build_downloads
from layers.features import LANGUAGES, build_features, build_industry_features, build_points
from layers.measures import build_measures
from layers.payload import build_around_index, build_lookup_index, build_payload
from layers.relations import Relations
from layers.search.names import build_search_index
from layers.sketch import build_locators, build_sketch
from layers.tables import build_tables

Progress = Callable[[str], None]
Files = dict[str, bytes]


@dataclass(frozen=True)
class Inputs:
    """Everything that a release is made from."""

    facts: Facts
    boundaries: dict[str, Any]
    layers: dict[str, Layer]
    themes: tuple[Theme, ...]
    licence: str = field(default_factory=read_licence)


def build_release(inputs: Inputs, progress: Progress) -> Files:
    """Return all files of a release by path.

    Raises ValueError when the facts have problems: an unsound release is never built.
    """
    if inputs.facts.problems:
        raise ValueError("\n".join(map(str, inputs.facts.problems)))
    relations = Relations(inputs.facts)
    progress("图形 / shapes")
    shapes = build_all_shapes(inputs.facts, inputs.boundaries)
    land = read_neighbours(inputs.boundaries, inputs.facts.plans)
    progress("图层 / layers")
    files = _data_files(relations, shapes, inputs.layers, land)
    progress("索引 / indexes")
    files |= _document_files(relations, shapes, build_ground(land, inputs.boundaries))
    files["pages/measures.json"] = geojson.to_bytes(build_measures(relations, shapes, land))
    progress("显示图形 / display")
    files |= _display_files(relations, shapes, inputs.themes, land)
    progress("下载文件 / downloads")
    plan = next(iter(inputs.facts.plans.values())).model_dump(mode="json")
    imports = list_imports(inputs.facts, inputs.boundaries.get("adjusted"))
    licence = add_terms(inputs.licence, imports)
    catalogue = Catalogue(plan, inputs.layers, inputs.themes, licence, imports, inputs.facts.sources)
    return files | build_downloads(catalogue, files)


def build_all_shapes(facts: Facts, boundaries: dict[str, Any]) -> dict[str, Shape]:
    """Return the polygon of every place, and the point of every platform and gateway that has one.

    A platform that covers an area, such as a test site at sea, is shown as its point.
    """
    return build_shapes(facts, boundaries) | build_points(facts)


def read_neighbours(boundaries: dict[str, Any], city_ids: Collection[str]) -> list[BaseGeometry]:
    """Return the pieces of neighbouring land, which share their edges with the city's towns."""
    features = boundaries["land"]["features"]
    return [to_shape(row["geometry"]) for row in features if row["id"] not in city_ids]


def _data_files(
    relations: Relations, shapes: dict[str, Shape], layers: dict[str, Layer], land: list[BaseGeometry]
) -> Files:
    files: Files = {}
    for layer, features in build_features(relations, shapes, layers["land"], land).items():
        files[f"data/{layer}.geojson"] = geojson.to_bytes(geojson.to_collection(features, name=layer))
        files |= {f"features/{layer}/{row['id']}.geojson": geojson.to_bytes(row) for row in features}
    for table, rows in build_tables(relations).items():
        files[f"data/{table}.json"] = geojson.to_bytes(rows)
    return files


def build_ground(land: list[BaseGeometry], boundaries: dict[str, Any]) -> dict[str, BaseGeometry]:
    """Return what lies around the city: the neighbouring land, and the window that all land is known in."""
    neighbour = shapely.union_all(land)
    window = boundaries["datapackage"].get("window") or neighbour.bounds
    return {"neighbour": neighbour, "window": shapely.box(*window)}


def _document_files(relations: Relations, shapes: dict[str, Shape], ground: dict[str, BaseGeometry]) -> Files:
    documents = DocumentBuilder(relations, shapes).build_all()
    files = {f"documents/{row_id}.json": geojson.to_bytes(row) for row_id, row in documents.items()}
    return files | {
        "pages/order.json": geojson.to_bytes(list(documents)),
        "pages/facts.json": geojson.to_bytes(build_citations(relations)),
        "pages/indicators.json": geojson.to_bytes(build_indicators(relations)),
        **_subject_files(relations, shapes),
        "index/lookup.bin": build_lookup_index(relations, shapes, documents),
        "index/around.bin": build_around_index(shapes, documents, ground),
        "index/search.json": geojson.to_bytes(build_search_index(relations)),
    }


def _subject_files(relations: Relations, shapes: dict[str, Shape]) -> Files:
    builder = SubjectBuilder(relations)
    subjects = {
        "industries": builder.industries(),
        "clusters": builder.clusters(),
        "agencies": builder.agencies(),
    }
    files = {f"pages/{name}.json": geojson.to_bytes(list(rows.values())) for name, rows in subjects.items()}
    files |= {
        f"{name}/{row_id}.json": geojson.to_bytes(row)
        for name, rows in subjects.items()
        for row_id, row in rows.items()
    }
    collections = build_industry_features(subjects["industries"], relations, shapes)
    return files | {
        f"industries/{row_id}.geojson": geojson.to_bytes(rows) for row_id, rows in collections.items()
    }


def _display_files(
    relations: Relations, shapes: dict[str, Shape], themes: tuple[Theme, ...], land: list[BaseGeometry]
) -> Files:
    files = {
        "map/overview.topojson": display.build_display(relations, shapes, land, display.OVERVIEW),
        "map/detail.topojson": display.build_display(relations, shapes, land, display.DETAIL),
        "pages/sketch.json": build_sketch(relations, shapes, shapely.union_all(land)),
    } | {f"map/{language}.json": build_payload(relations, shapes, themes, language) for language in LANGUAGES}
    written = {path: geojson.to_bytes(value) for path, value in files.items()}
    return written | build_locators(relations, shapes, shapely.union_all(land))
