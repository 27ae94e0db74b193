"""What the site answers from where no service runs: tables for search, look-up, siting and comparison.

Each becomes a script that hands its content to the page that loads it, see ``webmap/static/js/site.js``:
a page that is read from a disk may load scripts, but fetch nothing.
"""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterator

import numpy as np
import orjson
import shapely
from flask import Flask
from shapely.geometry.base import BaseGeometry

from geodata import crs
from layers.lookup import EDGES, GROUND, ORDER, SHARING, BlockEntry, read_block
from layers.search.finder import FoundRow, Search
from layers.search.offline import OfflineTables, build_offline_tables
from layers.store import Release
from webmap.assets import hand_over
from webmap.content import Content
from webmap.file_addresses import PANEL, NeedsServerError, locate
from webmap.i18n import LANGUAGES, translate
from webmap.views.comparison import tabulate_comparison
from webmap.views.questions import SAYINGS, SHOWN_FRAMES, describe_in_every_way, describe_offline
from webmap.views.siting import tabulate_siting

Row = dict[str, object]
CLOSE_ZOOM = 12.5  # the zoom that a place without a page is shown at
EDGE_KEYS = {"of", "accuracy_m", "coast"}  # of what is said of a stretch of edge
STEPS = 1e7  # whole steps in a degree that positions are written in: a centimetre


def build_answer_tables(app: Flask) -> Iterator[tuple[str, bytes]]:
    """Yield the name of every table and its content as JSON."""
    content: Content = app.extensions["content"]
    for name, answers in build_answers(app).items():
        yield name, orjson.dumps(answers)
    yield "lookup", orjson.dumps(tabulate_lookup(content.release))
    yield "compare", orjson.dumps(tabulate_comparison(content))
    yield "find", orjson.dumps(tabulate_siting(content))


def to_handing_script(literal: bytes) -> bytes:
    """Return JSON as the script that hands it over; every JSON text is a value of the language."""
    return hand_over(literal.decode()).encode()


def to_packed_script(literal: bytes) -> bytes:
    """Return JSON as a script that hands it over packed, which takes a third of the room and no server."""
    packed = base64.b64encode(gzip.compress(literal, 9, mtime=0)).decode()
    return f'document.currentScript.unpack("{packed}");\n'.encode()


def to_literal(path: str, content: bytes) -> bytes:
    """Return a file that scripts load as JSON: a page's fragment as a text."""
    return orjson.dumps(content.decode()) if path.endswith(PANEL) else content


def tabulate_lookup(release: Release) -> Row:
    """Return what a look-up answers from, for ``static/js/offline-lookup.js``, with the frames it knows."""
    around = list(read_block(release.read("index/around.bin")))
    ground = {entry.head["id"]: entry.geometry for entry in around if entry.head["layer"] == GROUND}
    edges = [entry for entry in around if entry.head["layer"] == EDGES]
    return {
        "order": ORDER,
        "sharing": SHARING,
        "errors": edges[0].head["errors"] if edges else [(0.0, 0.0), (1.0, 1.0)],
        "places": [_pack(entry, dict(entry.head)) for entry in read_block(release.read("index/lookup.bin"))],
        "edges": [
            _pack(one, {key: value for key, value in one.head.items() if key in EDGE_KEYS}) for one in edges
        ],
        **{name: _pack_rings(geometry) for name, geometry in ground.items()},
        "gateways": [
            {"head": entry.head, "at": entry.geometry.coords[0]}
            for entry in around
            if entry.head["layer"] == "gateways"
        ],
        "frames": {"degrees": crs.DEGREES, "projected": _tabulate_frames()},
        "shown": SHOWN_FRAMES,
    }


def _pack(entry: BlockEntry, head: Row) -> Row:
    return {"head": head, "rings": _pack_rings(entry.geometry)}


def _pack_rings(geometry: BaseGeometry) -> list[list[int]]:
    """Return the rings of polygons, or the lines, as whole steps east and north, each from the one before."""
    parts = shapely.get_parts(geometry)
    lines = shapely.get_rings(parts) if geometry.geom_type.endswith("Polygon") else parts
    return [
        np.diff(np.rint(shapely.get_coordinates(line) * STEPS).astype(int), axis=0, prepend=0)
        .ravel()
        .tolist()
        for line in lines
    ]


def _tabulate_frames() -> list[Row]:
    """Return the parameters of the transverse Mercator systems that are in use here."""
    found = ((frame, crs.read_transverse_mercator(frame)) for frame in crs.PROJECTED)
    return [
        {"name": frame, "north_first": crs.is_north_first(frame)} | parameters
        for frame, parameters in found
        if parameters
    ]


def build_answers(app: Flask) -> dict[str, Row]:
    """Return what the search answers from, as ``webmap/static/js/offline-search.js`` reads it.

    What is alike in every language stands under ``search``, and what each says besides under its own name.
    """
    content: Content = app.extensions["content"]
    tables = build_offline_tables(content.search, content.release.read_json("index/search.json"))
    with app.app_context():
        entries = [_speak_entries(content.search, tables, language) for language in LANGUAGES]
        told = [_speak_told(content.search, tables, language) for language in LANGUAGES]
        says = [{key: translate(f"finding.{key}", language) for key in SAYINGS} for language in LANGUAGES]
        commas = [translate("common.comma", language) for language in LANGUAGES]
    (shared_entries, own_entries), (shared_told, own_told) = share_rows(entries), share_rows(told)
    spoken: dict[str, Row] = {
        language: {
            "entries": own_entries[at],
            "told": own_told[at],
            "says": {**says[at], "comma": commas[at]},
        }
        for at, language in enumerate(LANGUAGES)
    }
    return {"search": {**tables, "entries": shared_entries, "told": shared_told}, **spoken}


def _speak_entries(search: Search, tables: OfflineTables, language: str) -> list[Row]:
    """Return every entry with its names and words in `language`."""
    entries: list[Row] = []
    for entry, weight in zip(search.entries, tables["entries"], strict=True):
        row = search.head(entry, language)
        describe_in_every_way(row, language)
        entries.append({**row, **weight, "url": _address_of(row, language)})
    return entries


def _speak_told(search: Search, tables: OfflineTables, language: str) -> list[Row]:
    """Return every answer with the sentence that tells it in `language`."""
    return [
        {**describe_offline(search.describe(answer, language), language, _is_file), **more}
        for answer, more in tables["told"]
    ]


def share_rows(tables: list[list[Row]]) -> tuple[list[Row], list[list[Row]]]:
    """Return what the rows of all tables have alike, and what those of each have besides.

    >>> share_rows([[{"id": "sea", "name": "海"}], [{"id": "sea", "name": "sea"}]])
    ([{'id': 'sea'}], [[{'name': '海'}], [{'name': 'sea'}]])
    """
    shared: list[Row] = []
    own: list[list[Row]] = [[] for _ in tables]
    for rows in zip(*tables, strict=True):
        first, *others = rows
        alike = {
            key: value
            for key, value in first.items()
            if all(key in other and other[key] == value for other in others)
        }
        shared.append(alike)
        for left, row in zip(own, rows, strict=True):
            left.append({key: value for key, value in row.items() if key not in alike})
    return shared, own


def _is_file(url: str, language: str) -> bool:
    """Return whether a page needs no service."""
    try:
        locate(url, language)
    except NeedsServerError:
        return False
    return True


def _address_of(row: FoundRow, language: str) -> str:
    """Return the address of an entry; what only a service answers for is shown on the map."""
    url = row["url"]
    try:
        locate(url, language)
    except NeedsServerError:
        lon, lat = row["at"]
        return f"/#{CLOSE_ZOOM}/{lat}/{lon}"
    return url
