"""Open the map on a fresh machine: set everything up, build what is missing, serve.

``python3 scripts/start.py [--host H] [--port P] [--no-browser] [--wheels FOLDER]`` needs Python 3.11 and
nothing else.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # run as a file, it only sees its folder

from scripts.environment import COMMAND as PROGRAM
from scripts.environment import SetUpError, check_python, prepare_environment

SCRIPT = "scripts/start.py"
COMMAND = f"python3 {SCRIPT}"


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return host, port, whether to open a browser, and where packages come from."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description="安装、构建并打开地图 · set up, build and open the map"
    )
    parser.add_argument("--host", default="127.0.0.1", help="监听地址 · address to listen on (127.0.0.1)")
    parser.add_argument("--port", default="8000", help="端口 · port (8000)")
    parser.add_argument("--no-browser", action="store_true", help="不打开浏览器 · open no browser")
    parser.add_argument(
        "--wheels",
        type=_folder,
        metavar="FOLDER",
        help="离线安装：scripts/wheels.py 备好的文件夹 · install offline, from what scripts/wheels.py made",
    )
    return parser.parse_args(arguments)


def _folder(given: str) -> Path:
    path = Path(given).resolve()
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"没有文件夹 {given} · there is no folder {given}")
    return path


def serve_command(options: argparse.Namespace) -> list[str]:
    """Return the command that serves the map from the environment."""
    serve = [str(PROGRAM), "serve", "--host", options.host, "--port", options.port]
    return [*serve, "--no-browser"] if options.no_browser else serve


def main() -> int:
    """Set up, then hand over to the server."""
    if not check_python(SCRIPT):
        return 1
    options = parse_arguments(sys.argv[1:])
    try:
        again = f"{COMMAND} --wheels {options.wheels}" if options.wheels else COMMAND
        prepare_environment(("requirements.lock",), again, options.wheels)
    except SetUpError:
        return 1
    serve = serve_command(options)
    if os.name != "nt":
        os.execv(serve[0], serve)  # the server takes this process's place and gets its signals
    return subprocess.run(serve, check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
