"""Write ``docs/reference/`` and the picture of the architecture from the code itself.

``python -m scripts.reference [--home FOLDER]`` is run by hand whenever a test says that a file there is
not what this makes. It takes a built release and the packages of the tests.
"""

from __future__ import annotations

import inspect
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

import click
from flask.testing import FlaskClient

import layers
from geodata import kinds
from geodata.kinds import PLACE_LAYERS
from layers.catalogue import read_layers
from layers.home import find_home, write_atomically
from layers.store import Release, read_current
from scripts.cli import COMMANDS, PROGRAM
from scripts.commands.common import CommandContext
from webmap.app import create_app
from webmap.ogc.resources import CONFORMS
from webmap.settings import SETTINGS, Settings

DOCS: Final = Path(__file__).parent.parent / "docs"
MOST_MEMBERS: Final = 40  # more names than that are ids
DEPTH: Final = 3  # members of members that are shown
NOTE: Final = "<!-- Written by `python -m scripts.reference`; change the code, not this file. -->\n\n"
# Documents with the collection whose ids take the place of the braces.
DOCUMENTS: Final = {
    "/zones/{}.json": PLACE_LAYERS,
    "/places/{}.json": ("platforms", "gateways"),
    "/industries/{}.json": ("industries",),
    "/clusters/{}.json": ("clusters",),
    "/agencies/{}.json": ("agencies",),
    "/plan/{}.json": ("clauses",),
    "/search.json?q={}": ("industries",),
    "/find.json?industry={}": ("industries",),
    "/compare.json?zones={}": ("zones",),
}
LANGUAGES: Final = {*kinds.LANGUAGES}
JSON_TYPES: Final = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
}
SPEC: Final = "http://www.opengis.net/spec/"

# The picture: boxes in rows, the product's end at the top.
ROWS: Final = (
    ("scripts", ("scripts", "scripts.commands", "scripts.bench")),
    ("webmap", ("webmap", "webmap.ogc", "webmap.paper", "webmap.views")),
    ("layers", ("layers", "layers.search", "layers.export", "layers.postgis", "layers.cql")),
    ("geodata", ("geodata", "geodata.boundary_import")),
)
MEANT: Final = {
    "scripts": "command line: set up, build, import, serve",
    "webmap": "server, site, files: what people, programs get",
    "layers": "release: what can be asked, built once",
    "geodata": "facts: what is true, with its source",
}
WIDTH, ROW, BOX, GAP, TOP, LEFT = 1000, 130, 46, 12, 16, 240


def build_reference(release: Release, client: FlaskClient) -> dict[str, str]:
    """Return the text of every generated file by its path below ``docs/``."""
    return {
        "reference/settings.md": render_settings(),
        "reference/commands.md": render_commands(),
        "reference/documents.md": render_documents(release, client),
        "reference/ogc.md": render_ogc(),
        "reference/layers.md": render_layers(),
        "architecture.svg": render_architecture(),
    }


def render_settings() -> str:
    """Return the table of what an operator can set."""
    rows = [
        (f"`{row.variable}`", row.kind, f"`{row.default}`" if row.default else "–", row.en, row.zh)
        for row in SETTINGS
    ]
    head = ("variable", "takes", "default", "meaning", "含义")
    return f"# Settings\n\n{NOTE}All through the environment, read once at the start; everything wrong with them is told at once. `weihai-layout serve --help` prints this table. `audit` alone also reads `WEIHAI_LAYOUT_PLAN`, the plan's text.\n\n{_table(head, rows)}"  # noqa: E501


def render_commands() -> str:
    """Return each subcommand with its arguments and options."""
    parts = [
        (
            f"# Commands\n\n{NOTE}Exit code 0: done. 1: the answer is no (problems found, port taken, build "
            "failed). 2: wrong usage. Errors are in Chinese and English, on standard error.\n"
        )
    ]
    group = CommandContext(PROGRAM, info_name=PROGRAM.name)
    for name in COMMANDS:
        command = PROGRAM.get_command(group, name)
        if command is None:
            raise LookupError(name)
        context = CommandContext(command, info_name=name, parent=group)
        usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
        records = [one.get_help_record(context) for one in command.get_params(context)]
        rows = [(f"`{spec}`", about) for spec, about in filter(None, records)]
        about = inspect.getdoc(command.callback) or ""
        parts.append(
            f"## {name}\n\n`{usage}`\n\n{command.help}\n\n{about}\n\n{_table(('argument', 'meaning'), rows)}"
        )
    return "\n".join(parts)


def render_ogc() -> str:
    """Return the conformance classes of OGC API – Features and Tiles."""
    rows = [(f"`{one.removeprefix(SPEC)}`", "yes") for one in CONFORMS]
    rows += [(f"`{one}`", "no") for one in _list_missing()]
    return f"# OGC API – Features and Tiles: conformance classes\n\n{NOTE}`/ogc/conformance` declares those with *yes*, with `{SPEC}` in front.\n\n{_table(('class', 'there'), rows)}"  # noqa: E501


def _list_missing() -> list[str]:
    """Return classes of the same standards that are not declared."""
    known = [
        *(f"ogcapi-features-1/1.0/conf/{name}" for name in ("gmlsf0", "gmlsf2")),
        *(f"ogcapi-features-4/1.0/conf/{name}" for name in ("create-replace-delete", "update")),
        *(
            f"ogcapi-tiles-1/1.0/conf/{name}"
            for name in ("collections-selection", "datetime", "geojson", "png")
        ),
        *(
            f"cql2/1.0/conf/{name}"
            for name in (
                "accent-insensitive-comparison",
                "array-functions",
                "functions",
                "arithmetic",
                "spatial-functions",
                "temporal-functions",
            )
        ),
    ]
    return [one for one in known if f"{SPEC}{one}" not in CONFORMS]


def render_layers() -> str:
    """Return what ``layers.load`` gives, layer by layer."""
    about = inspect.getdoc(layers.load) or ""
    prose, _, example = about.partition(">>>")
    code = f">>>{example}".strip()
    parts = [
        (
            f"# `layers` in Python\n\n{NOTE}`layers.load(layer)`: {prose.strip()}\n\n"
            f"```python\n{code}\n```\n\n"
            "Tables (geometry *none*) are no frames; read them from `/data/<table>.json` or `.csv`.\n"
        )
    ]
    for layer in read_layers().values():
        rows = [
            (
                f"`{field.name}`",
                field.type + (f", {field.unit}" if field.unit else ""),
                "may be null" if field.nullable else "",
                field.description.en,
            )
            for field in layer.fields
        ]
        head = (
            f"## {layer.id}\n\n{layer.title.zh} · {layer.title.en} ({layer.geometry}). {layer.description.en}"
        )
        parts.append(f"{head}\n\n{_table(('column', 'type', '', 'meaning'), rows)}")
    return "\n".join(parts)


def render_documents(release: Release, client: FlaskClient) -> str:
    """Return the members of each kind of JSON document, as all documents of that kind have them."""
    parts = [
        (
            f"# JSON of the pages\n\n{NOTE}A page that has a `.json` also answers `Accept: "
            "application/json`. *Some* says that not every document, or row, has the member. Errors are "
            "`application/problem+json` "
            "(RFC 9457) with `type`, `title`, `status`, `detail` and what was wrong with which parameter.\n"
        )
    ]
    for address, collections in DOCUMENTS.items():
        ids = [one for collection in collections for one in _list_ids(release, collection)]
        found = [client.get(address.format(quote(one))).get_json() for one in ids]
        kinds: dict[str, set[str]] = defaultdict(set)
        count = _outline(found, "", kinds)
        rows = [
            (f"`{path}`", " or ".join(sorted(kinds[path])), count.get(path, "")) for path in sorted(kinds)
        ]
        parts.append(f"## `{address.format('…')}`\n\n{_table(('member', 'type', ''), rows)}")
    return "\n".join(parts)


def _list_ids(release: Release, collection: str) -> list[str]:
    path = f"data/{collection}"
    if f"{path}.geojson" in release.manifest["files"]:
        return [one["id"] for one in release.read_json(f"{path}.geojson")["features"]]
    return [row["id"] for row in release.read_json(f"{path}.json")]


def _outline(values: list[object], above: str, kinds: dict[str, set[str]]) -> dict[str, str]:
    """Note the members of `values` and their types in `kinds`; return which of them some values lack."""
    some: dict[str, str] = {}
    objects = [one for one in values if isinstance(one, dict)]
    for name in sorted({name for one in objects for name in one}):
        path = f"{above}{name}"
        here = [one[name] for one in objects if name in one]
        kinds[path] |= {_name_type(one) for one in here}
        if len(here) < len(objects):
            some[path] = "some"
        below = [row for one in here for row in (one if isinstance(one, list) else [one])]
        if above.count(".") < DEPTH - 1 and not _is_keyed(below):
            many = any(isinstance(one, list) for one in here)
            some |= _outline(below, f"{path}[]." if many else f"{path}.", kinds)
    return some


def _is_keyed(rows: list[object]) -> bool:
    """Return whether the members of these objects are ids or languages rather than members to be told."""
    names = {key for row in rows if isinstance(row, dict) for key in row}
    return len(names) > MOST_MEMBERS or names == LANGUAGES


def _name_type(value: object) -> str:
    if isinstance(value, dict):
        return "text (zh, en, ko)" if set(value) == LANGUAGES else "object"
    return JSON_TYPES[type(value)]


def render_architecture() -> str:
    """Return the picture of the packages and of what imports what, as SVG.

    An arrow's width grows with the number of imports; arrows inside a row and those that skip the
    package below are left out, as every package may use all that are below it.
    """
    import grimp  # only who draws pays for it

    places = _place_boxes()
    counts: dict[tuple[str, str], int] = defaultdict(int)
    graph = grimp.build_graph(*MEANT)
    for module in sorted(graph.modules):
        for other in graph.find_modules_directly_imported_by(module):
            pair = _find_box(module, places), _find_box(other, places)
            counts[pair] += pair[0] != pair[1]
    modules: dict[str, int] = defaultdict(int)
    for module in graph.modules:
        modules[_find_box(module, places)] += 1
    height = TOP + len(ROWS) * ROW - 58
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
            'font-family="sans-serif" font-size="14">'
        ),
        "<title>Packages and their imports: facts, release, server, commands</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        (
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
            'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="#456"/></marker></defs>'
        ),
    ]
    for number, (package, _) in enumerate(ROWS):
        y = TOP + number * ROW
        lines += [
            f'<rect x="4" y="{y - 10}" width="{WIDTH - 8}" height="{BOX + 20}" rx="8" fill="#eef3f7"/>',
            f'<text x="14" y="{y + 12}" font-weight="bold">{package}</text>',
        ]
        lines += [
            f'<text x="14" y="{y + 30 + 16 * at}" font-size="12">{line}</text>'
            for at, line in enumerate(MEANT[package].split(": "))
        ]
    lines += _draw_arrows(counts, places)
    for box, (x, top, width) in places.items():
        middle = x + width / 2
        lines += [
            (
                f'<rect x="{x:g}" y="{top:g}" width="{width:g}" height="{BOX}" rx="6" fill="#fff" '
                'stroke="#456"/>'
            ),
            f'<text x="{middle:g}" y="{top + 20:g}" text-anchor="middle">{_label(box)}</text>',
            (
                f'<text x="{middle:g}" y="{top + 37:g}" text-anchor="middle" font-size="11" fill="#456">'
                f"{modules[box]} modules</text>"
            ),
        ]
    return "\n".join([*lines, "</svg>\n"])


def _place_boxes() -> dict[str, tuple[float, float, float]]:
    """Return x, y and width of each box."""
    found = {}
    for number, (_, boxes) in enumerate(ROWS):
        width = (WIDTH - LEFT - 16 - (len(boxes) - 1) * GAP) / len(boxes)
        for at, box in enumerate(boxes):
            found[box] = (LEFT + at * (width + GAP), float(TOP + number * ROW), width)
    return found


def _find_box(module: str, boxes: Iterable[str]) -> str:
    """Return the innermost box that a module belongs to."""
    return max((box for box in boxes if f"{module}.".startswith(f"{box}.")), key=len)


def _label(box: str) -> str:
    return f"{box}/" if "." not in box else f"{box.partition('.')[2]}/"


def _draw_arrows(
    counts: dict[tuple[str, str], int], places: dict[str, tuple[float, float, float]]
) -> Iterator[str]:
    ends: dict[str, int] = defaultdict(int)
    shown = sorted(pair for pair, count in counts.items() if count and _is_below(pair, places))
    targets = {box: [pair for pair in shown if pair[1] == box] for box in places}
    sources = {box: [pair for pair in shown if pair[0] == box] for box in places}
    for pair in shown:
        (x, y, width), (to_x, to_y, to_width) = places[pair[0]], places[pair[1]]
        out, into = sources[pair[0]], targets[pair[1]]
        out.sort(key=lambda one: places[one[1]][0])
        into.sort(key=lambda one: places[one[0]][0])
        start = x + width * (out.index(pair) + 1) / (len(out) + 1)
        end = to_x + to_width * (into.index(pair) + 1) / (len(into) + 1)
        ends[pair[1]] += 1
        yield (
            f'<path d="M{start:.1f} {y + BOX:g}C{start:.1f} {y + BOX + 50:g} {end:.1f} {to_y - 50:g} '
            f'{end:.1f} {to_y - 1:g}" fill="none" stroke="#456" stroke-opacity=".7" '
            f'stroke-width="{min(4.0, 0.8 + counts[pair] / 12):.1f}" marker-end="url(#tip)">'
            f"<title>{pair[0]} → {pair[1]}: {counts[pair]}</title></path>"
        )


def _is_below(pair: tuple[str, str], places: dict[str, tuple[float, float, float]]) -> bool:
    return places[pair[1]][1] - places[pair[0]][1] == ROW


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(_escape(cell) for cell in line)} |\n" for line in lines)


def _escape(cell: str) -> str:
    return " ".join(cell.replace("|", "\\|").split())


@click.command(help=__doc__)
@click.option("--home", type=click.Path(path_type=Path), help="folder of the releases")
def main(home: Path | None) -> None:
    """Write all files."""
    folder = home or find_home()
    release = read_current(folder)
    if release is None:
        sys.exit(f"{folder}: build a release first")
    client = create_app(release, Settings(folder)).test_client()
    for path, text in build_reference(release, client).items():
        (DOCS / path).parent.mkdir(exist_ok=True)
        write_atomically(DOCS / path, text.encode())


if __name__ == "__main__":
    main()
