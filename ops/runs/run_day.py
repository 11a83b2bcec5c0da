"""A day of a run, as the run's manifest tells of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Self

import msgspec

from ops.runs.documents import Count, check_figures

Date = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class DayDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of `days` in a manifest. Figures are null where the run has no trips of the day;
    manifests of earlier versions do not have them, nor the last two."""

    date: Date
    outcome: str
    sha256: str | None
    trip_count: Count | None = None
    total_fare: Decimal | None = None
    average_fare: Decimal | None = None
    max_fare: Decimal | None = None
    min_fare: Decimal | None = None
    open: bool = False
    published_trip_count: Count | None = None

    def __post_init__(self) -> None:
        fares = (self.total_fare, self.average_fare, self.max_fare, self.min_fare)
        there = [fare for fare in fares if fare is not None]
        check_figures(*there)
        if self.trip_count is not None and len(there) < len(fares):
            raise ValueError("it has a trip_count, and not all four fares")


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What a run came to on one day."""

    trip_count: int
    total_fare: Decimal
    average_fare: Decimal
    max_fare: Decimal
    min_fare: Decimal

    @classmethod
    def of(cls, day: DayDocument) -> Self | None:
        """None where the manifest has none of the day."""
        if (
            day.trip_count is None
            or day.total_fare is None
            or day.average_fare is None
            or day.max_fare is None
            or day.min_fare is None
        ):
            return None
        return cls(
            trip_count=day.trip_count,
            total_fare=day.total_fare,
            average_fare=day.average_fare,
            max_fare=day.max_fare,
            min_fare=day.min_fare,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDay:
    """What became of a day in the run."""

    date: str
    outcome: str
    sha256: str | None
    """of the day's kpi.json, where it is the run's"""
    figures: DayFigures | None
    """the run's own, whoever's are published; None for a day without trips"""
    is_open: bool = False
    """it ends after the run's plan; manifests of an earlier version do not say so"""
    published_trip_count: int | None = None
    """what was published before, where the run has fewer trips"""

    @classmethod
    def of(cls, day: DayDocument) -> Self:
        return cls(
            date=day.date,
            outcome=day.outcome,
            sha256=day.sha256,
            figures=DayFigures.of(day),
            is_open=day.open,
            published_trip_count=day.published_trip_count,
        )
