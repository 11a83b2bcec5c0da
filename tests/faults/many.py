"""Plays many schedules, in two processes."""

import faulthandler
import io
import multiprocessing
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout

from tests.faults.schedule import play
from tests.faults.totals import Totals

_PROCESSES = 2
_HANGS_AFTER_SECONDS = 1_200
"""thousands of times what a schedule takes"""


def play_one(seed: int) -> Totals:
    """`play`, and a traceback of every thread for a schedule that hangs."""
    faulthandler.dump_traceback_later(_HANGS_AFTER_SECONDS, exit=True)
    try:
        with redirect_stdout(io.StringIO()):  # the functions write their metrics there
            return play(seed)
    except Exception as error:
        error.add_note(replay_with(seed))
        raise
    finally:
        faulthandler.cancel_dump_traceback_later()


def play_many(seeds: Iterable[int]) -> Totals:
    """All of them, in two processes. What differs is said at once: the run may be interrupted."""
    totals = Totals()
    with multiprocessing.get_context("spawn").Pool(_PROCESSES) as pool:
        for one in pool.imap_unordered(play_one, seeds, chunksize=20):
            totals += one
            for seed in one.differences:
                print(f"difference, {replay_with(seed)}", file=sys.stderr)
            if totals.schedules % 1000 == 0:
                print(
                    f"{totals.schedules:,} schedules, {len(totals.differences)} differences",
                    file=sys.stderr,
                )
    return totals


def replay_with(seed: int) -> str:
    """Returns the command that plays the schedule again."""
    return f"replay with: make faults-fast SEED={seed}"
