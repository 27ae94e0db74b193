"""Read the plan's facts, the known places and the base geometry from disk.

A broken file never stops the others from being read: all faults are collected as
:class:`~geodata.messages.Problem` with file, line and field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar, cast

from pydantic import ValidationError

from geodata import model
from geodata.boundaries import Boundaries
from geodata.city import find_city
from geodata.messages import Place, Problem, problem
from geodata.rows import Row, find_faults, line_of, read_rows

ROOT = find_city()
R = TypeVar("R", bound=model.Record)
Lines = dict[tuple[str, str | int], dict[str, int]]
"""By file and id, or place in the list: the line of each field, by dotted name."""


class _Named(Protocol):
    """A record with an id of its own."""

    @property
    def id(self) -> str: ...


@dataclass(frozen=True)
class Facts:
    """Everything we hold to be true, by id; ``problems`` lists what could not be read."""

    plans: dict[str, model.Plan]
    clauses: dict[str, model.Clause]
    agencies: dict[str, model.Agency]
    indicators: dict[str, model.Indicator]
    zones: dict[str, model.Zone]
    industries: dict[str, model.Industry]
    designations: tuple[model.Designation, ...]
    clusters: dict[str, model.Cluster]
    chains: dict[str, model.Chain]
    areas: dict[str, model.Area]
    platforms: dict[str, model.Platform]
    ties: tuple[model.Tie, ...]
    vocabulary: tuple[model.Word, ...]
    thesaurus: tuple[model.Synonym, ...]
    search: tuple[model.SearchWords, ...]
    sources: dict[str, model.Source]
    towns: dict[str, model.Town]
    boxes: tuple[model.TownBox, ...]
    gateways: dict[str, model.Gateway]
    landmarks: dict[str, model.Landmark]
    official_areas: tuple[model.OfficialArea, ...]
    sites: tuple[model.Site, ...]
    problems: tuple[Problem, ...] = field(default=())
    lines: Lines = field(default_factory=dict)

    def line(self, place: Problem) -> int | None:
        """Return the line of the field that a finding is about, where its record was read from a file."""
        found = self.lines.get((place.file, place.record if place.row is None else place.row), {})
        return line_of(found, place.field) or None


def read_facts(folder: Path = ROOT) -> Facts:
    """Read ``plan/*.yaml``, ``places/*.yaml`` and ``search.yaml`` below `folder`.

    Never raises on data: what cannot be read is left out and reported in ``Facts.problems``.
    """
    problems: list[Problem] = []
    lines: Lines = {}

    def records(file: str, kind: type[R]) -> tuple[R, ...]:
        found = list(_read_records(folder / file, file, kind, problems))
        lines.update({(file, place): row.lines for place, (row, _) in enumerate(found)})
        return tuple(record for _, record in found)

    def table(file: str, kind: type[R]) -> dict[str, R]:
        by_id: dict[str, R] = {}
        for row, record in _read_records(folder / file, file, kind, problems):
            name = cast("_Named", record).id
            if name in by_id:
                problems.append(_repeated_id(file, name, row, lines))
            else:
                by_id[name] = record
                lines[file, name] = row.lines
        return by_id

    return Facts(
        plans=table("plan/plan.yaml", model.Plan),
        clauses=table("plan/clauses.yaml", model.Clause),
        agencies=table("plan/agencies.yaml", model.Agency),
        indicators=table("plan/indicators.yaml", model.Indicator),
        zones=table("plan/zones.yaml", model.Zone),
        industries=table("plan/industries.yaml", model.Industry),
        designations=records("plan/designations.yaml", model.Designation),
        clusters=table("plan/clusters.yaml", model.Cluster),
        chains=table("plan/chains.yaml", model.Chain),
        areas=table("plan/areas.yaml", model.Area),
        platforms=table("plan/platforms.yaml", model.Platform),
        ties=records("plan/ties.yaml", model.Tie),
        vocabulary=records("plan/vocabulary.yaml", model.Word),
        thesaurus=records("plan/thesaurus.yaml", model.Synonym),
        search=records("search.yaml", model.SearchWords),
        sources=table("plan/sources.yaml", model.Source),
        towns=table("places/towns.yaml", model.Town),
        boxes=records("places/boxes.yaml", model.TownBox),
        gateways=table("places/gateways.yaml", model.Gateway),
        landmarks=table("places/landmarks.yaml", model.Landmark),
        official_areas=records("places/official_areas.yaml", model.OfficialArea),
        sites=records("places/sites.yaml", model.Site),
        problems=tuple(problems),
        lines=lines,
    )


def read_plan(folder: Path = ROOT) -> model.Plan:
    """Read the document that the facts come from, alone.

    Raises ValueError where it cannot be read.
    """
    problems: list[Problem] = []
    found = [
        plan for _, plan in _read_records(folder / "plan/plan.yaml", "plan/plan.yaml", model.Plan, problems)
    ]
    if len(found) != 1 or problems:
        raise ValueError("\n".join(map(str, problems)) or "plan/plan.yaml: must hold one plan")
    return found[0]


def read_boundaries(folder: Path = ROOT / "boundaries") -> Boundaries:
    """Read the base geometry: GeoJSON feature collections by file stem, plus ``datapackage``.

    Raises OSError for a file that is missing and ValueError, naming it, for one that is not JSON.
    """
    names = [*sorted(folder.glob("*.geojson")), folder / "datapackage.json"]
    return cast("Boundaries", {path.stem: _read_json(path) for path in names})


def _read_json(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.parent.name}/{path.name}: {error}") from error


def _read_records(path: Path, file: str, kind: type[R], problems: list[Problem]) -> Iterator[tuple[Row, R]]:
    for row in read_rows(path, file, problems):
        try:
            yield row, kind.model_validate(row.value)
        except ValidationError as error:
            problems.extend(find_faults(error, kind, file, row))


def _repeated_id(file: str, name: str, row: Row, lines: Lines) -> Problem:
    other = f"{file}:{line_of(lines[file, name], 'id')}"
    return problem("duplicate-id", Place(file, name, "id", row.line("id")), name, other=other)
