"""What is shown of a run while it gets on: plain lines where there is no terminal, else a bar."""

import io
from dataclasses import replace

from rich.console import Console

from ops.cli.follow import Follower
from ops.runs.run_log import Progress
from tests.samples import plan
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.counts import Counts

PLAN = plan(total_segments=4, estimate=replace(plan().estimate, item_count=1000))


def progress(scanned: int, finished: int = 0, **counts: object) -> Progress:
    return Progress(
        plan=PLAN,
        counts=Counts(scanned=scanned, **counts),  # type: ignore[arg-type]
        finished=frozenset(range(finished)),
    )


def lines(*shown: Progress) -> list[str]:
    file = io.StringIO()
    with Follower(Console(file=file, width=200)) as follower:
        for one in shown:
            follower.show(one)
    assert "\x1b" not in file.getvalue(), "control codes without a terminal"
    return file.getvalue().splitlines()


def test_a_line_tells_trips_and_segments() -> None:
    assert lines(progress(900, 3), progress(1000, 4)) == [
        "Scanning segments: 900 of 1,000 trips, 3 of 4 segments",
        "Scanning segments: 1,000 of 1,000 trips, 4 of 4 segments",
    ]


def test_a_line_tells_of_rejected_trips_and_of_throttling() -> None:
    (line,) = lines(progress(10, rejected={Reason.TIME_MISSING: 2}, throttles={"Table": 1234}))
    assert line.endswith("0 of 4 segments, 2 rejected, throttled 1,234 times")


def test_there_is_about_a_line_for_every_tenth_and_none_twice() -> None:
    shown = lines(*(progress(scanned) for scanned in range(0, 1001, 5)), progress(1000))
    assert len(shown) == 11
    assert len(set(shown)) == 11


def test_more_trips_than_were_expected_raise_the_expectation() -> None:
    assert lines(progress(1500))[0].startswith("Scanning segments: 1,500 of 1,500 trips")


def test_nothing_is_shown_before_the_run_has_a_plan() -> None:
    assert lines(Progress()) == []


def test_what_is_said_is_said_as_it_is() -> None:
    file = io.StringIO()
    with Follower(Console(file=file, width=20)) as follower:
        follower.begin("Loading the table", trips=2)
        follower.say("[as it is], however long the line")
        follower.advance(2)
    assert file.getvalue().splitlines() == [
        "[as it is], however long the line",
        "Loading the table: 2 of 2 trips",
    ]


def test_on_a_terminal_it_is_a_bar_with_the_same_figures() -> None:
    file = io.StringIO()
    with Follower(Console(file=file, width=120, force_terminal=True)) as follower:
        follower.show(progress(250, 1, rejected={Reason.TIME_MISSING: 2}))
    for shown in ("Scanning segments", "250 of 1,000 trips", "1 of 4 segments", "2 rejected"):
        assert shown in file.getvalue()
