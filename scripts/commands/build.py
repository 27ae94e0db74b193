"""Build the release, if its inputs changed, and check it."""

from __future__ import annotations

import argparse

from scripts.answer import add_home, add_json, live_release, settings, write_json
from scripts.messages import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_json(parser)
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Print where the release is; exit 1 if there is none."""
    release = live_release(settings(options))
    if release is None:
        return 1
    if options.json:
        write_json({"id": release.id, "folder": str(release.folder), "files": release.manifest["files"]})
    else:
        say("release_at", path=release.folder)
    return 0
