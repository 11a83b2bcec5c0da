"""The manifests of an export, as DynamoDB writes them beside the data files.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from trip_kpis.core.errors import CorruptExportError, InputError

SUMMARY = "manifest-summary.json"
FILES = "manifest-files.json"
CHECKSUMS = (".md5", ".checksum")
"""Suffixes that replace `.json` in the name of the file with a manifest's MD5: the first is in
exports, the second in AWS's guide."""
DYNAMODB_JSON = "DYNAMODB_JSON"
NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError)
"""errors that msgspec raises if bytes are not the expected JSON"""

_URL = re.compile(rf"s3://(?P<bucket>[^/]+)/(?P<key>(?:.*/)?{re.escape(SUMMARY)})")

_Document = TypeVar("_Document")


class _Kind(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The kind of export that a summary describes. One that is incremental has no `exportTime`."""

    output_format: str
    export_type: str = "FULL_EXPORT"
    """missing in exports that are older than the incremental ones"""


class Summary(_Kind, frozen=True, kw_only=True, rename="camel"):
    """The fields of ``manifest-summary.json`` that a run reads."""

    export_arn: str | None = None
    """None: `ops` has written the manifest, for data files without manifests"""
    table_arn: str
    table_id: str
    export_time: datetime
    """the instant as of which the items are"""
    item_count: int | None
    """None: unknown, as `export_arn`"""
    billed_size_bytes: int = 0


class File(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The fields of a line of ``manifest-files.json`` that a run reads."""

    item_count: int | None
    md5_checksum: str | None
    """of the object's bytes, in base64"""
    data_file_s3_key: str = msgspec.field(name="dataFileS3Key")


@dataclass(frozen=True, slots=True)
class Address:
    """The place of an export: the folder of its manifests."""

    bucket: str
    summary_key: str

    @classmethod
    def of_url(cls, url: str) -> "Address":
        """Parses ``s3://bucket/…/manifest-summary.json``. Raises InputError for anything else."""
        match = _URL.fullmatch(url)
        if match is None:
            raise InputError(
                f"export_manifest is {url!r}: it must be the URL of an export's summary, "
                f"s3://bucket/prefix/AWSDynamoDB/export-id/{SUMMARY}"
            )
        return cls(match["bucket"], match["key"])

    @property
    def files_key(self) -> str:
        return self._beside(FILES)

    def data_key(self, file: File) -> str:
        """Returns the key of a data file. It is found by its name, so that an export may be copied
        elsewhere."""
        return self._beside(f"data/{file.data_file_s3_key.rpartition('/')[2]}")

    def _beside(self, name: str) -> str:
        return self.summary_key.removesuffix(SUMMARY) + name


def checksum_keys(manifest_key: str) -> tuple[str, ...]:
    """Returns the possible keys of the file with the manifest's MD5."""
    return tuple(manifest_key.removesuffix(".json") + ending for ending in CHECKSUMS)


def check_manifest(body: bytes, checksum: bytes, *, url: str) -> None:
    """Raises CorruptExportError if the manifest's MD5 differs from its checksum file."""
    found, expected = md5_text(hashlib.md5(body, usedforsecurity=False).digest()), checksum.strip()
    if found.encode() != expected:
        raise CorruptExportError(
            f"{url} is damaged: its MD5 is {found}, and its checksum file says "
            f"{expected.decode(errors='replace')[:60]!r}. {NEXT_STEPS}"
        )


def read_summary(body: bytes, *, url: str) -> Summary:
    """Reads a summary; raises CorruptExportError if it is not a summary, and InputError for an
    export that is not a full one in DynamoDB JSON."""
    kind = _summary(body, _Kind, url)
    if kind.output_format != DYNAMODB_JSON:
        raise InputError(
            f"the export {url} has the format {kind.output_format}: export the table with "
            f"the format {DYNAMODB_JSON} (ExportFormat)"
        )
    if kind.export_type != "FULL_EXPORT":
        raise InputError(
            f"the export {url} is an {kind.export_type}: it has only what changed in a period. "
            "Make a full export (ExportType FULL_EXPORT)"
        )
    return _summary(body, Summary, url)


def _summary(body: bytes, kind: type[_Document], url: str) -> _Document:
    try:
        return msgspec.json.decode(body, type=kind)
    except NOT_JSON as error:
        raise CorruptExportError(
            f"{url} is not the summary of an export: {error}. {NEXT_STEPS}"
        ) from error


def read_files(body: bytes, summary: Summary, *, url: str) -> tuple[File, ...]:
    """Reads the list of files; raises CorruptExportError if it is not such a list, if it names a
    file twice, and if the items of all files differ from the summary."""
    try:
        files = tuple(msgspec.json.decode(line, type=File) for line in body.splitlines() if line)
    except NOT_JSON as error:
        raise CorruptExportError(
            f"{url} is not a list of an export's files: {error}. {NEXT_STEPS}"
        ) from error
    names = [file.data_file_s3_key.rpartition("/")[2] for file in files]
    if len(set(names)) < len(names):
        raise CorruptExportError(f"{url} names a data file twice. {NEXT_STEPS}")
    counts = [file.item_count for file in files]
    if summary.item_count is None or None in counts:
        return files
    in_files = sum(count or 0 for count in counts)
    if in_files != summary.item_count:
        raise CorruptExportError(
            f"{url} lists {len(files)} files with {in_files:,} items in all, and the export's "
            f"summary says {summary.item_count:,}. {NEXT_STEPS}"
        )
    return files


def instant(summary: Summary) -> str:
    """Returns the instant of the items: UTC, ISO 8601."""
    time = summary.export_time
    utc = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    return utc.isoformat(timespec="microseconds")


def md5_text(digest: bytes) -> str:
    """Returns an MD5 as the manifests write it."""
    return base64.b64encode(digest).decode()


NEXT_STEPS = (
    "Nothing was published. Copy the export again if it is a copy, or make another one, and start "
    "a new run"
)
