"""`python -m ops` as a fresh process finds it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_starts_without_a_python_path() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-m", "ops", "--help"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_its_packages_it_says_how_to_get_them() -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-m", "ops"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "`make setup` makes .venv with all of them" in done.stderr
    assert "Traceback" not in done.stderr
