"""The hint at the end of a failed run fits the error."""

from pathlib import Path
from typing import Any

import pytest

from ops.following.failed_children import FailedChild
from ops.outcome import Outcome
from ops.page_log import PagesRead
from ops.way_out import Place, rerun_command
from ops.way_out import way_out as way_out_of
from trip_kpis.core import errors

OUT = Path("my out")
GO_ON = rerun_command("run-1", OUT)


def way_out(outcome: Outcome, place: Place) -> tuple[str, str]:
    return way_out_of(outcome.run_id, outcome.errors, place, is_planned=outcome.is_planned)


def failed(error: str, **changes: Any) -> Outcome:
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "status": "FAILED",
        "output": None,
        "error": error,
        "cause": None,
        "failed_segments": (),
        "pages": PagesRead(),
        "is_planned": True,
    }
    return Outcome(**fields | changes)


@pytest.mark.parametrize("error", ["AccessDeniedError", "TransientError", "Sandbox.Timedout"])
def test_what_can_be_mended_is_gone_on_with(error: str) -> None:
    says, command = way_out(failed(error), OUT)
    assert "go on with this run" in says
    assert command == GO_ON


def test_refused_invocations_are_gone_on_with_by_fewer_workers() -> None:
    says, command = way_out(failed("Lambda.TooManyRequestsException"), OUT)
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
    says, command = way_out(failed(error), OUT)
    assert f"After {error}, going on with this run comes to the same: start a new one" in says
    assert command == ""


def test_the_segments_own_error_decides() -> None:
    child = FailedChild(input={"segment": 1}, error="CorruptPartError", cause="")
    outcome = failed("States.ExceedToleratedFailureThreshold", failed_segments=(child,))
    assert "After CorruptPartError" in way_out(outcome, OUT)[0]


@pytest.mark.parametrize(
    ("error", "parameter"),
    [
        ("TooManyRejectedError", "MaxRejectedShare=0.2"),
        ("NothingCountedError", "VanishedDays=keep"),
        ("SettingError", "NAME=VALUE"),
    ],
)
def test_what_a_parameter_of_the_merge_mends_names_it(error: str, parameter: str) -> None:
    assert way_out(failed(error), OUT)[1] == f"{GO_ON} --parameter {parameter}"


def test_a_run_without_a_plan_is_started_again() -> None:
    says, command = way_out(failed("SettingError", is_planned=False), OUT)
    assert "no plan yet" in says
    assert command == ""
