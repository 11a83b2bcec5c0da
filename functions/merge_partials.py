"""MergePartials: proves that the run is whole, publishes its days, writes the manifest last."""

from datetime import UTC, datetime
from typing import Any

from trip_kpis.aws import calls
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.logs import logged, logger
from trip_kpis.aws.metrics import emit
from trip_kpis.aws.publishing import Publisher
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.segment_log import SegmentLog
from trip_kpis.aws.settings import read_merge_settings, read_settings
from trip_kpis.core.agreement import check_table
from trip_kpis.core.kpis import DayTotals, days
from trip_kpis.core.measures import of_proof
from trip_kpis.core.proof import prove
from trip_kpis.core.requests import MergeRequest
from trip_kpis.core.results import (
    Finished,
    check_rejected_share,
    check_removal,
    manifest,
    measured,
    summary,
)


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """``{"run_id"}`` -> the run's summary."""
    request = MergeRequest.from_event(event)
    settings, terms = read_settings(), read_merge_settings()
    with logged(run_id=request.run_id):
        bucket = Bucket(calls.s3(), settings.bucket_name)
        store = RunStore(bucket)
        plan = store.plan(request.run_id)
        check_table(plan, settings.table_name)

        totals = DayTotals()
        proof = prove(plan, totals.headers_of(SegmentLog(bucket=bucket, plan=plan).parts()))
        emit(of_proof(proof.tally), stack_name=settings.stack_name)
        check_rejected_share(proof.tally, tolerated=terms.max_rejected_share)
        check_removal(proof.tally, remove_vanished_days=terms.remove_vanished_days)
        figures = days(totals.frame(), counted=proof.tally.counted)

        outcomes = Publisher(
            bucket=bucket,
            plan=plan,
            earlier_run_may_publish=store.earlier_run_may_publish(plan),
            later_run_has_removed=terms.remove_vanished_days
            and store.later_run_has_published(plan),
        ).publish(figures, remove_vanished=terms.remove_vanished_days)
        run = Finished(
            plan=plan, proof=proof, days=figures, outcomes=outcomes, finished_at=datetime.now(UTC)
        )
        store.put_manifest(plan, manifest(run))
        logger.info("published", **summary(run))
        emit(measured(run), stack_name=settings.stack_name)
    return summary(run)
