"""Parse arguments, and say in Chinese and English what is wrong with them."""

from __future__ import annotations

import argparse
import re
from typing import Final, NoReturn

from scripts.messages import text

_ABOUT: Final = r"argument (?P<argument>.+?): "
# What argparse says, by the message that says it in both languages.
_SAID: Final = {
    "usage_choice": _ABOUT + r"invalid choice: (?P<value>.+) \(choose from (?P<allowed>.+)\)",
    "usage_missing": r"the following arguments are required: (?P<arguments>.+)",
    "usage_unknown": r"unrecognized arguments: (?P<arguments>.+)",
    "usage_no_value": _ABOUT + r"expected (?:one|at least one|\d+) arguments?",
    "usage_no_value_taken": _ABOUT + r"ignored explicit argument (?P<value>.+)",
    "usage_ambiguous": r"ambiguous option: (?P<argument>.+) could match (?P<allowed>.+)",
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose refusals are in both languages."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit with 2."""
        super().error(translate(message))


def translate(message: str) -> str:
    """Return what argparse says in both languages; as it is where it is not known here.

    >>> translate("unrecognized arguments: --fast")
    '无法识别的参数：--fast · unrecognized arguments: --fast'
    """
    for key, pattern in _SAID.items():
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            return text(key, **found.groupdict())
    return message
