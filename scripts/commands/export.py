"""Write one layer or table to a file."""

from __future__ import annotations

import argparse
import sys
from difflib import get_close_matches
from pathlib import Path

from layers.store import Release, write_atomically
from scripts.answer import add_home, live_release, settings
from scripts.messages import say, warn

FORMATS = ("geojson", "json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("layer", help="图层或表，如 zones · layer or table, such as zones")
    parser.add_argument(
        "--format",
        choices=FORMATS,
        help="图层默认 geojson，表默认 json · geojson for layers, json for tables",
    )
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="文件，- 为标准输出 · file, - for standard output",
    )
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Copy the prepared bytes; exit 2 for an unknown layer, 1 if the file cannot be written."""
    release = live_release(settings(options))
    if release is None:
        return 1
    path = _path_of(release, options.layer, options.format)
    return 2 if path is None else _write(release.read(path), options.output)


def _path_of(release: Release, layer: str, file_format: str | None) -> str | None:
    """Return the release's path of a layer, or None after naming what there is."""
    formats = FORMATS if file_format is None else (file_format,)
    found = next((path for one in formats if release.sha256(path := f"data/{layer}.{one}")), None)
    if found is None:
        known = [path.removeprefix("data/") for path in release.paths("data/") if path.endswith(FORMATS)]
        near = get_close_matches(layer, known, n=3, cutoff=0.3)
        asked = layer if file_format is None else f"{layer}.{file_format}"
        warn("unknown_layer", layer=asked, near=", ".join(near) or "-", known=", ".join(known))
    return found


def _write(content: bytes, output: str) -> int:
    if output == "-":
        sys.stdout.buffer.write(content)
        return 0
    try:
        write_atomically(Path(output), content)
    except OSError as error:
        warn("file_unwritable", path=output, reason=error.strerror)
        return 1
    say("written", path=output, size=len(content))
    return 0
