"""Exports in a bucket, as DynamoDB writes them, and what can happen to them there."""

import base64
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.embedded.export_files import ExportWriter, WrittenExport

EXPORTED_AT = datetime(2024, 6, 1, 2, 15, 0, 250_000, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredExport:
    """An export's objects."""

    s3: Any
    bucket: str
    written: WrittenExport

    @property
    def url(self) -> str:
        """Of its summary."""
        return f"s3://{self.bucket}/{self.written.manifest_key}"

    @property
    def data_keys(self) -> tuple[str, ...]:
        return tuple(key for key in self.written.keys if "/data/" in key)

    def key(self, name: str) -> str:
        """Of the object with this name in the export's folder."""
        return f"{self.written.manifest_key.rpartition('/')[0]}/{name}"

    def body(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def delete(self, *keys: str) -> None:
        for key in keys:
            self.s3.delete_object(Bucket=self.bucket, Key=key)

    def say(self, **changes: Any) -> None:
        """Changes members of the summary, or takes them out (None), and its checksum with it."""
        summary = json.loads(self.body(self.written.manifest_key)) | changes
        said = {name: value for name, value in summary.items() if value is not None}
        self._put_manifest("manifest-summary", json.dumps(said).encode())

    def list(self, change: Callable[[list[dict[str, Any]]], object]) -> None:
        """Changes the list of the files, and its checksum with it."""
        lines = self.body(self.key("manifest-files.json")).splitlines()
        files = [json.loads(line) for line in lines]
        change(files)
        body = b"".join(json.dumps(file).encode() + b"\n" for file in files)
        self._put_manifest("manifest-files", body)

    def put_data(self, number: int, body: bytes) -> None:
        """Puts something else in the place of a data file; the list has its MD5."""
        self.put(self.data_keys[number], body)
        self.list(lambda files: files[number].update(md5Checksum=_md5(body)))

    def _put_manifest(self, name: str, body: bytes) -> None:
        self.put(self.key(f"{name}.json"), body)
        self.put(self.key(f"{name}.md5"), _md5(body).encode())


def put_export(
    s3: Any,
    bucket: str,
    files: Sequence[Iterable[Mapping[str, Any] | bytes]],
    *,
    table: Mapping[str, Any],
    export_time: datetime = EXPORTED_AT,
    prefix: str = "exports/by-hand",
) -> StoredExport:
    """Puts an export with these items in its data files; `table` is DescribeTable's."""
    with tempfile.TemporaryDirectory() as directory:
        writer = ExportWriter(
            Path(directory),
            table_arn=table["TableArn"],
            table_id=table["TableId"],
            export_time=export_time,
            bucket=bucket,
            prefix=prefix,
            files=len(files),
        )
        for number, items in enumerate(files):
            for item in items:
                writer.add(item, file=number)
        written = writer.finish()
        for key in written.keys:
            s3.put_object(Bucket=bucket, Key=key, Body=(Path(directory) / key).read_bytes())
    return StoredExport(s3=s3, bucket=bucket, written=written)


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
