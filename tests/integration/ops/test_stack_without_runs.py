"""What the commands say of a stack that has not run yet, and of one that is another template's."""

import json
from collections.abc import Iterator

import pytest

from ops.local.local_stack import STACK_NAME
from tests.integration.ops.conftest import trip
from tests.ops_commands import ops
from tests.stacks import stack_of

ANOTHERS = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}


@pytest.fixture(scope="module")
def _account() -> Iterator[None]:
    """An embedded AWS that this process' environment leads to."""
    with stack_of([trip(0)]) as local:
        local.client("cloudformation").create_stack(
            StackName="another", TemplateBody=json.dumps(ANOTHERS)
        )
        yield


@pytest.mark.usefixtures("_account")
@pytest.mark.parametrize(
    ("verb", "says"),
    [
        ("status", "has not run lately: `run --stack trip-kpis` starts a run"),
        ("rerun", "has not run lately: `run --stack trip-kpis` starts a run"),
        ("quarantine", "has not run lately: `run --stack trip-kpis` starts a run"),
        ("report", "has no finished run"),
    ],
)
def test_a_stack_that_has_not_run_is_said_to_have_no_run(verb: str, says: str) -> None:
    done = ops(verb, "--stack", STACK_NAME)
    assert done.returncode == 2
    assert says in done.stderr


@pytest.mark.usefixtures("_account")
def test_a_stack_that_has_not_run_has_no_runs() -> None:
    done = ops("runs", "--stack", STACK_NAME)
    assert done.returncode == 0
    assert done.stdout == f"There has been no run yet in the stack {STACK_NAME}.\n"


@pytest.mark.usefixtures("_account")
@pytest.mark.parametrize("verb", ["status", "run", "runs", "estimate", "report"])
def test_a_stack_of_another_template_is_refused(verb: str) -> None:
    done = ops(verb, "--stack", "another")
    assert done.returncode == 2
    assert "another has no outputs StateMachineArn and ResultsBucketName" in done.stderr
