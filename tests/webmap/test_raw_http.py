"""HTTP as no browser sends it: every connection gets an answer, a refusal, or its end, and never a fault."""

from __future__ import annotations

import contextlib
import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from webmap.server import LIMITS, serving

WAIT_S = 30
HOST = b"Host: here\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: here\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@dataclass
class Site:
    """The real site behind a real socket, and the paths that it was asked for."""

    port: int
    asked: list[str] = field(default_factory=list)

    def send(self, content: bytes) -> bytes:
        """Send bytes as they are and no more; return all that comes until the other end closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_S) as sender:
            with contextlib.suppress(OSError):  # cut off while it was sent
                sender.sendall(content)
            return read_all(sender)

    def send_all(self, cases: dict[str, bytes]) -> dict[str, bytes]:
        """Send each on a connection of its own, all at once; return what came by name."""
        with ThreadPoolExecutor(len(cases)) as pool:
            return dict(zip(cases, pool.map(self.send, cases.values()), strict=True))


def read_all(connection: socket.socket) -> bytes:
    came = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65536):
            came += part
    return came


def statuses(came: bytes) -> list[int]:
    """Return the status of every answer in what came; each says how long it is."""
    found = []
    while came:
        head, _, rest = came.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        assert status, came[:200]
        found.append(int(status[1]))
        length = re.search(rb"\r\ncontent-length: (\d+)", head.lower())
        came = rest[int(length[1]) if length else 0 :]
    return found


@pytest.fixture(scope="module")
def site(client: FlaskClient) -> Iterator[Site]:
    asked: list[str] = []

    def app(environ: Any, start: Any) -> Any:
        asked.append(environ["PATH_INFO"])
        return client.application(environ, start)

    limits = replace(LIMITS, head_s=1, body_s=1)  # so that what waits for more comes to an end
    with serving(app, client.application.extensions["strings"], limits, postpones=True) as url:
        yield Site(urlsplit(url).port or 0, asked)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail where anything went wrong inside."""
    yield
    assert [one.getMessage() for one in caplog.records if one.levelname in {"ERROR", "CRITICAL"}] == []


def post(lines: bytes, body: bytes) -> bytes:
    return b"POST /lookup HTTP/1.1\r\n" + HOST + lines + b"\r\n" + body


# Where a message ends, in ways that two servers in a row may read differently.
SMUGGLING: dict[str, bytes] = {
    "length and chunks": post(b"Content-Length: 50\r\n" + CHUNKED, b"0\r\n\r\n" + SMUGGLED),
    "chunks and length": post(CHUNKED + b"Content-Length: 4\r\n", b"0\r\n\r\n" + SMUGGLED),
    "two lengths": post(b"Content-Length: 0\r\nContent-Length: 45\r\n", SMUGGLED),
    "lengths in a list": post(b"Content-Length: 0, 45\r\n", SMUGGLED),
    "length with a sign": post(b"Content-Length: +0\r\n", SMUGGLED),
    "length below nothing": post(b"Content-Length: -1\r\n", SMUGGLED),
    "length in hexadecimal": post(b"Content-Length: 0x0\r\n", SMUGGLED),
    "length with an underscore": post(b"Content-Length: 0_0\r\n", SMUGGLED),
    "length in other digits": post("Content-Length: ٠\r\n".encode(), SMUGGLED),
    "length too large to count": post(b"Content-Length: 18446744073709551616\r\n", SMUGGLED),
    "empty length": post(b"Content-Length:\r\n", SMUGGLED),
    "unknown coding": post(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "coding after chunks": post(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + SMUGGLED),
    "chunks twice": post(CHUNKED + CHUNKED, b"0\r\n\r\n" + SMUGGLED),
    "coding with a control": post(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "space before the colon": post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "folded header": post(b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n" + SMUGGLED),
    "underscore for hyphen": post(b"Content_Length: 45\r\nContent-Length: 0\r\n", b""),
    "chunks of the old protocol": b"POST /lookup HTTP/1.0\r\n" + CHUNKED + b"\r\n0\r\n\r\n" + SMUGGLED,
    "chunk with a sign": post(CHUNKED, b"+0\r\n\r\n" + SMUGGLED),
    "chunk with a prefix": post(CHUNKED, b"0x0\r\n\r\n" + SMUGGLED),
    "chunk too large to count": post(CHUNKED, b"fffffffffffffffff\r\n" + SMUGGLED),
    "chunk of no size": post(CHUNKED, b"\r\n\r\n" + SMUGGLED),
    "chunk longer than said": post(CHUNKED, b"1\r\nabc\r\n0\r\n\r\n" + SMUGGLED),
    "chunk ended by a line feed": post(CHUNKED, b"0\n\n" + SMUGGLED),
    "extension with a line feed": post(CHUNKED, b"0;a\nb\r\n\r\n" + SMUGGLED),
    "extension without end": post(CHUNKED, b"0;" + b"a" * 100_000),
    "trailers without end": post(CHUNKED, b"0\r\n" + b"X-A: b\r\n" * 20_000),
    "trailer that is a length": post(CHUNKED, b"0\r\nContent-Length: 45\r\n\r\n" + SMUGGLED),
}


@pytest.mark.usefixtures("log")
def test_nothing_is_smuggled_behind_a_message_of_doubtful_length(site: Site) -> None:
    marked = {
        name: content.replace(b"/smuggled", b"/smuggl%02d" % number)
        for number, (name, content) in enumerate(SMUGGLING.items())
    }
    came = site.send_all(marked)
    assert [path for path in site.asked if path.startswith("/smuggl")] == []
    for name, said in came.items():
        assert len(statuses(said)) <= 1, name
        check_heads(name, said)


def get(target: bytes, lines: bytes = b"", method: bytes = b"GET") -> bytes:
    return method + b" " + target + b" HTTP/1.1\r\n" + HOST + lines + b"\r\n"


# What is no request of HTTP/1: refused, or the connection ends.
NO_REQUEST: dict[str, bytes] = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": get(b"/", b"Host: evil.example\r\n"),
    "a host that is none": b"GET / HTTP/1.1\r\nHost: a/b@c\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a version in lower case": b"GET / http/1.1\r\n" + HOST + b"\r\n",
    "the version after": b"GET / HTTP/2.0\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0" * 9,
    "the greeting of TLS": bytes.fromhex("160301020001 0001fc0303") + b"\x5a" * 300,
    "NUL in the path": get(b"/zones/\0"),
    "a space in the path": get(b"/zones/ gaoqu"),
    "a line feed in the path": get(b"/zones/\ngaoqu"),
    "NUL in a header": get(b"/", b"X-A: a\0b\r\n"),
    "a carriage return in a header": get(b"/", b"X-A: a\rSet-Cookie: b\r\n"),
    "a space in a header's name": get(b"/", b"X A: b\r\n"),
    "a header without a colon": get(b"/", b"X-A\r\n"),
    "a header without a name": get(b"/", b": b\r\n"),
    "a method with NUL": get(b"/", method=b"G\0T"),
    "no method": b" / HTTP/1.1\r\n" + HOST + b"\r\n",
    "a header of 100 kB": get(b"/", b"X-A: " + b"a" * 100_000 + b"\r\n"),
    "ten thousand headers": get(b"/", b"A: b\r\n" * 10_000),
    "an address of 9 kB": get(b"/?q=" + b"a" * 9_000),
    "an address of 100 kB": get(b"/" + b"a" * 100_000),
    "noise": bytes(range(256)) * 40,
    "nothing but ends of lines": b"\r\n" * 5_000,
}
# What is a request, however odd: answered, and once.
REQUESTS: dict[str, bytes] = {
    **{
        f"method {one.decode()}": get(b"/zones/gaoqu", method=one)
        for one in (b"BREW", b"get", b"TRACE", b"PATCH")
    },
    "a method of 1,000 letters": get(b"/", method=b"A" * 1_000),
    "a tunnel": get(b"here:80", method=b"CONNECT"),
    "all of the server": get(b"*", method=b"OPTIONS"),
    "an absolute address": get(b"http://evil.example/zones/gaoqu"),
    "an address of a host": get(b"//evil.example/%2e%2e/%2e%2e/etc/passwd"),
    "bytes that are no text": get(b"/zones/\xff\xfe"),
    "an overlong slash": get(b"/zones/\xc0\xaf"),
    "an overlong slash, encoded": get(b"/zones/%c0%af"),
    "NUL, encoded": get(b"/zones/%00?q=%00"),
    "half an encoding": get(b"/zones/%?q=%zz"),
    "an end of line in the path": get(b"/zones/%0d%0aSet-Cookie:%20a=b"),
    "an end of line in the query": get(b"/search?lang=%0d%0aSet-Cookie:%20a=b"),
    "an end of line in what is led to": get(b"/zones?x=%0d%0aSet-Cookie:%20a=b"),
    "a fragment": get(b"/zones/#a"),
    "bytes in a header": get(b"/", b"Accept-Language: \xff\xfe\r\nCookie: \xc3\x28\r\n"),
    "a header of 30 kB": get(b"/", b"X-A: " + b"a" * 30_000 + b"\r\n"),
    "an address of 8 kB": get(b"/?x=" + b"a" * 8_000),
    "a change of protocol": get(b"/", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"),
    "the other protocol": get(
        b"/", b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
    ),
    "an unknown expectation": get(b"/", b"Expect: wonders\r\n"),
    "a list of a thousand ranges": get(
        b"/data/zones.geojson", b"Range: bytes=" + b"0-,1-," * 500 + b"5-\r\n"
    ),
    "a range beyond counting": get(b"/data/zones.geojson", b"Range: bytes=" + b"9" * 400 + b"-\r\n"),
    "a thousand tags": get(b"/data/zones.geojson", b"If-None-Match: " + b'"a", ' * 1_000 + b'"b"\r\n'),
    "a tag without an end": get(b"/data/zones.geojson", b'If-None-Match: W/"' + b"a" * 9_000 + b"\r\n"),
    "a date of no year": get(
        b"/data/zones.geojson", b"If-Modified-Since: Fri, 31 Feb 99999 25:61:61 GMT\r\n"
    ),
    "a body with what needs none": get(b"/zones/gaoqu", b"Content-Length: 5\r\n") + b"hello",
    "chunks with what needs none": get(b"/zones/gaoqu", CHUNKED) + b"5\r\nhello\r\n0\r\n\r\n",
    "the old protocol": b"GET /zones/gaoqu HTTP/1.0\r\n\r\n",
}


def check_heads(name: str, came: bytes) -> None:
    """No answer fails, or has a line in its head that the request wrote."""
    assert all(one < 500 or one in {501, 505} for one in statuses(came)), (name, came[:300])
    assert not re.search(rb"[\r\n]set-cookie", came.lower().partition(b"\r\n\r\n")[0]), name


@pytest.mark.usefixtures("log")
def test_what_is_no_request_is_refused(site: Site) -> None:
    for name, came in site.send_all(NO_REQUEST).items():
        check_heads(name, came)
        assert set(statuses(came)) <= {400, 413, 414, 431, 505}, (name, came[:300])


@pytest.mark.usefixtures("log")
def test_what_is_a_request_is_answered_once(site: Site) -> None:
    for name, came in site.send_all(REQUESTS).items():
        check_heads(name, came)
        assert len(statuses(came)) == 1, (name, came[:300])


def test_a_hundred_requests_in_one_piece_are_answered_in_turn(site: Site) -> None:
    paths = [b"/healthz", b"/zones/gaoqu.json", b"/nowhere", b"/lookup?lon=x"]
    content = b"".join(get(paths[number % 4], b"Accept: application/json\r\n") for number in range(100))
    assert statuses(site.send(content)) == [200, 200, 404, 400] * 25


def test_who_waits_to_be_asked_for_the_body_is_asked(site: Site) -> None:
    head = post(b"Content-Type: application/geo+json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n", b"")
    with socket.create_connection(("127.0.0.1", site.port), timeout=WAIT_S) as sender:
        sender.sendall(head)
        assert sender.recv(100).startswith(b"HTTP/1.1 100 ")
        sender.sendall(b"{}")
        assert sender.recv(100).startswith(b"HTTP/1.1 4")
