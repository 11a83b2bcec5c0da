"""`ops runs` over a directory: which runs there were, and what became of each."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ops.cli.main import main
from ops.local.state_directory import StateDirectory
from ops.runs.execution import Execution
from ops.runs.next_steps import rerun_command
from ops.runs.run import runs_in
from tests.runs_left import leave_run
from tests.samples import PLANNED_AT, plan
from tests.unit.ops.local.test_state_directory import STACK, trips

LATER = PLANNED_AT + timedelta(days=1)


def runs(out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["runs", "--out", str(out), *arguments])


def begin(out: Path, *executions: Execution) -> None:
    """The state of a run on this machine, without what its cloud held."""
    state = StateDirectory(out)
    state.save(STACK, trips())
    for execution in executions:
        state.note(execution)


def leave_plan(out: Path, run_id: str) -> None:
    file = out / f"staging/run={run_id}/plan.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(plan(run_id, now=LATER).to_bytes())


def test_the_newest_is_first_with_what_its_manifest_says(tmp_path: Path) -> None:
    leave_run(tmp_path, rejected=1)
    leave_run(tmp_path, run_id="run-2", planned_at=LATER, days=4)
    newest, oldest = json.loads(runs(tmp_path, "--json").output)
    assert (newest["run_id"], oldest["run_id"]) == ("run-2", "run-1")
    assert oldest["began_at"] == PLANNED_AT.isoformat()
    assert (oldest["status"], oldest["trips"]) == ("finished", 9)
    assert sum(oldest["rejected"].values()) == 2
    assert (newest["days_published"], newest["days_unchanged"], newest["seconds"]) == (4, 0, "6.0")
    manifest = json.loads((tmp_path / "runs/run=run-1/manifest.json").read_text(), parse_float=str)
    assert oldest["cost_usd"] == manifest["cost_usd"]["total"]
    (row,) = (line for line in runs(tmp_path).output.splitlines() if line.startswith("run-1 "))
    assert row.split()[1:6] == ["2024-06-01", "02:15", "finished", "6.0", "s"]


def test_days_that_a_later_run_has_published_are_reported(tmp_path: Path) -> None:
    leave_run(tmp_path)
    file = tmp_path / "runs/run=run-1/manifest.json"
    document = json.loads(file.read_bytes())
    for day in document["days"][:2]:
        day["outcome"] = "superseded"
    file.write_text(json.dumps(document))
    assert "run-1 has 2 days that a later run has published" in runs(tmp_path).output


def test_the_table_fits_into_80_columns_also_with_long_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    of_schedule = f"{'3f2a' * 9}_{'91c0' * 9}"
    leave_run(tmp_path, run_id=of_schedule, rejected=1)
    leave_run(tmp_path, run_id="run-2", planned_at=LATER)
    title, *lines = runs(tmp_path).output.splitlines()
    assert title == f"Runs in {tmp_path}"
    assert max(map(len, lines)) <= 80
    assert [line.split() for line in lines[::2]] == [["run"], ["run-2"], [of_schedule]]
    heading, *rows = lines[1::2]
    assert heading.split()[-5:] == ["took", "trips", "rejected", "new/same", "USD"]
    assert [row.split()[2:] for row in rows] == [
        ["finished", "6.0", "s", "9", "0", "3/0", "0.00053"],
        ["finished", "6.0", "s", "9", "2", "3/0", "0.00053"],
    ]


def test_of_many_the_last_ones_are_shown(tmp_path: Path) -> None:
    for n in range(3):
        leave_run(tmp_path, run_id=f"run-{n}", planned_at=PLANNED_AT + timedelta(days=n))
    shown = json.loads(runs(tmp_path, "--last", "2", "--json").output)
    assert [run["run_id"] for run in shown] == ["run-2", "run-1"]


def test_one_that_is_not_finished_is_shown_with_what_goes_on_with_it(tmp_path: Path) -> None:
    leave_run(tmp_path)
    leave_plan(tmp_path, "run-2")
    begin(
        tmp_path,
        Execution(run_id="run-2", name="run-2", input={}),
        Execution(run_id="run-2", name="rerun-3", input={"run_id": "run-2"}),
        Execution(run_id="look", name="look", input={"estimate_only": True}),
    )
    said = runs(tmp_path).output
    go_on = rerun_command("run-2", tmp_path)
    assert f"run-2 was interrupted; to resume it: {go_on}\n" in said
    assert "look" not in said
    newest, oldest = json.loads(runs(tmp_path, "--json").output)
    assert [one["name"] for one in newest["executions"]] == ["rerun-3", "run-2"]
    assert (newest["began_at"], newest["trips"]) == (LATER.isoformat(), None)
    assert oldest["run_id"] == "run-1"


def test_one_that_died_before_it_was_planned_is_the_newest(tmp_path: Path) -> None:
    leave_run(tmp_path)
    begin(tmp_path, Execution(run_id="died", name="died", input={}))
    shown = json.loads(runs(tmp_path, "--json").output)
    assert [(run["run_id"], run["began_at"]) for run in shown] == [
        ("died", None),
        ("run-1", PLANNED_AT.isoformat()),
    ]


def test_in_a_copy_of_a_bucket_nothing_goes_on(tmp_path: Path) -> None:
    leave_plan(tmp_path, "run-2")
    assert runs(tmp_path).output.endswith("\nrun-2 is not finished\n")


def test_a_finished_run_stands_whatever_went_wrong_when_it_was_repeated(tmp_path: Path) -> None:
    leave_run(tmp_path)
    executions = [
        Execution(run_id="run-1", name="run-1", status="SUCCEEDED", started_at=PLANNED_AT),
        Execution(run_id="run-1", name="again", status="FAILED", error="SettingError"),
    ]
    (run,) = runs_in(tmp_path, executions)
    assert (run.status, run.error) == ("finished", None)


@pytest.mark.parametrize(
    ("ended", "status"),
    [("RUNNING", "running"), ("FAILED", "failed"), ("TIMED_OUT", "timed out"),
     (None, "not finished"), ("SUCCEEDED", "not finished")],
)  # fmt: skip
def test_what_has_no_manifest_is_called_as_its_last_execution_ended(
    tmp_path: Path, ended: str | None, status: str
) -> None:
    execution = Execution(
        run_id="run-2",
        name="run-2",
        status=ended,
        started_at=PLANNED_AT,
        stopped_at=PLANNED_AT + timedelta(seconds=90.5),
        error="SomeError",
    )
    (run,) = runs_in(tmp_path, [execution])
    assert (run.status, run.error) == (status, "SomeError")
    assert (run.began_at, run.seconds) == (PLANNED_AT, "90.5")


def test_a_directory_without_a_run_says_so(tmp_path: Path) -> None:
    done = runs(tmp_path)
    assert (done.exit_code, done.output) == (0, f"There has been no run yet in {tmp_path}.\n")


@pytest.mark.parametrize("damage", [b"", b"[]", b"\xff", b'{"run_id": "run-1"}'])
def test_a_damaged_manifest_is_named(tmp_path: Path, damage: bytes) -> None:
    manifest = leave_run(tmp_path)
    manifest.write_bytes(damage)
    done = runs(tmp_path)
    assert done.exit_code == 2
    assert done.output.startswith(f"Error: {manifest} is no manifest that this version can read")


@pytest.mark.parametrize("when", ["2024-06-01T02:15:00", "soon", "", 7])
def test_a_manifest_whose_time_is_none_is_damaged(tmp_path: Path, when: object) -> None:
    manifest = leave_run(tmp_path)
    document = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps({**document, "planned_at": when}))
    assert runs(tmp_path).output.startswith(f"Error: {manifest} is no manifest")


def test_a_damaged_plan_is_no_reason_to_show_nothing(tmp_path: Path) -> None:
    leave_plan(tmp_path, "run-2")
    file = tmp_path / "staging/run=run-2/plan.json"
    leave_run(tmp_path)
    for damage in ("{", "[]", '{"planned_at": 7}', '{"planned_at": "2024-06-01"}'):
        file.write_text(damage)
        done = runs(tmp_path, "--json")
        assert done.exit_code == 0
        assert "run-1" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give --out DIR"),
        (["--out", "here", "--stack", "there"], "--out and --stack cannot be combined"),
    ],
)
def test_one_says_where_the_runs_are_once(arguments: list[str], says: str) -> None:
    runner = CliRunner()
    with runner.isolated_filesystem():
        Path("here").mkdir()
        done = runner.invoke(main, ["runs", *arguments])
    assert done.exit_code == 2
    assert says in " ".join(done.output.split())


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    done = runs(tmp_path / "tpyo")
    assert done.exit_code == 2
    assert "tpyo' does not exist" in done.output
    assert not (tmp_path / "tpyo").exists()


@pytest.mark.parametrize("option", ["--profile", "--region"])
def test_a_directory_is_in_no_account(tmp_path: Path, option: str) -> None:
    done = runs(tmp_path, option, "any")
    assert done.exit_code == 2
    assert f"{option} cannot be combined with --out: leave it out" in done.output
