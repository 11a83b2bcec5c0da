"""The state of runs, with which another process can resume them and the next run sees them: trips,
stack, objects, executions."""

from __future__ import annotations

import fcntl
import gzip
import json
import shutil
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from ops.atomic_write import atomic_write
from ops.local.bucket_tree import MIRRORED, remove_mirrored
from ops.local.export_on_disk import ExportOnDisk, SavedExport
from ops.local.out_directory import StateError as StateError  # for those who read a state
from ops.local.out_directory import cannot_write, claim_out
from ops.local.trip_files import TripFileError, Trips, read_trips, to_json_lines
from ops.object_on_disk import ObjectOnDisk, file_name
from ops.runs.execution import Execution, FailedSegment
from ops.runs.storage import STATE_OBJECTS, Listed
from trip_kpis.core import layout
from trip_kpis.core.layout import is_run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedStack:
    """The properties of a cloud that the functions can notice."""

    hash_key: str
    sort_key: str | None
    table_id: str
    bucket_name: str
    parameters: Mapping[str, str]
    """parameters of the stack, as they were given"""
    page_bytes: int | None
    export: SavedExport | None = None
    """the export that runs read instead of the table, which is then empty"""

    @property
    def empty_table(self) -> Trips:
        return Trips(hash_key=self.hash_key, sort_key=self.sort_key)

    @property
    def key_attributes(self) -> tuple[str, ...]:
        return self.empty_table.key_attributes


class _Noted(msgspec.Struct, frozen=True, kw_only=True):
    """An execution as in `executions.json`: an empty value is not known."""

    run_id: str
    name: str
    input: dict[str, Any]
    status: str = ""
    error: str = ""
    cause: str = ""
    failed: tuple[FailedSegment, ...] = ()

    @classmethod
    def of(cls, execution: Execution) -> Self:
        return cls(
            run_id=execution.run_id,
            name=execution.name,
            input=dict(execution.input),
            status=execution.status or "",
            error=execution.error or "",
            cause=execution.cause or "",
            failed=execution.failed_segments or (),
        )

    @property
    def execution(self) -> Execution:
        return Execution(
            run_id=self.run_id,
            name=self.name,
            input=self.input,
            status=self.status or None,
            error=self.error or None,
            cause=self.cause or None,
            failed_segments=self.failed if self.status else None,
        )


class StateDirectory:
    """`DIR/state` of `ops run --out DIR`. Every file in it is whole at any time.

    `stack.json` is the stack as it is now, with the table that the trips of the last `run` are in:
    the next `run` replaces it, and all else stays. A run has a copy of the one that it began with.
    It is written last and removed first: without it, there is no state.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._path = out / "state"
        self._stack = self._path / "stack.json"
        self._stacks_of_runs = self._path / "stacks"
        self._executions = self._path / "executions.json"
        self._lock = self._path / "lock"
        self.objects_path = out / STATE_OBJECTS
        self.logs_path = out / "logs"
        self.pages_path = self._path / "pages"
        self._exports = self._path / "exports"

    @property
    def exists(self) -> bool:
        """Returns whether there is a state; a copy of a bucket has none."""
        return self._stack.exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Locks the directory for this process, until the block or the process ends.

        Makes and marks DIR. Raises StateError if another process has it, or no run may replace what
        is in it (`check_out`).
        """
        claim_out(self._out)
        try:
            self._path.mkdir(exist_ok=True)
            lock = self._lock.open("w")
        except OSError as error:
            raise cannot_write(self._path, error) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StateError(
                    f"another process is running over {self._path}: wait for its end, or choose "
                    "another --out"
                ) from error
            yield

    def is_locked(self) -> bool:
        """Returns whether a process has locked it now. Writes nothing: the directory may be a
        read-only one."""
        try:
            with self._lock.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def export_path(self, table_id: str) -> Path:
        """Returns the path of the trips that are written as an export of this table, or of the
        manifests of an export that has none."""
        return self._exports / table_id

    def forget(self) -> None:
        """Removes all runs, here and in DIR. DIR must be claimed (`locked`)."""
        for file in (self._stack, self._executions, *self._all_trips()):
            file.unlink(missing_ok=True)
        for directory in (self.objects_path, self.pages_path, self._stacks_of_runs):
            shutil.rmtree(directory, ignore_errors=True)
        remove_mirrored(self._out)

    def save(self, stack: SavedStack, trips: Trips) -> None:
        """Makes this the current stack, and these trips (or the export in `export_path`) its table;
        earlier runs stay.

        Until `stack.json` is replaced, all is as it was.
        """
        file = self._trips(stack)
        if not file.exists():
            _write(file, gzip.compress(to_json_lines(trips).encode()))
        if not self._executions.exists():
            _write(self._executions, b"[]")
        _write(self._stack, json.dumps(asdict(stack)).encode())
        for other in self._all_trips():
            if other != file:
                other.unlink()
        for other in self._exports.glob("*"):
            if other.name != stack.table_id:
                shutil.rmtree(other, ignore_errors=True)

    def earlier(self) -> SavedStack | None:
        """Returns the stack of earlier runs, which the next run continues to use; None for a
        directory without runs. Raises StateError where the next run could not use all that they
        left."""
        if self.exists:
            self.executions()
            self.bucket()
            return self.stack()
        if any((self._out / prefix).exists() for prefix in MIRRORED):
            raise StateError(
                f"{self._out} has results of earlier runs, and {self._stack} is not there, which a "
                "further run needs: name another directory with --out, or replace the results "
                "with --fresh"
            )
        return None

    def has_trips(self, trips: Trips) -> bool:
        """Returns whether the table has exactly these trips, in this order."""
        stack, file = self.stack(), self._saved_trips()
        if stack.export is not None:
            return False
        with _damage(file):
            saved = gzip.decompress(file.read_bytes())
        same_key = stack.key_attributes == trips.key_attributes
        return same_key and saved == to_json_lines(trips).encode()

    def stack(self) -> SavedStack:
        """Returns the current stack."""
        if not self.exists:
            raise StateError(
                f"{self._out} has no state to resume from ({self._stack} is not there): --out must "
                "be the directory of an `ops run` or `ops demo` whose table was loaded. If it was "
                "interrupted before that, start it again"
            )
        return _saved_stack(self._stack)

    def stack_of(self, run_id: str) -> SavedStack:
        """Returns the stack with which the run began."""
        file = self._stack_of_run(run_id)
        return _saved_stack(file) if file.is_file() else self.stack()

    def has_manifest_of(self, run_id: str) -> bool:
        """Returns whether the bucket has the run's manifest: then the run is finished, exported to
        DIR or not."""
        name = file_name(layout.manifest_key(run_id))
        return (self.objects_path / self.stack().bucket_name / name).is_file()

    def has_source_of(self, run_id: str) -> bool:
        """Returns whether the table, or the export in this directory, that the run reads was not
        replaced by a later run. An export elsewhere is looked for when it is read (`export_of`)."""
        stack = self.stack_of(run_id)
        is_elsewhere = stack.export is not None and stack.export.path is not None
        return is_elsewhere or stack.table_id == self.stack().table_id

    def trips(self) -> Trips:
        """Returns the trips as they were loaded into the table."""
        stack, file = self.stack(), self._saved_trips()
        with _damage(file):
            packed = file.read_bytes()
            if not packed:  # which gzip takes for nothing, packed
                raise ValueError("it is empty")
            if not gzip.decompress(packed):
                return stack.empty_table
            return read_trips([file], hash_key=stack.hash_key, sort_key=stack.sort_key)

    def export_of(self, stack: SavedStack) -> ExportOnDisk | None:
        """Returns the export that runs of this stack read; None: they read its table. Raises
        StateError where it is not what it was."""
        if stack.export is None:
            return None
        path = Path(stack.export.path or self.export_path(stack.table_id))
        if not path.exists():
            raise StateError(
                f"the export {path}, which the run reads, is not there any more: put it back, or "
                "start a new run with `ops run`"
            )
        try:
            export = ExportOnDisk.at(path)
        except TripFileError as error:
            raise StateError(f"the export that the run reads cannot be used: {error}") from error
        if export.fingerprint != stack.export.fingerprint:
            raise StateError(
                f"the export {path} is not the one that the run began with: its files have changed "
                f"since; {export.newest_or_missing}. Put them back as they were, with the same "
                "times of modification (`cp -p`), or start a new run with `ops run`"
            )
        return export

    def save_stack_of(self, run_id: str) -> None:
        """Saves the stack of a run, before the run's first execution is recorded."""
        _write(self._stack_of_run(run_id), self._stack.read_bytes())

    def note(self, execution: Execution) -> None:
        """Records an execution, before it is started, and after it has ended."""
        others = [one for one in self.executions() if one.name != execution.name]
        _write(self._executions, msgspec.json.encode([*map(_Noted.of, (*others, execution))]))

    def executions(self) -> tuple[Execution, ...]:
        """Returns the executions in the order of their beginning."""
        with _damage(self._executions):
            noted = msgspec.json.decode(self._executions.read_bytes(), type=tuple[_Noted, ...])
            if foreign := [one.run_id for one in noted if not is_run_id(one.run_id)]:
                raise ValueError(f"{foreign[0]!r} is not the id of a run")
            return tuple(one.execution for one in noted)

    def first_execution(self, run_id: str) -> Execution:
        """Returns the execution that began the run. Raises StateError if no such run was ever
        started."""
        executions = self.executions()
        for execution in executions:
            if execution.run_id == run_id:
                return execution
        there = ", ".join(dict.fromkeys(execution.run_id for execution in executions))
        raise StateError(
            f"{self._out} has no run {run_id}: "
            + (f"there are {there}" if there else "there is none at all")
        )

    def bucket(self) -> SavedBucket:
        """Returns the current objects of the stack's bucket."""
        files = (self.objects_path / self.stack().bucket_name).glob("*.object")
        return SavedBucket(map(_object, sorted(files)))

    def drop_lease(self) -> None:
        """Removes the lease of a merge that was killed. A merge ends with the process that runs its
        function, so none has it while this process has the lock."""
        lease = self.objects_path / self.stack().bucket_name / file_name(layout.LEASE)
        lease.unlink(missing_ok=True)

    def _trips(self, stack: SavedStack) -> Path:
        return self._path / f"trips-{stack.table_id}.jsonl.gz"

    def _saved_trips(self) -> Path:
        """Returns the path of the table's trips. An earlier version had one table, and another name
        for its file."""
        file, before = self._trips(self.stack()), self._path / "trips.jsonl.gz"
        return before if before.exists() and not file.exists() else file

    def _all_trips(self) -> list[Path]:
        return [*self._path.glob("trips*.jsonl.gz")]

    def _stack_of_run(self, run_id: str) -> Path:
        return self._stacks_of_runs / f"{run_id}.json"


class SavedBucket:
    """The objects of a bucket (`ops.runs.storage.Storage`), without an embedded cloud."""

    def __init__(self, objects: Iterable[ObjectOnDisk]) -> None:
        self._objects = {one.key: one for one in objects}

    def objects(self, prefix: str) -> Iterator[Listed]:
        for key, one in self._objects.items():
            if key.startswith(prefix):
                yield Listed(key, one.last_modified)

    def read(self, key: str) -> bytes | None:
        return self._objects[key].body if key in self._objects else None


def _saved_stack(file: Path) -> SavedStack:
    with _damage(file):
        return msgspec.json.decode(file.read_bytes(), type=SavedStack)


def _write(file: Path, content: bytes) -> None:
    try:
        atomic_write(file, content)
    except OSError as error:
        raise cannot_write(
            file, error, "free space there, or name another directory, and start again"
        ) from error


@contextmanager
def _damage(file: Path) -> Iterator[None]:
    """Adds advice to the errors of the block, which reads a file of the state."""
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError, RecursionError, TripFileError) as error:
        raise StateError(
            f"{file} cannot be read ({error or type(error).__name__}): put it back as it was, or "
            "start a new run with `ops run --fresh`, which removes the earlier ones"
        ) from error


def _object(file: Path) -> ObjectOnDisk:
    try:
        return ObjectOnDisk.from_bytes(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise StateError(
            f"{file} is no object of the bucket any more ({error or type(error).__name__}): put it "
            "back as it was, remove the file to continue without this object, or "
            "start a new run with `ops run --fresh`, which removes the earlier ones"
        ) from error
