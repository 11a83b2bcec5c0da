"""Plays one schedule again: `make faults-fast SEED=123`, or `python -m tests.faults.replay 123`."""

import sys

from tests.faults.schedule import play


def main() -> int:
    """0 if nothing was wrong."""
    tally = play(int(sys.argv[1]))
    print(*tally.lines(), sep="\n")
    for wrong in tally.differences.values():
        print(*wrong, sep="\n")
    return bool(tally.differences)


if __name__ == "__main__":
    sys.exit(main())
