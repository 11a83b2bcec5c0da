"""A further `ops run` in the same directory works in the bucket of the earlier ones."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.local.state_directory import StateDirectory
from tests.integration.ops.conftest import trip
from tests.integration.ops.test_interruptions import reported_until
from tests.ops_commands import kpis, ops, started

Write = Callable[..., Path]
TRIPS = [trip(number) for number in range(9)]
REJECTED = [*TRIPS, trip(9, fare_amount={"S": "ten"})]
TOLERANT = ("--parameter", "MaxRejectedShare=0.5")


def run(trips: Path, out: Path, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
    """The summary."""
    call = ("run", "--trips", trips, "--out", out, "--segments", "2", "--json")
    done = ops(*call, *arguments)
    assert done.returncode == exit_code, done.stdout + done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def manifest(out: Path, run_id: str) -> bytes:
    return (out / f"runs/run={run_id}/manifest.json").read_bytes()


def tree(directory: Path) -> dict[str, bytes]:
    """Without the lock, which each process opens."""
    files = (file for file in directory.rglob("*") if file.is_file() and file.name != "lock")
    return {str(file.relative_to(directory)): file.read_bytes() for file in files}


def test_unchanged_and_vanished_days_are_seen_and_the_earlier_run_stays(
    json_lines: Write, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    first = run(json_lines(REJECTED), out, *TOLERANT)
    assert first["days_published"] == 3
    before = manifest(out, first["run_id"])
    changed = [one for one in TRIPS if "05-03" not in one["pickup_datetime"]["S"]]
    changed[0] = trip(0, fare_amount={"N": "77"})

    done = ops("run", "--trips", json_lines(changed), "--out", out, "--segments", "2", "--json")
    second = json.loads(done.stdout)
    table = {line.split(" │ ")[0][-10:]: line for line in done.stderr.splitlines() if "│" in line}
    assert [day for day, line in table.items() if "vanished" in line] == ["2024-05-03"]
    assert "VanishedDays=remove removes them" in done.stderr
    counts = {name: second[f"days_{name}"] for name in ("published", "unchanged", "vanished")}
    assert counts == {"published": 1, "unchanged": 1, "vanished": 1}
    assert manifest(out, first["run_id"]) == before
    assert len(kpis(out)) == 3, "VanishedDays is keep"
    assert len([*out.glob(f"quarantine/run={first['run_id']}/*/*.jsonl")]) == 1

    listed = json.loads(ops("runs", "--out", out, "--json").stdout)
    assert [one["run_id"] for one in listed] == [second["run_id"], first["run_id"]]
    assert {one["status"] for one in listed} == {"finished"}
    found = ops("diff", first["run_id"], second["run_id"], "--out", out)
    assert found.returncode == 1
    assert "1 day the same, 1 changed, 1 only in" in found.stdout
    assert ops("report", first["run_id"], "--out", out).returncode == 0
    assert ops("quarantine", first["run_id"], "--out", out).stdout.count("fare_not_a_number")

    fresh = run(json_lines(changed), out, "--fresh")
    assert fresh["days_published"] == 2
    assert len(kpis(out)) == 2
    assert [one["run_id"] for one in json.loads(ops("runs", "--out", out, "--json").stdout)] == [
        fresh["run_id"]
    ]


@pytest.mark.slow
def test_an_unfinished_run_is_resumed_while_the_trips_are_the_same(
    json_lines: Write, tmp_path: Path
) -> None:
    """Under the parameters that it began with."""
    out = tmp_path / "out"
    failed = run(json_lines(REJECTED), out, exit_code=1)
    assert failed["error"] == "TooManyRejectedError"
    later = run(json_lines(REJECTED), out, *TOLERANT, "--parameter", "TimeZone=Asia/Tokyo")

    done = ops("rerun", "--out", out, "--json", *TOLERANT)
    assert done.returncode == 0, done.stdout + done.stderr
    resumed = json.loads(done.stdout)
    assert resumed["run_id"] == failed["run_id"]
    assert (resumed["pages_read"], resumed["days_published"]) == (0, 0)
    assert resumed["days_superseded"] == 3, "the later run wins"
    status = ops("status", later["run_id"], "--out", out).stdout
    assert status.startswith(f"Run {later['run_id']}: finished\n")


def test_an_unfinished_run_is_not_resumed_over_other_trips(
    json_lines: Write, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    failed = run(json_lines(REJECTED), out, exit_code=1)["run_id"]
    run(json_lines(TRIPS), out)
    cannot = "cannot be resumed, because a later run has replaced its trips; start a new run"
    for verb in ("runs", "status"):
        said = ops(verb, *([failed] if verb == "status" else []), "--out", out).stdout
        assert cannot in said
        assert "ops rerun" not in said
    before = tree(out)
    for arguments, says in (
        (
            (),
            f"no unfinished run that can be resumed: a later run replaced the trips of {failed}",
        ),
        ((failed,), f"run {failed} cannot be resumed: a later run of"),
    ):
        done = ops("rerun", *arguments, "--out", out)
        assert done.returncode == 2
        assert says in " ".join(done.stderr.split())
    assert tree(out) == before


@pytest.mark.parametrize("fresh", [(), ("--fresh",)])
def test_a_run_that_is_killed_while_it_loads_leaves_all_as_it_was(
    json_lines: Write, tmp_path: Path, fresh: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    run(json_lines(TRIPS), out)
    before = tree(out)
    more = json_lines([trip(number) for number in range(300)])
    with started("run", "--trips", more, "--out", out, *fresh) as process:
        reported_until(process, "Loading the table: ")
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert tree(out) == before


@pytest.mark.slow
def test_another_bucket_is_refused_and_another_key_is_mentioned(
    json_lines: Write, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    trips = json_lines([one | {"id": one["trip_id"]} for one in TRIPS])
    first = run(trips, out)
    bucket = StateDirectory(out).stack().bucket_name
    before = tree(out)
    done = ops("run", "--trips", trips, "--out", out, "--parameter", "BucketName=elsewhere")
    assert done.returncode == 2
    assert f"are in the bucket {bucket}, and BucketName is elsewhere" in done.stderr
    assert tree(out) == before

    done = ops("run", "--trips", trips, "--out", out, "--key", "id", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The table's key was trip_id in earlier runs, and is id now." in (
        done.stdout + done.stderr
    )
    assert json.loads(done.stdout)["days_unchanged"] == first["days_published"] == 3
