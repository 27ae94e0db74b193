"""Find zones, industries, places and clauses by name."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from scripts.answer import add_home, add_json, add_language, live_release, settings, write_json
from scripts.messages import say, text, write
from webmap.content import Content, Document


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("query", help="中文、拼音、英文或韩文 · Chinese, pinyin, English or Korean")
    add_language(parser)
    add_json(parser)
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Print what matches, best first, and what is missing; exit 1 if nothing matches."""
    release = live_release(settings(options))
    if release is None:
        return 1
    answer = Content(release).search.answer(options.query, options.lang)
    if options.json:
        write_json(answer["results"])
    else:
        if not answer["results"]:
            say("nothing_found", query=options.query)
        write("\n".join(_lines(answer)))
    return 0 if answer["results"] else 1


def _lines(answer: Document) -> Iterator[str]:
    if answer["missing"]:
        yield text("not_named", words=", ".join(answer["missing"]))
    if answer["corrected"]:
        yield text("corrected", words=answer["corrected"])
    for hit in answer["results"]:
        yield f"{hit['layer']:13} {hit['id']:32} {hit['name']}{_says(hit)}"
    for hit in answer["near"]:
        yield f"~ {hit['layer']:11} {hit['id']:32} {hit['name']} ({hit['match']})"


def _says(hit: Document) -> str:
    """Return what the plan says of an industry: the zones it designates, or that it names none."""
    if "status" not in hit:
        return ""
    zones = ", ".join(zone["name"] for zone in hit["zones"])
    return f"  → {zones}" if zones else f"  ({text('city_only')})"
