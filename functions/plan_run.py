"""PlanRun: freezes the run's plan and says which segments there are."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from trip_kpis.aws import calls, table
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.logs import logged, logger
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.settings import read_run_defaults, read_settings
from trip_kpis.core.agreement import check_agreement
from trip_kpis.core.plan import make_plan
from trip_kpis.core.requests import RunRequest
from trip_kpis.core.segments import shuffled


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """``{"execution_name", "input"}`` -> ``{"run_id", "segments", "max_concurrency", …}``.

    An earlier run's plan is kept, if it agrees with what is asked for now. An estimate writes
    nothing.
    """
    request = RunRequest.from_event(event)
    settings, defaults = read_settings(), read_run_defaults()
    with logged(run_id=request.run_id):
        description = table.describe(calls.dynamodb(), settings.table_name)
        plan = wanted = make_plan(request, defaults, description, now=datetime.now(UTC))
        if not request.estimate_only:
            store = RunStore(Bucket(calls.s3(), settings.bucket_name))
            plan = store.plan(plan.run_id) if request.continues else store.freeze(plan)
            check_agreement(plan, wanted, request)
        logger.info("planned", total_segments=plan.total_segments)
    return {
        "run_id": plan.run_id,
        "segments": shuffled(plan.total_segments, seed=plan.run_id),
        "max_concurrency": (wanted if request.max_concurrency else plan).max_concurrency,
        "estimate": asdict(plan.estimate),
        "estimate_only": request.estimate_only,
    }
