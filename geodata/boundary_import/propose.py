"""Turn an import request into a proposal: read, georeference, match, check, and build the outcome."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final, Literal, TypedDict

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.boundaries import Boundaries, render_geometry
from geodata.boundary_import.checks import (
    MAX_PLACE_VERTICES,
    check_enclaves,
    check_neighbours,
    check_outcome,
    check_polygons,
    check_repeated_features,
    repair_polygon,
)
from geodata.boundary_import.containment import NARROW_DIFFERENCES, Context, check_contained, check_protected
from geodata.boundary_import.gcj02 import (
    ShiftAccount,
    ShiftVerdict,
    check_distance,
    check_shift,
    measure_shift,
    select_reference_lines,
)
from geodata.boundary_import.georeference import Drawable, Georeferenced, georeference, select_drawable
from geodata.boundary_import.issues import Issue, PlaceNames, RefusedError, build_issue
from geodata.boundary_import.matching import (
    PlaceIndex,
    check_attributes,
    choose_features,
    match_features,
    refuse_overlapping,
    select_features,
)
from geodata.boundary_import.reader import BoundaryFile, SourceFeature, read_boundary_file
from geodata.boundary_import.snap import add_sources, apply_imports, measure_known_accuracy_m, reconcile
from geodata.boundary_import.transfers import Change, Transfer
from geodata.imported import Adjusted, CheckOptions, ImportedBoundary, Members, keep_latest
from geodata.planar import MIN_AREA_KM2, find_spot, format_km2, is_moved, to_polygons, unite
from geodata.read import Facts
from geodata.shapes import Shape, build_shapes

_COMPARED: Final = {  # by what a change of it is called
    "method": "method",
    "accuracy": "accuracy_m",
    "source": "sources",
    "licence": "licence",
    "official_area": "official_area_km2",
}


@dataclass(frozen=True, kw_only=True)
class ImportRequest(CheckOptions):
    """What is to be imported, and how the file is to be read."""

    file: Path
    source: str
    licence: str
    who: str
    why: str
    when: datetime


@dataclass(frozen=True)
class Baseline:
    """The state before: facts, base geometry, and the imports in force."""

    facts: Facts
    boundaries: Boundaries
    records: tuple[ImportedBoundary, ...] = ()

    @cached_property
    def adjusted(self) -> Adjusted:
        """The base geometry with the imports in force."""
        return apply_imports(self.facts, self.boundaries, self.records)

    @cached_property
    def place_names(self) -> PlaceNames:
        """The names of places."""
        return PlaceNames(self.facts, self.boundaries)

    @cached_property
    def beyond(self) -> dict[str, BaseGeometry]:
        """The land of the counties of other cities."""
        return {
            name: piece for name, piece in self.adjusted.pieces.items() if name in self.place_names.outside
        }

    @cached_property
    def members(self) -> Members:
        """Which towns make up a place."""
        return Members(self.facts)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of every place with the imports in force."""
        facts = add_sources(self.facts, self.records)
        return build_shapes(facts, {**self.boundaries, "adjusted": self.adjusted})


class AreaChange(TypedDict):
    """The area of a place before and after, km², None without a known extent, and what else of it changes."""

    id: str
    before_km2: float | None
    after_km2: float | None
    official_km2: float | None
    method: str
    accuracy_m: int
    changed: list[str]
    imported: bool


class ShiftReport(ShiftAccount):
    """How a place's edge compares with known lines; `far` where that is warned of."""

    far: bool


TransferRow = TypedDict("TransferRow", {"from": str, "to": str, "area_km2": float})


@dataclass
class Proposal:
    """What the file would change; publishable where no issue is an error."""

    records: list[ImportedBoundary] = field(default_factory=list)
    in_force: tuple[str, ...] = ()  # ids of the imports that it was checked with
    issues: list[Issue] = field(default_factory=list)
    file: str = ""  # its name
    read_as: str = ""  # the coordinate system as understood
    expected_places: tuple[str, ...] = ()  # the places that the file seems to be of
    drawable: Drawable = field(default_factory=Drawable)
    shifts: dict[str, ShiftVerdict] = field(default_factory=dict)
    before: dict[str, Shape] = field(default_factory=dict)
    after: dict[str, Shape] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)

    @property
    def errors(self) -> int:
        """How many issues stand in the way."""
        return sum(issue.level == "error" for issue in self.issues)

    def areas(self) -> list[AreaChange]:
        """Return the area before and after, km², of every place that changes, and what of it does.

        None stands for a place without a known extent.

        Imported places come first. ``changed`` holds ``outline`` and what is said of a boundary.
        """
        imported = {record.of for record in self.records}
        rows: list[AreaChange] = [
            {
                "id": name,
                "before_km2": None if old.area_km2 is None else round(old.area_km2, 3),
                "after_km2": None if new.area_km2 is None else round(new.area_km2, 3),
                "official_km2": new.official_area_km2,
                "method": new.method,
                "accuracy_m": round(new.accuracy_m),
                "changed": list_differences(old, new),
                "imported": name in imported,
            }
            for name, old, new in ((one, self.before[one], after) for one, after in self.after.items())
            if name in imported or list_differences(old, new)
        ]
        return sorted(rows, key=lambda row: not row["imported"])

    def list_transfer_rows(self) -> list[TransferRow]:
        """Return the land that passes ``from`` one place ``to`` another, km², the largest first."""
        rows: list[TransferRow] = [
            {"from": one.giver, "to": one.taker, "area_km2": round(one.area_km2, 4)} for one in self.transfers
        ]
        return sorted(rows, key=lambda row: -row["area_km2"])

    def describe_shifts(self) -> dict[str, ShiftReport]:
        """Return by place how its edge compares with known lines; ``far`` where that is warned of."""
        far = {issue.feature_id for issue in self.issues if issue.code == "far-from-known"}
        return {place: {**verdict.to_dict(), "far": place in far} for place, verdict in self.shifts.items()}


def list_differences(old: Shape, new: Shape) -> list[str]:
    """Return what a publication would record as changed of a place: its outline, or what is said of it."""
    said = [name for name, one in _COMPARED.items() if getattr(old, one) != getattr(new, one)]
    return [*(["outline"] if is_moved(old.geometry, new.geometry) else []), *said]


_COORDINATE_DECIMALS: Final = 7
LOSS_CODES: Final = frozenset({"leaves-city"})  # what has to be accepted explicitly


Step = Literal["read", "locate", "compare", "fit", "measure"]
Watch = Callable[[Step], None]


def propose(request: ImportRequest, baseline: Baseline, watch: Watch = lambda _: None) -> Proposal:
    """Return what `request` would change and all issues, errors first; never raises on data.

    `watch` is told of each step as it begins: with a long border one takes many seconds.
    """
    proposal = _build_proposal(request, baseline, watch)
    proposal.issues.sort(key=lambda issue: issue.level != "error")
    return proposal


def _build_proposal(request: ImportRequest, baseline: Baseline, watch: Watch) -> Proposal:
    in_force = tuple(one.to_id() for one in baseline.records)
    proposal = Proposal(in_force=in_force, file=request.file.name)
    watch("read")
    try:
        boundary_file = read_boundary_file(request.file, request.table, request.encoding, request.columns)
        proposal.issues += boundary_file.issues
        watch("locate")
        proposal.before = baseline.shapes  # takes seconds, and a file that cannot be read needs none
        city = proposal.before[next(iter(baseline.facts.plans))].geometry
        names = PlaceIndex(baseline.facts, request.layer)
        proposal.expected_places = _guess_places(request, boundary_file, names)
        proposal.drawable = select_drawable(boundary_file, city, request.crs)
        georeferenced = georeference(boundary_file, city, request.crs, request.accuracy_m, fix=request.fix)
        proposal.read_as = georeferenced.crs
        proposal.issues += georeferenced.issues
        named = _match_places(request, georeferenced, names, proposal)
        for place, rows in named.items():
            _add_record(request, place, rows, (boundary_file, georeferenced), proposal)
    except RefusedError as refused:
        proposal.issues.append(refused.issue)
        return proposal
    watch("compare")
    _check_shifts(request, proposal, baseline)
    if not proposal.errors:
        _check_effects(proposal, baseline, watch, accepted=request.accept_loss)
    return proposal


def _guess_places(request: ImportRequest, boundary_file: BoundaryFile, names: PlaceIndex) -> tuple[str, ...]:
    """Return the places that the file seems to be of, before it is georeferenced."""
    if request.of is not None:
        return (request.of,) if request.of in names.ids else ()
    found, _ = match_features(boundary_file.features, names, request.field)
    return tuple(found)


def _match_places(
    request: ImportRequest, georeferenced: Georeferenced, names: PlaceIndex, proposal: Proposal
) -> dict[str, list[SourceFeature]]:
    if request.of is None:
        features = georeferenced.features
        if request.feature is not None and features:
            features = choose_features(features, request.feature)
        found, issues = match_features(features, names, request.field)
        refuse_overlapping(found, features)
        proposal.issues += issues
        return {} if any(row.level == "error" for row in issues) else found
    if request.of not in names.ids:
        raise RefusedError(names.refuse(request.file.name, [request.of]))
    if not georeferenced.features:
        return {}
    rows, issues = select_features(georeferenced.features, names, request.of, request.feature)
    proposal.issues += [*issues, *check_attributes(rows, names, request.of)]
    return {request.of: rows}


def _join_parts(
    request: ImportRequest, place: str, rows: list[SourceFeature]
) -> tuple[BaseGeometry | None, list[Issue]]:
    """Return the features of a place as one, mended where that may be, and what was found of them.

    None where a ring stays broken.
    """
    issues, parts = list(check_repeated_features(rows, place)), []
    for row in rows:
        count = int(shapely.get_num_coordinates(row.geometry))
        if count > MAX_PLACE_VERTICES:
            values = {"count": count, "limit": MAX_PLACE_VERTICES}
            raise RefusedError(build_issue("too-many-vertices", row.path, place, **values))
        mended, issue = repair_polygon(row, place, fix=request.fix)
        issues += [issue] if issue else []
        parts.append(mended)
    broken = any(issue.level == "error" for issue in issues)
    return None if broken else to_polygons(unite(parts)), issues


def _add_record(
    request: ImportRequest,
    place: str,
    rows: list[SourceFeature],
    read: tuple[BoundaryFile, Georeferenced],
    proposal: Proposal,
) -> None:
    boundary_file, georeferenced = read
    polygon, issues = _join_parts(request, place, rows)
    proposal.issues += issues
    if polygon is None:
        return
    area_km2 = crs.measure_area_km2(polygon)
    if area_km2 < MIN_AREA_KM2:
        area = f"{area_km2 * 1e6:.3g}"
        raise RefusedError(
            build_issue("too-small", rows[0].path, place, area=area, limit=round(MIN_AREA_KM2 * 1e6))
        )
    proposal.records.append(
        ImportedBoundary(
            layer=request.layer,
            of=place,
            geometry=_to_geometry(polygon),
            method=request.method,
            accuracy_m=request.accuracy_m,
            source=request.source,
            licence=request.licence,
            who=request.who,
            why=request.why,
            when=request.when,
            file_name=boundary_file.name,
            file_sha256=boundary_file.sha256,
            crs=georeferenced.crs,
            fixes=tuple(one.remark for one in (*georeferenced.fixes, *issues) if one.remark),
        )
    )


def _to_geometry(polygon: BaseGeometry) -> dict[str, object]:
    rounded = shapely.set_precision(polygon, 10.0**-_COORDINATE_DECIMALS)
    return dict(render_geometry(to_polygons(rounded), _COORDINATE_DECIMALS))


def _check_shifts(request: ImportRequest, proposal: Proposal, baseline: Baseline) -> None:
    """Look for the shift of Chinese web maps; no error where the user names the system."""
    counties = {town.county for town in baseline.facts.towns.values()}
    counties -= {
        record.of for record in baseline.records
    }  # digitised ones too: what was brought proves nothing
    known = select_reference_lines(proposal.before, counties, baseline.boundaries["datapackage"]["quality"])
    if known is None:
        return
    for record in proposal.records:
        verdict = measure_shift(record.polygon, known.lines)
        proposal.shifts[record.of] = verdict
        proposal.issues += check_shift(
            record, verdict, told=bool(request.crs), judged=bool(baseline.members.of(record.of))
        )
        if baseline.members.of(record.of):  # what is not made of towns may well lie some way off a coast
            proposal.issues += check_distance(record, verdict, proposal.before[record.of], known)


def _check_effects(proposal: Proposal, baseline: Baseline, watch: Watch, *, accepted: bool) -> None:
    """Check the polygons against what is there, and build the shapes as they would be.

    `accepted` says that land may leave the city.
    """
    members, place_names = baseline.members, baseline.place_names
    proposal.records = [_keep_detached_land(record, proposal, baseline) for record in proposal.records]
    records = keep_latest((*baseline.records, *proposal.records))
    context = Context(proposal.before, members, records, place_names, baseline.beyond)
    proposal.issues += check_polygons(context, proposal.records)
    proposal.issues += check_contained(context, proposal.records)
    if proposal.errors:
        return
    proposal.records = _reconcile_records(proposal, baseline)
    if proposal.errors:
        return
    watch("fit")
    records = keep_latest((*baseline.records, *proposal.records))
    adjusted = apply_imports(baseline.facts, baseline.boundaries, records.values())
    before = baseline.adjusted.pieces
    proposal.issues += check_outcome(before, adjusted, place_names)
    if proposal.errors:
        return
    proposal.issues += check_enclaves(before, adjusted, proposal.records, members, place_names)
    watch("measure")
    change = Change(before, adjusted.pieces, proposal.records, members, place_names)
    proposal.transfers = change.transfers
    known_m = measure_known_accuracy_m(baseline.boundaries["datapackage"]["quality"])
    told = list(change.check(known_m, accepted=accepted))
    proposal.issues += told
    proposal.records = [_add_remarks(record, told, LOSS_CODES) for record in proposal.records]
    boundaries: Boundaries = {**baseline.boundaries, "adjusted": adjusted}
    proposal.after = build_shapes(add_sources(baseline.facts, records.values()), boundaries)
    before_context = Context(
        proposal.before, members, keep_latest(baseline.records), place_names, baseline.beyond
    )
    after_context = Context(proposal.after, members, records, place_names, baseline.beyond)
    proposal.issues += check_protected(before_context, after_context, proposal.records)
    imported = {record.of for record in proposal.records}
    proposal.issues += check_neighbours(proposal.before, proposal.after, imported, members)


def _keep_detached_land(record: ImportedBoundary, proposal: Proposal, baseline: Baseline) -> ImportedBoundary:
    """Return a county with the islands and exclaves that its polygon leaves out, as they would be nobody's.

    What another imported county covers is left to that.
    """
    if record.layer != "counties":
        return record
    polygon = record.polygon
    others = [
        one
        for one in (*baseline.records, *proposal.records)
        if one.layer == "counties" and one.of != record.of
    ]
    covered = unite([polygon, *(one.polygon for one in keep_latest(others).values())])
    parts = shapely.get_parts(proposal.before[record.of].geometry)
    left_out = [part for part in parts if not part.intersects(covered)]
    if not left_out or len(left_out) == len(parts):
        return record
    area = format_km2(sum(map(crs.measure_area_km2, left_out)))
    proposal.issues.append(
        build_issue(
            "islands-kept",
            record.file_name,
            record.of,
            count=len(left_out),
            area=area,
            place=baseline.place_names.of(record.of),
            spot=find_spot(unite(left_out)),
        )
    )
    whole = record.model_copy(update={"geometry": _to_geometry(unite([polygon, *left_out]))})
    return _add_remarks(whole, proposal.issues, {"islands-kept"})


def _reconcile_records(proposal: Proposal, baseline: Baseline) -> list[ImportedBoundary]:
    """Return the records as they conform with those in force; one that had to give way says where."""
    polygons = reconcile(proposal.records, baseline.adjusted.placed, baseline.members)
    settled = []
    for record in proposal.records:
        polygon = polygons[record.of]
        if shapely.equals(polygon, record.polygon):
            settled.append(record)
        elif crs.measure_area_km2(polygon) < MIN_AREA_KM2:
            proposal.issues.append(build_issue("nothing-left", record.file_name, record.of))
        else:
            agreed = record.model_copy(update={"geometry": _to_geometry(polygon)})
            settled.append(_add_remarks(agreed, proposal.issues, NARROW_DIFFERENCES))
    return settled


def _add_remarks(
    record: ImportedBoundary, issues: Sequence[Issue], codes: Collection[str]
) -> ImportedBoundary:
    """Return a record with the remarks of its issues under some codes."""
    rows = [row for row in issues if row.feature_id == record.of and row.code in codes]
    fixes = (*record.fixes, *(row.remark for row in rows if row.remark))
    return record.model_copy(update={"fixes": fixes}) if rows else record
