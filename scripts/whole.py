"""Read whole numbers that options take, refusing others in both languages."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from scripts.messages import text


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return what argparse calls with the text given: a whole number from `least` to `most`.

    >>> whole(1, 64)("8")
    8
    """

    def read(given: str) -> int:
        if not given.strip().isdecimal() or not least <= int(given) <= most:
            raise argparse.ArgumentTypeError(
                text("bad_whole", value=repr(given[:40]), least=least, most=most)
            )
        return int(given)

    return read
