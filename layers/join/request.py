"""What is asked of a join, and what is answered: plain values that pass from one process to another.

Standard library only, for the web process.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from geodata.city import read_city
from layers.export.formats import FORMATS
from layers.store import Release

SUMMARY: Final = "json"  # the answer without a file: what is said of the whole, and the first rows
FILES: Final = ("csv", "xlsx", "gpkg")
MEDIA_TYPES: Final = {name: FORMATS[name].media_type for name in FILES}
LAYER: Final = "joined"  # the name of the answer's layer, and of the file that it is saved as
OPTIONS: Final = ("crs", "lon", "lat", "table", "encoding", "product")
MAX_OPTION: Final = 200  # characters


@dataclass(frozen=True)
class JoinRequest:
    """A table to be joined to a release.

    Attributes
    ----------
    folder, manifest_sha256
        The release.
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

    folder: str
    manifest_sha256: str
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

    @property
    def release(self) -> Release:
        """The release that the table is joined to."""
        return Release(Path(self.folder), self.manifest_sha256)

    def to_line(self) -> bytes:
        """Return the request as one line of JSON."""
        return json.dumps(asdict(self)).encode()


def parse_join_request(line: bytes) -> JoinRequest:
    """Return the request that :meth:`JoinRequest.to_line` wrote.

    >>> asked = JoinRequest("x", "0", "a.csv", "a.csv", "work", format="csv", lon="经度")
    >>> parse_join_request(asked.to_line()) == asked
    True
    """
    return JoinRequest(**json.loads(line))


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


def pack_answer(head: dict[str, Any], content: bytes) -> bytes:
    """Return an answer as one text: what is said on the first line, then the file."""
    return json.dumps(head, ensure_ascii=False).encode() + b"\n" + content


def unpack_answer(answer: bytes) -> tuple[dict[str, Any], bytes]:
    """Return what :func:`pack_answer` packed.

    Raises :class:`JoinRefusedError` where the table was refused.
    """
    line, _, content = answer.partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    if "refused" in head:
        raise JoinRefusedError(**head["refused"])
    return head, content


def pick_text(texts: dict[str, str], language: str) -> str:
    """Return a text in a language, or in English where it is not in that one."""
    return texts.get(language) or texts["en"]


LANGUAGES: Final = read_city().languages
