"""The state directory gives back what was put into it, and says what it has not."""

import subprocess
import sys
from pathlib import Path

import pytest

from ops.state_directory import SavedStack, StartedExecution, StateDirectory, StateError
from ops.trip_files import Trips

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
    state.note(StartedExecution(run_id="old", name="old", input={}))
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
        StartedExecution(run_id="r", name="r", input={"total_segments": 3}),
        StartedExecution(run_id="r", name="again", input={"run_id": "r"}),
        StartedExecution(run_id="s", name="s", input={}),
    ]
    for execution in began:
        state.note(execution)
    assert list(StateDirectory(tmp_path).executions()) == began
    state.check_run("r")
    with pytest.raises(StateError, match=r"has no run t: there are r, s$"):
        state.check_run("t")


def test_without_a_state_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="has no state to go on from") as error:
        StateDirectory(tmp_path).stack()
    assert str(tmp_path) in str(error.value)


def test_a_state_without_runs_says_so(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.begin(STACK, trips())
    with pytest.raises(StateError, match="there is none at all"):
        state.check_run("r")


def test_two_processes_are_not_at_one_state(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from ops.state_directory import *\n"
        "try:\n  with StateDirectory(Path(sys.argv[1])).locked(): print('mine')\n"
        "except StateError as error: print(error)"
    )

    def another() -> str:
        return subprocess.run(
            [sys.executable, "-c", program, tmp_path],
            cwd=Path(__file__).parents[3],
            env={"PYTHONPATH": "functions"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    with StateDirectory(tmp_path).locked():
        assert "another process is running over" in another()
    assert another() == "mine\n"
