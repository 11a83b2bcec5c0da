"""An execution of the state machine, as Step Functions or a state directory records it."""

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any, Self

from ops.runs.published import Published
from ops.runs.run_log import Progress

RUNNING, SUCCEEDED, FAILED = "RUNNING", "SUCCEEDED", "FAILED"
INTERRUPTED = "INTERRUPTED"
"""status of an execution on this machine whose process ended before it did"""
_MOST_FAILED_SEGMENTS = 20
"""the most failed segments that are listed: one failed segment ends the Map, so there are hardly
ever more than were running"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedSegment:
    """A child execution of a segment that failed: the run's execution only says that one has
    failed."""

    input: Any
    """``{"run_id", "segment"}``"""
    error: str
    cause: str

    @property
    def segment(self) -> Any:
        """Returns the segment's number; None if the input has none."""
        return self.input.get("segment") if isinstance(self.input, dict) else None

    def to_json(self) -> dict[str, Any]:
        cause = readable_cause(self.cause)
        return {"input": self.input, "error": self.error, "cause": cause}


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """What is known about an execution; None: not known."""

    name: str
    run_id: str
    """the run that it began, by its own name, or that it resumed, by its input"""
    arn: str | None = None
    input: Mapping[str, Any] = field(default_factory=dict)
    status: str | None = None
    """as Step Functions names it: RUNNING, SUCCEEDED, FAILED, TIMED_OUT, ABORTED; or
    INTERRUPTED"""
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    error: str | None = None
    cause: str | None = None
    failed_segments: tuple[FailedSegment, ...] | None = None
    """the failed segments; None if they were not looked up"""

    @property
    def is_estimate(self) -> bool:
        """Returns whether it is an estimate, which leaves no run."""
        return self.input.get("estimate_only") is True

    @property
    def succeeded(self) -> bool:
        return self.status == SUCCEEDED

    @property
    def errors(self) -> frozenset[str]:
        """Returns the errors of the segments that failed; the execution's own error, if no segment
        failed."""
        failed = frozenset(one.error for one in self.failed_segments or ())
        return failed or frozenset(filter(None, [self.error]))

    @classmethod
    def from_description(cls, described: Mapping[str, Any]) -> Self:
        """Returns the execution of DescribeExecution's answer."""
        given = json.loads(described.get("input") or "{}")
        asked = given if isinstance(given, dict) else {}
        return cls(
            name=described["name"],
            run_id=str(asked.get("run_id", described["name"])),
            arn=described["executionArn"],
            input=asked,
            status=described["status"],
            started_at=described["startDate"],
            stopped_at=described.get("stopDate"),
            error=described.get("error"),
            cause=described.get("cause"),
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the fields of every `--json`. What is not known is null."""
        failed = self.failed_segments
        return {
            "name": self.name,
            "status": self.status,
            "started_at": self.started_at and self.started_at.isoformat(),
            "stopped_at": self.stopped_at and self.stopped_at.isoformat(),
            "error": self.error,
            "cause": None if self.cause is None else readable_cause(self.cause),
            "failed_segments": None if failed is None else [one.to_json() for one in failed],
        }


@dataclass(frozen=True, slots=True)
class PagesRead:
    """Counts the pages of the table that one execution has read."""

    read: int = 0
    again: int = 0
    """how many of these pages the run had read before, but not appended"""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedExecution(Execution):
    """An execution that was followed to its end."""

    output: dict[str, Any] | None
    """output of the state machine: the run's summary"""
    pages: PagesRead | None
    """the pages; None if they were not counted"""
    progress: Progress
    """the progress of the run's segments"""
    published: Published = field(default_factory=Published)
    """what the run has published, if the execution failed"""

    @property
    def is_planned(self) -> bool:
        """Returns whether the run has a plan, so that another execution can resume it."""
        return self.progress.plan is not None

    def summary_to_json(self) -> dict[str, Any]:
        """Returns the summary with the status, or what went wrong."""
        document = {
            "run_id": self.run_id,
            "status": self.status,
            **(self.output or {}),
            "pages_read": self.pages and self.pages.read,
            "pages_read_again": self.pages and self.pages.again,
        }
        if not self.succeeded:
            document |= {
                "error": self.error,
                "cause": None if self.cause is None else readable_cause(self.cause),
                "published": str(self.published),
                "failed_segments": [one.to_json() for one in self.failed_segments or ()],
            }
        return document


def new_execution_name(kind: str) -> str:
    """Returns a name for an execution that contains its start time."""
    return f"{kind}-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{uuid.uuid4().hex[:4]}"


def readable_cause(cause: str | None) -> str:
    """Returns the message of a Lambda error's cause, which is JSON; other causes unchanged."""
    try:
        message = json.loads(cause or "")["errorMessage"]
    except (ValueError, KeyError, TypeError):
        return cause or ""
    return str(message)


def failed_segments(client: Any, execution_arn: str) -> tuple[FailedSegment, ...]:
    """Returns the first failed segments; none for an execution that has not reached its Map.

    https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    """
    return tuple(
        FailedSegment(
            input=json.loads(child["input"]),
            error=child.get("error", ""),
            cause=child.get("cause", ""),
        )
        for child in islice(_failed(client, execution_arn), _MOST_FAILED_SEGMENTS)
    )


def _failed(client: Any, execution_arn: str) -> Iterator[dict[str, Any]]:
    runs = client.get_paginator("list_map_runs").paginate(executionArn=execution_arn)
    for run in (run for page in runs for run in page["mapRuns"]):
        children = client.get_paginator("list_executions")
        for page in children.paginate(mapRunArn=run["mapRunArn"], statusFilter="FAILED"):
            for child in page["executions"]:
                yield client.describe_execution(executionArn=child["executionArn"])
