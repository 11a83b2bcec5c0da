"""What is shown of a run while it gets on: plain lines where there is no terminal, else a bar."""

import io
import re
from dataclasses import replace

from rich.console import Console

from ops.cli.follow import Follower
from ops.runs.run_log import Progress
from tests.samples import frozen_export, plan
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.counts import Counts

PLAN = plan(total_segments=4, estimate=replace(plan().estimate, item_count=1000))


def progress(scanned: int, finished: int = 0, **counts: object) -> Progress:
    return Progress(
        plan=PLAN,
        counts=Counts(scanned=scanned, **counts),  # type: ignore[arg-type]
        finished=frozenset(range(finished)),
    )


class Followed:
    """What a follower shows on a console, by a clock that the test sets."""

    def __init__(self, *, is_terminal: bool = False) -> None:
        self.now = 0.0
        self._file = io.StringIO()
        console = Console(file=self._file, width=80, force_terminal=is_terminal)
        self.follower = Follower(console, get_time=lambda: self.now)

    @property
    def text(self) -> str:
        return self._file.getvalue()

    @property
    def lines(self) -> list[str]:
        assert "\x1b" not in self.text, "control codes without a terminal"
        return self.text.splitlines()


def lines(*shown: Progress) -> list[str]:
    followed = Followed()
    with followed.follower as follower:
        for one in shown:
            follower.show(one)
    return followed.lines


def test_a_line_tells_trips_and_segments() -> None:
    assert lines(progress(900, 3), progress(1000, 4)) == [
        "Scanning segments: 900 of 1,000 trips, 3 of 4 segments",
        "Scanning segments: 1,000 of 1,000 trips, 4 of 4 segments",
        "Merging and publishing",
    ]


def test_a_finished_stage_keeps_its_rate_and_its_time() -> None:
    followed = Followed(is_terminal=True)
    with followed.follower as follower:
        follower.begin("Loading the table", trips=500)
        followed.now = 5
        follower.advance(500)
        followed.now = 15
        follower.show(progress(0))
        followed.now = 25
        follower.show(progress(2000, 4))
        followed.now = 1000
        follower.executed(succeeded=True)
    loading, scanning, merging, *_ = re.sub(r"\x1b[^m]*m", "", followed.text).split("\n")[-5:]
    assert re.search(r"500 of 500 trips +100/s +in 5 s", loading)
    assert re.search(r"2,000 of 2,000 trips +200/s +in 10 s", scanning)
    assert re.search(r"Merging and publishing \S+ +in 16 min", merging)
    assert "/s" not in merging


def test_merging_is_a_stage_from_the_end_of_the_scan_to_that_of_the_execution() -> None:
    followed = Followed()
    with followed.follower as follower:
        follower.show(progress(900, 3))
        followed.now = 10
        follower.show(progress(1000, 4))
        before = len(followed.lines)
        for followed.now in range(11, 20):
            follower.show(progress(1000, 4))
        assert len(followed.lines) == before
        follower.executed(succeeded=True)
    scanned = "Scanning segments: 1,000 of 1,000 trips, 4 of 4 segments"
    assert followed.lines[1:] == [
        f"{scanned}, 0.0 read units/s, 10 trips/s, in 10 s",
        "Merging and publishing",
        "Merging and publishing: finished, in 9 s",
    ]


def test_a_merge_that_fails_is_no_finished_stage() -> None:
    followed = Followed()
    with followed.follower as follower:
        follower.show(progress(1000, 4))
        followed.now = 3
        follower.executed(succeeded=False)
    assert followed.lines[-1] == "Merging and publishing: failed, in 3 s"


def test_an_execution_that_fails_while_it_scans_has_no_merge() -> None:
    followed = Followed()
    with followed.follower as follower:
        follower.show(progress(500, 2))
        follower.executed(succeeded=False)
    assert followed.lines == ["Scanning segments: 500 of 1,000 trips, 2 of 4 segments"]


def test_a_stage_that_is_not_finished_has_no_line_that_says_so() -> None:
    """The last trips are there before the last segments are known to have no more."""
    shown = lines(*(progress(1000, finished) for finished in range(5)))
    assert shown == [
        "Scanning segments: 1,000 trips, 0 of 4 segments",
        "Scanning segments: 1,000 of 1,000 trips, 4 of 4 segments",
        "Merging and publishing",
    ]


def test_a_finished_scan_is_complete_also_where_the_table_has_shrunk() -> None:
    assert lines(progress(700, 4))[0].startswith("Scanning segments: 700 of 700 trips")


def test_a_line_tells_of_rejected_trips_and_of_throttling() -> None:
    (line,) = lines(progress(10, rejected={Reason.TIME_MISSING: 2}, throttles={"Table": 1234}))
    assert line.endswith("0 of 4 segments, 2 rejected, throttled 1,234 times")


def test_there_is_about_a_line_for_every_tenth_and_none_twice() -> None:
    shown = lines(*(progress(scanned) for scanned in range(0, 1001, 5)), progress(1000))
    assert len(shown) == 11
    assert len(set(shown)) == 11


def test_a_line_about_no_trips_is_there_once() -> None:
    """However often an empty export is looked at while it is read."""
    empty = replace(WAITING, estimate=replace(PLAN.estimate, item_count=0)).with_export(
        frozen_export(0, 0)
    )
    nothing = replace(progress(0), plan=empty)
    assert lines(*[nothing] * 9, replace(progress(0, 2), plan=empty)) == [
        "Scanning segments: 0 trips, 0 of 2 segments",
        "Scanning segments: 0 of 0 trips, 2 of 2 segments",
        "Merging and publishing",
    ]


def test_where_there_are_more_trips_than_expected_nobody_knows_how_many_are_left() -> None:
    assert lines(progress(1500)) == ["Scanning segments: 1,500 trips, 0 of 4 segments"]


def test_nothing_is_shown_before_the_run_has_a_plan() -> None:
    assert lines(Progress()) == []


def test_what_is_said_is_said_as_it_is() -> None:
    followed = Followed()
    with followed.follower as follower:
        follower.begin("Loading the table", trips=2)
        follower.say("[as it is], however long the line" + " is" * 20)
        follower.advance(2)
    assert followed.lines == [
        "[as it is], however long the line" + " is" * 20,
        "Loading the table: 2 of 2 trips",
    ]


def test_on_a_terminal_it_is_a_bar_with_the_same_figures() -> None:
    followed = Followed(is_terminal=True)
    with followed.follower as follower:
        follower.show(progress(250, 1, rejected={Reason.TIME_MISSING: 2}))
    for shown in ("Scanning segments", "250 of 1,000 trips", "1 of 4 segments", "2 rejected"):
        assert shown in followed.text


WAITING = replace(PLAN, source="export")
EXPORTED = WAITING.with_export(frozen_export(600, 400))


def test_a_run_waits_for_its_export_before_it_scans() -> None:
    done = replace(progress(1000, 2), plan=EXPORTED)
    waiting = Progress(plan=WAITING)
    assert lines(waiting, waiting, replace(progress(0), plan=EXPORTED), done) == [
        "Waiting for the export. DynamoDB takes minutes to hours for it.",
        "Scanning segments: 0 of 1,000 trips, 0 of 2 segments",
        "Scanning segments: 1,000 of 1,000 trips, 2 of 2 segments",
        "Merging and publishing",
    ]


def test_an_export_that_is_there_is_not_waited_for() -> None:
    named = replace(WAITING, export_manifest="s3://b/manifest-summary.json")
    assert lines(Progress(plan=named)) == []


def test_an_export_has_no_read_units() -> None:
    followed = Followed()
    with followed.follower as follower:
        follower.show(replace(progress(0), plan=EXPORTED))
        followed.now = 10.0
        follower.show(replace(progress(600, 1), plan=EXPORTED))
    assert followed.lines[-1].startswith("Scanning segments: 600 of 1,000 trips, 1 of 2 segments")
    assert "read units" not in followed.text
