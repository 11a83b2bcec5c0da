"""Starts an execution of the state machine and follows it to its end."""

import json
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol, TypeVar

from ops.runs.execution import (
    RUNNING,
    SUCCEEDED,
    EndedExecution,
    Execution,
    PagesRead,
    failed_segments,
)
from ops.runs.published import Published, PublishedBefore
from ops.runs.run_log import Progress, RunLog
from ops.runs.storage import Bucket

_SHARE_OF_LOOKING = 0.1
"""The largest share of the time that reading the progress may take. For a run of very many segments
it takes a while, and costs a LIST for every thousand parts. In between, only the execution's status
is requested, so that its end is noticed at once."""


_Answer = TypeVar("_Answer")


class Ask(Protocol):
    """Makes a call to AWS and returns its answer; may repeat it."""

    def __call__(self, call: Callable[[], _Answer], /) -> _Answer: ...


def ask_once(call: Callable[[], _Answer], /) -> _Answer:
    """Makes the call once; its errors are the caller's."""
    return call()


class Target(Protocol):
    """What runs are executed in: the state machine and bucket of a stack, and their clients."""

    @property
    def state_machine_arn(self) -> str: ...

    @property
    def bucket_name(self) -> str: ...

    def client(self, service: str) -> Any: ...


class RunningExecution:
    """An execution of a run, from its start on.

    Everything raises botocore's errors; `ops.stack.account.asking_aws` puts them into words.
    """

    def __init__(
        self, target: Target, run_id: str, arn: str, before: PublishedBefore | None = None
    ) -> None:
        self.run_id = run_id
        self.arn = arn
        self._client = target.client("stepfunctions")
        self._bucket = _bucket(target)
        self._before = before
        self._log = RunLog(self._bucket, run_id)

    @classmethod
    def start(
        cls, target: Target, execution_input: Mapping[str, Any], *, name: str
    ) -> "RunningExecution":
        """Starts an execution of the run that the input names, or of a new run with the execution's
        name."""
        run_id = execution_input.get("run_id", name)
        before = PublishedBefore.of(_bucket(target), run_id)
        started = target.client("stepfunctions").start_execution(
            stateMachineArn=target.state_machine_arn,
            name=name,
            input=json.dumps(dict(execution_input)),
        )
        return cls(target, run_id, started["executionArn"], before)

    def follow(
        self,
        on_progress: Callable[[Progress], None],
        *,
        poll_seconds: float,
        ask: Ask = ask_once,
    ) -> None:
        """Reports the progress until the execution has ended, and once after that.

        Args:
            on_progress: receives the progress.
            poll_seconds: between two questions for the status.
            ask: makes each call to AWS; it may repeat a call that fails.
        """
        # The first part that is read loads pyarrow: a second that is no part of looking.
        import_module("trip_kpis.core.log.parts")
        next_look_at = time.monotonic()
        while ask(self._describe)["status"] == RUNNING:
            began = time.monotonic()
            if began >= next_look_at:
                on_progress(ask(self._log.look))
                next_look_at = began + (time.monotonic() - began) / _SHARE_OF_LOOKING
            time.sleep(poll_seconds)
        on_progress(ask(self._log.look))

    @property
    def progress(self) -> Progress:
        """Returns the progress when it was last read."""
        return self._log.progress

    def ended(self, *, pages: PagesRead | None = None) -> EndedExecution:
        """Returns the execution that has ended, after it was followed to its end; `pages` are those
        of the table that it read, if they were counted.

        Where it was not begun here, "published" is what is there now.
        """
        described = self._describe()
        known = Execution.from_description(described)
        output = json.loads(described.get("output") or "null")
        before = self._before or PublishedBefore(frozenset(), has_manifest=False)
        succeeded = known.status == SUCCEEDED
        return EndedExecution(
            name=known.name,
            run_id=self.run_id,
            arn=self.arn,
            input=known.input,
            status=known.status,
            started_at=known.started_at,
            stopped_at=known.stopped_at,
            error=known.error,
            cause=known.cause,
            failed_segments=() if succeeded else failed_segments(self._client, self.arn),
            output=output if isinstance(output, dict) else None,
            pages=pages,
            progress=self._log.progress,
            published=Published() if succeeded else before.now(self._bucket, self.run_id),
        )

    def _describe(self) -> dict[str, Any]:
        described: dict[str, Any] = self._client.describe_execution(executionArn=self.arn)
        return described


def _bucket(target: Target) -> Bucket:
    """Returns the bucket, which may be missing: this may be the reason why an execution fails."""
    return Bucket(target.client("s3"), target.bucket_name, may_be_absent=True)
