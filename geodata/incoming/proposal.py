"""What somebody asks to import, what is there before, and what would change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from shapely.geometry.base import BaseGeometry

from geodata.incoming.adjust import Adjusted, Members, add_sources, apply_imports, to_boundaries
from geodata.incoming.datum import Verdict
from geodata.incoming.drawable import Drawable
from geodata.incoming.exchange import Transfer
from geodata.incoming.finding import Finding
from geodata.incoming.imported import ImportedBoundary, Layer, Method
from geodata.incoming.titles import Titles
from geodata.moves import is_moved
from geodata.read import Facts
from geodata.shapes import Shape, build_shapes

_SAID: Final = {  # by what a change of it is called
    "method": "method",
    "accuracy": "accuracy_m",
    "source": "sources",
    "licence": "licence",
    "official_area": "official_area_km2",
}


@dataclass(frozen=True)
class Wish:
    """What somebody asks for."""

    file: Path
    layer: Layer
    source: str
    licence: str
    who: str
    why: str
    when: datetime
    accuracy_m: float
    method: Method = "official"
    of: str | None = None  # the one place that the whole file is
    field: str | None = None  # the attribute that names the places
    table: str | None = None
    crs: str | None = None
    encoding: str | None = None
    fix: bool = False
    accept_loss: bool = False  # that land leaves the city


@dataclass(frozen=True)
class Ground:
    """What is there before: facts, base geometry, and the imports in force."""

    facts: Facts
    boundaries: Mapping[str, Any]
    records: tuple[ImportedBoundary, ...] = ()

    @cached_property
    def adjusted(self) -> Adjusted:
        """The base geometry with the imports in force."""
        return apply_imports(self.facts, self.boundaries, self.records)

    @cached_property
    def titles(self) -> Titles:
        """The names of places."""
        return Titles(self.facts, self.boundaries)

    @cached_property
    def beyond(self) -> dict[str, BaseGeometry]:
        """The land of the counties of other cities."""
        return {name: piece for name, piece in self.adjusted.pieces.items() if name in self.titles.outside}

    @cached_property
    def members(self) -> Members:
        """Which towns make up a place."""
        return Members(self.facts)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every place with the imports in force."""
        facts = add_sources(self.facts, self.records)
        return build_shapes(facts, to_boundaries(self.boundaries, self.adjusted))


@dataclass
class Proposal:
    """What the file would change; publishable where no finding is an error."""

    records: list[ImportedBoundary] = field(default_factory=list)
    in_force: tuple[str, ...] = ()  # ids of the imports that it was checked with
    findings: list[Finding] = field(default_factory=list)
    file: str = ""  # its name
    read_as: str = ""  # the coordinate system as understood
    wanted: tuple[str, ...] = ()  # the places that the file seems to be of
    drawable: Drawable = field(default_factory=Drawable)
    shifts: dict[str, Verdict] = field(default_factory=dict)
    before: dict[str, Shape] = field(default_factory=dict)
    after: dict[str, Shape] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """How many findings stand in the way."""
        return sum(finding.level == "error" for finding in self.findings)

    def areas(self) -> list[dict[str, Any]]:
        """Return the area before and after, km², of every place that changes, and what of it does.

        Imported places come first. ``changed`` holds ``outline`` and what is said of a boundary.
        """
        imported = {record.of for record in self.records}
        rows = [
            {
                "id": name,
                "before_km2": round(old.area_km2, 3),
                "after_km2": round(new.area_km2, 3),
                "official_km2": new.official_area_km2,
                "method": new.method,
                "accuracy_m": round(new.accuracy_m),
                "changed": differences(old, new),
                "imported": name in imported,
            }
            for name, old, new in ((one, self.before[one], after) for one, after in self.after.items())
            if name in imported or differences(old, new)
        ]
        return sorted(rows, key=lambda row: not row["imported"])

    def exchanges(self) -> list[dict[str, Any]]:
        """Return which land passes ``from`` whom ``to`` whom, km², the largest first; ``sea`` is no land."""
        rows = [
            {"from": one.giver, "to": one.taker, "area_km2": round(one.area_km2, 4)} for one in self.transfers
        ]
        return sorted(rows, key=lambda row: -row["area_km2"])

    def describe_shifts(self) -> dict[str, dict[str, Any]]:
        """Return by place how its edge compares with known lines; ``far`` where that is warned of."""
        far = {finding.feature_id for finding in self.findings if finding.code == "far-from-known"}
        return {place: verdict.to_dict() | {"far": place in far} for place, verdict in self.shifts.items()}


def differences(old: Shape, new: Shape) -> list[str]:
    """Return what a publication would record as changed of a place: its outline, or what is said of it."""
    said = [name for name, one in _SAID.items() if getattr(old, one) != getattr(new, one)]
    return [*(["outline"] if is_moved(old.geometry, new.geometry) else []), *said]
