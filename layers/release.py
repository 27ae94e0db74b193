"""Build one release: every layer, table, document, index and display file as ready bytes.

A pure function of the facts, the base geometry and the catalogue: the same inputs give the same
bytes. Imports the whole stack, so only the build runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field

import orjson
import shapely
from shapely.geometry.base import BaseGeometry

from geodata.basemap import Basemap
from geodata.boundaries import Boundaries, parse_geometry, to_collection
from geodata.crs import LONLAT
from geodata.imported import Adjusted
from geodata.kinds import LANGUAGES
from geodata.local import NOTHING, LocalAdditions, find_horizon
from geodata.model import Source, Town, Zone
from geodata.read import Facts
from geodata.shapes import Shape, Stretch, build_shapes, build_waters, list_stretches
from layers import display
from layers.basemap_cells import PreparedBasemap, build_cells, prepare_basemap, window_around
from layers.catalogue import (
    Layer,
    OwnTerms,
    Theme,
    list_own_terms,
    list_sources,
    list_terms,
    read_licence,
    read_own_terms,
)
from layers.citations import build_citations, build_indicators, build_tables, build_wording
from layers.document_types import (
    ImportEntry,
    LayerEntry,
    LocalSummary,
    PlanDocument,
    SummaryEntry,
)
from layers.documents import DocumentBuilder, SubjectBuilder
from layers.export.job import (
    PLAN,
    About,
    ExportSpec,
    Format,
    Part,
    about_of,
    formats_of,
    release_path,
    to_job,
)
from layers.export.schema import build_schema, describe_package
from layers.export.styles import build_looks, read_words
from layers.export.texts import bounds_of, geometries_of
from layers.export.write import write_file
from layers.features import (
    PlaceFinder,
    build_features,
    build_industry_features,
    build_own_features,
    build_own_points,
    build_points,
    describe_own,
)
from layers.links import to_own_url, to_words
from layers.map_types import MapDocument
from layers.measures import build_measures
from layers.payload import (
    Edges,
    build_around_index,
    build_lookup_index,
    build_payload,
    build_shares_index,
)
from layers.relations import Relations
from layers.search.names import build_search_index
from layers.sketch import SketchGround, build_locators, build_sketch, frame_opening, frame_sketch, lay_scene

Progress = Callable[[str], None]
Files = dict[str, bytes]
HEADING = "## 导入的边界 · Imported boundaries"
LOGO = "static/local/logo.png"  # of the publisher
_HEADS = ("layer", "id", "name", "method", "accuracy", "source", "terms", "from", "date")


@dataclass(frozen=True)
class Inputs:
    """Everything that a release is made from."""

    facts: Facts
    boundaries: Boundaries
    layers: dict[str, Layer]
    themes: tuple[Theme, ...]
    licence: str = field(default_factory=read_licence)
    local: LocalAdditions = NOTHING
    basemap: Basemap | None = None


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
    files = _data_files(relations, shapes, inputs, land)
    files |= _own_files(relations, shapes, inputs.local)
    stretches = list_stretches(inputs.facts, shapes, inputs.boundaries)
    edges = Edges(stretches, inputs.boundaries["datapackage"]["quality"]["reconstructed"]["quantiles"])
    progress("索引 / indexes")
    files |= _document_files(relations, shapes, inputs.local, build_ground(land, inputs.boundaries), edges)
    files |= _local_files(relations, inputs.local)
    files["pages/measures.json"] = orjson.dumps(build_measures(relations, shapes, land))
    progress("显示图形 / display")
    backdrop = _prepare_backdrop(inputs, shapes, land)
    files |= _display_files(relations, shapes, inputs, land, stretches, backdrop)
    progress("下载文件 / downloads")
    plan: PlanDocument = orjson.loads(next(iter(inputs.facts.plans.values())).model_dump_json())
    imports = list_imports(inputs.facts, inputs.boundaries.get("adjusted"))
    licence = add_terms(inputs.licence, imports)
    catalogue = Catalogue(plan, inputs.layers, inputs.themes, licence, imports, inputs.facts.sources)
    return files | build_downloads(catalogue, files)


def build_all_shapes(facts: Facts, boundaries: Boundaries) -> dict[str, Shape]:
    """Return the polygon of every place, and the point of every platform and gateway that has one.

    A platform that covers an area, such as a test site at sea, is shown as its point.
    """
    return build_shapes(facts, boundaries) | build_points(facts)


def read_neighbours(boundaries: Boundaries, city_ids: Collection[str]) -> list[BaseGeometry]:
    """Return the pieces of neighbouring land, which share their edges with the city's towns."""
    features = boundaries["land"]["features"]
    return [parse_geometry(row) for row in features if row["id"] not in city_ids]


def _data_files(
    relations: Relations, shapes: dict[str, Shape], inputs: Inputs, land: list[BaseGeometry]
) -> Files:
    files: Files = {}
    waters = build_waters(inputs.boundaries)
    for layer, features in build_features(relations, shapes, inputs.layers["land"], land, waters).items():
        files[f"data/{layer}.geojson"] = orjson.dumps(to_collection(features, name=layer))
        files |= {f"features/{layer}/{row['id']}.geojson": orjson.dumps(row) for row in features}
    for table, rows in build_tables(relations).items():
        files[f"data/{table}.json"] = orjson.dumps(rows)
    return files


def _own_files(relations: Relations, shapes: dict[str, Shape], local: LocalAdditions) -> Files:
    """Return the data of the operator's own layers, and what the map draws of each once it is switched on."""
    finder, files = PlaceFinder(relations, shapes), {}
    for one in local.layers:
        rows = build_own_features(one, finder.find)
        files[f"data/{one.id}.geojson"] = orjson.dumps(to_collection(rows, name=one.id))
        files[f"map/own/{one.id}.json"] = build_own_points(one)
    return files


def build_ground(land: list[BaseGeometry], boundaries: Boundaries) -> dict[str, BaseGeometry]:
    """Return what lies around the city: the neighbouring land, and the window that all land is known in."""
    neighbour = shapely.union_all(land)
    window = boundaries["datapackage"].get("window") or neighbour.bounds
    return {"neighbour": neighbour, "window": shapely.box(*window)}


def _document_files(
    relations: Relations,
    shapes: dict[str, Shape],
    local: LocalAdditions,
    ground: dict[str, BaseGeometry],
    edges: Edges,
) -> Files:
    documents = DocumentBuilder(relations, shapes, local).build_all()
    lookup = build_lookup_index(relations, shapes, documents)
    files = {f"documents/{row_id}.json": orjson.dumps(row) for row_id, row in documents.items()}
    return files | {
        "pages/order.json": orjson.dumps(list(documents)),
        "pages/facts.json": orjson.dumps(build_citations(relations)),
        "pages/indicators.json": orjson.dumps(build_indicators(relations, local)),
        **_subject_files(relations, shapes, local),
        "index/lookup.bin": lookup,
        "index/shares.bin": build_shares_index(lookup),
        "index/around.bin": build_around_index(relations, shapes, documents, ground, edges),
        "index/search.json": orjson.dumps(build_search_index(relations, local.layers)),
    }


def _local_files(relations: Relations, local: LocalAdditions) -> Files:
    """Return what the operator added: what there is of it, the plan's wording, the publisher's logo."""
    publisher = local.publisher
    about: LocalSummary = {
        "files": list(local.files),
        "publisher": {
            "name": publisher.name.to_words(),
            "website": publisher.website,
            "feedback": publisher.feedback,
            "map_review_number": publisher.map_review_number,
            "map_review_notice": publisher.map_review_notice.to_words()
            if publisher.map_review_notice
            else None,
            "as_of": publisher.as_of.isoformat(),
        }
        if publisher
        else None,
        "logo": local.logo is not None,
        "contacts": len(local.contacts),
        "outcomes": len(local.outcomes),
        "wording": local.plan_text is not None,
        "layers": [
            {"id": one.id, "name": one.declared.title.to_words(), "url": to_own_url(one.id)}
            for one in local.layers
        ],
        "horizon": find_horizon(relations.facts),
    }
    files = {
        "pages/local.json": orjson.dumps(about),
        "pages/sources.json": orjson.dumps(list_sources(relations.facts.sources)),
    }
    if local.plan_text is not None:
        wording = build_wording(local.plan_text, relations, build_citations(relations))
        files["pages/wording.json"] = orjson.dumps(wording)
    return files | ({LOGO: local.logo} if local.logo is not None else {})


def _subject_files(relations: Relations, shapes: dict[str, Shape], local: LocalAdditions) -> Files:
    builder = SubjectBuilder(relations, local)
    industries = builder.industries()
    subjects: dict[str, Mapping[str, object]] = {
        "industries": industries,
        "clusters": builder.clusters(),
        "agencies": builder.agencies(),
    }
    files = {f"pages/{name}.json": orjson.dumps(list(rows.values())) for name, rows in subjects.items()}
    files |= {
        f"{name}/{row_id}.json": orjson.dumps(row)
        for name, rows in subjects.items()
        for row_id, row in rows.items()
    }
    collections = build_industry_features(industries, relations, shapes)
    return files | {
        f"industries/{row_id}.geojson": orjson.dumps(rows) for row_id, rows in collections.items()
    }


def _display_files(
    relations: Relations,
    shapes: dict[str, Shape],
    inputs: Inputs,
    land: list[BaseGeometry],
    stretches: list[Stretch],
    backdrop: PreparedBasemap | None,
) -> Files:
    waters = {water.id: water.geometry for _, water in build_waters(inputs.boundaries)}
    around = SketchGround(shapely.union_all(land), shapely.union_all(list(waters.values())), backdrop)
    files: dict[str, object] = {
        f"map/{name}.topojson": display.build_display(relations, shapes, land, waters, stretches, level)
        for name, level in (("overview", display.OVERVIEW), ("detail", display.DETAIL))
    }
    scene = lay_scene(relations, shapes, around, stretches)
    for name, frame in (("sketch", frame_sketch), ("opening", frame_opening)):
        files[f"pages/{name}.json"] = build_sketch(scene, frame)
    for language in LANGUAGES:
        payload = build_payload(relations, shapes, inputs.layers, inputs.themes, language)
        payload["own"] = [describe_own(one, language) for one in inputs.local.layers]
        files[f"map/{language}.json"] = payload
    files |= build_cells(backdrop) if backdrop else {}
    written = {path: orjson.dumps(value) for path, value in files.items()}
    return written | build_locators(scene)


def _prepare_backdrop(
    inputs: Inputs, shapes: dict[str, Shape], land: list[BaseGeometry]
) -> PreparedBasemap | None:
    """Return the operator's basemap as maps draw it, None without one."""
    if inputs.basemap is None:
        return None
    counties = [zone.id for zone in inputs.facts.zones.values() if zone.layer == "counties"]
    city = shapely.union_all([shapes[county].geometry for county in counties])
    window = window_around(city.bounds)
    return prepare_basemap(inputs.basemap, window, inputs.facts, shapely.union_all([city, *land]))


def list_imports(facts: Facts, adjusted: object) -> list[ImportEntry]:
    """Return the imports in force, in the order in which they were put in.

    Accuracy is in metres; `crs` is the frame that the boundary came in.
    """
    if not isinstance(adjusted, Adjusted):
        return []
    names: dict[str, Zone | Town] = {**facts.zones, **facts.towns}
    return [
        {
            "id": place,
            "layer": record.layer,
            "name": to_words(names[place].name),
            "method": record.method,
            "accuracy_m": record.accuracy_m,
            "source": record.source,
            "licence": record.licence,
            "who": record.who,
            "date": f"{record.when:%Y-%m-%d}",
            "crs": record.crs,
        }
        for place, record in adjusted.imports.items()
    ]


def add_terms(statement: str, imports: list[ImportEntry]) -> str:
    """Return the statement of the data's terms, Markdown, with those of the imports."""
    if not imports:
        return statement
    rows = [_HEADS, ("---",) * len(_HEADS), *map(_cells, imports)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    said = (
        "以下边界由他人提供，已取代上文所述的相应图形；与其相邻或由其组成的图形也含其数据，须一并遵守其条件。\n"
        "These boundaries were brought by others and replace what is said above of the places they are of. "
        "Shapes beside them or made of them hold their data too, so their terms go with those as well."
    )
    return f"{statement.rstrip()}\n\n{HEADING}\n\n{said}\n\n{table}\n"


def _cells(one: ImportEntry) -> tuple[str, ...]:
    accuracy, name = f"±{one['accuracy_m']:g} m", f"{one['name']['zh']} {one['name']['en']}"
    cells = (one["layer"], one["id"], name, one["method"], accuracy, one["source"], one["licence"])
    return tuple(map(_escape, (*cells, one["who"], one["date"])))


def _escape(text: str) -> str:
    """Return a text as one cell of a Markdown table: people wrote it, so it may hold anything."""
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|" else letter for letter in flat)


# -- the files of the download centre


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
        release_path(spec.name, spec.format): write_file(to_job(spec, list(parts.values()), about))
        for spec in _usual_specs(parts)
        if release_path(spec.name, spec.format) not in files
    }
    own = read_own_terms()
    summary = {part.id: _summarise(part, catalogue.sources, own) for part in parts.values()}
    for layer in catalogue.layers.values():
        if layer.own:
            summary[layer.id]["terms"] = list_own_terms(layer.own)
    package = describe_package(
        about, tuple(part for part in parts.values() if not part.own), {**files, **made}
    )
    return made | {
        **{
            f"schemas/{part.id}.json": orjson.dumps(build_schema(part.info, about_of(part, about).plan))
            for part in parts.values()
        },
        "schemas/datapackage.json": orjson.dumps(package),
        "schemas/LICENSE-DATA.md": about.licence.encode(),
        "pages/about.json": orjson.dumps(asdict(about)),
        "pages/summary.json": orjson.dumps(summary),
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
