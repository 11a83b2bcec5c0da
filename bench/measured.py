"""Runs a program as a whole process: its answer, its time and its memory."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.embedded.isolation import client_environment

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The figures from the start of the process to its end, with the interpreter and the
    imports."""

    answer: Any
    cpu_seconds: float
    """user and system"""
    peak_mb: float


def run(
    module: str,
    *arguments: str,
    endpoint_url: str,
    environment: Mapping[str, str] | None = None,
) -> Measured:
    """Runs `python -m module`, which ends with `bench.result_line.tell`.

    Raises RuntimeError if it fails.

    It has an environment of its own, in which no AWS but `endpoint_url` can be reached.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "NO_PROXY": "127.0.0.1",
                **client_environment(endpoint_url),
                **(environment or {}),
            },
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        with process.stdout as stdout:
            lines = stdout.read().decode().splitlines()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            raise RuntimeError(f"{module} {' '.join(arguments)}:\n{errors.read().decode()}")
    result = json.loads(lines[-1])
    return Measured(
        answer=result["answer"],
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_mb=result["peak_kb"] / 1024,
    )
