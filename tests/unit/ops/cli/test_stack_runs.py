"""Following a run of a stack: remarks and exit status when AWS cannot be asked."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, UnauthorizedSSOTokenError

from ops.cli.stack_runs import CANNOT_FOLLOW, follow_to_its_end
from ops.runs.running_execution import RunningExecution
from ops.stack.account import Account
from ops.stack.retries import UntilAnswered
from ops.stack.stack import Stack

ARN = "arn:aws:states:eu-west-1:123456789012:execution:runs:run-1"


class StepFunctions:
    """A client whose calls fail."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def describe_execution(self, **_: object) -> Any:
        raise self._error


def followed(
    error: Exception, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[object, str, str]:
    """Exit status, results and remarks."""
    monkeypatch.setattr(Account, "client", lambda *_: StepFunctions(error))
    stack = Stack(
        name="trip-kpis",
        account=Account(profile="production", region="eu-west-1"),
        outputs={"ResultsBucketName": "b", "StateMachineArn": "a"},
    )
    waits: list[float] = []  # the only time that passes
    with pytest.raises(SystemExit) as ended:
        follow_to_its_end(
            stack,
            RunningExecution(stack, "run-1", ARN),
            as_json=True,
            until_answered=lambda say: UntilAnswered(
                say, clock=lambda: sum(waits), sleep=waits.append
            ),
        )
    results, remarks = capsys.readouterr()
    return ended.value.code, results, remarks


def assert_the_run_can_be_followed_and_stopped(remarks: str) -> None:
    assert "The run continues in AWS. To follow it again:" in remarks
    options = "--profile production --region eu-west-1"
    assert f"status run-1 --stack trip-kpis {options} --follow\n" in remarks
    stop = f"aws stepfunctions stop-execution --execution-arn {ARN} {options}\n"
    assert remarks.endswith(f"To stop it:\n  {stop}")


def test_an_expired_session_names_the_profile_and_the_run_continues(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status, results, remarks = followed(UnauthorizedSSOTokenError(), capsys, monkeypatch)
    assert (status, results) == (CANNOT_FOLLOW, "")
    assert "\n  aws sso login --profile production\n" in remarks
    assert_the_run_can_be_followed_and_stopped(remarks)


def test_a_network_that_stays_lost_has_a_status_of_its_own_and_the_run_continues(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = EndpointConnectionError(endpoint_url="https://states")
    status, results, remarks = followed(lost, capsys, monkeypatch)
    assert (status, results) == (CANNOT_FOLLOW, "")
    assert remarks.count("AWS does not answer") == 1
    assert_the_run_can_be_followed_and_stopped(remarks)
