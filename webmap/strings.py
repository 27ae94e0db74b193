"""Read the translation files: flat texts by key, such as ``map.search``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent


def read_strings(language: str, name: str = "*") -> dict[str, str]:
    """Return the flat translations of one language, of all files or the one called `name`."""
    strings: dict[str, str] = {}
    for path in sorted((HERE / "translations" / language).glob(f"{name}.yaml")):
        strings |= flatten(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader), "")
    return strings


def flatten(value: Any, prefix: str) -> dict[str, str]:
    """Return nested texts with dotted keys."""
    if not isinstance(value, dict):
        return {prefix: str(value)}
    flat: dict[str, str] = {}
    for key, below in value.items():
        flat |= flatten(below, f"{prefix}.{key}" if prefix else str(key))
    return flat
