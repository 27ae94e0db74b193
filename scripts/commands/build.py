"""Build the release, if its inputs changed, check it, and load it into the store that is named."""

from __future__ import annotations

import argparse

from scripts.answer import add_home, add_json, live_release, settings, write_json
from scripts.messages import say
from scripts.stored import Admission, Outcome, bring


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_json(parser)
    add_home(parser)


def run(options: argparse.Namespace) -> int:
    """Print where the release is; exit 1 if there is none, or if the store does not take it."""
    chosen = settings(options)
    admission = Admission(chosen) if chosen else None
    release = live_release(chosen, admission)
    if chosen is None or admission is None or release is None:
        return 1
    if (admission.outcome or bring(chosen, release)) is not Outcome.READY:
        return 1
    if options.json:
        write_json({"id": release.id, "folder": str(release.folder), "files": release.manifest["files"]})
    else:
        say("release_at", path=release.folder)
    return 0
