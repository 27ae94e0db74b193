"""What is wrong with a file of boundaries: one record for every kind of finding, in Chinese and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from geodata.model import Text

Level = Literal["error", "warning"]
TOLD: Final = ("zh", "en")  # of findings
LANGUAGES: Final = (*TOLD, "ko")  # of what is kept
_FILE = Path(__file__).with_name("findings.yaml")


class Remark(Text):
    """What a boundary that is imported says for ever of how it came in: a repair, or a loss accepted."""

    code: str  # of the finding


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding about a file, or one feature of it.

    `path` says where: the file, the layer and the feature's place in it, or a coordinate. `fix` says
    what can be done, by language; None where nothing but another file helps.
    """

    code: str
    level: Level
    feature_id: str | None
    path: str
    message_zh: str
    message_en: str
    fix: dict[str, str] | None = None
    remark: Remark | None = None  # how the record of a boundary tells it, where one is to

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain data for ``--json``."""
        return {name: value for name, value in asdict(self).items() if name != "remark"}

    def to_lines(self) -> list[str]:
        """Return the finding for people: what it is, and what can be done; only what prints."""
        name = self.path if self.feature_id is None else f"{self.path} [{self.feature_id}]"
        lines = [f"{self.level} {self.code}: {name}: {self.message_zh} / {self.message_en}"]
        if self.fix:
            lines.append(f"  → {self.fix['zh']} / {self.fix['en']}")
        return ["".join(filter(str.isprintable, line)) for line in lines]


class RefusedError(Exception):
    """The file cannot be used at all; carries the finding that says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message_en)
        self.finding = finding


def find(code: str, path: str, feature_id: str | None = None, /, **values: object) -> Finding:
    """Return the finding `code`, worded in both languages and filled with `values`.

    A value that is a dict is by language. The level is the code's own unless `values` names another
    under ``level``.
    """
    entry = _codes()[code]
    told = fill(entry, values, TOLD)
    wanted = str(values.pop("level", entry["level"]))
    level: Level = "error" if wanted == "error" else "warning"
    fix, record = entry.get("fix"), entry.get("record")
    return Finding(
        code=code,
        level=level,
        feature_id=feature_id,
        path=path,
        message_zh=told["zh"],
        message_en=told["en"],
        fix=fill(fix, values, TOLD) if fix else None,
        remark=_remark(code, {**entry, **record}, values) if record and level == "warning" else None,
    )


def _remark(code: str, words: Mapping[str, str], values: Mapping[str, object]) -> Remark:
    """Return the finding as it is kept; in Chinese and English it may be worded as it is told."""
    return Remark(code=code, **fill(words, values, LANGUAGES))


def fill(words: Mapping[str, str], values: Mapping[str, object], languages: Iterable[str]) -> dict[str, str]:
    """Return a text by language, filled with `values`: one that is said differently is a dict by language."""
    return {
        language: words[language].format(
            **{name: value[language] if isinstance(value, dict) else value for name, value in values.items()}
        )
        for language in languages
    }


def list_codes() -> dict[str, dict[str, Any]]:
    """Return every code with its level and wording."""
    return dict(_codes())


@lru_cache(maxsize=1)
def _codes() -> dict[str, dict[str, Any]]:
    codes: dict[str, dict[str, Any]] = yaml.load(_FILE.read_bytes(), Loader=yaml.CSafeLoader)
    return codes
