"""The pages' own files as they are served: modules and styles joined, Leaflet taken from its package."""

from __future__ import annotations

from importlib.metadata import files as package_files
from pathlib import Path

from webmap.bundle import bundle

STATIC = Path(__file__).parent / "static"
# The map page's styles in order, joined into one file so that the first view needs one request.
MAP_STYLES = ("base", "map", "panel", "figures", "map-media")
PAGE_STYLES = ("pages", "stack")  # likewise of the other pages
ENTRIES = ("main", "pages", "locating")  # the modules that pages load, each joined with all that it imports
LEAFLET = "django-js-lib-leaflet"  # the package; Django itself is not needed
LEAFLET_FILES = ("leaflet.js", "leaflet.css", "images/layers.png", "images/layers-2x.png")


def read_assets() -> dict[str, bytes]:
    """Return every static file by its path below the release."""
    own = {
        f"static/{path.relative_to(STATIC).as_posix()}": path.read_bytes()
        for path in STATIC.rglob("*")
        if path.is_file() and path.suffix != ".js"
    }
    modules = {path.stem: path.read_text(encoding="utf-8") for path in sorted((STATIC / "js").glob("*.js"))}
    joined = {f"static/js/{entry}.js": bundle(modules, entry).encode() for entry in ENTRIES}
    for path, names in (("map-page", MAP_STYLES), ("pages", PAGE_STYLES)):
        joined[f"static/css/{path}.css"] = b"\n".join(own[f"static/css/{name}.css"] for name in names)
    return own | joined | _read_leaflet()


def _read_leaflet() -> dict[str, bytes]:
    entries = package_files(LEAFLET) or ()
    packaged = {str(entry).partition("static/js_lib_leaflet/")[2]: entry for entry in entries}
    return {
        f"static/vendor/{name}": Path(str(packaged[name].locate())).read_bytes() for name in LEAFLET_FILES
    }
