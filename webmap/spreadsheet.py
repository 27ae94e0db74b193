"""Tables as CSV that spreadsheets open as they are: byte order mark, no cell taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from flask import Response

from layers.export.job import harmless

BOM = "\ufeff"  # without it spreadsheets take UTF-8 for the system's own encoding


def to_csv(rows: Iterable[Iterable[Any]]) -> str:
    """Return rows as CSV with a byte order mark; None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([harmless(value) for value in row])
    return BOM + out.getvalue()


def send_csv(text: str, name: str) -> Response:
    """Answer with a CSV file to be saved under `name`."""
    response = Response(text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
