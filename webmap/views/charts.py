"""Charts of the plan's figures: laid out here, drawn by the templates in ``charts/``.

Sizes are in SVG units, 760 wide; a row is as high as two lines of text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TypeVar, cast

from flask import Blueprint, Response, g, render_template
from markupsafe import Markup

from layers.document_types import ClusterDocument, IndicatorDocument, IndicatorFigure
from layers.links import Reached
from webmap.params import takes
from webmap.problems import NotFoundError
from webmap.views.context import content

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
blueprint = Blueprint("charts", __name__)
CHARTS = ("clusters", "targets")


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
        chart = lay_out_clusters(list(content().clusters.values()), g.language, narrow=narrow)
    else:
        chart = lay_out_targets(content().indicators, g.language)
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
