"""The runs of a directory, with the executions in its state."""

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
    """Returns the executions in the order of their beginning, without estimates; none for a copy of
    a bucket, which has no state. One that has not ended was interrupted, unless it is the newest
    and another process has the state: then it is running. Raises StateError."""
    state = StateDirectory(out)
    if not state.exists:
        return ()
    executions = [
        one if one.status else replace(one, status=INTERRUPTED)
        for one in state.executions()
        if not one.is_estimate
    ]
    if executions and executions[-1].status == INTERRUPTED and state.is_locked():
        executions[-1] = replace(executions[-1], status=RUNNING, error=None, cause=None)
    return tuple(executions)


def execution_names(out: Path, run_id: str) -> tuple[str, ...]:
    """Returns the names of the run's executions, the one that began it first; empty if they are not
    known."""
    with suppress(StateError):
        return tuple(one.name for one in executions_in(out) if one.run_id == run_id)
    return ()


def runs_in_directory(out: Path) -> tuple[Run, ...]:
    """Returns the runs, the newest first. Raises StateError or ResultsError."""
    state = StateDirectory(out)
    runs = runs_in(out, executions_in(out))
    if not state.exists:
        return runs
    return tuple(
        replace(run, is_superseded=not (run.finished or _is_resumable(state, run.run_id)))
        for run in runs
    )


def unfinished_run(out: Path) -> str:
    """Returns the id of the one run that is not finished and can be resumed. Raises StateError if
    it is not just one, or ResultsError."""
    runs = runs_in_directory(out)
    unfinished = [run.run_id for run in runs if not run.finished and not run.is_superseded]
    superseded = [run.run_id for run in runs if run.is_superseded]
    if len(unfinished) == 1:
        return unfinished[0]
    if unfinished:
        says = f"{out} has more than one run that is not finished: name one of "
        raise StateError(says + ", ".join(unfinished))
    if not runs:
        raise StateError(f"{out} has no run at all: it was interrupted before, start it again")
    says = f"{out} has no unfinished run"
    if superseded:
        says += f" that can be resumed: a later run replaced the trips of {', '.join(superseded)}"
    if finished := [run.run_id for run in runs if run.finished]:
        says += f"; to process a finished run again, pass its id ({', '.join(finished)})"
    raise StateError(says)


def _is_resumable(state: StateDirectory, run_id: str) -> bool:
    """Returns whether the run can be resumed: a finished run is exported, whatever trips the table
    has now."""
    return state.has_manifest_of(run_id) or state.has_source_of(run_id)


def run_in_directory(out: Path, run_id: str | None) -> Run:
    """Returns the run with its progress; None is the run that began last. Raises StateError or
    ResultsError."""
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
