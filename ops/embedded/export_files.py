"""The files of a table export, as DynamoDB writes them to S3.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
The guide calls the checksum files `manifest-summary.checksum` and `manifest-files.checksum`; what
DynamoDB writes are `manifest-summary.md5` and `manifest-files.md5`.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from trip_kpis.core.export.manifests import CHECKSUMS, FILES, SUMMARY, md5_text

_encode = msgspec.json.Encoder().encode
_BLOCK_BYTES = 256 * 1024
"""bytes of a data file's lines, uncompressed, that are kept in memory"""
_GZIP = 31
"""zlib's wbits for a gzip stream"""
_FAST = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenExport:
    """A complete export."""

    arn: str
    manifest_key: str
    """key of manifest-summary.json"""
    keys: tuple[str, ...]
    """keys of all objects, in the order in which DynamoDB writes them: the summary's checksum
    last"""
    item_count: int
    billed_size_bytes: int
    end_time: datetime


def multipart_etag(md5: bytes) -> str:
    """Returns the ETag that S3 gives an object of one part, because DynamoDB uploads its files in
    parts."""
    return f"{hashlib.md5(md5, usedforsecurity=False).hexdigest()}-1"


def write_manifest(file: Path, body: bytes) -> tuple[Path, Path]:
    """Writes a manifest, and beside it the file with its MD5. Returns both."""
    file.write_bytes(body)
    checksum = file.with_suffix(CHECKSUMS[0])
    checksum.write_text(md5_text(hashlib.md5(body, usedforsecurity=False).digest()))
    return file, checksum


def data_file_name(export_id: str, number: int) -> str:
    """Returns 26 characters that look random, as DynamoDB's do."""
    digest = hashlib.sha256(f"{export_id}/{number}".encode()).digest()[:16]
    return f"{base64.b32encode(digest).decode().rstrip('=').lower()}.json.gz"


class ExportWriter:
    """Writes items as an export of a table into a directory, which represents the bucket: a file's
    path below it is the object's key.

    Memory is used for the lines of each data file that are not compressed yet, 256 KiB at the most,
    and, once a file has more than these, for its compressor.
    """

    def __init__(
        self,
        directory: Path,
        *,
        table_arn: str,
        table_id: str,
        export_time: datetime,
        bucket: str,
        prefix: str = "",
        files: int = 1,
        start_time: datetime | None = None,
        export_id: str | None = None,
        sse_algorithm: str | None = "AES256",
        kms_key_id: str | None = None,
        etag: Callable[[bytes], str] = multipart_etag,
    ) -> None:
        """Begins the export.

        Args:
            directory: Is made if it is not there.
            export_time: The instant as of which the items are exported.
            bucket, prefix, sse_algorithm, kms_key_id: As the export's request has them.
            files: How many data files there are. Those that no item comes to are empty.
            start_time: When the export began; `export_time` by default.
            export_id: As DynamoDB forms it, digits-hex; by default of the start time and a random
                number.
            etag: Of an object whose MD5 is given.
        """
        self._directory = directory
        self._start_time = start_time or export_time
        self._export_id = export_id or _export_id(self._start_time)
        parent = f"{prefix.rstrip('/')}/" if prefix else ""
        self._folder = f"{parent}AWSDynamoDB/{self._export_id}"
        self._described: dict[str, Any] = {
            "version": "2020-06-30",
            "exportArn": f"{table_arn}/export/{self._export_id}",
            "startTime": written_time(self._start_time),
            "endTime": None,
            "tableArn": table_arn,
            "tableId": table_id,
            "exportTime": written_time(export_time),
            "s3Bucket": bucket,
            "s3Prefix": prefix or None,
            "s3SseAlgorithm": sse_algorithm,
            "s3SseKmsKeyId": kms_key_id,
            "manifestFilesS3Key": f"{self._folder}/manifest-files.json",
            "billedSizeBytes": 0,
            "itemCount": 0,
            "outputFormat": "DYNAMODB_JSON",
            "exportType": "FULL_EXPORT",
        }
        self._etag = etag
        self._keys: list[str] = []
        self._store(f"{self._folder}/_started", b"")
        (directory / self._folder / "data").mkdir(exist_ok=True)
        self._files = [
            _DataFile(directory / self._folder / "data" / data_file_name(self._export_id, number))
            for number in range(files)
        ]
        self._next = 0

    @property
    def arn(self) -> str:
        return str(self._described["exportArn"])

    def add(self, item: Mapping[str, Any] | bytes, *, file: int | None = None) -> None:
        """Adds an item to a data file: to the one with that number, or to each of them in turn.

        An item is in DynamoDB JSON, with Binary values as bytes or in base64, or that JSON's bytes
        on one line.
        """
        if file is None:
            file = self._next
            self._next = (file + 1) % len(self._files)
        self._files[file].append(item if isinstance(item, bytes) else _encode(item))

    def finish(
        self, *, end_time: datetime | None = None, billed_size_bytes: int | None = None
    ) -> WrittenExport:
        """Writes the rest of the data files, then the manifests.

        Args:
            end_time: The start time by default.
            billed_size_bytes: The table's size; by default that of the data, uncompressed.
        """
        for file in self._files:
            file.close()
            self._keys.append(f"{self._folder}/data/{file.path.name}")
        item_count = sum(file.item_count for file in self._files)
        if billed_size_bytes is None:
            billed_size_bytes = sum(file.uncompressed_bytes for file in self._files)
        self._store_with_checksum(FILES, b"".join(map(self._line, self._files)))
        end_time = end_time or self._start_time
        self._described["endTime"] = written_time(end_time)
        self._described["itemCount"] = item_count
        self._described["billedSizeBytes"] = billed_size_bytes
        self._store_with_checksum(SUMMARY, _encode(self._described))
        return WrittenExport(
            arn=self.arn,
            manifest_key=f"{self._folder}/manifest-summary.json",
            keys=tuple(self._keys),
            item_count=item_count,
            billed_size_bytes=billed_size_bytes,
            end_time=end_time,
        )

    def _line(self, file: _DataFile) -> bytes:
        described = {
            "itemCount": file.item_count,
            "md5Checksum": md5_text(file.md5.digest()),
            "etag": self._etag(file.md5.digest()),
            "dataFileS3Key": f"{self._folder}/data/{file.path.name}",
        }
        return _encode(described) + b"\n"

    def _store_with_checksum(self, name: str, body: bytes) -> None:
        for file in write_manifest(self._directory / self._folder / name, body):
            self._keys.append(file.relative_to(self._directory).as_posix())

    def _store(self, key: str, body: bytes) -> None:
        path = self._directory / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self._keys.append(key)


@dataclass(slots=True)
class _DataFile:
    """A data file that is being written. It is open only while it is written to: there may be more
    data files than a process may have open."""

    path: Path
    item_count: int = 0
    uncompressed_bytes: int = 0
    md5: Any = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    _lines: bytearray = field(default_factory=bytearray)
    _compressor: Any = None

    def append(self, item: bytes) -> None:
        self._lines += b'{"Item":' + item + b"}\n"
        self.item_count += 1
        if len(self._lines) >= _BLOCK_BYTES:
            self._compress()

    def close(self) -> None:
        self._compress(last=True)

    def _compress(self, *, last: bool = False) -> None:
        if self._compressor is None:
            self._compressor = zlib.compressobj(_FAST, zlib.DEFLATED, _GZIP)
        compressed = self._compressor.compress(self._lines)
        self.uncompressed_bytes += len(self._lines)
        self._lines.clear()
        if last:
            compressed += self._compressor.flush()
            self._compressor = None
        self.md5.update(compressed)
        with self.path.open("ab") as file:
            file.write(compressed)


def _export_id(start_time: datetime) -> str:
    """Returns the start in milliseconds, and a random number."""
    return f"{int(start_time.timestamp() * 1000):014d}-{secrets.token_hex(4)}"


def written_time(time: datetime) -> str:
    """Formats a time with a zone, as the manifests have it."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
