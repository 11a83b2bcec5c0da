"""A worker keeps to its share of the read budget, by a clock of the test's own."""

from dataclasses import dataclass

import pytest

from tests.samples import plan
from trip_kpis.aws.pacing import Pacer


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
        paced.wait()
        clock.now += seconds
        paced.consumed(units)


def test_the_first_page_waits_for_nothing() -> None:
    clock = Clock(now=1000.0)
    pacer(clock, 1).wait()
    assert clock.slept == 0


def test_without_a_budget_nothing_waits() -> None:
    clock = Clock()
    read(pacer(clock, 0), clock, pages=100, units=128, seconds=0.01)
    assert clock.slept == 0


def test_pages_are_asked_for_at_the_rate_of_the_share() -> None:
    clock = Clock()
    read(pacer(clock, 64), clock, pages=101, units=128, seconds=0.0)
    assert clock.now == pytest.approx(200)  # 100 pages of 128 units paid for, at 64 a second


def test_a_worker_that_is_slower_than_its_share_does_not_wait_and_saves_nothing_up() -> None:
    clock = Clock()
    paced = pacer(clock, 128)
    read(paced, clock, pages=10, units=128, seconds=5.0)
    assert clock.slept == pytest.approx(9)  # a page is paid for after it is there
    before = clock.now
    read(paced, clock, pages=3, units=128, seconds=0.0)
    assert clock.now - before == pytest.approx(3)


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
