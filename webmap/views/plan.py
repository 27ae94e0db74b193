"""The plan beside the map: its outline, its clauses, its indicators and the charts of its figures.

Charts are laid out here, drawn by the templates in ``charts/``. Sizes are in SVG units, 760 wide; a row is as
high as two lines of text.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TypedDict, TypeVar, cast

from flask import Blueprint, Response, g, jsonify, render_template
from markupsafe import Markup

from geodata.boundaries import Properties
from layers.citations import Segment
from layers.document_types import ClusterDocument, IndicatorDocument, IndicatorFigure
from layers.links import Citation, ClauseLink, ContactCard, Link, Reached, Words
from webmap import static_map
from webmap.content import Content
from webmap.i18n import LANGUAGES
from webmap.params import takes
from webmap.problems import NotFoundError, name_some
from webmap.views.context import content as served

WIDTH, NARROW_WIDTH = 760, 330  # the narrow one is for phones: a name stands above its bar
LABEL_WIDTH, VALUE_WIDTH = 250, 164
GOAL_WIDTH = 228  # of what stands behind a cluster's bar, with more than and the year
INDENT = 24  # of a name, behind the letter
ROW, NARROW_ROW = 34, 62
TOP = 34
LINE = 15  # between two lines of a name
BASE = 100  # what a base counts as on the axis of targets
STEP = 5  # between the lines of that axis, where so many fit
MOST_TICKS = 16
FONT = 13
LATIN = 0.54  # width of a Latin letter over the font's size
COURSE_WIDTH, COURSE_HEIGHT, COURSE_TOP = 220, 72, 20  # of a small chart; below it stand the years
MOST_OUTCOMES = 4
Charted = TypeVar("Charted", ClusterDocument, IndicatorDocument)
CHARTS = ("clusters", "targets")
blueprint = Blueprint("plan", __name__)


def lay_out_clusters(
    clusters: Sequence[ClusterDocument], language: str, *, narrow: bool = False
) -> dict[str, object]:
    """Return the clusters' targets as bars on one scale; `other` marks those measured differently."""
    width, start, label = (
        (NARROW_WIDTH, INDENT, NARROW_WIDTH) if narrow else (WIDTH, LABEL_WIDTH, LABEL_WIDTH)
    )
    targets = [target for row in clusters if (target := row["target"])]
    reached = {row["id"]: _last(row) for row in clusters if row["target"]}
    main = targets[0]["measure"]["zh"]
    largest = max(one["value"] for one in (*targets, *filter(None, reached.values())))
    room = width - start - GOAL_WIDTH
    rows: list[dict[str, object]] = []
    for number, row in enumerate(clusters):
        target, lines = row["target"], wrap_chart_text(row["name"][language], label - INDENT - 10)
        y = NARROW_ROW * (number + 1) - LINE if narrow else TOP + number * ROW + ROW / 2
        rows.append(
            {
                **row,
                "y": y,
                "name_y": y - 20 - LINE * (len(lines) - 1) / 2 if narrow else y,
                "lines": lines,
                "length": round(room * target["value"] / largest, 1) if target else None,
                "other": target is not None and target["measure"]["zh"] != main,
                "reached": {"x": round(start + room * one["value"] / largest, 1), **_label(one)}
                if (one := reached.get(row["id"]))
                else None,
            }
        )
    frame = _frame(len(rows)) | {"rows": rows, "start": start, "indent": INDENT, "narrow": narrow}
    return frame | {"width": width, "bottom": NARROW_ROW * len(rows) + 8} if narrow else frame


def lay_out_targets(indicators: Sequence[IndicatorDocument], language: str) -> dict[str, object]:
    """Return base and target of each indicator on one axis, the base being 100, the largest gain first.

    Takes those that have both, with a base above zero.
    """
    indexes: dict[str, float] = {}
    last: dict[str, tuple[float, Reached]] = {}
    for row in indicators:
        base, target = row["base"], row["target"]
        if base and target and base["value"] > 0:
            indexes[row["id"]] = BASE * target["value"] / base["value"]
            if one := _last(row):
                last[row["id"]] = BASE * one["value"] / base["value"], one
    both = [row for row in indicators if row["id"] in indexes]
    drawn = [BASE, *indexes.values(), *(index for index, _ in last.values())]
    low, high = min(drawn) - 2, max(drawn) + 2
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 20

    def across(index: float) -> float:
        return float(round(LABEL_WIDTH + 10 + room * (index - low) / (high - low), 1))

    rows: list[dict[str, object]] = [
        {
            **row,
            "y": TOP + number * ROW + ROW / 2,
            "lines": wrap_chart_text(row["name"][language], LABEL_WIDTH - 10),
            "x": across(indexes[row["id"]]),
            "reached": {"x": across(last[row["id"]][0]), **_label(last[row["id"]][1])}
            if row["id"] in last
            else None,
        }
        for number, row in enumerate(sorted(both, key=lambda row: -indexes[row["id"]]))
    ]
    step = STEP * max(1, round((high - low) / MOST_TICKS / STEP))
    ticks = [{"value": tick, "x": across(tick)} for tick in range(0, int(high) + 1, step) if low <= tick]
    return _frame(len(rows)) | {"rows": rows, "ticks": ticks, "base_x": across(BASE), "base": BASE}


def lay_out_course(row: ClusterDocument | IndicatorDocument) -> dict[str, object] | None:
    """Return base, outcomes and target of an indicator or cluster as columns in the order of time.

    Every column counts what the plan counts; None where there is only one.
    """
    base, target = cast("IndicatorFigure | None", row.get("base")), row["target"]
    columns = [("base", base["value"], base["year"], base["comparator"])] if base else []
    columns += [("reached", one["value"], one["year"], "=") for one in _list_alike(row)[-MOST_OUTCOMES:]]
    if target:
        year = target["year"] or 0
        later = sum(kind == "reached" and (when or 0) > year for kind, _, when, _ in columns)
        aim = ("target", target["value"], target["year"], target["comparator"])
        columns.insert(len(columns) - later, aim)
    if len(columns) <= 1 or min(value for _, value, _, _ in columns) < 0:
        return None
    step = COURSE_WIDTH / len(columns)
    top = max(value for _, value, _, _ in columns) or 1
    return {
        "width": COURSE_WIDTH,
        "bottom": COURSE_TOP + COURSE_HEIGHT,
        "font": FONT,
        "columns": [
            {
                "kind": kind,
                "value": value,
                "comparator": comparator,
                "year": year,
                "x": round(step * (number + 0.5), 1),
                "height": round(COURSE_HEIGHT * value / top, 1),
            }
            for number, (kind, value, year, comparator) in enumerate(columns)
        ],
    }


def _list_alike(row: ClusterDocument | IndicatorDocument) -> list[Reached]:
    """Return the outcomes that count what the plan counts, the latest last."""
    return [one for one in row["outcomes"] if one["measure"] is None and one["value"] >= 0]


def _last(row: ClusterDocument | IndicatorDocument) -> Reached | None:
    """Return the latest outcome that counts what the plan counts."""
    alike = _list_alike(row)
    return alike[-1] if alike else None


def _label(one: Reached) -> dict[str, object]:
    return {"value": one["value"], "unit": one["unit"], "year": one["year"]}


def _frame(rows: int) -> dict[str, object]:
    sizes: dict[str, object] = {
        "width": WIDTH,
        "label_width": LABEL_WIDTH,
        "value_x": WIDTH - VALUE_WIDTH + 4,
        "value_width": VALUE_WIDTH - 4,
    }
    return sizes | {"top": TOP, "row": ROW, "font": FONT, "bottom": TOP + rows * ROW}


def wrap_chart_text(text: str, room: float) -> list[str]:
    """Return `text` in one line if it fits into `room`, else cut in two as even as can be."""
    if _measure(text) <= room:
        return [text]
    joint = " " if " " in text else ""
    words = text.split(" ") if joint else list(text)
    halves = [(joint.join(words[:cut]), joint.join(words[cut:])) for cut in range(1, len(words))]
    return list(min(halves, key=lambda pair: max(map(_measure, pair)))) if halves else [text]


def _measure(text: str) -> float:
    return float(sum(FONT if unicodedata.east_asian_width(one) in "WF" else FONT * LATIN for one in text))


def draw_chart(name: str, *, narrow: bool = False) -> Markup:
    """Return one chart as SVG in the language of the request; that of the clusters can be `narrow`."""
    if name == "clusters":
        chart = lay_out_clusters(list(served().clusters.values()), g.language, narrow=narrow)
    else:
        chart = lay_out_targets(served().indicators, g.language)
    # Safe to set into a page: the template escapes every text.
    return Markup(render_template(f"charts/{name}.svg", chart=chart, wrap=wrap_chart_text))  # noqa: S704


def draw_courses(rows: Sequence[Charted]) -> list[tuple[Charted, Markup]]:
    """Return each row that has something to compare with its small chart in the language of the request."""
    drawn = []
    for row in rows:
        if course := lay_out_course(row):
            svg = render_template("charts/course.svg", chart=course, row=row)
            drawn.append((row, Markup(svg)))  # noqa: S704 - safe to set into a page: the template escapes every text
    return drawn


@blueprint.get("/charts/<name>.svg")
@takes()
def chart_svg(name: str) -> Response:
    """Send one chart as SVG."""
    require_chart(name, "svg")
    return Response(draw_chart(name), mimetype="image/svg+xml")


def require_chart(name: str, extension: str) -> None:
    """Raise NotFoundError for an unknown chart."""
    if name not in CHARTS:
        near = [{"id": one, "label": one, "href": f"/charts/{one}.{extension}"} for one in CHARTS]
        raise NotFoundError(
            "error.chart", parameter="chart", value=name, allowed=", ".join(CHARTS), near=near
        )


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
    return render_template(
        "indicators.html",
        page="indicators",
        groups=indicators(served()),
        chart=draw_chart("targets"),
        courses=draw_courses(served().indicators),
    )


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
