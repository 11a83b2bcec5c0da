"""What an execution came to."""

from dataclasses import dataclass, field
from typing import Any

from ops.local.page_log import PagesRead
from ops.runs.failed_children import FailedChild
from ops.runs.published import Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an execution ended."""

    run_id: str
    status: str
    """as Step Functions names it: SUCCEEDED, FAILED, TIMED_OUT, ABORTED"""
    output: dict[str, Any] | None
    """the state machine's: the run's summary"""
    error: str | None
    cause: str | None
    failed_segments: tuple[FailedChild, ...]
    pages: PagesRead
    """of the table, by this execution"""
    is_planned: bool
    """the run has a plan, with which another execution can go on"""
    published: Published = field(default_factory=Published)
    """by the run, where the execution failed"""

    @property
    def errors(self) -> frozenset[str]:
        """Those of the segments that failed; the execution's own, where it was none of them."""
        failed = frozenset(child.error for child in self.failed_segments)
        return failed or frozenset(filter(None, [self.error]))

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCEEDED"

    def to_json(self) -> dict[str, Any]:
        """The summary with the status, or what went wrong."""
        document = {
            "run_id": self.run_id,
            "status": self.status,
            **(self.output or {}),
            "pages_read": self.pages.read,
            "pages_read_again": self.pages.again,
        }
        if not self.succeeded:
            document |= {
                "error": self.error,
                "cause": self.cause,
                "published": str(self.published),
                "failed_segments": [
                    {"input": child.input, "error": child.error, "cause": child.cause}
                    for child in self.failed_segments
                ],
            }
        return document
