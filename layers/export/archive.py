"""Zip files and side files whose bytes depend on nothing but their content."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence

from layers.export.texts import BOM

_MODE = 0o100644 << 16  # a plain file, readable by all


def pack(files: Mapping[str, bytes], date: str) -> bytes:
    """Return a zip of `files`, sorted by name, all of them dated `date` (year-month-day)."""
    year, month, day = map(int, date.split("-"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for name, content in sorted(files.items()):
            member = zipfile.ZipInfo(name, (year, month, day, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = _MODE
            member.create_system = 3  # as on Unix, wherever it is made
            packed.writestr(member, content)
    return out.getvalue()


def to_csv_bytes(lines: Iterable[Sequence[str]]) -> bytes:
    """Return lines as CSV with a byte order mark."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(lines)
    return (BOM + out.getvalue()).encode()
