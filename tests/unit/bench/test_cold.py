"""The bench of cold starts says what it needs, and shows what it has measured."""

import subprocess
import sys
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

from bench.cold import ColdStart, table
from bench.packages import PYTHON_VERSION

ROOT = Path(__file__).resolve().parents[3]


def test_the_version_is_the_templates() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text())
    assert template["Parameters"]["PythonRuntime"]["Default"] == f"python{PYTHON_VERSION}"


def test_without_a_python_of_the_runtimes_version_it_says_which_one_it_needs(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "cold"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: there is no python3.13 on PATH")
    assert "Traceback" not in done.stderr


def test_a_python_that_does_not_run_is_none(tmp_path: Path) -> None:
    """pyenv puts a command on PATH for every version that it has, whether or not it is chosen."""
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-m", "bench", "cold"],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "there is no python3.13 on PATH" in done.stderr


def test_what_was_not_packaged_has_no_size() -> None:
    start = ColdStart(
        imported="scan_segment with pandas",
        unzipped_mb=0,
        runs=9,
        import_ms=401.2,
        import_cpu_ms=380.6,
        peak_mb=120.5,
        modules=917,
        ratio=1.0,
    )
    assert table([start]).splitlines()[-1] == (
        "| `scan_segment with pandas` |  | 401 ms | 381 ms | 1.00 | 120 MB | 917 |"
    )
