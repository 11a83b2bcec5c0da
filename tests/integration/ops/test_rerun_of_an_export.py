"""A run over an export is resumed with the very export that it began with, or not at all."""

import os
import signal
from pathlib import Path

import pytest

from tests.exports_on_disk import SyncedExport, leave_export
from tests.integration.ops.conftest import kpis_of_trips, trip
from tests.integration.ops.test_interruptions import reported_until
from tests.integration.ops.test_run_of_an_export import manifest, run, succeeded, words
from tests.ops_commands import Ended, kpis, ops, started, summary

TRIPS = [trip(number) for number in range(9)]
REJECTED = trip(9, fare_amount={"S": "ten"})
TOLERANT = ("--parameter", "MaxRejectedShare=0.5")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def failed_run(synced: SyncedExport, out: Path) -> str:
    """Its id: it has rejected more than it may, and has published nothing."""
    failed = run(synced.folder, out)
    assert failed.returncode == 1, failed.stdout + failed.stderr
    assert f"ops rerun {summary(failed)['run_id']} --out {out}" in failed.stderr
    assert kpis(out) == {}
    return str(summary(failed)["run_id"])


def rerun(out: Path, *arguments: str) -> Ended:
    return ops("rerun", *arguments, "--out", out, "--json", *TOLERANT)


def refused(out: Path) -> str:
    done = rerun(out)
    assert done.returncode == 2, done.stdout + done.stderr
    return words(done.stderr)


def test_it_continues_with_the_same_export_and_no_other(out: Path, tmp_path: Path) -> None:
    synced = leave_export(tmp_path / "copy", [TRIPS, [REJECTED]])
    run_id = failed_run(synced, out)

    file, aside = synced.data[0], tmp_path / "aside"
    body, written = file.read_bytes(), file.stat()
    file.write_bytes(body)
    says = refused(out)
    assert f"the export {synced.folder} is not the one that the run began with" in says
    assert f"its files have changed since; the newest one is {file}" in says
    assert "with the same times of modification (`cp -p`), or start a new run" in says
    os.utime(file, ns=(written.st_atime_ns, written.st_mtime_ns))

    file.rename(aside)
    assert "lacks 1 of the export's 2 data files" in refused(out)
    aside.rename(file)

    synced.folder.rename(aside)
    assert f"the export {synced.folder}, which the run reads, is not there any more" in refused(out)
    aside.rename(synced.folder)

    budget = rerun(out, "--read-units-per-second", "5")
    assert budget.returncode == 2
    assert f"run {run_id} reads an export, without read units: leave" in words(budget.stderr)

    resumed = succeeded(rerun(out))
    assert (resumed["run_id"], resumed["counted"]) == (run_id, 9)
    assert resumed["as_of"] == "2026-05-25T02:15:00.000000+00:00"
    assert manifest(out, run_id)["export_arn"] == synced.arn
    assert kpis(out) == kpis_of_trips(9)


def test_results_in_the_folder_of_the_export_do_not_become_a_part_of_it(tmp_path: Path) -> None:
    """Without manifests, a run writes some into its --out."""
    synced = leave_export(tmp_path / "copy", [TRIPS, [REJECTED]])
    synced.remove_manifests()
    out = synced.folder / "out"
    failed_run(synced, out)
    assert [*out.rglob("manifest-summary.json")]
    assert succeeded(rerun(out))["counted"] == 9
    assert succeeded(run(synced.folder, out, *TOLERANT))["days_unchanged"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("later", ["export", "trips"])
def test_a_later_run_over_something_else_does_not_keep_it_from_that(
    out: Path, tmp_path: Path, later: str
) -> None:
    """Also where the later one has another key, or fills a table."""
    synced = leave_export(tmp_path / "copy", [TRIPS, [REJECTED]])
    run_id = failed_run(synced, out)
    other = leave_export(tmp_path / "other", [[one | {"id": one["trip_id"]} for one in TRIPS[:3]]])
    read = ("--export", other.folder) if later == "export" else ("--trips", other.data[0])
    succeeded(ops("run", *read, "--key", "id", "--out", out, "--json"))
    assert "cannot be resumed" not in ops("status", run_id, "--out", out).stdout
    resumed = succeeded(rerun(out))
    assert (resumed["run_id"], resumed["counted"]) == (run_id, 9)


@pytest.mark.slow
def test_trips_that_were_written_as_an_export_are_there_until_the_next_run(
    out: Path, tmp_path: Path
) -> None:
    """Also if the directory was moved."""
    trips = leave_export(tmp_path / "copy", [[*TRIPS, REJECTED]]).data[0]
    as_export = (("--source", "export"), ("--parameter", "Source=export"))
    begun = [ops("run", "--trips", trips, *option, "--out", out, "--json") for option in as_export]
    assert all("Writing an export" in done.stderr for done in begun)
    assert not any("another table" in done.stderr for done in begun)
    run_ids = [summary(done)["run_id"] for done in begun]
    status = ops("status", run_ids[0], "--out", out).stdout
    assert "cannot be resumed, because a later run has replaced its trips" in status
    done = rerun(out, run_ids[0])
    assert done.returncode == 2
    assert f"run {run_ids[0]} cannot be resumed" in done.stderr
    moved = out.rename(tmp_path / "moved")
    resumed = succeeded(rerun(moved))
    assert (resumed["run_id"], resumed["counted"]) == (run_ids[1], 9)
    assert kpis(moved) == kpis_of_trips(9)


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["If it is interrupted: ", "Scanning segments: "])
def test_ctrl_c_in_the_middle_is_resumed_over_the_same_export(
    out: Path, tmp_path: Path, moment: str
) -> None:
    files = [[trip(8 * file + number) for number in range(8)] for file in range(30)]
    synced = leave_export(tmp_path / "copy", files)
    begin = ("run", "--export", synced.folder, "--out", out, "--max-concurrency", "1")
    with started(*begin, start_new_session=True) as process:
        before = reported_until(process, moment)
        os.killpg(process.pid, signal.SIGINT)
        after, _ = process.communicate()
    assert process.returncode == 130, before + after
    assert (before + after).count("Interrupted.") == 1
    assert "Traceback" not in before + after
    run_id = before.partition("ops rerun ")[2].split()[0]
    resumed = succeeded(rerun(out))
    assert (resumed["run_id"], resumed["counted"]) == (run_id, 240)
    assert manifest(out, run_id)["export_arn"] == synced.arn
    assert kpis(out) == kpis_of_trips(240)
