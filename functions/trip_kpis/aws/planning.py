"""The work of PlanRun: the plan of a run, and, once its export is complete, what the run reads of
it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from trip_kpis.aws import clients, table
from trip_kpis.aws.account import unreserved_executions
from trip_kpis.aws.export_planning import Exports
from trip_kpis.aws.run_store import RunStore, frozen, resumed
from trip_kpis.aws.sampling import take_sample
from trip_kpis.aws.settings import Settings, read_estimate_terms, read_run_defaults
from trip_kpis.core.estimate.comparison import Comparison
from trip_kpis.core.estimate.document import estimate_document
from trip_kpis.core.estimate.planning import make_plan
from trip_kpis.core.run.plan import Plan, shuffled
from trip_kpis.core.run.requests import ExportRequest, RunRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """PlanRun's result, which decides what the state machine does next."""

    plan: Plan
    max_concurrency: int
    empty_table_confirmed: bool
    source: Mapping[str, Any] = field(default_factory=dict)
    """what the state machine must do before the segments are known; see `Exports.next_step`"""
    estimate: Mapping[str, Any] | None = None
    """the estimate of the table; None: no estimate was asked for"""

    def to_json(self) -> dict[str, Any]:
        """Returns PlanRun's output."""
        return {
            "run_id": self.plan.run_id,
            "plan_sha256": self.plan.sha256,
            "segments": shuffled(self.plan.total_segments, seed=self.plan.run_id),
            "max_concurrency": self.max_concurrency,
            "estimate": self.estimate or asdict(self.plan.estimate),
            "estimate_only": self.estimate is not None,
            "empty_table_confirmed": self.empty_table_confirmed,
            "source": dict(self.source),
        }

    def to_log(self) -> dict[str, Any]:
        return {"total_segments": self.plan.total_segments, "as_of": self.plan.as_of}


def plan_run(request: RunRequest, store: RunStore, settings: Settings, context: Any) -> Planned:
    """Plans a run; keeps an earlier plan of the run if it agrees with the new request. An estimate
    writes nothing, and reads a sample of the table for its census.

    `context` is the invocation's.
    """
    defaults, terms = read_run_defaults(), read_estimate_terms()
    dynamodb = clients.dynamodb()
    found = table.describe(dynamodb, settings.table_name)
    now, lambda_limit = datetime.now(UTC), unreserved_executions(clients.lambda_)
    confirmed = request.confirm_empty_table
    if request.estimate_only:
        plans = Comparison.of(
            request,
            defaults,
            found,
            recovery=table.recovery_if_known(dynamodb, settings.table_name),
            now=now,
            terms=terms,
            lambda_limit=lambda_limit,
        )
        remaining_ms = context.get_remaining_time_in_millis
        sample = take_sample(dynamodb, plans.scan, remaining_ms=remaining_ms)
        return Planned(
            plan=plans.asked,
            max_concurrency=plans.asked.max_concurrency,
            empty_table_confirmed=confirmed,
            estimate=estimate_document(plans, sample, terms),
        )
    plan = make_plan(request, defaults, found, now=now, terms=terms, lambda_limit=lambda_limit)
    if request.continues:
        plan, budget = resumed(store, plan, request, defaults, found, terms)
    else:
        plan = frozen(store, plan, request, terms)
        budget = plan.read_budget
    return Planned(
        plan=plan,
        max_concurrency=budget.max_concurrency,
        empty_table_confirmed=confirmed,
        source=Exports(dynamodb=dynamodb, store=store).next_step(plan, table_id=found.table_id),
    )


def plan_export(request: ExportRequest, store: RunStore) -> Planned:
    """Returns the segments of the export, which is recorded now unless it was before."""
    planned = store.plan_without_export(request.run_id, sha256=request.plan_sha256)
    exports = Exports(dynamodb=clients.dynamodb(), store=store)
    plan = planned.with_export(exports.freeze(planned, request.export_arn))
    return Planned(
        plan=plan,
        max_concurrency=request.max_concurrency or plan.max_concurrency,
        empty_table_confirmed=request.empty_table_confirmed,
    )
