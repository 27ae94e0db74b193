"""``join`` on the command line: what it writes, what it sums up, and how it says no."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from layers.store import Release
from scripts import cli

Ask = Callable[..., tuple[int, str, str]]
TABLE = "name,lon,lat,goods\nA,122.1163,37.3082,碳纤维\nB,,,\n"


@pytest.fixture
def ask(
    home: Path,
    release: Release,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> Ask:
    """Run ``join`` in a folder with a table; returns exit code, standard output, standard error."""
    monkeypatch.setenv("WEIHAI_LAYOUT_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    Path("own.csv").write_text(TABLE, encoding="utf-8")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["join", *arguments])
        return code, *capsys.readouterr()

    return run


def test_it_writes_the_table_with_what_applies(ask: Ask) -> None:
    code, out, _ = ask("own.csv", "-o", "out.csv", "--product", "goods", "--lang", "en")
    assert code == 0
    assert "rows: 2, with a position: 1" in out
    assert "name it with --crs" in out
    assert "Lingang" in Path("out.csv").read_text(encoding="utf-8-sig")


def test_it_sums_up_for_programs(ask: Ask) -> None:
    code, out, _ = ask("own.csv", "--crs", "GCJ-02", "--json")
    summary = json.loads(out)
    assert (code, summary["count"], summary["frame"], summary["frame_how"]) == (0, 2, "GCJ-02", "told")
    assert summary["where"] == {"city": 1, "no-position": 1}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("none.csv",), 2, "no such file"),
        (("own.csv", "--lon", "x", "--lat", "y"), 2, "there are: name, lon, lat, goods"),
        (("own.csv", "--lon", "lon"), 2, "--lon and --lat are given together"),
        (("own.csv", "-o", "out.pdf"), 2, ".gpkg"),
        (("own.csv", "--crs", "nonsense"), 2, "unknown coordinate system"),
        (("own.csv", "-o", "none/there/out.csv"), 1, "none/there/out.csv"),
    ],
)
def test_it_says_what_is_wrong(ask: Ask, arguments: tuple[str, ...], code: int, said: str) -> None:
    found, _, err = ask(*arguments)
    assert found == code
    assert said in err
    assert not Path("out.pdf").exists()
