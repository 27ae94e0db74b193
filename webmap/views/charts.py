"""Charts of the plan's figures: laid out here, drawn by the templates in ``charts/``.

Sizes are in SVG units, 760 wide; a row is as high as two lines of text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, g, render_template
from markupsafe import Markup

from webmap.params import takes
from webmap.problems import NotFoundError
from webmap.views.context import content

Row = dict[str, Any]
WIDTH = 760
LABEL_WIDTH, VALUE_WIDTH = 250, 164
ROW = 34
TOP = 34
BASE = 100  # what a base counts as on the axis of targets
STEP = 5  # between the lines of that axis, where so many fit
MOST_TICKS = 16
FONT = 13
LATIN = 0.54  # width of a Latin letter over the font's size
COURSE_WIDTH, COURSE_HEIGHT, COURSE_TOP = 220, 72, 20  # of a small chart; below it stand the years
MOST_OUTCOMES = 4
blueprint = Blueprint("charts", __name__)
CHARTS = ("clusters", "targets")


def lay_out_clusters(clusters: Sequence[Row], language: str) -> Row:
    """Return the clusters' targets as bars on one scale; `other` marks those measured differently."""
    targets = [row["target"] for row in clusters if row["target"]]
    reached = {row["id"]: _last(row) for row in clusters if row["target"]}
    main = targets[0]["measure"]["zh"]
    largest = max(one["value"] for one in (*targets, *filter(None, reached.values())))
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    rows = []
    for number, row in enumerate(clusters):
        target = row["target"]
        rows.append(
            row
            | {
                "y": TOP + number * ROW + ROW / 2,
                "lines": wrap_chart_text(row["name"][language], LABEL_WIDTH - 34),
                "length": round(room * target["value"] / largest, 1) if target else None,
                "other": bool(target) and target["measure"]["zh"] != main,
                "reached": _place_reached(reached.get(row["id"]), LABEL_WIDTH, room / largest),
            }
        )
    return _frame(len(rows)) | {"rows": rows}


def lay_out_targets(indicators: Sequence[Row], language: str) -> Row:
    """Return base and target of each indicator on one axis, the base being 100, the largest gain first.

    Takes those that have both, with a base above zero.
    """
    both = [row for row in indicators if row["base"] and row["target"] and row["base"]["value"] > 0]
    indexes = {row["id"]: BASE * row["target"]["value"] / row["base"]["value"] for row in both}
    reached = {row["id"]: BASE * one["value"] / row["base"]["value"] for row in both if (one := _last(row))}
    drawn = [BASE, *indexes.values(), *reached.values()]
    low, high = min(drawn) - 2, max(drawn) + 2
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 20

    def across(index: float) -> float:
        return float(round(LABEL_WIDTH + 10 + room * (index - low) / (high - low), 1))

    rows = [
        row
        | {
            "y": TOP + number * ROW + ROW / 2,
            "lines": wrap_chart_text(row["name"][language], LABEL_WIDTH - 10),
            "x": across(indexes[row["id"]]),
            "reached": {"x": across(reached[row["id"]]), **_label(_last(row))}
            if row["id"] in reached
            else None,
        }
        for number, row in enumerate(sorted(both, key=lambda row: -indexes[row["id"]]))
    ]
    step = STEP * max(1, round((high - low) / MOST_TICKS / STEP))
    ticks = [{"value": tick, "x": across(tick)} for tick in range(0, int(high) + 1, step) if low <= tick]
    return _frame(len(rows)) | {"rows": rows, "ticks": ticks, "base_x": across(BASE), "base": BASE}


def lay_out_course(row: Row) -> Row | None:
    """Return base, outcomes and target of an indicator or cluster as columns in the order of time.

    Every column counts what the plan counts; None where there is only one.
    """
    base, target = row.get("base"), row["target"]
    columns = [("base", base)] if base else []
    columns += [("reached", one) for one in _list_alike(row)[-MOST_OUTCOMES:]]
    if target:
        later = sum(kind == "reached" and one["year"] > target["year"] for kind, one in columns)
        columns.insert(len(columns) - later, ("target", target))
    if len(columns) <= 1 or min(one["value"] for _, one in columns) < 0:
        return None
    step = COURSE_WIDTH / len(columns)
    top = max(one["value"] for _, one in columns) or 1
    return {
        "width": COURSE_WIDTH,
        "bottom": COURSE_TOP + COURSE_HEIGHT,
        "font": FONT,
        "columns": [
            {
                "kind": kind,
                "value": one["value"],
                "comparator": one.get("comparator", "="),
                "year": one["year"],
                "x": round(step * (number + 0.5), 1),
                "height": round(COURSE_HEIGHT * one["value"] / top, 1),
            }
            for number, (kind, one) in enumerate(columns)
        ],
    }


def _list_alike(row: Row) -> list[Row]:
    """Return the outcomes that count what the plan counts, the latest last."""
    return [one for one in row["outcomes"] if one["measure"] is None and one["value"] >= 0]


def _last(row: Row) -> Row | None:
    """Return the latest outcome that counts what the plan counts."""
    alike = _list_alike(row)
    return alike[-1] if alike else None


def _place_reached(one: Row | None, start: float, scale: float) -> Row | None:
    return {"x": round(start + scale * one["value"], 1), **_label(one)} if one else None


def _label(one: Row | None) -> Row:
    return {"value": one["value"], "unit": one["unit"], "year": one["year"]} if one else {}


def _frame(rows: int) -> Row:
    sizes = {
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


def draw_chart(name: str) -> Markup:
    """Return one chart as SVG in the language of the request."""
    if name == "clusters":
        chart = lay_out_clusters(list(content().clusters.values()), g.language)
    else:
        chart = lay_out_targets(content().indicators, g.language)
    # Safe to set into a page: the template escapes every text.
    return Markup(render_template(f"charts/{name}.svg", chart=chart, wrap=wrap_chart_text))  # noqa: S704


def draw_courses(rows: Sequence[Row]) -> list[tuple[Row, Markup]]:
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
