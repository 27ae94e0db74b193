"""Debian packages that something needs: installed where that is allowed, named where it is not.

Needs nothing but the standard library: the checks ask for theirs before anything else is set up.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from scripts.messages import say, warn


def install_packages(missing: Callable[[], list[str]]) -> bool:
    """Install what `missing` names, if root; tell whether nothing is missing afterwards, or say what is."""
    packages = missing()
    apt = shutil.which("apt-get")
    if packages and apt and os.geteuid() == 0:
        say("installing_system_packages", packages=" ".join(packages))
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = [apt, "install", "-y", "-q", "--no-install-recommends", *packages]
        for step in ([apt, "update", "-q"], install):
            subprocess.run(step, check=False, env=quiet, stdin=subprocess.DEVNULL)
        packages = missing()
    if packages:
        warn("system_packages_missing", packages=" ".join(packages))
    return not packages
