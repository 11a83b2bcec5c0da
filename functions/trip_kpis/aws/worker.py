"""One invocation's work on one segment: reads page by page from the log's end, until it must
stop."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from trip_kpis.aws.deadline import OutOfTimeError, within
from trip_kpis.aws.read_budget import Pacer
from trip_kpis.aws.segment_log import Appender, SegmentLog
from trip_kpis.aws.source import Source
from trip_kpis.aws.throttling import Backoff, is_throttling, listed
from trip_kpis.core.errors import TransientError, TripKpisError
from trip_kpis.core.items.pages import Page
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.part_builder import PartBuilder, Position
from trip_kpis.core.log.time_reserve import Pace
from trip_kpis.core.run.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What an invocation added to the log, and what throttled it, also after its last part."""

    finished: bool
    appended: int
    """parts that were appended"""
    counts: Counts

    def to_json(self) -> dict[str, Any]:
        return {
            "finished": self.finished,
            "parts": self.appended,
            "pages": self.counts.pages,
            "scanned": self.counts.scanned,
            "counted": self.counts.counted,
            "throttles": dict(self.counts.throttles),
        }


_NONE_YET = Progress(finished=False, appended=0, counts=Counts())


@dataclass(slots=True, kw_only=True)
class SegmentWorker:
    """Reads one segment on behalf of one invocation."""

    source: Source
    log: SegmentLog
    plan: Plan
    segment: int
    appender: Appender
    pacer: Pacer
    remaining_ms: Callable[[], int]
    """milliseconds that are left of the invocation, from Lambda's context"""
    _progress: Progress = field(default=_NONE_YET, init=False)
    _pace: Pace = field(init=False)
    _backoff: Backoff = field(default_factory=Backoff, init=False)
    _pages: Iterator[Page] | None = field(default=None, init=False)
    """of the source, as far as they were read; None: they are to be asked for"""
    _throttles: Counter[str] = field(default_factory=Counter, init=False)
    """throttled answers since the last append"""

    def work(self) -> Progress:
        """Resumes at the end of the log and reads until the segment's end, or until time is short.

        What is appended stays, whatever happens to the worker afterwards; what was read is appended
        before an error is raised. Where AWS throttles, the worker waits and retries.

        Returns:
            What this invocation added.

        Raises:
            TransientError: throttling left no time for a single page.
            NoProgressError: this is the second invocation in a row that read no page.
            TripKpisError: what the source and the log raise.
        """
        self._pace = Pace.at_start(self.remaining_ms())
        with self.source.throttles_counted() as self._throttles:
            self._work(self.log.end(self.segment))
        return self.progress

    @property
    def progress(self) -> Progress:
        """Returns the progress so far, also after `work` has raised."""
        throttles = Counts(throttles=dict(self._throttles))
        return replace(self._progress, counts=self._progress.counts + throttles)

    def _work(self, position: Position) -> None:
        self._progress = replace(_NONE_YET, finished=position.finished)
        rules, in_time, read_any = self.plan.rules, True, False
        while in_time and not position.finished:
            builder, trouble = PartBuilder(position=position, rules=rules), None
            try:
                in_time = self._fill(builder)
            except TripKpisError as error:
                trouble = error
            if builder.counts.pages:
                read_any = True
                position = self._append(builder)
                self.log.check_room(self.segment, position)
            if trouble is not None:
                raise trouble
            in_time = in_time and not self._pace.must_stop(self.remaining_ms())
        if not position.finished and not read_any:
            self._record_no_progress(position)

    def _fill(self, builder: PartBuilder) -> bool:
        """Reads pages into the builder until it must be appended; returns False if the time is
        over.

        A page that is not there in time is given up: what was read before it still can be appended.
        """
        while True:
            if self._pace.must_stop(self.remaining_ms(), wait_ms=self.pacer.wait_ms) and (
                builder.counts.pages or self._pace.slowest_page_ms
            ):
                return False
            if not self.pacer.wait(at_most_ms=self.remaining_ms() - self._pace.reserve_ms):
                return False
            try:
                page = self._next(builder)
            except OutOfTimeError:
                return False
            except TransientError as error:
                if not is_throttling(error):
                    raise
                self.pacer.hold_off(self._backoff.next_seconds())
                self._pages = None
            else:
                builder.add(page)
                if page.end is None:
                    return True
            if builder.counts.pages and self._pace.must_append(
                self.remaining_ms(),
                checkpoint_seconds=self.plan.checkpoint_seconds,
                wait_ms=self.pacer.wait_ms,
                is_full=builder.is_full,
                resumes_at_once=builder.resumes_at_once,
            ):
                return True

    def _next(self, builder: PartBuilder) -> Page:
        """The page after those that the builder has."""
        if self._pages is None:
            after = builder.end if builder.counts.pages else builder.position.start
            self._pages = self.source.pages(self.segment, after=after)
        pages, before = self._pages, self.remaining_ms()
        page = within((before - self._pace.reserve_ms) / 1000, lambda: next(pages))
        self._pace = self._pace.after_page(before - self.remaining_ms() - page.sought_ms)
        self.pacer.consumed(page.read_units)
        self._backoff.over()
        return page

    def _record_no_progress(self, position: Position) -> None:
        if self._throttles:
            raise TransientError(
                f"segment {self.segment} of run {self.plan.run_id}: {self.source.name} was "
                f"throttled for as long as the worker had time ({listed(self._throttles)}), and "
                f"gave it no page. If that lasts, {self.source.if_throttled}. What has been read "
                "is kept"
            )
        self.log.record_no_progress(self.segment, position, self.appender)

    def _append(self, builder: PartBuilder) -> Position:
        """Appends the builder's pages; returns the new end of the log."""
        before = self.remaining_ms()
        builder.counts += Counts(throttles=dict(self._throttles))
        self._throttles.clear()
        won = self._put(builder, worker_ms=self._pace.last_append_at_ms - before)
        position = builder.after
        if not won:  # what the faster worker appended counts, and not this
            position, self._pages = self.log.end(self.segment), None
        after = self.remaining_ms()
        self._pace = self._pace.after_append(before - after, remaining_ms=after)
        self._progress = Progress(
            finished=position.finished,
            appended=self._progress.appended + won,
            counts=self._progress.counts + builder.counts if won else self._progress.counts,
        )
        return position

    def _put(self, builder: PartBuilder, *, worker_ms: int) -> bool:
        """Returns what `append` returns; if S3 throttles, retries as long as there is time."""
        backoff = Backoff()
        while True:
            try:
                return self.log.append(self.segment, builder, self.appender, worker_ms=worker_ms)
            except TransientError as error:
                seconds = backoff.next_seconds()
                left_ms = self.remaining_ms() - seconds * 1000
                if not is_throttling(error) or left_ms <= self._pace.reserve_ms:
                    raise
                self.pacer.sleep(seconds)
