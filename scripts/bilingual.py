"""Say what the commands do, in Chinese and English, from ``messages.json``.

Needs nothing but the standard library: the set-up speaks before anything is installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

MESSAGES = json.loads(Path(__file__).with_name("messages.json").read_text(encoding="utf-8"))


def text(key: str, **values: object) -> str:
    """Return message `key` on one line, Chinese before English, filled with `values`.

    >>> text("ready", url="http://127.0.0.1:8000/")
    '地图已就绪：http://127.0.0.1:8000/ · The map is ready: http://127.0.0.1:8000/'
    """
    return " · ".join(list_texts(key, **values))


def say(key: str, **values: object) -> None:
    """Print message `key` on one line, at once."""
    write(text(key, **values))


def warn(key: str, **values: object) -> None:
    """Print message `key` on standard error, one language below the other."""
    write("\n".join(list_texts(key, **values)), error=True)


def write(line: str, *, error: bool = False) -> None:
    """Print `line`; characters that the terminal cannot show are escaped, not fatal."""
    stream = sys.stderr if error else sys.stdout
    encoding = stream.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def list_texts(key: str, **values: object) -> list[str]:
    """Return the message in each language; a value that is a dict is by language."""
    found = []
    for language in ("zh", "en"):
        picked = {name: one[language] if isinstance(one, dict) else one for name, one in values.items()}
        found.append(MESSAGES[key][language].format(**picked))
    return found
