"""docs/ops.md describes every field of every `--json` document, and no other."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from ops.cli.main import main
from ops.runs.execution import EndedExecution, Execution, FailedSegment, PagesRead
from ops.runs.run_log import Progress
from tests.json_fields import check_fields
from tests.runs_left import leave_run
from tests.samples import PLANNED_AT
from tests.unit.ops.cli.test_diff import one_trip_more, rewrite
from tests.unit.ops.cli.test_runs import begin
from tests.unit.ops.runs.test_marked_days import KEEP, leave

FAILED = FailedSegment(input={"run_id": "run-9", "segment": 1}, error="Broken", cause="why")


def printed(*arguments: str | Path) -> Any:
    done = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert done.exit_code in (0, 1), done.output
    return json.loads(done.stdout)


def left(out: Path) -> None:
    """A finished run with rejected trips, open days and days that shrank, another one with other
    figures, and one that failed."""
    leave(out, KEEP)
    leave_run(out, run_id="run-2", planned_at=PLANNED_AT + timedelta(days=1), days=2, rejected=1)
    for run_id in ("run-1", "run-2"):
        rewrite(out, run_id, lambda of: of.update(warnings=["look at it"]))
    begin(
        out,
        Execution(
            run_id="run-9",
            name="run-9",
            status="FAILED",
            started_at=PLANNED_AT,
            stopped_at=PLANNED_AT + timedelta(days=2),
            error="Broken",
            cause="why",
            failed_segments=(FAILED,),
        ),
    )


def test_runs(tmp_path: Path) -> None:
    left(tmp_path)
    check_fields("`ops runs --json`", printed("runs", "--out", tmp_path))


def test_status(tmp_path: Path) -> None:
    left(tmp_path)
    ids = [run["run_id"] for run in printed("runs", "--out", tmp_path)]
    documents = [printed("status", run_id, "--out", tmp_path) for run_id in ids]
    check_fields("`ops status --json`", documents, unseen=frozenset({"throttles.<cause>"}))


def test_run(tmp_path: Path) -> None:
    """Of its output, the fields are those of the manifest."""
    left(tmp_path)
    manifest = json.loads((tmp_path / "runs/run=run-1/manifest.json").read_bytes())
    of_manifest_alone = {
        *("schema_version", "code_version", "table_arn", "table_id", "plan_sha256"),
        *("planned_at", "finished_at", "days", "by_segment", "breakdowns", "definition_sha256"),
    }
    output = {name: value for name, value in manifest.items() if name not in of_manifest_alone}
    output["rejected"], output["throttles"] = {"time_missing": 1}, {"Throttled": 1}
    ended = {"name": "run-9", "run_id": "run-9", "progress": Progress(), "cause": None}
    succeeded = EndedExecution(
        **ended, status="SUCCEEDED", output=output, pages=PagesRead(read=2, again=1)
    )
    failed = EndedExecution(
        **ended, status="FAILED", error="E", output=None, pages=None, failed_segments=(FAILED,)
    )
    documents = [succeeded.summary_to_json(), failed.summary_to_json()]
    check_fields("`ops run --json` and `ops rerun --json`", documents)


def test_quarantine(tmp_path: Path) -> None:
    left(tmp_path)
    export = ("--csv", tmp_path / "rejected.csv")
    document = printed("quarantine", "run-2", "--out", tmp_path, *export)
    check_fields("`ops quarantine --json`", [document])


def test_diff(tmp_path: Path) -> None:
    left(tmp_path)
    rewrite(tmp_path, "run-2", one_trip_more)
    rewrite(tmp_path, "run-2", lambda of: of.update(table_id="another"))
    for run_id, date in (("run-1", "2024-05-01"), ("run-2", "2024-05-02")):
        day = {"date": date, "outcome": "published", "sha256": "5" * 64, "groups": 2}
        rewrite(tmp_path, run_id, lambda of, day=day: of.update(breakdowns={"city": [day]}))
    documents = [
        printed("diff", *runs, "--out", tmp_path)
        for runs in (("run-1", "run-2"), ("run-2", "run-1"))
    ]
    check_fields("`ops diff --json`", documents)


def test_kpis(tmp_path: Path) -> None:
    left(tmp_path)
    group = tmp_path / "breakdowns/by=city/date=2024-05-01/kpis.jsonl"
    group.parent.mkdir(parents=True)
    group.write_text('{"date":"2024-05-01","city":null,"trip_count":1,"total_fare":2.5}\n')
    calls = ([], ["--breakdown", "city"])
    documents = [printed("kpis", "--out", tmp_path, *call) for call in calls]
    check_fields("`ops kpis --json`", documents)


def test_definition(tmp_path: Path) -> None:
    file = tmp_path / "orders.toml"
    file.write_text(
        '[item]\nday = "at"\n[item.where]\nprice = { above = 0 }\nstatus = "done"\n'
        '[kpis]\nrevenue = { sum = "price" }\n[breakdowns]\ncity = ["city"]\n'
    )
    check_fields("`ops definition --json`", [printed("definition", file)])
