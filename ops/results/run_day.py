"""A day of a run, as the run's manifest tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """What a run came to on one day."""

    trip_count: int
    total_fare: Decimal
    average_fare: Decimal
    max_fare: Decimal
    min_fare: Decimal

    @classmethod
    def from_json(cls, day: Mapping[str, Any]) -> Self | None:
        """None where the manifest has none of the day, as all of an earlier version."""
        if day.get("trip_count") is None:
            return None
        fares = ("total_fare", "average_fare", "max_fare", "min_fare")
        return cls(
            trip_count=int(day["trip_count"]), **{name: _decimal(day[name]) for name in fares}
        )


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no number") from error


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
    def from_json(cls, day: Mapping[str, Any]) -> Self:
        return cls(
            date=day["date"],
            outcome=day["outcome"],
            sha256=day["sha256"],
            figures=DayFigures.from_json(day),
            is_open=day.get("open") is True,
            published_trip_count=_count(day.get("published_trip_count")),
        )


def _count(value: Any) -> int | None:
    return None if value is None else int(value)
