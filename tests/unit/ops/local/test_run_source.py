"""What is said of a run's source before the run, and what is kept of it for a later one."""

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from ops.local.export_on_disk import ExportOnDisk
from ops.local.run_source import NamedExport, RunSource, TableOfTrips, TripsAsExport
from ops.local.state_directory import SavedStack, StateDirectory
from ops.local.trip_files import Trips
from tests.exports_on_disk import TABLE_ARN, SyncedExport, leave_export
from tests.samples import trip

TRIPS = Trips(hash_key="trip_id", sort_key=None, items={("t-1",): trip("t-1")})


def export_of(synced: SyncedExport) -> NamedExport:
    export = ExportOnDisk.at(synced.folder)
    return NamedExport(export, export.sample(hash_key="trip_id", sort_key=None))


def said_after(state: StateDirectory, first: RunSource, second: RunSource) -> str:
    """What is said before the second of two runs."""
    follower = Mock()
    with state.locked():
        prepared = first.prepare(state, None, Mock())
        earlier = SavedStack(
            hash_key="trip_id",
            sort_key=None,
            table_id=prepared.table_id,
            bucket_name="results",
            parameters={},
            page_bytes=None,
            export=prepared.saved_export,
        )
        state.save(earlier, prepared.table)
        second.prepare(state, earlier, follower)
    return " ".join(call.args[0] for call in follower.say.call_args_list)


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "out")


def test_an_export_of_another_table_may_overwrite_days(
    state: StateDirectory, tmp_path: Path
) -> None:
    first = export_of(leave_export(tmp_path / "first", [[trip()]]))
    other = export_of(leave_export(tmp_path / "other", [[trip()]], table_id="another"))
    said = said_after(state, first, other)
    assert f"read an export of another table, {TABLE_ARN}. This one may overwrite its days" in said
    assert "another table" not in said_after(state, first, first)


def test_nothing_is_said_of_tables_that_no_manifest_of_dynamodb_names(
    state: StateDirectory, tmp_path: Path
) -> None:
    """Trips that are written as an export, and files without manifests, have another table's id
    each time."""
    named = export_of(leave_export(tmp_path / "named", [[trip()]]))
    synced = leave_export(tmp_path / "unnamed", [[trip()]])
    synced.remove_manifests()
    unnamed = export_of(synced)
    copied = NamedExport(replace(unnamed.export, table_id="touched"), unnamed.trips)
    sources = (TripsAsExport(TRIPS), unnamed, copied)
    for first, second in ((first, second) for first in sources for second in (*sources, named)):
        assert "another table" not in said_after(state, first, second)
        assert "another table" not in said_after(state, named, second)


def test_a_table_with_the_same_trips_is_the_same_table(
    state: StateDirectory, tmp_path: Path
) -> None:
    assert "many" not in said_after(state, TableOfTrips(TRIPS), TableOfTrips(TRIPS))
    stack = state.stack()
    same = TableOfTrips(TRIPS).prepare(state, stack, Mock())
    assert same.table_id == stack.table_id
    other = TableOfTrips(replace(TRIPS, sort_key="at")).prepare(state, stack, Mock())
    assert other.table_id != stack.table_id
