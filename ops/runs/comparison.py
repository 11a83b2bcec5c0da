"""Compares two runs day by day, from their manifests."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trip_kpis.core.items.fares import EXACT

from ops.runs.day_kpis import FIGURES
from ops.runs.errors import ResultsError
from ops.runs.figures import plain
from ops.runs.finished_run import FinishedRun
from ops.runs.marked_days import MarkedDays
from ops.runs.run_day import DayFigures
from trip_kpis.core.settings import CONSISTENT_READ, SETTINGS

_OF_MANIFEST = ("table_arn", "table_id", "code_version")
_OF_PLAN = (
    *(setting.field for setting in SETTINGS if setting.decides_figures),
    CONSISTENT_READ.field,
)
"""what figures depend on"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure of a day, before and after."""

    figure: str
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return EXACT.subtract(self.after, self.before)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDay:
    """A day that has trips in both runs, and not the same figures."""

    date: str
    before: DayFigures
    after: DayFigures

    @property
    def changes(self) -> tuple[Change, ...]:
        """Of those figures that are others."""
        pairs = (
            Change(
                figure=name,
                before=Decimal(getattr(self.before, name)),
                after=Decimal(getattr(self.after, name)),
            )
            for name in FIGURES
        )
        return tuple(change for change in pairs if change.before != change.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSetting:
    """What one run was planned with, and the other one otherwise."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """In the order of the days."""

    before: FinishedRun
    after: FinishedRun
    same: int
    """days whose figures are equal"""
    changed: tuple[ChangedDay, ...]
    only_before: Mapping[str, DayFigures]
    only_after: Mapping[str, DayFigures]
    settings: tuple[OtherSetting, ...]
    knows_the_plans: bool
    """else the settings are those alone that a manifest has"""

    @property
    def marked(self) -> tuple[MarkedDays, MarkedDays]:
        """The days of each run that were open or shrank."""
        return MarkedDays.of_run(self.before), MarkedDays.of_run(self.after)

    @property
    def open_days(self) -> frozenset[str]:
        """Of either run: days that may differ because they were not over."""
        return frozenset(day for marked in self.marked for day in marked.open_days)

    @property
    def differs(self) -> bool:
        return bool(self.changed or self.only_before or self.only_after)

    @property
    def trips(self) -> int:
        """more in the later named run"""
        return self.after.counted - self.before.counted

    @property
    def total_fare(self) -> Decimal:
        """more in the later named run"""
        return EXACT.subtract(Decimal(self.after.total_fare), Decimal(self.before.total_fare))

    def to_json(self) -> dict[str, Any]:
        """Fares are text, as in the manifest."""
        return {
            "before": self.before.run_id,
            "after": self.after.run_id,
            "same": self.same,
            "changed": [
                {
                    "date": day.date,
                    "before": _figures(day.before),
                    "after": _figures(day.after),
                    "difference": {
                        change.figure: _json(change.figure, change.difference)
                        for change in day.changes
                    },
                }
                for day in self.changed
            ],
            "only_before": [{"date": d, **_figures(of)} for d, of in self.only_before.items()],
            "only_after": [{"date": d, **_figures(of)} for d, of in self.only_after.items()],
            "difference": {"trips": self.trips, "total_fare": plain(str(self.total_fare))},
            "marked": {
                name: marked.to_json()
                for name, marked in zip(("before", "after"), self.marked, strict=True)
            },
            "settings": [
                {"name": one.name, "before": one.before, "after": one.after}
                for one in self.settings
            ],
        }


def compare(
    before: FinishedRun, after: FinishedRun, plans: Mapping[str, Mapping[str, Any]]
) -> Comparison:
    """`plans` are those that are still there, by run id: without them the settings that a manifest
    does not have are not compared. Raises ResultsError for a manifest without figures."""
    days_before, days_after = _days(before), _days(after)
    both = sorted(days_before.keys() & days_after.keys())
    changed = tuple(
        ChangedDay(date=date, before=days_before[date], after=days_after[date])
        for date in both
        if days_before[date] != days_after[date]
    )
    return Comparison(
        before=before,
        after=after,
        same=len(both) - len(changed),
        changed=changed,
        only_before={d: days_before[d] for d in sorted(days_before.keys() - days_after.keys())},
        only_after={d: days_after[d] for d in sorted(days_after.keys() - days_before.keys())},
        settings=_other_settings(before, after, plans),
        knows_the_plans={before.run_id, after.run_id} <= plans.keys(),
    )


def _days(run: FinishedRun) -> dict[str, DayFigures]:
    if not run.has_figures:
        raise ResultsError(
            f"the manifest of run {run.run_id} does not have the figures of its days: it was "
            f"written by an earlier version of this program (its own is {run.code_version}). While "
            "the run's parts are under staging/, resuming it writes its manifest again, with "
            "the figures"
        )
    return {day.date: day.figures for day in run.days if day.figures is not None}


def _other_settings(
    before: FinishedRun, after: FinishedRun, plans: Mapping[str, Mapping[str, Any]]
) -> tuple[OtherSetting, ...]:
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in _OF_MANIFEST}
    of_before, of_after = plans.get(before.run_id, {}), plans.get(after.run_id, {})
    for name in _OF_PLAN:
        if name in of_before and name in of_after:
            pairs[name] = of_before[name], of_after[name]
    return tuple(
        OtherSetting(name=name, before=one, after=other)
        for name, (one, other) in pairs.items()
        if one != other
    )


def _figures(of: DayFigures) -> dict[str, Any]:
    return {name: _json(name, getattr(of, name)) for name in FIGURES}


def _json(figure: str, value: Any) -> Any:
    return int(value) if figure == "trip_count" else plain(str(value))
