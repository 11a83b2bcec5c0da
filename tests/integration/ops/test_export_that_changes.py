"""The files of an export change while a run has them: it never mixes both versions."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ops.local.export_on_disk import ExportOnDisk
from ops.local.local_stack import Where
from ops.local.run import run
from ops.local.run_source import NamedExport
from ops.local.trip_files import TripFileError
from tests.exports_on_disk import SyncedExport, leave_export
from tests.integration.ops.conftest import trip
from tests.ops_commands import kpis

SAME_LENGTH = [trip(4, fare_amount={"N": "9.000000000000000009"})]


class ChangingFollower:
    """Makes a change when a line with these words is said."""

    def __init__(self, words: str, change: Callable[[], object]) -> None:
        self.lines: list[str] = []
        self._words = words
        self._change = change

    def say(self, line: str) -> None:
        self.lines.append(line)
        if line.startswith(self._words):
            self._change()

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None


@pytest.fixture
def synced(tmp_path: Path) -> SyncedExport:
    """Without manifests, which have MD5s."""
    synced = leave_export(tmp_path / "copy", [[trip(number)] for number in range(5)])
    synced.remove_manifests()
    return synced


def run_with(synced: SyncedExport, out: Path, follower: Any) -> Any:
    export = ExportOnDisk.at(synced.folder)
    return run(
        NamedExport(export, export.sample(hash_key="trip_id", sort_key=None)),
        out=out,
        execution_input={"total_segments": 1},
        parameters={},
        where=Where(),
        follower=follower,
    )


def replaced(file: Path, items: list[Any]) -> None:
    lines = b"".join(json.dumps({"Item": item}).encode() + b"\n" for item in items)
    other = file.with_suffix(".other")
    other.write_bytes(gzip.compress(lines))
    other.replace(file)


def test_a_file_that_is_replaced_during_the_run_fails_it(
    synced: SyncedExport, tmp_path: Path
) -> None:
    file = synced.data_files_on_disk[-1]
    follower = ChangingFollower("Run ", lambda: replaced(file, SAME_LENGTH))
    ended = run_with(synced, tmp_path / "out", follower)
    assert not ended.succeeded
    assert str(file) in ended.failed_segments[0].cause
    assert kpis(tmp_path / "out") == {}
    assert f"The files of the export {synced.folder} have changed since the run began" in (
        " ".join(follower.lines)
    )


def test_a_file_that_is_removed_during_the_run_is_named(
    synced: SyncedExport, tmp_path: Path
) -> None:
    file = synced.data_files_on_disk[-1]
    follower = ChangingFollower("Run ", file.unlink)
    ended = run_with(synced, tmp_path / "out", follower)
    assert ended.errors >= {"ExportNotFoundError"}
    (says,) = [line for line in follower.lines if "have changed since the run began" in line]
    assert f"{file} is missing" in says
    assert "with the same times of modification (`cp -p`)" in says


def test_a_file_that_is_replaced_before_the_run_has_begun_is_refused(
    synced: SyncedExport, tmp_path: Path
) -> None:
    file = synced.data_files_on_disk[-1]
    follower = ChangingFollower("Export", lambda: replaced(file, SAME_LENGTH))
    with pytest.raises(TripFileError, match="have changed since they were found"):
        run_with(synced, tmp_path / "out", follower)
    assert not [line for line in follower.lines if line.startswith("Run ")]
