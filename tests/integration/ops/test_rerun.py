"""A run that broke off or failed is resumed by another process, to the same bytes."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.embedded.objects_on_disk import ObjectsOnDisk
from ops.local.out_directory import claim_out
from ops.local.state_directory import SavedStack, StateDirectory
from ops.local.trip_files import Trips
from tests.day_rows import COLUMNS
from tests.integration.ops.conftest import kpis_of_trips, trip
from tests.ops_commands import ONE_SEGMENT, Ended, kpis, ops, started, summary
from trip_kpis.core.log.parts import decode

TRIPS = [trip(number) for number in range(300)]
SEGMENTS = 12


def appended(out: Path) -> dict[str, Any]:
    """The headers of the parts in the state."""
    state = StateDirectory(out)
    objects = ObjectsOnDisk(state.objects_path).objects(state.stack().bucket_name)
    return {
        stored.key: decode(stored.body, key=stored.key, columns=COLUMNS)[0]
        for stored in objects
        if stored.key.endswith(".parquet")
    }


def processes() -> dict[int, int]:
    """Every process that is up, with its parent. One that has ended and that nobody has asked
    about yet (a zombie) is not up."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(row[0]): int(row[1]) for row in rows if not row[2].startswith("Z")}


def until(reached: Callable[[], bool], what: str, *, process: Any = None) -> None:
    deadline = time.monotonic() + 600
    while not reached():
        assert process is None or process.poll() is None, f"ended before {what}"
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


def test_a_run_whose_process_is_killed_is_finished_by_another(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    out, nowhere = tmp_path / "out", subprocess.DEVNULL
    one_at_a_time = ("--segments", str(SEGMENTS), "--max-concurrency", "1")
    begin = ("run", "--trips", json_lines(TRIPS), "--out", out, *one_at_a_time)
    with started(*begin, stdout=nowhere, stderr=nowhere) as killed:
        parts = out / "state" / "objects"
        until(lambda: any(parts.glob("*/*.parquet.object")), "a part is appended", process=killed)
        os.kill(killed.pid, signal.SIGSTOP)  # and with it the embedded AWS: nothing goes on
        workers = [pid for pid, parent in processes().items() if parent == killed.pid]
        os.kill(killed.pid, signal.SIGKILL)
    assert killed.returncode == -signal.SIGKILL
    assert workers
    until(lambda: not processes().keys() & set(workers), "its workers have ended")
    assert not (out / "kpis").exists()
    before = appended(out)
    assert 0 < len(before) < SEGMENTS
    (execution,) = StateDirectory(out).executions()

    budget = ("--max-concurrency", "1", "--read-units-per-second", "1000000")
    done = ops("rerun", "--out", out, "--json", *budget)
    assert done.returncode == 0, done.stderr
    assert StateDirectory(out).executions()[-1].input == {
        "run_id": execution.run_id,
        "max_concurrency": 1,
        "read_units_per_second": 10**6,
    }
    assert kpis(out) == kpis_of_trips(len(TRIPS))
    found = summary(done)
    assert (found["run_id"], found["scanned"]) == (execution.run_id, len(TRIPS))
    pages_before = sum(header.counts.pages for header in before.values())
    assert found["pages_read"] == found["pages"] - pages_before
    assert 0 <= found["pages_read_again"] <= len(workers)
    after = appended(out)
    assert {key: after[key] for key in before} == before, "what was appended stays"


def test_ctrl_c_says_how_to_go_on(json_lines: Callable[..., Path], tmp_path: Path) -> None:
    trips, out = json_lines(TRIPS), tmp_path / "out"
    with started("run", "--trips", trips, "--out", out, *ONE_SEGMENT) as process:
        executions = out / "state" / "executions.json"
        until(
            lambda: executions.is_file() and executions.read_text() != "[]",
            "the execution is noted",
            process=process,
        )
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate()
    assert process.returncode == 130, said
    (execution,) = StateDirectory(out).executions()
    assert f" -m ops rerun {execution.run_id} --out {out}\n" in said
    assert "Traceback" not in said

    status = ops("status", "--out", out)
    assert status.returncode == 0, status.stderr
    assert status.stdout.startswith(f"Run {execution.run_id}: interrupted\n")
    assert ops("rerun", "--out", out).returncode == 0
    assert ops("status", "--out", out).stdout.startswith(f"Run {execution.run_id}: finished\n")


@pytest.mark.slow
def test_a_fresh_run_into_the_same_directory_is_a_new_cloud(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    begin = ("run", "--trips", json_lines(TRIPS[:9]), *ONE_SEGMENT, "--json", "--out")
    first = summary(ops(*begin, tmp_path / "out"))
    second = summary(ops(*begin, tmp_path / "out", "--fresh"))
    assert second["days_published"] == 3, "no day of the first run was there"
    done = ops("rerun", first["run_id"], "--out", tmp_path / "out")
    assert done.returncode == 2
    assert f"has no run {first['run_id']}: there are {second['run_id']}" in done.stderr


@pytest.mark.slow
def test_a_rerun_of_a_finished_run_reads_nothing_and_publishes_the_same(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    begin = ("run", "--trips", json_lines(TRIPS[:9]), *ONE_SEGMENT, "--json", "--out")
    first = summary(ops(*begin, out))
    published = kpis(out)
    done = ops("rerun", first["run_id"], "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert (summary(done)["pages_read"], summary(done)["total_fare"]) == (0, first["total_fare"])
    assert "No page of the table was read this time." in done.stderr
    assert kpis(out) == published


def test_without_a_state_there_is_nothing_to_go_on_from(tmp_path: Path) -> None:
    done = ops("rerun", "r", "--out", tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path} has no state to resume from" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_failed_before_its_plan_is_not_offered_for_going_on(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    begin = ("run", "--trips", json_lines(TRIPS[:3]), "--out", tmp_path / "out")
    done = ops(*begin, "--parameter", "TableName=elsewhere")
    assert done.returncode == 1
    _, _, said = done.stdout.partition("TableNotFoundError")
    assert "ops rerun" not in said
    assert "start another" in said
    status = ops("status", "--out", tmp_path / "out").stdout
    assert ": failed\n" in status
    assert "TableNotFoundError: the table elsewhere is not there" in status
    assert "ops rerun" not in status
    assert "start another" in status


@pytest.mark.slow
def test_a_run_that_was_killed_before_its_plan_begins_anew_under_its_id(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = ops("run", "--trips", json_lines(TRIPS[:9]), "--out", out, "--segments", "3", "--json")
    run_id, published = summary(first)["run_id"], kpis(out)
    assert f"Run {run_id}. If it is interrupted: " in first.stderr
    assert f" -m ops rerun {run_id} --out {out}" in first.stderr
    for left in (out / "state/objects", out / "kpis", out / "runs"):
        shutil.rmtree(left)

    done = ops("rerun", "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    assert f"Run {run_id} has no plan yet: it starts again." in done.stderr
    assert (summary(done)["run_id"], summary(done)["segments"]) == (run_id, 3)
    assert kpis(out) == published


@pytest.mark.slow
def test_a_run_with_too_many_rejected_trips_is_resumed_under_another_share(
    json_lines: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    items = [*TRIPS[:3], trip(3, fare_amount={"S": "ten"})]
    failed = ops("run", "--trips", json_lines(items), "--out", out, *ONE_SEGMENT)
    assert failed.returncode == 1
    assert "TooManyRejectedError" in failed.stdout
    status = ops("status", "--out", out).stdout
    assert ": failed\n" in status
    assert "TooManyRejectedError: " in status
    assert status.endswith("--parameter MaxRejectedShare=0.25\n")
    assert status.count("TooManyRejectedError") == 1
    for said in (failed.stdout, status):
        assert "--parameter MaxRejectedShare=0.25\n" in said
        assert "must be a decimal number" in said
        assert "redrive" not in said
    assert kpis(out) == {}

    refused = ops("rerun", "--out", out, "--parameter", "TimeZone=UTC")
    assert refused.returncode == 2
    assert "a resumed run keeps its TimeZone" in " ".join(refused.stderr.split())

    done = ops("rerun", "--out", out, "--json", "--parameter", "MaxRejectedShare=0.25")
    assert done.returncode == 0, done.stderr
    assert summary(done)["pages_read"] == 0
    assert summary(done)["rejected"] == {"fare_not_a_number": 1}
    assert len(kpis(out)) == 3


@pytest.mark.parametrize(
    ("file", "kept"), [("trips-1.jsonl.gz", 20), ("stack.json", 0), ("executions.json", 1)]
)
def test_a_damaged_state_is_a_mistake_that_names_the_file(
    tmp_path: Path, file: str, kept: int
) -> None:
    state = StateDirectory(tmp_path)
    trips = Trips(hash_key="trip_id", sort_key=None, items={("t000",): trip(0)})
    stack = SavedStack(
        hash_key="trip_id",
        sort_key=None,
        table_id="1",
        bucket_name="b",
        parameters={},
        page_bytes=None,
    )
    claim_out(tmp_path)
    state.save(stack, trips)
    damaged = tmp_path / "state" / file
    damaged.write_bytes(damaged.read_bytes()[:kept])
    done = ops("rerun", "r", "--out", tmp_path)
    assert done.returncode == 2
    assert f"{damaged} cannot be read" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def broken_demo(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return ops("demo", "--break-segment", "3", "--out", tmp_path_factory.mktemp("demo"))


@pytest.mark.slow
def test_a_segment_that_breaks_is_shown_and_the_rerun_finishes_exactly(
    broken_demo: Ended,
) -> None:
    done = broken_demo
    assert done.returncode == 0, done.stdout + done.stderr
    failure, _, rerun = done.stdout.partition("The permissions are restored.")
    words = " ".join(failure.replace("│", " ").split())
    assert "States.ExceedToleratedFailureThreshold" in words
    assert "segment 3: AccessDeniedError: the function's role may not do s3:PutObject" in words
    assert "Nothing was published." in words
    (run_id,) = set(re.findall(r"run-\d{8}T\d{6}-[0-9a-f]{4}", failure))
    assert f" -m ops rerun {run_id} --out " in failure
    assert "Redrive" in words
    assert f'{{"run_id": "{run_id}"}}' in words
    assert "3,000 scanned = 119 incomplete + 8 rejected + 2,873 counted, in 16 segments" in rerun
    assert "All 31 days are exactly" in rerun
    assert "All 31 days are exactly what the trips were made from." in rerun


@pytest.mark.slow
def test_going_on_reads_the_broken_segment_from_where_its_log_ends(
    broken_demo: Ended,
) -> None:
    """All that ran when segment 3 broke was appended, but for the two pages that it had read."""
    found = re.findall(
        r"([\d,]+) pages (?:of|\n)|([\d,]+) pages$", broken_demo.stdout, re.MULTILINE
    )
    before, in_all, now = (int((one or other).replace(",", "")) for one, other in found)
    assert now > 2
    assert before + now == in_all + 2
    assert "; 2 of them were repeats, because their first results were lost." in broken_demo.stdout
