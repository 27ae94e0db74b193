"""The layout of the charts of the plan's figures; the templates in ``charts/`` draw them.

Sizes are in SVG units, 760 wide; a row is as high as two lines of text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
WIDTH = 760
LABEL_WIDTH, VALUE_WIDTH = 250, 164
ROW = 34
TOP = 34
BASE = 100  # what a base counts as on the axis of targets
STEP = 5  # between the lines of that axis
FONT = 13
LATIN = 0.54  # width of a Latin letter over the font's size


def lay_out_clusters(clusters: Sequence[Row], language: str) -> Row:
    """Return the clusters' targets as bars on one scale; `other` marks those measured differently."""
    targets = [row["target"] for row in clusters if row["target"]]
    largest, main = max(target["value"] for target in targets), targets[0]["measure"]["zh"]
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
    rows = []
    for number, row in enumerate(clusters):
        target = row["target"]
        rows.append(
            row
            | {
                "y": TOP + number * ROW + ROW / 2,
                "lines": wrap(row["name"][language], LABEL_WIDTH - 34),
                "length": round(room * target["value"] / largest, 1) if target else None,
                "other": bool(target) and target["measure"]["zh"] != main,
            }
        )
    return _frame(len(rows)) | {"rows": rows}


def lay_out_targets(indicators: Sequence[Row], language: str) -> Row:
    """Return base and target of each indicator on one axis, the base being 100, the largest gain first.

    Takes those that have both, with a base above zero.
    """
    both = [row for row in indicators if row["base"] and row["target"] and row["base"]["value"] > 0]
    indexes = {row["id"]: BASE * row["target"]["value"] / row["base"]["value"] for row in both}
    low, high = min(BASE, *indexes.values()) - 2, max(BASE, *indexes.values()) + 2
    room = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 20

    def across(index: float) -> float:
        return float(round(LABEL_WIDTH + 10 + room * (index - low) / (high - low), 1))

    rows = [
        row
        | {
            "y": TOP + number * ROW + ROW / 2,
            "lines": wrap(row["name"][language], LABEL_WIDTH - 10),
            "x": across(indexes[row["id"]]),
        }
        for number, row in enumerate(sorted(both, key=lambda row: -indexes[row["id"]]))
    ]
    ticks = [{"value": tick, "x": across(tick)} for tick in range(0, 10 * BASE, STEP) if low <= tick <= high]
    return _frame(len(rows)) | {"rows": rows, "ticks": ticks, "base_x": across(BASE), "base": BASE}


def _frame(rows: int) -> Row:
    sizes = {
        "width": WIDTH,
        "label_width": LABEL_WIDTH,
        "value_x": WIDTH - VALUE_WIDTH + 4,
        "value_width": VALUE_WIDTH - 4,
    }
    return sizes | {"top": TOP, "row": ROW, "font": FONT, "bottom": TOP + rows * ROW}


def wrap(text: str, room: float) -> list[str]:
    """Return `text` in one line if it fits into `room`, else cut in two as even as can be."""
    if _measure(text) <= room:
        return [text]
    joint = " " if " " in text else ""
    words = text.split(" ") if joint else list(text)
    halves = [(joint.join(words[:cut]), joint.join(words[cut:])) for cut in range(1, len(words))]
    return list(min(halves, key=lambda pair: max(map(_measure, pair)))) if halves else [text]


def _measure(text: str) -> float:
    return float(sum(FONT if unicodedata.east_asian_width(one) in "WF" else FONT * LATIN for one in text))
