"""How far a run is, as the logs of its segments tell: the parts that its workers have appended."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Self

from ops.runs.objects import Objects
from trip_kpis.aws.concurrency import in_order
from trip_kpis.aws.run_store import plan_key
from trip_kpis.core.errors import CorruptPartError, PlanMismatchError
from trip_kpis.core.log.counts import Counts
from trip_kpis.core.log.parts import PartHeader, decode
from trip_kpis.core.run.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is in the segments' logs by now. A worker appends about once a minute, so what it has
    read since is not in it yet."""

    plan: Plan | None = None
    """None: the run has none yet"""
    counts: Counts = field(default_factory=Counts)
    parts: int = 0
    begun: frozenset[int] = frozenset()
    """the segments that have a part at least"""
    finished: frozenset[int] = frozenset()

    @property
    def segments(self) -> int:
        return self.plan.total_segments if self.plan else 0

    @property
    def expected_items(self) -> int:
        """As many as DescribeTable counted when the run was planned, which may be hours old, and
        never less than were scanned."""
        planned = self.plan.estimate.item_count if self.plan else 0
        return max(planned, self.counts.scanned)

    def with_parts(self, headers: Iterable[PartHeader]) -> Self:
        """What it is with these parts as well."""
        appended = list(headers)
        return replace(
            self,
            counts=sum((header.counts for header in appended), self.counts),
            parts=self.parts + len(appended),
            begun=self.begun | {header.segment for header in appended},
            finished=self.finished
            | {header.segment for header in appended if header.end_key is None},
        )


class RunLog:
    """Reads every part once, however often it is asked."""

    def __init__(self, objects: Objects, run_id: str) -> None:
        self._objects = objects
        self._run_id = run_id
        self._part_key = re.compile(
            rf"staging/run={re.escape(run_id)}/segment=\d{{5}}/part-\d{{5}}\.parquet"
        )
        self._seen: set[str] = set()
        self._progress = Progress()

    @property
    def progress(self) -> Progress:
        """How far it was when one looked last."""
        return self._progress

    def look(self) -> Progress:
        """How far it is now. A damaged part counts for nothing here: it is the run's to complain
        about."""
        plan = self._progress.plan or self._read_plan()
        appended = [
            key
            for key in self._objects.keys(f"staging/run={self._run_id}/segment=")
            if key not in self._seen and self._part_key.fullmatch(key)
        ]
        headers = [header for header in in_order(self._header, appended) if header]
        self._seen.update(appended)
        self._progress = replace(self._progress, plan=plan).with_parts(headers)
        return self._progress

    def _read_plan(self) -> Plan | None:
        body = self._objects.read(plan_key(self._run_id))
        with suppress(PlanMismatchError):
            return Plan.from_bytes(body) if body else None
        return None

    def _header(self, key: str) -> PartHeader | None:
        body = self._objects.read(key)
        with suppress(CorruptPartError):
            return decode(body, key=key)[0] if body else None
        return None
