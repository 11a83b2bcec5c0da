"""Shows how a run gets on: segments, trips, trips a second, the time that is left."""

import threading
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
)
from rich.text import Text

_RATE_AFTER_SECONDS = 1.0
"""a rate of the first instants says nothing of the rest"""
_LINES = 10
"""progress lines of a run without a terminal"""


def _trips_a_second(task: Task) -> float:
    """Over the stage so far; 0 as long as there is no telling. Trips that were through before it
    began do not count."""
    seconds = task.elapsed or 0.0
    done: float = task.completed - task.fields["before"]
    return done / seconds if seconds >= _RATE_AFTER_SECONDS else 0.0


def _seconds_left(task: Task) -> float:
    """0 as long as there is no telling."""
    rate = _trips_a_second(task)
    return (task.remaining or 0) / rate if rate else 0.0


class _Rate(ProgressColumn):
    """Trips a second."""

    def render(self, task: Task) -> Text:
        rate = _trips_a_second(task)
        return Text(f"{rate:,.0f}/s" if rate else "", style="progress.data.speed")


class _Remaining(ProgressColumn):
    """The time that is left."""

    def render(self, task: Task) -> Text:
        left = _seconds_left(task)
        return Text(f"{left:,.0f} s left" if left else "", style="progress.remaining")


class Follower:
    """Progress of one stage after another, on a terminal as a bar, elsewhere as plain lines.

    It may be told of progress from several threads.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("trips"),
            _Rate(),
            TextColumn("{task.fields[segments]}"),
            _Remaining(),
            console=console,
            disable=not console.is_terminal,
            transient=False,
        )
        self._stage: Task | None = None
        self._done = 0
        self._next_line = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, stage: str, *, trips: int, done: int = 0) -> None:
        """A new stage that goes through so many trips, of which so many are through already."""
        with self._lock:
            task_id = self._progress.add_task(
                stage, total=trips, completed=done, segments="", before=done
            )
            self._stage = self._progress.tasks[task_id]
            self._done, self._next_line = done, 0.0

    def say(self, line: str) -> None:
        """A line among them, as it is."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def advance(self, trips: int, segments: str = "") -> None:
        """So many more trips are through; `segments` says how many segments are."""
        with self._lock:
            if self._stage is None:
                return
            self._done += trips
            self._progress.update(self._stage.id, advance=trips, segments=segments)
            if not self._console.is_terminal:
                self._line(segments)

    def _line(self, segments: str) -> None:
        assert self._stage is not None
        total = self._stage.total or 1
        if self._done >= min(self._next_line, total):
            self._next_line = self._done + total / _LINES
            said = [f"{self._stage.description}: {self._done:,} of {total:,.0f} trips"]
            if segments:
                said.append(segments)
            if rate := _trips_a_second(self._stage):
                said.append(f"{rate:,.0f} trips/s")
            if left := _seconds_left(self._stage):
                said.append(f"{left:,.0f} s left")
            self._console.print(", ".join(said), highlight=False, soft_wrap=True)
