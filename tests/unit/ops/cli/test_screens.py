"""What a person sees of a run's summary."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from rich.console import Console

from ops.cli.screens import show_failure, show_kpis, show_next_steps, show_summary
from ops.runs.execution import EndedExecution, FailedSegment
from ops.runs.run_log import Progress
from ops.runs.storage import Directory, Storage
from ops.stack.account import Account
from tests.samples import plan
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.layout import quarantine_key
from trip_kpis.core.log.counts import Counts

SUMMARY: dict[str, Any] = {
    "scanned": 1,
    "incomplete": 0,
    "rejected": {},
    "counted": 1,
    "segments": 1,
    "pages": 1,
    "total_fare": "1",
    "segments_by_invocations": {"1": 1},
    "throttles": {},
}


def shown(**changes: Any) -> str:
    console = Console(file=io.StringIO(), width=200)
    outcome = EndedExecution(
        run_id="run-1",
        name="run-1",
        status="SUCCEEDED",
        output={**SUMMARY, **changes},
        error=None,
        cause=None,
        failed_segments=(),
        pages=None,
        progress=Progress(),
    )
    show_summary(console, outcome)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_date_and_no_figure_is_truncated_however_narrow_the_terminal_is(
    tmp_path: Path, width: int
) -> None:
    day = tmp_path / "kpis" / "date=2024-05-25"
    day.mkdir(parents=True)
    figures = {f"average_of_column_{n}": 1234567.25 for n in range(6)}
    (day / "kpi.json").write_text(json.dumps({"date": "2024-05-25", "rides": 2, **figures}))
    console = Console(file=io.StringIO(), width=width)
    show_kpis(console, tmp_path, marks={"2024-05-25": "superseded"})
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "2024-05-25" in text
    assert text.count("1,234,567.25") == 6
    assert "superseded" in text
    assert "…" not in text


def test_what_a_failure_names_can_be_copied_in_one_piece(tmp_path: Path) -> None:
    """A path or a command that is longer than a line of the terminal."""
    path = f"/exports/{'of-a-folder/' * 8}data/one.json.gz"
    command = f"aws s3 sync s3://exports/AWSDynamoDB/{'0' * 60} '{path}'"
    segment = FailedSegment(input={"segment": 3}, error="CorruptExportError", cause=f"See {path}.")
    console = Console(file=io.StringIO(), width=80)
    ended = EndedExecution(
        run_id="run-1",
        name="run-1",
        status="FAILED",
        output=None,
        error="TransientError",
        cause=f"Copy it again: {command}",
        failed_segments=(segment,),
        pages=None,
        progress=Progress(),
    )
    show_failure(console, ended, tmp_path)
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue().splitlines()
    assert "run run-1 failed" in said[0]
    assert f"TransientError: Copy it again: {command}" in said
    assert f"segment 3: CorruptExportError: See {path}." in said


@pytest.mark.parametrize(
    ("throttles", "line"),
    [({"a": 1200}, "throttled: 1,200 a\n"), ({"a": 1, "b": 2}, "throttled: 1 a, 2 b\n")],
)
def test_what_throttled_the_run_is_reported(throttles: dict[str, int], line: str) -> None:
    assert line in shown(throttles=throttles)


def test_a_run_that_was_not_throttled_has_no_word_of_it() -> None:
    assert "throttled" not in shown()


@pytest.mark.parametrize(
    ("arn", "how"),
    [("arn:aws:dynamodb:us-east-1:1:table/t/export/1", "exactly"), (None, "at the latest")],
)
def test_an_export_is_as_of_an_instant(arn: str | None, how: str) -> None:
    as_of = "2026-05-25T02:15:00.000000+00:00"
    said = shown(source="export", export_arn=arn, as_of=as_of)
    assert f"\nas of 2026-05-25T02:15:00Z, {how}\n" in said


def test_a_scan_is_not() -> None:
    assert "as of" not in shown(source="scan", as_of="2026-05-25T02:15:00.000000+00:00")


@dataclass(frozen=True)
class OfStack:
    """A deployed stack whose bucket has been copied, or does not answer."""

    read: Callable[[], Storage]
    account: Account = Account()  # noqa: RUF009 - frozen
    parameters: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ("--stack", "trips")
    is_embedded: bool = False

    def bucket(self) -> Storage:
        return self.read()


def next_steps_of(read: Callable[[], Storage]) -> str:
    counts = Counts(scanned=4, counted=1, rejected={Reason.TIME_UNREADABLE: 3})
    console = Console(file=io.StringIO(), width=80)
    progress = Progress(plan=plan(), counts=counts)
    show_next_steps(console, "run-1", {"TooManyRejectedError"}, progress, OfStack(read))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_format_of_a_stacks_rejected_times_is_proposed(tmp_path: Path) -> None:
    rejected = tmp_path / quarantine_key("run-1", 0, 0, digest="ab")
    rejected.parent.mkdir(parents=True)
    line = {"key": {}, "reason": "time_unreadable", "attribute": "pickup_datetime"}
    rejected.write_text(json.dumps({**line, "value": {"S": "25.05.2024 13:19"}}) + "\n")
    assert "%d.%m.%Y %H:%M" in next_steps_of(lambda: Directory(tmp_path))


def test_next_steps_are_shown_also_where_the_rejected_trips_cannot_be_read() -> None:
    def refused() -> Storage:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListObjectsV2")

    assert "MaxRejectedShare" in next_steps_of(refused)
