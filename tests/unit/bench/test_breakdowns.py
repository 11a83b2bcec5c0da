"""The merge with breakdowns is measured, and what it comes to is checked."""

import pytest

from bench import breakdowns
from bench.breakdowns import Merged


@pytest.mark.slow
def test_every_line_is_the_known_answer() -> None:
    (merged,) = breakdowns.run(segments=3, days=2, groups=5)
    assert (merged.segments, merged.days, merged.groups) == (3, 2, 5)
    assert merged.rows == 3 * (2 + 2 * 2 * 5)
    assert merged.peak_mb > 0


def test_the_table_has_a_row_a_merge() -> None:
    merged = Merged(segments=64, days=365, groups=300, rows=7, cpu_seconds=1.25, peak_mb=500)
    assert breakdowns.table([merged]).splitlines()[-1] == (
        "| 64 | 365 | 2 x 300 | 7 | 1.2 s | 500 MB |"
    )
