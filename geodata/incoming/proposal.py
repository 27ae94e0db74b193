"""From a file to boundaries that could be published: read, understand, name, check, try."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.adjust import (
    Adjusted,
    Members,
    add_sources,
    apply_imports,
    measure_known,
    to_boundaries,
)
from geodata.incoming.datum import Verdict, measure_shift
from geodata.incoming.exchange import LEAST_KM2, Change, Transfer
from geodata.incoming.finding import Finding, RefusedError, find
from geodata.incoming.imported import ImportedBoundary, Layer, Method, keep_latest
from geodata.incoming.intake import Incoming, Intake, read_intake
from geodata.incoming.locate import Located, locate
from geodata.incoming.naming import Names, name_features
from geodata.incoming.planar import to_polygons
from geodata.incoming.scrutiny import (
    MAX_PLACE_VERTICES,
    Standing,
    check_neighbours,
    check_outcome,
    check_standing,
    repair,
)
from geodata.incoming.titles import Titles
from geodata.moves import is_moved
from geodata.read import Facts
from geodata.shapes import Shape, build_shapes

_DECIMALS: Final = 7
_SAID: Final = ("method", "accuracy_m", "sources", "licence", "official_area_km2")
_SUSPICIONS: Final = {"GCJ-02": "suspected-gcj02", "BD-09": "suspected-bd09"}


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
    shifts: dict[str, Verdict] = field(default_factory=dict)
    before: dict[str, Shape] = field(default_factory=dict)
    after: dict[str, Shape] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """How many findings stand in the way."""
        return sum(finding.level == "error" for finding in self.findings)

    def areas(self) -> list[dict[str, Any]]:
        """Return the area before and after, km², of every place that changes; imported ones first."""
        imported = {record.of for record in self.records}
        rows = [
            {
                "id": name,
                "before_km2": round(old.area_km2, 3),
                "after_km2": round(new.area_km2, 3),
                "official_km2": new.official_area_km2,
                "method": new.method,
                "accuracy_m": round(new.accuracy_m),
                "imported": name in imported,
            }
            for name, old, new in ((one, self.before[one], after) for one, after in self.after.items())
            if name in imported or differs(old, new)
        ]
        return sorted(rows, key=lambda row: not row["imported"])


def differs(old: Shape, new: Shape) -> bool:
    """Tell whether a publication would record a change of a place: its polygon, or how it was made."""
    if any(getattr(old, one) != getattr(new, one) for one in _SAID):
        return True
    return is_moved(old.geometry, new.geometry)


def propose(wish: Wish, ground: Ground) -> Proposal:
    """Return what `wish` would change and everything that is wrong with it; never raises on data."""
    proposal = Proposal(in_force=tuple(one.to_id() for one in ground.records))
    try:
        intake = read_intake(wish.file, wish.table, wish.encoding)
        proposal.findings += intake.findings
        proposal.before = ground.shapes  # takes seconds, and a file that cannot be read needs none
        city = proposal.before[next(iter(ground.facts.plans))].geometry
        located = locate(intake, city, wish.crs, fix=wish.fix)
        proposal.findings += located.findings
        named = _name(wish, located, ground.facts, proposal)
        for place, rows in named.items():
            _add_record(wish, place, rows, (intake, located), proposal)
    except RefusedError as refused:
        proposal.findings.append(refused.finding)
        return proposal
    _check_shift(wish, proposal, located.crs, ground.facts)
    if not proposal.errors:
        _try(proposal, ground)
    return proposal


def _name(wish: Wish, located: Located, facts: Facts, proposal: Proposal) -> dict[str, list[Incoming]]:
    names = Names(facts, wish.layer)
    if wish.of is None:
        found, findings = name_features(located.features, names, wish.field)
        proposal.findings += findings
        return {} if any(row.level == "error" for row in findings) else found
    if wish.of not in names.ids:
        raise RefusedError(names.refuse(wish.file.name, [wish.of]))
    return {wish.of: located.features}


def _add_record(
    wish: Wish, place: str, rows: list[Incoming], read: tuple[Intake, Located], proposal: Proposal
) -> None:
    intake, located = read
    parts, fixes, broken = [], list(located.fixes), False
    for row in rows:
        count = int(shapely.get_num_coordinates(row.geometry))
        if count > MAX_PLACE_VERTICES:
            values = {"count": count, "limit": MAX_PLACE_VERTICES}
            raise RefusedError(find("too-many-vertices", row.path, place, **values))
        mended, finding = repair(row, place, fix=wish.fix)
        if finding:
            proposal.findings.append(finding)
            fixes.append(finding.message_en)
            broken = broken or finding.level == "error"
        parts.append(mended)
    if broken:
        return
    polygon = to_polygons(shapely.union_all(parts))
    area_km2 = crs.measure_area_km2(polygon)
    if area_km2 < LEAST_KM2:
        area = f"{area_km2 * 1e6:.3g}"
        raise RefusedError(find("too-small", rows[0].path, place, area=area, limit=round(LEAST_KM2 * 1e6)))
    proposal.records.append(
        ImportedBoundary(
            layer=wish.layer,
            of=place,
            geometry=_to_geometry(polygon),
            method=wish.method,
            accuracy_m=wish.accuracy_m,
            source=wish.source,
            licence=wish.licence,
            who=wish.who,
            why=wish.why,
            when=wish.when,
            file_name=intake.name,
            file_sha256=intake.sha256,
            crs=located.crs,
            fixes=tuple(fix[:500] for fix in fixes),
        )
    )


def _to_geometry(polygon: BaseGeometry) -> dict[str, Any]:
    rounded = shapely.set_precision(polygon, 10.0**-_DECIMALS)
    turned = shapely.orient_polygons(shapely.normalize(to_polygons(rounded)))
    plain: dict[str, Any] = json.loads(shapely.to_geojson(turned))
    plain["coordinates"] = _round(plain["coordinates"])
    return plain


def _round(value: Any) -> Any:
    return [_round(one) for one in value] if isinstance(value, list) else round(value, _DECIMALS)


def _check_shift(wish: Wish, proposal: Proposal, understood: str, facts: Facts) -> None:
    """Look for the shift of Chinese web maps; a user who names the system has looked already."""
    counties = {town.county for town in facts.towns.values()}
    known = [proposal.before[one] for one in counties if proposal.before[one].method == "digitised"]
    lines = shapely.union_all([shape.geometry.boundary for shape in known])
    for record in proposal.records if known else ():
        verdict = measure_shift(record.polygon(), lines)
        proposal.shifts[record.of] = verdict
        if verdict.suspected:
            metres = verdict.distance_m
            values = {
                "frame": verdict.suspected,
                "plain": round(metres["CRS84"]),
                "shifted": round(metres[verdict.suspected]),
                "km": round(verdict.compared_km),
                "crs": understood,
            }
            level = "warning" if wish.crs else "error"
            code = _SUSPICIONS[verdict.suspected]
            proposal.findings.append(find(code, record.file_name, record.of, **values, level=level))


def _try(proposal: Proposal, ground: Ground) -> None:
    """Check the polygons against what is there, and build the shapes as they would be."""
    members, titles = Members(ground.facts), ground.titles
    records = keep_latest((*ground.records, *proposal.records))
    standing = Standing(proposal.before, members, records, titles)
    proposal.findings += check_standing(standing, proposal.records)
    if proposal.errors:
        return
    adjusted = apply_imports(ground.facts, ground.boundaries, records.values())
    before = ground.adjusted.pieces
    proposal.findings += check_outcome(before, adjusted, titles)
    if proposal.errors:
        return
    change = Change(before, adjusted.pieces, proposal.records, members, titles)
    proposal.transfers = change.transfers
    proposal.findings += change.check(measure_known(ground.boundaries["datapackage"]["quality"]))
    boundaries = to_boundaries(ground.boundaries, adjusted)
    proposal.after = build_shapes(add_sources(ground.facts, records.values()), boundaries)
    imported = {record.of for record in proposal.records}
    proposal.findings += check_neighbours(proposal.before, proposal.after, imported, titles)
