"""What a run is calculated to come to; `bench scale` calculates larger ones by the same."""

from typing import Any

import pytest

from trip_kpis.core.estimate.forecast import Forecast


def forecast(**changes: Any) -> Forecast:
    """1 TB with the stack's defaults."""
    known: dict[str, Any] = {
        "table_bytes": 10**12,
        "read_units": 122_070_313,
        "seconds_at_least": 3052,
        "segments": 233,
        "max_concurrency": 32,
        "checkpoint_seconds": 60,
        "scan_memory_mb": 512,
        "merge_memory_mb": 1769,
    }
    return Forecast.of(**{**known, **changes})


def test_the_table_decides_how_long_it_takes_where_workers_are_faster() -> None:
    assert forecast().seconds == 3052
    slow = forecast(max_concurrency=4)
    assert slow.seconds == pytest.approx(953_675 * 13.3 * 1769 / 512 / 1000 / 4, abs=1)


def test_a_small_budget_is_waited_for_and_paid() -> None:
    assert forecast(seconds_at_least=122_071).seconds == 122_071
    assert forecast(seconds_at_least=122_071).cost().compute > 30 * forecast().cost().compute


def test_every_segment_has_an_invocation_and_a_part_however_small_the_table_is() -> None:
    empty = forecast(table_bytes=0, read_units=0, seconds_at_least=0, segments=3)
    assert (empty.seconds, empty.workers) == (0, 3)
    assert (empty.invocations, empty.parts) == (3, 3)
    assert empty.cost().dynamodb == 0.0
    assert empty.cost().total > 0


def test_a_long_segment_takes_several_invocations_and_a_part_a_minute() -> None:
    long = forecast(segments=32, seconds_at_least=3000)
    assert long.invocations == 32 * 4
    # Three invocations with a part a minute and one at their end, and six minutes of a fourth.
    assert long.parts == 32 * (3 * 15 + 6)


def test_memory_is_paid_for_and_makes_workers_faster() -> None:
    small, large = forecast(scan_memory_mb=256), forecast(scan_memory_mb=1024)
    assert small.cost().compute < forecast().cost().compute < large.cost().compute
    alone = {"max_concurrency": 1, "segments": 4}
    assert forecast(scan_memory_mb=256, **alone).seconds > forecast(**alone).seconds


def of_export(**changes: Any) -> Forecast:
    known = {"read_units": 0, "seconds_at_least": 0, "reads_export": True, "exported_bytes": 10**12}
    return forecast(**{**known, **changes})


def test_the_lines_of_an_export_take_what_their_decoding_takes() -> None:
    alone = of_export(max_concurrency=1)
    assert alone.seconds == pytest.approx(953_675 * 24.0 * 1769 / 512 / 1000, abs=1)
    assert of_export().seconds == pytest.approx(alone.seconds / 32, abs=1)
    # Of a scan, the network would be slower than three processors.
    large = {"scan_memory_mb": 3 * 1769, "max_concurrency": 1}
    assert of_export(**large).seconds == pytest.approx(953_675 * 8.0 / 1000, abs=1)


def test_an_export_is_paid_for_by_the_run_that_makes_it() -> None:
    assert of_export().cost().dynamodb == pytest.approx(93.13, abs=0.01)
    assert of_export(exported_bytes=0).cost().dynamodb == 0
    assert forecast().cost().dynamodb == pytest.approx(15.26, abs=0.01)
