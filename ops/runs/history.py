"""The runs that there were, and what became of each."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from ops.local.state_directory import StateDirectory
from ops.runs.failed_children import FailedChild
from ops.runs.finished_run import FinishedRun, manifests, read_manifest
from ops.runs.marked_days import MarkedDays
from ops.runs.staging_reader import staged_plans
from ops.stack.executions import Execution
from trip_kpis.core.run.publication import Outcome

FINISHED, RUNNING, NOT_FINISHED = "finished", "running", "not finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An execution of a run, as far as it is known."""

    run_id: str
    name: str
    status: str | None = None
    """as Step Functions names it; None where nobody knows any more"""
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    error: str | None = None
    cause: str | None = None
    failed: tuple[FailedChild, ...] = ()
    """its segments that failed, where somebody asked"""

    @classmethod
    def of(cls, execution: Execution, *, failed: tuple[FailedChild, ...] = ()) -> Self:
        """As Step Functions reports of it."""
        return cls(
            run_id=execution.run_id,
            name=execution.name,
            status=execution.status,
            started_at=execution.started_at,
            stopped_at=execution.stopped_at,
            error=execution.error,
            cause=execution.cause,
            failed=failed,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """A run, finished or not."""

    run_id: str
    began_at: datetime | None
    attempts: tuple[Attempt, ...]
    """in the order of their beginning; empty where none is known"""
    finished: FinishedRun | None
    """what it came to: it stands, also while or after the run was gone through again"""

    @property
    def outcome(self) -> str:
        status = self.attempts[-1].status if self.attempts else None
        if status == "RUNNING":
            return RUNNING
        if self.finished is not None:
            return FINISHED
        if status in (None, "SUCCEEDED"):
            return NOT_FINISHED
        return str(status).replace("_", " ").lower()

    @property
    def error(self) -> str | None:
        """Of its last execution, where the run is not finished for it."""
        return self.attempts[-1].error if self.attempts and not self.finished else None

    @property
    def seconds(self) -> str | None:
        """From its beginning to its end, over all attempts, as far as that is known."""
        if self.finished is not None:
            return self.finished.seconds
        ended_at = self.attempts[-1].stopped_at if self.attempts else None
        if self.began_at is None or ended_at is None:
            return None
        return str(round((ended_at - self.began_at).total_seconds(), 3))

    @property
    def marked(self) -> MarkedDays | None:
        """Its days that were open or shrank."""
        return MarkedDays.of_run(self.finished) if self.finished else None

    def days(self, outcome: str) -> int:
        return sum(day.outcome == outcome for day in self.finished.days) if self.finished else 0

    def to_json(self) -> dict[str, Any]:
        """Numbers that are no counts are text, as in the manifest. What a run has not come to is
        null."""
        run, marked = self.finished, self.marked
        return {
            "run_id": self.run_id,
            "began_at": self.began_at and self.began_at.isoformat(),
            "outcome": self.outcome,
            "error": self.error,
            "seconds": self.seconds,
            "trips": run and run.counted,
            "total_fare": run and run.total_fare,
            **{f"days_{outcome}": run and self.days(outcome) for outcome in Outcome},
            "days_open": marked and marked.days_open,
            "days_shrank": marked and marked.days_shrank,
            "warnings": list(marked.warnings) if marked else None,
            "rejected": run and run.rejected_in_all,
            "read_units": run and run.read_units,
            "cost_usd": run and run.cost_usd["total"],
            "executions": [attempt.name for attempt in self.attempts],
        }


def attempts_here(out: Path) -> list[Attempt]:
    """As the state of a directory remembers them; none in a copy of a bucket, which has no state.

    Raises StateError.
    """
    state = StateDirectory(out)
    return [
        Attempt(
            run_id=one.run_id,
            name=one.name,
            status=one.status or None,
            error=one.error or None,
            cause=one.cause or None,
            failed=one.failed,
        )
        for one in (state.executions() if state.exists else ())
        if one.input.get("estimate_only") is not True
    ]


def history(out: Path, attempts: Sequence[Attempt]) -> tuple[PastRun, ...]:
    """Every run of `out`, and every run of which there was an attempt, the newest first.

    `attempts` are in the order of their beginning. Raises ResultsError for a manifest that cannot
    be read.
    """
    finished = {run_id: read_manifest(file) for run_id, file in manifests(out).items()}
    plans = staged_plans(out)
    attempted = dict.fromkeys(attempt.run_id for attempt in reversed(attempts))
    runs = []
    for run_id in dict.fromkeys([*attempted, *finished, *plans]):
        of_run = tuple(attempt for attempt in attempts if attempt.run_id == run_id)
        run = finished.get(run_id)
        planned_at = run.planned_at if run else _planned_at(plans.get(run_id, {}))
        # Only an execution of the run's own name has begun it: another may have been forgotten.
        began = [one.started_at for one in of_run if one.name == run_id]
        runs.append(
            PastRun(
                run_id=run_id,
                began_at=next((at for at in (*began, planned_at) if at is not None), None),
                attempts=of_run,
                finished=run,
            )
        )
    # One without a plan was killed just now, or is about to be planned.
    now = datetime.max.replace(tzinfo=UTC)
    return tuple(sorted(runs, key=lambda run: run.began_at or now, reverse=True))


def _planned_at(plan: Any) -> datetime | None:
    with suppress(KeyError, TypeError, ValueError):
        planned_at = datetime.fromisoformat(plan["planned_at"])
        return planned_at if planned_at.tzinfo else None
    return None
