"""Tell which coordinate system a GeoJSON itself names; GDAL takes WGS 84 where it does not know it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

_MEMBER: Final = re.compile(rb'"crs"\s*:\s*(?=\{)')
_LONGEST: Final = 2000  # bytes that such a member may have


def read_named(source: Path) -> str | None:
    """Return the name, or the address, in the first member ``crs`` of a GeoJSON; None where there is none."""
    content = source.read_bytes()
    texts = (content[one.end() : one.end() + _LONGEST] for one in _MEMBER.finditer(content))
    return next(filter(None, map(_parse, texts)), None)


def _parse(text: bytes) -> str | None:
    """Return what the object that `text` begins with names; None for another kind of object."""
    try:
        member, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    said = member.get("properties")
    found = said.get("name", said.get("href")) if isinstance(said, dict) else None
    return found if isinstance(found, str) and member.get("type") in {"name", "link"} else None
