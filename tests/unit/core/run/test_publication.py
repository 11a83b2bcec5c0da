"""What becomes of each day: which run's figures win, and which days are left as they are."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.samples import day_kpis, frozen_export, plan
from trip_kpis.core.errors import NothingCountedError
from trip_kpis.core.run.figures import DayKpis, digest
from trip_kpis.core.run.publication import (
    Judge,
    LaterRuns,
    Outcome,
    PublishedDay,
    PublishingTerms,
    Verdict,
    begins_after_plan,
    is_open,
)

PLANNED_AT = datetime(2024, 6, 1, 2, 15, tzinfo=UTC)
NOW = PLANNED_AT + timedelta(hours=3)
DAY, TODAY, TOMORROW = date(2024, 5, 25), date(2024, 6, 1), date(2024, 6, 2)
EARLIER, LATER = "2024-05-31T02:15:00.000000+00:00", "2024-06-01T04:15:00.000000+00:00"


def kpis(day: date = DAY, *, trips: int = 2) -> DayKpis:
    return day_kpis(day, trips=trips, total=7 * trips, low=7, high=7)


def judge(*, later: LaterRuns | None = None, **terms: bool) -> Judge:
    return Judge(
        plan=plan("run-5", now=PLANNED_AT),
        terms=PublishingTerms(**terms),
        later=later or LaterRuns(),
        now=NOW,
    )


def judge_of_export(as_of: str, *, later: LaterRuns | None = None) -> Judge:
    """Of a run that was planned at the same time, and reads an export of another instant."""
    of = plan("run-5", now=PLANNED_AT, source="export")
    export = frozen_export(2, as_of=datetime.fromisoformat(as_of))
    return replace(judge(later=later), plan=of.with_export(export))


def written_by(day: DayKpis, *, as_of: str = EARLIER, run_id: str = "run-4") -> PublishedDay:
    """As a run leaves it, read back from its object's metadata."""
    by_that_run = judge()
    metadata = by_that_run.metadata(day, Verdict(outcome=Outcome.PUBLISHED, write=True))
    return PublishedDay.from_metadata('"e"', {**metadata, "as-of": as_of, "run-id": run_id})


def mine(outcome: Outcome, day: DayKpis | None = None, **rest: Any) -> Verdict:
    """That this run's own object is there afterwards."""
    return Verdict(outcome=outcome, digest=digest(day or kpis()), **rest)


def test_a_day_that_is_not_published_is_written() -> None:
    assert judge().of_counted(kpis(), None) == mine(Outcome.PUBLISHED, write=True)


def test_the_same_figures_are_not_written_again() -> None:
    assert judge().of_counted(kpis(), written_by(kpis())) == mine(Outcome.UNCHANGED)


def test_what_this_run_has_written_counts_as_published_again() -> None:
    there = written_by(kpis(), run_id="run-5")
    assert judge().of_counted(kpis(), there) == mine(Outcome.PUBLISHED)


def test_a_later_runs_day_is_left_as_it_is() -> None:
    there = written_by(kpis(trips=9), as_of=LATER)
    for terms in ({}, {"remove_vanished_days": True}):
        assert judge(**terms).of_counted(kpis(), there).outcome is Outcome.SUPERSEDED
    assert judge(remove_vanished_days=True).of_vanished(DAY, there).outcome is Outcome.SUPERSEDED


def test_a_day_that_a_later_run_has_confirmed_is_its_own_though_it_was_written_before() -> None:
    confirmed = LaterRuns(any_finished=True, days=frozenset({DAY}))
    there = written_by(kpis(trips=9))
    assert judge(later=confirmed).of_counted(kpis(), there).outcome is Outcome.SUPERSEDED
    removing = judge(later=confirmed, remove_vanished_days=True)
    assert removing.of_vanished(DAY, there).outcome is Outcome.SUPERSEDED


def test_an_absent_day_stays_absent_only_where_a_later_run_would_have_removed_it() -> None:
    finished = LaterRuns(any_finished=True)
    kept, removed = judge(later=finished), judge(later=finished, remove_vanished_days=True)
    assert kept.of_counted(kpis(), None).outcome is Outcome.PUBLISHED
    assert removed.of_counted(kpis(), None).outcome is Outcome.SUPERSEDED


# Figures as of an export's instant

BETWEEN = "2024-05-31T12:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("instant", "published", "outcome"),
    [
        (EARLIER, BETWEEN, Outcome.SUPERSEDED),
        (BETWEEN, EARLIER, Outcome.PUBLISHED),
        ("2024-05-31T14:00:00+02:00", BETWEEN, Outcome.PUBLISHED),  # the same: the run id decides
        (BETWEEN, LATER, Outcome.SUPERSEDED),
        (LATER, BETWEEN, Outcome.PUBLISHED),
    ],
)
def test_the_later_instant_wins_whenever_the_runs_were_planned(
    instant: str, published: str, outcome: Outcome
) -> None:
    """`published` is a scan's or another export's: they compare alike."""
    there = written_by(kpis(trips=9), as_of=published)
    assert judge_of_export(instant).of_counted(kpis(), there).outcome is outcome


@pytest.mark.parametrize(
    ("planned_at", "run_id", "outcome"),
    [
        (EARLIER, "run-6", Outcome.PUBLISHED),
        (LATER, "run-4", Outcome.SUPERSEDED),
        (PLANNED_AT.isoformat(), "run-4", Outcome.PUBLISHED),
        (PLANNED_AT.isoformat(), "run-6", Outcome.SUPERSEDED),
        ("", "run-6", Outcome.PUBLISHED),  # not known: as for a scan, the as-of time
        ("2099-01-01T00:00:00+00:00", "run-6", Outcome.PUBLISHED),  # impossible
    ],
)
def test_of_two_runs_as_of_the_same_instant_the_later_plan_wins(
    planned_at: str, run_id: str, outcome: Outcome
) -> None:
    there = replace(written_by(kpis(trips=9), as_of=EARLIER, run_id=run_id), planned_at=planned_at)
    assert judge_of_export(EARLIER).of_counted(kpis(), there).outcome is outcome


def test_an_older_export_that_is_read_later_leaves_a_newer_scans_figures_and_not_the_reverse() -> (
    None
):
    of_scan, of_export = judge(), judge_of_export(EARLIER)
    scans = of_scan.metadata(kpis(trips=9), Verdict(outcome=Outcome.PUBLISHED))
    exports = of_export.metadata(kpis(), Verdict(outcome=Outcome.PUBLISHED))
    assert (scans["as-of"], exports["as-of"]) == (of_scan.plan.planned_at, EARLIER)
    by_scan, by_export = (PublishedDay.from_metadata('"e"', of) for of in (scans, exports))
    by_scan = replace(by_scan, run_id="run-4")
    by_export = replace(by_export, run_id="run-6")
    assert of_export.of_counted(kpis(), by_scan).outcome is Outcome.SUPERSEDED
    assert of_scan.of_counted(kpis(trips=9), by_export).outcome is Outcome.PUBLISHED


def test_which_days_are_open_is_decided_by_the_instant() -> None:
    of_export = judge_of_export("2024-05-30T12:00:00+00:00")
    before, day, after = (date(2024, 5, 29) + timedelta(days=n) for n in range(3))
    assert [is_open(of_export.plan, one) for one in (before, day, after)] == [False, True, True]
    assert not begins_after_plan(of_export.plan, day)
    assert of_export.of_counted(kpis(after), None).outcome is Outcome.NOT_YET
    assert of_export.metadata(kpis(day), Verdict(outcome=Outcome.PUBLISHED))["open"] == "true"
    skipping = replace(of_export, terms=PublishingTerms(skip_open_days=True))
    assert skipping.of_counted(kpis(day), None).outcome is Outcome.SKIPPED
    assert skipping.of_counted(kpis(before), None).outcome is Outcome.PUBLISHED


def test_the_instant_of_an_export_is_possible_however_old_it_is() -> None:
    old = judge_of_export("2024-01-01T00:00:00+00:00")
    there = written_by(kpis(date(2023, 12, 31)), as_of=old.plan.as_of)
    assert not old.has_impossible_as_of(there)
    assert old.of_counted(kpis(date(2023, 12, 31)), None).outcome is Outcome.PUBLISHED


# As-of times that no run can have


@pytest.mark.parametrize(
    "as_of",
    ["zzzz", "2099-01-01T00:00:00.000000+00:00", "2024-06-01T02:15:00", "9999-12-31T23:59:59-12:00",
     "2024-06-01T05:31:00.000000+00:00"],
)  # fmt: skip
def test_an_impossible_as_of_time_does_not_freeze_a_day(as_of: str) -> None:
    there = written_by(kpis(trips=1), as_of=as_of)
    assert judge().has_impossible_as_of(there)
    assert judge().of_counted(kpis(), there) == mine(Outcome.PUBLISHED, write=True)
    same = written_by(kpis(), as_of=as_of)
    assert judge().of_counted(kpis(), same) == mine(Outcome.UNCHANGED, write=True)


@pytest.mark.parametrize("as_of", ["", EARLIER, LATER, "2024-06-01T05:30:00.000000+00:00"])
def test_other_as_of_times_are_possible(as_of: str) -> None:
    """Also none at all: another program has written the object."""
    assert not judge().has_impossible_as_of(written_by(kpis(), as_of=as_of))


# Days that shrank


def test_a_day_with_fewer_trips_than_published_is_overwritten_and_says_so() -> None:
    verdict = judge().of_counted(kpis(trips=1), written_by(kpis(trips=4)))
    assert verdict == mine(Outcome.PUBLISHED, kpis(trips=1), write=True, shrank_from=4)
    repeated = PublishedDay.from_metadata('"e"', judge().metadata(kpis(trips=1), verdict))
    again = judge().of_counted(kpis(trips=1), repeated)
    assert again == mine(Outcome.PUBLISHED, kpis(trips=1), shrank_from=4)


def test_a_day_with_fewer_trips_is_kept_where_that_is_asked_for() -> None:
    verdict = judge(keep_shrunk_days=True).of_counted(kpis(trips=1), written_by(kpis(trips=4)))
    assert verdict == Verdict(outcome=Outcome.SHRUNK, shrank_from=4)


@pytest.mark.parametrize("trips", [4, 5])
def test_a_day_with_as_many_trips_or_more_is_overwritten(trips: int) -> None:
    there = replace(written_by(kpis(trips=4)), sha256="of other fares")
    verdict = judge(keep_shrunk_days=True).of_counted(kpis(trips=trips), there)
    assert verdict == mine(Outcome.PUBLISHED, kpis(trips=trips), write=True)


def test_where_it_is_not_known_whether_a_day_shrank_it_is_kept_if_shrunk_days_are() -> None:
    there = PublishedDay(etag='"e"', as_of=EARLIER, run_id="run-4")
    assert judge().of_counted(kpis(), there).outcome is Outcome.PUBLISHED
    assert judge(keep_shrunk_days=True).of_counted(kpis(), there).outcome is Outcome.SHRUNK


# Days that are not over


@pytest.mark.parametrize(
    ("time_zone", "planned_at", "day", "opened", "not_yet"),
    [
        ("UTC", "2024-06-01T12:00:00+00:00", "2024-05-31", False, False),
        ("UTC", "2024-06-01T12:00:00+00:00", "2024-06-01", True, False),
        ("UTC", "2024-06-01T12:00:00+00:00", "2024-06-02", True, True),
        ("UTC", "2024-06-01T00:00:00+00:00", "2024-05-31", False, False),
        ("UTC", "2024-06-01T00:00:00+00:00", "2024-06-01", True, False),
        ("UTC", "2024-05-31T23:59:59.999999+00:00", "2024-06-01", True, True),
        ("Europe/Berlin", "2024-06-01T22:00:00+00:00", "2024-06-01", False, False),
        ("Europe/Berlin", "2024-06-01T21:59:59+00:00", "2024-06-01", True, False),
        ("America/Los_Angeles", "2024-06-02T06:59:59+00:00", "2024-06-01", True, False),
        ("Pacific/Kiritimati", "2024-06-01T10:00:00+00:00", "2024-06-02", True, False),
    ],
)
def test_a_day_is_open_until_it_ends_in_the_reporting_time_zone(
    time_zone: str, planned_at: str, day: str, opened: bool, not_yet: bool
) -> None:
    of = plan(time_zone=time_zone, planned_at=planned_at)
    assert is_open(of, date.fromisoformat(day)) is opened
    assert begins_after_plan(of, date.fromisoformat(day)) is not_yet


def test_an_open_day_is_published_and_marked_or_skipped() -> None:
    published = judge().of_counted(kpis(TODAY), None)
    assert published == mine(Outcome.PUBLISHED, kpis(TODAY), write=True)
    assert judge().metadata(kpis(TODAY), published)["open"] == "true"
    assert judge().metadata(kpis(DAY), published)["open"] == "false"
    skipping = judge(skip_open_days=True)
    there = written_by(kpis(TODAY, trips=1))
    assert skipping.of_counted(kpis(TODAY), there) == Verdict(outcome=Outcome.SKIPPED)
    assert skipping.of_counted(kpis(DAY), None).outcome is Outcome.PUBLISHED


def test_a_day_that_is_over_is_no_longer_marked_as_open_though_its_figures_are_the_same() -> None:
    still_open = replace(written_by(kpis()), is_open=True)
    assert judge().of_counted(kpis(), still_open) == mine(Outcome.UNCHANGED, write=True)


def test_a_day_that_begins_after_the_plan_is_never_published() -> None:
    for there in (None, written_by(kpis(TOMORROW, trips=1))):
        assert judge().of_counted(kpis(TOMORROW), there) == Verdict(outcome=Outcome.NOT_YET)


# Days that have vanished


def test_vanished_days_are_kept_or_removed() -> None:
    there = written_by(kpis())
    assert judge().of_vanished(DAY, there).outcome is Outcome.VANISHED
    assert judge(remove_vanished_days=True).of_vanished(DAY, there).outcome is Outcome.REMOVED


def test_an_empty_table_removes_every_day_only_where_that_is_confirmed() -> None:
    removing = judge(remove_vanished_days=True)
    with pytest.raises(NothingCountedError, match="confirm_empty_table"):
        removing.check_days([], {DAY})
    removing.check_days([], ())
    removing.check_days([kpis(TODAY)], {DAY})
    judge().check_days([], {DAY})
    replace(removing, empty_table_confirmed=True).check_days([], {DAY})


def test_a_run_of_only_open_days_removes_the_others_only_where_that_is_confirmed() -> None:
    removing = judge(remove_vanished_days=True, skip_open_days=True)
    with pytest.raises(NothingCountedError, match="no day that is over"):
        removing.check_days([kpis(TODAY)], {DAY})
    replace(removing, empty_table_confirmed=True).check_days([kpis(TODAY)], {DAY})
    removing.check_days([kpis(TODAY), kpis(DAY)], {DAY})


@pytest.mark.parametrize("terms", [{}, {"remove_vanished_days": True}, {"skip_open_days": True}])
def test_a_run_whose_trips_are_all_of_days_to_come_is_refused(terms: dict[str, bool]) -> None:
    with pytest.raises(NothingCountedError, match="DayAttribute"):
        judge(**terms).check_days([kpis(TOMORROW)], {DAY})
    with pytest.raises(NothingCountedError, match="DayAttribute"):
        replace(judge(**terms), empty_table_confirmed=True).check_days([kpis(TOMORROW)], {DAY})
    judge(**terms).check_days([kpis(TOMORROW), kpis(DAY)], {DAY})
