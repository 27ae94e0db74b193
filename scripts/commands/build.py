"""Build the release, if its inputs changed, check it, and load it into the store that is named."""

from __future__ import annotations

from pathlib import Path

from scripts.commands.common import (
    command,
    home_option,
    json_option,
    live_release,
    local_option,
    settings,
    write_json,
)
from scripts.messages import say
from scripts.postgis_sync import Admission, Outcome, bring


@command("build")
@json_option
@home_option
@local_option
def build(*, as_json: bool, home: Path | None, local: Path | None) -> int:
    """Print where the release is; exit 1 if there is none, or if the store does not take it."""
    chosen = settings(home, local)
    admission = Admission(chosen)
    release = live_release(chosen, admission)
    if (admission.outcome or bring(chosen, release)) is not Outcome.READY:
        return 1
    if as_json:
        write_json({"id": release.id, "folder": str(release.folder), "files": release.manifest["files"]})
    else:
        say("release_at", path=release.folder)
    return 0
