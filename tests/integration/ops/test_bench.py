"""The benchmark measures what it says it measures, on a small scale."""

import json
import subprocess
import sys

import pytest

from tests.ops_commands import ROOT

pytestmark = pytest.mark.slow


def test_memory_does_not_grow_with_the_pages_of_a_segment() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", "memory", "--pages", "180", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    short, long, hostile = json.loads(done.stdout)
    assert (short["pages"], long["pages"]) == (60, 180)
    assert long["trips"] == 3 * short["trips"]
    assert long["parts"] >= short["parts"] >= 1
    for peak in ("scan_peak_mb", "merge_peak_mb"):
        # A page more that is kept would be a megabyte, and its items as Python has them far more.
        assert 0 < long[peak] < short[peak] + 60
        # Items of another shape take the memory of the item at hand, not of the segment.
        assert 0 < hostile[peak] < short[peak] + 120
