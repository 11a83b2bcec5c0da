"""Chooses the source that a plan names; the only module that knows all sources."""

from trip_kpis.aws import clients
from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.export_files import ExportFiles
from trip_kpis.aws.scan import TableScan
from trip_kpis.aws.source import Source
from trip_kpis.core.run.plan import Plan


def source_of(plan: Plan) -> Source:
    """Returns the source that the workers of the plan's run read."""
    if plan.export is not None:
        bucket = Bucket(clients.s3(), plan.export.bucket)
        return ExportFiles(bucket=bucket, plan=plan, export=plan.export)
    return TableScan(clients.dynamodb(), plan)
