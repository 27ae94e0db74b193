"""Read the plan's facts, the known places and the base geometry from disk.

The only code that opens those files. A broken file never stops the others from being read: all
faults are collected as :class:`~geodata.problem.Problem` with file, line and field.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import yaml
from pydantic import ValidationError

from geodata import ground, model
from geodata.problem import Problem

ROOT = Path(__file__).parent
R = TypeVar("R", bound=model.Record)


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
    sources: dict[str, model.Source]
    towns: dict[str, ground.Town]
    gateways: dict[str, ground.Gateway]
    landmarks: dict[str, ground.Landmark]
    official_areas: tuple[ground.OfficialArea, ...]
    sites: tuple[ground.Site, ...]
    problems: tuple[Problem, ...] = field(default=())


def read_facts(folder: Path = ROOT) -> Facts:
    """Read ``plan/*.yaml`` and ``places/*.yaml`` below `folder`.

    Never raises on data: what cannot be read is left out and reported in ``Facts.problems``.
    """
    problems: list[Problem] = []

    def records(name: str, kind: type[R]) -> tuple[R, ...]:
        return tuple(_read_records(folder / name, kind, problems))

    def table(name: str, kind: type[R]) -> dict[str, R]:
        rows = records(name, kind)
        ids = [cast("_Named", row).id for row in rows]
        _report_duplicates(name, ids, problems)
        return dict(zip(ids, rows, strict=True))

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
        sources=table("plan/sources.yaml", model.Source),
        towns=table("places/towns.yaml", ground.Town),
        gateways=table("places/gateways.yaml", ground.Gateway),
        landmarks=table("places/landmarks.yaml", ground.Landmark),
        official_areas=records("places/official_areas.yaml", ground.OfficialArea),
        sites=records("places/sites.yaml", ground.Site),
        problems=tuple(problems),
    )


def read_boundaries(folder: Path = ROOT / "boundaries") -> dict[str, Any]:
    """Read the base geometry: GeoJSON feature collections by file stem, plus ``datapackage``."""
    names = [*sorted(folder.glob("*.geojson")), folder / "datapackage.json"]
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in names}


def _read_records(path: Path, kind: type[R], problems: list[Problem]) -> Iterator[R]:
    name = "/".join(path.parts[-2:])
    for node, value in _items(path, name, problems):
        try:
            yield kind.model_validate(value)
        except ValidationError as error:
            problems.extend(_to_problems(error, name, node, value))


def _items(path: Path, name: str, problems: list[Problem]) -> Iterator[tuple[yaml.Node, Any]]:
    """Yield each item of the YAML list in `path` with the node that knows its lines."""
    try:
        loader = yaml.CSafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
    except OSError as error:
        problems.append(_problem("unreadable", name, str(error), "文件无法读取", "file cannot be read"))
        return
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problems.append(_syntax_problem(name, error))
        return
    if not isinstance(root, yaml.SequenceNode):
        problems.append(_problem("not-a-list", name, "", "应为记录的列表", "must be a list of records"))
        return
    for node in root.value:
        for key in _repeated_keys(node):
            found = _problem("duplicate-key", name, key.value, "字段重复", "field is given twice")
            problems.append(replace(found, field=key.value, line=key.start_mark.line + 1))
        yield node, loader.construct_document(node)


def _problem(code: str, name: str, value: str, zh: str, en: str) -> Problem:
    return Problem(code=code, file=name, record="", field="", value=value, message_zh=zh, message_en=en)


def _syntax_problem(name: str, error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else None
    value = str(getattr(error, "problem", None) or error)
    return replace(_problem("syntax", name, value, "YAML 语法有误", "not valid YAML"), line=line)


def _to_problems(error: ValidationError, name: str, node: yaml.Node, value: Any) -> Iterator[Problem]:
    record = str(value.get("id", value.get("of", ""))) if isinstance(value, dict) else ""
    for fault in error.errors():
        place = list(fault["loc"])
        yield Problem(
            code=fault["type"],
            file=name,
            record=record,
            field=".".join(str(part) for part in place),
            value=repr(fault["input"])[:80],
            message_zh="字段不合规则",
            message_en=fault["msg"],
            line=_line_of(node, place),
        )


def _line_of(node: yaml.Node, place: list[str | int]) -> int:
    """Return the 1-based line of the deepest node that `place` leads to."""
    for part in place:
        below = _child(node, part)
        if below is None:
            break
        node = below
    return node.start_mark.line + 1


def _child(node: yaml.Node, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        below: yaml.Node = node.value[part]
        return below
    return None


def _repeated_keys(node: yaml.Node) -> Iterator[yaml.Node]:
    """Yield every mapping key that its mapping has twice: YAML would silently keep the last."""
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                yield key
            seen.add(key.value)
            yield from _repeated_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated_keys(item)


def _report_duplicates(name: str, keys: list[str], problems: list[Problem]) -> None:
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        found = _problem("duplicate-id", name, key, "编号重复", "id is used twice")
        problems.append(replace(found, record=key, field="id"))
