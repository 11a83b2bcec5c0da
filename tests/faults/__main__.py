"""`python -m tests.faults 10000`: plays so many schedules in two processes, and prints their
counts."""

import argparse
import sys
from itertools import islice

from tests.faults.many import play_many, replay_with

_SHOWN = 20


def main() -> int:
    """Returns 0 if no schedule showed a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("schedules", type=int)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    counts = play_many(range(asked.first, asked.first + asked.schedules))
    print(*counts.lines(), sep="\n")
    for seed, wrong in islice(sorted(counts.differences.items()), _SHOWN):
        print(replay_with(seed), *wrong[:3], sep="\n  ")
    return bool(counts.differences)


if __name__ == "__main__":
    sys.exit(main())
