"""Starts, resumes and follows the runs of a deployed stack."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from ops.runs.errors import read_units_refused
from ops.runs.execution import (
    FAILED,
    RUNNING,
    EndedExecution,
    Execution,
    failed_segments,
    new_execution_name,
)
from ops.runs.finished_run import FinishedRun
from ops.runs.next_steps import ops_command
from ops.runs.run import Run, began_at
from ops.runs.run_log import Progress, RunLog
from ops.runs.running_execution import Ask, RunningExecution
from ops.stack.account import AccountError, asking_aws
from ops.stack.executions import executions, executions_of
from ops.stack.stack import Stack
from trip_kpis.core import layout
from trip_kpis.core.run.plan import SCAN

_POLL_SECONDS = 2.0
_RECENT = 50


def start(stack: Stack, execution_input: Mapping[str, Any]) -> RunningExecution:
    """Starts a new run. Raises AccountError."""
    with asking_aws(stack.account, f"to start a run of the stack {stack.name}"):
        return RunningExecution.start(stack, execution_input, name=new_execution_name("run"))


def resume(stack: Stack, run_id: str | None, asked: Mapping[str, Any]) -> RunningExecution:
    """Starts an execution that resumes a run; None is the last one. `asked` is what its input says
    besides. Raises AccountError if there is no such run, or an execution of it is running, and
    InputError if it cannot read with what is asked."""
    of_run = executions_of_run(stack, run_id)
    run_id = of_run[0].run_id if of_run else str(run_id)
    if of_run and of_run[0].status == RUNNING:
        raise AccountError(
            f"run {run_id} is running (execution {of_run[0].name}): wait for its end. To watch it: "
            f"{ops_command('status', run_id, stack, '--follow')}"
        )
    plan = progress(stack, run_id).plan
    if plan is None:
        raise no_such_run(stack, run_id)
    if plan.source != SCAN and "read_units_per_second" in asked:
        raise read_units_refused(run_id)
    with asking_aws(stack.account, f"to resume run {run_id}"):
        name = new_execution_name("rerun")
        return RunningExecution.start(stack, {**asked, "run_id": run_id}, name=name)


def follow(
    stack: Stack,
    execution: RunningExecution,
    on_progress: Callable[[Progress], None],
    *,
    ask: Ask,
) -> EndedExecution:
    """Reports the progress until the execution has ended; `ask` makes the calls to AWS.

    Raises AccountError.
    """
    with asking_aws(stack.account, f"about run {execution.run_id}"):
        execution.follow(on_progress, poll_seconds=_POLL_SECONDS, ask=ask)
        return ask(execution.ended)


def running_execution(stack: Stack, run_id: str | None) -> RunningExecution | None:
    """Returns the execution of a run that is running; None is the last run. Raises AccountError."""
    newest = next(iter(executions_of_run(stack, run_id)), None)
    if newest is None or newest.arn is None or newest.status != RUNNING:
        return None
    return RunningExecution(stack, newest.run_id, newest.arn)


def run_of_stack(stack: Stack, run_id: str | None) -> Run:
    """Returns a run with its progress; None is the last run. Raises AccountError or
    ResultsError."""
    of_run = executions_of_run(stack, run_id)
    run_id = of_run[0].run_id if of_run else str(run_id)
    seen = progress(stack, run_id)
    finished = _finished(stack, run_id)
    if not of_run and seen.plan is None and finished is None:
        raise no_such_run(stack, run_id)
    client = stack.client("stepfunctions")
    with asking_aws(stack.account, f"for the segments of run {run_id} that failed"):
        known = tuple(
            replace(one, failed_segments=failed_segments(client, one.arn))
            if one.arn and one.status == FAILED
            else one
            for one in of_run
        )
    planned_at = datetime.fromisoformat(seen.plan.planned_at) if seen.plan else None
    return Run(
        run_id=run_id,
        began_at=began_at(run_id, known, finished.planned_at if finished else planned_at),
        executions=known,
        finished=finished,
        progress=seen,
    )


def executions_of_run(stack: Stack, run_id: str | None) -> tuple[Execution, ...]:
    """Returns the executions of a run, the newest first; None is the run of the newest execution
    that is not an estimate.

    Empty where Step Functions remembers none of that run. Raises AccountError, and so it does where
    there has been no run at all.
    """
    if run_id is not None:
        return executions_of(stack, run_id)
    return executions_of(stack, _newest(stack).run_id)


def _newest(stack: Stack) -> Execution:
    for execution in executions(stack, last=_RECENT):
        if not execution.is_estimate:
            return execution
    raise AccountError(
        f"the stack {stack.name} has not run lately: `run --stack {stack.name}` starts a run, and "
        f"`runs --stack {stack.name}` lists earlier ones"
    )


def newest_run_id(stack: Stack) -> str:
    """Returns the id of the run that began or was resumed last. Raises AccountError where there is
    none."""
    return _newest(stack).run_id


def progress(stack: Stack, run_id: str) -> Progress:
    """Returns the progress of the run's segments. Raises AccountError."""
    with asking_aws(stack.account, f"for the log of run {run_id}"):
        return RunLog(stack.bucket(), run_id).look()


def _finished(stack: Stack, run_id: str) -> FinishedRun | None:
    """Reads the run's manifest, which is written last; None: the run has not finished."""
    key = layout.manifest_key(run_id)
    with asking_aws(stack.account, f"for the manifest of run {run_id}"):
        body = stack.bucket().read(key)
    name = f"s3://{stack.bucket_name}/{key}"
    return None if body is None else FinishedRun.from_bytes(body, name=name, run_id=run_id)


def no_such_run(stack: Stack, run_id: str) -> AccountError:
    """Returns the error for a run that does not exist."""
    return AccountError(
        f"the stack {stack.name} has no plan of a run {run_id}: it was never planned, or that was "
        f"longer ago than StagingExpirationDays. `runs --stack {stack.name}` lists its runs"
    )
