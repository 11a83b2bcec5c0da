"""What a run reads of an export, recorded once: its files, distributed over segments."""

import hashlib
import heapq
from collections.abc import Sequence

import msgspec

from trip_kpis.core.errors import PlanMismatchError
from trip_kpis.core.export.manifests import NOT_JSON, Address, File, Summary, instant

SCHEMA_VERSION = 1
FILE_WEIGHT = 5_000
"""A file costs a request, even if it is empty: about the time in which so many items are read. An
export has an empty file for each partition of the table that has no item."""


class ExportFile(msgspec.Struct, frozen=True, kw_only=True):
    """A data file."""

    key: str
    items: int | None
    """the number of items, as DynamoDB reports it; None: unknown"""
    md5: str | None
    """the MD5 of the object, in base64; None: unknown"""


class FrozenExport(msgspec.Struct, frozen=True, kw_only=True):
    """``staging/run=<run_id>/export.json``: written once, when the export is complete."""

    schema_version: int = SCHEMA_VERSION
    plan_sha256: str
    """digest of the plan.json that it belongs to"""
    export_arn: str | None
    as_of: str
    """UTC, ISO 8601: the instant of the export"""
    table_arn: str
    bucket: str
    manifest_key: str
    billed_bytes: int
    segments: tuple[tuple[ExportFile, ...], ...]

    @property
    def is_countable(self) -> bool:
        """Returns whether DynamoDB reports each file's number of items and MD5."""
        return all(
            file.items is not None and file.md5 is not None
            for files in self.segments
            for file in files
        )

    def items_of(self, segment: int) -> int | None:
        """Returns the number of items that a worker must find in the segment; None: unknown."""
        counts = [file.items for file in self.segments[segment]]
        return None if None in counts else sum(count or 0 for count in counts)

    @property
    def items(self) -> int | None:
        """Returns the number of items in all files; None: unknown."""
        counts = [self.items_of(segment) for segment in range(len(self.segments))]
        return None if None in counts else sum(count or 0 for count in counts)

    def to_bytes(self) -> bytes:
        """Returns the document; the same export gives the same bytes."""
        return msgspec.json.encode(self) + b"\n"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, body: bytes, *, url: str) -> "FrozenExport":
        """Inverts `to_bytes`. Raises PlanMismatchError for what this version did not write."""
        try:
            export = msgspec.json.decode(body, type=cls)
        except NOT_JSON as error:
            raise _unusable(url, str(error)) from error
        if export.schema_version != SCHEMA_VERSION:
            raise _unusable(url, f"its schema version is {export.schema_version}")
        return export


def freeze(
    summary: Summary,
    files: Sequence[File],
    *,
    address: Address,
    plan_sha256: str,
    most_segments: int,
) -> FrozenExport:
    """Distributes the files over as many segments as there are files, at most `most_segments`, with
    about the same work in each."""
    frozen = [
        ExportFile(key=address.data_key(file), items=file.item_count, md5=file.md5_checksum)
        for file in files
    ]
    return FrozenExport(
        plan_sha256=plan_sha256,
        export_arn=summary.export_arn,
        as_of=instant(summary),
        table_arn=summary.table_arn,
        bucket=address.bucket,
        manifest_key=address.summary_key,
        billed_bytes=summary.billed_size_bytes,
        segments=_cut(frozen, max(1, min(len(frozen), most_segments))),
    )


def _cut(files: Sequence[ExportFile], segments: int) -> tuple[tuple[ExportFile, ...], ...]:
    """Puts each file, the largest first, into the segment that has the least to do so far."""
    cut: list[list[ExportFile]] = [[] for _ in range(segments)]
    smallest = [(0, number) for number in range(segments)]
    for file in sorted(files, key=lambda one: (-(one.items or 0), one.key)):
        weight, number = heapq.heappop(smallest)
        cut[number].append(file)
        heapq.heappush(smallest, (weight + FILE_WEIGHT + (file.items or 0), number))
    return tuple(tuple(one) for one in cut)


def _unusable(url: str, why: str) -> PlanMismatchError:
    return PlanMismatchError(
        f"{url} cannot be used: {why}. Another version of the program has written it, or "
        "something has changed it: finish the run with the version that began it, or start a new "
        "run, and find out who may write to staging/"
    )
