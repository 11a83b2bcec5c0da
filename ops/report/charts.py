"""The columns and the charts of a run's KPIs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ops.report.days import Day
from ops.runs.figures import words
from ops.runs.finished_run import FinishedRun

_BAND = ("average", "max", "min")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart of the days: bars of one KPI, or an average with a band from a minimum to a
    maximum."""

    id: str
    caption: str
    described: str
    """the description for people who cannot see it"""
    kpis: tuple[str, ...]
    """one KPI, or average, maximum and minimum"""

    def drawn(self, columns: Mapping[str, int]) -> dict[str, Any]:
        """Returns the KPIs' columns in the table, for the script."""
        return {"id": self.id, "kpis": [(words(kpi), columns[kpi]) for kpi in self.kpis]}


def kpi_columns(run: FinishedRun, days: tuple[Day, ...]) -> tuple[str, ...]:
    """Returns the run's KPIs in the definition's order, then those that only other runs' days
    have."""
    of_days = (name for day in days for name in day.figures)
    return tuple(dict.fromkeys([*run.kpi_names, *of_days]))


def charts(run: FinishedRun, days: tuple[Day, ...]) -> list[Chart]:
    """Returns a chart for each of the KPIs: sums, then counts, then the others. What is named
    average_X, max_X and min_X is one chart."""
    kpis = [name for name in kpi_columns(run, days) if any(name in day.figures for day in days)]
    sums = [name for name in kpis if name in run.totals and name not in run.counting]
    counts = [name for name in kpis if name in run.counting]
    found = [_bars(name) for name in (*sums, *counts)]
    left = [name for name in kpis if name not in {*sums, *counts}]
    while left:
        of = left[0].partition("_")[2]
        band = tuple(f"{one}_{of}" for one in _BAND)
        if of and {*band} <= {*left}:
            found.append(_band(of, band))
        else:
            found.append(_bars(left[0]))
        left = [name for name in left if name not in found[-1].kpis]
    return found


def _bars(kpi: str) -> Chart:
    caption = "Trips" if kpi == "trip_count" else words(kpi).capitalize()
    return Chart(
        id=f"{kpi}-chart",
        caption=caption,
        described=f"{caption} by day; the table below has every figure",
        kpis=(kpi,),
    )


def _band(of: str, kpis: tuple[str, ...]) -> Chart:
    what = words(of)
    return Chart(
        id=f"{kpis[0]}-chart",
        caption=f"Average {what}, and the band from the smallest to the largest",
        described=f"Average, smallest and largest {what} by day; the table below has every figure",
        kpis=kpis,
    )
