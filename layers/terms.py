"""On whose terms a layer or table may be used: ours, and those of each source that its places come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from geodata.kinds import LANGUAGES
from geodata.model import Record, Source, Text
from geodata.own_layers import OwnLayer
from layers.document_types import SourceEntry, SourceTerms
from layers.links import SEPARATOR, to_words, to_words_or_none

PATH = Path(__file__).with_suffix(".yaml")


class OwnTerms(Record):
    """What is ours in the data, and its licence."""

    licence: str
    name: Text


def read_own_terms(path: Path = PATH) -> OwnTerms:
    """Read the terms of our own part."""
    raw = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return OwnTerms(licence=raw["licence"], name=Text(**{one: raw["name"][one] for one in LANGUAGES}))


def list_terms(
    rows: Iterable[Mapping[str, object]], sources: Mapping[str, Source], own: OwnTerms
) -> list[SourceTerms]:
    """Return the terms of what the properties `rows` hold: ours, then of each source, the most used first.

    Each has the name in three languages, `licence` (an SPDX id or the owner's words, or None where none
    was stated), `rights` (what may be done with it, where no licence says so, or None) and `count`, the
    number of rows whose place is known from that source; None for our own part, which is in every row.
    """
    counts = Counter(name for row in rows for name in _sources_of(row))
    ours: SourceTerms = {
        "source": None,
        "name": to_words(own.name),
        "url": None,
        "licence": own.licence,
        "rights": None,
        "count": None,
    }
    return [
        ours,
        *(_describe(sources[name], count) for name, count in counts.most_common()),
    ]


def state_origin(declared: OwnLayer) -> dict[str, str]:
    """Return the sentence that marks a layer as the operator's own, by language."""
    words = yaml.load(PATH.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["operator"]
    values = {"source": declared.source, "as_of": declared.as_of, "licence": declared.licence}
    return {one: words.get(one, words["en"]).format(**values) for one in LANGUAGES}


def list_own_terms(declared: OwnLayer) -> list[SourceTerms]:
    """Return the terms of a layer of the operator's own: nothing of ours is in it."""
    name = dict.fromkeys(LANGUAGES, declared.source)
    return [
        {
            "source": None,
            "name": name,
            "url": declared.source_url,
            "licence": declared.licence,
            "rights": None,
            "count": None,
        }
    ]


def list_sources(sources: Mapping[str, Source]) -> list[SourceEntry]:
    """Return every source with its names, address, publisher, date and terms, in the order of the facts."""
    return [
        {**_describe(row, None), "publisher": row.publisher, "date": row.date} for row in sources.values()
    ]


def source_name(source: Source, language: str) -> str:
    """Return a source's name in a language, or in its own where we have no other."""
    return str(getattr(source.label, language)) if source.label else source.title


def _sources_of(row: Mapping[str, object]) -> list[str]:
    joined = row.get("geometry_source")
    return str(joined).split(SEPARATOR["en"]) if joined else []


def _describe(source: Source, count: int | None) -> SourceTerms:
    return {
        "source": source.id,
        "name": {one: source_name(source, one) for one in LANGUAGES},
        "url": source.url,
        "licence": source.licence,
        "rights": to_words_or_none(source.rights),
        "count": count,
    }
