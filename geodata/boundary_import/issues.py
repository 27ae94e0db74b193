"""What can be wrong with an imported file: issues, and the terms and place names that they are worded with.

The wording stands in the YAML files beside this module, by language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NotRequired, TypedDict

import yaml

from geodata import kinds
from geodata.boundaries import Boundaries
from geodata.city import read_city
from geodata.imported import Remark
from geodata.kinds import CITY, SEA
from geodata.messages import fill
from geodata.read import Facts

Level = Literal["error", "warning"]
LANGUAGES: Final = ("zh", "en", "ko")  # of what is said of an import; a city may have fewer
_CITY_NAME: Final = {one: read_city().name.get(one, read_city().name["en"]) for one in LANGUAGES}
_ISSUES_FILE = Path(__file__).with_name("issues.yaml")


@dataclass(frozen=True, slots=True)
class Remedy:
    """What settles an issue, beside another file: an option of the import, and values that it may take."""

    option: str  # as ImportRequest calls it
    choices: tuple[str, ...] = ()  # none for one that is only set, or where it is not known


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue about a file, or one feature of it.

    `path` says where: the file, the layer and the feature's place in it, or a coordinate. `fix` says
    what can be done, by language; None where nothing but another file helps.
    """

    code: str
    level: Level
    feature_id: str | None
    path: str
    message_zh: str
    message_en: str
    message_ko: str
    fix: dict[str, str] | None = None
    remark: Remark | None = None  # how the record of the boundary words it
    remedy: Remedy | None = None
    here: dict[str, str] | None = None  # `fix` as it is worded in the browser, without options and files
    spot: tuple[float, float] | None = None  # lon, lat; None where it is of the whole, or not known

    def to_dict(self) -> dict[str, object]:
        """Return the issue as plain data for ``--json``."""
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in {"remark", "remedy", "here", "spot"}
        }

    def to_lines(self) -> list[str]:
        """Return the issue as lines for a terminal: what it is, and what can be done."""
        name = self.path if self.feature_id is None else f"{self.path} [{self.feature_id}]"
        lines = [f"{self.level} {self.code}: {name}: {self.message_zh} / {self.message_en}"]
        if self.fix:
            lines.append(f"  → {self.fix['zh']} / {self.fix['en']}")
        return ["".join(filter(str.isprintable, line)) for line in lines]


class RefusedError(Exception):
    """The file cannot be used at all; carries the issue that says why."""

    def __init__(self, issue: Issue) -> None:
        super().__init__(issue.message_en)
        self.issue = issue


def build_issue(code: str, path: str, feature_id: str | None = None, /, **values: object) -> Issue:
    """Return the issue `code`, worded in every language and filled with `values`.

    A value that is a dict is by language. The level is the code's own unless `values` names another
    under ``level``; ``choices`` are what the option that settles it may be set to, ``spot`` is (lon, lat).
    """
    entry, choices, spot = list_codes()[code], values.pop("choices", ()), values.pop("spot", None)
    values = {"city": _CITY_NAME} | values
    given = [str(one) for one in choices] if isinstance(choices, list | tuple) else []
    remedy = _build_remedy(entry.get("remedy"), values, given)
    told = format_texts(entry, values, LANGUAGES)
    stated = str(values.pop("level", entry["level"]))
    level: Level = "error" if stated == "error" else "warning"
    fix, here, record = entry.get("fix"), find_advice(entry), entry.get("record")
    return Issue(
        code=code,
        level=level,
        feature_id=feature_id,
        path=path,
        message_zh=told["zh"],
        message_en=told["en"],
        message_ko=told["ko"],
        fix=format_texts(fix, values, LANGUAGES) if fix else None,
        remark=_remark(code, {**entry, **record}, values) if record and level == "warning" else None,
        remedy=remedy,
        here=format_texts(here, values, LANGUAGES) if here else None,
        spot=spot if isinstance(spot, tuple) else None,
    )


def find_advice(entry: IssueWording) -> dict[str, str] | None:
    """Return what can be done as the browser says it: nothing that only a command takes."""
    fix = entry.get("fix")
    typed = fix is not None and any("--" in one for one in fix.values())
    return entry.get("here", None if typed else fix)


def _build_remedy(
    entry: RemedyWording | None, values: Mapping[str, object], given: Iterable[str]
) -> Remedy | None:
    """Return the remedy of an issue with its own choices and those that were `given`."""
    if entry is None:
        return None
    told = [one.format(**values) for one in entry.get("choices", ())]
    return Remedy(entry["option"], tuple(dict.fromkeys([*told, *given])))


def _remark(code: str, words: Mapping[str, object], values: Mapping[str, object]) -> Remark:
    """Return the remark of an issue; in Chinese and English it may be worded like the message."""
    return Remark(code=code, **format_texts(words, values, kinds.LANGUAGES))


def format_texts(
    words: Mapping[str, object], values: Mapping[str, object], languages: Iterable[str]
) -> dict[str, str]:
    """Return a text by language, filled with `values`; a value that is a dict is by language."""
    return {
        language: fill(
            str(words[language]),
            {name: value[language] if isinstance(value, dict) else value for name, value in values.items()},
        )
        for language in languages
    }


class RemedyWording(TypedDict):
    """The option that settles an issue, and values that it may take, to be filled in."""

    option: str
    choices: NotRequired[list[str]]


class IssueWording(TypedDict):
    """The level of an issue and its wording; how the record of a boundary words it, where otherwise."""

    level: Level
    zh: str
    en: str
    ko: str
    fix: NotRequired[dict[str, str]]
    here: NotRequired[dict[str, str]]
    record: NotRequired[dict[str, str]]
    remedy: NotRequired[RemedyWording]


@lru_cache(maxsize=1)
def list_codes() -> dict[str, IssueWording]:
    """Return every code with its level and wording."""
    codes: dict[str, IssueWording] = yaml.load(_ISSUES_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return codes


_FLAWS_FILE: Final = Path(__file__).with_name("flaws.yaml")
_GEOS_REASON: Final = re.compile(r"(?P<name>[^\[]+)(?:\[(?P<lon>\S+) (?P<lat>\S+)\])?")


def to_reasons(said: str) -> dict[str, str]:
    """Return ``is_valid_reason`` of a lon/lat geometry by language; unknown reasons stay as they are.

    >>> to_reasons("Self-intersection[122.05000000000001 37.25]")["zh"]
    '边线相交，位于（122.05，37.25）'
    >>> to_reasons("Something new[1 2]")["zh"]
    'Something new[1 2]'
    """
    read = _GEOS_REASON.fullmatch(said)
    words = _flaws().get(read["name"]) if read else None
    if read is None or words is None:
        return dict.fromkeys(LANGUAGES, said)
    if read["lon"] is None:
        return dict(words)
    lon, lat = (f"{float(value):.7g}" for value in (read["lon"], read["lat"]))
    at = _flaws()["at"]
    return {language: at[language].format(what=words[language], lon=lon, lat=lat) for language in LANGUAGES}


@lru_cache(maxsize=1)
def _flaws() -> dict[str, dict[str, str]]:
    flaws: dict[str, dict[str, str]] = yaml.load(_FLAWS_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return flaws


Texts = dict[str, str]  # by language
_TERMS_FILE: Final = Path(__file__).with_name("terms.yaml")
NO_TEXT: Final[Texts] = dict.fromkeys(LANGUAGES, "")


class PlaceNames:
    """The names of all places of the facts, and of the neighbouring counties in the base geometry."""

    def __init__(self, facts: Facts, boundaries: Boundaries | None = None) -> None:
        self.facts = facts
        land = boundaries["land"]["features"] if boundaries else ()
        known = {row.name.zh: row.name for row in facts.landmarks.values()}  # in all languages
        self.outside: dict[str, Texts] = {}
        for row in land:
            name = str(row["properties"]["name_zh"])
            self.outside[row["id"]] = {one: getattr(known.get(name), one, name) for one in LANGUAGES}

    def of(self, place: str) -> Texts:
        """Return the name and id of a place by language; its id alone where it has no name."""
        facts = self.facts
        row = facts.zones.get(place) or facts.areas.get(place) or facts.towns.get(place)
        if row is not None:
            names = {language: getattr(row.name, language, row.name.en) for language in LANGUAGES}
            return phrase("title", name=names, id=place)
        if place == CITY:
            return _CITY_NAME
        if place == SEA:
            return term("place", place)
        return self.outside.get(place) or dict.fromkeys(LANGUAGES, place)

    def join(self, places: Iterable[str]) -> Texts:
        """Return the names of several places as one list."""
        return join_texts(map(self.of, places))


def term(kind: str, name: str) -> Texts:
    """Return a term by language, for example that of a method."""
    return dict(_terms()[kind][name])


def join_terms(kind: str, names: Iterable[str]) -> Texts:
    """Return several terms by language, in the order of their list; those without a term as they are."""
    known, wanted = _terms()[kind], set(names)
    return join_texts([*(known[name] for name in known if name in wanted), *sorted(wanted - set(known))])


def join_texts(texts: Iterable[Texts | str]) -> Texts:
    """Return a list of texts as one; a plain text is the same in every language."""
    rows = [dict.fromkeys(LANGUAGES, text) if isinstance(text, str) else text for text in texts]
    comma = _terms()["phrase"]["comma"]
    return {language: comma[language].join(row[language] for row in rows) for language in LANGUAGES}


def phrase(name: str, /, **values: object) -> Texts:
    """Return a phrase by language, filled with `values`; one that is a dict is by language."""
    return format_texts(_terms()["phrase"][name], values, LANGUAGES)


@lru_cache(maxsize=1)
def _terms() -> dict[str, dict[str, Texts]]:
    words: dict[str, dict[str, Texts]] = yaml.load(_TERMS_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return words
