"""Charts of the plan's figures: laid out here, drawn by the templates in ``charts/``.

Sizes are in SVG units, 760 wide; a row is as high as two lines of text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from flask import Blueprint, Response, g, render_template
from markupsafe import Markup

from layers.document_types import ClusterDocument, IndicatorDocument
from layers.links import Reached
from webmap.params import takes
from webmap.problems import NotFoundError
from webmap.views.context import content

WIDTH = 760
LABEL_WIDTH, VALUE_WIDTH = 250, 164
ROW = 34
TOP = 34
BASE = 100  # what a base counts as on the axis of targets
STEP = 5  # between the lines of that axis, where so many fit
MOST_TICKS = 16
FONT = 13
LATIN = 0.54  # width of a Latin letter over the font's size
blueprint = Blueprint("charts", __name__)
CHARTS = ("clusters", "targets")


def lay_out_clusters(clusters: Sequence[ClusterDocument], language: str) -> dict[str, object]:
    """Return the clusters' targets as bars on one scale; `other` marks those measured differently."""
    targets = [target for row in clusters if (target := row["target"])]
    reached = {row["id"]: _last(row) for row in clusters if row["target"]}
    main = targets[0]["measure"]["zh"]
    largest = max(one["value"] for one in (*targets, *filter(None, reached.values())))
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    rows: list[dict[str, object]] = []
    for number, row in enumerate(clusters):
        target = row["target"]
        rows.append(
            {
                **row,
                "y": TOP + number * ROW + ROW / 2,
                "lines": wrap_chart_text(row["name"][language], LABEL_WIDTH - 34),
                "length": round(room * target["value"] / largest, 1) if target else None,
                "other": target is not None and target["measure"]["zh"] != main,
                "reached": _place_reached(reached.get(row["id"]), LABEL_WIDTH, room / largest),
            }
        )
    return _frame(len(rows)) | {"rows": rows}


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


def _last(row: ClusterDocument | IndicatorDocument) -> Reached | None:
    """Return the latest outcome that counts what the plan counts."""
    alike = [one for one in row["outcomes"] if one["measure"] is None and one["value"] >= 0]
    return alike[-1] if alike else None


def _place_reached(one: Reached | None, start: float, scale: float) -> dict[str, object] | None:
    return {"x": round(start + scale * one["value"], 1), **_label(one)} if one else None


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


def draw_chart(name: str) -> Markup:
    """Return one chart as SVG in the language of the request."""
    if name == "clusters":
        chart = lay_out_clusters(list(content().clusters.values()), g.language)
    else:
        chart = lay_out_targets(content().indicators, g.language)
    # Safe to set into a page: the template escapes every text.
    return Markup(render_template(f"charts/{name}.svg", chart=chart, wrap=wrap_chart_text))  # noqa: S704


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
