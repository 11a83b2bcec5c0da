"""One invocation's work on one segment: from the log's end on, page by page, until it must stop."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from trip_kpis.aws import table
from trip_kpis.aws.deadline import OutOfTimeError, within
from trip_kpis.aws.pacing import Pacer
from trip_kpis.aws.segment_log import Appender, SegmentLog
from trip_kpis.core.checkpoint import Pace
from trip_kpis.core.errors import TripKpisError
from trip_kpis.core.pages import Page
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
    _pace: Pace = field(init=False)

    def work(self) -> Progress:
        """Goes on from the end of the log until the segment's end, or until time is short.

        What is appended stays, whatever becomes of the worker afterwards; what was read is appended
        before an error goes out. Raises what the table and the log raise, and NoProgressError where
        this is the second invocation in a row that had no time for a single page.
        """
        self._pace = Pace.at_start(self.remaining_ms())
        position = self.log.end(self.segment)
        progress = Progress(finished=position.finished, appended=0, tally=Tally())
        in_time, read_any = True, False
        while in_time and not position.finished:
            stretch, trouble = Stretch(position=position), None
            try:
                in_time = self._fill(stretch)
            except TripKpisError as error:
                trouble = error
            if stretch.tally.pages:
                read_any = True
                position, progress = self._append(stretch, progress)
            if trouble is not None:
                raise trouble
            in_time = in_time and not self._pace.must_stop(self.remaining_ms())
        if not position.finished and not read_any:
            self.log.note_standstill(self.segment, position, self.appender)
        self.pacer.wait(at_most_ms=self.remaining_ms() - self._pace.margin_ms)
        return progress

    def _fill(self, stretch: Stretch) -> bool:
        """Reads pages into the stretch until it must be appended; False where time is up.

        A page that is not there in time is given up: what was read before it still can be appended.
        """
        rules = self.plan.rules
        pages = table.pages(
            self.dynamodb, self.plan, self.segment, start_key=stretch.position.start_key
        )
        while True:
            if self._pace.must_stop(self.remaining_ms(), wait_ms=self.pacer.debt_ms) and (
                stretch.tally.pages or self._pace.slowest_page_ms
            ):
                return False
            self.pacer.wait()
            try:
                page = self._next(pages)
            except OutOfTimeError:
                return False
            stretch.add(page, rules)
            if page.end_key is None or self._pace.must_append(
                self.remaining_ms(),
                checkpoint_seconds=self.plan.checkpoint_seconds,
                wait_ms=self.pacer.debt_ms,
                rejected_held=len(stretch.rejected),
                rejected_bytes_held=stretch.rejected_bytes,
            ):
                return True

    def _next(self, pages: Iterator[Page]) -> Page:
        before = self.remaining_ms()
        page = within((before - self._pace.reserve_ms) / 1000, lambda: next(pages))
        self._pace = self._pace.after_page(before - self.remaining_ms())
        self.pacer.consumed(page.read_units)
        return page

    def _append(self, stretch: Stretch, progress: Progress) -> tuple[Position, Progress]:
        """Where the log ends now, and what this invocation has added to it."""
        before = self.remaining_ms()
        won = self.log.append(
            self.segment,
            stretch,
            self.appender,
            worker_ms=self._pace.last_append_at_ms - before,
        )
        # Where another worker was faster, what it appended counts, and not this.
        position = stretch.after if won else self.log.end(self.segment)
        after = self.remaining_ms()
        self._pace = self._pace.after_append(before - after, remaining_ms=after)
        return position, Progress(
            finished=position.finished,
            appended=progress.appended + won,
            tally=progress.tally + stretch.tally if won else progress.tally,
        )
