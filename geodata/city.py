"""The city that this program serves: its folder, its languages and its coordinate systems.

A process serves one city. Everything that is true of it lies in one folder: ``city.yaml``, which is read
here, ``plan/``, ``places/`` and ``boundaries/`` (:mod:`geodata.read`), ``layers/`` and ``themes/``
(:mod:`layers.catalogue`), ``translations/`` (:mod:`webmap.i18n`). No code
knows an id, a name or a figure of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

CITIES: Final = Path(__file__).parent / "cities"
FILE: Final = "city.yaml"
VARIABLE: Final = "WEIHAI_LAYOUT_CITY"
REQUIRED: Final = ("zh", "en")  # the plan's own language, and the one that reports are in besides
_Code = Annotated[str, Field(pattern=r"^EPSG:[1-9]\d{3,5}$")]


class CityError(ValueError):
    """There is no such city, or its ``city.yaml`` cannot be used; the message says why."""


class SitingExample(BaseModel):
    """A question that the page of siting offers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str  # what stands behind ``?`` in its address
    label: dict[str, str]  # by language


class City(BaseModel):
    """What is known of a city before any of its facts is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]  # of the whole city
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...]  # in which everything is said
    name: dict[str, str]  # in everyday use, by language
    region: tuple[float, float, float, float]  # west, south, east, north: where the city lies, degrees
    coordinate_systems: Annotated[tuple[_Code, ...], Field(min_length=1)]  # projected, metres
    paper: str  # of these, the one that paper is drawn in
    position: tuple[float, float]  # lon, lat: shows readers how a position is written
    siting_examples: tuple[SitingExample, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> City:
        if self.languages[:2] != REQUIRED or len(set(self.languages)) < len(self.languages):
            raise ValueError(
                f"languages: {list(self.languages)}: must begin with {', '.join(REQUIRED)}, each once"
            )
        texts = [self.name, *(one.label for one in self.siting_examples)]
        if any(set(text) != set(self.languages) or not all(text.values()) for text in texts):
            allowed = f"must have a text in each of {', '.join(self.languages)}, and in no other"
            raise ValueError(f"name, siting_examples: {allowed}")
        west, south, east, north = self.region
        if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):  # noqa: PLR2004 - the globe
            raise ValueError(f"region: {list(self.region)}: must be west, south, east, north in degrees")
        if self.paper not in self.coordinate_systems:
            raise ValueError(f"paper: {self.paper!r}: must be one of {', '.join(self.coordinate_systems)}")
        return self


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
        return City.model_validate(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
    except ValidationError as error:
        wrong = [
            f"{path}: {'.'.join(map(str, one['loc']))}: {one['msg']} ({str(one['input'])[:80]!r})"
            if one["loc"]
            else f"{path}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_url=False)
        ]
        raise CityError("\n".join(wrong)) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise CityError(f"{path}: {error}") from error


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
