"""Exports as `aws s3 sync` leaves them on this machine, and what can happen to them there."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops.embedded.export_files import ExportWriter

AS_OF = datetime(2026, 5, 25, 2, 15, tzinfo=UTC)
TABLE_ID = "0b0f7a1c-5c3e-4d0e-9b57-8f7f0f5c2b11"
TABLE_ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/rides"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedExport:
    """An export in a directory."""

    folder: Path
    """that has the manifests"""
    arn: str

    @property
    def data(self) -> list[Path]:
        """The data files, in the manifest's order."""
        lines = (self.folder / "manifest-files.json").read_bytes().splitlines()
        return [self.folder / "data" / json.loads(line)["dataFileS3Key"][-34:] for line in lines]

    @property
    def data_files_on_disk(self) -> list[Path]:
        """Also without manifests."""
        return sorted((self.folder / "data").iterdir())

    def remove_manifests(self) -> None:
        for file in self.folder.iterdir():
            if file.is_file():
                file.unlink()

    def say(self, **changes: Any) -> None:
        """Changes members of the summary, or takes them out (None), and its checksum with it."""
        summary = json.loads((self.folder / "manifest-summary.json").read_bytes()) | changes
        said = {name: value for name, value in summary.items() if value is not None}
        self._write("manifest-summary", json.dumps(said).encode())

    def list(self, change: Callable[[list[dict[str, Any]]], object]) -> None:
        """Changes the list of the files, and its checksum with it."""
        lines = (self.folder / "manifest-files.json").read_bytes().splitlines()
        files = [json.loads(line) for line in lines]
        change(files)
        self._write("manifest-files", b"".join(json.dumps(file).encode() + b"\n" for file in files))

    def put_data(self, number: int, body: bytes) -> None:
        """Puts something else in the place of a data file; the list has its MD5."""
        self.data[number].write_bytes(body)
        self.list(lambda files: files[number].update(md5Checksum=_md5(body)))

    def _write(self, name: str, body: bytes) -> None:
        (self.folder / f"{name}.json").write_bytes(body)
        (self.folder / f"{name}.md5").write_text(_md5(body))


def leave_export(
    directory: Path,
    files: Sequence[Iterable[Mapping[str, Any] | bytes]],
    *,
    as_of: datetime = AS_OF,
    table_id: str = TABLE_ID,
) -> SyncedExport:
    """An export with these items in its data files."""
    writer = ExportWriter(
        directory,
        table_arn=TABLE_ARN,
        table_id=table_id,
        export_time=as_of,
        bucket="exports-of-somebody",
        files=len(files),
    )
    for number, items in enumerate(files):
        for item in items:
            writer.add(item, file=number)
    written = writer.finish()
    return SyncedExport(folder=(directory / written.manifest_key).parent, arn=written.arn)


def _md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
