"""Find zones, industries, places and clauses by name."""

from __future__ import annotations

import argparse

from scripts.answer import add_home, add_json, add_language, live_release, settings, write_json
from scripts.messages import say, write
from webmap.content import Content


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("query", help="中文、拼音、英文或韩文 · Chinese, pinyin, English or Korean")
    add_language(parser)
    add_json(parser)
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Print what matches, best first; exit 1 if nothing does."""
    release = live_release(settings(options))
    if release is None:
        return 1
    found = Content(release).search.find(options.query, options.lang)
    if options.json:
        write_json(found)
    elif not found:
        say("nothing_found", query=options.query)
    else:
        write("\n".join(f"{hit['layer']:13} {hit['id']:32} {hit['name']}" for hit in found))
    return 0 if found else 1
