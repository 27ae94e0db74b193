"""Build a release: ``python -m webmap.build HOME FACTS``. Imports the whole stack, prints progress."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import orjson
import yaml

from geodata.read import read_boundaries, read_facts
from layers.catalogue import read_layers, read_themes
from layers.properties import LANGUAGES
from layers.release import Files, Inputs, build_release
from layers.store import Release, write_release
from webmap.assets import read_assets
from webmap.folium_map import render_map
from webmap.publish import BuildError, hash_inputs

HERE = Path(__file__).parent


def build(home: Path, facts_folder: Path) -> Release:
    """Build the release of the current inputs and make it the live one.

    Raises :class:`~webmap.publish.BuildError` listing every problem of the facts.
    """
    release_id = hash_inputs(facts_folder)
    _say("读取规划事实与边界 / reading facts and boundaries")
    facts = read_facts(facts_folder)
    if facts.problems:
        raise BuildError("\n".join(str(problem) for problem in facts.problems))
    inputs = Inputs(facts, read_boundaries(facts_folder / "boundaries"), read_layers(), read_themes())
    files = build_release(inputs, _say)
    files |= _page_files(files, release_id, inputs)
    _say("写入 / writing")
    return write_release(home, release_id, files)


def _page_files(files: Files, release_id: str, inputs: Inputs) -> Files:
    """Return what the pages need besides the data: strings, static files, catalogue, Folium's map."""
    _say("页面 / pages")
    base = f"/r/{release_id}"
    pages = read_assets()
    bounds = orjson.loads(files["data/counties.geojson"])["bbox"]
    leaflet = {"js": f"{base}/static/vendor/leaflet.js", "css": f"{base}/static/vendor/leaflet.css"}
    for language in LANGUAGES:
        strings = read_strings(language)
        sources = {
            "overview": f"{base}/map/overview.topojson",
            "detail": f"{base}/map/detail.topojson",
            "map": f"{base}/map/{language}.json",
        }
        pages[f"pages/{language}/map.json"] = orjson.dumps(render_map(bounds, sources, leaflet).to_dict())
        pages[f"pages/{language}/strings.json"] = orjson.dumps(strings)
        payload = orjson.loads(files[f"map/{language}.json"])
        head = {"release": release_id, "bounds": bounds, "strings": _client_strings(strings)}
        pages[f"map/{language}.json"] = orjson.dumps(head | payload)
    pages["pages/catalogue.json"] = orjson.dumps([layer.model_dump() for layer in inputs.layers.values()])
    pages["pages/plan.json"] = orjson.dumps(next(plan.model_dump() for plan in inputs.facts.plans.values()))
    return pages


def read_strings(language: str) -> dict[str, str]:
    """Return the flat translations of one language: ``map.search`` and so on."""
    flat: dict[str, str] = {}
    for path in sorted((HERE / "translations" / language).glob("*.yaml")):
        flat |= _flatten(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader), "")
    return flat


def _flatten(value: Any, prefix: str) -> dict[str, str]:
    if not isinstance(value, dict):
        return {prefix: str(value)}
    flat: dict[str, str] = {}
    for key, below in value.items():
        flat |= _flatten(below, f"{prefix}.{key}" if prefix else str(key))
    return flat


def _client_strings(strings: dict[str, str]) -> dict[str, str]:
    """Return the strings that the map's own modules use."""
    terms = _flatten(
        yaml.load((HERE / "translations/zh/terms.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader),
        "",
    )
    return {key: text for key, text in strings.items() if key.startswith("map.") or key in terms}


def _say(message: str) -> None:
    print(f"  {time.process_time():5.1f} s  {message}", flush=True)  # noqa: T201 - this is the build's progress


if __name__ == "__main__":
    try:
        build(Path(sys.argv[1]), Path(sys.argv[2]))
    except BuildError as error:
        sys.exit(str(error))
