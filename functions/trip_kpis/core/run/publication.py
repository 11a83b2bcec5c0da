"""Decides what becomes of each day when a run publishes; `aws.publishing` does it.

Only one merge decides at a time (`core.run.lease`), so what a decision is based on does not change
until it is carried out.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Self

from trip_kpis.core.errors import NothingCountedError
from trip_kpis.core.items.attributes import dotted_path
from trip_kpis.core.items.zones import time_zone
from trip_kpis.core.run.figures import DayObject, digest
from trip_kpis.core.run.outcome import Outcome as Outcome  # beside what decides on it
from trip_kpis.core.run.plan import AS_OF, PLANNED_AT, Plan

CLOCKS_DIFFER_BY = timedelta(minutes=15)
"""the largest difference of clocks: a published as-of time that is further ahead of the merge's
clock is impossible"""

_RUN_ID, _SHA256 = "run-id", "sha256"
_TRIP_COUNT, _SHRANK_FROM, _OPEN = "trip-count", "shrank-from", "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishingTerms:
    """The stack's parameters about days that a run should not replace, or should remove."""

    remove_vanished_days: bool = False
    """VanishedDays: `remove`"""
    keep_shrunk_days: bool = False
    """ShrunkDays: `keep`"""
    skip_open_days: bool = False
    """OpenDays: `skip`"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaterRuns:
    """What finished runs with later plans have published."""

    any_finished: bool = False
    days: frozenset[date] = frozenset()
    """days that one of them has written, confirmed as unchanged, or removed"""
    warnings: tuple[str, ...] = ()
    """warnings about manifests that could not be read"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedDay:
    """A day's object as it is in the bucket."""

    etag: str
    as_of: str = ""
    """the as-of time of the run that wrote it; empty if another program wrote it"""
    planned_at: str = ""
    """of the plan of this run; empty if it is not known"""
    run_id: str = ""
    sha256: str | None = None
    """digest of the body; None if it is not known"""
    trip_count: int | None = None
    """its trips; None if the number is not known"""
    shrank_from: int | None = None
    """the trip count that was published before, if the run that wrote it lowered that"""
    is_open: bool = False

    @property
    def is_unknown(self) -> bool:
        """Returns whether neither its metadata nor its body says how many trips it counts, because
        it is archived."""
        return self.sha256 is None and self.trip_count is None

    @classmethod
    def from_metadata(cls, etag: str, metadata: Mapping[str, str]) -> Self:
        """Inverts `metadata`; what is missing there or has another form is not known."""
        return cls(
            etag=etag,
            as_of=metadata.get(AS_OF, ""),
            planned_at=metadata.get(PLANNED_AT, ""),
            run_id=metadata.get(_RUN_ID, ""),
            sha256=metadata.get(_SHA256),
            trip_count=_count(metadata.get(_TRIP_COUNT, "")),
            shrank_from=_count(metadata.get(_SHRANK_FROM, "")),
            is_open=metadata.get(_OPEN) == "true",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision about a day."""

    outcome: Outcome
    digest: str | None = None
    """SHA-256 of the run's own object, if it is published after the verdict is carried out"""
    write: bool = False
    """whether its object is written; with `Outcome.REMOVED` nothing is written"""
    shrank_from: int | None = None
    """the trip count that is or was published, if this run's is lower"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The result of publishing the objects that exist once per day."""

    outcomes: dict[date, Outcome]
    """the outcome of every day that is in the table or was published before"""
    digests: Mapping[date, str] = field(default_factory=dict)
    """SHA-256 of the published objects that have this run's bytes"""
    open_days: frozenset[date] = frozenset()
    """days in the table that were not over at the plan's time, without those that are not_yet"""
    shrank: dict[date, int] = field(default_factory=dict)
    """days whose trip count became smaller, and the count that was published before"""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Decides for one run."""

    plan: Plan
    terms: PublishingTerms
    later: LaterRuns
    now: datetime
    """the time of the merge's clock"""
    empty_table_confirmed: bool = False
    """whether an empty table may remove every published day"""

    def check_days(self, counted: Collection[DayObject], published: Collection[date]) -> None:
        """Checks all days before anything is written.

        Raises NothingCountedError where every counted trip is of a day after the plan's time, so
        that readers would see old figures for ever, and where the run has no day to publish and
        would remove every one of the `published` days without a confirmation.
        """
        publishable = [day for day in counted if not begins_after_plan(self.plan, day.day)]
        if counted and not publishable:
            first = min(day.day for day in counted)
            raise NothingCountedError(
                f"all {sum(day.items for day in counted)} trips are of days that begin after "
                f"the run was planned, {first} and later; nothing was published. Check whether "
                f"{_day_of(self.plan)} is the time of the trip, and not a time in the future, then "
                "start a new run"
            )
        if self.terms.skip_open_days:
            publishable = [day for day in publishable if not is_open(self.plan, day.day)]
        if (
            self.terms.remove_vanished_days
            and published
            and not publishable
            and not self.empty_table_confirmed
        ):
            what = "has no day that is over" if counted else "is empty"
            raise NothingCountedError(
                f"the table {self.plan.table_name!r} {what}, and VanishedDays is remove: all "
                f"{len(published)} published days would be removed, and nothing was. If that is "
                "right, confirm it when you resume the run (confirm_empty_table); if not, check "
                "whether TableName names the right table"
            )

    def of_counted(self, day: DayObject, there: PublishedDay | None) -> Verdict:
        """Decides about a day that has trips; `there` is what is published, if anything."""
        if begins_after_plan(self.plan, day.day):
            return Verdict(outcome=Outcome.NOT_YET)
        if self._belongs_to_a_later_run(day.day, there):
            return Verdict(outcome=Outcome.SUPERSEDED)
        if self.terms.skip_open_days and is_open(self.plan, day.day):
            return Verdict(outcome=Outcome.SKIPPED)
        mine = digest(day)
        if there is None:
            return Verdict(outcome=Outcome.PUBLISHED, digest=mine, write=True)
        is_mine = there.run_id == self.plan.run_id
        if there.sha256 == mine:
            return Verdict(
                outcome=Outcome.PUBLISHED if is_mine else Outcome.UNCHANGED,
                digest=mine,
                write=self._is_marked_wrongly(day.day, there),
                shrank_from=there.shrank_from if is_mine else None,
            )
        shrank_from = _if_above(there.trip_count, day.items)
        may_have_shrunk = shrank_from is not None or there.is_unknown
        if may_have_shrunk and self.terms.keep_shrunk_days:
            return Verdict(outcome=Outcome.SHRUNK, shrank_from=shrank_from)
        return Verdict(outcome=Outcome.PUBLISHED, digest=mine, write=True, shrank_from=shrank_from)

    def of_vanished(self, day: date, there: PublishedDay) -> Verdict:
        """Decides about a day that is published and has no trips any more."""
        if not self.terms.remove_vanished_days:
            return Verdict(outcome=Outcome.VANISHED)
        if self._belongs_to_a_later_run(day, there):
            return Verdict(outcome=Outcome.SUPERSEDED)
        if self.terms.skip_open_days and is_open(self.plan, day):
            return Verdict(outcome=Outcome.SKIPPED)
        return Verdict(outcome=Outcome.REMOVED)

    def metadata(self, day: DayObject, verdict: Verdict) -> dict[str, str]:
        """Returns the metadata of the object that is written: everything that varies from run to
        run, and what a later run compares without reading the body."""
        shrank_from = {} if verdict.shrank_from is None else {_SHRANK_FROM: verdict.shrank_from}
        return {
            **self.plan.order_metadata,
            _RUN_ID: self.plan.run_id,
            _SHA256: verdict.digest or digest(day),
            _TRIP_COUNT: str(day.items),
            _OPEN: str(is_open(self.plan, day.day)).lower(),
            **{name: str(count) for name, count in shrank_from.items()},
        }

    def has_impossible_as_of(self, there: PublishedDay) -> bool:
        """Returns whether no run can have written this as-of time: it is not a time, or it is in
        the future.

        Such an object counts as older than any run. If it counted as newer, the day would stay as
        it is for ever.
        """
        return bool(there.as_of) and possible_as_of(there.as_of, now=self.now) is None

    def _belongs_to_a_later_run(self, day: date, there: PublishedDay | None) -> bool:
        if day in self.later.days:
            return True
        if there is None:
            # The later run has seen that there is no such day, and would have removed it.
            return self.terms.remove_vanished_days and self.later.any_finished
        return is_later(there.as_of, there.planned_at, there.run_id, than=self.plan, now=self.now)

    def _is_marked_wrongly(self, day: date, there: PublishedDay) -> bool:
        """Returns whether the bytes are the same, but the metadata is not true (any more)."""
        return there.is_open != is_open(self.plan, day) or self.has_impossible_as_of(there)


def _day_of(plan: Plan) -> str:
    """Returns the name of the attribute that decides the day, as a user knows it."""
    paths = ", ".join(map(dotted_path, plan.definition.day.paths))
    return f"{paths} (DayAttribute)" if paths == plan.day_attribute else paths


def is_open(plan: Plan, day: date) -> bool:
    """Returns whether the day ends after the plan's time, in the reporting time zone."""
    return day >= _planned_on(plan)


def begins_after_plan(plan: Plan, day: date) -> bool:
    """Returns whether the whole day is after the plan's time: the run can have seen only a part of
    it."""
    return day > _planned_on(plan)


def _planned_on(plan: Plan) -> date:
    return datetime.fromisoformat(plan.as_of).astimezone(time_zone(plan.time_zone)).date()


def possible_as_of(text: str, *, now: datetime) -> datetime | None:
    """Returns the as-of time in `text`; None if no run can have written it before `now`: it is not
    a time, has no offset, or is in the future."""
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    is_past = moment <= now + CLOCKS_DIFFER_BY
    return moment if is_past and datetime.fromisoformat(text).tzinfo is not None else None


def is_later(as_of: str, planned_at: str, run_id: str, *, than: Plan, now: datetime) -> bool:
    """Decides whether the run with these times is later than `than`.

    The as-of time decides. If both are as of the same instant, as two runs over one export are,
    the later plan decides, because it may be a correction; then the run id.
    """
    theirs = possible_as_of(as_of, now=now)
    if theirs is None:
        return False
    planned = possible_as_of(planned_at, now=now) or theirs
    mine = datetime.fromisoformat(than.as_of), datetime.fromisoformat(than.planned_at)
    return (theirs, planned, run_id) > (*mine, than.run_id)


def _count(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _if_above(published: int | None, now: int) -> int | None:
    return published if published is not None and published > now else None
