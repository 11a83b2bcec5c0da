"""Calculates a run over a table of any size from the functions' own code.

The plan, its segments, the forecast and the prices are the product's; the state machine's is the
document that is deployed. What no code says is named below.
"""

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.stub import Stubber

from ops.embedded.isolation import client_environment
from trip_kpis.aws import clients
from trip_kpis.aws.logs import logger
from trip_kpis.core.estimate.forecast import CPU_MS_PER_PAGE as CPU_MS_PER_PAGE
from trip_kpis.core.estimate.forecast import DAYS, Forecast
from trip_kpis.core.prices import USD_PER_GB_SECOND_ARM64, s3_requests, transitions
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.settings import default_environment

TABLES = {"10 GB": 10**10, "1 TB": 10**12, "100 TB": 10**14}

# The stack's defaults.
MAX_CONCURRENCY = 32
CHECKPOINT_SECONDS = 60
SCAN_MEMORY_MB = 512
MERGE_MEMORY_MB = 1769

DEFAULT_LAMBDA_QUOTA = 1_000
"""https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

_EVENTS = {"Task": 5, "Choice": 2, "Map": 6, "Succeed": 2}
"""what a state adds to an execution's history where nothing is retried
https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html"""

_STATE_MACHINE = Path(__file__).resolve().parents[1] / "statemachine" / "trip_kpis.asl.json"
_LONGEST_NAME = "n" * 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """A run over a table of this size, with the stack's defaults."""

    table: str
    segments: int
    concurrency: int
    invocations: int
    parts: int
    seconds: int
    checkpoint_seconds: int
    merge_seconds: int
    payload_bytes: int
    """of the largest state: what PlanRun answers"""
    parent_events: int
    child_events: int
    """of a segment's execution"""
    transitions: int
    s3_writes: int
    s3_reads: int
    gb_seconds: float
    cost: Mapping[str, float]
    """USD at x86_64's price for Lambda"""
    around_share: float
    """what all but DynamoDB costs, as a share of its bill"""
    around_share_arm64: float
    """the same at the price of the stack's default architecture"""


def run(*, cpu_ms_per_page: float = CPU_MS_PER_PAGE) -> list[Scaled]:
    """Calculates a run over each of TABLES; the largest has as many segments as there can be."""
    return [_scaled(name, size, cpu_ms_per_page) for name, size in TABLES.items()]


def table(scaled: Sequence[Scaled]) -> str:
    """Formats the figures as Markdown, a column for each table size."""
    rows = {
        "Segments": [f"{one.segments:,}" for one in scaled],
        "Workers at once": [f"{one.concurrency:,}" for one in scaled],
        "Invocations": [f"{one.invocations:,}" for one in scaled],
        "Parts": [f"{one.parts:,}" for one in scaled],
        "Duration": [_duration(one.seconds) for one in scaled],
        "Checkpoint": [f"{one.checkpoint_seconds} s" for one in scaled],
        "Merge, of 900 s": [f"{one.merge_seconds} s" for one in scaled],
        "Largest state": [f"{one.payload_bytes:,} bytes" for one in scaled],
        "History of the parent": [f"{one.parent_events:,} events" for one in scaled],
        "History of a segment": [f"{one.child_events:,} events" for one in scaled],
        "State transitions": [f"{one.transitions:,}" for one in scaled],
        "S3 writes and listings": [f"{one.s3_writes:,}" for one in scaled],
        "S3 reads": [f"{one.s3_reads:,}" for one in scaled],
        "Lambda": [f"{one.gb_seconds:,.0f} GB-s" for one in scaled],
        **{
            f"USD, {service.replace('_', ' ')}": [f"{one.cost[service]:,.4f}" for one in scaled]
            for service in ("dynamodb", "lambda", "step_functions", "s3", "total")
        },
        "Around the DynamoDB bill": [f"{one.around_share:.1%}" for one in scaled],
        "the same on arm64, the default": [f"{one.around_share_arm64:.1%}" for one in scaled],
    }
    head = ["", *(one.table for one in scaled)]
    lines = [
        head,
        ["---", *["--:"] * len(scaled)],
        *([name, *cells] for name, cells in rows.items()),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def planned(table_bytes: int) -> tuple[Any, Plan]:
    """Returns the answer of PlanRun's own handler for a table of this size, which the states of a
    run contain, and the plan that it writes."""
    import plan_run

    with _table_of(table_bytes) as frozen:
        answer = plan_run.handler({"execution_name": _LONGEST_NAME, "input": {}}, None)
    (body,) = frozen
    return answer, Plan.from_bytes(body)


def history_events(states: Mapping[str, Any], *, start: str, rounds: int = 1) -> int:
    """Counts the events of an execution that follows Default and Next from `start`, and its loop
    `rounds` times."""
    events, name = 2, start  # ExecutionStarted, ExecutionSucceeded
    loop = 0
    while True:
        state = states[name]
        events += _EVENTS[state["Type"]]
        following = state.get("Default") or state.get("Next")
        if state["Type"] == "Choice" and following == start:
            loop = events - 2
            following = state["Choices"][0]["Next"]
        if following is None:
            return events + (rounds - 1) * loop
        name = following


def _scaled(name: str, table_bytes: int, cpu_ms_per_page: float) -> Scaled:
    answer, plan = planned(table_bytes)
    segments = len(answer["segments"])
    expected = Forecast.of(
        table_bytes=table_bytes,
        read_units=plan.estimate.read_units,
        seconds_at_least=plan.estimate.seconds_at_least,
        segments=segments,
        max_concurrency=plan.max_concurrency,
        checkpoint_seconds=plan.checkpoint_seconds,
        scan_memory_mb=SCAN_MEMORY_MB,
        merge_memory_mb=MERGE_MEMORY_MB,
        cpu_ms_per_page=cpu_ms_per_page,
    )
    invocations, parts = expected.invocations, expected.parts
    x86, arm = expected.cost(), expected.cost(usd_per_gb_second=USD_PER_GB_SECOND_ARM64)
    machine = json.loads(_STATE_MACHINE.read_text())
    child = machine["States"]["ScanSegments"]["ItemProcessor"]
    writes, reads = s3_requests(invocations=invocations, parts=parts, days=DAYS)
    return Scaled(
        table=name,
        segments=segments,
        concurrency=expected.workers,
        invocations=invocations,
        parts=parts,
        seconds=expected.seconds,
        checkpoint_seconds=plan.checkpoint_seconds,
        merge_seconds=expected.merge_seconds,
        payload_bytes=len(json.dumps(answer)),
        parent_events=history_events(machine["States"], start=machine["StartAt"]),
        child_events=history_events(
            child["States"], start=child["StartAt"], rounds=invocations // segments
        ),
        transitions=transitions(segments=segments, invocations=invocations),
        s3_writes=writes,
        s3_reads=reads,
        gb_seconds=expected.gb_seconds,
        cost=x86.to_json(),
        around_share=x86.around / x86.dynamodb,
        around_share_arm64=arm.around / arm.dynamodb,
    )


@contextmanager
def _table_of(table_bytes: int) -> Iterator[list[bytes]]:
    """The functions' environment, and answers to PlanRun's requests without a network; what it
    writes, in the list."""
    environment = {
        **client_environment("http://127.0.0.1:9"),
        **default_environment(),
        "DYNAMODB_TABLE_NAME": "trips",
        "ATHENA_BUCKET_NAME": "results",
        "MAX_CONCURRENCY": str(MAX_CONCURRENCY),
        "CHECKPOINT_SECONDS": str(CHECKPOINT_SECONDS),
        "SCAN_MEMORY": str(SCAN_MEMORY_MB),
        "MERGE_MEMORY": str(MERGE_MEMORY_MB),
    }
    described = {
        "TableName": "trips",
        "TableArn": "arn:aws:dynamodb:us-east-1:123456789012:table/trips",
        "TableId": "made-up",
        "KeySchema": [{"AttributeName": "trip_id", "KeyType": "HASH"}],
        "TableSizeBytes": table_bytes,
        "ItemCount": table_bytes // 331,
        "CreationDateTime": datetime(2020, 1, 1, tzinfo=UTC),
        "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    }
    limit = {"UnreservedConcurrentExecutions": DEFAULT_LAMBDA_QUOTA}
    written: list[bytes] = []

    def note(params: Mapping[str, Any], **_: Any) -> None:
        written.append(params["Body"])

    _forget_clients()
    level = logger.log_level
    logger.setLevel("WARNING")  # the log goes where the table of figures goes
    try:
        with (
            patch.dict(os.environ, environment),
            Stubber(clients.dynamodb()) as dynamodb,
            Stubber(clients.s3()) as s3,
            Stubber(clients.lambda_()) as aws_lambda,
        ):
            dynamodb.add_response("describe_table", {"Table": described})
            dynamodb.add_response("describe_time_to_live", {})
            aws_lambda.add_response("get_account_settings", {"AccountLimit": limit})
            clients.s3().meta.events.register("provide-client-params.s3.PutObject", note)
            s3.add_response("put_object", {})
            yield written
    finally:
        logger.setLevel(level)
        _forget_clients()


def _forget_clients() -> None:
    clients.dynamodb.cache_clear()
    clients.s3.cache_clear()
    clients.lambda_.cache_clear()


def _duration(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, minutes = divmod(math.ceil(rest / 60), 60)
    return (
        f"{days} d {hours} h" if days else f"{hours} h {minutes} min" if hours else f"{minutes} min"
    )
