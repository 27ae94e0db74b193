"""GeoPackage 1.3: layers with their indexes and tables by GDAL, then names of fields, metadata and styles.

Dated by the plan and the latest import and written in one order, so that the same data gives the same
bytes with the same version of GDAL.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import orjson

from layers.export.job import Job, Part, Value, columns_of
from layers.export.schema import describe_plan
from layers.export.styles import write_qml, write_sld
from layers.export.vector import dated, write_layer

PAGE_BYTES = 1024  # as each of some forty small tables and indexes takes at least one
_SCHEMA = Path(__file__).with_name("geopackage.sql")
_FRICTIONLESS = "https://specs.frictionlessdata.io/data-package/"
_LICENCES = "https://www.dublincore.org/specifications/dublin-core/dcmi-terms/#license"


def write_geopackage(job: Job) -> bytes:
    """Return the file of every part of the job."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layers.gpkg"
        for part in job.parts:
            _add_part(path, job, part)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")  # the file is read back and gone
            connection.executescript(_SCHEMA.read_text(encoding="utf-8"))
            connection.execute("BEGIN")
            for part in job.parts:
                connection.executemany(
                    "INSERT INTO gpkg_data_columns VALUES (?, ?, ?, ?, ?, NULL, NULL)",
                    list(_meanings(part)),
                )
            _add_styles(connection, job)
            _add_metadata(connection, job)
            connection.execute("COMMIT")
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("VACUUM")
        return path.read_bytes()


def _add_part(path: Path, job: Job, part: Part) -> None:
    description = part.info["description"]
    said = {
        "IDENTIFIER": _identify(job, part),
        "DESCRIPTION": f"{description['zh']}\n{description['en']}",
    }
    with dated(_stamp(job, part)):
        write_layer(
            path,
            part,
            job.spec,
            driver="GPKG",
            layer=part.id,
            append=path.exists(),
            dataset_options={"VERSION": "1.3", "ADD_GPKG_OGR_CONTENTS": "NO"},
            layer_options=said,
        )


def _identify(job: Job, part: Part) -> str:
    """Return the title of a part, with its id where others have the same: no two tables may."""
    titles = {one.id: f"{one.info['title']['zh']} · {one.info['title']['en']}" for one in job.parts}
    title = titles[part.id]
    return title if [*titles.values()].count(title) == 1 else f"{title} ({part.id})"


def _meanings(part: Part) -> Iterator[tuple[str, ...]]:
    """Yield each field's entry of the dictionary: short name, title and explanation.

    A short name may stand only once in a table; an operator may call a field as one of ours is called.
    """
    seen: set[str] = set()
    for column in columns_of(part):
        short = column.title("zh")
        name = f"{short} ({column.name})" if short in seen else short
        seen.add(short)
        title = f"{short} · {column.title('en')}"
        yield part.id, column.name, name, title, "\n".join(column.meaning.values())


def _add_styles(connection: sqlite3.Connection, job: Job) -> None:
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) VALUES (?, ?, ?, ?)",
        ("layer_styles", "attributes", "layer_styles", _stamp(job)),
    )
    for part in job.parts:
        if part.spatial:
            look = job.about.looks[part.id]
            row: tuple[Value, ...] = (
                *(None, "", "", part.id, "geom", part.id, write_qml(look, part), write_sld(look, part)),
                *(True, part.info["title"]["zh"], "", None, _stamp(job)),
            )
            connection.execute("INSERT INTO layer_styles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def _add_metadata(connection: sqlite3.Connection, job: Job) -> None:
    """Add the description of the file as a data package, and the terms of its data."""
    package = orjson.dumps(describe_plan(job.about, job.parts), option=orjson.OPT_INDENT_2).decode()
    texts = [(_FRICTIONLESS, "application/json", package), (_LICENCES, "text/markdown", job.about.licence)]
    for number, (standard, kind, text) in enumerate(texts, 1):
        connection.execute(
            "INSERT INTO gpkg_metadata VALUES (?, 'dataset', ?, ?, ?)", (number, standard, kind, text)
        )
        connection.execute(
            "INSERT INTO gpkg_metadata_reference VALUES ('geopackage', NULL, NULL, NULL, ?, ?, NULL)",
            (_stamp(job), number),
        )


def _stamp(job: Job, part: Part | None = None) -> str:
    """Return when the file, or one part of it, last changed: an import of boundaries changes no table."""
    date = job.about.modified if part is None or part.spatial else None
    return f"{date or job.about.date}T00:00:00.000Z"
