"""What one file is made from: a wish, the layers that it is of, and what is known of them all.

Plain values; standard library only, for the web process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from geodata.crs import LONLAT
from layers.export.formats import WGS84

Row = dict[str, Any]


@dataclass(frozen=True)
class Wish:
    """The file that is asked for.

    `name` is a layer, a table or the plan; `geometry` one of :data:`~layers.export.formats.GEOMETRIES`
    for tables of text.
    """

    name: str
    format: str
    frame: str
    geometry: str | None = None
    tag: str = ""  # what its name says of frame and selection

    @property
    def code(self) -> str:
        """The frame as other programs know it: lon/lat is EPSG:4326 to them."""
        return WGS84 if self.frame == LONLAT else self.frame


@dataclass(frozen=True)
class Part:
    """One layer or table: its entry of the catalogue, and GeoJSON features in CRS84 or plain rows."""

    info: dict[str, Any]
    rows: list[Row]

    @property
    def id(self) -> str:
        """The layer's or table's id."""
        return str(self.info["id"])

    @property
    def spatial(self) -> bool:
        """Whether its rows have places."""
        return bool(self.info["geometry"] != "none")


@dataclass(frozen=True)
class About:
    """What every file says of itself: the plan, the licence and the looks of the map."""

    plan: dict[str, Any]  # id, title, number, date, issuer
    licence: str  # the statement of data licences, Markdown
    looks: dict[str, Any]  # see layers.export.looks
    themes: list[dict[str, Any]]  # id and Chinese title of each, in the map's order
    words: dict[str, Any]  # words that only files use, by key
    imports: list[dict[str, Any]] = field(default_factory=list)  # boundaries that were brought by others

    @property
    def sources(self) -> list[str]:
        """What the data comes from, one line each: the plan, then whose imported boundaries are in it."""
        plan = f"{self.plan['title']['zh']} {self.plan['number']} {self.plan['date']}"
        return [plan, *map(_title, self.imports)]

    @property
    def modified(self) -> str | None:
        """The date of the latest imported boundary, or None."""
        return max((str(one["date"]) for one in self.imports), default=None)

    @property
    def date(self) -> str:
        """The plan's date, which stands for the time of making: a file does not depend on the clock."""
        return str(self.plan["date"])


def _title(one: dict[str, Any]) -> str:
    return f"{one['name']['zh']} {one['id']}: {one['source']} ({one['who']}, {one['date']}; {one['licence']})"


@dataclass(frozen=True)
class Job:
    """Everything that one file is made from."""

    wish: Wish
    parts: tuple[Part, ...]
    about: About

    @property
    def stem(self) -> str:
        """The name of the file without its extension."""
        return file_stem(self.about.plan, self.wish)


def file_stem(plan: dict[str, Any], wish: Wish) -> str:
    """Return the name that a file is saved under, without extension."""
    return "-".join(filter(None, (plan["id"], wish.name, wish.tag)))
