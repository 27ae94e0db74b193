"""What the edges of a map mean: one line of the legend for each kind of line, as on the screen's map."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

LINES = {
    "solid": ("surveyed", "official", "digitised"),
    "dashed": ("reconstructed", "derived"),
    "dotted": ("indicative",),
}


def explain_edges(methods: Iterable[str | None], say: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Yield a method that is drawn with each kind of line in use, and what that line says."""
    used = set(methods)
    for line, drawn in LINES.items():
        here = [method for method in drawn if method in used]
        if here:
            meanings = say("common.list_comma").join(say(f"map.edge.{method}") for method in here)
            yield here[0], say(f"map.line.{line}", meaning=meanings)
