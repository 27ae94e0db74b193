"""Find a place for a purpose: every wish measured on every zone, weighed, ranked and accounted for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from layers.siting import Measure, Ranked, is_manufacturing, rank, select_service_kinds
from webmap.content import Content
from webmap.wishes import COAST, DISTANCES, Wishes, to_wish

Row = dict[str, Any]
DECIMALS = 3
PERCENT = 100


def find(content: Content, wishes: Wishes) -> Row:
    """Return every zone with its score and the account of it: best first, the incomparable apart.

    An industry that the plan lists for no zone and no area tells no zone from another: it is left out of
    the weights, and told first among ``unnamed``. Zones of a kind that the plan's lists show to be for
    services are not recommended for manufacturing: they are in ``unsuitable``, without a rank.
    """
    unnamed = [row for one in wishes.industries if (row := _unnamed(content, one))]
    dropped = {to_wish(row["industry"]["id"]) for row in unnamed if row["dropped"]}
    weights = {wish: 0 if wish in dropped else weight for wish, weight in wishes.to_weights().items()}
    unsuitable = _unsuitable(content, wishes)
    accounts = {place: _account(content, place, wishes) for place in content.measures["places"]}
    measures = {
        place: {wish: _to_measure(row) for wish, row in rows.items()} for place, rows in accounts.items()
    }
    suited = rank({one: rows for one, rows in measures.items() if one not in unsuitable}, weights)
    apart = rank({one: rows for one, rows in measures.items() if one in unsuitable}, weights)
    rows = [_row(content, one, accounts[one.id], weights) for one in suited]
    return {
        "weights": {wish: weight for wish, weight in weights.items() if weight},
        "total_weight": sum(weights.values()),
        "reach_km": wishes.reach_km,
        "area_share": wishes.area_share,
        "coast_m": content.measures["coast_m"],
        "edge_m": content.measures["edge_m"],
        "unnamed": unnamed,
        "ranked": [row for row in rows if row["rank"]],
        "incomplete": [row for row in rows if not row["rank"]],
        "unsuitable": [_row(content, _unranked(one), accounts[one.id], weights) for one in apart],
        "elsewhere": _elsewhere(content, wishes),
    }


def _unranked(one: Ranked) -> Ranked:
    return replace(one, rank=None, tied=False, unclear=False)


def _unnamed(content: Content, industry_id: str) -> Row | None:
    """Return what the plan says of an industry that it lists for no single zone, None where it does."""
    industry = content.industries[industry_id]
    zones = content.measures["places"]
    kinds = {content.documents[place]["answers"].get(industry_id, {}).get("kind") for place in zones} - {None}
    if "zone" in kinds:
        return None
    whole = {row["zone"]["id"] for row in industry["city_designations"]}
    return {
        "industry": {key: industry[key] for key in ("id", "name", "url")},
        "dropped": not kinds,
        "areas": [row for row in industry["designations"] if row["zone"]["id"] not in whole],
        "city": industry["city_designations"],
        "named": industry["named"],
        "cluster": industry["cluster_designations"],
        "served_by": industry["served_by"],
    }


def _unsuitable(content: Content, wishes: Wishes) -> set[str]:
    """Return the zones of a kind that is not for manufacturing, where that is all that is asked for."""
    industries = content.industries
    made = [one for one in wishes.industries if is_manufacturing(industries[one]["gbt4754"])]
    listed: dict[str, list[list[str]]] = {}
    for place in content.measures["places"]:
        document = content.documents[place]
        own = {row["industry_id"] for row in document["industries"]}
        listed.setdefault(document["kind"], []).extend(industries[one]["gbt4754"] for one in own)
    kinds = select_service_kinds(listed)
    return {
        place
        for place in content.measures["places"]
        if made
        and content.documents[place]["kind"] in kinds
        and not any(one in content.documents[place]["answers"] for one in wishes.industries)
    }


def _row(content: Content, one: Ranked, account: dict[str, Row], weights: dict[str, int]) -> Row:
    document = content.documents[one.id]
    criteria = [_weighed(wish, account[wish], weight) for wish, weight in weights.items() if weight]
    own = {key: document[key] for key in ("id", "layer", "kind", "name", "url")}
    return own | {
        "rank": one.rank,
        "tied": one.tied,
        "unclear": one.unclear,
        "score": round(float(one.score) * PERCENT, 1) if one.rank and one.score is not None else None,
        "score_low": round(float(one.low) * PERCENT, 1) if one.rank else None,
        "score_high": round(float(one.high) * PERCENT, 1) if one.rank else None,
        "known_weight": one.known_weight,
        "points": round(sum(row["points"] or 0 for row in criteria), DECIMALS),
        "criteria": criteria,
    }


def _weighed(wish: str, account: Row, weight: int) -> Row:
    """Return one line of the account with its measure rounded as it is shown."""
    value = account["measure"]
    points = None if value is None else round(weight * value, DECIMALS)
    shown = {"measure": None if value is None else round(value, DECIMALS), "weight": weight, "points": points}
    return {"wish": wish} | account | shown


def _to_measure(account: Row) -> Measure | None:
    value = account["measure"]
    return None if value is None else Measure(value, account["low"], account["high"])


def _account(content: Content, place_id: str, wishes: Wishes) -> dict[str, Row]:
    """Return what is known of one place for every wish, each with its measure or None."""
    measured = content.measures["places"][place_id]
    found = {
        to_wish(one): _designated(content, place_id, one, wishes.area_share) for one in wishes.industries
    }
    found |= {one: _distance(measured["distances"][one], wishes.reach_km) for one in DISTANCES}
    found[COAST] = _coast(measured["coast"])
    return found | {name: _grouped(rows) for name, rows in measured["groups"].items()}


def _designated(content: Content, place_id: str, industry_id: str, area_share: float) -> Row:
    """Return how far the plan gives an industry to a place: 1 where its own list has it.

    `area_share` where it is listed for an area of the place or for the whole city, or where a task or the
    positioning of the place serves it; 0 where the place has a list of others. A place for which the plan
    lists nothing at all is unknown: silence is no refusal.
    """
    document, industry = content.documents[place_id], content.industries[industry_id]
    about = {key: industry[key] for key in ("id", "name", "url")}
    answer = document["answers"].get(industry_id, {"kind": "elsewhere", "said": []})
    keys = ("term", "emphasis", "verb", "clause")
    own = [{key: row[key] for key in keys} for row in answer["said"] if row["kind"] == "zone"]
    named = dict.fromkeys(
        row["zone"]["id"] for row in industry["designations"] if row["zone"]["id"] != place_id
    )
    reason = {
        "kind": "designation",
        "industry": about,
        "answer": answer["kind"],
        "designations": own,
        "said": answer["said"],
        "listed_for": [{key: content.documents[one][key] for key in ("id", "name", "url")} for one in named],
        "listed": bool(document["industries"]),
    }
    if answer["kind"] == "elsewhere":
        value = 0.0 if document["industries"] else None
    else:
        value = 1.0 if answer["kind"] == "zone" else area_share
    return _exact(value) | reason | {"unknown": document["no_industries"]}


def _distance(found: Row | None, reach_km: int) -> Row:
    """Return 1 at the place itself, falling evenly to 0 at the reach."""
    if found is None:
        return _exact(None) | {"kind": "distance", "unknown": None}

    def measure(distance_m: float) -> float:
        return max(0.0, 1 - max(distance_m, 0) / (1000 * reach_km))

    distance_m, accuracy_m = found["distance_m"], found["accuracy_m"]
    return {
        "measure": measure(distance_m),
        "low": measure(distance_m + accuracy_m),
        "high": measure(distance_m - accuracy_m),
        "kind": "distance",
        **found,
    }


def _coast(found: Row) -> Row:
    """Return 1 on the coast, 0 off it, None where the outline is too rough to say."""
    if found["on"] is None:
        return _exact(None) | {"kind": "coast", "unknown": None, **found}
    value = float(found["on"])
    return {"measure": value, "low": value if found["sure"] else 0.0, "high": value, "kind": "coast", **found}


def _grouped(rows: list[Row]) -> Row:
    return _exact(float(bool(rows))) | {"kind": "group", "groups": rows}


def _exact(value: float | None) -> Row:
    return {"measure": value, "low": value, "high": value}


def _elsewhere(content: Content, wishes: Wishes) -> list[Row]:
    """Return where else the industries are designated: in belts, 五区 and cores, which are not ranked.

    Each place once for each industry and clause, though a clause may list several terms of the industry.
    """
    rows = {
        (one, row["zone"]["id"], row["clause"]): {
            "industry": {key: content.industries[one][key] for key in ("id", "name", "url")},
            **row,
        }
        for one in wishes.industries
        for row in reversed(content.industries[one]["designations"])
        if row["zone"]["id"] not in content.measures["places"]
    }
    return list(reversed(rows.values()))
