"""From a file to boundaries that could be published: read, understand, name, check, try."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any, Final

import shapely
from shapely.geometry.base import BaseGeometry

from geodata import crs
from geodata.incoming.adjust import add_sources, apply_imports, measure_known, settle, to_boundaries
from geodata.incoming.datum import measure_shift
from geodata.incoming.drawable import find_drawable
from geodata.incoming.enclaves import check_enclaves
from geodata.incoming.exchange import LEAST_KM2, Change
from geodata.incoming.finding import Finding, RefusedError, find
from geodata.incoming.imported import ImportedBoundary, keep_latest
from geodata.incoming.intake import Incoming, Intake, read_intake
from geodata.incoming.kept import GIVES_WAY, check_children, check_kept
from geodata.incoming.locate import Located, locate
from geodata.incoming.naming import Names, check_names, name_features
from geodata.incoming.planar import to_polygons
from geodata.incoming.polygon_checks import MAX_PLACE_VERTICES, check_repeated, repair
from geodata.incoming.proposal import Ground, Proposal, Wish
from geodata.incoming.scrutiny import check_neighbours, check_outcome, check_standing
from geodata.incoming.standing import Standing
from geodata.incoming.suspicion import check_distance, check_verdict, select_known
from geodata.shapes import build_shapes

_DECIMALS: Final = 7
CEDED: Final = frozenset({"leaves-city"})  # what somebody has to accept


def propose(wish: Wish, ground: Ground) -> Proposal:
    """Return what `wish` would change and all that is wrong with it, errors first; never raises on data."""
    proposal = _propose(wish, ground)
    proposal.findings.sort(key=lambda finding: finding.level != "error")
    return proposal


def _propose(wish: Wish, ground: Ground) -> Proposal:
    in_force = tuple(one.to_id() for one in ground.records)
    proposal = Proposal(in_force=in_force, file=wish.file.name)
    try:
        intake = read_intake(wish.file, wish.table, wish.encoding)
        proposal.findings += intake.findings
        proposal.before = ground.shapes  # takes seconds, and a file that cannot be read needs none
        city = proposal.before[next(iter(ground.facts.plans))].geometry
        names = Names(ground.facts, wish.layer)
        proposal.wanted = _guess(wish, intake, names)
        proposal.drawable = find_drawable(intake, city, wish.crs)
        located = locate(intake, city, wish.crs, wish.accuracy_m, fix=wish.fix)
        proposal.read_as = located.crs
        proposal.findings += located.findings
        named = _name(wish, located, names, proposal)
        for place, rows in named.items():
            _add_record(wish, place, rows, (intake, located), proposal)
    except RefusedError as refused:
        proposal.findings.append(refused.finding)
        return proposal
    _check_shift(wish, proposal, ground)
    if not proposal.errors:
        _try(proposal, ground, accepted=wish.accept_loss)
    return proposal


def _guess(wish: Wish, intake: Intake, names: Names) -> tuple[str, ...]:
    """Return the places that the file is of, as far as can be told before it is understood."""
    if wish.of is not None:
        return (wish.of,) if wish.of in names.ids else ()
    found, _ = name_features(intake.features, names, wish.field)
    return tuple(found)


def _name(wish: Wish, located: Located, names: Names, proposal: Proposal) -> dict[str, list[Incoming]]:
    if wish.of is None:
        found, findings = name_features(located.features, names, wish.field)
        proposal.findings += findings
        return {} if any(row.level == "error" for row in findings) else found
    if wish.of not in names.ids:
        raise RefusedError(names.refuse(wish.file.name, [wish.of]))
    proposal.findings += check_names(located.features, names, wish.of)
    return {wish.of: located.features}


def _join_parts(wish: Wish, place: str, rows: list[Incoming]) -> tuple[BaseGeometry | None, list[Finding]]:
    """Return the features of a place as one, mended where that may be, and what was found of them.

    None where a ring stays broken.
    """
    findings, parts = list(check_repeated(rows, place)), []
    for row in rows:
        count = int(shapely.get_num_coordinates(row.geometry))
        if count > MAX_PLACE_VERTICES:
            values = {"count": count, "limit": MAX_PLACE_VERTICES}
            raise RefusedError(find("too-many-vertices", row.path, place, **values))
        mended, finding = repair(row, place, fix=wish.fix)
        findings += [finding] if finding else []
        parts.append(mended)
    broken = any(finding.level == "error" for finding in findings)
    return None if broken else to_polygons(shapely.union_all(parts)), findings


def _add_record(
    wish: Wish, place: str, rows: list[Incoming], read: tuple[Intake, Located], proposal: Proposal
) -> None:
    intake, located = read
    polygon, findings = _join_parts(wish, place, rows)
    proposal.findings += findings
    if polygon is None:
        return
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
            fixes=tuple(one.remark for one in (*located.fixes, *findings) if one.remark),
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


def _check_shift(wish: Wish, proposal: Proposal, ground: Ground) -> None:
    """Look for the shift of Chinese web maps; a user who names the system has looked already."""
    counties = {town.county for town in ground.facts.towns.values()}
    known = select_known(proposal.before, counties, ground.boundaries["datapackage"]["quality"])
    if known is None:
        return
    for record in proposal.records:
        verdict = measure_shift(record.polygon(), known.lines)
        proposal.shifts[record.of] = verdict
        proposal.findings += check_verdict(record, verdict, told=bool(wish.crs))
        if ground.members.of(record.of):  # what is not made of towns may well lie some way off a coast
            proposal.findings += check_distance(record, verdict, proposal.before[record.of], known)


def _try(proposal: Proposal, ground: Ground, *, accepted: bool) -> None:
    """Check the polygons against what is there, and build the shapes as they would be.

    `accepted` says that land may leave the city.
    """
    members, titles = ground.members, ground.titles
    records = keep_latest((*ground.records, *proposal.records))
    standing = Standing(proposal.before, members, records, titles, ground.beyond)
    proposal.findings += check_standing(standing, proposal.records)
    proposal.findings += check_children(standing, proposal.records)
    if proposal.errors:
        return
    proposal.records = _settle(proposal, ground)
    if proposal.errors:
        return
    records = keep_latest((*ground.records, *proposal.records))
    adjusted = apply_imports(ground.facts, ground.boundaries, records.values())
    before = ground.adjusted.pieces
    proposal.findings += check_outcome(before, adjusted, titles)
    if proposal.errors:
        return
    proposal.findings += check_enclaves(before, adjusted, proposal.records, members, titles)
    change = Change(before, adjusted.pieces, proposal.records, members, titles)
    proposal.transfers = change.transfers
    known_m = measure_known(ground.boundaries["datapackage"]["quality"])
    told = list(change.check(known_m, accepted=accepted))
    proposal.findings += told
    proposal.records = [_note(record, told, CEDED) for record in proposal.records]
    boundaries = to_boundaries(ground.boundaries, adjusted)
    proposal.after = build_shapes(add_sources(ground.facts, records.values()), boundaries)
    stood = Standing(proposal.before, members, keep_latest(ground.records), titles, ground.beyond)
    stands = Standing(proposal.after, members, records, titles, ground.beyond)
    proposal.findings += check_kept(stood, stands, proposal.records)
    imported = {record.of for record in proposal.records}
    proposal.findings += check_neighbours(proposal.before, proposal.after, imported, members)


def _settle(proposal: Proposal, ground: Ground) -> list[ImportedBoundary]:
    """Return the records as they agree with those in force; one that had to give way says where."""
    polygons = settle(proposal.records, ground.adjusted.placed, ground.members)
    settled = []
    for record in proposal.records:
        polygon = polygons[record.of]
        if shapely.equals(polygon, record.polygon()):
            settled.append(record)
        elif crs.measure_area_km2(polygon) < LEAST_KM2:
            proposal.findings.append(find("nothing-left", record.file_name, record.of))
        else:
            agreed = record.model_copy(update={"geometry": _to_geometry(polygon)})
            settled.append(_note(agreed, proposal.findings, GIVES_WAY))
    return settled


def _note(record: ImportedBoundary, findings: Sequence[Finding], codes: Collection[str]) -> ImportedBoundary:
    """Return a record that says for ever what was found of it under some codes."""
    rows = [row for row in findings if row.feature_id == record.of and row.code in codes]
    fixes = (*record.fixes, *(row.remark for row in rows if row.remark))
    return record.model_copy(update={"fixes": fixes}) if rows else record
