"""A worker keeps to its share of the read budget, by a clock of the test's own."""

from dataclasses import dataclass

import pytest

from tests.samples import plan
from trip_kpis.aws.read_budget import Pacer

LONG_MS = 10**9


@dataclass
class Clock:
    now: float = 0.0
    slept: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds
        self.slept += seconds


def pacer(clock: Clock, units_per_second: float) -> Pacer:
    return Pacer(units_per_second=units_per_second, clock=clock, sleep=clock.sleep)


def read(paced: Pacer, clock: Clock, *, pages: int, units: float, seconds: float) -> None:
    for _ in range(pages):
        assert paced.wait(at_most_ms=LONG_MS)
        clock.now += seconds
        paced.consumed(units)


def test_without_a_budget_nothing_waits() -> None:
    clock = Clock()
    read(pacer(clock, 0), clock, pages=100, units=128, seconds=0.01)
    assert clock.slept == 0


@pytest.mark.parametrize(
    ("units_per_second", "seconds"),
    [(1280, 0.3), (128, 3), (64, 6), (32, 10), (12.8, 10), (8, 16), (1, 128)],
)
def test_an_invocation_begins_with_the_time_of_three_pages_but_rarely_above_ten_seconds(
    units_per_second: float, seconds: float
) -> None:
    clock = Clock(now=1000.0)
    read(pacer(clock, units_per_second), clock, pages=1, units=128, seconds=0.0)
    assert clock.slept == pytest.approx(seconds)


def test_pages_are_asked_for_at_the_rate_of_the_share() -> None:
    clock = Clock()
    read(pacer(clock, 128), clock, pages=101, units=128, seconds=0.0)
    assert clock.now == pytest.approx(3 + 100)


def test_small_pages_are_many() -> None:
    clock = Clock()
    paced = pacer(clock, 1280)
    read(paced, clock, pages=1, units=1, seconds=0.0)
    began = clock.now
    read(paced, clock, pages=1_000, units=1, seconds=0.001)
    assert clock.now - began == pytest.approx(1)  # as fast as they come


def test_a_worker_that_is_slower_than_its_share_does_not_wait_and_saves_up_one_page() -> None:
    clock = Clock()
    paced = pacer(clock, 128)
    read(paced, clock, pages=10, units=128, seconds=5.0)
    assert clock.slept == pytest.approx(3)
    before = clock.now
    read(paced, clock, pages=5, units=128, seconds=0.0)
    assert clock.now - before == pytest.approx(4)


def test_a_page_that_was_larger_than_a_full_one_is_what_the_next_may_be() -> None:
    clock = Clock()
    paced = pacer(clock, 128)
    read(paced, clock, pages=1, units=160, seconds=0.0)
    assert paced.wait_ms == 1_500  # 32 units owed, and 160 for the next one


def test_a_wait_that_is_too_long_is_not_begun() -> None:
    clock = Clock()
    paced = pacer(clock, 128)
    assert not paced.wait(at_most_ms=2_999)
    assert clock.slept == 0
    assert paced.wait(at_most_ms=3_000)
    assert clock.slept == 3


@pytest.mark.parametrize("units_per_second", [0, 1280])
def test_a_page_is_held_off_for_as_long_as_is_said(units_per_second: float) -> None:
    clock = Clock()
    paced = pacer(clock, units_per_second)
    paced.hold_off(17)
    assert paced.wait_ms == 17_000
    read(paced, clock, pages=1, units=128, seconds=0.0)
    assert clock.now == pytest.approx(17)


@pytest.mark.parametrize(
    ("budget", "max_concurrency", "total_segments", "share"),
    [(1000, 8, 100, 125), (1000, 32, 4, 250), (1000, 1, 1, 1000), (0, 8, 8, 0), (1, 8, 8, 0.125)],
)
def test_the_budget_is_shared_among_the_workers_that_can_run_at_once(
    budget: int, max_concurrency: int, total_segments: int, share: float
) -> None:
    of = plan(
        read_units_per_second=budget,
        max_concurrency=max_concurrency,
        total_segments=total_segments,
    )
    assert Pacer.for_worker_of(of).units_per_second == share


@pytest.mark.parametrize(("consistent_read", "units"), [(False, 128), (True, 256)])
def test_a_full_page_costs_twice_as_much_where_reads_are_consistent(
    consistent_read: bool, units: float
) -> None:
    assert Pacer.for_worker_of(plan(consistent_read=consistent_read)).page_units == units
