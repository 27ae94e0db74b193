"""The plan beside the map: its outline, its clauses, its indicators."""

from __future__ import annotations

from collections import Counter
from typing import TypedDict

from flask import Blueprint, Response, g, jsonify, render_template

from geodata.boundaries import Properties
from layers.links import Citation, ClauseLink, ContactCard, Link, Words
from layers.wording import Segment
from webmap import static_map
from webmap.content import Content
from webmap.i18n import LANGUAGES
from webmap.params import takes
from webmap.problems import NotFoundError, name_some
from webmap.views.charts import draw_chart
from webmap.views.context import content as served

blueprint = Blueprint("plan", __name__)


class OutlineEntry(ClauseLink):
    """A clause with its depth, and how many facts of which places it puts on the map."""

    level: int
    facts: int
    places: list[Link]


class ClauseUnit(TypedDict):
    """A body that answers for a clause."""

    agency_id: str
    name: Words
    leads: bool
    contact: ContactCard | None


class ClauseDocument(TypedDict):
    """A clause with its facts, and the plan's wording where the operator has the text."""

    id: str
    title: Words
    note: Words | None
    parent: ClauseLink | None
    children: list[ClauseLink]
    responsible_units: list[ClauseUnit]
    inherited_from: str | None
    facts: list[Citation]
    wording: list[list[Segment]] | None


@blueprint.get("/plan")
def plan_page() -> str:
    """Show the plan's outline beside the places that it puts on the map."""
    marks = {place["id"]: "named" for place in served().places()}
    sketch = static_map.arrange(served(), marks, g.language)
    return render_template("plan.html", page="plan", outline=outline(served()), sketch=sketch)


@blueprint.get("/plan/<clause_id>")
def clause_page(clause_id: str) -> str:
    """Show one clause: what it puts on the map and who is responsible."""
    found = _require(clause_id)
    marks = {fact["zone"]["id"]: "named" for fact in found["facts"] if fact["zone"]}
    sketch = static_map.arrange(served(), marks, g.language) if marks else None
    return render_template("clause.html", page="plan", clause=found, sketch=sketch)


@blueprint.get("/plan/<clause_id>.json")
@takes()
def clause_document(clause_id: str) -> Response:
    """Send one clause with its facts."""
    return jsonify(_require(clause_id))


@blueprint.get("/indicators")
def indicators_page() -> str:
    """Show base and target of every indicator."""
    groups = indicators(served())
    return render_template("indicators.html", page="indicators", groups=groups, chart=draw_chart("targets"))


def _require(clause_id: str) -> ClauseDocument:
    found = clause(served(), clause_id)
    if found is None:
        known = [str(row["id"]) for row in served().tables["clauses"]]
        near = [one for one in known if clause_id and clause_id[:3] in one][:5]
        links = [{"id": one, "label": one, "href": f"/plan/{one}"} for one in near]
        raise NotFoundError(
            "error.clause", parameter="clause", value=clause_id, allowed=name_some(known), near=links
        )
    return found


def outline(content: Content) -> list[OutlineEntry]:
    """Return every clause with its depth and the number of facts it puts on the map."""
    clauses = content.tables["clauses"]
    parents = {str(row["id"]): _parent_of(row) for row in clauses}
    counts = Counter(fact["clause"] for fact in content.citations)
    places: dict[str, dict[str, Link]] = {}
    for fact in content.citations:
        if fact["zone"]:
            places.setdefault(fact["clause"], {})[fact["zone"]["id"]] = fact["zone"]
    return [
        {
            "id": clause_id,
            "level": _depth(clause_id, parents),
            "title": _text(row, "title"),
            "facts": counts[clause_id],
            "places": list(places.get(clause_id, {}).values()),
            "url": f"/plan/{clause_id}",
        }
        for clause_id, row in zip(parents, clauses, strict=True)
    ]


def _parent_of(row: Properties) -> str | None:
    return str(row["parent_id"]) if row["parent_id"] else None


def _depth(clause_id: str, parents: dict[str, str | None]) -> int:
    parent = parents[clause_id]
    return 1 if parent is None else 1 + _depth(parent, parents)


def clause(content: Content, clause_id: str) -> ClauseDocument | None:
    """Return one clause with its facts, children and responsible units, or None."""
    clauses = {str(row["id"]): row for row in content.tables["clauses"]}
    row = clauses.get(clause_id)
    if row is None:
        return None
    agencies = {row["name"]["zh"]: row for row in content.agencies.values()}
    names, parent, printed_in = row["responsible_units"], _parent_of(row), row["units_from"]
    units = [agencies[str(name)] for name in names] if isinstance(names, list) else []
    wording = content.wording["clauses"].get(clause_id)
    facts = [fact for fact in content.citations if fact["clause"] == clause_id]
    return {
        "id": clause_id,
        "title": _text(row, "title"),
        "note": _text(row, "note") if row["note_zh"] else None,
        "parent": _short(clauses[parent]) if parent else None,
        "children": [_short(child) for child in clauses.values() if child["parent_id"] == clause_id],
        "responsible_units": [
            {
                "agency_id": unit["id"],
                "name": unit["name"],
                "leads": unit is units[0],
                "contact": unit["contact"],
            }
            for unit in units
        ],
        "inherited_from": str(printed_in) if printed_in and printed_in != clause_id else None,
        "facts": facts,
        "wording": wording["paragraphs"] if wording else None,
    }


def _short(row: Properties) -> ClauseLink:
    return {"id": str(row["id"]), "title": _text(row, "title"), "url": f"/plan/{row['id']}"}


def indicators(content: Content) -> list[dict[str, object]]:
    """Return the indicators by group, each with base and target."""
    rows = content.indicators
    groups = dict.fromkeys(row["group"] for row in rows)
    return [{"group": group, "items": [row for row in rows if row["group"] == group]} for group in groups]


def _text(row: Properties, name: str) -> Words:
    return {language: str(row[f"{name}_{language}"]) for language in LANGUAGES}
