"""Rebuild the boundaries of the city from the packages that hold the base data."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.bilingual import warn


def main() -> int:
    """Parse the arguments, rebuild, and print what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to write (default: where the product reads them)")
    folder = parser.parse_args().folder
    try:
        from scripts.rebuild.files import FOLDER, write_boundaries

        package = write_boundaries(folder or FOLDER)
    except ModuleNotFoundError as error:  # what the product itself does without
        warn("command_lacks", command="scripts/boundaries.py", missing=error.name)
        return 1
    for resource in package["resources"]:
        sys.stdout.write(f"{resource['path']}  {resource['bytes']} bytes  {resource['hash']}\n")
    for row in package["quality"]["areas"]:
        sys.stdout.write("{of}: {area_km2} km² of {official_km2} ({difference_percent:+} %)\n".format(**row))
    return 0


if __name__ == "__main__":
    sys.exit(main())
