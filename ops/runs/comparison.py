"""Compares two runs day by day, from their manifests."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from ops.runs.errors import ResultsError
from ops.runs.figures import plain
from ops.runs.finished_run import FinishedRun, without_count
from ops.runs.marked_days import MarkedDays
from ops.runs.run_day import Kpis
from trip_kpis.core.items.numbers import EXACT
from trip_kpis.core.run.figures import Figure
from trip_kpis.core.settings import CONSISTENT_READ, SETTINGS

_OF_MANIFEST = ("table_arn", "table_id", "code_version")
_OF_PLAN = (
    *(setting.field for setting in SETTINGS if setting.decides_figures),
    CONSISTENT_READ.field,
)
"""settings that the figures depend on"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure of a day, before and after; None if a run's definition does not have the KPI."""

    figure: str
    before: Figure | None
    after: Figure | None

    @property
    def difference(self) -> Figure | None:
        if self.before is None or self.after is None:
            return None
        if isinstance(self.before, int) and isinstance(self.after, int):
            return self.after - self.before
        return EXACT.subtract(Decimal(self.after), Decimal(self.before))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedDay:
    """A day that has trips in both runs, but not the same figures."""

    date: str
    before: Kpis
    after: Kpis

    @property
    def changes(self) -> tuple[Change, ...]:
        """Returns the changes of the figures that differ."""
        pairs = (
            Change(figure=name, before=self.before.get(name), after=self.after.get(name))
            for name in dict.fromkeys([*self.before, *self.after])
        )
        return tuple(change for change in pairs if change.before != change.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedBreakdown:
    """An object of a breakdown for a day that differs between the runs.

    A manifest has the object's SHA-256 and not its figures.
    """

    date: str
    breakdown: str
    groups_before: int | None
    """number of groups; None: that run has no items of the day"""
    groups_after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSetting:
    """A setting that differs between the plans of the two runs."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The comparison of two runs, in the order of the days."""

    before: FinishedRun
    after: FinishedRun
    same: int
    """days whose figures are equal"""
    changed: tuple[ChangedDay, ...]
    only_before: Mapping[str, Kpis]
    only_after: Mapping[str, Kpis]
    breakdowns: tuple[ChangedBreakdown, ...]
    """those that differ, of days that both runs have"""
    settings: tuple[OtherSetting, ...]
    knows_the_plans: bool
    """whether both plans were compared; otherwise only the settings in the manifests were
    compared"""

    @property
    def marked(self) -> tuple[MarkedDays, MarkedDays]:
        """Returns the days of each run that were open or shrank."""
        return MarkedDays.of_run(self.before), MarkedDays.of_run(self.after)

    @property
    def open_days(self) -> frozenset[str]:
        """Returns the open days of both runs: such days may differ because they were not over."""
        return frozenset(day for marked in self.marked for day in marked.open_days)

    @property
    def differs(self) -> bool:
        return bool(self.changed or self.only_before or self.only_after or self.breakdowns)

    @property
    def trips(self) -> int:
        """Returns how many more trips the second run has."""
        return self.after.counted - self.before.counted

    @property
    def totals(self) -> dict[str, Decimal]:
        """Returns how much larger the totals of the second run are, for KPIs that both runs can add
        up over all days."""
        before = self.before.totals
        after = without_count(self.after.totals, self.after.counted)
        return {
            name: EXACT.subtract(Decimal(total), Decimal(before[name]))
            for name, total in after.items()
            if name in before
        }

    def to_json(self) -> dict[str, Any]:
        """Figures that are no counts are text, as in the manifest."""
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
                        change.figure: _json(change.difference) for change in day.changes
                    },
                }
                for day in self.changed
            ],
            "only_before": [{"date": d, **_figures(of)} for d, of in self.only_before.items()],
            "only_after": [{"date": d, **_figures(of)} for d, of in self.only_after.items()],
            "breakdowns": [asdict(one) for one in self.breakdowns],
            "difference": {
                "trips": self.trips,
                **{name: plain(str(total)) for name, total in self.totals.items()},
            },
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
    """Compares two runs. Raises ResultsError for a manifest without figures."""
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
        breakdowns=_changed_breakdowns(before, after),
        settings=_other_settings(before, after, plans),
        knows_the_plans={before.run_id, after.run_id} <= plans.keys(),
    )


def _changed_breakdowns(before: FinishedRun, after: FinishedRun) -> tuple[ChangedBreakdown, ...]:
    found = []
    for breakdown in (name for name in before.breakdowns if name in after.breakdowns):
        of_before = {day.date: day for day in before.breakdowns[breakdown]}
        of_after = {day.date: day for day in after.breakdowns[breakdown]}
        for date in sorted(of_before.keys() | of_after.keys()):
            one, other = of_before.get(date), of_after.get(date)
            groups = one.groups if one else None, other.groups if other else None
            digests = one.sha256 if one else None, other.sha256 if other else None
            if groups[0] != groups[1] or (None not in digests and digests[0] != digests[1]):
                found.append(
                    ChangedBreakdown(
                        date=date,
                        breakdown=breakdown,
                        groups_before=groups[0],
                        groups_after=groups[1],
                    )
                )
    return tuple(found)


def _days(run: FinishedRun) -> dict[str, Kpis]:
    if not run.has_figures:
        raise ResultsError(
            f"the manifest of run {run.run_id} does not have the figures of its days: it was "
            f"written by an earlier version of this program (its own is {run.code_version}). While "
            "the run's parts are under staging/, resuming it writes its manifest again, with "
            "the figures"
        )
    return {day.date: day.kpis for day in run.days if day.kpis}


def _other_settings(
    before: FinishedRun, after: FinishedRun, plans: Mapping[str, Mapping[str, Any]]
) -> tuple[OtherSetting, ...]:
    pairs = {name: (getattr(before, name), getattr(after, name)) for name in _OF_MANIFEST}
    of_before, of_after = plans.get(before.run_id, {}), plans.get(after.run_id, {})
    for name in _OF_PLAN:
        if name in of_before and name in of_after:
            pairs[name] = _comparable(of_before[name]), _comparable(of_after[name])
    return tuple(
        OtherSetting(name=name, before=one, after=other)
        for name, (one, other) in pairs.items()
        if one != other
    )


def _comparable(setting: Any) -> Any:
    """Returns the value; of a KPI definition, its digest: its name and its text may differ, and
    decide no figure."""
    return setting["sha256"] if isinstance(setting, dict) and "sha256" in setting else setting


def _figures(of: Kpis) -> dict[str, Any]:
    return {name: _json(figure) for name, figure in of.items()}


def _json(figure: Figure | None) -> int | str | None:
    return plain(str(figure)) if isinstance(figure, Decimal) else figure
