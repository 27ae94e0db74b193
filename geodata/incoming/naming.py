"""Find out which place each feature of a file is: by id, name in any language, or administrative code."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from geodata.incoming.finding import Finding, find
from geodata.incoming.imported import LAYERS, Layer
from geodata.incoming.intake import Incoming
from geodata.incoming.titles import NOTHING, Titles, Words, phrase
from geodata.read import Facts

_COUNTY_DIGITS: Final = 6
_TOWN_DIGITS: Final = 9
_SHOWN: Final = 40
_TOLD: Final = 10  # unknown names in one message


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
        self.layer, self.titles = layer, Titles(facts)
        self.places: dict[str, str] = {}  # folded spelling → id
        rows: Iterable[Any] = facts.towns.values() if layer == "towns" else facts.zones.values()
        self.ids = [row.id for row in rows if layer in {"towns", getattr(row, "layer", None)}]
        for row in rows:
            if row.id in self.ids:
                for spelling in _spellings(row, facts):
                    self.places.setdefault(fold(spelling), row.id)

    def refuse(self, path: str, values: Sequence[str]) -> Finding:
        """Return the finding that the layer has none of `values`; says what it has, and who has them."""
        told = list(dict.fromkeys(value[:_SHOWN] for value in values))
        said = " ".join(f"“{one}”" for one in told[:_TOLD]) + (" …" if len(told) > _TOLD else "")
        known = self.titles.join(self.ids[:_SHOWN])
        elsewhere = self.look_elsewhere(values)
        return find("unknown-id", path, value=said, layer=self.layer, elsewhere=elsewhere, known=known)

    def look_elsewhere(self, values: Iterable[object]) -> Words:
        """Return the advice to use another layer, where one has all `values`; empty words otherwise."""
        wanted = list(values)
        others = [Names(self.titles.facts, layer) for layer in LAYERS if layer != self.layer]
        has = next((one.layer for one in others if all(map(one.find, wanted))), None)
        return phrase("other_layer", layer=has) if has else NOTHING

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
    if not fields:
        return {}, [find("no-attributes", name)]
    chosen = field or max(fields, key=lambda one: _count(features, names, one), default=None)
    if chosen is None or not _count(features, names, chosen):
        fields = [field] if field else fields
        columns = [[row.properties[one] for row in features] for one in fields]
        advice = [names.look_elsewhere(column) for column in columns]
        elsewhere = next((one for one in advice if one is not NOTHING), NOTHING)
        values = {"fields": ", ".join(fields)[:200] or "-", "layer": names.layer, "elsewhere": elsewhere}
        return {}, [find("no-match", name, **values)]
    found: dict[str, list[Incoming]] = {}
    unknown: list[Incoming] = []
    for feature in features:
        place = names.find(feature.properties[chosen])
        (unknown if place is None else found.setdefault(place, [])).append(feature)
    findings = [_say_unknown(unknown, chosen, names)] if unknown else []
    findings += [
        find("duplicate-id", rows[1].path, place, id=place, place=names.titles.of(place), count=len(rows))
        for place, rows in found.items()
        if len(rows) > 1
    ]
    return found, findings


def _say_unknown(features: Sequence[Incoming], field: str, names: Names) -> Finding:
    """Return one finding for all features that name no place: a file may have hundreds."""
    values = (feature.properties[field] for feature in features)
    return names.refuse(features[0].path, ["" if value is None else str(value) for value in values])


def check_names(features: Sequence[Incoming], names: Names, place: str) -> Iterator[Finding]:
    """Yield, once, that the file itself names another place of the layer than the one that the user does."""
    for feature in features:
        found = {field: names.find(value) for field, value in feature.properties.items()}
        others = [field for field, named in found.items() if named not in {None, place}]
        if others and place not in found.values():
            field, other = others[0], str(found[others[0]])
            values = {"field": field, "value": str(feature.properties[field])[:_SHOWN], "id": other}
            titles = {"other": names.titles.of(other), "place": names.titles.of(place)}
            yield find("name-contradicts", feature.path, place, **values, **titles)
            return


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
