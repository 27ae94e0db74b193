"""What the documents say is so: links, settings, commands, generated pages, and guides that are run."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from flask.testing import FlaskClient

from geodata.city import find_city
from layers.store import Release
from scripts import reference
from scripts.cli import COMMANDS, NAME, PROGRAM
from scripts.commands.common import CommandContext
from webmap.settings import ALSO, PREFIX, SETTINGS

ROOT = Path(__file__).parent.parent
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.md"))
PROGRAM_PARTS = ("geodata", "layers", "webmap", "scripts", "pyproject.toml", "requirements.lock")
OTHERS = {PREFIX + name for name in ALSO}
BLOCK = re.compile(r"^( *)```(\w+)( run)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
OPERATORS_FILES = {"contacts.yaml", "outcomes.yaml", "publisher.yaml"}
MOST_TERMS = 30
MOST_LINES = 90


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", DOCS, ids=name_of)
def test_every_file_that_a_document_links_exists(path: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", read(path))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_path_that_a_document_names_exists(path: Path) -> None:
    named = re.findall(r"`((?:geodata|layers|webmap|scripts|tests|docs)/[\w/.-]+)`", path.read_text("utf-8"))
    assert [one for one in named if not (ROOT / one).exists()] == []
    files = {path.name for part in PROGRAM_PARTS for path in (ROOT / part).rglob("*")}
    assert set(re.findall(r"`(\w+\.(?:py|yaml))`", path.read_text("utf-8"))) <= files | OPERATORS_FILES


def test_the_readme_is_one_page_with_a_picture_and_every_command() -> None:
    readme = read(ROOT / "README.md")
    assert readme.count("\n") <= MOST_LINES
    assert "](docs/map.png)" in readme
    assert {name for name in COMMANDS if not re.search(rf"\b{name}\b", readme)} == set()


def test_the_readme_has_the_accuracies_and_areas_of_the_boundaries_as_they_are() -> None:
    readme = read(ROOT / "README.md")
    package = json.loads(read(find_city() / "boundaries" / "datapackage.json"))
    quality, title = package["quality"], {"weihai": "the city"}
    title |= {"huancui": "环翠", "wendeng": "文登", "rongcheng": "荣成", "rushan": "乳山"}
    rebuilt = quality["reconstructed"]
    off = (f"{rebuilt[share] / 1000:.1f} km" for share in ("median_m", "p90_m"))
    for text in (
        f"| {quality['coast']['p90_m']} m |",
        f"| {quality['digitised']['p90_m']} m |",
        "off by {} (median) and {} (nine in ten)".format(*off),
        f"{100 * rebuilt['land_in_right_county']:.1f} % of the land",
        *(
            f"{title[row['of']]} −{-row['difference_percent']:.1f} %"
            for row in quality["areas"]
            if row["of"] in title
        ),
    ):
        assert text in readme
    held = [row for row in quality["areas"] if row["solved"]]
    assert all(f"{row['official_km2']:g}" in readme and abs(row["difference_percent"]) <= 0.5 for row in held)


def test_every_setting_is_in_the_reference_and_no_other_is_in_a_document() -> None:
    declared = {row.variable for row in SETTINGS}
    sources = [
        path
        for folder in ("webmap", "scripts", "geodata", "layers")
        for path in (ROOT / folder).rglob("*.py")
    ]
    used = {name for path in sources for name in re.findall(r"WEIHAI_LAYOUT_[A-Z_]+", read(path))}
    assert used - {"WEIHAI_LAYOUT_"} <= declared | OTHERS
    listed = read(ROOT / "docs" / "reference" / "settings.md")
    assert {name for name in declared | OTHERS if f"`{name}`" not in listed} == set()
    told = {name for path in DOCS for name in re.findall(r"WEIHAI_LAYOUT_[A-Z_]+", read(path))}
    assert told <= declared | OTHERS


def test_serve_lists_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    command = PROGRAM.get_command(CommandContext(PROGRAM), "serve")
    assert command is not None
    said = " ".join(command.get_help(CommandContext(command, info_name="serve", terminal_width=200)).split())
    for row in SETTINGS:
        assert row.variable in said
        assert row.zh in said
        assert row.en in said


def list_calls() -> list[str]:
    """Every call of the program that a document shows."""
    found = []
    for path in DOCS:
        for _, language, _, text in BLOCK.findall(read(path)):
            if language in {"sh", "ini"}:
                found += re.findall(rf"\b{NAME} ([a-z][^\n#|>&;]*)", text.replace("\\\n", " "))
        if path.parent.name != "reference":  # which shows usage, not calls
            found += re.findall(rf"`(?:\.venv/bin/)?{NAME} ([a-z][^`]*)`", read(path))
    return sorted({call.strip() for call in found})


@pytest.mark.parametrize("call", list_calls())
def test_every_call_that_a_document_shows_is_one(call: str) -> None:
    name, *arguments = shlex.split(call)
    command = PROGRAM.get_command(CommandContext(PROGRAM), name)
    assert command is not None, name
    if "--help" in arguments:
        return
    try:
        command.make_context(name, [*arguments])
    except click.MissingParameter:  # its name alone, to speak of it
        assert not arguments


def test_the_generated_pages_are_what_the_code_says(release: Release, client: FlaskClient) -> None:
    made = reference.build_reference(release, client)
    stale = [path for path, text in made.items() if read(ROOT / "docs" / path) != text]
    assert stale == [], "run: python -m scripts.reference"
    kept = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs" / "reference").glob("*")}
    assert kept <= set(made)


def test_the_glossary_is_short_and_in_order() -> None:
    rows = re.findall(r"^\| (?!word|---)([^|]+) \|", read(ROOT / "docs" / "glossary.md"), re.MULTILINE)
    assert len(rows) <= MOST_TERMS
    assert rows == sorted(rows, key=str.lower)


@pytest.fixture
def copy(tmp_path: Path, own_home: Path) -> Path:
    """A copy of the program with a home of its own, and its command in a folder ``bin``."""
    target = tmp_path / "program"
    target.mkdir()
    for name in PROGRAM_PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=shutil.ignore_patterns("*.pyc.*"))
        else:
            shutil.copy(source, target / name)
    own_home.rename(target / "var")
    (target / "bin").mkdir()
    for name, rest in ((NAME, '-m scripts.cli "$@"'), ("python", '"$@"')):
        file = target / "bin" / name
        file.write_text(f'#!/bin/sh\nexec "{sys.executable}" {rest}\n', encoding="utf-8")
        file.chmod(0o755)
    return target


@pytest.mark.parametrize("path", [one for one in GUIDES if " run\n" in read(one)], ids=lambda one: one.stem)
def test_a_guide_does_what_it_says(path: Path, copy: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith("WEIHAI_LAYOUT_")}
    env |= {
        "PATH": f"{copy / 'bin'}{os.pathsep}{env['PATH']}",
        "PYTHONPATH": str(copy),
    }
    for _, language, run, text in BLOCK.findall(read(path)):
        if language == "sh" and run:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", text],
                cwd=copy,
                env=env,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize(
    "subject", ["a-zone", "an-industry", "a-layer", "a-language", "a-city", "a-format", "an-import-rule"]
)
def test_there_is_a_guide_that_is_run_for(subject: str) -> None:
    assert "```sh run\n" in read(ROOT / "docs" / "guides" / f"add-{subject}.md")
