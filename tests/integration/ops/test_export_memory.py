"""The memory of `ops run --export` does not depend on how much the export has."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.embedded.export_files import ExportWriter
from tests.exports_on_disk import AS_OF, TABLE_ARN, TABLE_ID
from tests.ops_commands import started

pytestmark = pytest.mark.slow

WORKER_MB, GROWTH_MB = 256, 64
"""A worker has about 170 MB as soon as its libraries are loaded: here, pyarrow also loads numpy,
which Lambda's package does not have."""
LINE = (
    b'{"trip_id":{"S":"t%07d"},"pickup_datetime":{"S":"2024-05-%02d 10:00:00"},'
    b'"fare_amount":{"N":"%d.25"},"estimated_fare_amount":{"N":"3"},"note":{"S":"'
    + b"n" * 800
    + b'"}}'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """Of resident memory, in MB."""

    command: int
    scan_worker: int


def peaks(out: Path, export: Path) -> Peaks:
    """Of a run to its end."""
    with started("run", "--export", export, "--out", out, stdout=None, stderr=None) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    reports = (out / "logs/ScanSegmentFunction.log").read_text()
    (of_worker,) = re.findall(r"Max Memory Used: (\d+) MB", reports)
    return Peaks(command=usage.ru_maxrss // 1024, scan_worker=int(of_worker))


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
    assert large.scan_worker < WORKER_MB
    assert large.scan_worker - small.scan_worker < GROWTH_MB
    assert large.command - small.command < GROWTH_MB
