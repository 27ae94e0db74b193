"""What a release's tables are called."""

from __future__ import annotations


def name_items(number: int, release: str) -> str:
    """Return the name of the table of a release's collection of this number."""
    return f"items_{number}_{release}"


def name_places(release: str) -> str:
    """Return the name of the table of a release's places; gone with the release, unlike all releases' own."""
    return f"places_{release}"


def name_features(release: str) -> str:
    """Return the name of the table that an older version put all features of a release into."""
    return f"features_{release}"
