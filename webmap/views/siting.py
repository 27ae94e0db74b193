"""Siting: criteria from the address, places ranked by them, each with an account; page, JSON and CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import NotRequired, TypedDict
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, g, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from geodata.city import list_criteria, read_city
from layers import document_types as doc
from layers.answers import WHOLE_CITY, IndustryAnswer, Said, ServingTerm
from layers.citations import to_cited
from layers.links import Link, Words
from layers.measures import Measure, Ranked, is_manufacturing, rank, select_service_kinds
from webmap import static_map
from webmap.content import Content
from webmap.http import send_csv
from webmap.i18n import current_language, pick, translate
from webmap.params import ListParameter, ShareParameter, WholeParameter, takes
from webmap.problems import BadParameterError, find_near_rows
from webmap.views.context import content

DISTANCES = ("port", "airport", "station", "university")
GROUPS = tuple(list_criteria())
COAST = "coast"
CIRCUMSTANCES = (*DISTANCES, COAST, *GROUPS)
INDUSTRY = "industry"
MAX_WEIGHT, USUAL_WEIGHT = 5, 3
MAX_INDUSTRIES = 10
MAX_REACH_KM, USUAL_REACH_KM = 200, 50
USUAL_AREA_SHARE = 0.5
INDUSTRIES = ListParameter(INDUSTRY, 0, MAX_INDUSTRIES, meaning="industries.industry")
WEIGHT = WholeParameter("weight", 0, MAX_WEIGHT, USUAL_WEIGHT, meaning="siting.industry_weight")
WEIGHTS = {
    name: WholeParameter(name, 0, MAX_WEIGHT, 0, meaning=f"siting.wish.{name}") for name in CIRCUMSTANCES
}
REACH = WholeParameter("reach", 1, MAX_REACH_KM, USUAL_REACH_KM, meaning="siting.reach")
AREA = ShareParameter("area", USUAL_AREA_SHARE, meaning="answers.area_share")
SITING_PARAMETERS = (INDUSTRIES, WEIGHT, AREA, *WEIGHTS.values(), REACH)
NO_ANSWER: IndustryAnswer = {"kind": "elsewhere", "said": []}
DECIMALS = 3
PERCENT = 100
blueprint = Blueprint("siting", __name__)
COMPARED = 5
SHADES = 5  # strengths of colour on the sketch
WIDEST_RANK = "00"
USUAL = {
    "weight": str(USUAL_WEIGHT),
    "reach": str(USUAL_REACH_KM),
    AREA.name: str(USUAL_AREA_SHARE),
} | dict.fromkeys(CIRCUMSTANCES, "0")


class Account(TypedDict):
    """How far a place meets one criterion, 0 to 1 or None where that is not known, and why; by `kind`."""

    measure: float | None
    low: float | None
    high: float | None
    kind: str
    unknown: NotRequired[Words | None]
    wish: NotRequired[str]  # the criterion, its weight and what it adds to the score
    weight: NotRequired[int]
    points: NotRequired[float | None]
    place: NotRequired[str]  # of a designation
    industry: NotRequired[Link]
    answer: NotRequired[str]
    designations: NotRequired[list[doc.CitedTerm]]
    said: NotRequired[list[Said]]
    listed_for: NotRequired[list[Link]]
    listed: NotRequired[bool]
    distance_m: NotRequired[int]  # of a distance
    accuracy_m: NotRequired[int]
    to: NotRequired[Link]
    on: NotRequired[bool | None]  # of the coast
    sure: NotRequired[bool]
    length_m: NotRequired[int]
    gap_m: NotRequired[int]
    groups: NotRequired[list[doc.AreaGroup]]  # of a group


class SitedPlace(doc.PlaceRef):
    """A place with its score, per cent, and the account of it."""

    rank: int | None
    tied: bool
    unclear: bool
    score: float | None
    score_low: float | None
    score_high: float | None
    known_weight: int
    points: float
    criteria: list[Account]


class UnnamedIndustry(TypedDict):
    """What the plan says of an industry that it lists for no single zone."""

    industry: Link
    dropped: bool
    areas: list[doc.DesignationEntry]
    city: list[doc.DesignationEntry]
    named: list[doc.NamedTerm]
    cluster: list[doc.DesignationEntry]
    served_by: list[ServingTerm]


class Siting(TypedDict):
    """What :func:`rank_places` returns."""

    weights: dict[str, int]
    total_weight: int
    reach_km: int
    area_share: float
    coast_m: int
    edge_m: int
    unnamed: list[UnnamedIndustry]
    ranked: list[SitedPlace]
    incomplete: list[SitedPlace]
    unsuitable: list[SitedPlace]
    elsewhere: list[doc.DesignationEntry]


@dataclass(frozen=True)
class SitingCriteria:
    """Industries that all weigh the same, and the weight of every circumstance; 0 is no criterion."""

    industries: tuple[str, ...]
    industry_weight: int
    weights: Mapping[str, int]
    reach_km: int  # where a distance counts as nothing
    area_share: float = USUAL_AREA_SHARE  # what an industry counts that is listed for the zone's area, 0 to 1

    def to_weights(self) -> dict[str, int]:
        """Return the weight of every criterion, each industry being one."""
        industries = {criterion_of(one): self.industry_weight for one in self.industries}
        return industries | dict(self.weights)


def criterion_of(industry_id: str) -> str:
    """Return the name of the criterion of an industry."""
    return f"{INDUSTRY}:{industry_id}"


def parse_criteria(arguments: MultiDict[str, str], content: Content) -> SitingCriteria:
    """Return the criteria of a request; raises BadParameterError for what is unknown or out of range."""
    industries = tuple(dict.fromkeys(INDUSTRIES.split(arguments.getlist(INDUSTRY))))
    for industry_id in industries:
        if industry_id not in content.industries:
            raise BadParameterError(
                "error.unknown_industry",
                parameter=INDUSTRY,
                value=industry_id,
                allowed=", ".join(content.industries),
                near=_near(industry_id, content),
            )
    INDUSTRIES.check_count(industries, least=0)
    return SitingCriteria(
        industries=industries,
        industry_weight=WEIGHT.parse(arguments),
        weights={name: declared.parse(arguments) for name, declared in WEIGHTS.items()},
        reach_km=REACH.parse(arguments),
        area_share=AREA.parse(arguments),
    )


def _near(given: str, content: Content) -> list[dict[str, str]]:
    """Return the industries that a word may mean: first what the search takes it for, and how."""
    answer = content.search.answer(given, current_language())
    told, nearest = answer["answer"], [row for row in answer["near"] if row.get("how") == "nearest"]
    how = {}
    if told and told["industry"]:
        how[told["industry"]["id"]] = "by_synonym" if told["kind"] == "synonym" else None
    elif nearest:
        how[nearest[0]["id"]] = "by_nearness"
    how |= {one: None for one in find_near_rows(given, content.industries) if one not in how}
    return [
        {
            "id": one,
            "label": " – ".join(
                (
                    pick(content.industries[one]["name"]),
                    *([translate(f"finding.{key}", current_language())] if key else []),
                )
            ),
            "href": f"/find?industry={one}",
        }
        for one, key in how.items()
    ]


def rank_places(content: Content, criteria: SitingCriteria) -> Siting:
    """Return every zone with its score and the account of it: best first, the incomparable apart.

    An industry that the plan lists for no zone and no area tells no zone from another: it is left out of
    the weights, and told first among ``unnamed``. Zones of a kind that the plan's lists show to be for
    services are not recommended for manufacturing: they are in ``unsuitable``, without a rank.
    """
    unnamed = [row for one in criteria.industries if (row := _unnamed(content, one))]
    dropped = {criterion_of(row["industry"]["id"]) for row in unnamed if row["dropped"]}
    weights = {name: 0 if name in dropped else weight for name, weight in criteria.to_weights().items()}
    unsuitable = _unsuitable(content, criteria)
    accounts = {place: _account(content, place, criteria) for place in content.measures["places"]}
    measures = {
        place: {criterion: _to_measure(row) for criterion, row in rows.items()}
        for place, rows in accounts.items()
    }
    suited = rank({one: rows for one, rows in measures.items() if one not in unsuitable}, weights)
    apart = [
        replace(row, rank=None, tied=False, unclear=False)
        for row in rank({one: rows for one, rows in measures.items() if one in unsuitable}, weights)
    ]
    rows = [_row(content, one, accounts[one.id], weights) for one in suited]
    return {
        "weights": {criterion: weight for criterion, weight in weights.items() if weight},
        "total_weight": sum(weights.values()),
        "reach_km": criteria.reach_km,
        "area_share": criteria.area_share,
        "coast_m": content.measures["coast_m"],
        "edge_m": content.measures["edge_m"],
        "unnamed": unnamed,
        "ranked": [row for row in rows if row["rank"]],
        "incomplete": [row for row in rows if not row["rank"]],
        "unsuitable": [_row(content, one, accounts[one.id], weights) for one in apart],
        "elsewhere": _elsewhere(content, criteria.industries),
    }


def _unnamed(content: Content, industry_id: str) -> UnnamedIndustry | None:
    """Return what the plan says of an industry that it lists for no single zone, None where it does."""
    industry = content.industries[industry_id]
    zones = content.measures["places"]
    answers = (content.documents[place]["answers"] for place in zones)
    kinds = {found[industry_id]["kind"] for found in answers if industry_id in found}
    if "zone" in kinds:
        return None
    whole = {row["zone"]["id"] for row in industry["city_designations"]}
    return {
        "industry": doc.to_link(industry),
        "dropped": not kinds,
        "areas": [row for row in industry["designations"] if row["zone"]["id"] not in whole],
        "city": industry["city_designations"],
        "named": industry["named"],
        "cluster": industry["cluster_designations"],
        "served_by": industry["served_by"],
    }


def _unsuitable(content: Content, criteria: SitingCriteria) -> set[str]:
    """Return the zones of a kind that is not for manufacturing, where that is all that is asked for."""
    made = [one for one in criteria.industries if is_manufacturing(content.industries[one]["gbt4754"])]
    kinds = _service_kinds(content)
    return {
        place
        for place in content.measures["places"]
        if made
        and content.documents[place]["kind"] in kinds
        and not any(one in content.documents[place]["answers"] for one in criteria.industries)
    }


def _service_kinds(content: Content) -> set[str]:
    """Return the kinds of zones that the plan's lists show to be for services."""
    listed: dict[str, list[list[str]]] = {}
    for place in content.measures["places"]:
        document = content.documents[place]
        own = {row["industry_id"] for row in document["industries"]}
        listed.setdefault(document["kind"], []).extend(content.industries[one]["gbt4754"] for one in own)
    return select_service_kinds(listed)


def tabulate_siting(content: Content) -> dict[str, object]:
    """Return what :func:`rank_places` answers from, for ``webmap/static/js/offline-siting.js``."""
    kinds = _service_kinds(content)
    return {
        "places": [_tabulate_place(content, one, kinds) for one in content.measures["places"]],
        "industries": {one: _tabulate_industry(content, one) for one in content.industries},
        "circumstances": CIRCUMSTANCES,
        "distances": DISTANCES,
        "coast": COAST,
        "usual": {"weight": USUAL_WEIGHT, "reach": USUAL_REACH_KM, "area": USUAL_AREA_SHARE},
        "limits": {"weight": MAX_WEIGHT, "reach": MAX_REACH_KM, "industries": MAX_INDUSTRIES},
        "coast_m": content.measures["coast_m"],
        "edge_m": content.measures["edge_m"],
    }


def list_all_rankings(content: Content) -> Siting:
    """Return every place with every criterion and all that a ranking may say, for a page to choose from."""
    circumstances = dict.fromkeys(CIRCUMSTANCES, 1)
    criteria = SitingCriteria(tuple(content.industries), 1, circumstances, USUAL_REACH_KM)
    weights, one = criteria.to_weights(), Fraction(1)
    ranked = [
        Ranked(place, one, one, one, (), len(weights), rank=1, tied=True, unclear=True)
        for place in content.measures["places"]
    ]
    rows = [_row(content, row, _account(content, row.id, criteria), weights) for row in ranked]
    kinds = _service_kinds(content)
    return {
        "weights": weights,
        "total_weight": len(weights),
        "reach_km": criteria.reach_km,
        "area_share": criteria.area_share,
        "coast_m": content.measures["coast_m"],
        "edge_m": content.measures["edge_m"],
        "unnamed": [row for one in content.industries if (row := _unnamed(content, one))],
        "ranked": rows,
        "incomplete": [],
        "unsuitable": [row for row in rows if row["kind"] in kinds],
        "elsewhere": _elsewhere(content, criteria.industries),
    }


def _list_unsaid(content: Content) -> list[Account]:
    """Return the accounts of industries that the plan does not give to a place, with or without a list."""
    found: list[Account] = []
    for industry_id, industry in content.industries.items():
        for listed in (True, False):
            value = 0.0 if listed else None
            account = _exact("designation", value)
            account |= {"said": [], "listed": listed, "industry": doc.to_link(industry)}
            account["listed_for"] = _list_named(content, industry)
            found.append(_weighed(criterion_of(industry_id), account, 1))
    return found


def _list_named(content: Content, industry: doc.IndustryDocument) -> list[Link]:
    """Return the places that an industry is listed for, each once."""
    ids = dict.fromkeys(row["zone"]["id"] for row in industry["designations"])
    return [doc.to_link(content.documents[one]) for one in ids]


def _tabulate_place(content: Content, place_id: str, service_kinds: set[str]) -> dict[str, object]:
    document, measured = content.documents[place_id], content.measures["places"][place_id]
    return {
        **doc.to_place_ref(document),
        "answers": document["answers"],
        "no_industries": document["no_industries"],
        "listed": bool(document["industries"]),
        "for_services": document["kind"] in service_kinds,
        "distances": measured["distances"],
        "coast": measured["coast"],
        "groups": measured["groups"],
    }


def _tabulate_industry(content: Content, industry_id: str) -> dict[str, object]:
    industry = content.industries[industry_id]
    return {
        "about": doc.to_link(industry),
        "made": is_manufacturing(industry["gbt4754"]),
        "named": _list_named(content, industry),
        "unnamed": _unnamed(content, industry_id),
        "elsewhere": _elsewhere(content, [industry_id]),
    }


def _row(content: Content, one: Ranked, account: dict[str, Account], weights: dict[str, int]) -> SitedPlace:
    document = content.documents[one.id]
    criteria = [
        _weighed(criterion, account[criterion], weight) for criterion, weight in weights.items() if weight
    ]
    return {
        **doc.to_place_ref(document),
        "rank": one.rank,
        "tied": one.tied,
        "unclear": one.unclear,
        "score": round(float(one.score) * PERCENT, 1) if one.rank and one.score is not None else None,
        "score_low": round(float(one.low) * PERCENT, 1) if one.rank else None,
        "score_high": round(float(one.high) * PERCENT, 1) if one.rank else None,
        "known_weight": one.known_weight,
        "points": round(sum(row.get("points") or 0 for row in criteria), DECIMALS),
        "criteria": criteria,
    }


def _weighed(criterion: str, account: Account, weight: int) -> Account:
    """Return one line of the account with its measure rounded as it is shown."""
    value = account["measure"]
    points = None if value is None else round(weight * value, DECIMALS)
    shown = None if value is None else round(value, DECIMALS)
    return {"wish": criterion, **account, "measure": shown, "weight": weight, "points": points}


def _to_measure(account: Account) -> Measure | None:
    value, low, high = account["measure"], account["low"], account["high"]
    return None if value is None or low is None or high is None else Measure(value, low, high)


def _account(content: Content, place_id: str, criteria: SitingCriteria) -> dict[str, Account]:
    """Return what is known of one place for every criterion, each with its measure or None."""
    measured = content.measures["places"][place_id]
    found = {
        criterion_of(one): _designated(content, place_id, one, criteria.area_share)
        for one in criteria.industries
    }
    found |= {one: _distance(measured["distances"][one], criteria.reach_km) for one in DISTANCES}
    found[COAST] = _coast(measured["coast"])
    return found | {name: _grouped(rows) for name, rows in measured["groups"].items()}


def _exact(kind: str, value: float | None) -> Account:
    """Return an account of a measure that is exact, or not known."""
    return {"measure": value, "low": value, "high": value, "kind": kind}


def _designated(content: Content, place_id: str, industry_id: str, area_share: float) -> Account:
    """Return how far the plan gives an industry to a place: 1 where its own list has it.

    `area_share` where it is listed for an area of the place or for the whole city, or where a task or the
    positioning of the place serves it; 0 where the place has a list of others. A place for which the plan
    lists nothing at all is unknown: silence is no refusal.
    """
    document, industry = content.documents[place_id], content.industries[industry_id]
    answer = document["answers"].get(industry_id, NO_ANSWER)
    own = [to_cited(row) for row in answer["said"] if row["kind"] == "zone"]
    if answer["kind"] == "elsewhere":
        value = 0.0 if document["industries"] else None
    else:
        value = 1.0 if answer["kind"] == "zone" else area_share
    return {
        **_exact("designation", value),
        "place": place_id,
        "industry": doc.to_link(industry),
        "answer": answer["kind"],
        "designations": own,
        "said": answer["said"],
        "listed_for": [one for one in _list_named(content, industry) if one["id"] != place_id],
        "listed": bool(document["industries"]),
        "unknown": document["no_industries"],
    }


def _distance(found: doc.DistanceTo | None, reach_km: int) -> Account:
    """Return 1 at the place itself, falling evenly to 0 at the reach."""
    if found is None:
        return {**_exact("distance", None), "unknown": None}

    def measure(distance_m: float) -> float:
        return max(0.0, 1 - max(distance_m, 0) / (1000 * reach_km))

    distance_m, accuracy_m = found["distance_m"], found["accuracy_m"]
    return {
        "measure": measure(distance_m),
        "low": measure(distance_m + accuracy_m),
        "high": measure(distance_m - accuracy_m),
        "kind": "distance",
        "distance_m": distance_m,
        "accuracy_m": accuracy_m,
        "to": found["to"],
    }


def _coast(found: doc.CoastMeasure) -> Account:
    """Return 1 on the coast, 0 off it, None where the outline is too rough to say."""
    value = None if found["on"] is None else float(found["on"])
    account: Account = {
        **_exact("coast", value),
        "on": found["on"],
        "sure": found["sure"],
        "length_m": found["length_m"],
        "gap_m": found["gap_m"],
        "accuracy_m": found["accuracy_m"],
    }
    if value is None:
        return {**account, "unknown": None}
    return account if found["sure"] else {**account, "low": 0.0}


def _grouped(rows: list[doc.AreaGroup]) -> Account:
    return {**_exact("group", float(bool(rows))), "groups": rows}


def _whole_city() -> dict[str, list[doc.PlaceDocument]]:
    """Return, by criterion, the areas of the whole city: to lie in one tells no place from another."""
    rows = [row for row in content().places() if row["extent"] == WHOLE_CITY]
    return {name: [row for row in rows if row["layer"] == layer] for name, layer in list_criteria().items()}


def _elsewhere(content: Content, industries: Sequence[str]) -> list[doc.DesignationEntry]:
    """Return where else the industries are designated: in areas, which are not ranked.

    Each place once for each industry and clause, though a clause may list several terms of the industry.
    """
    rows: dict[tuple[str, str, str], doc.DesignationEntry] = {}
    for one in industries:
        # A term may join several industries, and lead with another.
        asked = doc.to_link(content.industries[one])
        for row in content.industries[one]["designations"]:
            if row["zone"]["id"] not in content.measures["places"]:
                rows.setdefault((one, row["zone"]["id"], row["clause"]), {**row, "industry": asked})
    return list(rows.values())


@blueprint.get("/find")
def find_page() -> ResponseReturnValue:
    """Show the zones ranked by the criteria of the address, each with its account."""
    criteria = parse_criteria(request.args, content())
    short = _shorten()
    if short is not None:
        return redirect(short)
    as_file = current_app.extensions["settings"].files is not None
    found = list_all_rankings(content()) if as_file else rank_places(content(), criteria)
    best = [row["id"] for row in found["ranked"][:COMPARED]]
    return render_template(
        "find.html",
        page="find",
        wishes=criteria,
        parameters=(*(one.name for one in SITING_PARAMETERS), "lang"),
        found=found,
        unsaid=_list_unsaid(content()) if as_file else [],
        sketch=_sketch(found, as_file=as_file),
        best=",".join(best) if len(best) > 1 else "",
        groups=_industry_groups(),
        whole_city=_whole_city(),
        circumstances=CIRCUMSTANCES,
        examples=read_city().siting_examples,
        limits={"weight": MAX_WEIGHT, "reach": MAX_REACH_KM},
    )


@blueprint.get("/find.json")
@takes(*SITING_PARAMETERS, title="siting.title")
def find_document() -> Response:
    """Send the ranking with every measure, weight and reason."""
    return jsonify(rank_places(content(), parse_criteria(request.args, content())))


@blueprint.get("/find.csv")
@takes(*SITING_PARAMETERS, title="siting.title")
def find_csv() -> Response:
    """Send the ranking as a table: a line a zone and criterion."""
    criteria = parse_criteria(request.args, content())
    found = rank_places(content(), criteria)
    head = ["rank", "zone_id", "zone_zh", f"zone_{g.language}", "score", "score_low", "score_high"]
    head += ["wish", "measure", "weight", "points", "distance_m", "accuracy_m", "nearest", "clauses"]
    rows = [
        line for row in (*found["ranked"], *found["incomplete"], *found["unsuitable"]) for line in _lines(row)
    ]
    return send_csv([dict.fromkeys(head), *rows], f"{content().plan['id']}-find")


def _lines(row: SitedPlace) -> list[list[object]]:
    names = dict.fromkeys(("zh", g.language))
    own: list[object] = [row["rank"], row["id"], *(row["name"][one] for one in names)]
    own += [row["score"], row["score_low"], row["score_high"]]
    return [[*own, *_cells(one)] for one in row["criteria"]]


def _cells(one: Account) -> list[object]:
    clauses = [row["clause"] for row in one.get("said", ())] + [
        row["clause"] for row in one.get("groups", ())
    ]
    measured = one.get("distance_m", one.get("gap_m"))
    nearest = one["to"]["id"] if "to" in one else None
    own = [one.get("wish"), one["measure"], one.get("weight"), one.get("points")]
    return [*own, measured, one.get("accuracy_m"), nearest, "; ".join(dict.fromkeys(clauses))]


def _shorten() -> str | None:
    """Return the address without repeated and usual values, or None where it is short already."""
    given = list(request.args.items(multi=True))
    kept = [(name, value) for name, value in given if name != INDUSTRY and value != USUAL.get(name, "")]
    industries = ",".join(dict.fromkeys(INDUSTRIES.split(request.args.getlist(INDUSTRY))))
    short = [*([(INDUSTRY, industries)] if industries else []), *kept]
    if sorted(short) == sorted(given):
        return None
    return f"/find?{urlencode(short, safe=',')}" if short else "/find"


def _sketch(found: Siting, *, as_file: bool) -> static_map.ArrangedMap | None:
    """Return the sketch of the ranking: the higher the score, the stronger the colour.

    In a file it has room for the rank of every place, and a script sets ranks and colours.
    """
    if as_file:
        places = [row["id"] for row in found["ranked"]]
        marks, ranks = dict.fromkeys(places, "score-none"), dict.fromkeys(places, WIDEST_RANK)
        return static_map.arrange(content(), marks, g.language, ranks)
    marks = {
        row["id"]: f"score-{min(int((row['score'] or 0) * SHADES / 100), SHADES - 1)}"
        for row in found["ranked"]
    }
    marks |= {row["id"]: "score-none" for row in (*found["incomplete"], *found["unsuitable"])}
    ranks = {row["id"]: str(row["rank"]) for row in found["ranked"]}
    return static_map.arrange(content(), marks, g.language, ranks) if marks else None


def _industry_groups() -> list[dict[str, object]]:
    """Return the industries by cluster, those without one last."""
    rows = list(content().industries.values())
    groups: list[dict[str, object]] = [
        {
            "cluster": one,
            "items": [row for row in rows if row["cluster"] and row["cluster"]["id"] == one["id"]],
        }
        for one in sorted(content().clusters.values(), key=lambda one: str(one["letter"]))
    ]
    return [*groups, {"cluster": None, "items": [row for row in rows if not row["cluster"]]}]
