"""``doctor``, ``licences``: is all there that the service needs, what to do; terms of its packages."""

from __future__ import annotations

import ctypes
import errno
import http.client
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import Distribution, PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Literal, NamedTuple

from geodata.local import list_inputs
from layers.history import read_last
from layers.home import HomeError, Standing, read_standing
from layers.inspection import list_faults
from layers.store import BrokenReleaseError, Release, read_current
from scripts.bilingual import list_texts, warn, write
from scripts.commands.common import (
    command,
    describe_home,
    home_option,
    json_option,
    option,
    whole,
    write_json,
)
from scripts.environment import NEEDED, list_pinned
from webmap.content import holds
from webmap.publish import hash_code
from webmap.settings import MAX_PORT, Settings, SettingsError, list_unknown, read_settings
from webmap.sockets import CONNECTIONS, count_connections, most_files

Level = Literal["ok", "warning", "error"]
MARKS: dict[Level, str] = {"ok": "  ✓ ", "warning": "  ! ", "error": "  ✗ "}
MEGABYTE = 1_000_000
RELEASE_MB = 100  # of a release, generously; a build lays the new one beside the old
LEAST_MB = 50  # for logs and files that are being made
AHEAD_S = 300  # that another machine's clock may differ
SHOWN_TIME = "%Y-%m-%d %H:%M:%S UTC"
PORT_FAULTS = {errno.EADDRINUSE: "port_taken", errno.EACCES: "port_closed"}
EVERYBODY = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True)
class Finding:
    """What one check found, as a message of ``messages.json`` with its values."""

    check: str
    level: Level
    key: str
    values: dict[str, object]

    def list_lines(self) -> list[str]:
        """Return what is found in Chinese and in English."""
        return list_texts(f"doctor_{self.key}", **self.values)


@dataclass(frozen=True)
class Patient:
    """What is looked at: the settings, and where it is to be served."""

    settings: Settings
    host: str
    port: int


Check = Callable[[Patient], Iterator[Finding]]


@command("doctor")
@option("--host", default="127.0.0.1", metavar="HOST", help="监听地址 · address to listen on (127.0.0.1)")
@option("--port", type=whole(1, MAX_PORT), default="8000", metavar="PORT", help="端口 · port (8000)")
@json_option
@home_option
def doctor(*, host: str, port: int, as_json: bool, home: Path | None) -> int:
    """Print what was found; exit 1 if something keeps the service from running as it should."""
    findings = list(examine(host, port, home))
    errors = sum(one.level == "error" for one in findings)
    if as_json:
        rows = [
            {"check": one.check, "level": one.level, **dict(zip(("zh", "en"), one.list_lines(), strict=True))}
            for one in findings
        ]
        write_json({"ok": errors == 0, "findings": rows})
        return 1 if errors else 0
    for one in findings:
        lines = one.list_lines() if one.level != "ok" else [" · ".join(one.list_lines())]
        write(MARKS[one.level] + "\n".join(lines).replace("\n", "\n    "))
    warnings = sum(one.level == "warning" for one in findings)
    write("\n".join(list_texts("doctor_sum", errors=errors, warnings=warnings)))
    return 1 if errors else 0


def examine(host: str, port: int, home: Path | None) -> Iterator[Finding]:
    """Yield the findings of every check, in the order in which one mends them."""
    for name, near in list_unknown():
        yield _doubt("settings", "setting_unknown", name=name, near=near or "–")
    try:
        settings = read_settings()
    except SettingsError as error:
        for line in str(error).splitlines():
            yield _bad("settings", "setting_wrong", reason=line)
        settings = error.rest
    patient = Patient(settings if home is None else replace(settings, home=home), host, port)
    for check in CHECKS:
        yield from check(patient)


def _ok(check: str, key: str, **values: object) -> Finding:
    return Finding(check, "ok", key, values)


def _doubt(check: str, key: str, **values: object) -> Finding:
    return Finding(check, "warning", key, values)


def _bad(check: str, key: str, **values: object) -> Finding:
    return Finding(check, "error", key, values)


def _check_python(_: Patient) -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < NEEDED or ctypes.sizeof(ctypes.c_void_p) < 8:  # noqa: PLR2004 - bytes of an address
        yield _bad("python", "python_bad", found=found, needed=".".join(map(str, NEEDED)))
    try:
        wrong = _list_wrong_packages()
    except OSError as error:
        wrong = [f"requirements.lock: {error.strerror}"]
    if wrong:
        yield _bad("python", "packages_bad", packages=", ".join(wrong))
    else:
        yield _ok("python", "python_ok", found=found)


def _list_wrong_packages() -> list[str]:
    """Return the packages whose version is not the pinned one; those of other systems are left out."""
    wanted: dict[str, set[str]] = {}
    for pinned in list_pinned():
        # One that a condition goes with may be left out, or have another version for another Python.
        wanted.setdefault(pinned["name"], set()).update(
            [pinned["version"], *([""] if pinned["marker"] else [])]
        )
    found = {name: _find_version(name) for name in wanted}
    return [
        f"{name} {found[name] or '–'} ≠ {' | '.join(sorted(filter(None, versions)))}"
        for name, versions in wanted.items()
        if found[name] not in versions
    ]


def _find_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _check_space(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    home = _existing(settings.home)
    wanted = {home: 2 * RELEASE_MB + settings.cache_megabytes}
    with suppress(OSError):  # where there is none, the permissions say so
        wanted = {Path(tempfile.gettempdir()): LEAST_MB, **wanted}
    for folder, megabytes in wanted.items():
        free = shutil.disk_usage(folder).free // MEGABYTE
        values = {"folder": folder, "free": free, "wanted": megabytes}
        if free < LEAST_MB:
            yield _bad("space", "space_bad", **values)
        elif free < megabytes:
            yield _doubt("space", "space_short", **values)
        else:
            yield _ok("space", "space_ok", **values)


def _existing(folder: Path) -> Path:
    """Return a folder, or the nearest one above it that is there."""
    whole = folder.absolute()
    return next(one for one in (whole, *whole.parents) if one.is_dir())


def _check_permissions(patient: Patient) -> Iterator[Finding]:
    home, log = patient.settings.home, patient.settings.access_log
    place = _existing(home)
    if not os.access(place, os.R_OK | os.X_OK):
        yield _bad("permissions", "home_closed", folder=place)
    elif not os.access(place, os.W_OK):
        yield _doubt("permissions", "home_read_only", folder=place)
    else:
        yield _ok("permissions", "home_open", folder=place)
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b" ")
    except OSError as error:
        folder = tempfile.tempdir or os.environ.get("TMPDIR", "TMPDIR")  # None where nothing can be written
        yield _bad("permissions", "temporary_bad", folder=folder, reason=error.strerror)
    if log and log != "-" and not os.access(log if Path(log).exists() else Path(log).parent, os.W_OK):
        yield _bad("permissions", "log_bad", file=log)


def _check_local(patient: Patient) -> Iterator[Finding]:
    folder = patient.settings.local
    if folder is None:
        yield _ok("local", "local_none")
        return
    files = list_inputs(folder)
    try:
        for file in (folder, *files):
            next(file.iterdir(), None) if file == folder else file.open("rb").close()
    except OSError as error:
        yield _bad("local", "local_bad", path=error.filename, reason=error.strerror)
    else:
        yield _ok("local", "local_ok", folder=folder, files=len(files))


def _check_limits(_: Patient) -> Iterator[Finding]:
    most = most_files(ever=True)
    room = count_connections(files=most)
    if room < CONNECTIONS:
        yield _doubt("limits", "files_few", most=most, connections=room)
    elif most < sys.maxsize:
        yield _ok("limits", "files_ok", most=most)


def _check_fonts(_: Patient) -> Iterator[Finding]:
    # Only this check pays for the typesetter.
    from webmap.paper.typeset import list_letters

    try:
        letters = len(list_letters())
    except (OSError, ImportError, ValueError) as error:
        yield _bad("fonts", "fonts_bad", reason=error)
    else:
        yield _ok("fonts", "fonts_ok", letters=letters)


def _check_release(patient: Patient) -> Iterator[Finding]:
    home = patient.settings.home
    try:
        standing = read_standing(home)
        faults = [] if standing is Standing.NEW else list_faults(home)
        release = read_current(home) if not faults else None
    except HomeError as error:
        yield _fault(error, home)
        return
    for fault in faults:
        yield _fault(fault, home)
    if not faults and release is None:
        yield _doubt("release", "release_none", home=home)
    if release is None:
        return
    try:
        release.verify()
    except BrokenReleaseError as error:
        yield _bad("release", "release_broken", home=home, reason=error)
        return
    last = read_last(home)
    if last and last.act.code != hash_code():
        yield _doubt("release", "release_of_other_code", home=home, release=release.id)
    else:
        yield _ok("release", "release_ok", release=release.id, files=len(release.paths()))


def _fault(error: HomeError, home: Path) -> Finding:
    texts = list_texts(f"home_{error.key}", **describe_home(error, home))
    lines = dict(zip(("zh", "en"), texts, strict=True))
    return _bad("release", "home_bad", reason=lines)


def _check_store(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    if settings.store is None:
        yield _ok("store", "store_memory")
        return
    # Only who stores in a database pays for its driver.
    import psycopg

    from layers.postgis.pool import with_limits

    try:
        with psycopg.connect(with_limits(settings.store)) as connection:
            row = connection.execute("SELECT postgis_lib_version()").fetchone()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        yield _bad("store", "store_away", reason=reason)
        return
    release = _try_release(settings.home)
    if release is not None and not holds(release, settings):
        yield _doubt("store", "store_without", release=release.id)
    else:
        yield _ok("store", "store_ok", version=row[0] if row else "?")


def _try_release(home: Path) -> Release | None:
    with suppress(HomeError):
        return read_current(home)
    return None


def _check_proxy(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    found = list(_doubt_proxy(settings, is_public=patient.host not in {"127.0.0.1", "::1", "localhost"}))
    yield from found or [_ok("proxy", "proxy_ok")]


def _doubt_proxy(settings: Settings, *, is_public: bool) -> Iterator[Finding]:
    url = settings.url or ""
    if any(str(one) in EVERYBODY for one in settings.proxies):
        yield _bad("proxy", "proxy_everybody", proxies=", ".join(map(str, settings.proxies)))
    if url.startswith("https://") and not settings.proxies:
        yield _doubt("proxy", "proxy_unknown", url=url)
    if settings.proxies and not settings.hosts:
        yield _doubt("proxy", "proxy_any_host", variable="WEIHAI_LAYOUT_HOSTS")
    if is_public and not settings.hosts:
        yield _doubt("proxy", "public_any_host", variable="WEIHAI_LAYOUT_HOSTS")


def _check_clock(patient: Patient) -> Iterator[Finding]:
    now = time.time()
    latest = Path(__file__).stat().st_mtime
    with suppress(HomeError):
        last = read_last(patient.settings.home) if patient.settings.home.is_dir() else None
        latest = max(latest, datetime.fromisoformat(last.when).timestamp()) if last else latest
    shown, known = (time.strftime(SHOWN_TIME, time.gmtime(one)) for one in (now, latest))
    if now < latest - AHEAD_S:
        yield _bad("clock", "clock_behind", now=shown, latest=known)
    else:
        yield _ok("clock", "clock_ok", now=shown)


def _check_ports(patient: Patient) -> Iterator[Finding]:
    yield _look_at_port(patient.host, patient.port, "--port")
    if patient.settings.metrics:
        yield _look_at_port(*patient.settings.metrics, "WEIHAI_LAYOUT_METRICS")


def _look_at_port(host: str, port: int, name: str) -> Finding:
    values: dict[str, object] = {"host": host, "port": port, "name": name}
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        release = _ask_release(host, port)
        if release is not None:
            return _ok("ports", "port_ours", release=release, **values)
        reason = (
            os.strerror(error.errno) if error.errno and error.errno > 0 else error
        )  # without the address again
        return _bad("ports", PORT_FAULTS.get(error.errno or 0, "port_bad"), reason=reason, **values)
    return _ok("ports", "port_free", **values)


def _ask_release(host: str, port: int) -> str | None:
    """Return the release that a server of ours serves at a port; None for any other server, or none."""
    connection = http.client.HTTPConnection(host or "127.0.0.1", port, timeout=3)
    try:
        connection.request("GET", "/healthz")
        answer = json.loads(connection.getresponse().read(10_000))
        return str(answer["release"]) if answer.get("status") == "ok" else None
    except (OSError, http.client.HTTPException, ValueError, AttributeError, KeyError, TypeError):
        return None
    finally:
        connection.close()


CHECKS: tuple[Check, ...] = (
    _check_python,
    _check_space,
    _check_permissions,
    _check_local,
    _check_limits,
    _check_fonts,
    _check_release,
    _check_store,
    _check_proxy,
    _check_clock,
    _check_ports,
)


CLASSIFIER = "License :: "
SHORT = 60  # characters; more is the text of a licence and not its name
UNKNOWN = "?"


class Licence(NamedTuple):
    """What a package says of its terms: an SPDX expression, or the name that it gives."""

    package: str
    version: str
    licence: str
    files: tuple[str, ...]  # that hold the text, below the folder of packages


@command("licences")
@json_option
def licences(*, as_json: bool) -> int:
    """List the licence of every package that is pinned and installed; exit 1 if one names none."""
    found = list(list_licences())
    if as_json:
        write_json([one._asdict() for one in found])
    else:
        width = max(len(one.package) for one in found)
        write("\n".join(f"{one.package:{width}}  {one.version:12}  {one.licence}" for one in found))
    unknown = [one.package for one in found if one.licence == UNKNOWN]
    if unknown:
        warn("licences_unknown", packages=", ".join(unknown))
    return 1 if unknown else 0


def list_licences() -> Iterator[Licence]:
    """Yield what is said of every package of ``requirements.lock`` that is installed, by name."""
    for name in sorted({row["name"] for row in list_pinned()}, key=str.lower):
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # of another system, or another Python
        files = tuple(str(path) for path in package.files or () if _holds_terms(path.name))
        yield Licence(name, package.version, _name_licence(package), files)


def _name_licence(package: Distribution) -> str:
    """Return the expression of PEP 639, else what classifiers name, else the old field where it is short."""
    said = package.metadata
    expression = said.get_all("License-Expression", [])
    if expression:
        return str(expression[0])
    rows = [row for row in said.get_all("Classifier", []) if row.startswith(CLASSIFIER)]
    named = [row.rpartition(" :: ")[2] for row in rows]
    lines = "\n".join(said.get_all("License", [])).strip().splitlines()
    short = lines[0] if len(lines) == 1 and len(lines[0]) <= SHORT else ""
    return ", ".join(named) or short or UNKNOWN


def _holds_terms(name: str) -> bool:
    return name.upper().startswith(("LICENSE", "LICENCE", "COPYING", "NOTICE"))
