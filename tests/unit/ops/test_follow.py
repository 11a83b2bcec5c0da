"""The lines that follow a run where there is no terminal."""

import io

from rich.console import Console

from ops.follow import Follower


def test_what_was_through_before_is_counted() -> None:
    file = io.StringIO()
    with Follower(Console(file=file, width=200)) as follower:
        follower.begin("Scanning segments", trips=1000, done=900)
        follower.say("[as it is]")
        follower.advance(100, "4 of 4 segments")
    says, line = file.getvalue().splitlines()
    assert says == "[as it is]"
    assert line.startswith("Scanning segments: 1,000 of 1,000 trips, 4 of 4 segments")
