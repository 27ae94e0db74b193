"""What the README points at is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_picture_and_file_that_the_readme_links_exists() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", README)
    assert "docs/map.png" in links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_setting_of_an_operator_is_in_the_readme() -> None:
    sources = [path for folder in ("webmap", "scripts", "geodata") for path in (ROOT / folder).rglob("*.py")]
    used = {
        name for path in sources for name in re.findall(r"WEIHAI_LAYOUT_[A-Z_]+", path.read_text("utf-8"))
    }
    assert used
    assert {name for name in used if f"`{name}`" not in README} == set()


def test_every_command_is_in_the_readme() -> None:
    commands = {path.stem.replace("_", "-") for path in (ROOT / "scripts" / "commands").glob("[a-z]*.py")}
    assert {name for name in commands if not re.search(rf"\b{name}\b", README)} == set()
