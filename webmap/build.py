"""Build a release: ``python -m webmap.build HOME FACTS ACT [LOCAL]``.

ACT says why and of which inputs, LOCAL is the folder of what the operator adds to the facts.

Imports the whole stack and prints progress. Run by :mod:`webmap.publish`, which holds the home's lock.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import orjson

from geodata.basemap import Basemap, BasemapError
from geodata.boundaries import Boundaries, parse_geometry
from geodata.boundary_import.checks import check_outcome
from geodata.boundary_import.issues import PlaceNames
from geodata.boundary_import.snap import add_sources, apply_imports, to_boundaries
from geodata.check import check_facts
from geodata.city import CityError
from geodata.imported import ImportedBoundary
from geodata.kinds import LANGUAGES, PLACE_LAYERS
from geodata.local import read_local
from geodata.read import Facts, read_boundaries, read_facts
from geodata.shapes import ShapeError
from layers.basemap_cells import FOLDER, INDEX, open_basemap
from layers.catalogue import read_layers, read_themes
from layers.child_job import leave_with_parent
from layers.features import to_layers
from layers.history import Act, parse_act, read_imports
from layers.home import HomeError
from layers.map_types import MapDocument
from layers.release import Files, Inputs, build_release
from layers.sketch import Sketch
from layers.store import Release, place_release
from webmap.assets import draw_ground, draw_opening, read_assets
from webmap.folium_map import box_of, limit_zooms, render_map
from webmap.i18n import read_strings
from webmap.publish import INPUTS_CHANGED, BuildError, hash_inputs

_CLIENT_STRINGS = {  # groups that the map's own modules use
    *("map", "common", "comparator", "confidence", "direction", "emphasis", "emphasis_short", "format"),
    *("geometry", "indicator_group", "kind", "landmark", "layer", "layer_one", "level", "method"),
    *("method_note", "own", "status", "type", "unit", "zone_basis"),
}


class InputsChangedError(Exception):
    """The inputs are no longer those that the release was to be made from."""


def build_home(home: Path, facts_folder: Path, act: Act, local: Path | None = None) -> Release:
    """Build the release of the inputs that `act` names and lay it in its place; it is not live yet.

    Raises :class:`~webmap.publish.BuildError` listing every error of the facts and additions, and
    :class:`InputsChangedError` if the inputs change before all is done; nothing is written then.
    """
    inputs = _read_inputs(facts_folder, read_imports(home, act.imports), local)
    files = build_release(inputs, _say)
    files |= _page_files(files, act.inputs, inputs)
    if hash_inputs(facts_folder, act.imports, local) != act.inputs:
        raise InputsChangedError
    _say("写入 / writing")
    return place_release(home, act.inputs, files)


def _read_inputs(facts_folder: Path, records: tuple[ImportedBoundary, ...], local: Path | None) -> Inputs:
    _say("读取规划事实与边界 / reading facts and boundaries")
    facts = read_facts(facts_folder)
    additions = read_local(local, facts)
    try:
        problems = (*facts.problems, *check_facts(facts), *additions.problems)
    except CityError as error:
        raise BuildError(str(error)) from error
    errors = [str(problem) for problem in problems if problem.level == "error"]
    if errors:
        said = (
            f"规划事实与本地补充有 {len(errors)} 处错误，未生成新版本 / "
            f"{len(errors)} errors in the facts and the local additions, no release was built"
        )
        raise BuildError("\n".join([*errors, said]))
    for warning in problems:
        _say(str(warning))
    try:
        boundaries = read_boundaries(facts_folder / "boundaries")
    except (OSError, ValueError) as error:
        raise BuildError(f"边界数据无法读取 / the boundaries cannot be read: {error}") from error
    boundaries = _import(facts, boundaries, records)
    sourced = add_sources(facts, records)
    basemap = _read_basemap(additions.basemap, facts, boundaries)
    layers = read_layers() | to_layers(additions.layers)
    return Inputs(sourced, boundaries, layers, read_themes(), local=additions, basemap=basemap)


def _read_basemap(path: Path | None, facts: Facts, boundaries: Boundaries) -> Basemap | None:
    if path is None:
        return None
    _say("底图 / basemap")
    try:
        return open_basemap(path, facts, boundaries)
    except BasemapError as error:
        raise BuildError(str(error)) from error


def _import(facts: Facts, boundaries: Boundaries, records: tuple[ImportedBoundary, ...]) -> Boundaries:
    """Return the boundaries with the imports in force.

    Raises BuildError where they leave a town without land.
    """
    if not records:
        return boundaries
    _say("导入的边界 / imported boundaries")
    adjusted = apply_imports(facts, boundaries, records)
    before = apply_imports(facts, boundaries, []).pieces
    found = check_outcome(before, adjusted, PlaceNames(facts, boundaries))
    wrong = [line for one in found for line in one.to_lines()]
    if wrong:
        raise BuildError("\n".join(wrong))
    return to_boundaries(boundaries, adjusted)


def _page_files(files: Files, release_id: str, inputs: Inputs) -> Files:
    """Return what the pages need besides the data: strings, static files, catalogue, Folium's map."""
    _say("页面 / pages")
    base = f"/r/{release_id}"
    strings = {language: read_strings(language, inputs.layers) for language in LANGUAGES}
    ground = draw_ground(orjson.loads(files["pages/sketch.json"]))
    pages = read_assets(strings) | {"static/ground.svg": ground}
    bounds = orjson.loads(files["data/counties.geojson"])["bbox"]
    leaflet = {"js": f"{base}/static/vendor/leaflet.js", "css": f"{base}/static/vendor/leaflet.css"}
    basemap = orjson.loads(files[INDEX]) if INDEX in files else None
    for language in LANGUAGES:
        sources = {
            "overview": f"{base}/map/overview.topojson",
            "detail": f"{base}/map/detail.topojson",
            "map": f"{base}/map/{language}.json",
        }
        payload = orjson.loads(files[f"map/{language}.json"])
        if basemap:
            payload["basemap"] = {"base": f"{base}/{FOLDER}", **basemap}
        drawn = render_map(bounds, sources, leaflet, limit_zooms(payload))
        pages[f"pages/{language}/map.json"] = orjson.dumps(drawn.to_dict())
        pages[f"pages/{language}/strings.json"] = orjson.dumps(strings[language])
        texts = strings[language].items()
        said = {key: text for key, text in texts if key.partition(".")[0] in _CLIENT_STRINGS}
        head = {"release": release_id, "bounds": bounds, "strings": said}
        pages[f"map/{language}.json"] = orjson.dumps(head | payload)
    pages |= _draw_openings(files, orjson.loads(pages[f"map/{LANGUAGES[0]}.json"]))
    pages["pages/catalogue.json"] = orjson.dumps(
        [layer.model_dump(mode="json") for layer in inputs.layers.values()]
    )
    pages["pages/plan.json"] = orjson.dumps(next(plan.model_dump() for plan in inputs.facts.plans.values()))
    return pages


def _draw_openings(files: Files, payload: MapDocument) -> Files:
    """Return what the map of each theme begins with."""
    sketch: Sketch = orjson.loads(files.pop("pages/opening.json"))  # which nobody else reads
    rows = [row for layer in PLACE_LAYERS for row in orjson.loads(files[f"data/{layer}.geojson"])["features"]]
    boxes = {row["id"]: box_of(parse_geometry(row)) for row in rows if row["geometry"]}
    themes = [row["id"] for row in payload["themes"]]
    return {
        f"pages/opening/{theme}.json": orjson.dumps(draw_opening(sketch, payload, theme, boxes))
        for theme in themes
    }


def _say(message: str) -> None:
    print(f"  {time.process_time():5.1f} s  {message}", flush=True)  # noqa: T201 - this is the build's progress


def _describe(error: Exception, home: str) -> str:
    if not isinstance(error, OSError):
        return str(error)
    where, reason = error.filename or home, error.strerror or error
    return f"无法读写 {where}：{reason} / {where} could not be read or written: {reason}"


def main(home: str, facts_folder: str, act_text: str, local_folder: str = "") -> int | str:
    """Build, and return 0, the exit code that asks for another build, or what is wrong."""
    act, local = parse_act(act_text), Path(local_folder) if local_folder else None
    try:
        build_home(Path(home), Path(facts_folder), act, local)
    except InputsChangedError:
        return INPUTS_CHANGED
    except (BuildError, HomeError, OSError, ShapeError) as error:
        # Half-saved inputs are wrong too; what is right or wrong is said of those at rest.
        changed = hash_inputs(Path(facts_folder), act.imports, local) != act.inputs
        return INPUTS_CHANGED if changed else _describe(error, home)
    return 0


if __name__ == "__main__":
    leave_with_parent()  # who holds the lock of the home
    sys.exit(main(*sys.argv[1:]))
