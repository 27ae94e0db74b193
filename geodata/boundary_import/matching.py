"""Match the features of a file to places: by id, by name in any language, or by administrative code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

import shapely

from geodata import crs
from geodata.boundary_import.coordinate_lists import normalise_word, read_vocabulary
from geodata.boundary_import.issues import (
    NO_TEXT,
    Issue,
    PlaceNames,
    RefusedError,
    Texts,
    build_issue,
    join_texts,
    phrase,
)
from geodata.boundary_import.reader import SourceFeature
from geodata.imported import LAYERS, Layer
from geodata.model import Town, Zone
from geodata.planar import MIN_AREA_KM2, to_polygons
from geodata.read import Facts

_COUNTY_DIGITS: Final = 6
_TOWN_DIGITS: Final = 9
EVERY: Final = "*"  # all features of a file are parts of one place
_MAX_SHOWN_CHARACTERS: Final = 40
_MAX_SHOWN_VALUES: Final = 10  # unknown names in one message


class _EverydayNames:
    """Reduces names as people write them to one form: without province and city, by kind of place."""

    def __init__(self, facts: Facts, layer: Layer) -> None:
        words = read_vocabulary()
        cities = [plan.city.zh for plan in facts.plans.values()]
        counties = [zone.name.zh for zone in facts.zones.values() if zone.layer == "counties"]
        above = [*cities, *(counties if layer == "towns" else ())]
        prefixes = [*words["prefixes"], *above, *(name[:-1] for name in above)]
        self.prefixes = sorted(map(normalise_word, prefixes), key=len, reverse=True)
        self.suffixes = sorted(map(normalise_word, words["suffixes"]), key=len, reverse=True)
        kinds = {normalise_word(one): row[0] for row in words["kinds_of_places"] for one in row}
        self.kinds = sorted(kinds.items(), key=lambda pair: -len(pair[0]))

    def reduce(self, text: str) -> str:
        """Return the form that all everyday spellings of one name share."""
        name = normalise_word(text)
        name = name.rstrip("0123456789") or name
        for suffix in self.suffixes:
            name = name.removesuffix(suffix) or name
        for prefix in self.prefixes:
            name = name.removeprefix(prefix) or name
        ending = next((pair for pair in self.kinds if name.endswith(pair[0])), None)
        return name.removesuffix(ending[0]) + ending[1] if ending else name


class PlaceIndex:
    """All the spellings and codes of the places of one layer."""

    def __init__(self, facts: Facts, layer: Layer) -> None:
        self.layer, self.place_names = layer, PlaceNames(facts)
        self.places: dict[str, str] = {}  # by normalised spelling
        self.names = _EverydayNames(facts, layer)
        self.reduced: dict[str, set[str]] = {}  # ids by reduced name
        zones = [zone for zone in facts.zones.values() if zone.layer == layer]
        rows: list[Town | Zone] = [*facts.towns.values()] if layer == "towns" else [*zones]
        self.ids = [row.id for row in rows]
        for row in rows:
            for spelling in _list_spellings(row, facts):
                self.places.setdefault(normalise_word(spelling), row.id)
                self.reduced.setdefault(self.names.reduce(spelling), set()).add(row.id)

    def refuse(self, path: str, values: Sequence[str]) -> Issue:
        """Return the issue that the layer has none of `values`, with what it has and which layer has them."""
        said = {"value": _quote(values), "layer": self.layer, "elsewhere": self.advise_layer(values)}
        return build_issue("unknown-id", path, **said, known=self.list_known())

    def list_known(self) -> Texts:
        """Return the names of the layer's places, as many as a message can hold."""
        return self.place_names.join(self.ids[:_MAX_SHOWN_CHARACTERS])

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
        spelling = normalise_word(text)
        if spelling.isdigit() and len(spelling) > _TOWN_DIGITS:  # 12 digits: the last three are for villages
            spelling = spelling[:_TOWN_DIGITS] if not spelling[_TOWN_DIGITS:].strip("0") else spelling
        found = self.places.get(spelling)
        if found is None and not spelling.isdigit():
            same = self.reduced.get(self.names.reduce(text), set())
            return next(iter(same)) if len(same) == 1 else None
        return found


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
        told = {"fields": ", ".join(fields)[:200], "choices": fields[:_MAX_SHOWN_VALUES]}
        return {}, [build_issue("unknown-field", name, field=field, **told)]
    if not fields:
        return {}, [build_issue("no-attributes", name)]
    chosen = field or max(fields, key=lambda one: _count_matches(features, names, one), default=None)
    if chosen is None or not _count_matches(features, names, chosen):
        fields = [field] if field else fields
        columns = [[row.properties[one] for row in features] for one in fields]
        advice = [names.advise_layer(column) for column in columns]
        elsewhere = next((one for one in advice if one is not NO_TEXT), NO_TEXT)
        values = {"fields": ", ".join(fields)[:200] or "-", "layer": names.layer, "elsewhere": elsewhere}
        values |= {"has": _quote(chain.from_iterable(columns)), "known": names.list_known()}
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


def select_features(
    features: Sequence[SourceFeature], names: PlaceIndex, place: str, chosen: str | None
) -> tuple[list[SourceFeature], list[Issue]]:
    """Return the features that are `place`, where the user says which place a file is of.

    `chosen` is a value that the wanted feature has, or its number, or says that all are. Otherwise those are
    taken that name the place; without any, all features are parts of it, unless they overlap or have
    different names. Raises :class:`~geodata.boundary_import.issues.RefusedError` where it is not clear which
    feature is meant.
    """
    path = features[0].path
    if chosen is not None and chosen != EVERY:
        return choose_features(features, chosen, place), []
    if len(features) == 1:
        return list(features), []
    named = [one for one in features if place in map(names.find, one.properties.values())]
    named = list(features) if chosen == EVERY else named
    found, issues = named or list(features), []
    if len(found) < len(features):
        others = [one for one in features if not any(one is row for row in named)]
        issues.append(
            build_issue("features-left-out", path, place, count=len(others), features=_describe(others))
        )
    if len({shapely.normalize(one.geometry or shapely.Polygon()).wkb for one in found}) == 1:
        return found, issues  # that the same polygon is there twice is told elsewhere
    titles = set(_get_titles(found)) - {""}
    if _overlap(found) or (not named and len(titles) > 1):
        raise RefusedError(_describe_several(found, features, place))
    if len(found) > 1:
        issues.append(
            build_issue("features-joined", path, place, count=len(found), features=_describe(found))
        )
    return found, issues


def refuse_overlapping(
    found: Mapping[str, Sequence[SourceFeature]], features: Sequence[SourceFeature]
) -> None:
    """Raise RefusedError where several features of one place overlap, so that one of them is meant."""
    for place, rows in found.items():
        if len(rows) > 1 and _overlap(rows):
            raise RefusedError(_describe_several(rows, features, place))


def choose_features(
    features: Sequence[SourceFeature], chosen: str, place: str | None = None
) -> list[SourceFeature]:
    """Return the features that have a value, or that of a number; raises RefusedError where none has."""
    every = chosen == EVERY
    found = [one for number, one in enumerate(features, start=1) if every or _is_chosen(one, number, chosen)]
    if not found:
        told = {"features": _describe(features), "choices": _list_titles(features)}
        shown = chosen[:_MAX_SHOWN_CHARACTERS]
        raise RefusedError(build_issue("unknown-feature", features[0].path, place, chosen=shown, **told))
    return found


def _describe_several(found: Sequence[SourceFeature], features: Sequence[SourceFeature], place: str) -> Issue:
    choices = [*_list_titles(found, features), *([] if _overlap(found) else [EVERY])]
    told = {"features": _describe(found), "choices": choices}
    return build_issue("several-features", features[0].path, place, count=len(found), **told)


def _is_chosen(feature: SourceFeature, number: int, chosen: str) -> bool:
    wanted = normalise_word(chosen)
    values = (normalise_word(value) for value in feature.properties.values() if value is not None)
    return chosen.lstrip("#") == str(number) or (bool(wanted) and wanted in values)


def _get_titles(features: Sequence[SourceFeature]) -> list[str]:
    """Return what each feature is called: the first attribute that tells them apart, else its first text.

    A text that is a number is none; empty where a feature has no text.
    """
    rows = [
        {
            name: text
            for name, value in one.properties.items()
            if isinstance(value, str) and (text := value.strip()) and not normalise_word(text).isdigit()
        }
        for one in features
    ]
    columns = ([row.get(name, "") for row in rows] for name in rows[0])
    apart = (one for one in columns if all(one) and len(set(one)) == len(one))
    return next(apart, [next(iter(row.values()), "") for row in rows])


def _list_titles(
    found: Sequence[SourceFeature], features: Sequence[SourceFeature] | None = None
) -> list[str]:
    """Return what each of the features that were `found` among all is chosen by: a title, or its number."""
    numbers = {id(one): str(number) for number, one in enumerate(features or found, start=1)}
    titles = _get_titles(found)
    return [
        title if title and titles.count(title) == 1 else numbers[id(one)]
        for title, one in zip(titles, found, strict=True)
    ][:_MAX_SHOWN_VALUES]


def _describe(features: Sequence[SourceFeature]) -> Texts:
    """Return the names and areas of features as one list."""
    rows = [
        phrase(
            "feature_area",
            name=title[:_MAX_SHOWN_CHARACTERS] or one.path.rpartition("/")[2],
            area=f"{crs.measure_area_km2(one.geometry or shapely.Polygon()):.2f}",
        )
        for title, one in zip(_get_titles(features), features[:_MAX_SHOWN_VALUES], strict=False)
    ]
    return join_texts([*rows, *(["…"] if len(features) > _MAX_SHOWN_VALUES else [])])


def _overlap(features: Sequence[SourceFeature]) -> bool:
    """Tell whether two features share land; the very same geometry twice is told elsewhere."""
    shapes = [one.geometry or shapely.Polygon() for one in features]
    if not all(shape.is_valid for shape in shapes):
        shapes = [shapely.make_valid(shape) for shape in shapes]
    tree = shapely.STRtree(shapes)
    return any(
        first < second
        and not shapely.equals_exact(shapes[first], shapes[second], normalize=True)
        and crs.measure_area_km2(to_polygons(shapely.intersection(shapes[first], shapes[second])))
        >= MIN_AREA_KM2
        for first, second in zip(*tree.query(shapes, predicate="intersects").tolist(), strict=True)
    )


def _quote(values: Iterable[object]) -> str:
    """Return some values as a message shows them."""
    told = dict.fromkeys(str(value)[:_MAX_SHOWN_CHARACTERS] for value in values if value is not None)
    shown = [f"“{one}”" for one in list(told)[:_MAX_SHOWN_VALUES]]
    return " ".join([*shown, *(["…"] if len(told) > _MAX_SHOWN_VALUES else [])]) or "-"


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


def _list_spellings(row: Town | Zone, facts: Facts) -> Iterable[str]:
    texts = [text for text in (row.name, getattr(row, "full_name", None)) if text]
    spelled = chain.from_iterable((name for _, name in text) for text in texts)
    return [row.id, *spelled, *row.aliases, *_list_codes(row, facts)]


def _list_codes(row: Town | Zone, facts: Facts) -> set[str]:
    """Return the administrative codes of a town, a county, or a zone whose towns share six digits.

    A county's code is the one that most of its towns outside all zones begin with.
    """
    if isinstance(row, Town):
        return {row.code}
    towns = facts.towns.values()
    own = [town.code[:_COUNTY_DIGITS] for town in towns if town.zone == row.id]
    if own:
        others = {town.code[:_COUNTY_DIGITS] for town in towns if town.zone != row.id}
        return set(own) - others if len(set(own)) == 1 else set()
    codes = [town.code[:_COUNTY_DIGITS] for town in towns if town.county == row.id and town.zone is None]
    return {max(set(codes), key=codes.count)} if codes else set()
