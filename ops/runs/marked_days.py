"""The days of a run about which a reader must know more: open days, and days that shrank."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import msgspec

from ops.runs.documents import converted
from ops.runs.figures import visible
from ops.runs.finished_run import FinishedRun
from trip_kpis.core.log.counts import Count
from trip_kpis.core.run.outcome import Outcome

_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrunkDay:
    """A day that has fewer trips in the table than were published."""

    date: str
    published: int
    """the trip count that was published before"""
    now: int
    """the trip count in the run"""


class _Marks(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a summary about these days."""

    open_days: list[str] = []
    days_open: Count = 0
    days_skipped: Count = 0
    days_not_yet: Count = 0
    shrank_days: list[ShrunkDay] = []
    days_shrank: Count = 0
    days_shrunk: Count = 0
    warnings: list[str] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedDays:
    """The marked days of one run. The lists may be shorter than the counts: a summary lists 20 days
    at the most."""

    open_days: tuple[str, ...]
    """days that end after the plan's time"""
    days_open: int
    days_skipped: int
    """open days that were left as they were, because of OpenDays"""
    days_not_yet: int
    """open days that begin after the plan's time, and are never published"""
    shrank: tuple[ShrunkDay, ...]
    days_shrank: int
    days_kept: int
    """days that shrank and whose published figures were kept, because of ShrunkDays"""
    warnings: tuple[str, ...]

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> Self:
        """Reads them from MergePartials' output. That of an earlier version, or of another form,
        has none of them."""
        marks = converted(summary, _Marks) or _Marks()
        return cls(
            open_days=tuple(marks.open_days),
            days_open=marks.days_open,
            days_skipped=marks.days_skipped,
            days_not_yet=marks.days_not_yet,
            shrank=tuple(marks.shrank_days),
            days_shrank=marks.days_shrank,
            days_kept=min(marks.days_shrank, marks.days_shrunk),
            warnings=tuple(marks.warnings),
        )

    @classmethod
    def of_run(cls, run: FinishedRun) -> Self:
        """Reads them from the manifest, which has all days of the run."""
        open_days = [day for day in run.days if day.is_open]
        shrank = [
            (ShrunkDay(date=day.date, published=published, now=now), day.outcome)
            for day in run.days
            if (published := day.published_trip_count) is not None
            and (now := run.items_of(day)) is not None
        ]
        return cls(
            open_days=tuple(day.date for day in open_days),
            days_open=len(open_days),
            days_skipped=sum(day.outcome == Outcome.SKIPPED for day in run.days),
            days_not_yet=sum(day.outcome == Outcome.NOT_YET for day in run.days),
            shrank=tuple(day for day, _ in shrank),
            days_shrank=len(shrank),
            days_kept=sum(outcome == Outcome.SHRUNK for _, outcome in shrank),
            warnings=run.warnings,
        )

    def to_json(self) -> dict[str, Any]:
        """Returns the fields with the names that the summary has for them."""
        return {
            "days_open": self.days_open,
            "open_days": list(self.open_days),
            "days_shrank": self.days_shrank,
            "shrank_days": [
                {"date": day.date, "published": day.published, "now": day.now}
                for day in self.shrank
            ],
            "warnings": list(self.warnings),
        }

    def lines(self) -> Iterator[str]:
        """Returns the lines for a terminal; none if there are no marked days."""
        if self.days_open:
            yield f"open: {self.open_sentence}"
        if self.days_shrank:
            yield f"shrank: {self.shrank_sentence}"
            for day in self.shrank[-_LISTED:]:
                yield f"  {day.date}  {day.published:,} trips published, {day.now:,} now"
            if self.days_shrank > _LISTED:
                yield f"  and {self.days_shrank - _LISTED:,} earlier days: the manifest lists them"
        for warning in self.warnings:
            yield f"warning: {visible(warning)}"

    @property
    def open_sentence(self) -> str:
        """Says which days are open, and what became of them."""
        listed = ", ".join(self.open_days[-_LISTED:])
        earlier = self.days_open - min(self.days_open, _LISTED)
        one = self.days_open == 1
        sentence = (
            f"{self.days_open:,} {'day ends' if one else 'days end'} after the run was planned, "
            f"and may still get trips: {listed}{f' and {earlier:,} earlier' if earlier else ''}"
        )
        if self.days_skipped:
            sentence += f"; left as published before (OpenDays is skip): {self.days_skipped:,}"
        if self.days_not_yet:
            sentence += f"; not published, because they begin after that: {self.days_not_yet:,}"
        return sentence

    @property
    def shrank_sentence(self) -> str:
        """Says how many days shrank, and which figures are published."""
        one = self.days_shrank == 1
        sentence = (
            f"{self.days_shrank:,} {'day has' if one else 'days have'} fewer trips than were "
            "published before; "
        )
        if not self.days_kept:
            return f"{sentence}the lower figures were published"
        if self.days_kept == self.days_shrank:
            return f"{sentence}the figures from before were kept (ShrunkDays is keep)"
        return f"{sentence}the figures from before were kept for {self.days_kept:,} of them"
