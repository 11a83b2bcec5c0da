"""`python -m tests.faults.slow 50`: schedules through worker processes, and their tally."""

import argparse
import sys

from tests.faults.slow_cloud import slow_cloud
from tests.faults.slow_schedule import play_slowly
from tests.faults.tally import Tally


def main() -> int:
    """0 if nothing was wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.slow", description=__doc__)
    parser.add_argument("schedules", type=int)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    tally = Tally()
    with slow_cloud() as cloud:
        for seed in range(asked.first, asked.first + asked.schedules):
            tally += play_slowly(cloud, seed)
            print(f"schedule {seed}: {len(tally.differences)} differences so far", file=sys.stderr)
    print(*tally.lines(), sep="\n")
    for seed, wrong in sorted(tally.differences.items()):
        print(f"replay with: make faults-slow SEED={seed}", *wrong, sep="\n  ")
    return bool(tally.differences)


if __name__ == "__main__":
    sys.exit(main())
