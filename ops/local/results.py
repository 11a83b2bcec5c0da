"""The runs of a directory, with the executions that its state remembers."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from ops.local.state_directory import StateDirectory, StateError
from ops.runs.errors import ResultsError
from ops.runs.execution import INTERRUPTED, RUNNING, Execution
from ops.runs.run import Run, runs_in
from ops.runs.run_log import RunLog
from ops.runs.storage import Directory


def executions_in(out: Path) -> tuple[Execution, ...]:
    """In the order of their beginning, without estimates; none in a copy of a bucket, which has no
    state. One that has not ended was interrupted, unless it is the newest and another process has
    the state: then it is running. Raises StateError."""
    state = StateDirectory(out)
    if not state.exists:
        return ()
    executions = [
        one if one.status else replace(one, status=INTERRUPTED)
        for one in state.executions()
        if not one.is_estimate
    ]
    if executions and state.is_locked():
        executions[-1] = replace(executions[-1], status=RUNNING, error=None, cause=None)
    return tuple(executions)


def execution_names(out: Path, run_id: str) -> tuple[str, ...]:
    """Of the run's executions, the one that began it first; empty where not known."""
    with suppress(StateError):
        return tuple(one.name for one in executions_in(out) if one.run_id == run_id)
    return ()


def runs_in_directory(out: Path) -> tuple[Run, ...]:
    """The newest first. Raises StateError or ResultsError."""
    return runs_in(out, executions_in(out))


def run_in_directory(out: Path, run_id: str | None) -> Run:
    """With its progress; None is the run that began last. Raises StateError or ResultsError."""
    runs = {run.run_id: run for run in runs_in_directory(out)}
    if run_id is None and runs:
        run_id = next(iter(runs))
    if run_id is None or run_id not in runs:
        there = f"there are {', '.join(runs)}" if runs else "there is none"
        raise ResultsError(
            f"{out} has no run{f' {run_id}' if run_id else ''}: {there}. It must be where an `ops "
            "run` or `ops demo` has left its results, or a copy of a bucket"
        )
    return replace(runs[run_id], progress=RunLog(Directory(out), run_id).look())
