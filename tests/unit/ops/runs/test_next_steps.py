"""The hint at the end of a failed run fits the error."""

from pathlib import Path
from typing import Any

import pytest

from ops.runs.execution import EndedExecution, FailedSegment, PagesRead
from ops.runs.next_steps import Place, rerun_command
from ops.runs.next_steps import next_steps as next_steps_of
from trip_kpis.core import errors

OUT = Path("my out")
GO_ON = rerun_command("run-1", OUT)


def next_steps(outcome: EndedExecution, place: Place) -> tuple[str, str]:
    return next_steps_of(outcome.run_id, outcome.errors, place, is_planned=outcome.is_planned)


def failed(error: str, **changes: Any) -> EndedExecution:
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "name": "run-1",
        "status": "FAILED",
        "output": None,
        "error": error,
        "cause": None,
        "failed_segments": (),
        "pages": PagesRead(),
        "is_planned": True,
    }
    return EndedExecution(**fields | changes)


@pytest.mark.parametrize("error", ["AccessDeniedError", "TransientError", "Sandbox.Timedout"])
def test_what_can_be_fixed_is_resumed(error: str) -> None:
    says, command = next_steps(failed(error), OUT)
    assert "resume this run" in says
    assert command == GO_ON


def test_refused_invocations_are_resumed_by_fewer_workers() -> None:
    says, command = next_steps(failed("Lambda.TooManyRequestsException"), OUT)
    assert "Lambda had no free execution for hours" in says
    assert command == f"{GO_ON} --max-concurrency N"


@pytest.mark.parametrize(
    "error",
    [
        "BrokenChainError",
        "CorruptPartError",
        "ForeignPartError",
        "PlanMismatchError",
        "TooManyPartsError",
    ],
)
def test_what_is_lost_is_not(error: str) -> None:
    assert hasattr(errors, error)
    says, command = next_steps(failed(error), OUT)
    assert f"After {error}, resuming this run fails again: start a new one" in says
    assert command == ""


def test_the_segments_own_error_decides() -> None:
    child = FailedSegment(input={"segment": 1}, error="CorruptPartError", cause="")
    outcome = failed("States.ExceedToleratedFailureThreshold", failed_segments=(child,))
    assert "After CorruptPartError" in next_steps(outcome, OUT)[0]


@pytest.mark.parametrize(
    ("error", "parameter"),
    [
        ("TooManyRejectedError", "MaxRejectedShare=0.2"),
        ("NothingCountedError", "VanishedDays=keep"),
        ("SettingError", "NAME=VALUE"),
    ],
)
def test_what_a_parameter_of_the_merge_fixes_names_it(error: str, parameter: str) -> None:
    assert next_steps(failed(error), OUT)[1] == f"{GO_ON} --parameter {parameter}"


def test_a_run_without_a_plan_is_started_again() -> None:
    says, command = next_steps(failed("SettingError", is_planned=False), OUT)
    assert "no plan yet" in says
    assert command == ""
