"""A few schedules of the slow form; `make faults` plays fifty."""

from collections.abc import Iterator

import pytest

from tests.faults.slow_cloud import SlowCloud, slow_cloud
from tests.faults.slow_schedule import play_slowly


@pytest.fixture(scope="module")
def cloud() -> Iterator[SlowCloud]:
    with slow_cloud() as up:
        yield up


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_whatever_happens_to_processes_and_requests_the_same_bytes_are_published(
    cloud: SlowCloud, seed: int
) -> None:
    tally = play_slowly(cloud, seed)
    assert tally.differences == {}
    assert tally.faults.total() > 0
    assert tally.pages > 0
