"""The source of a run on this machine: a table that is filled with trips, the same trips as an
export, or an export that is there."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from ops.local.export_on_disk import ExportOnDisk, SavedExport, write_export
from ops.local.names import TABLE_NAME
from ops.local.out_directory import cannot_write
from ops.local.state_directory import SavedStack, StateDirectory
from ops.local.trip_files import Trips

if TYPE_CHECKING:
    from ops.local.run import Follower

MANY_TRIPS = 20_000
"""the number of trips from which loading an emulated table takes a long time"""
FREE_SPACE = "free space there, or name another directory, and start again"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedSource:
    """A source that the functions can read, once the table is loaded."""

    table: Trips
    table_id: str
    export: ExportOnDisk | None = None
    """what the run reads in place of the table, which is empty"""
    saved_export: SavedExport | None = None


class RunSource(Protocol):
    """The source that a run reads."""

    @property
    def trips(self) -> Trips:
        """All trips, or a sample of them."""
        ...

    @property
    def is_sample(self) -> bool: ...

    @property
    def remarks(self) -> Sequence[str]: ...

    def prepare(
        self, state: StateDirectory, earlier: SavedStack | None, follower: Follower
    ) -> PreparedSource:
        """Called when the state is locked; `earlier` is the stack of the runs that are in it.
        Raises StateError if something cannot be written."""
        ...


@dataclass(frozen=True, slots=True)
class _AllTrips:
    """Trips that were all read."""

    trips: Trips
    is_sample = False

    @property
    def remarks(self) -> Sequence[str]:
        return self.trips.remarks


@dataclass(frozen=True, slots=True)
class TableOfTrips(_AllTrips):
    """A table that is filled with the trips."""

    def prepare(
        self, state: StateDirectory, earlier: SavedStack | None, follower: Follower
    ) -> PreparedSource:
        is_same_table = earlier is not None and state.has_trips(self.trips)
        if slow := remark_on_size(len(self.trips.items)):
            follower.say(slow)
        follower.begin("Loading the table", trips=len(self.trips.items))
        return PreparedSource(
            table=self.trips,
            table_id=earlier.table_id if earlier and is_same_table else str(uuid.uuid4()),
        )


@dataclass(frozen=True, slots=True)
class TripsAsExport(_AllTrips):
    """An export of the trips, which is written into the state; no table is filled."""

    def prepare(
        self, state: StateDirectory, earlier: SavedStack | None, follower: Follower
    ) -> PreparedSource:
        table_id = str(uuid.uuid4())
        directory = state.export_path(table_id)
        follower.begin("Writing an export", trips=len(self.trips.items))
        try:
            export = write_export(
                self.trips,
                directory,
                table_name=TABLE_NAME,
                table_id=table_id,
                on_written=follower.advance,
            )
        except BaseException as error:
            shutil.rmtree(directory, ignore_errors=True)
            if not isinstance(error, OSError):
                raise
            raise cannot_write(directory, error, FREE_SPACE) from error
        follower.say(export.described)
        return PreparedSource(
            table=self.trips.without_items(),
            table_id=table_id,
            export=export,
            saved_export=replace(export.saved, path=None, table_arn=None),
        )


@dataclass(frozen=True, slots=True)
class NamedExport:
    """An export on this machine, which is read where it is."""

    export: ExportOnDisk
    trips: Trips
    """sample of it"""

    @property
    def is_sample(self) -> bool:
        return self.export.is_sample(self.trips)

    @property
    def remarks(self) -> Sequence[str]:
        return (*self.trips.remarks, *self.export.remarks)

    def prepare(
        self, state: StateDirectory, earlier: SavedStack | None, follower: Follower
    ) -> PreparedSource:
        follower.say(self.export.described)
        before = earlier and earlier.export and earlier.export.table_arn
        is_same_table = earlier is None or earlier.table_id == self.export.table_id
        if before and self.export.table_arn and not is_same_table:
            follower.say(
                f"The last run read an export of another table, {before}. This one may overwrite "
                "its days. If that is a mistake, press Ctrl-C and name another directory with "
                "--out."
            )
        return PreparedSource(
            table=self.trips.without_items(),
            table_id=self.export.table_id,
            export=self.export,
            saved_export=self.export.saved,
        )


def remark_on_size(trips: int) -> str | None:
    """Returns the remark on a large number of trips that are about to be loaded into an emulated
    table."""
    if trips <= MANY_TRIPS:
        return None
    return (
        f"{trips:,} trips are many for the emulated table: loading them takes minutes or longer. "
        "Add --source export to read them without a table."
    )
