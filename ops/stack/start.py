"""Runs of a deployed stack: started, resumed, and followed to their end."""

from collections.abc import Mapping
from typing import Any

from ops.cli.follow import Follower
from ops.local.run import new_execution_name
from ops.runs.execution import RunningExecution
from ops.runs.next_steps import ops_command
from ops.runs.objects import BucketObjects
from ops.runs.outcome import Outcome
from ops.runs.run_log import Progress, RunLog
from ops.stack.account import AccountError, asking_aws
from ops.stack.executions import Execution, executions, executions_of
from ops.stack.stack import Stack

_POLL_SECONDS = 2.0
_RECENT = 50


def start(stack: Stack, execution_input: Mapping[str, Any]) -> RunningExecution:
    """A new run. Raises AccountError."""
    with asking_aws(f"to start a run of the stack {stack.name}"):
        return RunningExecution.start(stack, execution_input, name=new_execution_name("run"))


def go_on(stack: Stack, run_id: str | None, asked: Mapping[str, Any]) -> RunningExecution:
    """A new execution that resumes a run; None is the last one. `asked` is what its input says
    besides. Raises AccountError if there is no such run, or an execution of it is running."""
    of_run = executions_of_run(stack, run_id)
    run_id = of_run[0].run_id if of_run else str(run_id)
    if of_run and of_run[0].status == "RUNNING":
        raise AccountError(
            f"run {run_id} is running (execution {of_run[0].name}): wait for its end. To watch it: "
            f"{ops_command('status', run_id, stack, '--follow')}"
        )
    if progress(stack, run_id).plan is None:
        raise no_such_run(stack, run_id)
    with asking_aws(f"to resume run {run_id}"):
        name = new_execution_name("rerun")
        return RunningExecution.start(stack, {**asked, "run_id": run_id}, name=name)


def follow(execution: RunningExecution, follower: Follower) -> Outcome:
    """Shows how it gets on, and gives what it came to. Raises AccountError."""
    with asking_aws(f"about run {execution.run_id}"):
        execution.follow(follower.show, poll_seconds=_POLL_SECONDS)
        return execution.outcome()


def executions_of_run(stack: Stack, run_id: str | None) -> tuple[Execution, ...]:
    """The newest first; None is the run of the newest execution that is no estimate.

    Empty where Step Functions remembers none of that run. Raises AccountError, and so it does where
    there has been no run at all.
    """
    if run_id is not None:
        return executions_of(stack, run_id)
    recent = [one for one in executions(stack, last=_RECENT) if not one.is_estimate]
    if not recent:
        raise AccountError(
            f"the stack {stack.name} has not run yet: `run --stack {stack.name}` starts a run"
        )
    return executions_of(stack, recent[0].run_id)


def progress(stack: Stack, run_id: str) -> Progress:
    """How far the run's segments are. Raises AccountError."""
    with asking_aws(f"for the log of run {run_id}"):
        return RunLog(BucketObjects(stack.client("s3"), stack.bucket_name), run_id).look()


def has_manifest(stack: Stack, run_id: str) -> bool:
    """The run has published all it had to. Raises AccountError."""
    with asking_aws(f"for the manifest of run {run_id}"):
        objects = BucketObjects(stack.client("s3"), stack.bucket_name)
        return any(objects.keys(f"runs/run={run_id}/manifest.json"))


def no_such_run(stack: Stack, run_id: str) -> AccountError:
    """There is nothing to resume, or to tell of."""
    return AccountError(
        f"the stack {stack.name} has no plan of a run {run_id}: it was never planned, or that was "
        f"longer ago than StagingExpirationDays. `runs --stack {stack.name}` lists its runs"
    )
