"""The memory of `ops run --export` does not depend on how much the export has."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.embedded.export_files import ExportWriter
from tests.exports_on_disk import AS_OF, TABLE_ARN, TABLE_ID
from tests.integration.ops.test_rerun import processes
from tests.ops_commands import ROOT

pytestmark = pytest.mark.slow

WORKER_MB, GROWTH_MB = 200, 40
LINE = (
    b'{"trip_id":{"S":"t%07d"},"pickup_datetime":{"S":"2024-05-%02d 10:00:00"},'
    b'"fare_amount":{"N":"%d.25"},"estimated_fare_amount":{"N":"3"},"note":{"S":"'
    + b"n" * 800
    + b'"}}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """Of resident memory, in MB."""

    command: float
    workers: list[float]


def peaks(out: Path, export: Path) -> Peaks:
    """Of a run to its end."""
    command = [sys.executable, "-m", "ops", "run", "--export", str(export), "--out", str(out)]
    found: dict[int, float] = {}
    with subprocess.Popen(
        [*command, "--json"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(0.1):
                for pid in (process.pid, *children(process.pid)):
                    # Nothing is known of a process that has just ended.
                    with suppress(OSError, IndexError):
                        found[pid] = max(found.get(pid, 0), peak_mb(pid))

        looking = threading.Thread(target=look)
        looking.start()
        said, _ = process.communicate()
        ended.set()
        looking.join()
    assert process.returncode == 0, said
    of_command = found.pop(process.pid)
    return Peaks(command=of_command, workers=sorted(found.values()))


def children(pid: int) -> Iterator[int]:
    return (child for child, parent in processes().items() if parent == pid)


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def leave_large_export(directory: Path, items: int) -> Path:
    """In one file."""
    writer = ExportWriter(
        directory,
        table_arn=TABLE_ARN,
        table_id=TABLE_ID,
        export_time=AS_OF,
        bucket="large",
        files=1,
    )
    for number in range(items):
        writer.add(LINE % (number, 1 + number % 28, number % 100))
    writer.finish()
    return directory


def test_a_file_of_hundreds_of_megabytes_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    small = peaks(tmp_path / "out", leave_large_export(tmp_path / "small", 1_000))
    large = peaks(tmp_path / "out", leave_large_export(tmp_path / "large", 350_000))
    assert large.workers
    assert max(large.workers) < WORKER_MB
    assert large.command - small.command < GROWTH_MB, (small, large)
