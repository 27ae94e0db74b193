"""What an operator can set: one table, from which reading, help and documentation come.

All through the environment. Importing this loads neither Flask nor shapely: commands that serve nothing
read settings too.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from layers.home import find_home
from webmap.access_log import STDOUT, is_log_target
from webmap.file_addresses import Files

PREFIX = "WEIHAI_LAYOUT_"
ALSO = ("PLAN",)  # of the command audit
SHOWN = 120  # characters of a wrong value that are repeated
STORES = ("postgresql://", "postgres://")
TILES = ("tianditu", "gaode")
SWITCH = ("yes", "no")
URL = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:/[A-Za-z0-9._~\-/]*)?")
HOST = re.compile(r"(?:\*\.)?(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")
CONTACT = re.compile(r"(?:mailto:[^\s@]+@[^\s@]+|https://\S+|tel:\+?[0-9-]+)", re.ASCII)
LISTENER = re.compile(r"(?:(?P<host>[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\]):)?(?P<port>[0-9]{1,5})", re.ASCII)
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}", re.ASCII)
LOCALHOST = "127.0.0.1"
LEAST_MB = 300  # with less, no child process makes anything
MAX_PORT = 65535
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
TILE_HOSTS = {
    "tianditu": [f"https://t{number}.tianditu.gov.cn" for number in range(8)],
    "gaode": [f"https://webrd0{number}.is.autonavi.com" for number in range(1, 5)],
}
TILE_ADDRESSES = {
    "tianditu": (
        "https://t{s}.tianditu.gov.cn/vec_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=vec"
        "&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk="
    ),
    "gaode": "https://webrd0{s}.is.autonavi.com/appmaptile?lang=zh_cn&size=1&scale=1&style=7&x={x}&y={y}&z={z}",
}
TILE_SUBDOMAINS = {"tianditu": "01234567", "gaode": "1234"}
TILE_NAMES = {
    "tianditu": {"zh": "天地图", "en": "Tianditu", "ko": "톈디투"},
    "gaode": {"zh": "高德地图", "en": "Amap", "ko": "가오더 지도"},
}


@dataclass(frozen=True)
class Settings:
    """The operator's choices; :data:`SETTINGS` says what each means."""

    home: Path
    tiles: str | None = None
    tianditu_key: str | None = None
    url: str | None = None
    embedders: str = ""
    hosts: tuple[str, ...] = ()
    proxies: tuple[Network, ...] = ()
    security_contact: str | None = None
    store: str | None = field(default=None, repr=False)  # may hold a password
    cache_megabytes: int = 1000
    rate: int = 0  # requests of one client a second; 0: no limit
    exports: int = 2
    export_megabytes: int = 2000
    access_log: str | None = None
    metrics: tuple[str, int] | None = None  # host and port
    local: Path | None = None
    workbench: Path | None = None  # the file of its users
    workbench_header: str | None = None  # in which a trusted proxy names the user
    workbench_single: bool = False
    city: Path | None = None  # None: the one that is shipped
    files: Files | None = None  # set while the site is written as files: pages leave out what needs a service


class SettingsError(ValueError):
    """Some settings are wrong; a line for each names the variable, the value and what is allowed.

    The others are its `rest`, with a folder of additions that cannot be one: doctor looks at what there is.
    """

    def __init__(self, lines: str, rest: Settings) -> None:
        super().__init__(lines)
        self.rest = rest


@dataclass(frozen=True)
class Setting:
    """One thing that an operator can set.

    Attributes
    ----------
    name
        Of the environment variable, without :data:`PREFIX`.
    attribute
        Of :class:`Settings`.
    read
        Turns a text that is not empty into a value; raises ValueError with a message in Chinese and English
        that says what is allowed.
    default
        As an operator would write it; empty for none.
    kind, zh, en
        What it takes, and what it does.
    secret
        Whether the value is kept out of messages.
    """

    name: str
    attribute: str
    read: Callable[[str], Any]
    default: str
    kind: str
    zh: str
    en: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"{PREFIX}{self.name}"


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; raises :class:`SettingsError` with everything that is wrong with them."""
    given = {row.name: text for row in SETTINGS if (text := environ.get(row.variable, "").strip())}
    values: dict[str, Any] = {}
    wrong = []
    for row in SETTINGS:
        if row.name in given:
            try:
                values[row.attribute] = row.read(given[row.name])
            except ValueError as error:
                shown = "…" if row.secret else repr(given[row.name][:SHOWN])
                wrong.append(f"{row.variable}={shown}: {error}")
                if row.attribute == "local":
                    values["local"] = Path(given[row.name])
    if values.get("tiles") == "tianditu" and "TIANDITU_KEY" not in given:
        wrong.append(f"{PREFIX}TIANDITU_KEY='': 天地图须填写密钥 / Tianditu needs a key")
    if values.get("workbench_header") and not values.get("proxies"):
        wrong.append(
            f"{PREFIX}WORKBENCH_HEADER={values['workbench_header']!r}: 须以 {PREFIX}PROXIES 指明可信的代理 / "
            f"needs {PREFIX}PROXIES, which says whom to believe"
        )
    if values.get("hosts") and values.get("url"):  # the site's own address is one of its hosts
        values["hosts"] = tuple(dict.fromkeys([*values["hosts"], urlsplit(values["url"]).netloc.lower()]))
    found = Settings(**{"home": find_home(environ)} | values)
    if wrong:
        raise SettingsError("\n".join(wrong), found)
    return found


def list_unknown(environ: Mapping[str, str] = os.environ) -> list[tuple[str, str]]:
    """Return what looks like a setting and is none, each with the nearest name that is one, or nothing.

    No error: a system may set such names itself, as Kubernetes does for a service of this name.

    >>> list_unknown({f"{PREFIX}WORKBNECH": "users.json", f"{PREFIX}PLAN": "plan.txt"}) == [
    ...     (f"{PREFIX}WORKBNECH", f"{PREFIX}WORKBENCH")
    ... ]
    True
    """
    known = {*ALSO, *(row.name for row in SETTINGS)}
    given = {one.removeprefix(PREFIX) for one in environ if one.startswith(PREFIX)}
    unknown = sorted(given - known)
    if not unknown:
        return []
    from webmap.problems import find_near  # only who mistypes pays for it

    return [(PREFIX + name, next((PREFIX + one for one in find_near(name, known)), "")) for name in unknown]


def _fitting(fits: Callable[[str], object], allowed: str) -> Callable[[str], str]:
    """Return what reads a text as it is, and says what is `allowed` where it does not fit."""

    def read(text: str) -> str:
        if not fits(text):
            raise ValueError(allowed)
        return text

    return read


def _one_of(words: Collection[str]) -> Callable[[str], str]:
    return _fitting(words.__contains__, f"应为 {' 或 '.join(words)} / must be {' or '.join(words)}")


def _read_city(text: str) -> Path:
    folder = Path(text)
    if not (folder / "city.yaml").is_file():
        raise ValueError("应为含 city.yaml 的文件夹 / must be a folder with a city.yaml")
    return folder


def _read_folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise ValueError("应为现有的文件夹 / must be a folder that exists")
    return Path(text)


def _read_file(text: str) -> Path:
    if Path(text).is_dir() or not Path(text).parent.is_dir():
        raise ValueError("应为某个现有文件夹中的文件 / must be a file in a folder that exists")
    return Path(text)


def _read_url(text: str) -> str:
    url = text.rstrip("/")
    if not URL.fullmatch(url):
        raise ValueError(
            "应为 http 或 https 网址 / must be an http or https address, such as https://plan.example.org"
        )
    return url


def _read_origins(text: str) -> str:
    origins = text.split()
    if not all(one == "*" or URL.fullmatch(one) for one in origins):
        raise ValueError("应为以空格分隔的网址或 * / must be origins separated by spaces, or *")
    return " ".join(origins)


def _read_hosts(text: str) -> tuple[str, ...]:
    hosts = text.replace(",", " ").lower().split()
    if not all(HOST.fullmatch(one) for one in hosts):
        raise ValueError(
            "应为以空格或逗号分隔的主机名 / must be host names separated by spaces or commas, "
            "such as plan.example.org *.example.cn 10.0.0.5:8000"
        )
    return tuple(dict.fromkeys(hosts))


def _read_proxies(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(one) for one in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(
            f"{error}; 应为以空格或逗号分隔的地址或网段 / must be addresses or networks separated by "
            "spaces or commas, such as 127.0.0.1 10.0.0.0/8"
        ) from error


def _read_store(text: str) -> str:
    if not text.startswith(STORES):
        raise ValueError("应以 postgresql:// 开头 / must begin with postgresql://")
    # Only who stores in a database pays for its driver.
    from layers.postgis.pool import is_database_address

    if not is_database_address(text):
        raise ValueError(
            "无法读作数据库地址；用户名与密码中的特殊字符须写成 %40（@）、%2F（/）、%25（%）等，"
            "端口为 1–65535 / cannot be read as a database's address; write special characters in user "
            "and password as %40 (@), %2F (/), %25 (%) and so on, and a port of 1–65535"
        )
    return text


def _read_listener(text: str) -> tuple[str, int]:
    found = LISTENER.fullmatch(text)
    port = int(found["port"]) if found else 0
    if not found or not 0 < port <= MAX_PORT:
        raise ValueError(
            f"应为端口或“地址:端口”，端口为 1–{MAX_PORT} / must be a port, or an address and a port of "
            f"1–{MAX_PORT}, such as 9100 or 10.0.0.5:9100"
        )
    return (found["host"] or LOCALHOST).strip("[]"), port


def _whole(low: int, high: int, *, off: bool = False) -> Callable[[str], int]:
    """Return what reads a whole number; where it may be `off`, 0 as well."""

    def read(text: str) -> int:
        number = int(text) if re.fullmatch("[0-9]{1,10}", text) else -1
        if not (low <= number <= high or (off and number == 0)):
            zh, en = ("0，或 ", "0, or ") if off else ("", "")
            raise ValueError(f"应为 {zh}{low}–{high} 的整数 / must be {en}a whole number of {low}–{high}")
        return number

    return read


SETTINGS = (
    Setting("HOME", "home", Path, "var/", "folder", "发布版所在的文件夹", "folder of the built releases"),
    Setting(
        "LOCAL",
        "local",
        _read_folder,
        "",
        "folder",
        "本地补充的文件夹：规划原文、联系方式、完成值、发布单位（local init 写出示例）与底图；不设则没有",
        "folder of local additions: the plan's text, contacts, outcomes, the publisher (local init writes "
        "examples), a basemap; unset, none",
    ),
    Setting(
        "CITY",
        "city",
        _read_city,
        "geodata/cities/…",
        "folder",
        "城市的文件夹（city.yaml、plan/、places/ 等）；其发布版另用一个 HOME",
        "folder of the city (city.yaml, plan/, places/ and so on); its releases need a HOME of their own",
    ),
    Setting(
        "URL",
        "url",
        _read_url,
        "",
        "address",
        "网站对外的地址，用于链接、二维码与图纸；不设则用各请求所写的地址，图纸则仅在该地址为 HOSTS 所列"
        "（不含 *）或本机自己的名称时印出",
        "the address that the site is reached at from outside, for links, QR codes and paper; unset, the "
        "address that each request names, on paper only where HOSTS lists it (without *) or the machine "
        "itself goes by it",
    ),
    Setting(
        "HOSTS",
        "hosts",
        _read_hosts,
        "",
        "host names",
        "接受哪些主机名的请求（可带端口；*.example.org 含其下各名）；不设则不限",
        "host names, with or without a port, that requests may be sent to (*.example.org for all below); "
        "unset, any",
    ),
    Setting(
        "PROXIES",
        "proxies",
        _read_proxies,
        "",
        "networks",
        "哪些代理的 X-Forwarded-* 可信；不设则都不信",
        "addresses or networks of the proxies whose X-Forwarded-* headers are believed; unset, none",
    ),
    Setting(
        "EMBED",
        "embedders",
        _read_origins,
        "",
        "origins, or *",
        "允许嵌入地图的网站，* 为任何网站；不设则仅限本站",
        "origins whose pages may embed the map, * for all; unset, only the site itself",
    ),
    Setting(
        "TILES",
        "tiles",
        _one_of(TILES),
        "",
        " | ".join(TILES),
        "加用该底图瓦片；不设则绝不涉及外部主机。高德瓦片为 GCJ-02，只在显示时偏移，数据不变",
        "adds that tile basemap; unset, no outside host is ever named. Gaode's tiles lie in GCJ-02 and are "
        "shifted for display, never the data",
    ),
    Setting(
        "TIANDITU_KEY",
        "tianditu_key",
        _fitting(str.isalnum, "应为由字母与数字组成的密钥 / must be a key of letters and digits"),
        "",
        "key",
        "天地图要求的密钥",
        "the key that Tianditu asks for",
    ),
    Setting(
        "STORE",
        "store",
        _read_store,
        "",
        "postgresql://…",
        "要素与点位查询由此 PostGIS 数据库提供，由 build 装载；不设则用内存",
        "features and look-ups are served from that PostGIS database, which build loads; unset, from memory",
        secret=True,
    ),
    Setting(
        "RATE",
        "rate",
        _whole(0, 100_000),
        "0",
        "number",
        "一个客户端地址每秒最多多少个请求，短时可一次用完十秒的量，各服务进程分别计数；0 为不限",
        "requests a second from one client's address, those of ten seconds at once at most, each worker "
        "counting its own; 0: no limit",
    ),
    Setting(
        "CACHE_MB",
        "cache_megabytes",
        _whole(0, 10_000_000),
        "1000",
        "megabytes",
        "按请求生成的文件在磁盘上最多占多少，最旧的先删",
        "of files that are made on request, on disk; the oldest go first",
    ),
    Setting(
        "EXPORTS",
        "exports",
        _whole(1, 64),
        "2",
        "number",
        "同时生成这类文件的子进程数，所有服务进程合计",
        "child processes that make such files at the same time, of all workers together",
    ),
    Setting(
        "EXPORT_MB",
        "export_megabytes",
        _whole(LEAST_MB, 1_000_000, off=True),
        "2000",
        "megabytes",
        "每个此类子进程的内存上限；0 为不限",
        "memory of each of these child processes; 0: no limit",
    ),
    Setting(
        "WORKBENCH",
        "workbench",
        _read_file,
        "",
        "file",
        "工作台 /workbench/ 的用户文件，由 user 命令写；不设则没有工作台",
        "file of the users of /workbench/, which the user command writes; unset, there is no workbench",
    ),
    Setting(
        "WORKBENCH_HEADER",
        "workbench_header",
        _fitting(
            HEADER.fullmatch,
            "应为请求头的名称，如 X-Remote-User / must be the name of a header, such as X-Remote-User",
        ),
        "",
        "header",
        "单点登录：可信代理（PROXIES）用该请求头写明用户名，代替密码；代理须除去访客自带的同名请求头",
        "single sign-on: the header in which a trusted proxy (PROXIES) names the user, in place of a "
        "password; the proxy must remove one that a visitor sends",
    ),
    Setting(
        "WORKBENCH_SINGLE",
        "workbench_single",
        lambda text: _one_of(SWITCH)(text) == SWITCH[0],
        "no",
        " | ".join(SWITCH),
        "单人模式：审核人可发布自己提交的边界",
        "one-person mode: an approver may publish what they submitted themselves",
    ),
    Setting(
        "ACCESS_LOG",
        "access_log",
        _fitting(
            is_log_target,
            f"应为 {STDOUT}（标准输出），或某个现有文件夹中文件的绝对路径 / "
            f"must be {STDOUT} for standard output, or the absolute path of a file in a folder that exists",
        ),
        "",
        "file, or -",
        "每个请求写一行 JSON 到该文件，- 为标准输出；不设则不写",
        "a line of JSON for each request is written to that file, or to standard output for -; unset, none",
    ),
    Setting(
        "METRICS",
        "metrics",
        _read_listener,
        "",
        "[address:]port",
        "在该端口以 Prometheus 格式给出运行指标，地址默认为 127.0.0.1；不设则无",
        "figures for Prometheus are given at that port, of 127.0.0.1 unless an address is named; unset, none",
    ),
    Setting(
        "SECURITY_CONTACT",
        "security_contact",
        _fitting(
            CONTACT.fullmatch,
            "应为 mailto:、https:// 或 tel: 地址 / "
            "must be a mailto:, https:// or tel: address, such as mailto:security@example.org",
        ),
        "",
        "address",
        "/.well-known/security.txt 中报告漏洞的联系地址；不设则无此文件",
        "mailto:, https: or tel: address for reports of weaknesses, in /.well-known/security.txt; unset, "
        "there is no such file",
    ),
)


def tile_hosts(settings: Settings) -> str:
    """Return the hosts that the Content-Security-Policy must allow for images, or nothing."""
    return "".join(f" {host}" for host in TILE_HOSTS.get(settings.tiles or "", ()))


def tile_basemap(settings: Settings, language: str) -> dict[str, object] | None:
    """Return the address template of the operator's tile basemap, or None.

    ``gcj02`` says that its tiles lie in GCJ-02, so that the page shifts them for display.
    """
    if settings.tiles is None:
        return None
    key = settings.tianditu_key or "" if settings.tiles == "tianditu" else ""
    return {
        "url": TILE_ADDRESSES[settings.tiles] + key,
        "subdomains": TILE_SUBDOMAINS[settings.tiles],
        "attribution": TILE_NAMES[settings.tiles][language],
        "gcj02": settings.tiles == "gaode",
    }
