"""All workers of a run together keep to its read budget, over every ten seconds, and use it.

The workers are the real Pacers; the time is a clock for each, and what happens to them is drawn.
"""

import heapq
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.samples import plan
from trip_kpis.aws.read_budget import WINDOW_SECONDS, Pacer
from trip_kpis.core.run.plan import Plan

LONG_MS = 10**9
ROUNDING = 1e-6
"""of times that are added up as floats"""


@dataclass(frozen=True, kw_only=True)
class Weather:
    """How things go, at worst and at best."""

    full_page: float = 128.0
    smallest_page: float = 1.0
    full_pages: float = 0.8
    """the share of pages that are full"""
    page_seconds: tuple[float, float] = (0.02, 0.4)
    pages_an_invocation: tuple[int, int] = (100, 900)
    pages_a_segment: tuple[int, int] = (500, 4_000)
    seconds_between: tuple[float, float] = (0.0, 3.0)
    """two invocations in one place"""
    lost_answers: float = 0.001
    """the share of pages that DynamoDB counts and no worker sees; the invocation fails with them"""
    killed: float = 0.1
    """the share of invocations that end while a page is under way"""


@dataclass
class Place:
    """One of the places for workers, with the invocations one after the other in it."""

    of: Plan
    weather: Weather
    rng: random.Random
    now: float = 0.0
    consumed: list[tuple[float, float]] = field(default_factory=list)
    """when, and how many units"""

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def read_segment(self, pages: int, until: float) -> None:
        while pages > 0 and self.now < until:
            most = min(pages, self.rng.randint(*self.weather.pages_an_invocation))
            pages -= self.invoke(most, self._pacer())
            self.now += self.rng.uniform(*self.weather.seconds_between)

    def invoke(self, pages: int, pacer: Pacer) -> int:
        """How many of the pages were read."""
        killed_at = self.rng.randrange(pages) if self.rng.random() < self.weather.killed else -1
        for number in range(pages):
            pacer.wait(at_most_ms=LONG_MS)
            units = self._page()
            if number == killed_at or self.rng.random() < self.weather.lost_answers:
                return number
            pacer.consumed(units)
        return pages

    def _pacer(self) -> Pacer:
        share = Pacer.for_worker_of(self.of)
        return Pacer(
            units_per_second=share.units_per_second,
            page_units=share.page_units,
            clock=self,
            sleep=self.sleep,
        )

    def _page(self) -> float:
        """DynamoDB counts a page at some moment between the request and the answer."""
        weather, draw = self.weather, self.rng
        units = weather.full_page
        if draw.random() >= weather.full_pages:
            units = round(2 * draw.uniform(weather.smallest_page, weather.full_page)) / 2
        takes = draw.uniform(*weather.page_seconds)
        self.consumed.append((self.now + draw.choice((0.0, draw.random(), 1.0)) * takes, units))
        self.now += takes
        return units


def run(of: Plan, weather: Weather, *, seed: int, until: float) -> list[tuple[float, float]]:
    """What a run consumes until then, in the order of time: a worker that has finished a segment
    takes the next one, as the state machine has it."""
    rng = random.Random(seed)
    places = [Place(of=of, weather=weather, rng=rng) for _ in range(of.max_concurrency)]
    free = [(0.0, number) for number in range(len(places))]
    for _ in range(of.total_segments):
        if free[0][0] >= until:
            break
        _, number = heapq.heappop(free)
        places[number].read_segment(rng.randint(*weather.pages_a_segment), until)
        heapq.heappush(free, (places[number].now, number))
    return sorted(event for place in places for event in place.consumed)


def windows(consumed: list[tuple[float, float]]) -> Iterator[float]:
    """The units of every ten seconds that begin with a page: no others can hold more."""
    end, units = 0, 0.0
    for at, first in consumed:
        while end < len(consumed) and consumed[end][0] < at + WINDOW_SECONDS - ROUNDING:
            units += consumed[end][1]
            end += 1
        yield units
        units -= first


def test_the_windows_are_those_that_begin_with_a_page() -> None:
    assert list(windows([(0.0, 1), (5.0, 2), (10.0, 4), (14.9, 8), (30.0, 16)])) == [
        3,
        14,
        12,
        8,
        16,
    ]


def budgeted(*, budget: int, workers: int, segments: int = 10_000, **changes: object) -> Plan:
    return plan(
        read_units_per_second=budget, max_concurrency=workers, total_segments=segments, **changes
    )


STEADY = [
    (budgeted(budget=40_000, workers=32), Weather(page_seconds=(0.02, 0.1))),
    (budgeted(budget=4_096, workers=32), Weather()),
    (budgeted(budget=4_096, workers=32), Weather(full_pages=1.0)),
    (budgeted(budget=4_096, workers=32), Weather(full_pages=0.5)),
    (budgeted(budget=1_000, workers=7), Weather()),
    (budgeted(budget=128, workers=1), Weather()),
    (budgeted(budget=2_000, workers=7, consistent_read=True), Weather(full_page=256.0)),
]


@pytest.mark.parametrize(("of", "weather"), STEADY)
def test_the_budget_is_never_exceeded_and_used(of: Plan, weather: Weather) -> None:
    seconds = 600.0
    consumed = run(of, weather, seed=1, until=seconds)
    assert max(windows(consumed)) <= WINDOW_SECONDS * of.read_units_per_second + ROUNDING
    used = sum(units for at, units in consumed if at < seconds)
    assert used >= 0.9 * seconds * of.read_units_per_second


def test_what_a_page_costs_is_waited_for_and_not_made_up_for_afterwards() -> None:
    """The beginning of a run, when every worker asks for its first page, is no exception."""
    of = budgeted(budget=4_096, workers=32)
    consumed = run(of, Weather(full_pages=1.0), seed=1, until=20.0)
    assert consumed[0][0] >= 3.0


def test_workers_at_the_end_of_a_run_keep_to_their_shares() -> None:
    """Five segments left for 32 workers: less than the budget is used, and no share is larger."""
    of = budgeted(budget=4_096, workers=32, segments=37)
    weather = Weather(pages_a_segment=(300, 300), killed=0.0, lost_answers=0.0)
    consumed = run(of, weather, seed=1, until=10_000.0)
    at_the_end = [event for event in consumed if event[0] > consumed[-1][0] - 60]
    five = WINDOW_SECONDS * 5 * 128
    assert 0.9 * five <= max(windows(at_the_end)) <= five + ROUNDING


ranges = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(lambda pair: tuple(sorted(pair)))
counts = st.tuples(st.integers(1, 40), st.integers(1, 40)).map(lambda pair: tuple(sorted(pair)))
weathers = st.builds(
    Weather,
    smallest_page=st.floats(0.5, 128),
    full_pages=st.floats(0, 1),
    page_seconds=ranges.map(lambda pair: (pair[0], pair[1] * 12)),
    pages_an_invocation=counts,
    pages_a_segment=counts,
    seconds_between=ranges.map(lambda pair: (pair[0] * 3, pair[0] * 3 + pair[1] * 8)),
    lost_answers=st.floats(0, 0.5),
    killed=st.floats(0, 1),
)


@settings(max_examples=150, deadline=None)
@given(weathers, st.integers(1, 6), st.floats(12.8, 2_000), st.integers(0, 10**6))
def test_whatever_happens_the_budget_is_not_exceeded(
    weather: Weather, workers: int, share: float, seed: int
) -> None:
    """A share of 12.8 units a second is what a full page in ten seconds takes."""
    of = budgeted(budget=math.ceil(share * workers), workers=workers, segments=60)
    consumed = run(of, weather, seed=seed, until=300.0)
    allowed = WINDOW_SECONDS * of.read_units_per_second
    assert all(units <= allowed + ROUNDING for units in windows(consumed))


@given(weathers, st.floats(1, 12.8), st.integers(0, 10**6))
def test_a_share_that_is_less_than_a_page_in_ten_seconds_is_held_on_the_average(
    weather: Weather, share: float, seed: int
) -> None:
    place = Place(of=plan(), weather=weather, rng=random.Random(seed))
    for _ in range(5):
        place.invoke(7, Pacer(units_per_second=share, clock=place, sleep=place.sleep))
    consumed, so_far = sorted(place.consumed), 0.0
    for at, units in consumed:
        so_far += units
        assert so_far <= at * share + ROUNDING
    assert max(windows(consumed)) <= 128


def test_a_second_worker_on_a_segment_has_a_share_of_its_own() -> None:
    """A run of whose workers one is there twice (a zombie) may consume one share more, no more."""
    of = budgeted(budget=4_096, workers=32)
    run_of_32 = run(of, Weather(), seed=1, until=300.0)
    zombie = Place(of=of, weather=Weather(), rng=random.Random(2))
    zombie.read_segment(200, until=300.0)
    both = sorted(run_of_32 + zombie.consumed)
    assert max(windows(both)) <= WINDOW_SECONDS * (4_096 + 128) + ROUNDING
