"""`python -m tests.faults.slow 50`: schedules through worker processes, and their totals.

The faults of a schedule that shows a difference, and those of one that is played alone, are written
to a file under FAULTS; `--replay FILE` injects exactly these again.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.faults.script import Script
from tests.faults.slow_cloud import slow_cloud
from tests.faults.slow_schedule import play_slowly
from tests.faults.totals import Totals

FAULTS = Path("out/faults")


def main() -> int:
    """Returns 0 if no schedule showed a difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.slow", description=__doc__)
    parser.add_argument("schedules", type=int, nargs="?", default=1)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--replay", type=_script, metavar="FILE", help="the faults of a schedule")
    asked = parser.parse_args()
    if asked.replay is not None:
        return _replay(asked.replay)
    return _play([Script(asked.first + number) for number in range(asked.schedules)])


def _play(scripts: Iterable[Script]) -> int:
    totals, kept, alone = Totals(), {}, len(scripts := list(scripts)) == 1
    with slow_cloud() as cloud:
        for script in scripts:
            one = play_slowly(cloud, script)
            totals += one
            if one.differences or alone:
                kept[script.seed] = FAULTS / f"slow-{script.seed}.json"
                script.save(kept[script.seed])
            print(
                f"schedule {script.seed}: {len(totals.differences)} differences so far",
                file=sys.stderr,
            )
    print(*totals.lines(), sep="\n")
    for seed, file in kept.items():
        print(
            f"replay with: make faults-slow REPLAY={file}",
            *totals.differences.get(seed, ()),
            sep="\n  ",
        )
    return bool(totals.differences)


def _replay(script: Script) -> int:
    with slow_cloud() as cloud:
        totals = play_slowly(cloud, script)
    print(*totals.lines(), sep="\n")
    print(f"{len(script.injected)} faults injected again where they were", end="")
    print(f", {script.left_out} not: their question was not asked so often this time")
    for wrong in totals.differences.values():
        print(*wrong, sep="\n  ")
    return bool(totals.differences)


def _script(file: str) -> Script:
    try:
        return Script.load(Path(file))
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
