"""The look of every layer, the same as on the map: one rule for each kind and way of knowing its edge.

Plain values, made once for a release; QML, SLD, KML and the QGIS project are written from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from layers.catalogue import Layer, Theme
from layers.export.job import Row

SHADE = 0.7  # an edge is the fill's hue darkened by 30 %
Look = dict[str, Any]


def read_words(folder: Path = Path(__file__).parent) -> dict[str, Any]:
    """Return the looks outside the themes and the words that only files use."""
    path = folder / "looks.yaml"
    words: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return words


def build_looks(
    layers: Mapping[str, Layer],
    themes: tuple[Theme, ...],
    payload: dict[str, Any],
    features: Mapping[str, list[Row]],
) -> dict[str, Look]:
    """Return, by layer: the attribute that tells rules apart, whether names are drawn, and the rules.

    A rule holds `values` of the attribute (none: every row), `method` (None: any), `label`, `colour`,
    `edge`, `dash`, `hatch`, `fill`, `solid`, `backdrop`, `symbol`. `payload` is the map's own, in Chinese.
    """
    words = read_words()
    entries = {theme["id"]: theme["legend"] for theme in payload["themes"]}
    looks: dict[str, Look] = {}
    for layer in layers.values():
        if layer.geometry == "none":
            continue
        theme = next((one for one in themes if layer.id in one.layers and one.colour_by != "cluster"), None)
        attribute = "id" if theme and theme.colour_by == "feature" else "kind"
        legend = entries[theme.id] if theme else [_ground_entry(layer, words)]
        backdrop = bool(theme and len(theme.layers) > 1 and layer.id == theme.layers[0])
        rows = [row["properties"] | {"edge": _edge(row, payload)} for row in features[layer.id]]
        rules = [rule for entry in legend for rule in _rules(entry, attribute, rows, words)]
        looks[layer.id] = {
            "theme": theme.id if theme else None,
            "attribute": attribute,
            "geometry": layer.geometry,
            "labels": legend[0].get("labels", True),
            "rules": [rule | {"backdrop": backdrop} for rule in rules],
        }
    return looks


def _edge(row: Row, payload: dict[str, Any]) -> str | None:
    """Return whose line a feature is drawn with, as on the map; its own method's where the map has it not."""
    shown = payload["features"].get(row["properties"]["id"], {})
    edge: str | None = shown.get("edge") or row["properties"]["geometry_method"]
    return edge


def _ground_entry(layer: Layer, words: dict[str, Any]) -> dict[str, Any]:
    own: dict[str, Any] = words["grounds"][layer.id]
    return {"keys": [], "label": layer.title.zh, "symbol": None} | own


def _rules(entry: dict[str, Any], attribute: str, rows: list[Row], words: dict[str, Any]) -> list[Look]:
    """Return a rule for each way that the entry's features are known by."""
    own = [row for row in rows if not entry["keys"] or row[attribute] in entry["keys"]]
    if entry["symbol"]:
        return [_rule(entry, attribute, own, None, words)] if own else []
    methods = sorted({row["geometry_method"] for row in own}, key=list(words["methods"]).index)
    return [_rule(entry, attribute, own, method, words) for method in methods]


def _rule(
    entry: dict[str, Any], attribute: str, own: list[Row], method: str | None, words: dict[str, Any]
) -> Look:
    plain: dict[str, Any] = {"dash": [], "hatch": False, "label": None}
    found = [row for row in own if method in (None, row["geometry_method"])]
    edges = {row["edge"] for row in found}
    line = words["methods"][edges.pop() if len(edges) == 1 else method] if method else plain
    label = f"{entry['label']}（{line['label']['zh']}）" if line["label"] else entry["label"]
    return {
        "values": sorted({row[attribute] for row in found}) if entry["keys"] else [],
        "method": method,
        "label": label,
        "colour": entry["colour"],
        "edge": darken(entry["colour"]),
        "dash": line["dash"],
        "hatch": line["hatch"],
        "fill": entry.get("fill", True),
        "solid": entry.get("solid", False),
        "symbol": entry["symbol"],
    }


def darken(colour: str) -> str:
    """Return a hue darkened by 30 %."""
    channels = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(value * SHADE):02X}" for value in channels)


def rule_of(look: Look, properties: dict[str, Any]) -> int | None:
    """Return the index of the rule that draws a feature, or None."""
    for index, rule in enumerate(look["rules"]):
        fits = not rule["values"] or properties[look["attribute"]] in rule["values"]
        if fits and rule["method"] in (None, properties["geometry_method"]):
            return index
    return None
