"""What a run leaves so that another process can resume it: trips, stack, objects, runs."""

from __future__ import annotations

import fcntl
import gzip
import json
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import msgspec

from ops.atomic_write import atomic_write
from ops.local.bucket_tree import remove_mirrored
from ops.local.out_directory import StateError as StateError  # for those who read a state
from ops.local.out_directory import cannot_write, claim_out
from ops.local.trip_files import TripFileError, Trips, read_trips, to_json_lines
from ops.object_on_disk import ObjectOnDisk
from ops.runs.execution import Execution, FailedSegment
from ops.runs.storage import STATE_OBJECTS
from trip_kpis.core import layout
from trip_kpis.core.layout import is_run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedStack:
    """What makes another cloud the same to the functions."""

    hash_key: str
    sort_key: str | None
    table_id: str
    bucket_name: str
    parameters: Mapping[str, str]
    """of the stack, as they were given"""
    page_bytes: int | None


class _Noted(msgspec.Struct, frozen=True, kw_only=True):
    """An execution as `executions.json` has it: empty is what is not known."""

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

    `stack.json` is written last and removed first: without it, there is no state.
    """

    def __init__(self, out: Path) -> None:
        self._out = out
        self._path = out / "state"
        self._stack = self._path / "stack.json"
        self._trips = self._path / "trips.jsonl.gz"
        self._executions = self._path / "executions.json"
        self._lock = self._path / "lock"
        self.objects_path = out / STATE_OBJECTS
        self.logs_path = out / "logs"
        self.pages_path = self._path / "pages"

    @property
    def exists(self) -> bool:
        """A copy of a bucket has none."""
        return self._executions.exists()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """For this process alone, as long as this lasts or the process lives.

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
        """Whether a process has it now. Writes nothing: the directory may be a read-only one."""
        try:
            with self._lock.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def forget(self) -> None:
        """Removes what an earlier cloud has left here and in DIR, so that nothing of it can be
        taken for the next one's, whenever that breaks off. DIR must be claimed (`locked`)."""
        for file in (self._stack, self._executions, self._trips):
            file.unlink(missing_ok=True)
        for directory in (self.objects_path, self.pages_path):
            shutil.rmtree(directory, ignore_errors=True)
        remove_mirrored(self._out)

    def begin(self, stack: SavedStack, trips: Trips) -> None:
        """The state of a new cloud, which has no runs yet, and nothing of an earlier one's."""
        self.forget()
        _write(self._trips, gzip.compress(to_json_lines(trips).encode()))
        _write(self._executions, b"[]")
        _write(self._stack, json.dumps(asdict(stack)).encode())

    def stack(self) -> SavedStack:
        """Raises StateError if there is none, as everything here does for a file that is damaged
        or missing."""
        if not self._stack.is_file():
            raise StateError(
                f"{self._out} has no state to resume from ({self._stack} is not there): --out must "
                "be the directory of an `ops run` or `ops demo` whose table was loaded; one that "
                "was interrupted before that is simply started again"
            )
        with _damage(self._stack):
            return msgspec.json.decode(self._stack.read_bytes(), type=SavedStack)

    def trips(self) -> Trips:
        """As they were loaded into the table."""
        stack = self.stack()
        with _damage(self._trips):
            packed = self._trips.read_bytes()
            if not packed:  # which gzip takes for nothing, packed
                raise ValueError("it is empty")
            if not gzip.decompress(packed):
                return Trips(hash_key=stack.hash_key, sort_key=stack.sort_key)
            return read_trips([self._trips], hash_key=stack.hash_key, sort_key=stack.sort_key)

    def note(self, execution: Execution) -> None:
        """Before the execution is started, and once it has ended."""
        noted = {one.name: one for one in self.executions()} | {execution.name: execution}
        _write(self._executions, msgspec.json.encode([*map(_Noted.of, noted.values())]))

    def executions(self) -> tuple[Execution, ...]:
        """In the order of their beginning."""
        with _damage(self._executions):
            noted = msgspec.json.decode(self._executions.read_bytes(), type=tuple[_Noted, ...])
            if foreign := [one.run_id for one in noted if not is_run_id(one.run_id)]:
                raise ValueError(f"{foreign[0]!r} is no id of a run")
            return tuple(one.execution for one in noted)

    def first_execution(self, run_id: str) -> Execution:
        """The one that began the run. Raises StateError if no such run was ever started."""
        executions = self.executions()
        for execution in executions:
            if execution.run_id == run_id:
                return execution
        there = ", ".join(dict.fromkeys(execution.run_id for execution in executions))
        raise StateError(
            f"{self._out} has no run {run_id}: "
            + (f"there are {there}" if there else "there is none at all")
        )

    def unfinished_run(self) -> str:
        """The id of the one run that has no manifest. Raises StateError if it is not just one."""
        kept = {stored.key for stored in self.objects()}
        run_ids = dict.fromkeys(execution.run_id for execution in self.executions())
        unfinished = [one for one in run_ids if layout.manifest_key(one) not in kept]
        if len(unfinished) == 1:
            return unfinished[0]
        if unfinished:
            raise StateError(
                f"{self._out} has more than one run that is not finished: name one of "
                f"{', '.join(unfinished)}"
            )
        if run_ids:
            raise StateError(
                f"{self._out} has no run that is not finished: to go through a finished one "
                f"again, name it ({', '.join(run_ids)})"
            )
        raise StateError(
            f"{self._out} has no run at all: it was interrupted before, start it again"
        )

    def objects(self) -> tuple[ObjectOnDisk, ...]:
        """Of the stack's bucket."""
        files = (self.objects_path / self.stack().bucket_name).glob("*.object")
        return tuple(map(_object, sorted(files)))


def _write(file: Path, content: bytes) -> None:
    try:
        atomic_write(file, content)
    except OSError as error:
        raise cannot_write(
            file, error, "free space there, or name another directory, and start again"
        ) from error


@contextmanager
def _damage(file: Path) -> Iterator[None]:
    """Around reading a file that `begin` has written."""
    try:
        yield
    except (OSError, EOFError, zlib.error, ValueError, RecursionError, TripFileError) as error:
        raise StateError(
            f"{file} cannot be read ({error or type(error).__name__}): put it back as it was, or "
            "start a new run with `ops run`"
        ) from error


def _object(file: Path) -> ObjectOnDisk:
    try:
        return ObjectOnDisk.from_bytes(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise StateError(
            f"{file} is no object of the bucket any more ({error or type(error).__name__}): put it "
            "back as it was, remove the file to go on as if the bucket had no such object, or "
            "start a new run with `ops run`"
        ) from error
