"""A PostgreSQL server with PostGIS of one's own, in a folder that goes away: for tests and measurements.

Nothing of the machine's own servers is touched: the data lie in a temporary folder and the server
listens on a socket in it only. Root may not run PostgreSQL, so it runs as Debian's ``postgres`` then.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

INSTALLED = Path("/usr/lib/postgresql")  # where Debian keeps each version's programs
EXTENSIONS = Path("/usr/share/postgresql")
START_S = 30
FAST = {  # nothing here has to survive a crash
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "4GB",
    "autovacuum": "off",  # loading analyses what it loaded
    "lc_messages": "C",
}


def find_programs() -> Path | None:
    """Return the folder of the newest PostgreSQL that has PostGIS, or None."""
    versions = [path.parent.parent for path in INSTALLED.glob("*/bin/initdb")]
    usable = [path for path in versions if (EXTENSIONS / path.name / "extension/postgis.control").exists()]
    newest = max(usable, key=lambda path: float(path.name), default=None)
    return newest / "bin" if newest else None


class DatabaseCluster:
    """One server: :meth:`start` and :meth:`stop` it as often as you like, its data stay."""

    def __init__(self, folder: Path, settings: dict[str, str] | None = None) -> None:
        found = find_programs()
        if found is None:
            raise FileNotFoundError(
                "postgresql, postgresql-postgis: 未安装 / not installed (apt-get install)"
            )
        self._programs = found
        self.folder = folder
        self._settings = FAST | (settings or {})
        self._server: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {"cwd": folder}
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            self.user = "postgres"
            account = pwd.getpwnam(self.user)
            os.chown(folder, account.pw_uid, account.pw_gid)
            self._as |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    def create(self) -> None:
        """Make the data folder, with PostGIS in every database that is created later."""
        initdb = [str(self._programs / "initdb"), "-D", "data", "-U", self.user, "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--no-locale", "--no-sync"], check=True, capture_output=True, **self._as)
        self.start()
        with psycopg.connect(self.url("template1"), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION postgis")

    def start(self) -> None:
        """Start, and return when connections are answered."""
        command = [str(self._programs / "postgres"), "-D", "data", "-k", str(self.folder)]
        command += [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(command, stdout=log, stderr=log, **self._as)
        end = time.monotonic() + START_S
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.folder / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop, cutting every connection off; by SIGQUIT at once, and the data may be lost."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait()
            self._server = None

    def url(self, database: str = "postgres", user: str | None = None) -> str:
        """Return the address of one database."""
        return f"postgresql:///{database}?host={self.folder}&user={user or self.user}"

    def new_database(self, name: str) -> str:
        """Create an empty database with PostGIS and return its address."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url(name)

    def _answers(self) -> bool:
        with suppress(psycopg.OperationalError), psycopg.connect(self.url("template1")):
            return True
        return False


@contextmanager
def temporary_cluster(settings: dict[str, str] | None = None) -> Iterator[DatabaseCluster]:
    """Run a server for as long as the block lasts, then remove it with its data."""
    folder = Path(tempfile.mkdtemp(prefix="layout-postgis-"))
    try:
        cluster = DatabaseCluster(folder, settings)
        try:
            cluster.create()
            yield cluster
        finally:
            cluster.stop(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
