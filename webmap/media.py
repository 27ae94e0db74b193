"""The media types that pages and documents have."""

from __future__ import annotations

from typing import Final

HTML: Final = "text/html"
JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
