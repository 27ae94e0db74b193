"""The catalogue: which layers and themes exist, what their fields mean, how they look, on whose terms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field

from geodata.kinds import LANGUAGES
from geodata.model import Id, Record, Source, Text
from geodata.own_layers import OwnLayer
from geodata.read import ROOT as CITY_FOLDER
from layers.document_types import SourceEntry, SourceTerms
from layers.links import SEPARATOR, to_words, to_words_or_none

ROOT = Path(__file__).parent
SHORT = r"^[a-z][a-z0-9_]{0,9}$"
_POSITIONING = tuple(f"positioning_{one}" for one in LANGUAGES)
PLACE_FIELDS = (  # of a layer of places that names none of its own
    *("id", *(f"name_{one}" for one in LANGUAGES), "kind", "parent_id", *_POSITIONING),
    *("industries", "industries_of_areas", "clauses", "responsible_units"),
    *("geometry_method", "positional_accuracy_m", "geometry_source", "geometry_licence"),
    *("area_km2", "area_note", "official_area_km2", "official_area_source"),
)
PLACE_OPEN = (
    *("parent_id", *_POSITIONING),
    *("area_km2", "area_note", "official_area_km2", "official_area_source"),
)
_CODE = 2  # letters of a language


class FlatInfo(Record):
    """A column that formats without nesting have besides a list of records: one member of each record."""

    name: str
    of: str
    short: Annotated[str, Field(pattern=SHORT)]
    description: Text


class FieldInfo(Record):
    """One property of a layer: its JSON type and what it means."""

    name: str
    type: Literal["string", "number", "integer", "boolean", "array"]
    description: Text
    nullable: bool  # whether it may be unknown; never of a list, which is empty then
    format: Literal["date"] | None = None  # of a text: year, month and day
    unit: Literal["m", "km2"] | None = None
    values: tuple[str, ...] | None = None  # where only these may stand
    short: Annotated[str, Field(pattern=SHORT)] | None = None  # for formats with ten letters
    flat: FlatInfo | None = None


class Criterion(Record):
    """That a place lies in one of an area layer's places, as a criterion of siting."""

    name: Annotated[str, Field(pattern=r"^[a-z]+$")]  # in addresses
    label: Text
    note: Text  # what counts


class LabelStyle(Record):
    """How the map sets the names of a layer's places."""

    priority: int  # the lowest is placed first
    width: int | None = None  # pixels, of a line at most


class LegendEntry(Record):
    """One line of a theme's legend and the feature kinds that it stands for."""

    key: Id
    keys: tuple[str, ...]
    label: Text
    colour: Annotated[str, Field(pattern=r"^#[0-9A-F]{6}$")]
    letter: str | None = None
    symbol: Literal["circle", "square", "triangle", "diamond", "star", "cross"] | None = None


class LayerTheme(Record):
    """A theme of the map that shows one layer and needs no file of its own."""

    order: int
    note: Text
    note_imported: Text | None = None
    context: tuple[Id, ...] = ()
    colour_by: Literal["kind", "feature"] = "feature"
    legend: tuple[LegendEntry, ...] = ()


class Layer(Record):
    """One named layer or table of the contract.

    ``source`` is the table of facts that its places are records of, with their ``kinds``; a table has none.
    ``own`` is the declaration of a layer of the operator's own.
    """

    id: Id
    order: int
    source: Literal["zones", "areas", "towns", "land", "platforms", "gateways"] | None = None
    geometry: Literal["polygon", "point", "none"]
    title: Text
    description: Text
    fields: tuple[FieldInfo, ...]
    names: dict[str, Text] = Field(default_factory=dict)  # of features that are no place of the plan
    one: Text | None = None  # what one of its places is called
    kinds: dict[Id, Text] = Field(default_factory=dict)
    criterion: Criterion | None = None
    label: LabelStyle | None = None
    theme: LayerTheme | None = None
    own: OwnLayer | None = None


class Theme(Record):
    """One view of the map: what is drawn, how it is coloured, what the legend says."""

    id: Id
    order: int
    title: Text
    layers: tuple[Id, ...]
    context: tuple[Id, ...]
    colour_by: Literal["kind", "feature", "cluster"]
    note: Text
    note_imported: Text | None = None  # in place of it, where boundaries were imported
    legend: tuple[LegendEntry, ...] = ()


def read_layers(folder: Path = CITY_FOLDER) -> dict[str, Layer]:
    """Read all layers of a city's catalogue, in their order."""
    meanings = _load(ROOT / "fields.yaml")
    files = [_load(path) for path in sorted((folder / "layers").glob("*.yaml"))]
    kinds: dict[str, list[str]] = {}
    for raw in files:
        kinds.setdefault(raw.get("source", ""), []).extend(raw.get("kinds", ()))
    layers = [_to_layer(raw, meanings, kinds[raw.get("source", "")]) for raw in files]
    return {layer.id: layer for layer in sorted(layers, key=lambda layer: layer.order)}


def read_themes() -> tuple[Theme, ...]:
    """Read all themes of the city, in the order of the map's theme control."""
    themes = [Theme.model_validate(_load(path)) for path in (CITY_FOLDER / "themes").glob("*.yaml")]
    for layer in read_layers().values():
        if layer.theme:
            shown = {"id": layer.id, "title": layer.title, "layers": (layer.id,)}
            themes.append(Theme.model_validate(shown | dict(layer.theme)))
    return tuple(sorted(themes, key=lambda theme: theme.order))


def read_licence() -> str:
    """Read the statement of the data's terms, Markdown; it goes with every file."""
    return (CITY_FOLDER / "LICENSE-DATA.md").read_text(encoding="utf-8")


def _to_layer(raw: dict[str, Any], meanings: dict[str, Any], kinds: Sequence[str]) -> Layer:
    fields = raw.setdefault("fields", list(PLACE_FIELDS))
    open_ones = raw.pop("nullable", [name for name in PLACE_OPEN if name in fields])
    if unknown := set(open_ones) - set(raw["fields"]):
        raise ValueError(f"{raw['id']}: nullable, but no field: {', '.join(sorted(unknown))}")
    names = raw["fields"]
    closed = {"kind": {"values": tuple(kinds)}} if kinds else {}
    fields = [
        _to_field(name, meanings[name]) | {"nullable": name in open_ones} | closed.get(name, {})
        for name in names
    ]
    return Layer.model_validate(raw | {"fields": fields})


def describe_fields(names: Iterable[str]) -> list[dict[str, object]]:
    """Return fields by name as ``fields.yaml`` explains them, but for whether they may be unknown."""
    meanings = _load(ROOT / "fields.yaml")
    return [_to_field(name, meanings[name]) for name in names]


def _to_field(name: str, raw: dict[str, Any]) -> dict[str, object]:
    flat = {"flat": _describe(raw["flat"])} if "flat" in raw else {}
    return {"name": name} | _describe(raw) | flat


def _describe(raw: dict[str, object]) -> dict[str, object]:
    """Return an entry with its texts as one; those in languages that the city has not are left out."""
    text = {language: raw[language] for language in LANGUAGES}
    members = {*FieldInfo.model_fields, *FlatInfo.model_fields}
    kept = {key: value for key, value in raw.items() if key in members or len(key) != _CODE}
    return kept | {"description": text}


def _load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


# -- on whose terms a layer or table may be used


class OwnTerms(Record):
    """What is ours in the data, and its licence."""

    licence: str
    name: Text


def read_own_terms() -> OwnTerms:
    """Read the terms of our own part."""
    raw = _load(ROOT / "terms.yaml")
    return OwnTerms(licence=raw["licence"], name=Text(**{one: raw["name"][one] for one in LANGUAGES}))


def list_terms(
    rows: Iterable[Mapping[str, object]], sources: Mapping[str, Source], own: OwnTerms
) -> list[SourceTerms]:
    """Return the terms of what the properties `rows` hold: ours, then of each source, the most used first.

    Each has the name in three languages, `licence` (an SPDX id or the owner's words, or None where none
    was stated), `rights` (what may be done with it, where no licence says so, or None) and `count`, the
    number of rows whose place is known from that source; None for our own part, which is in every row.
    """
    joined = (row.get("geometry_source") for row in rows)
    counts = Counter(name for names in joined if names for name in str(names).split(SEPARATOR["en"]))
    ours: SourceTerms = {
        "source": None,
        "name": to_words(own.name),
        "url": None,
        "licence": own.licence,
        "rights": None,
        "count": None,
    }
    return [
        ours,
        *(_describe_source(sources[name], count) for name, count in counts.most_common()),
    ]


def state_origin(declared: OwnLayer) -> dict[str, str]:
    """Return the sentence that marks a layer as the operator's own, by language."""
    words = _load(ROOT / "terms.yaml")["operator"]
    values = {"source": declared.source, "as_of": declared.as_of, "licence": declared.licence}
    return {one: words.get(one, words["en"]).format(**values) for one in LANGUAGES}


def list_own_terms(declared: OwnLayer) -> list[SourceTerms]:
    """Return the terms of a layer of the operator's own: nothing of ours is in it."""
    name = dict.fromkeys(LANGUAGES, declared.source)
    return [
        {
            "source": None,
            "name": name,
            "url": declared.source_url,
            "licence": declared.licence,
            "rights": None,
            "count": None,
        }
    ]


def list_sources(sources: Mapping[str, Source]) -> list[SourceEntry]:
    """Return every source with its names, address, publisher, date and terms, in the order of the facts."""
    return [
        {**_describe_source(row, None), "publisher": row.publisher, "date": row.date}
        for row in sources.values()
    ]


def source_name(source: Source, language: str) -> str:
    """Return a source's name in a language, or in its own where we have no other."""
    return str(getattr(source.label, language)) if source.label else source.title


def _describe_source(source: Source, count: int | None) -> SourceTerms:
    return {
        "source": source.id,
        "name": {one: source_name(source, one) for one in LANGUAGES},
        "url": source.url,
        "licence": source.licence,
        "rights": to_words_or_none(source.rights),
        "count": count,
    }
