"""Find out which place each feature of a file is: by id, name in any language, or administrative code."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, Final

from geodata.incoming.finding import Finding, find
from geodata.incoming.imported import Layer
from geodata.incoming.intake import Incoming
from geodata.read import Facts

_COUNTY_DIGITS: Final = 6
_TOWN_DIGITS: Final = 9
_SHOWN: Final = 40


def fold(text: object) -> str:
    """Return what two spellings of one name share: width, case and spaces do not matter.

    >>> fold(" Ｗendeng  District ")
    'wendengdistrict'
    """
    plain = unicodedata.normalize("NFKC", str(text)).casefold()
    return "".join(character for character in plain if character.isalnum())


class Names:
    """All the spellings and codes of the places of one layer."""

    def __init__(self, facts: Facts, layer: Layer) -> None:
        self.layer = layer
        self.places: dict[str, str] = {}  # folded spelling → id
        rows: Iterable[Any] = facts.towns.values() if layer == "towns" else facts.zones.values()
        self.ids = [row.id for row in rows if layer in {"towns", getattr(row, "layer", None)}]
        for row in rows:
            if row.id in self.ids:
                for spelling in _spellings(row, facts):
                    self.places.setdefault(fold(spelling), row.id)

    def find(self, value: object) -> str | None:
        """Return the id of the place that `value` names, or None."""
        if value is None or (isinstance(value, float) and not value.is_integer()):
            return None
        text = str(int(value)) if isinstance(value, float) else str(value)
        folded = fold(text)
        if folded.isdigit() and len(folded) > _TOWN_DIGITS:  # 12 digits: the last three are for villages
            folded = folded[:_TOWN_DIGITS] if not folded[_TOWN_DIGITS:].strip("0") else folded
        return self.places.get(folded)


def name_features(
    features: Sequence[Incoming], names: Names, field: str | None
) -> tuple[dict[str, list[Incoming]], list[Finding]]:
    """Return the features by the id of their place, and what could not be told.

    Without `field`, the attribute that names the most places is taken. A feature that names none of
    the layer is an error unless its place turns out to be outside the city, which is for the caller.
    """
    fields = list(features[0].properties)
    name = features[0].path.partition("#")[0]
    if field is not None and field not in fields:
        return {}, [find("unknown-field", name, field=field, fields=", ".join(fields)[:200])]
    chosen = field or max(fields, key=lambda one: _count(features, names, one), default=None)
    if chosen is None or not _count(features, names, chosen):
        return {}, [find("no-match", name, fields=", ".join(fields)[:200], layer=names.layer)]
    found: dict[str, list[Incoming]] = {}
    findings = []
    for feature in features:
        value = feature.properties[chosen]
        place = names.find(value)
        if place is None:
            known = ", ".join(names.ids[:_SHOWN])
            values = {"value": str(value)[:_SHOWN], "layer": names.layer, "known": known}
            findings.append(find("unknown-id", feature.path, **values))
        else:
            found.setdefault(place, []).append(feature)
    findings += [
        find("duplicate-id", rows[1].path, place, place=place, count=len(rows))
        for place, rows in found.items()
        if len(rows) > 1
    ]
    return found, findings


def _count(features: Sequence[Incoming], names: Names, field: str) -> int:
    return len({names.find(feature.properties[field]) for feature in features} - {None})


def _spellings(row: Any, facts: Facts) -> Iterable[str]:
    texts = [text for text in (row.name, getattr(row, "full_name", None)) if text]
    spelled = chain.from_iterable((text.zh, text.en, text.ko) for text in texts)
    return [row.id, *spelled, *row.aliases, *_codes(row, facts)]


def _codes(row: Any, facts: Facts) -> set[str]:
    """Return the administrative codes of a town, a county, or a zone whose towns share six digits.

    A county's code is the one that most of its towns outside all zones begin with.
    """
    if row.id in facts.towns:
        return {row.code}
    towns = facts.towns.values()
    own = [town.code[:_COUNTY_DIGITS] for town in towns if town.zone == row.id]
    if own:
        others = {town.code[:_COUNTY_DIGITS] for town in towns if town.zone != row.id}
        return set(own) - others if len(set(own)) == 1 else set()
    codes = [town.code[:_COUNTY_DIGITS] for town in towns if town.county == row.id and town.zone is None]
    return {max(set(codes), key=codes.count)} if codes else set()
