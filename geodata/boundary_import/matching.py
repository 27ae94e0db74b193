"""Match the features of a file to places: by id, by name in any language, or by administrative code."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Final

from geodata.boundary_import.issues import NO_TEXT, Issue, PlaceNames, Texts, build_issue, phrase
from geodata.boundary_import.reader import SourceFeature
from geodata.boundary_import.records import LAYERS, Layer
from geodata.read import Facts

_COUNTY_DIGITS: Final = 6
_TOWN_DIGITS: Final = 9
_MAX_SHOWN_CHARACTERS: Final = 40
_MAX_SHOWN_VALUES: Final = 10  # unknown names in one message


def normalise_spelling(text: object) -> str:
    """Return what two spellings of one name share: width, case and spaces do not matter.

    >>> normalise_spelling(" Ｗendeng  District ")
    'wendengdistrict'
    """
    plain = unicodedata.normalize("NFKC", str(text)).casefold()
    return "".join(character for character in plain if character.isalnum())


class PlaceIndex:
    """All the spellings and codes of the places of one layer."""

    def __init__(self, facts: Facts, layer: Layer) -> None:
        self.layer, self.place_names = layer, PlaceNames(facts)
        self.places: dict[str, str] = {}  # spelling spelling → id
        rows: Iterable[Any] = facts.towns.values() if layer == "towns" else facts.zones.values()
        self.ids = [row.id for row in rows if layer in {"towns", getattr(row, "layer", None)}]
        for row in rows:
            if row.id in self.ids:
                for spelling in _list_spellings(row, facts):
                    self.places.setdefault(normalise_spelling(spelling), row.id)

    def refuse(self, path: str, values: Sequence[str]) -> Issue:
        """Return the issue that the layer has none of `values`, with what it has and which layer has them."""
        told = list(dict.fromkeys(value[:_MAX_SHOWN_CHARACTERS] for value in values))
        said = " ".join(f"“{one}”" for one in told[:_MAX_SHOWN_VALUES]) + (
            " …" if len(told) > _MAX_SHOWN_VALUES else ""
        )
        known = self.place_names.join(self.ids[:_MAX_SHOWN_CHARACTERS])
        elsewhere = self.advise_layer(values)
        return build_issue("unknown-id", path, value=said, layer=self.layer, elsewhere=elsewhere, known=known)

    def advise_layer(self, values: Iterable[object]) -> Texts:
        """Return the advice to use another layer, where one has all `values`; empty words otherwise."""
        expected = list(values)
        others = [PlaceIndex(self.place_names.facts, layer) for layer in LAYERS if layer != self.layer]
        has = next((one.layer for one in others if all(map(one.find, expected))), None)
        return phrase("other_layer", layer=has) if has else NO_TEXT

    def find(self, value: object) -> str | None:
        """Return the id of the place that `value` names, or None."""
        if value is None or (isinstance(value, float) and not value.is_integer()):
            return None
        text = str(int(value)) if isinstance(value, float) else str(value)
        spelling = normalise_spelling(text)
        if spelling.isdigit() and len(spelling) > _TOWN_DIGITS:  # 12 digits: the last three are for villages
            spelling = spelling[:_TOWN_DIGITS] if not spelling[_TOWN_DIGITS:].strip("0") else spelling
        return self.places.get(spelling)


def match_features(
    features: Sequence[SourceFeature], names: PlaceIndex, field: str | None
) -> tuple[dict[str, list[SourceFeature]], list[Issue]]:
    """Return the features by the id of their place, and the issues.

    Without `field`, the attribute that names the most places is taken. A feature that names none of
    the layer is an error unless its place turns out to be outside the city, which is for the caller.
    """
    fields = list(features[0].properties)
    name = features[0].path.partition("#")[0]
    if field is not None and field not in fields:
        return {}, [build_issue("unknown-field", name, field=field, fields=", ".join(fields)[:200])]
    if not fields:
        return {}, [build_issue("no-attributes", name)]
    chosen = field or max(fields, key=lambda one: _count_matches(features, names, one), default=None)
    if chosen is None or not _count_matches(features, names, chosen):
        fields = [field] if field else fields
        columns = [[row.properties[one] for row in features] for one in fields]
        advice = [names.advise_layer(column) for column in columns]
        elsewhere = next((one for one in advice if one is not NO_TEXT), NO_TEXT)
        values = {"fields": ", ".join(fields)[:200] or "-", "layer": names.layer, "elsewhere": elsewhere}
        return {}, [build_issue("no-match", name, **values)]
    found: dict[str, list[SourceFeature]] = {}
    unknown: list[SourceFeature] = []
    for feature in features:
        place = names.find(feature.properties[chosen])
        (unknown if place is None else found.setdefault(place, [])).append(feature)
    issues = [_describe_unknown(unknown, chosen, names)] if unknown else []
    issues += [
        build_issue(
            "duplicate-id", rows[1].path, place, id=place, place=names.place_names.of(place), count=len(rows)
        )
        for place, rows in found.items()
        if len(rows) > 1
    ]
    return found, issues


def _describe_unknown(features: Sequence[SourceFeature], field: str, names: PlaceIndex) -> Issue:
    """Return one issue for all features that name no place: a file may have hundreds."""
    values = (feature.properties[field] for feature in features)
    return names.refuse(features[0].path, ["" if value is None else str(value) for value in values])


def check_attributes(features: Sequence[SourceFeature], names: PlaceIndex, place: str) -> Iterator[Issue]:
    """Yield, once, that the file names another place of the layer than the user does."""
    for feature in features:
        found = {field: names.find(value) for field, value in feature.properties.items()}
        others = [field for field, named in found.items() if named not in {None, place}]
        if others and place not in found.values():
            field, other = others[0], str(found[others[0]])
            values = {
                "field": field,
                "value": str(feature.properties[field])[:_MAX_SHOWN_CHARACTERS],
                "id": other,
            }
            place_names = {"other": names.place_names.of(other), "place": names.place_names.of(place)}
            yield build_issue("name-contradicts", feature.path, place, **values, **place_names)
            return


def _count_matches(features: Sequence[SourceFeature], names: PlaceIndex, field: str) -> int:
    return len({names.find(feature.properties[field]) for feature in features} - {None})


def _list_spellings(row: Any, facts: Facts) -> Iterable[str]:
    texts = [text for text in (row.name, getattr(row, "full_name", None)) if text]
    spelled = chain.from_iterable((text.zh, text.en, text.ko) for text in texts)
    return [row.id, *spelled, *row.aliases, *_list_codes(row, facts)]


def _list_codes(row: Any, facts: Facts) -> set[str]:
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
