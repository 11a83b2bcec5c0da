"""How a run stands: what its executions, its segments' logs and its manifest say together."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ops.local.state_directory import StateDirectory
from ops.runs.errors import ResultsError
from ops.runs.failed_children import failed_children
from ops.runs.finished_run import manifests
from ops.runs.history import FINISHED, NOT_FINISHED, RUNNING, Attempt, attempts_here, history
from ops.runs.run_log import Progress
from ops.runs.staging_reader import staged_parts, staged_plans
from ops.stack import start
from ops.stack.account import asking_aws
from ops.stack.stack import Stack
from trip_kpis.core.errors import PlanMismatchError
from trip_kpis.core.run.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """Of one run."""

    run_id: str
    is_running: bool
    is_published: bool
    """its manifest is there, which is written last"""
    progress: Progress
    executions: tuple[Attempt, ...]
    """the newest first"""

    @property
    def state(self) -> str:
        """In the words of `runs`."""
        if self.is_running:
            return RUNNING
        if self.is_published:
            return FINISHED
        status = self.executions[0].status if self.executions else None
        return (
            NOT_FINISHED if status in (None, "SUCCEEDED") else str(status).lower().replace("_", " ")
        )

    @property
    def errors(self) -> frozenset[str]:
        """Of the newest execution, as `Outcome.errors`."""
        newest = self.executions[:1]
        failed = frozenset(child.error for one in newest for child in one.failed)
        return failed or frozenset(one.error for one in newest if one.error)


def in_stack(stack: Stack, run_id: str | None) -> RunStatus:
    """Of a deployed stack; None is its last run. Raises AccountError."""
    of_run = start.executions_of_run(stack, run_id)
    run_id = of_run[0].run_id if of_run else str(run_id)
    progress = start.progress(stack, run_id)
    is_published = start.has_manifest(stack, run_id)
    if not of_run and progress.plan is None and not is_published:
        raise start.no_such_run(stack, run_id)
    client = stack.client("stepfunctions")
    with asking_aws(f"for the segments of run {run_id} that failed"):
        executions = tuple(
            Attempt.of(
                one, failed=failed_children(client, one.arn) if one.status == "FAILED" else ()
            )
            for one in of_run
        )
    return RunStatus(
        run_id=run_id,
        is_running=any(one.status == "RUNNING" for one in of_run),
        is_published=is_published,
        progress=progress,
        executions=executions,
    )


def in_directory(out: Path, run_id: str | None) -> RunStatus:
    """Of a run on this machine; None is its last one. Raises StateError or ResultsError."""
    state = StateDirectory(out)
    attempts = attempts_here(out)
    known = history(out, attempts)
    if run_id is None and known:
        run_id = known[0].run_id
    if run_id is None or run_id not in {run.run_id for run in known}:
        there = f"there are {', '.join(run.run_id for run in known)}" if known else "there is none"
        raise ResultsError(
            f"{out} has no run{f' {run_id}' if run_id else ''}: {there}. It must be where an `ops "
            "run` or `ops demo` has left its results, or a copy of a bucket"
        )
    return RunStatus(
        run_id=run_id,
        is_running=state.is_locked(),
        is_published=run_id in manifests(out),
        progress=Progress(plan=_plan(out, run_id)).with_parts(
            part.header for part in staged_parts(out, run_id)
        ),
        executions=tuple(one for one in reversed(attempts) if one.run_id == run_id),
    )


def _plan(out: Path, run_id: str) -> Plan | None:
    plan = staged_plans(out, run_id).get(run_id)
    with suppress(PlanMismatchError):
        return Plan.from_bytes(json.dumps(plan).encode()) if plan else None
    return None
