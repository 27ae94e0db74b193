"""Searching: the page with its answer, and the same for programs and for the box on every page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, render_template

from layers.documents import EMPHASES
from webmap.http import send_json
from webmap.i18n import current_language, translate
from webmap.params import parse_query, takes
from webmap.views.context import content

blueprint = Blueprint("finding", __name__)
Row = dict[str, Any]
NAMED_ZONES = 3  # of an industry in one line
CARD_PLACES = ("zones", "counties", "parks", "five-zones", "belts", "marine-cores")


@blueprint.get("/search")
def search_page() -> str:
    """Show the results of a search by name, the first of them as an answer."""
    query = parse_query()
    answer = _answer(query, g.language)
    groups = {row["layer"]: row["group"] for row in answer["results"]}
    card = _card(answer["results"][0]) if answer["results"] else None
    return render_template(
        "search.html", page="search", q=query, answer=answer, groups=groups, card=card, emphases=EMPHASES
    )


@blueprint.get("/search.json")
@takes("q")
def search_document() -> Response:
    """Answer what a name may mean."""
    query, language = parse_query(), current_language()
    return send_json({"q": query} | _answer(query, language))


def _answer(query: str, language: str) -> Row:
    """Return what the index says, with the words that people read beside each result."""
    answer = content().search.answer(query, language)
    for row in (*answer["results"], *answer["near"]):
        describe_hit(row, language)
    answer["said"] = _said(answer, language)
    return answer


def describe_hit(row: Row, language: str) -> None:
    """Set the words that people read beside a result: the name of its group, and what it is."""
    row["group"] = translate(f"layer.{row['layer']}", language)
    row["says"] = _says(row, language)


def _says(row: Row, language: str) -> str:
    """Return what a result is: what the plan says of an industry, the kind of a place."""
    if row["layer"] == "industries":
        if row["status"] == "city":
            return translate("finding.city_only", language)
        names = [zone["name"] for zone in row["zones"]]
        key = "finding.designated" if len(names) <= NAMED_ZONES else "finding.designated_more"
        named = translate("common.comma", language).join(names[:NAMED_ZONES])
        return translate(key, language, zones=named, count=len(names))
    group = {"chains": "chain_kind", "landmarks": "landmark"}.get(row["layer"], "kind")
    return translate(f"{group}.{row['kind']}", language) if "kind" in row else ""


def _said(answer: Row, language: str) -> str:
    """Return the sentence that must stand above the results: what was not found, or put right."""
    if answer["missing"]:
        words = translate("common.comma", language).join(
            translate("finding.quoted", language, word=word) for word in dict.fromkeys(answer["missing"])
        )
        return translate("finding.missing", language, words=words)
    if answer["corrected"]:
        return translate("finding.corrected", language, words=answer["corrected"])
    return ""


def _card(first: Row) -> Row | None:
    """Return what the answer card shows of the first result, or None where its page says no more."""
    if first["layer"] == "industries":
        row = content().industries[first["id"]]
        return {"layer": "industries", "row": row, "universities": _universities(row)}
    if first["layer"] == "clusters":
        return {"layer": "clusters", "row": content().clusters[first["id"]]}
    if first["layer"] in CARD_PLACES:
        return {"layer": "places", "row": content().documents[first["id"]]}
    return None


def _universities(industry: Row) -> list[Row]:
    """Return the universities in the industry's zones, or else in those of its cluster."""
    rows = industry["designations"] or industry["cluster_designations"]
    found: dict[str, Row] = {}
    for zone in dict.fromkeys(row["zone"]["id"] for row in rows):
        for platform in content().documents[zone]["platforms"]:
            if platform["kind"] == "university":
                found.setdefault(platform["id"], platform)
    own = {row["id"] for row in industry["platforms"]}
    return [row for row_id, row in found.items() if row_id not in own]
