"""What a person sees of a run's summary."""

import io
from typing import Any

import pytest
from rich.console import Console

from ops.cli.screens import show_summary
from ops.runs.execution import EndedExecution
from ops.runs.run_log import Progress

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


@pytest.mark.parametrize(
    ("throttles", "line"),
    [({"a": 1200}, "throttled: 1,200 a\n"), ({"a": 1, "b": 2}, "throttled: 1 a, 2 b\n")],
)
def test_what_throttled_the_run_is_reported(throttles: dict[str, int], line: str) -> None:
    assert line in shown(throttles=throttles)


def test_a_run_that_was_not_throttled_has_no_word_of_it() -> None:
    assert "throttled" not in shown()
