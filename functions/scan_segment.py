"""ScanSegment: appends to the log of one segment as much as one invocation has time for."""

from typing import Any

from trip_kpis.aws import clients
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.logs import logged, logger
from trip_kpis.aws.metrics import emit
from trip_kpis.aws.read_budget import Pacer
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.segment_log import Appender, SegmentLog
from trip_kpis.aws.settings import read_settings
from trip_kpis.aws.source_choice import source_of
from trip_kpis.aws.worker import SegmentWorker
from trip_kpis.core.run.plan import check_segment, check_table
from trip_kpis.core.run.requests import SegmentRequest
from trip_kpis.core.run.run_metrics import of_invocation


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Takes ``{"run_id", "plan_sha256", "segment"}`` and returns ``{"finished", "segment", …}``.

    Called until the segment is finished.
    """
    started_ms = context.get_remaining_time_in_millis()
    request, settings = SegmentRequest.from_event(event), read_settings()
    with logged(run_id=request.run_id, segment=request.segment):
        bucket = Bucket(clients.s3(), settings.bucket_name, settings.bucket_kms_key_arn)
        store = RunStore(bucket)
        plan = store.plan(request.run_id, sha256=request.plan_sha256)
        check_table(plan, settings.table_name)
        check_segment(plan, request.segment)
        worker = SegmentWorker(
            source=source_of(plan),
            log=SegmentLog(bucket=bucket, plan=plan),
            plan=plan,
            segment=request.segment,
            appender=Appender(
                invocation=context.aws_request_id, memory_mb=int(context.memory_limit_in_mb)
            ),
            pacer=Pacer.for_worker_of(plan, store.read_budget(plan)),
            remaining_ms=context.get_remaining_time_in_millis,
        )
        try:
            progress = worker.work()
            logger.info("scanned", **progress.to_json())
        finally:
            counts = worker.progress.counts
            seconds = (started_ms - context.get_remaining_time_in_millis()) / 1000
            emit(
                of_invocation(counts, seconds=seconds),
                stack_name=settings.stack_name,
                rejected=counts.rejected,
            )
    return {"segment": request.segment, **progress.to_json()}
