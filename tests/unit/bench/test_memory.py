"""What `bench memory` measures of a table that is nearly all rejected."""

import pytest

from bench.memory import Segment, measure, table

pytestmark = pytest.mark.slow


def test_a_worker_that_rejects_large_values_stays_well_below_its_memory() -> None:
    """Their values as objects would take 200 MB."""
    peaks = measure(Segment(shape="lists", pages=8, rejected_per_page=190))
    assert (peaks.pages, peaks.trips) == (8, 1_600)
    assert 1_400 < peaks.rejected < 8 * 190
    assert peaks.scan_peak_mb < 256
    assert peaks.estimate_peak_mb < 128
    assert peaks.items in table([peaks])
