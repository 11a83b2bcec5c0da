"""Shows how a run gets on: segments, trips, trips a second, the time that is left."""

import threading
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from rich import progress
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
)
from rich.text import Text

from ops.runs.figures import lasting
from ops.runs.run_log import Progress

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


def _told(seconds_left: float) -> str:
    whole = round(seconds_left)
    return f"{whole} s left" if whole < 60 else f"{lasting(str(whole))} left"


class _Rate(ProgressColumn):
    """Trips a second."""

    def render(self, task: Task) -> Text:
        rate = _trips_a_second(task)
        return Text(f"{rate:,.0f}/s" if rate else "", style="progress.data.speed")


class _Remaining(ProgressColumn):
    """The time that is left."""

    def render(self, task: Task) -> Text:
        left = _seconds_left(task)
        return Text(_told(left) if left else "", style="progress.remaining")


class _Bars(progress.Progress):
    """A bar for each stage, and below them what else there is to say of the last."""

    said: str = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        yield from super().get_renderables()
        if self.said:
            yield Text(f"  {self.said}", style="dim", overflow="fold")


class Follower:
    """Progress of one stage after another, on a terminal as a bar, elsewhere as plain lines.

    Progress may be reported from several threads.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._progress = _Bars(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} trips"),
            _Rate(),
            TextColumn("{task.fields[segments]}"),
            _Remaining(),
            console=console,
            disable=not console.is_terminal,
        )
        self._stage: Task | None = None
        self._done = 0
        self._next_line = 0.0
        self._read_units_before: float | None = None

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
        """Leaves the bars as they are. Again is harmless."""
        self._progress.stop()

    def begin(self, stage: str, *, trips: int, done: int = 0) -> None:
        """A new stage that goes through so many trips, of which so many are through already."""
        with self._lock:
            task_id = self._progress.add_task(
                stage, total=trips, completed=done, segments="", before=done
            )
            self._stage = self._progress.tasks[task_id]
            self._done, self._next_line, self._said = done, 0.0, list[str]()

    def say(self, line: str) -> None:
        """A line among them, as it is."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def advance(self, trips: int) -> None:
        """So many more trips are through."""
        with self._lock:
            assert self._stage is not None
            self._update(self._done + trips, self._stage.total or 0)

    def show(self, run: Progress) -> None:
        """How far the run's scanning is. The first time it begins that stage; nothing before the
        run has a plan."""
        if run.plan is None:
            return
        if self._read_units_before is None:
            self.begin("Scanning segments", trips=run.expected_items, done=run.counts.scanned)
            self._read_units_before = run.counts.read_units
        with self._lock:
            segments = f"{len(run.finished):,} of {run.segments:,} segments"
            self._update(run.counts.scanned, run.expected_items, segments, self._besides(run))

    def _besides(self, run: Progress) -> list[str]:
        """What else there is to say."""
        assert self._stage is not None
        assert self._read_units_before is not None
        said = []
        seconds = self._stage.elapsed or 0.0
        if seconds >= _RATE_AFTER_SECONDS:
            read_units = (run.counts.read_units - self._read_units_before) / seconds
            said.append(f"{read_units:,.1f} read units/s")
        if rejected := run.counts.rejected_in_all:
            said.append(f"{rejected:,} rejected")
        if throttles := sum(run.counts.throttles.values()):
            said.append(f"throttled {throttles:,} times")
        return said

    def _update(
        self, done: int, total: float, segments: str = "", besides: Sequence[str] = ()
    ) -> None:
        assert self._stage is not None
        self._done = done
        self._progress.update(self._stage.id, completed=done, total=total, segments=segments)
        self._progress.said = ", ".join(besides)
        if not self._console.is_terminal:
            self._line(*filter(None, (segments, *besides)))

    def _line(self, *besides: str) -> None:
        """A line for every tenth of the trips, and for every segment's end among the last."""
        assert self._stage is not None
        total = self._stage.total or 1
        if self._done < min(self._next_line, total):
            return
        said = [f"{self._stage.description}: {self._done:,} of {total:,.0f} trips", *besides]
        if said == self._said:
            return
        self._next_line, self._said = self._done + total / _LINES, said
        more = []
        if rate := _trips_a_second(self._stage):
            more.append(f"{rate:,.0f} trips/s")
        if left := _seconds_left(self._stage):
            more.append(_told(left))
        self._console.print(", ".join(said + more), highlight=False, soft_wrap=True)
