"""Turn documents into PDF and PNG with Typst; the only module that imports it.

Texts reach Typst as JSON, never as its markup, so that no text of the data is ever read as a command.
"""

from __future__ import annotations

import datetime as dt
import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import TYPE_CHECKING

from geodata.messages import name_letter
from layers.cartography import STYLE

if TYPE_CHECKING:
    import typst

HERE = Path(__file__).parent
FONT_PACKAGE = "noto-cjk-sans-otc"
FAMILIES = {"zh": "Noto Sans CJK SC", "en": "Noto Sans CJK SC", "ko": "Noto Sans CJK KR"}
PPI = 200
MARK = "〓"  # what Chinese typesetting puts for a letter that it has not
WHITE = "\t\n"  # needs no glyph
UNSEEN = {"Cc", "Cf", "Cs"}  # categories of what would not be seen anyway
SELECTORS = range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)  # choose a form of the letter before
SHOWN = 12  # letters that a note names


@cache
def _fonts() -> typst.Fonts:
    import typst

    folders = sorted({str(path.parent) for path in _paths()})
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)


def _paths() -> list[Path]:
    return [Path(str(file.locate())) for file in files(FONT_PACKAGE) or () if file.suffix == ".ttc"]


@cache
def list_letters() -> frozenset[int]:
    """Return the letters that the fonts have; every face of the collection has the same.

    Without marks that stand on the letter before: only some go with each letter, and what was composed of
    both is a letter of its own.
    """
    from fontTools.ttLib import TTFont

    found = set(map(ord, WHITE))
    for path in _paths():
        with TTFont(path, fontNumber=0, lazy=True) as font:
            found.update(font.getBestCmap())
    return frozenset(one for one in found if not unicodedata.category(chr(one)).startswith("M"))


def to_legible(data: Mapping[str, object]) -> tuple[dict[str, object], list[str]]:
    """Return texts, in lists and mappings, as the fonts can show them, and the letters that they have not.

    A tagged document may hold no letter without a shape: :data:`MARK` stands for each.
    """
    missing: dict[str, None] = {}

    def mend(value: object) -> object:
        if isinstance(value, dict):
            return {key: mend(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [mend(one) for one in value]
        return _mend_text(value, missing) if isinstance(value, str) else value

    return {key: mend(value) for key, value in data.items()}, list(missing)


def _mend_text(text: str, missing: dict[str, None]) -> str:
    if _has_all(text):
        return text
    composed = unicodedata.normalize("NFC", text)
    instead = {ord(letter): _stand_in(letter) for letter in composed if not _has_all(letter)}
    missing.update(dict.fromkeys(letter for letter in composed if instead.get(ord(letter)) == MARK))
    return composed.translate(instead) or MARK  # a document needs a title that is there


def _has_all(text: str) -> bool:
    return {ord(letter) for letter in text} <= list_letters()


def _stand_in(letter: str) -> str:
    unseen = unicodedata.category(letter) in UNSEEN or any(ord(letter) in one for one in SELECTORS)
    return "" if unseen else MARK


def name_letters(letters: list[str]) -> str:
    """Return the names of letters that cannot be shown, the first of them."""
    named = ", ".join(map(name_letter, letters[:SHOWN]))
    return named if len(letters) <= SHOWN else f"{named}, … ({len(letters)})"


def to_pdf(template: str, data: Mapping[str, object], date: str) -> bytes:
    """Return the tagged PDF of a template, dated `date` (ISO), filled with `data`.

    Fonts are embedded, and only the letters that are used. The same data gives the same bytes. Texts must
    be legible, see :func:`to_legible`.
    """
    made = dt.datetime.fromisoformat(date).replace(tzinfo=dt.UTC)
    return _one(_compiler(template, data).compile(format="pdf", timestamp=made, pdf_standards="ua-1"))


def to_png(template: str, data: Mapping[str, object], ppi: float) -> bytes:
    """Return the only page of a template as PNG."""
    return _one(_compiler(template, data).compile(format="png", ppi=ppi))


def _compiler(template: str, data: Mapping[str, object]) -> typst.Compiler:
    import typst

    inputs = {"data": json.dumps(data, ensure_ascii=False), "inks": json.dumps(dict(STYLE.paper))}
    return typst.Compiler(HERE / template, root=HERE, font_paths=_fonts(), sys_inputs=inputs)


def _one(result: bytes | list[bytes] | None) -> bytes:
    """Return the bytes of a result of one file."""
    return bytes((result[0] if isinstance(result, list) else result) or b"")
