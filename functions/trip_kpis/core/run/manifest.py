"""What a run leaves besides its days: the manifest, the summary, and the gate before them."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from trip_kpis import __version__
from trip_kpis.core.errors import NothingCountedError, TooManyRejectedError
from trip_kpis.core.items.fares import EXACT
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.prices import Cost, cost
from trip_kpis.core.run.days import DayKpis, json_number
from trip_kpis.core.run.plan import Plan
from trip_kpis.core.run.proof import Proof
from trip_kpis.core.run.publication import Outcome, Publication
from trip_kpis.core.run.run_metrics import Measure

_LIES_THERE = {Outcome.PUBLISHED, Outcome.UNCHANGED}
"""the object that is there has this run's bytes"""

_DAYS_LISTED = 20
"""in a summary, the latest of them: it is part of the state machine's state; the manifest has
all"""

_FARES = ("total_fare", "average_fare", "max_fare", "min_fare")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A run whose every day is published."""

    plan: Plan
    proof: Proof
    days: Sequence[DayKpis]
    publication: Publication
    finished_at: datetime

    @property
    def seconds(self) -> float:
        """From the plan to the last day; over all attempts, where a run was continued."""
        return round(
            (self.finished_at - datetime.fromisoformat(self.plan.planned_at)).total_seconds(), 3
        )

    @property
    def total_fare(self) -> Decimal:
        total = Decimal(0)
        for day in self.days:
            total = EXACT.add(total, day.total_fare)
        return total

    @property
    def days_published(self) -> int:
        """Days that this run has written."""
        return sum(outcome is Outcome.PUBLISHED for outcome in self.publication.outcomes.values())

    @property
    def cost(self) -> Cost:
        segments = self.proof.segments
        return cost(
            read_units=self.proof.counts.read_units,
            gb_seconds=sum(segment.gb_seconds for segment in segments),
            segments=len(segments),
            invocations=sum(segment.invocations for segment in segments),
            parts=sum(segment.parts for segment in segments),
            days=len(self.days),
            usd_per_read_unit=self.plan.estimate.usd_per_read_unit,
        )


def check_quality(counts: Counts, *, max_rejected_share: Decimal) -> None:
    """The gate before publishing: raises TooManyRejectedError or NothingCountedError."""
    check_rejected_share(counts, tolerated=max_rejected_share)
    check_something_counts(counts)


def check_rejected_share(counts: Counts, *, tolerated: Decimal) -> None:
    """The quality gate: raises TooManyRejectedError above the `tolerated` share of trips."""
    if counts.rejects_more_than(tolerated):
        completed = counts.rejected_in_all + counts.counted
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(counts.rejected.items()))
        raise TooManyRejectedError(
            f"{counts.rejected_in_all} of {completed} completed trips were rejected ({reasons}), "
            f"more than the share of {tolerated} that MaxRejectedShare tolerates; nothing was "
            "published. Look at them under quarantine/, then fix the trips and start a new run, "
            "or raise MaxRejectedShare and redrive this one"
        )


def check_something_counts(counts: Counts) -> None:
    """Raises NothingCountedError where there are items and none of them counts: a wrong attribute
    path looks like that, and readers would see old figures for ever."""
    if counts.scanned and not counts.counted:
        raise NothingCountedError(
            f"none of the {counts.scanned} items of the table counts ({counts.incomplete} are "
            f"incomplete, {counts.rejected_in_all} are rejected); nothing was published. Check "
            "whether FareAttribute and EstimatedFareAttribute name the table's attributes: an "
            'execution with the input {"estimate_only": true} lists those that its items have. '
            "Then start a new run"
        )


def summary(run: Finished) -> dict[str, Any]:
    """MergePartials' output. `total_fare` is a String: JSON numbers on their way through the state
    machine are doubles."""
    counts, days = run.proof.counts, Counter(run.publication.outcomes.values())
    return {
        "run_id": run.plan.run_id,
        **{f"days_{outcome}": days[outcome] for outcome in Outcome},
        "days_open": len(run.publication.open_days),
        "open_days": [day.isoformat() for day in sorted(run.publication.open_days)[-_DAYS_LISTED:]],
        "days_shrank": len(run.publication.shrank),
        "shrank_days": _shrank(run)[-_DAYS_LISTED:],
        "trips": counts.counted,
        "total_fare": json_number(run.total_fare),
        "scanned": counts.scanned,
        "incomplete": counts.incomplete,
        "rejected": {str(reason): n for reason, n in sorted(counts.rejected.items())},
        "counted": counts.counted,
        "segments": len(run.proof.segments),
        "parts": sum(segment.parts for segment in run.proof.segments),
        "invocations": sum(segment.invocations for segment in run.proof.segments),
        "segments_by_invocations": {
            str(invocations): segments
            for invocations, segments in sorted(
                Counter(segment.invocations for segment in run.proof.segments).items()
            )
        },
        "pages": counts.pages,
        "read_units": counts.read_units,
        "throttles": dict(sorted(counts.throttles.items())),
        "cost_usd": run.cost.to_json(),
        "seconds": run.seconds,
        "max_concurrency": run.plan.max_concurrency,
        "limited_by": run.plan.limited_by,
        "warnings": [*run.plan.warnings, *run.publication.warnings],
    }


def _shrank(run: Finished) -> list[dict[str, Any]]:
    now = {day.day: day.trip_count for day in run.days}
    return [
        {"date": day.isoformat(), "published": published, "now": now[day]}
        for day, published in sorted(run.publication.shrank.items())
    ]


def measured(run: Finished) -> Mapping[Measure, float]:
    """What the dashboard shows of a run that has published its days."""
    pages = [segment.counts.pages for segment in run.proof.segments]
    return {
        Measure.INVOCATIONS_PER_SEGMENT: max(one.invocations for one in run.proof.segments),
        Measure.SEGMENT_SKEW: max(pages) / (sum(pages) / len(pages)),
        Measure.COST_USD: run.cost.total,
        Measure.DAYS_PUBLISHED: run.days_published,
    }


def manifest(run: Finished) -> bytes:
    """``runs/run=<run_id>/manifest.json``: the proof, on one line for Athena's JSON SerDe."""
    plan = run.plan
    figures = {day.day: day for day in run.days}
    document = {
        **summary(run),
        "schema_version": plan.schema_version,
        "code_version": __version__,
        "table_arn": plan.table_arn,
        "table_id": plan.table_id,
        "plan_sha256": plan.sha256,
        "planned_at": plan.planned_at,
        "finished_at": run.finished_at.isoformat(timespec="microseconds"),
        "days": [
            {
                **_day(day, outcome, figures.get(day)),
                "open": day in run.publication.open_days,
                "published_trip_count": run.publication.shrank.get(day),
            }
            for day, outcome in sorted(run.publication.outcomes.items())
        ],
        "by_segment": [
            {
                "segment": segment.segment,
                "parts": segment.parts,
                "invocations": segment.invocations,
                **segment.counts.to_json(),
                "worker_ms": segment.worker_ms,
                "quarantine_keys": list(segment.quarantine_keys),
            }
            for segment in run.proof.segments
        ],
    }
    return (json.dumps(document, separators=(",", ":")) + "\n").encode()


def _day(day: date, outcome: Outcome, figures: DayKpis | None) -> dict[str, Any]:
    """What became of the day, and the run's own figures of it, whoever's are published: fares as
    Strings, like `total_fare`, of the characters that `kpi.json` has. null where it has no trips.
    """
    return {
        "date": day.isoformat(),
        "outcome": str(outcome),
        "sha256": hashlib.sha256(figures.to_bytes()).hexdigest()
        if figures and outcome in _LIES_THERE
        else None,
        "trip_count": figures and figures.trip_count,
        **{name: figures and json_number(getattr(figures, name)) for name in _FARES},
    }
