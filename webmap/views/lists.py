"""Lists of places, with facets: areas at ``/zones/``, platforms and gateways at ``/platforms/``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import Blueprint, g, render_template, request

from geodata.kinds import PLACE_LAYERS, POINT_LAYERS
from layers.document_types import IndustryDocument, PlaceDocument
from webmap.content import Content
from webmap.params import ChoiceParameter, Q
from webmap.views.context import PAGE, choose_part, content

blueprint = Blueprint("lists", __name__)
BY_PLAN, BY_NAME, BY_KIND, BY_AREA, BY_COUNT = "plan", "name", "kind", "area", "count"
KIND, COUNTY, INDUSTRY = (ChoiceParameter(name) for name in ("kind", "county", "industry"))
POSITION = ChoiceParameter("position", allowed=("known", "unknown"))
SORT = ChoiceParameter("sort", allowed=(BY_PLAN, BY_NAME, BY_AREA, BY_COUNT), default=BY_PLAN)
POINT_SORT = ChoiceParameter("sort", allowed=(BY_PLAN, BY_NAME, BY_KIND), default=BY_PLAN)


@dataclass(frozen=True)
class ListRequest:
    """What of a list is asked for; None for whatever it is."""

    q: str
    kind: str | None
    county: str | None
    industry: str | None
    position: str | None
    sort: str
    page: int

    @property
    def chosen(self) -> bool:
        """Whether anything narrows the list."""
        return bool(self.q or self.kind or self.county or self.industry or self.position)


@dataclass(frozen=True)
class Facets:
    """What may be chosen, each with how many places of the whole list it leaves."""

    kinds: list[tuple[str, int]]
    counties: list[tuple[PlaceDocument, int]]
    industries: list[tuple[IndustryDocument, int]]
    positions: list[tuple[str, int]]


@blueprint.get("/zones/")
def zones_page() -> str:
    """List the areas by layer: the map as a list."""
    rows = _list_places(PLACE_LAYERS)
    asked = parse_list_request(rows, SORT)
    found = select_places(rows, asked)
    groups = [(layer, [row for row in found if row["layer"] == layer]) for layer in PLACE_LAYERS]
    return render_template(
        "zones.html",
        page="zones",
        asked=asked,
        facets=count_facets(rows),
        groups=[(layer, members) for layer, members in groups if members],
        points=Counter(row["layer"] for row in _list_places(POINT_LAYERS)),
        found=len(found),
        total=len(rows),
        sorts=SORT.allowed,
    )


@blueprint.get("/platforms/")
def platforms_page() -> str:
    """List platforms and gateways, some at a time; all of them where the page becomes a file."""
    rows = _list_places(POINT_LAYERS)
    asked = parse_list_request(rows, POINT_SORT)
    found = select_places(rows, asked)
    return render_template(
        "platforms.html",
        page="zones",
        asked=asked,
        facets=count_facets(rows),
        rows=found,
        total=len(rows),
        sorts=POINT_SORT.allowed,
        **choose_part(found, asked.page),
    )


def parse_list_request(rows: Iterable[PlaceDocument], sort: ChoiceParameter) -> ListRequest:
    """Return what the address asks of `rows`; raises BadParameterError for what is unknown."""
    kinds = dict.fromkeys(row["kind"] for row in rows)
    return ListRequest(
        q=Q.parse(request.args).strip(),
        kind=KIND.parse(request.args, kinds),
        county=COUNTY.parse(request.args, [row["id"] for row in _list_places(("counties",))]),
        industry=INDUSTRY.parse(request.args, content().industries),
        position=POSITION.parse(request.args),
        sort=sort.require(request.args),
        page=PAGE.parse(request.args),
    )


def select_places(rows: Iterable[PlaceDocument], asked: ListRequest) -> list[PlaceDocument]:
    """Return the places that fit all that is asked, in its order."""
    found = [row for row in rows if _fits(row, asked)]
    language = g.language
    orders: dict[str, Callable[[PlaceDocument], str | float]] = {
        BY_NAME: lambda row: row["name"][language].casefold(),
        BY_KIND: lambda row: row["kind"],
        BY_AREA: lambda row: -(row.get("area_km2") or 0.0),
        BY_COUNT: lambda row: -len(_local_industries(row)),
    }
    return sorted(found, key=orders[asked.sort]) if asked.sort in orders else found


def count_facets(rows: Iterable[PlaceDocument]) -> Facets:
    """Return the choices that fit at least one of `rows`."""
    rows = list(rows)
    kinds = Counter(row["kind"] for row in rows)
    counties = Counter(_county_of(content(), row) for row in rows)
    industries = Counter(one for row in rows for one in _local_industries(row))
    positions = Counter(_position_of(row) for row in rows)
    return Facets(
        kinds=list(kinds.items()),
        counties=[(row, counties[row["id"]]) for row in _list_places(("counties",)) if counties[row["id"]]],
        industries=[(row, industries[one]) for one, row in content().industries.items() if industries[one]],
        positions=[(one, positions[one]) for one in POSITION.allowed if positions[one]],
    )


def _list_places(layers: Iterable[str]) -> list[PlaceDocument]:
    rows = content().documents.values()
    return [row for layer in layers for row in rows if row["layer"] == layer]


def _fits(row: PlaceDocument, asked: ListRequest) -> bool:
    return (
        asked.kind in (None, row["kind"])
        and (asked.county is None or _county_of(content(), row) == asked.county)
        and (asked.industry is None or asked.industry in _local_industries(row))
        and asked.position in (None, _position_of(row))
        and asked.q.casefold() in _words(row)
    )


def _county_of(found: Content, row: PlaceDocument) -> str | None:
    """Return the county that a place lies in, or is; None where that is not known."""
    current: PlaceDocument | None = row
    while current is not None and current["layer"] != "counties":
        parent = current.get("parent")
        current = found.documents.get(parent["id"]) if parent else None
    return current["id"] if current else None


def _local_industries(row: PlaceDocument) -> list[str]:
    """Return the industries listed for a place or its areas, or related to a platform; not the city's."""
    listed = [one for one, answer in row.get("answers", {}).items() if answer["kind"] != "city"]
    return [*listed, *(one["id"] for one in row.get("industries_related", []))]


def _position_of(row: PlaceDocument) -> str:
    return "unknown" if row["geometry"]["bbox"] is None else "known"


def _words(row: PlaceDocument) -> str:
    """Return everything that a place may be looked for by, folded."""
    names = [row["name"], row.get("full_name") or {}, row.get("short_name") or {}]
    texts = [text for name in names for text in name.values()]
    return "\n".join([row["id"], *texts, *row.get("aliases", [])]).casefold()
