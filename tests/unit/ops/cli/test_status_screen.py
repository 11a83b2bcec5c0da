"""The status of a run on this machine, and its screen."""

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from ops.cli.main import main
from ops.cli.status_screen import show_status
from ops.local.out_directory import claim_out
from ops.local.results import run_in_directory
from ops.local.state_directory import StateDirectory
from ops.runs.errors import ResultsError
from ops.runs.execution import Execution, FailedSegment
from ops.runs.next_steps import rerun_command
from ops.runs.run import FINISHED, RUNNING, Run
from ops.runs.run_log import Progress
from tests.runs_left import leave_run
from tests.samples import plan
from tests.unit.ops.local.test_state_directory import STACK, trips
from trip_kpis.core.items.rejections import Reason
from trip_kpis.core.log.counts import Counts


def noted(out: Path, *names: str, run_id: str = "run-1") -> StateDirectory:
    state = StateDirectory(out)
    claim_out(out)
    state.save(STACK, trips())
    for name in names:
        state.note(Execution(run_id=run_id, name=name, input={}))
    return state


def shown(run: Run, out: Path) -> str:
    file = io.StringIO()
    show_status(Console(file=file, width=80), run, out)
    return file.getvalue()


def test_of_a_copy_of_the_bucket_manifest_and_parts_tell(tmp_path: Path) -> None:
    leave_run(tmp_path, segments=3, rejected=1)
    (tmp_path / "staging/run=run-1/plan.json").write_bytes(plan(total_segments=3).to_bytes())
    run = run_in_directory(tmp_path, None)
    assert (run.run_id, run.status, run.executions) == ("run-1", FINISHED, ())
    assert run.progress.finished == {0, 1, 2}
    assert run.progress.counts.balances
    assert "segments     3 of 3 finished" in shown(run, tmp_path)


def test_a_run_whose_process_died_was_interrupted_and_can_be_resumed(tmp_path: Path) -> None:
    noted(tmp_path, "run-1", "rerun-1")
    run = run_in_directory(tmp_path, "run-1")
    assert run.status == "interrupted"
    assert [one.name for one in run.executions] == ["rerun-1", "run-1"]
    assert shown(run, tmp_path).endswith(f"  {rerun_command('run-1', tmp_path)}\n")


def test_a_run_that_another_process_is_at_is_running(tmp_path: Path) -> None:
    with noted(tmp_path, "run-1").locked():
        run = run_in_directory(tmp_path, None)
    assert run.status == RUNNING
    assert "Another process on this machine is running it." in shown(run, tmp_path)


def test_a_run_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="has no run: there is none"):
        run_in_directory(tmp_path, None)
    noted(tmp_path, "run-1")
    with pytest.raises(ResultsError, match="has no run nope: there are run-1"):
        run_in_directory(tmp_path, "nope")


def test_what_failed_is_reported_with_its_reason(tmp_path: Path) -> None:
    child = FailedSegment(
        input={"run_id": "run-1", "segment": 7},
        error="AccessDeniedError",
        cause=json.dumps({"errorMessage": "the role may not"}),
    )
    run = Run(
        run_id="run-1",
        progress=Progress(
            plan=plan(total_segments=9),
            counts=Counts(
                pages=2,
                scanned=9,
                excluded=4,
                incomplete=1,
                counted=2,
                rejected={Reason.TIME_MISSING: 2},
                throttles={"TableReadKeyRangeThroughputExceeded": 3},
            ),
            begun=frozenset({0, 1, 2}),
            finished=frozenset({0}),
        ),
        executions=(
            Execution(run_id="run-1", name="run-1", status="FAILED", failed_segments=(child,)),
        ),
    )
    text = shown(run, tmp_path)
    for line in (
        "Run run-1: failed",
        "execution    run-1, failed",
        "             segment 7: AccessDeniedError: the role may not",
        "segments     1 of 9 finished, 2 begun",
        (
            "trips        9 scanned (100.00 % of about 9) = 4 excluded + 1 incomplete + "
            "2 rejected + 2 counted"
        ),
        "rejected     2 time_missing",
        "throttled    3 TableReadKeyRangeThroughputExceeded",
    ):
        assert line in text.splitlines()
    assert "Fix the cause, then resume this run" in text


def test_an_error_is_printed_once(tmp_path: Path) -> None:
    children = tuple(
        FailedSegment(input={"segment": n}, error="CorruptPartError", cause="damaged")
        for n in range(3)
    )
    map_error = {"error": "States.ExceedToleratedFailureThreshold", "cause": "a segment failed"}
    executions = tuple(
        Execution(run_id="run-1", name=name, status="FAILED", failed_segments=children, **map_error)
        for name in ("rerun-1", "run-1")
    )
    text = shown(Run(run_id="run-1", executions=executions), tmp_path)
    assert text.splitlines()[1:7] == [
        "execution    rerun-1, failed",
        "             States.ExceedToleratedFailureThreshold: a segment failed",
        "             segments 0, 1, 2: CorruptPartError: damaged",
        "execution    run-1, failed",
        "             the same error",
        "             segments 0, 1, 2: the same error",
    ]


def test_following_is_for_stacks(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["status", "--out", str(tmp_path), "--follow"])
    assert done.exit_code == 2
    assert "--follow works only with --stack" in done.output
