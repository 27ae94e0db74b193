"""What a release says of the boundaries that were imported into it: whose they are and on what terms."""

from __future__ import annotations

from typing import Any

from geodata.incoming.adjust import Adjusted
from geodata.model import Town, Zone
from geodata.read import Facts
from layers.features import LANGUAGES

Document = dict[str, Any]
HEADING = "## 导入的边界 · Imported boundaries"
_HEADS = ("layer", "id", "name", "method", "accuracy", "source", "terms", "from", "date")


def list_imports(facts: Facts, adjusted: Adjusted | None) -> list[Document]:
    """Return the imports in force, in the order in which they were put in.

    Accuracy is in metres; `crs` is the frame that the boundary came in.
    """
    if adjusted is None:
        return []
    names: dict[str, Zone | Town] = {**facts.zones, **facts.towns}
    return [
        {
            "id": place,
            "layer": record.layer,
            "name": {one: getattr(names[place].name, one) for one in LANGUAGES},
            "method": record.method,
            "accuracy_m": record.accuracy_m,
            "source": record.source,
            "licence": record.licence,
            "who": record.who,
            "date": f"{record.when:%Y-%m-%d}",
            "crs": record.crs,
        }
        for place, record in adjusted.imports.items()
    ]


def add_terms(statement: str, imports: list[Document]) -> str:
    """Return the statement of the data's terms, Markdown, with those of the imports."""
    if not imports:
        return statement
    rows = [_HEADS, ("---",) * len(_HEADS), *map(_cells, imports)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    said = (
        "以下边界由他人提供，已取代上文所述的相应图形；与其相邻或由其组成的图形也含其数据，须一并遵守其条件。\n"
        "These boundaries were brought by others and replace what is said above of the places they are of. "
        "Shapes beside them or made of them hold their data too, so their terms go with those as well."
    )
    return f"{statement.rstrip()}\n\n{HEADING}\n\n{said}\n\n{table}\n"


def _cells(one: Document) -> tuple[str, ...]:
    accuracy, name = f"±{one['accuracy_m']:g} m", f"{one['name']['zh']} {one['name']['en']}"
    cells = (one["layer"], one["id"], name, one["method"], accuracy, one["source"], one["licence"])
    return tuple(map(_escape, (*cells, one["who"], one["date"])))


def _escape(text: str) -> str:
    """Return a text as one cell of a Markdown table: people wrote it, so it may hold anything."""
    flat = " ".join(text.split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|" else letter for letter in flat)
