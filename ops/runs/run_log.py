"""The progress of a run, from the logs of its segments: the parts that its workers have
appended."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from ops.runs.staging_reader import list_parts, read_parts, read_plan
from ops.runs.storage import Storage
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.run.plan import Plan

if TYPE_CHECKING:
    from trip_kpis.core.log.parts import PartHeader


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The content of the segments' logs so far. A worker appends about once a minute, so what it
    has read since is not in it yet."""

    plan: Plan | None = None
    """the plan; None: the run has none yet"""
    counts: Counts = field(default_factory=Counts)
    parts: int = 0
    begun: frozenset[int] = frozenset()
    """the segments that have at least one part"""
    finished: frozenset[int] = frozenset()

    @property
    def segments(self) -> int:
        """Returns the number of segments; 0: not known yet."""
        return self.plan.total_segments if self.plan and not self.plan.waits_for_export else 0

    @property
    def expected_items(self) -> int:
        """Returns the items of the export; for a scan, as many as DescribeTable counted when the
        run was planned, which may be hours old, but never less than were scanned."""
        if self.plan and self.plan.export and self.plan.export.items is not None:
            return self.plan.export.items
        planned = self.plan.estimate.item_count if self.plan else 0
        return max(planned, self.counts.scanned)

    def with_parts(self, headers: Iterable[PartHeader]) -> Self:
        """Returns the progress with these parts as well."""
        appended = list(headers)
        return replace(
            self,
            counts=sum((header.counts for header in appended), self.counts),
            parts=self.parts + len(appended),
            begun=self.begun | {header.segment for header in appended},
            finished=self.finished | {header.segment for header in appended if header.end is None},
        )


class RunLog:
    """Reads every part once, even if it is called often."""

    def __init__(self, storage: Storage, run_id: str) -> None:
        self._storage = storage
        self._run_id = run_id
        self._seen: set[str] = set()
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        """Returns the progress at the last `look`."""
        return self._progress

    def look(self) -> Progress:
        """Reads the new parts and returns the progress. A damaged part does not count here; the
        merge names it."""
        plan = self._progress.plan
        if plan is None or plan.waits_for_export:
            plan = read_plan(self._storage, self._run_id)
        appended = [
            listed
            for listed in list_parts(self._storage, self._run_id)
            if listed.key not in self._seen
        ]
        parts = read_parts(self._storage, plan, appended) if plan and appended else ()
        self._progress = replace(self._progress, plan=plan).with_parts(
            part.header for part in parts
        )
        # Not before: a look that fails is repeated.
        if plan:
            self._seen.update(listed.key for listed in appended)
        return self._progress
