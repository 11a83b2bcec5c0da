"""A sample keeps to the run's read budget and to the time that there is."""

import json
import tracemalloc
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.samples import plan, trip
from trip_kpis.aws.read_budget import WINDOW_SECONDS, Pacer
from trip_kpis.aws.sampling import GENTLE_UNITS_PER_SECOND, sampling_pacer, take_sample
from trip_kpis.core.estimate.sample import Sample
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.run.plan import Plan

PAGE_UNITS = 128.0
LONG_MS = 10**9


@dataclass
class Table:
    """Endless segments of full pages, as the client leaves them; the time is a clock of its own."""

    now: float = 0.0
    read_at: list[float] = field(default_factory=list)

    def scan(self, **_: Any) -> dict[str, bytes]:
        self.read_at.append(self.now)
        answer = {
            "ScannedCount": 1,
            "Items": [trip()],
            "ConsumedCapacity": {"CapacityUnits": PAGE_UNITS},
            "LastEvaluatedKey": {"trip_id": {"S": "t-1"}},
        }
        return {"Body": json.dumps(answer).encode()}

    def sampled(self, of: Plan, *, ends_at: float = LONG_MS / 1000) -> Sample:
        pacer = Pacer(
            units_per_second=sampling_pacer(of).units_per_second,
            page_units=sampling_pacer(of).page_units,
            clock=lambda: self.now,
            sleep=self._sleep,
        )
        return take_sample(
            self, of, remaining_ms=lambda: int((ends_at - self.now) * 1000), pacer=pacer
        )

    def _sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize("budget", [20, 100, 256, 1000])
def test_no_ten_seconds_see_more_than_the_budget(budget: int) -> None:
    table = Table()
    sample = table.sampled(plan(total_segments=20, read_units_per_second=budget))
    assert len(table.read_at) == sample.census.counts.pages == 16
    for begin in table.read_at:
        within = sum(begin <= at < begin + WINDOW_SECONDS for at in table.read_at)
        assert within * PAGE_UNITS <= max(PAGE_UNITS, WINDOW_SECONDS * budget)
    assert budget * table.read_at[-1] >= 15 * PAGE_UNITS


def test_without_a_budget_it_is_gentle_and_a_consistent_page_is_twice_as_large() -> None:
    pacer = sampling_pacer(plan(consistent_read=True))
    assert (pacer.units_per_second, pacer.page_units) == (GENTLE_UNITS_PER_SECOND, 256)
    assert sampling_pacer(plan(read_units_per_second=7)).units_per_second == 7


def test_when_time_is_short_it_ends_with_what_it_has() -> None:
    table = Table()
    sample = table.sampled(plan(total_segments=20, read_units_per_second=20), ends_at=60.0)
    assert 0 < sample.census.counts.pages < 16
    assert table.now < 60 - 15
    assert sample.is_cut_short


def test_what_dynamodb_says_it_consumed_is_reported() -> None:
    sample = Table().sampled(plan(total_segments=1))
    assert sample.census.counts.read_units == 2 * PAGE_UNITS


@dataclass
class TableOfLists:
    """Two pages of a segment, whose fares are lists of a thousand numbers."""

    pages: list[bytes]

    @classmethod
    def made(cls) -> "TableOfLists":
        fare = {"L": [{"N": str(10_000 + n)} for n in range(1_000)]}
        items = [trip(f"t-{n}", fare_amount=fare) for n in range(200)]
        last = {"ScannedCount": 200, "Items": items}
        first = {**last, "LastEvaluatedKey": {"trip_id": {"S": "t-199"}}}
        return cls([json.dumps(last).encode(), json.dumps(first).encode()])

    def scan(self, **_: Any) -> dict[str, bytes]:
        return {"Body": self.pages.pop()}


def test_a_sample_holds_no_more_than_the_answer_that_it_reads() -> None:
    """As objects, the numbers of one page take 50 MB, and PlanRun has 256."""
    table = TableOfLists.made()
    length = len(table.pages[0])
    tracemalloc.start()
    try:
        sample = take_sample(table, plan(total_segments=1), remaining_ms=lambda: LONG_MS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sample.census.counts.rejected == {Reason.FARE_WRONG_TYPE: 400}
    assert sample.census.forms[("fare_amount",)] == {"List": 400}
    assert peak < 3 * length


@pytest.mark.parametrize("name", ["L", "SS", "M"])
def test_an_attribute_may_be_called_like_a_type(name: str) -> None:
    answer = {"ScannedCount": 1, "Items": [trip(**{name: {"N": "12"}}, fare_amount=None)]}
    table = TableOfLists([json.dumps(answer).encode()])
    of = plan(total_segments=1, fare_attribute=name)
    sample = take_sample(table, of, remaining_ms=lambda: LONG_MS)
    assert sample.census.forms[(name,)] == {"Number": 1}
    assert sample.census.counts.counted == 1
