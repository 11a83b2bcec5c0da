"""How many segments, in which order."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trip_kpis.core.run.plan import segments_for, shuffled

MIB, GB, TB = 2**20, 10**9, 10**12


@pytest.mark.parametrize(
    ("table_bytes", "segments"),
    [
        (0, 1),
        (1, 1),
        (256 * MIB, 1),
        (256 * MIB + 1, 2),
        (2560 * MIB, 10),
        (10 * GB, 38),
        (32 * 1024 * MIB, 128),
        (100 * GB, 128),
        (512 * 1024 * MIB, 128),
        (TB, 233),
        (100 * TB, 10_000),
    ],
)
def test_segments_grow_with_the_table(table_bytes: int, segments: int) -> None:
    assert segments_for(table_bytes, max_concurrency=32) == segments


def test_a_wider_run_has_more_segments_so_that_every_worker_has_some() -> None:
    assert segments_for(100 * GB, max_concurrency=1) == 24  # of 4 GiB: in one call
    assert segments_for(100 * GB, max_concurrency=50) == 200
    assert segments_for(100 * GB, max_concurrency=10_000) == 373  # of 256 MiB: worth a call


@given(st.integers(0, 10**16), st.integers(0, 10**16), st.integers(1, 10_000))
def test_segments_are_within_bounds_and_never_fewer_for_a_larger_table(
    a: int, b: int, max_concurrency: int
) -> None:
    smaller, larger = (segments_for(n, max_concurrency=max_concurrency) for n in sorted((a, b)))
    assert 1 <= smaller <= larger <= 10_000


@given(st.integers(1, 500), st.text())
def test_every_segment_comes_once_in_an_order_that_the_run_decides(total: int, run: str) -> None:
    order = shuffled(total, seed=run)
    assert sorted(order) == list(range(total))
    assert order == shuffled(total, seed=run)


def test_neighbours_are_torn_apart_and_runs_differ() -> None:
    order = shuffled(1000, seed="run-1")
    assert sum(abs(a - b) == 1 for a, b in pairwise(order)) < 20
    assert order != shuffled(1000, seed="run-2")
