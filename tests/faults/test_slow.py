"""A few schedules of the slow form; `make faults` plays fifty."""

from collections.abc import Iterator

import pytest

from tests.faults.slow_cloud import SlowCloud, slow_cloud
from tests.faults.slow_schedule import play_slowly
from tests.faults.tally import Tally


@pytest.fixture(scope="module")
def cloud() -> Iterator[SlowCloud]:
    with slow_cloud() as up:
        yield up


def test_whatever_happens_to_processes_and_requests_the_same_bytes_are_published(
    cloud: SlowCloud,
) -> None:
    tally = Tally()
    for seed in range(3):
        tally += play_slowly(cloud, seed)
    assert tally.differences == {}
    assert tally.faults.total() > 0
    assert tally.pages > 0
