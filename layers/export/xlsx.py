"""XLSX: a sheet for each layer or table, and one that says what the file is."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from layers.export.job import Job, Part, Value, columns_of
from layers.export.texts import to_lines

MAX_CELL = 32_767  # characters
WIDTHS = (8, 42)  # characters that a column is at least and at most wide


def write_xlsx(job: Job) -> bytes:
    """Return the workbook; its date is the plan's."""
    out = io.BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(out, {"in_memory": True, **plain})
    book.set_properties(
        {
            "title": f"{job.about.plan['title']['zh']} · {job.spec.name}",
            "comments": f"{job.about.plan['number']} {job.about.date}",
            "created": datetime.fromisoformat(job.about.date).replace(tzinfo=UTC),
        }
    )
    looks = {
        "head": book.add_format({"bold": True, "bottom": 1}),
        "wrap": book.add_format({"text_wrap": True}),
    }
    for part in job.parts:
        _add_part(book.add_worksheet(part.id), job, part, looks["head"])
    _add_about(book.add_worksheet("about"), job, looks)
    book.close()
    return out.getvalue()


def _add_part(sheet: Worksheet, job: Job, part: Part, head: Format) -> None:
    lines = [_fitting(line, job) for line in to_lines(job, part)]
    for number, line in enumerate(lines):
        for column, value in enumerate(line):
            _write(sheet, (number, column), value, head if number == 0 else None)
    for column, cells in enumerate(zip(*lines, strict=True)):
        longest = max(len(str(value or "")) for value in cells)
        sheet.set_column(column, column, min(max(longest + 2, WIDTHS[0]), WIDTHS[1]))
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, len(lines) - 1, len(lines[0]) - 1)


def _fitting(line: list[Value], job: Job) -> list[Value]:
    """Say so where a cell cannot hold a geometry: a cut one would be another place."""
    if job.spec.geometry != "wkt":
        return line
    too_long = isinstance(line[-1], str) and len(line[-1]) > MAX_CELL
    return [*line[:-1], str(job.about.words["too_long"]["zh"])] if too_long else line


def _write(sheet: Worksheet, at: tuple[int, int], value: Value, look: Format | None) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(*at, value, look)
    elif isinstance(value, int | float):
        sheet.write_number(*at, value, look)
    else:
        sheet.write_string(*at, value, look)  # a text for good, whatever it begins with


def _add_about(sheet: Worksheet, job: Job, looks: dict[str, Format]) -> None:
    """Say what the file is of, what its columns mean and under which terms it may be used."""
    plan = job.about.plan
    rows: list[list[str]] = [[plan["title"]["zh"], plan["title"]["en"]], [plan["number"], plan["date"]]]
    rows += [[job.spec.code, ""], []]
    for part in job.parts:
        rows.append([part.info["title"]["zh"], part.info["title"]["en"], part.id])
        rows += [[column.meaning["zh"], column.meaning["en"], column.name] for column in columns_of(part)]
        rows.append([])
    rows += [[line] for line in job.about.licence.splitlines()]
    for number, row in enumerate(rows):
        for column, text in enumerate(row):
            sheet.write_string(number, column, text, looks["wrap"] if len(row) > 1 else None)
    sheet.set_column(0, 1, 60)
    sheet.set_column(2, 2, 26)
