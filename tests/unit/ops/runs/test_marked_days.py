"""Open days, days that shrank, and warnings: shown by every command that shows a run."""

import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ops.cli.main import main
from ops.report.days import days
from ops.report.written import write_report
from ops.runs.finished_run import finished_run
from ops.runs.marked_days import MarkedDays, ShrunkDay
from ops.runs.next_steps import ops_command
from tests.runs_left import leave_run
from tests.samples import PLANNED_AT
from tests.unit.ops.cli.test_screens import shown
from trip_kpis.core.run.publication import Outcome, Publication

DAYS = [date(2024, 5, n) for n in (1, 2, 3, 4)]
FIRST, SECOND, THIRD, FOURTH = DAYS
WARNING = "kpis/date=2024-05-01/kpi.json had the as-of time 'zzzz\x1b[31m', which no run can have"
PUBLISH = Publication(
    outcomes=dict.fromkeys(DAYS, Outcome.PUBLISHED),
    open_days=frozenset({THIRD}),
    shrank={FIRST: 1_200, SECOND: 4},
    warnings=(WARNING,),
)
KEEP = Publication(
    outcomes={
        FIRST: Outcome.SHRUNK,
        SECOND: Outcome.UNCHANGED,
        THIRD: Outcome.SKIPPED,
        FOURTH: Outcome.NOT_YET,
    },
    open_days=frozenset({THIRD, FOURTH}),
    shrank={FIRST: 4},
)
OF_PUBLISH = [
    "open: 1 day ends after the run was planned, and may still get trips: 2024-05-03",
    "shrank: 2 days have fewer trips than were published before; the lower figures were published",
    "  2024-05-01  1,200 trips published, 3 now",
    "  2024-05-02  4 trips published, 3 now",
    f"warning: {WARNING}".replace("\x1b", r"\u001b"),
]
OF_KEEP = [
    (
        "open: 2 days end after the run was planned, and may still get trips: 2024-05-03, "
        "2024-05-04; left as published before (OpenDays is skip): 1; not published, because they "
        "begin after that: 1"
    ),
    (
        "shrank: 1 day has fewer trips than were published before; the figures from before were "
        "kept (ShrunkDays is keep)"
    ),
    "  2024-05-01  4 trips published, 3 now",
]


def leave(out: Path, publication: Publication | None = PUBLISH, **of: Any) -> Path:
    return leave_run(out, days=4, publication=publication, **of)


def of_before(manifest: Path) -> None:
    """As a version before this one wrote it."""
    document = json.loads(manifest.read_bytes())
    for name in ("days_open", "open_days", "days_shrank", "shrank_days", "warnings"):
        del document[name]
    for day in document["days"]:
        del day["open"], day["published_trip_count"]
    manifest.write_text(json.dumps(document))


def said(out: Path, *arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--out", str(out)])
    assert done.exit_code in (0, 1), done.output
    return done.output


@pytest.mark.parametrize(("of", "lines"), [(PUBLISH, OF_PUBLISH), (KEEP, OF_KEEP)])
def test_summary_and_manifest_say_the_same(
    tmp_path: Path, of: Publication, lines: list[str]
) -> None:
    manifest = leave(tmp_path, of)
    by_manifest = MarkedDays.of_run(finished_run(tmp_path, None))
    assert list(by_manifest.lines()) == lines
    assert MarkedDays.from_summary(json.loads(manifest.read_bytes())) == by_manifest


def test_what_an_earlier_version_wrote_has_none_of_them(tmp_path: Path) -> None:
    manifest = leave(tmp_path)
    of_before(manifest)
    none = MarkedDays.of_run(finished_run(tmp_path, None))
    assert list(none.lines()) == []
    assert MarkedDays.from_summary(json.loads(manifest.read_bytes())) == none
    assert "open:" not in said(tmp_path, "status")
    assert json.loads(said(tmp_path, "runs", "--json"))[0]["days_shrank"] == 0
    assert 'class="mark"' not in write_report(tmp_path).read_text()


def test_a_summary_lists_twenty_days_and_says_how_many_there_are() -> None:
    many = tuple(
        ShrunkDay(date=(FIRST + timedelta(days=n)).isoformat(), published=2, now=1)
        for n in range(25)
    )
    lines = list(
        MarkedDays(
            open_days=tuple(day.date for day in many), days_open=25, days_skipped=0, days_not_yet=0,
            shrank=many, days_shrank=25, days_kept=3, warnings=(),
        ).lines()
    )  # fmt: skip
    assert lines[0].endswith("2024-05-25 and 5 earlier")
    assert lines[1].endswith("the figures from before were kept for 3 of them")
    assert lines[2] == "  2024-05-06  2 trips published, 1 now"
    assert lines[-1] == "  and 5 earlier days: the manifest lists them"


def test_the_end_of_a_run_shows_them(tmp_path: Path) -> None:
    summary = json.loads(leave(tmp_path, KEEP).read_bytes())
    text = shown(**{name: summary[name] for name in summary if "day" in name and name != "days"})
    assert "days: 1 unchanged, 1 shrunk, 1 skipped, 1 not yet\n" in text
    assert "\n".join(OF_KEEP) in text


def test_status_shows_them_of_a_run_that_has_published(tmp_path: Path) -> None:
    leave(tmp_path)
    assert "\n".join(OF_PUBLISH) in said(tmp_path, "status")
    document = json.loads(said(tmp_path, "status", "--json"))
    assert (document["days_open"], document["open_days"]) == (1, ["2024-05-03"])
    assert document["shrank_days"] == [
        {"date": "2024-05-01", "published": 1_200, "now": 3},
        {"date": "2024-05-02", "published": 4, "now": 3},
    ]
    assert document["warnings"] == [WARNING]


def test_runs_counts_them(tmp_path: Path) -> None:
    leave(tmp_path, KEEP)
    leave(tmp_path, run_id="run-2", planned_at=PLANNED_AT + timedelta(days=1))
    text = said(tmp_path, "runs")
    more = f"to read more: {ops_command('status', 'run-2', tmp_path)}\n"
    assert f"run-2 has 1 warning and 2 days with fewer trips than before; {more}" in text
    second, first = json.loads(said(tmp_path, "runs", "--json"))
    assert (first["days_shrunk"], first["days_skipped"], first["days_not_yet"]) == (1, 1, 1)
    assert (first["days_open"], first["days_shrank"], first["warnings"]) == (2, 1, [])
    assert (second["days_published"], second["warnings"]) == (4, [WARNING])


def test_diff_lists_them_for_each_run(tmp_path: Path) -> None:
    leave(tmp_path, None, run_id="a")
    manifest = leave(tmp_path, run_id="b", planned_at=PLANNED_AT + timedelta(days=1))
    document = json.loads(manifest.read_bytes())
    for day in document["days"][1:3]:
        day["trip_count"] -= 1
    document["counted"] -= 2
    manifest.write_text(json.dumps(document))
    text = said(tmp_path, "diff", "a", "b")
    dates = [line.split("  ")[0] for line in text.splitlines() if line.startswith("2024")]
    assert dates == ["2024-05-02", "2024-05-03 (open)"]
    assert "b: open: 1 day ends after the run was planned" in text
    assert "b:   2024-05-02  4 trips published, 2 now\n" in text
    assert "a: " not in text
    marked = json.loads(said(tmp_path, "diff", "a", "b", "--json"))["marked"]
    assert (marked["before"]["days_shrank"], marked["after"]["days_shrank"]) == (0, 2)
    assert marked["after"]["open_days"] == ["2024-05-03"]


def test_the_report_marks_open_days_and_lists_those_that_shrank(tmp_path: Path) -> None:
    leave(tmp_path)
    marked = days(tmp_path, finished_run(tmp_path, None))
    assert [day.date for day in marked if day.is_open] == ["2024-05-03"]
    html = write_report(tmp_path).read_text(encoding="utf-8")
    assert "<td>published, open</td>" in html
    assert len(re.findall(r"<tr [^>]*data-open", html)) == 1
    (row,) = re.findall(r'<tr><th scope="row">2024-05-01</th>(.*?)</tr>', html)[:1]
    assert re.findall(r"<td[^>]*>([\d,]+)</td>", row)[:2] == ["1200", "3"]
    assert "had the as-of time &#39;zzzz" in html


def test_an_open_day_that_another_run_has_written_since_is_not_marked(tmp_path: Path) -> None:
    leave(tmp_path)
    kpi = tmp_path / "kpis/date=2024-05-03/kpi.json"
    kpi.write_text(kpi.read_text().replace("-2.5", "-2.25"))
    third = days(tmp_path, finished_run(tmp_path, None))[2]
    assert (third.outcome, third.is_open) == ("replaced since", False)


def test_an_open_day_that_was_skipped_is_marked(tmp_path: Path) -> None:
    leave(tmp_path, KEEP)
    third, fourth = days(tmp_path, finished_run(tmp_path, None))[2:]
    assert (third.outcome, third.is_open) == ("skipped", True)
    assert (fourth.outcome, fourth.is_open) == ("not yet", False)
