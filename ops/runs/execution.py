"""One execution of the state machine: started, followed, and what it came to."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from ops.local.page_log import PagesRead
from ops.runs.failed_children import failed_children
from ops.runs.objects import BucketObjects
from ops.runs.outcome import Outcome
from ops.runs.published import Published, PublishedBefore
from ops.runs.run_log import Progress, RunLog
from ops.runs.target import Target

_SHARE_OF_LOOKING = 0.1
"""Looking at a run of very many segments takes a while, and costs a LIST for every thousand parts:
it is done so seldom that it takes no more than this share of the time."""


class RunningExecution:
    """An execution of a run, from its start on.

    Everything raises botocore's errors; `ops.stack.account.asking_aws` puts them into words.
    """

    def __init__(
        self, target: Target, run_id: str, arn: str, before: PublishedBefore | None = None
    ) -> None:
        self.run_id = run_id
        self.arn = arn
        self._target = target
        self._client = target.client("stepfunctions")
        self._before = before
        self._log = RunLog(BucketObjects(target.client("s3"), target.bucket_name), run_id)

    @classmethod
    def start(
        cls, target: Target, execution_input: Mapping[str, Any], *, name: str
    ) -> "RunningExecution":
        """Of the run that the input names, or a new one that is called as the execution is."""
        run_id = execution_input.get("run_id", name)
        before = PublishedBefore.of(target.client("s3"), target.bucket_name, run_id)
        started = target.client("stepfunctions").start_execution(
            stateMachineArn=target.state_machine_arn,
            name=name,
            input=json.dumps(dict(execution_input)),
        )
        return cls(target, run_id, started["executionArn"], before)

    def follow(self, on_progress: Callable[[Progress], None], *, poll_seconds: float) -> None:
        """Tells of the progress until the execution has ended, and once then."""
        while self._describe()["status"] == "RUNNING":
            began = time.monotonic()
            on_progress(self._log.look())
            looked = time.monotonic() - began
            time.sleep(max(poll_seconds, looked / _SHARE_OF_LOOKING - looked))
        on_progress(self._log.look())

    def outcome(self, *, pages: PagesRead | None = None) -> Outcome:
        """Once it was followed to its end; `pages` are those of the table that it read, where
        somebody counted.

        Where it was not begun here, "published" is what is there now.
        """
        execution = self._describe()
        output = json.loads(execution.get("output") or "null")
        s3 = (self._target.client("s3"), self._target.bucket_name, self.run_id)
        succeeded = execution["status"] == "SUCCEEDED"
        before = self._before or PublishedBefore(frozenset(), has_manifest=False)
        return Outcome(
            run_id=self.run_id,
            status=execution["status"],
            output=output if isinstance(output, dict) else None,
            error=execution.get("error"),
            cause=execution.get("cause"),
            failed_segments=() if succeeded else failed_children(self._client, self.arn),
            pages=pages or PagesRead(),
            is_planned=self._log.progress.plan is not None,
            published=Published() if succeeded else before.now(*s3),
        )

    def _describe(self) -> dict[str, Any]:
        described: dict[str, Any] = self._client.describe_execution(executionArn=self.arn)
        return described
