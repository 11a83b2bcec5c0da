"""A run that is killed between its manifest and the end of its export: `rerun` exports it."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.local import run as local_run
from ops.local.state_directory import StateDirectory
from ops.runs.execution import SUCCEEDED
from tests.integration.ops.conftest import trip
from tests.ops_commands import ROOT, kpis, ops
from trip_kpis.core.layout import LEASE

KILLED_AT_ITS_MANIFEST = """
import os, signal
from ops.cli.main import run_to_the_end
from ops.embedded.objects_on_disk import ObjectsOnDisk

write = ObjectsOnDisk._write_through

def write_and_die(self, bucket_name, key, deleted):
    write(self, bucket_name, key, deleted)
    if key.endswith("/manifest.json"):
        os.kill(os.getpid(), signal.SIGKILL)

ObjectsOnDisk._write_through = write_and_die
run_to_the_end()
"""

TOLERANT = ("--parameter", "MaxRejectedShare=0.5")


class KilledError(BaseException):
    """The process ends at this moment."""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run whose process was killed when its manifest was written."""
    directory = tmp_path_factory.mktemp("killed")
    trips = directory / "trips.jsonl"
    items = [*(trip(number) for number in range(9)), trip(9, fare_amount={"S": "ten"})]
    trips.write_text("".join(json.dumps({"Item": item}) + "\n" for item in items))
    call = ["run", "--trips", trips, "--out", directory / "out", "--segments", "3"]
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT_ITS_MANIFEST, *call, *TOLERANT],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    return directory / "out"


@pytest.fixture
def out(killed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(killed, tmp_path / "out")


def is_unfinished_and_then_exported(out: Path) -> None:
    (execution,) = StateDirectory(out).executions()
    run_id = execution.run_id
    assert f"{run_id} was interrupted; to resume it: " in ops("runs", "--out", out).stdout
    status = ops("status", "--out", out).stdout
    assert status.startswith(f"Run {run_id}: interrupted\n")
    assert f" rerun {run_id} --out {out}\n" in status

    done = ops("rerun", "--out", out, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"Run {run_id} was finished, but its results were not in {out}." in (
        done.stdout + done.stderr
    )
    assert "nothing was executed" in done.stderr
    assert "The report: " in done.stderr
    summary = json.loads(done.stdout)
    assert (summary["status"], summary["days_published"]) == (SUCCEEDED, 3)
    assert (summary["scanned"], summary["pages_read"]) == (10, 0)
    assert StateDirectory(out).executions() == (execution,)
    bucket = StateDirectory(out).bucket()
    assert kpis(out) == {one.key: bucket.read(one.key) for one in bucket.objects("kpis/")}
    assert len(kpis(out)) == 3
    assert len([*out.glob("quarantine/*/*/*.jsonl")]) == 1
    assert (out / "report.html").is_file()

    assert ops("status", "--out", out).stdout.startswith(f"Run {run_id}: finished\n")
    again = ops("rerun", "--out", out)
    assert again.returncode == 2
    assert f"no unfinished run; to process a finished run again, pass its id ({run_id})" in (
        again.stderr
    )


def test_it_is_exported_and_not_executed(out: Path) -> None:
    assert kpis(out) == {}
    is_unfinished_and_then_exported(out)


def test_its_id_exports_it_too(out: Path) -> None:
    (execution,) = StateDirectory(out).executions()
    done = ops("rerun", "--out", out, execution.run_id)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing was executed" in done.stderr
    assert "10 scanned = 0 incomplete + 1 rejected + 9 counted, in 3 segments" in (
        done.stdout + done.stderr
    )
    assert len(kpis(out)) == 3


def fail_at(method: str, name: str) -> Callable[[pytest.MonkeyPatch], None]:
    """At the first call of this method of a Path of this name."""
    original = getattr(Path, method)

    def failing(file: Path, *arguments: Any) -> Any:
        if file.name == name:
            raise KilledError
        return original(file, *arguments)

    return lambda patch: patch.setattr(Path, method, failing)


def fail_before_the_export(patch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise KilledError

    patch.setattr(local_run, "mirror", failing)


@pytest.mark.parametrize(
    "fail",
    [
        pytest.param(fail_before_the_export, id="before the export"),
        pytest.param(fail_at("write_bytes", "kpi.json"), id="writing a day"),
        pytest.param(fail_at("write_bytes", "manifest.json"), id="writing the manifest"),
        pytest.param(fail_at("replace", "kpi.json"), id="moving a day"),
        pytest.param(fail_at("replace", "manifest.json"), id="moving the manifest"),
    ],
)
def test_wherever_the_export_breaks_off_the_next_one_exports_all(
    out: Path, monkeypatch: pytest.MonkeyPatch, fail: Callable[[pytest.MonkeyPatch], None]
) -> None:
    with monkeypatch.context() as patch:
        fail(patch)
        with pytest.raises(KilledError):
            ops("rerun", "--out", out)
    is_unfinished_and_then_exported(out)


@pytest.mark.slow
def test_a_further_run_exports_it_too_and_does_not_wait_for_its_lease(
    out: Path, tmp_path: Path
) -> None:
    lease = StateDirectory(out).bucket().read(LEASE)
    assert lease is not None
    assert not json.loads(lease)["released"]
    (execution,) = StateDirectory(out).executions()
    trips = tmp_path / "trips.jsonl"
    trips.write_text(json.dumps({"Item": trip(1)}) + "\n")
    done = ops("run", "--out", out, "--trips", trips, "--segments", "1", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["days_vanished"] == 2
    assert ops("status", "--out", out, execution.run_id).stdout.startswith(
        f"Run {execution.run_id}: finished\n"
    )
