"""What an operator can set, all through the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from webmap.site.addresses import Files

ROOT = Path(__file__).parent.parent
STORES = ("postgresql://", "postgres://")
URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:/[A-Za-z0-9._~\-/]*)?")


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
    url
        Address that the site is reached at from outside (``WEIHAI_LAYOUT_URL``), for links, QR codes and
        paper. None: the address that each request names.
    embedders
        Origins whose pages may embed the map (``WEIHAI_LAYOUT_EMBED``), separated by spaces; ``*`` for all.
    store
        Address of a PostGIS database that features and look-ups are served from
        (``WEIHAI_LAYOUT_STORE``). None: from memory.
    files
        Set while the site is written as files: what needs a running service is left out of its pages.
    """

    home: Path
    tiles: str | None = None
    tianditu_key: str | None = None
    url: str | None = None
    embedders: str = ""
    store: str | None = field(default=None, repr=False)  # may hold a password
    files: Files | None = None


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
    url = (environ.get("WEIHAI_LAYOUT_URL") or "").rstrip("/") or None
    if url and not URL.fullmatch(url):
        raise ValueError(
            f"WEIHAI_LAYOUT_URL={url!r}: "
            "应为 http 或 https 网址 / must be an http or https address, such as https://plan.example.org"
        )
    embedders = " ".join((environ.get("WEIHAI_LAYOUT_EMBED") or "").split())
    if not all(one == "*" or URL.fullmatch(one) for one in embedders.split()):
        raise ValueError(
            f"WEIHAI_LAYOUT_EMBED={embedders!r}: "
            "应为以空格分隔的网址或 * / must be origins separated by spaces, or *"
        )
    store = environ.get("WEIHAI_LAYOUT_STORE") or None
    if store and not store.startswith(STORES):
        raise ValueError(
            f"WEIHAI_LAYOUT_STORE={store.partition(':')[0]!r}…: "
            "应以 postgresql:// 开头 / must begin with postgresql://"
        )
    if store and not _is_address(store):
        raise ValueError(
            "WEIHAI_LAYOUT_STORE=postgresql://…: 无法读作数据库地址；"
            "用户名与密码中的特殊字符须写成 %40（@）、"
            "%2F（/）、%25（%）等，端口为 1–65535 / cannot be read as a database's address; write special "
            "characters in user and password as %40 (@), %2F (/), %25 (%) and so on, and a port of 1–65535"
        )
    home = Path(environ.get("WEIHAI_LAYOUT_HOME", ROOT / "var"))
    return Settings(home, tiles, key, url, embedders, store)


def _is_address(store: str) -> bool:
    # Only who stores in a database pays for its driver.
    from layers.postgis.pool import is_database_address

    return is_database_address(store)
