"""Peak memory of the functions over one segment, however long."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ops.embedded.lambda_invocation import Invocation
from ops.embedded.lambda_processes import WorkerProcesses
from ops.embedded.stack import DeployedFunction

ROOT = Path(__file__).resolve().parents[1]
_RUN_ID = "memory"
_ENVIRONMENT = {
    "DYNAMODB_TABLE_NAME": "trips",
    "ATHENA_BUCKET_NAME": "results",
    "FARE_ATTRIBUTE": "fare_amount",
    "ESTIMATED_FARE_ATTRIBUTE": "estimated_fare_amount",
    "DAY_ATTRIBUTE": "pickup_datetime",
    "TIME_ZONE": "UTC",
    "TIME_FORMATS": "",
    "TOTAL_SEGMENTS": "1",
    "MAX_CONCURRENCY": "1",
    "READ_UNITS_PER_SECOND": "0",
    "CONSISTENT_READ": "false",
    "CHECKPOINT_SECONDS": "1",  # many parts, for the merge
    "MAX_REJECTED_SHARE": "0.01",
    "VANISHED_DAYS": "keep",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A run over a table of one segment. Peaks are of the whole process, the interpreter and the
    libraries among it, from its start to its end."""

    pages: int
    trips: int
    parts: int
    scan_peak_mb: int
    merge_peak_mb: int


def measure(pages: int) -> Measured:
    """Runs the three functions, each in one process of its own, over a segment of so many pages."""
    with (
        tempfile.TemporaryDirectory() as logs,
        _fake_aws(pages) as endpoint_url,
        closing(WorkerProcesses(endpoint_url=endpoint_url, log_directory=Path(logs))) as workers,
    ):
        plan = {"execution_name": _RUN_ID, "input": {}}
        _invoke(workers, "plan_run", plan)
        scan_peak_mb, finished = 0, False
        while not finished:
            answer, peak_mb = _invoke(workers, "scan_segment", {"run_id": _RUN_ID, "segment": 0})
            scan_peak_mb, finished = max(scan_peak_mb, peak_mb), answer["finished"]
        summary, merge_peak_mb = _invoke(workers, "merge_partials", {"run_id": _RUN_ID})
    return Measured(
        pages=summary["pages"],
        trips=summary["scanned"],
        parts=summary["parts"],
        scan_peak_mb=scan_peak_mb,
        merge_peak_mb=merge_peak_mb,
    )


def _invoke(workers: WorkerProcesses, name: str, payload: Any) -> tuple[Any, int]:
    """What the function answers, and the peak of its process so far in MB."""
    function = DeployedFunction(
        logical_id=name,
        name=name,
        handler=f"{name}.handler",
        runtime="python3.13",
        environment=_ENVIRONMENT,
        timeout_seconds=900,
        memory_mb=512,
        code_path=ROOT / "functions",
        log_group=name,
    )
    outcome = workers.invoke(
        Invocation(function=function, payload=json.dumps(payload).encode(), request_id=name)
    )
    if outcome.failed:
        raise RuntimeError(outcome.payload.decode())
    return json.loads(outcome.payload), outcome.max_memory_mb


@contextmanager
def _fake_aws(pages: int) -> Iterator[str]:
    """The address of a server in a process of its own, which ends with this."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.fake_aws", str(pages)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()  # which it takes for its end
