"""ScanSegment: appends to one segment's log what one invocation has time for."""

from typing import Any

from trip_kpis.aws import calls
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.logs import logged, logger
from trip_kpis.aws.metrics import emit
from trip_kpis.aws.pacing import Pacer
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.segment_log import Appender, SegmentLog
from trip_kpis.aws.segment_worker import SegmentWorker
from trip_kpis.aws.settings import read_settings
from trip_kpis.core.agreement import check_segment, check_table
from trip_kpis.core.measures import of_invocation
from trip_kpis.core.requests import SegmentRequest


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """``{"run_id", "plan_sha256", "segment"}`` -> ``{"finished", "segment", …}``.

    Called until the segment is finished.
    """
    started_ms = context.get_remaining_time_in_millis()
    request, settings = SegmentRequest.from_event(event), read_settings()
    with logged(run_id=request.run_id, segment=request.segment):
        bucket = Bucket(calls.s3(), settings.bucket_name, settings.bucket_kms_key_arn)
        store = RunStore(bucket)
        plan = store.plan(request.run_id, sha256=request.plan_sha256)
        check_table(plan, settings.table_name)
        check_segment(plan, request.segment)
        worker = SegmentWorker(
            dynamodb=calls.dynamodb(),
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
            tally = worker.progress.tally
            seconds = (started_ms - context.get_remaining_time_in_millis()) / 1000
            emit(
                of_invocation(tally, seconds=seconds),
                stack_name=settings.stack_name,
                rejected=tally.rejected,
            )
    return {"segment": request.segment, **progress.to_json()}
