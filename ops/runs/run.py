"""A run, finished or not, and the list of the runs."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.runs.execution import RUNNING as EXECUTING
from ops.runs.execution import SUCCEEDED, Execution
from ops.runs.finished_run import FinishedRun, manifests, read_manifest
from ops.runs.marked_days import MarkedDays
from ops.runs.run_log import Progress
from ops.runs.staging_reader import staged_plans
from ops.runs.storage import Directory
from trip_kpis.core.run.outcome import Outcome

FINISHED, RUNNING, NOT_FINISHED = "finished", "running", "not finished"
SUPERSEDED = "it cannot be resumed, because a later run has replaced its trips; start a new run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is known about a run."""

    run_id: str
    began_at: datetime | None = None
    executions: tuple[Execution, ...] = ()
    """the newest first; empty if none is known"""
    finished: FinishedRun | None = None
    """its manifest, which stays while the run is repeated and after that"""
    progress: Progress | None = None
    """the progress of its segments, if their logs were read"""
    is_superseded: bool = False
    """whether it is not finished and cannot be resumed, because a later run has replaced its
    table"""

    @property
    def is_running(self) -> bool:
        return any(one.status == EXECUTING for one in self.executions)

    @property
    def status(self) -> str:
        """Returns FINISHED, RUNNING, NOT_FINISHED, or how its last execution ended: "failed"."""
        if self.is_running:
            return RUNNING
        if self.finished is not None:
            return FINISHED
        ended = self.executions[0].status if self.executions else None
        if ended in (None, SUCCEEDED):
            return NOT_FINISHED
        return str(ended).replace("_", " ").lower()

    @property
    def error(self) -> str | None:
        """Returns the error of its last execution, because of which the run is not finished."""
        return self.executions[0].error if self.executions and not self.finished else None

    @property
    def errors(self) -> frozenset[str]:
        """Returns the errors of its last execution and its segments."""
        return self.executions[0].errors if self.executions else frozenset()

    @property
    def seconds(self) -> str | None:
        """Returns the seconds from its beginning to its end, over all executions, as far as that is
        known."""
        if self.finished is not None:
            return self.finished.seconds
        ended_at = self.executions[0].stopped_at if self.executions else None
        if self.began_at is None or ended_at is None:
            return None
        return str(round((ended_at - self.began_at).total_seconds(), 3))

    @property
    def marked(self) -> MarkedDays | None:
        """Returns its days that were open or shrank."""
        return MarkedDays.of_run(self.finished) if self.finished else None

    def days(self, outcome: str) -> int:
        return sum(day.outcome == outcome for day in self.finished.days) if self.finished else 0

    def to_json(self) -> dict[str, Any]:
        """Returns the fields of `runs --json`. Numbers that are no counts are text, as in the
        manifest. What a run has not come to is null."""
        run, marked = self.finished, self.marked
        return {
            **self._head(),
            "trips": run and run.counted,
            "total_fare": run and run.totals.get("total_fare"),
            "totals": run and run.totals,
            "definition": run and run.definition,
            "excluded": run and run.excluded,
            **{f"days_{outcome}": run and self.days(outcome) for outcome in Outcome},
            "days_open": marked and marked.days_open,
            "days_shrank": marked and marked.days_shrank,
            "warnings": list(marked.warnings) if marked else None,
            "rejected": run and run.rejected,
            "read_units": run and run.read_units,
            "cost_usd": run and run.cost_usd["total"],
        }

    def progress_to_json(self) -> dict[str, Any]:
        """Returns the fields of `status --json`, with the content of its segments' logs."""
        progress = self.progress or Progress()
        return {
            **self._head(),
            "segments": progress.segments,
            "segments_begun": len(progress.begun),
            "segments_finished": len(progress.finished),
            "parts": progress.parts,
            "expected_items": progress.expected_items,
            **progress.counts.to_json(),
            **(self.marked.to_json() if self.marked else {}),
        }

    def _head(self) -> dict[str, Any]:
        return {
            "run_id": self.run_id,
            "began_at": self.began_at and self.began_at.isoformat(),
            "status": self.status,
            "error": self.error,
            "seconds": self.seconds,
            "executions": [execution.to_json() for execution in self.executions],
        }


def runs_in(out: Path, executions: Sequence[Execution]) -> tuple[Run, ...]:
    """Returns every run of `out`, and every run of one of the `executions`, the newest first.

    `executions` are in the order of their beginning. Raises ResultsError for a manifest that cannot
    be read.
    """
    finished = {run_id: read_manifest(file) for run_id, file in manifests(out).items()}
    plans = staged_plans(Directory(out))
    newest_first = tuple(reversed(executions))
    runs = []
    for run_id in dict.fromkeys([*(one.run_id for one in newest_first), *finished, *plans]):
        of_run = tuple(one for one in newest_first if one.run_id == run_id)
        run = finished.get(run_id)
        planned_at = run.planned_at if run else _planned_at(plans.get(run_id, {}))
        runs.append(
            Run(
                run_id=run_id,
                began_at=began_at(run_id, of_run, planned_at),
                executions=of_run,
                finished=run,
            )
        )
    # One without a plan was killed just now, or is about to be planned.
    now = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(runs, key=lambda run: run.began_at or now, reverse=True))


def began_at(
    run_id: str, executions: Sequence[Execution], planned_at: datetime | None
) -> datetime | None:
    """Returns when the run began: only an execution with the run's own name has begun it, and that
    one may have been forgotten."""
    began = [one.started_at for one in executions if one.name == run_id]
    return next((at for at in (*began, planned_at) if at is not None), None)


def _planned_at(plan: Any) -> datetime | None:
    with suppress(KeyError, TypeError, ValueError):
        planned_at = datetime.fromisoformat(plan["planned_at"])
        return planned_at if planned_at.tzinfo else None
    return None
