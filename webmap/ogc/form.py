"""The form of the features' page: what it keeps of a request, what is in force, what can be dropped."""

from __future__ import annotations

from typing import Any

from layers.axes import ALL
from layers.export.job import headline
from webmap.language import LANGUAGES
from webmap.ogc.asked import Asked
from webmap.ogc.items import Page
from webmap.ogc.parameters import ITEMS

FIELDS = ("filter", "crs", "sortby")  # that the form shows
ADDRESS = ("f", "lang", "offset")  # of the page, not of what is asked for
BESIDE = {"bbox": "bbox-crs", "filter": "filter-lang"}  # what goes when its parameter is dropped
LONGEST = 40  # characters of a value in an example
_TRANSLATED = tuple(f"_{language}" for language in LANGUAGES)


def describe_form(asked: Asked, found: Page) -> dict[str, Any]:
    """Return what the form holds beside its own fields, and which conditions narrow the list.

    ``titles`` are what the properties are called, by their names.
    """
    kept = [pair for pair in asked.pairs if pair[0] not in {*FIELDS, *ADDRESS}]
    narrowing = [name for name, _ in asked.pairs if _narrows(name, found)]
    fields = found.collection.info["fields"]
    titles = {field["name"]: headline(field["description"][asked.language]) for field in fields}
    sorting = {
        f"{sign}{name}": {"title": titles[name], "name": name, "descending": bool(sign)}
        for name in titles
        for sign in ("", "-")
    }
    own = asked.values.get("sortby")  # that the list does not offer: several properties, or a plus
    return {
        "kept": kept,
        "in_force": [
            (name, value, _without(asked, name)) for name, value in kept if name not in BESIDE.values()
        ],
        "narrowed": bool(narrowing),
        "clear": _without(asked, *narrowing),
        "titles": titles,
        "sorting": sorting,
        "own_sorting": own if own not in sorting else None,
        "systems": ALL,
        "axes": found.axes,
    }


def _narrows(name: str, found: Page) -> bool:
    """Tell whether a parameter can keep features out of the list."""
    if name == "bbox":
        return found.wanted.has_place
    return name == "filter" or (name not in ITEMS and name not in ADDRESS)


def _without(asked: Asked, *names: str) -> str:
    """Return the address of the first page without some parameters."""
    gone = {*names, *(BESIDE[name] for name in names if name in BESIDE), "offset"}
    return asked.url(asked.path, [pair for pair in asked.pairs if pair[0] not in gone])


def find_example(properties: dict[str, Any]) -> str:
    """Return a filter that a feature with these properties fulfils."""
    for name, value in properties.items():
        short = isinstance(value, str) and len(value) <= LONGEST and "'" not in value
        if short and name != "id" and not name.endswith(_TRANSLATED):
            return f"{name} = '{value}'"
    return f"id = '{properties['id']}'" if "id" in properties else "TRUE"
