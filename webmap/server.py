"""The server of one worker: HTTP by Granian, limits of our own, and threads for the application.

Granian (hyper) keeps the connections, whatever their number, and hands over a request once its header
is complete. A body is read on the event loop, bounded in bytes and time, so that no thread waits for a
slow sender; an answer is handed back whole, so that none waits for a slow reader. What the application
has at hand it answers on Granian's own thread, and postpones the rest, which threads run; while they are
all held up, more are started, so that what takes long keeps no other request waiting. ``/healthz`` waits
for none of them. Every answer bears the id of its request, and leaves a record where somebody wants them.
"""

from __future__ import annotations

import asyncio
import io
import logging
import queue
import socket
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, Protocol, Self, cast
from urllib.parse import quote

from granian import _granian as extension
from granian.http import HTTP1Settings

from layers.child_job import NO_SPACE
from webmap.access_log import RELEASE, ROUTE, Exchange, Recorder, choose_id, request_id
from webmap.http import DATA_POLICY, EVERYONE, FIXED, POSTPONE
from webmap.problems import (
    PROBLEM,
    BusyError,
    FullError,
    RequestError,
    Strings,
    headers_of,
    to_error,
    to_problem,
)
from webmap.sockets import CONNECTIONS, Connections, count_connections, exchange_for_idle, is_awaited, listen

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
LimitBody = Callable[["Scope"], int | None]
Rest = Callable[["StartResponse"], Iterable[bytes]]  # of the work of an application on one request

_granian: Any = extension  # whose types are described as they were in an earlier version
_LOG = logging.getLogger(__name__)
HEALTH = "/healthz"
UPLOADS = ("/join",)  # addresses that take large files
ID_HEADER = "X-Request-Id"
LINGER_BYTES, LINGER_S = 4_000_000, 2.0  # of a refused body that are still read
SHOWN = 200  # characters of an address that a refusal repeats
POLL_S = 0.01  # between two looks at who waits to be accepted
SETTLE_S = 0.1  # Granian's threads need the interpreter still when they have ended, or given up a body
COMPUTING = 0.15  # share of a processor that shows that threads compute, be it beside other processes
SWITCH_S = 0.001  # a thread that computes lets others run so often; 5 ms add up where several compute
NAMES = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}  # of headers, as WSGI has them
BASE = {
    "SCRIPT_NAME": "",
    "SERVER_SOFTWARE": "weihai-layout",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


@dataclass(frozen=True)
class Limits:
    """What one worker bears; times in seconds.

    Attributes
    ----------
    head_s
        For a header to arrive whole, and for a connection to stay open between two requests.
    head_bytes
        Of a header with its request line.
    address
        Characters of path and query.
    body_s
        For a body to arrive whole.
    body_bytes
        Of one body.
    bodies_bytes
        Of all bodies that are being read.
    upload_s, upload_bytes, uploads
        For a body at one of :data:`UPLOADS`, or one that `limit_body` allows more bytes, to arrive whole,
        of that body, and how many are read at a time; they are kept on disk until they are answered.
    connections
        Open at the same time, or as many as the system's limit of open files leaves room for; more wait to
        be accepted, and those go first who have asked for nothing.
    threads
        That run the application while none is held up.
    most_threads
        That run it while others are.
    waiting
        Requests that wait for a thread; more are refused.
    patience_s
        After which a thread is started for those that wait, if all are held up.
    idle_s
        After which a thread that is not needed ends.
    reader_s, reader_bytes
        Who takes fewer bytes in so many seconds, while there are more for them, is cut off. The
        shortest time may be twice as long.
    linger_s
        In which a worker that stops accepts no connection any more, but takes requests of those it has.
    drain_s
        For requests under way to end when the worker stops.
    """

    head_s: int = 20
    head_bytes: int = 32_768
    address: int = 8192
    body_s: float = 30
    body_bytes: int = 1_000_000
    bodies_bytes: int = 64_000_000
    upload_s: float = 180
    upload_bytes: int = 51_000_000
    uploads: int = 4
    connections: int = CONNECTIONS
    threads: int = 4
    most_threads: int = 160
    waiting: int = 2000
    patience_s: float = 0.025
    idle_s: float = 30
    reader_s: float = 30
    reader_bytes: int = 15_000
    linger_s: float = 1
    drain_s: float = 10


LIMITS = Limits()


class Scope(Protocol):
    """What Granian says of a request."""

    method: str
    path: str
    query_string: str
    http_version: str
    server: str
    client: str
    scheme: str
    authority: str | None
    headers: Mapping[str, str]


class Exchanging(Protocol):
    """What Granian reads a body and sends an answer by."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes, /) -> None:
        """Send an answer."""


class Watcher(Protocol):
    """A request as Granian hands it over."""

    scope: Scope
    proto: Exchanging


class Threads:
    """Threads that run what is put in, in that order; more while all of them are held up."""

    def __init__(self, limits: Limits, loop: asyncio.AbstractEventLoop) -> None:
        self._limits = limits
        self._loop = loop
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._free: queue.SimpleQueue[None] = queue.SimpleQueue()  # one for each thread that nothing is for
        self._put = 0
        self._watching = False
        self._changing = threading.Lock()
        self.count = 0
        self._idle = 0  # threads that wait, and have not woken
        self._start(limits.threads)

    def put(self, run: Callable[..., None], *arguments: object) -> bool:
        """Have a thread call `run` with `arguments`, or return False where too many wait."""
        if self._queue.qsize() >= self._limits.waiting:
            return False
        self._put += 1
        self._queue.put(partial(run, *arguments))
        try:
            self._free.get_nowait()
        except queue.Empty:
            if not self._watching:
                self._watching = True
                self._loop.call_soon_threadsafe(self._look_later)
        return True

    def waiting(self) -> int:
        """Return how many items no thread has taken yet."""
        return self._queue.qsize()

    def end(self) -> None:
        """Have every thread end once what was put in before is done."""
        for _ in range(self.count):
            self._queue.put(None)

    def _look_later(self) -> None:
        waiting, put = self._queue.qsize(), self._put
        self._watching = waiting > 0
        if waiting:
            now = time.monotonic(), time.process_time()
            self._loop.call_later(self._limits.patience_s, self._look, waiting, put, *now)

    def _look(self, waiting: int, put: int, then: float, used: float) -> None:
        """Start threads if those there are took fewer than one request each since there were `waiting`.

        Each that waits takes one of those left, be it slow to wake because others compute. Where they
        compute, more threads would only take the interpreter from one another.
        """
        left = self._queue.qsize()
        taken, alone = waiting + self._put - put - left, left - self._idle
        computed = time.process_time() - used > COMPUTING * (time.monotonic() - then)
        if alone > 0 and taken < self.count and not computed:
            self._start(min(alone, self._limits.threads, self._limits.most_threads - self.count))
        self._look_later()

    def _start(self, number: int) -> None:
        for _ in range(number):
            with self._changing:
                self.count += 1
            threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        while item := self._take():
            try:
                item()
            except BaseException:  # noqa: BLE001 - a panic of the extension is none of Exception's
                _LOG.exception("a request")
            del item
            if self._idle >= self._limits.threads and self._may_end():
                return  # others were held up, and are no more: memory that each thread holds adds up

    def _take(self) -> Callable[[], None] | None:
        """Return what comes next, or None where this thread is to end."""
        while True:
            with suppress(queue.Empty):
                return self._queue.get_nowait()
            self._free.put(None)  # only now: who put the next thing in may count on this thread
            with suppress(queue.Empty), self._waiting():
                return self._queue.get(timeout=self._limits.idle_s)
            with suppress(queue.Empty):
                self._free.get_nowait()  # else something is on its way to this thread
                if self._may_end():
                    return None

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        with self._changing:
            self._idle += 1
        try:
            yield
        finally:
            with self._changing:
                self._idle -= 1

    def _may_end(self) -> bool:
        with self._changing:
            spare = self.count > self._limits.threads
            self.count -= spare
            return spare


class Asked:
    """A request that is being answered, and how long it has been.

    Granian makes whatever is asked of a scope anew each time.
    """

    __slots__ = ("began", "begun", "client", "headers", "id", "in_chunks", "path", "proto", "scope")

    def __init__(self, watcher: Watcher) -> None:
        self.proto = watcher.proto
        self.scope = watcher.scope
        self.path = self.scope.path
        self.client = self.scope.client
        self.headers = self.scope.headers
        self.in_chunks = "transfer-encoding" in self.headers
        self.id = choose_id(self.headers.get("x-request-id"))
        self.begun = time.time()
        self.began = time.perf_counter()


class Server:
    """Answers requests that Granian hands over with a WSGI application; `strings` has texts of errors.

    What was answered goes to the `recorder`, where there is one. `limit_body` tells of a request, before
    its body is read, how many bytes that may have; None as :attr:`Limits.body_bytes` says. An app that
    `postpones` what takes time (:data:`~webmap.http.POSTPONE`) is first asked on Granian's own thread.
    """

    def __init__(
        self,
        app: WSGIApplication,
        strings: Strings,
        limits: Limits = LIMITS,
        recorder: Recorder | None = None,
        limit_body: LimitBody | None = None,
        *,
        postpones: bool = False,
    ) -> None:
        self._app = app
        self._postpones = postpones
        self._strings = strings
        self._limits = limits
        self._recorder = recorder
        self._limit_body = limit_body
        self._loop = asyncio.new_event_loop()
        self._threads = Threads(limits, self._loop)
        self._reading: set[asyncio.Task[None]] = set()
        self._bodies = 0  # bytes of all bodies that are being read; counted on the loop alone
        self._uploading: set[Asked] = set()  # likewise known to the loop alone
        self._answering: set[str] = set()  # connections that wait for an answer
        self._signal = _granian.WorkerSignal()
        self._stopping = asyncio.Event()
        self._ended = threading.Event()
        self._linger_s = limits.linger_s
        self._listening = -1

    def run(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        """Accept connections of `listener`, which this takes over, until :meth:`stop` and a drain."""
        sys.setswitchinterval(SWITCH_S)
        limits, ended = self._limits, asyncio.Event()
        connections = count_connections(limits.connections)
        self._signal.add_cb(lambda: self._loop.call_soon_threadsafe(ended.set))
        self._listening = listener.detach()
        http = HTTP1Settings(header_read_timeout=limits.head_s * 1000, max_buffer_size=limits.head_bytes)
        worker = _granian.RSGIWorker(
            1,  # its number, of use in logs
            (None, _granian.SocketHolder(self._listening, False, connections)),  # noqa: FBT003 - no keywords
            None,  # metrics
            1,  # threads for connections
            512,  # threads for files, started when needed; we send none
            1,  # threads that call the scheduler
            limits.head_s,  # after which such a thread ends
            connections,
            "1",  # HTTP/1.1
            http,
            None,  # HTTP/2
            False,  # noqa: FBT003 - WebSockets
            None,  # files
            *(False, None, None, None, "tls1.3", None, [], False),  # TLS
            (None, None),  # metrics
        )
        worker.serve_mtr(_Scheduler(self._loop, self.accept), self._loop, self._signal)
        self._loop.call_soon(ready)
        if sys.platform == "linux":
            held = Connections(
                self._listening, connections, limits.reader_s, limits.reader_bytes, self._answering
            )
            threading.Thread(target=held.watch, args=(self._ended,), daemon=True).start()
        try:
            self._loop.run_until_complete(self._drain(ended))
        finally:
            self._threads.end()
            self._ended.set()
            self._loop.close()
            if self._recorder:
                self._recorder.close()
            time.sleep(SETTLE_S)

    def stop(self, *, at_once: bool = False) -> None:
        """Accept no more, and let :meth:`run` return once what is under way has ended; from any thread.

        Granian would cut off connections whose request it has not read yet, so it is told of the end only
        after a while, in which they are read and every answer ends its connection; not so `at_once`.
        """
        if at_once:
            self._linger_s = 0
        with suppress(RuntimeError):  # it has returned already
            self._loop.call_soon_threadsafe(self._stopping.set)

    def measure(self) -> dict[str, int]:
        """Return how many threads answer, requests wait for one, and records were dropped."""
        return {
            "threads": self._threads.count,
            "waiting": self._threads.waiting(),
            "dropped": self._recorder.dropped if self._recorder else 0,
        }

    async def _drain(self, ended: asyncio.Event) -> None:
        await self._stopping.wait()
        last = time.monotonic() + self._linger_s
        while is_awaited(self._listening) and time.monotonic() < last:  # noqa: ASYNC110 - the system says it
            await asyncio.sleep(POLL_S)
        exchange_for_idle(self._listening)
        await asyncio.sleep(self._linger_s)
        last = self._loop.time() + self._limits.drain_s
        await self._end_reading(last)
        self._signal.set()
        with suppress(TimeoutError):
            async with asyncio.timeout_at(last):
                await ended.wait()

    async def _end_reading(self, last: float) -> None:
        """Wait until no body is being read, and break off what is at the time `last`.

        Granian aborts the process if its threads end while one of them waits for a body.
        """
        while self._reading and self._loop.time() < last:
            await asyncio.wait(self._reading, timeout=last - self._loop.time())
        if self._reading:
            for task in self._reading:
                task.cancel()
            await asyncio.wait(self._reading)

    def accept(self, watcher: Watcher) -> None:
        """Take over one request; Granian calls this from a thread of its own."""
        asked = Asked(watcher)
        scope, path, headers = asked.scope, asked.path, asked.headers
        self._answering.add(asked.client)
        if len(path) + len(scope.query_string) > self._limits.address:
            self._refuse(asked, to_error("error.http_414", 414, limit=self._limits.address))
        elif scope.http_version == "1.1" and not scope.authority and "host" not in headers:
            allowed = "name, name:port"
            self._refuse(asked, RequestError("error.host", parameter="Host", value="", allowed=allowed))
        elif path != HEALTH and (asked.in_chunks or headers.get("content-length", "0") != "0"):
            self._loop.call_soon_threadsafe(self._begin_body, asked)
        elif self._postpones or path == HEALTH:
            self._answer(asked, io.BytesIO(), may_postpone=path != HEALTH)
        elif not self._threads.put(self._answer, asked, io.BytesIO()):
            self._refuse(asked, BusyError())

    def _begin_body(self, asked: Asked) -> None:
        task = self._loop.create_task(self._take_body(asked))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _take_body(self, asked: Asked) -> None:
        """Read a body, then have a thread answer; too large, too slow or too many ones are refused."""
        limits, scope = self._limits, asked.scope
        upload = self._limit_body(scope) if self._limit_body else None
        if asked.path.endswith(UPLOADS):
            upload = limits.upload_bytes
        body: IO[bytes] = io.BytesIO()
        try:
            if upload:
                body = tempfile.TemporaryFile()  # noqa: SIM115 - who answers closes it
            if upload and len(self._uploading) >= limits.uploads:
                raise BusyError
            if upload:
                self._uploading.add(asked)
            async with asyncio.timeout(limits.upload_s if upload else limits.body_s):
                whole = await self._read_body(asked, body, upload or limits.body_bytes, limits.bodies_bytes)
            if not whole:  # an answer to nobody: the sender left
                self._send(asked, int(HTTPStatus.BAD_REQUEST), [], b"", _name_client(asked.client))
                body.close()
            elif not self._threads.put(self._answer, asked, body):
                raise BusyError
        except (TimeoutError, asyncio.CancelledError) as error:
            late = isinstance(error, TimeoutError)
            self._refuse(asked, to_error("error.http_408", 408) if late else BusyError())
            body.close()
            await asyncio.sleep(SETTLE_S)
        except (RequestError, OSError) as error:
            self._refuse(asked, error if isinstance(error, RequestError) else _tell_fault(asked, error))
            with suppress(OSError):
                body.close()
            await _discard(asked.proto)
        finally:
            self._uploading.discard(asked)

    async def _read_body(self, asked: Asked, body: IO[bytes], most: int, most_together: int) -> bool:
        """Return whether all of it came, and not the end of the connection instead; it is then rewound.

        What is kept in memory counts towards `most_together` while it is read.
        """
        given = asked.headers.get("content-length")
        length = int(given) if given and given.isdecimal() else None
        in_memory = isinstance(body, io.BytesIO)
        if length is not None and length > most:
            raise to_error("error.http_413", 413)
        if in_memory and self._bodies + (length or 0) > most_together:
            raise BusyError
        count = 0
        try:
            async for chunk in asked.proto:
                body.write(chunk)
                count += len(chunk)
                self._bodies += len(chunk) if in_memory else 0
                if count > most:
                    raise to_error("error.http_413", 413)
                if self._bodies > most_together:
                    raise BusyError
        finally:
            self._bodies -= count if in_memory else 0
        body.seek(0)
        return length is None or count == length

    def _answer(self, asked: Asked, body: IO[bytes], *, may_postpone: bool = False) -> None:
        environ: WSGIEnvironment = {}
        postponed: list[Rest] = []

        def begin(start: StartResponse) -> Iterable[bytes]:
            environ.update(_to_environ(asked, body))
            if may_postpone:
                environ[POSTPONE] = postponed.append
            return self._app(environ, start)

        self._run(asked, environ, begin, postponed)
        if not postponed:
            body.close()

    def _run(
        self, asked: Asked, environ: WSGIEnvironment, rest: Rest, postponed: Sequence[Rest] = ()
    ) -> None:
        """Send what the application answers, or have a thread run what it has `postponed` meanwhile."""
        request_id.set(asked.id)
        started = _Started()
        try:
            parts = rest(cast("StartResponse", started))  # none of ours writes by it
            try:
                content = b"".join(parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
        except Exception:  # noqa: BLE001 - whatever it is, the thread goes on and the sender is told
            _LOG.exception("%s %s", asked.scope.method, asked.path)
            self._refuse(asked, to_error("error.http_500", 500), environ)
        else:
            if postponed:
                if not self._threads.put(self._run, asked, environ, postponed[0]):
                    self._refuse(asked, BusyError(), environ)
                return
            said = environ.get(ROUTE, ""), environ.get(RELEASE, "")
            self._send(asked, started.status, started.headers, content, environ["REMOTE_ADDR"], *said)

    def _refuse(self, asked: Asked, error: RequestError, environ: WSGIEnvironment | None = None) -> None:
        """Answer that a request is not dealt with, and end the connection."""
        request_id.set(asked.id)
        body = to_problem(error, self._strings, quote(asked.path[:SHOWN]))
        headers = {**FIXED, **EVERYONE, **headers_of(error), "Content-Security-Policy": DATA_POLICY}
        headers |= {"Content-Type": PROBLEM, "Content-Length": str(len(body)), "Connection": "close"}
        client = environ["REMOTE_ADDR"] if environ else _name_client(asked.client)
        release = environ.get(RELEASE, "") if environ else ""
        self._send(asked, int(error.status), [*headers.items()], body, client, "", release)

    def _send(
        self,
        asked: Asked,
        status: int,
        headers: list[tuple[str, str]],
        content: bytes,
        client: str,
        route: str = "",
        release: str = "",
    ) -> None:
        headers.append((ID_HEADER, asked.id))
        # Where a body in chunks ends, a proxy may see otherwise: nothing behind it is taken for a request.
        if self._stopping.is_set() or asked.in_chunks:
            headers.append(("Connection", "close"))
        asked.proto.response_bytes(status, headers, content)
        self._answering.discard(asked.client)
        if self._recorder:
            ms = (time.perf_counter() - asked.began) * 1000
            about = (asked.begun, asked.id, client, asked.scope.method, asked.path)
            self._recorder.add(Exchange(*about, route, status, len(content), ms, release))


@contextmanager
def serving(
    app: WSGIApplication,
    strings: Strings,
    limits: Limits = LIMITS,
    recorder: Recorder | None = None,
    limit_body: LimitBody | None = None,
    *,
    postpones: bool = False,
) -> Iterator[str]:
    """Serve `app` from a thread, on any free port of this machine; yields the address."""
    (listener,) = listen("127.0.0.1", 0, 1)
    port = listener.getsockname()[1]
    server = Server(app, strings, limits, recorder, limit_body, postpones=postpones)
    ready = threading.Event()
    thread = threading.Thread(target=server.run, args=(listener, ready.set), daemon=True)
    thread.start()
    try:
        ready.wait()
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop(at_once=True)
        thread.join()


class _Started:
    """What the application says before its body: ``start_response`` of WSGI."""

    __slots__ = ("headers", "status")

    def __call__(self, status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        self.status = int(status[:3])
        self.headers = headers


def _tell_fault(asked: Asked, error: OSError) -> RequestError:
    """Return what who sends a body is told of a disk that does not take it."""
    _LOG.error("%s %s: %s", asked.scope.method, asked.path, error)
    return FullError() if error.errno in NO_SPACE else to_error("error.http_500", 500)


async def _discard(protocol: Exchanging) -> None:
    """Read on for a while after a refusal: closed at once, the sender would not get to read the answer."""
    count = 0
    try:
        async with asyncio.timeout(LINGER_S):
            async for chunk in protocol:
                count += len(chunk)
                if count > LINGER_BYTES:
                    return
    except RuntimeError:
        pass  # the body had been read to its end
    except (TimeoutError, asyncio.CancelledError):
        await asyncio.sleep(SETTLE_S)


class _Scheduler(_granian.CallbackScheduler):  # type: ignore[misc]  # for which nothing vouches
    """What Granian hands requests to, in place of its own that makes each a task of the loop."""

    def __new__(cls, loop: asyncio.AbstractEventLoop, accept: Callable[[Watcher], None]) -> Self:
        made: Self = super().__new__(cls, loop, accept, None, None, None)
        return made

    def __init__(self, _: asyncio.AbstractEventLoop, accept: Callable[[Watcher], None]) -> None:
        super().__init__()
        self._schedule_fn = accept


def _to_native(text: str) -> str:
    """Return a text with a letter for each of its bytes, as PEP 3333 has addresses."""
    return text if text.isascii() else text.encode().decode("latin-1")


def _to_environ(asked: Asked, body: IO[bytes]) -> WSGIEnvironment:
    """Return a request as WSGI has it (PEP 3333).

    Headers with an underscore are left out: they would pass for those with a hyphen.
    """
    scope, path = asked.scope, asked.path
    name, _, port = scope.server.rpartition(":")
    environ: WSGIEnvironment = {
        **BASE,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": _to_native(path),
        "QUERY_STRING": _to_native(scope.query_string),
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "REMOTE_ADDR": _name_client(asked.client),
        "REMOTE_PORT": asked.client.rpartition(":")[2],
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": body,
    }
    for header, value in asked.headers.items():
        key = _name_header(header)
        if key in environ:
            environ[key] += f",{value}"
        elif key:
            environ[key] = value
    length = body.seek(0, io.SEEK_END)
    body.seek(0)
    if length:
        environ["CONTENT_LENGTH"] = str(length)  # also of one that came in chunks
    if "HTTP_HOST" not in environ and (authority := scope.authority):
        environ["HTTP_HOST"] = authority
    return environ


def _name_client(client: str) -> str:
    return client.rpartition(":")[0].strip("[]")


@lru_cache(maxsize=512)
def _name_header(name: str) -> str:
    """Return the key of a header in WSGI, or nothing for one that is left out.

    >>> _name_header("accept-language"), _name_header("content-type"), _name_header("x_forwarded_for")
    ('HTTP_ACCEPT_LANGUAGE', 'CONTENT_TYPE', '')
    """
    if "_" in name:
        return ""
    return NAMES.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
