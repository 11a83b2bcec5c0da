"""PlanRun: freezes the run's plan and says which segments there are."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from trip_kpis.aws import clients, table
from trip_kpis.aws.account import unreserved_executions
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.logs import logged, logger
from trip_kpis.aws.run_store import RunStore, frozen, resumed
from trip_kpis.aws.sampling import take_sample
from trip_kpis.aws.settings import read_estimate_terms, read_run_defaults, read_settings
from trip_kpis.core.estimate.document import estimate_document
from trip_kpis.core.estimate.planning import make_plan
from trip_kpis.core.run.plan import shuffled
from trip_kpis.core.run.requests import RunRequest


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """``{"execution_name", "input"}`` -> ``{"run_id", "segments", "max_concurrency", …}``.

    An earlier run's plan is kept, if it agrees with what is asked for now. An estimate writes
    nothing, and reads a sample of the table for its census.
    """
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
        store = RunStore(Bucket(clients.s3(), settings.bucket_name, settings.bucket_kms_key_arn))
        if request.estimate_only:
            remaining_ms = context.get_remaining_time_in_millis
            sample = take_sample(clients.dynamodb(), plan, remaining_ms=remaining_ms)
            budget, estimate = plan.read_budget, estimate_document(plan, sample, terms)
        elif request.continues:
            plan, budget = resumed(store, plan, request, defaults, found, terms)
            estimate = asdict(plan.estimate)
        else:
            plan = frozen(store, plan, request, terms)
            budget, estimate = plan.read_budget, asdict(plan.estimate)
        logger.info("planned", total_segments=plan.total_segments)
    return {
        "run_id": plan.run_id,
        "plan_sha256": plan.sha256,
        "segments": shuffled(plan.total_segments, seed=plan.run_id),
        "max_concurrency": budget.max_concurrency,
        "estimate": estimate,
        "estimate_only": request.estimate_only,
        "empty_table_confirmed": request.confirm_empty_table,
    }
