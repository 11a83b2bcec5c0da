"""Many schedules, in two processes."""

import faulthandler
import multiprocessing
import sys
from collections.abc import Iterable

from tests.faults.counts import Counts

from tests.faults.schedule import play

_PROCESSES = 2
_HANGS_AFTER_SECONDS = 120


def play_one(seed: int) -> Counts:
    """`play`, and a traceback of every thread for a schedule that hangs."""
    faulthandler.dump_traceback_later(_HANGS_AFTER_SECONDS, exit=True)
    try:
        return play(seed)
    except Exception as error:
        error.add_note(replay_with(seed))
        raise
    finally:
        faulthandler.cancel_dump_traceback_later()


def play_many(seeds: Iterable[int]) -> Counts:
    """All of them, in two processes."""
    counts = Counts()
    with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
        for one in pool.imap_unordered(play_one, seeds, chunksize=20):
            counts += one
            if counts.schedules % 1000 == 0:
                print(
                    f"{counts.schedules:,} schedules, {len(counts.differences)} differences",
                    file=sys.stderr,
                )
    return counts


def replay_with(seed: int) -> str:
    """The command that plays the schedule again."""
    return f"replay with: make faults-fast SEED={seed}"
