"""Documents that another program wrote, or another version: each is read or refused in words."""

import copy
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from ops.cli.main import main
from ops.cli.screens import show_ended, show_failure
from ops.embedded.objects_on_disk import ObjectOnDisk
from ops.local.state_directory import StateDirectory, StateError
from ops.runs.day_kpis import read_kpis
from ops.runs.documents import DocumentError
from ops.runs.execution import EndedExecution, FailedSegment
from ops.runs.finished_run import finished_run
from ops.runs.run_log import Progress
from tests.runs_left import leave_run
from tests.unit.ops.local.test_state_directory import STACK, trips

VALUES: list[Any] = [None, True, -1, 1.5, 10**30, "", "x", [], [None], {}, {"x": None}]
KPIS = {
    "date": "2024-05-01", "trip_count": 1, "total_fare": 1, "average_fare": 1, "max_fare": 1,
    "min_fare": 1,
}  # fmt: skip


def paths(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in the document, of a list the first alone."""
    yield at
    if isinstance(document, dict):
        for name, value in document.items():
            yield from paths(value, (*at, name))
    elif isinstance(document, list) and document:
        yield from paths(document[0], (*at, 0))


def changed(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    if not at:
        return value
    made = copy.deepcopy(document)
    place = made
    for step in at[:-1]:
        place = place[step]
    place[at[-1]] = value
    return made


def test_a_manifest_is_read_or_refused_whatever_is_in_its_place(tmp_path: Path) -> None:
    """Whichever value is replaced by one of another type: no command breaks off."""
    manifest = leave_run(tmp_path, rejected=1, segments=1, days=1)
    document = json.loads(manifest.read_bytes())
    refused = 0
    for at in paths(document):
        for value in VALUES:
            manifest.write_text(json.dumps(changed(document, at, value)))
            try:
                run = finished_run(tmp_path, "run-1")
            except DocumentError as error:
                refused += 1
                assert error.name == str(manifest)
                assert str(error).startswith(f"{manifest} is no manifest that this version can")
            else:
                assert run.run_id == "run-1"
                assert run.cost_usd["total"]
                assert run.has_figures in (True, False)
    assert refused > 100


def test_the_error_names_file_field_and_what_was_expected(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    document = json.loads(manifest.read_bytes())
    document["by_segment"][1]["parts"] = "two"
    manifest.write_text(json.dumps(document))
    with pytest.raises(DocumentError) as error:
        finished_run(tmp_path, "run-1")
    assert (error.value.name, error.value.field) == (str(manifest), "by_segment[1].parts")
    assert error.value.problem == "expected int, got str"


def test_a_manifest_of_the_version_before_is_read(tmp_path: Path) -> None:
    manifest = leave_run(tmp_path)
    document = json.loads(manifest.read_bytes())
    for name in ("warnings", "days_open", "open_days", "days_shrank", "shrank_days"):
        del document[name]
    del document["throttles"]
    for day in document["days"]:
        for name in ("open", "published_trip_count", *KPIS.keys() - {"date"}):
            del day[name]
    for segment in document["by_segment"]:
        del segment["throttles"]
    manifest.write_text(json.dumps(document))
    run = finished_run(tmp_path, "run-1")
    assert [day.is_open for day in run.days] == [False] * 3
    assert not run.has_figures


def test_a_manifest_of_another_run_is_not_taken_for_this_ones(tmp_path: Path) -> None:
    other = leave_run(tmp_path, run_id="run-2").read_bytes()
    leave_run(tmp_path).write_bytes(other.replace(b'"run-2"', b'"../../x"'))
    with pytest.raises(DocumentError) as error:
        finished_run(tmp_path, "run-1")
    assert error.value.field == "run_id"


@pytest.mark.parametrize("at", [(), *((name,) for name in KPIS)], ids=str)
@pytest.mark.parametrize("value", [None, True, "x", [], {}, "NaN", "1e999999"], ids=str)
def test_a_foreign_kpi_json_is_refused(at: tuple[str, ...], value: Any) -> None:
    with pytest.raises(DocumentError):
        read_kpis(json.dumps(changed(KPIS, at, value)).encode(), name="kpi.json")


@pytest.mark.parametrize("body", [b"", b"\n", b"\xff", b"[" * 100_000, b'{"date":"2024-05-01"}'])
def test_a_successful_run_ends_as_one_beside_a_foreign_day(tmp_path: Path, body: bytes) -> None:
    leave_run(tmp_path)
    (tmp_path / "kpis/date=2024-05-01/kpi.json").write_bytes(body)
    (tmp_path / "kpis/date=2024-05-02/kpi.json").unlink()
    (tmp_path / "kpis/date=2024-05-02/kpi.json").mkdir()
    said = shown(tmp_path, {"trips": 1, "scanned": 1})
    assert "not readable" in said
    assert "2024-05-03" in said


@pytest.mark.parametrize(
    "output",
    [
        None,
        {"trips": None},
        {"trips": 1, "rejected": [], "scanned": "many"},
        {"trips": 1, "open_days": 7, "shrank_days": [{}], "warnings": "none"},
    ],
)
def test_a_successful_run_ends_as_one_whatever_its_output_is(
    tmp_path: Path, output: dict[str, Any] | None
) -> None:
    leave_run(tmp_path)
    assert "The run's output is of another version" in shown(tmp_path, output)


def shown(out: Path, output: dict[str, Any] | None) -> str:
    console = Console(file=io.StringIO(), width=200)
    show_ended(console, outcome(status="SUCCEEDED", output=output), out)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def outcome(**given: Any) -> EndedExecution:
    return EndedExecution(
        **{
            "run_id": "run-1", "name": "run-1", "output": None, "error": None, "cause": None,
            "failed_segments": (),
            "pages": None, "progress": Progress(), **given,
        }
    )  # fmt: skip


@pytest.mark.parametrize("given", [None, [], "x", 7, {}])
def test_a_failed_child_with_another_input_is_shown(tmp_path: Path, given: Any) -> None:
    child = FailedSegment(input=given, error="Broken", cause="[]")
    console = Console(file=io.StringIO(), width=200)
    show_failure(console, outcome(status="FAILED", failed_segments=(child,)), tmp_path)
    assert isinstance(console.file, io.StringIO)
    assert "Broken" in console.file.getvalue()


@pytest.mark.parametrize("name", ["stack.json", "executions.json"])
@pytest.mark.parametrize(
    "value", [None, 7, "x", {"x": 1}, [7], [{"run_id": 7, "name": 1}]], ids=str
)
def test_a_state_file_of_other_types_is_named(tmp_path: Path, name: str, value: Any) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips())
    (tmp_path / "state" / name).write_text(json.dumps(value))
    with pytest.raises(StateError, match=name):
        (state.stack(), state.executions())
    for verb in ("status", "runs", "rerun"):
        done = CliRunner().invoke(main, [verb, "--out", str(tmp_path)])
        assert isinstance(done.exception, SystemExit | None), (verb, done.output)


def test_a_run_id_of_the_state_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    state = StateDirectory(tmp_path)
    state.save(STACK, trips())
    noted = [{"run_id": "../../x", "name": "a", "input": {}}]
    (tmp_path / "state/executions.json").write_text(json.dumps(noted))
    with pytest.raises(StateError, match="is not the id of a run"):
        state.executions()


@pytest.mark.parametrize(
    "head", ["", "[]", "{}", '{"key": 7, "metadata": {}, "last_modified": "2024-05-25T00:00:00Z"}']
)
def test_an_object_on_disk_of_another_form_is_a_value_error(head: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        ObjectOnDisk.from_bytes(f"{head}\nbody".encode())


def test_folders_in_a_copy_of_a_bucket_are_no_runs(tmp_path: Path) -> None:
    leave_run(tmp_path)
    for folder in ("runs/run=x/manifest.json", "kpis/date=2024-06-01/kpi.json", "staging/run=y"):
        (tmp_path / folder).mkdir(parents=True)
    found = json.loads(CliRunner().invoke(main, ["runs", "--out", str(tmp_path), "--json"]).output)
    assert [one["run_id"] for one in found] == ["run-1"]
    assert CliRunner().invoke(main, ["report", "--out", str(tmp_path)]).exit_code == 0
