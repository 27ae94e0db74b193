"""Set up what the checks need and run them all; further arguments go to pytest.

``python3 scripts/test.py`` exits 0 only if every step passes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it only sees its folder

from scripts.bilingual import write
from scripts.environment import (
    PROGRAMS,
    ROOT,
    SUFFIX,
    SetUpError,
    check_python,
    install_packages,
    prepare_environment,
)

SCRIPT = "scripts/test.py"
COMMAND = f"python3 {SCRIPT}"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
FIREFOX = ("firefox-esr", "firefox")
FONT_NAME = "NotoSansCJK-Regular.ttc"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts")
NGINX = ("nginx", "/usr/sbin/nginx")
POSTGIS = "usr/share/postgresql/*/extension/postgis.control"
STEPS = {
    "ruff check": ["ruff", "check"],
    "ruff format": ["ruff", "format", "--check"],
    "mypy": ["mypy", "--strict"],
    "import-linter": ["lint-imports"],
    "pytest": ["pytest", "-n", "3", "--dist", "worksteal"],
}
# Of Debian, each with a file that tells that it is there.
SERVERS = {
    "qgis-server": "/usr/lib/cgi-bin/qgis_mapserv.fcgi",
    "mapserver-bin": "/usr/bin/mapserv",
    "nginx-light": "/usr/sbin/nginx",
}


def missing_packages() -> list[str]:
    """Name the Debian packages that the tests of browser, database and map servers lack on this machine."""
    missing = [] if any(map(shutil.which, BROWSERS)) else ["chromium"]
    missing += [] if any(map(shutil.which, FIREFOX)) else ["firefox-esr"]
    on_linux = sys.platform.startswith("linux")
    if on_linux and not any(found for folder in FONT_FOLDERS for found in Path(folder).rglob(FONT_NAME)):
        missing.append("fonts-noto-cjk")
    if not any(map(shutil.which, NGINX)):
        missing.append("nginx-light")
    if not any(Path("/").glob(POSTGIS)):
        missing += ["postgresql", "postgresql-postgis"]
    missing += [name for name, file in SERVERS.items() if on_linux and not Path(file).exists()]
    return missing


def run_steps(pytest_arguments: list[str]) -> bool:
    """Run every step, also after a failure, and print a summary; tell whether all passed."""
    # Tests start hundreds of processes, and each would compile the program anew.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    summary = []
    for name, (program, *arguments) in STEPS.items():
        write(f"== {name}")
        extra = pytest_arguments if name == "pytest" else []
        begun = time.monotonic()
        code = subprocess.run(
            [PROGRAMS / f"{program}{SUFFIX}", *arguments, *extra], cwd=ROOT, env=environ, check=False
        ).returncode
        summary.append((name, code, time.monotonic() - begun))
    write("== summary")
    for name, code, seconds in summary:
        write(f"{'ok  ' if code == 0 else 'FAIL'} {name:14} {seconds:6.1f} s")
    return all(code == 0 for _, code, _ in summary)


def main() -> int:
    """Set up, then run all checks."""
    if not check_python(SCRIPT):
        return 1
    try:
        prepare_environment(("requirements.lock", "requirements-test.lock"), COMMAND)
    except SetUpError:
        return 1
    return 0 if install_packages(missing_packages) and run_steps(sys.argv[1:]) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
