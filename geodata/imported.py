"""Imported boundaries: the record of each with its polygon, source and reasons, and what all of them changed.

:mod:`geodata.boundary_import` makes them; :mod:`geodata.shapes` draws places from what they leave.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Literal, Self, get_args

import shapely
from pydantic import AwareDatetime, Field
from shapely.geometry.base import BaseGeometry

from geodata.kinds import CITY
from geodata.model import Id, Record, Source, Text
from geodata.read import Facts

Layer = Literal["counties", "zones", "parks", "towns"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
Method = Literal["digitised", "official", "surveyed"]
METHODS: tuple[Method, ...] = get_args(Method)  # the better last
IMPORTED_METHODS: tuple[Method, ...] = METHODS[1:]  # that nothing but an import has
NonEmptyText = Annotated[str, Field(min_length=1, max_length=500)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Remark(Text):
    """A note kept with an imported boundary: a repair, or a loss of land that was accepted."""

    code: str  # of the issue


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """How the file of a boundary is read, and what of it is accepted."""

    layer: Layer
    accuracy_m: float
    method: Method = "official"
    of: str | None = None  # the one place that the whole file is
    field: str | None = None  # the attribute that names the places
    feature: str | None = None  # a value or number of the one feature that is meant
    table: str | None = None
    columns: str | None = None  # of a table, those of the east and north coordinate
    crs: str | None = None
    encoding: str | None = None
    fix: bool = False
    accept_loss: bool = False  # of land to another city


class ImportedBoundary(Record):
    """One imported polygon; a later record of the same place replaces an earlier one."""

    layer: Layer
    of: Id
    geometry: dict[str, object]  # GeoJSON Polygon or MultiPolygon, lon/lat WGS 84
    method: Method
    accuracy_m: Annotated[float, Field(gt=0, le=100_000)]
    source: NonEmptyText
    licence: NonEmptyText
    who: NonEmptyText
    why: NonEmptyText
    when: AwareDatetime
    file_name: NonEmptyText
    file_sha256: Sha256
    crs: NonEmptyText  # of the file, as understood
    fixes: tuple[
        Remark | NonEmptyText, ...
    ] = ()  # what was repaired or accepted; older ones are English texts

    @property
    def source_id(self) -> str:
        """The id of the source that the place's geometry has."""
        return f"import-{self.of}"

    @cached_property
    def polygon(self) -> BaseGeometry:
        """The polygon, lon/lat."""
        return shapely.from_geojson(json.dumps(self.geometry))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with some fields changed; without the polygon where the geometry did."""
        copy = super().model_copy(update=update, deep=deep)
        if copy.geometry is not self.geometry:
            copy.__dict__.pop("polygon", None)
        return copy

    def repeats(self, other: ImportedBoundary) -> bool:
        """Tell whether this says the same as `other`, only at another time."""
        return self == other.model_copy(update={"when": self.when})

    def to_bytes(self) -> bytes:
        """Return the record as stored: JSON, always the same bytes."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True).encode()

    def to_id(self) -> str:
        """Return the id of the record: what its content hashes to."""
        return hashlib.sha256(self.to_bytes()).hexdigest()[:20]

    def to_source(self) -> Source:
        """Return the source of the place's geometry, as the facts list sources."""
        return Source(
            id=self.source_id,
            title=self.source,
            publisher=self.who,
            date=f"{self.when:%Y-%m-%d}",
            licence=self.licence,
        )


def keep_latest(records: Iterable[ImportedBoundary]) -> dict[str, ImportedBoundary]:
    """Return by place the record in force: the last of several of one place."""
    return {record.of: record for record in records}


@dataclass
class Adjusted:
    """The base geometry with all imports in it; lon/lat."""

    pieces: dict[str, BaseGeometry]  # towns and neighbouring counties
    imports: dict[str, ImportedBoundary] = field(default_factory=dict)  # in force, in the order of the rule
    placed: dict[str, BaseGeometry] = field(default_factory=dict)  # their polygons, reconciled
    moved: dict[str, tuple[str, ...]] = field(default_factory=dict)  # by place: by which imports
    unassigned: dict[str, BaseGeometry] = field(default_factory=dict)  # by import: land without a recipient


class Members:
    """Which towns make up a place."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.towns: dict[str, frozenset[str]] = {town: frozenset([town]) for town in facts.towns}
        for town in facts.towns.values():
            for place in (CITY, town.county, town.zone):
                if place is not None:
                    self.towns[place] = self.towns.get(place, frozenset()) | {town.id}

    def of(self, place: str) -> frozenset[str]:
        """Return the towns of a place; none for one that lies on top."""
        return self.towns.get(place, frozenset())

    def parent(self, place: str) -> str | None:
        """Return the place that directly contains a zone, park or town; None for a county."""
        if place in self.facts.towns:
            town = self.facts.towns[place]
            return town.zone or town.county
        zone = self.facts.zones.get(place)
        return zone.parent if zone else None

    def above(self, place: str) -> Iterable[str]:
        """Yield the places that contain `place`, the nearest first."""
        parent = self.parent(place)
        while parent is not None:
            yield parent
            parent = self.parent(parent)

    def counties(self) -> Iterable[str]:
        """Return all counties."""
        return {town.county for town in self.facts.towns.values()}

    def county(self, place: str) -> str:
        """Return the county of a place, or the place itself."""
        return [place, *self.above(place)][-1]
