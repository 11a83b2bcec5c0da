"""The state directory gives back what was put into it, and says what it has not."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner

from ops.cli.main import main
from ops.local.export_on_disk import ExportOnDisk
from ops.local.local_stack import Where
from ops.local.out_directory import claim_out
from ops.local.run import run
from ops.local.run_source import TripsAsExport
from ops.local.state_directory import SavedStack, StateDirectory, StateError
from ops.local.trip_files import Trips
from ops.object_on_disk import ObjectOnDisk, file_name
from ops.runs.execution import Execution, FailedSegment
from tests.exports_on_disk import SyncedExport, leave_export
from tests.runs_left import leave_run
from tests.samples import trip

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
    (directory / file_name(key)).write_bytes(kept.to_bytes())


def begin_run(state: StateDirectory, run_id: str) -> None:
    state.save_stack_of(run_id)
    state.note(Execution(run_id=run_id, name=run_id, input={}))


def trips_file(out: Path) -> Path:
    return out / f"state/trips-{STACK.table_id}.jsonl.gz"


def test_trips_and_stack_come_back_as_they_were(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips(EVERY_KIND, EVERY_KIND | {"at": {"N": "2"}}))
    again = StateDirectory(tmp_path)
    assert again.stack() == STACK
    assert list(again.trips().items.values()) == [EVERY_KIND, EVERY_KIND | {"at": {"N": "2"}}]
    assert again.trips().key_attributes == ("id", "at")


def test_a_table_without_trips_comes_back_empty(tmp_path: Path) -> None:
    StateDirectory(tmp_path).save(STACK, trips())
    assert StateDirectory(tmp_path).trips() == trips()


def test_another_table_replaces_the_trips_and_nothing_else(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips(EVERY_KIND))
    begin_run(state, "old")
    put_object(state, "runs/run=old/manifest.json")
    other = replace(STACK, table_id="other", parameters={})
    state.save(other, trips())
    assert (state.stack(), state.trips()) == (other, trips())
    assert [one.run_id for one in state.executions()] == ["old"]
    assert state.has_manifest_of("old")
    assert len([*(tmp_path / "state").glob("*.gz")]) == 1


def test_a_run_keeps_the_stack_that_it_began_with(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips(EVERY_KIND))
    begin_run(state, "old")
    state.save(replace(STACK, parameters={}), trips(EVERY_KIND))
    assert state.stack_of("old") == STACK
    assert state.has_source_of("old")
    state.save(replace(STACK, table_id="other"), trips())
    assert not state.has_source_of("old")


class KilledError(BaseException):
    """The process ends at this moment."""


def test_the_state_is_the_earlier_one_or_the_new_one_at_any_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed before each change of a file in turn."""
    new = replace(STACK, table_id="new", parameters={})
    kept = []
    for moment in count():
        state = StateDirectory(tmp_path / str(moment))
        state.save(STACK, trips(EVERY_KIND))
        with monkeypatch.context() as patch:
            changes = count()

            def until_killed(change: Any) -> Any:
                def changed(*arguments: Any, **more: Any) -> Any:
                    if next(changes) == moment:  # noqa: B023  each loop has its own
                        raise KilledError
                    return change(*arguments, **more)

                return changed

            for name in ("replace", "unlink"):
                patch.setattr(Path, name, until_killed(getattr(Path, name)))
            try:
                state.save(new, trips())
            except KilledError:
                kept.append(state.stack().table_id)
                found = state.stack(), list(state.trips().items.values())
                assert found in [(STACK, [EVERY_KIND]), (new, [])]
            else:
                break
    assert {*kept} == {STACK.table_id, "new"}, "killed before and after the change"


@pytest.mark.parametrize(
    "other",
    [
        trips(EVERY_KIND),
        trips(EVERY_KIND | {"flag": {"BOOL": True}}, EVERY_KIND),
        replace(trips(EVERY_KIND, EVERY_KIND), sort_key=None),
    ],
)
def test_the_table_is_the_same_only_with_the_same_trips_and_key(
    tmp_path: Path, other: Trips
) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips(EVERY_KIND, EVERY_KIND))
    assert state.has_trips(trips(EVERY_KIND, EVERY_KIND))
    assert not state.has_trips(other)


def test_the_trips_of_an_earlier_version_are_found_under_their_old_name(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips(EVERY_KIND))
    trips_file(tmp_path).rename(tmp_path / "state/trips.jsonl.gz")
    assert state.has_trips(trips(EVERY_KIND))
    state.save(replace(STACK, table_id="new"), trips())
    assert state.trips() == trips()
    assert [one.name for one in (tmp_path / "state").glob("*.gz")] == ["trips-new.jsonl.gz"]


def test_a_directory_without_runs_has_no_earlier_stack(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    assert state.earlier() is None
    state.save(STACK, trips())
    assert state.earlier() == STACK


def test_results_without_their_state_are_not_replaced_unasked(tmp_path: Path) -> None:
    leave_run(tmp_path)
    with pytest.raises(StateError, match="or replace the results with --fresh"):
        StateDirectory(tmp_path).earlier()


def test_executions_are_known_in_their_order(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips())
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
    state.save(STACK, trips())
    with pytest.raises(StateError, match="there is none at all"):
        state.first_execution("r")


@pytest.mark.parametrize("name", ["stack.json", "executions.json", "trips-*.gz", "*.object"])
@pytest.mark.parametrize("kept", [slice(0), slice(1), slice(-20), slice(5, None)])
def test_a_damaged_file_is_named_with_the_next_steps(
    tmp_path: Path, name: str, kept: slice
) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips(EVERY_KIND))
    state.note(Execution(run_id="a", name="a", input={}))
    put_object(state, "kpis/date=2024-05-25/kpi.json")
    (file,) = (tmp_path / "state").rglob(name)
    file.write_bytes(file.read_bytes()[kept])
    with pytest.raises(StateError, match=r"put it back as it was.* or .* --fresh") as error:
        (state.trips(), state.earlier())
    assert str(file) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips(EVERY_KIND))
    executions = tmp_path / "state/executions.json"
    for file, read in ((trips_file(tmp_path), state.trips), (executions, state.executions)):
        file.unlink()
        with pytest.raises(StateError, match=file.name):
            read()


def test_what_is_forgotten_is_gone_from_the_state_and_from_the_results(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips())
    begin_run(state, "old")
    put_object(state, "staging/run=old/plan.json")
    published = tmp_path / "kpis" / "date=2024-05-25" / "kpi.json"
    published.parent.mkdir(parents=True)
    published.write_text("{}")
    mine = tmp_path / "notes.txt"
    mine.write_text("mine")
    state.forget()
    assert not published.exists()
    assert mine.exists()
    assert [*(tmp_path / "state").iterdir()] == []
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
    state.save(STACK, trips())
    first, second = (Execution(run_id="r", name=name, input={}) for name in ("r", "again"))
    failed = FailedSegment(input={"segment": 1}, error="TransientError", cause="slow")
    ended = replace(first, status="FAILED", error="Failed", cause="why", failed_segments=(failed,))
    for execution in (first, ended, second):
        state.note(execution)
    assert state.executions() == (ended, second)


def test_an_execution_that_begins_anew_under_its_name_is_the_newest(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips())
    for name in ("a", "b", "a"):
        state.note(Execution(run_id=name, name=name, input={}))
    assert [one.name for one in state.executions()] == ["b", "a"]


def test_a_run_in_another_bucket_than_containers_know_is_not_resumed_there(
    tmp_path: Path,
) -> None:
    StateDirectory(tmp_path).save(STACK, trips())
    endpoint = ("--lambda-endpoint", "http://127.0.0.1:3001", "--access-key", "0123456789abcdef")
    done = CliRunner().invoke(main, ["rerun", "run-1", "--out", str(tmp_path), *endpoint])
    assert done.exit_code == 2
    assert "the run's bucket is results, and functions in containers know trip-kpis alone" in (
        done.output
    )


def over_export(state: StateDirectory, export: ExportOnDisk, run_id: str) -> SavedStack:
    """A run that reads an export is begun."""
    stack = replace(STACK, table_id=export.table_id, export=export.saved)
    state.save(stack, trips())
    begin_run(state, run_id)
    return stack


def test_a_run_over_an_export_has_its_source_whatever_later_runs_read(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "out")
    export = ExportOnDisk.at(leave_export(tmp_path, [[trip()]]).folder)
    stack = over_export(state, export, "of-export")
    assert state.stack_of("of-export") == stack
    assert not state.has_trips(trips())
    state.save(replace(STACK, table_id="another"), trips(EVERY_KIND))
    assert state.has_source_of("of-export")
    assert state.export_of(state.stack_of("of-export")) == export
    assert state.export_of(state.stack()) is None


def of_trips(state: StateDirectory) -> SavedStack:
    """A run is begun that has written its trips as an export."""
    table = Trips(hash_key="trip_id", sort_key=None, items={("t-1",): trip("t-1")})
    with state.locked():
        prepared = TripsAsExport(table).prepare(state, None, Mock())
        stack = replace(STACK, table_id=prepared.table_id, export=prepared.saved_export)
        state.save(stack, prepared.table)
    begin_run(state, "of-export")
    return stack


def test_an_export_in_the_state_is_there_until_another_run_is_saved(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path / "out")
    stack = of_trips(state)
    assert state.has_source_of("of-export")
    state.save(replace(STACK, table_id="another"), trips(EVERY_KIND))
    assert not state.has_source_of("of-export")
    assert not state.export_path(stack.table_id).exists()


def test_an_export_in_the_state_moves_with_it(tmp_path: Path) -> None:
    of_trips(StateDirectory(tmp_path / "out"))
    (tmp_path / "out").rename(tmp_path / "moved")
    state = StateDirectory(tmp_path / "moved")
    assert state.has_source_of("of-export")
    export = state.export_of(state.stack_of("of-export"))
    assert export is not None
    assert export.files[0].is_relative_to(tmp_path / "moved")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda synced: synced.data[0].write_bytes(b"other"), "is not the one that the run began"),
        (lambda synced: synced.data[0].unlink(), "lacks 1 of the export's 1 data files"),
        (lambda synced: synced.folder.rename(synced.folder.parent / "x"), "is not there any more"),
    ],
)
def test_an_export_that_is_not_what_it_was_is_refused(
    tmp_path: Path, change: Callable[[SyncedExport], object], says: str
) -> None:
    state = StateDirectory(tmp_path / "out")
    synced = leave_export(tmp_path, [[trip()]])
    stack = over_export(state, ExportOnDisk.at(synced.folder), "of-export")
    change(synced)
    with pytest.raises(StateError) as raised:
        state.export_of(stack)
    assert says in str(raised.value)
    assert str(synced.folder) in str(raised.value)


def test_an_export_that_was_not_written_to_its_end_leaves_nothing(tmp_path: Path) -> None:
    class Interrupted(Mock):
        def advance(self, _: int) -> None:
            raise KeyboardInterrupt

    table = Trips(hash_key="trip_id", sort_key=None, items={("t-1",): trip("t-1")})
    with pytest.raises(KeyboardInterrupt):
        run(
            TripsAsExport(table),
            out=tmp_path,
            execution_input={},
            parameters={},
            where=Where(),
            follower=Interrupted(),
        )
    assert not [file for file in tmp_path.rglob("*.gz") if file.is_file()]
    assert not StateDirectory(tmp_path).exists
