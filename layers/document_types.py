"""What the documents of a release hold, member by member: the JSON that pages, panel, sheets and files read.

Texts are :data:`~layers.links.Words`, quantities carry their unit in the name, positions are (lon, lat).
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

from layers.answers import (
    AreaIndustries,
    AreaIndustry,
    AreaPositioning,
    CitedIndustry,
    IndustryAnswer,
    Role,
    ServingTerm,
)
from layers.links import (
    ClauseLink,
    ContactCard,
    Link,
    Reached,
    Sources,
    Statement,
    Words,
)
from layers.map_types import OwnEntry


class FileLink(TypedDict):
    """Where a document is to be had in another format."""

    rel: str
    href: str
    type: str


class ClusterName(TypedDict):
    """A cluster as it stands beside others."""

    id: str
    name: Words
    letter: str
    colour: str


class PlaceIndustry(AreaIndustry):
    """An industry of a place's own: the plan's term and verb, with its clause."""

    shared: bool  # whether one term stands for several industries
    note: Words | None


class PlaceTask(Statement):
    """What the plan wants done with a zone."""

    verb: str
    industries: list[str]
    note: Words | None
    industry_links: NotRequired[list[Link]]


class PlatformEntry(TypedDict):
    """A platform as an industry or a cluster lists it."""

    id: str
    name: Words
    url: str | None
    kind: str
    status: str
    zone: Link | None
    zone_basis: str
    industries_basis: str
    clauses: list[str]


class TieEntry(Statement):
    """How the plan ties one thing to another, of which there may be no record."""

    subject: PlatformEntry | Link | None
    object: Link | None
    role: str


class Membership(Link):
    """An area that a place is a member of."""

    layer: str
    relation: Words
    clause: str


class AnchorLink(Link):
    """A zone that an area hangs on."""

    role: str


class AreaRelation(TypedDict):
    """The plan's words for how an area hangs on its members."""

    term: Words
    clause: str


class ChildLink(Link):
    """A place inside another."""

    layer: str
    kind: str


class TownName(TypedDict):
    """A town, which has no page."""

    id: str
    name: Words


class PlacePlatform(Link):
    """A platform inside a place."""

    kind: str
    located: bool
    zone_basis: str
    status: str


class PlaceGateway(Link):
    """A gateway inside a place."""

    kind: str


class PlaceChain(TypedDict):
    """An industrial chain that a place builds."""

    id: str
    name: Words | None
    clause: str


class Government(TypedDict):
    """The body that governs a place."""

    agency_id: str
    name: Words
    clause: str
    contact: ContactCard | None
    tasks: list[ClauseLink]


class CitedSource(Link):
    """A source with its title in its own language."""

    title: str


class OfficialAreaEntry(TypedDict):
    """A stated area of a place."""

    area_km2: float
    chosen: bool
    scope: Words | None
    source: CitedSource
    confidence: str
    reason: Words | None


class GeometryAccount(TypedDict):
    """How true a place's geometry is; `spots` are (lon, lat, metres) of what is known as points at most."""

    method: str | None
    schematic: bool
    accuracy_m: int | None
    source: Words | None
    sources: list[Link]
    licence: Words | None
    bbox: list[float] | None
    label: list[float] | None
    spots: list[list[float]]
    adjusted_by: list[Link | None]
    unknown: Words | None


class PlaceRef(TypedDict):
    """Which place of the map something is said of."""

    id: str
    layer: str
    kind: str
    name: Words
    url: str


class PlaceIndustries(TypedDict, total=False):
    """What the plan wants a place to develop."""

    industries: list[PlaceIndustry]
    no_industries: Words | None
    clusters: list[ClusterName]


class PlaceBelonging(TypedDict, total=False):
    """What a place is part of, and of an area what it is made of."""

    extent: str | None
    anchors: list[AnchorLink]
    methods: list[Statement]
    memberships: list[Membership]
    members: list[Link | None]
    core: Link | None
    relation: AreaRelation | None


class PlaceContents(TypedDict, total=False):
    """What lies in a place."""

    children: list[ChildLink]
    towns: list[TownName]
    town_sources: list[Link]  # of which towns these are
    platforms: list[PlacePlatform]
    gateways: list[PlaceGateway]
    chains: list[PlaceChain]


class PlaceAreas(TypedDict, total=False):
    """How large a place is: as measured and as stated."""

    area_km2: float | None
    area_note: Words | None
    official_area_km2: float | None
    official_areas: list[OfficialAreaEntry]


class PointMembers(TypedDict, total=False):
    """What only platforms and gateways have."""

    opened: str | None
    position: dict[str, object] | None
    status: str
    zone_basis: str
    fields: list[Statement]
    remarks: list[Statement]
    industries_basis: str
    industries_related: list[TownName]


class PlaceMembers(TypedDict, total=False):
    """What only counties, zones, parks and areas have."""

    full_name: Words | None
    short_name: Words | None
    positioning: list[Statement]
    tasks: list[PlaceTask]
    positioning_of_areas: list[AreaPositioning]
    industries_of_areas: list[AreaIndustries]
    answers: dict[str, IndustryAnswer]
    government: Government | None
    contact: ContactCard | None
    ties: list[TieEntry]


class PlaceHead(
    PlaceRef, PlaceIndustries, PlaceBelonging, PlaceContents, PlaceAreas, PlaceMembers, PointMembers
):
    """Who a place of the map is; what else is known of it comes with its document."""

    letter: str | None
    colour: str | None
    note: Words | None
    links: list[FileLink]


class PlaceDocument(PlaceHead, Sources):
    """Everything known of a county, zone, park, area, platform or gateway.

    Platforms and gateways lack the members of territories, and the other way round.
    """

    parent: Link | None
    aliases: list[str]
    geometry: GeometryAccount


class CitedTerm(TypedDict):
    """A term of the plan with verb and clause; of an area's also the area, and the place's role in it."""

    term: Words
    emphasis: str | None
    verb: str | None
    clause: str
    area: NotRequired[Link]
    role: NotRequired[str]


class DesignationEntry(TypedDict):
    """A zone that is to develop an industry, says a clause."""

    zone: Link
    industry: Link
    term: Words
    emphasis: str
    verb: str
    clause: str
    note: Words | None


class AreaDesignation(TypedDict):
    """An industry that is listed for an area of which a zone is the centre, core, support or part."""

    zone: Link
    area: Link
    extent: str
    role: Role
    through: Link | None
    relation: Words
    relation_clause: str
    term: Words
    verb: str
    emphasis: str
    clause: str


class NamedTerm(Statement):
    """Where the plan names an industry for no single zone."""

    verb: str | None
    scope: str


class OtherZones(TypedDict):
    """The zones that the plan passes over when it lists an industry: with a list, and without one."""

    other_industries: list[Link]
    no_industries: list[Link]


class ChainEntry(PlaceChain):
    """An industrial chain with the place that builds it."""

    kind: str
    zone: Link | None


class NearIndustry(Link):
    """An industry near another: of the same cluster or division, or designated for the same places."""

    cluster: bool
    divisions: list[str]
    zones: list[Link]


class TargetEntry(TypedDict):
    """A cluster's target, as the plan has it."""

    value: float
    unit: Words
    year: int
    measure: Words
    wording: str
    clause: str
    comparator: str


class ClusterHead(ClusterName):
    """A cluster with its target, and what it reached."""

    url: str
    target: TargetEntry | None
    no_target: Words | None
    outcomes: list[Reached]
    focus: list[Statement]


class IndustryDocument(Link, Sources):
    """Everything known of an industry."""

    status: str
    cluster: ClusterHead | None
    gbt4754: list[str]
    isic4: list[str]
    no_codes: Words | None
    synonyms: dict[str, list[str]]
    note: Words | None
    designations: list[DesignationEntry]
    cluster_designations: list[DesignationEntry]
    zone_designations: list[DesignationEntry]
    listed_areas: list[DesignationEntry]
    area_designations: list[AreaDesignation]
    city_designations: list[DesignationEntry]
    served_by: list[ServingTerm]
    others: OtherZones
    named: list[NamedTerm]
    chains: list[ChainEntry]
    platforms: list[PlatformEntry]
    near: list[NearIndustry]


class ClusterIndustry(Link):
    """An industry of a cluster: designated for some place, or named for the city only."""

    status: str


class ClusterPlace(Link):
    """A place with its designations in a cluster."""

    designations: list[DesignationEntry]


class ClusterDocument(ClusterHead, Sources):
    """Everything known of a cluster."""

    number: int
    clause: str
    goals: list[Statement]
    ties: list[TieEntry]
    note: Words | None
    industries: list[ClusterIndustry]
    places: list[ClusterPlace]
    chains: list[ChainEntry]


class AgencyClause(ClauseLink):
    """A clause that an agency answers for: by itself, or as a member of groups."""

    as_group: list[Link] | None
    places: list[Link]


class GovernedPlace(Link):
    """The place that a body governs, and the clause that prints the body."""

    clause: str


class AgencyDocument(Link):
    """What an agency is responsible for."""

    level: str
    note: Words | None
    contact: ContactCard | None
    members: list[Link]
    groups: list[Link]
    governs: GovernedPlace | None
    clauses: list[AgencyClause]


class IndicatorFigure(TypedDict):
    """Base or target of an indicator."""

    value: float
    year: int | None
    wording: str
    clause: str
    comparator: str


class IndicatorDocument(TypedDict):
    """An indicator with base, target and what was reached."""

    id: str
    group: str
    name: Words
    unit: Words
    direction: str | None
    base: IndicatorFigure | None
    no_base: Words | None
    target: IndicatorFigure | None
    no_target: Words | None
    note: Words | None
    below_base: bool
    outcomes: list[Reached]


class PlanDocument(TypedDict):
    """The document that the facts come from."""

    id: str
    city: Words
    title: Words
    issuer: Words
    number: str
    date: str
    public_copy: str | None


class SourceTerms(TypedDict):
    """On whose terms something may be used; `count` of rows is None for all of them."""

    source: str | None
    name: Words
    url: str | None
    licence: str | None
    rights: Words | None
    count: int | None


class SummaryEntry(TypedDict):
    """How many rows a layer or table has, how their places are known, where they lie, on what terms."""

    count: int
    methods: list[str]
    accuracy_m: list[float] | None  # the least and the greatest
    bbox: tuple[float, float, float, float] | None
    crs: str | None  # the frame that the coordinates are kept in
    terms: list[SourceTerms]


class SourceEntry(SourceTerms):
    """A source of what is not in the plan."""

    publisher: str | None
    date: str | None


class ImportEntry(TypedDict):
    """An imported boundary in force; `crs` is the frame that it came in."""

    id: str
    layer: str
    name: Words
    method: str
    accuracy_m: float
    source: str
    licence: str
    who: str
    date: str
    crs: str


class PublisherEntry(TypedDict):
    """Who publishes the site, as the operator states it."""

    name: Words
    website: str | None
    feedback: str | None
    map_review_number: str | None
    map_review_notice: Words | None
    as_of: str


class LocalSummary(TypedDict):
    """What an operator added to the facts; `horizon` is the year that the plan looks to."""

    files: list[str]
    publisher: PublisherEntry | None
    logo: bool
    contacts: int
    outcomes: int
    wording: bool
    layers: list[Link]  # of the operator's own
    horizon: int | None


class DistanceTo(TypedDict):
    """How far a place is from the nearest thing of a kind, and how exact that figure is."""

    distance_m: int
    accuracy_m: int
    to: Link


class CoastMeasure(TypedDict):
    """A place's edge with the sea; `on` is None where the outline is too rough to say."""

    on: bool | None
    sure: bool
    length_m: int
    gap_m: int
    accuracy_m: int


class AreaGroup(Link):
    """An area that a place belongs to, by itself or `through` one that it lies in."""

    relation: Words
    clause: str
    through: Link | None


class PlaceMeasures(TypedDict):
    """What is measured of a place; `beside` holds the ids of its neighbours."""

    distances: dict[str, DistanceTo | None]
    coast: CoastMeasure
    groups: dict[str, list[AreaGroup]]
    beside: list[str]


class MeasuresDocument(TypedDict):
    """What is measured of every place, by id."""

    edge_m: int
    coast_m: int
    places: dict[str, PlaceMeasures]


class FlatEntry(TypedDict):
    """A column that formats without nesting have besides a list of records."""

    name: str
    of: str
    short: str
    description: Words


class FieldEntry(TypedDict):
    """One property of a layer or table; see :class:`~layers.catalogue.FieldInfo`."""

    name: str
    type: str
    description: Words
    nullable: bool
    format: NotRequired[str | None]
    unit: str | None
    values: list[str] | None
    short: str | None
    flat: FlatEntry | None


class LayerEntry(TypedDict):
    """A layer or table as the release's catalogue has it."""

    id: str
    geometry: Literal["polygon", "point", "none"]
    title: Words
    description: Words
    fields: list[FieldEntry]
    own: NotRequired[OwnEntry | None]


class ReadyFile(TypedDict):
    """A file of a layer or table that is ready, or None for its digest where it must be made."""

    href: str
    format: str
    bytes: int
    sha256: str | None


class DownloadEntry(LayerEntry, SummaryEntry):
    """A layer or table as the download centre has it."""

    files: list[ReadyFile]


class StatedPlace(TypedDict, total=False):
    """Who a place is, and what the plan says of it in short."""

    id: str
    layer: str
    kind: str
    name: Words
    url: str | None
    industries: list[CitedIndustry]
    relation: AreaRelation | None
    extent: str | None
    anchors: list[AnchorLink]
    note: Words | None


class BlockHead(StatedPlace, total=False):
    """What is said of one geometry of a block: of a place, a gateway, ground, or a stretch of edge."""

    parent: Link | None
    spots: list[list[float]]
    geometry_method: str | None
    geometry_schematic: bool
    positional_accuracy_m: float
    edge: str  # of a place with its edge moved: inner or outer
    of: list[str]  # the places that a stretch bounds
    accuracy_m: float  # of a stretch
    coast: bool
    errors: list[tuple[float, float]]  # of the first stretch, see :class:`~layers.lookup.Errors`


def to_link(row: Link | PlaceRef | StatedPlace) -> Link:
    """Return the link alone of what says more."""
    return {"id": row["id"], "name": row["name"], "url": row["url"]}


def to_place_ref(place: PlaceRef) -> PlaceRef:
    """Return of a document which place it is of."""
    return {
        "id": place["id"],
        "layer": place["layer"],
        "kind": place["kind"],
        "name": place["name"],
        "url": place["url"],
    }
