"""Frozen types of everything the plan says and everything we know about places.

Every record is read from YAML by :mod:`geodata.read`. Quantities carry their unit in the name,
positions are WGS 84 (lon, lat) in degrees, and every plan term is the plan's own wording. Texts, addresses
and dates that an operator states are checked as they are read.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from geodata.city import list_kinds, list_layers
from geodata.kinds import AREA_LAYERS, LANGUAGES, Emphasis
from geodata.messages import find_unprintable

Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
ClauseId = Annotated[str, Field(min_length=1, max_length=20)]
WebAddress = Annotated[str, Field(pattern=r"^https?://[^\s<>\"']+$")]
Code = Annotated[str, Field(pattern=r"^\d{2,4}$")]  # division, group or class of a classification

Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Confidence = Literal["high", "medium", "low", "none"]

if TYPE_CHECKING:
    ZoneLayer: TypeAlias = str
    AreaLayer: TypeAlias = str
    ZoneKind: TypeAlias = str
    PlatformKind: TypeAlias = str
    GatewayKind: TypeAlias = str
else:  # what the city's catalogue names; "-" where it names nothing
    ZoneLayer, AreaLayer = Literal[list_layers("zones") or ("-",)], Literal[AREA_LAYERS or ("-",)]
    ZoneKind, PlatformKind = (
        Literal[list_kinds("zones") or ("-",)],
        Literal[list_kinds("platforms") or ("-",)],
    )
    GatewayKind = Literal[list_kinds("gateways") or ("-",)]
Comparator = Literal["=", ">=", ">", "<", "~", "<="]  # "<" is 近: nearly, not yet


class Record(BaseModel):
    """Base of all records: immutable, and strict about unknown fields and unprintable letters."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    @field_validator("*")
    @classmethod
    def _check_letters(cls, value: object) -> object:
        for text in value if isinstance(value, tuple) else (value,):
            letter = find_unprintable(text) if isinstance(text, str) else None
            if letter:
                raise PydanticCustomError("unprintable", "holds {letter}", {"letter": letter})
        return value


if TYPE_CHECKING:

    class Text(Record):
        """One text in the languages of the city, of which there are always these two."""

        zh: str
        en: str

        def __init__(self, **texts: str) -> None: ...
        def __getattr__(self, language: str) -> str: ...

else:
    Text = create_model(
        "Text",
        __base__=Record,
        __doc__="One text in each language of the city.",
        __module__=__name__,
        **{language: (str, Field(min_length=1)) for language in LANGUAGES},
    )


class Plan(Record):
    """The document that the facts come from, and the city that it is for."""

    id: Id
    city: Text
    title: Text
    issuer: Text
    number: str
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    public_copy: WebAddress | None = None  # where others print its text


class Source(Record):
    """Where a fact that is not in the plan comes from."""

    id: Id
    title: str  # in the source's own language
    label: Text | None = None  # ours, for readers of all three languages
    publisher: str | None = None
    date: str | None = None
    url: WebAddress | None = None  # where it can be read
    licence: str | None = None
    rights: Text | None = None  # what may be done with it, where no licence says so
    note: str | None = None


AgencyLevel = Literal[  # mass organisations: 团委, 总工会, 科协, 文联
    "party", "mass-organisation", "municipal", "county", "zone", "national", "university", "company", "group"
]


class Seat(Record):
    """The place whose name a body bears, and a clause that prints the body.

    That it governs the place follows from its name; the clause names it as responsible or addresses it.
    """

    zone: Id
    clause: ClauseId


class Agency(Record):
    """A body that the plan makes responsible for something."""

    id: Id
    name: Text
    level: AgencyLevel
    members: tuple[Id, ...] = ()  # of a group of bodies that the plan names as one
    governs: Seat | None = None  # only where the plan's own name of the body is made of the place's
    note: Text | None = None


class Clause(Record):
    """One numbered passage of the plan, addressed as the plan numbers it: ``三(一)1(2)``."""

    id: ClauseId
    parent: ClauseId | None = None
    title: Text  # ours, short; never a sentence of the plan
    responsible_units: tuple[Id, ...] = ()  # only where the plan prints a responsible-unit block
    needs_facts: bool = False  # whether the map is drawn from it and the clauses below it
    note: Text | None = None


class Term(Record):
    """The plan's own words in one clause, with our translation."""

    term: Text
    clause: ClauseId


class Naming(Term):
    """An industry, product or activity that the plan names without giving it to a zone."""

    verb: str | None = (
        None  # the plan's own verb with its grade, … for words between; where it wants something done
    )
    scope: Literal["city", "central-city"] = "city"  # 中心城市 has no stated extent


class Industry(Record):
    """One entry of our small taxonomy that the plan's terms are filed under."""

    id: Id
    name: Text
    cluster: Id | None = None
    gbt4754: tuple[Code, ...] = ()  # GB/T 4754-2017 codes, where they fit
    isic4: tuple[Code, ...] = ()  # ISIC Rev.4 codes, where they fit
    no_codes: Text | None = None  # why there is none; required where there is neither
    named: tuple[Naming, ...] = ()  # where the plan names it for no single zone; required without designation
    note: Text | None = None


class Task(Term):
    """Something that the plan wants done with a zone and that is no list of industries."""

    verb: str  # the plan's own verb, e.g. 推动
    industries: tuple[Id, ...] = ()  # the industries that it serves; our classification
    note: Text | None = None


class Zone(Record):
    """A county, zone, park or new town that the plan names."""

    id: Id
    layer: ZoneLayer
    kind: ZoneKind
    name: Text
    full_name: Text | None = None
    short_name: Text | None = None  # for where there is little room
    printed: str | None = None  # how the plan prints the name, where ours must add a word to be clear
    aliases: tuple[str, ...] = ()  # other spellings and readings that people search for
    parent: Id | None = None  # None: directly under the city
    clauses: tuple[ClauseId, ...] = ()  # every clause that names it
    positioning: tuple[Term, ...] = ()  # what the plan wants it to become, as noun phrases
    tasks: tuple[Task, ...] = ()
    no_industries: Text | None = None  # why it has no designation; required where it has none
    note: Text | None = None


class Designation(Record):
    """A zone, the industries of one term that it is to develop, and the clause that says so."""

    zone: Id  # a zone or an area
    industries: Annotated[tuple[Id, ...], Field(min_length=1)]  # several where a term joins some; one leads
    term: Text  # zh: the plan's own words
    emphasis: Emphasis
    verb: str  # the plan's own verb, e.g. 重点发展
    clause: ClauseId
    note: Text | None = None


class Target(Record):
    """A figure to be reached in a year."""

    value: float
    unit: Text
    year: int
    measure: Text  # what is counted, e.g. 产业集群营业收入
    wording: str  # the plan's own figure words, e.g. 达到450亿元
    clause: ClauseId
    comparator: Comparator = "="  # ">" where the wording is 突破 or 超过


class Cluster(Record):
    """One of the plan's industrial clusters."""

    id: Id
    number: int
    name: Text
    clause: ClauseId
    clauses: tuple[ClauseId, ...] = ()  # further clauses that print its name
    letter: str  # one capital letter shown beside its colour
    colour: Annotated[str, Field(pattern=r"^#[0-9A-F]{6}$")]
    target: Target | None
    no_target: Text | None = None  # required where target is None
    goals: tuple[Term, ...] = ()
    focus: tuple[Term, ...] = ()  # products and technologies that the clause names
    note: Text | None = None


class Chain(Record):
    """An industrial chain, or a part of a 产业体系; some have no name."""

    id: Id
    kind: Literal["advantage", "marine", "system"]  # system: a part of a 产业体系
    name: Text | None
    no_name: Text | None = None
    industries: tuple[Id, ...] = ()  # several where the name joins some
    zone: Id | None = None  # the place that builds it
    clause: ClauseId


class Anchor(Record):
    """A zone that an area hangs on: the area's list is not the zone's own, but concerns it."""

    zone: Id
    role: Literal["core", "centre", "support", "part"]  # 核心, 中心, 依托, 包括 or 建设
    term: Text | None = None  # the plan's words, where they are not those of the area's relation


class Area(Record):
    """A place made of other places: one of a group that the plan names, such as a belt."""

    id: Id
    layer: AreaLayer
    name: Text
    short_name: Text | None = None  # for where there is little room
    printed: str | None = None  # how the plan prints the name, where ours must add a word to be clear
    clause: ClauseId
    clauses: tuple[ClauseId, ...] = ()
    members: tuple[Id, ...]  # zones whose union is drawn for it; the city's own id for the whole of it
    relation: Term  # the plan's words for how it hangs on its members, e.g. 以…为核心
    anchors: tuple[Anchor, ...] = ()  # none where the core is no zone or the area is the whole city
    extent: Literal["not-stated", "mainly-members", "whole-city"]  # what the plan says of how far it reaches
    core: Id | None = None  # a place that is marked as its core
    positioning: tuple[Term, ...] = ()
    methods: tuple[Term, ...] = ()  # how the plan wants it run, e.g. “一区多园”模式
    letter: str
    colour: Annotated[str, Field(pattern=r"^#[0-9A-F]{6}$")]
    no_industries: Text | None = None
    note: Text | None = None


class Platform(Record):
    """A platform, institute, university, base or programme that the plan names."""

    id: Id
    kind: PlatformKind
    name: Text
    aliases: tuple[str, ...] = ()
    clauses: tuple[ClauseId, ...]
    zone: Id | None = None  # where it lies, if known
    zone_basis: Literal["plan", "source", "inference", "unknown"] = "unknown"
    status: Literal["existing", "under-construction", "planned", "not-stated"] = "not-stated"
    fields: tuple[Term, ...] = ()  # what the plan says it works in
    remarks: tuple[Term, ...] = ()  # what else the plan says of it, e.g. 北方最大的
    industries: tuple[Id, ...] = ()
    industries_basis: Literal["plan", "ours"] = "ours"  # "plan" where `fields` name them
    note: Text | None = None


class Tie(Record):
    """How the plan ties one thing to another, in its own words."""

    subject: Id  # a zone, area, platform or gateway
    object: Id | None = None  # likewise, or a cluster; None where the plan names what we have no record of
    role: Literal["lead", "part", "support", "member", "hub", "reach", "joint", "link"]
    term: Text  # zh: the plan's own words
    clause: ClauseId
    note: Text | None = None


WordKind = Literal[
    "name",  # of a body, place, country, document, programme or person
    "subject",  # an industry, product, activity, technology or kind of place: what people look for
    "general",  # any other word with a meaning of its own
]


class Word(Record):
    """A word that the plan prints, with every clause that prints it; never a sentence."""

    zh: str = Field(min_length=1, max_length=24)
    en: tuple[str, ...] = ()  # the first is our translation, the others are found too
    ko: tuple[str, ...] = ()
    kind: WordKind
    clauses: Annotated[tuple[ClauseId, ...], Field(min_length=1)]
    industry: Id | None = None  # the industry that it belongs to; our classification


if TYPE_CHECKING:

    class Spellings(Record):
        """Words of one meaning in the languages of the city, of which there are always these two."""

        zh: tuple[str, ...]
        en: tuple[str, ...]

        def __getattr__(self, language: str) -> tuple[str, ...]: ...

else:
    Spellings = create_model(
        "Spellings",
        __base__=Record,
        __doc__="Words of one meaning in each language of the city.",
        __module__=__name__,
        **{one: (Annotated[tuple[str, ...], Field(min_length=1)], ...) for one in LANGUAGES},
    )


class Synonym(Spellings):
    """A product or activity that the plan does not print, and the industry that it leads to.

    What is only ``nearest`` has no industry in the plan: steel. No answer leads from it.
    """

    industry: Id
    relation: Literal["is_a", "made_by", "used_in", "nearest"]
    word: str | None = None  # of the vocabulary, that is nearest to it: 冷链 for a cold store


class Turn(Record):
    """What is done with things of some industries, or what they are for, belongs to another industry."""

    of: Annotated[tuple[Id, ...], Field(min_length=1)]
    to: Id


class SearchWords(Record):
    """Words that people type: for places, for what is done with a thing, as ends of words, or for nothing."""

    words: Annotated[tuple[str, ...], Field(min_length=1)]
    kinds: tuple[ZoneKind, ...] = ()  # of the places that they stand for
    places: tuple[Id, ...] = ()  # that they stand for
    turn: Turn | None = None
    ends: Id | None = (
        None  # the industry of a longer word that is not known and ends so: of 空压机 and 铣刨机
    )


class IndicatorValue(Record):
    """One figure of an indicator with its year and the plan's own words."""

    value: float
    year: int | None
    wording: str
    clause: ClauseId
    comparator: Comparator = "="


Direction = Literal["up", "down", "hold"]


class Indicator(Record):
    """Something the plan measures; base and target may be missing, with the reason."""

    id: Id
    group: Literal[
        "resources",
        "ecology",
        "enterprises",
        "industry",
        "marine",
        "opening",
        "tourism",
        "talent",
        "city",
        "cluster",
    ]
    name: Text
    unit: Text
    direction: Direction | None = None  # None where the plan sets no target
    base: IndicatorValue | None = None
    no_base: Text | None = None
    target: IndicatorValue | None = None
    no_target: Text | None = None
    note: Text | None = None


class Position(Record):
    """A point where something is, and how well that is known."""

    lon: Lon
    lat: Lat
    accuracy_m: Annotated[float, Field(gt=0)]
    confidence: Confidence
    basis: str  # short: what of the sources it rests on
    sources: Annotated[tuple[Id, ...], Field(min_length=1)]


class Town(Record):
    """A town or street: the unit that zones are made of."""

    code: Annotated[str, Field(pattern=r"^\d{9}$")]
    id: Id
    name: Text
    county: Id
    zone: Id | None = None
    sources: Annotated[tuple[Id, ...], Field(min_length=1)]  # of its name, code, county and zone
    seat: Position
    villages: Annotated[int, Field(ge=0)] = (
        0  # with a villagers' committee (村委会), as the division codes list them
    )
    aliases: tuple[str, ...] = ()
    note: str | None = None


class TownBox(Record):
    """The box (四至) of a town: how far west, south, east and north it goes."""

    town: Id
    name: str  # in the table that it comes from
    bounds: tuple[Lon, Lat, Lon, Lat]  # west, south, east, north
    loose: tuple[Literal["west", "south", "east", "north"], ...] = ()  # sides that it need not touch
    reason: str | None = None  # why


class Gateway(Record):
    """A port, airport or railway station."""

    id: Id
    kind: GatewayKind
    name: Text
    aliases: tuple[str, ...] = ()
    parent: Id
    position: Position
    clauses: tuple[ClauseId, ...] = ()  # empty: not named in the plan
    opened: str | None = None
    note: Text | None = None


class Landmark(Record):
    """An island, bay, cape or other name for orientation; never a fact of the plan."""

    id: Id
    kind: Literal[
        "island",
        "bay",
        "cape",
        "lagoon",
        "sea",
        "neighbour",
        "campus",
        "centre",
        "city-seat",
        "county-seat",
    ]
    name: Text
    position: Position
    expected: Id | None = None  # the county, zone or park that must contain it


class OfficialArea(Record):
    """An area that an official or published text gives for a place, km²."""

    of: str  # zone id, county id or town code
    area_km2: Annotated[float, Field(gt=0)]
    chosen: bool  # whether it is the figure of the place; what is drawn is compared with it
    solved: bool = False  # whether the geometry is solved for it
    scope: Text  # what the figure covers
    source: Id
    confidence: Confidence
    reason: Text | None = None  # why chosen, or why not


class Site(Record):
    """The known point of a zone, park, area or platform, and what its indicative polygon may cover."""

    of: Id
    position: Position | None  # None: not known, see reason
    reason: Text | None = None
    part: str | None = None  # several sites make several parts
    area_km2: float | None = None
    area_source: Id | None = None
    within: tuple[str, ...] = ()  # town codes, zone ids or "sea" that bound the indicative polygon


_HOST = re.compile(r"[^\s<>\"'\\^`{}|@:/?#]+(?::[0-9]{1,5})?")
_BAD_IN_ADDRESS = re.compile(r"[\s<>\"'\\^`{}|]")


def _require_address(text: str) -> str:
    parts = urlsplit(text)
    fits = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.netloc)
    if not fits or _BAD_IN_ADDRESS.search(text):
        raise PydanticCustomError("web-address", "no web address")
    return text


def _require_feedback(text: str) -> str:
    by_mail = re.fullmatch(r"mailto:[\w.+-]+@[\w-]+(?:\.[\w-]+)+", text, re.ASCII)
    if not by_mail and not text.startswith("https://"):
        raise PydanticCustomError("feedback-address", "no address for feedback")
    return text if by_mail else _require_address(text)


def _read_day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            pass
    if type(value) is not dt.date:
        raise PydanticCustomError("not-a-date", "no date")
    return value


Short = Annotated[str, Field(min_length=1, max_length=200)]
Address = Annotated[str, Field(max_length=500), AfterValidator(_require_address)]
Feedback = Annotated[str, Field(max_length=300), AfterValidator(_require_feedback)]
Day = Annotated[dt.date, BeforeValidator(_read_day)]
Phone = Annotated[str, Field(pattern=r"^\+?[0-9(][0-9 ()/,;-]{2,48}$")]
Mail = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")]


class OwnText(Record):
    """An operator's text: in Chinese, and in English and Korean where they have it; a bare one is Chinese."""

    zh: str = Field(min_length=1, max_length=500)
    en: str | None = Field(default=None, min_length=1, max_length=500)
    ko: str | None = Field(default=None, min_length=1, max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _take_bare_text(cls, value: object) -> object:
        return {"zh": value} if isinstance(value, str) else value

    def to_words(self) -> dict[str, str]:
        """Return the text in every language of the city, in Chinese where it is in no other."""
        return {one: getattr(self, one, None) or self.zh for one in LANGUAGES}
