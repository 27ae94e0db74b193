"""Build a release: ``python -m webmap.build HOME FACTS HASH``, where HASH is that of the inputs.

Imports the whole stack and prints progress. Run by :mod:`webmap.publish`, which holds the home's lock.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import orjson
import yaml

from geodata.check import check_facts
from geodata.read import read_boundaries, read_facts
from layers.catalogue import read_layers, read_themes
from layers.properties import LANGUAGES
from layers.release import Files, Inputs, build_release
from layers.store import Release, write_release
from webmap.assets import read_assets
from webmap.folium_map import render_map
from webmap.publish import INPUTS_CHANGED, BuildError, hash_inputs

HERE = Path(__file__).parent


class InputsChangedError(Exception):
    """The inputs are no longer those that the release was to be made from."""


def build(home: Path, facts_folder: Path, release_id: str) -> Release:
    """Build the release of the inputs whose hash is `release_id` and make it the live one.

    Raises :class:`~webmap.publish.BuildError` listing every error of the facts, and
    :class:`InputsChangedError` if the inputs change before all is done; nothing is written then.
    """
    inputs = _read_inputs(facts_folder)
    files = build_release(inputs, _say)
    files |= _page_files(files, release_id, inputs)
    if hash_inputs(facts_folder) != release_id:
        raise InputsChangedError
    _say("写入 / writing")
    return write_release(home, release_id, files)


def _read_inputs(facts_folder: Path) -> Inputs:
    _say("读取规划事实与边界 / reading facts and boundaries")
    facts = read_facts(facts_folder)
    problems = (*facts.problems, *check_facts(facts))
    errors = [str(problem) for problem in problems if problem.level == "error"]
    if errors:
        said = (
            f"规划事实有 {len(errors)} 处错误，未生成新版本 / "
            f"{len(errors)} errors in the facts of the plan, no release was built"
        )
        raise BuildError("\n".join([*errors, said]))
    for warning in problems:
        _say(str(warning))
    try:
        boundaries = read_boundaries(facts_folder / "boundaries")
    except (OSError, ValueError) as error:
        raise BuildError(f"边界数据无法读取 / the boundaries cannot be read: {error}") from error
    return Inputs(facts, boundaries, read_layers(), read_themes())


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


def main(home: str, facts_folder: str, release_id: str) -> int | str:
    """Build, and return 0, the exit code that asks for another build, or what is wrong."""
    try:
        build(Path(home), Path(facts_folder), release_id)
    except InputsChangedError:
        return INPUTS_CHANGED
    except (BuildError, OSError) as error:
        # Half-saved inputs are wrong too; what is right or wrong is said of those at rest.
        changed = hash_inputs(Path(facts_folder)) != release_id
        return INPUTS_CHANGED if changed else str(error)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
