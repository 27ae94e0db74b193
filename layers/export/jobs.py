"""Put a job together: which layers and tables go into a file. Standard library only, for the web process."""

from __future__ import annotations

from collections.abc import Sequence

from layers.export.flat import values_of
from layers.export.formats import PLAN
from layers.export.job import About, Job, Part, Wish

DESIGNATIONS = "designations"
_WITH_TABLE = ("gpkg", "shp.zip", "xlsx")  # formats that hold the table a layer's designations come from


def release_path(name: str, file_format: str) -> str:
    """Return where a release keeps the usual file of a layer, a table or the plan."""
    folder = "data" if file_format in {"geojson", "json"} and name != PLAN else "files"
    return f"{folder}/{name}.{file_format}"


def to_job(wish: Wish, parts: Sequence[Part], about: About) -> Job:
    """Return the job of one file from all `parts`; raises KeyError for an unknown layer or table.

    A layer's file has the designations of its places beside it where the format can hold a table.
    """
    if wish.name == PLAN:
        return Job(wish, tuple(parts), about)
    known = {part.id: part for part in parts}
    part = known[wish.name]
    table = known.get(DESIGNATIONS)
    if wish.format not in _WITH_TABLE or table is None or not part.spatial:
        return Job(wish, (part,), about)
    places = {row["id"] for row in part.rows}
    own = [row for row in table.rows if row["zone_id"] in places]
    designated = any("industries" in values_of(row, part) for row in part.rows)
    return Job(wish, (part, Part(table.info, own)) if designated else (part,), about)
