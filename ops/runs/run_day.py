"""A day of a run, as the run's manifest describes it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Self

import msgspec

from trip_kpis.core.run.manifest import ManifestDay

Date = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What a run came to on one day."""

    trip_count: int
    total_fare: Decimal
    average_fare: Decimal
    max_fare: Decimal
    min_fare: Decimal

    @classmethod
    def of(cls, day: ManifestDay) -> Self | None:
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
    def of(cls, day: ManifestDay) -> Self:
        return cls(
            date=day.date.isoformat(),
            outcome=day.outcome,
            sha256=day.sha256,
            figures=DayFigures.of(day),
            is_open=day.open,
            published_trip_count=day.published_trip_count,
        )
