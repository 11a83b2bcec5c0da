"""Plays one schedule again: `make faults-fast SEED=123`, or `python -m tests.faults.replay 123`."""

import argparse
import sys

from tests.faults.schedule import play


def main() -> int:
    """Returns 0 if the schedule showed no difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.replay", description=__doc__)
    parser.add_argument("seed", type=int, help="which schedule: SEED=123")
    counts = play(parser.parse_args().seed)
    print(*counts.lines(), sep="\n")
    for wrong in counts.differences.values():
        print(*wrong, sep="\n")
    return bool(counts.differences)


if __name__ == "__main__":
    sys.exit(main())
