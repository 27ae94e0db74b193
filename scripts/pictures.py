"""Take a picture of every kind of page: ``python -m scripts.pictures --home FOLDER --output FOLDER``.

Every language, three widths, light and dark, and print. ``--against FOLDER`` compares with pictures taken
before, writes where they differ in red, and exits 1 where any does: whoever changes a style sheet sees what
moved. It takes a built release, chromium and the packages of the tests.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import click
import numpy as np
from PIL import Image, ImageChops

from geodata.city import list_layers
from geodata.kinds import LANGUAGES
from layers.home import find_home
from layers.store import Release, read_current
from scripts.bench.map import BROWSER_FLAGS, find_chromium
from scripts.bilingual import text
from webmap.app import create_app
from webmap.server import serving
from webmap.settings import Settings

WIDTHS: Final = (360, 768, 1440)  # pixels of the window
HEIGHTS: Final = {360: 740}
HEIGHT: Final = 900
MOST_HEIGHT: Final = 6000  # of a picture: what is lower repeats
SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark", "print")
SAME: Final = 24  # of 255: letters are smoothed a little differently each time
Scheme = Literal["light", "dark", "print"]
# Addresses by what is to be seen; the braces stand for ids of the release.
PAGES: Final = {
    "map-{theme}": "/?theme={theme}",
    "map-industry": "/?industry={industry}",
    "map-zone": "/?zone={zone}",
    "map-area": "/?zone={area}",
    "map-pick": "/?pick={zone},{other}",
    "embed": "/embed?legend=1",
    "zones": "/zones/",
    "zone": "/zones/{zone}",
    "area": "/zones/{area}",
    "gateway": "/places/{gateway}",
    "platform": "/places/{platform}",
    "platforms": "/platforms/",
    "industries": "/industries/",
    "industry": "/industries/{industry}",
    "clusters": "/clusters/",
    "cluster": "/clusters/{cluster}",
    "agencies": "/agencies/",
    "agency": "/agencies/{agency}",
    "plan": "/plan",
    "clause": "/plan/{clause}",
    "indicators": "/indicators",
    "find": "/find?industry={industry}",
    "compare": "/compare?zones={zone},{other}",
    "search": "/search?q={word}",
    "search-nothing": "/search?q=zzzz",
    "lookup": "/lookup?lon={lon}&lat={lat}",
    "join": "/join",
    "data": "/data/",
    "changes": "/changes",
    "release": "/r/{release}/",
    "about": "/about",
    "ogc": "/ogc/?f=html",
    "ogc-api": "/ogc/api?f=html",
    "ogc-collection": "/ogc/collections/zones?f=html",
    "ogc-items": "/ogc/collections/zones/items?f=html",
    "ogc-item": "/ogc/collections/zones/items/{zone}?f=html",
    "ogc-collections": "/ogc/collections?f=html",
    "ogc-conformance": "/ogc/conformance?f=html",
    "ogc-schema": "/ogc/collections/zones/schema?f=html",
    "ogc-tiles": "/ogc/collections/zones/tiles?f=html",
    "error": "/zones/none",
}
READY: Final = "() => !document.querySelector('.atlas') || document.querySelector('.atlas.ready')"
OPEN: Final = (
    "document.querySelectorAll('main details:not(.share, .tool-menu)').forEach((one) => { one.open = true; })"
)


@dataclass(frozen=True)
class Shot:
    """One picture: what is seen, in which language, at which width and how."""

    name: str
    path: str
    language: str
    width: int
    scheme: Scheme

    @property
    def file(self) -> str:
        """The picture's name."""
        return f"{self.name}-{self.language}-{self.width}-{self.scheme}.png"

    @property
    def address(self) -> str:
        """The path with the language."""
        return f"{self.path}{'&' if '?' in self.path else '?'}lang={self.language}"


def list_shots(
    release: Release, languages: tuple[str, ...], widths: tuple[int, ...], schemes: tuple[Scheme, ...]
) -> Iterator[Shot]:
    """Yield the pictures of a release; print is as wide as the paper and has one width."""
    ids = _pick_ids(release)
    themes = [row["id"] for row in release.read_json("map/zh.json")["themes"]]
    pages = {
        name.format(theme=theme): path.format(theme=theme, **ids)
        for name, path in PAGES.items()
        for theme in (themes if "{theme}" in name else themes[:1])
    }
    for name, path in pages.items():
        for language in languages:
            for scheme in schemes:
                for width in widths if scheme != "print" else widths[-1:]:
                    yield Shot(name, path, language, width, scheme)


def _pick_ids(release: Release) -> dict[str, Any]:
    """Return an id of each kind; of zones, those that the plan says most of."""
    payload = release.read_json("map/zh.json")
    features = payload["features"]

    def of(layer: str) -> list[str]:
        found = [row_id for row_id, row in features.items() if row["layer"] == layer]
        return sorted(found, key=lambda row_id: -len(features[row_id]["industries"]))

    zones, areas = of("zones"), [one for layer in list_layers("areas") for one in of(layer)]
    lon, lat = features[zones[0]]["label"]
    clauses = release.read_json("data/clauses.json")
    agencies = release.read_json("data/agencies.json")
    return {
        "zone": zones[0],
        "other": zones[1],
        "area": areas[0] if areas else zones[-1],
        "gateway": of("gateways")[0],
        "platform": of("platforms")[0],
        "industry": features[zones[0]]["industries"][0],
        "word": features[zones[0]]["name"],
        "cluster": payload["clusters"][0]["id"],
        "agency": agencies[0]["id"],
        "clause": clauses[-1]["id"],
        "lon": lon,
        "lat": lat,
        "release": release.id,
    }


def take(browser: Any, site: str, shot: Shot, folder: Path) -> None:
    """Write one picture of a page, whole, with everything unfolded."""
    size = {"width": shot.width, "height": HEIGHTS.get(shot.width, HEIGHT)}
    dark = "dark" if shot.scheme == "dark" else "light"
    context = browser.new_context(viewport=size, color_scheme=dark, reduced_motion="reduce")
    try:
        page = context.new_page()
        page.goto(site + shot.address, wait_until="load")
        page.wait_for_function(READY)
        page.evaluate(OPEN)
        if shot.scheme == "print":
            page.emulate_media(media="print")
        page.wait_for_load_state("networkidle")
        height = page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": shot.width, "height": min(height, MOST_HEIGHT)}
        page.screenshot(path=folder / shot.file, full_page=True, clip=clip, animations="disabled")
    finally:
        context.close()


def compare_pictures(now: Path, before: Path, marked: Path) -> float:
    """Return which share of a picture's pixels differs from one taken before; `marked` shows them in red.

    Of two sizes, what one has and the other has not differs.
    """
    with Image.open(now) as first, Image.open(before) as second:
        pair = [first.convert("RGB"), second.convert("RGB")]
    size = max(pair[0].width, pair[1].width), max(pair[0].height, pair[1].height)
    sheets = []
    for picture, empty in zip(pair, ("white", "black"), strict=True):
        sheet = Image.new("RGB", size, empty)
        sheet.paste(picture)
        sheets.append(sheet)
    differs = np.asarray(ImageChops.difference(*sheets)).max(axis=2) > SAME
    share = float(differs.mean())
    if share:
        pixels = np.asarray(sheets[0]).copy()
        pixels[differs] = (255, 0, 0)
        marked.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(marked)
    return share


@click.command(help=__doc__)
@click.option("--home", type=click.Path(path_type=Path), help="folder of releases")
@click.option("--output", type=click.Path(path_type=Path), required=True)
@click.option("--against", type=click.Path(path_type=Path, exists=True), help="pictures taken before")
@click.option("--language", "languages", multiple=True, type=click.Choice(LANGUAGES), default=LANGUAGES)
@click.option("--width", "widths", multiple=True, type=click.IntRange(240, 4000), default=WIDTHS)
@click.option("--scheme", "schemes", multiple=True, type=click.Choice(SCHEMES), default=SCHEMES)
@click.option("--only", default="", help="only pages with this in their name")
def main(
    home: Path | None,
    output: Path,
    against: Path | None,
    languages: tuple[str, ...],
    widths: tuple[int, ...],
    schemes: tuple[Scheme, ...],
    only: str,
) -> None:
    """Take the pictures, and compare them."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError as error:  # one of the tests' packages
        raise click.ClickException(
            text("command_lacks", command="scripts.pictures", missing=error.name)
        ) from error

    folder = home or find_home()
    release = read_current(folder)
    if release is None:
        raise click.ClickException(f"{folder}: no release; run weihai-layout build")
    output.mkdir(parents=True, exist_ok=True)
    shots = [one for one in list_shots(release, languages, widths, schemes) if only in one.name]
    app = create_app(release, Settings(folder))
    with sync_playwright() as playwright, serving(app, app.extensions["strings"]) as site:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=BROWSER_FLAGS)
        for shot in shots:
            take(browser, site, shot, output)
        browser.close()
    print(f"{len(shots)} pictures in {output}")
    if against is not None and _tell_differences(shots, output, against):
        sys.exit(1)


def _tell_differences(shots: list[Shot], output: Path, against: Path) -> int:
    """Print which pictures differ, most first, and return how many; one that is new differs."""
    found = {}
    for shot in shots:
        before = against / shot.file
        share = compare_pictures(output / shot.file, before, output / "differs" / shot.file)
        if share:
            found[shot.file] = share
    for file, share in sorted(found.items(), key=lambda one: -one[1]):
        print(f"{share:8.3%}  {file}")
    print(f"{len(found)} of {len(shots)} differ")
    return len(found)


if __name__ == "__main__":
    main()
