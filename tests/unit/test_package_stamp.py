"""A package for another processor or Python is refused before one of its libraries is loaded."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from trip_kpis.core.errors import PermanentError, WrongPackageError
from trip_kpis.package_stamp import check_package

FUNCTIONS = Path(__file__).resolve().parents[2] / "functions"
HANDLERS = ("plan_run", "scan_segment", "merge_partials")


def stamp(path: Path, architecture: str, python_version: str) -> Path:
    path.write_text(json.dumps({"architecture": architecture, "python_version": python_version}))
    return path


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("aarch64", "arm64"), ("arm64", "arm64"), ("x86_64", "x86_64"), ("AMD64", "x86_64")],
)
def test_a_package_for_this_machine_passes(tmp_path: Path, machine: str, architecture: str) -> None:
    built = stamp(tmp_path / "stamp.json", architecture, "3.13")
    check_package(built, machine=machine, python_version=(3, 13))


@pytest.mark.parametrize(
    ("machine", "python_version", "runs_on"),
    [
        ("x86_64", (3, 13), "runs on x86_64 with Python 3.13"),
        ("aarch64", (3, 12), "runs on arm64 with Python 3.12"),
        ("riscv64", (3, 13), "runs on riscv64 with Python 3.13"),
    ],
)
def test_another_one_is_refused_with_both_and_what_to_do(
    tmp_path: Path, machine: str, python_version: tuple[int, int], runs_on: str
) -> None:
    built = stamp(tmp_path / "stamp.json", "arm64", "3.13")
    with pytest.raises(WrongPackageError) as raised:
        check_package(built, machine=machine, python_version=python_version)
    assert isinstance(raised.value, PermanentError)
    # Lambda reports an ImportError under another name, and the state machine retries by names.
    assert not isinstance(raised.value, ImportError)
    message = str(raised.value)
    assert "is built for arm64 and Python 3.13" in message
    assert runs_on in message
    assert "samconfig.toml" in message


def test_the_sources_have_no_stamp(tmp_path: Path) -> None:
    check_package(tmp_path / "none.json", machine="riscv64", python_version=(3, 99))


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_compares_before_it_imports_any_wheel(tmp_path: Path, handler: str) -> None:
    """In a process that has the standard library alone, as where no wheel can be loaded."""
    shutil.copytree(FUNCTIONS / "trip_kpis", tmp_path / "trip_kpis")
    shutil.copy(FUNCTIONS / f"{handler}.py", tmp_path)
    stamp(tmp_path / "trip_kpis" / "package_stamp.json", "s390x", "3.13")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import {handler}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "trip_kpis.core.errors.WrongPackageError: the function's package is built for s390x"
    )
