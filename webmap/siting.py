"""Find a place for a purpose: every wish measured on every zone, weighed, ranked and accounted for."""

from __future__ import annotations

from typing import Any

from layers.siting import Measure, Ranked, rank
from webmap.content import Content
from webmap.wishes import COAST, DISTANCES, Wishes, to_wish

Row = dict[str, Any]
DECIMALS = 3
PERCENT = 100


def find(content: Content, wishes: Wishes) -> Row:
    """Return every zone with its score and the account of it: best first, the incomparable apart."""
    weights = wishes.to_weights()
    accounts = {place: _account(content, place, wishes) for place in content.measures["places"]}
    measures = {
        place: {wish: _to_measure(row) for wish, row in rows.items()} for place, rows in accounts.items()
    }
    rows = [_row(content, one, accounts[one.id], weights) for one in rank(measures, weights)]
    return {
        "weights": {wish: weight for wish, weight in weights.items() if weight},
        "total_weight": sum(weights.values()),
        "reach_km": wishes.reach_km,
        "coast_m": content.measures["coast_m"],
        "edge_m": content.measures["edge_m"],
        "ranked": [row for row in rows if row["rank"]],
        "incomplete": [row for row in rows if not row["rank"]],
        "elsewhere": _elsewhere(content, wishes),
    }


def _row(content: Content, one: Ranked, account: dict[str, Row], weights: dict[str, int]) -> Row:
    document = content.documents[one.id]
    criteria = [_weighed(wish, account[wish], weight) for wish, weight in weights.items() if weight]
    own = {key: document[key] for key in ("id", "layer", "kind", "name", "url")}
    return own | {
        "rank": one.rank,
        "tied": one.tied,
        "unclear": one.unclear,
        "score": None if one.score is None else round(float(one.score) * PERCENT, 1),
        "score_low": round(float(one.low) * PERCENT, 1),
        "score_high": round(float(one.high) * PERCENT, 1),
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
    found = {to_wish(one): _designated(content, place_id, one) for one in wishes.industries}
    found |= {one: _distance(measured["distances"][one], wishes.reach_km) for one in DISTANCES}
    found[COAST] = _coast(measured["coast"])
    return found | {name: _grouped(rows) for name, rows in measured["groups"].items()}


def _designated(content: Content, place_id: str, industry_id: str) -> Row:
    """Return 1 where the plan designates the industry for the place, 0 where it lists others only.

    A place for which the plan lists nothing at all is unknown: silence is no refusal.
    """
    document, industry = content.documents[place_id], content.industries[industry_id]
    about = {key: industry[key] for key in ("id", "name", "url")}
    keys = ("term", "emphasis", "verb", "clause")
    rows = [
        {key: row[key] for key in keys} for row in document["industries"] if row["industry_id"] == industry_id
    ]
    reason = {"kind": "designation", "industry": about, "designations": rows}
    if not document["industries"]:
        return _exact(None) | reason | {"unknown": document["no_industries"]}
    return _exact(float(bool(rows))) | reason


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
    rows: dict[tuple[str, str, str], Row] = {}
    for one in wishes.industries:
        about = {key: content.industries[one][key] for key in ("id", "name", "url")}
        for row in content.industries[one]["designations"]:
            if row["zone"]["id"] not in content.measures["places"]:
                rows.setdefault((one, row["zone"]["id"], row["clause"]), {"industry": about, **row})
    return list(rows.values())
