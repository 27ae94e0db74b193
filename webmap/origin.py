"""Where a request came in: host, scheme and path as the client named them, checked before anything else.

Every absolute link is made from these, so a name that is none, or not one of the site's own, is refused
at the door, and what a proxy says in its place is believed of the operator's own proxies only. A client
that asks too often is refused here too.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from webmap.http import DATA_POLICY, EVERYONE, FIXED
from webmap.limiter import Rates
from webmap.problems import PROBLEM, RequestError, Strings, headers_of, to_problem
from webmap.settings import Network, Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEALTH = ("/healthz", "/readyz")  # asked by address, and hold no link
SCHEMES = ("http", "https")
USUAL_PORTS = {"http": 80, "https": 443}
FORWARDED = {name: f"HTTP_X_FORWARDED_{name}" for name in ("FOR", "PROTO", "HOST", "PORT", "PREFIX")}
ASCII = "".join(map(chr, range(0x80)))
MAX_HOST = 253  # characters, RFC 1035
MAX_PORT = 65535
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?P<name>{_LABEL}(?:\.{_LABEL})*\.?|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")


class OriginError(RequestError):
    """A request says something impossible, or not allowed, of where it was sent."""

    def __init__(self, key: str, header: str, value: str, allowed: str) -> None:
        super().__init__(key, parameter=header, value=value, allowed=allowed)


class Origin:
    """A WSGI application in front of another, which it tells host, scheme and prefix.

    It also writes what is not ASCII in a query as percent-encoded.

    What it leaves behind in the environment: ``HTTP_HOST`` in lower case and without the scheme's own
    port, ``wsgi.url_scheme``, ``REMOTE_ADDR`` of the client, and in ``SCRIPT_NAME`` the path that the
    site lies below, which ``PATH_INFO`` has no more. The headers ``X-Forwarded-*`` are gone, and so is
    the one that names a user where no trusted proxy sent it.
    """

    def __init__(self, settings: Settings, strings: Strings, inner: WSGIApplication) -> None:
        self._settings = settings
        self._strings = strings
        self._inner = inner
        self._rates = Rates(settings.rate) if settings.rate else None
        named = settings.workbench_header
        self._signed = f"HTTP_{named.upper().replace('-', '_')}" if named else None
        # What becomes files is asked for from its own root; the files lead to each other by themselves.
        self._root = urlsplit(settings.url).path if settings.url and not settings.files else ""

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        """Pass a request on, or refuse it."""
        try:
            self._settle(environ)
            if self._rates and environ["PATH_INFO"] not in HEALTH:
                self._rates.take(environ.get("REMOTE_ADDR", ""))
        except RequestError as error:
            return self._refuse(error, environ, start)
        return self._inner(environ, start)

    def _settle(self, environ: WSGIEnvironment) -> None:
        query = environ.get("QUERY_STRING", "")
        if not query.isascii():  # its bytes may be no text at all
            environ["QUERY_STRING"] = quote(query.encode("latin-1"), safe=ASCII)
        if self._signed and not is_within(environ.get("REMOTE_ADDR", ""), self._settings.proxies):
            environ.pop(self._signed, None)
        said = _take_forwarded(environ, self._settings.proxies)
        scheme: str = said.get("PROTO") or environ["wsgi.url_scheme"]
        scheme = scheme.lower()
        if scheme not in SCHEMES:
            raise OriginError("error.header", "X-Forwarded-Proto", scheme, ", ".join(SCHEMES))
        environ["wsgi.url_scheme"] = scheme
        self._settle_path(environ, said.get("PREFIX"))
        if environ["PATH_INFO"] in HEALTH:
            environ["HTTP_HOST"] = _own_name(environ)
            return
        header = "X-Forwarded-Host" if "HOST" in said else "Host"
        given = said.get("HOST") or environ.get("HTTP_HOST") or _own_name(environ)
        name, port = read_host(given, header)
        if "PORT" in said and port is None:
            port = _read_port(said["PORT"])
        if not is_allowed(name, port, self._settings.hosts):
            raise OriginError("error.host_unknown", header, given, "WEIHAI_LAYOUT_HOSTS")
        usual = port is None or port == USUAL_PORTS[scheme]
        environ["HTTP_HOST"] = name if usual else f"{name}:{port}"

    def _settle_path(self, environ: WSGIEnvironment, prefix: str | None) -> None:
        """Part the path that the site lies below from the rest.

        A proxy that names a prefix has taken it off. Below the path of the site's own address a request
        may come with it or, from a proxy that takes it off and says nothing, without.
        """
        if prefix is not None:
            if not _PREFIX.fullmatch(prefix):
                raise OriginError("error.header", "X-Forwarded-Prefix", prefix, "/…")
            environ["SCRIPT_NAME"] = prefix.rstrip("/")
        elif self._root and not environ.get("SCRIPT_NAME"):
            environ["SCRIPT_NAME"] = self._root
            path = environ["PATH_INFO"]
            if path == self._root or path.startswith(f"{self._root}/"):
                environ["PATH_INFO"] = path.removeprefix(self._root) or "/"

    def _refuse(self, error: RequestError, environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        body = to_problem(error, self._strings, quote(environ["PATH_INFO"].encode("latin-1")))
        head = {"Content-Type": PROBLEM, "Content-Length": str(len(body))}
        head |= {"Content-Security-Policy": DATA_POLICY, **headers_of(error)}
        status = f"{error.status} {HTTPStatus(error.status).phrase}"
        start(status, list((head | FIXED | EVERYONE).items()))
        return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


@lru_cache(maxsize=256)
def read_host(given: str, header: str = "Host") -> tuple[str, int | None]:
    """Return name, in lower case, and port of what a Host header holds; raises OriginError.

    >>> read_host("Plan.example.org:8443")
    ('plan.example.org', 8443)
    >>> read_host("[::1]")
    ('[::1]', None)
    """
    found = _HOST.fullmatch(given.lower())
    name, port = (found["name"], found["port"]) if found else ("", None)
    if name.startswith("["):
        try:
            name = f"[{ipaddress.IPv6Address(name[1:-1])}]"
        except ValueError:
            name = ""
    if not name or len(name) > MAX_HOST or (port and not 0 < int(port) <= MAX_PORT):
        raise OriginError("error.host", header, given, "name, name:port")
    return name.rstrip("."), int(port) if port else None


def is_allowed(name: str, port: int | None, hosts: tuple[str, ...]) -> bool:
    """Return whether a host is one of `hosts`; any is where there are none.

    An entry without a port goes with every port; ``*.example.org`` with every name below.

    >>> is_allowed("plan.example.org", 8000, ("*.example.org",))
    True
    >>> is_allowed("example.org", None, ("*.example.org", "example.org:8000"))
    False
    """
    if not hosts:
        return True
    below = {name[at:] for at, letter in enumerate(name) if letter == "."}
    names = {name, *(f"*{one}" for one in below)}
    return any(one in hosts or f"{one}:{port}" in hosts for one in names)


def is_known(environ: WSGIEnvironment, hosts: tuple[str, ...]) -> bool:
    """Return whether a request's host is one that the operator names, or that the machine itself goes by.

    Of other names, and of ports that nobody named, there is no end: what is kept may not depend on them.

    >>> environ = {"SERVER_PORT": "8000", "wsgi.url_scheme": "http"}
    >>> hosts = ("127.0.0.1:8000", "a.example.org:8000")
    >>> [is_known(environ | {"HTTP_HOST": one}, ("*.example.org",)) for one in hosts]
    [True, False]
    """
    usual = USUAL_PORTS[environ["wsgi.url_scheme"]]
    name, given = read_host(environ["HTTP_HOST"])
    port = given or usual
    if str(port) not in {str(usual), environ["SERVER_PORT"]}:
        return f"{name}:{port}" in hosts
    names = {*hosts, "localhost", socket.gethostname().lower()}
    return not names.isdisjoint({name, f"{name}:{port}"}) or _is_own_address(name.strip("[]"))


@lru_cache(maxsize=256)
def _is_own_address(name: str) -> bool:
    """Return whether a name is an address of this machine: what goes there comes from it. Nothing is sent."""
    if not _is_address(name):
        return False
    try:
        with socket.socket(socket.AF_INET6 if ":" in name else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((name, 9))
            return str(probe.getsockname()[0]) == name
    except OSError:  # there is no way to it
        return False


def _read_port(given: str) -> int:
    if not (given.isascii() and given.isdecimal() and 0 < int(given[:6]) <= MAX_PORT):
        raise OriginError("error.header", "X-Forwarded-Port", given, f"1-{MAX_PORT}")
    return int(given)


def _own_name(environ: WSGIEnvironment) -> str:
    """Return what the server itself is called, for requests that name no host."""
    name = environ["SERVER_NAME"]
    return f"[{name}]:{environ['SERVER_PORT']}" if ":" in name else f"{name}:{environ['SERVER_PORT']}"


def _take_forwarded(environ: WSGIEnvironment, proxies: tuple[Network, ...]) -> dict[str, str]:
    """Take the headers of proxies out of the environment; return what trusted ones say.

    The client is the first address, from the right, that is no trusted proxy. A header with several
    values holds one for each proxy, the nearest one's last.
    """
    given = {name: environ.pop(key) for name, key in FORWARDED.items() if key in environ}
    if not given or not is_within(environ.get("REMOTE_ADDR", ""), proxies):
        return {}
    lists = {name: [one.strip() for one in text.split(",")] for name, text in given.items() if text.strip()}
    hops = 1
    for address in reversed(lists.pop("FOR", [])):
        if not _is_address(address):
            break
        environ["REMOTE_ADDR"] = address
        if not is_within(address, proxies):
            break
        hops += 1
    return {name: values[-min(hops, len(values))] for name, values in lists.items()}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1024)
def is_within(address: str, networks: tuple[Network, ...]) -> bool:
    """Tell whether an address lies in one of some networks; no address does in none."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return any(found in one for one in networks)
