"""Turn documents into PDF and PNG with Typst; the only module that imports it.

Texts reach Typst as JSON, never as its markup, so that no text of the data is ever read as a command.
"""

from __future__ import annotations

import datetime as dt
import json
from functools import cache
from importlib.metadata import files
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FONT_PACKAGE = "noto-cjk-sans-otc"
FAMILIES = {"zh": "Noto Sans CJK SC", "en": "Noto Sans CJK SC", "ko": "Noto Sans CJK KR"}
PPI = 200


@cache
def _fonts() -> Any:
    import typst

    folders = {
        str(Path(str(file.locate())).parent) for file in files(FONT_PACKAGE) or () if file.suffix == ".ttc"
    }
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=sorted(folders))


def to_pdf(template: str, data: dict[str, Any], date: str) -> bytes:
    """Return the tagged PDF of a template, dated `date` (ISO), filled with `data`.

    Fonts are embedded, and only the letters that are used. The same data gives the same bytes.
    """
    made = dt.datetime.fromisoformat(date).replace(tzinfo=dt.UTC)
    return _one(_compiler(template, data).compile(format="pdf", timestamp=made, pdf_standards="ua-1"))


def to_png(template: str, data: dict[str, Any], ppi: float = PPI) -> bytes:
    """Return the only page of a template as PNG."""
    return _one(_compiler(template, data).compile(format="png", ppi=ppi))


def _compiler(template: str, data: dict[str, Any]) -> Any:
    import typst

    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    return typst.Compiler(HERE / template, root=HERE, font_paths=_fonts(), sys_inputs=inputs)


def _one(result: Any) -> bytes:
    """Return the bytes of a result of one file."""
    found = result[0] if isinstance(result, list) else result
    return bytes(found)
