"""A day of a run, as the run's manifest describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from trip_kpis.core.run.figures import Figure
from trip_kpis.core.run.manifest import ManifestBreakdownDay, ManifestDay

Kpis = Mapping[str, Figure]
"""the figures by name, in the definition's order; a count is an int, every other figure a
Decimal"""


def items_in(kpis: Kpis) -> int | None:
    """Returns the number of items of the figures; None if no KPI counts them."""
    return next((one for one in kpis.values() if isinstance(one, int)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDay:
    """What became of a day in the run."""

    date: str
    outcome: str
    sha256: str | None
    """SHA-256 of the day's kpi.json, if the run's figures are published"""
    kpis: Kpis
    """the run's own figures, even if another run's are published; empty for a day without trips"""
    is_open: bool = False
    """whether it ends after the run's plan; manifests of an earlier version do not say so"""
    published_trip_count: int | None = None
    """the trip count that was published before, if the run has fewer trips"""

    @classmethod
    def of(cls, day: ManifestDay) -> Self:
        return cls(
            date=day.date.isoformat(),
            outcome=day.outcome,
            sha256=day.sha256,
            kpis={name: figure for name, figure in day.kpis.items() if figure is not None},
            is_open=day.open,
            published_trip_count=day.published_trip_count,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakdownDay:
    """What became of the object of a breakdown for one day, in the run."""

    date: str
    outcome: str
    sha256: str | None
    """SHA-256 of the object, if the run's figures are published"""
    groups: int | None
    """groups in the run; None if it has no items of the day"""

    @classmethod
    def of(cls, day: ManifestBreakdownDay) -> Self:
        return cls(
            date=day.date.isoformat(), outcome=day.outcome, sha256=day.sha256, groups=day.groups
        )
