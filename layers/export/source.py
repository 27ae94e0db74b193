"""Read from a release what its files are made from. Standard library only, for the web process."""

from __future__ import annotations

from layers.export.job import About, Part
from layers.store import Release


def read_about(release: Release) -> About:
    """Return what every file says of itself."""
    return About(**release.read_json("pages/about.json"))


def read_parts(release: Release) -> list[Part]:
    """Return every layer and table with all its rows, in the catalogue's order."""
    return [read_part(release, info) for info in release.read_json("pages/catalogue.json")]


def read_part(release: Release, info: dict[str, object]) -> Part:
    """Return the layer or table of one entry of the catalogue."""
    if info["geometry"] == "none":
        return Part(info, release.read_json(f"data/{info['id']}.json"))
    return Part(info, release.read_json(f"data/{info['id']}.geojson")["features"])
