"""What is written of requests: whole lines that no request can forge, whatever becomes of the log."""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webmap.access_log import (
    MOST_WAITING,
    PIECE,
    STDOUT,
    AccessLog,
    ErrorFormatter,
    Exchange,
    Recorder,
    request_id,
    to_line,
)
from webmap.settings import Settings, SettingsError, read_settings

ONE = Exchange(1.5, "a1", "10.0.0.1", "GET", "/zones/gaoqu", "/zones/<id>", 200, 12, 3.25, "ab")
FIELDS = ["time", "id", "client", "method", "path", "status", "bytes", "ms", "release"]


def read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_line_says_who_asked_for_what_and_what_came_of_it(tmp_path: Path) -> None:
    AccessLog(str(tmp_path / "log"))([ONE])
    (row,) = read(tmp_path / "log")
    assert list(row) == FIELDS
    values = ["1970-01-01T00:00:01.500Z", "a1", "10.0.0.1", "GET", "/zones/gaoqu", 200, 12, 3.25, "ab"]
    assert list(row.values()) == values
    assert (tmp_path / "log").stat().st_mode & 0o007 == 0  # addresses of people are nobody else's


@given(path=st.text(max_size=400), method=st.text(max_size=400))
def test_no_request_makes_more_than_a_line_or_a_long_one(path: str, method: str) -> None:
    line = to_line(ONE._replace(path=path, method=method))
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert len(line) < PIECE
    assert path.startswith(json.loads(line)["path"])


@given(text=st.text())
def test_no_text_makes_an_entry_of_errors(text: str) -> None:
    forged = f"x\n2026-01-01T00:00:00.000Z {text}"
    record = logging.LogRecord("a", logging.ERROR, "", 0, "%s", (forged,), None)
    first, *others = ErrorFormatter().format(record).split("\n")
    assert all(line.startswith("| ") for line in others)
    assert all(line.isprintable() for line in (first, *others))


def test_an_entry_of_errors_has_the_id_and_the_traceback() -> None:
    error = ValueError("no\nsuch")
    said = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("webmap", logging.ERROR, "", 0, "GET %s", ("/x",), said)
    token = request_id.set("c3")
    entry = ErrorFormatter().format(record)
    request_id.reset(token)
    assert " ERROR c3 webmap: GET /x\n| ValueError" in entry
    assert entry.endswith("\n| ValueError: no\n| such")


def test_a_log_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    log = AccessLog(str(tmp_path / "log"))
    log([ONE])
    (tmp_path / "log").rename(tmp_path / "log.1")
    log([ONE, ONE])
    assert [len(read(tmp_path / name)) for name in ("log.1", "log")] == [1, 2]


def test_a_log_that_cannot_be_written_is_told_once_and_goes_on_after(tmp_path: Path, caplog) -> None:
    log = AccessLog(str(tmp_path / "log"))
    (tmp_path / "log").mkdir()
    for _ in range(3):
        log([ONE, ONE])
    (tmp_path / "log").rmdir()
    log([ONE])
    assert [row.message for row in caplog.records if row.levelname == "ERROR"] == [
        f"the access log {tmp_path / 'log'} cannot be written: Is a directory"
    ]
    assert "6 lines were lost" in caplog.text
    assert len(read(tmp_path / "log")) == 1


def test_a_line_that_was_written_in_part_spoils_no_other(tmp_path: Path, monkeypatch) -> None:
    log, write, left = AccessLog(str(tmp_path / "log")), os.write, [30]

    def until_full(handle: int, content: bytes) -> int:
        if not left[0]:
            raise OSError(28, "No space left on device")
        count = write(handle, content[: left[0]])
        left[0] -= count
        return count

    monkeypatch.setattr(os, "write", until_full)
    log([ONE])
    left[0] = 10_000
    log([ONE])
    torn, whole = (tmp_path / "log").read_bytes().splitlines()
    assert len(torn) == 30
    assert list(json.loads(whole)) == FIELDS


def test_a_sink_that_is_held_up_holds_up_nobody_else() -> None:
    may, taken = threading.Event(), threading.Event()

    def sink(_: object) -> None:
        taken.set()
        may.wait()

    recorder = Recorder([sink])
    recorder.add(ONE)
    taken.wait()
    for _ in range(MOST_WAITING + 5):
        recorder.add(ONE)
    assert recorder.dropped == 5
    may.set()
    recorder.close()


def test_standard_output_is_a_log_too(capfd) -> None:
    AccessLog(STDOUT)([ONE])
    assert json.loads(capfd.readouterr().out)["id"] == "a1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ACCESS_LOG", "log"),
        ("ACCESS_LOG", "/nowhere/at/all/log"),
        ("ACCESS_LOG", "/"),
        ("METRICS", "0"),
        ("METRICS", "70000"),
        ("METRICS", "a b:9100"),
        ("METRICS", "::1:9100"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"WEIHAI_LAYOUT_{name}='{value}'"):
        read_settings({f"WEIHAI_LAYOUT_{name}": value})


def test_where_figures_are_given_is_read(tmp_path: Path) -> None:
    def given_at(text: str) -> Settings:
        return read_settings({"WEIHAI_LAYOUT_METRICS": text, "WEIHAI_LAYOUT_HOME": str(tmp_path)})

    assert given_at("9100").metrics == ("127.0.0.1", 9100)
    assert given_at("0.0.0.0:9100").metrics == ("0.0.0.0", 9100)
    assert given_at("[::1]:9100").metrics == ("::1", 9100)
