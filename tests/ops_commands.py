"""`python -m ops` as tests call it: in this process, or where the process is tested, in its own."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ops.cli.main import main

ROOT = Path(__file__).resolve().parents[1]

ONE_SEGMENT = ("--segments", "1")
"""for `run`: each segment at a time has a worker process, which takes a second to start"""

Ended = subprocess.CompletedProcess[str]


def ops(*arguments: str | Path, environment: Mapping[str, str | None] | None = None) -> Ended:
    """Runs a command to its end in this process, which saves the seconds that its imports take.

    Args:
        environment: variables to set, or with None to remove, while it runs.
    """
    result = CliRunner(mix_stderr=False).invoke(
        main,
        [*map(str, arguments)],
        env=environment,
        prog_name="python -m ops",
        catch_exceptions=False,
    )
    return Ended(arguments, result.exit_code, result.stdout, result.stderr)


def ops_process(*arguments: str | Path, **options: Any) -> Ended:
    """Runs a command to its end in a process of its own; `options` as `subprocess.run` has them."""
    return subprocess.run(
        _command(arguments), cwd=ROOT, capture_output=True, text=True, check=False, **options
    )


def started(*arguments: str | Path, **options: Any) -> "subprocess.Popen[str]":
    """Starts a command in a process of its own; `options` as `subprocess.Popen` has them."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | options
    return subprocess.Popen(_command(arguments), cwd=ROOT, text=True, **pipes)


def summary(done: Ended) -> dict[str, Any]:
    """What `--json` ends with."""
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def kpis(out: Path) -> dict[str, bytes]:
    """The published days in a directory."""
    files = sorted(out.glob("kpis/date=*/kpi.json"))
    return {str(file.relative_to(out)): file.read_bytes() for file in files}


def _command(arguments: tuple[str | Path, ...]) -> list[str]:
    return [sys.executable, "-m", "ops", *map(str, arguments)]
