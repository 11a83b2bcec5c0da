"""The state directory gives back what was put into it, and says what it has not."""

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from ops.cli.main import main
from ops.embedded.objects_on_disk import ObjectOnDisk
from ops.local.out_directory import claim_out
from ops.local.state_directory import SavedStack, StateDirectory, StateError
from ops.local.trip_files import Trips
from ops.runs.execution import Execution, FailedSegment

STACK = SavedStack(
    hash_key="id",
    sort_key="at",
    table_id="3f2a",
    bucket_name="results",
    parameters={"TimeZone": "Europe/Berlin"},
    page_bytes=6_000,
)
EVERY_KIND = {
    "id": {"B": b"\x00\xff"},
    "at": {"N": "1716643140"},
    "text": {"S": "Zürich\n\u2028{"},
    "flag": {"BOOL": False},
    "nothing": {"NULL": True},
    "sets": {"M": {"b": {"BS": [b"\x01", b""]}, "n": {"NS": ["1", "2"]}, "s": {"SS": ["a"]}}},
    "list": {"L": [{"B": b"\x02"}, {"M": {"deep": {"B": b"\x03"}}}]},
}


def trips(*items: dict) -> Trips:
    return Trips(
        hash_key="id", sort_key="at", items={(str(n),): item for n, item in enumerate(items)}
    )


def put_object(state: StateDirectory, key: str) -> None:
    directory = state.objects_path / STACK.bucket_name
    directory.mkdir(parents=True, exist_ok=True)
    kept = ObjectOnDisk(key=key, metadata={}, last_modified=datetime.now(UTC), body=b"{}")
    (directory / f"{len(list(directory.iterdir()))}.object").write_bytes(kept.to_bytes())


def test_trips_and_stack_come_back_as_they_were(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips(EVERY_KIND, EVERY_KIND | {"at": {"N": "2"}}))
    again = StateDirectory(tmp_path)
    assert again.stack() == STACK
    assert list(again.trips().items.values()) == [EVERY_KIND, EVERY_KIND | {"at": {"N": "2"}}]
    assert again.trips().key_attributes == ("id", "at")


def test_a_table_without_trips_comes_back_empty(tmp_path: Path) -> None:
    StateDirectory(tmp_path).begin(STACK, trips())
    assert StateDirectory(tmp_path).trips() == trips()


def test_a_new_cloud_replaces_what_an_earlier_one_left(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips(EVERY_KIND))
    state.note(Execution(run_id="old", name="old", input={}))
    for directory in (state.objects_path, state.pages_path):
        directory.mkdir()
        (directory / "old").write_text("old")
    state.begin(STACK, trips())
    assert state.executions() == ()
    assert not state.objects_path.exists()
    assert not state.pages_path.exists()


def test_executions_are_known_in_their_order(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips())
    began = [
        Execution(run_id="r", name="r", input={"total_segments": 3}),
        Execution(run_id="r", name="again", input={"run_id": "r"}),
        Execution(run_id="s", name="s", input={}),
    ]
    for execution in began:
        state.note(execution)
    assert list(StateDirectory(tmp_path).executions()) == began
    assert state.first_execution("r") == began[0]
    with pytest.raises(StateError, match=r"has no run t: there are r, s$"):
        state.first_execution("t")


def test_without_a_state_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="has no state to resume from") as error:
        StateDirectory(tmp_path).stack()
    assert str(tmp_path) in str(error.value)


def test_a_state_without_runs_says_so(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips())
    with pytest.raises(StateError, match="there is none at all"):
        state.first_execution("r")
    with pytest.raises(StateError, match="start it again"):
        state.unfinished_run()


def test_the_run_to_go_on_with_is_the_one_without_a_manifest(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips())
    for run_id in ("a", "b"):
        state.note(Execution(run_id=run_id, name=run_id, input={}))
    with pytest.raises(StateError, match=r"name one of a, b$"):
        state.unfinished_run()
    put_object(state, "runs/run=a/manifest.json")
    assert state.unfinished_run() == "b"
    put_object(state, "runs/run=b/manifest.json")
    with pytest.raises(StateError, match=r"go through a finished one again, name it \(a, b\)"):
        state.unfinished_run()


@pytest.mark.parametrize("name", ["stack.json", "executions.json", "trips.jsonl.gz", "0.object"])
@pytest.mark.parametrize("kept", [slice(0), slice(1), slice(-20), slice(5, None)])
def test_a_damaged_file_is_named_with_the_next_steps(
    tmp_path: Path, name: str, kept: slice
) -> None:
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips(EVERY_KIND))
    state.note(Execution(run_id="a", name="a", input={}))
    put_object(state, "kpis/date=2024-05-25/kpi.json")
    (file,) = (tmp_path / "state").rglob(name)
    file.write_bytes(file.read_bytes()[kept])
    with pytest.raises(StateError, match=r"put it back as it was.* or start a new run") as error:
        (state.trips(), state.unfinished_run())
    assert str(file) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips(EVERY_KIND))
    for name, read in (("trips.jsonl.gz", state.trips), ("executions.json", state.executions)):
        (tmp_path / "state" / name).unlink()
        with pytest.raises(StateError, match=name):
            read()


def test_what_an_earlier_cloud_left_is_gone_before_the_next_one_begins(tmp_path: Path) -> None:
    """Figures of an earlier run are not there to be taken for those of one that broke off."""
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips())
    published = tmp_path / "kpis" / "date=2024-05-25" / "kpi.json"
    published.parent.mkdir(parents=True)
    published.write_text("{}")
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    state.forget()
    assert not published.exists()
    assert mine.exists()
    with pytest.raises(StateError, match="has no state to resume from"):
        state.stack()


def test_two_processes_are_not_at_one_state(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ops.local.state_directory import *\n"
        "try:\n  with StateDirectory(Path(sys.argv[1])).locked(): print('mine')\n"
        "except StateError as error: print(error)"
    )

    def another() -> str:
        return subprocess.run(
            [sys.executable, "-c", program, tmp_path],
            cwd=Path(__file__).parents[4],
            env={"PYTHONPATH": "functions"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    with StateDirectory(tmp_path).locked():
        assert "another process is running over" in another()
    assert another() == "mine\n"


def test_a_file_where_the_state_should_be_is_named(tmp_path: Path) -> None:
    claim_out(tmp_path)
    (tmp_path / "state").write_text("mine")
    with (
        pytest.raises(StateError, match=r"state cannot be written to .*: name another directory"),
        StateDirectory(tmp_path).locked(),
    ):
        pass


def test_what_became_of_an_execution_is_remembered(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips())
    first, second = (Execution(run_id="r", name=name, input={}) for name in ("r", "again"))
    failed = FailedSegment(input={"segment": 1}, error="TransientError", cause="slow")
    ended = replace(first, status="FAILED", error="Failed", cause="why", failed_segments=(failed,))
    for execution in (first, second, ended):
        state.note(execution)
    assert state.executions() == (ended, second)


def test_a_run_in_another_bucket_than_containers_know_is_not_resumed_there(
    tmp_path: Path,
) -> None:
    StateDirectory(tmp_path).begin(STACK, trips())
    endpoint = ("--lambda-endpoint", "http://127.0.0.1:3001", "--access-key", "0123456789abcdef")
    done = CliRunner().invoke(main, ["rerun", "run-1", "--out", str(tmp_path), *endpoint])
    assert done.exit_code == 2
    assert "the run's bucket is results, and functions in containers know trip-kpis alone" in (
        done.output
    )
