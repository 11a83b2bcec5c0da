"""The export of a run: checks that it can be made, whether it is complete, and what it contains."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trip_kpis.aws.bucket import Bucket
from trip_kpis.aws.clients import aws_call, check_answer
from trip_kpis.aws.run_store import RunStore
from trip_kpis.aws.table import recovery_is_on
from trip_kpis.core import layout
from trip_kpis.core.errors import (
    CorruptExportError,
    ExportFailedError,
    ExportNotFoundError,
    InputError,
    PointInTimeRecoveryError,
    TransientError,
)
from trip_kpis.core.export import manifests
from trip_kpis.core.export.frozen import FrozenExport, freeze
from trip_kpis.core.export.manifests import Address
from trip_kpis.core.run.plan import SCAN, Plan, check_table_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """The calls about exports that planning a run needs. Every method raises what `aws_call` raises
    besides its own."""

    dynamodb: Any
    store: RunStore

    def next_step(self, plan: Plan, *, table_id: str) -> dict[str, Any]:
        """Returns what the state machine does between the plan and the segments: ``step`` is the
        choice, the rest is what that state needs. `table_id` is the table's id now.

        A resumed run continues with the export that it started, however long ago that was.

        Raises PointInTimeRecoveryError if the run would start an export and cannot, and
        PlanMismatchError if that would be of another table than the plan's.
        """
        if plan.source == SCAN:
            return {"step": "scan", "arn": None}
        if self.store.has_export(plan) or plan.export_manifest:
            return {"step": "plan", "arn": None}
        arn = plan.export_arn or self._begun(plan)
        if arn:
            return {"step": "describe", "arn": arn}
        check_table_id(plan, table_id)
        self._check_recovery(plan)
        key_arn = self.store.bucket.kms_key_arn
        return {
            "step": "start_with_key" if key_arn else "start",
            "arn": None,
            "table_arn": plan.table_arn,
            "bucket": self.store.bucket.name,
            "prefix": layout.exports_prefix(plan.run_id),
            # The same request within eight hours is the same export.
            "token": hashlib.sha256(plan.sha256.encode()).hexdigest()[:32],
            "kms_key_arn": key_arn or None,
        }

    def freeze(self, plan: Plan, arn: str | None) -> FrozenExport:
        """Records what the run reads, unless that is already recorded; `arn` is the export's, if it
        has one.

        Raises ExportFailedError, ExportNotFoundError, CorruptExportError, or InputError for an
        export of something else than the plan's table.
        """
        if self.store.has_export(plan):
            return self.store.export(plan)
        address = self._described(arn) if arn else Address.of_url(plan.export_manifest or "")
        bucket = Bucket(self.store.bucket.client, address.bucket)
        summary_url, files_url = bucket.url(address.summary_key), bucket.url(address.files_key)
        summary = manifests.read_summary(_manifest(bucket, address.summary_key), url=summary_url)
        if plan.makes_export:
            check_table_id(plan, summary.table_id)
        if summary.table_id != plan.table_id:
            raise InputError(
                f"the export {summary_url} is of the table {summary.table_arn} (id "
                f"{summary.table_id}), and the run was planned for the table {plan.table_arn} (id "
                f"{plan.table_id}): name an export of this table"
            )
        files = manifests.read_files(_manifest(bucket, address.files_key), summary, url=files_url)
        return self.store.freeze_export(
            plan,
            freeze(
                summary,
                files,
                address=address,
                plan_sha256=plan.sha256,
                most_segments=plan.total_segments,
            ),
        )

    def _begun(self, plan: Plan) -> str | None:
        """Returns the ARN of the export that the run has started; None if it has started none.

        DynamoDB writes an object under the export's id at once.
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
        """
        for key in self.store.bucket.keys(f"{layout.exports_prefix(plan.run_id)}/"):
            if export_id := layout.export_at(key):
                return f"{plan.table_arn}/export/{export_id}"
        return None

    def _check_recovery(self, plan: Plan) -> None:
        if not recovery_is_on(self.dynamodb, plan.table_name):
            raise PointInTimeRecoveryError(
                f"the table {plan.table_name} cannot be exported: its point-in-time recovery is "
                "off, and nothing was begun. Turn it on (aws dynamodb update-continuous-backups "
                f"--table-name {plan.table_name} --point-in-time-recovery-specification "
                "PointInTimeRecoveryEnabled=true; it costs about 0.20 USD a GB and month), or run "
                "with source scan"
            )

    def _described(self, arn: str) -> Address:
        """Returns the place of the export, which DynamoDB must report as complete."""
        with aws_call("dynamodb:DescribeExport", arn):
            answer = self.dynamodb.describe_export(ExportArn=arn)
            check_answer(answer, "ExportDescription")
            export: Mapping[str, Any] = answer["ExportDescription"]
            check_answer(export, "ExportStatus")
        status = export["ExportStatus"]
        if status == "IN_PROGRESS":
            raise TransientError(f"the export {arn} is not complete yet")
        if status != "COMPLETED":
            raise ExportFailedError(
                f"the export {arn} is {status}: {export.get('FailureCode', 'no code')} "
                f"({export.get('FailureMessage', 'DynamoDB gives no reason')}). Nothing was "
                "published. Start a new run, which makes another export, or run with source scan"
            )
        return Address(str(export["S3Bucket"]), str(export["ExportManifest"]))


def _manifest(bucket: Bucket, key: str) -> bytes:
    """Reads a manifest and compares its MD5 with its checksum file."""
    stored = bucket.get(key)
    if stored is None:
        raise ExportNotFoundError(
            f"the export's manifest {bucket.url(key)} is not there: an export that a run makes "
            "expires with StagingExpirationDays. Nothing was published. Start a new run, or name "
            "another export"
        )
    for checksum_key in manifests.checksum_keys(key):
        if checksum := bucket.get(checksum_key):
            manifests.check_manifest(stored.body, checksum.body, url=bucket.url(key))
            return stored.body
    raise CorruptExportError(
        f"{bucket.url(key)} has no checksum beside it ({' or '.join(manifests.CHECKSUMS)}). "
        f"{manifests.NEXT_STEPS}"
    )
