"""Arrange the plan's tables for the pages on clauses, industries and indicators."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from webmap.content import Content

Row = dict[str, Any]


def outline(content: Content) -> list[Row]:
    """Return every clause with its depth and the number of facts it puts on the map."""
    clauses = content.tables["clauses"]
    parents = {row["id"]: row["parent_id"] for row in clauses}
    counts = Counter(fact["clause"] for fact in content.citations)
    return [
        {
            "id": row["id"],
            "level": _depth(row["id"], parents),
            "title": _text(row, "title"),
            "facts": counts[row["id"]],
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
    facts = [fact for fact in content.citations if fact["clause"] == clause_id]
    return {
        "id": clause_id,
        "title": _text(row, "title"),
        "note": _text(row, "note") if row["note_zh"] else None,
        "parent": _short(clauses[row["parent_id"]]) if row["parent_id"] else None,
        "children": [_short(child) for child in clauses.values() if child["parent_id"] == clause_id],
        "responsible_units": [{"agency_id": unit["id"], "name": _text(unit, "name")} for unit in units],
        "inherited_from": row["units_from"] if row["units_from"] != clause_id else None,
        "facts": facts,
    }


def _short(row: Row) -> Row:
    return {"id": row["id"], "title": _text(row, "title"), "url": f"/plan/{row['id']}"}


def industries(content: Content) -> list[Row]:
    """Return every industry with its cluster and the places designated for it."""
    clusters = {row["id"]: _cluster(row) for row in content.tables["clusters"]}
    return [
        {
            "id": row["id"],
            "name": _text(row, "name"),
            "cluster": clusters.get(row["cluster_id"]),
            "gbt4754": row["gbt4754"],
            "isic4": row["isic4"],
            "synonyms": {language: row[f"synonyms_{language}"] for language in ("zh", "en", "ko")},
            "zones": list(_designated(content, row["id"])),
        }
        for row in content.tables["industries"]
    ]


def _cluster(row: Row) -> Row:
    return {"id": row["id"], "name": _text(row, "name"), "letter": row["letter"], "colour": row["colour"]}


def _designated(content: Content, industry_id: str) -> Iterator[Row]:
    for row in content.tables["designations"]:
        if row["industry_id"] == industry_id:
            place = content.documents[row["zone_id"]]
            yield {
                "id": place["id"],
                "name": place["name"],
                "url": place["url"],
                "term": _text(row, "term"),
                "emphasis": row["emphasis"],
                "verb": row["verb_zh"],
                "clause": row["clause"],
            }


def indicators(content: Content) -> list[Row]:
    """Return the indicators by group, each with base and target."""
    rows = content.indicators
    groups = dict.fromkeys(row["group"] for row in rows)
    return [{"group": group, "items": [row for row in rows if row["group"] == group]} for group in groups]


def _text(row: Row, name: str) -> Row:
    return {language: row[f"{name}_{language}"] for language in ("zh", "en", "ko")}
