"""The city that this program serves: its folder, its languages and its coordinate systems.

A process serves one city. Everything that is true of it lies in one folder: ``city.yaml``, which is read
here, ``plan/``, ``places/`` and ``boundaries/`` (:mod:`geodata.read`), ``layers/`` and ``themes/``
(:mod:`layers.catalogue`), ``translations/`` (:mod:`webmap.i18n`). No code
knows an id, a name or a figure of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

CITIES: Final = Path(__file__).parent / "cities"
FILE: Final = "city.yaml"
VARIABLE: Final = "WEIHAI_LAYOUT_CITY"
Rule = Callable[[object], bool]
REQUIRED: Final = ("zh", "en")  # the plan's own language, and the one that reports are in besides


class CityError(ValueError):
    """There is no such city, or its ``city.yaml`` cannot be used; the message says why."""


@dataclass(frozen=True)
class SitingExample:
    """A question that the page of siting offers."""

    query: str  # what stands behind ``?`` in its address
    label: dict[str, str]  # by language


@dataclass(frozen=True)
class City:
    """What is known of a city before any of its facts is read."""

    id: str  # of the whole city
    languages: tuple[str, ...]  # in which everything is said
    name: dict[str, str]  # in everyday use, by language
    region: tuple[float, float, float, float]  # west, south, east, north: where the city lies, degrees
    coordinate_systems: tuple[str, ...]  # projected, metres
    paper: str  # of these, the one that paper is drawn in
    position: tuple[float, float]  # lon, lat: shows readers how a position is written
    siting_examples: tuple[SitingExample, ...] = ()

    def list_problems(self) -> Iterator[str]:
        """Yield what does not go together, each with its field, its value and what is allowed."""
        if self.languages[:2] != REQUIRED or len(set(self.languages)) < len(self.languages):
            yield f"languages: {[*self.languages]}: must begin with {', '.join(REQUIRED)}, each once"
        texts = [self.name, *(one.label for one in self.siting_examples)]
        if any(set(text) != set(self.languages) for text in texts):
            allowed = f"must have a text in each of {', '.join(self.languages)}, and in no other"
            yield f"name, siting_examples: {allowed}"
        west, south, east, north = self.region
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):  # noqa: PLR2004 - the globe
            yield f"region: {[*self.region]}: must be west, south, east, north in degrees"
        if self.paper not in self.coordinate_systems:
            yield f"paper: {self.paper!r}: must be one of {', '.join(self.coordinate_systems)}"


def _is_like(pattern: str) -> Rule:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_list(rule: Rule, least: int = 1, most: int | None = None) -> Rule:
    def fits(value: object) -> bool:
        return (
            isinstance(value, list) and least <= len(value) <= (most or len(value)) and all(map(rule, value))
        )

    return fits


def _is_number(value: object) -> bool:
    return type(value) in {int, float}


def _is_words(value: object) -> bool:
    return (
        isinstance(value, dict) and bool(value) and all(map(_is_like(r"(?s).+"), (*value, *value.values())))
    )


def _is_example(value: object) -> bool:
    if not isinstance(value, dict) or set(value) != {"query", "label"}:
        return False
    return isinstance(value["query"], str) and _is_words(value["label"])


# Checked by hand: a library that does it would take a server as long to import as its web framework.
_RULES: Final[dict[str, tuple[Rule, str]]] = {
    "id": (_is_like(r"[a-z0-9]+(-[a-z0-9]+)*"), "a name in small letters, such as new-town"),
    "languages": (_is_list(_is_like(r"[a-z]{2}")), "a list of codes of two letters"),
    "name": (_is_words, "a text by language"),
    "region": (_is_list(_is_number, 4, 4), "four numbers: west, south, east, north"),
    "coordinate_systems": (_is_list(_is_like(r"EPSG:[1-9]\d{3,5}")), "a list of codes such as EPSG:32651"),
    "paper": (_is_like(".+"), "one of the coordinate systems"),
    "position": (_is_list(_is_number, 2, 2), "two numbers: longitude, latitude"),
    "siting_examples": (_is_list(_is_example, 0), "a list of entries with query and label"),
}


def _to_city(raw: object) -> City:
    """Return what ``city.yaml`` says; raises ValueError with a line for everything that is wrong."""
    if not isinstance(raw, dict):
        raise ValueError(f"must have the fields {', '.join(_RULES)}")  # noqa: TRY004 - as all that is wrong
    given: dict[str, Any] = {"siting_examples": [], **raw}
    wrong = [
        f"{name}: {str(given.get(name))[:80]!r}: must be {allowed}"
        for name, (fits, allowed) in _RULES.items()
        if not fits(given.get(name))
    ]
    wrong += [f"{name}: must be one of {', '.join(_RULES)}" for name in given if name not in _RULES]
    if wrong:
        raise ValueError("\n".join(wrong))
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    values["siting_examples"] = tuple(SitingExample(**one) for one in given["siting_examples"])
    city = City(**values)
    if wrong := [*city.list_problems()]:
        raise ValueError("\n".join(wrong))
    return city


def find_city(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the city: what the environment names, or else the only one that is shipped.

    Raises :class:`CityError` where there is none, or where one has to be chosen.
    """
    if named := environ.get(VARIABLE, "").strip():
        folder = Path(named)
        if not (folder / FILE).is_file():
            raise CityError(f"{VARIABLE}={named!r}: 其中没有 {FILE} / there is no {FILE} in it")
        return folder.resolve()
    shipped = sorted(path.parent for path in CITIES.glob(f"*/{FILE}"))
    if len(shipped) != 1:
        names = ", ".join(path.name for path in shipped)
        raise CityError(f"{VARIABLE}: 请指定城市文件夹 / name the folder of a city; {CITIES}: {names or '–'}")
    return shipped[0]


@cache
def read_city(folder: Path | None = None) -> City:
    """Read ``city.yaml``, of the city that is served unless another `folder` is named.

    Raises :class:`CityError` naming field, value and what is allowed.
    """
    path = (folder or find_city()) / FILE
    try:
        return _to_city(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CityError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from error


@cache
def read_layer_files(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """Read ``layers/*.yaml`` as they stand, by id, in order; :mod:`layers.catalogue` says what is in them.

    Raises :class:`CityError` naming the file that is no layer.
    """
    found = []
    for path in sorted(((folder or find_city()) / "layers").glob("*.yaml")):
        try:
            raw = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            found.append((float(raw["order"]), str(raw["id"]), raw))
        except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError) as error:
            raise CityError(f"{path}: {error!r}") from error
        if raw["id"] != path.stem:
            raise CityError(f"{path}: id: {raw['id']!r}: must be {path.stem!r}, as the file is named")
    return {name: raw for _, name, raw in sorted(found, key=lambda row: row[:2])}


def list_layers(*sources: str) -> tuple[str, ...]:
    """Return the ids of the city's layers whose places are records of the tables `sources`, in order."""
    return tuple(name for name, raw in read_layer_files().items() if raw.get("source") in sources)


def list_kinds(source: str) -> tuple[str, ...]:
    """Return the kinds that records of the table `source` may have, layer by layer."""
    files = read_layer_files()
    return tuple(kind for name in list_layers(source) for kind in files[name].get("kinds", ()))


def list_criteria() -> dict[str, str]:
    """Return the layers that are a criterion of siting, by its name, in their order."""
    areas = {name: read_layer_files()[name] for name in list_layers("areas")}
    return {raw["criterion"]["name"]: name for name, raw in areas.items() if "criterion" in raw}
