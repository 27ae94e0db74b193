"""Frozen types of everything the plan says and everything we know about places.

Every record is read from YAML by :mod:`geodata.read`. Quantities carry their unit in the name,
positions are WGS 84 (lon, lat) in degrees, and every plan term is the plan's own wording.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
ClauseId = Annotated[str, Field(min_length=1, max_length=20)]
Code = Annotated[str, Field(pattern=r"^\d{2,4}$")]  # division, group or class of a classification

Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Confidence = Literal["high", "medium", "low", "none"]

Emphasis = Literal[
    "lead",  # 主导, 龙头
    "key",  # 重点发展, 重点培育, 重点突破
    "strengthen",  # 做大做强, 做优做强, 提升
    "develop",  # 发展, 大力发展
    "cultivate",  # 培育, 培育壮大
    "build",  # 构建, 打造
    "breakthrough",  # 突破
    "drive",  # 带动
    "host",  # 承接, 承担
]


class Record(BaseModel):
    """Base of all records: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Text(Record):
    """One text in the three languages of the product."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    ko: str = Field(min_length=1)


class Plan(Record):
    """The document that the facts come from, and the city that it is for."""

    id: Id
    city: Text
    title: Text
    issuer: Text
    number: str
    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Source(Record):
    """Where a fact that is not in the plan comes from."""

    id: Id
    title: str  # in the source's own language
    label: Text | None = None  # ours, for readers of all three languages
    publisher: str | None = None
    date: str | None = None
    licence: str | None = None
    rights: Text | None = None  # what may be done with it, where no licence says so
    note: str | None = None


AgencyLevel = Literal[  # mass organisations: 团委, 总工会, 科协, 文联
    "party", "mass-organisation", "municipal", "county", "zone", "national", "university", "company", "group"
]


class Seat(Record):
    """The place that a body governs, and a clause that prints the body under that place's name."""

    zone: Id
    clause: ClauseId


class Agency(Record):
    """A body that the plan makes responsible for something."""

    id: Id
    name: Text
    level: AgencyLevel
    members: tuple[Id, ...] = ()  # of a group such as 各区市政府
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


class Industry(Record):
    """One entry of our small taxonomy that the plan's terms are filed under."""

    id: Id
    name: Text
    cluster: Id | None = None
    gbt4754: tuple[Code, ...] = ()  # GB/T 4754-2017 codes, where they fit
    isic4: tuple[Code, ...] = ()  # ISIC Rev.4 codes, where they fit
    no_codes: Text | None = None  # why there is none; required where there is neither
    named: tuple[
        Term, ...
    ] = ()  # where the plan names it for the city as a whole; required without designation
    synonyms_zh: tuple[str, ...] = ()
    synonyms_en: tuple[str, ...] = ()
    synonyms_ko: tuple[str, ...] = ()
    note: Text | None = None


ZoneKind = Literal[
    "district",
    "county-level-city",
    "hitech-zone",
    "economic-zone",
    "bonded-zone",
    "new-area",
    "administrative-area",
    "tourist-resort",
    "science-city",
    "new-town",
    "bay-area",
    "industrial-park",
    "open-park",
    "carbon-park",
]


class Zone(Record):
    """A county, zone, park or new town that the plan names."""

    id: Id
    layer: Literal["counties", "zones", "parks"]
    kind: ZoneKind
    name: Text
    full_name: Text | None = None
    short_name: Text | None = None  # for where there is little room
    printed: str | None = None  # how the plan prints the name, where ours must add a word to be clear
    aliases: tuple[str, ...] = ()  # other spellings and readings that people search for
    parent: Id | None = None  # None: directly under the city
    clauses: tuple[ClauseId, ...] = ()  # every clause that names it
    positioning: tuple[Term, ...] = ()  # what the plan wants it to become, as noun phrases
    no_industries: Text | None = None  # why it has no designation; required where it has none
    note: Text | None = None


class Designation(Record):
    """A zone, an industry that it is to develop, and the clause that says so."""

    zone: Id  # a zone, 五区 or marine core
    industry: Id
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


class Cluster(Record):
    """One of the eight industrial clusters."""

    id: Id
    number: int
    name: Text
    clause: ClauseId
    letter: str  # one capital letter shown beside its colour
    colour: Annotated[str, Field(pattern=r"^#[0-9A-F]{6}$")]
    target: Target | None
    no_target: Text | None = None  # required where target is None
    goals: tuple[Term, ...] = ()
    focus: tuple[Term, ...] = ()  # products and technologies that the clause names
    note: Text | None = None


class Chain(Record):
    """An industrial chain, or a part of a 产业体系; six of the ten advantage chains have no name."""

    id: Id
    kind: Literal["advantage", "marine", "system"]  # system: one of 四大高新技术产业体系
    name: Text | None
    no_name: Text | None = None
    industry: Id | None = None
    zone: Id | None = None  # the marine core that builds it
    clause: ClauseId


class Area(Record):
    """A 五区, belt or marine core: a place made of other places."""

    id: Id
    layer: Literal["five-zones", "belts", "marine-cores"]
    name: Text
    short_name: Text | None = None  # for where there is little room
    printed: str | None = None  # how the plan prints the name, where ours must add a word to be clear
    clause: ClauseId
    clauses: tuple[ClauseId, ...] = ()
    members: tuple[Id, ...]  # zones whose union it is; "weihai" for the whole city
    relation: Term  # the plan's words for how it hangs on its members, e.g. 以高区为核心
    core: Id | None = None  # a place that is marked as its core
    positioning: tuple[Term, ...] = ()
    letter: str
    colour: Annotated[str, Field(pattern=r"^#[0-9A-F]{6}$")]
    no_industries: Text | None = None
    note: Text | None = None


PlatformKind = Literal[
    "innovation-centre",
    "research-institute",
    "laboratory",
    "test-facility",
    "university",
    "incubator",
    "inspection-centre",
    "exhibition-centre",
    "energy-base",
    "fishery-base",
    "community",  # 创新创业共同体 only
    "alliance",
    "fund",
    "service-platform",
    "programme",
    "event",
    "title",  # a designation, pilot or award, held or striven for
    "leading-group",  # 领导小组, 专班
    "unplaced-area",  # a park, belt or quarter of which the plan states no extent
    "stage",  # of the plan's own schedule
]


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
    industries: tuple[Id, ...] = ()
    note: Text | None = None


class IndicatorValue(Record):
    """One figure of an indicator with its year and the plan's own words."""

    value: float
    year: int | None
    wording: str
    clause: ClauseId
    comparator: Literal["=", ">=", ">", "~", "<="] = "="


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
    basis: str  # short; names the source
    sources: tuple[Id, ...] = ()  # those of the basis that have a record of their own


class Town(Record):
    """A town or street: the unit that zones are made of."""

    code: Annotated[str, Field(pattern=r"^\d{9}$")]
    id: Id
    name: Text
    county: Id
    zone: Id | None = None
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
    kind: Literal["seaport", "airport", "railway-station"]
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
    kind: Literal["island", "bay", "cape", "lagoon", "sea", "neighbour", "campus", "centre"]
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
