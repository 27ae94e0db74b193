"""Figures for Prometheus, at a port of their own: what all workers counted, and how the home stands.

Each worker counts in files of a folder that they share (the client library's mode for several processes,
which :data:`FOLDER` in the environment turns on); one more process adds them up when it is asked. Answers
are counted by the thread that takes up their records, never by the one that answers.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal
from wsgiref.types import WSGIApplication

from prometheus_client import CollectorRegistry, Gauge, Histogram, make_wsgi_app
from prometheus_client import Counter as Total
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from layers.history import read_last
from layers.home import HomeError
from layers.store import BrokenReleaseError, Release, read_current
from webmap.access_log import Exchange
from webmap.content import holds
from webmap.file_cache import FileCache, choose_folder
from webmap.settings import Settings

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
GaugeMode = Literal["livesum", "livemax"]
PREFIX = "weihai_layout"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)  # seconds
NO_ROUTE = "none"  # of what no route is for, so that made-up addresses make no figures
METHODS = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"}
_OGC = (  # templates of the API's addresses, by what they look like
    (re.compile(r"/ogc/?"), "/ogc/"),
    (re.compile(r"/ogc/(?P<name>api|conformance|collections|functions)/?"), "/ogc/{name}"),
    (re.compile(r"/ogc/collections/[^/]+/?"), "/ogc/collections/<collection>"),
    (
        re.compile(r"/ogc/collections/[^/]+/(?P<name>items|queryables|schema|sortables)/?"),
        "/ogc/collections/<collection>/{name}",
    ),
    (re.compile(r"/ogc/collections/[^/]+/items/[^/]+/?"), "/ogc/collections/<collection>/items/<feature>"),
)


@dataclass(frozen=True)
class WorkerState:
    """How a worker stands.

    Attributes
    ----------
    children, children_waiting
        Child processes that it runs, and requests that wait for one.
    threads, waiting
        Threads that answer, and requests that wait for one.
    faults
        Of the home and the files that are served, as the inspection found them.
    dropped
        Records of requests that were dropped since the start.
    """

    release: str
    children: int
    children_waiting: int
    threads: int
    waiting: int
    faults: int
    dropped: int


class Metrics:
    """A sink that counts records of requests, and asks for the `state` of the worker."""

    def __init__(self, state: Callable[[], WorkerState]) -> None:
        registry = CollectorRegistry()  # the files are what counts; this one is asked by nobody
        self._state = state
        self._requests = Total(
            f"{PREFIX}_requests", "Requests answered.", ["route", "method", "status"], registry=registry
        )
        self._seconds = Histogram(
            f"{PREFIX}_request_seconds",
            "Time from a whole header to the answer.",
            ["route"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._bytes = Total(f"{PREFIX}_response_bytes", "Bytes of bodies sent.", registry=registry)
        self._dropped = Total(
            f"{PREFIX}_records_dropped", "Requests that were neither logged nor counted.", registry=registry
        )
        self._workers = _gauge("workers", "Workers by the release that they serve.", registry, ["release"])
        self._gauges = {
            "children": _gauge("children", "Child processes that make files.", registry),
            "children_waiting": _gauge("children_waiting", "Requests that wait for a child.", registry),
            "threads": _gauge("threads", "Threads that answer requests.", registry),
            "waiting": _gauge("requests_waiting", "Requests that wait for a thread.", registry),
            "faults": _gauge(
                "faults", "Damaged files found, of the worker that knows most.", registry, mode="livemax"
            ),
        }
        self._release = ""
        self._known_dropped = 0

    def __call__(self, exchanges: Sequence[Exchange]) -> None:
        """Count what was answered, and note how the worker stands."""
        routes = [one.route or name_route(one.path) for one in exchanges]
        methods = [one.method if one.method in METHODS else "other" for one in exchanges]
        statuses = [str(one.status) for one in exchanges]
        for labels, count in Counter(zip(routes, methods, statuses, strict=True)).items():
            self._requests.labels(*labels).inc(count)
        for route, one in zip(routes, exchanges, strict=True):
            self._seconds.labels(route).observe(one.ms / 1000)
        self._bytes.inc(sum(one.size for one in exchanges))
        state = self._state()
        for name, gauge in self._gauges.items():
            gauge.set(getattr(state, name))
        self._dropped.inc(state.dropped - self._known_dropped)
        self._known_dropped = state.dropped
        if state.release != self._release:
            if self._release:
                self._workers.labels(self._release).set(0)
            self._workers.labels(state.release).set(1)
            self._release = state.release


def _gauge(
    name: str,
    about: str,
    registry: CollectorRegistry,
    labels: Sequence[str] = (),
    mode: GaugeMode = "livesum",
) -> Gauge:
    return Gauge(f"{PREFIX}_{name}", about, labels, registry=registry, multiprocess_mode=mode)


@lru_cache(maxsize=4096)
def name_route(path: str) -> str:
    """Return the template of an address of the API, and :data:`NO_ROUTE` for any other.

    >>> name_route("/ogc/collections/zones/items/north"), name_route("/x")
    ('/ogc/collections/<collection>/items/<feature>', 'none')
    """
    for pattern, template in _OGC:
        if found := pattern.fullmatch(path):
            return template.format(**found.groupdict())
    return NO_ROUTE


class HomeCollector(Collector):
    """What is found out when figures are asked for: release, store and cache of the home."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def collect(self) -> Iterator[Metric]:
        """Yield the figures; what cannot be read is left out, or 0 where it says whether all is well."""
        settings = self._settings
        release = _try_release(settings)
        kind = "postgis" if settings.store else "memory"
        store = GaugeMetricFamily(
            f"{PREFIX}_store_up", "Whether the store has the live release.", labels=["store"]
        )
        store.add_metric([kind], float(release is not None and holds(release, settings)))
        yield store
        if release is not None:
            number, published = _try_last(settings)
            live = InfoMetricFamily(f"{PREFIX}_release", "The live release.")
            live.add_metric([], {"release": release.id, "publication": str(number)})
            yield live
            yield GaugeMetricFamily(
                f"{PREFIX}_release_published_seconds", "When it was published.", published
            )
        count, size = FileCache(choose_folder(settings.home), settings.cache_megabytes).measure()
        yield GaugeMetricFamily(f"{PREFIX}_cache_files", "Files made on request that are kept.", count)
        yield GaugeMetricFamily(f"{PREFIX}_cache_bytes", "Bytes of these files.", size)


def _try_release(settings: Settings) -> Release | None:
    try:
        return read_current(settings.home)
    except (HomeError, BrokenReleaseError):
        return None


def _try_last(settings: Settings) -> tuple[int, float]:
    """Return the number of the last publication, and when it was; zeros where the history cannot be read."""
    try:
        last = read_last(settings.home)
    except HomeError:
        return 0, 0.0
    return (last.number, datetime.fromisoformat(last.when).timestamp()) if last else (0, 0.0)


def forget_worker(pid: int) -> None:
    """Let no figure go on saying how a worker stands that has ended; what it counted stays."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]  # nor is the next described


def build_metrics_app(settings: Settings) -> WSGIApplication:
    """Return the WSGI application that answers with all figures, whatever the address."""
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=os.environ[FOLDER])  # type: ignore[no-untyped-call]  # registers itself
    registry.register(HomeCollector(settings))
    return make_wsgi_app(registry)
