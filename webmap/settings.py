"""What an operator can set, all through the environment."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from webmap.site.addresses import Files

ROOT = Path(__file__).parent.parent
STORES = ("postgresql://", "postgres://")
URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:/[A-Za-z0-9._~\-/]*)?")
HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
CONTACT = re.compile(r"(?:mailto:[^\s@]+@[^\s@]+|https://\S+|tel:\+?[0-9-]+)", re.ASCII)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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
    hosts
        Names, with or without a port, that requests may be sent to (``WEIHAI_LAYOUT_HOSTS``), separated by
        spaces or commas; ``*.example.org`` for all below. The name in `url` is always one of them.
        Empty: any.
    proxies
        Addresses or networks of the proxies whose ``X-Forwarded-*`` headers are believed
        (``WEIHAI_LAYOUT_PROXIES``), separated by spaces or commas. Empty: none.
    security_contact
        ``mailto:``, ``https:`` or ``tel:`` address that weaknesses are reported to
        (``WEIHAI_LAYOUT_SECURITY_CONTACT``), in ``/.well-known/security.txt``. None: there is no such file.
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
    hosts: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = ()
    security_contact: str | None = None
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
    return Settings(
        home,
        tiles,
        key,
        url,
        embedders,
        _read_hosts(environ.get("WEIHAI_LAYOUT_HOSTS") or "", url),
        _read_proxies(environ.get("WEIHAI_LAYOUT_PROXIES") or ""),
        _read_contact(environ.get("WEIHAI_LAYOUT_SECURITY_CONTACT") or ""),
        store,
    )


def _read_hosts(text: str, url: str | None) -> tuple[str, ...]:
    """Return the names of the site, that of its own address among them; none where none are given."""
    given = text.replace(",", " ").lower().split()
    if not all(HOST.fullmatch(one) for one in given):
        raise ValueError(
            f"WEIHAI_LAYOUT_HOSTS={text!r}: "
            "应为以空格或逗号分隔的主机名 / must be host names separated by spaces or commas, "
            "such as plan.example.org *.example.cn 10.0.0.5:8000"
        )
    own = [urlsplit(url).netloc.lower()] if given and url else []
    return tuple(dict.fromkeys([*given, *own]))


def _read_proxies(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one) for one in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(
            f"WEIHAI_LAYOUT_PROXIES={text!r}: {error}; "
            "应为以空格或逗号分隔的地址或网段 / must be addresses or networks separated by spaces or commas, "
            "such as 127.0.0.1 10.0.0.0/8"
        ) from error


def _read_contact(text: str) -> str | None:
    contact = text.strip() or None
    if contact and not CONTACT.fullmatch(contact):
        raise ValueError(
            f"WEIHAI_LAYOUT_SECURITY_CONTACT={text!r}: 应为 mailto:、https:// 或 tel: 地址 / "
            "must be a mailto:, https:// or tel: address, such as mailto:security@example.org"
        )
    return contact


def _is_address(store: str) -> bool:
    # Only who stores in a database pays for its driver.
    from layers.postgis.address import is_address

    return is_address(store)
