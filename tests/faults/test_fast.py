"""A few hundred schedules of the fast form; `make faults` plays ten thousand."""

import pytest

from tests.faults.schedule import play
from tests.faults.totals import Totals

_BATCHES = 4
_SCHEDULES_A_BATCH = 50


@pytest.mark.parametrize(
    "batch",
    [0, *(pytest.param(batch, marks=pytest.mark.slow) for batch in range(1, _BATCHES))],
)
def test_whatever_happens_the_same_bytes_are_published_in_the_end(batch: int) -> None:
    totals = Totals()
    for seed in range(batch * _SCHEDULES_A_BATCH, (batch + 1) * _SCHEDULES_A_BATCH):
        totals += play(seed)
    assert totals.differences == {}, "replay a seed with: make faults-fast SEED=…"
    assert 0.3 < totals.of_exports / totals.schedules < 0.7, "both sources, about half each"
    assert totals.faults.total() > _SCHEDULES_A_BATCH
    assert totals.failed_and_continued > 0


@pytest.mark.parametrize("seed", range(30))
def test_an_undisturbed_run_reads_every_page_once(seed: int) -> None:
    totals = play(seed, faults=False)
    assert totals.differences == {}
    assert totals.faults.total() == 0
    assert totals.pages_scanned_twice == 0


@pytest.mark.parametrize("seed", [2, 46, 293])
def test_a_seed_is_one_schedule(seed: int) -> None:
    assert play(seed) == play(seed)
