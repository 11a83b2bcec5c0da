"""PlanRun: writes the run's plan and returns its segments; for an export, in two steps."""

from typing import Any

from trip_kpis.aws import clients
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.logs import logged, logger
from trip_kpis.aws.planning import plan_export, plan_run
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.settings import read_settings
from trip_kpis.core.run.requests import ExportRequest, RunRequest


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Takes ``{"execution_name", "input"}`` and returns ``{"run_id", "segments", "max_concurrency",
    …}``.

    Where the run's export is complete, ``{"run_id", "plan_sha256", "export_arn", …}`` -> the same.
    """
    settings = read_settings()
    store = RunStore(Bucket(clients.s3(), settings.bucket_name, settings.bucket_kms_key_arn))
    if "run_id" in event:
        export = ExportRequest.from_event(event)
        with logged(run_id=export.run_id):
            planned = plan_export(export, store)
            logger.info("planned the export", **planned.to_log())
    else:
        request = RunRequest.from_event(event)
        with logged(run_id=request.run_id):
            planned = plan_run(request, store, settings, context)
            logger.info("planned", **planned.to_log())
    return planned.to_json()
