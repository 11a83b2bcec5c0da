"""What the report reads from a directory, and what its page says of it."""

import base64
import hashlib
import io
import json
import os
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ops.cli.commands.report import leave_report
from ops.cli.main import main
from ops.embedded.isolation import ACCOUNT_ID
from ops.local.results import execution_names
from ops.local.state_directory import StateDirectory
from ops.object_on_disk import ObjectOnDisk, file_name
from ops.report.days import days
from ops.report.page import EMBEDDED_ACCOUNT, SEGMENTS_SHOWN, column
from ops.report.rejected import rejected
from ops.report.timeline import timeline
from ops.report.written import write_report
from ops.runs.errors import ResultsError
from ops.runs.execution import Execution
from ops.runs.finished_run import finished_run
from tests.runs_left import EVIL, leave_run
from tests.samples import PLANNED_AT
from tests.unit.ops.local.test_state_directory import STACK, trips


class Elements(HTMLParser):
    """The tags with their attributes, and the text of each script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._is_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        self._is_script = tag == "script" and "type" not in dict(attributes)
        if self._is_script:
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_script = False

    def handle_data(self, data: str) -> None:
        if self._is_script:
            self.scripts[-1] += data


def written(out: Path) -> str:
    executions = execution_names(out, finished_run(out, None).run_id)
    return write_report(out, executions=executions).read_text(encoding="utf-8")


def test_a_days_figures_are_the_very_text_of_its_object(tmp_path: Path) -> None:
    leave_run(tmp_path, days=2)
    kpi = tmp_path / "kpis/date=2024-05-02/kpi.json"
    second = days(tmp_path, finished_run(tmp_path, None))[1]
    assert second.figures["total_fare"] == "1009.750000000000000001"
    assert second.figures["min_fare"] == "-2.5"
    assert f'"total_fare":{second.figures["total_fare"]},' in kpi.read_text()
    assert f'"average_fare":{second.figures["average_fare"]},' in kpi.read_text()
    assert f">{second.figures['total_fare']}</td>" in written(tmp_path)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, " UTC</time>."),
        (
            {"source": "export", "export_arn": "arn:aws:dynamodb:us-east-1:1:table/t/export/1"},
            "</time>, exactly.",
        ),
        ({"source": "export"}, "</time>, at the latest."),
    ],
)
def test_an_export_is_as_of_an_instant(tmp_path: Path, changes: dict[str, str], says: str) -> None:
    manifest = leave_run(tmp_path, days=2)
    of_instant = {"as_of": "2026-05-25T02:15:00.000000+00:00"} if changes else {}
    manifest.write_text(json.dumps(json.loads(manifest.read_bytes()) | changes | of_instant))
    page = written(tmp_path)
    assert says in page
    assert ("2026-05-25 02:15:00 UTC</time>" in page) == bool(changes)
    has_manifest = "export_arn" in changes
    assert ("its manifest says how many items each of its files has" in page) == has_manifest
    assert "DynamoDB itself" not in page, "ops may have written the export"


def test_a_day_that_another_run_has_written_since_is_distinguished(tmp_path: Path) -> None:
    leave_run(tmp_path, days=3)
    replaced = tmp_path / "kpis/date=2024-05-02/kpi.json"
    replaced.write_text(replaced.read_text().replace("-2.5", "-2.25"))
    another = tmp_path / "kpis/date=2024-05-09/kpi.json"
    another.parent.mkdir()
    another.write_text(replaced.read_text().replace("05-02", "05-09"))
    found = days(tmp_path, finished_run(tmp_path, None))
    assert [(day.date, day.outcome, day.is_the_runs) for day in found] == [
        ("2024-05-01", "published", True),
        ("2024-05-02", "replaced since", False),
        ("2024-05-03", "published", True),
        ("2024-05-09", "of another run", False),
    ]
    assert "2 of the 3 days that this run published match its manifest byte for byte" in written(
        tmp_path
    )


def test_the_run_that_finished_last_is_reported_unless_one_is_named(tmp_path: Path) -> None:
    leave_run(tmp_path, run_id="run-a", planned_at=PLANNED_AT + timedelta(days=1))
    leave_run(tmp_path, run_id="run-b")
    assert finished_run(tmp_path, None).run_id == "run-a"
    assert finished_run(tmp_path, "run-b").run_id == "run-b"


def test_a_directory_without_a_finished_run_is_shown_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"no finished run.*python -m ops runs --out"):
        finished_run(tmp_path, None)
    leave_run(tmp_path)
    with pytest.raises(ResultsError, match=r"no finished run run-9: there are run-1.*status run-9"):
        finished_run(tmp_path, "run-9")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"run_id": "run-1"}'])
def test_a_damaged_manifest_is_named(tmp_path: Path, content: bytes) -> None:
    manifest = leave_run(tmp_path)
    manifest.write_bytes(content)
    with pytest.raises(ResultsError, match=re.escape(str(manifest))):
        finished_run(tmp_path, None)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"date":"2024-05-01"}'])
def test_a_damaged_day_is_named(tmp_path: Path, content: bytes) -> None:
    leave_run(tmp_path)
    kpi = tmp_path / "kpis/date=2024-05-01/kpi.json"
    kpi.write_bytes(content)
    with pytest.raises(ResultsError, match=re.escape(str(kpi))):
        days(tmp_path, finished_run(tmp_path, None))


@pytest.mark.parametrize("content", [b"nonsense\n", b"[]\n", b"{}\n", b"\xff\n"])
def test_a_damaged_quarantine_is_named(tmp_path: Path, content: bytes) -> None:
    leave_run(tmp_path, rejected=1)
    (file,) = tmp_path.glob("quarantine/*/segment=00000/*.jsonl")
    file.write_bytes(content)
    with pytest.raises(ResultsError, match=re.escape(str(file))):
        rejected(tmp_path, finished_run(tmp_path, None))


def test_of_every_reason_a_few_trips_are_shown_that_count(tmp_path: Path) -> None:
    leave_run(tmp_path, segments=3, rejected=4)
    run = finished_run(tmp_path, None)
    lost_race = tmp_path / "quarantine/run=run-1/segment=00000/part-00000-00.jsonl"
    lost_race.write_text("not even JSON")
    (reason,) = rejected(tmp_path, run)
    assert (reason.reason, reason.trips) == ("fare_not_a_number", 12)
    assert [example.trip for example in reason.examples] == [
        *(f"t-0-{n}" for n in range(4)),
        "t-1-0",
    ]


def test_an_expired_quarantine_leaves_the_counts(tmp_path: Path) -> None:
    leave_run(tmp_path, rejected=2)
    for file in tmp_path.glob("quarantine/*/*/*.jsonl"):
        file.unlink()
    (reason,) = rejected(tmp_path, finished_run(tmp_path, None))
    assert (reason.trips, reason.examples) == (4, ())
    assert "the quarantine has expired" in written(tmp_path)


def test_the_timeline_has_what_each_invocation_appended(tmp_path: Path) -> None:
    leave_run(tmp_path, segments=2, pause=timedelta(minutes=5))
    spans = timeline(tmp_path, finished_run(tmp_path, None)).spans
    reported = [(one.segment, one.turn, one.invocation, one.scanned) for one in spans]
    assert reported == [
        (0, 1, "invocation-0", 6),
        (1, 1, "invocation-1", 3),
        (1, 2, "later-1", 4),
    ]
    last = spans[-1]
    assert last.ended == PLANNED_AT + timedelta(seconds=3, minutes=5)
    assert (last.began, last.seconds) == (last.ended - timedelta(milliseconds=1500), 1.5)


def test_the_timeline_comes_from_the_state_of_a_run_on_this_machine(tmp_path: Path) -> None:
    leave_run(tmp_path, segments=2)
    expected = timeline(tmp_path, finished_run(tmp_path, None))
    state = StateDirectory(tmp_path)
    objects = state.objects_path / STACK.bucket_name
    objects.mkdir(parents=True)
    for part in tmp_path.glob("staging/*/*/*.parquet"):
        kept = ObjectOnDisk(
            key=str(part.relative_to(tmp_path)),
            metadata={},
            last_modified=datetime.fromtimestamp(part.stat().st_mtime, UTC).replace(tzinfo=None),
            body=part.read_bytes(),
        )
        (objects / file_name(kept.key)).write_bytes(kept.to_bytes())
        part.unlink()
    assert timeline(tmp_path, finished_run(tmp_path, None)) == expected
    assert len(expected.spans) == 2


def test_parts_that_are_gone_or_damaged_leave_no_half_of_a_timeline(tmp_path: Path) -> None:
    leave_run(tmp_path, segments=3)
    gone, damaged, _ = tmp_path.glob("staging/*/*/*.parquet")
    gone.unlink()
    damaged.write_bytes(b"PAR1")
    found = timeline(tmp_path, finished_run(tmp_path, None))
    assert found.spans == ()
    assert found.unknown.startswith("1 of the run's 3 parts are here")
    assert "Instead of the timeline" in written(tmp_path)


@pytest.mark.parametrize("moved", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_copy_without_the_objects_times_has_no_timeline(tmp_path: Path, moved: timedelta) -> None:
    leave_run(tmp_path)
    part = next(tmp_path.glob("staging/*/*/*.parquet"))
    copied_at = (PLANNED_AT + moved).timestamp()
    os.utime(part, (copied_at, copied_at))
    assert "other times" in timeline(tmp_path, finished_run(tmp_path, None)).unknown


def test_executions_are_known_where_there_is_a_state(tmp_path: Path) -> None:
    leave_run(tmp_path)
    run = finished_run(tmp_path, None)
    assert execution_names(tmp_path, run.run_id) == ()
    assert "is not known from the files here" in written(tmp_path)
    kept = [file for file in tmp_path.rglob("*") if file.is_file()]
    before = {file: file.read_bytes() for file in kept}
    state = StateDirectory(tmp_path)
    state.save(STACK, trips())
    for run_id, name in (("run-1", "run-1"), ("run-0", "run-0"), ("run-1", "rerun-2")):
        state.note(Execution(run_id=run_id, name=name, input={}))
    for file, content in before.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    assert execution_names(tmp_path, run.run_id) == ("run-1", "rerun-2")
    assert "continued: 2 executions, run-1, rerun-2." in written(tmp_path)


def test_the_page_loads_nothing_and_runs_just_its_own_scripts(tmp_path: Path) -> None:
    leave_run(tmp_path, rejected=1)
    page = Elements(written(tmp_path))
    loads = [
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "data", "action"}
    ]
    assert loads == ["data:,", "#days"]
    (policy,) = (
        str(attributes["content"])
        for _, attributes in page.tags
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    allowed = {
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in page.scripts
    }
    assert policy.startswith("default-src 'none'; script-src ")
    assert set(re.findall(r"'sha256-[^']+'", policy)) == allowed
    assert len(allowed) == 1


def test_the_page_stays_small(tmp_path: Path) -> None:
    leave_run(tmp_path, days=3652, segments=SEGMENTS_SHOWN)
    assert write_report(tmp_path).stat().st_size < 1_500_000


def test_rejected_trips_are_one_table(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path, segments=1, rejected=3)
    document = json.loads(manifest.read_bytes())
    document["rejected"] = {"fare_not_a_number": 3, "time_missing": 2}
    document["by_segment"][0]["rejected"] = document["rejected"]
    manifest.write_text(json.dumps(document))
    table = written(tmp_path).split('<table id="rejected-table">')[1].split("</table>")[0]
    assert re.findall(r'rowspan="(\d+)"><code>(\w+)</code>', table) == [
        ("3", "fare_not_a_number"),
        ("1", "time_missing"),
    ]
    assert re.findall(r"<td>(t-0-\d)</td>", table) == ["t-0-0", "t-0-1", "t-0-2"]


def tiles(page: str) -> dict[str, str]:
    return dict(re.findall(r"<div><dt>(.+?)</dt><dd.*?>(.+?)</dd></div>", page))


def test_the_cost_of_a_run_on_this_machine_is_an_estimate_for_aws(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    assert "cost on AWS, estimated" in tiles(written(tmp_path))
    document = json.loads(manifest.read_bytes())
    document["table_arn"] = "arn:aws:dynamodb:eu-central-1:210987654321:table/trips"
    manifest.write_text(json.dumps(document))
    assert "cost at list prices" in tiles(written(tmp_path))


def test_the_account_of_the_embedded_aws_is_known() -> None:
    assert EMBEDDED_ACCOUNT == ACCOUNT_ID


def test_time_between_attempts_is_not_running_time(tmp_path: Path) -> None:
    leave_run(tmp_path, pause=timedelta(hours=3))
    shown = tiles(written(tmp_path))["running time"]
    assert shown == "7.5 s <small>and 2 h 59 min between attempts</small>"


@pytest.mark.parametrize(
    ("pause", "attempts", "pauses"),
    [
        (timedelta(hours=3), 0, 1),
        (timedelta(hours=3), 1, 1),
        (timedelta(hours=3), 2, 1),
        (timedelta(minutes=5), 0, 0),
        (timedelta(minutes=5), 1, 0),
        (timedelta(minutes=5), 2, 1),
        (None, 1, 0),
    ],
)
def test_idle_time_is_a_pause_if_it_is_long_or_there_were_more_attempts(
    tmp_path: Path, pause: timedelta | None, attempts: int, pauses: int
) -> None:
    leave_run(tmp_path, pause=pause)
    run = finished_run(tmp_path, None)
    found = timeline(tmp_path, run).pauses(run, attempts=attempts)
    assert len(found) == pauses
    for one in found:
        assert pause is not None
        assert one.began == PLANNED_AT + timedelta(seconds=3)
        assert one.ended == one.began + pause - timedelta(milliseconds=1500)


def test_a_pause_after_the_last_append_is_one_too(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    document = json.loads(manifest.read_bytes())
    document["finished_at"] = (PLANNED_AT + timedelta(hours=2)).isoformat()
    manifest.write_text(json.dumps(document))
    run = finished_run(tmp_path, None)
    (pause,) = timeline(tmp_path, run).pauses(run, attempts=1)
    assert pause.ended == run.finished_at


def test_a_run_with_one_segment_and_one_day_is_not_in_the_plural(tmp_path: Path) -> None:
    leave_run(tmp_path, days=1, segments=1)
    page = written(tmp_path)
    assert "It holds for the run and for its one segment." in page
    assert "The day that this run published matches its manifest" in page
    assert tiles(page)["day"] == "1"
    for plural in ("1 segments", "1 days", "1 parts", "1 pages", "times as many pages"):
        assert plural not in page


def test_of_a_decimal_column_what_is_short_is_rounded_half_even() -> None:
    assert [(one.exact, one.short, one.fill) for one in column(["1009.745", "-2.5", "1000"])] == [
        ("1009.745", "1,009.74", ""),
        ("-2.5", "-2.50", "00"),
        ("1000", "1,000.00", ".000"),
    ]
    assert [one.fill for one in column(["7", "12"])] == ["", ""]
    assert [one.short for one in column(["-0.001", "0.015"])] == ["0.00", "0.02"]


def test_what_trips_hold_stays_text(tmp_path: Path) -> None:
    leave_run(tmp_path, rejected=1)
    page = written(tmp_path)
    assert EVIL not in page
    assert "document.title = &#39;taken over&#39;" in page


def test_a_manifest_that_does_not_balance_is_not_said_to(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    assert "It holds for the run and for each of its 2 segments." in written(tmp_path)
    document = json.loads(manifest.read_bytes())
    document["by_segment"][1]["counted"] -= 1
    manifest.write_text(json.dumps(document))
    page = written(tmp_path)
    assert "It holds" not in page
    assert "<strong>It does not hold</strong>" in page


def test_a_run_without_a_day_says_so(tmp_path: Path) -> None:
    leave_run(tmp_path, days=0)
    assert "No trip counts: there is no day to publish." in written(tmp_path)


def test_the_command_says_where_the_page_lies(tmp_path: Path) -> None:
    leave_run(tmp_path / "out")
    done = CliRunner().invoke(main, ["report", "--out", str(tmp_path / "out")])
    assert (done.exit_code, done.output) == (0, f"The report: {tmp_path / 'out/report.html'}\n")
    to = tmp_path / "may.html"
    CliRunner().invoke(main, ["report", "run-1", "--out", str(tmp_path / "out"), "--to", str(to)])
    assert to.read_bytes() == (tmp_path / "out/report.html").read_bytes()
    (tmp_path / "any file").touch()
    assert to.stat().st_mode == (tmp_path / "any file").stat().st_mode, "others may read it too"


def test_a_mistake_in_the_call_ends_with_one_line(tmp_path: Path) -> None:
    leave_run(tmp_path)
    (tmp_path / "file").touch()
    for arguments in (["run-9"], ["--to", str(tmp_path / "file/report.html")]):
        done = CliRunner().invoke(main, ["report", "--out", str(tmp_path), *arguments])
        assert done.exit_code == 2
        assert done.output.startswith("Error: ")
        assert done.output.count("\n") == 1


def left(out: Path, run_id: str | None) -> str:
    """What is said at the end of a command that has executed the run."""
    console = Console(file=io.StringIO(), width=500)
    leave_report(console, out, run_id)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("run_id", ["run-1", None])
def test_a_finished_run_leaves_its_report(tmp_path: Path, run_id: str | None) -> None:
    leave_run(tmp_path)
    assert left(tmp_path, run_id) == f"The report: {tmp_path / 'report.html'}\n"
    assert "run-1" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("run_id", ["run-2", None])
def test_a_run_that_is_not_finished_leaves_none_nor_an_earlier_ones(
    tmp_path: Path, run_id: str | None
) -> None:
    if run_id:
        leave_run(tmp_path)
    (tmp_path / "report.html").touch()
    assert left(tmp_path, run_id) == ""
    assert not (tmp_path / "report.html").exists()


def test_a_report_that_cannot_be_written_does_not_make_a_run_fail(tmp_path: Path) -> None:
    leave_run(tmp_path).write_text("{}")
    assert left(tmp_path, "run-1").startswith("There is no report: ")


def test_of_many_segments_those_that_took_the_most_time_are_shown(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path, segments=SEGMENTS_SHOWN + 1)
    document = json.loads(manifest.read_bytes())
    document["by_segment"][7]["worker_ms"] = 1
    manifest.write_text(json.dumps(document))
    page = written(tmp_path)
    assert f"Of {SEGMENTS_SHOWN + 1} segments, the {SEGMENTS_SHOWN} that took the most" in page
    assert '<th scope="row" class="number">6</th>' in page
    assert '<th scope="row" class="number">7</th>' not in page
    assert "invocation-6" in page
    assert 'invocation-7"' not in page
