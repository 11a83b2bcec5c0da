"""MergePartials: proves that the run is complete, publishes its days, and writes the manifest
last."""

from datetime import UTC, datetime
from typing import Any

from trip_kpis.aws import clients
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.later_runs import later_runs
from trip_kpis.aws.lease import PublishingLease
from trip_kpis.aws.logs import logged, logger
from trip_kpis.aws.metrics import emit
from trip_kpis.aws.publishing import publish
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.segment_log import SegmentLog
from trip_kpis.aws.settings import read_merge_settings, read_settings
from trip_kpis.aws.table import check_same_table
from trip_kpis.core.run.manifest import Finished, manifest, measured, summary
from trip_kpis.core.run.proof import Chains
from trip_kpis.core.run.publication import Judge
from trip_kpis.core.run.quality import check_quality
from trip_kpis.core.run.requests import MergeRequest
from trip_kpis.core.run.run_metrics import of_proof
from trip_kpis.core.run.totals import Totals, published


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Takes ``{"run_id", "plan_sha256", "empty_table_confirmed"}`` and returns the run's
    summary."""
    request, settings, terms = (
        MergeRequest.from_event(event),
        read_settings(),
        read_merge_settings(),
    )
    with logged(run_id=request.run_id):
        bucket = Bucket(clients.s3(), settings.bucket_name, settings.bucket_kms_key_arn)
        plan = RunStore(bucket).plan(request.run_id, sha256=request.plan_sha256)
        check_same_table(plan, clients.dynamodb(), settings.table_name)

        chains, totals = Chains(plan), Totals(plan.definition)
        for header, table in SegmentLog(bucket=bucket, plan=plan).parts():
            chains.add(header)
            totals.add(table)
        proof = chains.proof()
        emit(of_proof(proof.counts), stack_name=settings.stack_name)
        check_quality(proof.counts, max_rejected_share=terms.max_rejected_share)
        figures = published(totals.table(), plan.definition, counted=proof.counts.counted)

        with PublishingLease.of_invocation(context, bucket=bucket, run_id=plan.run_id).held():
            publication, breakdowns = publish(
                figures,
                bucket=bucket,
                judge=Judge(
                    plan=plan,
                    terms=terms.publishing,
                    later=later_runs(bucket, plan, now=datetime.now(UTC)),
                    now=datetime.now(UTC),
                    empty_table_confirmed=request.empty_table_confirmed,
                ),
            )
            run = Finished(
                plan=plan,
                proof=proof,
                figures=figures,
                publication=publication,
                breakdowns=breakdowns,
                finished_at=datetime.now(UTC),
            )
            RunStore(bucket).put_manifest(plan, manifest(run).to_bytes())
        logger.info("published", **summary(run))
        emit(measured(run), stack_name=settings.stack_name)
    return summary(run)
