"""The libraries of geometry, imported when something of them is used first.

They take as long to import as all the rest that a web process needs for its first answer, which most
often is a page, and a page needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = ["load_libraries", "np", "pyproj", "shapely"]


class Deferred:
    """Stands for a module; any number of threads may be the first to use it, and all wait for the whole."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """Return what the module has of that name; asked again, it is found as in any object."""
        found = getattr(import_module(self._name), attribute)
        setattr(self, attribute, found)
        return found


if TYPE_CHECKING:
    import numpy as np
    import pyproj
    import shapely
else:
    np, pyproj, shapely = Deferred("numpy"), Deferred("pyproj"), Deferred("shapely")


def load_libraries() -> None:
    """Import all of them now."""
    for one in (np, shapely, pyproj):
        _ = one.__version__
