"""What the measurements share: the release, free ports, waiting for servers."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from layers.store import Release, read_current

Result = dict[str, Any]


def live_at(home: Path) -> Release:
    """Return the live release below `home`; raises FileNotFoundError where there is none."""
    release = read_current(home)
    if release is None:
        raise FileNotFoundError(f"{home}: 先生成发布版 / build a release first")
    return release


def ask(url: str) -> int:
    """Return the status of an answer read to its end, or 0 where there is none."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own server
            answer.read()
            return int(answer.status)
    except OSError:
        return 0


def wait_for(ready: Callable[[], bool], seconds: float = 60) -> None:
    """Return when `ready`; raises TimeoutError after `seconds`."""
    end = time.perf_counter() + seconds
    while not ready():
        if time.perf_counter() > end:
            raise TimeoutError("服务未启动 / the server did not start")
        time.sleep(0.005)


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
