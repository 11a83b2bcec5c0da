"""Finds which invocation read which segment when, from the parts in the bucket.

A part's header says which invocation appended it and how long that took; its object says when. An
invocation that appended nothing leaves no trace.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from ops.runs.finished_run import FinishedRun
from ops.runs.staging_reader import StagedPart, staged_parts
from ops.runs.storage import Directory

_WHOLE_SECONDS = timedelta(seconds=1)
"""S3 has an object's time to the second"""

LONGEST_WAIT = timedelta(minutes=20)
"""An attempt is never idle for longer: a merge may take 15 minutes, a wait between retries
5"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The time of one invocation in one segment's log."""

    segment: int
    invocation: str
    turn: int
    """1: the segment's first invocation that appended something"""
    began: datetime
    ended: datetime
    parts: int
    scanned: int

    @property
    def seconds(self) -> float:
        return (self.ended - self.began).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Time between two attempts, in which nobody worked on the run."""

    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """The timeline in the order of segment and turn; empty if `unknown` says why nothing is
    known."""

    spans: tuple[Span, ...] = ()
    unknown: str = ""

    def pauses(self, run: FinishedRun, *, attempts: int) -> tuple[Pause, ...]:
        """Returns the pauses between the attempts of the run, in the order of time.

        The bucket does not tell when an attempt ended. Of the times in which no invocation worked,
        these are pauses: the `attempts` - 1 longest, and each that is longer than an attempt is
        ever idle. A redriven execution counts as one attempt; 0 is unknown.
        """
        longest_first = sorted(self._idle(run), key=lambda one: one.began - one.ended)
        pauses = [
            one
            for nth, one in enumerate(longest_first, start=1)
            if nth < attempts or one.ended - one.began > LONGEST_WAIT
        ]
        return tuple(sorted(pauses, key=lambda one: one.began))

    def _idle(self, run: FinishedRun) -> Iterator[Pause]:
        """Returns the times of a second or more in which no invocation worked."""
        if not self.spans:
            return
        busy = sorted((one.began, one.ended) for one in self.spans)
        until = run.planned_at
        for began, ended in (*busy, (run.finished_at, run.finished_at)):
            if began - until >= _WHOLE_SECONDS:
                yield Pause(began=until, ended=began)
            until = max(until, ended)


MOST_PARTS = 5_000
"""Parts that are fetched from an account for a timeline; a run may have 120,000."""


def timeline(out: Path, run: FinishedRun) -> Timeline:
    """Returns the timeline of the run's parts in `out`: objects in its state, or files."""
    parts = sorted(
        staged_parts(Directory(out), run.run_id),
        key=lambda part: (part.header.segment, part.header.part),
    )
    expected = run.parts
    if not parts and expected > MOST_PARTS:
        return Timeline(
            unknown=f"None of the run's {expected:,} parts is here: from an account, no more than "
            f"{MOST_PARTS:,} are fetched. Made from a copy of the bucket, the page has a timeline."
        )
    if len(parts) != expected:
        return Timeline(
            unknown=f"{len(parts):,} of the run's {expected:,} parts are here: of the others, it "
            "is not known when they were appended, and by which invocation."
        )
    earliest, latest = run.planned_at - _WHOLE_SECONDS, run.finished_at + _WHOLE_SECONDS
    if not all(earliest <= part.appended_at <= latest for part in parts):
        return Timeline(
            unknown="The parts' files bear other times than those at which the run appended them: "
            "they were copied without."
        )
    return Timeline(spans=tuple(_spans(parts)))


def _spans(parts: list[StagedPart]) -> Iterator[Span]:
    for segment, of_segment in groupby(parts, key=lambda part: part.header.segment):
        turns = groupby(of_segment, key=lambda part: part.header.invocation)
        for turn, (invocation, appended) in enumerate(turns, start=1):
            group = list(appended)
            first = group[0]
            yield Span(
                segment=segment,
                invocation=invocation,
                turn=turn,
                began=first.appended_at - timedelta(milliseconds=first.header.worker_ms),
                ended=group[-1].appended_at,
                parts=len(group),
                scanned=sum(part.header.counts.scanned for part in group),
            )
