"""An export of a table, as files of this machine, such as a copy made by `aws s3 sync`."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NoReturn, Self

import msgspec

from ops import interruption
from ops.embedded.export_files import ExportWriter, write_manifest
from ops.embedded.isolation import ACCOUNT_ID, REGION
from ops.local.dynamodb_json import write_item
from ops.local.out_directory import MARKER, WRITTEN_BY_RUNS
from ops.local.trip_files import TripFileError, Trips, add_json_lines
from ops.runs import figures
from trip_kpis.core.errors import CorruptExportError, InputError
from trip_kpis.core.export.lines import LineBlocks
from trip_kpis.core.export.manifests import (
    CHECKSUMS,
    DYNAMODB_JSON,
    FILES,
    SUMMARY,
    File,
    Summary,
    instant,
    read_files,
    read_summary,
)

DATA_FILE = ".json.gz"
_ION_FILE = ".ion.gz"
_OF_AN_EXPORT = {"_started", FILES, *(FILES.replace(".json", ending) for ending in CHECKSUMS)}
"""names of files that DynamoDB writes beside the data files of an export, besides the summary"""
MOUNT_PREFIX = "exports/here"
"""prefix in the stack's bucket, where the functions see it"""
_FILES_WRITTEN = 4 * (os.cpu_count() or 1)
_WRITTEN_AT_ONCE = 1_000
_FILES_SAMPLED, _ITEMS_SAMPLED = 8, 200
_SAMPLED_BYTES = 64 * 2**10
"""bytes that are read first of each of these files"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedExport:
    """The place of an export, for another process."""

    path: str | None
    """None: it is in the state, under its table's id"""
    fingerprint: str
    """fingerprint, as in `ExportOnDisk`"""
    table_arn: str | None = None
    """None: DynamoDB has written no manifest that names the table"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOnDisk:
    """A full export in DynamoDB JSON.

    Without manifests, nobody says how many items it has, nor as of when they are: then `as_of` is
    when the newest of its files was written, which is no earlier than the export's instant.
    """

    path: Path
    """a directory, or one data file"""
    manifests: Path | None
    """the folder with the manifests; None: there are none"""
    files: tuple[Path, ...]
    """the data files"""
    table_arn: str | None
    table_id: str
    as_of: str
    items: int | None
    table_bytes: int | None
    """the table's size, as DynamoDB has billed it"""
    fingerprint: str
    """digest of the names, sizes and times of its files: a change means another export"""
    remarks: Sequence[str] = ()

    @classmethod
    def at(cls, path: Path) -> Self:
        """Finds the one export under `path`, also if `path` is its folder of data files. Raises
        TripFileError where there is none, where there are several, or where it is in another
        form."""
        try:
            return cls._found(path)
        except OSError as error:
            raise TripFileError(
                f"{error.filename} cannot be read ({error.strerror}): fetch the whole export again"
            ) from error
        except (CorruptExportError, InputError) as error:
            raise TripFileError(str(error)) from error

    @classmethod
    def _found(cls, path: Path) -> Self:
        _check_utf8(path.resolve())
        if path.name in (SUMMARY, FILES):
            raise TripFileError(f"{path} is a manifest: give --export its folder, {path.parent}")
        if not path.is_dir():
            return cls._without_manifests(path, (path,))
        folders = _manifest_folders(path)
        if len(folders) > 1:
            raise TripFileError(
                f"{path} has {len(folders)} exports: name one of them, such as {folders[-1]}"
            )
        if folders:
            return cls._with_manifests(path, folders[0])
        there = _files_below(path)
        data = tuple(file for file in there if file.name.endswith(DATA_FILE))
        if not data and any(file.name.endswith(_ION_FILE) for file in there):
            raise TripFileError(
                f"{path} has an export in Amazon Ion: export the table with the format "
                f"{DYNAMODB_JSON} (`--export-format {DYNAMODB_JSON}`)"
            )
        parent = path.resolve().parent
        beside = [*there, *(parent.iterdir() if path.resolve().name == "data" else ())]
        if found := sorted({file.name for file in beside} & _OF_AN_EXPORT):
            raise TripFileError(
                f"{path} has an export that is not complete: it has {' and '.join(found)}, and no "
                f"{SUMMARY}. Wait until DynamoDB has completed it, and copy the whole export again"
            )
        if not data:
            raise TripFileError(
                f"{path} has no export in it: neither {SUMMARY} nor files that end in {DATA_FILE}. "
                "Other files are read with --trips"
            )
        return cls._without_manifests(path, data)

    @classmethod
    def _with_manifests(cls, path: Path, folder: Path) -> Self:
        summary_file, files_file = folder / SUMMARY, folder / FILES
        summary = read_summary(summary_file.read_bytes(), url=str(summary_file))
        listed = read_files(files_file.read_bytes(), summary, url=str(files_file))
        files = [folder / "data" / file.data_file_s3_key.rpartition("/")[2] for file in listed]
        if missing := [file for file in files if not file.is_file()]:
            raise TripFileError(
                f"{path} lacks {len(missing):,} of the export's {len(files):,} data files, such "
                f"as {missing[0]}: fetch the whole export again"
            )
        return cls(
            path=path,
            manifests=folder,
            files=tuple(files),
            table_arn=summary.table_arn,
            table_id=summary.table_id,
            as_of=instant(summary),
            items=summary.item_count,
            table_bytes=summary.billed_size_bytes,
            fingerprint=_fingerprint(files),
        )

    @classmethod
    def _without_manifests(cls, path: Path, files: tuple[Path, ...]) -> Self:
        for file in files:
            if not file.name.endswith(DATA_FILE):
                raise TripFileError(
                    f"{file} is no data file of an export, which ends in {DATA_FILE}: other files "
                    "are read with --trips"
                )
            _check_utf8(file)
        newest = max(file.stat().st_mtime for file in files)
        newest = min(newest, time.time())  # files may claim to be of the future
        as_of = datetime.fromtimestamp(newest, UTC).isoformat(timespec="microseconds")
        fingerprint = _fingerprint(files)
        return cls(
            path=path,
            manifests=None,
            files=files,
            table_arn=None,
            table_id=str(uuid.uuid5(uuid.NAMESPACE_URL, fingerprint)),
            as_of=as_of,
            items=None,
            table_bytes=None,
            fingerprint=fingerprint,
            remarks=(_no_manifests_remark(path, as_of),),
        )

    @property
    def saved(self) -> SavedExport:
        return SavedExport(
            path=str(self.path.resolve()), fingerprint=self.fingerprint, table_arn=self.table_arn
        )

    @property
    def is_unchanged(self) -> bool:
        """Returns whether its files are still those that were found."""
        try:
            return _fingerprint(self.files) == self.fingerprint
        except (OSError, TripFileError):
            return False

    @property
    def newest_or_missing(self) -> str:
        """Names the file that has probably changed, if one has."""
        if missing := [file for file in self.files if not file.exists()]:
            return f"{missing[0]} is missing"
        return f"the newest one is {max(self.files, key=lambda file: file.stat().st_mtime_ns)}"

    @property
    def prefix(self) -> str:
        """Returns the prefix of the keys of its objects."""
        return f"{MOUNT_PREFIX}/{self.fingerprint[:16]}/"

    def manifest_url(self, bucket_name: str) -> str:
        return f"s3://{bucket_name}/{self.prefix}{SUMMARY}"

    def objects(self, manifest_directory: Path) -> dict[str, Path]:
        """Returns its files, by the keys under which the functions see them. Without manifests,
        some that say what is known are written into `manifest_directory`."""
        if self.manifests is None:
            data = {f"{number:05d}-{file.name}": file for number, file in enumerate(self.files)}
            self._write_manifests(manifest_directory, data)
        else:
            data = {file.name: file for file in self.files}
        manifests = [
            file for file in (self.manifests or manifest_directory).iterdir() if file.is_file()
        ]
        return {
            **{f"{self.prefix}{file.name}": file for file in manifests},
            **{f"{self.prefix}data/{name}": file for name, file in data.items()},
        }

    def _write_manifests(self, folder: Path, data: Iterable[str]) -> None:
        """Writes manifests for these data files."""
        folder.mkdir(parents=True, exist_ok=True)
        summary = Summary(
            output_format=DYNAMODB_JSON,
            table_arn="unknown",
            table_id=self.table_id,
            export_time=datetime.fromisoformat(self.as_of),
            item_count=None,
        )
        files = [
            File(item_count=None, md5_checksum=None, data_file_s3_key=f"data/{name}")
            for name in data
        ]
        write_manifest(folder / SUMMARY, msgspec.json.encode(summary))
        write_manifest(folder / FILES, b"".join(msgspec.json.encode(one) + b"\n" for one in files))

    def sample(self, *, hash_key: str, sort_key: str | None) -> Trips:
        """Returns the first items of a few files, and of the first other file that has any if these
        are empty. Raises TripFileError for what is no export, and where the items have no such
        key."""
        trips = Trips(hash_key=hash_key, sort_key=sort_key)
        step = max(1, len(self.files) // _FILES_SAMPLED)
        few = self.files[::step][:_FILES_SAMPLED]
        for number, file in enumerate(dict.fromkeys((*few, *self.files))):
            if number >= len(few) and trips.items:
                break
            lines = b"".join(islice(_lines(file), _ITEMS_SAMPLED))
            try:
                add_json_lines(trips, file, lines.decode())
            except UnicodeDecodeError as error:
                raise TripFileError(f"{file} is no UTF-8 text: fetch it again") from error
        return trips

    def is_sample(self, trips: Trips) -> bool:
        """Returns whether it has, or may have, more items than these of its items."""
        return self.items != len(trips.items)

    @property
    def described(self) -> str:
        """Describes the export for people."""
        items = "" if self.items is None else f"{figures.so_many(self.items, 'item')} in "
        of_table = "" if self.table_arn is None else f" of {self.table_arn.rpartition('/')[2]}"
        files = figures.so_many(len(self.files), "file")
        as_of = figures.instant(datetime.fromisoformat(self.as_of))
        exactly = "exactly" if self.manifests is not None else "at the latest"
        return f"Export{of_table}: {items}{files}, as of {as_of}, {exactly}."


def _no_manifests_remark(path: Path, as_of: str) -> str:
    why = f"{path} has no {SUMMARY}" if path.is_dir() else f"{path} is one file, without manifests"
    latest = figures.instant(datetime.fromisoformat(as_of))
    return (
        f"{why}: whether all items of the export are there cannot be checked. They are as of "
        f"{latest} at the latest, when the newest file was written; a run over an export of an "
        "earlier time does not replace the days of this run. To check them, give --export the "
        f"folder that has {SUMMARY}."
    )


def _check_utf8(path: Path) -> None:
    """Raises TripFileError for a name that no document can contain."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise TripFileError(f"{str(path)!r} is not UTF-8: rename it") from error


def _manifest_folders(path: Path) -> Sequence[Path]:
    """Returns the folders of the exports that a directory belongs to or contains: the directory
    itself, if it has a summary; else the folder above, if this is its folder of data files."""
    real = path.resolve()
    if (path / SUMMARY).is_file():
        return [path]
    if real.name == "data" and (real.parent / SUMMARY).is_file():
        return [real.parent]
    return [file.parent for file in _files_below(path) if file.name == SUMMARY]


def _files_below(path: Path) -> Sequence[Path]:
    """Returns the files of a directory, in order, without what runs have written there, which may
    be exports. Links are followed, to each directory once. Raises OSError if a directory cannot be
    read: nobody would notice that its files are missing."""
    found: list[Path] = []
    seen: set[str] = set()
    for directory, below, files in os.walk(path, followlinks=True, onerror=_raise):
        real = os.path.realpath(directory)
        if real in seen:
            below.clear()
            continue
        seen.add(real)
        of_runs = WRITTEN_BY_RUNS if MARKER in files else ()
        below[:] = sorted(name for name in below if name not in of_runs)
        found += (Path(directory, name) for name in files)
    return sorted(found)


def _raise(error: OSError) -> NoReturn:
    raise error


def _fingerprint(files: Sequence[Path]) -> str:
    """Describes the files, wherever the folder is that they have in common. Raises TripFileError
    for one without a byte: packed with gzip, even no items have some."""
    real = [file.resolve() for file in files]
    folder = os.path.commonpath([file.parent for file in real]) if real else ""
    described = []
    for file in real:
        found = file.stat()
        if not found.st_size:
            raise TripFileError(f"{file} has 0 bytes: fetch it again")
        described.append([str(file.relative_to(folder)), found.st_size, found.st_mtime_ns])
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()


def _lines(file: Path) -> Iterator[bytes]:
    """Returns the file's first whole lines."""
    blocks = LineBlocks(str(file))
    try:
        with file.open("rb") as packed:
            while piece := packed.read(_SAMPLED_BYTES):
                for block in blocks.feed(piece):
                    yield from block.splitlines(keepends=True)
        yield from blocks.end().splitlines(keepends=True)
    except CorruptExportError as error:
        raise TripFileError(str(error)) from error
    except OSError as error:
        raise TripFileError(f"{file} cannot be read: {error.strerror or error}") from error


def write_export(
    trips: Trips,
    directory: Path,
    *,
    table_name: str,
    table_id: str,
    on_written: Callable[[int], None],
) -> ExportOnDisk:
    """Writes the trips as an export of a table with that name and id, as of now, to `directory`.
    `on_written` receives how many were written since it was last called."""
    writer = ExportWriter(
        directory,
        table_arn=f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{table_name}",
        table_id=table_id,
        export_time=datetime.now(UTC),
        bucket="here",
        files=_FILES_WRITTEN,
    )
    for number, item in enumerate(trips.items.values(), start=1):
        writer.add(write_item(item))
        if number % _WRITTEN_AT_ONCE == 0:
            on_written(_WRITTEN_AT_ONCE)
            interruption.check()
    writer.finish()
    on_written(len(trips.items) % _WRITTEN_AT_ONCE)
    return ExportOnDisk.at(directory)
