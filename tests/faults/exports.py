"""Exports of a table, as DynamoDB writes them to a bucket, and the items of each of their files."""

import base64
import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import Any

_Item = Mapping[str, Any]
_MOST_FILES = 8


class Damage(StrEnum):
    """Damage of an export, because of which no run over it may succeed."""

    OTHER_FARES = "a data file of another version"
    MISCOUNTED = "a data file with another number of items"
    CUT = "a data file that is cut"
    NO_JSON = "a line that is no JSON"
    MISSING = "a data file that is gone"
    MANIFEST = "a manifest that was changed"
    FAILED = "an export that failed"

    @property
    def error(self) -> str:
        """Returns the error with which a run over it fails."""
        of_others = {
            Damage.MISSING: "ExportNotFoundError",
            Damage.FAILED: "ExportFailedError",
        }
        return of_others.get(self, "CorruptExportError")


@dataclass(slots=True, kw_only=True)
class _DataFile:
    name: str
    items: list[_Item]
    body: bytes = b""


@dataclass(slots=True, kw_only=True)
class Export:
    """An export, and in which order a run reads its items once it has frozen the files."""

    arn: str
    folder: str
    """of its manifests"""
    table_arn: str
    table_id: str
    export_time: datetime
    says_its_type: bool
    """exports that are older than the incremental ones do not"""
    checksums: str
    """the ending of the manifests' checksum files"""
    files: list[_DataFile]
    damage: Damage | None = None
    in_progress: int = 0
    """how many more times DynamoDB says that it is not complete"""
    segments: list[list[_DataFile]] = field(default_factory=list, init=False)
    """as the run has frozen them"""

    @classmethod
    def of(
        cls,
        items: Sequence[_Item],
        rng: random.Random,
        *,
        description: Mapping[str, Any],
        export_id: str,
        prefix: str,
        at: datetime,
        damage: Damage | None = None,
    ) -> "Export":
        """Of a table with these items; `description` is that of DescribeTable."""
        files = [
            _DataFile(name=f"{export_id[-4:]}{number:02d}.json.gz", items=[])
            for number in range(rng.randint(1, _MOST_FILES))
        ]
        filled = rng.sample(files, rng.randint(1, len(files)))
        for item in rng.sample(items, len(items)):
            rng.choice(filled).items.append(item)
        for file in files:
            file.body = _gzip(file.items, rng)
        return cls(
            arn=f"{description['TableArn']}/export/{export_id}",
            folder=f"{prefix}/AWSDynamoDB/{export_id}",
            table_arn=description["TableArn"],
            table_id=description["TableId"],
            export_time=at.replace(microsecond=at.microsecond // 1000 * 1000),
            says_its_type=rng.random() < 0.5,
            checksums=rng.choice((".md5", ".checksum")),
            files=files,
            damage=damage,
            in_progress=rng.choice((0, 0, 1, 2)),
        )

    @property
    def status(self) -> str:
        """Returns the status that DescribeExport reports."""
        if self.in_progress:
            return "IN_PROGRESS"
        return "FAILED" if self.damage is Damage.FAILED else "COMPLETED"

    @property
    def as_of(self) -> str:
        """As the published days and the manifest of its run must have it."""
        return self.export_time.astimezone(UTC).isoformat(timespec="microseconds")

    @property
    def manifest_key(self) -> str:
        return f"{self.folder}/manifest-summary.json"

    def described(self) -> dict[str, Any]:
        """Returns the description that DescribeExport returns."""
        described = {
            "ExportArn": self.arn,
            "ExportStatus": self.status,
            "S3Bucket": "trip-kpis",
            "TableArn": self.table_arn,
            "TableId": self.table_id,
            "ExportFormat": "DYNAMODB_JSON",
        }
        if self.status == "COMPLETED":
            described["ExportManifest"] = self.manifest_key
        if self.status == "FAILED":
            described |= {"FailureCode": "S3NoSuchBucket", "FailureMessage": "no such bucket"}
        return described

    def objects(self, rng: random.Random) -> dict[str, bytes]:
        """Returns the content of the bucket when the export is complete, by key."""
        if self.damage is Damage.FAILED:
            return {}
        counts = [len(file.items) for file in self.files]
        md5s = [_md5(file.body) for file in self.files]
        bodies = {file.name: file.body for file in self.files}
        at = max(range(len(self.files)), key=counts.__getitem__)
        name = self.files[at].name
        match self.damage:
            case Damage.OTHER_FARES:
                bodies[name] = _gzip([*map(_dearer, self.files[at].items)], rng)
            case Damage.MISCOUNTED:
                counts[at] += 1
            case Damage.CUT:
                bodies[name] = bodies[name][:-5]
            case Damage.NO_JSON:
                bodies[name] = gzip.compress(b'{"Item":{\n' * counts[at])
                md5s[at] = _md5(bodies[name])
            case Damage.MISSING:
                del bodies[name]
        listed = b"".join(
            _json(
                {
                    "itemCount": count,
                    "md5Checksum": md5,
                    "etag": "etag",
                    "dataFileS3Key": f"{self.folder}/data/{file.name}",
                }
            )
            for file, count, md5 in zip(self.files, counts, md5s, strict=True)
        )
        of_type = {"exportType": "FULL_EXPORT"} if self.says_its_type else {}
        summary = _json(
            {
                "version": "2020-06-30",
                "exportArn": self.arn,
                "tableArn": self.table_arn,
                "tableId": self.table_id,
                "exportTime": self.export_time.isoformat(timespec="milliseconds")[:23] + "Z",
                "s3Bucket": "trip-kpis",
                "manifestFilesS3Key": f"{self.folder}/manifest-files.json",
                "billedSizeBytes": 300 * sum(counts),
                "itemCount": sum(counts),
                "outputFormat": "DYNAMODB_JSON",
                **of_type,
            }
        )
        checked = {"manifest-summary": summary, "manifest-files": listed}
        objects = {f"data/{name}": body for name, body in bodies.items()}
        for name, body in checked.items():
            objects[f"{name}.json"] = body
            objects[f"{name}{self.checksums}"] = _md5(body).encode()
        if self.damage is Damage.MANIFEST:
            objects["manifest-files.json"] = listed.replace(b'"itemCount": ', b'"itemCount": 1')
        return {f"{self.folder}/{name}": body for name, body in objects.items()}

    def other_object(self, rng: random.Random) -> tuple[str, bytes]:
        """The largest data file of another version."""
        file = max(self.files, key=lambda one: len(one.items))
        return f"{self.folder}/data/{file.name}", _gzip([*map(_dearer, file.items)], rng)

    def freeze(self, document: Mapping[str, Any]) -> Iterator[str]:
        """Records the segments of the run; returns what is wrong with them."""
        files = {f"{self.folder}/data/{file.name}": file for file in self.files}
        keys = [[file["key"] for file in segment] for segment in document["segments"]]
        if sorted(chain(*keys)) != sorted(files):
            yield f"{self.arn} has the files {sorted(files)}, and frozen are {keys}"
        self.segments = [[files[key] for key in segment if key in files] for segment in keys]

    def size(self, number: int, total: int) -> int:
        """Counts the items of a segment."""
        assert total == len(self.segments)
        return sum(len(file.items) for file in self.segments[number])

    def place_after(self, number: int, total: int, cursor: Mapping[str, Any] | None) -> int:
        """Counts the items of the segment up to this cursor."""
        assert total == len(self.segments)
        if cursor is None:
            return 0
        before = self.segments[number][: cursor["file"]]
        return sum(len(file.items) for file in before) + int(cursor["line"])


def _gzip(items: Sequence[_Item], rng: random.Random) -> bytes:
    """A line an item: in one member or in two, the last line with an end or without."""
    lines = [_json({"Item": item}) for item in items]
    if lines and rng.random() < 0.2:
        lines[-1] = lines[-1].rstrip(b"\n")
    at = rng.randint(0, len(lines)) if rng.random() < 0.2 else 0
    members = [lines[:at], lines[at:]] if at else [lines]
    return b"".join(gzip.compress(b"".join(member), mtime=0) for member in members)


def _dearer(item: _Item) -> _Item:
    """Returns the item with another fare."""
    return {**item, "fare_amount": {"N": "987654.321"}}


def _json(document: Any) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
