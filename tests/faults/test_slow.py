"""A few schedules of the slow form; `make faults` plays fifty."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.faults import DELIVERY
from tests.faults.script import Script
from tests.faults.slow_cloud import SlowCloud, slow_cloud
from tests.faults.slow_schedule import play_slowly
from tests.faults.totals import Totals

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cloud() -> Iterator[SlowCloud]:
    with slow_cloud() as up:
        yield up


def test_whatever_happens_to_processes_and_requests_the_same_bytes_are_published(
    cloud: SlowCloud,
) -> None:
    totals = Totals()
    for seed in range(3):
        totals += play_slowly(cloud, Script(seed))
    assert totals.differences == {}
    of_requests = [fault for fault in totals.faults if fault not in DELIVERY]
    assert of_requests, "requests of worker processes are known by their slot, and come to harm"
    assert totals.pages > 0
    assert 0 < totals.of_exports < totals.schedules


def test_a_schedule_is_replayed_from_its_file(cloud: SlowCloud, tmp_path: Path) -> None:
    first = Script(3)
    assert play_slowly(cloud, first).differences == {}
    first.save(tmp_path / "slow-3.json")
    again = Script.load(tmp_path / "slow-3.json")
    assert play_slowly(cloud, again).differences == {}
    assert again.injected
    assert set(again.injected) <= set(first.injected)
