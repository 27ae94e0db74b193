"""What an operator can set, all through the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Settings:
    """The operator's choices.

    Attributes
    ----------
    home
        Folder of the releases (``WEIHAI_LAYOUT_HOME``).
    tiles
        Optional tile basemap (``WEIHAI_LAYOUT_TILES``): ``tianditu`` or ``gaode``. None: no outside host.
    tianditu_key
        The key that Tianditu asks for (``WEIHAI_LAYOUT_TIANDITU_KEY``).
    """

    home: Path
    tiles: str | None = None
    tianditu_key: str | None = None


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises ValueError naming the variable, the value and what is allowed."""
    tiles = environ.get("WEIHAI_LAYOUT_TILES") or None
    if tiles not in {None, "tianditu", "gaode"}:
        raise ValueError(f"WEIHAI_LAYOUT_TILES={tiles!r}: 应为 tianditu 或 gaode / must be tianditu or gaode")
    key = environ.get("WEIHAI_LAYOUT_TIANDITU_KEY") or None
    if tiles == "tianditu" and not (key and key.isalnum()):
        raise ValueError(
            f"WEIHAI_LAYOUT_TIANDITU_KEY={key!r}: "
            "天地图须填写由字母与数字组成的密钥 / Tianditu needs a key of letters and digits"
        )
    return Settings(Path(environ.get("WEIHAI_LAYOUT_HOME", ROOT / "var")), tiles, key)
