"""The record of an imported boundary: its polygon, where it comes from, who imported it, when and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, Self, get_args

import shapely
from pydantic import AwareDatetime, Field
from shapely.geometry.base import BaseGeometry

from geodata.boundary_import.issues import Remark
from geodata.model import Id, Record, Source

Layer = Literal["counties", "zones", "parks", "towns"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
Method = Literal["digitised", "official", "surveyed"]
METHODS: tuple[Method, ...] = get_args(Method)  # the better last
IMPORTED_METHODS: tuple[Method, ...] = METHODS[1:]  # that nothing but an import has
NonEmptyText = Annotated[str, Field(min_length=1, max_length=500)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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
