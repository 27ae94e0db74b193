"""``licences``: under which terms each package comes that the program runs on."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import NamedTuple

from scripts.commands.common import command, json_option, write_json
from scripts.environment import list_pinned
from scripts.messages import warn, write

CLASSIFIER = "License :: "
SHORT = 60  # characters; more is the text of a licence and not its name
UNKNOWN = "?"


class Licence(NamedTuple):
    """What a package says of its terms: an SPDX expression, or the name that it gives."""

    package: str
    version: str
    licence: str
    files: tuple[str, ...]  # that hold the text, below the folder of packages


@command("licences")
@json_option
def licences(*, as_json: bool) -> int:
    """List the licence of every package that is pinned and installed; exit 1 if one names none."""
    found = list(list_licences())
    if as_json:
        write_json([one._asdict() for one in found])
    else:
        width = max(len(one.package) for one in found)
        write("\n".join(f"{one.package:{width}}  {one.version:12}  {one.licence}" for one in found))
    unknown = [one.package for one in found if one.licence == UNKNOWN]
    if unknown:
        warn("licences_unknown", packages=", ".join(unknown))
    return 1 if unknown else 0


def list_licences() -> Iterator[Licence]:
    """Yield what is said of every package of ``requirements.lock`` that is installed, by name."""
    for name in sorted({row["name"] for row in list_pinned()}, key=str.lower):
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # of another system, or another Python
        files = tuple(str(path) for path in package.files or () if _holds_terms(path.name))
        yield Licence(name, package.version, _name_licence(package), files)


def _name_licence(package: Distribution) -> str:
    """Return the expression of PEP 639, else what classifiers name, else the old field where it is short."""
    said = package.metadata
    expression = said.get_all("License-Expression", [])
    if expression:
        return str(expression[0])
    rows = [row for row in said.get_all("Classifier", []) if row.startswith(CLASSIFIER)]
    named = [row.rpartition(" :: ")[2] for row in rows]
    lines = "\n".join(said.get_all("License", [])).strip().splitlines()
    short = lines[0] if len(lines) == 1 and len(lines[0]) <= SHORT else ""
    return ", ".join(named) or short or UNKNOWN


def _holds_terms(name: str) -> bool:
    return name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))
