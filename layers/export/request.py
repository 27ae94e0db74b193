"""What is asked of an export, and how the release that it is made of is read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from layers.child_job import ReleaseRequest
from layers.document_types import LayerEntry
from layers.export.formats import PLAN
from layers.export.job import (
    DESIGNATIONS,
    Choice,
    ExportSpec,
    Job,
    Part,
    read_about,
    read_part,
    select_parts,
    to_job,
)
from layers.query import queryables, read_stored_rows
from layers.store import Release


@dataclass(frozen=True)
class ExportRequest(ReleaseRequest):
    """A file of a release.

    Attributes
    ----------
    spec, choice
        The file, and what of the data goes into it.
    filter, filter_lang
        A CQL2 filter of the layer or table that the file is named after, and what it is written in.
    """

    spec: ExportSpec
    choice: Choice = field(default_factory=Choice)
    filter: str | None = None
    filter_lang: str = "cql2-text"

    @classmethod
    def from_line(cls, line: bytes) -> ExportRequest:
        """Return the request that :meth:`to_line` wrote.

        >>> spec, choice = ExportSpec("zones", "csv", "CRS84"), Choice(("zones",), frozenset({"a"}))
        >>> asked = ExportRequest("x", "0", spec, choice)
        >>> ExportRequest.from_line(asked.to_line()) == asked
        True
        """
        raw = json.loads(line)
        layers, industries = raw["choice"]["layers"], raw["choice"]["industries"]
        choice = Choice(
            layers=None if layers is None else tuple(layers),
            industries=None if industries is None else frozenset(industries),
            place=raw["choice"]["place"],
        )
        return cls(**raw | {"spec": ExportSpec(**raw["spec"]), "choice": choice})


def build_job(asked: ExportRequest) -> Job:
    """Return everything that the file is made from.

    Raises :class:`~layers.cql.tree.FilterError` for a filter that cannot be answered, and
    :class:`~layers.store.BrokenReleaseError` where the release is gone.
    """
    release, name = asked.release, asked.spec.name
    everything = name == PLAN or asked.choice.place is not None
    parts = [
        _read_part(release, info, asked)
        for info in release.read_json("pages/catalogue.json")
        if everything or info["id"] in {name, DESIGNATIONS}
    ]
    return to_job(asked.spec, select_parts(parts, asked.choice), read_about(release))


def _read_part(release: Release, info: LayerEntry, asked: ExportRequest) -> Part:
    """Return a layer or table, of the one that the file is named after the rows that make the filter true."""
    if not asked.filter or info["id"] != asked.spec.name:
        return read_part(release, info)
    # A store needs shapely, and most files are not filtered.
    from layers.cql.parse import parse_filter
    from layers.memory import MemoryTable
    from layers.query import Query

    condition = parse_filter(asked.filter, asked.filter_lang, queryables(info))
    rows = list(read_stored_rows(release, info))
    found = {feature.id for feature in MemoryTable(info, rows).select(Query(filter=condition)).features}
    whole = read_part(release, info)
    return Part(info, [kept for kept, row in zip(whole.rows, rows, strict=True) if row.id in found])
