"""Into how many segments a scan is cut, and in which order they are taken."""

import math
import random

from trip_kpis.core.run.requests import MOST_SEGMENTS

SEGMENTS_PER_WORKER = 4
"""Several, so that a worker that drew a small segment takes another while a large one runs."""
SMALLEST_SEGMENT_BYTES = 256 * 2**20
"""Its five state transitions cost 3% of what it takes to read it."""
LARGEST_SEGMENT_BYTES = 4 * 2**30
"""What one invocation has time for at 5 pages a second, half of what 32 workers have under an
on-demand table's default quota. A worker that dies loses a minute of it, not all."""


def segments_for(table_bytes: int, *, max_concurrency: int, at_least: int = 1) -> int:
    """The number of segments for a table of this size: at least 1, at most 10,000.

    `at_least` is for a table whose size is not known.
    """
    for_even_work = SEGMENTS_PER_WORKER * max_concurrency
    worth_a_call = math.ceil(table_bytes / SMALLEST_SEGMENT_BYTES)
    in_one_call = math.ceil(table_bytes / LARGEST_SEGMENT_BYTES)
    return min(MOST_SEGMENTS, max(1, at_least, in_one_call, min(for_even_work, worth_a_call)))


def shuffled(total_segments: int, *, seed: str) -> list[int]:
    """All segment numbers, in an order that depends on `seed` alone.

    Neighbouring segments are neighbours in the key space and are in one partition; workers that
    take them in order would all read that partition at once.
    """
    order = list(range(total_segments))
    random.Random(seed).shuffle(order)
    return order
