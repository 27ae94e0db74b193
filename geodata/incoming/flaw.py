"""Say in Chinese and English what GEOS finds wrong with a polygon."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final

import yaml

from geodata.incoming.finding import LANGUAGES

_FILE: Final = Path(__file__).with_name("flaws.yaml")
_SAID: Final = re.compile(r"(?P<name>[^\[]+)(?:\[(?P<lon>\S+) (?P<lat>\S+)\])?")


def to_reasons(said: str) -> dict[str, str]:
    """Return by language what ``is_valid_reason`` said of a lon/lat geometry; as it is where unknown.

    >>> to_reasons("Self-intersection[122.05000000000001 37.25]")["zh"]
    '边线相交，位于（122.05，37.25）'
    >>> to_reasons("Something new[1 2]")["zh"]
    'Something new[1 2]'
    """
    read = _SAID.fullmatch(said)
    words = _flaws().get(read["name"]) if read else None
    if read is None or words is None:
        return dict.fromkeys(LANGUAGES, said)
    if read["lon"] is None:
        return dict(words)
    lon, lat = (f"{float(value):.7g}" for value in (read["lon"], read["lat"]))
    at = _flaws()["at"]
    return {language: at[language].format(what=words[language], lon=lon, lat=lat) for language in LANGUAGES}


@lru_cache(maxsize=1)
def _flaws() -> dict[str, dict[str, str]]:
    flaws: dict[str, dict[str, str]] = yaml.load(_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return flaws
