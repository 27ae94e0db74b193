"""Read whole numbers that options take, refusing others in both languages."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from scripts.messages import text

MAX_DIGITS = 18  # of a number that anybody could mean


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what argparse calls with the text given: a whole number from `least` to `most`.

    >>> whole(1, 64)("8")
    8
    """

    def read(given: str) -> int:
        digits = given.strip()
        # Python itself refuses to read some thousands of digits.
        if not digits.isdecimal() or len(digits) > MAX_DIGITS or not least <= int(digits) <= most:
            raise argparse.ArgumentTypeError(
                text("bad_whole", value=repr(given[:40]), least=least, most=most)
            )
        return int(digits)

    return read
