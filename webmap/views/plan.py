"""The plan beside the map: its outline, its clauses, its indicators."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, Response, g, jsonify, render_template

from webmap import static_map
from webmap.content import Content
from webmap.i18n import LANGUAGES
from webmap.params import takes
from webmap.problems import NotFoundError, name_some
from webmap.views.charts import draw_chart, draw_courses
from webmap.views.context import content as served

blueprint = Blueprint("plan", __name__)
Row = dict[str, Any]


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
    return render_template(
        "indicators.html",
        page="indicators",
        groups=indicators(served()),
        chart=draw_chart("targets"),
        courses=draw_courses(served().indicators),
    )


def _require(clause_id: str) -> Row:
    found = clause(served(), clause_id)
    if found is None:
        known = [row["id"] for row in served().tables["clauses"]]
        near = [one for one in known if clause_id and clause_id[:3] in one][:5]
        links = [{"id": one, "label": one, "href": f"/plan/{one}"} for one in near]
        raise NotFoundError(
            "error.clause", parameter="clause", value=clause_id, allowed=name_some(known), near=links
        )
    return found


def outline(content: Content) -> list[Row]:
    """Return every clause with its depth and the number of facts it puts on the map."""
    clauses = content.tables["clauses"]
    parents = {row["id"]: row["parent_id"] for row in clauses}
    counts = Counter(fact["clause"] for fact in content.citations)
    places: dict[str, dict[str, Row]] = {}
    for fact in content.citations:
        if fact["zone"]:
            places.setdefault(fact["clause"], {})[fact["zone"]["id"]] = fact["zone"]
    return [
        {
            "id": row["id"],
            "level": _depth(row["id"], parents),
            "title": _text(row, "title"),
            "facts": counts[row["id"]],
            "places": list(places.get(row["id"], {}).values()),
            "url": f"/plan/{row['id']}",
        }
        for row in clauses
    ]


def _depth(clause_id: str, parents: dict[str, str | None]) -> int:
    parent = parents[clause_id]
    return 1 if parent is None else 1 + _depth(parent, parents)


def clause(content: Content, clause_id: str) -> Row | None:
    """Return one clause with its facts, children and responsible units, or None."""
    clauses = {row["id"]: row for row in content.tables["clauses"]}
    row = clauses.get(clause_id)
    if row is None:
        return None
    agencies = {agency["name_zh"]: agency for agency in content.tables["agencies"]}
    units = [agencies[name] for name in row["responsible_units"]]
    wording = content.wording["clauses"].get(clause_id)
    facts = [fact for fact in content.citations if fact["clause"] == clause_id]
    return {
        "id": clause_id,
        "title": _text(row, "title"),
        "note": _text(row, "note") if row["note_zh"] else None,
        "parent": _short(clauses[row["parent_id"]]) if row["parent_id"] else None,
        "children": [_short(child) for child in clauses.values() if child["parent_id"] == clause_id],
        "responsible_units": [
            {
                "agency_id": unit["id"],
                "name": _text(unit, "name"),
                "leads": unit is units[0],
                "contact": content.agencies[unit["id"]]["contact"],
            }
            for unit in units
        ],
        "inherited_from": row["units_from"] if row["units_from"] != clause_id else None,
        "facts": facts,
        "wording": wording["paragraphs"] if wording else None,
    }


def _short(row: Row) -> Row:
    return {"id": row["id"], "title": _text(row, "title"), "url": f"/plan/{row['id']}"}


def indicators(content: Content) -> list[Row]:
    """Return the indicators by group, each with base and target."""
    rows = content.indicators
    groups = dict.fromkeys(row["group"] for row in rows)
    return [{"group": group, "items": [row for row in rows if row["group"] == group]} for group in groups]


def _text(row: Row, name: str) -> Row:
    return {language: row[f"{name}_{language}"] for language in LANGUAGES}
