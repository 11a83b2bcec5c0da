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
    TimeRemainingColumn,
)
from rich.text import Text

_LINES = 10
"""progress lines of a run without a terminal"""


class _Rate(ProgressColumn):
    """Trips a second, by the recent ones."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f}/s" if speed else "", style="progress.data.speed")


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
            TimeRemainingColumn(),
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

    def begin(self, stage: str, *, trips: int) -> None:
        """A new stage that goes through so many trips."""
        with self._lock:
            task_id = self._progress.add_task(stage, total=trips, segments="")
            self._stage = self._progress.tasks[task_id]
            self._done, self._next_line = 0, 0.0

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
            if self._stage.speed:
                said.append(f"{self._stage.speed:,.0f} trips/s")
            if self._stage.time_remaining:
                said.append(f"{self._stage.time_remaining:,.0f} s left")
            self._console.print(", ".join(said), highlight=False, soft_wrap=True)
