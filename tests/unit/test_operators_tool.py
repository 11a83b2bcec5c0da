"""The command `ops`, and `python -m ops`, as a fresh process finds them."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from ops.cli.console_script import write_script
from tests.runs_left import leave_run

ROOT = Path(__file__).resolve().parents[2]


def called(
    *command: str | Path, cwd: Path, path: Path | None = None, **more: str
) -> "subprocess.CompletedProcess[str]":
    """Without a PYTHONPATH, and with the directory `path` first in PATH."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["PATH"] = os.pathsep.join(filter(None, [str(path or ""), environment["PATH"]]))
    return subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        env={**environment, **more},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """`ops`, as `make setup` writes it, in a directory whose name a shell has to quote."""
    directory = tmp_path / "its bin"
    directory.mkdir()
    return write_script(directory)


def test_it_starts_without_a_python_path() -> None:
    done = called(sys.executable, "-m", "ops", "--help", cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "")


def test_without_its_packages_it_says_how_to_get_them() -> None:
    done = called(sys.executable, "-S", "-m", "ops", cwd=ROOT)
    assert done.returncode == 1
    assert "`make setup` makes .venv with all of them" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_script_works_from_any_directory_with_paths_of_the_caller(
    script: Path, tmp_path: Path
) -> None:
    leave_run(tmp_path / "out")
    done = called("ops", "runs", "--out", "out", cwd=tmp_path, path=script.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Runs in out\n")


@pytest.mark.parametrize("is_in_path", [True, False])
def test_a_hint_of_the_script_works_where_it_is_printed(
    script: Path, tmp_path: Path, is_in_path: bool
) -> None:
    leave_run(tmp_path / "out")
    found = {"path": script.parent} if is_in_path else {}
    done = called(script, "status", "--out", "out", cwd=tmp_path, **found)
    hint = done.stdout.splitlines()[-1]
    command = "ops" if is_in_path else "'its bin/ops'"
    assert hint == f"  {command} report run-1 --out out"
    followed = called(*shlex.split(hint), cwd=tmp_path, **found)
    assert (followed.returncode, followed.stdout) == (0, "The report: out/report.html\n")


def test_a_hint_of_the_module_works_where_it_is_printed(tmp_path: Path) -> None:
    leave_run(tmp_path / "out")
    done = called(sys.executable, "-m", "ops", "status", "--out", tmp_path / "out", cwd=ROOT)
    words = shlex.split(done.stdout.splitlines()[-1])
    assert words[1:] == ["-m", "ops", "report", "run-1", "--out", str(tmp_path / "out")]
    assert called(*words, cwd=ROOT).returncode == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(script: Path, tmp_path: Path, shell: str) -> None:
    done = called(script, cwd=tmp_path, _OPS_COMPLETE=f"{shell}_source")
    assert (done.returncode, done.stderr) == (0, "")
    assert "_OPS_COMPLETE" in done.stdout
    assert "complete" in done.stdout


def test_a_verb_and_an_option_are_completed(script: Path, tmp_path: Path) -> None:
    done = called(
        script, cwd=tmp_path, _OPS_COMPLETE="bash_complete", COMP_WORDS="ops st", COMP_CWORD="1"
    )
    assert done.stdout == "plain,status\n"
