"""Optional tile basemaps: the only outside hosts there can be, and only if the operator asks."""

from __future__ import annotations

from typing import Any

from webmap.settings import Settings

HOSTS = {
    "tianditu": [f"https://t{number}.tianditu.gov.cn" for number in range(8)],
    "gaode": [f"https://webrd0{number}.is.autonavi.com" for number in range(1, 5)],
}
ADDRESSES = {
    "tianditu": (
        "https://t{s}.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec"
        "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk="
    ),
    "gaode": "https://webrd0{s}.is.autonavi.com/appmaptile?lang=zh_cn&size=1&scale=1&style=7&x={x}&y={y}&z={z}",
}
SUBDOMAINS = {"tianditu": "01234567", "gaode": "1234"}
NAMES = {
    "tianditu": {"zh": "天地图", "en": "Tianditu", "ko": "톈디투"},
    "gaode": {"zh": "高德地图", "en": "Amap", "ko": "가오더 지도"},
}


def tile_hosts(settings: Settings) -> str:
    """Return the hosts that the Content-Security-Policy must allow for images, or nothing."""
    return "".join(f" {host}" for host in HOSTS.get(settings.tiles or "", ()))


def tile_basemap(settings: Settings, language: str) -> dict[str, Any] | None:
    """Return the address template of the operator's tile basemap, or None.

    ``gcj02`` says that its tiles lie in GCJ-02, so that the page shifts them for display.
    """
    if settings.tiles is None:
        return None
    key = settings.tianditu_key or "" if settings.tiles == "tianditu" else ""
    return {
        "url": ADDRESSES[settings.tiles] + key,
        "subdomains": SUBDOMAINS[settings.tiles],
        "attribution": NAMES[settings.tiles][language],
        "gcj02": settings.tiles == "gaode",
    }
