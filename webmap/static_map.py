"""Small maps that pages draw inline: which places, in which order, and labels that cover no other."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypedDict

from layers.links import Words
from layers.sketch import Sketch, SketchedPlace
from webmap.content import Content

SIZES = {"wide": 15, "large": 22}  # height of a label; the second where the map is shown small
Box = tuple[float, float, float, float]  # left, top, right, bottom in the map's units
Spot = tuple[float, float]
NARROW = 0.56  # width of a Latin letter over its height; a Chinese one is square
LINE = 1.15  # height of a line over its letters
# Where a label is tried: shares of its own width and height beside the place's own spot.
OFFSETS = (
    *((0, 0), (0, -1), (0, 1), (-0.3, -0.8), (0.3, -0.8), (-0.3, 0.8), (0.3, 0.8)),
    *((0.6, 0), (-0.6, 0), (0.6, -0.8), (-0.6, -0.8), (0.6, 0.8), (-0.6, 0.8), (0, -2), (0, 2)),
)
UPRIGHT = 3  # so many of them keep a label over its spot


class MapLabel(TypedDict):
    """Where a name and its prefix stand; `tight` where it covers another wherever it stands."""

    x: float
    y: float
    text: str
    prefix: str
    tight: bool


class MarkedPlace(SketchedPlace):
    """A place with its mark, and its label in each of `SIZES`."""

    id: str
    layer: str
    url: str
    name: Words
    mark: str
    wide: MapLabel | None
    large: MapLabel | None


class ArrangedMap(TypedDict):
    """What the template draws."""

    width: int
    height: int
    neighbour: str
    land: str
    backdrop: dict[str, str]
    borders: str
    places: list[MarkedPlace]
    sizes: list[str]


def arrange(
    content: Content, marks: Mapping[str, str], language: str, prefixes: Mapping[str, str] | None = None
) -> ArrangedMap:
    """Return what the template draws: the ground, and the marked places with the largest at the back.

    `marks` gives each place's mark, which becomes a class and a letter of its label. A place has a
    label for each of `SIZES`; one without room is `tight`, as it would cover another: the list beside
    the map has them all. `prefixes` are set before the names, and only places with one are labelled,
    the first ones first.
    """
    sketch = content.sketch
    known = [place for place in marks if place in sketch["places"]]
    known.sort(key=lambda place: -(content.documents[place]["area_km2"] or 0))
    before = dict.fromkeys(reversed(known), "") if prefixes is None else prefixes
    texts = {place: (prefix, _name(content, place, language)) for place, prefix in before.items()}
    labels = {name: _place_names(texts, size, sketch) for name, size in SIZES.items()}
    wide, large = labels["wide"], labels["large"]
    return {
        "width": sketch["width"],
        "height": sketch["height"],
        "neighbour": sketch["neighbour"],
        "land": sketch["land"],
        "backdrop": sketch["backdrop"],
        "borders": sketch["borders"],
        "places": [_row(content, one, marks[one], wide.get(one), large.get(one)) for one in known],
        "sizes": list(SIZES),
    }


def _name(content: Content, place: str, language: str) -> str:
    document = content.documents[place]
    return str((document["short_name"] or document["name"])[language])


def _row(
    content: Content, place: str, mark: str, wide: MapLabel | None, large: MapLabel | None
) -> MarkedPlace:
    document = content.documents[place]
    return {
        **content.sketch["places"][place],
        "id": document["id"],
        "layer": document["layer"],
        "url": document["url"],
        "name": document["name"],
        "mark": mark,
        "wide": wide,
        "large": large,
    }


def _place_names(texts: Mapping[str, tuple[str, str]], size: int, sketch: Sketch) -> dict[str, MapLabel]:
    """Return where each prefix and name stands at `size` covering no other; `tight` where none fits."""
    own = {place: (sketch["places"][place]["x"], sketch["places"][place]["y"]) for place in texts}
    wanted = [Label(prefix + name, own[place], size) for place, (prefix, name) in texts.items()]
    spots = place_labels(wanted, (sketch["width"], sketch["height"]))
    labels: dict[str, MapLabel] = {}
    for (place, (prefix, name)), spot in zip(texts.items(), spots, strict=True):
        x, y = spot or own[place]
        labels[place] = {
            "x": round(x, 1),
            "y": round(y, 1),
            "text": name,
            "prefix": prefix,
            "tight": spot is None,
        }
    return labels


@dataclass(frozen=True)
class Label:
    """A text that is to stand, centred, at or beside a spot; `size` is the height of its letters."""

    text: str
    at: Spot
    size: float
    strays: bool = True  # may stand to the side of its spot; above or below it always


def place_labels(labels: Iterable[Label], view: Spot) -> list[Spot | None]:
    """Return where the middle of each label stands in a view of (width, height); None where none fits.

    The first ones choose first.
    """
    taken: list[Box] = []
    found = []
    for label in labels:
        width = _width(label)
        x, y = label.at
        offsets = OFFSETS if label.strays else OFFSETS[:UPRIGHT]
        spots = [(x + dx * width, y + dy * LINE * label.size) for dx, dy in offsets]
        free = next((spot for spot in spots if _is_free(measure_box(label, spot), taken, view)), None)
        if free:
            taken.append(measure_box(label, free))
        found.append(free)
    return found


def _width(label: Label) -> float:
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in label.text)
    return label.size * (wide + NARROW * (len(label.text) - wide))


def measure_box(label: Label, spot: Spot) -> Box:
    """Return the room that a label takes whose middle is at `spot`."""
    (x, y), half = spot, _width(label) / 2
    return (x - half, y - LINE * label.size / 2, x + half, y + LINE * label.size / 2)


def _is_free(box: Box, taken: list[Box], view: Spot) -> bool:
    inside = min(box[:2]) > 0 and box[2] < view[0] and box[3] < view[1]
    return inside and not any(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
