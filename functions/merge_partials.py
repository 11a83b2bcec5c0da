"""MergePartials: proves that the run is whole, publishes its days, writes the manifest last."""

from datetime import UTC, datetime
from typing import Any

from trip_kpis.aws import clients, table
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.later_runs import later_runs
from trip_kpis.aws.lease import PublishingLease
from trip_kpis.aws.logs import logged, logger
from trip_kpis.aws.metrics import emit
from trip_kpis.aws.publishing import Publisher
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.segment_log import SegmentLog
from trip_kpis.aws.settings import read_merge_settings, read_settings
from trip_kpis.core.run.days import DayTotals, days
from trip_kpis.core.run.manifest import Finished, check_quality, manifest, measured, summary
from trip_kpis.core.run.plan import check_table, check_table_id
from trip_kpis.core.run.proof import prove
from trip_kpis.core.run.publication import Judge
from trip_kpis.core.run.requests import MergeRequest
from trip_kpis.core.run.run_metrics import of_proof


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """``{"run_id", "plan_sha256", "empty_table_confirmed"}`` -> the run's summary."""
    request = MergeRequest.from_event(event)
    settings, terms = read_settings(), read_merge_settings()
    with logged(run_id=request.run_id):
        bucket = Bucket(clients.s3(), settings.bucket_name, settings.bucket_kms_key_arn)
        plan = RunStore(bucket).plan(request.run_id, sha256=request.plan_sha256)
        check_table(plan, settings.table_name)
        check_table_id(plan, table.table_id(clients.dynamodb(), settings.table_name))

        totals = DayTotals()
        proof = prove(plan, totals.headers_of(SegmentLog(bucket=bucket, plan=plan).parts()))
        emit(of_proof(proof.counts), stack_name=settings.stack_name)
        check_quality(proof.counts, max_rejected_share=terms.max_rejected_share)
        figures = days(totals.frame(), counted=proof.counts.counted)

        with PublishingLease.of_invocation(context, bucket=bucket, run_id=plan.run_id).held():
            judge = Judge(
                plan=plan,
                terms=terms.publishing,
                later=later_runs(bucket, plan, now=datetime.now(UTC)),
                now=datetime.now(UTC),
                empty_table_confirmed=request.empty_table_confirmed,
            )
            run = Finished(
                plan=plan,
                proof=proof,
                days=figures,
                publication=Publisher(bucket=bucket, judge=judge).publish(figures),
                finished_at=datetime.now(UTC),
            )
            RunStore(bucket).put_manifest(plan, manifest(run))
        logger.info("published", **summary(run))
        emit(measured(run), stack_name=settings.stack_name)
    return summary(run)
