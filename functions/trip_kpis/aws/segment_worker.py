"""One invocation's work on one segment: from the log's end on, page by page, until it must stop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from trip_kpis.aws import table
from trip_kpis.aws.pacing import Pacer
from trip_kpis.aws.segment_log import Appender, SegmentLog
from trip_kpis.core.checkpoint import Pace
from trip_kpis.core.plan import Plan
from trip_kpis.core.stretch import Position, Stretch
from trip_kpis.core.tallies import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What an invocation added to the log."""

    finished: bool
    appended: int
    """parts"""
    tally: Tally

    def to_json(self) -> dict[str, Any]:
        return {
            "finished": self.finished,
            "parts": self.appended,
            "pages": self.tally.pages,
            "scanned": self.tally.scanned,
            "counted": self.tally.counted,
        }


@dataclass(slots=True, kw_only=True)
class SegmentWorker:
    """Reads one segment on behalf of one invocation."""

    dynamodb: Any
    log: SegmentLog
    plan: Plan
    segment: int
    appender: Appender
    pacer: Pacer
    remaining_ms: Callable[[], int]
    """of the invocation, as Lambda's context tells it"""

    def work(self) -> Progress:
        """Goes on from the end of the log until the segment's end, or until time is short.

        What is appended stays, whatever becomes of the worker afterwards. Raises what the table
        and the log raise.
        """
        pace = Pace.at_start(self.remaining_ms())
        position = self.log.end(self.segment)
        appended, tally = 0, Tally()
        while not position.finished:
            stretch, pace = self._read(position, pace)
            before = self.remaining_ms()
            worker_ms = pace.last_append_at_ms - before
            if self.log.append(self.segment, stretch, self.appender, worker_ms=worker_ms):
                position, appended, tally = stretch.after, appended + 1, tally + stretch.tally
            else:  # another worker was faster: what it appended counts, not this
                position = self.log.end(self.segment)
            pace = pace.after_append(before - self.remaining_ms(), remaining_ms=self.remaining_ms())
            if pace.must_stop(self.remaining_ms()):
                break
        return Progress(finished=position.finished, appended=appended, tally=tally)

    def _read(self, position: Position, pace: Pace) -> tuple[Stretch, Pace]:
        """At least one page, and more until the stretch must be appended."""
        stretch, rules = Stretch(position=position), self.plan.rules
        before = self.remaining_ms()
        for page in table.pages(
            self.dynamodb,
            self.plan,
            self.segment,
            start_key=position.start_key,
            pacer=self.pacer,
        ):
            stretch.add(page, rules)
            after = self.remaining_ms()
            pace, before = pace.after_page(before - after), after
            if pace.must_append(
                after,
                checkpoint_seconds=self.plan.checkpoint_seconds,
                rejected_held=len(stretch.rejected),
            ):
                break
        return stretch, pace
