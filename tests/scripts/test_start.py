import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from scripts import environment, start, wheels
from scripts import test as checks
from scripts.environment import install_packages

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout whose environment lives in a temporary folder, with pip and venv recorded, not run."""
    (tmp_path / "requirements.lock").write_text("flask==3 \\\n    --hash=sha256:00\n")
    (tmp_path / "pyproject.toml").write_text("")
    folder = tmp_path / ".venv"
    places = {"ROOT": tmp_path, "FOLDER": folder, "STAMP": folder / "installed.json"}
    for name, value in places.items():
        monkeypatch.setattr(environment, name, value)
    return tmp_path


@pytest.fixture
def steps(checkout, monkeypatch):
    """The set-up steps that were run, in order."""
    run: list[str] = []

    def create(command):
        run.append("create")
        (checkout / ".venv").mkdir(exist_ok=True)

    monkeypatch.setattr(environment, "_create", create)
    monkeypatch.setattr(environment, "_works", lambda: True)
    monkeypatch.setattr(environment, "_run_pip", lambda arguments, lock, command: run.append(lock))
    return run


def prepare():
    environment.prepare_environment(("requirements.lock",), "python3 scripts/start.py")


def test_first_set_up_creates_installs_and_stamps_last(checkout, steps):
    prepare()
    assert steps == ["create", "requirements.lock", "pyproject.toml"]
    stamp = json.loads((checkout / ".venv/installed.json").read_text())
    assert stamp["python"] == sysconfig.get_python_version()
    assert {"requirements.lock", "pyproject.toml"} <= set(stamp)


def test_second_set_up_does_nothing(steps):
    prepare()
    steps.clear()
    prepare()
    assert steps == []


def test_a_changed_lock_is_installed_without_rebuilding(checkout, steps):
    prepare()
    steps.clear()
    (checkout / "requirements.lock").write_text("flask==4 \\\n    --hash=sha256:00\n")
    prepare()
    assert steps == ["requirements.lock"]


def test_an_interrupted_set_up_is_done_anew(checkout, steps, monkeypatch):
    def fail(arguments, lock, command):
        raise KeyboardInterrupt

    prepare()
    (checkout / "requirements.lock").write_text("flask==4 \\\n    --hash=sha256:00\n")
    with monkeypatch.context() as broken:
        broken.setattr(environment, "_run_pip", fail)
        with pytest.raises(KeyboardInterrupt):
            prepare()
    assert not (checkout / ".venv/installed.json").exists()
    steps.clear()
    prepare()
    assert steps == ["create", "requirements.lock", "pyproject.toml"]


@pytest.mark.parametrize("stamp", ["", "[]", "{", '{"python": "2.7", "requirements.lock": "0"}'])
def test_an_unreadable_or_foreign_stamp_counts_as_none(checkout, steps, stamp):
    prepare()
    (checkout / ".venv/installed.json").write_text(stamp)
    steps.clear()
    prepare()
    assert steps[0] == "create"


def test_a_broken_environment_is_rebuilt(steps, monkeypatch):
    prepare()
    steps.clear()
    monkeypatch.setattr(environment, "_works", lambda: False)
    prepare()
    assert steps == ["create", "requirements.lock", "pyproject.toml"]


def test_an_environment_without_python_does_not_work(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "PYTHON", tmp_path / "python")
    assert not environment._works()


def test_without_network_it_names_what_is_missing_and_how_to_retry(checkout, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(environment, "PYTHON", Path(sys.executable))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "empty"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    (tmp_path / "empty").mkdir()
    lock = "surely-not-installed==1.0 --hash=sha256:" + "0" * 64
    (checkout / "requirements.lock").write_text(lock)
    with pytest.raises(environment.SetUpError):
        environment._install("requirements.lock", "python3 scripts/start.py")
    said = capsys.readouterr().err
    assert "无法安装 surely-not-installed==1.0" in said
    assert "Could not install surely-not-installed==1.0" in said
    assert "PIP_INDEX_URL" in said
    assert "run again: python3 scripts/start.py" in said


@pytest.mark.parametrize("script", ["scripts/start.py", "scripts/test.py"])
def test_an_old_python_is_refused_with_the_command_to_use(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))
    assert not environment.check_python(script)
    said = capsys.readouterr().err
    assert "3.10.4" in said
    assert f"python3.11 {script}" in said


def test_start_hands_host_port_and_browser_on():
    options = start.parse_arguments(["--host", "0.0.0.0", "--port", "8080", "--no-browser"])
    command = start.serve_command(options)
    assert command[1:] == ["serve", "--host", "0.0.0.0", "--port", "8080", "--no-browser"]
    assert "--no-browser" not in start.serve_command(start.parse_arguments([]))


@pytest.fixture
def tiny(checkout, tmp_path, monkeypatch):
    """A lock of one package, and where that lies, for want of an index."""
    source = tmp_path / "source"
    source.mkdir()
    made = source / "tiny_part-1.0-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("tiny_part.py", "")
        archive.writestr(
            "tiny_part-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny-part\nVersion: 1.0\n"
        )
        archive.writestr(
            "tiny_part-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tiny_part-1.0.dist-info/RECORD", "")
    digest = hashlib.sha256(made.read_bytes()).hexdigest()
    (checkout / "requirements.lock").write_text(f"tiny-part==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setattr(wheels, "LOCK", checkout / "requirements.lock")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(source))
    return made


def test_what_was_fetched_is_installed_without_network_and_nothing_else(
    checkout, tiny, tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "wheels"
    assert wheels.fetch(wheels.parse_wanted([str(folder)]))
    assert {path.name for path in folder.iterdir()} == {tiny.name, "requirements.lock"}
    assert [path.name for path in tmp_path.glob(".wheels-*")] == []
    assert not wheels.fetch(wheels.parse_wanted([str(folder)]))  # it is somebody's now
    assert "is not empty" in capsys.readouterr().err
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setattr(environment, "PYTHON", Path(sys.executable))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "installed"))
    environment._install("requirements.lock", "python3 scripts/start.py", folder)
    assert (tmp_path / "installed" / "tiny_part.py").exists()
    with (folder / tiny.name).open("ab") as file:
        file.write(b"x")  # another file under its name
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "again"))
    with pytest.raises(environment.SetUpError):
        environment._install("requirements.lock", "python3 scripts/start.py", folder)


def test_what_cannot_be_fetched_leaves_nothing_behind(tiny, tmp_path, capfd):
    tiny.unlink()
    assert not wheels.fetch(wheels.parse_wanted([str(tmp_path / "wheels")]))
    assert "Not all packages of requirements.lock" in capfd.readouterr().err
    assert list(tmp_path.glob("*wheels*")) == []


def test_wheels_of_another_system_are_asked_for_by_its_tags():
    options = wheels.parse_wanted(["x", "--python", "3.12", "--platform", "a", "--platform", "b"])
    found = " ".join(wheels.list_pip_arguments(options, Path("x")))
    assert "--python-version 3.12 --platform a --platform b" in found
    assert "--require-hashes" in found


def test_start_takes_a_folder_of_wheels_that_is_there(tmp_path, capsys):
    assert start.parse_arguments(["--wheels", str(tmp_path)]).wheels == tmp_path.resolve()
    with pytest.raises(SystemExit):
        start.parse_arguments(["--wheels", str(tmp_path / "nowhere")])
    assert "there is no folder" in capsys.readouterr().err


def test_start_explains_itself_in_both_languages():
    run = [sys.executable, str(ROOT / "scripts/start.py"), "--help"]
    answer = subprocess.run(run, capture_output=True, text=True, encoding="utf-8", check=True)
    assert "--no-browser" in answer.stdout
    assert "监听地址" in answer.stdout
    assert "address to listen on" in answer.stdout


def test_messages_survive_a_terminal_without_chinese():
    say = "from scripts.bilingual import say; say('environment_ready')"
    plain = {**os.environ, "PYTHONIOENCODING": "ascii"}
    answer = subprocess.run(
        [sys.executable, "-c", say], cwd=ROOT, env=plain, capture_output=True, text=True, check=True
    )
    assert "the environment is ready" in answer.stdout


def test_missing_system_packages_fail_where_they_cannot_be_installed(monkeypatch, capsys):
    monkeypatch.setattr("scripts.environment.shutil.which", lambda name: None)
    assert "chromium" in checks.missing_packages()
    assert not install_packages(lambda: ["chromium"])
    assert "sudo apt-get install chromium" in capsys.readouterr().err


def test_what_is_installed_is_told_beside_the_answer(monkeypatch, capfd, tmp_path):
    """The figures of a measurement are read from standard output."""
    apt = tmp_path / "apt-get"
    apt.write_text("#!/bin/sh\necho Reading package lists")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr("scripts.environment.os.geteuid", lambda: 0)
    lacking = iter((["wrk"], []))
    assert install_packages(lambda: next(lacking))
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("Reading package lists") == 2


def test_checks_go_on_after_a_failure_and_report_it(monkeypatch, capsys):
    codes = iter([1, 0, 0, 0, 0])
    monkeypatch.setattr(
        "scripts.test.subprocess.run",
        lambda command, **options: subprocess.CompletedProcess(command, next(codes)),
    )
    assert not checks.run_steps([])
    said = capsys.readouterr().out
    assert "FAIL ruff check" in said
    assert "ok   pytest" in said


def test_code_is_compiled_also_where_python_itself_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Else every start of a server would compile all of it again, for as long as all it does besides."""
    for package in environment.PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "one.py").write_text("ONE = 1\n", "utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment.compile_code(sys.executable)
    assert len([*tmp_path.glob("*/__pycache__/one.*.pyc")]) == len(environment.PACKAGES)
