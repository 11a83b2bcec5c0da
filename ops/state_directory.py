"""What a run leaves so that another process can go on with it: trips, stack, objects, runs."""

from __future__ import annotations

import fcntl
import gzip
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ops.trip_files import Trips, read_trips, to_json_lines
from ops.written_whole import write_whole


class StateError(Exception):
    """There is no state to go on from, or another process is at it. The message says where."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedExecution:
    """An execution that was started, whatever became of it."""

    run_id: str
    name: str
    input: Mapping[str, Any]


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
        self.objects_path = self._path / "objects"
        self.pages_path = self._path / "pages"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """For this process alone, as long as this lasts or the process lives.

        Raises StateError if another one has it.
        """
        self._path.mkdir(parents=True, exist_ok=True)
        with (self._path / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StateError(
                    f"another process is running over {self._path}: wait for its end, or choose "
                    "another --out"
                ) from error
            yield

    def begin(self, stack: SavedStack, trips: Trips) -> None:
        """Replaces what is there by the state of a new cloud, which has no runs yet."""
        self._stack.unlink(missing_ok=True)
        for directory in (self.objects_path, self.pages_path):
            shutil.rmtree(directory, ignore_errors=True)
        write_whole(self._trips, gzip.compress(to_json_lines(trips).encode()))
        write_whole(self._executions, b"[]")
        write_whole(self._stack, json.dumps(asdict(stack)).encode())

    def stack(self) -> SavedStack:
        """Raises StateError if there is none."""
        if not self._stack.is_file():
            raise StateError(
                f"{self._out} has no state to go on from ({self._stack} is not there): --out must "
                "be the directory of an `ops run` or `ops demo`"
            )
        return SavedStack(**json.loads(self._stack.read_bytes()))

    def trips(self) -> Trips:
        """As they were loaded into the table."""
        stack = self.stack()
        if not gzip.decompress(self._trips.read_bytes()):
            return Trips(hash_key=stack.hash_key, sort_key=stack.sort_key)
        return read_trips([self._trips], hash_key=stack.hash_key, sort_key=stack.sort_key)

    def note(self, execution: StartedExecution) -> None:
        """Before the execution is started."""
        executions = [*map(asdict, self.executions()), asdict(execution)]
        write_whole(self._executions, json.dumps(executions).encode())

    def executions(self) -> tuple[StartedExecution, ...]:
        """In the order of their beginning."""
        return tuple(StartedExecution(**one) for one in json.loads(self._executions.read_bytes()))

    def check_run(self, run_id: str) -> None:
        """Raises StateError if no such run was ever started."""
        run_ids = dict.fromkeys(execution.run_id for execution in self.executions())
        if run_id not in run_ids:
            there = f"there are {', '.join(run_ids)}" if run_ids else "there is none at all"
            raise StateError(f"{self._out} has no run {run_id}: {there}")
