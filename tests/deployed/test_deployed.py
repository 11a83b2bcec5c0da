"""In a real account: a run of the deployed stack is broken off, redriven, and comes to the known
figures. README.md in this directory says what to deploy before, and what it costs."""

import os
import uuid
from pathlib import Path

import boto3
import pytest

from tests.deployed.athena import DAYS, DAYS_OF_RUN, Athena, Figures
from tests.deployed.redrive import Redrive
from tests.deployed.scenario import broken_off_and_resumed, complaints
from tests.deployed.stack import found
from tests.deployed.waiting import Patience

STACK_NAME = os.environ.get("AWS_SAM_STACK_NAME", "")
PATIENCE = Patience(delay_seconds=1, attempts=600)


@pytest.mark.skipif(
    not STACK_NAME,
    reason="needs a stack in an AWS account: AWS_SAM_STACK_NAME=<its name>, and what "
    "tests/deployed/README.md says",
)
def test_a_run_that_is_broken_off_and_redriven_comes_to_the_known_figures(tmp_path: Path) -> None:
    stack = found(boto3.client, STACK_NAME)
    run_id = f"deployed-test-{uuid.uuid4().hex[:12]}"
    redrive = Redrive(client=boto3.client("stepfunctions"), patience=PATIENCE)

    def read_days() -> dict[str, Figures]:
        if stack.athena_workgroup is None or stack.athena_database is None:
            return {}
        athena = Athena(
            client=boto3.client("athena"),
            workgroup=stack.athena_workgroup,
            database=stack.athena_database,
            patience=PATIENCE,
        )
        of_run = DAYS_OF_RUN.format(run_id=run_id)
        return {"kpis": athena.figures(DAYS), "runs": athena.figures(of_run)}

    seen = broken_off_and_resumed(
        boto3.client,
        stack,
        redrive,
        read_days=read_days,
        run_id=run_id,
        out=tmp_path,
        patience=PATIENCE,
    )
    assert complaints(seen) == []
    assert set(seen.misread_days) == ({"kpis", "runs"} if stack.athena_workgroup else set())
    assert redrive.succeeded
    execution = f"{stack.state_machine_arn.replace(':stateMachine:', ':execution:')}:{run_id}"
    assert redrive.started_again(execution) == []
