"""A boundary that somebody brought: its polygon, where it comes from, who brought it, when and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from geodata.model import Id, Record

Filled = Annotated[str, Field(min_length=1, max_length=500)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ImportedBoundary(Record):
    """One imported polygon; a later one of the same place replaces an earlier one."""

    layer: Literal["counties", "zones", "parks", "towns"]
    of: Id
    geometry: dict[str, Any]  # GeoJSON Polygon or MultiPolygon, lon/lat WGS 84
    method: Literal["official", "surveyed"]
    accuracy_m: Annotated[float, Field(gt=0, le=100_000)]
    source: Filled
    licence: Filled
    who: Filled
    why: Filled
    when: AwareDatetime
    file_name: Filled
    file_sha256: Sha256
    crs: Filled  # of the file, as understood
    fixes: tuple[Filled, ...] = ()  # what was repaired
