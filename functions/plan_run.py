"""PlanRun: freezes the run's plan and says which segments there are; of an export, in two steps."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from trip_kpis.aws import clients, table
from trip_kpis.aws.account import unreserved_executions
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.exports import Exports
from trip_kpis.aws.logs import logged, logger
from trip_kpis.aws.run_store import RunStore, frozen, resumed
from trip_kpis.aws.sampling import take_sample
from trip_kpis.aws.settings import (
    Settings,
    read_estimate_terms,
    read_run_defaults,
    read_settings,
)
from trip_kpis.core.estimate.document import estimate_document
from trip_kpis.core.estimate.planning import make_plan
from trip_kpis.core.run.plan import Plan, shuffled
from trip_kpis.core.run.requests import ExportRequest, RunRequest


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """``{"execution_name", "input"}`` -> ``{"run_id", "segments", "max_concurrency", …}``; and,
    where the run's export is complete, ``{"run_id", "export_arn", …}`` -> the same."""
    return _export_planned(event) if "run_id" in event else _run_planned(event, context)


def _run_planned(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """An earlier run's plan is kept, if it agrees with what is asked for now. An estimate writes
    nothing, and reads a sample of the table for its census."""
    request = RunRequest.from_event(event)
    settings, defaults, terms = read_settings(), read_run_defaults(), read_estimate_terms()
    with logged(run_id=request.run_id):
        found = table.describe(clients.dynamodb(), settings.table_name)
        plan = make_plan(
            request,
            defaults,
            found,
            now=datetime.now(UTC),
            terms=terms,
            lambda_limit=unreserved_executions(clients.lambda_),
        )
        store = _store(settings)
        if request.estimate_only:
            remaining_ms = context.get_remaining_time_in_millis
            sample = take_sample(clients.dynamodb(), plan, remaining_ms=remaining_ms)
            budget, estimate = plan.read_budget, estimate_document(plan, sample, terms)
            source: dict[str, Any] = {}
        else:
            if request.continues:
                plan, budget = resumed(store, plan, request, defaults, found, terms)
            else:
                plan = frozen(store, plan, request, terms)
                budget = plan.read_budget
            estimate = asdict(plan.estimate)
            source = Exports(dynamodb=clients.dynamodb(), store=store).next_step(plan)
        logger.info("planned", total_segments=plan.total_segments)
    return {
        **_answer(plan, estimate, max_concurrency=budget.max_concurrency),
        "estimate_only": request.estimate_only,
        "empty_table_confirmed": request.confirm_empty_table,
        "source": source,
    }


def _export_planned(event: dict[str, Any]) -> dict[str, Any]:
    """The segments are those of the export, which is frozen now."""
    request, settings = ExportRequest.from_event(event), read_settings()
    with logged(run_id=request.run_id):
        store = _store(settings)
        planned = store.planned(request.run_id, sha256=request.plan_sha256)
        exports = Exports(dynamodb=clients.dynamodb(), store=store)
        plan = planned.reading(exports.freeze(planned, request.export_arn))
        logger.info("planned export", total_segments=plan.total_segments, as_of=plan.as_of)
    return {
        **_answer(
            plan,
            asdict(plan.estimate),
            max_concurrency=request.max_concurrency or plan.max_concurrency,
        ),
        "estimate_only": False,
        "empty_table_confirmed": request.empty_table_confirmed,
    }


def _answer(plan: Plan, estimate: dict[str, Any], *, max_concurrency: int) -> dict[str, Any]:
    return {
        "run_id": plan.run_id,
        "plan_sha256": plan.sha256,
        "segments": shuffled(plan.total_segments, seed=plan.run_id),
        "max_concurrency": max_concurrency,
        "estimate": estimate,
    }


def _store(settings: Settings) -> RunStore:
    return RunStore(Bucket(clients.s3(), settings.bucket_name, settings.bucket_kms_key_arn))
