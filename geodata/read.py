"""Read the plan's facts, the known places and the base geometry from disk.

A YAML list is read item by item, the line of every field known; this is the facts' only YAML parser. Nothing
in a file can raise or exhaust the machine, and a broken file never stops the others from being read: all
faults are collected as :class:`~geodata.messages.Problem` with file, line and field, and the items that are
sound are still returned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ValidationError
from yaml.constructor import SafeConstructor

from geodata import model
from geodata.boundaries import Boundaries
from geodata.city import find_city
from geodata.messages import Place, Problem, problem
from geodata.model import Record

_ABOUT_FIELD = {"extra_forbidden", "invalid_key"}  # what is allowed are the names around the field


def find_faults(error: ValidationError, kind: type[Record], file: str, row: Row) -> Iterator[Problem]:
    """Yield a problem with file, line and field for everything that `error` finds wrong with `row`."""
    for fault in error.errors(include_url=False, include_input=False):
        code, path = fault["type"], fault["loc"]
        field = ".".join(map(str, path))
        where = Place(file, row.label, field, row.line(field))
        allowed = allowed_fields(kind, path[:-1] if code in _ABOUT_FIELD else path)
        context = {name: _shown(value) for name, value in fault.get("ctx", {}).items()}
        values: dict[str, Any] = {"allowed": ", ".join(allowed)} | context
        try:
            yield problem(code, where, row.texts.get(field, ""), **values)
        except KeyError:  # a rule that has no wording of its own
            found = problem("invalid", where, row.texts.get(field, ""), reason=fault["msg"])
            yield replace(found, code=code)


def allowed_fields(kind: type[BaseModel], path: tuple[int | str, ...]) -> tuple[str, ...]:
    """Return the names of the fields that the record at `path` inside a record of `kind` may have.

    >>> from geodata.model import Town
    >>> allowed_fields(Town, ("name",))
    ('zh', 'en', 'ko')
    """
    inner: type[BaseModel] | None = kind
    for part in path:
        if isinstance(part, str) and inner is not None:
            field = inner.model_fields.get(part)
            inner = _record_in(field.annotation) if field else None
    return tuple(inner.model_fields) if inner else ()


def _record_in(annotation: object) -> type[BaseModel] | None:
    """Return the kind of record in an annotation such as ``tuple[Term, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_record_in, get_args(annotation))), None)


def _shown(value: object) -> object:
    """Return `value` as readers of any language can take it: pydantic joins words with "or"."""
    return value.replace(" or ", ", ") if isinstance(value, str) else value


MAX_BYTES = 2_000_000  # of a file; the largest has 60 kB
MAX_DEPTH = 20  # deeper nesting overflows the C stack of the parser before it can be reported
MAX_NODES = 5_000  # of an item with its aliases written out; the largest has 300
MAX_FILE_NODES = 200_000  # of all items of a file
SHOWN = 80  # characters of a value in a finding
_MERGE = "tag:yaml.org,2002:merge"
_UNREADABLE_VALUE = (yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError)
_OPENING = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
_CLOSING = (yaml.SequenceEndEvent, yaml.MappingEndEvent)


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a file: its plain data and, by dotted field, the 1-based line and the text as written."""

    value: object
    lines: dict[str, int]
    texts: dict[str, str]

    @property
    def label(self) -> str:
        """What a reader knows the item by, even if it is no sound record."""
        return _label(self.texts)

    def line(self, field: str) -> int:
        """Return the line of `field`, or of the nearest field around it that is there."""
        return line_of(self.lines, field)


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One node of an item, with the dotted field that leads to it and the line where that begins."""

    field: str
    line: int
    depth: int
    node: yaml.Node


class _FaultError(Exception):
    """An item, or a whole file, cannot be read: the problem without its file and record."""

    def __init__(self, code: str, value: object = "", *, line: int | None = None, field: str = "") -> None:
        super().__init__(code)
        self.code, self.value, self.line, self.field = code, value, line, field

    def to_problem(self, file: str, record: str = "", *, line: int | None = None) -> Problem:
        where = Place(file, record, self.field, self.line or line)
        return problem(self.code, where, str(self.value)[:SHOWN])


def line_of(lines: dict[str, int], field: str) -> int:
    """Return the line of the deepest part of the dotted `field` that `lines` has; 0 where it has none."""
    while field and field not in lines:
        field = field.rpartition(".")[0]
    return lines.get(field, 0)


def read_rows(path: Path, file: str, problems: list[Problem], *, sole: bool = False) -> Iterator[Row]:
    """Yield each readable item of the YAML list in `path`; add what is wrong to `problems` as `file`.

    With `sole` the file is one item itself.
    """
    total = 0
    for node in _read_items(path, file, problems, sole=sole):
        leaves = list(islice(_walk(node), MAX_NODES + 1))
        total += len(leaves)
        line = node.start_mark.line + 1
        if total > MAX_FILE_NODES:
            problems.append(_FaultError("too-many-values", MAX_FILE_NODES).to_problem(file, line=line))
            return
        texts = {leaf.field: _text(leaf.node) for leaf in leaves}
        try:
            _check_shape(leaves)
            problems.extend(_repeated_fields(file, leaves, _label(texts)))
            value = _construct(leaves)
        except _FaultError as fault:
            problems.append(fault.to_problem(file, _label(texts), line=line))
        else:
            yield Row(value, {leaf.field: leaf.line for leaf in reversed(leaves)}, texts)


def _read_items(path: Path, file: str, problems: list[Problem], *, sole: bool) -> list[yaml.Node]:
    try:
        root = _compose(_read_text(path))
        return _sole_item(root) if sole else _items_of(root)
    except _FaultError as fault:
        problems.append(fault.to_problem(file))
        return []


def _items_of(root: yaml.Node | None) -> list[yaml.Node]:
    if not isinstance(root, yaml.SequenceNode):
        raise _FaultError("not-a-list", line=root.start_mark.line + 1 if root else 1)
    items: list[yaml.Node] = root.value
    return items


def _sole_item(root: yaml.Node | None) -> list[yaml.Node]:
    if not isinstance(root, yaml.MappingNode):
        raise _FaultError("not-a-mapping", line=root.start_mark.line + 1 if root else 1)
    return [root]


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _FaultError("unreadable", error.strerror or error) from error
    if len(content) > MAX_BYTES:
        raise _FaultError("too-large", MAX_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _FaultError("not-utf-8", f"0x{content[error.start]:02x}", line=line) from error


def _compose(text: str) -> yaml.Node | None:
    try:
        _check_depth(text)
        loader = yaml.CSafeLoader(text)
        root: yaml.Node | None = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise _FaultError("syntax", error.reason, line=line) from error
    except yaml.MarkedYAMLError as error:
        raise _FaultError("syntax", error.problem, line=_line(error.problem_mark)) from error
    return root


def _check_depth(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        depth += isinstance(event, _OPENING) - isinstance(event, _CLOSING)
        if depth > MAX_DEPTH:
            raise _FaultError("too-deep", MAX_DEPTH, line=_line(event.start_mark))


def _walk(node: yaml.Node, field: str = "", line: int | None = None, depth: int = 1) -> Iterator[_Leaf]:
    """Yield `node` and all below it, aliases written out; one that holds itself ends at `MAX_DEPTH`."""
    yield _Leaf(field, line or node.start_mark.line + 1, depth, node)
    if depth > MAX_DEPTH:
        return
    for part, start, below in _children(node):
        yield from _walk(below, f"{field}.{part}" if field else part, start, depth + 1)


def _children(node: yaml.Node) -> Iterator[tuple[str, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield _text(key), key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield str(index), item.start_mark.line + 1, item


def _line(mark: yaml.Mark | yaml._yaml.Mark | None) -> int | None:
    """Return the 1-based line of a parser's mark, of which there are two kinds."""
    return mark.line + 1 if mark else None


def _text(node: yaml.Node) -> str:
    return node.value[:SHOWN] if isinstance(node, yaml.ScalarNode) else ""


def _label(texts: dict[str, str]) -> str:
    return next(
        (texts[field] for field in ("id", "of", "zone", "subject", "zh", "zh.0") if texts.get(field)), ""
    )


def _repeated_fields(file: str, leaves: list[_Leaf], record: str) -> Iterator[Problem]:
    """Yield every field that its mapping has twice: YAML would silently keep the last."""
    seen: set[str] = set()
    for leaf in leaves:
        if leaf.field in seen:
            name = leaf.field.rpartition(".")[2]
            yield problem("duplicate-key", Place(file, record, leaf.field, leaf.line), name)
        seen.add(leaf.field)


def _check_shape(leaves: list[_Leaf]) -> None:
    """Raise the fault of an item that is too big, too deep or has a field with no plain name."""
    if len(leaves) > MAX_NODES:
        raise _FaultError("too-many-values", MAX_NODES)
    for leaf in leaves:
        if leaf.depth > MAX_DEPTH:
            raise _FaultError("too-deep", MAX_DEPTH, line=leaf.line, field=leaf.field)
        if isinstance(leaf.node, yaml.MappingNode):
            _check_keys(leaf)


def _check_keys(leaf: _Leaf) -> None:
    for key, value in leaf.node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise _FaultError("not-a-name", line=line, field=leaf.field)
        if key.tag == _MERGE and isinstance(value, yaml.ScalarNode):
            field = f"{leaf.field}.{key.value}".lstrip(".")
            raise _FaultError("not-a-value", value.value, line=line, field=field)


def _construct(leaves: list[_Leaf]) -> object:
    """Return the plain data of an item; raises the fault of the deepest of its `leaves` that has none."""
    try:
        return _to_data(leaves[0].node)
    except _UNREADABLE_VALUE as error:
        raise _find_fault(leaves, error) from error


def _to_data(node: yaml.Node) -> object:
    # A constructor of its own, as one that failed keeps half-made values.
    return SafeConstructor().construct_document(node)


def _find_fault(leaves: list[_Leaf], error: Exception) -> _FaultError:
    for leaf in reversed(leaves):  # what is inside comes after what is around it
        try:
            _to_data(leaf.node)
        except yaml.MarkedYAMLError as found:
            line = _line(found.problem_mark) or leaf.line
            return _FaultError("not-a-value", found.problem, line=line, field=leaf.field)
        except _UNREADABLE_VALUE:
            return _FaultError("not-a-value", _text(leaf.node), line=leaf.line, field=leaf.field)
    return _FaultError("not-a-value", error)


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


def read_plan() -> model.Plan:
    """Read the document that the facts come from, alone.

    Raises ValueError where it cannot be read.
    """
    problems: list[Problem] = []
    found = [
        plan for _, plan in _read_records(ROOT / "plan/plan.yaml", "plan/plan.yaml", model.Plan, problems)
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
