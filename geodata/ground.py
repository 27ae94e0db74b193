"""Frozen types of what lies on the ground: towns, gateways, landmarks, known points and areas.

None of it is said by the plan; every record names its source. Positions are WGS 84 (lon, lat) in
degrees, accuracies metres, areas km².
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from geodata.model import ClauseId, Id, Record, Text

Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Confidence = Literal["high", "medium", "low", "none"]


class Position(Record):
    """A point where something is, and how well that is known."""

    lon: Lon
    lat: Lat
    accuracy_m: Annotated[float, Field(gt=0)]
    confidence: Confidence
    basis: str  # short; names the source
    sources: tuple[Id, ...] = ()  # those of the basis that have a record of their own


class Town(Record):
    """A town or street: the unit that zones are made of."""

    code: Annotated[str, Field(pattern=r"^\d{9}$")]
    id: Id
    name: Text
    county: Id
    zone: Id | None = None
    seat: Position
    aliases: tuple[str, ...] = ()
    note: str | None = None


class Gateway(Record):
    """A port, airport or railway station."""

    id: Id
    kind: Literal["seaport", "airport", "railway-station"]
    name: Text
    aliases: tuple[str, ...] = ()
    parent: Id
    position: Position
    clauses: tuple[ClauseId, ...] = ()  # empty: not named in the plan
    opened: str | None = None
    note: Text | None = None


class Landmark(Record):
    """An island, bay, cape or other name for orientation; never a fact of the plan."""

    id: Id
    kind: Literal["island", "bay", "cape", "lagoon", "sea", "neighbour", "campus", "centre"]
    name: Text
    position: Position
    expected: Id | None = None  # the county, zone or park that must contain it


class OfficialArea(Record):
    """An area that an official or published text gives for a place, km²."""

    of: str  # zone id, county id or town code
    area_km2: Annotated[float, Field(gt=0)]
    chosen: bool  # whether the geometry is solved for it or compared with it
    scope: Text  # what the figure covers
    source: Id
    confidence: Confidence
    reason: Text | None = None  # why chosen, or why not


class Site(Record):
    """The known point of a zone, park, area or platform, and what its indicative polygon may cover."""

    of: Id
    position: Position | None  # None: not known, see reason
    reason: Text | None = None
    part: str | None = None  # several sites make several parts
    area_km2: float | None = None
    area_source: Id | None = None
    within: tuple[str, ...] = ()  # town codes, zone ids or "sea" that bound the indicative polygon
