"""When a worker appends and when it stops, decided at the edges."""

from trip_kpis.core.log.time_reserve import Pace

FULL = 900_000
"""milliseconds: Lambda's 15 minutes"""


def must_append(pace: Pace, remaining_ms: int, *, is_full: bool = False) -> bool:
    return pace.must_append(remaining_ms, checkpoint_seconds=60, is_full=is_full)


def test_a_fresh_worker_neither_stops_nor_appends() -> None:
    pace = Pace.at_start(FULL)
    assert not pace.must_stop(FULL)
    assert not must_append(pace, FULL)


def test_a_checkpoint_is_due_after_its_time_and_not_before() -> None:
    pace = Pace.at_start(FULL)
    assert not must_append(pace, FULL - 59_999)
    assert must_append(pace, FULL - 60_000)


def test_an_append_starts_the_next_checkpoint() -> None:
    pace = Pace.at_start(FULL).after_append(500, remaining_ms=FULL - 60_500)
    assert not must_append(pace, FULL - 120_499)
    assert must_append(pace, FULL - 120_500)


def test_an_interval_longer_than_the_first_appends_share_is_kept_to_after_the_first_append() -> (
    None
):
    """The first append comes after a quarter of the time, so that a worker knows what it takes."""
    pace = Pace.at_start(FULL)
    assert not pace.must_append(FULL - 224_999, checkpoint_seconds=500)
    assert pace.must_append(FULL - 225_000, checkpoint_seconds=500)
    pace = pace.after_append(500, remaining_ms=FULL - 225_500)
    assert not pace.must_append(FULL - 725_499, checkpoint_seconds=500)
    assert pace.must_append(FULL - 725_500, checkpoint_seconds=500)


def test_a_part_that_is_full_is_appended_at_once() -> None:
    pace = Pace.at_start(FULL)
    assert not must_append(pace, FULL, is_full=False)
    assert must_append(pace, FULL, is_full=True)


def test_ten_seconds_are_kept_and_what_must_stop_must_append() -> None:
    pace = Pace.at_start(FULL).after_append(1, remaining_ms=10_001)
    assert not pace.must_stop(10_001)
    assert pace.must_stop(10_000)
    assert must_append(pace, 10_000)
    assert pace.must_stop(-5)


def test_a_short_limit_keeps_a_tenth() -> None:
    pace = Pace.at_start(3_000)
    assert not pace.must_stop(301)
    assert pace.must_stop(300)


def test_a_slow_page_and_a_slow_append_widen_the_margin() -> None:
    pace = Pace.at_start(FULL).after_page(4_000).after_append(1_000, remaining_ms=FULL - 5_000)
    assert pace.margin_ms == 15_000
    assert pace.must_stop(15_000)
    assert not pace.must_stop(15_001)


def test_the_slowest_so_far_counts_not_the_last() -> None:
    pace = Pace.at_start(FULL).after_page(9_000).after_page(10)
    pace = pace.after_append(2_000, remaining_ms=1).after_append(10, remaining_ms=1)
    assert pace.margin_ms == 33_000


def test_by_a_quarter_of_its_time_a_worker_appends_and_knows_how_long_that_takes() -> None:
    pace = Pace.at_start(8_000)
    assert not must_append(pace, 6_001)
    assert must_append(pace, 6_000)


def test_a_wait_for_the_read_budget_counts_as_time_that_is_gone() -> None:
    pace = Pace.at_start(FULL)
    assert not pace.must_stop(500_000, wait_ms=400_000)
    assert pace.must_stop(500_000, wait_ms=490_000)
    assert pace.must_append(FULL - 1_000, checkpoint_seconds=60, wait_ms=59_000)
    assert not pace.must_append(FULL - 1_000, checkpoint_seconds=60, wait_ms=58_999)


def test_a_page_is_given_up_while_there_is_time_to_append_what_was_before_it() -> None:
    pace = Pace.at_start(FULL)
    assert pace.reserve_ms == 5_000
    assert pace.after_append(4_000, remaining_ms=FULL).reserve_ms == 12_000
    assert pace.reserve_ms < pace.margin_ms
