"""Shows the progress of a run: segments, trips, trips a second, and the time that is left."""

import threading
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from rich import progress
from rich.console import Console, RenderableType
from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from ops.runs.figures import lasting
from ops.runs.run_log import Progress

MERGING = "Merging and publishing"
_WAITING = "Waiting for the export"
_SCANNING = "Scanning segments"
_RATE_AFTER_SECONDS = 1.0
"""seconds; a rate of the first instants does not predict the rest"""
_LINES = 10
"""the number of progress lines of a stage without a terminal"""


def _trips_a_second(task: Task) -> float:
    """Returns the average over the stage, without the trips that were done before it began; 0 as
    long as it is not known. A stage that has ended keeps its own."""
    seconds = task.elapsed or 0.0
    done: float = task.completed - task.fields["before"]
    return done / seconds if seconds >= _RATE_AFTER_SECONDS else 0.0


def _seconds_left(task: Task) -> float:
    """Returns 0 as long as the time is not known."""
    rate = _trips_a_second(task)
    return (task.remaining or 0) / rate if rate else 0.0


def _in_words(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else lasting(str(whole))


def _trips(task: Task) -> str:
    if not task.fields["has_trips"]:
        return ""
    of = "" if task.total is None else f" of {task.total:,.0f}"
    return f"{task.completed:,.0f}{of} trips"


def _rate(task: Task) -> str:
    rate = _trips_a_second(task) if task.fields["has_trips"] else 0
    return f"{rate:,.0f}/s" if rate else ""


def _time(task: Task) -> str:
    """Returns the time that is left; for a stage that has ended, the time that it took."""
    if task.stop_time is not None:
        took = _in_words(task.elapsed or 0)
        return "" if took == "0 s" else f"in {took}"  # over before anyone looked
    left = _seconds_left(task)
    return f"{_in_words(left)} left" if left else ""


class _Column(ProgressColumn):
    """A column that a function fills from a stage."""

    def __init__(self, text: Callable[[Task], str], style: str = "") -> None:
        super().__init__(table_column=Column(no_wrap=True))
        self._text, self._style = text, style

    def render(self, task: Task) -> Text:
        return Text(self._text(task), style=self._style)


class _Bars(progress.Progress):
    """A bar for each stage, and below them the remarks on the scan."""

    remarks: str = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.remarks:
            yield Text(f"  {self.remarks}", style="dim", overflow="fold")


class Follower:
    """Shows the progress of one stage after another: on a terminal as bars, elsewhere as plain
    lines.

    Progress may be reported from several threads.
    """

    def __init__(self, console: Console, *, get_time: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._progress = _Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            _Column(_trips),
            _Column(_rate, "progress.data.speed"),
            _Column(_time, "progress.remaining"),
            console=console,
            disable=not console.is_terminal,
            get_time=get_time,
        )
        self._stage: Task | None = None
        self._next_line = 0.0
        self._read_units_before = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Ends the display and leaves the bars as they are; may be called again. Again is
        harmless."""
        self._progress.stop()

    def begin(self, stage: str, *, trips: int) -> None:
        """Begins a stage that processes so many trips. It ends when all of them are done."""
        with self._lock:
            self._begin(stage, trips)

    def say(self, line: str) -> None:
        """Prints a line as it is, above the bars."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def advance(self, trips: int) -> None:
        """Adds so many trips to the progress."""
        with self._lock:
            assert self._stage is not None
            done = int(self._stage.completed) + trips
            self._update(done, self._stage.total, has_ended=done >= (self._stage.total or 0))

    def show(self, run: Progress) -> None:
        """Shows the progress of the run's scan, and begins the merge when all segments are
        finished. Shows nothing before the run has a plan."""
        if run.plan is None:
            return
        with self._lock:
            if run.plan.waits_for_export:
                if run.plan.export_manifest is None:  # else it is there
                    self._wait_for_export()
                return
            if self._is_at(_WAITING) and self._stage is not None:
                self._progress.stop_task(self._stage.id)
            if not self._is_at(_SCANNING, MERGING):
                self._begin(_SCANNING, run.expected_items, before=run.counts.scanned)
                self._read_units_before = run.counts.read_units
            if self._is_at(_SCANNING):
                self._show_scan(run)

    def executed(self, *, succeeded: bool) -> None:
        """Ends the merge, because the execution has ended."""
        with self._lock:
            if not self._is_at(MERGING):
                return
            assert self._stage is not None
            if succeeded:
                self._progress.update(self._stage.id, total=1, completed=1)
            self._progress.stop_task(self._stage.id)
            line = f"{MERGING}: {'finished' if succeeded else 'failed'}"
            self._line(", ".join(filter(None, [line, _time(self._stage)])))

    def _wait_for_export(self) -> None:
        if not self._is_at(_WAITING):
            self._begin(_WAITING, None, has_trips=False)
            self._line(f"{_WAITING}. DynamoDB takes minutes to hours for it.")

    def _show_scan(self, run: Progress) -> None:
        assert self._stage is not None
        done, has_ended = run.counts.scanned, len(run.finished) == run.segments
        total: int | None = done if has_ended else run.expected_items
        if done == total and not has_ended:
            total = None  # the table's count, which is hours old, was too small
        remarks = self._remarks(run)
        self._progress.remarks = ", ".join(remarks)
        self._update(done, total, *remarks, has_ended=has_ended)
        if has_ended:
            self._begin(MERGING, None, has_trips=False)
            self._line(MERGING)

    def _remarks(self, run: Progress) -> list[str]:
        assert self._stage is not None
        remarks = [f"{len(run.finished):,} of {run.segments:,} segments"]
        seconds = self._stage.elapsed or 0.0
        if seconds >= _RATE_AFTER_SECONDS:
            read_units = (run.counts.read_units - self._read_units_before) / seconds
            if run.plan and run.plan.export is None:
                remarks.append(f"{read_units:,.1f} read units/s")
        if rejected := run.counts.rejected_in_all:
            remarks.append(f"{rejected:,} rejected")
        if throttles := sum(run.counts.throttles.values()):
            remarks.append(f"throttled {throttles:,} times")
        return remarks

    def _begin(
        self, stage: str, total: int | None, *, before: int = 0, has_trips: bool = True
    ) -> None:
        task_id: TaskID = self._progress.add_task(
            stage, total=total, completed=before, before=before, has_trips=has_trips
        )
        self._stage = self._progress.tasks[task_id]
        self._next_line = 0.0

    def _is_at(self, *stages: str) -> bool:
        return self._stage is not None and self._stage.description in stages

    def _update(self, done: int, total: float | None, *remarks: str, has_ended: bool) -> None:
        """Ends the stage if it is done: its rate and time stay from then on."""
        assert self._stage is not None
        if has_ended:
            self._progress.stop_task(self._stage.id)
        self._stage.total = total  # rich's update() takes None for no change
        self._progress.update(self._stage.id, completed=done)
        if done < self._next_line and not has_ended:
            return
        self._next_line = done + max(1, (total or done) / _LINES)
        rate = _rate(self._stage).replace("/s", " trips/s")
        facts = [_trips(self._stage), *remarks, rate, _time(self._stage)]
        self._line(f"{self._stage.description}: {', '.join(filter(None, facts))}")

    def _line(self, line: str) -> None:
        """Formats a progress line for output without a terminal."""
        if not self._console.is_terminal:
            self._console.print(line, highlight=False, soft_wrap=True)
