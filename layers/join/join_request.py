"""What is asked of a join, and what is answered: plain values that pass from one process to another.

Standard library only, for the web process.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypedDict

from geodata.city import read_city
from layers.child_job import ReleaseRequest
from layers.export.job import FORMATS

SUMMARY: Final = "json"  # the answer without a file: what is said of the whole, and the first rows
FILES: Final = ("csv", "xlsx", "gpkg")
MEDIA_TYPES: Final = {name: FORMATS[name].media_type for name in FILES}
LAYER: Final = "joined"  # the name of the answer's layer, and of the file that it is saved as
OPTIONS: Final = ("crs", "lon", "lat", "table", "encoding", "product")
Cell = str | int | float | bool | None
MAX_OPTION: Final = 200  # characters


@dataclass(frozen=True)
class JoinRequest(ReleaseRequest):
    """A table to be joined to a release.

    Attributes
    ----------
    path, name, work
        The file, what it is called in messages, and a folder for what has to be written.
    format
        One of :data:`FILES`, or :data:`SUMMARY`.
    language
        Of the names in the answer.
    crs, lon, lat, table, encoding
        What the user says of the file; None for what is to be found out.
    product
        The column with product words.
    """

    path: str
    name: str
    work: str
    format: str = SUMMARY
    language: str = "zh"
    crs: str | None = None
    lon: str | None = None
    lat: str | None = None
    table: str | None = None
    encoding: str | None = None
    product: str | None = None


class PlaceCount(TypedDict):
    """How many rows lie in a place; without one, how many in none."""

    id: str | None
    name: dict[str, str] | None
    url: str | None
    count: int


@dataclass
class JoinSummary:
    """What is said of a whole table.

    Attributes
    ----------
    where, counties, zones, products
        How many rows are where, in which place, and how the plan answers for their products there.
    found_in
        The columns that hold the positions, east first; none where these are geometries.
    frame, frame_how, frame_certainty, frame_others
        See :class:`~layers.join.placing.JudgedFrame`.
    doubtful
        Rows of which the likeliest zone, or that there is none, is less than 90 % likely.
    notes
        What is to be said of the file, by language.
    titles
        The columns of the file.
    labels, columns, rows
        The first rows: what they are called in the file, and the answer.
    """

    file: str
    count: int
    placed: int
    where: dict[str, int]
    counties: list[PlaceCount]
    zones: list[PlaceCount]
    doubtful: int
    found_in: list[str]
    frame: str
    frame_how: str
    frame_certainty: float
    frame_others: list[tuple[str, float]]
    notes: list[dict[str, str]] = field(default_factory=list)
    products: dict[str, int] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)


@dataclass(eq=False)
class JoinRefusedError(Exception):
    """A table that cannot be joined.

    Attributes
    ----------
    code, field
        What is wrong, and the field of the form that may mend it.
    texts, fix
        What is wrong and what to do, by language; no `fix` where only another file helps.
    """

    code: str
    field: str
    texts: dict[str, str]
    fix: dict[str, str] | None = None


def pack_answer(head: Mapping[str, object], content: bytes) -> bytes:
    """Return an answer as one text: what is said on the first line, then the file."""
    return json.dumps(head, ensure_ascii=False).encode() + b"\n" + content


def unpack_answer(answer: bytes) -> tuple[JoinSummary, bytes]:
    """Return what :func:`pack_answer` packed.

    Raises :class:`JoinRefusedError` where the table was refused.
    """
    line, _, content = answer.partition(b"\n")
    head = json.loads(line)
    if "refused" in head:
        raise JoinRefusedError(**head["refused"])
    return JoinSummary(**head), content


def pick_text(texts: dict[str, str], language: str) -> str:
    """Return a text in a language, or in English where it is not in that one."""
    return texts.get(language) or texts["en"]


LANGUAGES: Final = read_city().languages
