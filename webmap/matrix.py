"""The matrix of industries and places: filtered, sorted, and as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layers.documents import EMPHASES
from webmap import spreadsheet
from webmap.content import Content
from webmap.problems import BadParameterError

Row = dict[str, Any]
NAME, CLUSTER, COUNT = "name", "cluster", "count"
STATUSES = ("designated", "city")
PARAMETERS = ("q", "cluster", "zone", "emphasis", "status", "sort")


@dataclass(frozen=True)
class Wish:
    """What of the matrix is asked for."""

    q: str
    cluster: str | None
    zone: str | None
    emphasis: str | None
    status: str | None
    sort: str


def parse_wish(arguments: Mapping[str, str], content: Content) -> Wish:
    """Return the filters and the order of a request; raises BadParameterError for what is unknown."""
    places = [place["id"] for place in columns(content)]
    return Wish(
        q=_text(arguments),
        cluster=_choice(arguments, "cluster", [*content.clusters, "none"]),
        zone=_choice(arguments, "zone", places),
        emphasis=_choice(arguments, "emphasis", EMPHASES),
        status=_choice(arguments, "status", STATUSES),
        sort=_choice(arguments, "sort", [CLUSTER, NAME, COUNT, *places]) or CLUSTER,
    )


def _text(arguments: Mapping[str, str]) -> str:
    text, limit = arguments.get("q", ""), 200
    if len(text) > limit:
        raise BadParameterError("error.length", parameter="q", value=str(len(text)), allowed=f"0-{limit}")
    return text.strip()


def _choice(arguments: Mapping[str, str], name: str, allowed: Any) -> str | None:
    asked = arguments.get(name) or None
    if asked is not None and asked not in allowed:
        raise BadParameterError("error.choice", parameter=name, value=asked, allowed=", ".join(allowed))
    return asked


def columns(content: Content) -> list[Row]:
    """Return the places with a list of industries, their own or their areas', in the order of the facts."""
    return [place for place in content.places() if place["industries"] or _has_local_answer(place)]


def _has_local_answer(place: Row) -> bool:
    return any(answer["kind"] != "city" for answer in place["answers"].values())


def select(content: Content, wish: Wish, language: str) -> list[Row]:
    """Return the industries that the wish asks for, in its order."""
    found = [row for row in content.industries.values() if _fits(row, wish)]
    return sorted(found, key=lambda row: _order(row, wish.sort, language))


def only_words(wish: Wish) -> Wish:
    """Return the wish without its filters: what the words alone find."""
    return Wish(q=wish.q, cluster=None, zone=None, emphasis=None, status=None, sort=wish.sort)


def _fits(row: Row, wish: Wish) -> bool:
    cluster = row["cluster"]["id"] if row["cluster"] else "none"
    cells = [
        one
        for one in (*row["designations"], *row["area_designations"])
        if wish.zone in (None, one["zone"]["id"]) and wish.emphasis in (None, one["emphasis"])
    ]
    return (
        wish.cluster in (None, cluster)
        and wish.status in (None, row["status"])
        and (bool(cells) or not (wish.zone or wish.emphasis))
        and wish.q.casefold() in _words(row)
    )


def _words(row: Row) -> str:
    """Return everything that an industry may be looked for by."""
    texts = [row["name"], *(one["term"] for one in (*row["designations"], *row["named"]))]
    words = [word for text in texts for word in text.values()]
    words += [word for language in row["synonyms"].values() for word in language]
    return "\n".join([row["id"], *words, *row["gbt4754"], *row["isic4"]]).casefold()


def _order(row: Row, sort: str, language: str) -> tuple[Any, ...]:
    if sort == NAME:
        return (row["name"][language].casefold(),)
    if sort == COUNT:
        return (-len({one["zone"]["id"] for one in row["designations"]}),)
    if sort == CLUSTER:
        return (row["cluster"]["letter"] if row["cluster"] else "~",)
    ranks = [EMPHASES.index(one["emphasis"]) for one in row["designations"] if one["zone"]["id"] == sort]
    return (min(ranks, default=len(EMPHASES)),)


def to_csv(rows: list[Row], places: list[Row], language: str) -> str:
    """Return the matrix as CSV with a byte order mark: a line an industry, a column a place."""
    own = ["industry_id", "industry_zh", f"industry_{language}", "cluster_id", "status"]
    head = dict.fromkeys([*own, *(place["id"] for place in places)])
    return spreadsheet.to_csv([head, *(_line(row, places, language) for row in rows)])


def _line(row: Row, places: list[Row], language: str) -> list[str]:
    own = {
        "industry_id": row["id"],
        "industry_zh": row["name"]["zh"],
        f"industry_{language}": row["name"][language],
        "cluster_id": row["cluster"]["id"] if row["cluster"] else "",
        "status": row["status"],
    }
    return [*own.values(), *(_cell(row, place["id"], language) for place in places)]


def _cell(row: Row, place_id: str, language: str) -> str:
    """Return each designation as ``emphasis: term [clause]``, joined with semicolons.

    After it what the plan lists for an area of the place, ``area id: term [clause]``, and the tasks and
    positioning of the place that serve the industry.
    """
    mine = [one for one in row["designations"] if one["zone"]["id"] == place_id]
    told = [f"{one['emphasis']}: {one['term'][language]} [{one['clause']}]" for one in mine]
    told += [
        f"{one['area']['id']}: {one['term'][language]} [{one['clause']}]"
        for one in row["area_designations"]
        if one["zone"]["id"] == place_id
    ]
    told += [
        f"{one['kind']}: {one['term'][language]} [{one['clause']}]"
        for one in row["served_by"]
        if one["zone"]["id"] == place_id
    ]
    return "; ".join(told)
