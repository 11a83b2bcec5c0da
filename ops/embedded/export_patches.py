"""Patches of moto's table exports, as in `moto_patches`."""

from __future__ import annotations

import hashlib
import re
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import (
    ERROR_TYPE_PREFIX,
    PointInTimeRecoveryUnavailable,
    TableNotFoundException,
)
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.responses import DynamoHandler

from ops.embedded.export_files import ExportWriter, WrittenExport
from ops.embedded.patching import replaced

_WRITES = (
    "put_item",
    "update_item",
    "delete_item",
    "batch_write_item",
    "transact_write_items",
    "execute_statement",
    "execute_transaction",
    "batch_execute_statement",
)
_FAILURES = {"NoSuchBucket": "S3NoSuchBucket", "AccessDenied": "S3AccessDenied"}
"""the codes of DynamoDB for the errors of S3"""
_FULL_EXPORT = "FULL_EXPORT"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportBehavior:
    """How the cloud handles the exports that are requested while it is in effect."""

    in_progress: int = 0
    """how many times DescribeExport answers IN_PROGRESS, before it answers how the export ended"""
    failure: tuple[str, str] | None = None
    """code and message of an export that fails; None: the export succeeds"""
    files: int = 8
    """number of data files, one for each partition of the table"""


ClientOf = Callable[[str], Any]
"""Returns the S3 client of the caller with this access key."""


@contextmanager
def tables_are_exported_as_in_aws(
    behavior: Callable[[], ExportBehavior], client_of: ClientOf
) -> Iterator[None]:
    """ExportTableToPointInTime, DescribeExport, ListExports: moto puts all items into one file,
    without manifests, and answers with an ARN that is none of AWS's.

    Here there is everything that DynamoDB writes, as of the request: no write comes in between. It
    is put into the bucket by requests of the caller, whose permission DynamoDB needs as well. An
    export is ready at once, and DescribeExport says so if `behavior` does not say otherwise. A
    ClientToken is valid for as long as the cloud is there, not for 8 hours.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ExportTableToPointInTime.html
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport_Requesting.html
    """
    exports = _Exports(behavior, client_of)

    def alone(write: Any) -> Any:
        def answer(self: Any) -> Any:
            with exports.table_writes:
                return write(self)

        return answer

    def export_table(self: Any) -> ActionResult:
        return ActionResult({"ExportDescription": exports.start(self)})

    def describe_export(self: Any) -> ActionResult:
        return ActionResult({"ExportDescription": exports.describe(self.body["ExportArn"])})

    def list_exports(self: Any) -> ActionResult:
        return ActionResult({"ExportSummaries": exports.summaries(self.body.get("TableArn"))})

    with ExitStack() as patches:
        for name in _WRITES:
            patches.enter_context(
                replaced(DynamoHandler, name, alone(getattr(DynamoHandler, name)))
            )
        for name, new in {
            "export_table_to_point_in_time": export_table,
            "describe_export": describe_export,
            "list_exports": list_exports,
        }.items():
            patches.enter_context(replaced(DynamoHandler, name, new))
        yield


@dataclass(slots=True, kw_only=True)
class _Export:
    request: Mapping[str, Any]
    started: Mapping[str, Any]
    """its description while it is in progress"""
    ended: Mapping[str, Any]
    """further fields of its description when it has ended"""
    in_progress: int
    """how many more times it is described as in progress"""


class _Exports:
    """The exports of a cloud."""

    def __init__(self, behavior: Callable[[], ExportBehavior], client_of: ClientOf) -> None:
        self._behavior = behavior
        self._client_of = client_of
        self._by_arn: dict[str, _Export] = {}
        self._lock = threading.RLock()
        self.table_writes = threading.RLock()
        """held by every write to a table, and while a table is read for its export"""

    def start(self, handler: Any) -> Mapping[str, Any]:
        """Exports the table, unless an earlier request had the same ClientToken. Returns the
        description of the export, in progress."""
        token = handler.body.get("ClientToken") or str(uuid.uuid4())
        request = {**handler.body, "ClientToken": token}
        with self._lock:
            for export in self._by_arn.values():
                if export.request["ClientToken"] == token:
                    if export.request != request:
                        raise _error(
                            "ExportConflictException",
                            "Duplicate request detected: an export with this ClientToken has "
                            "other parameters",
                        )
                    return export.started
            export = self._made(handler, request)
            self._by_arn[export.started["ExportArn"]] = export
            return export.started

    def describe(self, arn: str) -> dict[str, Any]:
        with self._lock:
            if not re.search(r":table/[^/]+/export/[^/]+$", arn):
                raise _error("ValidationException", f"Invalid Export ARN: {arn}")
            if arn not in self._by_arn:
                raise _error("ExportNotFoundException", f"Export not found: {arn}")
            export = self._by_arn[arn]
            if export.in_progress > 0:
                export.in_progress -= 1
                return dict(export.started)
            return {**export.started, **export.ended}

    def summaries(self, table_arn: str | None) -> list[dict[str, Any]]:
        with self._lock:
            return [
                {
                    "ExportArn": arn,
                    "ExportStatus": "IN_PROGRESS"
                    if export.in_progress
                    else export.ended["ExportStatus"],
                    "ExportType": _FULL_EXPORT,
                }
                for arn, export in sorted(self._by_arn.items())
                if table_arn in {None, export.started["TableArn"]}
            ]

    def _made(self, handler: Any, request: Mapping[str, Any]) -> _Export:
        _check(request)
        table = _table(handler, request["TableArn"])
        behavior = self._behavior()
        client = self._client_of(_access_key(handler))
        with tempfile.TemporaryDirectory(prefix="trip-kpis-export-") as directory:
            written, started = self._written(Path(directory), table, request, behavior.files)
            failure = _put(client, Path(directory), written, request, behavior.failure)
        ended: dict[str, Any] = {"ExportStatus": "COMPLETED", "EndTime": written.end_time}
        if failure is None:
            ended["ExportManifest"] = written.manifest_key
            ended["ItemCount"] = written.item_count
            ended["BilledSizeBytes"] = written.billed_size_bytes
        else:
            ended["ExportStatus"] = "FAILED"
            ended["FailureCode"], ended["FailureMessage"] = failure
        return _Export(
            request=request, started=started, ended=ended, in_progress=behavior.in_progress
        )

    def _written(
        self, directory: Path, table: Any, request: Mapping[str, Any], files: int
    ) -> tuple[WrittenExport, dict[str, Any]]:
        described = table.describe(base_key="Table")["Table"]
        algorithm = request.get("S3SseAlgorithm", "AES256")
        with self.table_writes:
            now = _now()
            writer = ExportWriter(
                directory,
                table_arn=table.table_arn,
                table_id=described["TableId"],
                export_time=now,
                bucket=request["S3Bucket"],
                prefix=request.get("S3Prefix") or "",
                files=files,
                sse_algorithm=algorithm,
                kms_key_id=request.get("S3SseKmsKeyId"),
                etag=bytes.hex,  # as the request has it that puts the object
            )
            size = 0
            for item in _items(table):
                writer.add(_encode(item.attrs), file=_partition(item, files))
                size += item.size()
        started = {
            "ExportArn": writer.arn,
            "ExportStatus": "IN_PROGRESS",
            "StartTime": now,
            "TableArn": table.table_arn,
            "TableId": described["TableId"],
            "ExportTime": now,
            "ExportFormat": "DYNAMODB_JSON",
            "S3SseAlgorithm": algorithm,
        }
        asked = ("ClientToken", "S3Bucket", "S3BucketOwner", "S3Prefix", "S3SseKmsKeyId")
        started |= {name: request[name] for name in (*asked, "ExportType") if name in request}
        return writer.finish(end_time=_now(), billed_size_bytes=size), started


def _check(request: Mapping[str, Any]) -> None:
    """Refuses requests that DynamoDB supports and the embedded AWS does not."""
    if request.get("ExportFormat", "DYNAMODB_JSON") != "DYNAMODB_JSON":
        raise _error(
            "ValidationException",
            f"The embedded AWS exports tables as DYNAMODB_JSON only, not as "
            f"{request['ExportFormat']}.",
        )
    if request.get("ExportType", _FULL_EXPORT) != _FULL_EXPORT:
        raise _error("ValidationException", "The embedded AWS has no incremental exports.")
    if "ExportTime" in request:
        raise _error(
            "InvalidExportTimeException",
            "The embedded AWS exports a table as it is now: leave ExportTime out.",
        )


def _table(handler: Any, arn: str) -> Any:
    tables = handler.dynamodb_backend.tables.values()
    table: Any = next((table for table in tables if table.table_arn == arn), None)
    if table is None:
        raise TableNotFoundException(arn)
    recovery = table.continuous_backups["PointInTimeRecoveryDescription"]
    if recovery["PointInTimeRecoveryStatus"] != "ENABLED":
        raise PointInTimeRecoveryUnavailable(table.name)
    return table


def _access_key(handler: Any) -> str:
    """Returns the caller's access key."""
    named = re.search(r"Credential=([^/,\s]+)/", handler.headers.get("Authorization", ""))
    return named[1] if named else ""


def _put(
    client: Any,
    directory: Path,
    written: WrittenExport,
    request: Mapping[str, Any],
    failure: tuple[str, str] | None,
) -> tuple[str, str] | None:
    """Puts the files into the bucket: for an export that must fail, only the first file. Returns
    the code and the message of its failure, if it fails."""
    encryption = {"ServerSideEncryption": "AES256"}
    if request.get("S3SseAlgorithm") == "KMS":
        encryption = {"ServerSideEncryption": "aws:kms"}
        if key_id := request.get("S3SseKmsKeyId"):
            encryption["SSEKMSKeyId"] = key_id
    try:
        for key in written.keys if failure is None else written.keys[:1]:
            with (directory / key).open("rb") as body:
                client.put_object(Bucket=request["S3Bucket"], Key=key, Body=body, **encryption)
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        return _FAILURES.get(code, "UNKNOWN"), f"{message} (Service: Amazon S3; Code: {code})"
    return failure


def _items(table: Any) -> Iterator[Any]:
    for of_hash_key in table.items.values():
        yield from of_hash_key.values() if table.range_key_attr else (of_hash_key,)


def _partition(item: Any, partitions: int) -> int:
    """Returns the same partition for all items of a hash key."""
    key = str(item.hash_key.value).encode()
    digest = hashlib.md5(key, usedforsecurity=False).digest()
    return int.from_bytes(digest[:4]) % partitions


def _wire_value(value: Any) -> Any:
    if isinstance(value, DynamoType):
        return {value.type: value.value}
    raise TypeError(f"{type(value)} in an item")


_encode = msgspec.json.Encoder(enc_hook=_wire_value).encode


def _now() -> datetime:
    """Returns the time to the millisecond, as the manifests have it."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


def _error(code: str, message: str) -> JsonRESTError:
    return JsonRESTError(ERROR_TYPE_PREFIX + code, message)
